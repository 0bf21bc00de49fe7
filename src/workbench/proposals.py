"""From a firm to a folder of proposals: signal packages, one-page briefs, the queue, blocks and orders.

The folder is named by the content of its packages: the same firm and settings give the same folder, and a second run
finds it and writes nothing. Nothing in it trades; a person decides about each package.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from workbench import __version__, rebalance
from workbench.exhibits.brief import INDEX_COLUMNS, brief
from workbench.exhibits.household_file import household_files
from workbench.firm import Firm, open_at
from workbench.report.brief import write_briefs

RECORD = "proposals.json"


@dataclass(frozen=True)
class Proposed:
    """A folder of proposals: how many households, how many with trades, and where its briefs begin (None: none)."""

    folder: Path
    households: int
    with_trades: int
    orders: int
    index: Path | None
    reused: bool


def propose(
    firm: str | Path,
    *,
    as_of: str | None = None,
    settings: Path | None = None,
    households: Sequence[str] = (),
    out: Path = Path("reports"),
    briefs: bool = True,
    workers: int = 1,
) -> Proposed:
    """Propose for the households named (all of the firm's by default) and write their folder under `out`.

    Raises `ParameterError` for an unknown household or setting, `FirmDataError` for a broken firm, `MissingToolError`
    where a brief's PDF needs a library that is not installed.
    """
    chosen = rebalance.Settings() if settings is None else rebalance.Settings.read(settings)
    opened = open_at(firm, as_of)
    book = rebalance.load(opened, settings=chosen)
    wanted = book.positions(households) if households else None
    proposals = rebalance.propose_firm(book, chosen, households=wanted, workers=workers)
    hashes = {proposal.household_id: rebalance.content_hash(proposal) for proposal in proposals}
    name = hashlib.sha256(json.dumps(sorted(hashes.items())).encode()).hexdigest()[:8]
    folder = out / f"proposals-{opened.as_of.date()}-{name}"
    with_trades, orders = sum(bool(p.trades) for p in proposals), sum(len(p.trades) for p in proposals)
    index = folder / "briefs" / "index.html"
    if (folder / RECORD).is_file() and (index.is_file() or not briefs):
        return Proposed(folder, len(proposals), with_trades, orders, index if briefs else None, reused=True)
    aside = out / f".{folder.name}.{os.getpid()}"
    try:
        _write(aside, opened, book, proposals, hashes, briefs, workers)
        if folder.exists():
            shutil.rmtree(folder)
        aside.rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return Proposed(folder, len(proposals), with_trades, orders, index if briefs else None, reused=False)


def _write(
    folder: Path,
    firm: Firm,
    book: rebalance.Book,
    proposals: Sequence[rebalance.Proposal],
    hashes: dict[str, str],
    briefs: bool,
    workers: int,
) -> None:
    queue = rebalance.queue(proposals)
    orders = rebalance.orders(proposals)
    adv = dict(zip(book.market.ids, book.market.adv))
    rebalance.write_packages(folder / "packages", proposals)
    rebalance.write_csv(queue, folder / "queue.csv")
    rebalance.write_csv(orders, folder / "orders.csv")
    rebalance.write_csv(rebalance.blocks(orders, adv=adv), folder / "blocks.csv")
    if briefs:
        ranks = {str(household): rank for rank, household in enumerate(queue["household_id"], start=1)}
        files = household_files(firm, hashes, hashes=hashes, ranks=ranks)
        views = [brief(proposal, files[proposal.household_id]) for proposal in proposals]
        write_briefs(folder / "briefs", views, columns=INDEX_COLUMNS, workers=workers)
    record = {
        "firm": firm.name,
        "as_of": str(pd.Timestamp(firm.as_of).date()),
        "snapshot": firm.content_hash,
        "workbench": __version__,
        "settings": dict(proposals[0].settings) if proposals else {},
        "packages": hashes,
        "files": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob("*.csv"))},
    }
    (folder / RECORD).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")

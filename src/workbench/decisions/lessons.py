"""What people's decisions suggest to change, as files for review; limits are tried on the past proposals themselves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from sqlalchemy import Connection, func, select

from workbench import rebalance
from workbench.compliance import FirmView, Orders, Rulebook
from workbench.compliance.changes import Past, rejudged
from workbench.errors import DecisionError, PackageError, ParameterError
from workbench.firm import Firm
from workbench.governance import fetch
from workbench.governance.lessons.frames import read_decisions
from workbench.governance.lessons.proposed_files import write_proposals
from workbench.governance.lessons.rulebook_text import read_movable
from workbench.governance.lessons.thresholds import propose_limits
from workbench.governance.lessons.wording import propose_wording
from workbench.governance.tables import consent, signal

if TYPE_CHECKING:
    from workbench.governance.lessons.thresholds import RulesReview
    from workbench.governance.lessons.wording import WordingProposal


@dataclass(frozen=True)
class Judged:
    """Past proposals with the firm of their day, and in a sentence which of all they are."""

    past: tuple[Past, ...]
    words: str


@dataclass(frozen=True)
class Lessons:
    """The files written, and what they propose."""

    files: tuple[Path, ...]
    rules: RulesReview
    wording: tuple[WordingProposal, ...]


def write_lessons(
    decisions: Path, out: Path, movable: Path | None = None, rules: Rulebook | None = None, judged: Judged | None = None
) -> Lessons:
    """Write `proposed_rules.diff`, `proposed_rules.md` and `proposed_wording.md` from an export of decisions.

    `movable` says which limits may be proposed to move (None: none), `rules` is the rulebook in force, `judged` what a
    change is tried on. Raises `ParameterError` for a file that is missing or none, `AuditError` for a changed export.
    """
    found = read_decisions(decisions)
    book = Rulebook.default() if rules is None else rules
    limits = propose_limits(found, book.text, () if movable is None else read_movable(movable))
    wording = propose_wording(found)

    def again(old: str, new: str) -> pd.DataFrame:
        return rejudged(Rulebook.parse(old), Rulebook.parse(new), () if judged is None else judged.past)

    if judged is None or not judged.past:
        files = write_proposals(out, found, limits, wording, book.text)
    else:
        files = write_proposals(out, found, limits, wording, book.text, again, judged.words)
    return Lessons(files, limits, wording)


def past_proposals(connection: Connection, firms: Iterable[Firm]) -> Judged:
    """Return the packages in the database that were made of these very snapshots, with the consents recorded on them.

    A package that came up twice counts once; one that retention disposed of, or of another format, is left out and
    counted. Raises `ParameterError` for a snapshot that no signal was made of.
    """
    made, lost = [], 0
    for firm in firms:
        rows = connection.execute(
            select(signal.c.package_hash)
            .where(signal.c.snapshot == firm.content_hash, signal.c.as_of == str(firm.as_of.date()))
            .distinct()
        ).all()
        if not rows:
            raise ParameterError(
                f"no signal was made of {firm.folder} as of {firm.as_of.date()}; give the snapshots that signals were "
                "brought from",
                "firm",
            )
        names = sorted(row.package_hash for row in rows)
        proposals = []
        for name in names:
            try:
                proposals.append(rebalance.loads(fetch(connection, name).body))
            except (DecisionError, PackageError):
                lost += 1
        made.append(Past(FirmView.load(firm), Orders.from_proposals(proposals), _consents(connection, names)))
    return Judged(tuple(made), _words(connection, made, lost))


def _consents(connection: Connection, packages: list[str]) -> dict[str, str]:
    rows = connection.execute(select(consent.c.account_id, consent.c.source_document, consent.c.package_hash))
    return {row.account_id: row.source_document for row in rows if row.package_hash in set(packages)}


def _words(connection: Connection, made: list[Past], lost: int) -> str:
    everything = connection.execute(select(func.count(signal.c.package_hash.distinct()))).scalar_one()
    judged = sum(len(past.orders) for past in made)
    days = ", ".join(str(past.view.as_of) for past in made)
    gone = f" {lost:,} of them could not be read any more." if lost else ""
    return f"{judged:,} of {everything:,} past proposals were judged anew, those of {days}.{gone}"

"""Decisions: crashes, durable appends, attacks on the trail, a page of the queue, the pre-flight of 100,000 proposals.

    python -m benchmarks.governance                    # a table
    python -m benchmarks.governance --json             # one object, for a machine
    python -m benchmarks.governance --walk 1000000     # also the random walk through the store (about half an hour)

Crashes and attacks run on SQLite and, where its programs are installed, on a private PostgreSQL; appends are single
durable transactions (WAL, synchronous FULL) of one process. The parts are modules of their own: `governance_crash`,
`governance_appends`, `governance_attacks`, `governance_queue`, `governance_walk`, `preflight`.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import make_url, text

from benchmarks import (
    governance_appends,
    governance_attacks,
    governance_crash,
    governance_queue,
    governance_walk,
    preflight,
)
from benchmarks import private_postgresql as private
from workbench.governance import open_engine

KEYS = ("rows_after_4800_submissions", "appends_per_s", "attacks_caught", "queue_page_ms", "preflight_100k_s")


def measure(walk_steps: int = 0) -> dict[str, Any]:
    """Return every figure by name; the five keys first."""
    crashes = {name: found for name, found in _on_each(governance_crash.crash)}
    appends = governance_appends.appends()
    attacks = _attacks()
    queue = governance_queue.queue_page()
    checked = preflight.measure()
    figures: dict[str, Any] = {
        "rows_after_4800_submissions": _rows(crashes),
        "appends_per_s": appends["appends_per_s"],
        "attacks_caught": attacks["caught"],
        "queue_page_ms": queue["queue_page_ms"],
        "preflight_100k_s": checked["preflight_100k_s"],
    }
    figures |= {"crashes": crashes, "appends": appends, "attacks": attacks, "queue": queue, "preflight": checked}
    if walk_steps:
        figures["walk"] = governance_walk.walk(walk_steps)
    return figures


def _rows(crashes: dict[str, Any]) -> int | None:
    """The one number of signals, receipts, records and messages on every database; None where they differ."""
    counted = ("signals", "receipts", "creations_recorded", "messages")
    numbers = {found[name] for found in crashes.values() for name in counted}
    whole = all(found["chain_whole"] for found in crashes.values())
    return numbers.pop() if len(numbers) == 1 and whole else None


def _attacks() -> dict[str, Any]:
    with _databases(1) as urls:
        return governance_attacks.attacks({name: found[0] for name, found in urls.items() if name != "sqlite"})


def _on_each(measured: Callable[[str], dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    with _databases(1) as urls:
        for name, found in urls.items():
            yield name, measured(found[0])


@contextmanager
def _databases(number: int) -> Iterator[dict[str, list[str]]]:
    """Empty databases of each kind there is on this machine."""
    with tempfile.TemporaryDirectory() as folder:
        urls = {"sqlite": [f"sqlite:///{Path(folder) / f'{place}.db'}" for place in range(number)]}
        if private.programs() is None:
            yield urls
            return
        with private.server(durable=True) as url:
            names = [f"measured_{place}" for place in range(number)]
            engine = open_engine(url)
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT", workbench_begin="none") as connection:
                for name in names:
                    connection.execute(text(f"CREATE DATABASE {name}"))
            engine.dispose()
            urls["postgresql"] = [make_url(url).set(database=name).render_as_string(False) for name in names]
            yield urls


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one object, for a machine")
    parser.add_argument("--walk", type=int, default=0, metavar="STEPS", help="also walk the store at random")
    arguments = parser.parse_args()
    figures = measure(arguments.walk)
    if arguments.json:
        print(json.dumps(figures))
        return
    for key in KEYS:
        print(f"{key:<30} {figures[key]}")
    for part in ("crashes", "appends", "attacks", "queue", "preflight", "walk"):
        if part in figures:
            print(f"\n{part}\n{json.dumps(figures[part], indent=1)}")


if __name__ == "__main__":
    main()

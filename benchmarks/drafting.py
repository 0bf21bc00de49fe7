"""The figures of drafting and of the copilot, by one command.

    python -m benchmarks.drafting             # a table
    python -m benchmarks.drafting --json      # one object, for a machine
    python -m benchmarks.drafting --quick     # small samples of each part, in some minutes

Each part is a benchmark of its own, `benchmarks/drafting_*.py`, that says what it measures and how.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks import (
    drafting_batch,
    drafting_copilot,
    drafting_documents,
    drafting_hostile,
    drafting_masking,
    drafting_mutants,
)

KEYS = (
    "unsupported_in_10000", "mutants_caught", "false_alarms_in_10000", "verify_ms", "hostile_replies_handled",
    "identifiers_leaked", "copilot_answered", "copilot_wrong", "copilot_ms", "briefs_300_s",
)  # fmt: skip


def measure(quick: bool = False, workers: int = 1) -> dict[str, Any]:
    """Return the figures of `KEYS`, each part measured one after the other; `workers` make documents side by side."""
    worlds = 2 if quick else drafting_documents.WORLDS
    parts: tuple[tuple[str, Callable[[], Mapping[str, Any]]], ...] = (
        # What the clock on the wall times comes first: later parts leave the machine warm and its memory full.
        ("batch", drafting_batch.measure),
        ("copilot", drafting_copilot.measure),
        ("documents", lambda: drafting_documents.measure(worlds, workers=workers)),
        ("mutants", lambda: drafting_mutants.measure(quick)),
        ("hostile replies", lambda: drafting_hostile.measure(1 if quick else 3)),
        ("masking", lambda: drafting_masking.measure(500 if quick else 10_000)),
    )
    found: dict[str, Any] = {}
    for name, part in parts:
        print(f"measuring: {name}", file=sys.stderr, flush=True)
        # The first part that has a key owns it: verification is timed over the documents, not over the mutants' bases.
        found = {key: value for key, value in part().items() if key in KEYS} | found
    return {key: found[key] for key in KEYS}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one object")
    parser.add_argument("--quick", action="store_true", help="small samples of each part")
    parser.add_argument("--workers", type=int, default=1, help="processes that make documents")
    options = parser.parse_args()
    figures = measure(options.quick, options.workers)
    if options.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:28} {value}")


if __name__ == "__main__":
    main()

"""Made-up households: a proposal, what is on file, and how the firm calls things, to make sheets of."""

from __future__ import annotations

import importlib.util
from datetime import date
from pathlib import Path

from workbench.drafting.on_file import Directory, Extras, Flow, ModelVersion, Note, Restriction
from workbench.drafting.sheets.household import household_sheet

_spec = importlib.util.spec_from_file_location(
    "proposals_for_papers", Path(__file__).parents[1] / "rebalance" / "proposals.py"
)
proposals = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(proposals)

FILE = Extras(
    "Ann Adviser, Boston",
    notes=(
        Note(date(2021, 11, 1), "Ann Adviser", "meeting", "Annual review. Wants less risk in 2023.", "N1"),
        Note(date(2021, 5, 1), "Ann Adviser", "preference", "No tobacco, please.", "N2"),
    ),
    flows=(Flow("A1", date(2022, 12, 6), 1_500.0), Flow("A2", date(2022, 12, 1), -200.0)),
    restrictions=(
        Restriction("R1", None, "screen", "fossil_fuel", None, "Values", None),
        Restriction("R3", "A2", "never_sell", "XOM", None, "Inherited", date(2024, 6, 30)),
        Restriction("R4", "A2", "max_weight", "AAPL", 0.02, "Concentration", None),
        Restriction("R5", "A1", "min_cash", "CASH", 2_000.0, "Tuition", None),
    ),
    snapshot="ab" * 32,
)
NAMED = Directory(
    advisors={"ADV1": "Ann Adviser"},
    securities={"VTI": "Vanguard Total Stock Market ETF", "SCHB": "Schwab US Broad Market ETF", "XOM": "Exxon Mobil"},
    versions={
        "BAL": (
            ModelVersion(
                "BAL", 3, "Balanced", date(2020, 6, 15), "Bills offer little; 4 to 6 points move.", "Committee"
            ),
            ModelVersion("BAL", 4, "Balanced", date(2022, 4, 18), "The reserve earns something again.", "Committee"),
        )
    },
)


def sheet_of(trades=None, extras=FILE, named=NAMED, **changes):
    """Return the sheet of a made-up household, its proposal changed as asked."""
    return household_sheet(proposals.make_proposal(trades=trades, **changes), extras, named)

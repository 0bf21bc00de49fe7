"""What a comparison was made on: prices and what they leave out, and which years chose and which tested."""

from __future__ import annotations

import pandas as pd

from workbench.exhibits import policy_facts as words
from workbench.exhibits.drift_facts import plural
from workbench.exhibits.origin import Origin
from workbench.exhibits.policy_review import LEAST_TESTS, LONGEST_YEARS, STANDARD_YEARS, TUNED, Review
from workbench.report import Column, Exhibit, Missing, TableBody

_FUNCTION = "backtest.load_universe"


def data_table(review: Review, origin: Origin) -> Exhibit:
    """Source, days, target and cost of each asset, and what the data leave out."""
    universe = review.universe
    frame = pd.DataFrame(
        {
            "asset": [*universe.assets, *(["Cash"] if universe.with_cash else [])],
            "target": universe.target_positions,
            "cost": [*(universe.half_spread + review.plan.commission), *([0.0] if universe.with_cash else [])],
        }
    )
    columns = (
        Column("asset", "Asset", emphasis=True),
        Column("target", "Target", "percent", digits=2),
        Column("cost", "Cost of a dollar traded", "bp", digits=2),
    )
    rows, facts = origin.table("policy.data", frame, columns, _FUNCTION, words.TABLES)
    days = f"{universe.sessions[0]:%Y-%m-%d} to {universe.sessions[-1]:%Y-%m-%d}"
    takeaway = f"{plural(len(universe.sessions), 'session')}, {days}: {universe.source or 'source not said'}."
    left_out = universe.survivorship or "What the prices leave out is not said."
    return Exhibit(
        "policy-data", "The prices and what they leave out", TableBody(columns, rows, note=left_out),
        takeaway.replace("..", "."), review.settings(origin), facts,
    )  # fmt: skip


def windows_table(review: Review, origin: Origin) -> Exhibit:
    """Each window: the years that chose the rule, the rule, the year that tested it."""
    columns = (
        Column("test", "Tested", emphasis=True), Column("train", "Chosen on"), Column("rule", "Rule chosen"),
        Column("tuned", "Horizon tuned"),
    )  # fmt: skip
    case = review.evidence.case(TUNED)
    rows = []
    for position, row in enumerate(review.evidence.windows.to_dict("records")):
        made = (
            words.upper(case.windows["policy"].iloc[position])
            if len(case.windows) > position
            else Missing("not fitted")
        )
        rows.append(
            (
                f"{row['test_first']:%Y-%m-%d} to {row['test_last']:%Y-%m-%d}",
                f"{row['train_first']:%Y-%m-%d} to {row['train_last']:%Y-%m-%d}",
                words.upper(str(row["opponent"])), made,
            )
        )  # fmt: skip
    chosen = review.evidence.windows["opponent"]
    takeaway = f"{plural(int(chosen.nunique()), 'rule was', 'rules were')} chosen over {plural(len(rows), 'year')}; "
    takeaway += f"{review.train_years:g} to {max(LONGEST_YEARS, review.train_years):g} years choose, "
    if review.train_years < STANDARD_YEARS and not review.plan.train_years:
        takeaway += f"for {STANDARD_YEARS:g} would leave fewer than {LEAST_TESTS} test years; "
    takeaway += "a month lies between the years that choose and the year that tests."
    return Exhibit(
        "policy-windows", "Which years chose and which tested", TableBody(columns, tuple(rows)), takeaway,
        review.settings(origin),
    )  # fmt: skip

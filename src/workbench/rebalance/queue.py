"""The queue: which household to look at first, by what a dollar of tax and cost buys."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from workbench.errors import ParameterError
from workbench.rebalance.proposal import LevelRow, Proposal

#: A band is left when the weight is beyond it by more than rounding.
_ON_THE_LINE = 1e-12

COLUMNS = [
    "rank", "household_id", "household_name", "advisor_id", "benefit", "tax", "cost", "spend", "benefit_per_dollar",
    "trades", "traded", "cash_short", "cash_due", "days_to_cash_due", "out_of_band", "worst_excess", "conflicts",
]  # fmt: skip
#: Types of the columns, so that an empty queue looks like a full one.
TYPES = {
    **dict.fromkeys(["household_id", "household_name", "advisor_id"], "str"),
    **dict.fromkeys(["benefit", "tax", "cost", "spend", "benefit_per_dollar"], "float64"),
    **dict.fromkeys(["traded", "cash_short", "worst_excess"], "float64"),
    **dict.fromkeys(["trades", "out_of_band", "conflicts"], "int64"),
    "cash_due": "datetime64[s]",
    "days_to_cash_due": "Int64",
}


def queue(proposals: Iterable[Proposal]) -> pd.DataFrame:
    """Rank households by benefit (money a year) for each dollar of `spend` = tax + cost that their proposal takes.

    First come proposals whose spend is zero or less (the tax they save pays for them), greatest benefit less spend
    first: a ratio says nothing about them and is missing. Then those with a spend, by benefit a dollar; last, those
    with nothing to trade. Ties go to the greater benefit, then to the household's identifier.

    Urgency does not move the rank and stands in columns of its own: `cash_short`, dollars of cash needs that what is
    there today does not cover; `cash_due` and `days_to_cash_due`, the first day such a need falls due (missing: none,
    or no day set); `out_of_band`, how many keys stand outside their band today, and `worst_excess`, the greatest
    distance beyond a band as a weight; `conflicts`, demands that cannot all be met. Raises `ParameterError` where a
    household comes twice or a figure is not finite.
    """
    rows = [_row(proposal) for proposal in proposals]
    frame = pd.DataFrame(rows, columns=COLUMNS[1:]).astype(TYPES)
    if frame["household_id"].duplicated().any():
        twice = frame.loc[frame["household_id"].duplicated(), "household_id"].iloc[0]
        raise ParameterError(f"proposals: household {twice} comes twice; give one proposal a household", "proposals")
    figures = frame[["benefit", "tax", "cost"]].to_numpy(np.float64)
    if not np.isfinite(figures).all():
        broken = frame.loc[~np.isfinite(figures).all(axis=1), "household_id"].iloc[0]
        raise ParameterError(
            f"proposals: household {broken} has a benefit, tax or cost that is not finite", "proposals"
        )
    spend = frame["spend"].to_numpy(np.float64)
    free, idle = spend <= 0, (frame["trades"] == 0).to_numpy(bool)
    benefit = frame["benefit"].to_numpy(np.float64)
    frame["benefit_per_dollar"] = np.divide(benefit, spend, out=np.full(len(frame), np.nan), where=~free & ~idle)
    merit = np.where(free, benefit - spend, frame["benefit_per_dollar"])
    by_name = frame["household_id"].argsort(kind="stable").argsort(kind="stable").to_numpy()
    order = np.lexsort((by_name, -benefit, np.where(idle, 0.0, -merit), ~free, idle))
    ranked = frame.iloc[order].reset_index(drop=True)
    ranked.insert(0, "rank", np.arange(1, len(ranked) + 1))
    return ranked


def _row(proposal: Proposal) -> tuple[object, ...]:
    short = [(need.by, need.needed - need.available_before) for need in proposal.cash_needs]
    short = [(by, missing) for by, missing in short if missing > 0]
    due = min((by for by, _ in short if by is not None), default=None)
    excess = [beyond for row in proposal.levels if (beyond := _beyond(row)) > _ON_THE_LINE]
    return (
        proposal.household_id,
        proposal.household_name,
        proposal.advisor_id,
        proposal.benefit,
        proposal.tax,
        proposal.cost,
        proposal.tax + proposal.cost,
        None,
        len(proposal.trades),
        sum((trade.amount for trade in proposal.trades), 0.0),
        sum((missing for _, missing in short), 0.0),
        due,
        None if due is None else (due - proposal.as_of).days,
        len(excess),
        max(excess, default=0.0),
        len(proposal.conflicts),
    )


def _beyond(row: LevelRow) -> float:
    """How far the weight of today stands beyond its band; zero or less inside it."""
    above = -np.inf if row.upper is None else row.before - row.upper
    below = -np.inf if row.lower is None else row.lower - row.before
    return float(max(above, below))

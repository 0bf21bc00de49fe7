"""Cost and risk of every policy side by side: the frontier, the table behind it, and other costs and delays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from workbench.backtest import CompiledPolicy, Policy
from workbench.exhibits import policy_facts as words
from workbench.exhibits.drift_facts import absent, noun
from workbench.exhibits.origin import Origin
from workbench.learning import spec
from workbench.report import Column, Exhibit, Settings, TableBody, figures

_FUNCTION = "backtest.simulate"
#: Times the median tracking error, or cost, beyond which a policy is left off the chart, where it would dwarf the rest.
_DWARFS = 6.0
_WHY = dict.fromkeys(("sharpe", "worst", "best"), "made anew each year")
#: The family that a chart shows a compiled kind with.
_FAMILIES = {
    "HOLD": "Calendar", "TARGET": "Calendar", "BAND": "Band", "QUADRATIC": "Quadratic", "TILTED": "Tilt",
    "LEARNED_QUADRATIC": "Learned", "BAND_NETWORK": "Learned",
}  # fmt: skip


def family(policy: Policy) -> str:
    """The family that a chart shows a policy with."""
    return _FAMILIES[spec.kind_name(policy.rule().kind)] if isinstance(policy, CompiledPolicy) else "Other"


def families(policies: Sequence[Policy]) -> dict[str, str]:
    """The family of each policy by its name."""
    return {policy.name: family(policy) for policy in policies}


def tranches(runs: pd.DataFrame, risk_aversion: float, cost_multiple: float = 1.0, delay: int = 1) -> pd.DataFrame:
    """The mean over start days of each policy at one cost and delay, by name: the money split over all of them.

    `tracking_error` (yearly) is the root of the mean square behind the tracking loss. A policy made anew each year
    (offset -1) has no Sharpe ratio here: its own is a mean of years and does not compare with that of all days.
    """
    chosen = runs[(runs["cost_multiple"] == cost_multiple) & (runs["delay"] == delay)]
    figures_of = chosen.drop(columns=["cost_multiple", "delay", "offset", "path"], errors="ignore")
    table = figures_of.groupby("policy", sort=False).mean(numeric_only=True)
    if "sharpe" in table and "offset" in chosen:
        table["sharpe"] = table["sharpe"].where(~table.index.isin(chosen.loc[chosen["offset"] < 0, "policy"]))
    return table.assign(tracking_error=np.sqrt(2.0 * words.BP * table["tracking_loss_bp"] / risk_aversion))


def frontier(
    table: pd.DataFrame,
    groups: Mapping[str, str],
    named: Sequence[str],
    settings: Settings,
    origin: Origin,
    part: str = "policy",
) -> Exhibit:
    """Trading cost against tracking error of every policy; `table` as of `tranches`.

    `part` begins identifiers, so that two chapters of one book may show it under different assumptions.
    """
    id, title = f"{part}-frontier", "What each policy costs, and how far it strays"
    known = table.dropna(subset=["cost_bp", "tracking_error", "total_bp"])
    if known.empty:
        return absent(id, title, "No policy was simulated.")
    shown = _drawn(known, named)
    cheapest = str(known["total_bp"].idxmin())
    total = words.bp(f"{part}.frontier.cheapest.total", float(known.loc[cheapest, "total_bp"]), origin, _FUNCTION)
    off = [name for name in known.index if name not in shown.index]
    takeaway = f"Least in all is {cheapest}: trading and straying together cost {total.text} a year."
    if off:
        takeaway += f" Far off, and in the table alone: {', '.join(off[:3])}{' and others' if len(off) > 3 else ''}."
    body = figures.frontier(
        list(words.BP * shown["cost_bp"]), list(shown["tracking_error"]), list(shown.index), alt=takeaway,
        x_title="Trading cost a year", y_title="Tracking error a year",
        groups=[groups.get(name, "Other") for name in shown.index], named=[*named, cheapest],
    )  # fmt: skip
    return Exhibit(id, title, body, takeaway, settings, (total,))


def rules_table(
    table: pd.DataFrame, runs: pd.DataFrame, settings: Settings, origin: Origin, most: int = 40, part: str = "policy"
) -> Exhibit:
    """Every policy, the cheapest in all first: costs, loss, turnover, trades, and Sharpe ratios of its start days."""
    id, title = f"{part}-rules", "Every policy, the cheapest in all first"
    known = table.dropna(subset=["total_bp"]).sort_values("total_bp")
    if known.empty:
        return absent(id, title, "No policy was simulated.")
    base = runs[(runs["cost_multiple"] == 1.0) & (runs["delay"] == 1) & (runs["offset"] >= 0)]
    base = base.groupby("policy")["sharpe"]
    frame = known.head(most).copy()
    for name in ("cost_bp", "tracking_loss_bp", "total_bp"):
        frame[name] *= words.BP
    frame["worst"], frame["best"] = base.min().reindex(frame.index), base.max().reindex(frame.index)
    frame.insert(0, "policy", frame.index)
    columns = (
        Column("policy", "Policy", emphasis=True),
        Column("total_bp", "In all", "bp", digits=2, note="trading cost and tracking loss a year"),
        Column("cost_bp", "Trading", "bp", digits=2),
        Column("tracking_loss_bp", "Straying", "bp", digits=2, note="half the risk aversion times the variance"),
        Column("tracking_error", "Tracking error", "percent", digits=2),
        Column("turnover", "Turnover a year", "percent", digits=1, note="one way"),
        Column("sharpe", "Sharpe ratio", "number", digits=3),
        Column("worst", "Worst start", "number", digits=3),
        Column("best", "Best start", "number", digits=3),
    )
    rows, facts = origin.table(f"{part}.rule", frame, columns, _FUNCTION, words.TABLES, missing=_WHY)
    trading = known.loc[known["turnover"] > 0.0, "sharpe"]
    takeaway = f"Among {len(trading)} policies that trade the Sharpe ratio differs by {_spread(trading)} at most."
    left = len(known) - len(frame)
    note = "Means over all start days." + (
        f" {left} more {noun(left, 'policy', 'policies')} not shown." if left else ""
    )
    return Exhibit(id, title, TableBody(columns, rows, note=note), takeaway, settings, facts)


def stressed(
    runs: pd.DataFrame, names: Sequence[str], risk_aversion: float, settings: Settings, origin: Origin
) -> Exhibit:
    """The total of a few policies when trading costs more, or happens later."""
    id, title = "policy-dearer-later", "If trading costs twice as much, or happens a day later"
    settings_run = runs[["cost_multiple", "delay"]].drop_duplicates().sort_values(["delay", "cost_multiple"])
    if len(settings_run) < 2:
        return absent(id, title, "Only one cost and one delay were run.")
    parts = {
        (f"{row.cost_multiple:g} x cost, {row.delay} {noun(row.delay, 'session')} later"): tranches(
            runs, risk_aversion, row.cost_multiple, row.delay
        )["total_bp"]
        for row in settings_run.itertuples()
    }
    frame = words.BP * pd.DataFrame(parts).reindex(list(dict.fromkeys(names))).dropna(how="all")
    keys = [f"at-{position}" for position in range(len(parts))]
    frame.columns = pd.Index(keys)
    frame.insert(0, "policy", frame.index)
    columns = (
        Column("policy", "Policy", emphasis=True),
        *(Column(key, label, "bp", digits=2) for key, label in zip(keys, parts)),
    )
    rows, facts = origin.table("policy.stressed", frame, columns, _FUNCTION, words.TABLES)
    first = [str(frame[key].idxmin()) for key in keys if frame[key].notna().any()]
    takeaway = f"{first[0]} is the cheapest of these in every case."
    if len(set(first)) > 1:
        takeaway = f"Which of these is the cheapest changes with costs and delay: {', '.join(dict.fromkeys(first))}."
    return Exhibit(id, title, TableBody(columns, rows), takeaway, settings, facts)


def _spread(sharpe: pd.Series) -> str:
    return words.figure(float(sharpe.max() - sharpe.min())) if sharpe.notna().any() else "nothing"


def _drawn(table: pd.DataFrame, named: Sequence[str]) -> pd.DataFrame:
    """Without the policies so far off that the others would fall on one spot; those in `named` always stay."""
    near = pd.Series(True, index=table.index)
    for column in ("cost_bp", "tracking_error"):
        near &= table[column] <= _DWARFS * max(float(table[column].median()), 1e-9)
    return table[near | table.index.isin(list(named))]

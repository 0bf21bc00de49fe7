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
from workbench.report import Badge, Column, Exhibit, Missing, Settings, TableBody, figures

_FUNCTION = "backtest.simulate"
_WHY = {"sharpe": "made anew each year"}
#: What stands for the worst and best start of a policy that has only one.
_ONE = "\N{EN DASH}"
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
    shown = known[(known[["cost_bp", "tracking_error"]] > 0.0).all(axis=1)]
    if shown.empty:
        return absent(id, title, "No policy both traded and strayed from its target.")
    cheapest = str(known["total_bp"].idxmin())
    total = words.bp(f"{part}.frontier.cheapest.total", float(known.loc[cheapest, "total_bp"]), origin, _FUNCTION)
    off = [str(name) for name in known.index.difference(shown.index, sort=False)]
    takeaway = (
        f"{words.upper(cheapest)} costs least in hindsight, {total.text} a year for trading and for straying from the "
        "target together. Each step along an axis is a multiple."
    )
    if off:
        left = f"{words.sentence(off[:3])}{' and others' if len(off) > 3 else ''}"
        takeaway += f" Not drawn, for a cost or an error of nothing has no place on such an axis: {left}."
    body = figures.frontier(
        list(words.BP * shown["cost_bp"]), list(shown["tracking_error"]), [words.upper(name) for name in shown.index],
        alt=takeaway, x_title="Trading cost a year (each step a multiple)", y_title="Tracking error a year",
        groups=[groups.get(name, "Other") for name in shown.index],
        named=[words.upper(name) for name in dict.fromkeys([*named, cheapest])], log=True,
    )  # fmt: skip
    return Exhibit(id, title, body, takeaway, settings, (total,))


def rules_table(
    table: pd.DataFrame,
    runs: pd.DataFrame,
    settings: Settings,
    origin: Origin,
    most: int = 40,
    part: str = "policy",
    roles: Mapping[str, Badge] | None = None,
) -> Exhibit:
    """Every policy, the cheapest first: costs, loss, turnover, and Sharpe ratios of its start days.

    `roles` marks rows by policy, such as the candidates; the cheapest is marked here.
    """
    id, title = f"{part}-rules", "Every policy, the cheapest first"
    known = table.dropna(subset=["total_bp"]).sort_values("total_bp")
    if known.empty:
        return absent(id, title, "No policy was simulated.")
    base = runs[(runs["cost_multiple"] == 1.0) & (runs["delay"] == 1) & (runs["offset"] >= 0)]
    base = base.groupby("policy")["sharpe"]
    several = base.size().reindex(known.index).fillna(0) > 1
    frame = known.head(most).copy()
    for name in ("cost_bp", "tracking_loss_bp", "total_bp"):
        frame[name] *= words.BP
    frame["worst"], frame["best"] = base.min().reindex(frame.index), base.max().reindex(frame.index)
    frame.insert(0, "policy", [words.upper(str(name)) for name in frame.index])
    columns = (
        Column("policy", "Policy", emphasis=True),
        Column("total_bp", "Total cost", "bp", digits=2, note="trading cost and tracking loss a year"),
        Column("cost_bp", "Trading cost", "bp", digits=2),
        Column("tracking_loss_bp", "Tracking loss", "bp", digits=2, note="half the risk aversion times the variance"),
        Column("tracking_error", "Tracking error", "percent", digits=2),
        Column("turnover", "Turnover a year", "percent", digits=1, note="one way"),
        Column("sharpe", "Sharpe ratio", "number", digits=3),
        Column("worst", "Worst start", "number", digits=3),
        Column("best", "Best start", "number", digits=3),
    )
    ends = [position for position, column in enumerate(columns) if column.name in ("worst", "best")]
    frame.loc[~several.reindex(frame.index), ["worst", "best"]] = np.nan
    made, facts = origin.table(f"{part}.rule", frame, columns, _FUNCTION, words.TABLES, missing=_WHY)
    marks, cheapest = dict(roles or {}), str(frame.index[0])
    role = f"{marks[cheapest].badge}, " if cheapest in marks else ""
    marks[cheapest] = Badge(f"{role}cheapest in hindsight", "good")
    rows = [
        (
            *(_ONE if at in ends and isinstance(cell, Missing) else cell for at, cell in enumerate(row)),
            marks.get(str(name), ""),
        )
        for name, row in zip(frame.index, made, strict=True)
    ]
    shown = (*columns, Column("role", "Role"))
    trading = known.loc[known["turnover"] > 0.0]
    spread = words.figure(float(trading["total_bp"].max() / trading["total_bp"].min())) if len(trading) else "1"
    takeaway = (
        f"Among {len(trading)} policies that trade, the dearest costs {spread} times the cheapest; "
        f"the Sharpe ratio differs by {_spread(trading['sharpe'])} at most."
    )
    left = len(known) - len(frame)
    note = "Means over all start days. A dash: looked at every day, or never, so there is one start only." + (
        f" {left} more {noun(left, 'policy', 'policies')} not shown." if left else ""
    )
    return Exhibit(id, title, TableBody(shown, tuple(rows), note=note), takeaway, settings, facts)


def stressed(
    runs: pd.DataFrame, names: Sequence[str], risk_aversion: float, settings: Settings, origin: Origin
) -> Exhibit:
    """The total of a few policies when trading costs more, or happens later."""
    id, title = "policy-dearer-later", "If trading costs twice as much, or happens a day later"
    settings_run = runs[["cost_multiple", "delay"]].drop_duplicates().sort_values(["delay", "cost_multiple"])
    if len(settings_run) < 2:
        return absent(id, title, "Only one cost and one delay were run.")
    parts = {
        f"{cost_words(row.cost_multiple)}, traded {noun(row.delay, 'a day', f'{row.delay} days')} later": tranches(
            runs, risk_aversion, row.cost_multiple, row.delay
        )["total_bp"]
        for row in settings_run.itertuples()
    }
    frame = words.BP * pd.DataFrame(parts).reindex(list(dict.fromkeys(names))).dropna(how="all")
    keys = [f"at-{position}" for position in range(len(parts))]
    frame.columns = pd.Index(keys)
    frame.insert(0, "policy", [words.upper(str(name)) for name in frame.index])
    columns = (
        Column("policy", "Policy", emphasis=True),
        *(Column(key, label, "bp", digits=2) for key, label in zip(keys, parts)),
    )
    rows, facts = origin.table("policy.stressed", frame, columns, _FUNCTION, words.TABLES)
    first = [str(frame[key].idxmin()) for key in keys if frame[key].notna().any()]
    if not first:
        return absent(id, title, "None of these policies was run.")
    takeaway = f"{words.upper(first[0])} is the cheapest of these in every case."
    if len(set(first)) > 1:
        takeaway = f"Which of these is the cheapest changes with costs and delay: {', '.join(dict.fromkeys(first))}."
    return Exhibit(id, title, TableBody(columns, rows), takeaway, settings, facts)


def _spread(sharpe: pd.Series) -> str:
    return words.figure(float(sharpe.max() - sharpe.min())) if sharpe.notna().any() else "nothing"


def cost_words(multiple: float) -> str:
    """A multiple of today's costs in words."""
    return {1.0: "Cost as it is", 2.0: "Twice the cost"}.get(multiple, f"{multiple:g} times the cost")

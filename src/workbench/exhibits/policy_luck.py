"""What the start day alone is worth: the same rule begun on every possible day, and the noise between rules."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.backtest import Backtests, Calendar, Costs, Policy, Runs, Signals, Universe, simulate
from workbench.exhibits import policy_facts as words
from workbench.exhibits.drift_facts import absent
from workbench.exhibits.origin import Origin
from workbench.report import Column, Exhibit, Settings, TableBody, figures

_FUNCTION = "backtest.simulate"
#: Days drawn of each path: about one a month is enough for the eye.
_STEP = 21
#: Rows of the chart of start days.
_ROWS = 10


def started_every_day(
    universe: Universe, signals: Signals, policy: Policy | None = None, *, costs: Costs | None = None,
    risk_aversion: float = 5.0, first: int | None = None,
) -> Backtests:  # fmt: skip
    """One policy (default: back to target once a year) begun at each of its possible start days, daily returns kept."""
    chosen = Calendar("year") if policy is None else policy  # type: ignore[arg-type]
    runs = Runs.product([chosen], offsets="all")
    return simulate(
        universe, signals, runs, costs=costs or Costs(), risk_aversion=risk_aversion, keep_returns=True, first=first
    )


def fan(found: Backtests, settings: Settings, origin: Origin, part: str = "policy") -> Exhibit:
    """Wealth of each start day against the average of them all, the luckiest and the unluckiest named."""
    id = f"{part}-luck-fan"
    policy = found.runs.policies[0].name
    title = f"The same rule, {policy}, begun on another day"
    if found.returns is None or len(found.returns) < 2 or not np.isfinite(found.returns).all():
        return absent(
            id, title, f"{policy} has one start day only, or a run that ended early: there is no luck to show."
        )
    wealth = np.cumprod(1.0 + found.returns, axis=1)
    against = wealth / wealth.mean(axis=0) - 1.0
    days = found.days
    shown = np.unique(np.append(np.arange(0, len(days), _STEP), len(days) - 1))
    best, worst = int(np.argmax(against[:, -1])), int(np.argmin(against[:, -1]))
    facts = [
        origin.fact(f"{part}.luck.{name}", float(value), unit, _FUNCTION, words.TABLES, digits=digits)
        for name, value, unit, digits in (
            ("best", against[best, -1], "percent", 2),
            ("worst", against[worst, -1], "percent", 2),
            ("spread.return", _yearly(found, best) - _yearly(found, worst), "pp", 2),
        )
    ]
    takeaway = (
        f"Nothing but the start day differs, and yet the luckiest of {len(wealth)} ends {_points(against[best, -1])} "
        f"above the average and the unluckiest {_points(-against[worst, -1])} below."
    )
    rows = (
        ("Luckiest start day", facts[0].ref()),
        ("Unluckiest start day", facts[1].ref()),
        ("Difference a year, in return", facts[2].ref()),
    )
    columns = (Column("what", "Against the average of all start days", emphasis=True), Column("value", "At the end"))
    body = figures.fan(
        [str(day)[:10] for day in days[shown]], against[:, shown], alt=takeaway,
        named={"Luckiest": against[best, shown].tolist(), "Unluckiest": against[worst, shown].tolist()},
        all_name="Every start day", axis_title="Wealth against the average of all start days",
        data=TableBody(columns, rows),
    )  # fmt: skip
    return Exhibit(id, title, body, takeaway, settings, tuple(facts))


def sharpe_strip(runs: pd.DataFrame, settings: Settings, origin: Origin) -> Exhibit:
    """Sharpe ratios of each policy's start days: rules whose marks overlap cannot be told apart by a Sharpe ratio."""
    id, title = "policy-luck-sharpe", "Sharpe ratios of every start day"
    base = runs[(runs["cost_multiple"] == 1.0) & (runs["delay"] == 1) & (runs["offset"] >= 0)].dropna(subset=["sharpe"])
    spread = base.groupby("policy", sort=False)["sharpe"].agg(["mean", "min", "max", "size"])
    several = spread[spread["size"] > 1]
    if several.empty:
        return absent(id, title, "No policy has more than one start day.")
    chosen = several.sort_values("mean", ascending=False).head(_ROWS).index
    groups = {words.upper(str(name)): _thinned(base.loc[base["policy"] == name, "sharpe"]) for name in chosen}
    widest = several["max"] - several["min"]
    name = str(widest.idxmax())
    luck = origin.fact("policy.luck.sharpe", float(widest.max()), "number", _FUNCTION, words.TABLES, digits=3)
    between = origin.fact(
        "policy.luck.rules", float(spread["mean"].max() - spread["mean"].min()), "number", _FUNCTION, words.TABLES,
        digits=3,
    )  # fmt: skip
    takeaway = (
        f"The start day alone moves the Sharpe ratio of {name} by {luck.text}; from the best to the worst policy, "
        f"averaged over start days, it is {between.text}."
    )
    columns = (Column("what", "What", emphasis=True), Column("value", "Sharpe ratio", "number", digits=3))
    rows = (("Widest spread of one rule's start days", luck.ref()), ("Best less worst policy", between.ref()))
    body = figures.strip(
        groups,
        alt=takeaway,
        unit="number",
        axis_title="Sharpe ratio, net of costs",
        zero=False,
        data=TableBody(columns, rows),
    )
    return Exhibit(id, title, body, takeaway, settings, (luck, between))


def _thinned(values: pd.Series, most: int = 63) -> list[float]:
    """Evenly many of the sorted values, both ends kept: hundreds of marks say no more."""
    ordered = np.sort(values.to_numpy(float))
    return ordered[np.unique(np.linspace(0, len(ordered) - 1, min(most, len(ordered))).round().astype(int))].tolist()


def _yearly(found: Backtests, row: int) -> float:
    return float(found.statistics["return_"].iloc[row])


def _points(value: float) -> str:
    return f"{100 * value:.2f}%"

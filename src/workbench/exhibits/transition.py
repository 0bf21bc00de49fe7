"""A legacy position's plan as exhibits: how fast it goes under each budget, what that costs, and the schedule."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from workbench.exhibits.origin import Origin
from workbench.rebalance.transition import Frontier, Plan
from workbench.report import Column, Exhibit, Fact, Settings, TableBody, figures
from workbench.report import format as fmt
from workbench.report.exhibit import Cell


def exhibits(frontier: Frontier, origin: Origin, household_id: str) -> list[Exhibit]:
    """The figure, the frontier, and the schedule of the plan in the middle: neither at once nor never."""
    source = f"book of record {origin.snapshot}, household {household_id}"
    return [
        weight_figure(frontier, origin.as_of, source),
        frontier_table(frontier, origin.as_of, source),
        schedule_table(frontier.plans[len(frontier.plans) // 2], origin.as_of, source),
    ]


def weight_figure(frontier: Frontier, as_of: str, source: str) -> Exhibit:
    """How fast a legacy position goes under each budget."""
    plans = _told_apart(frontier)
    longest = max(len(plan.years) for plan in plans)
    dates = [str(year.day) for plan in plans if len(plan.years) == longest for year in plan.years][:longest]
    lines = {
        _budget(plan): [*(year.weight_left for year in plan.years), *[None] * (longest - len(plan.years))]
        for plan in plans
    }
    cheapest = frontier.cheapest
    facts = (
        _plan_fact(cheapest, "weight_before", cheapest.weight_before, "percent", as_of, source),
        _plan_fact(cheapest, "tax", cheapest.tax, "usd", as_of, source),
    )
    takeaway = (
        f"{cheapest.security_id} is {fmt.percent(cheapest.weight_before)} of the household. At the firm's price of "
        f"risk {_budget(cheapest).lower()} is cheapest: {fmt.usd(cheapest.tax)} of tax over {len(cheapest.years)} "
        f"{'year' if len(cheapest.years) == 1 else 'years'}."
    )
    body = figures.lines(dates, lines, alt=takeaway, unit="percent", axis_title="Weight left after the year's sales")
    return Exhibit(
        "transition-weight", f"Selling {cheapest.security_id} over years", body, takeaway,
        Settings(as_of, "prices, rates and budgets stay as they are", source), facts,
    )  # fmt: skip


def frontier_table(frontier: Frontier, as_of: str, source: str) -> Exhibit:
    """The price of going faster or slower: tax now or later, against risk carried."""
    columns = (
        Column("budget", "Gain budget a year", emphasis=True), Column("years", "Years", "count"),
        Column("tax", "Tax", "usd"), Column("tax_value", "Tax, present value", "usd"),
        Column("risk_cost", "Cost of risk", "usd", note="risk aversion x tracking variance x value, present value"),
        Column("tax_left", "Tax on what is left", "usd"), Column("total", "Together", "usd"),
    )  # fmt: skip
    facts: list[Fact] = []
    rows: list[tuple[Cell, ...]] = []
    for plan in frontier.plans:
        cells: list[Cell] = ["No limit" if plan.budget is None else fmt.usd(plan.budget), len(plan.years)]
        for name in ("tax", "tax_value", "risk_cost", "tax_left", "total"):
            fact = _plan_fact(plan, name, float(getattr(plan, name)), "usd", as_of, source)
            facts.append(fact)
            cells.append(fact.ref())
        rows.append(tuple(cells))
    late = [plan for plan in frontier.plans if not plan.finished]
    note = f"Under {len(late)} of the budgets the position is not sold within the plan." if late else ""
    faster, slower = frontier.plans[-1], frontier.plans[0]
    takeaway = (
        f"The slowest plan saves {fmt.usd(max(faster.tax_value - slower.tax_value, 0.0))} of tax in today's "
        f"money over the fastest, and carries {fmt.usd(max(slower.risk_cost - faster.risk_cost, 0.0))} more risk "
        "at the firm's price."
    )
    settings = Settings(as_of, "prices, rates and budgets stay as they are", source)
    body = TableBody(columns, tuple(rows), note=note)
    return Exhibit("transition-frontier", "Faster or slower", body, takeaway, settings, tuple(facts))


def schedule_table(plan: Plan, as_of: str, source: str, most: int = 15) -> Exhibit:
    """The schedule of one plan: what to sell each year, its gain and tax, and what is left."""
    frame = plan.to_frame()
    columns = (
        Column("day", "From", "date"), Column("shares", "Shares", "number", digits=2),
        Column("proceeds", "Proceeds", "usd"),
        Column("short_gain", "Short-term gain", "usd"), Column("long_gain", "Long-term gain", "usd"),
        Column("tax", "Tax", "usd"), Column("weight_left", "Weight left", "percent"),
        Column("tracking_error", "Tracking error", "percent"),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for row in frame.head(most).itertuples(index=False):
        rows.append(tuple(_plain(getattr(row, column.name)) for column in columns))
    note = f"The first {most} of {len(frame)} years." if len(frame) > most else ""
    state = "all is sold" if plan.finished else f"{fmt.percent(plan.years[-1].weight_left)} of the household is left"
    takeaway = f"Under {_budget(plan).lower()} {state} after {len(frame)} {'year' if len(frame) == 1 else 'years'}."
    settings = Settings(as_of, "lots of least tax a share first, prices stay as they are", source)
    return Exhibit(
        "transition-schedule", "The schedule", TableBody(columns, tuple(rows), note=note), takeaway, settings
    )


def _told_apart(frontier: Frontier) -> Sequence[Plan]:
    """At most five plans: the two ends and those between, evenly."""
    places = np.unique(np.linspace(0, len(frontier.plans) - 1, min(5, len(frontier.plans))).round().astype(int))
    return [frontier.plans[place] for place in places]


def _budget(plan: Plan) -> str:
    return "No limit" if plan.budget is None else f"{fmt.usd(plan.budget)} of gain a year"


def _plan_fact(plan: Plan, name: str, value: float, unit: str, as_of: str, source: str) -> Fact:
    budget = "none" if plan.budget is None else f"{plan.budget:.0f}"
    return Fact.of(f"transition.{budget}.{name}", value, unit, source=f"rebalance.transition of {source}", as_of=as_of)


def _plain(value: object) -> Cell:
    return str(value)[:10] if isinstance(value, pd.Timestamp) else float(value)  # type: ignore[arg-type]

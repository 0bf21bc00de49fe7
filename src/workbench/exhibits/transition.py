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

#: Years that the figure reaches at most.
_YEARS_SHOWN = 15


def exhibits(frontier: Frontier, origin: Origin, household_id: str) -> list[Exhibit]:
    """The figure, the frontier, and the schedule of the plan that holds unless a person decides otherwise."""
    source = f"book of record {origin.snapshot}, household {household_id}"
    return [
        weight_figure(frontier, origin.as_of, source),
        frontier_table(frontier, origin.as_of, source),
        schedule_table(frontier.plans[frontier.asked], origin.as_of, source),
    ]


def weight_figure(frontier: Frontier, as_of: str, source: str) -> Exhibit:
    """How fast a legacy position goes under each budget."""
    plans = _told_apart(frontier)
    longest = min(max(len(plan.years) for plan in plans), _YEARS_SHOWN)
    dates = next([str(year.day) for year in plan.years] for plan in plans if len(plan.years) >= longest)[:longest]
    lines = {}
    for plan in plans:
        # a plan that cannot go on stays where it is
        after = None if plan.finished else plan.years[-1].weight_left
        weights = [year.weight_left for year in plan.years[:longest]]
        lines[_budget(plan)] = [*weights, *[after] * (longest - len(weights))]
    asked = frontier.plans[frontier.asked]
    facts = (
        _plan_fact(asked, "weight_before", asked.weight_before, "percent", as_of, source),
        _plan_fact(asked, "tax", asked.tax, "usd", as_of, source),
    )
    takeaway = _sentence(frontier)
    body = figures.lines(dates, lines, alt=takeaway, unit="percent", axis_title="Weight left after the year's sales")
    return Exhibit(
        "transition-weight", f"Selling {asked.security_id} over years", body, takeaway,
        Settings(as_of, "prices, rates and budgets stay as they are", source), facts,
    )  # fmt: skip


def _sentence(frontier: Frontier) -> str:
    """What the plan in force does, and what it saves and risks against selling at once."""
    asked = frontier.plans[frontier.asked]
    first = asked.years[0]
    start = f"{asked.security_id} is {fmt.percent(asked.weight_before)} of the household. "
    own = asked.budget is not None and asked.budget == frontier.own_budget
    if asked.budget is None:
        return start + f"All of it can be sold at once, for {fmt.usd(asked.tax)} of tax."
    under = f"Under {'its own budget of ' if own else ''}{_budget(asked)} "
    if not asked.finished:
        return (
            f"{start}{under}{fmt.percent(asked.years[-1].weight_left)} is left for good: sold at once it would cost "
            f"{fmt.usd(frontier.plans[-1].tax)} of tax. Set a wider budget, or decide to keep it."
        )
    saves = frontier.saved(asked)
    return (
        f"{start}{under}it is sold in {len(asked.years)} {_years(asked)}, {fmt.percent(first.weight_left)} left "
        f"after the first. That {'saves' if saves >= 0 else 'costs'} {fmt.usd(abs(saves))} of tax in today's money "
        f"against selling at once, and leaves {fmt.percent(first.tracking_error)} of tracking error in the first year."
    )


def frontier_table(frontier: Frontier, as_of: str, source: str) -> Exhibit:
    """The price of going faster or slower: tax now or later, against risk carried."""
    columns = (
        Column("budget", "Gain budget a year", emphasis=True), Column("years", "Years"),
        Column("tax", "Tax", "usd"), Column("tax_value", "Tax, present value", "usd"),
        Column("saved", "Saved", "usd", note="of tax in today's money, against the fastest"),
        Column("tracking_error", "Tracking error", "percent", digits=1, note="a year, after the first sales"),
        Column("swing", "Swing", "usd", note="off the model by this or more in about one year of three"),
        Column("risk_cost", "Cost of risk", "usd", note="risk aversion x tracking variance x value, present value"),
    )  # fmt: skip
    facts: list[Fact] = []
    rows: list[tuple[Cell, ...]] = []
    for plan, row in zip(frontier.plans, frontier.to_frame().to_dict("records"), strict=True):
        own = plan.budget is not None and plan.budget == frontier.own_budget
        name = "No limit" if plan.budget is None else fmt.usd(plan.budget)
        cells: list[Cell] = [f"{name} (the household's own)" if own else name]
        cells.append(str(len(plan.years)) if plan.finished else "not sold")
        for column in columns[2:]:
            if not plan.finished and column.name in ("saved", "risk_cost"):
                # holding on for good is not the same thing done slower
                cells.append(None)
                continue
            fact = _plan_fact(plan, column.name, float(row[column.name]), column.kind, as_of, source)
            facts.append(fact)
            cells.append(fact.ref())
        rows.append(tuple(cells))
    note = (
        f"At the firm's price of risk {_budget(frontier.cheapest)} costs least. That price is meant for deviations of "
        "a few per cent; for a position of this size the tracking error and its swing are what to weigh."
    )
    done = [plan for plan in frontier.plans if plan.finished]
    takeaway = "Rates and prices stay as they are, so that waiting saves the interest on tax put off and no more."
    if len(done) > 1:
        slower, faster = done[0], frontier.plans[-1]
        takeaway = (
            f"Selling over {len(slower.years)} {_years(slower)} in place of {len(faster.years)} saves "
            f"{fmt.usd(frontier.saved(slower))} of tax in today's money, and leaves "
            f"{fmt.percent(slower.years[0].tracking_error)} of tracking error after the first sales in place of "
            f"{fmt.percent(faster.years[0].tracking_error)}. {takeaway}"
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
    takeaway = f"Under {_budget(plan)} {state} after {len(frame)} {_years(plan)}."
    settings = Settings(as_of, "lots of least tax a share first, prices stay as they are", source)
    return Exhibit(
        "transition-schedule", "The schedule", TableBody(columns, tuple(rows), note=note), takeaway, settings
    )


def _told_apart(frontier: Frontier) -> Sequence[Plan]:
    """At most five plans: the two ends, the one asked for, and those between."""
    ends = np.linspace(0, len(frontier.plans) - 1, min(4, len(frontier.plans))).round().astype(int)
    return [frontier.plans[place] for place in sorted({*ends.tolist(), frontier.asked})]


def _budget(plan: Plan) -> str:
    return "no limit" if plan.budget is None else f"{fmt.usd(plan.budget)} of gain a year"


def _years(plan: Plan) -> str:
    return "year" if len(plan.years) == 1 else "years"


def _plan_fact(plan: Plan, name: str, value: float, unit: str, as_of: str, source: str) -> Fact:
    budget = "none" if plan.budget is None else f"{plan.budget:.0f}"
    return Fact.of(f"transition.{budget}.{name}", value, unit, source=f"rebalance.transition of {source}", as_of=as_of)


def _plain(value: object) -> Cell:
    return str(value)[:10] if isinstance(value, pd.Timestamp) else float(value)  # type: ignore[arg-type]

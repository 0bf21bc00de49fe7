"""A composite's record year by year, laid out as a report by the rules of GIPS has it."""

from __future__ import annotations

import calendar

import pandas as pd

from workbench.exhibits.drift_facts import noun, plural
from workbench.exhibits.origin import UNKNOWN, Origin, shown
from workbench.performance import Composite
from workbench.report import Column, Exhibit, Fact, Missing, TableBody
from workbench.report import format as fmt
from workbench.report.exhibit import Cell

TABLES = ("transactions", "positions", "prices", "accounts")
FUNCTION = "performance.composite"
_FEES = {"gross": "before fees", "net": "after fees"}


def report_table(composite: Composite, origin: Origin) -> Exhibit:
    """The yearly table: returns before and after fees, benchmark, risk, accounts, their spread, assets.

    Columns of which nothing is known (no benchmark, no assets of the firm) are left out and the note says so. A year
    that is not complete says from or to which day it runs.
    """
    columns = _columns(composite)
    slug = origin.slug(composite.name)
    rows, facts = [], []
    for year in composite.yearly.index:
        cells: list[Cell] = [_year(composite, year)]
        for column in columns[1:]:
            cell = _cell(composite, year, column.name)
            cells.append(cell)
            if not isinstance(cell, Missing):
                id = f"composite.{slug}.{year}.{column.name}"
                facts.append(origin.fact(id, cell, column.kind, FUNCTION, TABLES, digits=column.digits))
        rows.append(tuple(cells))
    takeaway, spread = _takeaway(composite, slug, origin)
    return Exhibit(
        f"composite-{slug}",
        f"{composite.name}: yearly record",
        TableBody(columns, tuple(rows), note=_note(composite)),
        takeaway,
        origin.settings(_basis(composite), TABLES),
        (*facts, *spread),
    )


def _columns(composite: Composite) -> tuple[Column, ...]:
    basis = _FEES[composite.rules.basis]
    columns = (
        Column("year", "Year", emphasis=True),
        Column("gross", "Before fees", "percent", digits=2),
        Column("net", "After fees", "percent", digits=2),
        Column("benchmark", "Benchmark", "percent", digits=2),
        Column("risk", "Risk", "percent", note=f"standard deviation of 36 months' returns {basis}, a year"),
        Column(
            "benchmark_risk", "Benchmark's risk", "percent", note="standard deviation of 36 months' returns, a year"
        ),
        Column("portfolios", "Accounts", "count", note="at the end"),
        Column("full_year", "For the full year", "count", note="accounts that were members in all twelve months"),
        Column("dispersion", "Spread", "percent", digits=2, note=f"of full-year accounts' returns {basis}"),
        Column("assets", "Assets", "usd", note="at the end"),
        Column("firm_share", "Of the firm", "percent", note="of all assets of the firm at the end"),
    )
    unknown = {name for name in ("benchmark", "firm_share") if composite.yearly[name].isna().all()}
    unknown |= {"benchmark_risk"} if "benchmark" in unknown else set()
    return tuple(column for column in columns if column.name not in unknown)


def _year(composite: Composite, year: int) -> str:
    """The year, and how far it reaches where it is not whole."""
    if composite.yearly.loc[year, "complete"]:
        return str(year)
    months = composite.monthly[composite.monthly.index.year == year]
    first, last = months["from"].iloc[0], months.index[-1]
    begins = "" if first.year < year else f"from {first.day} {calendar.month_name[first.month]}"
    whole = bool(months["complete"].iloc[-1]) and last.month == 12
    ends = "" if whole else f"to {last.day} {calendar.month_name[last.month]}"
    return f"{year}, {' '.join(part for part in (begins, ends) if part)}"


def _cell(composite: Composite, year: int, name: str) -> Cell:
    reason = composite.reasons.loc[year, name]
    if name == "full_year" and not composite.yearly.loc[year, "complete"]:
        reason = "the year is not complete"
    value = composite.yearly.loc[year, name]
    if reason:
        return Missing(str(reason))
    return shown(int(value) if name in ("portfolios", "full_year") else float(value), UNKNOWN)


def _takeaway(composite: Composite, slug: str, origin: Origin) -> tuple[str, tuple[Fact, ...]]:
    """The last whole year in words, and the figures named there that the table has not."""
    whole = composite.yearly[composite.yearly["complete"] & composite.yearly["net"].notna()]
    if whole.empty:
        return "No calendar year of this record is whole yet, so no return of a year can be shown.", ()
    year, row = int(whole.index[-1]), whole.iloc[-1]
    text = f"In {year}, the last whole year, the composite earned {fmt.percent(row['net'], 2)} after fees "
    text += f"and {fmt.percent(row['gross'], 2)} before"
    if pd.notna(row["benchmark"]):
        gap = row["net"] - row["benchmark"]
        side = "ahead of" if gap >= 0 else "behind"
        text += f", after fees {fmt.number(abs(100 * gap), 2)} pp {side} its benchmark"
    if pd.isna(row["dispersion"]):
        count = int(row["full_year"])
        return (
            f"{text}; {plural(count, 'account')} for the full year {noun(count, 'is', 'are')} too few for a spread.",
            (),
        )
    facts = tuple(
        origin.fact(f"composite.{slug}.{year}.{name}", row[name], "percent", FUNCTION, TABLES, digits=2)
        for name in ("lower_quartile", "upper_quartile")
    )
    text += (
        f"; each counted once, the middle half of its {fmt.count(row['full_year'])} full-year accounts earned between "
    )
    text += f"{facts[0].text} and {facts[1].text} {_FEES[composite.rules.basis]}."
    return text, facts


def _basis(composite: Composite) -> str:
    weights = "value at the beginning of the month"
    if composite.rules.weighting == "begin_and_flows":
        weights += " and flows by their time"
    return f"time-weighted daily, revalued at flows; accounts weighted by {weights}; months linked to years"


def _note(composite: Composite) -> str:
    """What was chosen where the rules leave a choice, and what is not claimed."""
    rules, basis = composite.rules, _FEES[composite.rules.basis]
    parts = [
        "Prepared with the rules of the GIPS standards on weighting, members, spread and risk; the firm does not claim "
        "compliance with them.",
        "An account counts from its first full month under the mandate to its last, and what it did stays in the "
        "record after it left.",
        f"Spread: standard deviation, equal-weighted, divisor {rules.divisor}, of the year's returns {basis} of "
        "accounts that were members for the full year; not applicable at five or fewer.",
        f"Risk: standard deviation of the last 36 monthly returns {basis}, divisor 35, times the root of 12.",
        "Nothing under a year is annualised.",
    ]
    if rules.minimum:
        parts.append(f"Accounts below {fmt.usd(rules.minimum)} at the beginning of a month are left out of it.")
    if composite.yearly["benchmark"].isna().all():
        parts.append("No benchmark is given.")
    if composite.yearly["firm_share"].isna().all():
        parts.append("The firm's assets are not given.")
    if len(composite.left_out):
        parts.append(_left_out(composite.left_out))
    return " ".join(parts)


def _left_out(left_out: pd.DataFrame) -> str:
    accounts = left_out["account_id"].nunique()
    reasons = left_out.groupby("reason")["account_id"].nunique().sort_values(ascending=False, kind="stable")
    named = ", ".join(f"{reason} ({fmt.count(count)})" for reason, count in reasons.items())
    return f"{plural(accounts, 'account')} {noun(accounts, 'was', 'were')} left out of a month or more: {named}."

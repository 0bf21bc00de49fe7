"""Composites' records year by year: returns, benchmark, risk, spread and assets, for the committee."""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Sequence

import pandas as pd

from workbench.exhibits.drift_facts import absent, noun, plural
from workbench.exhibits.origin import UNKNOWN, Origin, shown
from workbench.exhibits.standing import is_level, standing
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
    columns = _columns((composite,))
    slug = origin.slug(composite.name)
    rows, facts = _rows(composite, composite.yearly.index, columns, origin)
    takeaway, spread = _takeaway(composite, slug, origin)
    return Exhibit(
        f"composite-{slug}",
        f"{composite.name}: yearly record",
        TableBody(columns, tuple(rows), note=_note((composite,))),
        takeaway,
        origin.settings(_basis(composite), TABLES),
        (*facts, *spread),
    )


def records_table(composites: Sequence[Composite], origin: Origin, years: int) -> Exhibit:
    """The last years of several composites in one table, each under its name; the columns of `report_table`.

    All follow the same rules, those of the first. Without any composite it says so.
    """
    id, title = "performance-records", "Every model, the latest years"
    if not composites:
        return absent(id, title, "No account has followed a model for a whole month, so there is no record to show.")
    columns = _columns(composites)
    rows: list[tuple[Cell, ...]] = []
    depths: list[int] = []
    facts: list[Fact] = []
    for composite in composites:
        more, carried = _rows(composite, composite.yearly.index[-years:], columns, origin)
        rows += [(composite.name, *("" for _ in columns[1:])), *more]
        depths += [0, *(1 for _ in more)]
        facts += carried
    takeaway = _records_takeaway(composites)
    body = TableBody(columns, tuple(rows), note=_note(composites), depths=tuple(depths))
    return Exhibit(id, title, body, takeaway, origin.settings(_basis(composites[0]), TABLES), tuple(facts))


def _records_takeaway(composites: Sequence[Composite]) -> str:
    """In how many of their whole years the composites were ahead of their benchmarks after fees."""
    whole = pd.concat([one.yearly.loc[one.yearly["complete"].astype(bool), ["net", "benchmark"]] for one in composites])
    compared = whole.dropna().astype(float)
    if compared.empty:
        return ""
    gap = compared["net"] - compared["benchmark"]
    level = gap.map(is_level)
    ahead = int(((gap > 0) & ~level).sum())
    text = f"The models have {plural(len(compared), 'whole year')} on record between them; {fmt.count(ahead)} of these "
    text += "ended ahead of the benchmark after fees"
    return f"{text}, {fmt.count(level.sum())} level with it." if level.any() else f"{text}."


def _rows(
    composite: Composite, years: Iterable[int], columns: Sequence[Column], origin: Origin
) -> tuple[list[tuple[Cell, ...]], list[Fact]]:
    """A composite's years as rows, and a fact for every figure in them."""
    slug = origin.slug(composite.name)
    rows: list[tuple[Cell, ...]] = []
    facts: list[Fact] = []
    for year in years:
        cells: list[Cell] = [_year(composite, year)]
        for column in columns[1:]:
            cell = _cell(composite, year, column.name)
            if not isinstance(cell, Missing):
                id = f"composite.{slug}.{year}.{column.name}"
                facts.append(origin.fact(id, cell, column.kind, FUNCTION, TABLES, digits=column.digits))
                if column.kind == "usd":  # in millions, whatever the size of the firm
                    cell = facts[-1].ref(fmt.usd_short(composite.yearly.loc[year, column.name]))
            cells.append(cell)
        rows.append(tuple(cells))
    return rows, facts


def _columns(composites: Sequence[Composite]) -> tuple[Column, ...]:
    """The report's columns, less those of which no composite knows anything."""
    basis = _FEES[composites[0].rules.basis]
    columns = (
        Column("year", "Year", emphasis=True),
        Column("gross", "Before fees", "percent", digits=2),
        Column("net", "After fees", "percent", digits=2),
        Column("benchmark", "Benchmark", "percent", digits=2),
        Column("risk", "Risk", "percent", note=f"standard deviation of 36 months' returns {basis}, a year"),
        Column(
            "benchmark_risk",
            "Its risk",
            "percent",
            note="the benchmark's: standard deviation of 36 months' returns, a year",
        ),
        Column("portfolios", "Accounts", "count", note="at the end"),
        Column("full_year", "All year", "count", note="accounts that were members in all twelve months"),
        Column("dispersion", "Spread", "percent", digits=2, note=f"of returns {basis} of accounts there all year"),
        Column("low", "Lowest", "percent", digits=2, note=f"return {basis} of an account there all year"),
        Column("high", "Highest", "percent", digits=2, note=f"return {basis} of an account there all year"),
        Column("assets", "Assets", "usd", note="at the end"),
        Column("firm_share", "Of firm", "percent", note="of the value of all accounts with a ledger, at the end"),
    )
    unknown = {
        name
        for name in ("benchmark", "firm_share")
        if all(composite.yearly[name].isna().all() for composite in composites)
    }
    unknown |= {"benchmark_risk"} if "benchmark" in unknown else set()
    return tuple(column for column in columns if column.name not in unknown)


def _year(composite: Composite, year: int) -> str:
    """The year, and how far it reaches where it is not whole."""
    if composite.yearly.loc[year, "complete"]:
        return str(year)
    months = composite.monthly[composite.monthly.index.year == year]
    first, last = months["from"].iloc[0], months.index[-1]
    begins = "" if first.year < year else f"from {_day(first)}"
    whole = bool(months["complete"].iloc[-1]) and last.month == 12
    ends = "" if whole else f"to {_day(last)}"
    return " ".join(part for part in (str(year), begins, ends) if part)


def _day(day: pd.Timestamp) -> str:
    return f"{day.day} {calendar.month_abbr[day.month]}"


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
        text += f", after fees {standing(gap, f'{fmt.number(abs(100 * gap), 2)} pp')} its benchmark"
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


def _note(composites: Sequence[Composite]) -> str:
    """What was chosen where the rules leave a choice, and what is not claimed."""
    rules = composites[0].rules
    basis = _FEES[rules.basis]
    parts = [
        # A firm that claims no compliance may not call a calculation consistent with the standards either.
        "This is no GIPS report: the firm does not claim compliance with the GIPS standards, and accounts whose client "
        "decides are members like any other here.",
        "An account counts from its first full month under the mandate to its last, and what it did stays in the "
        "record after it left.",
        f"Spread: standard deviation, equal-weighted, divisor {rules.divisor}, of the year's returns {basis} of "
        "accounts there all year, with the lowest and highest of them; not applicable at five accounts or fewer.",
        f"Risk: standard deviation of the last 36 monthly returns {basis}, divisor 35, times the root of 12.",
        "Nothing under a year is annualised.",
    ]
    if rules.minimum:
        parts.append(f"Accounts below {fmt.usd(rules.minimum)} at the beginning of a month are left out of it.")
    if all(composite.yearly["benchmark"].isna().all() for composite in composites):
        parts.append("No benchmark is given.")
    if all(composite.yearly["firm_share"].isna().all() for composite in composites):
        parts.append("The firm's assets are not given.")
    left_out = pd.concat([composite.left_out for composite in composites])
    if len(left_out):
        parts.append(_left_out(left_out))
    return " ".join(parts)


def _left_out(left_out: pd.DataFrame) -> str:
    accounts = left_out["account_id"].nunique()
    reasons = left_out.groupby("reason")["account_id"].nunique().sort_values(ascending=False, kind="stable")
    named = ", ".join(f"{reason} ({fmt.count(count)})" for reason, count in reasons.items())
    return f"{plural(accounts, 'account')} {noun(accounts, 'was', 'were')} left out of a month or more: {named}."

"""The after-tax study as exhibits: what each step was worth, how sure that is, and what others have published."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.rebalance.after_tax import Study
from workbench.report import (
    CalloutBody,
    Column,
    Exhibit,
    Fact,
    FigureBody,
    ProseBody,
    Settings,
    TableBody,
    figures,
)
from workbench.report import format as fmt
from workbench.report.exhibit import Cell, Paragraph

#: What strategies are called in figures and tables.
NAMES = {
    "plain": "Plain",
    "lots": "Tax-aware lots",
    "harvest": "Harvesting",
    "household": "Harvesting and location",
    "location": "Location only",
}
#: Published estimates a year, as fractions: who, what for, low, high, and what they rest on. Vanguard, "Portfolio
#: construction for direct indexing" (4 May 2022); Betterment, "Tax-Coordinated Portfolio"; Aperio as commonly quoted.
PUBLISHED = (
    ("Vanguard", "Harvesting, high net worth", 0.0107, 0.0136, "single stocks, quarterly to daily"),
    ("Vanguard", "Harvesting with index funds", 0.0004, 0.0084, "one index fund; high to ultra-high net worth"),
    ("Aperio", "Harvesting, direct indexing", 0.0100, 0.0240, "single stocks, depends on rates and deposits"),
    ("Betterment", "Asset location", 0.0010, 0.0082, "two or three accounts, depends on their split"),
)  # fmt: skip


def verdict(alone: Study, shared: Study) -> Exhibit:
    """What the window shows in a paragraph; `shared` is the study with gains elsewhere that losses can be used on."""
    facts: list[Fact] = []
    paragraphs: list[Paragraph] = []
    for study, prefix, words in (
        (alone, "alone", "With no gains elsewhere"),
        (shared, "shared", f"With {fmt.usd(shared.assumptions.rates.other_gains)} a year of long-term gains elsewhere"),
    ):
        frame = study.summary().set_index("strategy")
        parts: list[object] = [words + ", tax gave "]
        for place, key in enumerate(
            [key for key in ("lots", "harvest", "household", "location") if key in frame.index]
        ):
            mean, low, high = (
                _fact(study, f"after_tax.{prefix}.{key}.{name}", float(frame.at[key, name]), "bp")
                for name in ("tax_alpha", "tax_alpha_low", "tax_alpha_high")
            )
            facts += [mean, low, high]
            parts += [
                "; " if place else "",
                f"{NAMES[key].lower()} ",
                mean.ref(),
                " a year (",
                low.ref(),
                " to ",
                high.ref(),
                ")",
            ]
        paragraphs.append((*parts, f", over {_cohorts(study)}, each against plain rebalancing."))  # type: ignore[arg-type]
    paragraphs.append(
        "Figures are of the whole household, whose taxed part is "
        f"{fmt.percent(dict(alone.assumptions.accounts)['taxable'])} at the start, and of this window only. They fall "
        "where rates are lower, where nothing is deposited, where markets rise without a break and where losses find "
        "no gains; cohorts overlap, so their range is no confidence interval."
    )
    body = CalloutBody("neutral", tuple(paragraphs))
    return Exhibit("after-tax-verdict", "What tax management gave", body, "", _settings(alone), tuple(facts))


def alpha_figure(study: Study, name: str = "alone") -> Exhibit:
    """Mean yearly tax alpha of each strategy over plain rebalancing, with the range over start years."""
    frame = study.summary().iloc[1:]
    labels = [NAMES.get(key, str(key)) for key in frame["strategy"]]
    columns = (
        Column("title", "Strategy", emphasis=True),
        Column("tax_alpha", "Tax alpha", "bp", digits=1),
        Column("tax_alpha_low", "Lowest", "bp", digits=1),
        Column("tax_alpha_high", "Highest", "bp", digits=1),
        Column("tax_alpha_liquidated", "If sold at the end", "bp", digits=1),
    )
    rows, facts = _table(study, f"after_tax.{name}", frame, columns)
    best = frame.loc[frame["tax_alpha"].idxmax()]
    takeaway = (
        f"{NAMES.get(best['strategy'], best['strategy'])} gave most: {fmt.basis_points(best['tax_alpha'])} a year, "
        f"{fmt.basis_points(best['tax_alpha_low'])} to {fmt.basis_points(best['tax_alpha_high'])} "
        f"over {_cohorts(study)}."
    )
    body = figures.bars_against_target(
        labels, list(frame["tax_alpha"]), list(frame["tax_alpha_liquidated"]), alt=takeaway, unit="bp",
        lower=list(frame["tax_alpha_low"]), upper=list(frame["tax_alpha_high"]),
        names=("Mean", "If all is sold at the end"), axis_title="After tax less before tax, over plain, a year",
        data=TableBody(columns, rows),
    )  # fmt: skip
    gains = study.assumptions.rates.other_gains
    title = f"What tax gave a year, {f'with {fmt.usd(gains)} of gains elsewhere' if gains else 'no gains elsewhere'}"
    return Exhibit(f"after-tax-alpha-{name}", title, _range_named(body), takeaway, _settings(study), facts)


def _range_named(body: FigureBody) -> FigureBody:
    """The pale bar is the range of the cohorts here, not a band."""
    body.figure["data"][0]["name"] = "Lowest to highest start year"
    return body


def wealth_figure(study: Study) -> Exhibit:
    """After-tax wealth of each strategy above plain rebalancing, in the first cohort."""
    cohort = study.paths[0]
    plain = cohort[0]
    ends = _month_ends(plain.dates)
    lines = {
        NAMES.get(path.strategy.key, path.strategy.key): list((path.after_tax - plain.after_tax)[ends])
        for path in cohort[1:]
    }
    last = {name: values[-1] for name, values in lines.items()}
    top = max(last, key=lambda name: last[name])
    facts = tuple(
        _fact(study, f"after_tax.wealth.{path.strategy.key}", float((path.after_tax - plain.after_tax)[-1]), "usd")
        for path in cohort[1:]
    )
    takeaway = (
        f"Started in {plain.dates[0].astype('datetime64[Y]')}, {top.lower()} ended {fmt.usd(abs(last[top]))} "
        f"{'above' if last[top] >= 0 else 'below'} plain rebalancing, which ended at {fmt.usd(plain.after_tax[-1])}; "
        "the difference holds what substitutes and location earned before tax too."
    )
    dates = [str(day) for day in plain.dates[ends]]
    body = figures.lines(dates, lines, alt=takeaway, unit="usd", axis_title="After-tax wealth above plain")
    return Exhibit("after-tax-wealth", "Wealth above plain rebalancing", body, takeaway, _settings(study), facts)


def strategies_table(study: Study) -> Exhibit:
    """What each strategy did to get there: tracking, turnover, losses, wash sales, equity after tax."""
    frame = study.summary()
    columns = (
        Column("title", "Strategy", emphasis=True),
        Column("alpha", "After tax", "bp", digits=1, note="mean return after tax above plain, a year"),
        Column("before_tax", "Before tax", "bp", digits=1, note="mean return before tax above plain, a year"),
        Column("tracking_error", "Tracking error", "percent", digits=2, note="daily, a year, against the model"),
        Column("turnover", "Turnover", "percent", note="one way, a year"),
        Column("losses_harvested", "Losses a year", "usd"),
        Column("disallowed", "Disallowed a year", "usd", note="taken by wash sales"),
        Column("tax", "Tax a year", "usd"),
        Column("carryforward", "Unused losses", "usd", note="carried forward at the end"),
        Column("equity_after_tax", "Equity", "percent", note="traditional accounts counted less their tax"),
    )
    rows, facts = _table(study, "after_tax.strategy", frame, columns)
    takeaway = (
        "Location moves equity out of the traditional account: counted after its tax, the household then holds "
        f"{fmt.percent(frame['equity_after_tax'].max())} of equity and not "
        f"{fmt.percent(frame['equity_after_tax'].iloc[0])}; part of its return before tax is pay for that risk, "
        "which is why tax is shown apart."
    )
    body = TableBody(columns, rows, note=f"Means over {_cohorts(study)}.")
    return Exhibit("after-tax-strategies", "How each strategy got there", body, takeaway, _settings(study), facts)


def published_table(alone: Study, shared: Study) -> Exhibit:
    """The study's figures beside published ones; they are of other portfolios, windows and rates."""
    taxed = sum(part for name, part in alone.assumptions.accounts if name in ("taxable", "trust"))
    rows: list[tuple[Cell, ...]] = [
        (who, what, fmt.basis_points(low), fmt.basis_points(high), basis) for who, what, low, high, basis in PUBLISHED
    ]
    facts: list[Fact] = []
    for study, prefix, words in ((alone, "alone", "no gains elsewhere"), (shared, "shared", "gains elsewhere")):
        frame = study.summary().set_index("strategy")
        wanted = (("harvest", "Harvesting, monthly, of the taxed part", taxed), ("location", "Asset location", 1.0))
        for key, what, part in wanted:
            if key not in frame.index:
                continue
            low, high = (
                _fact(
                    study,
                    f"after_tax.published.{prefix}.{key}.{end}",
                    float(frame.at[key, f"tax_alpha_{end}"]) / part,
                    "bp",
                )
                for end in ("low", "high")
            )
            facts += [low, high]
            rows.append(("This study", what, low.ref(), high.ref(), f"funds and their substitutes, {words}"))
    columns = (
        Column("who", "Source", emphasis=True), Column("what", "What"), Column("low", "Low"),
        Column("high", "High"), Column("basis", "Rests on"),
    )  # fmt: skip
    note = (
        "Lots and harvesting together, per dollar of the taxed account at the start; location per dollar of the "
        "household."
    )
    takeaway = (
        "Published harvesting figures are of single stocks, which offer many more losses than a handful of broad funds "
        "does; this study claims no more than its own window shows."
    )
    body = TableBody(columns, tuple(rows), note=note)
    return Exhibit("after-tax-published", "Beside published figures", body, takeaway, _settings(alone), tuple(facts))


def assumptions_list(study: Study) -> Exhibit:
    """What the study takes for granted, and what would change its figures."""
    a, rates = study.assumptions, study.assumptions.rates
    split = ", ".join(
        f"{fmt.percent(part, 0)} {name.replace('_', ' ').replace(' ira', ' IRA')}" for name, part in a.accounts
    )
    lines = (
        f"{fmt.usd(a.wealth)} at the start ({split}), {fmt.percent(a.deposits)} of it deposited a year, for "
        f"{a.years} years.",
        f"Rates stay the same: {fmt.percent(rates.short)} short-term and interest, {fmt.percent(rates.long)} long-term "
        f"and qualified dividends, {fmt.percent(rates.ordinary)} on deducted losses, {fmt.percent(rates.withdrawal)} "
        "on withdrawals from traditional accounts.",
        "Decisions see that day's close and nothing later, and trade at it less or plus half a spread; dividends "
        "arrive on the ex-date and are invested at the next decision; cash earns nothing.",
        "Wash sales are matched over all accounts; a dividend is qualified only where its shares were held long "
        "enough.",
        "The tax of a year leaves the taxable account at the end of March. Tax put off is not tax saved: the "
        "column of liquidation sells and withdraws everything at the end, at the same rates; a step-up at death would "
        "spare it.",
        "More deposits, higher rates, more volatility and a start before a fall raise what harvesting gives; each "
        "start year's own losses fade as lots age.",
        "The securities are today's survivors, chosen with hindsight.",
    )
    return Exhibit("after-tax-assumptions", "What this rests on", ProseBody(lines, bullets=True), "", _settings(study))


def _cohorts(study: Study) -> str:
    years = [start.year for start in study.starts]
    if len(years) == 1:
        return f"{study.assumptions.years} years from {years[0]}"
    return f"{len(years)} start years from {years[0]} to {years[-1]}, {study.assumptions.years} years each"


def _month_ends(dates: np.ndarray) -> np.ndarray:
    month = dates.astype("datetime64[M]")
    return np.flatnonzero(np.r_[month[1:] != month[:-1], True])


def _end(study: Study) -> str:
    return str(max(cohort[0].dates[-1] for cohort in study.paths))


def _settings(study: Study) -> Settings:
    a = study.assumptions
    basis = f"{_cohorts(study)}, {fmt.percent(a.deposits)} of the first wealth deposited a year"
    simulated = f"prices of {', '.join(study.simulated)}" if study.simulated else ""
    return Settings(_end(study), basis, study.source, simulated)


def _fact(study: Study, id: str, value: float, unit: str) -> Fact:
    return Fact.of(id, value, unit, source=f"rebalance.after_tax of {study.source}", as_of=_end(study))


def _table(
    study: Study, prefix: str, frame: pd.DataFrame, columns: tuple[Column, ...]
) -> tuple[tuple[tuple[Cell, ...], ...], tuple[Fact, ...]]:
    rows: list[tuple[Cell, ...]] = []
    facts: list[Fact] = []
    for row in frame.to_dict("records"):
        cells: list[Cell] = []
        for column in columns:
            if column.kind == "text":
                cells.append(str(row[column.name]))
                continue
            value = float(row[column.name])
            id = f"{prefix}.{row['strategy']}.{column.name}"
            fact = Fact.of(
                id, value, column.kind, digits=column.digits, as_of=_end(study),
                source=f"rebalance.after_tax of {study.source}",
            )  # fmt: skip
            facts.append(fact)
            cells.append(value)
        rows.append(tuple(cells))
    return tuple(rows), tuple(facts)


__all__ = ["alpha_figure", "assumptions_list", "published_table", "strategies_table", "verdict", "wealth_figure"]

"""Direct indexing as exhibits: what tax gave over holding the index as a fund, when, and what tracking it took."""

from __future__ import annotations

from workbench.exhibits import after_tax
from workbench.rebalance.after_tax import Study
from workbench.report import Column, Exhibit, Fact, Settings, TableBody, figures
from workbench.report import format as fmt
from workbench.report.exhibit import Cell

#: What strategies are called in figures.
NAMES = {"fund": "Fund", "quarterly": "Each quarter", "monthly": "Each month", "screened": "Screened"}
#: Said wherever a figure of the study is.
SURVIVORS = (
    "The stocks are those still listed at the end of the file: an index of survivors rises more and falls less for "
    "good than the one an investor had, so that losses here are, if anything, too few."
)


def exhibits(alone: Study, shared: Study) -> list[Exhibit]:
    """The table without and with gains elsewhere, and when the losses came."""
    return [strategies_table(alone, "alone"), strategies_table(shared, "shared"), losses_figure(shared)]


def strategies_table(study: Study, name: str) -> Exhibit:
    """Tax alpha of each way to hold the index over holding it as a fund, and what it took."""
    frame = study.summary()
    columns = (
        Column("title", "Held as", emphasis=True),
        Column("tax_alpha", "Tax alpha", "bp", digits=0, note="after tax less before tax, over the fund, a year"),
        Column("tax_alpha_low", "Lowest", "bp", digits=0),
        Column("tax_alpha_high", "Highest", "bp", digits=0),
        Column("tax_alpha_liquidated", "If sold at the end", "bp", digits=0),
        Column("before_tax", "Before tax", "bp", digits=0, note="over the fund, a year: tracking and costs"),
        Column("tracking_error", "Tracking error", "percent", digits=2, note="daily, a year, against the index"),
        Column("turnover", "Turnover", "percent", note="one way, a year"),
        Column("losses_harvested", "Losses a year", "usd"),
        Column("carryforward", "Unused losses", "usd", note="carried forward at the end"),
    )
    rows, facts = after_tax._table(study, f"direct_index.{name}", frame, columns)
    by_key = frame.set_index("strategy")
    best = by_key.loc["monthly" if "monthly" in by_key.index else by_key.index[-1]]
    gains = _elsewhere(study)
    takeaway = (
        f"With {gains}, harvesting gave {fmt.basis_points(best['tax_alpha'])} of tax a year over the fund "
        f"({fmt.basis_points(best['tax_alpha_low'])} to {fmt.basis_points(best['tax_alpha_high'])} by start year), and "
        f"{fmt.basis_points(best['tax_alpha_liquidated'])} if everything is sold at the end."
    )
    body = TableBody(columns, rows, note=f"Means over {after_tax._cohorts(study)}. {SURVIVORS}")
    title = f"An index as single stocks, {gains}"
    return Exhibit(f"direct-index-{name}", title, body, takeaway, _settings(study), facts)


def losses_figure(study: Study) -> Exhibit:
    """Losses harvested by year of life, as part of the account: they fade as lots rise above what was paid for them."""
    frame = study.by_year().pivot(index="life", columns="strategy", values="losses")
    alpha = study.by_year().set_index(["strategy", "life"])["tax_alpha"]
    shown = [key for key in (path.strategy.key for path in study.paths[0]) if key != study.paths[0][0].strategy.key]
    key = "monthly" if "monthly" in shown else shown[-1]
    other = "quarterly" if "quarterly" in shown else shown[0]
    first, last = float(frame[key].iloc[0]), float(frame[key].iloc[-1])
    facts: list[Fact] = []
    rows: list[tuple[Cell, ...]] = []
    for life in frame.index:
        cells: list[Cell] = [int(life)]
        for name in shown:
            id = f"direct_index.year{life}.{name}.losses"
            facts.append(after_tax._fact(study, id, float(frame.at[life, name]), "percent"))
            cells.append(float(frame.at[life, name]))
        cells.append(float(alpha[key, life]))
        rows.append(tuple(cells))
    columns = (
        Column("life", "Year", "count"),
        *(Column(name, NAMES.get(name, name), "percent", digits=1) for name in shown),
        Column("tax_alpha", f"Tax alpha, {NAMES.get(key, key).lower()}", "bp", digits=0),
    )
    why = (
        "lots rise above their cost, and only new money and falls bring new losses"
        if last < first / 2
        else "what a year offers depends on its falls as much as on the age of the lots"
    )
    takeaway = (
        f"Losses worth {fmt.percent(first)} of the account are harvested in the first year and {fmt.percent(last)} in "
        f"year {len(frame)}: {why}."
    )
    body = figures.bars_against_target(
        [f"Year {life}" for life in frame.index], list(frame[key]), list(frame[other]), alt=takeaway, unit="percent",
        names=(NAMES.get(key, key), NAMES.get(other, other)), axis_title="Losses harvested, of the account's value",
        data=TableBody(columns, tuple(rows)),
    )  # fmt: skip
    return Exhibit("direct-index-losses", "When losses come", body, takeaway, _settings(study), tuple(facts))


def _elsewhere(study: Study) -> str:
    rates = study.assumptions.rates
    kinds = [
        f"{fmt.usd(gains)} of {term} gains a year elsewhere"
        for gains, term in ((rates.other_gains, "long-term"), (rates.other_short_gains, "short-term")) if gains > 0
    ]  # fmt: skip
    return " and ".join(kinds) or "no gains elsewhere"


def _settings(study: Study) -> Settings:
    basis = (
        f"{after_tax._cohorts(study)}, an index that begins at equal weights and floats with prices, "
        f"{fmt.percent(study.assumptions.deposits)} of the first wealth deposited a year"
    )
    return Settings(after_tax._end(study), basis, study.source)

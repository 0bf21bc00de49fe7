"""How decisions turned out, days later: with the luck of the market in every figure, and said."""

from __future__ import annotations

import math

from workbench.exhibits.decisions_origin import Source
from workbench.exhibits.drift_facts import absent, plural
from workbench.governance.lessons.outcomes import FEWEST, TurnedOut, turned_out
from workbench.report import Column, Exhibit, Missing, TableBody, figures
from workbench.report import format as fmt
from workbench.report.exhibit import Cell

_WORDS = {
    "released": "Released", "overridden": "Overridden", "revised": "Revised, as first proposed", "rejected": "Rejected",
}  # fmt: skip


def turned_out_figure(source: Source, days: int) -> Exhibit:
    """What proposed trades were worth after some days against not trading, by what people did with them."""
    id, title = f"decisions-turned-out-{days}", f"How it turned out after {days} days"
    if source.decisions["trades"].empty:
        return absent(id, title, "No trades are in the export, so that nothing can be valued.")
    found = turned_out(source.decisions, source.prices, days)
    shown = [row for row in found if not math.isnan(row.low)]
    rows: list[tuple[Cell, ...]] = []
    facts = []
    for row in found:
        slug = f"turned_out.{days}.{row.group}"
        cells: list[Cell] = [Missing("no signal old enough")] * 2
        if row.signals:
            made = [
                source.fact(f"{slug}.total", row.total, "usd", "lessons.turned_out"),
                source.fact(f"{slug}.mean", row.mean, "percent", "lessons.turned_out", digits=2),
            ]
            facts += made
            cells = [fact.ref() for fact in made]
        spread = f"{_percent(row.quartiles[0])} to {_percent(row.quartiles[2])}" if row.signals else ""
        rows.append(
            (_WORDS[row.group], row.signals, *cells, _between(row), spread, row.stretches, row.early, row.unpriced)
        )
    columns = (
        Column("group", "Proposals", emphasis=True), Column("signals", "Signals", "count"),
        Column("total", "In dollars", "usd", note="net of stated cost and tax"),
        Column("mean", "Mean of what was traded", "percent", digits=2),
        Column("interval", "Interval"), Column("half", "Half of them between"),
        Column("stretches", "Stretches", "count", note=f"separate periods of {days} days: the cases that count"),
        Column("early", "Too early", "count"), Column("unpriced", "No price", "count"),
    )  # fmt: skip
    table = TableBody(columns, tuple(rows), note=_note(days))
    takeaway = _takeaway(shown, days)
    basis = (
        "shares x price x total return of each proposed trade, less stated cost and tax, against not trading; "
        f"intervals 95 %, counted in stretches of {days} days"
    )
    settings = source.settings(basis, ("trades", "signals"))
    if not shown:
        return Exhibit(id, title, table, takeaway, settings, tuple(facts))
    interval = figures.Interval([r.mean for r in shown], [r.low for r in shown], [r.high for r in shown])
    body = figures.intervals(
        [_WORDS[row.group] for row in shown], {"Net of cost and tax": interval}, alt=takeaway, unit="percent", digits=2,
        axis_title="Of what was to be traded", data=table,
    )  # fmt: skip
    return Exhibit(id, title, body, takeaway, settings, tuple(facts))


def _takeaway(shown: list[TurnedOut], days: int) -> str:
    if not shown:
        return f"Too early to say: fewer than {FEWEST} separate stretches of {days} days have passed."
    sure = [row for row in shown if row.low > 0.0 or row.high < 0.0]
    if not sure:
        return "Every interval holds zero: what became of these trades is not to be told from the market's luck."
    named = "; ".join(f"{_WORDS[row.group].lower()}: {_percent(row.mean)}" for row in sure)
    return f"Beyond the market's luck in these stretches alone: {named}. It is no forecast."


def _note(days: int) -> str:
    return (
        "A market moves everything decided at one time alike, so stretches of time count and not trades. A rejected "
        "proposal that would have gained was not therefore wrongly rejected: the reason may have been the client's. "
        f"What is less than {plural(days, 'day')} old is not valued."
    )


def _between(row: TurnedOut) -> str:
    if math.isnan(row.low):
        return f"fewer than {FEWEST} stretches"
    return f"{_percent(row.low)} to {_percent(row.high)}"


def _percent(value: float) -> str:
    return fmt.percent(value, 2)

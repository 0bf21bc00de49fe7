"""Exhibits of the early warnings: which are on, how near the others are, whom they touch, companies across sleeves.

In a notebook, with `book` a firm, `origin = Origin.of(book)` and `scores` from the watch score (or None):

    watched = risk.watch(book)
    warnings = risk.find_warnings(watched, scores=scores)
    early_warnings.verdict(warnings, origin)
    early_warnings.warnings_table(warnings, origin)
    early_warnings.warnings_history(warnings, origin)
    early_warnings.watched_table(warnings, origin)
    early_warnings.touched_table(warnings, origin, households_listed)
    early_warnings.issuer_table(risk.issuer_by_sleeve(watched), origin, issuers_listed)
"""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from workbench.exhibits.drift_facts import absent, listed, noun, plural
from workbench.exhibits.origin import Origin
from workbench.report import (
    Badge,
    CalloutBody,
    Column,
    Exhibit,
    Fact,
    Missing,
    TableBody,
    figures,
)
from workbench.report import format as fmt
from workbench.report.exhibit import Cell, Paragraph
from workbench.risk import EarlyWarning, EarlyWarnings

TABLES = ("positions", "lots", "transactions", "prices", "rates", "profiles", "models", "sleeves")
FUNCTION = "risk.find_warnings"
_BASIS = (
    "on where beyond the threshold at each of the last five closes, ages at once; funds are not looked through; "
    "average volumes are today's"
)
#: Lines that can be told apart in one figure.
_LINES = 5
#: A history of quarter-ends, or of less than half a year, makes no line among months.
_LEAST_POINTS = 6


def verdict(warnings: EarlyWarnings, origin: Origin) -> Exhibit:
    """The box that says how many warnings are on, and what each of them is."""
    on = warnings.on
    every = tuple(warnings)
    unmeasured = [warning for warning in every if warning.state == "not measured"]
    facts = [
        origin.fact("warnings.on", len(on), "count", FUNCTION, TABLES),
        origin.fact("warnings.all", len(every), "count", FUNCTION, TABLES),
    ]
    id, title = "warnings-verdict", "Early warnings"
    left = f" {_cannot(unmeasured)}" if unmeasured else ""
    if not on:
        line: Paragraph = ("None of ", facts[1].ref(), f" {noun(len(every), 'warning')} is on.{left}")
        return Exhibit(id, title, CalloutBody("warning" if unmeasured else "good", (line,)), facts=tuple(facts))
    lines: list[Paragraph] = [
        (
            facts[0].ref(),
            " of ",
            facts[1].ref(),
            f" {noun(len(every), 'warning')} {noun(len(on), 'is', 'are')} on.{left}",
        )
    ]
    for warning in on:
        value, threshold = _facts(warning, origin)
        facts += [value, threshold]
        side = "above" if warning.limit.side == "above" else "below"
        subject = f" ({warning.subject})" if warning.subject else ""
        lines.append(
            (f"{warning.limit.title}{subject}: ", value.ref(), f", {side} ", threshold.ref(), f", {_since(warning)}.")
        )
    return Exhibit(id, title, CalloutBody("warning", tuple(lines)), facts=tuple(facts))


def warnings_table(warnings: EarlyWarnings, origin: Origin) -> Exhibit:
    """The warnings that are on: value, threshold, since when, whom they touch, what to do."""
    id, title = "warnings-on", "Warnings that are on"
    on = warnings.on
    if not on:
        return absent(id, title, "No warning is on.")
    columns = (
        Column("title", "Warning", emphasis=True),
        Column("subject", "Of"),
        Column("value", "Now"),
        Column("threshold", "Threshold"),
        Column("since", "Since"),
        Column("accounts", "Accounts", "count"),
        Column("households", "Households", "count"),
        Column("dollars", "At stake", "usd", note="dollars in what the warning is about"),
        Column("action", "What to do"),
    )
    rows: list[tuple[Cell, ...]] = []
    facts: list[Fact] = []
    for warning in on:
        value, threshold = _facts(warning, origin)
        touched = [
            origin.fact(f"warnings.{origin.slug(warning.id)}.{name}", getattr(warning, name), unit, FUNCTION, TABLES)
            for name, unit in (("accounts", "count"), ("households", "count"), ("dollars", "usd"))
        ]
        facts += [value, threshold, *touched]
        rows.append(
            (
                warning.limit.title,
                warning.subject or Missing("the firm as a whole"),
                value.ref(),
                threshold.ref(),
                _since(warning, long=False),
                *(fact.value for fact in touched),
                warning.limit.action,
            )
        )
    first = max(on, key=_times)
    takeaway = f"{plural(len(on), 'warning')} {noun(len(on), 'is', 'are')} on; furthest past its threshold is "
    takeaway += f"{_lower(first)}: {_shown(first.value, first.limit.unit)} against "
    takeaway += f"{_shown(first.threshold, first.limit.unit)}, {_since(first)}."
    settings = origin.settings(_BASIS, TABLES)
    note = _unknown(on)
    return Exhibit(id, title, TableBody(columns, tuple(rows), note=note), takeaway, settings, tuple(facts), index=True)


def watched_table(warnings: EarlyWarnings, origin: Origin) -> Exhibit:
    """The warnings that are not on: how near they are, and what could not be measured."""
    id, title = "warnings-clear", "What is watched and quiet"
    quiet = [warning for warning in warnings if warning.state != "on"]
    if not quiet:
        return absent(id, title, "Every warning is on.")
    columns = (
        Column("title", "Warning", emphasis=True),
        Column("state", "State", "badge"),
        Column("subject", "Of"),
        Column("value", "Now"),
        Column("threshold", "Threshold"),
        Column("meaning", "What is measured"),
        Column("source", "Why this threshold"),
    )
    rows: list[tuple[Cell, ...]] = []
    facts: list[Fact] = []
    for warning in quiet:
        measured = warning.value is not None
        found = _facts(warning, origin) if measured else ()
        facts += found
        side = "above" if warning.limit.side == "above" else "below"
        threshold = found[1].ref(f"{side} {found[1].text}") if found else Missing(warning.reason)
        rows.append(
            (
                warning.limit.title,
                Badge(warning.state, "good" if measured else "warning"),
                warning.subject or Missing("nothing in particular" if measured else warning.reason),
                found[0].ref() if found else Missing(warning.reason),
                threshold,
                warning.limit.meaning,
                warning.limit.source,
            )
        )
    unmeasured = [warning for warning in quiet if warning.state == "not measured"]
    clear = len(quiet) - len(unmeasured)
    takeaway = f"{plural(clear, 'warning')} {noun(clear, 'is', 'are')} quiet."
    takeaway += f" {_cannot(unmeasured)}" if unmeasured else ""
    body = TableBody(columns, tuple(rows), note=_unknown(quiet))
    return Exhibit(id, title, body, takeaway, origin.settings(_BASIS, TABLES), tuple(facts))


def warnings_history(warnings: EarlyWarnings, origin: Origin) -> Exhibit:
    """How far the warnings that are on stood from their thresholds at month-ends; 1 is at the threshold."""
    id, title = "warnings-history", "How the warnings came about"
    drawn = [w for w in warnings.on if len(w.history) > _LEAST_POINTS and w.threshold > 0][:_LINES]
    if not drawn:
        return absent(id, title, "No warning that is on has a history to draw.")
    series = {warning.id: _against(warning) for warning in drawn}
    frame = pd.DataFrame(series).sort_index()
    days = [f"{day:%Y-%m-%d}" for day in frame.index]
    now = {warning.id: float(series[warning.id].iloc[-1]) for warning in drawn}
    worst = max(drawn, key=lambda warning: now[warning.id])
    takeaway = f"Furthest past its threshold is {_lower(worst)}, at {fmt.number(now[worst.id], 1)} times it; "
    newest = max(drawn, key=lambda warning: warning.since or pd.Timestamp.min)
    takeaway += f"the newest is {_lower(newest)}, {_since(newest)}."
    columns = (
        Column("day", "Day", "date"),
        *(Column(warning.id, warning.limit.title, "number") for warning in drawn),
    )
    shown = frame.reset_index(drop=True)
    shown.insert(0, "day", days)
    missing = {warning.id: "not measured at this month-end" for warning in drawn}
    rows, facts = origin.table("warnings.history", shown, columns, FUNCTION, TABLES, missing=missing)
    body = figures.lines(
        days,
        {warning.limit.title: [None if v != v else float(v) for v in frame[warning.id]] for warning in drawn},
        alt=takeaway,
        limit=1.0,
        axis_title="Value as a multiple of its threshold",
        data=TableBody(columns, rows),
    )
    left = len(warnings.on) - len(drawn)
    basis = _BASIS if not left else f"{_BASIS}; {plural(left, 'warning')} without history or room not drawn"
    return Exhibit(id, title, body, takeaway, origin.settings(basis, TABLES), facts)


def touched_table(warnings: EarlyWarnings, origin: Origin, most: int) -> Exhibit:
    """The households that most warnings touch, of those that are on and do not touch everyone."""
    id, title = "warnings-touched", "Households that warnings touch"
    own = [warning for warning in warnings.on if warning.limit.level in ("household", "account", "model")]
    parts = [
        warning.affected.groupby("household_id", as_index=False)["dollars"].sum().assign(title=warning.limit.title)
        for warning in own
        if len(warning.affected)
    ]
    if not parts:
        return absent(id, title, "No warning that is on is about particular households.")
    every = pd.concat(parts, ignore_index=True)
    frame = every.groupby("household_id").agg(
        warnings=("title", "size"), dollars=("dollars", "max"), names=("title", lambda titles: "; ".join(titles))
    )
    frame = frame.reset_index().sort_values(
        ["warnings", "dollars", "household_id"], ascending=[False, False, True], ignore_index=True
    )
    columns = (
        Column("household_id", "Household", emphasis=True),
        Column("warnings", "Warnings", "count"),
        Column("dollars", "At stake", "usd", note="of the largest of these warnings"),
        Column("names", "Which"),
    )
    shown = frame.head(most)
    rows, facts = origin.table("warnings.touched", shown, columns, FUNCTION, TABLES)
    several = int((frame["warnings"] > 1).sum())
    takeaway = f"{plural(len(frame), 'household')} {noun(len(frame), 'is', 'are')} touched by name, "
    takeaway += f"{fmt.count(several)} by more than one warning; first {frame['household_id'].iloc[0]}."
    note = "" if len(frame) <= most else f"The first {len(shown)} of {fmt.count(len(frame))}."
    body = TableBody(columns, rows, note=note)
    return Exhibit(id, title, body, takeaway, origin.settings(_BASIS, TABLES), facts)


def issuer_table(issuers: pd.DataFrame, origin: Origin, most: int) -> Exhibit:
    """The largest companies, each with its dollars in every sleeve; `issuers` from `risk.issuer_by_sleeve`."""
    id, title = "warnings-issuers", "Companies across sleeves"
    if issuers.empty:
        return absent(
            id, title, "No company is held directly. What funds hold cannot be seen: the book has no look-through."
        )
    sleeves = issuers.groupby("sleeve_id")["dollars"].sum().sort_values(ascending=False, kind="stable")
    named = [str(sleeve) for sleeve in sleeves.index if sleeve][:_LINES]
    wide = issuers.assign(sleeve=issuers["sleeve_id"].where(issuers["sleeve_id"].isin(named), "other"))
    dollars = wide.pivot_table(index="issuer_id", columns="sleeve", values="dollars", aggfunc="sum")
    order = issuers.groupby("issuer_id")["dollars"].sum().sort_values(ascending=False, kind="stable")
    weight = issuers.groupby("issuer_id")["weight"].sum()
    frame = pd.DataFrame({"issuer_id": order.index, "dollars": order.to_numpy()})
    frame["weight"] = frame["issuer_id"].map(weight)
    inside = issuers[(issuers["sleeve_id"] != "")].groupby("issuer_id")["sleeve_id"].nunique()
    frame["sleeves"] = frame["issuer_id"].map(inside).fillna(0).astype(int)
    parts = [*named, *(["other"] if "other" in dollars.columns else [])]
    for place, sleeve in enumerate(parts):
        frame[f"in_{place}"] = frame["issuer_id"].map(dollars[sleeve])
    columns = (
        Column("issuer_id", "Company", emphasis=True),
        Column("weight", "Of all assets", "percent", digits=2),
        Column("dollars", "Dollars", "usd"),
        Column("sleeves", "Sleeves", "count", note="in which a model holds it"),
        *(Column(f"in_{place}", _sleeve(sleeve), "usd") for place, sleeve in enumerate(parts)),
    )
    shown = frame.head(most)
    missing = {f"in_{place}": "not in this sleeve" for place in range(len(parts))}
    tables = ("positions", "prices", "securities", "model_targets")
    rows, facts = origin.table("warnings.issuer", shown, columns, "risk.issuer_by_sleeve", tables, missing=missing)
    first, several = frame.iloc[0], frame[frame["sleeves"] > 1]
    takeaway = f"{first['issuer_id']} is the largest company, {fmt.percent(first['weight'], 1)} of all assets; "
    takeaway += f"{plural(len(several), 'company', 'companies')} of {fmt.count(len(frame))} "
    takeaway += f"{noun(len(several), 'is', 'are')} in more than one sleeve."
    note = "" if len(frame) <= most else f"The first {len(shown)} of {fmt.count(len(frame))}."
    note += " A holding that its model has in two sleeves is divided by their targets; outside: no model names it."
    basis = "market value at the close, added up by issuer; funds are not looked through"
    return Exhibit(
        id, title, TableBody(columns, rows, note=note.strip()), takeaway, origin.settings(basis, tables), facts
    )


def _facts(warning: EarlyWarning, origin: Origin) -> tuple[Fact, Fact]:
    """The value and the threshold of a measured warning."""
    stem, unit = f"warnings.{origin.slug(warning.id)}", warning.limit.unit
    plain = {"percent": "percent", "count": "count", "sessions": "count"}.get(unit, "number")
    value, threshold = (
        origin.fact(f"{stem}.{name}", figure, plain, FUNCTION, TABLES, text=_shown(figure, unit))
        for name, figure in (("value", warning.value), ("threshold", warning.threshold))
    )
    return value, threshold


def _shown(value: float | None, unit: str) -> str:
    """A value of a warning as words."""
    if value is None:
        return fmt.MISSING
    if unit == "percent":
        return fmt.percent(value, 1)
    if unit == "sessions":
        return plural(value, "session")
    if unit == "count":
        return fmt.count(value)
    return fmt.number(value, 2)


def _since(warning: EarlyWarning, *, long: bool = True) -> str:
    """Since when a warning is on: in words for a sentence, or short for a table."""
    if warning.since is None:
        return "not on"
    if warning.since_at_least and len(warning.history) < 2:
        return "as of today" if long else "today"
    day = f"{warning.since:%Y-%m-%d}"
    before = " or before" if warning.since_at_least else ""
    return f"since {fmt.long_date(day)}{before}" if long else f"{day}{before}"


def _lower(warning: EarlyWarning) -> str:
    return warning.limit.title[0].lower() + warning.limit.title[1:]


def _against(warning: EarlyWarning) -> pd.Series:
    """History as a multiple of the threshold, above 1 where it is past it."""
    if warning.limit.side == "above":
        return warning.history / warning.threshold
    return warning.threshold / warning.history.where(warning.history > 0)


def _times(warning: EarlyWarning) -> float:
    """How many times its threshold a warning that is on stands at."""
    value, threshold = warning.value or 0.0, warning.threshold
    above, below = (value, threshold) if warning.limit.side == "above" else (threshold, value)
    return above / below if below > 0 else float("inf")


def _cannot(warnings: Iterable[EarlyWarning]) -> str:
    """What could not be measured, and why; warnings of one reason together."""
    why: dict[str, list[str]] = {}
    for warning in warnings:
        why.setdefault(warning.reason, []).append(_lower(warning))
    told = [f"{', '.join(titles)} ({reason})" for reason, titles in why.items()]
    return f"Not measured: {'; '.join(told)}."


def _unknown(warnings: Iterable[EarlyWarning]) -> str:
    """What is left out of measured warnings because something is missing."""
    told = [
        f"{warning.limit.title} is without {listed(warning.unknown)}, for which data are missing."
        for warning in warnings
        if warning.unknown
    ]
    return " ".join(told)


def _sleeve(sleeve: str) -> str:
    return "Outside" if sleeve == "other" else sleeve

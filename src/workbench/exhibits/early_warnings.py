"""Exhibits of the early warnings: which are on and what to do, how they came about, what is watched and quiet.

In a notebook, with `book` a firm, `origin = Origin.of(book)` and `scores` from the watch score (or None):

    watched = risk.watch(book)
    warnings = risk.find_warnings(watched, scores=scores)
    early_warnings.verdict(warnings, origin)
    early_warnings.warnings_table(warnings, origin)
    early_warnings.warnings_history(warnings, origin)
    early_warnings.watched_table(warnings, origin)
"""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from workbench.exhibits.drift_facts import absent, listed, noun, plural
from workbench.exhibits.origin import Origin
from workbench.report import Badge, CalloutBody, Column, Exhibit, Fact, Missing, TableBody, figures
from workbench.report import format as fmt
from workbench.report.exhibit import Cell, ColumnKind, Paragraph
from workbench.risk import EarlyWarning, EarlyWarnings

TABLES = ("positions", "lots", "transactions", "prices", "rates", "profiles", "models", "sleeves")
FUNCTION = "risk.find_warnings"
BASIS = (
    "on where beyond the threshold at each of the last five closes, ages at once; funds are not looked through; "
    "average volumes are today's"
)
#: Panels that fit a figure.
_PANELS = 6
#: A history of quarter-ends, or of less than half a year, makes no line among months.
_LEAST_POINTS = 6
#: Units that a chart's axis knows by another name, and those with a word behind the figure.
_AXIS: dict[str, ColumnKind] = {"percent": "percent", "count": "count", "sessions": "count"}
_WORDS = {"companies": "company companies", "days": "day days"}


def verdict(warnings: EarlyWarnings, origin: Origin) -> Exhibit:
    """The box that says how many warnings are on, what to do about each, and what could not be measured."""
    on, every = warnings.on, tuple(warnings)
    unmeasured = [warning for warning in every if warning.state == "not measured"]
    facts = (
        origin.fact("warnings.on", len(on), "count", FUNCTION, TABLES),
        origin.fact("warnings.all", len(every), "count", FUNCTION, TABLES),
    )
    lines: list[Paragraph] = [("None of ", facts[1].ref(), f" {noun(len(every), 'warning')} is on.")]
    if on:
        words = f" {noun(len(every), 'warning')} {noun(len(on), 'is', 'are')} on."
        lines = [(facts[0].ref(), " of ", facts[1].ref(), words)]
        lines += [f"{warning.limit.title}: {_first_lower(warning.limit.action)}" for warning in on]
    if unmeasured:
        lines.append(_cannot(unmeasured))
    lines.append("A warning looks at what has been and at what is held; it foretells nothing.")
    body = CalloutBody("warning" if on or unmeasured else "good", tuple(lines))
    return Exhibit("warnings-verdict", "Early warnings", body, facts=facts)


def warnings_table(warnings: EarlyWarnings, origin: Origin) -> Exhibit:
    """The warnings that are on: value, threshold, since when, whom they touch."""
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
        Column("households", "Households", "count", note="households touched"),
        Column("dollars", "At stake", "usd", note="dollars in what the warning is about"),
    )
    rows: list[tuple[Cell, ...]] = []
    facts: list[Fact] = []
    for warning in on:
        value, threshold = _facts(warning, origin)
        touched = [
            origin.fact(f"warnings.{origin.slug(warning.id)}.{name}", getattr(warning, name), unit, FUNCTION, TABLES)
            for name, unit in (("households", "count"), ("dollars", "usd"))
        ]
        facts += [value, threshold, *touched]
        rows.append(
            (
                warning.limit.title,
                warning.subject or Missing("all assets"),
                value.ref(),
                threshold.ref(_past(warning)),
                _since(warning, long=False),
                *(fact.value for fact in touched),
            )
        )
    first = max(on, key=_times)
    takeaway = f"{plural(len(on), 'warning')} {noun(len(on), 'is', 'are')} on; furthest past its threshold is "
    takeaway += f"{_lower(first)}: {shown(first.value, first.limit.unit)} against "
    takeaway += f"{shown(first.threshold, first.limit.unit)}, {_since(first)}."
    settings = origin.settings(BASIS, TABLES)
    note = f"{_worst(on)} {_unknown(on)}".strip()
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
    )
    rows: list[tuple[Cell, ...]] = []
    facts: list[Fact] = []
    for warning in quiet:
        measured = warning.value is not None
        found = _facts(warning, origin) if measured else ()
        facts += found
        rows.append(
            (
                warning.limit.title,
                Badge(warning.state, "good" if measured else "warning"),
                warning.subject or Missing("nothing in particular" if measured else warning.reason),
                found[0].ref() if found else Missing(warning.reason),
                found[1].ref(_past(warning)) if found else Missing(warning.reason),
            )
        )
    unmeasured = [warning for warning in quiet if warning.state == "not measured"]
    clear = len(quiet) - len(unmeasured)
    takeaway = f"{plural(clear, 'warning')} {noun(clear, 'is', 'are')} quiet."
    if unmeasured:
        takeaway = takeaway.removesuffix(".") + f"; {fmt.count(len(unmeasured))} could not be measured."
    body = TableBody(columns, tuple(rows), note=_unknown(quiet))
    return Exhibit(id, title, body, takeaway, origin.settings(BASIS, TABLES), tuple(facts))


def warnings_history(warnings: EarlyWarnings, origin: Origin) -> Exhibit:
    """The warnings that are on at month-ends, one panel each in its own unit, the threshold across."""
    id, title = "warnings-history", "How the warnings came about"
    drawn = [warning for warning in warnings.on if len(warning.history) > _LEAST_POINTS][:_PANELS]
    if not drawn:
        return absent(id, title, "No warning that is on has a history to draw.")
    frame = pd.DataFrame({warning.id: warning.history for warning in drawn}).sort_index()
    days = [f"{day:%Y-%m-%d}" for day in frame.index]
    newest = max(drawn, key=lambda warning: warning.since or pd.Timestamp.min)
    takeaway = f"The newest of them is {_lower(newest)}: {shown(newest.value, newest.limit.unit)} against "
    takeaway += f"{shown(newest.threshold, newest.limit.unit)}, {_since(newest)}."
    if len(drawn) == 1:
        takeaway = takeaway.replace("The newest of them is", "It is")
    columns = (
        Column("day", "Day", "date"),
        *(Column(warning.id, warning.limit.title, _plain(warning.limit.unit)) for warning in drawn),
    )
    table = frame.reset_index(drop=True)
    table.insert(0, "day", days)
    missing = {warning.id: "not measured at this month-end" for warning in drawn}
    rows, facts = origin.table("warnings.history", table, columns, FUNCTION, TABLES, missing=missing)
    series = [
        figures.Panel(
            warning.limit.title,
            [None if value != value else float(value) for value in frame[warning.id]],
            _plain(warning.limit.unit),
            warning.threshold,
            f"{shown(warning.value, warning.limit.unit)}, {warning.limit.side} "
            f"{shown(warning.threshold, warning.limit.unit)}",
        )
        for warning in drawn
    ]
    body = figures.panels(days, series, alt=takeaway, data=TableBody(columns, rows))
    left = len(warnings.on) - len(drawn)
    basis = f"{BASIS}; dashed: today's threshold"
    basis += f"; {plural(left, 'warning')} without months to draw {noun(left, 'is', 'are')} left out" if left else ""
    return Exhibit(id, title, body, takeaway, origin.settings(basis, TABLES), facts)


def _facts(warning: EarlyWarning, origin: Origin) -> tuple[Fact, Fact]:
    """The value and the threshold of a measured warning."""
    stem, unit = f"warnings.{origin.slug(warning.id)}", warning.limit.unit
    value, threshold = (
        origin.fact(f"{stem}.{name}", figure, _plain(unit), FUNCTION, TABLES, text=shown(figure, unit))
        for name, figure in (("value", warning.value), ("threshold", warning.threshold))
    )
    return value, threshold


def shown(value: float | None, unit: str) -> str:
    """A value of a warning as words, in its unit."""
    if value is None:
        return fmt.MISSING
    if unit == "percent":
        return fmt.percent(value, 1)
    if unit == "sessions":
        return plural(value, "session")
    if unit == "count":
        return fmt.count(value)
    if unit == "times":
        return f"{fmt.number(value, 2)} times"
    if unit in ("companies", "days"):
        one, many = _WORDS[unit].split()
        return f"{fmt.number(value, 1)} {one if round(value, 1) == 1.0 else many}"
    return fmt.number(value, 2)


def _past(warning: EarlyWarning) -> str:
    """When a warning is on, for a table: the words of its unit stand beside the value."""
    words = shown(warning.threshold, warning.limit.unit)
    return f"{warning.limit.side} {words.split()[0]}"


def _plain(unit: str) -> ColumnKind:
    """A warning's unit as a kind of column or axis."""
    return _AXIS.get(unit, "number")


def _since(warning: EarlyWarning, *, long: bool = True) -> str:
    """Since when a warning is on: in words for a sentence, or short for a table."""
    if warning.since is None:
        return "not on"
    if warning.since_at_least and len(warning.history) < 2:
        return "as of today" if long else "today"
    day = f"{warning.since:%Y-%m-%d}"
    if not long:
        return f"by {day}" if warning.since_at_least else day
    return f"since {fmt.long_date(day)}{' or before' if warning.since_at_least else ''}"


def _lower(warning: EarlyWarning) -> str:
    return _first_lower(warning.limit.title)


def _first_lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _times(warning: EarlyWarning) -> float:
    """How many times its threshold a warning that is on stands at."""
    value, threshold = warning.value or 0.0, warning.threshold
    above, below = (value, threshold) if warning.limit.side == "above" else (threshold, value)
    return above / below if below > 0 else float("inf")


def _worst(warnings: Iterable[EarlyWarning]) -> str:
    """That a household or account named is the worst of several."""
    several = any(warning.limit.level in ("household", "account") and warning.households > 1 for warning in warnings)
    return "Of several households the worst is named." if several else ""


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

"""An exhibit: one chart, table, row of key figures, decision box or paragraph of a report, as plain data.

A notebook cell ends in an `Exhibit`; executing it stores the exhibit as JSON under its own mime type, and the
book is rendered from that JSON alone. Nothing here draws for the book: text stays text until it is escaped there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from workbench.errors import WorkbenchError
from workbench.report import format as fmt

MIME = "application/vnd.workbench.exhibit+json"
VERSION = 1

ColumnKind = Literal["text", "number", "percent", "pp", "bp", "usd", "count", "date", "badge"]
Tone = Literal["neutral", "good", "warning", "bad", "decision"]
ExhibitKind = Literal["table", "figure", "kpis", "callout", "prose"]

COLUMN_KINDS = ("text", "number", "percent", "pp", "bp", "usd", "count", "date", "badge")
TONES = ("neutral", "good", "warning", "bad", "decision")

#: The deepest that a table's row is set in.
MAX_DEPTH = 4

#: Trace types that draw from their own data alone. Maps, for one, fetch their outlines from another host.
TRACE_TYPES = ("bar", "scatter", "histogram", "heatmap", "box", "violin", "waterfall")

_EXHIBIT_ID = re.compile(r"[a-z][a-z0-9_.-]*")
_HREF = re.compile(r"(?:[a-z0-9][a-z0-9_-]*\.html)?(?:#[A-Za-z][\w.-]*)?", re.ASCII)
_PLAIN_TAGS = re.compile(r"</?(?:b|i|br|sub|sup|extra)\s*/?>")


class ExhibitError(WorkbenchError):
    """An exhibit is malformed: the cell that made it must be fixed."""


@dataclass(frozen=True)
class Settings:
    """The small line under an exhibit that says what it was computed from.

    `as_of` is an ISO date; `simulated`, where given, names what is simulated.
    """

    as_of: str
    basis: str
    source: str
    simulated: str = ""

    def line(self) -> str:
        """Return the sentence shown."""
        line = f"As of {fmt.long_date(self.as_of)}. Basis: {self.basis}. Source: {self.source}."
        return f"{line} Simulated: {self.simulated}." if self.simulated else line


@dataclass(frozen=True)
class Fact:
    """A figure shown, with where it came from: the thread from a sentence back to the rows.

    `id` is stable and dotted ("drift.firm.accounts_out_of_band"), `value` is unrounded, `text` is as shown,
    `source` names the function and tables. Two facts of one id must agree wherever they appear in a run.
    """

    id: str
    value: float | int | str
    unit: str
    text: str
    source: str
    as_of: str

    @classmethod
    def of(
        cls,
        id: str,
        value: object,
        unit: str,
        *,
        source: str,
        as_of: str,
        digits: int | None = None,
        text: str | None = None,
    ) -> Fact:
        """Make a fact whose text is formatted by its unit; numpy scalars and dates are accepted."""
        plain = _plain(value)
        if plain is None:
            raise ExhibitError(f"fact {id!r} has no value; leave it out or state why as prose")
        return cls(id, plain, unit, fmt.by_unit(plain, unit, digits) if text is None else text, source, as_of)

    def ref(self, text: str | None = None) -> FactRef:
        """Return the reference to put in a paragraph, a table cell or a key figure."""
        return FactRef(self.id, self.text if text is None else text)


@dataclass(frozen=True)
class FactRef:
    """A mention of a fact in running text, a table or a key figure; `text` is as shown there."""

    fact: str
    text: str


@dataclass(frozen=True)
class Link:
    """A link within the book: "#anchor", "page.html" or "page.html#anchor"; anything else is rejected."""

    text: str
    href: str

    def __post_init__(self) -> None:
        if not self.href or not _HREF.fullmatch(self.href):
            raise ExhibitError(f"link {self.href!r} leaves the book; use '#anchor' or 'page.html#anchor'")


@dataclass(frozen=True)
class Strong:
    """Emphasised words in a paragraph."""

    strong: str


@dataclass(frozen=True)
class Badge:
    """A short state in a table, such as "out of band", with a tone that is never told by colour alone."""

    badge: str
    tone: Tone = "neutral"

    def __post_init__(self) -> None:
        _one_of(self.tone, TONES, "tone")


@dataclass(frozen=True)
class Missing:
    """A value that is not there, and why: shown as "n/a"."""

    missing: str


Run = str | FactRef | Link | Strong
Paragraph = str | Sequence[Run]
Cell = str | int | float | bool | None | FactRef | Link | Badge | Missing


@dataclass(frozen=True)
class Column:
    """A table's column. Fractions are given for percent, pp and bp, dollars for usd, ISO text for date.

    `note` is read out with the heading and shown when the pointer rests on it.
    """

    name: str
    label: str
    kind: ColumnKind = "text"
    digits: int | None = None
    emphasis: bool = False
    note: str = ""

    def __post_init__(self) -> None:
        _one_of(self.kind, COLUMN_KINDS, "column kind")


@dataclass(frozen=True)
class TableBody:
    """Rows under columns; with `total_row` the last row is the total. `note` stands below the table.

    `depths`, where given one a row, set rows in below the row that they are part of; such a table is not sorted.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total_row: bool = False
    note: str = ""
    depths: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", tuple(self.columns))
        object.__setattr__(self, "depths", tuple(self.depths))
        if self.depths and (len(self.depths) != len(self.rows) or not set(self.depths) <= set(range(MAX_DEPTH + 1))):
            raise ExhibitError(f"depths are one a row, of 0 to {MAX_DEPTH}, not {self.depths}")
        object.__setattr__(self, "rows", tuple(tuple(_cell(cell) for cell in row) for row in self.rows))
        for position, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise ExhibitError(f"row {position} has {len(row)} cells for {len(self.columns)} columns")


@dataclass(frozen=True)
class FigureBody:
    """A plotly figure as JSON, with the words that stand for it and, where useful, its data as a table.

    `alt` says what a reader who cannot see the chart must know. `height` is in CSS pixels.
    """

    figure: dict[str, Any]
    alt: str
    height: int = 360
    data: TableBody | None = None

    def __post_init__(self) -> None:
        if not self.alt.strip():
            raise ExhibitError("a figure needs alt text: one sentence that says what the chart shows")
        _check_figure(self.figure)


@dataclass(frozen=True)
class Kpi:
    """One key figure: a label, the figure (best a `FactRef`), a note below and a tone."""

    label: str
    value: str | FactRef
    note: str = ""
    tone: Tone = "neutral"

    def __post_init__(self) -> None:
        _one_of(self.tone, TONES, "tone")


@dataclass(frozen=True)
class KpiBody:
    """A row of key figures."""

    items: tuple[Kpi, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "items", tuple(self.items))


@dataclass(frozen=True)
class CalloutBody:
    """A box that asks or warns; one of tone "decision" is also listed on the index page."""

    tone: Tone
    paragraphs: tuple[Paragraph, ...]

    def __post_init__(self) -> None:
        _one_of(self.tone, TONES, "tone")
        object.__setattr__(self, "paragraphs", tuple(_runs(paragraph) for paragraph in self.paragraphs))


@dataclass(frozen=True)
class ProseBody:
    """Paragraphs that may mention facts; `bullets` sets them as a list."""

    paragraphs: tuple[Paragraph, ...]
    bullets: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "paragraphs", tuple(_runs(paragraph) for paragraph in self.paragraphs))


Body = TableBody | FigureBody | KpiBody | CalloutBody | ProseBody
_KINDS: dict[type, ExhibitKind] = {
    TableBody: "table",
    FigureBody: "figure",
    KpiBody: "kpis",
    CalloutBody: "callout",
    ProseBody: "prose",
}


@dataclass(frozen=True)
class Exhibit:
    """One exhibit of a chapter.

    `takeaway` is the sentence that says what to see; `index` also shows the exhibit on the book's index page
    (tables as breaches, key figures as key figures; decision boxes always are).

    Raises `ExhibitError` where the parts do not fit, for one where a mentioned fact is not among `facts`.
    """

    id: str
    title: str
    body: Body
    takeaway: str = ""
    settings: Settings | None = None
    facts: tuple[Fact, ...] = ()
    index: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "facts", tuple(self.facts))
        if not _EXHIBIT_ID.fullmatch(self.id):
            raise ExhibitError(f"exhibit id {self.id!r} must be lower-case letters, digits, '.', '_' and '-'")
        if type(self.body) not in _KINDS:
            raise ExhibitError(f"exhibit {self.id!r} has no body of a known kind, but {type(self.body).__name__}")
        known = {fact.id for fact in self.facts}
        if missing := sorted({ref.fact for ref in mentions(self.body)} - known):
            raise ExhibitError(f"exhibit {self.id!r} mentions facts it does not carry: {', '.join(missing)}")

    @property
    def kind(self) -> ExhibitKind:
        """The body's kind: table, figure, kpis, callout or prose."""
        return _KINDS[type(self.body)]

    def fact(self, id: str) -> Fact:
        """Return the fact of this id; raises `ExhibitError` where the exhibit has none."""
        for fact in self.facts:
            if fact.id == id:
                return fact
        raise ExhibitError(f"exhibit {self.id!r} has no fact {id!r}")

    def to_json(self) -> dict[str, Any]:
        """Return the exhibit as plain JSON data (no NaN)."""
        from workbench.report._codec import encode

        return encode(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Exhibit:
        """Read an exhibit back from JSON data; raises `ExhibitError` on anything unexpected."""
        from workbench.report._codec import decode

        return decode(data)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        from workbench.report._preview import preview_figure, preview_html, preview_text

        bundle: dict[str, Any] = {MIME: self.to_json(), "text/plain": preview_text(self)}
        if isinstance(self.body, FigureBody):
            bundle["application/vnd.plotly.v1+json"] = preview_figure(self, self.body)
        else:
            bundle["text/html"] = preview_html(self)
        return bundle


def mentions(body: Body) -> tuple[FactRef, ...]:
    """Return every mention of a fact in a body, in reading order."""
    if isinstance(body, TableBody):
        return tuple(cell for row in body.rows for cell in row if isinstance(cell, FactRef))
    if isinstance(body, KpiBody):
        return tuple(item.value for item in body.items if isinstance(item.value, FactRef))
    if isinstance(body, CalloutBody | ProseBody):
        return tuple(run for paragraph in body.paragraphs for run in paragraph if isinstance(run, FactRef))
    return mentions(body.data) if body.data is not None else ()


def _plain(value: object) -> str | int | float | bool | None:
    """Turn numpy scalars and dates into plain values, and every kind of missing into None."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if hasattr(value, "isoformat"):
        text = str(value.isoformat())[:10]
        return None if text == "NaT" else text
    if hasattr(value, "item") and not isinstance(value, float):
        return _plain(value.item())
    if isinstance(value, float):
        if math.isinf(value):
            raise ExhibitError("an infinite number cannot be shown; state what is missing with Missing(reason)")
        return None if math.isnan(value) else float(value)
    if type(value).__name__ in {"NAType", "NaTType"}:
        return None
    raise ExhibitError(f"a value of type {type(value).__name__} cannot be shown; give text, a number or a date")


def _cell(value: object) -> Cell:
    if isinstance(value, FactRef | Link | Badge | Missing):
        return value
    return _plain(value)


def _runs(paragraph: Paragraph) -> tuple[Run, ...]:
    runs = (paragraph,) if isinstance(paragraph, str | FactRef | Link | Strong) else tuple(paragraph)
    for run in runs:
        if not isinstance(run, str | FactRef | Link | Strong):
            raise ExhibitError(f"a paragraph holds text, FactRef, Link and Strong, not {type(run).__name__}")
    return runs


def _one_of(value: str, allowed: Sequence[str], what: str) -> None:
    if value not in allowed:
        raise ExhibitError(f"{what} {value!r} is not one of {', '.join(allowed)}")


def _check_figure(figure: Mapping[str, Any]) -> None:
    """Refuse a figure that could fetch from another host or carry markup of a firm's text."""
    if not isinstance(figure, Mapping) or not isinstance(figure.get("data"), list):
        raise ExhibitError("a figure is a dict with 'data' (a list of traces) and 'layout'")
    for trace in figure["data"]:
        _one_of(str(trace.get("type", "scatter")), TRACE_TYPES, "trace type")
    _check_figure_texts(figure)


def _check_figure_texts(node: object) -> None:
    if isinstance(node, Mapping):
        if blocked := {"images", "frames", "stream"} & set(node):
            raise ExhibitError(f"a figure may not hold {', '.join(sorted(blocked))}")
        for value in node.values():
            _check_figure_texts(value)
    elif isinstance(node, list | tuple):
        for value in node:
            _check_figure_texts(value)
    elif isinstance(node, str) and "<" in _PLAIN_TAGS.sub("", node):
        raise ExhibitError(f"figure text {node[:60]!r} holds markup; pass it through figures.label() first")

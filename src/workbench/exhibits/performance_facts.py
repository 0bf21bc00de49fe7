"""The figures of the performance chapter as facts, each with its source, and the words that several exhibits share."""

from __future__ import annotations

import numpy as np

from workbench.errors import ParameterError
from workbench.exhibits.origin import Origin
from workbench.exhibits.performance_review import PerformanceReview, Track
from workbench.exhibits.standing import standing
from workbench.performance import Span
from workbench.report import Fact, Missing
from workbench.report import format as fmt
from workbench.report.exhibit import Cell

TABLES = ("positions", "transactions", "prices", "models", "model_targets")
BASIS = "time-weighted daily, flows at the close; accounts weighted by value at each month's beginning"
#: Differences of two returns, by name; each model's excess is its choice and its implementation.
DIFFERENCES = {
    "excess": ("net", "benchmark"),
    "choice": ("model", "benchmark"),
    "implementation": ("net", "model"),
    "fees": ("gross", "net"),
    "rest": ("gross", "model"),
}
#: Decimals of returns and of their differences, so that what is subtracted can be followed.
DIGITS = 2
NO_RECORD = "No account has followed a model for a whole month up to this day, so there is no record to show."


class Facts:
    """Figures of the chapter as facts, each made once; `carried` holds those asked for."""

    def __init__(self, review: PerformanceReview, origin: Origin) -> None:
        self.review, self.origin = review, origin
        self._made: dict[str, Fact] = {}

    @property
    def carried(self) -> tuple[Fact, ...]:
        """The facts asked for, for the exhibit that mentions them."""
        return tuple(self._made.values())

    def add(self, id: str, value: object, unit: str, function: str) -> Fact:
        """Make a fact and carry it."""
        digits = DIGITS if unit in ("percent", "pp") else None
        self._made[id] = self.origin.fact(id, value, unit, function, TABLES, digits=digits)
        return self._made[id]

    def headline(self, track: Track) -> Span:
        """Year to date, or what there is of a record that began later."""
        shown = track.spans(self.review.sessions)
        return next((span for span in shown if span.name == "year"), shown[-1])

    def value(self, track: Track, span: Span, measure: str) -> float:
        """A return over a span, or the difference of two; missing where either is."""
        if measure in DIFFERENCES:
            left, right = DIFFERENCES[measure]
            return self.value(track, span, left) - self.value(track, span, right)
        return span.returned(getattr(track, measure))

    def known(self, track: Track, span: Span, measure: str) -> Fact | None:
        """The fact of a return, or None where there is none."""
        value = self.value(track, span, measure)
        if np.isnan(value):
            return None
        id = f"performance.returns.{self.origin.slug(track.key)}.{measure}.{span.name}"
        return self.add(id, value, "pp" if measure in DIFFERENCES else "percent", "performance.composite_days")

    def returned(self, track: Track, span: Span, measure: str) -> Fact:
        """The fact of a return that is there; `ParameterError` where it is not."""
        if (fact := self.known(track, span, measure)) is None:
            raise ParameterError(f"{track.name} has no {measure} return over {span.label}; ask `known`", "measure")
        return fact

    def known_of(self, track: Track, span: Span) -> set[str]:
        """The measures that a track has over a span."""
        measures = ("net", "gross", "model", "benchmark", *DIFFERENCES)
        return {measure for measure in measures if not np.isnan(self.value(track, span, measure))}

    def cell(self, track: Track, span: Span, measure: str) -> Cell:
        """A cell of the table of returns."""
        if fact := self.known(track, span, measure):
            return fact.ref()
        if measure not in ("net", "gross") and not np.isnan(self.value(track, span, "net")):
            return Missing("no benchmark over the whole span")
        return Missing(f"the record runs from {track.since:%Y-%m-%d}")

    def ranked(self, span: Span) -> list[tuple[float, Track]]:
        """The models' excess over the span, furthest behind first."""
        found = [(self.value(track, span, "excess"), track) for track in self.review.models]
        return sorted(((value, track) for value, track in found if value == value), key=lambda pair: pair[0])


def unsigned(fact: Fact) -> str:
    """A fact's figure without its sign, where words say the side."""
    return fact.text.lstrip("+" + fmt.MINUS)


def side(fact: Fact) -> str:
    """A gap to a benchmark as "1.20 pp ahead of", "0.30 pp behind" or "level with"."""
    return standing(float(fact.value), unsigned(fact))

"""One reading of a measure: a baseline before the first day of use, or a reading of a set period after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from workbench.errors import ParameterError
from workbench.governance.measures.definition import Measure, decimal


@dataclass(frozen=True)
class Reading:
    """A figure of one period: days from `period_start` up to, without, `period_end`.

    `value` and `spread` (the cases' standard deviation, for means only) are decimal text in the measure's unit;
    `observations` are cases, for a rate household-days. `source` says where the figure can be looked up.
    """

    measure_id: str
    version: int
    kind: Literal["baseline", "reading"]
    period_start: str
    period_end: str
    value: str
    spread: str | None
    observations: int
    source: str

    @property
    def period(self) -> tuple[date, date]:
        """Its first day and the first day after it."""
        return date.fromisoformat(self.period_start), date.fromisoformat(self.period_end)


def check_figure(measure: Measure, reading: Reading) -> None:
    """Refuse a figure that cannot be one of this measure. Raises `ParameterError` naming what is wrong."""
    value, spread = decimal(reading.value), decimal(reading.spread)
    name = f"{measure.title}:"
    if value is None:
        raise ParameterError(f"{name} {reading.value!r} is no number; write it as 2.75", "value")
    if type(reading.observations) is not int or reading.observations < 1:
        raise ParameterError(f"{name} {reading.observations!r} cases; count at least one", "observations")
    if not reading.source.strip() or len(reading.source) > 2_000 or "\0" in reading.source:
        raise ParameterError(f"{name} say where the figure can be looked up", "source")
    if measure.statistic == "mean" and (spread is None or spread < 0):
        raise ParameterError(f"{name} a mean needs the standard deviation of its cases, 0 or more", "spread")
    if measure.statistic != "mean" and reading.spread is not None:
        raise ParameterError(f"{name} a {measure.statistic} has no standard deviation; leave it out", "spread")
    if measure.statistic == "share" and not 0 <= value <= 1:
        raise ParameterError(f"{name} {reading.value} is no share; give a fraction from 0 to 1", "value")
    if measure.statistic == "rate" and value < 0:
        raise ParameterError(f"{name} {reading.value} is no rate; it cannot be below 0", "value")
    try:
        start, end = reading.period
    except (TypeError, ValueError):
        raise ParameterError(f"{name} a period needs two days such as 2026-01-05", "period_start") from None
    if start >= end:
        raise ParameterError(f"{name} the period ends before it begins; exchange its days", "period_end")

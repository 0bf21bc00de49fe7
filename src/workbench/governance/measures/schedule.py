"""When a measure is read: a first check after thirty days, then every quarter from the first day of use on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from workbench.governance.measures.definition import Measure
from workbench.governance.measures.reading import Reading

#: Days after the end of a period from which a missing reading is overdue.
GRACE_DAYS = 14


@dataclass(frozen=True)
class Due:
    """A baseline or reading that is missing, or comes next: its period, and how it stands today."""

    measure_id: str
    kind: Literal["baseline", "reading"]
    period_start: str
    period_end: str
    standing: Literal["coming", "due", "overdue", "lost"]

    @property
    def words(self) -> str:
        """One sentence."""
        period = f"{self.period_start} to {self.period_end}"
        if self.standing == "lost":
            return "No baseline was recorded before the first day of use: nothing can be compared."
        if self.kind == "baseline":
            return f"The baseline of {period} is to be recorded on or before {self.period_end}."
        return {
            "coming": f"The next reading covers {period}.",
            "due": f"The reading of {period} is due.",
            "overdue": f"The reading of {period} is overdue.",
        }[self.standing]


def periods(measure: Measure) -> Iterator[tuple[date, date]]:
    """Yield the periods to be read, without end: the first thirty days, then each quarter from the first day on."""
    start = measure.first_day
    yield start, start + timedelta(days=measure.first_check_days)
    quarter = 0
    while start.year < 9_000:
        yield _months_after(start, 3 * quarter), _months_after(start, 3 * quarter + 3)
        quarter += 1


def is_set(measure: Measure, period: tuple[date, date]) -> bool:
    """Whether a period is one of those that are to be read."""
    for start, end in periods(measure):
        if (start, end) == period:
            return True
        if start > period[1]:
            return False
    return False


def due(measures: Sequence[Measure], readings: Sequence[Reading], today: date) -> tuple[Due, ...]:
    """Return, for each measure, what is missing by `today` and the reading that comes next."""
    out: list[Due] = []
    for measure in measures:
        mine = [r for r in readings if (r.measure_id, r.version) == (measure.measure_id, measure.version)]
        done = {reading.period for reading in mine if reading.kind == "reading"}
        if not any(reading.kind == "baseline" for reading in mine):
            standing: Literal["due", "lost"] = "due" if today <= measure.first_day else "lost"
            out.append(Due(measure.measure_id, "baseline", measure.baseline_start, measure.start, standing))
        for start, end in periods(measure):
            late = (today - end).days
            if (start, end) not in done:
                when: Literal["coming", "due", "overdue"] = "coming" if late < 0 else "due"
                when = "overdue" if late > GRACE_DAYS else when
                out.append(Due(measure.measure_id, "reading", start.isoformat(), end.isoformat(), when))
            if late < 0:
                break
    return tuple(out)


def _months_after(start: date, months: int) -> date:
    """The same day of a later month, or that month's last."""
    year, month = divmod(start.month - 1 + months, 12)
    first = date(start.year + year, month + 1, 1)
    following = date(first.year + (first.month == 12), first.month % 12 + 1, 1)
    return first + timedelta(days=min(start.day, (following - first).days) - 1)

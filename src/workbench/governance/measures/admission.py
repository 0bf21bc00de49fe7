"""Which definitions and figures are let in: none that could have been chosen after the outcome was seen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from workbench.errors import DecisionError
from workbench.governance.measures.definition import Measure
from workbench.governance.measures.reading import Reading, check_figure
from workbench.governance.measures.schedule import is_set


def admit_definition(measure: Measure, known: Sequence[Measure], readings: Sequence[Reading], today: date) -> None:
    """Let a definition in, or raise `DecisionError`.

    It comes on or before the first day of use; a later version follows the one before it, keeps its first day of use,
    and comes before anything was read after that day.
    """
    if today > measure.first_day:
        raise DecisionError(
            f"{measure.title}: its first day of use, {measure.start}, is over; what is defined later can be fitted "
            "to the outcome. Define it under a new name with a first day that is still to come"
        )
    mine = sorted((item for item in known if item.measure_id == measure.measure_id), key=lambda item: item.version)
    if measure.version != len(mine) + 1:
        raise DecisionError(
            f"{measure.title}: version {len(mine) + 1} is the next one, not {measure.version}; a definition is never "
            "changed, only followed by another"
        )
    if any(item.measure_id == measure.measure_id and item.kind == "reading" for item in readings):
        raise DecisionError(f"{measure.title}: it has been read; define what you mean now under a new name")
    if mine and measure.start != mine[-1].start:
        raise DecisionError(
            f"{measure.title}: the first day of use was set to {mine[-1].start} and stays; define another measure for "
            "another day"
        )


def admit_reading(reading: Reading, known: Sequence[Measure], readings: Sequence[Reading], today: date) -> Measure:
    """Let a figure in and return its measure, or raise `DecisionError`, `ParameterError` for a figure that is none.

    A baseline covers exactly the baseline's days, is recorded on or before the first day of use, and once. A reading
    covers exactly one of the periods that were set, comes after its end, once, and after a baseline.
    """
    mine = [item for item in known if item.measure_id == reading.measure_id]
    measure = next((item for item in mine if item.version == reading.version), None)
    if measure is None:
        raise DecisionError(
            f"no measure {reading.measure_id!r} of version {reading.version!r} is defined; define it first"
        )
    if measure.version != max(item.version for item in mine):
        raise DecisionError(f"{measure.title}: version {measure.version} was followed by another; record for that one")
    check_figure(measure, reading)
    same = [item for item in readings if (item.measure_id, item.version) == (reading.measure_id, reading.version)]
    if reading.kind == "baseline":
        _baseline(measure, reading, same, today)
    elif reading.kind == "reading":
        _reading(measure, reading, same, today)
    else:
        raise DecisionError(f"{measure.title}: a figure is a baseline or a reading, not {reading.kind!r}")
    return measure


def _baseline(measure: Measure, reading: Reading, same: Sequence[Reading], today: date) -> None:
    if (reading.period_start, reading.period_end) != (measure.baseline_start, measure.start):
        raise DecisionError(
            f"{measure.title}: the baseline covers {measure.baseline_start} to {measure.start}, as was defined, not "
            f"{reading.period_start} to {reading.period_end}"
        )
    if today > measure.first_day:
        raise DecisionError(
            f"{measure.title}: a baseline was to be recorded on or before {measure.start}; one that is made afterwards "
            "can be chosen by what came out. Go without a comparison"
        )
    if any(item.kind == "baseline" for item in same):
        raise DecisionError(f"{measure.title}: it has a baseline; a second one would be a choice between two")


def _reading(measure: Measure, reading: Reading, same: Sequence[Reading], today: date) -> None:
    period = f"{reading.period_start} to {reading.period_end}"
    if not is_set(measure, reading.period):
        raise DecisionError(
            f"{measure.title}: {period} is none of its periods: {measure.first_check_days} days from {measure.start} "
            "on, then each quarter from that day on"
        )
    if today < reading.period[1]:
        raise DecisionError(f"{measure.title}: {period} is not over; record it on {reading.period_end} or later")
    if any(item.kind == "reading" and item.period == reading.period for item in same):
        raise DecisionError(f"{measure.title}: {period} has been read; a reading is never changed")
    if not any(item.kind == "baseline" for item in same):
        raise DecisionError(f"{measure.title}: it has no baseline, so that a reading has nothing to be compared with")

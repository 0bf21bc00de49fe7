"""Readings that need nobody to declare them: out of the decisions themselves, or the book of record at two dates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Literal

import pandas as pd

from workbench.governance.lessons.acceptance import errors_caught, turnaround
from workbench.governance.lessons.frames import Decisions
from workbench.governance.measures import Growth, Measure, Reading

#: An export up to and including a day ends this long before the next.
_TICK = pd.Timedelta(microseconds=1)

Kind = Literal["baseline", "reading"]
#: Measures that the book of record gives, from snapshots of two days.
FROM_GROWTH = ("aum_growth", "clients_leaving")


def from_decisions(decisions: Decisions, measure: Measure, start: date, end: date) -> Reading | None:
    """Return the reading of `turnaround` or `errors_caught` for signals that ended from `start` up to, without, `end`.

    None for another measure, where no signal ended in the period, or where the export does not reach its end.
    """
    if pd.Timestamp(decisions.until) + _TICK < pd.Timestamp(end, tz="UTC"):
        return None
    part = _within(decisions, start, end)
    source = f"decisions {decisions.hash[:16]}, audit trail up to record {decisions.audit_sequence}"
    if measure.measure_id == "turnaround":
        hours = turnaround(part)["In all"].dropna()
        if len(hours) < 2:
            return None
        return _reading(measure, start, end, float(hours.mean()), float(hours.std(ddof=1)), len(hours), source)
    if measure.measure_id == "errors_caught":
        caught = errors_caught(part)
        return _reading(measure, start, end, caught.value, None, caught.cases, source) if caught.cases else None
    return None


def from_growth(
    growth: Growth, measure: Measure, start: date, end: date, source: str, kind: Kind = "reading"
) -> Reading:
    """Return the reading of `aum_growth` or `clients_leaving` from the book of record; `KeyError` for another."""
    value, spread, cases = {
        "aum_growth": (growth.growth, growth.growth_spread, growth.households),
        "clients_leaving": (growth.leaving, None, growth.household_days),
    }[measure.measure_id]
    return replace(_reading(measure, start, end, value, spread, cases, source), kind=kind)


def _within(decisions: Decisions, start: date, end: date) -> Decisions:
    """Signals that ended in a period, with their findings and acts."""
    signals = decisions["signals"]
    first, after = (pd.Timestamp(day, tz="UTC") for day in (start, end))
    kept = signals[(signals["closed_at"] >= first) & (signals["closed_at"] < after)]
    of_them: Sequence[str] = list(kept["signal_id"])
    frames = {
        name: frame[frame["signal_id"].isin(of_them)]
        for name, frame in decisions.frames.items()
        if "signal_id" in frame
    }
    return replace(decisions, frames={**decisions.frames, **frames})


def _reading(
    measure: Measure, start: date, end: date, value: float, spread: float | None, cases: int, source: str
) -> Reading:
    told = None if spread is None else f"{spread:.6f}"
    return Reading(
        measure.measure_id, measure.version, "reading", start.isoformat(), end.isoformat(), f"{value:.6f}", told, cases,
        source,
    )  # fmt: skip

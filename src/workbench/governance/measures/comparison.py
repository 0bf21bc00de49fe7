"""A reading against its baseline: the difference, its interval, and a sentence that says no more than they do."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from scipy import stats

from workbench.governance.lessons.proportions import share
from workbench.governance.measures.definition import Measure
from workbench.governance.measures.reading import Reading

#: Cases (for a rate: events on both sides together) below which nothing is concluded, whatever the interval.
FEWEST = 12
_YEAR = 365.0
_LEVEL = 0.95

Finding = Literal["better", "worse", "no_difference", "too_early"]
_WORDS: dict[Finding, str] = {
    "better": "Better than before by more than chance explains.",
    "worse": "Worse than before by more than chance explains.",
    "no_difference": "No difference that matters: what there may be is smaller than was set as worth acting on.",
    "too_early": "Too early to say: chance alone could show this.",
}


@dataclass(frozen=True)
class Comparison:
    """`difference` is reading less baseline in the measure's unit, with a 95 % interval `low` .. `high`."""

    measure_id: str
    period_start: str
    period_end: str
    baseline: float
    value: float
    difference: float
    low: float
    high: float
    finding: Finding
    words: str


def compare(measure: Measure, baseline: Reading, reading: Reading) -> Comparison:
    """Compare a reading with the baseline.

    Means by Welch's interval; shares and rates by the square-and-add method from Wilson's and Garwood's own limits
    (Newcombe 1998, method 10; Zou and Donner 2008). Before and after differ in more than the workbench, in markets and
    seasons for one: a difference beyond chance is not yet an effect.
    """
    before, after = float(baseline.value), float(reading.value)
    low, high = _interval(measure, baseline, reading)
    effect = float(measure.minimum_effect)
    finding = _finding(measure, (low, high), effect, _few(measure, baseline, reading))
    words = _WORDS[finding]
    if finding in ("better", "worse") and min(abs(low), abs(high)) < effect:
        words += " Whether by enough to matter is not yet clear."
    return Comparison(
        measure.measure_id, reading.period_start, reading.period_end, before, after, after - before, low, high, finding,
        words,
    )  # fmt: skip


def _finding(measure: Measure, interval: tuple[float, float], effect: float, few: bool) -> Finding:
    low, high = interval
    if few or math.isnan(low):
        return "too_early"
    if -effect < low and high < effect:
        return "no_difference"
    if low <= 0.0 <= high:
        return "too_early"
    return "better" if (low > 0.0) == (measure.direction == "up") else "worse"


def _few(measure: Measure, baseline: Reading, reading: Reading) -> bool:
    if measure.statistic == "rate":
        return _events(baseline) + _events(reading) < FEWEST
    return min(baseline.observations, reading.observations) < FEWEST


def _interval(measure: Measure, baseline: Reading, reading: Reading) -> tuple[float, float]:
    if measure.statistic == "mean":
        return _welch(baseline, reading)
    limits = _share_limits if measure.statistic == "share" else _rate_limits
    before, after = float(baseline.value), float(reading.value)
    (low_before, high_before), (low_after, high_after) = limits(baseline), limits(reading)
    down = math.hypot(after - low_after, high_before - before)
    up = math.hypot(high_after - after, before - low_before)
    return after - before - down, after - before + up


def _welch(baseline: Reading, reading: Reading) -> tuple[float, float]:
    """NaN where one side has a single case: its spread is then unknown."""
    parts = [float(each.spread or "nan") ** 2 / each.observations for each in (baseline, reading)]
    difference = float(reading.value) - float(baseline.value)
    if min(baseline.observations, reading.observations) < 2:
        return math.nan, math.nan
    if sum(parts) == 0.0:
        return difference, difference
    freedom = sum(parts) ** 2 / sum(
        part**2 / (each.observations - 1) for part, each in zip(parts, (baseline, reading), strict=True)
    )
    half = float(stats.t.ppf(0.5 + _LEVEL / 2, freedom)) * math.sqrt(sum(parts))
    return difference - half, difference + half


def _share_limits(reading: Reading) -> tuple[float, float]:
    found = share(round(float(reading.value) * reading.observations), reading.observations)
    return found.low, found.high


def _rate_limits(reading: Reading) -> tuple[float, float]:
    """Garwood's exact limits of a count, per year of exposure (Garwood 1936)."""
    events, years = _events(reading), reading.observations / _YEAR
    low = 0.0 if events == 0 else float(stats.chi2.ppf((1 - _LEVEL) / 2, 2 * events)) / 2
    return low / years, float(stats.chi2.ppf((1 + _LEVEL) / 2, 2 * events + 2)) / 2 / years


def _events(reading: Reading) -> int:
    return round(float(reading.value) * reading.observations / _YEAR)

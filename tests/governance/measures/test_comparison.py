"""A reading against its baseline: intervals that cover, and words that say no more than they do."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from scipy import stats

from workbench.governance.measures import Reading, compare, read_measures

HOURS, TURNAROUND, ERRORS, GROWTH, LEAVING = read_measures(date(2026, 1, 5))


def mean(value, spread="1.0", cases=60):
    return Reading("hours_of_preparation", 1, "reading", "2026-01-05", "2026-04-05", value, spread, cases, "x")


def share(value, cases):
    return replace(mean(value, None, cases), measure_id="errors_caught")


def rate(value, cases):
    return replace(mean(value, None, cases), measure_id="clients_leaving")


@pytest.mark.parametrize(
    ("measure", "before", "after", "finding"),
    [
        (HOURS, mean("3.4"), mean("2.4"), "better"),  # fewer hours are better
        (HOURS, mean("2.4"), mean("3.4"), "worse"),
        (HOURS, mean("3.0"), mean("2.9"), "too_early"),
        (HOURS, mean("3.0", "0.2", 400), mean("2.98", "0.2", 400), "no_difference"),
        (HOURS, mean("3.4", "1.0", 5), mean("1.0"), "too_early"),  # five cases
        (ERRORS, share("0.05", 400), share("0.15", 400), "better"),  # more caught is better
        (ERRORS, share("0.05", 30), share("0.10", 30), "too_early"),
        (LEAVING, rate("0.10", 36_500), rate("0.40", 36_500), "worse"),
        (LEAVING, rate("0.0", 36_500), rate("0.05", 36_500), "too_early"),  # five events in all
    ],
)
def test_findings(measure, before, after, finding):
    found = compare(measure, before, after)
    assert found.finding == finding
    assert found.low <= found.difference <= found.high


def test_beyond_chance_but_small_is_said():
    assert "not yet clear" in compare(HOURS, mean("3.4"), mean("2.9")).words
    assert "not yet clear" not in compare(HOURS, mean("3.4"), mean("2.4")).words


def test_means_are_welchs():
    found = compare(HOURS, mean("3.4", "1.5", 40), mean("2.9", "0.7", 90))
    a, b = 0.49 / 90, 2.25 / 40
    freedom = (a + b) ** 2 / (a**2 / 89 + b**2 / 39)
    half = stats.t.ppf(0.975, freedom) * (a + b) ** 0.5
    assert (found.low, found.high) == pytest.approx((-0.5 - half, -0.5 + half))


def test_shares_are_newcombes():
    # Newcombe 1998, table II (a), method 10: 56/70 against 48/80.
    found = compare(ERRORS, share("0.6", 80), share("0.8", 70))
    assert (found.low, found.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_one_case_has_no_interval():
    found = compare(HOURS, mean("3", "0", 1), mean("2", "0", 1))
    assert np.isnan(found.low)
    assert found.finding == "too_early"


@pytest.mark.parametrize("rate_before", [0.05, 0.3])
def test_intervals_of_rates_cover_at_least_nineteen_times_in_twenty(rate_before):
    draw, days, covered = np.random.default_rng(8), 36_500, 0
    truth = 0.1
    for _ in range(300):
        before, after = draw.poisson(rate_before * 100), draw.poisson((rate_before + truth) * 100)
        found = compare(LEAVING, rate(str(before / 100), days), rate(str(after / 100), days))
        covered += found.low <= truth <= found.high
    assert covered >= 276  # of 300 at 95 %: fewer come up less than once in fifty

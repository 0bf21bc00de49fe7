"""Shares, exact tests and what many tests cost: against closed forms and against scipy."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from workbench.errors import ParameterError
from workbench.governance.lessons.proportions import above, alike, holm, lowest, share

COUNTS = st.integers(1, 300).flatmap(lambda cases: st.tuples(st.integers(0, cases), st.just(cases)))


@given(COUNTS)
def test_intervals_are_wilsons(counts):
    hits, cases = counts
    found = share(hits, cases)
    expected = stats.binomtest(hits, cases).proportion_ci(method="wilson")
    assert found.low == pytest.approx(expected.low, abs=1e-12)
    assert found.high == pytest.approx(expected.high, abs=1e-12)
    assert 0.0 <= found.low <= found.value <= found.high <= 1.0


@given(COUNTS, st.floats(0.05, 0.95))
def test_the_exact_test_and_the_exact_bound_say_the_same(counts, base):
    hits, cases = counts
    p, bound = above(hits, cases, base), lowest(hits, cases)
    if abs(p - 0.05) > 1e-9:
        assert (p < 0.05) == (bound > base)


def test_no_case_has_no_share():
    assert math.isnan(share(0, 0).value)
    assert share(0, 0).few


@pytest.mark.parametrize(("hits", "cases"), [(3, 2), (-1, 2)])
def test_what_is_no_share_is_refused(hits, cases):
    with pytest.raises(ParameterError):
        share(hits, cases)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.01], tested=10) == pytest.approx([0.1])
    with pytest.raises(ParameterError):
        holm([0.1, 0.2], tested=1)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_never_makes_a_find_more_certain_and_keeps_the_order(p_values):
    adjusted = holm(p_values)
    assert all(after >= before for before, after in zip(p_values, adjusted, strict=True))
    assert all(p <= 1 for p in adjusted)
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    assert [adjusted[place] for place in order] == sorted(adjusted)


def test_shares_that_are_alike_and_that_are_not():
    assert alike([50, 50], [100, 100]) == pytest.approx(1.0)
    assert alike([90, 10], [100, 100]) < 1e-6
    assert alike([5], [10]) is None
    assert alike([0, 0], [5, 9]) == 1.0
    expected = stats.chi2_contingency([[30, 10], [20, 20]], correction=False).pvalue
    assert alike([30, 20], [40, 40]) == pytest.approx(expected)

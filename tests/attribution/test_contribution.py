"""Contributions add up to the compounded return, and the extremes are ranked."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.attribution import contribution
from workbench.errors import ParameterError


@pytest.mark.parametrize("linking", ["carino", "menchero", "frongello"])
@given(st.integers(0, 10_000), st.integers(1, 8))
@settings(max_examples=40, deadline=None)
def test_contributions_add_up_to_the_compounded_return(linking, seed, periods):
    rows = np.random.default_rng(seed).normal(0, 0.05, (3, periods, 4))
    result = contribution(rows, linking=linking)
    assert result.portfolio == pytest.approx(np.prod(1 + rows.sum(axis=2), axis=1) - 1, abs=1e-14)
    assert result.contributions.sum(axis=1) == pytest.approx(result.portfolio, abs=1e-13)
    assert np.abs(result.residual).max() < 1e-13


def test_carinos_factors():
    rows = np.array([[0.06, 0.04], [0.01, -0.06]])
    returns, whole = np.array([0.1, -0.05]), 1.1 * 0.95 - 1
    factors = np.log1p(returns) / returns / (np.log1p(whole) / whole)
    assert contribution(rows).contributions[0] == pytest.approx(factors @ rows, abs=1e-15)


def test_frongellos_are_money_earned_over_money_at_the_start():
    weights, returns = np.array([[0.6, 0.4], [0.5, 0.5]]), np.array([[0.1, -0.05], [0.2, 0.3]])
    value, earned = 100.0, np.zeros(2)
    for w, r in zip(weights, returns):
        earned += value * w * r
        value += (value * w * r).sum()
    result = contribution(weights * returns, linking="frongello")
    assert result.contributions[0] == pytest.approx(earned / 100, abs=1e-15)


def test_a_return_that_the_rows_miss_stays_visible():
    result = contribution([[0.01, 0.02]], [0.04])
    assert result.residual == pytest.approx([0.01])


def test_the_extremes_are_ranked_and_stop_at_zero():
    result = contribution([[[0.01, -0.02, 0.03, 0.0, 0.01]]], accounts=["A"], groups=list("vwxyz"))
    top = result.top(4)
    assert top["group"].tolist() == ["x", "v", "z"]
    assert top["rank"].tolist() == [1, 2, 3]
    assert result.bottom()["group"].tolist() == ["w"]
    assert top["account"].unique().tolist() == ["A"]
    assert result.to_frame()["contribution"].sum() == pytest.approx(0.03)


def test_bad_arguments_are_refused():
    with pytest.raises(ParameterError, match="rows has 1 axes"):
        contribution([0.1])
    with pytest.raises(ParameterError, match="groups has 1 labels for 2"):
        contribution([[0.1, 0.2]], groups=["a"])
    with pytest.raises(ParameterError, match="present"):
        contribution([[np.nan, 0.2]])

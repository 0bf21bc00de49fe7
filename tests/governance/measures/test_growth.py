"""Growth from clients: markets stay out, leaving is counted, missing figures are refused."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import FirmDataError, ParameterError
from workbench.governance.measures import client_growth

START, END = date(2026, 1, 1), date(2026, 4, 2)  # 91 days


def series(**values):
    return pd.Series(values, dtype=float)


def test_by_hand():
    opening, closing = series(a=100, b=300, c=100), series(a=150, b=310, d=50)
    found = client_growth(opening, closing, series(a=40, c=-100, d=50), START, END)
    assert found.growth == pytest.approx(-10 / 500 * 365 / 91)
    assert (found.households, found.left, found.new) == (4, 1, 1)
    assert found.household_days == round(2.5 * 91)
    assert found.leaving == pytest.approx(365 / found.household_days)


@given(st.floats(0.3, 3.0))
def test_the_market_is_not_in_it(market):
    opening, flows = series(a=100, b=300), series(a=10, b=-5)
    plain = client_growth(opening, opening + flows, flows, START, END)
    moved = client_growth(opening, opening * market + flows.clip(lower=0), flows, START, END)
    assert (plain.growth, plain.left) == (moved.growth, moved.left)


@given(st.integers(2, 30), st.integers(0, 5))
def test_many_alike_households_grow_without_spread(many, seed):
    size = pd.Series(np.random.default_rng(seed).uniform(50, 500, many), [f"h{n}" for n in range(many)])
    found = client_growth(size, size, 0.02 * size, START, END)
    assert found.growth == pytest.approx(0.02 * 365 / 91)
    assert found.growth_spread == pytest.approx(0.0, abs=1e-12)


def test_its_spread_is_that_of_repeated_samples():
    draw, estimates, errors = np.random.default_rng(4), [], []
    for _ in range(300):
        size = pd.Series(draw.lognormal(5, 0.5, 150), [f"h{n}" for n in range(150)])
        found = client_growth(size, size, size * draw.normal(0.01, 0.05, 150), START, END)
        estimates.append(found.growth)
        errors.append(found.growth_spread / np.sqrt(found.households))
    assert np.mean(errors) == pytest.approx(np.std(estimates), rel=0.15)


@pytest.mark.parametrize(
    ("opening", "closing", "flows", "end", "error"),
    [
        (series(a=1), series(a=1), series(), START, ParameterError),
        (series(a=np.nan), series(a=1), series(), END, FirmDataError),
        (pd.Series([1.0, 2.0], ["a", "a"]), series(a=1), series(), END, FirmDataError),
        (series(a=0), series(a=1), series(), END, FirmDataError),
    ],
)
def test_what_cannot_be_measured_is_refused(opening, closing, flows, end, error):
    with pytest.raises(error):
        client_growth(opening, closing, flows, START, end)

"""Lots priced and taxed, against sorting them in Python."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.drift import _kernels
from workbench.drift.inputs import Holdings
from workbench.drift.tax import price_lots

AS_OF = pd.Timestamp("2022-06-30")
RATES = pd.DataFrame({"ordinary_rate": [0.35, 0.24], "long_term_rate": [0.15, 0.0], "state_rate": [0.05, 0.0],
                      "niit": [True, False]})  # fmt: skip
#: Two accounts: the first holds two securities, the second one.
HOLDINGS = Holdings(np.array([0, 2, 3]), np.array([0, 1, 0], np.int32), np.ones(3))
PRICE = np.array([100.0, 50.0])

lot = st.tuples(
    st.integers(-1, 2), st.floats(0.5, 20), st.one_of(st.just(np.nan), st.floats(10, 150)),
    st.sampled_from(["2020-01-01", "2021-06-30", "2021-07-01", "2022-06-01", "NaT"]),
)  # fmt: skip


def priced(lots, taxed=(True, True)):
    holding, quantity, cost, start = (list(column) for column in zip(*lots)) if lots else ([], [], [], [])
    return price_lots(
        holding=np.array(holding, np.int64), quantity=np.array(quantity, float), cost=np.array(cost, float),
        holding_start=np.array(start, "datetime64[ms]"), as_of=AS_OF, holdings=HOLDINGS, price=PRICE, rates=RATES,
        taxed=np.array(taxed),
    )  # fmt: skip


def tax_a_share(holding, cost, start):
    account, price = (0, PRICE[holding]) if holding < 2 else (1, PRICE[0])
    if start == "NaT":
        return np.nan
    long = pd.Timestamp(start) <= pd.Timestamp("2021-06-30")
    rates = [(0.35 + 0.05 + 0.038, 0.15 + 0.05 + 0.038), (0.24, 0.0)][account]
    return (price - cost) * rates[int(long)]


@settings(max_examples=60, deadline=None)
@given(st.lists(lot, max_size=25), st.floats(0.1, 40))
def test_selling_takes_the_least_tax_first_and_never_guesses(lots, shares):
    result = priced(lots)
    for holding in range(3):
        mine = [(quantity, tax_a_share(h, cost, start)) for h, quantity, cost, start in lots if h == holding]
        mine.sort(key=lambda one: (np.isnan(one[1]), one[1]))
        expected, left = 0.0, shares
        for quantity, tax in mine:
            if left > 0:
                expected += min(left, quantity) * tax
                left -= quantity
        if left > 1e-6 * (1 + shares):
            expected = np.nan
        got = _kernels.tax_to_sell(
            np.array([shares]), np.array([holding]), result.holding_ptr, result.quantity, result.tax
        )
        np.testing.assert_allclose(got[0], expected, rtol=1e-9, atol=1e-9)


def test_nothing_is_taxed_in_a_shelter_even_where_the_cost_is_missing():
    result = priced([(0, 5.0, np.nan, "2020-01-01"), (2, 5.0, 40.0, "NaT")], taxed=(False, False))
    assert (result.tax == 0).all()


def test_totals_of_a_holding():
    lots = priced([(0, 5.0, 40.0, "2020-01-01"), (0, 1.0, 110.0, "2022-06-01")])
    assert lots.quantity @ lots.gain == pytest.approx(5 * 60 - 10)
    assert lots.quantity @ lots.tax == pytest.approx(5 * 60 * 0.238 - 10 * 0.438)
    assert lots.holding_ptr[0] == 0
    assert (lots.holding_ptr[1:] == 2).all()

"""A universe refuses data that cannot be, and names asset and day."""

import numpy as np
import pandas as pd
import pytest

from workbench.backtest import Universe
from workbench.errors import MarketDataError, ParameterError

DAYS = pd.bdate_range("2020-01-01", periods=5)


def made(**changes):
    columns = {
        "name": "made up",
        "sessions": DAYS,
        "assets": ("AAA", "BBB"),
        "price": np.full((1, 5, 2), 10.0),
        "dividend": np.zeros((1, 5, 2)),
        "cash_return": np.zeros((1, 5)),
        "target": np.array([0.6, 0.3]),
        "half_spread": np.full(2, 1e-3),
        "daily_value": np.full(2, np.inf),
    }
    return Universe(**(columns | changes))


def with_cell(value, t=2, i=1, base=10.0):
    table = np.full((1, 5, 2), base)
    table[0, t, i] = value
    return table


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"price": with_cell(np.nan)}, MarketDataError, "price nan of BBB on 2020-01-03 is missing"),
        ({"price": with_cell(np.inf)}, MarketDataError, "price inf of BBB on 2020-01-03"),
        ({"price": with_cell(-1.0)}, MarketDataError, "price -1.0 of BBB on 2020-01-03 is negative"),
        ({"price": with_cell(0.0)}, MarketDataError, "BBB on 2020-01-06 follows a price of 0"),
        ({"price": with_cell(0.0, t=0)}, MarketDataError, "BBB on 2020-01-01 is 0 from the start"),
        ({"dividend": with_cell(-0.1, base=0.0)}, MarketDataError, "dividend -0.1 of BBB on 2020-01-03"),
        ({"cash_return": np.full((1, 5), -1.0)}, MarketDataError, "return of cash -1.0 on 2020-01-01"),
        ({"sessions": DAYS[[0, 1, 1, 2, 3]]}, MarketDataError, "not in order, or given twice, at 2020-01-02"),
        ({"sessions": DAYS[:1]}, MarketDataError, "two sessions"),
        ({"target": np.array([0.6, -0.1])}, ParameterError, "target of BBB is -0.1"),
        ({"target": np.array([0.6, 0.5])}, ParameterError, "sum to 1.1"),
        ({"target": np.zeros(2)}, ParameterError, "sum to 0"),
        ({"half_spread": np.array([1e-3, -1e-3])}, ParameterError, "half spread of BBB is -0.001"),
        ({"daily_value": np.array([1.0, 0.0])}, ParameterError, "a day of BBB is 0.0"),
        ({"target": np.array([1.0])}, ParameterError, "target must be of shape"),
        ({"price": np.full((1, 4, 2), 10.0)}, ParameterError, "price must be of shape"),
    ],
)
def test_what_cannot_be_is_named(changes, error, says):
    with pytest.raises(error, match=says):
        made(**changes)


def test_positions_count_cash_where_the_target_holds_some():
    assert (made().with_cash, made().positions) == (True, 3)
    np.testing.assert_allclose(made().target_positions, [0.6, 0.3, 0.1])
    whole = made(target=np.array([0.6, 0.4]))
    assert (whole.with_cash, whole.positions) == (False, 2)


def test_the_goal_leaves_out_what_is_bankrupt():
    gone = np.full((1, 5, 2), 10.0)
    gone[0, 3:, 1] = 0.0
    data = made(price=gone)
    assert data.bankrupt_from.tolist() == [[5, 3]]
    np.testing.assert_allclose(data.goal(0, 2), [0.6, 0.3, 0.1])
    np.testing.assert_allclose(data.goal(0, 3), [0.6 / 0.7, 0.0, 0.1 / 0.7])

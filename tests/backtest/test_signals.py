"""Signals against their definitions in pandas, and their silence about the future."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from workbench.backtest import Universe, signals
from workbench.errors import MarketDataError, ParameterError


def universe(sessions=600, cash=0.1, flat=False):
    rng = np.random.default_rng(4)
    price = 30.0 * np.exp(np.cumsum(rng.normal(2e-4, 0.012, (1, sessions, 3)), axis=1))
    if flat:
        price[..., 2] = 30.0
    dividend = np.zeros_like(price)
    dividend[:, ::50, 0] = 0.2
    return Universe(
        "made up", pd.bdate_range("2016-01-01", periods=sessions), ("A", "B", "C"), price, dividend,
        np.full((1, sessions), 1e-4), np.array([0.5, 0.3, 0.2]) * (1 - cash), np.full(3, 1e-3), np.full(3, np.inf),
    )  # fmt: skip


def test_features_are_what_they_are_called():
    data = universe()
    made = signals(data)
    price = pd.DataFrame(data.price[0])
    returns = (price + data.dividend[0]) / price.shift() - 1.0
    book = returns @ data.target + 0.1 * 1e-4
    level = (1.0 + book.fillna(0.0)).cumprod()
    expected = {
        "volatility_ratio": book.rolling(21).std() / book.rolling(252).std(),
        "drawdown": level / level.rolling(252).max() - 1.0,
        "trend": np.log(level / level.shift(126)) / (book.rolling(252).std() * np.sqrt(126)),
    }
    for name, series in expected.items():
        column = made.market[0, 252:, made.market_names.index(name)]
        np.testing.assert_allclose(column, series[252:], rtol=1e-8, atol=1e-12, err_msg=name)
    long = returns.rolling(252).std()
    total = np.log1p(returns.fillna(0.0)).cumsum()
    each = {
        "volatility_ratio": returns.rolling(21).std() / long,
        "volatility": long * np.sqrt(252),
        "trend": (total.shift(21) - total.shift(252)) / (long * np.sqrt(231)),
    }
    for name, frame in each.items():
        column = made.asset[0, 252:, made.asset_names.index(name)]
        np.testing.assert_allclose(column, frame[252:], rtol=1e-8, err_msg=name)
    assert np.isnan(made.asset[0, :252]).all()


def test_covariance_is_the_weighted_second_moment():
    data = universe()
    made = signals(data, half_life=60, refresh=5)
    returns = (data.price[0, 1:] + data.dividend[0, 1:]) / data.price[0, :-1] - 1.0
    for t in (252, 300, 599):
        at = 252 + 5 * made.covariance_at[t]
        assert t - 5 < at <= t
        weight = 0.5 ** (np.arange(at)[::-1] / 60)
        expected = 252 * (returns[:at].T * weight) @ returns[:at] / weight.sum()
        np.testing.assert_allclose(made.covariance[0, made.covariance_at[t]], expected, rtol=1e-10)
    deviation = np.sqrt(np.diag(expected))
    correlation = (expected / np.outer(deviation, deviation))[np.triu_indices(3, 1)].mean()
    assert made.market[0, 599, 1] == pytest.approx(correlation if at == 599 else made.market[0, at, 1], rel=1e-8)


@pytest.mark.parametrize("t", [252, 301, 420])
def test_the_future_is_not_seen(t):
    data = universe()
    price = data.price.copy()
    price[:, t + 1 :] = price[:, t + 1 :][:, ::-1] * 1.7
    before, after = signals(data), signals(replace(data, price=price))
    for name in ("market", "asset"):
        np.testing.assert_array_equal(getattr(before, name)[:, : t + 1], getattr(after, name)[:, : t + 1])
    upto = before.covariance_at[t] + 1
    np.testing.assert_array_equal(before.covariance[:, :upto], after.covariance[:, :upto])


def test_an_asset_that_does_not_move_has_neutral_signals():
    made = signals(universe(flat=True))
    assert (made.asset[0, 252:, 0, 2] == 1.0).all()
    assert (made.asset[0, 252:, 1:, 2] == 0.0).all()
    assert np.isfinite(made.market[0, 252:]).all()


def test_windows_that_cannot_be_are_refused():
    with pytest.raises(ParameterError, match="warm_up must be 252"):
        signals(universe(), warm_up=100)
    with pytest.raises(ParameterError, match="refresh"):
        signals(universe(), refresh=0)
    with pytest.raises(MarketDataError, match="has 600 sessions; signals need 599"):
        signals(universe(), warm_up=599)

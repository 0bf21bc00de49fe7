"""Made-up worlds keep what they say they keep."""

import numpy as np
import pandas as pd
import pytest

from workbench.backtest import Universe, block_bootstrap, gbm, known_signals, noise, planted
from workbench.backtest.worlds import stationary_days
from workbench.errors import MarketDataError, ParameterError

MEAN = np.array([0.08, 0.02])
COVARIANCE = np.array([[0.04, 0.002], [0.002, 0.0036]])
TARGET = np.array([0.6, 0.38])


@pytest.fixture(scope="module")
def history():
    world = gbm(MEAN, COVARIANCE, TARGET, paths=1, sessions=1500, seed=3, cash_rate=0.02)
    dividend = np.zeros_like(world.price)
    dividend[:, 63::63] = 0.005 * world.price[:, 62:-1:63]
    return Universe(**{**vars(world), "dividend": dividend})


def relatives(world):
    return world.price[:, 1:] / world.price[:, :-1]


def test_bootstrap_days_are_whole_days_of_the_history(history):
    world = block_bootstrap(history, paths=3, sessions=400, seed=1)
    known = np.column_stack(
        [
            relatives(history)[0],
            history.dividend[0, 1:] / history.price[0, :-1],
            history.cash_return[0, 1:],
        ]
    )
    drawn = np.concatenate(
        [relatives(world), world.dividend[:, 1:] / world.price[:, :-1], world.cash_return[:, 1:, None]], axis=2
    ).reshape(-1, known.shape[1])
    nearest = np.array([np.abs(known - row).max(axis=1).min() for row in drawn[::7]])
    assert nearest.max() < 1e-12
    assert world.price.shape == (3, 400, 2)
    assert (world.price[:, 0] == history.price[0, 0]).all()
    assert world.cash_return[:, 0].max() == 0


def test_blocks_have_the_stated_mean_length_and_go_around_the_end():
    days = stationary_days(200, 40, 5000, 63, np.random.default_rng(0))
    breaks = (np.diff(days, axis=1) % 200 != 1).mean()
    assert 1 / breaks == pytest.approx(63, rel=0.06)
    assert ((days[:, 1:] == 0) & (days[:, :-1] == 199)).any()
    assert np.bincount(days.ravel(), minlength=200).min() > 500


def test_same_seed_same_bits_other_seed_other_world(history):
    for make in (lambda seed: block_bootstrap(history, 2, 100, seed), lambda seed: noise(history, 2, 100, seed),
                 lambda seed: planted(history, 2, 100, seed)):  # fmt: skip
        assert (make(5).price == make(5).price).all()
        assert (make(5).price != make(6).price).any()


def test_noise_has_equal_means_and_nothing_to_predict(history):
    world = noise(history, paths=40, sessions=1500, seed=2)
    total = relatives(world) + world.dividend[:, 1:] / world.price[:, :-1] - 1
    error = total.std() / np.sqrt(total[..., 0].size)
    assert abs(total[..., 0].mean() - total[..., 1].mean()) < 4 * error
    centred = total - total.mean(axis=(0, 1))
    lagged = (centred[:, 1:] * centred[:, :-1]).mean(axis=(0, 1)) / centred.var(axis=(0, 1))
    assert np.abs(lagged).max() < 4 / np.sqrt(total[..., 0].size)
    history_total = relatives(history)[0] + history.dividend[0, 1:] / history.price[0, :-1]
    assert np.corrcoef(total.reshape(-1, 2).T)[0, 1] == pytest.approx(np.corrcoef(history_total.T)[0, 1], abs=0.02)


def test_planted_trend_tells_of_tomorrow_and_noise_does_not(history):
    def skill(world):
        value = np.log(world.price)
        past = value[:, 252:-21:21] - value[:, :-273:21][:, : value[:, 252:-21:21].shape[1]]
        later = value[:, 273::21][:, : past.shape[1]] - value[:, 252:-21:21][:, : past.shape[1]]
        return np.corrcoef(past[..., 0].ravel(), later[..., 0].ravel())[0, 1]

    assert skill(planted(history, 40, 1500, 4, strength=2.0)) > 0.15
    assert abs(skill(noise(history, 40, 1500, 4))) < 0.07


def test_brownian_prices_have_the_stated_moments():
    world = gbm(MEAN, COVARIANCE, TARGET, paths=4000, sessions=121, seed=1, sessions_a_year=12)
    log_return = np.log(world.price[:, -1] / world.price[:, 0])
    assert np.cov(log_return.T) / 10 == pytest.approx(COVARIANCE, rel=0.12, abs=5e-4)
    assert (world.price[:, -1] / 100).mean(axis=0) == pytest.approx(np.exp(MEAN * 10), rel=0.04)
    assert (np.diff(world.sessions.to_period("M").asi8) == 1).all()
    signals = known_signals(world, COVARIANCE)
    assert (signals.covariance[17, signals.covariance_at[60]] == COVARIANCE).all()


def test_bad_requests_say_what_is_wrong(history):
    with pytest.raises(ParameterError, match="at least 1 path"):
        block_bootstrap(history, 0, 100, 1)
    with pytest.raises(ParameterError, match="blocks last"):
        block_bootstrap(history, 1, 100, 1, block=0.5)
    with pytest.raises(ParameterError, match="3 paths"):
        noise(block_bootstrap(history, 3, 100, 1), 1, 100, 1)
    price = history.price.copy()
    price[0, 700:, 1] = 0
    with pytest.raises(MarketDataError, match="asset 2"):
        noise(Universe(**{**vars(history), "price": price}), 1, 100, 1)
    with pytest.raises(ParameterError, match="positive semi-definite"):
        gbm(MEAN, np.array([[1.0, 2.0], [2.0, 1.0]]), TARGET, paths=1, sessions=10, seed=1)
    with pytest.raises(ParameterError, match="2 x 2"):
        known_signals(history, np.eye(3))
    assert isinstance(history.sessions, pd.DatetimeIndex)

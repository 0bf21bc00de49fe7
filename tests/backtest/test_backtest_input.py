"""What cannot be run is refused by name before anything runs, and what a policy scribbles on stays its own."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

from workbench import backtest
from workbench.backtest import Calendar, Runs
from workbench.errors import MarketDataError, ParameterError


@pytest.fixture(scope="module")
def universe():
    rng = np.random.default_rng(4)
    price = 100.0 * np.exp(np.cumsum(rng.normal(0.0003, 0.012, (2, 300, 3)), axis=1))
    none = np.zeros_like(price)
    target, spread = np.array([0.5, 0.3, 0.1]), np.full(3, 0.001)
    sessions = pd.bdate_range("2015-01-01", periods=300)
    return backtest.Universe(
        "made up", sessions, ("a", "b", "c"), price, none, none[..., 0], target, spread, np.full(3, np.inf)
    )


@pytest.fixture(scope="module")
def signals(universe):
    return backtest.signals(universe)


@dataclass(frozen=True)
class HalfWay:
    """To half way, in an array of its own or in the one it was shown."""

    scribbles: bool
    every: float = 1
    name: str = "half way"

    def decide(self, seen):
        wanted = 0.5 * (seen.weight + seen.target)
        if self.scribbles:
            for shown in (seen.target, seen.covariance, seen.cost, seen.market, seen.asset):
                shown[:] = 7.0
            seen.weight[:] = wanted
            return seen.weight
        return wanted


def test_a_policy_may_write_over_what_it_was_shown(universe, signals):
    first, second = (backtest.walk(universe, signals, HalfWay(scribbles)) for scribbles in (False, True))
    assert first.statistics["trades"][0] > 0
    pd.testing.assert_frame_equal(first.statistics, second.statistics)
    assert not (signals.market == 7.0).any()


def test_signals_of_fewer_paths_are_not_read_past_their_end(universe, signals):
    one = replace(signals, covariance=signals.covariance[:1], market=signals.market[:1], asset=signals.asset[:1])
    with pytest.raises(ParameterError, match="signals were made of another universe"):
        backtest.simulate(universe, one, Runs.product([Calendar()], paths=[1]))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"delays": [1.5]}, "delays holds 1.5"),
        ({"delays": [np.nan]}, "delays holds nan"),
        ({"offsets": [0.5]}, "offsets holds 0.5"),
        ({"offsets": "every"}, "'every'"),
        ({"offsets": []}, "offsets must be"),
        ({"paths": []}, "paths must be"),
        ({"cost_multiples": [np.inf]}, "cost_multiples holds inf"),
        ({"policies": [3]}, "3 is no policy"),
        ({"policies": [HalfWay(False, every=2.5)]}, "looks every 2.5"),
    ],
)
def test_runs_that_are_no_runs_are_refused(given, said):
    with pytest.raises(ParameterError, match=said):
        Runs.product(**{"policies": [Calendar(5)], **given})


def test_sessions_and_assets_that_are_none_are_refused(universe):
    with pytest.raises(ParameterError, match="DatetimeIndex"):
        replace(universe, sessions=list(universe.sessions))
    with pytest.raises(MarketDataError, match="session 299 has no date"):
        replace(universe, sessions=universe.sessions[:-1].append(pd.DatetimeIndex([pd.NaT])))
    with pytest.raises(ParameterError, match="'a' is named twice"):
        replace(universe, assets=("a", "b", "a"))


@pytest.mark.parametrize("given", [{"half_life": np.nan}, {"refresh": 2.5}, {"warm_up": 252.5}, {"half_life": np.inf}])
def test_settings_of_signals_that_are_no_numbers_are_refused(universe, given):
    with pytest.raises(ParameterError, match="half_life"):
        backtest.signals(universe, **given)


def test_nothing_to_join_and_no_schedule_are_refused():
    with pytest.raises(ParameterError, match="one backtest or more"):
        backtest.joined([])
    for every in (np.nan, np.inf):
        with pytest.raises(ParameterError, match="whole number"):
            Calendar(every)


def test_sessions_of_a_time_zone_are_refused(universe):
    with pytest.raises(ParameterError, match="tz_localize"):
        replace(universe, sessions=universe.sessions.tz_localize("America/New_York"))


@pytest.mark.parametrize("name", ["covariance", "market", "asset"])
def test_signals_that_are_missing_are_no_reason_to_hold(universe, signals, name):
    broken = getattr(signals, name).copy()
    broken[:, -1] = np.nan
    with pytest.raises(MarketDataError, match="missing or infinite"):
        backtest.simulate(universe, replace(signals, **{name: broken}), Runs.product([backtest.Quadratic(1.0)]))


@pytest.mark.parametrize("window", [{"first": 260.5}, {"last": 280.5}, {"first": "260"}, {"last": True}])
def test_a_window_of_half_sessions_is_refused(universe, signals, window):
    with pytest.raises(ParameterError, match="whole number"):
        backtest.simulate(universe, signals, Runs.product([Calendar(21)]), **window)


@pytest.mark.parametrize("name", [None, "", " ", 7])
def test_a_policy_without_a_name_is_refused(name):
    with pytest.raises(ParameterError, match="give it a name"):
        Runs.product([HalfWay(False, name=name)])

"""Tilts: within their limit, the nearest weights that are, moved by the past alone, the same in both engines."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from workbench.backtest import Band, Calendar, Observation, Runs, Signals, Tilted, Universe, rules, signals, simulate
from workbench.backtest.walk import walk
from workbench.errors import ParameterError, PolicyError


def seen(target, ratio=None, trend=None, weight=None):
    m = len(target)
    asset = np.zeros((3, m))
    asset[0] = 1.0 if ratio is None else ratio
    asset[2] = 0.0 if trend is None else trend
    target = np.array(target, float)
    weight = target if weight is None else np.array(weight, float)
    return Observation(0, weight, target, np.eye(m), np.zeros(m), np.zeros(4), asset)


targets = st.lists(st.one_of(st.just(0.0), st.floats(0.001, 1.0)), min_size=1, max_size=8).filter(lambda t: sum(t) > 0)
trends = st.lists(st.floats(-3.0, 3.0), min_size=8, max_size=8)


@settings(deadline=None)
@given(targets, trends, st.floats(0.001, 1.0))
def test_a_tilt_keeps_to_its_limit(target, trend, limit):
    target = np.array(target) / sum(target)
    moved = Tilted("trend", limit).decide(seen(target, trend=trend[: len(target)]))
    assert moved.sum() == pytest.approx(1.0, abs=1e-12)
    assert (moved >= 0.0).all()
    assert (np.abs(moved - target) <= limit + 1e-12).all()
    assert (moved[target == 0.0] == 0.0).all()


@settings(max_examples=25, deadline=None)
@given(targets.filter(lambda t: len(t) > 1), trends, st.floats(0.01, 0.6))
def test_it_is_the_nearest_portfolio_to_what_the_scores_ask_for(target, trend, limit):
    target = np.array(target) / sum(target)
    held = target > 0
    score = np.clip(trend[: len(target)], -1.0, 1.0)[held]
    wish = target[held] + 0.5 * limit * (score - score.mean())
    low = np.maximum(target[held] - limit, 0.0)
    moved = Tilted("trend", limit).decide(seen(target, trend=trend[: len(target)]))[held]
    found = minimize(
        lambda y: 50.0 * ((y - wish) ** 2).sum(), target[held], jac=lambda y: 100.0 * (y - wish), method="SLSQP",
        bounds=list(zip(low, target[held] + limit)), constraints={"type": "eq", "fun": lambda y: y.sum() - 1.0},
        options={"ftol": 1e-14, "maxiter": 500},
    )  # fmt: skip
    assert ((moved - wish) ** 2).sum() <= ((found.x - wish) ** 2).sum() + 1e-7


def test_worked_tilts():
    target = [0.4, 0.4, 0.2]
    # Scores -1 (volatility doubled), 1 (halved), 0: tilts of -2.5, 2.5 and 0 points at a limit of 5.
    np.testing.assert_allclose(Tilted("volatility").decide(seen(target, [2.0, 0.5, 1.0])), [0.375, 0.425, 0.2])
    # Scores cut to 1, -1, -1 with mean -1/3: tilts of 1/2 x 6 % x (4/3, -2/3, -2/3).
    moved = Tilted("trend", 0.06).decide(seen(target, trend=[9.0, -9.0, -1.0]))
    np.testing.assert_allclose(moved, [0.44, 0.38, 0.18])
    # Cash, whose signals are zero, is neutral; so is an asset that does not move (ratio 1).
    np.testing.assert_allclose(Tilted("volatility").decide(seen(target, [1.0, 1.0, 0.0])), target)
    # 3 points are wanted from a position of 2: the missing one comes from the others in equal parts.
    moved = Tilted("trend", 0.045).decide(seen([0.49, 0.49, 0.02], trend=[1.0, 1.0, -1.0]))
    np.testing.assert_allclose(moved, [0.50, 0.50, 0.0], atol=1e-15)


def test_full_says_how_soon():
    half = Tilted("trend", full=2.0).decide(seen([0.5, 0.5], trend=[1.0, -1.0]))
    np.testing.assert_allclose(half, [0.5125, 0.4875])


def test_the_base_rule_acts_on_the_moved_target():
    day = seen([0.4, 0.4, 0.2], [2.0, 0.5, 1.0], weight=[0.40, 0.40, 0.20])
    assert Tilted("volatility", base=Band(0.03)).decide(day) is None
    np.testing.assert_allclose(Tilted("volatility", base=Band(0.02)).decide(day), [0.375, 0.425, 0.2])
    edge = Tilted("volatility", base=Band(0.02, 0.02)).decide(day)
    np.testing.assert_allclose(edge, [0.395, 0.405, 0.2])
    assert Tilted("trend", base=Calendar("quarter")).every == 63


@pytest.mark.parametrize("base", [Calendar(), Band(0.02, 0.01)])
def test_a_missing_signal_is_an_error_and_not_a_position(base):
    moved = Tilted("trend", base=base).decide(seen([0.5, 0.5], trend=[np.nan, 1.0]))
    assert np.isnan(moved).all()


def universe(sessions=420, cash=0.1):
    rng = np.random.default_rng(3)
    price = 40.0 * np.cumprod(1.0 + rng.normal(3e-4, 0.012, (1, sessions, 4)), axis=1)
    return Universe(
        name="made up", sessions=pd.bdate_range("2015-01-01", periods=sessions), assets=tuple("ABCD"), price=price,
        dividend=np.zeros_like(price), cash_return=np.full((1, sessions), 1e-4),
        target=np.array([0.4, 0.3, 0.2, 0.1]) * (1.0 - cash), half_spread=np.full(4, 1e-3),
        daily_value=np.full(4, np.inf),
    )  # fmt: skip


TILTS = [Tilted("volatility"), Tilted("trend", 0.2), Tilted("trend", 0.03, Band(0.02, 0.01)),
         Tilted("volatility", 0.1, Band(0.1, 0.0, relative=True, every=5))]  # fmt: skip


@pytest.mark.parametrize("cash", [0.0, 0.1])
def test_both_engines_agree(cash):
    data = universe(cash=cash)
    made = signals(data)
    together = simulate(data, made, Runs.product(TILTS), keep_returns=True, keep_paths=True)
    for row, policy in enumerate(TILTS):
        alone = walk(data, made, policy)
        np.testing.assert_allclose(alone.returns[0], together.returns[row], atol=1e-12)
        np.testing.assert_allclose(alone.weights[0], together.weights[row], atol=1e-12)


def test_what_comes_later_changes_nothing():
    data = universe()
    later = data.price.copy()
    later[:, 350:] = later[:, 350:][:, ::-1] * 1.3
    changed = Universe(
        data.name, data.sessions, data.assets, later, data.dividend, data.cash_return, data.target, data.half_spread,
        data.daily_value,
    )  # fmt: skip
    runs = Runs.product(TILTS)
    before = simulate(data, signals(data), runs, keep_paths=True)
    after = simulate(changed, signals(changed), runs, keep_paths=True)
    until = 350 - 253
    np.testing.assert_array_equal(before.weights[:, :until], after.weights[:, :until])


def test_signals_without_the_row_a_tilt_reads_are_refused_by_the_engine():
    data = universe()
    made = signals(data)
    short = Signals(made.covariance, made.covariance_at, made.market, made.market_names, made.asset[:, :, :2].copy(),
                    made.asset_names[:2], made.first)  # fmt: skip
    with pytest.raises(PolicyError, match="trend tilt"):
        simulate(data, short, Runs.product([Tilted("trend")]))


def test_tilts_are_among_the_rules():
    assert {"volatility tilt of 5 %, every month", "trend tilt of 5 %, every month"} <= {rule.name for rule in rules()}


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Tilted("value"), "'value'"),
        (lambda: Tilted("trend", 0.0), "limit"),
        (lambda: Tilted("trend", float("nan")), "limit"),
        (lambda: Tilted("trend", full=0.0), "full tilt"),
        (lambda: Tilted("trend", base="month"), "Calendar or a Band"),
    ],
)
def test_tilts_that_cannot_be_are_refused(make, says):
    with pytest.raises(ParameterError, match=says):
        make()

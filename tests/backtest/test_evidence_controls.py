"""Controls that run every time: leaks show, noise is not believed, what was planted is found, the optimum stands."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from workbench import backtest
from workbench.backtest import evidence
from workbench.backtest.evidence.controls import shuffled_after
from workbench.errors import MarketDataError, PolicyError

COVARIANCE = np.outer([0.17, 0.20, 0.22], [0.17, 0.20, 0.22]) * (0.3 + 0.7 * np.eye(3))
TARGET = np.array([0.4, 0.3, 0.3])


def brownian(sessions, seed=3):
    return backtest.gbm([0.06] * 3, COVARIANCE, TARGET, paths=1, sessions=sessions, seed=seed, half_spread=0.0005)


@dataclass(frozen=True)
class Trend:
    """Leans towards what rose, in plain Python."""

    strength: float
    every: int = 21

    @property
    def name(self):
        return f"trend {self.strength:g}"

    def decide(self, seen):
        wanted = np.maximum(seen.target * (1 + self.strength * seen.asset[2]), 0)
        return wanted / wanted.sum() if wanted.sum() > 0 else None


@dataclass(frozen=True)
class Seer:
    """Looks up tomorrow's prices."""

    price: np.ndarray
    every: int = 21
    name: str = "seer"

    def decide(self, seen):
        rise = self.price[seen.session + 1] / self.price[seen.session]
        return np.eye(3)[rise.argmax()]


# --- leaks --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "policy",
    [
        backtest.Band(0.02, 0.0175),
        backtest.Calendar("month"),
        backtest.Quadratic(0.5),
        backtest.Tilted("trend"),
        backtest.MultiPeriod(0.5, 2),
        Trend(0.5),
    ],
    ids=lambda policy: policy.name,
)
def test_honest_policies_do_not_see_ahead(policy):
    assert evidence.leak(brownian(420), policy, seed=1, cuts=3).passed


def test_a_policy_that_sees_tomorrow_is_caught():
    found = evidence.leak(brownian(420), lambda universe, _: Seer(universe.price[0]), seed=1, cuts=3)
    assert not found.passed
    assert found.value >= 1
    assert "sees ahead" in found.sentence


def test_signals_that_see_tomorrow_are_caught():
    def tomorrows(universe):
        made = backtest.signals(universe)
        return replace(made, asset=np.roll(made.asset, -1, axis=1))

    assert not evidence.leak(brownian(420), Trend(0.5), seed=1, cuts=3, make_signals=tomorrows).passed


def test_the_shuffled_future_keeps_the_past_and_its_days():
    universe = brownian(300)
    other = shuffled_after(universe, 200, np.random.default_rng(0))
    assert np.array_equal(other.price[:, :201], universe.price[:, :201])
    assert not np.isclose(other.price[:, 201:], universe.price[:, 201:]).any(axis=2).all()
    before, after = (np.sort(np.abs(np.diff(np.log(u.price[0, 200:, 0])))) for u in (universe, other))
    assert after == pytest.approx(before)


def test_what_cannot_be_checked_is_refused():
    with pytest.raises(MarketDataError, match="too few"):
        evidence.leak(brownian(256), Trend(0.5), seed=1)
    universe = brownian(420)
    gone = np.where(np.arange(420)[None, :, None] > 400, universe.price * [1, 1, 0], universe.price)
    with pytest.raises(MarketDataError, match="bankrupt"):
        shuffled_after(replace(universe, price=gone), 300, np.random.default_rng(0))


# --- noise and signal ---------------------------------------------------------------------------


TRIED = [backtest.Tilted(signal, limit) for signal in ("trend", "volatility") for limit in (0.1, 0.3)]


def best_tilt(training):
    """What a keen researcher does: four tilts tried on the training years, the best one taken."""
    found = backtest.simulate(training.universe, training.signals, backtest.Runs.product(TRIED)).statistics
    return TRIED[int(found["sharpe"].argmax())]


def best_trend(training):
    """The same with leans that no limit holds back, walked in plain Python."""
    tried = [Trend(strength) for strength in (-0.6, -0.3, 0.3, 0.6)]
    found = [backtest.walk(training.universe, training.signals, each).statistics["sharpe"][0] for each in tried]
    return tried[int(np.argmax(found))]


def believed(universe, seed, fit):
    windows = evidence.windows(universe.sessions, 3, 1, longest_train_years=4, first=253)
    candidate = evidence.Candidate("tilt", fit, deterministic=True, surrogate=backtest.Band(0.05), portfolios=600)
    rules = [backtest.Calendar("month"), backtest.Calendar("year"), backtest.Band(0.05)]
    options = {"test_windows": windows, "offsets": (0,), "replications": 299}
    return evidence.believes(universe, candidate, rules, seed=seed, **options)


def test_noise_is_not_believed():
    def claims(seed):
        return believed(backtest.noise(brownian(1500), 1, 252 * 7, seed), seed, best_tilt)

    found = evidence.noise_world(claims, worlds=100, seed=2)
    assert found.passed, found.sentence


def test_a_planted_signal_is_found():
    def finds(seed):
        return believed(backtest.planted(brownian(1500), 1, 252 * 12, seed, strength=4), seed, best_trend)

    assert evidence.planted_signal(finds, worlds=2, seed=1).passed


def test_rates_are_held_against_what_is_allowed():
    assert not evidence.noise_world(lambda seed: True, worlds=10, seed=1).passed
    assert not evidence.planted_signal(lambda seed: False, worlds=10, seed=1).passed


@pytest.mark.parametrize(("claims", "worlds", "passed"), [(0, 58, False), (0, 59, True), (1, 92, False), (1, 93, True)])
def test_noise_must_be_told_from_a_rate_above_five_percent(claims, worlds, passed):
    left = iter([True] * claims + [False] * worlds)
    found = evidence.noise_world(lambda seed: next(left), worlds=worlds, seed=1)
    assert found.value == claims / worlds
    assert found.passed == passed


# --- the optimum --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def optimum():
    from workbench.backtest.dynamic_programming import solve

    return solve("n2_10", points=41)


def test_the_gap_to_the_optimum(optimum):
    close = evidence.dp_gap(backtest.Quadratic(0.5), paths=300, solution=optimum)
    assert close.passed
    assert 0 < close.value < 0.05
    far = evidence.dp_gap(backtest.Calendar("month"), paths=300, solution=optimum)
    assert not far.passed
    assert far.value > 1.0


def test_what_beats_the_optimum_is_an_error(optimum, monkeypatch):
    from workbench.backtest import fixed_target

    honest = fixed_target.evaluate

    def flattering(problem, policy, paths, seed):
        found = honest(problem, policy, paths, seed)
        return (
            found if policy is optimum else replace(found, trading=0.5 * found.trading, tracking=0.5 * found.tracking)
        )

    monkeypatch.setattr(fixed_target, "evaluate", flattering)
    found = evidence.dp_gap(backtest.Quadratic(0.5), paths=300, solution=optimum)
    assert not found.passed
    assert "simulation is wrong" in found.sentence


@pytest.mark.parametrize("control", [evidence.noise_world, evidence.planted_signal])
def test_a_procedure_that_raises_is_named_with_its_world(control):
    seeds = np.random.SeedSequence(1).generate_state(5)

    def procedure(seed):
        if seed == seeds[3]:
            raise ZeroDivisionError("no volatility")
        return False

    with pytest.raises(PolicyError, match=rf"world 3 \(seed {seeds[3]}\) of 5: ZeroDivisionError: no volatility"):
        control(procedure, worlds=5, seed=1)

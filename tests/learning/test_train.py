"""The shipped set: made by its command, one policy for any problem, and no leak from the years it is judged on."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from workbench.backtest import (
    LearnedQuadratic,
    Observation,
    Quadratic,
    Universe,
    evidence,
    fixed_target,
    signals,
    tuning,
)
from workbench.backtest.learned import INPUTS, OUTPUTS, member_size
from workbench.errors import PolicyError
from workbench.learning.ship import interquartile_mean, learned_of, shipped
from workbench.learning.universes import embedded
from workbench.learning.walk_forward import Setting, choose, train_window, walk_forward, weakened

NAMES = ("learned_quadratic", "reference_n3_20", "reference_n5_20")


@pytest.mark.parametrize("name", NAMES)
def test_shipped_folders_are_whole_and_small(name: str) -> None:
    policy = shipped(name)
    learned = learned_of(policy)
    assert learned.rule() == policy.learned.rule()
    assert len(learned.members) == len(policy.card.seeds)
    assert policy.card.verdict == "do not deploy"
    assert len(learned.members) >= 10


@pytest.mark.parametrize("problem", [*fixed_target.PROBLEMS])
def test_one_policy_is_cheaper_than_the_tuned_rule_on_every_reference_problem(problem: str) -> None:
    """The rule's horizon is tuned for each problem; the policy was told nothing of any."""
    rule = fixed_target.evaluate(problem, tuning.tune_problem(problem, "quadratic", paths=100).policy, paths=300)
    learned = fixed_target.evaluate(problem, learned_of(shipped("learned_quadratic")), paths=300)
    assert learned.over(rule).ratio < 0.01


def test_a_shipped_member_comes_out_of_its_command_again() -> None:
    """Exact bits are a matter of one machine (see test_learned_quadratic); on another they agree to rounding."""
    pytest.importorskip("torch", reason="training policies needs torch: make lab")
    from workbench.learning.train import courses

    again = courses()["reference_n3_20"].train(0)
    kept = learned_of(shipped("reference_n3_20")).members[0]
    np.testing.assert_allclose(again.member, kept, atol=1e-5)


def changed_after(universe: Universe, session: int) -> Universe:
    price = universe.price.copy()
    price[:, session:] *= np.exp(np.random.default_rng(0).normal(0, 0.2, price[:, session:].shape))
    return replace(universe, price=price)


@pytest.fixture(scope="module")
def factors() -> Universe:
    return embedded("factors")


@pytest.fixture(scope="module")
def window(factors: Universe) -> evidence.Window:
    return evidence.windows(factors.sessions, 4, 1, first=252, longest_train_years=5)[0]


@pytest.fixture(scope="module")
def one_member() -> LearnedQuadratic:
    """One seed of the shipped ensemble: as good for these tests, and quicker."""
    policy = learned_of(shipped("learned_quadratic"))
    return replace(policy, members=policy.members[:1])


def test_training_a_window_sees_nothing_after_it(factors: Universe, window: evidence.Window) -> None:
    pytest.importorskip("torch", reason="training policies needs torch: make lab")
    from workbench.learning.learned_quadratic import Training

    short = Training(steps=2, hidden=4, burn_in=6, check_every=1)

    def trained(universe: Universe) -> object:
        training = evidence.training(universe, signals(universe), window)
        return train_window(training, 0.7, 0, short, paths=4, years=2)

    assert trained(factors) == trained(changed_after(factors, window.train[1]))


@pytest.mark.parametrize("gated", [True, False])
def test_what_was_chosen_before_a_test_year_does_not_hang_on_it(
    factors: Universe, window: evidence.Window, one_member: LearnedQuadratic, gated: bool
) -> None:
    setting = Setting((0.0, 0.5, 1.0), gated, horizons=(0.3, 1.0, 3.0))
    one = walk_forward(factors, one_member, [window], setting).table
    two = walk_forward(changed_after(factors, window.test[0]), one_member, [window], setting).table
    chosen = ["rule_horizon", "learned_horizon", "strength", "kept"]
    assert one[chosen].equals(two[chosen])
    assert not one.rule_bp.equals(two.rule_bp)


def test_an_untrained_policy_walks_as_the_rule(factors: Universe, window: evidence.Window) -> None:
    zero = LearnedQuadratic(1.0, ((0.0,) * member_size(8, OUTPUTS),))
    found = walk_forward(factors, zero, [window], Setting(horizons=(0.3, 1.0)))
    assert (found.table.learned_bp == found.table.rule_bp).all()
    assert not found.gain.any()
    assert found.excess == 0.0


def test_gains_by_day_are_what_the_table_says(
    factors: Universe, window: evidence.Window, one_member: LearnedQuadratic
) -> None:
    found = walk_forward(factors, one_member, [window], Setting(gated=False, horizons=(0.3, 1.0)))
    assert found.gain.mean() == pytest.approx(found.rule_bp - found.learned_bp)
    saved = found.interval()
    assert saved.low <= saved.estimate <= saved.high
    assert saved.estimate == pytest.approx(found.rule_bp - found.learned_bp)


def test_strength_nought_is_the_rule_and_one_the_policy(one_member: LearnedQuadratic) -> None:
    rng = np.random.default_rng(2)
    root = 0.1 * rng.standard_normal((4, 6))
    target = rng.dirichlet(np.full(4, 5.0))
    weight = rng.dirichlet(np.full(4, 5.0))
    seen = Observation(0, weight, target, root @ root.T, np.full(4, 1e-3), np.ones(4), np.ones((3, 4)))
    none, half, whole = (weakened(one_member, strength) for strength in (0.0, 0.5, 1.0))
    np.testing.assert_array_equal(none.decide(seen), Quadratic(one_member.horizon).decide(seen))
    np.testing.assert_array_equal(whole.decide(seen), one_member.decide(seen))
    assert not np.array_equal(half.decide(seen), whole.decide(seen))
    assert not np.array_equal(half.decide(seen), none.decide(seen))
    for strength in (-0.1, 1.1, np.nan):
        with pytest.raises(PolicyError, match="strength"):
            weakened(one_member, strength)


def test_the_gate_keeps_the_rule_where_validation_says_so(factors: Universe, window: evidence.Window) -> None:
    """A policy that aims a band beyond the target on the other side, and takes trades for cheap, is dearer always."""
    numbers = np.zeros(member_size(8, OUTPUTS))
    linear = 8 * (INPUTS + 1) + 8 * OUTPUTS  # where the linear path starts
    numbers[linear + 3 * INPUTS + 5] = -30.0
    numbers[-OUTPUTS + 2] = -5.0
    bad = LearnedQuadratic(1.0, (tuple(numbers.tolist()),))
    training = evidence.training(factors, signals(factors), window)
    gated = choose(training, bad, Setting(horizons=(0.3, 1.0)))
    assert not gated.kept
    assert gated.acting is gated.rule
    free = choose(training, bad, Setting((0.0, 1.0), False, horizons=(0.3, 1.0)))
    assert free.strength == 0.0


def test_interquartile_mean() -> None:
    assert interquartile_mean([1.0, 2.0, 3.0, 100.0]) == pytest.approx(2.5)
    assert interquartile_mean([5.0]) == 5.0
    assert interquartile_mean(range(10)) == pytest.approx(4.5)


def test_clients_are_state() -> None:
    """A client who minds tracking more never gets less traded by the same policy."""
    policy = learned_of(shipped("learned_quadratic"))
    target, covariance = np.array([0.4, 0.2, 0.4]), fixed_target.PROBLEMS["n3_20"].covariance
    weight = np.array([0.46, 0.21, 0.33])

    def traded(aversion: float) -> float:
        seen = Observation(0, weight, target, covariance, np.full(3, 2e-3), np.zeros(4), np.zeros((3, 3)), aversion)
        wanted = policy.decide(seen)
        return 0.0 if wanted is None else float(np.abs(wanted - weight).sum())

    amounts = [traded(aversion) for aversion in (1.0, 2.0, 5.0, 10.0, 20.0)]
    assert amounts == sorted(amounts)
    assert amounts[-1] > amounts[0]


def test_what_is_installed_holds_the_shipped_set() -> None:
    """Every file of a policy folder is one that a wheel takes along: a folder short of one is refused."""
    root = Path(__file__).parents[2]
    package = root / "src" / "workbench"
    with (root / "pyproject.toml").open("rb") as file:
        taken = tomllib.load(file)["tool"]["setuptools"]["package-data"]["workbench"]
    shipped_files = {path for path in (package / "learning" / "shipped").rglob("*") if path.is_file()}
    assert shipped_files
    assert shipped_files <= {path for pattern in taken for path in package.glob(pattern)}

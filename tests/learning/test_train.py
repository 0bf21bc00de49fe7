"""The shipped set: made by its command, one policy for any problem, and no leak from the years it is judged on."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.backtest import LearnedQuadratic, Observation, Universe, fixed_target
from workbench.backtest.evidence import windows
from workbench.learning.ship import interquartile_mean, learned_of, shipped
from workbench.learning.universes import embedded
from workbench.learning.walk_forward import train_window, walk_forward

NAMES = ("learned_quadratic", "reference_n3_20", "reference_n5_20")


@pytest.mark.parametrize("name", NAMES)
def test_shipped_folders_are_whole_and_small(name: str) -> None:
    policy = shipped(name)
    learned = learned_of(policy)
    assert learned.rule() == policy.learned.rule()
    assert len(learned.members) == len(policy.card.seeds)
    assert policy.card.verdict == "shadow"


@pytest.mark.parametrize("problem", [*fixed_target.PROBLEMS])
def test_one_policy_is_cheaper_than_the_tuned_rule_on_every_reference_problem(problem: str) -> None:
    """The rule's horizon is tuned for each problem; the policy was told nothing of any."""
    from workbench.learning.ship import reference_excess

    assert reference_excess(learned_of(shipped("learned_quadratic")), problem, paths=300).ratio < 0.01


def test_a_shipped_member_comes_out_of_its_command_again() -> None:
    """Exact bits are a matter of one machine (see test_learned_quadratic); on another they agree to rounding."""
    pytest.importorskip("torch", reason="training policies needs torch: make lab")
    from workbench.learning.train import courses

    again = courses()["reference_n3_20"].train(0)
    kept = learned_of(shipped("reference_n3_20")).members[0]
    np.testing.assert_allclose(again.member, kept, atol=1e-5)


def changed_after(universe: Universe, session: int) -> Universe:
    from dataclasses import replace

    price = universe.price.copy()
    price[:, session:] *= np.exp(np.random.default_rng(0).normal(0, 0.2, price[:, session:].shape))
    return replace(universe, price=price)


def test_training_a_window_sees_nothing_after_it() -> None:
    pytest.importorskip("torch", reason="training policies needs torch: make lab")
    from workbench.learning.learned_quadratic import Training

    universe = embedded("factors")
    window = windows(universe.sessions, 4, 1, first=252, longest_train_years=5)[0]
    short = Training(steps=2, hidden=4, burn_in=6, check_every=1)
    one = train_window(universe, window, 0.7, 0, short, paths=4, years=2)
    two = train_window(changed_after(universe, window.validation[1]), window, 0.7, 0, short, paths=4, years=2)
    assert one == two


def test_what_was_chosen_before_a_test_year_does_not_hang_on_it() -> None:
    universe = embedded("factors")
    cut = windows(universe.sessions, 4, 1, first=252, longest_train_years=5)[:1]
    policy = learned_of(shipped("learned_quadratic"))
    few = (0.3, 1.0, 3.0)
    one = walk_forward(universe, policy, cut, horizons=few).table
    two = walk_forward(changed_after(universe, cut[0].test[0]), policy, cut, horizons=few).table
    chosen = ["rule_horizon", "learned_horizon", "kept"]
    assert one[chosen].equals(two[chosen])
    assert not one.rule_bp.equals(two.rule_bp)


def test_an_untrained_policy_walks_as_the_rule() -> None:
    from workbench.backtest.learned import OUTPUTS, member_size

    universe = embedded("factors")
    cut = windows(universe.sessions, 4, 1, first=252, longest_train_years=5)[:1]
    zero = LearnedQuadratic(1.0, ((0.0,) * member_size(8, OUTPUTS),))
    table = walk_forward(universe, zero, cut, horizons=(0.3, 1.0)).table
    assert (table.learned_bp == table.rule_bp).all()


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

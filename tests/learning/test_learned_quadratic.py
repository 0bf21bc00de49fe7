"""Training: it starts at the rule, goes back to it where nothing was gained, and gives the same bits again."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training policies needs torch: make lab")

from workbench.backtest import LearnedQuadratic, Quadratic  # noqa: E402
from workbench.backtest.fixed_target import PROBLEMS, evaluate  # noqa: E402
from workbench.learning.learned_quadratic import (  # noqa: E402
    Training,
    ensemble,
    train_band_network,
    train_learned_quadratic,
)
from workbench.learning.pathwise import Scene  # noqa: E402
from workbench.learning.train import problem_scene  # noqa: E402

PROBLEM = PROBLEMS["n3_20"]
#: A rule far from tuned (the best horizon is 0.85 years), so that a short training has something to find.
HORIZON = 0.5
SHORT = Training(steps=24, rate=0.03, hidden=4, burn_in=6, check_every=12)


def scenes(step: int) -> Scene:
    return problem_scene(PROBLEM, 48, 36, (7, step))


def validation() -> tuple[Scene, ...]:
    return (problem_scene(PROBLEM, 96, 48, (8,)),)


@pytest.fixture(scope="module")
def trained():
    return train_learned_quadratic(scenes, validation(), HORIZON, 0, SHORT)


def test_it_is_cheaper_than_the_rule_it_starts_from_on_paths_it_never_saw(trained) -> None:
    learned = ensemble([trained], HORIZON, hidden=4)
    rule = evaluate(PROBLEM, Quadratic(HORIZON), paths=300)
    excess = evaluate(PROBLEM, learned, paths=300).over(rule)
    assert trained.kept > 0
    assert excess.interval[1] < 0


def test_checks_are_relative_to_the_start_and_the_best_is_kept(trained) -> None:
    assert trained.checks[0] == 1.0
    assert trained.checks[trained.kept // SHORT.check_every] == min(trained.checks)


def test_where_validation_gains_nothing_the_rule_itself_is_kept() -> None:
    """A step that throws the network far off makes every check dearer."""
    wild = Training(steps=2, rate=50.0, hidden=4, burn_in=6, check_every=1, smoothing=1.0)
    result = train_learned_quadratic(scenes, validation(), HORIZON, 0, wild)
    assert min(result.checks[1:]) > 1.0
    assert result.kept == 0
    assert not np.any(result.member)
    learned = LearnedQuadratic(HORIZON, (result.member,), 4)
    assert evaluate(PROBLEM, learned, paths=50).mean == evaluate(PROBLEM, Quadratic(HORIZON), paths=50).mean


def test_a_band_network_learns_too() -> None:
    result = train_band_network(scenes, validation(), 0, SHORT)
    assert min(result.checks) < 0.99


def test_an_ensemble_is_the_mean_of_log_multiples(trained) -> None:
    zero = LearnedQuadratic(HORIZON, ((0.0,) * len(trained.member),), 4)
    both = LearnedQuadratic(HORIZON, (trained.member, zero.members[0]), 4)
    costs = [evaluate(PROBLEM, policy, paths=200).mean for policy in (zero, both, ensemble([trained], HORIZON, 4))]
    assert costs[1] < costs[0]


def test_the_same_seed_gives_the_same_bits_in_a_new_process(trained) -> None:
    code = (
        "import hashlib, torch; torch.set_num_threads(1)\n"
        "from workbench.backtest.fixed_target import PROBLEMS\n"
        "from workbench.learning.learned_quadratic import Training, train_learned_quadratic\n"
        "from workbench.learning.train import problem_scene\n"
        "problem = PROBLEMS['n3_20']\n"
        "made = train_learned_quadratic(lambda step: problem_scene(problem, 48, 36, (7, step)),\n"
        "    (problem_scene(problem, 96, 48, (8,)),), 0.5, 0,\n"
        "    Training(steps=24, rate=0.03, hidden=4, burn_in=6, check_every=12))\n"
        "print(made.member)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == repr(trained.member)

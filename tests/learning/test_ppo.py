"""The stated baselines: what is exported acts as what was trained, and the same seed gives the same bits."""

import numpy as np
import pytest

from workbench.backtest import Runs, block_bootstrap, gbm, signals, simulate
from workbench.errors import ParameterError, PolicyError

pytest.importorskip("stable_baselines3")
from workbench.learning import ppo
from workbench.learning.environment import RebalanceEnv
from workbench.learning.task import Task


@pytest.fixture(scope="module", params=[(0.6, 0.4), (0.6, 0.3)], ids=["invested", "with cash"])
def task(request):
    history = gbm(
        np.array([0.08, 0.03]), np.diag([0.03, 0.004]), np.array(request.param), paths=1, sessions=700, seed=1
    )
    universe = block_bootstrap(history, paths=2, sessions=252 + 21 * 12 + 1, seed=2)
    return Task(universe, signals(universe), periods=12)


@pytest.mark.parametrize("learner", ["ppo", "sac"])
def test_the_exported_network_acts_as_the_trained_one(task, learner):
    with ppo.one_torch_thread():
        model = ppo._model(task, 3, 64, learner, 4)
        layers = tuple(ppo._layers(model, learner))
    network = ppo.IntensityNetwork("net", 21, layers, task.universe.half_spread, 4, 3, learner)
    env = RebalanceEnv(task)
    seen, _ = env.reset(seed=1)
    for _ in range(6):
        expected = 0.5 * (np.clip(model.predict(seen, deterministic=True)[0][0], -1, 1) + 1)
        assert network.intensity(env.seen()) == pytest.approx(expected, abs=2e-5)
        seen, *_ = env.follow(network)


def test_features_are_what_the_environment_shows(task):
    env = RebalanceEnv(task)
    env.reset(seed=2)
    for _ in range(3):
        seen, *_ = env.step(np.array([-0.4]))
        made = ppo.features(env.seen(), task.universe.half_spread, 4, 3)
        assert made == pytest.approx(seen, rel=2e-6, abs=1e-6)


def test_same_seed_same_bits_other_seed_other_network(task):
    nets = [ppo.train(task, seed, steps=64, envs=4) for seed in (5, 5, 6)]
    for (matrix, bias), (again, bias_again) in zip(nets[0].layers, nets[1].layers):
        assert (matrix == again).all()
        assert (bias == bias_again).all()
    assert (nets[0].layers[0][0] != nets[2].layers[0][0]).any()
    assert nets[0].name == "PPO, seed 5"


def test_a_network_is_a_policy_of_the_backtest(task):
    network = ppo.train(task, 1, steps=64, envs=4)
    table = simulate(task.universe, task.signals, Runs.product([network])).statistics
    assert np.isfinite(table["total_bp"].iloc[0])


def test_what_it_was_not_trained_for_is_refused(task):
    network = ppo.train(task, 1, steps=64, envs=4)
    env = RebalanceEnv(task)
    env.reset(seed=1)
    view = env.seen()
    wide = np.full(5, 0.2)
    with pytest.raises(PolicyError, match="knows 2 assets"):
        network.decide(type(view)(**{**vars(view), "weight": wide, "target": wide}))
    with pytest.raises(ParameterError, match="plain intensity"):
        ppo.train(Task(**{**vars(task), "action": "band"}), 1)
    with pytest.raises(ParameterError, match="at least one step"):
        ppo.train(task, 1, steps=2, envs=4)

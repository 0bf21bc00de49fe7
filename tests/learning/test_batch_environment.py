"""The batch environment is the single one, many times, bit for bit."""

import numpy as np
import pytest

from workbench.backtest import block_bootstrap, gbm, signals
from workbench.errors import ParameterError

pytest.importorskip("stable_baselines3")
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv

from workbench.learning.batch_environment import BatchRebalanceEnv
from workbench.learning.environment import RebalanceEnv
from workbench.learning.task import Task

SIZE = 6


def task_of(action):
    history = gbm(np.array([0.08, 0.03]), np.diag([0.03, 0.004]), np.array([0.6, 0.38]), paths=1, sessions=700, seed=1)
    universe = block_bootstrap(history, paths=4, sessions=252 + 200, seed=2)
    return Task(universe, signals(universe), action=action, periods=5, tilt_limit=0.02, turnover_cap=0.2)


@pytest.mark.parametrize("action", ["intensity", "band", "tilt"])
def test_same_seed_same_bits_as_single_environments(action):
    task = task_of(action)
    batch = BatchRebalanceEnv(task, SIZE, seed=11)
    single = DummyVecEnv([lambda: RebalanceEnv(task)] * SIZE)
    single.seed(11)
    rng = np.random.default_rng(0)
    assert (batch.reset() == single.reset()).all()
    for _ in range(12):
        actions = rng.uniform(-1, 1, (SIZE, task.action_size)).astype(np.float32)
        ours, theirs = batch.step(actions), single.step(actions)
        for mine, other in zip(ours[:3], theirs[:3]):
            assert (mine == other).all()
            assert mine.dtype == other.dtype
        for mine, other in zip(ours[3], theirs[3]):
            assert mine.get("TimeLimit.truncated", False) == other["TimeLimit.truncated"]
            assert ("terminal_observation" in mine) == ("terminal_observation" in other)
            if "terminal_observation" in mine:
                assert (mine["terminal_observation"] == other["terminal_observation"]).all()


def test_seeds_are_used_once_and_episodes_go_on_differing():
    batch = BatchRebalanceEnv(task_of("intensity"), SIZE, seed=3)
    first = batch.reset()
    second = batch.reset()
    assert (first != second).any()
    batch.seed(3)
    assert (batch.reset() == first).all()
    assert len(np.unique(first[:, -4])) > 1


def test_contract_of_a_vec_env():
    batch = BatchRebalanceEnv(task_of("band"), SIZE)
    assert isinstance(batch, VecEnv)
    single = RebalanceEnv(task_of("band"))
    assert (batch.observation_space, batch.action_space) == (single.observation_space, single.action_space)
    assert batch.get_attr("task")[0].action == "band"
    assert batch.env_is_wrapped(object) == [False] * SIZE
    assert len(batch.env_method("reset", indices=[0])) == 1
    assert batch.reset_infos == [{}] * SIZE
    with pytest.raises(ParameterError, match="some episodes"):
        batch.set_attr("task", None, indices=[1])
    with pytest.raises(ParameterError, match="not finite"):
        batch.step(np.full((SIZE, 1), np.nan, np.float32))
    with pytest.raises(ParameterError, match="at least 1"):
        BatchRebalanceEnv(task_of("band"), 0)


def test_observations_handed_out_do_not_change_later():
    batch = BatchRebalanceEnv(task_of("intensity"), SIZE, seed=1)
    seen = batch.reset()
    kept = seen.copy()
    batch.step(np.zeros((SIZE, 1), np.float32))
    assert (seen == kept).all()

"""The gymnasium environment: its contract, its accounts against the engine, and what it may not know."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.backtest import Band, Calendar, Costs, Quadratic, Runs, Universe, block_bootstrap, gbm, signals, simulate
from workbench.errors import MarketDataError, ParameterError

gymnasium = pytest.importorskip("gymnasium")
from workbench.learning.environment import RebalanceEnv  # noqa: E402
from workbench.learning.task import Task  # noqa: E402

MEAN = np.array([0.08, 0.06, 0.03])
DEVIATION = np.array([0.18, 0.15, 0.06])
COVARIANCE = np.outer(DEVIATION, DEVIATION) * np.array([[1, 0.6, 0.1], [0.6, 1, 0.0], [0.1, 0.0, 1]])
LOOKS, EVERY = 24, 21


def universe_of(target, dividends=True):
    history = gbm(
        MEAN, COVARIANCE, np.asarray(target), paths=1, sessions=900, seed=7, cash_rate=0.03, half_spread=0.002
    )
    dividend = np.zeros_like(history.price)
    if dividends:
        dividend[:, 40::63] = 0.01 * history.price[:, 39:-1:63]
    history = Universe(**{**vars(history), "dividend": dividend, "daily_value": np.array([5e7, 2e7, 1e7])})
    return block_bootstrap(history, paths=3, sessions=252 + LOOKS * EVERY + 60, seed=1)


@pytest.fixture(scope="module", params=[(0.5, 0.2, 0.3), (0.4, 0.2, 0.3)], ids=["invested", "with cash"])
def task(request):
    universe = universe_of(request.param)
    return Task(universe, signals(universe), periods=LOOKS, every=EVERY)


def replaced(task, **changes):
    return Task(**{**vars(task), **changes})


def totals(env, act, **options):
    """Sum of what an episode reports, acting by `act(env)`; nothing is done at its start, as in the engine."""
    _, where = env.reset(seed=3, options=options)
    first = True
    sums = {"cost_bp": 0.0, "realised_loss_bp": 0.0, "turnover": 0.0, "log_growth": 0.0, "reward": 0.0}
    over = False
    while not over:
        _, reward, _, over, info = env.step_to(None) if first else act(env)
        first = False
        for key in ("cost_bp", "realised_loss_bp", "turnover"):
            sums[key] += info[key]
        sums["log_growth"] += np.log(info["growth"])
        sums["reward"] += reward
    return where, sums


def test_keeps_the_contract_of_gymnasium_and_stable_baselines3(task):
    from gymnasium.utils.env_checker import check_env

    for action in ("intensity", "tilt"):
        check_env(RebalanceEnv(replaced(task, action=action, lower=np.zeros(task.universe.positions))),
                  skip_render_check=True)  # fmt: skip
    sb3 = pytest.importorskip("stable_baselines3.common.env_checker")
    sb3.check_env(RebalanceEnv(task))
    sb3.check_env(RebalanceEnv(replaced(task, action="band", levels=11)))


POLICIES = [Calendar(EVERY), Band(0.02, 0.02, every=EVERY), Band(0.015, 0.0, every=EVERY), Quadratic(6.0, every=EVERY)]


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
@pytest.mark.parametrize("delay", [1, 3])
def test_a_policy_costs_the_same_as_in_the_engine(task, policy, delay):
    costs = Costs(commission=0.0003, ticket=2.0, impact=0.1)
    task = replaced(task, costs=costs, delay=delay)
    env = RebalanceEnv(task)
    where, sums = totals(env, lambda env: env.follow(policy), path=2, session=270, cost_multiple=1.5, risk_aversion=4.0)
    last = where["session"] + LOOKS * EVERY
    runs = Runs.product([policy], (where["session"] % EVERY,), (1.5,), (delay,), (2,))
    found = simulate(
        task.universe, task.signals, runs, costs=costs, risk_aversion=4.0, first=where["session"], last=last
    ).statistics.iloc[0]
    years = LOOKS * EVERY / 252
    assert sums["turnover"] > 0
    assert sums["cost_bp"] / years == pytest.approx(found["cost_bp"], rel=1e-10)
    assert sums["realised_loss_bp"] / years == pytest.approx(found["tracking_loss_bp"], rel=1e-10)
    assert sums["turnover"] / years == pytest.approx(found["turnover"], rel=1e-10)
    assert costs.wealth * np.exp(sums["log_growth"]) == pytest.approx(found["final_wealth"], rel=1e-12)


@pytest.mark.parametrize(("action", "number", "policy"), [("intensity", 1.0, POLICIES[0]), ("band", -0.6, POLICIES[1])])
def test_actions_are_the_rules_they_name(task, action, number, policy):
    env = RebalanceEnv(replaced(task, action=action, widest_band=0.10))
    acted = totals(env, lambda env: env.step(np.array([number], np.float32)), path=1, session=260)
    followed = totals(env, lambda env: env.follow(policy), path=1, session=260)
    assert acted[1] == pytest.approx(followed[1], rel=1e-5)


def test_doing_nothing_costs_nothing_and_a_tilt_is_held(task):
    env = RebalanceEnv(task)
    _, idle = totals(env, lambda env: env.step(np.array([-1.0])))
    assert idle["cost_bp"] == idle["turnover"] == 0
    tilted = RebalanceEnv(replaced(task, action="tilt", tilt_limit=0.08, delay=0, cost_multiple=(1e-9, 1e-9)))
    tilted.reset(seed=1)
    action = np.zeros(task.universe.positions)
    action[:2] = 1, -1
    tilted.step(action)
    path, session = tilted._batch.path[0], tilted._batch.session[0] - EVERY
    dollars = tilted._batch.units[0] * task.universe.price[path, session]
    assert (dollars / dollars.sum() * task.universe.target.sum())[:2] == pytest.approx(
        task.universe.target[:2] + np.array([0.04, -0.04]), abs=1e-6
    )


def test_compliance_limits_hold_and_their_distance_is_reported(task):
    m = task.universe.positions
    target = task.universe.target_positions
    limited = replaced(task, action="tilt", tilt_limit=0.4, lower=np.maximum(target - 0.03, 0), upper=target + 0.03,
                       delay=0, cost_multiple=(1e-9, 1e-9))  # fmt: skip
    env = RebalanceEnv(limited)
    env.reset(seed=2)
    action = np.where(np.arange(m) == 0, 1.0, -1.0)
    _, _, _, _, info = env.step(action)
    assert info["projection_distance"] > 0.1
    capped = RebalanceEnv(replaced(limited, turnover_cap=0.01))
    capped.reset(seed=2)
    _, _, _, _, info = capped.step(action)
    assert info["turnover"] == pytest.approx(0.01, rel=1e-3)
    free = RebalanceEnv(replaced(task, action="intensity"))
    free.reset(seed=2)
    assert free.step(np.array([0.3]))[4]["projection_distance"] == 0


def test_nothing_after_a_look_is_seen_at_it(task):
    env = RebalanceEnv(task)
    rng = np.random.default_rng(0)
    session = 300
    last = session + 5 * EVERY
    price = task.universe.price.copy()
    price[:, last + 1 :] *= np.exp(rng.normal(0, 0.3, price[:, last + 1 :].shape))
    changed = Universe(**{**vars(task.universe), "price": price})
    other = RebalanceEnv(replaced(task, universe=changed, signals=signals(changed)))
    actions = rng.uniform(-1, 1, (5, 1)).astype(np.float32)
    seen, seen_other = [
        [each.reset(seed=1, options={"path": 0, "session": session})[0]] + [each.step(a)[0] for a in actions]
        for each in (env, other)
    ]
    assert all((a == b).all() for a, b in zip(seen, seen_other))
    assert (env.step(actions[0])[0] != other.step(actions[0])[0]).any()


def test_observations_are_named_one_by_one_and_mean_what_they_say(task):
    env = RebalanceEnv(task)
    env.reset(seed=4, options={"cost_multiple": 2.0, "risk_aversion": 10.0})
    seen, *_ = env.step(np.array([-1.0]))
    names = task.observation_names
    view = env.seen()
    named = dict(zip(names, seen))
    assert len(names) == len(seen) == len(set(names))
    active = view.weight - view.target
    assert seen[: len(active)] == pytest.approx(20 * active, abs=1e-5)
    assert named["risk aversion, in doublings of 5"] == named["cost multiple, in doublings"] == 1
    assert named["tracking loss at these weights, in 10 bp a year"] == pytest.approx(
        1e3 * 0.5 * 10 * active @ view.covariance @ active, rel=1e-5
    )
    assert named["cost of trading to the target, in bp"] == pytest.approx(1e4 * view.cost @ np.abs(active), rel=1e-5)
    assert named["drawdown"] == pytest.approx(view.market[2], rel=1e-6)


def test_rewards_by_name(task):
    def run(reward):
        return totals(RebalanceEnv(replaced(task, reward=reward)), lambda env: env.step(np.array([0.0])), path=0)[1]

    realised, returned = run("realised cost"), run("log return")
    assert realised["reward"] == pytest.approx(-(realised["cost_bp"] + realised["realised_loss_bp"]), rel=1e-9)
    estimated_loss = -run("cost")["reward"] - realised["cost_bp"]
    assert returned["reward"] == pytest.approx(1e4 * returned["log_growth"] - estimated_loss, rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(["intensity", "band", "tilt"]))
def test_money_is_conserved_and_observations_stay_in_their_box(seed, action):
    universe = universe_of((0.4, 0.2, 0.3))
    task = Task(universe, signals(universe), action=action, periods=4, tilt_limit=0.05)
    env = RebalanceEnv(task)
    seen, _ = env.reset(seed=seed)
    wealth = task.costs.wealth
    for _ in range(4):
        seen, reward, terminated, _, info = env.step(env.action_space.sample())
        wealth *= info["growth"]
        held = env._batch.units[0] @ universe.price[info["path"], info["session"]] + env._batch.cash[0]
        assert held == pytest.approx(wealth, rel=1e-12)
        assert env.observation_space.contains(seen)
        assert reward <= 0
        assert not terminated


def test_bad_tasks_and_actions_are_refused(task):
    for change, match in [
        ({"action": "weights"}, "choose one of"), ({"reward": "sharpe"}, "choose cost"), ({"delay": 22}, "next look"),
        ({"cost_multiple": (0.0, 1.0)}, "cost_multiple"), ({"levels": 5, "action": "tilt"}, "one number"),
        ({"upper": np.full(task.universe.positions, 0.1)}, "no portfolio fits"), ({"widest_band": 2.0}, "widest_band"),
        ({"action": "tilt", "tilt_limit": 0.5}, "simplex"),
    ]:  # fmt: skip
        with pytest.raises(ParameterError, match=match):
            replaced(task, **change)
    with pytest.raises(MarketDataError, match="draw longer paths"):
        replaced(task, periods=500)
    price = task.universe.price.copy()
    price[0, 600, 1] = np.nan
    with pytest.raises(MarketDataError, match="asset 2"):
        replaced(task, universe=Universe(**{**vars(task.universe), "price": price}))
    env = RebalanceEnv(task)
    env.reset(seed=1)
    with pytest.raises(ParameterError, match="not finite"):
        env.step(np.array([np.nan]))
    with pytest.raises(ParameterError, match="no option"):
        env.reset(options={"seed": 1})
    with pytest.raises(ParameterError, match="path is 9"):
        env.reset(options={"path": 9})

"""What ordinary reinforcement learning reaches: its gap to the known optimum, and what it claims where nothing is.

    python -m benchmarks.baselines gap --seeds 3 --steps 400000     # about three minutes a seed on one idle thread
    python -m benchmarks.baselines noise --seeds 8

`gap` trains PPO on the intensity action of the reference problem n3_20 and evaluates it on the common paths. `noise`
trains PPO with tilts on eight years of a world in which the past says nothing, and looks at its Sharpe ratio over the
two years that follow, less that of the monthly calendar: every seed has a world of its own,
or all the one of `--world 4`.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace

import numpy as np
from scipy import stats

from benchmarks.environments import build
from workbench.backtest import Universe, block_bootstrap, gbm, known_signals, noise, signals
from workbench.backtest import fixed_target as reference
from workbench.learning import ppo
from workbench.learning.batch_environment import BatchRebalanceEnv
from workbench.learning.environment import RebalanceEnv
from workbench.learning.task import Task

TRAINING, TEST = 8 * 252, 2 * 252


def reference_task(name: str, seed: int, worlds: int = 512) -> Task:
    """A reference problem as an environment: a session is a month, decided and traded at the same close."""
    problem = reference.PROBLEMS[name]
    universe = gbm(
        np.array(problem.drift), problem.covariance, np.array(problem.target), paths=worlds, sessions=145,
        seed=1000 + seed, half_spread=problem.cost, sessions_a_year=12,
    )  # fmt: skip
    return Task(
        universe, known_signals(universe, problem.covariance), every=1, periods=120, delay=0, cost_multiple=(1.0, 1.0),
        risk_aversion=(problem.risk_aversion, problem.risk_aversion), sessions_a_year=12.0,
    )  # fmt: skip


def gap(seed: int, steps: int, learner: ppo.Learner = "ppo", name: str = "n3_20") -> dict[str, float]:
    """Cost of one trained seed in bp a year, and its excess over dynamic programming."""
    from workbench.backtest.dynamic_programming import solve

    network = replace(ppo.train(reference_task(name, seed), seed, steps, learner=learner), every=21)
    cost = reference.evaluate(name, network)
    excess = cost.over(reference.evaluate(name, solve(name)))
    return {"seed": seed, "steps": steps, "bp": cost.mean, "excess": excess.ratio, "error": excess.ratio_error}


def from_noise(seed: int, steps: int = 20_000, world_seed: int | None = None) -> dict[str, float]:
    """Sharpe ratio of one seed over two years of noise, less that of the monthly calendar."""
    from stable_baselines3 import PPO

    world = noise(
        block_bootstrap(replace_paths(build().universe), 1, 3000, 3),
        1,
        TRAINING + TEST,
        100 + seed if world_seed is None else world_seed,
    )
    past = slice_of(world, 0, TRAINING)
    worlds = block_bootstrap(past, 32, 252 + 12 * 21 * 4 + 1, 5)
    settings = {"action": "tilt", "reward": "log return", "tilt_limit": 0.3, "risk_aversion": (0.01, 0.01)}
    limits = {"lower": np.zeros(world.positions), "cost_multiple": (1.0, 1.0)}
    task = Task(worlds, signals(worlds), periods=48, **settings, **limits)  # type: ignore[arg-type]
    with ppo.one_torch_thread():
        model = PPO("MlpPolicy", BatchRebalanceEnv(task, 16, seed), n_steps=64, batch_size=256, gamma=0.99, seed=seed)
        model.learn(steps)
    test = Task(world, signals(world), periods=TEST // 21, **settings, **limits)  # type: ignore[arg-type]
    calendar = sharpe(test, lambda env, seen: env.step_to(env.task.universe.target_positions))
    learned = sharpe(test, lambda env, seen: env.step(model.predict(seen, deterministic=True)[0]))
    return {"seed": seed, "steps": steps, "calendar": calendar, "learned": learned, "gain": learned - calendar}


def sharpe(task: Task, act: object) -> float:
    """Yearly Sharpe ratio of monthly returns over the last two years."""
    env = RebalanceEnv(task)
    seen, _ = env.reset(seed=0, options={"session": len(task.universe.sessions) - 1 - TEST})
    growth, over = [], False
    while not over:
        seen, _, _, over, info = act(env, seen)  # type: ignore[operator]
        growth.append(info["growth"] - 1.0)
    cash = float(np.prod(1.0 + task.universe.cash_return[0, 1:]) ** (21 / (len(task.universe.sessions) - 1)) - 1.0)
    return float(np.sqrt(12) * (np.mean(growth) - cash) / np.std(growth, ddof=1))


def slice_of(universe: Universe, start: int, stop: int) -> Universe:
    return replace(
        universe, sessions=universe.sessions[start:stop], price=universe.price[:, start:stop],
        dividend=universe.dividend[:, start:stop], cash_return=universe.cash_return[:, start:stop],
    )  # fmt: skip


def replace_paths(universe: Universe) -> Universe:
    """The first path as a history."""
    return replace(
        universe, price=universe.price[:1], dividend=universe.dividend[:1], cash_return=universe.cash_return[:1]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["gap", "noise"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--world", type=int, help="seed of one world of noise for all seeds")
    parser.add_argument("--learner", choices=["ppo", "sac"], default="ppo")
    arguments = parser.parse_args()
    figures = []
    for seed in range(1, arguments.seeds + 1):
        if arguments.what == "gap":
            found = gap(seed, arguments.steps or 400_000, arguments.learner)
        else:
            found = from_noise(seed, arguments.steps or 20_000, arguments.world)
        print(json.dumps(found), flush=True)
        figures.append(found["excess" if arguments.what == "gap" else "gain"])
    middle = stats.trim_mean(figures, 0.25)
    form = "+.1%" if arguments.what == "gap" else "+.2f"
    low, high = min(figures), max(figures)
    print(f"{len(figures)} seeds: interquartile mean {middle:{form}}, from {low:{form}} to {high:{form}}")


if __name__ == "__main__":
    main()

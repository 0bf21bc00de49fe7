"""Compiles the kernels once, as part of the set-up, so that the first episode does not wait for it.

    python -m workbench.learning.compile

numba keeps what it compiled beside the source. Nothing but numpy and numba is needed.
"""

from __future__ import annotations

import numpy as np

from workbench.backtest import gbm, known_signals
from workbench.learning import _step
from workbench.learning._layer import adjoint_batch, solve_batch
from workbench.learning.projection import project
from workbench.learning.task import Task


def compile_kernels() -> None:
    """Use every kernel once, on two assets and two episodes."""
    covariance = np.diag([0.03, 0.004])
    universe = gbm(np.array([0.06, 0.02]), covariance, np.array([0.6, 0.4]), paths=1, sessions=30, seed=0)
    task = Task(universe, known_signals(universe, covariance), periods=1)
    world, terms, batch = task.world(), task.terms(), task.batch(2)
    seen, report = np.zeros((2, len(task.observation_names)), np.float32), np.zeros((2, _step.COLUMNS))
    weight = np.empty((2, 2))
    _step.begin(world, terms, batch, np.arange(2), 1.0, seen)
    _step.step(world, terms, batch, np.zeros((2, 1), np.float32), seen, report)
    batch.session[:] = 0
    _step.begin(world, terms, batch, np.arange(2), 1.0, seen)
    _step.weigh(world, batch, weight)
    _step.step_to(world, terms, batch, weight, weight.copy(), np.ones(2, np.bool_), seen, report)
    half = np.full(2, 0.5)
    project(half, half, np.zeros(2), np.ones(2), 0.1)
    weights, risk = np.array([[0.7, 0.3]]), covariance[None].copy()
    wanted = solve_batch(weights, half[None], risk, np.full((1, 2), 1e-3))
    adjoint_batch(weights, half[None], risk, wanted, np.ones((1, 2)))


if __name__ == "__main__":
    compile_kernels()

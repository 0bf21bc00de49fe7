"""Compiles the kernels once, as part of the set-up, so that the first backtest does not wait for it.

    python -m workbench.backtest.compile

numba keeps what it compiled beside the source.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.backtest import _one_step, dynamic_programming, fixed_target
from workbench.backtest.engine import simulate
from workbench.backtest.policies import rules
from workbench.backtest.quadratic import Quadratic
from workbench.backtest.runs import Runs
from workbench.backtest.signals import signals
from workbench.backtest.universe import Costs, Universe


def compile_kernels() -> None:
    """Use every kernel once, on a year and a month of two assets."""
    days = pd.bdate_range("2020-01-01", periods=280)
    price = 100.0 * np.exp(0.01 * np.sin(np.outer(np.arange(280), [1.0, 2.0])))[None]
    universe = Universe(
        name="made up",
        sessions=days,
        assets=("A", "B"),
        price=price,
        dividend=np.zeros_like(price),
        cash_return=np.zeros((1, 280)),
        target=np.array([0.6, 0.4]),
        half_spread=np.full(2, 1e-3),
        daily_value=np.full(2, np.inf),
    )
    made = signals(universe)
    simulate(universe, made, Runs.product(rules()), costs=Costs(ticket=1.0), keep_returns=True)
    compile_optima()


def compile_optima() -> None:
    """Use the kernels of the reference problems once."""
    optimum = dynamic_programming.solve("n2_10", points=21)
    fixed_target.evaluate("n2_10", optimum, paths=2, years=1)
    fixed_target.evaluate("n2_10", Quadratic(1.0), paths=2, years=1)
    weight, target = np.array([[0.8, 0.2]]), np.array([[0.6, 0.4]])
    _one_step.one_step_batch(weight, target, np.eye(2)[None], np.full((1, 2), 1e-3), np.ones(1))


if __name__ == "__main__":
    compile_kernels()

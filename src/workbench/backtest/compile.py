"""Compiles the kernels once, as part of the set-up, so that the first backtest does not wait for it.

    python -m workbench.backtest.compile

numba keeps what it compiled beside the source.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.backtest.engine import simulate
from workbench.backtest.policies import rules
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


if __name__ == "__main__":
    compile_kernels()

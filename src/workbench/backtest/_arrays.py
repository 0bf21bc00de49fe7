"""What goes into the batch engine and comes out of it: the market, the runs, their figures and how they ended."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.backtest.universe import Floats, Ints

#: What is left of a portfolio is nothing below this part of what it began with: rounding leaves cents of cents.
DUST = 1e-12

#: How a run ended.
RAN, NO_WEALTH, UNPAYABLE, OFF_SIMPLEX = range(4)

#: Columns of `Kept.figures`: sums over days and what else statistics are made of.
FIGURES = (
    "net", "net_squared", "excess", "excess_squared", "active", "active_squared", "drawdown", "turnover", "cost",
    "trades", "wealth", "ending", "ended_at",
)  # fmt: skip
(
    NET, NET_SQUARED, EXCESS, EXCESS_SQUARED, ACTIVE, ACTIVE_SQUARED, DRAWDOWN, TURNOVER, COST,
    TRADES, WEALTH, ENDING, ENDED_AT,
) = range(len(FIGURES))  # fmt: skip


class Market(NamedTuple):
    """What all runs share: P paths, T sessions, n assets, m positions; shapes as in `Universe` and `Signals`."""

    price: Floats
    dividend: Floats
    pays: NDArray[np.bool_]  # P x T: whether any asset pays
    cash_return: Floats
    bankrupt_from: Ints  # P x n
    target: Floats  # m
    target_return: Floats  # P x T: of the target held without costs
    covariance: Floats
    covariance_at: Ints
    market: Floats
    asset: Floats
    volatility: Floats  # P x T x n, daily


class Batch(NamedTuple):
    """The runs, in the order in which they are walked; `row` is where each one's results go."""

    path: Ints
    kind: Ints
    every: Ints
    offset: Ints
    delay: Ints
    multiple: Floats
    begin: Ints  # of a run's numbers
    end: Ints
    numbers: Floats
    row: Ints
    block: Ints  # where each block of lanes begins; the last entry is the number of runs


class Kept(NamedTuple):
    """Where results are written: always `figures`; the others only where their flag says so (else of size 0)."""

    figures: Floats  # R x FIGURES
    keep_returns: bool
    returns: Floats  # R x T', net
    keep_paths: bool
    weights: Floats  # R x T' x (n + 1), of wealth after trading, cash last
    trades: Floats  # R x T' x n, fractions of wealth before the day's costs
    costs: Floats  # R x T', the same

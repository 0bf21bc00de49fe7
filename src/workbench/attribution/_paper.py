"""A paper portfolio over sessions: set to its targets on some days, drifting with the market between them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.firm import CASH
from workbench.market import PriceHistory

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


def drift(targets: Floats, in_force: Ints, resets: Flags, returns: Floats) -> tuple[Floats, Flags]:
    """Give beginning weights (T x K) of a portfolio, and what it holds (T x K).

    On each day (T + 1 of them) of `resets` it is set, at the close, to line `in_force[day]` of `targets` (V x K); -1
    is none yet, and the weights are NaN. Between, it drifts with `returns` (T x K) untraded. From a missing return of
    something held on, until the next reset, weights are NaN.
    """
    periods = len(returns)
    weights, held = np.full(returns.shape, np.nan), np.zeros(returns.shape, dtype=bool)
    starts = np.flatnonzero(resets[:periods] & (in_force[:periods] >= 0))
    for start, end in zip(starts, np.append(starts[1:], periods), strict=True):
        target = targets[in_force[start]]
        columns = np.flatnonzero(target)
        grown = np.vstack([np.ones(len(columns)), 1 + returns[start : end - 1, columns]])
        value = target[columns] * np.cumprod(grown, axis=0)
        weights[start:end] = 0.0
        with np.errstate(invalid="ignore", divide="ignore"):  # worth nothing: NaN until it is set anew
            weights[start:end, columns] = value / value.sum(axis=1, keepdims=True)
        held[start:end, columns] = True
    return weights, held


def held_sum(weights: Floats, returns: Floats) -> Floats:
    """Weight times return where something is held: what is not held needs no return, a weight not known has none."""
    return np.asarray(np.where(weights == 0, 0.0, weights * returns))


def grouped(columns: Floats, group: Ints, count: int) -> Floats:
    """Sum the last axis of an array to `count` groups; `group` names each column's."""
    summed = np.zeros((*columns.shape[:-1], count))
    for column, place in enumerate(group):
        summed[..., place] += columns[..., column]
    return summed


def carried_returns(history: PriceHistory, max_age: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give total returns in which a close of up to `max_age` sessions ago stands in for a missing one, and the ages.

    The return is zero while the close is carried, and all of it comes with the next close.
    """
    known = history.close.notna()
    count = np.arange(len(known))[:, None]
    last = pd.DataFrame(np.where(known, count, np.nan), index=known.index, columns=known.columns).ffill()
    age = count - last
    carried = history.close.ffill().where(age <= max_age)
    paid = ((history.close + history.dividend) * history.split_ratio).where(known, carried)
    returns = paid / carried.shift() - 1.0
    if CASH in returns:
        returns[CASH], age[CASH] = 0.0, 0.0
    return returns, age

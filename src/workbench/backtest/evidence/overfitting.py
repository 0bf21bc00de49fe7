"""The probability of backtest overfitting: does the best policy of one half of the history stay good in the other?"""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np
from scipy.stats import rankdata

from workbench.backtest.evidence.result import Overfitting
from workbench.backtest.universe import Floats
from workbench.errors import MarketDataError, ParameterError


def overfitting(values: Floats, *, parts: int = 16, sharpe: bool = True) -> Overfitting:
    """PBO by combinatorially symmetric cross-validation of daily values (T x V; above is better), one column a policy.

    The history is cut into `parts` (even), the oldest odd days left out; of each choice of half of them the best policy
    is ranked in the other half, by Sharpe ratio or else by mean. Raises `ParameterError` for `parts` that are odd or
    above 20 (184,756 splits) or fewer than 2 policies, `MarketDataError` for gaps or fewer than 2 sessions a part.
    Source: Bailey, Borwein, Lopez de Prado and Zhu, The probability of backtest overfitting, J. Comp. Fin. 20 (2017).
    """
    values = np.asarray(values, float)
    if parts not in range(2, 21, 2):
        raise ParameterError(f"parts is {parts}: an even number from 2 to 20 is needed", "parts")
    parts = int(parts)
    if values.ndim != 2 or values.shape[1] < 2:
        raise ParameterError("overfitting is about a choice: at least 2 policies (T x V) are needed", "values")
    length = len(values) // parts
    if length < 2:
        raise MarketDataError(f"{len(values)} sessions: {parts} parts need at least {2 * parts}.")
    if not np.isfinite(values).all():
        raise MarketDataError("a policy has a session without a value: leave no gaps.")
    cut = values[len(values) - parts * length :].reshape(parts, length, -1)
    sums, squares = cut.sum(axis=1), (cut**2).sum(axis=1)
    chosen = np.zeros((comb(parts, parts // 2), parts))
    for row, half in enumerate(combinations(range(parts), parts // 2)):
        chosen[row, list(half)] = 1.0
    inside = _worth(chosen @ sums, chosen @ squares, parts // 2 * length, sharpe)
    outside = _worth((1 - chosen) @ sums, (1 - chosen) @ squares, parts // 2 * length, sharpe)
    best = inside.argmax(axis=1)
    rank = rankdata(outside, axis=1)[np.arange(len(best)), best] / (values.shape[1] + 1)
    logits = np.log(rank / (1 - rank))
    return Overfitting(float((logits <= 0).mean()), logits, parts, values.shape[1])


def _worth(total: Floats, square: Floats, count: int, sharpe: bool) -> Floats:
    """Mean, or Sharpe ratio, from sums over `count` days; a policy that stands still is worth 0."""
    mean = total / count
    if not sharpe:
        return mean
    variance = np.maximum(square / count - mean**2, 0.0)
    return np.divide(mean, np.sqrt(variance), out=np.zeros_like(mean), where=variance > 1e-30)

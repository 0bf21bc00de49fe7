"""In which markets a gain was made: calm or stressed, rising or falling, rates up or down, known the day before."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workbench.backtest.evidence.bootstrap import hac_error
from workbench.backtest.evidence.result import Regime
from workbench.backtest.signals import target_returns, total_returns
from workbench.backtest.universe import Floats, Universe

#: Sessions of volatility, trend, and the change of the cash rate.
VOLATILITY, TREND, RATES = 63, 126, 126
#: A kind of market with fewer sessions says nothing.
LEAST = 63


def kinds(universe: Universe, start: int, stop: int) -> dict[str, NDArray[np.bool_]]:
    """Which sessions (D, of `start` up to `stop`) belong to each kind of market, by data up to the close before.

    Of the target portfolio held daily without costs: "stress" is a 63-session volatility above the median of these
    sessions, else "calm"; "rising" is a positive 126-session return, else "falling". Rates: the average cash return of
    63 sessions against that of the 63 before; left out where cash earns nothing. The median is the only figure of the
    whole period: it labels, it decides nothing.
    """
    returns = target_returns(universe, total_returns(universe))[0]
    at = np.arange(start, stop) - 1
    volatility = _trailing(returns**2, VOLATILITY)[at]
    trend = _trailing(np.log1p(returns), TREND)[at]
    found = {
        "calm": volatility <= np.nanmedian(volatility),
        "stress": volatility > np.nanmedian(volatility),
        "rising": trend > 0,
        "falling": trend <= 0,
    }
    cash = universe.cash_return[0]
    if np.ptp(cash[1:]) > 0:
        mean = _trailing(cash, RATES // 2)
        change = mean[at] - np.where(at >= RATES // 2, mean[at - RATES // 2], np.nan)
        found |= {"rates rising": change > 0, "rates falling": change < 0}
    return found


def by_regime(gain: Floats, found: dict[str, NDArray[np.bool_]]) -> tuple[Regime, ...]:
    """The mean gain (D) on the sessions of each kind, with its HAC error; kinds of under 63 sessions are NaN."""
    rows = []
    for name, inside in found.items():
        count = int(inside.sum())
        if count < LEAST:
            rows.append(Regime(name, count, float("nan"), float("nan")))
            continue
        mean = float(gain[inside].mean())
        influence = np.where(inside, gain - mean, 0.0) / inside.mean()
        error = hac_error(influence[:, None], np.ones(1)) if np.ptp(influence) > 0 else 0.0
        rows.append(Regime(name, count, mean, error))
    return tuple(rows)


def _trailing(values: Floats, window: int) -> Floats:
    """Mean of the last `window` values; NaN before there are as many."""
    out = np.full(len(values), np.nan)
    total = np.concatenate([[0.0], np.cumsum(values)])
    out[window - 1 :] = (total[window:] - total[:-window]) / window
    return out

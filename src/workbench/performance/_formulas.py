"""Formulas of the statistics, over the first axis of arrays, so that one serves a series, a table and its windows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
#: Share of periods in the tail of value at risk, its mean and the tail ratio.
TAIL = 0.05
#: Differences of returns below this are rounding.
_NOISE = 1e-14


@dataclass(frozen=True)
class Sample:
    """Returns (T, ...), and benchmark and rate of the same periods in shapes that broadcast to them."""

    returns: Floats
    benchmark: Floats
    rate: Floats
    periods: int

    @property
    def excess(self) -> Floats:
        return self.returns - self.rate

    @property
    def active(self) -> Floats:
        return self.returns - self.benchmark


def _deviation(values: Floats) -> Floats:
    """Standard deviation, divisor T - 1; exactly zero where what varies is rounding."""
    spread = np.std(values, axis=0, ddof=1)
    return np.where(spread <= _NOISE + 1e-10 * np.abs(values).max(axis=0), 0.0, spread)


def _volatility(sample: Sample) -> Floats:
    return _deviation(sample.returns) * np.sqrt(sample.periods)


def _total(sample: Sample) -> Floats:
    return np.asarray(np.prod(1.0 + sample.returns, axis=0) - 1.0, dtype=np.float64)


def _annual(sample: Sample) -> Floats:
    return (1.0 + _total(sample)) ** (sample.periods / len(sample.returns)) - 1.0


def _downside(sample: Sample) -> Floats:
    below = np.minimum(sample.excess, 0.0)
    below = np.where(below > -_NOISE, 0.0, below)
    return np.sqrt(np.mean(below**2, axis=0)) * np.sqrt(sample.periods)


def _drawdown(sample: Sample) -> Floats:
    wealth = np.cumprod(1.0 + sample.returns, axis=0)
    high = np.maximum(np.maximum.accumulate(wealth, axis=0), 1.0)
    fall = np.minimum((wealth / high - 1.0).min(axis=0), 0.0)
    # What rounding leaves below a high that was reached again is no fall.
    return np.where(fall < -1e-12, fall, 0.0)


def _sharpe(sample: Sample) -> Floats:
    return sample.excess.mean(axis=0) / _deviation(sample.excess) * np.sqrt(sample.periods)


def _sortino(sample: Sample) -> Floats:
    return sample.excess.mean(axis=0) * sample.periods / _downside(sample)


def _beta(sample: Sample) -> Floats:
    market = np.broadcast_to(sample.benchmark - sample.rate, sample.returns.shape)
    off = market - market.mean(axis=0)
    varies = _deviation(market) > 0.0
    beta = (off * (sample.excess - sample.excess.mean(axis=0))).sum(axis=0) / (off**2).sum(axis=0)
    return np.where(varies, beta, np.nan)


def _alpha(sample: Sample) -> Floats:
    market = (sample.benchmark - sample.rate).mean(axis=0)
    return (sample.excess.mean(axis=0) - _beta(sample) * market) * sample.periods


def _treynor(sample: Sample) -> Floats:
    return sample.excess.mean(axis=0) * sample.periods / _beta(sample)


def _tracking_error(sample: Sample) -> Floats:
    return _deviation(sample.active) * np.sqrt(sample.periods)


def _information_ratio(sample: Sample) -> Floats:
    return sample.active.mean(axis=0) / _deviation(sample.active) * np.sqrt(sample.periods)


def _capture(sample: Sample, up: bool) -> Floats:
    there = sample.benchmark > _NOISE if up else sample.benchmark < -_NOISE
    count = there.sum(axis=0)

    def mean_growth(returns: Floats) -> Floats:
        return np.prod(np.where(there, 1.0 + returns, 1.0), axis=0) ** (1.0 / count) - 1.0

    return mean_growth(sample.returns) / mean_growth(sample.benchmark)


def _value_at_risk(sample: Sample) -> Floats:
    return np.quantile(sample.returns, TAIL, axis=0)


def _tail_mean(sample: Sample) -> Floats:
    # Counted rather than compared: a quantile on a return may differ from it by rounding.
    worst = int(TAIL * (len(sample.returns) - 1) + 1e-9) + 1
    return np.sort(sample.returns, axis=0)[:worst].mean(axis=0)


def _moment(sample: Sample, power: int) -> Floats:
    off = sample.returns - sample.returns.mean(axis=0)
    spread = np.where(_deviation(sample.returns) > 0.0, np.sqrt(np.mean(off**2, axis=0)), np.nan)
    return np.mean(off**power, axis=0) / spread**power


def _skewness(sample: Sample) -> Floats:
    count = float(len(sample.returns))
    return _moment(sample, 3) * np.sqrt(count * (count - 1.0)) / (count - 2.0)


def _kurtosis(sample: Sample) -> Floats:
    count = float(len(sample.returns))
    return ((count + 1.0) * (_moment(sample, 4) - 3.0) + 6.0) * (count - 1.0) / ((count - 2.0) * (count - 3.0))


def _omega(sample: Sample) -> Floats:
    losses = np.maximum(-sample.excess, 0.0).sum(axis=0)
    return np.maximum(sample.excess, 0.0).sum(axis=0) / np.where(losses > _NOISE, losses, np.nan)


def _tail_ratio(sample: Sample) -> Floats:
    return np.abs(np.quantile(sample.returns, 1.0 - TAIL, axis=0)) / np.abs(_value_at_risk(sample))


#: The formula of each statistic, by its name in `CONVENTIONS`.
FORMULAS: Mapping[str, Callable[[Sample], Floats]] = {
    "total_return": _total,
    "annual_return": _annual,
    "volatility": _volatility,
    "downside_deviation": _downside,
    "sharpe": _sharpe,
    "sortino": _sortino,
    "max_drawdown": _drawdown,
    "calmar": lambda sample: _annual(sample) / -_drawdown(sample),
    "tracking_error": _tracking_error,
    "information_ratio": _information_ratio,
    "beta": _beta,
    "alpha": _alpha,
    "treynor": _treynor,
    "up_capture": lambda sample: _capture(sample, up=True),
    "down_capture": lambda sample: _capture(sample, up=False),
    "hit_rate": lambda sample: (sample.active > _NOISE).mean(axis=0),
    "positive": lambda sample: (sample.returns > _NOISE).mean(axis=0),
    "value_at_risk": _value_at_risk,
    "expected_shortfall": _tail_mean,
    "skewness": _skewness,
    "kurtosis": _kurtosis,
    "omega": _omega,
    "tail_ratio": _tail_ratio,
}

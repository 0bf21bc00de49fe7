"""How sure a Sharpe ratio is, given its length, its tails, and how many were tried: probabilistic and deflated."""

from __future__ import annotations

import numpy as np
from scipy import stats

from workbench.backtest.evidence.result import DeflatedSharpe
from workbench.backtest.universe import Floats
from workbench.errors import MarketDataError, ParameterError


def probabilistic_sharpe(
    sharpe: float, observations: int, skew: float = 0.0, kurtosis: float = 3.0, benchmark: float = 0.0
) -> float:
    """Probability that the true Sharpe ratio is above `benchmark`; ratios of one period, `kurtosis` 3 is normal.

    Raises `ParameterError` where the moments cannot belong to one series.
    Source: Bailey and Lopez de Prado, The Sharpe ratio efficient frontier, J. Risk 15 (2012), eq. 9.
    """
    spread = _spread(sharpe, skew, kurtosis)
    if observations < 2:
        raise ParameterError(f"{observations} observations: a Sharpe ratio needs 2 or more", "observations")
    return float(stats.norm.cdf((sharpe - benchmark) * np.sqrt(observations - 1) / spread))


def expected_maximum(trials: float, variance: float) -> float:
    """Sharpe ratio to expect of the best of independent trials without skill, whose ratios have this variance.

    Source: Bailey and Lopez de Prado, The deflated Sharpe ratio, J. Portfolio Management 40 (2014), eq. 1.
    """
    if not (trials >= 1 and variance >= 0):
        raise ParameterError(f"{trials} trials with variance {variance}: at least 1 and 0 are needed", "trials")
    if trials == 1:
        return 0.0
    inner = (1 - np.euler_gamma) * stats.norm.ppf(1 - 1 / trials)
    return float(np.sqrt(variance) * (inner + np.euler_gamma * stats.norm.ppf(1 - 1 / (trials * np.e))))


def minimum_track_record(
    sharpe: float, skew: float = 0.0, kurtosis: float = 3.0, benchmark: float = 0.0, confidence: float = 0.95
) -> float:
    """Observations needed until a Sharpe ratio above `benchmark` is believed; infinite where it is not above.

    Source: Bailey and Lopez de Prado (2012), eq. 11.
    """
    if not 0.5 <= confidence < 1.0:
        raise ParameterError(f"confidence is {confidence}: from .5 to below 1", "confidence")
    if sharpe <= benchmark:
        return float("inf")
    return float(1 + (_spread(sharpe, skew, kurtosis) * stats.norm.ppf(confidence) / (sharpe - benchmark)) ** 2)


def deflate(returns: Floats, trials: int, trial_variance: float) -> DeflatedSharpe:
    """Probabilistic and deflated Sharpe ratio of one series (T) that was the best of `trials`.

    `trial_variance` is that of the trials' ratios in the same period. Moments divide by T.
    Raises `MarketDataError` for fewer than 3 returns, gaps, or returns that never change.
    """
    returns = np.asarray(returns, float)
    if len(returns) < 3 or not np.isfinite(returns).all() or np.ptp(returns) == 0:
        raise MarketDataError(f"{len(returns)} returns make no Sharpe ratio: 3 without gaps that change are needed.")
    sharpe = float(returns.mean() / returns.std(ddof=1))
    skew, kurtosis = float(stats.skew(returns)), float(stats.kurtosis(returns, fisher=False))
    threshold = expected_maximum(trials, trial_variance)
    return DeflatedSharpe(
        sharpe=sharpe,
        observations=len(returns),
        skew=skew,
        kurtosis=kurtosis,
        trials=trials,
        trial_variance=trial_variance,
        threshold=threshold,
        probabilistic=probabilistic_sharpe(sharpe, len(returns), skew, kurtosis),
        deflated=probabilistic_sharpe(sharpe, len(returns), skew, kurtosis, threshold),
    )


def _spread(sharpe: float, skew: float, kurtosis: float) -> float:
    """Standard deviation of sqrt(T - 1) x an estimated ratio."""
    variance = 1 - skew * sharpe + (kurtosis - 1) / 4 * sharpe**2
    if not variance > 0:
        raise ParameterError(f"skew {skew} and kurtosis {kurtosis} cannot belong to one series", "kurtosis")
    return float(np.sqrt(variance))

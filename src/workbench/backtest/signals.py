"""What a policy may know of the market at each close: covariance, volatility, correlation, drawdown and trend."""

from __future__ import annotations

import numpy as np
from numba import njit

from workbench.backtest.universe import Floats, Signals, Universe
from workbench.errors import MarketDataError, ParameterError

#: Sessions of a month, half a year and a year, the windows of the features.
SHORT, HALF, LONG = 21, 126, 252
#: A daily variance below this is none: Treasury bills marked at cost, cash, a bankrupt asset.
NO_VARIANCE = 1e-14

MARKET_NAMES = ("volatility_ratio", "correlation", "drawdown", "trend")
ASSET_NAMES = ("volatility_ratio", "volatility", "trend")


def signals(universe: Universe, half_life: int = 126, refresh: int = 5, warm_up: int = LONG) -> Signals:
    """Make the signals of every session from data up to its close and nothing later, once for all runs.

    - covariance (yearly): exponentially weighted products of daily total returns, mean zero, with `half_life` sessions
      (RiskMetrics, J.P. Morgan 1996); a new estimate every `refresh` sessions from session `warm_up` on.
    - market, of the target portfolio set to its target daily without costs: `volatility_ratio` of the last 21 sessions
      to the last 252; `correlation`, the average over pairs of assets that move; `drawdown` from the highest value of
      the last 252 sessions (0 or below); `trend`, the log return of 126 sessions in units of its standard deviation.
    - asset: `volatility_ratio` as above; `volatility`, yearly, of 252 sessions; `trend`, the log return from 252 to 21
      sessions ago in units of its standard deviation (Jegadeesh and Titman 1993 leave the last month out as well).

    An asset that does not move has a ratio of 1 and no trend. Sessions before `warm_up` hold NaN and are not traded.
    Raises `ParameterError` for a warm-up below 252 or a window below 1, `MarketDataError` for too few sessions.
    """
    whole = all(isinstance(value, int | np.integer) for value in (warm_up, refresh))
    if not (whole and warm_up >= LONG and 1 <= half_life < np.inf and refresh >= 1):
        raise ParameterError(
            f"warm_up must be {LONG} whole sessions or more (is {warm_up}), half_life ({half_life}) and refresh "
            f"({refresh}, whole) 1 or more",
            "warm_up",
        )
    sessions = len(universe.sessions)
    if sessions < warm_up + 2:
        raise MarketDataError(
            f"{universe.name} has {sessions} sessions; signals need {warm_up} before the first day that can be traded "
            f"and two more: load at least {warm_up + 2}, or shorten warm_up (not below {LONG})"
        )
    returns = total_returns(universe)
    at = np.arange(sessions)
    covariance_at = np.where(at < warm_up, -1, (at - warm_up) // refresh)
    covariance = _covariances(returns, 0.5 ** (1.0 / half_life), refresh, warm_up) * LONG
    market = _market(target_returns(universe, returns), covariance, covariance_at)
    asset = _asset(returns)
    market[:, :warm_up] = np.nan
    asset[:, :warm_up] = np.nan
    return Signals(covariance, covariance_at, market, MARKET_NAMES, asset, ASSET_NAMES, warm_up)


def total_returns(universe: Universe) -> Floats:
    """Daily returns with dividends (P x T x n); the first session's are 0, and so are those after a bankruptcy."""
    before, now = universe.price[:, :-1], universe.price[:, 1:] + universe.dividend[:, 1:]
    returns = np.zeros_like(universe.price)
    np.divide(now, before, out=returns[:, 1:], where=before > 0.0)
    returns[:, 1:][before > 0.0] -= 1.0
    return returns


def target_returns(universe: Universe, returns: Floats) -> Floats:
    """Daily returns (P x T) of the portfolio set to its target at every close without costs."""
    assets = len(universe.assets)
    goal = np.broadcast_to(universe.target_positions, (*returns.shape[:2], universe.positions))
    if (universe.price == 0.0).any():
        goal = goal.copy()
        goal[..., :assets][universe.price == 0.0] = 0.0
        total = goal.sum(axis=2, keepdims=True)
        goal = np.divide(goal, total, out=np.zeros_like(goal), where=total > 0.0)
    earned = np.zeros(returns.shape[:2])
    earned[:, 1:] = (goal[:, :-1, :assets] * returns[:, 1:]).sum(axis=2)
    if universe.with_cash:
        earned[:, 1:] += goal[:, :-1, assets] * universe.cash_return[:, 1:]
    return earned


def daily_volatility(signals: Signals) -> Floats:
    """Daily volatility of each asset (P x T x n), by which the square-root law scales impact."""
    if "volatility" not in signals.asset_names:
        raise ParameterError("costs with impact need the asset signal 'volatility'; make it with signals()", "signals")
    yearly = signals.asset[:, :, signals.asset_names.index("volatility")]
    return np.ascontiguousarray(yearly / np.sqrt(LONG))


@njit(cache=True)
def _covariances(returns: Floats, decay: float, refresh: int, warm_up: int) -> Floats:
    """Exponentially weighted second moments (P x M x n x n, daily), one every `refresh` sessions."""
    paths, sessions, assets = returns.shape
    kept = np.empty((paths, (sessions - 1 - warm_up) // refresh + 1, assets, assets))
    moment = np.empty((assets, assets))
    for path in range(paths):
        moment[:] = 0.0
        weight = 0.0
        for t in range(1, sessions):
            weight = decay * weight + 1.0
            for i in range(assets):
                for j in range(i + 1):
                    moment[i, j] = decay * moment[i, j] + returns[path, t, i] * returns[path, t, j]
            if t >= warm_up and (t - warm_up) % refresh == 0:
                made = kept[path, (t - warm_up) // refresh]
                for i in range(assets):
                    for j in range(i + 1):
                        made[i, j] = moment[i, j] / weight
                        made[j, i] = made[i, j]
    return kept


def _market(earned: Floats, covariance: Floats, covariance_at: Floats) -> Floats:
    paths, sessions = earned.shape
    market = np.full((paths, sessions, len(MARKET_NAMES)), np.nan)
    long = _deviation(earned, LONG)
    market[..., 0] = _ratio(_deviation(earned, SHORT), long)
    known = covariance_at >= 0
    market[:, known, 1] = _average_correlation(covariance)[:, covariance_at[known]]
    level = np.cumsum(np.log1p(np.maximum(earned, -1.0 + 1e-12)), axis=1)
    market[..., 2] = np.expm1(level - _highest(level, LONG))
    market[..., 3] = _trend(level, 0, HALF, long)
    return market


def _asset(returns: Floats) -> Floats:
    paths, sessions, assets = returns.shape
    asset = np.full((paths, sessions, len(ASSET_NAMES), assets), np.nan)
    level = np.cumsum(np.log1p(np.maximum(returns, -1.0 + 1e-12)), axis=1)
    long = _deviation(returns, LONG)
    asset[:, :, 0] = _ratio(_deviation(returns, SHORT), long)
    asset[:, :, 1] = long * np.sqrt(LONG)
    asset[:, :, 2] = _trend(level, SHORT, LONG, long)
    return asset


def _deviation(returns: Floats, window: int) -> Floats:
    """Standard deviation of the last `window` daily returns, exactly 0 for what does not move (axis 1 is time)."""
    out = np.full_like(returns, np.nan)
    total, squares = np.cumsum(returns, axis=1), np.cumsum(returns**2, axis=1)
    # The first session has no return: windows end at `window` at the earliest.
    mean = (total[:, window:] - total[:, :-window]) / window
    variance = ((squares[:, window:] - squares[:, :-window]) - window * mean**2) / (window - 1)
    out[:, window:] = np.sqrt(np.where(variance > NO_VARIANCE, variance, 0.0))
    return out


def _ratio(short: Floats, long: Floats) -> Floats:
    ratio = np.divide(short, long, out=np.ones_like(short), where=long > 0.0)
    ratio[np.isnan(short) | np.isnan(long)] = np.nan
    return ratio


def _trend(level: Floats, skip: int, back: int, deviation: Floats) -> Floats:
    """Log return from `back` to `skip` sessions ago in units of the standard deviation of that many sessions."""
    change = np.full_like(level, np.nan)
    change[:, back:] = level[:, back - skip : level.shape[1] - skip] - level[:, : level.shape[1] - back]
    spread = deviation * np.sqrt(back - skip)
    trend = np.divide(change, spread, out=np.zeros_like(change), where=spread > 0.0)
    trend[np.isnan(change) | np.isnan(deviation)] = np.nan
    return trend


@njit(cache=True)
def _highest(level: Floats, window: int) -> Floats:
    """Highest of the last `window` sessions and today (P x T), by a queue of falling candidates."""
    paths, sessions = level.shape
    high = np.empty_like(level)
    queue = np.empty(sessions, np.int64)
    for path in range(paths):
        head, tail = 0, 0
        for t in range(sessions):
            while tail > head and level[path, queue[tail - 1]] <= level[path, t]:
                tail -= 1
            queue[tail] = t
            tail += 1
            if queue[head] < t - window + 1:
                head += 1
            high[path, t] = level[path, queue[head]]
    return high


def _average_correlation(covariance: Floats) -> Floats:
    """Average correlation over pairs of assets that move (P x M); 0 where there are not two."""
    deviation = np.sqrt(np.diagonal(covariance, axis1=2, axis2=3))
    moves = deviation > np.sqrt(LONG * NO_VARIANCE)
    scaled = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=moves)
    correlation = covariance * scaled[..., :, None] * scaled[..., None, :]
    count = moves.sum(axis=2)
    pairs = count * (count - 1.0)
    total = correlation.sum(axis=(2, 3)) - count
    return np.divide(total, pairs, out=np.zeros_like(pairs), where=pairs > 0)

"""Made-up worlds to train and to test policies on: bootstrapped histories, Brownian prices, noise, a planted signal."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.backtest.universe import Floats, Signals, Universe
from workbench.errors import MarketDataError, ParameterError

Seed = int | np.random.Generator


def block_bootstrap(universe: Universe, paths: int, sessions: int, seed: Seed, block: float = 63) -> Universe:
    """Histories that could have been: whole days of `universe` drawn in blocks, all assets and cash together.

    The stationary bootstrap: a block starts on any day, goes on around the end of the history, and has a geometric
    length of `block` sessions on average, so that what assets do on one day stays together and what follows within
    weeks mostly does. `sessions` closes a path; prices start at the history's first close. Dividends keep their yield
    on the close before. Nothing that never happened in the history can happen here.

    Raises `ParameterError` for counts below 1 or more than one path of history, `MarketDataError` for a bankrupt asset.
    Source: Politis and Romano, The stationary bootstrap, JASA 89 (1994).
    """
    growth, income, cash = _days(universe, paths, sessions)
    if block < 1:
        raise ParameterError(f"block is {block}: blocks last 1 session or more on average", "block")
    days = stationary_days(len(growth), paths, sessions - 1, block, np.random.default_rng(seed))
    return _world(universe, growth[days], income[days], cash[days], f"{universe.name}, blocks of {block:g} sessions")


def noise(universe: Universe, paths: int, sessions: int, seed: Seed) -> Universe:
    """A world where the past says nothing: days drawn one by one, every asset with the mean of all of them.

    Fat tails, volatilities and correlations stay, so that whoever claims a skill here has found chance. A policy that
    lowers risk or cost without a forecast may still do so. Raises as `block_bootstrap`.
    """
    growth, income, cash = _days(universe, paths, sessions)
    total = growth + income
    growth = growth + (total.mean() - total.mean(axis=0))
    days = stationary_days(len(growth), paths, sessions - 1, 1, np.random.default_rng(seed))
    return _world(universe, growth[days], income[days], cash[days], f"{universe.name}, noise")


def planted(
    universe: Universe, paths: int, sessions: int, seed: Seed, *, strength: float = 1.5, half_life: float = 252
) -> Universe:
    """The noise world with one thing to find: each asset's drift wanders slowly, so that its trend tells of tomorrow.

    `strength` is the standard deviation of the drift as a yearly Sharpe ratio (0 is the noise world), `half_life` the
    sessions in which a drift loses half of itself. An honest procedure must find it. Raises as `block_bootstrap`.
    """
    if strength < 0 or half_life <= 0:
        raise ParameterError(f"strength {strength} must be 0 or more and half_life {half_life} positive", "strength")
    growth, income, cash = _days(universe, paths, sessions)
    total = growth + income
    growth = growth + (total.mean() - total.mean(axis=0))
    rng = np.random.default_rng(seed)
    days = stationary_days(len(growth), paths, sessions - 1, 1, rng)
    drift = strength * _wandering(rng, (paths, sessions - 1, growth.shape[1]), half_life)
    daily = drift * total.std(axis=0) / np.sqrt(252)
    return _world(
        universe, np.maximum(growth[days] + daily, 1e-6), income[days], cash[days], f"{universe.name}, planted trends"
    )


def gbm(
    mean: Floats,
    covariance: Floats,
    target: Floats,
    *,
    paths: int,
    sessions: int,
    seed: Seed,
    half_spread: float | Floats = 0.001,
    cash_rate: float = 0.0,
    sessions_a_year: int = 252,
    name: str = "Brownian prices",
) -> Universe:
    """Geometric Brownian prices: yearly `mean` (n, of simple returns) and `covariance` (n x n, of log returns).

    With `sessions_a_year` 12 a session is a month. Prices start at 100; cash earns `cash_rate` a year.
    Raises `ParameterError` where sizes differ, counts are below 1, or the covariance is not one.
    """
    mean, covariance, target = (np.asarray(values, float) for values in (mean, covariance, target))
    n = len(mean)
    if covariance.shape != (n, n) or target.shape != (n,):
        raise ParameterError(f"{n} means need a covariance of {n} x {n} and {n} targets", "covariance")
    if not np.allclose(covariance, covariance.T) or np.linalg.eigvalsh(covariance).min() < -1e-12:
        raise ParameterError("covariance is not symmetric and positive semi-definite", "covariance")
    _check_counts(paths, sessions)
    step = 1.0 / sessions_a_year
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    shock = np.random.default_rng(seed).standard_normal((paths, sessions - 1, n)) @ root.T
    log_price = np.zeros((paths, sessions, n))
    np.cumsum((mean - 0.5 * np.diag(covariance)) * step + np.sqrt(step) * shock, axis=1, out=log_price[:, 1:])
    cash = np.full((paths, sessions), (1.0 + cash_rate) ** step - 1.0)
    cash[:, 0] = 0.0
    return Universe(
        name=name,
        sessions=pd.bdate_range("2000-01-03", periods=sessions, freq={12: "BME", 252: "B"}.get(sessions_a_year, "D")),
        assets=tuple(f"asset {i + 1}" for i in range(n)),
        price=100.0 * np.exp(log_price),
        dividend=np.zeros((paths, sessions, n)),
        cash_return=cash,
        target=target,
        half_spread=np.broadcast_to(np.asarray(half_spread, float), n).copy(),
        daily_value=np.full(n, np.inf),
        source="simulated: geometric Brownian motion",
        survivorship="none: simulated",
    )


def known_signals(universe: Universe, covariance: Floats) -> Signals:
    """Signals of a world whose yearly covariance (n x n) is known and never changes; no features besides."""
    paths, sessions, n = universe.price.shape
    covariance = np.asarray(covariance, float)
    if covariance.shape != (n, n):
        raise ParameterError(f"{universe.name}: {n} assets need a covariance of {n} x {n}", "covariance")
    return Signals(
        covariance=np.ascontiguousarray(np.broadcast_to(covariance, (paths, 1, n, n))),
        covariance_at=np.zeros(sessions, np.int64),
        market=np.zeros((paths, sessions, 0)),
        market_names=(),
        asset=np.zeros((paths, sessions, 0, n)),
        asset_names=(),
        first=0,
    )


def stationary_days(
    length: int, paths: int, sessions: int, block: float, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Positions (paths x sessions) in a history of `length` days: blocks of geometric length around a circle."""
    days = np.empty((paths, sessions), np.int64)
    starts = rng.integers(length, size=(paths, sessions))
    new = rng.random((paths, sessions)) < 1.0 / block
    if sessions:
        days[:, 0] = starts[:, 0]
    for t in range(1, sessions):
        days[:, t] = np.where(new[:, t], starts[:, t], (days[:, t - 1] + 1) % length)
    return days


def _days(universe: Universe, paths: int, sessions: int) -> tuple[Floats, Floats, Floats]:
    """Price relatives and dividend yields on the close before (T-1 x n), and cash returns (T-1), of a history."""
    _check_counts(paths, sessions)
    if universe.paths != 1:
        raise ParameterError(
            f"{universe.name} has {universe.paths} paths: worlds are drawn from one history", "universe"
        )
    price = universe.price[0]
    if len(price) < 2:
        raise MarketDataError(f"{universe.name} has {len(price)} sessions: at least 2 are needed to draw days from.")
    if not (np.isfinite(price).all() and (price > 0).all()):
        bad = universe.assets[int(np.argmin((np.isfinite(price) & (price > 0)).all(axis=0)))]
        raise MarketDataError(
            f"{bad} of {universe.name} has a price that is missing or not positive: leave it out of made-up worlds."
        )
    return price[1:] / price[:-1], universe.dividend[0][1:] / price[:-1], universe.cash_return[0][1:]


def _wandering(rng: np.random.Generator, shape: tuple[int, ...], half_life: float) -> Floats:
    """Unit-variance AR(1) along the second axis, started from its stationary law."""
    decay = 0.5 ** (1.0 / half_life)
    shock = rng.standard_normal(shape)
    for t in range(1, shape[1]):
        shock[:, t] = decay * shock[:, t - 1] + np.sqrt(1.0 - decay**2) * shock[:, t]
    return shock


def _world(universe: Universe, growth: Floats, income: Floats, cash: Floats, name: str) -> Universe:
    """Prices from relatives (P x T-1 x n), started at the history's first closes."""
    paths, steps, n = growth.shape
    price = np.empty((paths, steps + 1, n))
    price[:, 0] = universe.price[0, 0]
    price[:, 1:] = universe.price[0, 0] * np.cumprod(growth, axis=1)
    dividend = np.zeros_like(price)
    dividend[:, 1:] = income * price[:, :-1]
    cash_return = np.zeros((paths, steps + 1))
    cash_return[:, 1:] = cash
    return Universe(
        name=name,
        sessions=pd.bdate_range(universe.sessions[0], periods=steps + 1),
        assets=universe.assets,
        price=price,
        dividend=dividend,
        cash_return=cash_return,
        target=universe.target,
        half_spread=universe.half_spread,
        daily_value=universe.daily_value,
        source=f"simulated from {universe.source or universe.name}",
        survivorship=universe.survivorship,
    )


def _check_counts(paths: int, sessions: int) -> None:
    if paths < 1 or sessions < 2:
        raise ParameterError(f"{paths} paths of {sessions} sessions: at least 1 path of 2 is needed", "paths")

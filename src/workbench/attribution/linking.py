"""Linking: effects of single periods turned into ones that add up to the compounded excess return."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from workbench.errors import ParameterError

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Method = Literal["carino", "menchero", "frongello"]
METHODS: tuple[Method, ...] = get_args(Method)


@dataclass(frozen=True, eq=False)
class Linked:
    """Effects over several periods and what they leave unexplained.

    `effects` (N x K; from `cumulative` N x T x K) are fractions of the value at the start; `portfolio` and `benchmark`
    are the compounded returns, and `residual` is their difference less the sum of the effects, zero to rounding where
    the rows of every period sum to that period's excess. `factors` (N x T) multiplied each period's rows; `cumulative`
    has none, because they change with the horizon. Without accounts (T x K rows) every leading axis is gone.
    """

    effects: Floats
    portfolio: Floats
    benchmark: Floats
    residual: Floats
    factors: Floats | None = None

    @property
    def excess(self) -> Floats:
        """Compounded portfolio return less compounded benchmark return."""
        return self.portfolio - self.benchmark


def link(
    rows: ArrayLike,
    portfolio: ArrayLike,
    benchmark: ArrayLike,
    method: Method = "carino",
    *,
    present: ArrayLike | None = None,
) -> Linked:
    """Link K effects over T periods so that they sum to the compounded excess return.

    `rows` is (T, K) or (N, T, K), `portfolio` and `benchmark` are simple returns (T) or (N, T); a benchmark of (T) is
    everyone's. `present` (N, T) says in which periods an account existed: the others are left out, whatever they
    hold. Without it a NaN is an error.

    - "carino": period t's rows times k_t / K, k = (ln(1 + R) - ln(1 + B)) / (R - B), or 1 / (1 + R) where both are
      equal; K is the same of the compounded returns. Carino, "Combining Attribution Effects Over Time", J. of
      Performance Measurement, Summer 1999.
    - "menchero": M + a_t, M the average that fits were all periods alike, a_t proportional to the period's excess and
      as small as they can be. Menchero, "An Optimized Approach to Linking Attribution Effects Over Time", J. of
      Performance Measurement, Fall 2000.
    - "frongello": the rows grow with the portfolio before t and with the benchmark after it; the effects of a shorter
      horizon never change. Frongello, "Linking Single Period Attribution Results", J. of Performance Measurement,
      Spring 2002; the same as GRAP's (Paris, 1997).

    Raises `ParameterError` for shapes that differ, numbers that are not finite, and returns that the method cannot
    take: Carino's needs both above -100 %, Menchero's the portfolio at or above it; Frongello's takes any.
    """
    effects, returns = _inputs(rows, portfolio, benchmark, present, method)
    factors = linking_factors(returns, method)
    linked = np.einsum("nt,ntk->nk", factors, effects)
    compounded, against = (np.prod(1 + side, axis=1) - 1 for side in (returns.portfolio, returns.benchmark))
    residual = compounded - against - linked.sum(axis=1)
    return _shaped(np.ndim(rows) == 2, linked, compounded, against, residual, factors)


def cumulative(
    rows: ArrayLike,
    portfolio: ArrayLike,
    benchmark: ArrayLike,
    method: Method = "carino",
    *,
    present: ArrayLike | None = None,
) -> Linked:
    """The same up to each period: row t of the result sums to the excess compounded over periods 0..t.

    Arguments and errors are those of `link`, and the last period equals it. Carino's and Menchero's factors depend on
    the horizon, so that every row is the linking of its own horizon (from running sums, T steps in all) and history
    shifts as periods are added. Frongello's is incremental: a figure once reported stays.
    """
    effects, returns = _inputs(rows, portfolio, benchmark, present, method)
    growth: Floats = np.cumprod(1 + returns.portfolio, axis=1, dtype=np.float64)
    growth_benchmark: Floats = np.cumprod(1 + returns.benchmark, axis=1, dtype=np.float64)
    if method == "frongello":
        linked = _frongello_cumulative(effects, returns, growth)
    elif method == "carino":
        period, horizon = _carino(returns)
        linked = np.cumsum(period[..., None] * effects, axis=1) * horizon[..., None]
    else:
        average, slope = _menchero(returns)
        linked = np.cumsum(effects, axis=1) * average[..., None]
        linked += np.cumsum(returns.excess[..., None] * effects, axis=1) * slope[..., None]
    residual = growth - growth_benchmark - linked.sum(axis=2)
    return _shaped(np.ndim(rows) == 2, linked, growth - 1, growth_benchmark - 1, residual, None)


@dataclass(frozen=True, eq=False)
class Returns:
    """Returns of every period (N x T), zero where the account did not exist, and the periods it did up to each."""

    portfolio: Floats
    benchmark: Floats
    periods: NDArray[np.int64]

    @property
    def excess(self) -> Floats:
        """Portfolio less benchmark (N x T)."""
        return self.portfolio - self.benchmark


def linking_factors(returns: Returns, method: Method) -> Floats:
    """Give the factor (N x T) that each period's effects are multiplied by over the whole horizon."""
    if method == "carino":
        period, horizon = _carino(returns)
        return np.asarray(period * horizon[:, -1:])
    if method == "menchero":
        average, slope = _menchero(returns)
        return np.asarray(average[:, -1:] + slope[:, -1:] * returns.excess)
    before, after = np.ones_like(returns.portfolio), np.ones_like(returns.portfolio)
    np.cumprod(1 + returns.portfolio[:, :-1], axis=1, out=before[:, 1:])
    after[:, :-1] = np.cumprod(1 + returns.benchmark[:, :0:-1], axis=1)[:, ::-1]
    return before * after


def _carino(returns: Returns) -> tuple[Floats, Floats]:
    """Give k_t of each period and 1 / K of each horizon.

    With x = (R - B) / (1 + B), k = log1p(x) / x / (1 + B) and 1 / K = (1 + B) expm1(D) / D, D the sum of log1p(x): no
    difference of nearly equal logarithms is taken, so that equal returns are a limit and no special case.
    """
    growth = 1 + returns.benchmark
    ratio = returns.excess / growth
    log = np.log1p(ratio)
    period = _or_one(log, ratio) / growth
    total = np.cumsum(log, axis=1)
    horizon = np.cumprod(growth, axis=1) * _or_one(np.expm1(total), total)
    return period, horizon


def _menchero(returns: Returns) -> tuple[Floats, Floats]:
    """Give M of each horizon and the slope that period t's excess is multiplied by to give a_t.

    M = ((R - B) / T) / ((1 + R)^(1/T) - (1 + B)^(1/T)), the compounded returns' limit (1 + R)^((T - 1)/T) where they
    are equal; slope = (R - B - M sum of excess) / (sum of squared excess), zero where no period has an excess.
    """
    excess = returns.excess
    growth = np.cumprod(1 + returns.benchmark, axis=1, dtype=np.float64)
    with np.errstate(divide="ignore"):  # a total loss is ln 0 = -inf, whose expm1 is exact
        total = np.cumsum(np.log1p(excess / (1 + returns.benchmark)), axis=1)
    periods = np.maximum(returns.periods, 1)
    average = growth ** (1 - 1 / periods) * _or_one(np.expm1(total), periods * np.expm1(total / periods))
    squares = np.cumsum(excess**2, axis=1)
    rest = growth * np.expm1(total) - average * np.cumsum(excess, axis=1)
    slope = np.divide(rest, squares, out=np.zeros_like(rest), where=squares > 0)
    return average, slope


def _frongello_cumulative(effects: Floats, returns: Returns, growth: Floats) -> Floats:
    """C_t = C_(t-1) (1 + B_t) + rows_t times the portfolio's growth before t."""
    linked = np.empty_like(effects)
    linked[:, 0] = effects[:, 0]
    for t in range(1, effects.shape[1]):
        linked[:, t] = linked[:, t - 1] * (1 + returns.benchmark[:, t, None]) + effects[:, t] * growth[:, t - 1, None]
    return linked


def _or_one(numerator: Floats, denominator: Floats) -> Floats:
    """Divide; 0 / 0 is 1, the limit of log1p(x) / x, expm1(x) / x and their like."""
    return np.divide(numerator, denominator, out=np.ones_like(numerator), where=denominator != 0)


def _inputs(
    rows: ArrayLike, portfolio: ArrayLike, benchmark: ArrayLike, present: ArrayLike | None, method: str
) -> tuple[Floats, Returns]:
    """Check the arguments of `link` and give rows (N x T x K) and returns, periods left out as zeros."""
    effects = np.asarray(rows, dtype=np.float64)
    if effects.ndim not in (2, 3):
        raise ParameterError(f"rows has {effects.ndim} axes; give periods x effects or accounts x ...", "rows")
    effects = effects if effects.ndim == 3 else effects[None]
    sides = {"portfolio": portfolio, "benchmark": benchmark}
    arrays = {name: as_accounts(side, effects.shape[:2], name) for name, side in sides.items()}
    here = None if present is None else np.asarray(as_accounts(present, effects.shape[:2], "present"), dtype=bool)
    if here is not None and not here.all():
        effects = np.where(here[..., None], effects, 0.0)
        arrays = {name: np.where(here, side, 0.0) for name, side in arrays.items()}
    for name, array in {"rows": effects, **arrays}.items():
        if not np.isfinite(array).all():
            n, t = np.argwhere(~np.isfinite(array))[0][:2]
            raise ParameterError(
                f"{name} of account {n}, period {t} is not a finite number; mark periods without the account in "
                "present, or correct it",
                name,
            )
    return effects, checked_returns(arrays["portfolio"], arrays["benchmark"], method, here)


def as_accounts(side: ArrayLike, shape: tuple[int, ...], name: str) -> Floats:
    """Bring returns of (T) or (N, T) to (N, T); `ParameterError` where accounts or periods differ from the rows'."""
    array = np.asarray(side, dtype=np.float64)
    if array.shape not in (shape, shape[1:]):
        raise ParameterError(
            f"{name} has shape {array.shape} where rows have {shape[0]} account(s) of {shape[1]} period(s); "
            "give the same periods for both",
            name,
        )
    return np.broadcast_to(array, shape)


def checked_returns(
    portfolio: Floats,
    benchmark: Floats,
    method: str,
    present: Flags | None = None,
    accounts: Sequence[object] | pd.Index | None = None,
    periods: Sequence[object] | pd.Index | None = None,
) -> Returns:
    """Refuse an unknown method, no period at all, and returns that the method cannot take; labels name the culprit."""
    if method not in METHODS:
        raise ParameterError(f"linking {method!r} is unknown; use one of {', '.join(METHODS)}", "method")
    n, t = portfolio.shape
    if t == 0:
        raise ParameterError("there is no period to link; give one or more", "rows")
    if method != "frongello":
        lost = portfolio < -1 if method == "menchero" else portfolio <= -1
        for side, name, bad in ((portfolio, "portfolio", lost), (benchmark, "benchmark", benchmark <= -1)):
            if bad.any():
                row, column = np.argwhere(bad)[0]
                account = row if accounts is None else accounts[row]
                period = column if periods is None else periods[column]
                raise ParameterError(
                    f"{name} return of account {account}, period {period} is {side[row, column]:.6g}: "
                    f'"{method}" needs it above -100 %; use "frongello", or end the account\'s periods before it',
                    name,
                )
    here = np.ones((n, t), dtype=bool) if present is None else present
    return Returns(portfolio, benchmark, np.cumsum(here, axis=1, dtype=np.int64))


def _shaped(
    single: bool, effects: Floats, portfolio: Floats, benchmark: Floats, residual: Floats, factors: Floats | None
) -> Linked:
    """Drop the axis of accounts where the caller gave none."""
    if not single:
        return Linked(effects, portfolio, benchmark, residual, factors)
    return Linked(effects[0], portfolio[0], benchmark[0], residual[0], None if factors is None else factors[0])

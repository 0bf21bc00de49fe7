"""Money-weighted returns: the one rate at which what clients paid in grew to what they have, their timing included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from workbench.errors import ParameterError
from workbench.performance.returns import Timing

Floats = NDArray[np.float64]
#: Days of a year in the discounting of dated amounts, as spreadsheets' XIRR has it.
DAYS_A_YEAR = 365.0
#: Roots are looked for where the whole period multiplies money by e^-40 to e^40.
_GRID = np.linspace(-40.0, 40.0, 4001)
#: A balance smaller than this, of the amounts it is made of, is zero.
_ROUNDING = 1e-12


class NoRateError(ParameterError):
    """No rate makes the amounts worth nothing together: all have one sign, or they never balance."""


class SeveralRatesError(ParameterError):
    """Several rates solve the equation, so none of them is the return; `rates` holds them, lowest first.

    They are rates a year, or over the whole time where that is under a year.
    """

    def __init__(self, message: str, rates: Sequence[float]) -> None:
        super().__init__(message, "amounts")
        self.rates = tuple(rates)


@dataclass(frozen=True)
class MoneyWeighted:
    """A money-weighted return: over the whole time (`holding_period`) and, where that is a year or more, `annual`.

    `per_period` is the rate a period where amounts were given a period apart, None where they had dates. `years` is
    the time from the first amount to the last.
    """

    holding_period: float
    annual: float | None
    per_period: float | None
    years: float


def money_weighted(
    amounts: ArrayLike, dates: Sequence[object] | pd.DatetimeIndex | None = None, years_per_period: float = 1.0
) -> MoneyWeighted:
    """Internal rate of return of what an investor paid (negative) and got (positive), the final value last.

    With `dates` (any order) years are actual days / 365; without them the amounts are `years_per_period` apart. The
    rate a year solves sum a_k (1 + r)^-t_k = 0 and is the only one above -100 % that does.

    Raises `NoRateError` where no rate exists, `SeveralRatesError` with all of them where it is not unique, and
    `ParameterError` for amounts that are missing. Source: GIPS 2020, section 2; uniqueness by Soper
    (1959), and where his condition fails by looking for every root.
    """
    amount, years = _ordered(amounts, dates, years_per_period)
    if not ((amount > 0).any() and (amount < 0).any()):
        what = "every amount is zero" if not amount.any() else "all amounts have the same sign"
        raise NoRateError(f"{what}: a rate of return needs money paid in and money, or a value, got out", "amounts")
    span = float(years[-1])
    if span == 0.0:
        raise NoRateError("all amounts are of one day: no time passed in which to earn", "dates")
    share = years / span
    growth = _solve(amount, share, span, None if dates is not None else round(span / years_per_period))
    return MoneyWeighted(
        holding_period=growth - 1.0,
        annual=growth ** (1.0 / span) - 1.0 if span >= 1.0 else None,
        per_period=growth ** (years_per_period / span) - 1.0 if dates is None else None,
        years=span,
    )


def account_money_weighted(
    value: ArrayLike, flow: ArrayLike, sessions: pd.DatetimeIndex, timing: Timing = "end"
) -> pd.DataFrame:
    """Money-weighted return of each account: first value in, flows at their dates, last value out.

    `value` (N, T+1) and `flow` (N, T) as in `time_weighted`, `sessions` the T + 1 closes; a flow at the start of its
    day is dated the close before. One row an account with `holding_period`, `annual` (missing under a year), `years`
    and `reason`, which says why there is no rate and is "" where there is one. An account's time runs from its first
    money to its last.
    """
    values, flows = np.asarray(value, dtype=np.float64), np.asarray(flow, dtype=np.float64)
    if values.ndim != 2 or values.shape != (len(flows), len(sessions)) or flows.shape[1] != len(sessions) - 1:
        message = f"value has shape {values.shape}, flow {flows.shape} and there are {len(sessions)} sessions"
        raise ParameterError(f"{message}: (N, T+1), (N, T) and T+1 are needed", "value")
    amounts = np.zeros_like(values)
    amounts[:, 0] -= values[:, 0]
    amounts[:, -1] += values[:, -1]
    dated = slice(1, None) if timing == "end" else slice(None, -1)
    amounts[:, dated] -= flows
    rows = [_of_account(row, sessions) for row in amounts]
    return pd.DataFrame(rows, columns=["holding_period", "annual", "years", "reason"])


def _of_account(amounts: Floats, sessions: pd.DatetimeIndex) -> tuple[float, float, float, str]:
    there = amounts != 0.0
    try:
        result = money_weighted(amounts[there], sessions[there])
    except ParameterError as error:
        return np.nan, np.nan, np.nan, str(error)
    return result.holding_period, np.nan if result.annual is None else result.annual, result.years, ""


def _ordered(
    amounts: ArrayLike, dates: Sequence[object] | pd.DatetimeIndex | None, step: float
) -> tuple[Floats, Floats]:
    """Amounts by time, and their time in years since the first that is not zero."""
    amount = np.asarray(amounts, dtype=np.float64)
    if amount.ndim != 1 or not np.isfinite(amount).all():
        raise ParameterError("amounts are a list of figures, none missing or infinite", "amounts")
    if not step > 0.0:
        raise ParameterError(f"years_per_period is {step}: it must be positive", "years_per_period")
    if dates is None:
        years = np.arange(len(amount)) * step
    else:
        days = pd.DatetimeIndex(dates)
        if len(days) != len(amount) or days.hasnans:
            raise ParameterError(f"{len(amount)} amounts need as many dates, none missing", "dates")
        order = np.argsort(days, kind="stable")
        amount, days = amount[order], days[order]
        years = np.asarray((days - days[0]).days, dtype=np.float64) / DAYS_A_YEAR if len(days) else np.zeros(0)
    there = np.flatnonzero(amount)
    if not len(there):
        return np.zeros(1), np.zeros(1)
    kept = slice(there[0], there[-1] + 1)
    return amount[kept], years[kept] - years[there[0]]


def _solve(amount: Floats, share: Floats, span: float, periods: int | None) -> float:
    """Growth of money over the whole time, at `share` of which each amount falls; `periods` where they are regular."""
    guess = _root(amount, share, span, periods)
    if guess is not None and _is_only_one(amount, share, guess):
        return guess
    found = _all_growths(amount, share)
    if not found:
        raise NoRateError("no rate makes these amounts worth nothing together: look at their signs", "amounts")
    if len(found) > 1:
        unit, power = ("a year", 1.0 / span) if span >= 1.0 else ("over the whole time", 1.0)
        rates = [growth**power - 1.0 for growth in found]
        named = ", ".join(f"{100 * rate:,.2f} %" for rate in rates)
        raise SeveralRatesError(
            f"{len(rates)} rates solve these amounts ({named} {unit}): the money-weighted return has no one answer "
            "here; show the time-weighted one",
            rates,
        )
    return found[0]


def _root(amount: Floats, share: Floats, span: float, periods: int | None) -> float | None:
    """The library's solution as growth over the whole time; None where it found none."""
    import pyxirr

    if periods is None:
        # The library wants dates; only the days between them matter.
        days = np.datetime64("2000-01-01") + np.rint(share * span * DAYS_A_YEAR).astype("timedelta64[D]")
        rate, power = pyxirr.xirr(days.astype("datetime64[ns]"), amount, silent=True), span
    else:
        rate, power = pyxirr.irr(amount, silent=True), float(periods)
    if rate is None or not -1.0 < rate < np.inf:
        return None
    log_growth = power * np.log1p(rate)
    return float(np.exp(_polished(amount, share, log_growth))) if abs(log_growth) < _GRID[-1] else None


def _polished(amount: Floats, share: Floats, log_growth: float) -> float:
    """Newton's last steps: the library stops at an error of 1e-9, which compounds over years."""
    for _ in range(2):
        worth = amount * np.exp(-log_growth * share)
        slope = -(share * worth).sum()
        step = worth.sum() / slope if slope else 0.0
        if abs(step) > 1e-6:  # a root that is nearly double: leave it as found
            break
        log_growth -= step
    return log_growth


def _is_only_one(amount: Floats, share: Floats, growth: float) -> bool:
    """Whether it solves and the balance it implies never changes sides: then nothing else solves (Soper 1959)."""
    worth = amount * growth**-share
    balance, size = np.cumsum(worth) * np.sign(amount[0]), np.cumsum(np.abs(worth))
    return bool(abs(balance[-1]) <= 1e-9 * size[-1] and (balance[:-1] >= -_ROUNDING * size[:-1]).all())


def _all_growths(amount: Floats, share: Floats) -> list[float]:
    """Every growth over the whole time on the grid's range that solves the amounts, lowest first."""
    from scipy.optimize import brentq, minimize_scalar

    def worth(log_growth: float) -> float:
        """What the amounts are worth together, of what they are worth without their signs."""
        each = amount * np.exp(-log_growth * share)
        return float(each.sum() / np.abs(each).sum())

    at = np.array([worth(point) for point in _GRID])
    points = list(_GRID)
    # Two roots between neighbours leave no change of sign: look below each dip towards zero.
    dips = np.flatnonzero((np.abs(at[1:-1]) < np.abs(at[:-2])) & (np.abs(at[1:-1]) <= np.abs(at[2:]))) + 1
    for dip in dips:
        side = np.sign(at[dip - 1])
        if side == np.sign(at[dip + 1]):
            bounds = (_GRID[dip - 1], _GRID[dip + 1])
            low = minimize_scalar(lambda x, side=side: side * worth(x), bounds=bounds, method="bounded").x
            points.append(float(low))
    points.sort()
    worths = [worth(point) for point in points]
    roots: list[float] = []
    for left, right, before, after in zip(points, points[1:], worths, worths[1:]):
        if abs(before) <= _ROUNDING:
            roots.append(left)
        elif before * after < 0.0 and abs(after) > _ROUNDING:
            roots.append(float(brentq(worth, left, right, xtol=1e-14)))
    # A double root is found from both sides, as near as the square root of rounding lets it be.
    apart = [root for k, root in enumerate(roots) if k == 0 or root - roots[k - 1] > 1e-5]
    return [float(np.exp(root)) for root in apart]

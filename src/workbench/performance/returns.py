"""Returns of one period and of many: time-weighted, modified Dietz, compounded, annualised, before and after a fee."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from workbench.errors import ParameterError

Floats = NDArray[np.float64]
Timing = Literal["end", "start"]

#: Why a period has no return, by the code that `why_undefined` gives; code 0 is a period that has one.
UNDEFINED = (
    "",
    "no money was invested",
    "the capital was negative",
    "more than all the capital was lost",
)
#: Capital below this share of the most the account ever held is what sums leave behind, not money.
_DUST = 1e-9


def time_weighted(value: ArrayLike, flow: ArrayLike, timing: Timing = "end") -> Floats:
    """Return of each period, revalued at each flow, so that what clients put in or take out does not count.

    `value` (..., T+1) is the market value at each close, `flow` (..., T) what came in (positive) or went out during
    the period that ends at close t + 1. With `timing="end"` a flow counts at the close, (V1 - F) / V0 - 1; with
    `"start"` before the day's first price, V1 / (V0 + F) - 1. Simple returns (..., T), not annualised.

    NaN where there is no return: no capital, negative capital, or a loss of more than the capital, which cannot be
    compounded; `why_undefined` says which. Raises `ParameterError` for shapes that do not fit and for values that
    are missing or infinite. Source: GIPS 2020 for firms, section 2; Bacon (2008), chapter 2.
    """
    begin, end = _capital(value, flow, timing)
    code = _code(begin, end, _largest(value, flow))
    earned = end / np.where(code == 0, begin, 1.0) - 1.0
    # Sums leave dust where all is lost: a hair below -100 % is -100 %, or no later product would mean anything.
    return np.where(code == 0, np.maximum(earned, -1.0), np.nan)


def why_undefined(value: ArrayLike, flow: ArrayLike, timing: Timing = "end") -> NDArray[np.int8]:
    """Code of the reason in `UNDEFINED` why `time_weighted` of the same arrays has no return; 0 where it has one."""
    begin, end = _capital(value, flow, timing)
    return _code(begin, end, _largest(value, flow))


def compound(returns: ArrayLike, axis: int = -1, *, skip_missing: bool = False) -> Floats:
    """Simple return over all periods of `axis`: the product of 1 + r, less 1.

    Missing where any period is, for a hole is not a zero; with `skip_missing` over the periods there are (an account
    opened later), and missing where there is none. After -100 % it stays -100 %.
    Raises `ParameterError` for a return below -100 %, past which no product means anything.
    """
    growth = _growth(returns)
    if not skip_missing:
        return np.asarray(np.prod(growth, axis=axis) - 1.0, dtype=np.float64)
    there = ~np.isnan(growth)
    total = np.asarray(np.prod(np.where(there, growth, 1.0), axis=axis) - 1.0, dtype=np.float64)
    return np.where(there.any(axis=axis), total, np.nan)


def cumulative(returns: ArrayLike, axis: int = -1, *, skip_missing: bool = False) -> Floats:
    """Simple return from the start to the end of each period of `axis`; same shape as `returns`.

    Missing from the first hole on; with `skip_missing` a hole repeats what came before it, and is missing itself
    before the first return. Raises as `compound` does.
    """
    growth = _growth(returns)
    if not skip_missing:
        return np.asarray(np.cumprod(growth, axis=axis) - 1.0, dtype=np.float64)
    there = ~np.isnan(growth)
    total = np.asarray(np.cumprod(np.where(there, growth, 1.0), axis=axis) - 1.0, dtype=np.float64)
    return np.where(np.logical_or.accumulate(there, axis=axis), total, np.nan)


def drawdown(returns: ArrayLike, axis: int = -1) -> Floats:
    """How far below its highest value so far the investment stands at the end of each period: 0 or a negative fraction.

    The start counts as a high, so a first loss is a drawdown. Missing from the first hole on; same shape as
    `returns`. Raises as `compound` does.
    """
    wealth = 1.0 + cumulative(returns, axis)
    high = np.maximum(np.maximum.accumulate(wealth, axis=axis), 1.0)
    return wealth / high - 1.0


def annualise(total: ArrayLike, years: float) -> Floats:
    """Constant yearly return that compounds to `total` over `years`: (1 + total)^(1 / years) - 1.

    Raises `ParameterError` under a year, for which GIPS 2020 (section 4) forbids annualising, and for a total
    below -100 %. `years_between` counts the years.
    """
    if not years >= 1.0:
        message = f"a return over {years:.4g} years is not annualised: show it as it is (nothing under a year)"
        raise ParameterError(message, "years")
    return np.power(_growth(total), 1.0 / years) - 1.0


def years_between(start: pd.Timestamp, end: pd.Timestamp) -> float:
    """Years from one date to another: whole years by the calendar, the rest in days of the year it falls in.

    2021-12-31 to 2022-12-31 is exactly 1. Raises `ParameterError` where the end is before the start.
    """
    start, end = pd.Timestamp(start), pd.Timestamp(end)
    if end < start:
        raise ParameterError(f"the end {end.date()} is before the start {start.date()}: exchange them", "end")
    whole = end.year - start.year
    if start + pd.DateOffset(years=whole) > end:
        whole -= 1
    last = start + pd.DateOffset(years=whole)
    return whole + (end - last) / (start + pd.DateOffset(years=whole + 1) - last)


def modified_dietz(
    begin: ArrayLike,
    end: ArrayLike,
    flows: ArrayLike,
    fractions: ArrayLike,
    undefined: Literal["raise", "nan"] = "raise",
) -> Floats:
    """Return of a period without revaluing at flows: gain over average capital, each flow weighted by its time left.

    `begin` and `end` (...) are values, `flows` (..., K) what came in (positive) or went out, `fractions` (..., K) or
    (K,) how much of the period had passed by then: 0 its start, 1 its end. The return (...) is
    (end - begin - sum F) / (begin + sum (1 - fraction) F), over the period, never annualised.

    Where the average capital is not positive there is no return: `ParameterError` naming the entries, or NaN with
    `undefined="nan"`. A return below -100 % can come out where most capital came late; it is given as it is.
    Source: Dietz (1966); Bacon (2008), chapter 2; GIPS 2020, section 2, allows it between valuations.
    """
    first, last = _finite(begin, "begin"), _finite(end, "end")
    flow, fraction = np.atleast_1d(_finite(flows, "flows")), _finite(fractions, "fractions")
    try:
        np.broadcast_shapes(flow.shape, fraction.shape)
        np.broadcast_shapes(first.shape, last.shape, flow.shape[:-1])
    except ValueError as error:
        shapes = f"begin {first.shape}, end {last.shape}, flows {flow.shape}, fractions {fraction.shape}"
        raise ParameterError(f"shapes do not fit: {shapes}; flows need one more axis than values", "flows") from error
    if ((fraction < 0.0) | (fraction > 1.0)).any():
        raise ParameterError("fractions run from 0, the start of the period, to 1, its end", "fractions")
    gain = last - first - flow.sum(axis=-1)
    capital = first + ((1.0 - fraction) * flow).sum(axis=-1)
    bad = capital <= _DUST * np.maximum(np.abs(first), np.abs(flow).max(axis=-1, initial=0.0))
    if undefined == "raise" and bad.any():
        raise ParameterError(
            f"the average capital is zero or negative in {_entries(bad)}: modified Dietz has no meaning there; "
            "revalue at the flows (time_weighted) or leave the period out (undefined='nan')",
            "flows",
        )
    return np.where(bad, np.nan, gain / np.where(bad, 1.0, capital))


def net_of_fee(gross: ArrayLike, rate: float, years: float, on: Literal["end", "begin"] = "end") -> Floats:
    """Gross returns of periods of `years` each, less a model fee of `rate` a year that accrues with time.

    With `on="end"` the fee is charged on the value at the end of the period, (1 + r)(1 - rate years) - 1; with
    `"begin"` on the value at its beginning, r - rate years. Use the fees actually charged where they are known
    (GIPS 2020, section 2). Raises `ParameterError` for a fee that is negative or takes everything.
    """
    charge = rate * years
    if not 0.0 <= charge < 1.0:
        raise ParameterError(f"a fee of {charge:.4g} of the value a period is out of range: give a fraction", "rate")
    growth = _growth(gross)
    return growth * (1.0 - charge) - 1.0 if on == "end" else growth - charge - 1.0


def _capital(value: ArrayLike, flow: ArrayLike, timing: Timing) -> tuple[Floats, Floats]:
    """What earned in each period, and what it became."""
    if timing not in ("end", "start"):
        raise ParameterError(f"timing is 'end' or 'start', not {timing!r}", "timing")
    values, flows = _finite(value, "value"), _finite(flow, "flow")
    if values.ndim == 0 or values.shape != (*flows.shape[:-1], flows.shape[-1] + 1 if flows.ndim else 0):
        message = f"value has shape {values.shape} and flow {flows.shape}: value needs one more close than flow periods"
        raise ParameterError(message, "flow")
    before, after = values[..., :-1], values[..., 1:]
    return (before, after - flows) if timing == "end" else (before + flows, after)


def _largest(value: ArrayLike, flow: ArrayLike) -> Floats:
    """Largest amount so far, the measure of dust; later periods do not change earlier returns."""
    values = np.abs(np.asarray(value, dtype=np.float64))
    here = np.maximum(np.maximum(values[..., :-1], values[..., 1:]), np.abs(np.asarray(flow, dtype=np.float64)))
    return np.maximum.accumulate(here, axis=-1)


def _code(begin: Floats, end: Floats, largest: Floats) -> NDArray[np.int8]:
    dust = _DUST * largest
    code = np.zeros(begin.shape, dtype=np.int8)
    code[end < -dust] = 3
    code[begin < -dust] = 2
    code[np.abs(begin) <= dust] = 1
    return code


def _growth(returns: ArrayLike) -> Floats:
    growth = 1.0 + np.asarray(returns, dtype=np.float64)
    if (growth < 0.0).any():
        raise ParameterError(
            f"a return below -100 % in {_entries(growth < 0.0)}: nothing can be compounded past it; "
            "leave the account out or look at its value",
            "returns",
        )
    if np.isposinf(growth).any():
        raise ParameterError(f"an infinite return in {_entries(np.isposinf(growth))}: a price is wrong", "returns")
    return growth


def _finite(values: ArrayLike, name: str) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    if not np.isfinite(array).all():
        raise ParameterError(f"{name} is missing or infinite in {_entries(~np.isfinite(array))}: give a figure", name)
    return array


def _entries(bad: NDArray[np.bool_]) -> str:
    """The first bad places by index, and how many there are."""
    if bad.ndim == 0:
        return "the only period"
    places = np.argwhere(bad)
    named = ", ".join(str(tuple(int(part) for part in place)) for place in places[:3])
    return f"entry {named}" if len(places) == 1 else f"{len(places)} entries, first {named}"

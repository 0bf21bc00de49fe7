"""What is wrong with the data or the settings of a backtest, said with the asset, the date and what to do."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.errors import MarketDataError, ParameterError

Floats = NDArray[np.float64]


def check_sessions(sessions: pd.DatetimeIndex) -> None:
    """Raise `MarketDataError` unless there are two sessions or more, in order and each once; `ParameterError` where
    they are no dates, or dates of a time zone."""
    if not isinstance(sessions, pd.DatetimeIndex):
        raise ParameterError(f"sessions must be a pandas DatetimeIndex, are {type(sessions).__name__}", "sessions")
    if sessions.tz is not None:
        raise ParameterError(
            f"sessions are in the time zone {sessions.tz}; sessions are days: take it off with tz_localize(None)",
            "sessions",
        )
    if sessions.hasnans:
        raise MarketDataError(f"session {int(np.argmax(sessions.isna()))} has no date; leave it out, or date it")
    if len(sessions) < 2:
        raise MarketDataError(f"a backtest needs two sessions or more, has {len(sessions)}; load a longer history")
    later = np.diff(sessions.to_numpy()) > np.timedelta64(0)
    if not later.all():
        day = sessions[int(np.argmin(later)) + 1]
        raise MarketDataError(f"sessions are not in order, or given twice, at {day:%Y-%m-%d}; sort them, one of each")


def check_assets(assets: tuple[str, ...]) -> None:
    """Raise `ParameterError` for an asset named twice."""
    twice = [name for i, name in enumerate(assets) if name in assets[:i]]
    if twice:
        raise ParameterError(f"asset {twice[0]!r} is named twice; name each once", "assets")


def check_shape(name: str, values: Floats, shape: tuple[int, ...]) -> None:
    """Raise `ParameterError` where an array has another shape than the universe asks for."""
    if values.shape != shape:
        raise ParameterError(f"{name} must be of shape {shape}, is {values.shape}", name)


def check_prices(price: Floats, sessions: pd.DatetimeIndex, assets: tuple[str, ...]) -> None:
    """Raise `MarketDataError` for a missing or negative price, or one that returns after 0, naming asset and day."""
    for problem, bad in (
        ("is missing or not finite; fill the gap at its source, or drop the asset or the days", ~np.isfinite(price)),
        ("is negative; correct it", price < 0.0),
    ):
        if bad.any():
            raise MarketDataError(_where(bad, "price", price, sessions, assets) + problem)
    gone = price == 0.0
    if not gone.any():
        return
    if gone[:, 0].any():
        raise MarketDataError(
            _where(gone[:, :1], "price", price, sessions, assets) + "is 0 from the start; leave the asset out"
        )
    back = gone[:, :-1] & ~gone[:, 1:]
    if back.any():
        later = np.concatenate([np.zeros_like(gone[:, :1]), back], axis=1)
        raise MarketDataError(
            _where(later, "price", price, sessions, assets)
            + "follows a price of 0; 0 stands for a bankrupt asset and must stay: give the missing closes instead"
        )


def check_paid(name: str, paid: Floats, sessions: pd.DatetimeIndex, assets: tuple[str, ...]) -> None:
    """Raise `MarketDataError` for a dividend that is missing or negative, naming asset and day."""
    bad = ~np.isfinite(paid) | (paid < 0.0)
    if bad.any():
        raise MarketDataError(_where(bad, name, paid, sessions, assets) + "must be 0 or more; correct it")


def check_cash(cash_return: Floats, sessions: pd.DatetimeIndex) -> None:
    """Raise `MarketDataError` for a return of cash that is missing or -100 % or less, naming the day."""
    bad = ~np.isfinite(cash_return) | (cash_return <= -1.0)
    if bad.any():
        path, t = (int(i) for i in np.argwhere(bad)[0])
        raise MarketDataError(
            f"return of cash {cash_return[path, t]} on {sessions[t]:%Y-%m-%d} (path {path}); give one above -1 for "
            "every session"
        )


def check_target(target: Floats, assets: tuple[str, ...]) -> None:
    """Raise `ParameterError` unless target weights are 0 or more and sum to at most 1."""
    bad = ~np.isfinite(target) | (target < 0.0)
    if bad.any():
        i = int(np.argmax(bad))
        raise ParameterError(f"target of {assets[i]} is {target[i]}; weights are 0 or more, without leverage", "target")
    total = float(target.sum())
    if not 0.0 < total <= 1.0 + 1e-9:
        raise ParameterError(
            f"target weights sum to {total:.6g}; give a sum above 0 and at most 1 (rest: cash)", "target"
        )


def check_costs(half_spread: Floats, daily_value: Floats, assets: tuple[str, ...]) -> None:
    """Raise `ParameterError` for a half spread outside [0, 1) or a traded value that is not above 0."""
    bad = ~((half_spread >= 0.0) & (half_spread < 1.0))
    if bad.any():
        i = int(np.argmax(bad))
        raise ParameterError(
            f"half spread of {assets[i]} is {half_spread[i]}; give a fraction of the traded value from 0 to below 1",
            "half_spread",
        )
    bad = ~(daily_value > 0.0)
    if bad.any():
        i = int(np.argmax(bad))
        raise ParameterError(
            f"value traded a day of {assets[i]} is {daily_value[i]}; give dollars above 0, infinite where unknown",
            "daily_value",
        )


def check_number(name: str, value: float, *, low: float, high: float = np.inf, open_low: bool = False) -> None:
    """Raise `ParameterError` unless low <= value < high (low < value where `open_low`)."""
    inside = (value > low if open_low else value >= low) and value < high
    if not inside:
        least = "above" if open_low else "at least"
        most = "" if np.isinf(high) else f" and below {high:g}"
        raise ParameterError(f"{name} must be {least} {low:g}{most}, is {value}", name)


def check_whole(name: str, value: float) -> None:
    """Raise `ParameterError` unless it is a whole number."""
    if not isinstance(value, int | np.integer) or isinstance(value, bool):
        raise ParameterError(f"{name} must be a whole number, is {value!r}", name)


def check_known(name: str, values: Floats) -> None:
    """Raise `MarketDataError` where a signal of sessions to be run is missing or infinite."""
    # A sum is fast, and not finite where any of its parts is not.
    if not np.isfinite(values.sum()) and not np.isfinite(values).all():
        place = ", ".join(str(index) for index in np.argwhere(~np.isfinite(values))[0])
        raise MarketDataError(
            f"the signals hold a {name} that is missing or infinite (at {place} of those to be run); make them of data "
            "without gaps, or start later"
        )


def _where(
    bad: NDArray[np.bool_], name: str, values: Floats, sessions: pd.DatetimeIndex, assets: tuple[str, ...]
) -> str:
    path, t, i = (int(index) for index in np.argwhere(bad)[0])
    on_path = f" (path {path})" if len(values) > 1 else ""
    more = int(bad.sum()) - 1
    also = f", and {more} more," if more else ""
    return f"{name} {values[path, t, i]} of {assets[i]} on {sessions[t]:%Y-%m-%d}{on_path}{also} "

"""The New York Stock Exchange's trading days, from `exchange_calendars` (holidays and one-off closures included).

Days are normalised, without a time zone. The calendar is built for whole years and kept: building takes about 0.1 s.
"""

from __future__ import annotations

import warnings
from functools import lru_cache

import pandas as pd

from workbench.errors import MarketDataError
from workbench.firm.reconcile import missing_sessions

__all__ = ["is_session", "missing_sessions", "previous_session", "sessions", "sessions_of"]

EXCHANGE = "XNYS"
#: Bounds of what may be asked, so that a mistyped year is an error and not a calendar of a thousand years.
FIRST_YEAR = 1990
LAST_YEAR = 2100


def sessions(start: pd.Timestamp | str, end: pd.Timestamp | str) -> pd.DatetimeIndex:
    """Every session from `start` to `end`, both included; raises `MarketDataError` outside 1990 to 2100."""
    first, last = pd.Timestamp(start).normalize(), pd.Timestamp(end).normalize()
    if first > last:
        raise MarketDataError(f"sessions: start {first:%Y-%m-%d} is after end {last:%Y-%m-%d}; swap them")
    days = _calendar(first.year, last.year)
    return days[(days >= first) & (days <= last)]


def sessions_of(prices: pd.DataFrame) -> pd.DatetimeIndex:
    """Return the NYSE sessions that a long `prices` table spans: the days its histories should cover."""
    return sessions(prices["date"].min(), prices["date"].max())


def is_session(day: pd.Timestamp | str) -> bool:
    """Whether the exchange trades on `day`."""
    return len(sessions(day, day)) == 1


def previous_session(day: pd.Timestamp | str, back: int = 1) -> pd.Timestamp:
    """The session `back` sessions before `day`, which need not be one itself; `back` = 0 is the last up to `day`."""
    if back < 0:
        raise MarketDataError(f"previous_session: back must be 0 or more, is {back}")
    last = pd.Timestamp(day).normalize()
    # Twice as many calendar days as sessions, and a fortnight, hold enough sessions whatever the closures.
    days = sessions(last - pd.Timedelta(days=14 + 2 * back), last)
    if back and days[-1] == last:
        days = days[:-1]
    return days[-max(back, 1)]


@lru_cache(maxsize=8)
def _calendar(first_year: int, last_year: int) -> pd.DatetimeIndex:
    if first_year < FIRST_YEAR or last_year > LAST_YEAR:
        raise MarketDataError(
            f"sessions of {first_year} to {last_year} asked; the calendar holds {FIRST_YEAR} to {LAST_YEAR}"
        )
    from exchange_calendars import get_calendar

    with warnings.catch_warnings():
        # exchange_calendars 4.13 uses what pandas 4 will drop; that is for its authors to mend.
        warnings.simplefilter("ignore", DeprecationWarning)
        calendar = get_calendar(EXCHANGE, start=f"{first_year}-01-01", end=f"{last_year}-12-31")
    return pd.DatetimeIndex(calendar.sessions, freq=None)

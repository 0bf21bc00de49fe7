"""Holding period: when it starts, and from which day on a gain or loss is long-term."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Dates: TypeAlias = pd.Series | pd.DatetimeIndex | NDArray[np.datetime64]
Days: TypeAlias = NDArray[np.datetime64]


def days(dates: Dates) -> Days:
    """Whole days as an array of `datetime64[D]`; a missing date stays missing."""
    return np.asarray(dates).astype("datetime64[D]")


def holding_start(acquired_on: Dates) -> Days:
    """First day of the holding period: the day after the trade date of the purchase (Rev. Rul. 66-7, 70-598)."""
    return days(acquired_on) + np.timedelta64(1, "D")


def long_term_from(start: Dates) -> Days:
    """First day on which a sale is long-term: the calendar day of `start` (first day of the holding period) a year on.

    More than one year means calendar years, not 365 days (IRC 1222; Rev. Rul. 66-7). A period that starts on 29
    February is complete after 28 February, so that 1 March is the day; shares bought on the last day of February of
    any year are long-term from 1 March of the next one.
    """
    day = days(start)
    month = day.astype("datetime64[M]")
    # the offset within the month carries 29 February over to 1 March
    return (month + np.timedelta64(12, "M")).astype("datetime64[D]") + (day - month.astype("datetime64[D]"))


def is_long_term(start: Dates, sold_on: Dates | pd.Timestamp) -> NDArray[np.bool_]:
    """Whether a sale on `sold_on` is long-term, for a holding period from `start` on; false where either is missing."""
    sold = np.asarray(sold_on.to_datetime64() if isinstance(sold_on, pd.Timestamp) else sold_on)
    return sold.astype("datetime64[D]") >= long_term_from(start)


def tacked_start(start: Dates, sold_start: Dates, sold_on: Dates) -> Days:
    """Start of the holding period of replacement shares of a wash sale: earlier by the days the sold shares were held.

    IRC 1223(3). `start` is the replacement's own, `sold_start` that of the sold shares.
    """
    held = days(sold_on) - days(sold_start) + np.timedelta64(1, "D")
    return days(start) - held

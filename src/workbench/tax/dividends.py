"""Qualified dividends: were the shares held long enough around the ex-date to be taxed as long-term gain?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workbench.tax.holding import Dates, days

#: More than so many days of the 121 that start so many before the ex-date (IRC 1(h)(11)(B)(iii), 246(c)).
MORE_THAN = 60
BEFORE = 60
WINDOW = 121


def days_held_in_window(acquired_on: Dates, sold_on: Dates, ex_date: Dates) -> NDArray[np.int64]:
    """Days the shares were held within the 121 days around the ex-date; a missing `sold_on` is held to the end.

    The day of purchase is not counted, the day of sale is (IRC 246(c)(3)(A); IRS Pub. 550). Days on which the risk of
    loss was diminished by options or short sales are not known here and not taken off.
    """
    bought, sold, ex = days(acquired_on), days(sold_on), days(ex_date)
    opens = ex - np.timedelta64(BEFORE, "D")
    closes = opens + np.timedelta64(WINDOW - 1, "D")
    first = np.maximum(bought + np.timedelta64(1, "D"), opens)
    last = np.where(np.isnat(sold), closes, np.minimum(sold, closes))
    return np.maximum((last - first).astype(np.int64) + 1, 0)


def is_qualified(acquired_on: Dates, sold_on: Dates, ex_date: Dates) -> NDArray[np.bool_]:
    """Whether a dividend on common stock meets the holding period: held more than 60 days of the window, and owned
    on the eve of the ex-date.

    Preferred dividends over a period of more than 366 days (90 of 181 days) and payers that are not qualified
    corporations are for the caller.
    """
    bought, sold, ex = days(acquired_on), days(sold_on), days(ex_date)
    entitled = (bought < ex) & (np.isnat(sold) | (sold >= ex))
    return entitled & (days_held_in_window(bought, sold, ex) > MORE_THAN)

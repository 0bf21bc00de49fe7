"""Hours between two moments in which somebody is at a desk."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

#: The stated convention: Monday to Friday, nine to five, New York; holidays are not taken out.
ZONE, FIRST_HOUR, LAST_HOUR = "America/New_York", 9.0, 17.0
CONVENTION = "working hours: Monday to Friday, 9:00 to 17:00 in New York, holidays not taken out"


def working_hours(start: pd.Series, end: pd.Series) -> NDArray[np.float64]:
    """Return working hours from `start` to `end` (moments with a time zone), NaN where one is missing.

    A moment outside working hours counts as the next one inside them.
    """
    missing = (start.isna() | end.isna()).to_numpy()
    out: NDArray[np.float64] = np.full(len(start), np.nan)
    if not missing.all():
        out[~missing] = _since(end[~missing]) - _since(start[~missing])
    return out


def _since(moment: pd.Series) -> NDArray[np.float64]:
    """Working hours since a fixed Monday."""
    local = pd.to_datetime(moment, utc=True).dt.tz_convert(ZONE).dt.tz_localize(None)
    day = local.dt.normalize().to_numpy().astype("datetime64[D]")
    hour = (local - local.dt.normalize()).dt.total_seconds().to_numpy() / 3600.0
    whole = np.busday_count(np.datetime64("1970-01-05"), day)
    part = np.clip(hour - FIRST_HOUR, 0.0, LAST_HOUR - FIRST_HOUR) * np.is_busday(day)
    return np.asarray(whole * (LAST_HOUR - FIRST_HOUR) + part, dtype=np.float64)

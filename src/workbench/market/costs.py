"""What a trade costs to do and how long it takes: half-spreads and days of volume. Unknown stays unknown."""

from __future__ import annotations

import pandas as pd

from workbench.errors import ParameterError

#: The share of a day's volume that an order may be, by common practice: more moves the price.
PARTICIPATION = 0.10


def spread_cost(traded: pd.Series, half_spread: pd.Series) -> pd.Series:
    """Cost of crossing half the spread, in account currency: |dollars traded| x half-spread, by security_id.

    Missing where a traded security's half-spread is not known.
    """
    return traded.abs() * half_spread.reindex(traded.index).astype("float64")


def days_to_trade(quantity: pd.Series, adv: pd.Series, *, participation: float = PARTICIPATION) -> pd.Series:
    """Days to trade `quantity` shares at a part of average daily volume: |quantity| / (participation x adv).

    Both are indexed alike, by security_id or by row; `adv` in shares a day.

    Missing where the volume is not known, for unknown is not liquid; zero where nothing is traded.
    Raises `ParameterError` for a participation outside (0, 1] or a volume that is not positive.
    """
    if not 0.0 < participation <= 1.0:
        raise ParameterError(f"participation must be above 0 and at most 1, is {participation}", "participation")
    volume = adv.reindex(quantity.index).astype("float64")
    wrong = volume[volume <= 0]
    if len(wrong):
        raise ParameterError(f"average volume of {', '.join(map(str, wrong.index))} is not positive; leave it missing")
    days = quantity.abs() / (participation * volume)
    return days.mask(quantity == 0, 0.0)

"""Prices as arrays, for the simulation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.firm.demo.ledger import UNITS
from workbench.firm.demo.market_data import Market
from workbench.firm.schema import CASH


@dataclass(frozen=True)
class Panel:
    """Sessions by securities; CASH is left out: the ledger keeps it in cents.

    `close` is NaN where there is no price; `mark` carries the last close forward, which is how a custodian values a
    holding that did not trade, and is NaN before the first; `worth`
    is the same as dollars a ledger unit, 0 before the first. Nothing trades on a day without a close. `ordinals` are
    day ordinals of the sessions, `month_starts` the positions of the first sessions of the months.
    """

    sessions: pd.DatetimeIndex
    security_ids: tuple[str, ...]
    close: np.ndarray
    mark: np.ndarray
    worth: np.ndarray
    dividend: np.ndarray
    split: np.ndarray
    half_spread: np.ndarray
    ordinals: np.ndarray
    month_starts: np.ndarray

    def index(self, security_id: str) -> int:
        """Return the column of a security."""
        return self.security_ids.index(security_id)

    def session_on_or_after(self, day: pd.Timestamp) -> int:
        """Return the position of the first session on or after `day` (the number of sessions when none is)."""
        return int(self.sessions.searchsorted(day))

    def session_on_or_before(self, day: pd.Timestamp) -> int:
        """Return the position of the last session on or before `day`, -1 when none is."""
        return int(self.sessions.searchsorted(day, side="right")) - 1


def panel(market: Market, as_of: pd.Timestamp) -> Panel:
    """Return the market's arrays up to and including `as_of`."""
    prices = market.prices[(market.prices["date"] <= as_of) & (market.prices["security_id"] != CASH)]
    wide = prices.pivot(index="date", columns="security_id", values=["close", "dividend", "split_ratio"])
    ids: Sequence[str] = list(wide["close"].columns)
    spread = market.securities.set_index("security_id")["half_spread"].reindex(ids)
    close = wide["close"]
    days = pd.DatetimeIndex(wide.index)
    months = days.year * 12 + days.month
    return Panel(
        days,
        tuple(ids),
        close.to_numpy(float),
        close.ffill().to_numpy(float),
        close.ffill().fillna(0.0).to_numpy(float) / UNITS,
        wide["dividend"].fillna(0.0).to_numpy(float),
        wide["split_ratio"].fillna(1.0).to_numpy(float),
        spread.to_numpy(float),
        np.array([day.toordinal() for day in days]),
        np.nonzero(np.diff(months, prepend=months[0]))[0],
    )

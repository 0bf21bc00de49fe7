"""What a backtest runs on: prices, dividends and cash of a few assets on one or many paths, and the target to hold."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Universe:
    """n assets over T sessions on P paths (history is one path), and the target weights a policy is to keep.

    - `price` (P x T x n): closes, positive and without gaps. 0 from some day on is a bankrupt asset.
    - `dividend` (P x T x n): cash per unit on the ex-date; zeros where prices are adjusted for it.
    - `cash_return` (P x T): simple return of cash from the close before; the first is 0.
    - `target` (n): weights of the assets; `1 - sum` is the target of cash, a position of its own when positive.
    - `half_spread` (n): cost of trading as a fraction of the traded value, before a run's multiple.
    - `daily_value` (n): dollars traded in the market a day, for impact; infinite: none.

    `source` and `survivorship` say where the data come from and what they leave out; both reach every exhibit.
    """

    name: str
    sessions: pd.DatetimeIndex
    assets: tuple[str, ...]
    price: Floats
    dividend: Floats
    cash_return: Floats
    target: Floats
    half_spread: Floats
    daily_value: Floats
    source: str = ""
    survivorship: str = ""

    @property
    def paths(self) -> int:
        """How many paths there are."""
        return len(self.price)

    @property
    def with_cash(self) -> bool:
        """Whether the target holds cash, so that cash is one more position (the last)."""
        return float(self.target.sum()) < 1.0 - 1e-9

    @property
    def positions(self) -> int:
        """Assets, and cash where the target holds some."""
        return len(self.assets) + int(self.with_cash)

    @property
    def target_positions(self) -> Floats:
        """Target weights of all positions (m), cash last where it is one."""
        return np.append(self.target, 1.0 - self.target.sum()) if self.with_cash else self.target.copy()


@dataclass(frozen=True, eq=False)
class Signals:
    """What a policy may see of the market at each close: made from data up to that close and nothing later.

    - `covariance` (P x M x n x n), yearly; `covariance_at` (T) is the estimate of each session, -1 before the first.
    - `market` (P x T x F): features of the whole universe, named in `market_names`.
    - `asset` (P x T x G x n): features of each asset, named in `asset_names`.

    A session before `first` has no signals; backtests start there.
    """

    covariance: Floats
    covariance_at: Ints
    market: Floats
    market_names: tuple[str, ...]
    asset: Floats
    asset_names: tuple[str, ...]
    first: int


@dataclass(frozen=True)
class Costs:
    """What trading costs: `commission` (fraction) on top of half spreads, impact (coefficient of the square-root law,
    times daily volatility), `ticket` (dollars a trade) and the starting wealth that makes dollars matter."""

    commission: float = 0.0
    impact: float = 0.0
    ticket: float = 0.0
    wealth: float = 1_000_000.0


@dataclass(frozen=True, eq=False)
class Observation:
    """What a policy sees at one close, in positions (m: assets, and cash last where the target holds some).

    `weight` and `target` (m) sum to 1; `covariance` (m x m, yearly, zero for cash); `cost` (m, fraction of a dollar
    traded, zero for cash); `market` (F) and `asset` (G x m, zero for cash) are the signals of the day;
    `risk_aversion` is the client's: the yearly loss is half of it times the tracking variance.
    """

    session: int
    weight: Floats
    target: Floats
    covariance: Floats
    cost: Floats
    market: Floats
    asset: Floats
    risk_aversion: float = 5.0
    day: pd.Timestamp | None = field(default=None)

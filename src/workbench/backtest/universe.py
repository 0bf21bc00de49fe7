"""What a backtest runs on: prices, dividends and cash of a few assets on one or many paths, and the target to hold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.backtest import problems

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

    Raises `MarketDataError` naming asset and day for prices, dividends or returns of cash that cannot be, and
    `ParameterError` for shapes, targets, spreads or volumes that cannot be.
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

    def __post_init__(self) -> None:
        problems.check_sessions(self.sessions)
        object.__setattr__(self, "assets", tuple(self.assets))
        problems.check_assets(self.assets)
        paths, sessions, assets = len(self.price), len(self.sessions), len(self.assets)
        for name in ("price", "dividend", "cash_return", "target", "half_spread", "daily_value"):
            object.__setattr__(self, name, np.ascontiguousarray(getattr(self, name), dtype=np.float64))
        for name in ("price", "dividend"):
            problems.check_shape(name, getattr(self, name), (paths, sessions, assets))
        problems.check_shape("cash_return", self.cash_return, (paths, sessions))
        for name in ("target", "half_spread", "daily_value"):
            problems.check_shape(name, getattr(self, name), (assets,))
        problems.check_prices(self.price, self.sessions, self.assets)
        problems.check_paid("dividend", self.dividend, self.sessions, self.assets)
        problems.check_cash(self.cash_return, self.sessions)
        problems.check_target(self.target, self.assets)
        problems.check_costs(self.half_spread, self.daily_value, self.assets)

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
        return np.append(self.target, 1.0 - self.target.sum()) if self.with_cash else self.target / self.target.sum()

    @property
    def bankrupt_from(self) -> Ints:
        """First session with a price of 0, by path and asset (P x n); the number of sessions where there is none."""
        gone = self.price == 0.0
        return np.where(gone.any(axis=1), gone.argmax(axis=1), len(self.sessions)).astype(np.int64)

    def goal(self, path: int, session: int) -> Floats:
        """Target weights of all positions (m) once assets bankrupt by that session are out, the rest in proportion."""
        whole = self.target_positions
        whole[: len(self.assets)][self.price[path, session] == 0.0] = 0.0
        return whole / whole.sum() if whole.sum() > 0 else whole


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
    times daily volatility), `ticket` (dollars a trade) and the starting wealth that makes dollars matter.

    Trading x dollars of an asset costs x (half spread + commission) + impact x daily volatility x x sqrt(x / daily
    value) + ticket. Source of the square-root law: Almgren, Thum, Hauptmann and Li (2005), "Direct estimation of
    equity market impact", Risk 18(7). Raises `ParameterError` for a negative cost or a wealth that is not above 0.
    """

    commission: float = 0.0
    impact: float = 0.0
    ticket: float = 0.0
    wealth: float = 1_000_000.0

    def __post_init__(self) -> None:
        problems.check_number("commission", self.commission, low=0.0, high=1.0)
        problems.check_number("impact", self.impact, low=0.0)
        problems.check_number("ticket", self.ticket, low=0.0)
        problems.check_number("wealth", self.wealth, low=0.0, open_low=True)


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
    day: pd.Timestamp | None = None

"""One taxable account in a universe: its lots and cash at each close, sales by relief, and its tax days.

The books are those of `rebalance.after_tax` (lots, wash sales, Schedule D). Looks, orders and costs are the engine's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from workbench.backtest import _settlement
from workbench.backtest.tax_aware import TaxLots
from workbench.backtest.universe import Floats, Universe
from workbench.errors import MarketDataError, ParameterError
from workbench.rebalance.after_tax import TAX_MONTH, Ledger, Lot, TaxRates, lots_sold, tax_sessions, taxable_account
from workbench.tax import is_long_term

Relief = Literal["fifo", "lifo", "highest_cost", "min_tax"]
RELIEF: tuple[Relief, ...] = ("fifo", "lifo", "highest_cost", "min_tax")
#: Shares are kept to this many decimals, as the books keep them.
_DECIMALS = 6
_CENT = 0.01


class Opening(NamedTuple):
    """What an account begins with, one number an asset (n): basis as a part of the price, qualified part of dividends.

    The lots have been held since the day `since`.
    """

    basis: Floats
    qualified: Floats
    since: np.datetime64


def opening(
    universe: Universe, first: int, basis: float | Floats, since: pd.Timestamp | str | None, qualified: float | Floats
) -> Opening:
    """Check what an account begins with; raises `ParameterError` naming what cannot be."""
    basis, qualified = (
        _by_asset(name, given, len(universe.assets))
        for name, given in (("start_basis", basis), ("qualified", qualified))
    )
    if not (np.isfinite(basis) & (basis > 0.0)).all():
        raise ParameterError(f"start_basis is {basis}; give parts of the price above 0", "start_basis")
    if not ((qualified >= 0.0) & (qualified <= 1.0)).all():
        raise ParameterError(f"qualified is {qualified}; give parts from 0 to 1", "qualified")
    start = universe.sessions[first]
    day = start if since is None else pd.to_datetime(since, errors="coerce")
    if not day <= start:
        raise ParameterError(
            f"held_since is {since}: give a date up to the start {start:%Y-%m-%d}, not after the start", "held_since"
        )
    return Opening(basis, qualified, np.datetime64(day, "D"))


def _by_asset(name: str, given: float | Floats, assets: int) -> Floats:
    if np.shape(given) not in ((), (assets,)):
        raise ParameterError(f"{name} must be one number or {assets}, one an asset, is {given}", name)
    return np.broadcast_to(np.asarray(given, float), assets)


@dataclass
class TaxableAccount:
    """The books of one account on one path, from the close of session `first` to that of `last`.

    `rate` (n) is the cost of trading a dollar. `bought` and `sold` sum the dollars traded, `events` says what a reader
    must know. Money is kept to cents, shares to six decimals.
    """

    universe: Universe
    path: int
    rates: TaxRates
    relief: Relief
    rate: Floats
    first: int
    last: int
    book: Ledger = field(init=False)
    bought: float = 0.0
    sold: float = 0.0
    events: list[tuple[pd.Timestamp, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        dates = self.universe.sessions.to_numpy().astype("datetime64[D]")
        self._day = dates.astype(np.int64)
        self.tax_years = tax_sessions(dates, self.first, self.last, TAX_MONTH)

    def open(self, wealth: float, begin: Opening) -> None:
        """Hold the target, at its basis and from its day on; what buying it cost was somebody's before."""
        n = len(self.rate)
        goal, price = self.universe.goal(self.path, self.first), self.price(self.first)
        units = _down(np.divide(goal[:n] * wealth, price, out=np.zeros(n), where=goal[:n] > 0.0))
        self.book = taxable_account(0.0, begin.qualified, self.rates)
        buys = [(0, int(i), float(units[i])) for i in np.flatnonzero(units)]
        self.book.trade(int(begin.since.astype(np.int64)), [], buys, price * begin.basis, np.zeros(n))
        # The account begins here: it did not pay for its lots.
        self.book.cash[0] = round(wealth - float(units @ price), 2)
        self.book.costs = self.book.traded = 0.0

    def price(self, t: int) -> Floats:
        """Closes of the assets (n)."""
        return self.universe.price[self.path, t]

    @property
    def cash(self) -> float:
        """Dollars in cash."""
        return float(self.book.cash[0])

    @property
    def units(self) -> Floats:
        """Shares of each asset (n)."""
        return self.book.holdings(len(self.rate))[0]

    def value(self, t: int) -> float:
        """Market value at the close."""
        return self.cash + float(self.units @ self.price(t))

    def weight(self, t: int) -> Floats:
        """Weights of all positions (m): of wealth where cash is one, else of what is invested."""
        held = self.units * self.price(t)
        held = np.append(held, self.cash) if self.universe.with_cash else held
        return held / held.sum()

    def receive(self, t: int) -> None:
        """Interest on the cash, ordinary income, and dividends."""
        self.book.pay_interest(int(self._day[t]), 0, self.cash * float(self.universe.cash_return[self.path, t]))
        if (self.universe.dividend[self.path, t] > 0.0).any():
            self.book.pay_dividends(int(self._day[t]), self.universe.dividend[self.path, t])

    def write_off(self, t: int) -> None:
        """Sell what is worth nothing for nothing: a loss on the day an asset goes bankrupt."""
        gone = self.price(t) == 0.0
        worthless = [(lot, lot.shares) for lot in self.book.lots if gone[lot.security]]
        if worthless:
            self._trade(t, worthless, [])
            names = ", ".join(self.universe.assets[i] for i in sorted({lot.security for lot, _ in worthless}))
            self.events.append((self.universe.sessions[t], f"{names} bankrupt, written off"))

    def execute(self, t: int, order: Floats) -> None:
        """Trade to the weights of an order as the engine would, the sales lot by lot."""
        units, price, n = self.units, self.price(t), len(self.rate)
        share, traded = np.empty(n), np.zeros(n)
        terms = _settlement.Terms(self.rate, self.universe.daily_value, 0.0, 0.0, 1.0, 0.0, self.first, self.last)
        left, _, count = _settlement.settle(
            units * price, self.cash, order[None], 0, price, np.zeros(n), _settlement.UNTRADED * self.value(t), terms,
            1.0, share, traded,
        )  # fmt: skip
        if count == 0 or left <= 0.0:
            return
        quantity = np.divide(traded, price, out=np.zeros(n), where=price > 0.0)
        whole = (share == 0.0) & (traded < 0.0)
        sales = self._sales(t, np.where(whole, units, np.maximum(-quantity, 0.0)))
        wanted = self._affordable(t, sales, np.maximum(quantity, 0.0))
        self._trade(t, sales, [(0, int(i), float(wanted[i])) for i in np.flatnonzero(wanted > 0.0)])

    def _affordable(self, t: int, sales: list[tuple[Lot, float]], wanted: Floats) -> Floats:
        """Shares to buy (n), a trifle fewer where rounding to cents leaves too little cash."""
        price = self.price(t)
        net = price * (1.0 - self.rate)
        room = self.cash + sum(round(round(shares, _DECIMALS) * float(net[lot.security]), 2) for lot, shares in sales)
        need = float(wanted @ (price * (1.0 + self.rate))) + _CENT * len(price)
        return _down(wanted * max(room, 0.0) / need if need > room else wanted)

    def pay_tax(self, t: int) -> float:
        """Pay the tax of the year before where this is the day for it, selling in proportion where cash is short.

        Returns the dollars paid, below 0 where tax saved comes in. Raises `MarketDataError` where all is not enough.
        """
        if t not in self.tax_years:
            return 0.0
        year, units = self.tax_years[t], self.units
        need = self.book.tax_of(year).tax - self.cash
        if need > 0.0:
            proceeds = float(units @ (self.price(t) * (1.0 - self.rate)))
            part = min((need + _CENT * len(units)) / proceeds, 1.0) if proceeds > 0.0 else 1.0
            self._trade(t, self._sales(t, np.ceil(units * part * 10**_DECIMALS) / 10**_DECIMALS), [])
            day = self.universe.sessions[t]
            self.events.append((day, f"positions sold for the tax of {year}"))
            if self.book.tax_of(year).tax > self.cash + 1.0:
                raise MarketDataError(f"the tax of {year} is more than the account holds on {day:%Y-%m-%d}")
        return self.book.settle(year, 0)

    def _sales(self, t: int, quantity: Floats) -> list[tuple[Lot, float]]:
        """So many units of each asset (n), as sales of the lots that `relief` says."""
        assets = np.flatnonzero(np.round(quantity, _DECIMALS) > 0.0)
        wanted = {(0, int(i)): float(quantity[i]) for i in assets}
        net = self.price(t) * (1.0 - self.rate)
        return lots_sold(int(self._day[t]), wanted, self.book.lots, self.relief, net, self.rates)

    def _trade(self, t: int, sales: list[tuple[Lot, float]], buys: list[tuple[int, int, float]]) -> None:
        """Book sales and purchases of one close at once, so that wash sales are matched once."""
        price = self.price(t)
        self.sold += sum(shares * float(price[lot.security]) for lot, shares in sales)
        self.bought += sum(shares * float(price[asset]) for _, asset, shares in buys)
        self.book.trade(int(self._day[t]), sales, buys, price, self.rate)

    def tax_lots(self, t: int) -> TaxLots:
        """Every lot with the tax of a dollar sold."""
        price, lots = self.price(t), self.book.lots
        position = np.array([lot.security for lot in lots], np.int64)
        start = np.array([lot.start for lot in lots], np.int64).astype("datetime64[D]")
        long = is_long_term(start, np.datetime64(int(self._day[t]), "D"))
        rate = np.where(long, self.rates.long, self.rates.short)
        gain = 1.0 - np.array([lot.basis for lot in lots]) / price[position]
        worth = np.array([lot.shares for lot in lots]) * price[position]
        invested = self.value(t) if self.universe.with_cash else worth.sum()
        return TaxLots(position, worth / invested, rate * gain)


def _down(shares: Floats) -> Floats:
    return np.floor(shares * 10**_DECIMALS) / 10**_DECIMALS

"""What accounts traded in the past year, counted once for a firm: the past that a series of trades is judged by."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.compliance.context import Context
from workbench.compliance.exposures import sums
from workbench.compliance.firm_view import FirmView

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Days = NDArray[np.datetime64]
#: Trades that the firm decides on: a client's own orders and reinvested dividends are not its recommendations.
DECIDED = ("rebalance", "manual")


@dataclass(frozen=True, eq=False)
class History:
    """The year's trades decided by the firm, one row each: account, security, day, whether sold, and dollars.

    `fees` (A,) are the dollars charged to each account in the last 365 days, `spread` (A,) the half-spread on what it
    traded.
    """

    n_accounts: int
    as_of: np.datetime64
    account: Ints
    security: Ints
    day: Days
    sold: NDArray[np.bool_]
    amount: Floats
    fees: Floats
    spread: Floats

    @functools.lru_cache(maxsize=8)  # noqa: B019 - a firm's year is asked the same few questions for every chunk
    def bought(self, since: np.datetime64) -> Floats:
        """(A,) dollars bought after a day."""
        rows = ~self.sold & (self.day > since)
        return sums(self.account[rows], self.amount[rows], self.n_accounts)

    @functools.lru_cache(maxsize=8)  # noqa: B019
    def occasions(self, since: np.datetime64, *, sales_only: bool = False) -> Floats:
        """(A,) days from `since` on, that one included, on which an account traded."""
        rows = (self.day >= since) & (self.sold | (not sales_only))
        ordinal = self.day[rows].astype(np.int64)
        first = int(ordinal.min(initial=0))
        span = int(ordinal.max(initial=0)) - first + 1
        account = np.unique(self.account[rows] * span + ordinal - first) // span
        return np.bincount(account, minlength=self.n_accounts).astype(np.float64)

    @functools.lru_cache(maxsize=8)  # noqa: B019
    def pairs(self, since: np.datetime64, sold: bool, n_securities: int) -> tuple[Ints, Floats, Days]:
        """Account x n_securities + security traded from `since` on, in order, with dollars and the latest day."""
        rows = (self.day >= since) & (self.sold == sold)
        key, place = np.unique(self.account[rows] * n_securities + self.security[rows], return_inverse=True)
        latest = np.full(len(key), np.datetime64("1900-01-01", "D"))
        np.maximum.at(latest, place, self.day[rows])
        return key, sums(place, self.amount[rows], len(key)), latest


@functools.lru_cache(maxsize=2)
def history(view: FirmView) -> History:
    """Return the year's trades of a view; asked again, the same view gives the same arrays."""
    rows = view.transactions
    n_accounts = len(view.account_household)
    day = rows["trade_date"].to_numpy().astype("datetime64[D]")
    recent = (day > view.as_of - np.timedelta64(365, "D")) & (day <= view.as_of)
    amount = np.abs(rows["amount"].to_numpy(np.float64))
    account = rows["account"].to_numpy(np.int64)
    charged = recent & (rows["kind"] == "fee").to_numpy(bool)
    decided = recent & rows["kind"].isin(["buy", "sell"]).to_numpy(bool) & rows["origin"].isin(DECIDED).to_numpy(bool)
    security = rows["security"].to_numpy(np.int64)[decided]
    half_spread = view.securities["half_spread"].to_numpy(np.float64)
    return History(
        n_accounts=n_accounts,
        as_of=view.as_of,
        account=account[decided],
        security=security,
        day=day[decided],
        sold=(rows["kind"] == "sell").to_numpy(bool)[decided],
        amount=amount[decided],
        fees=sums(account[charged], amount[charged], n_accounts),
        spread=sums(account[decided], amount[decided] * half_spread[security], n_accounts),
    )


@dataclass(frozen=True, eq=False)
class TradedAccounts:
    """One row a proposal and account that trades: its value, what it buys, what trading costs. Dollars."""

    proposal: Ints
    account: Ints
    value: Floats
    bought: Floats
    cost: Floats


def traded_accounts(context: Context) -> TradedAccounts:
    """Return the accounts that trade; their value is the book's before the trades, NaN where a price is missing."""
    orders, n_accounts = context.orders, max(len(context.view.account_household), 1)
    rows = np.flatnonzero(context.known)
    key, place = np.unique(orders.proposal[rows] * n_accounts + context.account[rows], return_inverse=True)
    amount = orders.shares[rows] * orders.price[rows]
    cost = orders.trade_cost[rows] + context.view.account_fee[context.account[rows]]
    held = context.positions
    at = np.searchsorted(key, held.proposal * n_accounts + held.account)
    mine = at < len(key)
    mine[mine] = key[at[mine]] == (held.proposal * n_accounts + held.account)[mine]
    whose, account = np.divmod(key, n_accounts)
    return TradedAccounts(
        proposal=whose,
        account=account,
        value=sums(at[mine], held.before[mine], len(key)),
        bought=sums(place, np.where(orders.sell[rows], 0.0, amount), len(key)),
        cost=sums(place, cost, len(key)),
    )

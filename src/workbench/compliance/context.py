"""What every check reads: the firm, the proposals in the firm's codes, and what follows from both, computed once.

Positions after the trades are the book of record's plus the trades', never the proposal's own account of them: the
pre-flight is a second opinion, and a package that tells another story than the book is itself a finding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.compliance import exposures
from workbench.compliance.exposures import Exposure, Positions, sums
from workbench.compliance.firm_view import LEVELS, FirmView
from workbench.compliance.orders import Orders
from workbench.compliance.sales import Sales, sales
from workbench.firm import gain_rates

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(eq=False)
class Context:
    """n proposals over one firm. Codes are the view's; -1 is unknown to the firm.

    `consents` maps account or household identifiers to the source of a client's recorded consent.
    """

    view: FirmView
    orders: Orders
    consents: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.orders)

    @cached_property
    def household(self) -> Ints:
        """(n,) household of each proposal."""
        return _mapped(self.view, "household", self.orders.household_names, self.orders.household)

    @cached_property
    def account(self) -> Ints:
        """(T,) account of each trade."""
        return _mapped(self.view, "account", self.orders.account_names, self.orders.account)

    @cached_property
    def security(self) -> Ints:
        """(T,) security of each trade."""
        return _mapped(self.view, "security", self.orders.security_names, self.orders.security)

    def account_name(self, trade: int) -> str:
        """The account of a trade, as the proposal names it; so are the next two."""
        return str(self.orders.account_names[self.orders.account[trade]])

    def security_name(self, trade: int) -> str:
        """The security of a trade."""
        return str(self.orders.security_names[self.orders.security[trade]])

    def trade_name(self, trade: int) -> str:
        """Account and security of a trade, as a subject."""
        return f"{self.account_name(trade)} {self.security_name(trade)}"

    @cached_property
    def known(self) -> Flags:
        """(T,) trades of an account of the proposal's own household in a security of the firm, of a finite size."""
        account, orders = self.account, self.orders
        own = (account >= 0) & (self.view.account_household[account] == self.household[orders.proposal])
        return own & (self.security >= 0) & np.isfinite(orders.shares) & (self.household[orders.proposal] >= 0)

    @cached_property
    def signed_shares(self) -> Floats:
        """(T,) above zero buys, below zero sells."""
        return np.where(self.orders.sell, -self.orders.shares, self.orders.shares)

    @cached_property
    def cash_flow(self) -> Floats:
        """(T,) dollars a trade adds to its account's cash: shares x price, less spread, impact and ticket.

        NaN where one of them is missing: cash after the trades is unknown then, and so is what weights are taken of.
        """
        orders = self.orders
        fee = np.where(self.account >= 0, self.view.account_fee[self.account], 0.0)
        return -np.round(self.signed_shares * orders.price, 2) - orders.trade_cost - fee

    @cached_property
    def need_account(self) -> Ints:
        """(C,) account of each cash need."""
        return _mapped(self.view, "account", self.orders.account_names, self.orders.need_account)

    @cached_property
    def state_account(self) -> Ints:
        """(A,) account of each state that the proposals claim."""
        return _mapped(self.view, "account", self.orders.account_names, self.orders.state_account)

    @cached_property
    def sales(self) -> Sales:
        """(L,) the lots sold, as the book of record has them."""
        return sales(self.view, self.orders, self.account, self.security)

    @cached_property
    def account_rows(self) -> tuple[Ints, Ints]:
        """(R,) proposal and account: every account of every proposal's household."""
        return _slices(self.view.household_ptr, self.household)

    @cached_property
    def holding_rows(self) -> tuple[Ints, Ints]:
        """(B,) proposal and place in the view's holdings of everything the household holds, cash included."""
        view = self.view
        return _slices(view.account_ptr[view.household_ptr], self.household)

    @cached_property
    def positions(self) -> Positions:
        """Everything held or traded, before and after."""
        view, known = self.view, self.known
        proposal, place = self.holding_rows
        holder = np.repeat(np.arange(len(view.account_household)), np.diff(view.account_ptr))
        base = (proposal, holder[place], view.holding_security[place], view.holding_quantity[place])
        which, who = self.orders.proposal[known], self.account[known]
        moved = (
            np.concatenate([which, which]),
            np.concatenate([who, who]),
            np.concatenate([self.security[known], np.full(len(which), view.cash, np.int64)]),
            np.concatenate([self.signed_shares[known], self.cash_flow[known]]),
        )
        return exposures.positions(base, moved, self.price, len(view.price))

    @cached_property
    def left(self) -> Floats:
        """(T,) shares of a trade's security that its account holds after all trades; NaN where it is unknown."""
        rows, n_accounts, n_securities = self.positions, len(self.view.account_household), len(self.view.price)
        key = (rows.proposal * n_accounts + rows.account) * n_securities + rows.security
        wanted = (self.orders.proposal * n_accounts + self.account) * n_securities + self.security
        place = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
        return np.where(self.known, rows.quantity_after[place], np.nan) if len(key) else np.full(len(wanted), np.nan)

    @cached_property
    def price(self) -> Floats:
        """(S,) the view's price; cash is worth what it says."""
        price = self.view.price.copy()
        price[self.view.cash] = 1.0
        return price

    @cached_property
    def value_before(self) -> Floats:
        """(n,) dollars of the household; NaN where something it holds has no price."""
        return sums(self.positions.proposal, self.positions.before, len(self))

    @cached_property
    def value_after(self) -> Floats:
        """(n,) as `value_before`, after the trades."""
        return sums(self.positions.proposal, self.positions.after, len(self))

    @cached_property
    def traded(self) -> Floats:
        """(n,) dollars bought plus dollars sold, at the proposal's prices."""
        amount = np.where(self.known, np.abs(self.orders.shares * self.orders.price), 0.0)
        return sums(self.orders.proposal, amount, len(self))

    @cached_property
    def bought_and_sold(self) -> tuple[Floats, Floats]:
        """(n,) dollars bought and dollars sold by the proposal."""
        amount = np.where(self.known, np.abs(self.orders.shares * self.orders.price), 0.0)
        bought, sold = (
            sums(self.orders.proposal, amount * side, len(self)) for side in (~self.orders.sell, self.orders.sell)
        )
        return bought, sold

    def traded_before(self, months: int) -> tuple[Floats, Floats]:
        """(n,) dollars bought and sold by the household in the months up to the view's day, as a person decided.

        Reinvested dividends and corporate actions are left out.
        """
        bought, sold = self.view.once(("traded", months), lambda: _traded(self.view, months))
        return bought[self.household], sold[self.household]

    def of_household(self, column: str) -> Floats:
        """(n,) a number of each proposal's household, NaN where there is none."""
        numbers: Floats = np.append(self.view.households[column].to_numpy(np.float64), np.nan)[self.household]
        return numbers

    @cached_property
    def filing_status(self) -> NDArray[np.object_]:
        """(n,) filing status, empty where the household is unknown."""
        return np.append(self.view.households["filing_status"].astype(str).to_numpy(object), "")[self.household]

    @cached_property
    def gain_rates(self) -> tuple[Floats, Floats]:
        """(n,) short- and long-term rate on a gain, federal, state and NIIT; NaN where the household is unknown."""
        short, long = gain_rates(self.view.households)
        return np.append(short, np.nan)[self.household], np.append(long, np.nan)[self.household]

    @cached_property
    def trades_of(self) -> Ints:
        """(n,) number of trades."""
        return np.bincount(self.orders.proposal, minlength=len(self)).astype(np.int64)

    def exposure(self, level: str, *, by_account: bool = False, without: frozenset[str] = frozenset()) -> Exposure:
        """Dollars by issuer, sector, asset_class, security, region or kind, of the household or of each account.

        `without` leaves kinds of security out of the keys (a fund has no issuer risk that its name tells), not out
        of the value that weights are taken of. Key names are `view.group_names[level]`.
        """
        if level not in LEVELS:
            raise KeyError(f"no level {level!r}; use {', '.join(LEVELS)}")
        wanted = (level, by_account, without)
        if wanted not in self._exposures:
            rows = self.positions
            kind = self.view.securities["kind"].astype(str)
            counted = ~kind.isin(list(without)).to_numpy(bool) if without else None
            by = rows.account if by_account else None
            self._exposures[wanted] = exposures.exposure(rows, self.view.groups[level], by, counted)
        return self._exposures[wanted]

    @cached_property
    def cash(self) -> Positions:
        """The cash rows of `positions`: one an account of every proposal, in the order of `account_rows`."""
        rows = self.positions
        is_cash = rows.security == self.view.cash
        return Positions(*(getattr(rows, name)[is_cash] for name in rows.__dataclass_fields__))

    def profile(self, column: str) -> pd.Series:
        """(n,) one column of each proposal's household profile, missing where there is none."""
        if column not in self._profiles:
            values = self.view.once(("profile", column), lambda: self.view.profiles[column].reset_index(drop=True))
            self._profiles[column] = values.reindex(self.household).reset_index(drop=True)
        return self._profiles[column]

    @cached_property
    def risk_level(self) -> Ints:
        """(n,) 1 to 5: the lower of risk tolerance and risk capacity; 0 where the household has no profile."""
        level = pd.concat([self.profile("risk_tolerance"), self.profile("risk_capacity")], axis=1)
        lower = level.min(axis=1, skipna=False).fillna(0.0).to_numpy(np.float64)
        return lower.astype(np.int64)

    def restrictions(self, kind: str, *, in_force: bool = True) -> pd.DataFrame:
        """Restrictions of a kind on each proposal's household and its accounts, one row a proposal and restriction.

        Columns of the table with `proposal`, and `account` (-1: the household's), in order of proposal and identifier.
        """
        if kind not in self._restrictions:
            rows, ptr = self.view.once(("restrictions", kind), lambda: _of_kind(self.view, kind))
            proposal, place = _slices(ptr, self.household)
            self._restrictions[kind] = rows.iloc[place].assign(proposal=proposal).reset_index(drop=True)
        rows = self._restrictions[kind]
        return rows[rows["in_force"]].reset_index(drop=True) if in_force else rows

    _exposures: dict[tuple[str, bool, frozenset[str]], Exposure] = field(default_factory=dict, repr=False)
    _profiles: dict[str, pd.Series] = field(default_factory=dict, repr=False)
    _restrictions: dict[str, pd.DataFrame] = field(default_factory=dict, repr=False)


def _of_kind(view: FirmView, kind: str) -> tuple[pd.DataFrame, Ints]:
    """Restrictions of a kind by household and identifier, and where each household's begin."""
    rows = view.restrictions
    rows = rows[(rows["kind"] == kind) & (rows["household"] >= 0)].sort_values(["household", "restriction_id"])
    count = np.bincount(rows["household"].to_numpy(), minlength=len(view.households))
    return rows, np.concatenate([[0], np.cumsum(count)]).astype(np.int64)


def _traded(view: FirmView, months: int) -> tuple[Floats, Floats]:
    """Dollars bought and sold by each household in the months before, and a last zero for an unknown one."""
    rows = view.transactions
    since = pd.Timestamp(view.as_of) - pd.DateOffset(months=months)
    kept = (pd.to_datetime(rows["trade_date"]) > since) & ~rows["origin"].isin(["reinvestment", "corporate_action"])

    def total(kind: str) -> Floats:
        mine = rows[kept & (rows["kind"] == kind)]
        return sums(mine["household"].to_numpy(), mine["amount"].abs().to_numpy(), len(view.households) + 1)

    return total("buy"), total("sell")


def matched(left: Ints, right: Ints, n: int) -> tuple[Ints, Ints]:
    """Every pair of rows of one proposal: `right` must not fall; returns rows of left and of right, in order."""
    ptr = np.searchsorted(right, np.arange(n + 1)).astype(np.int64)
    return _slices(ptr, np.asarray(left, np.int64))


def _mapped(
    view: FirmView, what: Literal["security", "account", "household"], names: NDArray[np.object_], code: Ints
) -> Ints:
    used, where = np.unique(code, return_inverse=True)
    return view.find(what, names[used])[where]


def _slices(ptr: Ints, code: Ints) -> tuple[Ints, Ints]:
    """For each entry of `code`, the rows ptr[c] to ptr[c + 1]: entry and row, flat. -1 has none."""
    sound = np.maximum(code, 0)
    size = np.where(code >= 0, ptr[sound + 1] - ptr[sound], 0)
    entry = np.repeat(np.arange(len(code)), size)
    start = np.concatenate([[0], np.cumsum(size)[:-1]]) if len(size) else np.zeros(0, np.int64)
    row = np.arange(len(entry)) - start[entry] + ptr[sound][entry]
    return entry.astype(np.int64), row.astype(np.int64)

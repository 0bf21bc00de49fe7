"""Many proposals as flat arrays: what the pre-flight judges, in an order that does not depend on who handed it in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.errors import ParameterError
from workbench.rebalance import Proposal

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Texts = NDArray[np.object_]
Days = NDArray[np.datetime64]


@dataclass(frozen=True, eq=False)
class Orders:
    """n proposals, T trades, L lot sales, A account states, C cash needs, W declared wash rows.

    Accounts, securities and households are codes into `account_names`, `security_names`, `household_names` (sorted).
    Trades lie by proposal, account, security, side and size. `shares` and `amount` are as proposed, and no check trusts
    them: `amount` may be NaN or negative. `sell` tells the side. `lot_trade` is the trade of a lot sale, `lot_gain` NaN
    where the basis is unknown. `state_*` are the package's own accounts before and after, `need_*` its cash
    needs (`rmd`, `withdrawal`, `min_cash`). `settings` has each proposal's settings by name.
    """

    household_names: Texts
    account_names: Texts
    security_names: Texts
    household: Ints
    advisor: Texts
    as_of: Days
    mode: Texts
    benefit: Floats
    tax: Floats
    cost: Floats
    proposed_short: Floats
    proposed_long: Floats
    settings: tuple[tuple[tuple[str, str], ...], ...]
    proposal: Ints
    account: Ints
    security: Ints
    sell: Flags
    shares: Floats
    price: Floats
    amount: Floats
    gain_short: Floats
    gain_long: Floats
    trade_tax: Floats
    trade_cost: Floats
    fee: Floats
    lot_trade: Ints
    lot_id: Texts
    lot_shares: Floats
    lot_gain: Floats
    lot_term: Texts
    lot_disallowed: Floats
    state_proposal: Ints
    state_account: Ints
    state_value: Floats
    state_cash_before: Floats
    state_cash_after: Floats
    need_proposal: Ints
    need_account: Ints
    need_kind: Texts
    needed: Floats
    need_source: Texts

    def __len__(self) -> int:
        return len(self.household)

    @classmethod
    def from_proposals(cls, proposals: Sequence[Proposal]) -> Orders:
        """Flatten proposals; the order of trades within one does not matter."""
        trades = [
            (i, t.account_id, t.security_id, t.side == "sell", t.shares, t.price, t.amount, t.gain_short, t.gain_long,
             t.tax, t.cost, t.fee, t.lots)
            for i, p in enumerate(proposals) for t in p.trades
        ]  # fmt: skip
        trades.sort(key=lambda row: (row[0], row[1], row[2], row[3], row[4], row[6]))
        lots = [
            (at, s.lot_id, s.shares, np.nan if s.gain is None else s.gain, s.term, s.disallowed)
            for at, row in enumerate(trades) for s in sorted(row[-1], key=lambda s: (s.lot_id, s.shares))
        ]  # fmt: skip
        states = [
            (i, s.account_id, s.value, s.cash_before, s.cash_after)
            for i, p in enumerate(proposals) for s in sorted(p.accounts, key=lambda s: s.account_id)
        ]  # fmt: skip
        needs = [
            (i, c.account_id, c.kind, c.needed, c.source)
            for i, p in enumerate(proposals)
            for c in sorted(p.cash_needs, key=lambda c: (c.account_id, c.kind, c.source))
        ]  # fmt: skip
        trade, lot, state, need = _columns(trades, 13), _columns(lots, 6), _columns(states, 5), _columns(needs, 5)
        return cls.from_columns(
            household=[p.household_id for p in proposals],
            advisor=[p.advisor_id for p in proposals],
            as_of=[p.as_of for p in proposals],
            mode=[p.mode for p in proposals],
            benefit=[p.benefit for p in proposals],
            tax=[p.tax for p in proposals],
            cost=[p.cost for p in proposals],
            proposed_short=[p.tax_table.proposed_short for p in proposals],
            proposed_long=[p.tax_table.proposed_long for p in proposals],
            settings=tuple(p.settings for p in proposals),
            proposal=trade[0], account=trade[1], security=trade[2], sell=trade[3], shares=trade[4], price=trade[5],
            amount=trade[6], gain_short=trade[7], gain_long=trade[8], trade_tax=trade[9], trade_cost=trade[10],
            fee=trade[11],
            lot_trade=lot[0], lot_id=lot[1], lot_shares=lot[2], lot_gain=lot[3], lot_term=lot[4],
            lot_disallowed=lot[5],
            state_proposal=state[0], state_account=state[1], state_value=state[2], state_cash_before=state[3],
            state_cash_after=state[4],
            need_proposal=need[0], need_account=need[1], need_kind=need[2], needed=need[3], need_source=need[4],
        )  # fmt: skip

    @classmethod
    def from_columns(cls, **columns: Any) -> Orders:
        """Build orders from columns: `household`, `account`, `security` as identifiers, everything else as named.

        Trades and lot sales may come in any order and are put into theirs; account states and cash needs must lie by
        proposal. Raises `ParameterError` for a missing or misplaced column.
        """
        household_names, household = _vocabulary(columns.pop("household"))
        account_names, account, state, need = _shared(
            columns.pop("account"), columns.pop("state_account"), columns.pop("need_account")
        )
        security_names, security = _vocabulary(columns.pop("security"))
        typed: dict[str, Any] = {
            name: np.asarray(columns.pop(name), _TYPES[name]) for name in _TYPES if name in columns
        }
        try:
            orders = cls(
                household_names=household_names, account_names=account_names, security_names=security_names,
                household=household, account=account, security=security, state_account=state, need_account=need,
                **typed, **columns,
            )  # fmt: skip
        except TypeError as error:
            raise ParameterError(f"orders: {error}; give every column by its name") from error
        for name in ("state_proposal", "need_proposal"):
            if (np.diff(getattr(orders, name)) < 0).any():
                raise ParameterError(f"orders: {name} must not fall; sort the rows by it", name)
        return orders._in_order()

    def _in_order(self) -> Orders:
        """Trades by proposal, account, security, side and size, and lots by trade: nothing hangs on how they came."""
        order = np.lexsort([self.amount, self.shares, self.sell, self.security, self.account, self.proposal])
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        lot_trade = place[self.lot_trade]
        lots = np.lexsort([self.lot_shares, pd.factorize(self.lot_id, sort=True)[0], lot_trade])
        trades = {name: getattr(self, name)[order] for name, kind in _ROWS.items() if kind == "trade"}
        sold = {name: getattr(self, name)[lots] for name, kind in _ROWS.items() if kind == "lot"}
        return replace(self, **trades, **{**sold, "lot_trade": lot_trade[lots]})

    def part(self, start: int, stop: int) -> Orders:
        """Return proposals `start` to `stop` (not included) as orders of their own."""
        trade = slice(*np.searchsorted(self.proposal, [start, stop]))
        lot = slice(*np.searchsorted(self.lot_trade, [trade.start, trade.stop]))
        state = slice(*np.searchsorted(self.state_proposal, [start, stop]))
        need = slice(*np.searchsorted(self.need_proposal, [start, stop]))
        shift = {"proposal": start, "state_proposal": start, "need_proposal": start, "lot_trade": trade.start}
        rows = {"trade": trade, "lot": lot, "state": state, "need": need, "proposal": slice(start, stop)}
        parts: dict[str, Any] = {}
        for one in fields(self):
            values = getattr(self, one.name)
            kind = _ROWS.get(one.name)
            parts[one.name] = values if kind is None else values[rows[kind]]
            if one.name in shift:
                parts[one.name] = parts[one.name] - shift[one.name]
        return Orders(**parts)


_TYPES: dict[str, Any] = {
    "advisor": object, "as_of": "datetime64[D]", "mode": object, "benefit": np.float64, "tax": np.float64,
    "cost": np.float64, "proposed_short": np.float64, "proposed_long": np.float64,
    "proposal": np.int64, "sell": bool, "shares": np.float64, "price": np.float64, "amount": np.float64,
    "gain_short": np.float64, "gain_long": np.float64, "trade_tax": np.float64, "trade_cost": np.float64,
    "fee": np.float64,
    "lot_trade": np.int64, "lot_id": object, "lot_shares": np.float64, "lot_gain": np.float64, "lot_term": object,
    "lot_disallowed": np.float64,
    "state_proposal": np.int64, "state_value": np.float64, "state_cash_before": np.float64,
    "state_cash_after": np.float64,
    "need_proposal": np.int64, "need_kind": object, "needed": np.float64, "need_source": object,
}  # fmt: skip
#: What a row of each column is: a proposal, a trade, a lot sale, an account state, a cash need; names are shared.
_ROWS: dict[str, str] = {
    **dict.fromkeys(
        ("household", "advisor", "as_of", "mode", "benefit", "tax", "cost", "proposed_short", "proposed_long",
         "settings"),
        "proposal",
    ),
    **dict.fromkeys(
        ("proposal", "account", "security", "sell", "shares", "price", "amount", "gain_short", "gain_long", "trade_tax",
         "trade_cost", "fee"),
        "trade",
    ),
    **dict.fromkeys(("lot_trade", "lot_id", "lot_shares", "lot_gain", "lot_term", "lot_disallowed"), "lot"),
    **dict.fromkeys(
        ("state_proposal", "state_account", "state_value", "state_cash_before", "state_cash_after"), "state"
    ),
    **dict.fromkeys(("need_proposal", "need_account", "need_kind", "needed", "need_source"), "need"),
}  # fmt: skip


def _columns(rows: list[tuple[Any, ...]], width: int) -> list[Any]:
    return list(zip(*rows, strict=True)) if rows else [()] * width


def _vocabulary(values: Any) -> tuple[Texts, Ints]:
    code, names = pd.factorize(np.asarray(values, object), sort=True)
    return np.asarray(names, object), code.astype(np.int64)


def _shared(*columns: Any) -> tuple[Any, ...]:
    """One vocabulary over several columns, and each column in its codes."""
    parts = [np.asarray(column, object) for column in columns]
    names, code = _vocabulary(np.concatenate(parts))
    return names, *np.split(code, np.cumsum([len(part) for part in parts])[:-1])

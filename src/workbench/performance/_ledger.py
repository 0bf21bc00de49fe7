"""The ledger's arithmetic: positions and rows as arrays in, `DailyHoldings` out. Nothing here knows a file.

Quantities are what is held at the end less what moved later (the same road back as `workbench.firm.positions_at`), so
every close of an account fits its statement of the last one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.performance._marks import mark
from workbench.performance.daily import DailyHoldings, Floats, Ints, Offsets

#: What a row of transactions is to the account: kinds by what they do to its value.
TRADING, HOLDING, FLOW, FEE = range(4)
ROLES = {
    "buy": TRADING, "sell": TRADING, "dividend": HOLDING, "split": HOLDING, "spin_off": HOLDING,
    "deposit": FLOW, "withdrawal": FLOW, "transfer": FLOW, "fee": FEE,
}  # fmt: skip
#: Of all that ever moved through a slot, the share that is rounding of its sums and no holding.
_DUST = 1e-12


@dataclass(frozen=True, eq=False)
class Rows:
    """Transactions as arrays, sorted by account; `day` is the close they count at, 0 for all up to the first one.

    `security` points into the securities, `role` is what the row does to the account's value, `price` is missing
    where the row has none.
    """

    account: Ints
    security: Ints
    day: Ints
    role: Ints
    is_split: np.ndarray
    quantity: Floats
    amount: Floats
    price: Floats

    def of(self, first: int, last: int) -> Rows:
        """The rows of accounts first..last - 1, numbered from 0."""
        low, high = np.searchsorted(self.account, [first, last])
        parts = {name: array[low:high] for name, array in vars(self).items()}
        return Rows(**{**parts, "account": parts["account"] - first})


@dataclass(frozen=True, eq=False)
class Book:
    """All that the ledger of some accounts is made of: accounts, closes, what they hold at the end, what moved.

    `close` (S x T+1) is the last known one, NaN before the first, `age` its age in sessions, -1 before the first.
    Before close `begins` (N) an account did not exist. Positions are sorted by account, then security.
    """

    accounts: pd.DataFrame
    begins: Ints
    sessions: pd.DatetimeIndex
    securities: tuple[str, ...]
    cash: int
    close: Floats
    age: Ints
    position_account: Ints
    position_security: Ints
    position_quantity: Floats
    rows: Rows

    def of(self, first: int, last: int) -> Book:
        """The book of accounts first..last - 1 alone."""
        low, high = np.searchsorted(self.position_account, [first, last])
        parts = dict(vars(self))
        parts["accounts"] = self.accounts.iloc[first:last].reset_index(drop=True)
        parts["begins"] = self.begins[first:last]
        parts["position_account"] = self.position_account[low:high] - first
        parts["position_security"] = self.position_security[low:high]
        parts["position_quantity"] = self.position_quantity[low:high]
        parts["rows"] = self.rows.of(first, last)
        return Book(**parts)

    def without(self, left_out: np.ndarray) -> Book:
        """The book less some accounts (a flag for each)."""
        kept = ~left_out
        place = (np.cumsum(kept) - 1).astype(np.int32)
        position, row = kept[self.position_account], kept[self.rows.account]
        rows = {name: array[row] for name, array in vars(self.rows).items()}
        parts = dict(vars(self))
        parts["accounts"] = self.accounts[kept].reset_index(drop=True)
        parts["begins"] = self.begins[kept]
        parts["position_account"] = place[self.position_account[position]]
        parts["position_security"] = self.position_security[position]
        parts["position_quantity"] = self.position_quantity[position]
        parts["rows"] = Rows(**{**rows, "account": place[rows["account"]]})
        return Book(**parts)


@dataclass(frozen=True, eq=False)
class _Slots:
    """What each account held or moved: the slots, and where each row, position and account's cash finds its own."""

    ptr: Offsets
    account: Offsets
    security: Ints
    row: Offsets
    position: Offsets
    cash: Offsets


def build(book: Book) -> DailyHoldings:
    """Return the ledger of a book; accounts that cannot be valued or had nothing to value go to `no_data`."""
    slots = _slots(book)
    quantity = _quantities(book, slots)
    idle = _idle(book, slots, quantity)
    price, unpriced = mark(book, slots.security, slots.row, quantity)
    reason = _reasons(book, slots, idle, unpriced)
    if len(reason):
        left = build(book.without(book.accounts["account_id"].isin(reason["account_id"]).to_numpy(bool)))
        return _with_no_data(left, reason)
    return _ledger(book, slots, quantity, price)


def _slots(book: Book) -> _Slots:
    width, count = len(book.securities), len(book.accounts)
    in_window = book.rows.day > 0
    row = book.rows.account.astype(np.int64) * width + book.rows.security
    position = book.position_account.astype(np.int64) * width + book.position_security
    cash = np.arange(count, dtype=np.int64) * width + book.cash
    keys = np.unique(np.concatenate([position, row[in_window], cash]))
    owner = keys // width
    found = np.minimum(np.searchsorted(keys, row), max(len(keys) - 1, 0))
    return _Slots(
        ptr=np.searchsorted(owner, np.arange(count + 1)).astype(np.int64),
        account=owner,
        security=(keys % width).astype(np.int32),
        row=np.where(keys[found] == row, found, -1) if len(keys) else np.full(len(row), -1),
        position=np.searchsorted(keys, position),
        cash=np.searchsorted(keys, cash),
    )


def _quantities(book: Book, slots: _Slots) -> Floats:
    """Shares of each slot at each close (K x T+1), dollars of cash; nothing before an account began."""
    rows, width = book.rows, len(book.sessions)
    size = (len(slots.security), width)
    now = np.flatnonzero(rows.day > 0)
    slot, day = slots.row[now], rows.day[now].astype(np.int64)
    shares = np.where(rows.security[now] == book.cash, 0.0, rows.quantity[now])
    cash = slots.cash[rows.account[now]]
    place = np.concatenate([slot * width + day, cash * width + day])
    moved = np.concatenate([shares, rows.amount[now]])
    held = np.bincount(slots.position, weights=book.position_quantity, minlength=size[0])
    touched = np.bincount(np.concatenate([slot, cash]), weights=np.abs(moved), minlength=size[0]) + np.abs(held)
    quantity = _summed(place, moved, size)
    # From the last close back: what moved after a close is not in it.
    np.cumsum(quantity[:, :0:-1], axis=1, out=quantity[:, -2::-1])
    quantity[:, -1] = 0.0
    np.subtract(held[:, None], quantity, out=quantity)
    quantity[np.abs(quantity) <= _DUST * touched[:, None]] = 0.0
    for account in np.flatnonzero(book.begins > 0):
        quantity[slots.ptr[account] : slots.ptr[account + 1], : book.begins[account]] = 0.0
    return quantity


def _idle(book: Book, slots: _Slots, quantity: Floats) -> np.ndarray:
    """Accounts that held nothing at any close and had no row in the window."""
    ever = np.bincount(slots.account, weights=quantity.any(axis=1), minlength=len(book.accounts)) > 0
    ever[book.rows.account[book.rows.day > 0]] = True
    return ~ever


def _reasons(book: Book, slots: _Slots, idle: np.ndarray, unpriced: Ints) -> pd.DataFrame:
    """Accounts to leave out, with why: `unpriced` (K) is the first close at which a slot has no price, -1 for none."""
    first, last = (f"{day:%Y-%m-%d}" for day in (book.sessions[0], book.sessions[-1]))
    reason = np.full(len(book.accounts), None, dtype=object)
    for slot in np.flatnonzero(unpriced >= 0)[::-1]:
        name, day = book.securities[slots.security[slot]], book.sessions[unpriced[slot]]
        reason[slots.account[slot]] = f"{name} has no price up to {day:%Y-%m-%d}, neither a close nor one it traded at"
    reason[idle] = f"held nothing and moved nothing from {first} to {last}"
    there = np.array([text is not None for text in reason], dtype=bool)
    return pd.DataFrame(
        {"account_id": book.accounts["account_id"][there].to_numpy(), "reason": reason[there].astype(str)}, dtype="str"
    )


def _with_no_data(ledger: DailyHoldings, reason: pd.DataFrame) -> DailyHoldings:
    no_data = pd.concat([reason, ledger.no_data]).sort_values("account_id", ignore_index=True)
    return DailyHoldings(**{**vars(ledger), "no_data": no_data})


def _ledger(book: Book, slots: _Slots, quantity: Floats, price: Floats) -> DailyHoldings:
    rows, count, periods = book.rows, len(book.accounts), len(book.sessions) - 1
    now = np.flatnonzero(rows.day > 0)
    slot, day, role = slots.row[now], rows.day[now].astype(np.int64), rows.role[now]
    of_cash = rows.security[now] == book.cash
    worth = np.where(of_cash, 0.0, rows.quantity[now] * price[slot, day])
    gain = worth + rows.amount[now]
    # Cash neither trades nor splits: such a row's money stays unexplained, for all to see.
    explained = ~of_cash | ((role != TRADING) & ~rows.is_split[now])
    on_slot, on_account = slot * periods + day - 1, rows.account[now] * periods + day - 1
    trades, held = (role == TRADING) & explained, (role == HOLDING) & explained

    def of_accounts(taken: np.ndarray) -> Floats:
        return _summed(on_account[taken], gain[taken], (count, periods))

    value = quantity * price
    holding = np.diff(price, axis=1)
    holding *= quantity[:, :-1]
    # Rows are few beside slots x days: they are added where they fall.
    np.add.at(holding.reshape(-1), on_slot[held], gain[held])
    trading = np.zeros_like(holding)
    np.add.at(trading.reshape(-1), on_slot[trades], gain[trades])
    flow, fee = of_accounts((role == FLOW) & explained), of_accounts((role == FEE) & explained)
    unexplained = np.diff(_by_account(value, slots.ptr), axis=1) - flow - fee
    unexplained -= _by_account(holding, slots.ptr) + of_accounts(trades)
    return DailyHoldings(
        accounts=book.accounts,
        sessions=book.sessions,
        securities=book.securities,
        slot_ptr=slots.ptr,
        slot_security=slots.security,
        value=value,
        holding=holding,
        trading=trading,
        flow=flow,
        fee=fee,
        unexplained=unexplained,
        price_age=book.age,
        no_data=pd.DataFrame({"account_id": [], "reason": []}, dtype="str"),
    )


def _summed(place: Offsets, amount: Floats, shape: tuple[int, int]) -> Floats:
    """Amounts added up at their places of a flat array, in that shape."""
    total = np.bincount(place, weights=amount, minlength=shape[0] * shape[1])
    return np.asarray(total, dtype=np.float64).reshape(shape)


def _by_account(slots: Floats, ptr: Offsets) -> Floats:
    return np.add.reduceat(slots, ptr[:-1], axis=0) if len(ptr) > 1 else np.zeros((0, slots.shape[1]))

"""Every household of a firm solved, without explanation: orders as arrays, ready to be added up into blocks.

Households are solved one by one in chunks of the same size whatever the number of workers, and put together in the
book's order, so that one worker and several give the same orders to the bit. A chunk carries only its own slice of
the book, so memory grows with the book and not with the workers, and the cost grows linearly with households.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from workbench.parallel import chunks, map_parallel
from workbench.rebalance.household import TAXED, Floats, Ints
from workbench.rebalance.load import Book
from workbench.rebalance.proposal import Proposal
from workbench.rebalance.propose import propose
from workbench.rebalance.rounding import Orders
from workbench.rebalance.settings import Settings
from workbench.rebalance.solve import solve_household
from workbench.rebalance.trading.orders import ORDER_COLUMNS
from workbench.tax import is_long_term

#: Households a task: some seconds of work, some megabytes of book.
CHUNK = 512


@dataclass(frozen=True, eq=False)
class FirmOrders:
    """Orders of a firm (N), sorted by household and account; `shares` above zero buy, below zero sell.

    `account` and `security` are positions in the book. `gain_short` and `gain_long` (households) are the net gains
    that the orders realise, in account currency.
    """

    account: Ints
    security: Ints
    shares: Floats
    amount: Floats
    gain_short: Floats
    gain_long: Floats

    def __len__(self) -> int:
        return len(self.shares)

    def to_frame(self, book: Book) -> pd.DataFrame:
        """Return the orders as `rebalance.blocks` takes them, one row an account, security and side."""
        households = pd.Categorical.from_codes(
            np.repeat(np.arange(len(book)), np.diff(book.household_ptr))[self.account], categories=book.household_ids
        )
        frame = pd.DataFrame(
            {
                "household_id": households,
                "account_id": pd.Categorical.from_codes(self.account, categories=book.account_ids),
                "security_id": pd.Categorical.from_codes(self.security, categories=list(book.market.ids)),
                "side": pd.Categorical.from_codes((self.shares < 0).astype(np.int8), categories=["buy", "sell"]),
                "shares": np.abs(self.shares),
                "price": book.market.price[self.security],
                "amount": self.amount,
            }
        )
        return frame[ORDER_COLUMNS]


def solve_firm(book: Book, settings: Settings, *, workers: int = 1, chunk: int = CHUNK) -> FirmOrders:
    """Solve every household of the book; `workers` processes share the work and change nothing of the result."""
    parts = (_part(book, run) for run in chunks(len(book), chunk))
    solved = map_parallel(partial(_solve, settings=settings), parts, workers=workers)
    shift = book.household_ptr[[run.start for run in chunks(len(book), chunk)]]
    return FirmOrders(
        account=_joined([part.account + first for part, first in zip(solved, shift)], np.int32),
        security=_joined([part.security for part in solved], np.int32),
        shares=_joined([part.shares for part in solved], np.float64),
        amount=_joined([part.amount for part in solved], np.float64),
        gain_short=_joined([part.gain_short for part in solved], np.float64),
        gain_long=_joined([part.gain_long for part in solved], np.float64),
    )


def propose_firm(
    book: Book, settings: Settings, *, households: Sequence[int] | None = None, workers: int = 1, chunk: int = 32
) -> tuple[Proposal, ...]:
    """Return the proposals of the book's households (positions; all by default), in order, explained in full."""
    wanted = range(len(book)) if households is None else households
    runs = [wanted[run.start : run.stop] for run in chunks(len(wanted), chunk)]
    parts = ([_part(book, range(i, i + 1)) for i in run] if households is not None else
             [_part(book, range(run[0], run[-1] + 1))] for run in runs)  # fmt: skip
    made = map_parallel(partial(_propose, settings=settings), parts, workers=workers)
    return tuple(proposal for part in made for proposal in part)


def _propose(books: list[Book], settings: Settings) -> list[Proposal]:
    return [propose(household, settings) for book in books for household in book]


def _joined(parts: list[np.ndarray], kind: type) -> np.ndarray:
    return np.concatenate([np.zeros(0, kind), *parts]).astype(kind)


def _part(book: Book, run: range) -> Book:
    """A book of some of the households, with its arrays cut to what is theirs."""
    first, last = int(book.household_ptr[run.start]), int(book.household_ptr[run.stop])
    h0, h1 = int(book.account_ptr[first]), int(book.account_ptr[last])
    l0, l1 = int(book.holding_ptr[h0]), int(book.holding_ptr[h1])
    accounts, holdings, lots, here = slice(first, last), slice(h0, h1), slice(l0, l1), slice(run.start, run.stop)

    def moved(rows: dict[int, tuple[Any, ...]]) -> dict[int, tuple[Any, ...]]:
        return {i - run.start: rows[i] for i in run if i in rows}

    return replace(
        book,
        household_ids=book.household_ids[here], names=book.names[here], advisors=book.advisors[here],
        tax=book.tax.iloc[here], household_ptr=book.household_ptr[run.start : run.stop + 1] - first,
        account_ids=book.account_ids[accounts], registration=book.registration[accounts],
        treatment=book.treatment[accounts], model=book.model[accounts], discretionary=book.discretionary[accounts],
        fee=book.fee[accounts], cash=book.cash[accounts], kept_apart=book.kept_apart[accounts],
        account_ptr=book.account_ptr[first : last + 1] - h0, security=book.security[holdings],
        quantity=book.quantity[holdings], holding_ptr=book.holding_ptr[h0 : h1 + 1] - l0, lot_ids=book.lot_ids[lots],
        lot_quantity=book.lot_quantity[lots], lot_basis=book.lot_basis[lots], acquired_on=book.acquired_on[lots],
        holding_start=book.holding_start[lots], restrictions=moved(book.restrictions), needs=moved(book.needs),
        wash=moved(book.wash), _columns={},
    )  # fmt: skip


def _solve(book: Book, settings: Settings) -> FirmOrders:
    account, security, shares = [], [], []
    gain = np.zeros((2, len(book)))
    for i in range(len(book)):
        solved = solve_household(book.household(i), settings)
        if solved is None or not len(solved.orders):
            continue
        orders = solved.orders
        account.append(orders.account + np.int32(book.household_ptr[i]))
        security.append(orders.security)
        shares.append(orders.shares)
        gain[:, i] = _realised(book, i, orders)
    shares_sold = _joined(shares, np.float64)
    what = _joined(security, np.int32)
    amount = np.round(np.abs(shares_sold) * book.market.price[what], 2)
    return FirmOrders(_joined(account, np.int32), what, shares_sold, amount, gain[0], gain[1])


def _realised(book: Book, i: int, orders: Orders) -> tuple[float, float]:
    """Net short- and long-term gain of one household's sales in taxed accounts."""
    first = int(book.household_ptr[i])
    start = int(book.holding_ptr[book.account_ptr[first]])
    account = orders.account[orders.lot_order]
    price = book.market.price[orders.security[orders.lot_order]]
    lot = orders.lot + start
    taxed = book.treatment[account + first] == TAXED
    gain = np.where(taxed, orders.lot_shares * (price - np.nan_to_num(book.lot_basis[lot])), 0.0)
    long = is_long_term(book.holding_start[lot], np.datetime64(book.as_of, "D"))
    return float(gain[~long].sum()), float(gain[long].sum())

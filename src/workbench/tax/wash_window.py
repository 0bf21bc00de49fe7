"""Wash sales matched as trades come in: a loss that no later purchase can reach is final, the others are matched anew.

The rule and its order are those of `match_wash_sales`, which a test holds against this over whole histories. Only the
sales of the last 30 days can still change, so a match costs what those weeks hold, however long the history is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ParameterError
from workbench.tax.wash import WASH_DAYS, gains

Floats = NDArray[np.float64]
Longs = NDArray[np.int64]
Flags = NDArray[np.bool_]


class _Bought(NamedTuple):
    """A lot as it was bought, sorted in the order in which lots replace: taxed accounts first within a day."""

    day: int
    untaxed: bool
    account: str
    security: str
    lot_id: str
    cost: float

    @property
    def start(self) -> int:
        return self.day + 1


class _Sold(NamedTuple):
    day: int
    lot_id: str
    price: float
    shares: float


class Block(NamedTuple):
    """Shares sold with one basis: `gain` before and `recognised` after the `disallowed` loss; `start` of holding."""

    day: int
    security: str
    account: str
    gain: float
    recognised: float
    disallowed: float
    permanent: float
    start: int


class OpenPart(NamedTuple):
    """Shares of a lot still held with one basis a share, and whether they have replaced others."""

    lot_id: str
    account: str
    security: str
    shares: float
    basis: float
    acquired: int
    start: int
    replacement: bool


@dataclass(frozen=True)
class _Kept:
    """Lots held, in order (L), their shares that are free to replace, and the pieces that did (P), in queue order."""

    lots: list[_Bought] = field(default_factory=list)
    free: Floats = field(default_factory=lambda: np.zeros(0))
    piece_lot: Longs = field(default_factory=lambda: np.zeros(0, np.int64))
    piece_shares: Floats = field(default_factory=lambda: np.zeros(0))
    piece_cost: Floats = field(default_factory=lambda: np.zeros(0))
    piece_start: Longs = field(default_factory=lambda: np.zeros(0, np.int64))


@dataclass
class WashWindow:
    """The trades of one household in one group of substantially identical securities, in order of days.

    `final_before`: losses of sales before this day (since 1970) can no longer change.
    """

    final_before: int = -(2**62)
    _kept: _Kept = field(default_factory=_Kept)
    _bought: list[tuple[_Bought, float]] = field(default_factory=list)
    _sold: list[_Sold] = field(default_factory=list)

    def buy(
        self, day: int, account: object, security: object, lot_id: str, shares: float, total: float, taxed: bool
    ) -> None:
        """Add a lot bought for `total` dollars. Raises `ParameterError` for a day that is final already."""
        self._check(day)
        self._bought.append((_Bought(day, not taxed, str(account), str(security), lot_id, total / shares), shares))

    def sell(self, day: int, lot_id: str, shares: float, total: float) -> None:
        """Add a sale of a lot for `total` dollars. Raises `ParameterError` for a day that is final already."""
        self._check(day)
        self._sold.append(_Sold(day, lot_id, total / shares, shares))

    def match(self, today: int) -> tuple[list[Block], list[OpenPart]]:
        """What became of all sales since `final_before`, by day, and of the lots still held.

        Then `final_before` moves to 30 days before `today`; no trade may come before `today` any more.
        """
        self._admit()
        cut = today - WASH_DAYS
        done, self._kept = self._worked([sale for sale in self._sold if sale.day < cut])
        self._sold = [sale for sale in self._sold if sale.day >= cut]
        self.final_before = max(cut, self.final_before)
        rest, now = self._worked(self._sold)
        return done + rest, _open_parts(now)

    def _check(self, day: int) -> None:
        if day < self.final_before:
            raise ParameterError(f"a trade {self.final_before - day} days before the window comes too late", "day")

    def _admit(self) -> None:
        """Put the lots bought since the last match in their places."""
        if not self._bought:
            return
        kept, lots = self._kept, self._kept.lots + [lot for lot, _ in self._bought]
        order = sorted(range(len(lots)), key=lots.__getitem__)
        place = np.argsort(order)
        free = np.append(kept.free, [shares for _, shares in self._bought])[order]
        self._kept = _Kept(
            [lots[i] for i in order], free, place[kept.piece_lot], kept.piece_shares, kept.piece_cost, kept.piece_start
        )
        self._bought = []

    def _worked(self, sales: list[_Sold]) -> tuple[list[Block], _Kept]:
        """The blocks of these sales, and what is held after them."""
        from workbench.tax import _wash

        if not sales:
            return [], self._kept
        kept, lots = self._kept, self._kept.lots
        place = {lot.lot_id: i for i, lot in enumerate(lots)}
        day, name, price, shares = zip(*sales, strict=True)
        sold_lot = np.array([place[lot_id] for lot_id in name])
        order = np.lexsort((shares, price, sold_lot, day))
        days, prices, shared = (np.array(values)[order] for values in (day, price, shares))
        blocks, _, still_open = _wash.match(
            np.array([0, len(lots)]), np.array([lot.day for lot in lots]), np.array([lot.start for lot in lots]),
            kept.free, np.array([lot.cost for lot in lots]), np.array([not lot.untaxed for lot in lots]),
            kept.piece_lot, kept.piece_shares, kept.piece_cost, kept.piece_start,
            np.array([0, len(sales)]), sold_lot[order], days, shared, prices,
        )  # fmt: skip
        fill = blocks[0]
        found = _blocks([lots[i] for i in sold_lot[order][fill]], days[fill], prices[fill], *blocks[1:])
        return found, _kept_of(lots, *still_open)


def _blocks(
    lots: list[_Bought], day: Longs, price: Floats, shares: Floats, cost: Floats, start: Longs, disallowed: Floats,
    permanent: Floats,
) -> list[Block]:  # fmt: skip
    gain, gone = gains(price, cost, shares, disallowed)
    taxed = np.array([not lot.untaxed for lot in lots])
    recognised = np.where(taxed, gain + gone, 0.0)
    columns = (each.tolist() for each in (day, gain, recognised, gone, permanent, start))
    return [
        Block(on, lot.security, lot.account, made, counts, lost, ever, since)
        for lot, on, made, counts, lost, ever, since in zip(lots, *columns, strict=True)
    ]


def _kept_of(lots: list[_Bought], lot: Longs, shares: Floats, cost: Floats, start: Longs, piece: Flags) -> _Kept:
    """What is held, with lots that are gone left out."""
    free = np.zeros(len(lots))
    free[lot[~piece]] = shares[~piece]
    held, place = np.unique(lot, return_inverse=True)
    return _Kept(
        [lots[i] for i in held], free[held], place[piece].astype(np.int64), shares[piece], cost[piece], start[piece]
    )


def _open_parts(kept: _Kept) -> list[OpenPart]:
    """Parts of lots in order of the lots, pieces that replaced others first."""
    queues: list[list[OpenPart]] = [[] for _ in kept.lots]
    pieces = (kept.piece_lot, kept.piece_shares, kept.piece_cost, kept.piece_start)
    for at, shares, cost, start in zip(*(each.tolist() for each in pieces), strict=True):
        queues[at].append(_part(kept.lots[at], shares, cost, start, True))
    for at, shares in enumerate(kept.free.tolist()):
        if shares > 0.0:
            lot = kept.lots[at]
            queues[at].append(_part(lot, shares, lot.cost, lot.start, False))
    return [part for queue in queues for part in queue]


def _part(lot: _Bought, shares: float, cost: float, start: int, replacement: bool) -> OpenPart:
    return OpenPart(lot.lot_id, lot.account, lot.security, shares, cost, lot.day, start, replacement)

"""One account's books during the simulation: cash, lots and every transaction that moved them.

Kept in whole numbers, so that replaying the transactions reproduces positions, cash and lots exactly: cash in cents,
quantities in ten-thousandths of a share. Trade-date accounting: a trade moves cash and shares on its trade date.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

#: Smallest quantity the custodians keep: a ten-thousandth of a share.
UNITS = 10_000


@dataclass(slots=True)
class Lot:
    """An open lot: `units` ten-thousandths of a share, bought at `cost` a share on the day with ordinal `acquired`."""

    lot_id: str
    security: int
    units: int
    cost: float
    acquired: int


class Entry(NamedTuple):
    """One transaction as booked: security -1 is cash, `cents` is the effect on cash, `acquired` the lot's own day."""

    day: int
    security: int
    kind: str
    units: int
    price: float | None
    cents: int
    origin: str
    lot_id: str | None
    acquired: int | None


class Sale(NamedTuple):
    """A relieved lot, or part of one: what the year's realised gain is made of."""

    day: int
    security: int
    lot_id: str
    units: int
    acquired: int
    gain: float


class Ledger:
    """Books of one account; `entries` and `sales` grow as it is used."""

    def __init__(self, account_id: str) -> None:
        self.account_id = account_id
        self.cents = 0
        self.lots: dict[int, list[Lot]] = {}
        self.entries: list[Entry] = []
        self.sales: list[Sale] = []
        self._lots_opened = 0

    @property
    def cash(self) -> float:
        """Cash in dollars."""
        return self.cents / 100.0

    def units(self, security: int) -> int:
        """Units held of a security."""
        return sum(lot.units for lot in self.lots.get(security, ()))

    def holdings(self) -> dict[int, int]:
        """Units held by security, open holdings only."""
        return {security: units for security, lots in self.lots.items() if (units := sum(x.units for x in lots))}

    def move_cash(self, day: int, cents: int, kind: str, origin: str) -> None:
        """Book a deposit, withdrawal or fee."""
        if cents:
            self._book(day, -1, kind, 0, None, cents, origin, None, None)

    def receive(self, day: int, security: int, units: int, cost: float, acquired: int) -> Lot:
        """Book a lot transferred in kind, with its own cost and acquisition day."""
        lot = self._open(security, units, cost, acquired)
        self._book(day, security, "transfer", units, cost, 0, "client", lot.lot_id, acquired)
        return lot

    def buy(self, day: int, security: int, units: int, price: float, origin: str) -> Lot:
        """Buy `units` at `price` a share into a new lot."""
        lot = self._open(security, units, price, day)
        self._book(day, security, "buy", units, price, -round(units * price * 100 / UNITS), origin, lot.lot_id, day)
        return lot

    def sell(self, day: int, parts: Iterable[tuple[Lot, int]], price: float, origin: str) -> None:
        """Sell units of the given lots at `price` a share; one transaction a lot and day, as a custodian reports it."""
        for lot, units in parts:
            proceeds = round(units * price * 100 / UNITS)
            gain = proceeds / 100.0 - units * lot.cost / UNITS
            self.sales.append(Sale(day, lot.security, lot.lot_id, units, lot.acquired, gain))
            self._book(day, lot.security, "sell", -units, price, proceeds, origin, lot.lot_id, lot.acquired)
            lot.units -= units
            if lot.units == 0:
                self.lots[lot.security].remove(lot)

    def dividend(self, day: int, security: int, per_share: float) -> int:
        """Book a cash dividend on what is held; return its cents."""
        cents = round(self.units(security) * per_share * 100 / UNITS)
        if cents:
            self._book(day, security, "dividend", 0, per_share, cents, "corporate_action", None, None)
        return cents

    def split(self, day: int, security: int, ratio: float) -> None:
        """Split every open lot; the lot's total cost stays. Fractions are kept to a ten-thousandth of a share."""
        for lot in self.lots.get(security, ()):
            after = round(lot.units * ratio)
            extra, lot.cost, lot.units = after - lot.units, lot.cost * lot.units / after, after
            self._book(day, security, "split", extra, None, 0, "corporate_action", lot.lot_id, lot.acquired)

    def _open(self, security: int, units: int, cost: float, acquired: int) -> Lot:
        self._lots_opened += 1
        lot = Lot(lot_name(self.account_id, self._lots_opened), security, units, cost, acquired)
        self.lots.setdefault(security, []).append(lot)
        return lot

    def _book(
        self, day: int, security: int, kind: str, units: int, price: float | None, cents: int, origin: str,
        lot_id: str | None, acquired: int | None,
    ) -> None:  # fmt: skip
        entry = Entry(day, security, kind, units, price, cents, origin, lot_id, acquired)
        earlier = self._same_sale(entry) if kind == "sell" else None
        if earlier is None or price is None:
            self.entries.append(entry)
            self.cents += cents
            return
        first = self.entries[earlier]
        together = round(-(first.units + units) * price * 100 / UNITS)  # rounded once, as one sale is
        self.entries[earlier] = first._replace(units=first.units + units, cents=together)
        self.cents += together - first.cents

    def _same_sale(self, entry: Entry) -> int | None:
        """Where the day's entries already hold a sale of this lot at this price for this reason."""
        for position in range(len(self.entries) - 1, -1, -1):
            booked = self.entries[position]
            if booked.day != entry.day:
                return None
            if booked._replace(units=0, cents=0) == entry._replace(units=0, cents=0):
                return position
        return None


def lot_name(account_id: str, number: int) -> str:
    """Return the identifier of the account's lot of that number, counted from 1 in order of opening."""
    return f"L-{account_id}-{number:04d}"


def is_long_term(acquired: int, sold: int) -> bool:
    """Tell whether a lot acquired and sold on these day ordinals is long-term: after the calendar anniversary.

    Source: IRC 1222; the period starts the day after the trade, and years are calendar years (Rev. Rul. 66-7).
    """
    if sold - acquired < 365:
        return False
    start = date.fromordinal(acquired)
    day = 28 if (start.month, start.day) == (2, 29) else start.day
    return sold > start.replace(year=start.year + 1, day=day).toordinal()

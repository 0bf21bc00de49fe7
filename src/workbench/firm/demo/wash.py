"""Wash sales in the lived histories: losses that a purchase in the household within 30 days disallows.

Rule (IRC 1091; 26 CFR 1.1091-1): losses in order of disposition; replacement shares in order of acquisition, each
used once, in any account of the household; a purchase in a retirement or education account disallows the loss for
good (Rev. Rul. 2008-5). The disallowed loss goes into the replacement lot as `wash_adjustment`, dollars of the lot
beside its cost, and a lot wholly matched takes over the holding period.

Simplified, and said so: replacements are lots still open at the as-of date, of the same security; a lot matched in
part is not split and keeps its own holding period; a split between sale and purchase ends the match.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from workbench.firm.demo.ledger import Lot, Sale
from workbench.firm.demo.simulate import Life

WINDOW = 30


@dataclass(frozen=True)
class WashSales:
    """Dollars added to open lots, days of holding taken over by wholly matched lots, dollars disallowed by sale.

    `disallowed` is keyed by account, lot and day of the sale.
    """

    adjustment: dict[str, float]
    tacked_days: dict[str, int]
    disallowed: dict[tuple[str, str, int], float]


def find(lives: Iterable[Life]) -> WashSales:
    """Match every household's loss sales with its purchases."""
    households: dict[str, list[Life]] = defaultdict(list)
    for life in lives:
        households[life.plan.household.household_id].append(life)
    result = WashSales({}, {}, {})
    for members in households.values():
        _match_household(members, result)
    return result


def _match_household(members: list[Life], result: WashSales) -> None:
    losses = [
        (sale.day, life.plan.account_id, n, sale)
        for life in members
        if life.plan.taxed
        for n, sale in enumerate(life.ledger.sales)
        if sale.gain < -0.005
    ]
    if not losses:
        return
    bought = _open_purchases(members)
    unused = {lot.lot_id: lot.units for lots in bought.values() for lot, _ in lots}
    for _, account, _, sale in sorted(losses, key=lambda row: row[:3]):
        _match_sale(account, sale, bought.get(sale.security, []), unused, result)


def _open_purchases(members: list[Life]) -> dict[int, list[tuple[Lot, bool]]]:
    """Open lots the household bought (not received in kind), by security in order of acquisition; True where taxed."""
    bought: dict[int, list[tuple[Lot, bool]]] = defaultdict(list)
    for life in members:
        split = {entry.lot_id for entry in life.ledger.entries if entry.kind == "split"}
        opened = {entry.lot_id for entry in life.ledger.entries if entry.kind == "buy"}
        for lots in life.ledger.lots.values():
            for lot in lots:
                if lot.lot_id in opened and lot.lot_id not in split:
                    bought[lot.security].append((lot, life.plan.taxed))
    for pairs in bought.values():
        pairs.sort(key=lambda pair: (pair[0].acquired, pair[0].lot_id))
    return bought


def _match_sale(
    account: str, sale: Sale, candidates: list[tuple[Lot, bool]], unused: dict[str, int], result: WashSales
) -> None:
    left = sale.units
    for lot, taxed in candidates:
        near = abs(lot.acquired - sale.day) <= WINDOW
        if not near or lot.lot_id == sale.lot_id or not left or not unused[lot.lot_id]:
            continue
        matched = min(left, unused[lot.lot_id])
        dollars = -sale.gain * matched / sale.units
        left -= matched
        unused[lot.lot_id] -= matched
        key = (account, sale.lot_id, sale.day)
        result.disallowed[key] = result.disallowed.get(key, 0.0) + dollars
        if taxed:
            result.adjustment[lot.lot_id] = result.adjustment.get(lot.lot_id, 0.0) + dollars
            if matched == lot.units:
                result.tacked_days[lot.lot_id] = sale.day - sale.acquired

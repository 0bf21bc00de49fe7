"""How much of each loss that a proposal takes a wash sale disallows now (IRC 1091)."""

from __future__ import annotations

import numpy as np

from workbench.rebalance.household import TAXED, Floats, Household
from workbench.rebalance.rounding import Orders


def washed_shares(household: Household, orders: Orders) -> Floats:
    """Return, for each lot sold, the shares whose loss purchases of the last 30 days or of today take away.

    Replacements count share for share and each once: losses in order of original acquisition, purchases oldest first
    and the taxed accounts' first. The rest of the very lot that is sold replaces nothing (26 CFR 1.1091-1).
    """
    lots, market = household.lots, household.market
    washed = np.zeros(len(orders.lot))
    security = orders.security[orders.lot_order]
    taxed = household.accounts.treatment[orders.account[orders.lot_order]] == TAXED
    loss = taxed & (market.price[security] < lots.basis[orders.lot])
    group = market.wash_group[security]
    for one in np.unique(group[loss]).tolist():
        pool = _replacements(household, orders, one)
        if not pool:
            continue
        rows = np.flatnonzero(loss & (group == one))
        for row in rows[np.lexsort((orders.lot[rows], lots.acquired_on[orders.lot[rows]]))].tolist():
            name, left = str(lots.ids[orders.lot[row]]), float(orders.lot_shares[row])
            for place, (source, shares) in enumerate(pool):
                part = 0.0 if source == name else min(left, shares)
                pool[place] = (source, shares - part)
                washed[row] += part
                left -= part
    return washed


def _replacements(household: Household, orders: Orders, group: int) -> list[tuple[str, float]]:
    """Lot ("" for one that this proposal buys) and shares of each purchase of a group, in the order they are used."""
    treatment, market = household.accounts.treatment, household.market
    recent = sorted(
        (event.first_day, treatment[event.account] != TAXED, event.source, event.shares)
        for event in household.wash
        if event.kind == "purchase" and event.group == group
    )
    mine = np.flatnonzero((orders.shares > 0) & (market.wash_group[orders.security] == group))
    today = sorted((bool(treatment[orders.account[i]] != TAXED), float(orders.shares[i])) for i in mine.tolist())
    return [*((source, shares) for _, _, source, shares in recent), *(("", shares) for _, shares in today)]

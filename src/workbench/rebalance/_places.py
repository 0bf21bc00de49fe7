"""Asset location: what a class costs a year in one account of a group beyond the account where it costs least."""

from __future__ import annotations

import numpy as np

from workbench.rebalance.household import Floats, Household, Ints, Market
from workbench.rebalance.settings import Settings


def location_table(market: Market, settings: Settings) -> Floats:
    """Yearly cost of each security (S x treatments); a class that the settings do not name costs nothing anywhere."""
    cost = {name: costs for name, *costs in settings.location_costs}
    return np.array([cost.get(name, (0.0, 0.0, 0.0)) for name in market.asset_class], np.float64).reshape(-1, 3)


def misplacement(household: Household, group: Ints, settings: Settings) -> Floats:
    """Yearly cost of each security in each account (A x S) beyond the cheapest account of its group.

    What would cost the same anywhere in the group is no matter of location: it must not move the mix of classes. Less
    than `location_hurdle` is nothing, so that no position changes its place for a basis point or two. Zero for accounts
    outside every group (-1), and throughout where `location` is off.
    """
    treatment = household.accounts.treatment
    result = np.zeros((len(treatment), len(household.market.ids)))
    if not settings.location:
        return result
    table = location_table(household.market, settings).T
    for members in (np.flatnonzero(group == g) for g in np.unique(group[group >= 0])):
        extra = table[treatment[members]] - table[np.unique(treatment[members])].min(axis=0)
        result[members] = np.where(extra > settings.location_hurdle, extra, 0.0)
    return result

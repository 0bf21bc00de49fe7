"""Households that the policy leaves alone: inside every band, or too little gained to be worth a trade."""

from __future__ import annotations

import numpy as np

from workbench.rebalance._tax_year import tax_of
from workbench.rebalance._weights import Weights, benefit, weights
from workbench.rebalance.formulate import Formulation
from workbench.rebalance.household import TAXED, Household
from workbench.rebalance.proposal import Obstacle
from workbench.rebalance.rounding import Orders
from workbench.rebalance.settings import Settings
from workbench.tax import is_long_term

_ON_THE_LINE = 1e-9


def left_alone(household: Household, formulation: Formulation, orders: Orders, settings: Settings) -> Obstacle | None:
    """Return why these orders are not made: `band`, `cost`, or None where they are.

    Only orders that nobody has to make are spared: not where cash is owed, a holding must go or a cap is passed, and
    only in the modes `full` and `direct_index`.
    """
    asked = settings.only_outside_bands or settings.least_benefit > 0
    if not asked or not len(orders) or settings.mode not in ("full", "direct_index"):
        return None
    if formulation.owes or formulation.obstacles.must_sell or _over_a_cap(formulation):
        return None
    w = weights(household, formulation, orders, settings)
    if settings.only_outside_bands and _inside(household, w):
        return "band"
    if settings.least_benefit > 0:
        net = benefit(household, formulation, orders, w, settings) - float(w.cost.sum() + w.fee.sum())
        net -= _tax(household, orders, settings)
        if net < settings.least_benefit * formulation.value:
            return "cost"
    return None


def _over_a_cap(formulation: Formulation) -> bool:
    caps = [k for k, row in enumerate(formulation.rows) if row.kind in ("max_weight", "issuer_cap", "sector_cap")]
    return bool((formulation.problem.row_high[caps] < 0).any())


def _inside(household: Household, w: Weights) -> bool:
    """Whether every group stands inside all its bands before any trade."""
    models = household.models
    for group, m in enumerate(w.model.tolist()):
        held = w.before[group]
        tables = [(held, models.lower[m], models.upper[m])]
        for level in models.levels:
            loading = level.loading[m if len(level.loading) > 1 else 0]
            tables.append((held @ loading, level.lower[m], level.upper[m]))
        for at, lower, upper in tables:
            if (at > upper + _ON_THE_LINE).any() or (at < lower - _ON_THE_LINE).any():
                return False
    return True


def _tax(household: Household, orders: Orders, settings: Settings) -> float:
    """Change of the year's tax by the orders, carried losses at the policy's value; an unknown basis counts as zero."""
    taxed = household.accounts.treatment[orders.account[orders.lot_order]] == TAXED
    price = household.market.price[orders.security[orders.lot_order]]
    gain = np.where(taxed, (price - np.nan_to_num(household.lots.basis[orders.lot])) * orders.lot_shares, 0.0)
    start = np.asarray(household.lots.holding_start)[orders.lot]
    long = is_long_term(start, np.datetime64(household.as_of, "D"))
    value = settings.carryforward_value
    after = tax_of(household.tax, float(gain[~long].sum()), float(gain[long].sum()), value)
    return after - tax_of(household.tax, 0.0, 0.0, value)

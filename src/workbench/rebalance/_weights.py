"""Weights before and after a set of orders, by group, at every level, and what they mean in risk and money."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.rebalance._places import misplacement
from workbench.rebalance.formulate import Formulation
from workbench.rebalance.household import Floats, Household
from workbench.rebalance.proposal import GroupState, LevelRow
from workbench.rebalance.rounding import Orders, trading_cost
from workbench.rebalance.settings import Settings

_DUST = 5e-7


@dataclass(frozen=True, eq=False)
class Weights:
    """Weights (groups x S) before and after, as fractions of each group's value before; targets alike."""

    names: tuple[str, ...]
    before: Floats
    after: Floats
    target: Floats
    model: np.ndarray
    value: Floats
    cash_after: Floats
    cost: Floats
    fee: Floats
    amount: Floats


def weights(household: Household, formulation: Formulation, orders: Orders, settings: Settings) -> Weights:
    """Return what every group holds before and after the orders, and each order's amount and cost in dollars."""
    market, accounts = household.market, household.accounts
    group, n = formulation.group, len(formulation.group_value)
    price = np.nan_to_num(market.price)
    pairs = list(zip(orders.security.tolist(), orders.shares.tolist(), strict=True))
    amount = np.array([round(abs(shares) * float(price[s]), 2) for s, shares in pairs])
    cost = np.array([trading_cost(household, s, shares, settings) for s, shares in pairs])
    fee = accounts.fee[orders.account]
    cash_after = accounts.cash.astype(np.float64).copy()
    np.add.at(cash_after, orders.account, np.where(orders.shares > 0, -amount, amount) - cost - fee)

    dollars = np.zeros((n, len(market.ids)))
    owner = np.repeat(np.arange(len(accounts.ids)), np.diff(household.account_ptr))
    mine = group[owner] >= 0
    held = household.quantity * price[household.security]
    np.add.at(dollars, (group[owner][mine], household.security[mine]), held[mine])
    after = dollars.copy()
    np.add.at(after, (group[orders.account], orders.security), np.where(orders.shares > 0, amount, -amount))
    managed = group >= 0
    np.add.at(dollars[:, market.cash], group[managed], accounts.cash[managed])
    np.add.at(after[:, market.cash], group[managed], cash_after[managed])
    value = np.maximum(formulation.group_value, 0.01)[:, None]
    model = np.zeros(n, np.int32)
    model[group[managed]] = accounts.model[managed]
    return Weights(
        names=_group_names(household, formulation, model),
        before=dollars / value,
        after=after / value,
        target=household.models.target[model],
        model=model,
        value=formulation.group_value,
        cash_after=np.round(cash_after, 2),
        cost=cost,
        fee=fee,
        amount=amount,
    )


def _group_names(household: Household, formulation: Formulation, model: np.ndarray) -> tuple[str, ...]:
    """A group is called after its model and, where it is one of several or of one account, that account."""
    names = []
    for group, m in enumerate(model.tolist()):
        members = [household.accounts.ids[a] for a in np.flatnonzero(formulation.group == group)]
        name = household.models.ids[m]
        names.append(name if sum(model == m) == 1 else f"{name} {members[0]}")
    return tuple(names)


def tracking_error(household: Household, active: Floats) -> Floats:
    """Annual tracking error of active weights (groups x S) under the market's factor model."""
    factor = active @ household.market.exposure
    return np.sqrt((factor**2).sum(axis=1) + active**2 @ household.market.specific)


def level_rows(household: Household, w: Weights) -> tuple[LevelRow, ...]:
    """Every key with weight or target, at security level and each level that has bands; none of an empty group."""
    models, market = household.models, household.market
    rows = []
    for group, name in enumerate(w.names):
        if not (w.before[group].any() or w.after[group].any()):
            continue  # nothing in it has a weight, so nothing is off its target
        m = int(w.model[group])
        tables = [
            ("security", market.ids, w.target[group], models.lower[m], models.upper[m], w.before[group], w.after[group])
        ]
        for level in models.levels:
            loading = level.loading[m if len(level.loading) > 1 else 0]
            tables.append(
                (level.name, level.keys, level.target[m], level.lower[m], level.upper[m], w.before[group] @ loading,
                 w.after[group] @ loading)
            )  # fmt: skip
        for level_name, keys, target, lower, upper, before, after in tables:
            shown = (np.abs(target) > _DUST) | (np.abs(before) > _DUST) | (np.abs(after) > _DUST)
            for key in np.flatnonzero(shown).tolist():
                rows.append(
                    LevelRow(
                        name, level_name, str(keys[key]), _weight(target[key]), _limit(lower[key]), _limit(upper[key]),
                        _weight(before[key]), _weight(after[key]),
                    )
                )  # fmt: skip
    return tuple(rows)


def group_states(household: Household, formulation: Formulation, w: Weights) -> tuple[GroupState, ...]:
    """Each group's value, tracking error and active share before and after (zero where a group holds nothing)."""
    before, after = w.before - w.target, w.after - w.target
    empty = ~(w.before.any(axis=1) | w.after.any(axis=1))
    before[empty], after[empty] = 0.0, 0.0
    error = tracking_error(household, before), tracking_error(household, after)
    share = 0.5 * np.abs(before).sum(axis=1), 0.5 * np.abs(after).sum(axis=1)
    return tuple(
        GroupState(
            name,
            household.models.ids[w.model[group]],
            household.models.versions[w.model[group]],
            tuple(household.accounts.ids[a] for a in np.flatnonzero(formulation.group == group)),
            round(float(w.value[group]), 2),
            round(float(error[0][group]), 8),
            round(float(error[1][group]), 8),
            round(float(share[0][group]), 8),
            round(float(share[1][group]), 8),
        )
        for group, name in enumerate(w.names)
    )


def benefit(household: Household, formulation: Formulation, orders: Orders, w: Weights, settings: Settings) -> float:
    """What the orders are worth before tax and cost, in dollars a year: less tracking risk, and better places.

    The sum over groups of risk aversion x value x (variance before - variance after), less the sum over orders of
    signed amount x yearly cost of the class in its account beyond the cheapest account of its group. Losses harvested
    are in the tax, and limits (bands, cash, caps) have no price here: a benefit is money, not the price of a rule.
    """
    errors = tracking_error(household, w.before - w.target), tracking_error(household, w.after - w.target)
    gain = settings.risk_aversion * float((w.value * (errors[0] ** 2 - errors[1] ** 2)).sum())
    if settings.location and len(orders):
        traded = np.where(orders.shares > 0, w.amount, -w.amount)
        extra = misplacement(household, formulation.group, settings)[orders.account, orders.security]
        gain -= float((extra * traded).sum())
    return round(gain, 2) + 0.0


def _weight(value: float) -> float:
    return round(float(value), 8) + 0.0


def _limit(value: float) -> float | None:
    return None if np.isinf(value) else round(float(value), 8)

"""What may be bought: one column for each account and security of its model, and substitutes where they are needed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.rebalance._obstacles import Bar
from workbench.rebalance.household import Floats, Household, Ints
from workbench.rebalance.program.assembly import Assembly
from workbench.rebalance.program.costs import MarginalRates, trading_cost
from workbench.rebalance.program.managed import Managed
from workbench.rebalance.settings import Settings
from workbench.rebalance.solver.problem import BUY


@dataclass(frozen=True, eq=False)
class Purchases:
    """Columns of purchases: account, security, line, most, half-spread; `blocked` says what stood against some."""

    account: Ints
    security: Ints
    line: Ints
    upper: Floats
    spread: Floats
    columns: np.ndarray
    blocked: dict[tuple[int, int, str], Bar]


def add_purchases(assembly: Assembly, m: Managed, rates: MarginalRates) -> Purchases:
    """Add a purchase for each account and security of its model; a substitute's where the security is barred.

    Where a lot could be harvested, its replacement may be bought as well.
    """
    account, security, line = _of_models(m)
    blocked: dict[tuple[int, int, str], Bar] = {}
    for i in np.flatnonzero(_maybe_barred(m, security)).tolist():
        bar = _bar(m, int(account[i]), int(security[i]))
        if bar is not None:
            blocked[(int(account[i]), int(security[i]), "buy")] = bar
    upper = np.ones(len(account))
    upper[[(a, s, "buy") in blocked for a, s in zip(account.tolist(), security.tolist())]] = 0.0
    replaced = np.flatnonzero((upper == 0.0) | np.isin(m.market.wash_group[security], _harvestable(m)))
    extra = set()
    for i in replaced.tolist():
        substitute = _substitute(m, int(account[i]), int(security[i]))
        if substitute is not None:
            extra.add((int(account[i]), substitute, int(line[i])))
    added = np.array(sorted(extra), np.int32).reshape(-1, 3)
    account, security, line = (np.concatenate([own, added[:, k]]) for k, own in enumerate((account, security, line)))
    upper = np.concatenate([upper, np.ones(len(added))])
    upper = np.where(m.account_value[account] > 0, upper, 0.0)
    if m.settings.mode == "raise_cash":
        upper[:] = 0.0
    spread, curve = trading_cost(m.market, security, m.value, m.settings)
    linear = spread + m.places[account, security] + _disallowed(m.household, security, rates, m.settings)
    linear[len(linear) - len(added) :] += m.settings.substitute_cost
    columns = assembly.add(
        len(account), BUY, linear=linear, quadratic=curve, upper=upper, line=line, line_coefficient=1.0
    )
    return Purchases(account, security, line, upper, spread, columns, blocked)


def _of_models(m: Managed) -> tuple[Ints, Ints, Ints]:
    accounts = np.flatnonzero(m.group >= 0)
    groups = m.group[accounts].tolist()
    codes = [m.named[group] for group in groups]
    lines = [np.searchsorted(m.line_keys, g * len(m.market.ids) + m.named[g]) for g in range(len(m.named))]
    account = np.repeat(accounts, [len(code) for code in codes])
    line = np.concatenate([lines[group] for group in groups])
    return account.astype(np.int32), np.concatenate(codes).astype(np.int32), line.astype(np.int32)


def _maybe_barred(m: Managed, security: Ints) -> np.ndarray:
    """Purchases of securities that some obstacle names in some account."""
    found = m.obstacles
    if not found.no_buy and not found.no_buy_group:
        return np.zeros(len(security), bool)
    named = np.isin(security, [s for _, s in found.no_buy])
    return named | np.isin(m.market.wash_group[security], list(found.no_buy_group))


def _bar(m: Managed, account: int, security: int) -> Bar | None:
    found = m.obstacles.no_buy.get((account, security))
    return found or m.obstacles.no_buy_group.get(int(m.market.wash_group[security]))


def _harvestable(m: Managed) -> np.ndarray:
    """Wash groups with a lot under water in a taxed account: their replacement may be bought elsewhere."""
    lots = m.household.lots
    holding = np.repeat(np.arange(len(m.taxed)), np.diff(lots.holding_ptr))
    loss = (m.tradable & m.taxed)[holding] & (lots.basis > m.price[holding])
    return np.unique(m.market.wash_group[m.household.security[holding[loss]]])


def _substitute(m: Managed, account: int, security: int) -> int | None:
    """The first substitute that may be bought in an account and is no part of its model."""
    household, market = m.household, m.market
    registration, model = household.accounts.registration[account], household.accounts.model[account]
    for substitute, _, registrations in market.substitutes.get(security, ()):
        if (
            registration in registrations
            and not household.models.target[model, substitute] > 0
            and market.price[substitute] > 0
            and market.wash_group[substitute] != market.wash_group[security]
            and _bar(m, account, substitute) is None
            and household.models.stands_for[model, substitute] == security
            and (registration != "401k" or _held(household, account, substitute))
        ):
            return substitute
    return None


def _held(household: Household, account: int, security: int) -> bool:
    first, last = household.account_ptr[account], household.account_ptr[account + 1]
    return bool((household.security[first:last] == security).any())


def _disallowed(household: Household, security: Ints, rates: MarginalRates, settings: Settings) -> Floats:
    """Where wash sales are priced: the tax saving that a purchase after a recent loss takes back, a unit bought.

    The dearer of the two terms is charged and every share counts, though no more shares are disallowed than were sold
    (26 CFR 1.1091-1(c)): the price errs against the purchase.
    """
    cost = np.zeros(len(security))
    if settings.wash != "priced":
        return cost
    group, price = household.market.wash_group[security], household.market.price[security]
    for event in household.wash:
        if event.kind == "loss_sale" and event.loss > 0:
            of = (group == event.group) & (price > 0)
            lost = event.loss * max(rates.short_loss, rates.long_loss) * settings.tax_weight
            cost[of] = np.maximum(cost[of], lost / price[of])
    return cost

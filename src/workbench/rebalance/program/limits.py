"""Limits across lines: cash of each account, the gain budget, bands of classes and sectors, and caps.

Each is elastic at a price (but a hard gain budget), so that the program always has a solution.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.rebalance._obstacles import Cap
from workbench.rebalance.household import Banded, Floats
from workbench.rebalance.program.assembly import Assembly, Row
from workbench.rebalance.program.costs import (
    CAP_PRICE,
    CASH_PRICE,
    ENOUGH,
    IDLE_CASH,
    LEAST_SHARE,
    MOST,
    NEAR,
    THIN_CASH,
    gain_budget,
)
from workbench.rebalance.program.managed import Managed
from workbench.rebalance.program.purchases import Purchases
from workbench.rebalance.program.sales import Sales
from workbench.rebalance.program.tracking import Tracking
from workbench.rebalance.solver.problem import EXCESS


@dataclass(frozen=True, eq=False)
class CashLimits:
    """Dollars of cash of each account (A): what it should keep, may keep, and must have."""

    floor: Floats
    ceiling: Floats
    owed: Floats


def cash_limits(m: Managed) -> CashLimits:
    """What each account's cash must cover after all trades, and its ceiling, as the mode allows."""
    settings, accounts, models = m.settings, m.household.accounts, m.household.models
    owed, least = np.zeros(len(accounts.ids)), np.zeros(len(accounts.ids))
    for need in m.household.needs:
        if need.kind == "min_cash":
            least[need.account] = max(least[need.account], need.amount)
        elif need.kind != "rmd" or settings.raise_rmd:
            owed[need.account] += need.amount
    value = np.maximum(m.account_value, 0.0)
    policy = settings.cash_floor * value
    # A dollar or two below the policy's floor is no reason to sell: only what is owed forces a sale that small.
    small = (policy > accounts.cash) & (policy - accounts.cash < np.maximum(settings.minimum_trade, 1.0))
    policy = np.where(small, np.maximum(accounts.cash, 0.0), policy)
    floor = owed + np.maximum(least, policy)
    model_cash = np.where(accounts.model >= 0, models.target[accounts.model, m.market.cash], 0.0)
    ceiling = np.maximum(floor, owed + (model_cash + settings.cash_ceiling) * value)
    if settings.mode in ("raise_cash", "harvest"):
        floor = np.where(accounts.cash >= floor, np.minimum(accounts.cash, np.maximum(floor, accounts.cash)), floor)
        ceiling = np.maximum(floor, accounts.cash)
    if settings.mode == "harvest":
        floor = np.maximum(np.minimum(floor, accounts.cash), 0.0)
    return CashLimits(floor, ceiling, np.minimum(owed + least, floor))


def add_cash(assembly: Assembly, m: Managed, buys: Purchases, sales: Sales, limits: CashLimits) -> None:
    """Cash of each account after all trades and their costs, between what it must cover and its ceiling."""
    cash, names = m.household.accounts.cash, m.household.accounts.ids
    accounts = np.flatnonzero(m.group >= 0)
    before, floor = cash[accounts] / m.value, limits.floor[accounts]
    # More than the whole account cannot be raised; what is missing beyond it is told from what is owed.
    low = np.minimum(floor, m.account_value[accounts]) / m.value - before
    # A ceiling far above all that the account is worth never binds, and would only stretch the program's scale.
    high = np.minimum(limits.ceiling[accounts], m.account_value[accounts] + MOST * m.value) / m.value - before
    n = len(accounts)
    short = assembly.add(n, EXCESS, linear=CASH_PRICE, upper=MOST + np.maximum(low, 0.0))
    # Where cash is to be raised, that is done, and no more than that is sold, however far off the holdings are.
    missed, idle = (ENOUGH, ENOUGH) if m.settings.mode == "raise_cash" else (THIN_CASH, IDLE_CASH)
    thin = assembly.add(n, EXCESS, linear=missed, upper=(floor - limits.owed[accounts]) / m.value)
    over = assembly.add(n, EXCESS, linear=idle, upper=MOST + np.maximum(-high, 0.0))
    row_of = np.full(len(names), -1)
    for i, account in enumerate(accounts.tolist()):
        bound, above, below = float(floor[i]), int(over[i]), int(short[i])
        row = Row("cash", names[account], account=account, bound=bound, over=above, under=below)
        row_of[account] = assembly.row(row, float(low[i]), float(high[i]))
    rows = row_of[accounts]
    assembly.enter(row_of[buys.account], buys.columns, -(1.0 + buys.spread))
    assembly.enter(row_of[m.owner[sales.holding]], sales.columns, 1.0 - sales.spread)
    for columns, sign in ((short, 1.0), (thin, 1.0), (over, -1.0)):
        assembly.enter(rows, columns, sign)


def add_gain_budget(assembly: Assembly, m: Managed, sales: Sales) -> None:
    """Net gain realised this year may not pass the budget; what was realised before counts."""
    settings, tax, name = m.settings, m.household.tax, m.household.household_id
    budget = gain_budget(m.household, settings, m.value)
    taxed = sales.lot >= 0
    if settings.gain_budget == "off" or budget is None or not taxed.any():
        return
    # No sale gains more than it brings; a budget beyond all that is held never binds.
    room = min(max(budget - tax.realised_short - tax.realised_long, 0.0) / m.value, _most(m))
    if settings.gain_budget == "hard":
        row = assembly.row(Row("gain_budget", name, bound=budget), -np.inf, room)
    else:
        over = assembly.add(1, EXCESS, linear=settings.gain_budget_price, upper=MOST)
        row = assembly.row(Row("gain_budget", name, bound=budget, over=int(over[0])), -np.inf, room)
        assembly.enter(row, over, -1.0)
    assembly.enter(row, sales.columns[taxed], sales.gain[taxed])


def add_bands(assembly: Assembly, m: Managed, tracking: Tracking) -> None:
    """Bands of classes, sectors, regions and sleeves that a group stands outside of, or near the edge of.

    Cash is what the lines leave: its deviation is minus the sum of theirs.
    """
    held = m.line_held - m.line_target
    for group, w in enumerate(m.share.tolist()):
        lines = np.flatnonzero(m.line_group == group)
        if not len(lines) or w <= LEAST_SHARE:
            continue
        model = int(m.group_model[group])
        for level in m.household.models.levels:
            loading = level.loading[model if len(level.loading) > 1 else 0]
            relative = loading[m.line_security[lines]] - loading[m.market.cash]
            active = held[lines] @ relative
            low = (level.lower[model] - level.target[model]) * w
            high = (level.upper[model] - level.target[model]) * w
            watched = (level.name == "asset_class") & (np.isfinite(low) | np.isfinite(high))
            near = np.flatnonzero(watched | (active > NEAR * high) | (active < NEAR * low))
            if len(near):
                _add_level(assembly, m, tracking, group, level, near, lines, relative[:, near], low[near], high[near])


def _add_level(
    assembly: Assembly, m: Managed, tracking: Tracking, group: int, level: Banded, keys: np.ndarray, lines: np.ndarray,
    relative: Floats, low: Floats, high: Floats,
) -> None:  # fmt: skip
    """The bands of some keys of one level: a row each, and a column for each side that has an edge."""
    over, under = np.full(len(keys), -1), np.full(len(keys), -1)
    for columns, edge in ((over, high), (under, low)):
        there = np.isfinite(edge)
        columns[there] = assembly.add(int(there.sum()), EXCESS, linear=m.settings.band_price, upper=_most(m))
    rows = np.array(
        [
            assembly.row(Row("band", level.keys[k], group, level.name, over=o, under=u), lo, hi)
            for k, o, u, lo, hi in zip(keys.tolist(), over.tolist(), under.tolist(), low.tolist(), high.tolist())
        ]
    )
    for columns, sign in ((over, -1.0), (under, 1.0)):
        there = columns >= 0
        assembly.enter(rows[there], columns[there], sign)
    line, key = np.nonzero(relative)
    assembly.enter(rows[key], tracking.deviation[lines[line]], relative[line, key])
    if tracking.excess:
        by_line = np.zeros((len(m.line_keys), len(keys)))
        by_line[lines] = relative
        for of, columns, side in tracking.excess:
            line, key = np.nonzero(by_line[of])
            assembly.enter(rows[key], columns[line], side * by_line[of[line], key])


def add_caps(assembly: Assembly, m: Managed, buys: Purchases, sales: Sales) -> None:
    """Most of a security, issuer or sector in an account or the household, where it could be reached."""
    for cap in m.obstacles.caps:
        whole = m.account_value[cap.account] if cap.account >= 0 else m.value
        if whole > 0 and (cap.account < 0 or m.group[cap.account] >= 0):
            _add_cap(assembly, m, buys, sales, cap, float(cap.weight * whole / m.value))


def _add_cap(assembly: Assembly, m: Managed, buys: Purchases, sales: Sales, cap: Cap, most: float) -> None:
    members = np.zeros(len(m.market.ids), bool)
    members[list(cap.securities)] = True
    mine = members[m.household.security] & m.tradable
    bought = members[buys.security] & (buys.upper > 0)
    if cap.account >= 0:
        mine, bought = mine & (m.owner == cap.account), bought & (buys.account == cap.account)
    held = float(m.worth[mine].sum()) / m.value
    goal = float(m.line_target[np.unique(buys.line[bought])].sum())
    if cap.account < 0 and held <= NEAR * most and goal <= NEAR * most:
        return
    over = assembly.add(1, EXCESS, linear=CAP_PRICE, upper=_most(m))
    entity = cap.entity if cap.account < 0 else f"{cap.entity} in {m.household.accounts.ids[cap.account]}"
    row = assembly.row(
        Row(cap.kind, entity, account=cap.account, source=cap.source, bound=cap.weight, over=int(over[0])),
        -np.inf, most - held,
    )  # fmt: skip
    assembly.enter(row, buys.columns[bought], 1.0)
    assembly.enter(row, sales.columns[mine[sales.holding]], -1.0)
    assembly.enter(row, over, -1.0)


def _most(m: Managed) -> float:
    """The most by which holdings can miss a limit: where cash is negative they are worth more than the household."""
    return max(MOST, float(m.line_held.sum() + m.line_target.sum()))

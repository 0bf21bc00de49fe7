"""From a solution to orders: whole shares, lots, and cash that is there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.rebalance.formulate import Formulation
from workbench.rebalance.household import Floats, Household, Ints
from workbench.rebalance.settings import Settings

_DECIMALS = 6


@dataclass(frozen=True, eq=False)
class Orders:
    """Orders of one household as arrays: `shares` above zero buys, below sells; lots sold by order.

    `line` is the order's line in the formulation. `lot_order`, `lot`, `lot_shares` list the lots that sales take.
    """

    account: Ints
    security: Ints
    shares: Floats
    line: Ints
    lot_order: Ints
    lot: Ints
    lot_shares: Floats

    def __len__(self) -> int:
        return len(self.account)


def empty() -> Orders:
    """Return no orders."""
    nothing, none = np.zeros(0, np.int32), np.zeros(0)
    return Orders(nothing, nothing, none, nothing, nothing, nothing, none)


def orders(household: Household, formulation: Formulation, values: Floats, settings: Settings) -> Orders:
    """Turn column values into orders that can be sent: shares to six decimals (whole where the settings say so).

    A sale that closes a position takes all of it. Untaxed positions give up their oldest lots first. What rounding
    would overdraw is taken off the purchases, largest first.
    """
    n_buys = len(formulation.buy_account)
    price = household.market.price
    account = formulation.buy_account
    bought = values[:n_buys] * formulation.value / price[formulation.buy_security]
    sold = _sold_lots(household, formulation, values[n_buys : n_buys + len(formulation.sell_holding)], settings)
    owner = np.repeat(np.arange(len(household.accounts.ids)), np.diff(household.account_ptr))
    bought = _whole(bought, _capped(formulation)) if settings.whole_shares else np.floor(bought * 10**_DECIMALS) / 10**_DECIMALS
    keep = bought > 0
    least = np.maximum(settings.minimum_trade, settings.minimum_weight * formulation.account_value)
    least = np.maximum(least, household.accounts.fee / settings.fee_hurdle)
    keep &= bought * price[formulation.buy_security] >= least[account] * (1 - 1e-9)
    rows: list[tuple[int, int, float, int, list[tuple[int, float]]]] = [
        (int(account[i]), int(formulation.buy_security[i]), float(bought[i]), int(formulation.buy_line[i]), [])
        for i in np.flatnonzero(keep).tolist()
    ]
    for holding, line, lots in sold:
        shares = round(sum(amount for _, amount in lots), _DECIMALS)
        where, security = int(owner[holding]), int(household.security[holding])
        closes = shares >= household.quantity[holding] - 1e-6
        if shares > 0 and (closes or shares * price[security] >= least[where] * (1 - 1e-9)):
            rows.append((where, security, -shares, line, lots))
    rows = _affordable(household, formulation, rows)
    rows.sort(key=lambda row: (row[0], row[2] > 0, row[1]))
    lots = [(i, lot, amount) for i, row in enumerate(rows) for lot, amount in row[4]]
    return Orders(
        np.array([row[0] for row in rows], np.int32), np.array([row[1] for row in rows], np.int32),
        np.array([row[2] for row in rows], np.float64), np.array([row[3] for row in rows], np.int32),
        np.array([row[0] for row in lots], np.int32), np.array([row[1] for row in lots], np.int32),
        np.array([row[2] for row in lots], np.float64),
    )  # fmt: skip


def _capped(formulation: Formulation) -> np.ndarray:
    """Purchases that count towards a cap: these are never rounded up."""
    limits = [k for k, row in enumerate(formulation.rows) if row.kind in ("max_weight", "issuer_cap", "sector_cap")]
    n_buys = len(formulation.buy_account)
    if not limits:
        return np.zeros(n_buys, bool)
    problem = formulation.problem
    column = np.repeat(np.arange(len(problem.linear)), np.diff(problem.column_ptr))
    return np.isin(np.arange(n_buys), column[np.isin(problem.entry_row, limits)])


def _whole(shares: Floats, down: np.ndarray) -> Floats:
    """The nearest whole number of shares, or the next lower one where `down` says so."""
    near = np.rint(shares)
    return np.where(down & (near > shares + 1e-4), np.floor(shares), near)


def _sold_lots(
    household: Household, formulation: Formulation, values: Floats, settings: Settings
) -> list[tuple[int, int, list[tuple[int, float]]]]:
    """(holding, line, [(lot, shares)]) of every sale."""
    result = []
    price, lots = household.market.price, household.lots
    active = np.flatnonzero(values > 1e-12)
    for holding in np.unique(formulation.sell_holding[active]).tolist():
        mine = active[formulation.sell_holding[active] == holding]
        wanted = values[mine] * formulation.value / price[household.security[holding]]
        total, held = float(wanted.sum()), float(household.quantity[holding])
        if total >= held - 1e-5:
            total = held
        elif settings.whole_shares:
            # A sale at a gain is never rounded up, so that no budget is passed by a share.
            gains = formulation.sell_lot[mine] >= 0
            down = bool((gains & (formulation.sell_gain[mine] > 0)).any())
            total = float(_whole(np.array([total]), np.array([down]))[0])
            total = min(total, float(np.floor(held)))
        else:
            total = float(np.floor(total * 10**_DECIMALS) / 10**_DECIMALS)
        if total <= 0:
            continue
        if formulation.sell_lot[mine[0]] >= 0:
            # The lots the solver took most of come first, so that rounding falls on the one it split.
            part = wanted / np.maximum(lots.quantity[formulation.sell_lot[mine]], 1e-12)
            order = mine[np.argsort(-part, kind="stable")]
            queue = [int(lot) for lot in formulation.sell_lot[order]]
        else:
            queue = [
                lot
                for lot in range(int(lots.holding_ptr[holding]), int(lots.holding_ptr[holding + 1]))
                if str(lots.ids[lot]) not in formulation.obstacles.held_lots
            ]
        taken, left = [], total
        for lot in queue:
            amount = round(min(left, float(lots.quantity[lot])), _DECIMALS)
            if amount > 0:
                taken.append((lot, amount))
                left -= amount
            if left <= 5e-7:
                break
        if taken:
            result.append((holding, int(formulation.sell_line[mine[0]]), taken))
    return result


Row = tuple[int, int, float, int, list[tuple[int, float]]]


def cash_flow(household: Household, security: int, shares: float, fee: float) -> float:
    """Cash that one order brings (below zero: takes), after half-spread and ticket."""
    amount = round(abs(shares) * float(household.market.price[security]), 2)
    spread = household.market.half_spread[security]
    cost = amount * (0.001 if np.isnan(spread) else float(spread))
    return (-amount if shares > 0 else amount) - cost - fee


def _affordable(household: Household, formulation: Formulation, rows: list[Row]) -> list[Row]:
    """Take shares off the largest purchases of an account until its cash covers its floor, or it buys nothing."""
    for account in sorted({row[0] for row in rows if row[2] > 0}):
        fee = float(household.accounts.fee[account])
        cash = float(household.accounts.cash[account])
        cash += sum(cash_flow(household, row[1], row[2], fee) for row in rows if row[0] == account)
        floor = float(formulation.cash_floor[account])
        while cash < floor - 0.005:
            buys = [i for i, row in enumerate(rows) if row[0] == account and row[2] > 0]
            if not buys:
                break
            largest = max(buys, key=lambda i: (rows[i][2] * household.market.price[rows[i][1]], -rows[i][1]))
            _, security, shares, line, lots = rows[largest]
            price = float(household.market.price[security])
            fewer = min(shares, max(float(np.ceil((floor - cash) / price)), 1.0))
            before = cash_flow(household, security, shares, fee)
            left = round(shares - fewer, _DECIMALS)
            after = cash_flow(household, security, left, fee) if left > 0 else 0.0
            cash += after - before
            rows = [*rows[:largest], *([(account, security, left, line, lots)] if left > 0 else []),
                    *rows[largest + 1 :]]  # fmt: skip
    return rows

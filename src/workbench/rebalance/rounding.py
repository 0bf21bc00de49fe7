"""From a solution to orders: whole shares, lots, and cash that is there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.rebalance.formulate import UNKNOWN_HALF_SPREAD, Formulation
from workbench.rebalance.household import TAXED, Floats, Household, Ints
from workbench.rebalance.settings import Settings

_DECIMALS = 6
#: Account, security, shares (above zero: bought), line, lots sold.
Row = tuple[int, int, float, int, list[tuple[int, float]]]


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
    if settings.whole_shares:
        bought = _whole(bought, _capped(formulation))
    else:
        bought = np.floor(bought * 10**_DECIMALS) / 10**_DECIMALS
    keep = bought > 0
    least = settings.least_trade(formulation.account_value, household.accounts.fee)
    keep &= bought * price[formulation.buy_security] >= least[account] * (1 - 1e-9)
    rows: list[Row] = [
        (int(account[i]), int(formulation.buy_security[i]), float(bought[i]), int(formulation.buy_line[i]), [])
        for i in np.flatnonzero(keep).tolist()
    ]
    for holding, line, lots in sold:
        shares = round(sum(amount for _, amount in lots), _DECIMALS)
        where, security = int(owner[holding]), int(household.security[holding])
        closes = shares >= household.quantity[holding] - 1e-6
        proceeds = shares * price[security]
        if (closes or proceeds >= least[where] * (1 - 1e-9)) and proceeds > household.accounts.fee[where] + 0.01:
            rows.append((where, security, -shares, line, lots))
    rows = _one_way(rows)
    if settings.wash == "avoid":
        rows = _one_side(household, rows)
    rows = _raised(household, formulation, _affordable(household, formulation, rows, settings), settings)
    rows.sort(key=lambda row: (row[0], row[2] > 0, row[1]))
    pieces = [(i, lot, amount) for i, row in enumerate(rows) for lot, amount in row[4]]
    return Orders(
        np.array([row[0] for row in rows], np.int32), np.array([row[1] for row in rows], np.int32),
        np.array([row[2] for row in rows], np.float64), np.array([row[3] for row in rows], np.int32),
        np.array([row[0] for row in pieces], np.int32), np.array([row[1] for row in pieces], np.int32),
        np.array([row[2] for row in pieces], np.float64),
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
        else:
            total = float(np.floor(total * 10**_DECIMALS) / 10**_DECIMALS)
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
        there = float(sum(lots.quantity[lot] for lot in queue))
        if settings.whole_shares and (total < held or there < held - 1e-5):
            total = min(total, float(np.floor(there + 1e-9)))
        if total <= 0:
            continue
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


def trading_cost(household: Household, security: int, shares: float, settings: Settings) -> float:
    """Half-spread and impact of one order in dollars, to the cent."""
    market = household.market
    price, half, adv = (float(values[security]) for values in (market.price, market.half_spread, market.adv))
    amount = abs(shares) * price
    spread = UNKNOWN_HALF_SPREAD if np.isnan(half) else half
    impact = settings.impact * amount / (adv * price) if adv * price > 0 else 0.0
    return round(amount * (spread + impact), 2)


def cash_flow(household: Household, row: Row, settings: Settings) -> float:
    """Cash that one order brings (below zero: takes), after half-spread, impact and ticket."""
    account, security, shares = row[:3]
    amount = round(abs(shares) * float(household.market.price[security]), 2)
    cost = trading_cost(household, security, shares, settings) + float(household.accounts.fee[account])
    return (-amount if shares > 0 else amount) - cost


def cash_after(household: Household, rows: list[Row], account: int, settings: Settings) -> float:
    """Cash of an account after all its orders."""
    flows = sum(cash_flow(household, row, settings) for row in rows if row[0] == account)
    return float(household.accounts.cash[account]) + flows


def _one_way(rows: list[Row]) -> list[Row]:
    """A position is bought or sold, never both: what the solver left of both is set off, or not bought."""
    sold = {row[:2]: row for row in rows if row[2] < 0}
    result = []
    for row in rows:
        other = sold.get(row[:2])
        if row[2] < 0 or other is None:
            result.append(row)
    return result


def _one_side(household: Household, rows: list[Row]) -> list[Row]:
    """No loss is taken where the same thing is bought: the side of a wash group that is worth less is not traded.

    The program settles wash sides itself; what is left of both, by rounding or a trade raised to its least, ends here.
    """
    market, lots = household.market, household.lots

    def losing(row: Row) -> list[tuple[int, float]]:
        if row[2] > 0 or household.accounts.treatment[row[0]] != TAXED:
            return []
        return [(lot, amount) for lot, amount in row[4] if market.price[row[1]] < lots.basis[lot]]

    sold: dict[int, float] = {}
    bought: dict[int, float] = {}
    for row in rows:
        group, price = int(market.wash_group[row[1]]), float(market.price[row[1]])
        if row[2] > 0:
            bought[group] = bought.get(group, 0.0) + row[2] * price
        for _, amount in losing(row):
            sold[group] = sold.get(group, 0.0) + amount * price
    both = set(sold) & set(bought)
    result: list[Row] = []
    for row in rows:
        group = int(market.wash_group[row[1]])
        if group not in both:
            result.append(row)
        elif row[2] > 0:
            if bought[group] >= sold[group]:
                result.append(row)
        else:
            kept = [part for part in row[4] if bought[group] < sold[group] or part not in losing(row)]
            shares = round(sum(amount for _, amount in kept), _DECIMALS)
            if shares > 0:
                result.append((row[0], row[1], -shares, row[3], kept))
    return result


def _affordable(household: Household, formulation: Formulation, rows: list[Row], settings: Settings) -> list[Row]:
    """Take shares off the largest purchases of an account until its cash covers its floor, or it buys nothing."""
    price = household.market.price
    for account in sorted({row[0] for row in rows if row[2] > 0}):
        while True:
            missing = float(formulation.cash_floor[account]) - cash_after(household, rows, account, settings)
            buys = [i for i, row in enumerate(rows) if row[0] == account and row[2] > 0]
            if missing <= 0.005 or not buys:
                break
            largest = max(buys, key=lambda i: (rows[i][2] * price[rows[i][1]], -rows[i][1]))
            _, security, shares, line, lots = rows[largest]
            fewer = min(shares, max(float(np.ceil(missing / float(price[security]))), 1.0))
            left = round(shares - fewer, _DECIMALS)
            kept = [(account, security, left, line, lots)] if left > 0 else []
            rows = [*rows[:largest], *kept, *rows[largest + 1 :]]
    return rows


def _raised(household: Household, formulation: Formulation, rows: list[Row], settings: Settings) -> list[Row]:
    """Sell the share or two that rounding left short of cash that is owed, where it costs least."""
    for account in np.flatnonzero(formulation.cash_owed > formulation.cash_before + 0.005).tolist():
        fee = float(household.accounts.fee[account])
        for _ in range(len(formulation.sell_holding)):
            missing = float(formulation.cash_owed[account]) - cash_after(household, rows, account, settings)
            if missing <= 0.005:
                break
            found = _cheapest(household, formulation, rows, account, 1.0 if settings.whole_shares else 1e-6)
            if found is None:
                break
            rows = _sell_more(household, formulation, rows, account, found, missing + fee, settings)
    return rows


def _cheapest(
    household: Household, formulation: Formulation, rows: list[Row], account: int, least: float
) -> tuple[int, int, float] | None:
    """(column of a sale, lot, shares left) that may be sold at the least cost a dollar; None where nothing may."""
    lots, market, first = household.lots, household.market, len(formulation.buy_account)
    low, high = int(household.account_ptr[account]), int(household.account_ptr[account + 1])
    taken = {lot: amount for row in rows for lot, amount in row[4]}
    bought = {int(market.wash_group[row[1]]) for row in rows if row[2] > 0}
    bought_here, sold_here = (
        {row[1] for row in rows if row[0] == account and (row[2] > 0) == buys} for buys in (True, False)
    )
    linear, upper = formulation.problem.linear[first:], formulation.problem.upper[first:]
    mine = np.flatnonzero((formulation.sell_holding >= low) & (formulation.sell_holding < high))
    for column in mine[np.argsort(linear[mine], kind="stable")].tolist():
        holding = int(formulation.sell_holding[column])
        security = int(household.security[holding])
        if upper[column] <= 0 or security in bought_here:
            continue
        if formulation.sell_gain[column] < 0 and int(market.wash_group[security]) in bought:
            continue
        one = int(formulation.sell_lot[column])
        queue = [one] if one >= 0 else range(int(lots.holding_ptr[holding]), int(lots.holding_ptr[holding + 1]))
        for lot in queue:
            left = float(lots.quantity[lot]) - taken.get(lot, 0.0)
            ticket = 0.0 if security in sold_here else float(household.accounts.fee[account])
            pays = left * float(market.price[security]) > ticket + 0.01
            if left >= least and pays and str(lots.ids[lot]) not in formulation.obstacles.held_lots:
                return column, lot, left
    return None


def _sell_more(
    household: Household,
    formulation: Formulation,
    rows: list[Row],
    account: int,
    found: tuple[int, int, float],
    missing: float,
    settings: Settings,
) -> list[Row]:
    column, lot, left = found
    security = int(household.security[formulation.sell_holding[column]])
    price = float(household.market.price[security])
    wanted = missing / (price * (1.0 - UNKNOWN_HALF_SPREAD))
    more = float(min(np.floor(left), np.ceil(wanted))) if settings.whole_shares else min(left, wanted + 1e-6)
    more = round(more, _DECIMALS)
    for i, row in enumerate(rows):
        if row[0] == account and row[1] == security and row[2] < 0:
            lots = [(name, amount + more if name == lot else amount) for name, amount in row[4]]
            if lot not in [name for name, _ in row[4]]:
                lots.append((lot, more))
            grown = (account, security, round(row[2] - more, _DECIMALS), row[3], lots)
            return [*rows[:i], grown, *rows[i + 1 :]]
    return [*rows, (account, security, -more, int(formulation.sell_line[column]), [(lot, more)])]

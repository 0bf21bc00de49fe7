"""What happens in an account's life besides corporate actions: functions of the account and a session."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from workbench.firm.demo import distributions, trading
from workbench.firm.demo.account import WASH_WINDOW, Account
from workbench.firm.demo.ledger import UNITS, Lot
from workbench.firm.demo.trading import Order

#: A harvest takes losses of at least this many dollars, on lots at least this far under water, in so many names.
SMALLEST_LOSS, LEAST_FALL, MOST_NAMES = 500.0, 0.04, 3
#: How often a client who decides himself lets a proposal lie, and an account on the `late` track misses a version.
CLIENT_DECLINES, VERSION_MISSED = 0.45, 0.5


def review(account: Account, t: int) -> None:
    """The quarterly check: a new model version or a band crossed makes orders; clients and advisors may delay."""
    plan = account.plan
    if plan.model_id is None or not plan.invests or account.closed or account.pending:
        return
    if account.reviews_to_skip:
        account.reviews_to_skip -= 1
        return
    latest = account.version_in_force(t)
    changed = latest != account.version and plan.adopts != "never"
    if changed and plan.adopts == "late" and account.rng.random() < VERSION_MISSED:
        changed = False
    if changed:
        account.version = latest
    target = account.target()
    if target is None:
        return
    needed = changed or trading.outside_bands(account.weights(t), target, account.world.asset_class)
    if needed and (plan.discretionary or account.rng.random() >= CLIENT_DECLINES):
        rebalance(account, t)


def rebalance(account: Account, t: int) -> None:
    """Send the orders that bring the account to its model."""
    target = account.target()
    if target is None:
        return
    blocked = {security for security, until in account.blocked.items() if until >= account.day(t)}
    orders = trading.rebalance_orders(
        account.plan, account.held, account.ledger.cash, target, account.panel.mark[t], blocked
    )
    account.send(t, [x for x in orders if x.units > 0 or x.security not in account.keeps], rebalance=True)


def deposit(account: Account, t: int) -> None:
    """A client's deposit, put into the three most underweight securities on the next session."""
    if account.closed:
        return
    account.ledger.move_cash(account.day(t), round(account.plan.deposit * 100), "deposit", "client")
    target = account.target()
    if target is None or not account.plan.invests:
        return
    spare = account.ledger.cash - account.value(t) * max(1.0 - target.sum(), 0.0)
    gaps, mark = target - account.weights(t), account.panel.mark[t]
    step = 1 if account.plan.fractional else UNITS
    orders = []
    for security in np.argsort(-gaps, kind="stable")[:3]:
        if gaps[security] <= 0 or np.isnan(mark[security]) or int(security) in account.blocked:
            continue
        units = int(max(spare, 0.0) / 3 / mark[security] * UNITS) // step * step
        if units:
            orders.append(Order(int(security), units))
    account.send(t, orders, rebalance=False)


def withdraw(account: Account, t: int) -> None:
    """A quarter of the client's yearly withdrawal, in whole dollars."""
    if not account.closed:
        dollars = int(account.value(t) * account.plan.withdrawal_rate / 4)
        account.pay_out(t, dollars * 100, "withdrawal", "client")


def charge_fee(account: Account, t: int) -> None:
    """The quarter's advisory and custody fee."""
    account.pay_out(t, account.fee(t), "fee", "fee")


def note_december_value(account: Account, t: int) -> None:
    """Remember the year-end value, from which the next year's distribution follows."""
    account.december_value = account.value(t)


def distribute(account: Account, t: int) -> None:
    """The year's required minimum distribution, in the fourth quarter."""
    year = int(account.panel.sessions[t].year)
    dollars = distributions.required(account.plan, account.december_value, year)
    if dollars > 0 and not account.closed:
        account.pay_out(t, int(np.ceil(dollars * 100)), "withdrawal", "client")


def override(account: Account, t: int) -> None:
    """The advisor buys a favourite with the proceeds of the largest other holding, against the model."""
    if account.closed or account.plan.model_id is None:
        return
    favourite = int(account.rng.choice(account.world.favourites))
    mark = account.panel.mark[t]
    if account.banned[favourite] or np.isnan(mark[favourite]):
        return
    dollars = account.value(t) * float(account.rng.uniform(0.02, 0.05))
    values = account.values(t)
    values[[favourite, *account.keeps]] = 0.0
    orders = [Order(favourite, int(dollars / mark[favourite]) * UNITS, "manual")]
    largest = int(np.argmax(values))
    if values[largest] > dollars:
        orders.append(Order(largest, -int(dollars / mark[largest]) * UNITS, "manual"))
    account.execute(t, [order for order in orders if order.units])
    account.reviews_to_skip = int(account.rng.integers(0, 2))


def alarm(account: Account, t: int) -> None:
    """After a fall the advisor sells a fifth of each equity holding and sits out a review."""
    if account.closed:
        return
    orders = [
        Order(int(s), -int(account.held[s] * 0.2 / UNITS) * UNITS, "manual")
        for s in np.nonzero(account.held * account.world.equity)[0]
        if int(s) not in account.keeps
    ]
    account.execute(t, [order for order in orders if order.units])
    account.reviews_to_skip = 1


def harvest(account: Account, t: int) -> None:
    """Take the largest losses worth taking and put the proceeds into substitutes, clear of the wash-sale window."""
    if account.closed:
        return
    losses = []
    for security, lots in account.ledger.lots.items():
        close = account.panel.close[t, security]
        recent = any(account.day(t) - lot.acquired < WASH_WINDOW for lot in lots)
        if np.isnan(close) or recent or security in account.keeps:
            continue
        under = tuple(lot for lot in lots if _harvestable(account, lot, close))
        loss = sum(lot.units / UNITS * (lot.cost - close) for lot in under)
        if loss >= SMALLEST_LOSS:
            losses.append((loss, security, under))
    for _, security, under in sorted(losses, key=lambda x: (-x[0], x[1]))[:MOST_NAMES]:
        before = account.ledger.cash
        account.execute(t, [Order(security, -sum(lot.units for lot in under), "rebalance", under)])
        _buy_substitute(account, t, security, account.ledger.cash - before)


def _harvestable(account: Account, lot: Lot, close: float) -> bool:
    return lot.cost > close * (1 + LEAST_FALL) and lot.lot_id not in account.plan.held_lots


def _buy_substitute(account: Account, t: int, security: int, dollars: float) -> None:
    for substitute in account.world.substitutes.get(security, ()):
        close = account.panel.close[t, substitute]
        if np.isnan(close) or account.banned[substitute] or substitute in account.blocked:
            continue
        account.execute(t, [Order(substitute, int(dollars / close) * UNITS)] if dollars > close else [])
        return


def close_account(account: Account, t: int) -> None:
    """The client leaves: all is sold, all cash paid out, and the account stays on the books at nothing."""
    account.pending.clear()
    account.closed = True
    account.execute(
        t, [Order(int(s), -int(account.held[s]), "client", forced=True) for s in np.nonzero(account.held)[0]]
    )
    account.book_ticket_fees(t)
    account.ledger.move_cash(account.day(t), -account.ledger.cents, "withdrawal", "client")


Event = Callable[[Account, int], None]

"""The life of one account, event by event, from its opening to the as-of date.

Between events nothing happens but the market. Events are corporate actions of what is held, flows, fees, required
distributions, quarterly reviews against the tolerance bands, orders executed a session or more after the decision,
an advisor's own trades, and harvests. On one day the order is: splits, dividends, executions, flows, reviews.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from workbench.firm.demo import distributions, trading
from workbench.firm.demo.ledger import UNITS, Ledger, is_long_term
from workbench.firm.demo.market_data import Panel
from workbench.firm.demo.people import (
    CUSTODIANS,
    OVERRIDING_ADVISOR,
    SLOW_CUSTODIAN,
    AccountPlan,
)
from workbench.firm.demo.trading import Order, Version

#: Sessions in which the firm harvests losses, one round a year at most, and the overriding advisor sells equities.
HARVESTS = ("2016-02-09", "2018-12-20", "2020-03-20", "2022-06-16", "2022-09-29", "2025-04-09")
ALARMS = ("2020-03-23", "2022-06-17", "2025-04-09")
#: Days in which a security sold at a loss is not bought back.
WASH_WINDOW = 31
SMALLEST_LOSS = 500.0


@dataclass(frozen=True)
class World:
    """What every account shares: prices, models, classes and the advisor's favourites."""

    panel: Panel
    ordinals: np.ndarray
    actions: Mapping[int, tuple[tuple[int, float, float], ...]]
    versions: Mapping[str, list[Version]]
    asset_class: np.ndarray
    equity: np.ndarray
    screens: tuple[frozenset[str], ...]
    substitutes: Mapping[int, tuple[int, ...]]
    favourites: tuple[int, ...]


@dataclass(frozen=True)
class Life:
    """The outcome of one account's simulation."""

    plan: AccountPlan
    ledger: Ledger
    last_rebalanced: int | None


@dataclass
class _Account:
    """Working state of one account; lives only inside `live`."""

    plan: AccountPlan
    world: World
    ledger: Ledger
    rng: np.random.Generator
    held: np.ndarray
    pending: dict[int, list[Order]] = field(default_factory=lambda: defaultdict(list))
    blocked: dict[int, int] = field(default_factory=dict)
    long_gains: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    december_value: float = 0.0
    version: int = -1
    last_rebalanced: int | None = None
    aims_at_model: set[int] = field(default_factory=set)
    skip_reviews: int = 0
    closed: bool = False


def live(plan: AccountPlan, world: World) -> Life:
    """Simulate one account from its opening to the last session of the world."""
    account = _Account(
        plan, world, Ledger(plan.account_id), np.random.default_rng([*plan.stream, 1]),
        np.zeros(len(world.panel.security_ids), dtype=np.int64),
    )  # fmt: skip
    start = world.panel.session_on_or_after(plan.opened_on)
    agenda = _agenda(account, start)
    _open(account, start)
    # Pending executions join the agenda as they are decided, so days are walked, cheaply, one after another.
    for t in range(start + 1, len(world.ordinals)):
        for security, dividend, ratio in world.actions.get(t, ()):
            if account.held[security]:
                _corporate_action(account, t, security, dividend, ratio)
        if t in account.pending:
            _execute(account, t, account.pending.pop(t))
        for event in agenda.get(t, ()):
            _EVENTS[event](account, t)
        if account.closed and not account.held.any() and not account.ledger.cents:
            break
    return Life(plan, account.ledger, account.last_rebalanced)


def _agenda(account: _Account, start: int) -> dict[int, list[str]]:
    """Return the events known beforehand, by session."""
    plan, panel, rng = account.plan, account.world.panel, account.rng
    agenda: dict[int, list[str]] = defaultdict(list)
    days = panel.sessions
    last = len(days) - 1
    month_starts = [t for t in range(start + 1, last + 1) if days[t].month != days[t - 1].month]
    for t in month_starts:
        if days[t].month in plan.deposit_months:
            agenda[min(t + 3, last)].append("deposit")
        if days[t].month in (1, 4, 7, 10):
            agenda[t].append("fee")
            agenda[t - 1].append("review")
            if plan.withdrawal_rate:
                agenda[min(t + 9, last)].append("withdraw")
            if plan.household.advisor_id == OVERRIDING_ADVISOR and rng.random() < 0.3:
                agenda[min(t + 20, last)].append("override")
        if days[t].month == 1:
            agenda[t - 1].append("december")
    agenda[start].clear()
    _agenda_years(account, start, agenda)
    if plan.emptied_on is not None:
        agenda[panel.session_on_or_after(plan.emptied_on)].append("close")
    return agenda


def _agenda_years(account: _Account, start: int, agenda: dict[int, list[str]]) -> None:
    """Add what comes once a year or on named days: distributions, harvests, alarms."""
    plan, panel, rng = account.plan, account.world.panel, account.rng
    last = len(panel.sessions) - 1
    for year in range(panel.sessions[start].year + 1, panel.sessions[last].year + 1):
        offset = int(rng.integers(0, 44))
        t = panel.session_on_or_after(pd.Timestamp(year, 11, 1) + pd.Timedelta(days=offset))
        if start < t <= last and plan.missed_rmd_year != year:
            agenda[t].append("distribute")
    named = [(day, "harvest", 4) for day in HARVESTS if plan.harvests]
    if plan.household.advisor_id == OVERRIDING_ADVISOR:
        named += [(day, "alarm", 3) for day in ALARMS if rng.random() < 0.5]
    for day, event, spread in named:
        t = panel.session_on_or_after(pd.Timestamp(day)) + int(rng.integers(0, spread))
        if start + 40 < t <= last:
            agenda[t].append(event)


def _open(account: _Account, t: int) -> None:
    """Book the opening: legacy holdings in kind, the rest in cash, and the first orders."""
    plan, world = account.plan, account.world
    names = [world.panel.index(name) for name in plan.legacy]
    names = [s for s in names if not np.isnan(world.panel.close[t, s])]
    shares = account.rng.dirichlet(np.full(len(names), 4.0)) if names else []
    arrived = 0.0
    for security, share in zip(names, shares):
        dollars = plan.opening_value * plan.legacy_share * share
        arrived += _receive_lots(account, t, security, dollars)
    cash = round((plan.opening_value - arrived) * 100)
    account.ledger.move_cash(int(world.ordinals[t]), max(cash, 0), "deposit", "client")
    account.version = _version_at(account, t)
    if plan.invests and plan.model_id is not None:
        _order_rebalance(account, t)


def _receive_lots(account: _Account, t: int, security: int, dollars: float) -> float:
    """Transfer in old lots of a security worth about `dollars`, at what they cost; return their value."""
    panel, rng = account.world.panel, account.rng
    close = panel.close[:, security]
    first = int(np.argmax(~np.isnan(close)))
    earliest = max(first, t - 10 * 252)
    count = min(int(rng.integers(2, 6)), max(t - earliest, 1))
    bought = np.sort(rng.choice(np.arange(earliest, max(t, earliest + 1)), size=count, replace=False))
    value = 0.0
    for day in bought:
        units = int(dollars / count / close[t]) * UNITS
        if units <= 0 or np.isnan(close[day]):
            continue
        cost = round(float(close[day] / np.prod(panel.split[day + 1 : t + 1, security])), 4)
        ordinals = account.world.ordinals
        account.ledger.receive(int(ordinals[t]), security, units, cost, int(ordinals[day]))
        account.held[security] += units
        value += units / UNITS * close[t]
    return value


def _corporate_action(account: _Account, t: int, security: int, dividend: float, ratio: float) -> None:
    day, ledger = int(account.world.ordinals[t]), account.ledger
    if ratio != 1.0:
        ledger.split(day, security, ratio)
        account.held[security] = ledger.units(security)
        _resize_pending(account, security, ratio)
    if dividend:
        cents = ledger.dividend(day, security, dividend)
        close = account.world.panel.close[t, security]
        if account.plan.reinvests and cents and not np.isnan(close):
            price = round(float(close), 4)
            units = int(cents / 100.0 / price * UNITS)
            if units:
                ledger.buy(day, security, units, price, "reinvestment")
                account.held[security] += units


def _resize_pending(account: _Account, security: int, ratio: float) -> None:
    """Orders decided before a split are executed in new shares."""
    for t, orders in account.pending.items():
        account.pending[t] = [
            Order(x.security, round(x.units * ratio / UNITS) * UNITS, x.origin) if x.security == security else x
            for x in orders
        ]


# --- executions -------------------------------------------------------------------------------------------------


def _execute(account: _Account, t: int, orders: list[Order]) -> None:
    """Execute orders at the close plus or minus the half-spread: sales first, then what the cash pays for."""
    panel, ledger = account.world.panel, account.ledger
    day, done = int(account.world.ordinals[t]), 0
    for order in sorted(orders, key=lambda x: (x.units > 0, x.security)):
        close, spread = panel.close[t, order.security], panel.half_spread[order.security]
        if np.isnan(close):
            continue
        price = round(float(close * (1 + np.sign(order.units) * spread)), 4)
        done += _sell(account, t, order, price) if order.units < 0 else _buy(account, day, order, price)
    fee = dict((x[0], x[2]) for x in CUSTODIANS)[account.plan.custodian_id]
    if done and fee:
        ledger.move_cash(day, -round(done * fee * 100), "fee", "fee")
    if t in account.aims_at_model:
        account.aims_at_model.discard(t)
        if _stands_on_model(account, t):
            account.last_rebalanced = day


def _sell(account: _Account, t: int, order: Order, price: float) -> int:
    plan, ledger, day = account.plan, account.ledger, int(account.world.ordinals[t])
    year = int(account.world.panel.sessions[t].year)
    room = np.inf
    if order.origin == "rebalance" and plan.household.gain_budget is not None:
        room = max(plan.household.gain_budget - account.long_gains[year], 0.0)
    units = min(-order.units, int(account.held[order.security]))
    if order.origin == "client":
        parts = [(x, x.units) for x in list(ledger.lots[order.security])]
    else:
        parts = trading.lots_to_sell(plan, ledger, order.security, units, price, day, room)
    before = len(ledger.sales)
    ledger.sell(day, parts, price, "manual" if order.origin == "manual" else "rebalance" if order.origin != "client" else "client")
    for sale in ledger.sales[before:]:
        if is_long_term(sale.acquired, day):
            account.long_gains[year] += sale.gain
        if sale.gain < 0 and plan.taxed:
            account.blocked[order.security] = day + WASH_WINDOW
    account.held[order.security] -= sum(units for _, units in parts)
    return int(bool(parts))


def _buy(account: _Account, day: int, order: Order, price: float) -> int:
    step = 1 if account.plan.fractional else UNITS
    affordable = int(max(account.ledger.cents - account.plan.min_cash * 100, 0) / 100.0 / price * UNITS)
    units = min(order.units, affordable) // step * step
    if units <= 0:
        return 0
    account.ledger.buy(day, order.security, units, price, order.origin)
    account.held[order.security] += units
    return 1


def _stands_on_model(account: _Account, t: int) -> bool:
    target = _target(account)
    if target is None:
        return False
    weights = _weights(account, t)
    return bool(np.abs(weights - target).max() <= 0.0125)


# --- events -----------------------------------------------------------------------------------------------------


def _review(account: _Account, t: int) -> None:
    """The quarterly check: a new model version or a band crossed makes orders; clients and advisors may delay."""
    plan = account.plan
    if plan.model_id is None or not plan.invests or account.closed or account.pending:
        return
    if account.skip_reviews:
        account.skip_reviews -= 1
        return
    latest = _version_at(account, t)
    changed = latest != account.version and plan.adopts != "never"
    if changed and plan.adopts == "late" and account.rng.random() < 0.5:
        changed = False
    if changed:
        account.version = latest
    target = _target(account)
    if target is None:
        return
    if changed or trading.outside_bands(_weights(account, t), target, account.world.asset_class):
        if not plan.discretionary and account.rng.random() < 0.45:
            return
        _order_rebalance(account, t)


def _order_rebalance(account: _Account, t: int) -> None:
    target = _target(account)
    if target is None:
        return
    day = int(account.world.ordinals[t])
    blocked = {s for s, until in account.blocked.items() if until >= day}
    orders = trading.rebalance_orders(
        account.plan, account.held, account.ledger.cash, target, account.world.panel.mark[t], blocked
    )
    keeps = _keeps(account)
    orders = [order for order in orders if order.units > 0 or order.security not in keeps]
    _send(account, t, orders)


def _send(account: _Account, t: int, orders: list[Order]) -> None:
    """Queue orders for the next session, two to five sessions later at the slow custodian."""
    delay = int(account.rng.integers(2, 6)) if account.plan.custodian_id == SLOW_CUSTODIAN else 1
    if t + delay < len(account.world.ordinals):
        account.pending[t + delay] += orders
        account.aims_at_model.add(t + delay)


def _deposit(account: _Account, t: int) -> None:
    """A client's deposit, put into the most underweight securities at the next execution."""
    if account.closed:
        return
    plan = account.plan
    account.ledger.move_cash(int(account.world.ordinals[t]), round(plan.deposit * 100), "deposit", "client")
    target = _target(account)
    if target is None or not plan.invests:
        return
    spare = account.ledger.cash - _value(account, t) * max(1.0 - target.sum(), 0.0)
    gaps = target - _weights(account, t)
    price = account.world.panel.mark[t]
    step = 1 if plan.fractional else UNITS
    orders = []
    for security in np.argsort(-gaps, kind="stable")[:3]:
        units = int(spare / 3 / price[security] * UNITS) // step * step if gaps[security] > 0 else 0
        if units > 0 and int(security) not in account.blocked:
            orders.append(Order(int(security), units))
    if orders and t + 1 < len(account.world.ordinals):
        account.pending[t + 1] += orders


def _pay_out(account: _Account, t: int, cents: int, kind: str, origin: str) -> None:
    """Pay cash out, selling first what is most overweight when there is not enough."""
    missing = (cents - account.ledger.cents) / 100.0
    if missing > 0:
        target = _target(account)
        weights = np.zeros(len(account.held)) if target is None else target
        orders = trading.withdrawal_orders(
            account.plan, account.held, missing, weights, account.world.panel.mark[t], _keeps(account)
        )
        _execute(account, t, orders)
        if account.ledger.cents < cents:
            # Tax rules must not keep a client from his money: what is left is sold as the client's own order.
            rest = [Order(int(s), -int(account.held[s]), "client") for s in np.nonzero(account.held)[0]]
            for order in rest:
                if account.ledger.cents >= cents:
                    break
                _execute(account, t, [order])
    account.ledger.move_cash(int(account.world.ordinals[t]), -min(cents, max(account.ledger.cents, 0)), kind, origin)


def _withdraw(account: _Account, t: int) -> None:
    if not account.closed:
        amount = _value(account, t) * account.plan.withdrawal_rate / 4
        _pay_out(account, t, round(amount, 0).__int__() * 100, "withdrawal", "client")


def _fee(account: _Account, t: int) -> None:
    rate = dict((x[0], x[3]) for x in CUSTODIANS)[account.plan.custodian_id]
    _pay_out(account, t, round(_value(account, t) * rate / 4 * 100), "fee", "fee")


def _december(account: _Account, t: int) -> None:
    account.december_value = _value(account, t)


def _distribute(account: _Account, t: int) -> None:
    """The year's required minimum distribution, in the fourth quarter."""
    if account.closed or account.plan.birth is None:
        return
    year = int(account.world.panel.sessions[t].year)
    dollars = distributions.required(account.plan, account.december_value, year)
    if dollars > 0:
        _pay_out(account, t, int(np.ceil(dollars * 100)), "withdrawal", "client")


def _override(account: _Account, t: int) -> None:
    """The advisor buys a favourite with what cash there is and the sale of the largest other holding."""
    if account.closed or account.plan.model_id is None:
        return
    favourite = int(account.rng.choice(account.world.favourites))
    mark = account.world.panel.mark[t]
    if favourite in _banned(account) or np.isnan(mark[favourite]):
        return
    dollars = _value(account, t) * float(account.rng.uniform(0.02, 0.05))
    values = account.held / UNITS * np.nan_to_num(mark)
    values[[favourite, *_keeps(account)]] = 0.0
    orders = [Order(favourite, int(dollars / mark[favourite]) * UNITS, "manual")]
    largest = int(np.argmax(values))
    if values[largest] > dollars:
        orders.append(Order(largest, -int(dollars / mark[largest]) * UNITS, "manual"))
    _execute(account, t, [order for order in orders if order.units])
    account.skip_reviews = int(account.rng.integers(0, 2))


def _alarm(account: _Account, t: int) -> None:
    """After a fall the advisor sells a fifth of each equity holding and waits for a quarter."""
    if account.closed:
        return
    keeps = _keeps(account)
    sells = [
        Order(int(s), -int(account.held[s] * 0.2 / UNITS) * UNITS, "manual")
        for s in np.nonzero(account.held * account.world.equity)[0]
        if int(s) not in keeps
    ]
    _execute(account, t, [order for order in sells if order.units])
    account.skip_reviews = 1


def _harvest(account: _Account, t: int) -> None:
    """Sell lots at a loss worth taking and buy the substitute with the proceeds, in the three largest losses."""
    day, panel, ledger = int(account.world.ordinals[t]), account.world.panel, account.ledger
    losses = []
    for security, lots in ledger.lots.items():
        close = panel.close[t, security]
        recent = any(day - lot.acquired <= WASH_WINDOW for lot in lots)
        if np.isnan(close) or recent or security in _keeps(account):
            continue
        under = [x for x in lots if x.cost > close * 1.04 and x.lot_id not in account.plan.held_lots]
        loss = sum(x.units / UNITS * (x.cost - close) for x in under)
        if loss >= SMALLEST_LOSS:
            losses.append((loss, security, under))
    for _, security, under in sorted(losses, key=lambda x: (-x[0], x[1]))[:3]:
        price = round(float(panel.close[t, security] * (1 - panel.half_spread[security])), 4)
        before = ledger.cents
        account.held[security] -= sum(x.units for x in under)
        ledger.sell(day, [(x, x.units) for x in under], price, "rebalance")
        account.blocked[security] = day + WASH_WINDOW
        _buy_substitute(account, t, security, (ledger.cents - before) / 100.0)


def _buy_substitute(account: _Account, t: int, security: int, dollars: float) -> None:
    banned = _banned(account)
    for substitute in account.world.substitutes.get(security, ()):
        close = account.world.panel.close[t, substitute]
        if np.isnan(close) or substitute in banned or substitute in account.blocked:
            continue
        price = round(float(close * (1 + account.world.panel.half_spread[substitute])), 4)
        units = int(dollars / price) * UNITS
        _buy(account, int(account.world.ordinals[t]), Order(substitute, units), price)
        return


def _close(account: _Account, t: int) -> None:
    """The client leaves: everything is sold, all cash paid out, the account stays on the books at nothing."""
    account.pending.clear()
    account.closed = True
    _execute(account, t, [Order(int(s), -int(account.held[s]), "client") for s in np.nonzero(account.held)[0]])
    account.ledger.move_cash(int(account.world.ordinals[t]), -account.ledger.cents, "withdrawal", "client")


_EVENTS = {
    "review": _review, "deposit": _deposit, "withdraw": _withdraw, "fee": _fee, "december": _december,
    "distribute": _distribute, "override": _override, "alarm": _alarm, "harvest": _harvest, "close": _close,
}  # fmt: skip


# --- what an account knows --------------------------------------------------------------------------------------


def _value(account: _Account, t: int) -> float:
    return float(account.held @ np.nan_to_num(account.world.panel.mark[t])) / UNITS + account.ledger.cash


def _weights(account: _Account, t: int) -> np.ndarray:
    values = account.held / UNITS * np.nan_to_num(account.world.panel.mark[t])
    total = values.sum() + account.ledger.cash
    return values / total if total > 0 else values


def _version_at(account: _Account, t: int) -> int:
    """Position of the model's version in force on session t."""
    if account.plan.model_id is None:
        return -1
    day = account.world.panel.sessions[t]
    versions = account.world.versions[account.plan.model_id]
    return max((i for i, version in enumerate(versions) if version.effective <= day), default=0)


def _target(account: _Account) -> np.ndarray | None:
    """The model's weights as this account may hold them; None without a model."""
    if account.plan.model_id is None:
        return None
    version = account.world.versions[account.plan.model_id][max(account.version, 0)]
    banned = np.zeros(len(version.weights), dtype=bool)
    banned[list(_banned(account))] = True
    return trading.allowed_weights(version, banned, account.world.asset_class)


def _banned(account: _Account) -> set[int]:
    panel, plan = account.world.panel, account.plan
    named = {panel.index(x) for x in plan.shuns if x in panel.security_ids}
    return named | {i for i, tags in enumerate(account.world.screens) if tags & plan.screens}


def _keeps(account: _Account) -> set[int]:
    panel = account.world.panel
    return {panel.index(x) for x in account.plan.keeps if x in panel.security_ids}

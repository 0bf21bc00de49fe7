"""The working state of one simulated account: what it holds, what it may hold, and how its orders are executed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from workbench.firm.demo import trading
from workbench.firm.demo.ledger import UNITS, Ledger, is_long_term
from workbench.firm.demo.panel import Panel
from workbench.firm.demo.people import FEE_RATES, SLOW_CUSTODIAN, TICKET_FEES, AccountPlan
from workbench.firm.demo.trading import Order, Version

#: Days in which a security sold at a loss is not bought back: 30 after the sale, and the day itself.
WASH_WINDOW = 31


@dataclass(frozen=True)
class World:
    """What every account shares. Securities are columns of the panel throughout.

    `actions` are the corporate actions of a session: (security, dividend a share, split ratio).
    """

    panel: Panel
    actions: Mapping[int, tuple[tuple[int, float, float], ...]]
    versions: Mapping[str, list[Version]]
    asset_class: np.ndarray
    equity: np.ndarray
    screens: tuple[frozenset[str], ...]
    substitutes: Mapping[int, tuple[int, ...]]
    favourites: tuple[int, ...]


class Account:
    """One account while it is simulated; `held` is units of each security, in step with the ledger."""

    def __init__(self, plan: AccountPlan, world: World) -> None:
        self.plan = plan
        self.world = world
        self.panel = world.panel
        self.ledger = Ledger(plan.account_id)
        self.rng = np.random.default_rng([*plan.stream, 1])
        self.held = np.zeros(len(world.panel.security_ids), dtype=np.int64)
        self.pending: dict[int, list[Order]] = {}
        self.rebalances_on: set[int] = set()
        self.blocked: dict[int, int] = {}
        self.long_gains: dict[int, float] = defaultdict(float)
        self.december_value = 0.0
        self.version = 0
        self.last_rebalanced: int | None = None
        self.reviews_to_skip = 0
        self.closed = False
        self._tickets = 0

    # What it holds and may hold.

    def day(self, t: int) -> int:
        """Return the day ordinal of session t."""
        return int(self.panel.ordinals[t])

    def values(self, t: int) -> np.ndarray:
        """Return dollars in each security at the mark of session t."""
        values: np.ndarray = self.held * self.panel.worth[t]
        return values

    def value(self, t: int) -> float:
        """Return the account's value in dollars, cash included."""
        return float(self.values(t).sum()) + self.ledger.cash

    def weights(self, t: int) -> np.ndarray:
        """Return the weight of each security; zeros for an empty account."""
        values = self.values(t)
        total = values.sum() + self.ledger.cash
        return values / total if total > 0 else values

    def version_in_force(self, t: int) -> int:
        """Return the position of the model's version in force on session t; the first before any is."""
        day = self.panel.sessions[t]
        versions = self.world.versions.get(self.plan.model_id or "", [])
        return max((i for i, version in enumerate(versions) if version.effective <= day), default=0)

    def target(self) -> np.ndarray | None:
        """Return the weights of the version the account follows, as it may hold them; None without a model."""
        if self.plan.model_id is None:
            return None
        if self.version not in self._targets:
            version = self.world.versions[self.plan.model_id][self.version]
            self._targets[self.version] = trading.allowed_weights(
                version.weights, self.banned, self.caps, self.world.asset_class
            )
        return self._targets[self.version]

    @cached_property
    def _targets(self) -> dict[int, np.ndarray]:
        return {}

    @cached_property
    def banned(self) -> np.ndarray:
        """Mask of the securities that may not be bought: named ones and those a screen hits."""
        shuns, screens = self.plan.shuns, self.plan.screens
        pairs = zip(self.panel.security_ids, self.world.screens)
        return np.array([security in shuns or bool(tags & screens) for security, tags in pairs])

    @cached_property
    def keeps(self) -> frozenset[int]:
        """Securities that are never sold."""
        return frozenset(i for i, x in enumerate(self.panel.security_ids) if x in self.plan.keeps)

    @cached_property
    def caps(self) -> np.ndarray:
        """The client's largest weight of each security, 1 where there is no limit."""
        limits = dict(self.plan.max_weights)
        return np.array([limits.get(security, 1.0) for security in self.panel.security_ids])

    # How orders are executed.

    def send(self, t: int, orders: list[Order], *, rebalance: bool) -> None:
        """Queue orders for the next session; the slow custodian needs two to five."""
        slow = rebalance and self.plan.custodian_id == SLOW_CUSTODIAN
        then = t + (int(self.rng.integers(2, 6)) if slow else 1)
        if orders and then < len(self.panel.ordinals):
            self.pending.setdefault(then, []).extend(orders)
            if rebalance:
                self.rebalances_on.add(then)

    def execute_pending(self, t: int) -> None:
        """Execute what is queued for session t; after a full rebalance the account stands on its model as it may."""
        self.execute(t, self.pending.pop(t))
        if t in self.rebalances_on:
            self.rebalances_on.discard(t)
            self.last_rebalanced = self.day(t)

    def execute(self, t: int, orders: list[Order]) -> None:
        """Execute orders at the close plus or minus the half-spread.

        Sales first; purchases are cut pro rata to the cash there is. Nothing trades without a close. The custodian's
        ticket fees are booked in one row at the end of the day.
        """
        tradable = [order for order in orders if not np.isnan(self.panel.close[t, order.security])]
        sales = [order for order in tradable if order.units < 0]
        for order in sorted(sales, key=lambda x: x.security):
            self._sell(t, order)
        buys = sorted((order for order in tradable if order.units > 0), key=lambda x: x.security)
        cost = sum(order.units / UNITS * self.price(t, order) for order in buys)
        part = min(1.0, self._spendable(len(buys)) / cost) if cost else 1.0
        for order in buys:
            self._buy(t, order, part)

    def _spendable(self, more_tickets: int) -> float:
        """Dollars there are for purchases, after the client's floor and the ticket fees of the day."""
        return max(self.ledger.cash - self.plan.min_cash - self._owed(more_tickets) / 100.0, 0.0)

    def _owed(self, more_tickets: int = 0) -> int:
        """Ticket fees of the day not yet booked, in cents, with so many tickets more."""
        return round((self._tickets + more_tickets) * TICKET_FEES[self.plan.custodian_id] * 100)

    def book_ticket_fees(self, t: int) -> None:
        """Book the day's ticket fees."""
        self.ledger.move_cash(self.day(t), -self._owed(), "fee", "fee")
        self._tickets = 0

    def price(self, t: int, order: Order) -> float:
        """Return the execution price of an order on session t, to a hundredth of a cent."""
        side = 1 if order.units > 0 else -1
        close, spread = self.panel.close[t, order.security], self.panel.half_spread[order.security]
        return round(float(close * (1 + side * spread)), 4)

    def _sell(self, t: int, order: Order) -> None:
        plan, year = self.plan, int(self.panel.sessions[t].year)
        price = self.price(t, order)
        units = min(-order.units, int(self.held[order.security]))
        if order.lots is not None:
            parts = [(lot, lot.units) for lot in order.lots]
        elif order.forced:
            parts = trading.all_lots(self.ledger, order.security, units)
        else:
            room = np.inf
            if plan.household.gain_budget is not None and order.origin in {"rebalance", "client"}:
                room = max(plan.household.gain_budget - self.long_gains[year], 0.0)
            parts = trading.lots_to_sell(plan, self.ledger, order.security, units, price, self.day(t), room)
        before = len(self.ledger.sales)
        self.held[order.security] -= sum(taken for _, taken in parts)
        self.ledger.sell(self.day(t), parts, price, order.origin)
        for sale in self.ledger.sales[before:]:
            if is_long_term(sale.acquired, sale.day):
                self.long_gains[year] += sale.gain
            if sale.gain < 0 and plan.taxed:
                self.blocked[order.security] = self.day(t) + WASH_WINDOW
        self._tickets += bool(parts)

    def _buy(self, t: int, order: Order, part: float) -> None:
        step = 1 if self.plan.fractional else UNITS
        price = self.price(t, order)
        affordable = self._spendable(1) / price * UNITS
        units = int(min(order.units * part, affordable)) // step * step
        if units <= 0:
            return
        self.ledger.buy(self.day(t), order.security, units, price, order.origin)
        self.held[order.security] += units
        self._tickets += 1

    def pay_out(self, t: int, cents: int, kind: str, origin: str) -> None:
        """Pay cash out; where there is not enough, sell the most overweight first, then whatever it takes."""
        missing = (cents + self._owed(2) - self.ledger.cents) / 100.0
        if missing > 0:
            target = self.target()
            weights = np.zeros(len(self.held)) if target is None else target
            sales = trading.raising_orders(
                self.plan, self.values(t), self.held, missing, weights, self.panel.mark[t], self.keeps
            )
            self.execute(t, sales)
        # Tax rules must not keep clients from their money: the rest is sold as their own order.
        for security in np.argsort(-self.values(t), kind="stable").tolist():
            missing = (cents + self._owed() - self.ledger.cents) / 100.0
            if missing <= 0 or not self.held[security]:
                break
            wanted = (missing * 1.002 + TICKET_FEES[self.plan.custodian_id]) / self.panel.mark[t, security]
            units = min(int(np.ceil(wanted)) * UNITS, int(self.held[security]))
            self.execute(t, [Order(security, -units, "client", forced=True)])
        payable = max(self.ledger.cents - self._owed(), 0)
        self.ledger.move_cash(self.day(t), -min(cents, payable), kind, origin)

    def corporate_action(self, t: int, security: int, dividend: float, ratio: float) -> None:
        """Book a split, then the dividend on the shares after it; reinvest where the client does."""
        if ratio != 1.0:
            self.ledger.split(self.day(t), security, ratio)
            self.held[security] = self.ledger.units(security)
            self.pending = {
                then: [trading.after_split(order, security, ratio) for order in orders]
                for then, orders in self.pending.items()
            }
        if not dividend:
            return
        cents = self.ledger.dividend(self.day(t), security, dividend)
        close = float(self.panel.close[t, security])
        if self.plan.reinvests and cents and not np.isnan(close):
            units = int(cents / 100.0 / round(close, 4) * UNITS)
            if units:
                self.ledger.buy(self.day(t), security, units, round(close, 4), "reinvestment")
                self.held[security] += units

    def fee(self, t: int) -> int:
        """Return the quarter's advisory and custody fee in cents."""
        return round(self.value(t) * FEE_RATES[self.plan.custodian_id] / 4 * 100)

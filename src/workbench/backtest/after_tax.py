"""A policy in a taxable account: every lot, wash sales, netting year by year, and what is left after tax.

The books are those of `rebalance.after_tax` (lots, wash sales, Schedule D); looks, orders and costs are those of the
backtest engine, so that without tax both give the same wealth, to cents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from workbench.backtest import _kernel
from workbench.backtest.engine import check_window
from workbench.backtest.policy import Policy
from workbench.backtest.problems import check_number
from workbench.backtest.runs import Runs
from workbench.backtest.signals import target_returns, total_returns
from workbench.backtest.tax_aware import LotPolicy, TaxLots
from workbench.backtest.universe import Floats, Observation, Signals, Universe
from workbench.backtest.walk import _asked
from workbench.errors import MarketDataError, ParameterError
from workbench.rebalance.after_tax import TAX_MONTH, Dividend, Ledger, Lot, TaxRates, taxable_account
from workbench.tax import is_long_term, relieve

Relief = Literal["fifo", "lifo", "highest_cost", "min_tax"]
RELIEF: tuple[Relief, ...] = ("fifo", "lifo", "highest_cost", "min_tax")
#: What is left of an account is nothing below this part of what it began with: cents of rounding.
NOTHING = 1e-6
#: Purchases are kept to this many decimals of a share, as the books keep them.
_DECIMALS = 6


@dataclass(frozen=True, eq=False)
class AfterTax:
    """One policy's life in a taxable account, from the close of `start` over T' days.

    `value` (T') is the market value at each close, `paid` the tax that left that day (below zero: came in), `owed` what
    finished years owe and have not paid, on the last day the current one too. `before_tax` is the wealth that the
    returns before tax would have made, `after_tax` value less what is owed. `liquidated` is what selling everything on
    the last day leaves. `years` has a row a calendar year: gains as they count (short, long), dividends and interest,
    losses disallowed by wash sales, tax, carryforward. `events` says what a reader must know, by day.
    """

    policy: str
    relief: str
    wealth: float
    start: pd.Timestamp
    days: pd.DatetimeIndex
    value: Floats
    paid: Floats
    owed: Floats
    before_tax: Floats
    liquidated: float
    embedded_gain: float
    years: pd.DataFrame
    statistics: pd.Series
    events: pd.DataFrame

    @property
    def after_tax(self) -> Floats:
        """Market value less tax owed (T')."""
        return self.value - self.owed

    def to_frame(self) -> pd.DataFrame:
        """The statistics as a frame of one row."""
        return self.statistics.to_frame().T.infer_objects()


def after_tax(
    universe: Universe,
    signals: Signals,
    policy: Policy,
    *,
    rates: TaxRates | None = None,
    relief: Relief = "min_tax",
    start_basis: float | Floats = 1.0,
    held_since: pd.Timestamp | str | None = None,
    qualified: float | Floats = 0.0,
    wealth: float = 1_000_000.0,
    commission: float = 0.0,
    offset: int = 0,
    cost_multiple: float = 1.0,
    delay: int = 1,
    path: int = 0,
    risk_aversion: float = 5.0,
    first: int | None = None,
    last: int | None = None,
) -> AfterTax:
    """Walk a policy through a universe in one taxable account, lot by lot.

    It begins at the target as `simulate` does, with a basis of `start_basis` times the price (one number, or one an
    asset) in lots held since `held_since` (default: the first day). `relief`: which lots a sale takes (`tax.relieve`).
    `qualified` is the part of dividends taxed at the long-term rate where the shares were held long enough; interest on
    cash is ordinary. A year's tax leaves on the last session of the following March, from cash first, then by selling
    every position in proportion; tax saved comes in that day. A bankrupt asset is written off the day it is worth 0.
    A `LotPolicy` sees the lots. Costs are half spreads and `commission`; tickets and impact are not booked.

    Raises `ParameterError` for an unknown relief, basis, window or offset, `MarketDataError` where nothing is left, and
    `PolicyError` as `walk`.
    """
    first, last = check_window(universe, signals, first, last)
    if relief not in RELIEF:
        raise ParameterError(f"relief {relief!r} is unknown; give one of {', '.join(RELIEF)}", "relief")
    Runs.product([policy], [offset], [cost_multiple], [delay], [path])
    if path >= universe.paths:
        raise ParameterError(f"{universe.name} has paths 0 to {universe.paths - 1}; got {path}", "path")
    for name, value in (("commission", commission), ("risk_aversion", risk_aversion)):
        check_number(name, value, low=0.0)
    check_number("wealth", wealth, low=0.0, open_low=True)
    rate = cost_multiple * (universe.half_spread + commission)
    if not (rate < 1.0).all():
        raise ParameterError("costs of 100 % of the traded value leave nothing; lower them", "cost_multiple")
    account = _Account(
        universe, signals, policy, rates or TaxRates(), relief, rate, path, risk_aversion, first, last, wealth
    )
    account.open(start_basis, held_since, qualified)
    return account.live(offset, delay)


def compare_after_tax(
    universe: Universe, signals: Signals, policies: Sequence[Policy], **settings: object
) -> pd.DataFrame:
    """One row a policy: statistics before and after tax, with its rank by each; settings as of `after_tax`.

    `rank_before_tax` orders by `total_bp` (costs and tracking loss), `rank_after_tax` by that and the tax of the years,
    `rank_liquidated` by what selling everything at the end leaves. 1 is best.
    Raises `ParameterError` for no policies or two of one name, and as `after_tax`.
    """
    Runs.product(policies)
    rows = [after_tax(universe, signals, policy, **settings).statistics for policy in policies]  # type: ignore[arg-type]
    table = pd.DataFrame(rows).infer_objects().reset_index(drop=True)
    table["rank_before_tax"] = table["total_bp"].rank(method="min").astype(int)
    table["rank_after_tax"] = table["total_after_tax_bp"].rank(method="min").astype(int)
    table["rank_liquidated"] = table["liquidated"].rank(method="min", ascending=False).astype(int)
    return table


@dataclass
class _Account:
    """One life: the books, and what is written down on the way."""

    universe: Universe
    signals: Signals
    policy: Policy
    rates: TaxRates
    relief: Relief
    rate: Floats
    path: int
    risk_aversion: float
    first: int
    last: int
    wealth: float
    book: Ledger = field(init=False)
    bought: float = 0.0
    sold: float = 0.0
    events: list[tuple[pd.Timestamp, str]] = field(default_factory=list)

    def open(
        self, start_basis: float | Floats, held_since: pd.Timestamp | str | None, qualified: float | Floats
    ) -> None:
        """Buy the target at its basis on the day it has been held since; what that costs was somebody's before."""
        n, universe = len(self.universe.assets), self.universe
        for name, given in (("start_basis", start_basis), ("qualified", qualified)):
            if np.shape(given) not in ((), (n,)):
                raise ParameterError(f"{name} must be one number or {n}, one an asset, is {given}", name)
        basis = np.broadcast_to(np.asarray(start_basis, float), n)
        if not (np.isfinite(basis) & (basis > 0.0)).all():
            raise ParameterError(f"start_basis is {start_basis}; give parts of the price above 0", "start_basis")
        share = np.broadcast_to(np.asarray(qualified, float), n)
        if not ((share >= 0.0) & (share <= 1.0)).all():
            raise ParameterError(f"qualified is {qualified}; give parts from 0 to 1", "qualified")
        start = universe.sessions[self.first]
        since = start if held_since is None else pd.to_datetime(held_since, errors="coerce")
        if not since <= start:
            raise ParameterError(
                f"held_since is {held_since}: give a date up to the start {start:%Y-%m-%d}, not after the start",
                "held_since",
            )
        goal, price = universe.goal(self.path, self.first), self.price(self.first)
        units = np.divide(goal[:n] * self.wealth, price, out=np.zeros(n), where=goal[:n] > 0.0)
        units = np.floor(units * 10**_DECIMALS) / 10**_DECIMALS
        cash = self.wealth - float(units @ price)
        self.book = taxable_account(cash + float(units @ (price * basis)), np.append(share, 0.0), self.rates)
        buys = [(0, int(i), float(units[i])) for i in np.flatnonzero(units)]
        self.book.trade(_day(since), [], buys, price * basis, np.zeros(n))
        # Rounding of each purchase to cents must not be wealth.
        self.book.cash[0] = round(cash, 2)
        self.book.costs = self.book.traded = 0.0

    def price(self, t: int) -> Floats:
        return self.universe.price[self.path, t]

    def units(self) -> Floats:
        held: Floats = self.book.holdings(len(self.universe.assets))[0]
        return held

    def live(self, offset: int, delay: int) -> AfterTax:
        universe, days = self.universe, self.last - self.first
        value, paid, before, cost, turnover = (np.zeros(days) for _ in range(5))
        reference = target_returns(universe, total_returns(universe))[self.path]
        due, order, untaxed, active = -1, np.empty(0), self.wealth, np.zeros(days)
        units, known = self.units(), self.wealth
        tax_days = self._tax_days()
        for day, t in enumerate(range(self.first + 1, self.last + 1)):
            price = self.price(t)
            self._receive(t)
            marked = self._cash() + float(units @ price)
            if marked <= NOTHING * self.wealth:
                raise MarketDataError(
                    f"nothing is left of {self.policy.name!r} on {universe.sessions[t]:%Y-%m-%d}: end the window before"
                )
            active[day] = marked / known - 1.0 - reference[t]
            costs, self.bought, self.sold = self.book.costs, 0.0, 0.0
            self._write_off(t, units)
            if due == t:
                due = -1
                self._execute(t, order)
            if t in tax_days:
                paid[day] = self._pay_tax(t, tax_days[t])
            units = self.units()
            value[day] = self._cash() + float(units @ price)
            cost[day] = (self.book.costs - costs) / marked
            turnover[day] = max(self.bought, self.sold) / marked
            untaxed *= (value[day] + paid[day]) / known
            before[day], known = untaxed, value[day]
            if due < 0 and t % self.policy.every == offset and t + delay <= self.last:
                wish, seen = self._ask(t, units)
                ordered = np.empty(universe.positions)
                if wish is not None and _kernel.write_order(ordered, wish, seen.weight, seen.target):
                    due, order = t + delay, ordered
        return self._result(value, paid, before, active, cost, turnover)

    def _cash(self) -> float:
        return float(self.book.cash[0])

    def _receive(self, t: int) -> None:
        """Interest on cash, ordinary income, and dividends."""
        interest = round(self._cash() * float(self.universe.cash_return[self.path, t]), 2)
        if interest:
            day = _day(self.universe.sessions[t])
            self.book.cash[0] = round(self._cash() + interest, 2)
            self.book.received = round(self.book.received + interest, 2)
            self.book.dividends.append(Dividend(day, len(self.universe.assets), "cash", interest, 1.0, day))
        if (self.universe.dividend[self.path, t] > 0.0).any():
            self.book.pay_dividends(_day(self.universe.sessions[t]), self.universe.dividend[self.path, t])

    def _write_off(self, t: int, units: Floats) -> None:
        gone = (self.price(t) == 0.0) & (units > 0.0)
        if gone.any():
            worthless = [(lot, lot.shares) for lot in self.book.lots if gone[lot.security]]
            self._trade(t, worthless, [])
            names = ", ".join(self.universe.assets[i] for i in np.flatnonzero(gone))
            self.events.append((self.universe.sessions[t], f"{names} bankrupt, written off"))

    def _execute(self, t: int, order: Floats) -> None:
        """Trade as the engine would, the sales lot by lot."""
        units, price, n = self.units(), self.price(t), len(self.rate)
        share, traded = np.empty(n), np.zeros(n)
        value = self._cash() + float(units @ price)
        terms = _kernel.Terms(self.rate, self.universe.daily_value, 0.0, 0.0, self.wealth, 5.0, self.first, self.last)
        left, _, count = _kernel.settle(
            units * price,
            self._cash(),
            order[None],
            0,
            price,
            np.zeros(n),
            _kernel.UNTRADED * value,
            terms,
            1.0,
            share,
            traded,
        )
        if count == 0 or left <= 0.0:
            return
        quantity = np.divide(traded, price, out=np.zeros(n), where=price > 0.0)
        whole = (share == 0.0) & (traded < 0.0)
        sales = self._sales(t, np.where(whole, units, np.maximum(-quantity, 0.0)))
        kept = price * (1.0 - self.rate)
        room = self._cash() + sum(
            round(round(shares, _DECIMALS) * float(kept[lot.security]), 2) for lot, shares in sales
        )
        wanted = np.maximum(quantity, 0.0)
        # A cent a purchase is left for the rounding of what is paid.
        need = float(wanted @ (price * (1.0 + self.rate))) + 0.01 * n
        if need > room:
            wanted *= max(room, 0.0) / need
        wanted = np.floor(wanted * 10**_DECIMALS) / 10**_DECIMALS
        self._trade(t, sales, [(0, int(i), float(wanted[i])) for i in np.flatnonzero(wanted > 0.0)])

    def _sales(self, t: int, quantity: Floats) -> list[tuple[Lot, float]]:
        """So many units of each asset (n), as sales of the lots that `relief` says."""
        assets = np.flatnonzero(np.round(quantity, _DECIMALS) > 0.0)
        if not len(assets):
            return []
        able = [lot for lot in self.book.lots if lot.security in set(assets.tolist())]
        sold_on = np.datetime64(_day(self.universe.sessions[t]), "D")
        lots = pd.DataFrame(
            {
                "sale_id": [lot.security for lot in able], "lot_id": np.arange(len(able)),
                "shares": [lot.shares for lot in able], "basis": [lot.basis for lot in able],
                "holding_start": np.array([lot.start for lot in able]).astype("datetime64[D]"),
                "acquired_on": np.array([lot.acquired for lot in able]).astype("datetime64[D]"),
            }
        )  # fmt: skip
        held = np.bincount(lots["sale_id"], lots["shares"], minlength=len(quantity))
        sales = pd.DataFrame(
            {"sale_id": assets, "shares": np.minimum(quantity, held)[assets],
             "price": (self.price(t) * (1.0 - self.rate))[assets], "sold_on": sold_on}
        )  # fmt: skip
        taken = relieve(lots, sales, self.relief, short_rate=self.rates.short, long_rate=self.rates.long)
        return [(able[row.lot_id], float(row.shares)) for row in taken.itertuples()]

    def _trade(self, t: int, sales: list[tuple[Lot, float]], buys: list[tuple[int, int, float]]) -> None:
        """Book sales and purchases of one close at once, so that wash sales are matched once."""
        price = self.price(t)
        self.sold += sum(shares * float(price[lot.security]) for lot, shares in sales)
        self.bought += sum(shares * float(price[asset]) for _, asset, shares in buys)
        self.book.trade(_day(self.universe.sessions[t]), sales, buys, price, self.rate)

    def _tax_days(self) -> dict[int, int]:
        """The session on which each finished year's tax is paid: the last of March."""
        month = self.universe.sessions.month
        start = self.universe.sessions[self.first].year
        return {
            t: self.universe.sessions[t].year - 1
            for t in range(self.first + 1, self.last)
            if month[t] == TAX_MONTH != month[t + 1] and self.universe.sessions[t].year > start
        }

    def _pay_tax(self, t: int, year: int) -> float:
        """Pay a year's tax, selling every position in proportion where cash is short."""
        need = self.book.tax_of(year).tax - self._cash()
        if need > 0.0:
            units = self.units()
            yields = float(units @ (self.price(t) * (1.0 - self.rate)))
            part = min((need + 0.01 * len(units)) / yields, 1.0) if yields > 0.0 else 1.0
            self._trade(t, self._sales(t, np.ceil(units * part * 10**_DECIMALS) / 10**_DECIMALS), [])
            day = self.universe.sessions[t]
            self.events.append((day, f"positions sold for the tax of {year}"))
            if self.book.tax_of(year).tax > self._cash() + 1.0:
                raise MarketDataError(f"the tax of {year} is more than the account holds on {day:%Y-%m-%d}")
        return self.book.settle(year, 0)

    def _ask(self, t: int, units: Floats) -> tuple[Floats | None, Observation]:
        universe, signals, n, m = self.universe, self.signals, len(self.rate), self.universe.positions
        held = units * self.price(t)
        weight = np.append(held, self._cash()) if universe.with_cash else held
        invested = weight.sum()
        covariance, asset, cost = np.zeros((m, m)), np.zeros((signals.asset.shape[2], m)), np.zeros(m)
        covariance[:n, :n] = signals.covariance[self.path, signals.covariance_at[t]]
        asset[:, :n], cost[:n] = signals.asset[self.path, t], self.rate
        seen = Observation(
            session=t, weight=weight / invested, target=universe.goal(self.path, t), covariance=covariance, cost=cost,
            market=signals.market[self.path, t].copy(), asset=asset, risk_aversion=self.risk_aversion,
            day=universe.sessions[t],
        )  # fmt: skip
        policy = self.policy
        if isinstance(policy, LotPolicy):
            policy = _WithLots(policy, self._lots(t, float(invested)))
        return _asked(policy, seen), seen

    def _lots(self, t: int, invested: float) -> TaxLots:
        """Every lot with the tax of a dollar sold; bankrupt assets have none."""
        price, day = self.price(t), np.datetime64(_day(self.universe.sessions[t]), "D")
        lots = self.book.lots
        position = np.array([lot.security for lot in lots], np.int64)
        start = np.array([lot.start for lot in lots], np.int64).astype("datetime64[D]")
        rate = np.where(is_long_term(start, np.full(len(lots), day)), self.rates.long, self.rates.short)
        gain = 1.0 - np.array([lot.basis for lot in lots]) / price[position]
        worth = np.array([lot.shares for lot in lots]) * price[position]
        return TaxLots(position, worth / invested, rate * gain)

    def _result(
        self, value: Floats, paid: Floats, before: Floats, active: Floats, cost: Floats, turnover: Floats
    ) -> AfterTax:
        sessions, price = self.universe.sessions[self.first : self.last + 1], self.price(self.last)
        calendar = np.unique(sessions.year).tolist()
        taxes = {year: self.book.tax_of(year) for year in calendar}
        owed = np.zeros(len(value))
        for year, tax in taxes.items():
            settled = [t for t, of in self._tax_days().items() if of == year]
            begin = int(np.searchsorted(sessions.year, year, side="right")) - 2
            owed[max(begin, 0) : settled[0] - self.first - 1 if settled else None] += tax.tax
        short, long = self.book.unrealised(_day(sessions[-1]), price, self.rate)
        closing = self.book.tax_of(calendar[-1], short, long)
        earlier = sum(tax.tax for year, tax in taxes.items() if year < calendar[-1] and year not in self.book.settled)
        liquidated = float(self.units() @ (price * (1.0 - self.rate))) + self._cash() - closing.tax - earlier
        years = pd.DataFrame(
            {
                "year": year, "short_gain": tax.short, "long_gain": tax.long,
                "ordinary_income": tax.ordinary_dividends, "qualified_dividends": tax.qualified_dividends,
                "disallowed": sum(r.disallowed for r in self.book.realised if _year(r.day) == year),
                "tax": tax.tax, "carryforward": tax.carryforward_short + tax.carryforward_long,
            }
            for year, tax in taxes.items()
        )  # fmt: skip
        statistics = self._statistics(value, value[-1] - owed[-1], before, liquidated, active, cost, turnover, years)
        return AfterTax(
            policy=self.policy.name, relief=self.relief, wealth=self.wealth, start=sessions[0], days=sessions[1:],
            value=value, paid=paid, owed=owed, before_tax=before, liquidated=liquidated, embedded_gain=short + long,
            years=years, statistics=statistics, events=pd.DataFrame(self.events, columns=["day", "what"]),
        )  # fmt: skip

    def _statistics(
        self, value: Floats, net: float, before: Floats, liquidated: float, active: Floats, cost: Floats,
        turnover: Floats, years: pd.DataFrame,
    ) -> pd.Series:  # fmt: skip
        a_year = 252 / len(value)
        cost_bp = 1e4 * cost.sum() * a_year
        loss_bp = 1e4 * 0.5 * self.risk_aversion * float((active**2).mean()) * 252
        tax_bp = 1e4 * years["tax"].sum() / value.mean() * a_year

        def yearly(last: float) -> float:
            return float((last / self.wealth) ** a_year - 1.0) if last > 0.0 else -1.0

        return pd.Series(
            {
                "policy": self.policy.name, "relief": self.relief, "return_before_tax": yearly(before[-1]),
                "return_after_tax": yearly(net), "return_liquidated": yearly(liquidated),
                "cost_bp": cost_bp, "tracking_loss_bp": loss_bp, "total_bp": cost_bp + loss_bp, "tax_bp": tax_bp,
                "total_after_tax_bp": cost_bp + loss_bp + tax_bp, "turnover": float(turnover.sum() * a_year),
                "disallowed": float(years["disallowed"].sum()), "final_wealth": float(value[-1]),
                "after_tax": float(net), "liquidated": liquidated,
            }
        )  # fmt: skip


@dataclass(frozen=True)
class _WithLots:
    """A policy that sees lots, asked as any other."""

    policy: LotPolicy
    lots: TaxLots

    @property
    def name(self) -> str:
        return self.policy.name

    @property
    def every(self) -> int:
        return self.policy.every

    def decide(self, seen: Observation) -> Floats | None:
        return self.policy.decide_taxed(seen, self.lots)


def _day(session: object) -> int:
    return int(np.datetime64(pd.Timestamp(str(session)), "D").astype(np.int64))


def _year(day: int) -> int:
    return int(np.datetime64(day, "D").astype("datetime64[Y]").astype(np.int64)) + 1970

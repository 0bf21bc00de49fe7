"""A plan over years for a legacy position: how much of which lot to sell each year under a yearly gain budget.

Nothing is forecast: prices stay as they are, rates and budgets too, and the money goes into the model at once. Each
year sells the lots of least tax a share first (`tax.relieve`), losses making room for gains; a lot that is short-term
at a gain waits until it is long-term. What faster or slower costs is set side by side: tax sooner or later, against
the tracking risk of holding on, at the firm's own price of risk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from workbench.errors import ParameterError
from workbench.rebalance.household import TAXED, Household, TaxPosition
from workbench.rebalance.load import Book
from workbench.rebalance.settings import Settings
from workbench.tax import loss_limit, net, relieve

__all__ = ["Frontier", "Plan", "PlannedSale", "PlannedYear", "frontier", "largest_position", "plan"]

#: A plan that is not through after so many years stops, and says what is left.
LONGEST = 40
_CENT = 0.005


@dataclass(frozen=True)
class PlannedSale:
    """Shares of one lot to sell in one year; `gain` in dollars, None in an account whose gains are not taxed."""

    account_id: str
    lot_id: str
    shares: float
    proceeds: float
    gain: float | None
    long: bool


@dataclass(frozen=True)
class PlannedYear:
    """One year of a plan: its sales, their tax (positive: owed), and what is left after them.

    `weight_left` is the position's part of the household; `tracking_error` (a year) is that of holding it in place of
    the model, the rest of the household taken as held at the model.
    """

    day: date
    sales: tuple[PlannedSale, ...]
    shares: float
    proceeds: float
    short_gain: float
    long_gain: float
    tax: float
    shares_left: float
    weight_left: float
    tracking_error: float


@dataclass(frozen=True)
class Plan:
    """A schedule of sales under one yearly gain budget (None: no limit), and what it costs.

    `tax` sums the years; `tax_value` discounts it; `risk_cost` is risk aversion times tracking variance times value,
    each year until the next one's sales, discounted; `total` is both and the tax still embedded in what is left.
    `weight_before` and `tracking_error_before` are those of today. `finished` says whether all is sold.
    """

    security_id: str
    budget: float | None
    value: float
    weight_before: float
    tracking_error_before: float
    years: tuple[PlannedYear, ...]
    finished: bool
    tax: float
    tax_value: float
    risk_cost: float
    tax_left: float

    @property
    def total(self) -> float:
        """Cost in dollars of today: tax, risk, and the tax left embedded."""
        return self.tax_value + self.risk_cost + self.tax_left

    def to_frame(self) -> pd.DataFrame:
        """One row a year: shares, proceeds, gains, tax, and what is left."""
        names = ("day", "shares", "proceeds", "short_gain", "long_gain", "tax", "shares_left", "weight_left",
                 "tracking_error")  # fmt: skip
        frame = pd.DataFrame([[getattr(year, name) for name in names] for year in self.years], columns=list(names))
        frame["day"] = pd.to_datetime(frame["day"])
        return frame

    def sales_frame(self) -> pd.DataFrame:
        """One row a sale: year, account, lot, shares, proceeds, gain, long."""
        rows = [
            (year.day.year, sale.account_id, sale.lot_id, sale.shares, sale.proceeds, sale.gain, sale.long)
            for year in self.years
            for sale in year.sales
        ]
        return pd.DataFrame(rows, columns=["year", "account_id", "lot_id", "shares", "proceeds", "gain", "long"])


@dataclass(frozen=True)
class Frontier:
    """Plans for a grid of budgets, smallest first: the price of going faster or slower.

    `asked` is the place of the plan that holds unless a person decides otherwise: that of the household's own budget
    (`own_budget`), else the slowest that is through within the firm's `transition_years`.
    """

    plans: tuple[Plan, ...]
    asked: int
    own_budget: float | None = None

    @property
    def cheapest(self) -> Plan:
        """The plan of least total cost at the firm's price of risk; of equals the one with the smaller budget.

        A quadratic price is meant for deviations of a few per cent: for half a household in one share it says to sell
        at once, whatever the tax.
        """
        return min(self.plans, key=lambda plan: plan.total)

    def saved(self, plan: Plan) -> float:
        """Dollars of today that a plan's tax is below that of the fastest one."""
        fastest = self.plans[-1]
        return fastest.tax_value + fastest.tax_left - plan.tax_value - plan.tax_left

    def to_frame(self) -> pd.DataFrame:
        """One row a budget: years until sold, tax, its present value, what waiting saves, the risk carried.

        `tracking_error` is that of the first year, after its sales, and `swing` its dollars: in about one year of
        three the household is that far from its model, or further. `risk_cost` prices all years' risk.
        """
        rows = [
            (
                np.inf if plan.budget is None else plan.budget, len(plan.years), plan.finished, plan.tax,
                plan.tax_value, self.saved(plan), plan.years[0].weight_left, plan.years[0].tracking_error,
                plan.years[0].tracking_error * (plan.value - plan.years[0].tax), plan.risk_cost, plan.tax_left,
                plan.total,
            )
            for plan in self.plans
        ]  # fmt: skip
        columns = ["budget", "years", "finished", "tax", "tax_value", "saved", "weight_left", "tracking_error", "swing",
                   "risk_cost", "tax_left", "total"]  # fmt: skip
        return pd.DataFrame(rows, columns=columns)


def plan(
    household: Household,
    security_id: str,
    budget: float | None,
    *,
    settings: Settings | None = None,
    discount_rate: float = 0.04,
    years: int = LONGEST,
) -> Plan:
    """Plan the sale of every share of a security in a household, at most `budget` dollars of net gain a year.

    The first year is the household's own day and counts the gains it has realised; later ones are a year apart.
    Untaxed accounts sell at once. `settings` give the price of risk (`risk_aversion`) and whether lots of unknown
    basis may be sold (they are then taxed whole). Raises `ParameterError` for a security that is not held, has no
    price, or whose household has no model, and for a budget below zero.
    """
    settings = settings or Settings()
    if budget is not None and not budget >= 0.0:
        raise ParameterError(f"budget must be dollars from 0 up, is {budget!r}; None means no limit", "budget")
    if not 1 <= years <= LONGEST:
        raise ParameterError(f"years must be from 1 to {LONGEST}, is {years!r}", "years")
    if not 0.0 <= discount_rate <= 1.0:
        raise ParameterError(f"discount_rate must be from 0 to 1, is {discount_rate!r}", "discount_rate")
    position = _position(household, security_id)
    return _Seller(household, position, settings, discount_rate).make(budget, years)


def frontier(
    household: Household,
    security_id: str,
    budgets: Sequence[float | None] | None = None,
    *,
    settings: Settings | None = None,
    discount_rate: float = 0.04,
) -> Frontier:
    """Plan one position under several budgets: the price of going faster or slower.

    By default those that sell its gain in 1, 2, 3, 5, 7, 10 and `settings.transition_years` years, and the household's
    own gain budget where it has one.
    """
    settings = settings or Settings()
    own = household.tax.gain_budget
    if budgets is None:
        whole = plan(household, security_id, None, settings=settings, discount_rate=discount_rate)
        gain = sum(max(year.short_gain + year.long_gain, 0.0) for year in whole.years)
        # what the year has realised already uses up room of the first year
        gain += max(household.tax.realised_short + household.tax.realised_long, 0.0) if gain > 0 else 0.0
        spread = {2, 3, 5, 7, 10, settings.transition_years} - {1} if gain > 0 else set()
        # a dollar more, so that shares cut to six decimals leave no crumb for another year
        budgets = [None, *(float(np.ceil((gain / n + 1.0) / 100) * 100) for n in sorted(spread))]
        budgets += [own] if own is not None and gain > 0 else []
    ordered = sorted(set(budgets), key=lambda budget: np.inf if budget is None else budget)
    plans = tuple(
        plan(household, security_id, budget, settings=settings, discount_rate=discount_rate) for budget in ordered
    )
    return Frontier(plans, _asked(plans, own, settings.transition_years), own)


def _asked(plans: Sequence[Plan], own: float | None, years: int) -> int:
    for place, made in enumerate(plans):
        if own is not None and made.budget == own:
            return place
    for place, made in enumerate(plans):
        if made.finished and len(made.years) <= years:
            return place
    return len(plans) - 1


def largest_position(book: Book) -> tuple[str, str]:
    """Household and security of the largest single stock held at a gain in taxed accounts, by weight in its household.

    Only where a model is in force; of equals the first. Raises `ParameterError` where there is none.
    """
    best: tuple[float, str, str] | None = None
    single = np.array([kind == "stock" for kind in book.market.kinds])
    for household in book:
        price = np.nan_to_num(household.market.price)
        owner = np.repeat(np.arange(len(household.accounts.ids)), np.diff(household.account_ptr))
        amount = household.quantity * price[household.security]
        value = float(amount.sum() + household.accounts.cash.sum())
        taxed = (household.accounts.treatment[owner] == TAXED) & (household.accounts.model[owner] >= 0)
        lot_owner = np.repeat(np.arange(len(amount)), np.diff(household.lots.holding_ptr))
        gain = household.lots.quantity * (price[household.security[lot_owner]] - household.lots.basis)
        gains = np.bincount(lot_owner, weights=np.nan_to_num(gain), minlength=len(amount))
        able = np.flatnonzero(taxed & single[household.security] & (gains > 0))
        if len(able) and value > 0:
            top = int(able[np.argmax(amount[able])])
            weight = float(amount[top] / value)
            if best is None or weight > best[0]:
                best = weight, household.household_id, household.market.ids[household.security[top]]
    if best is None:
        raise ParameterError("no taxed account under a model holds a single stock at a gain", "household")
    return best[1], best[2]


@dataclass(frozen=True, eq=False)
class _Position:
    """The lots of one security in all accounts of a household (rows), and the model it stands against."""

    security: int
    price: float
    lots: pd.DataFrame
    model: int


def _position(household: Household, security_id: str) -> _Position:
    market = household.market
    if security_id not in market.code:
        raise ParameterError(f"no security is called {security_id!r}; give one that the household holds", "security_id")
    security = market.code[security_id]
    rows = []
    for account in range(len(household.accounts.ids)):
        for holding in range(int(household.account_ptr[account]), int(household.account_ptr[account + 1])):
            if household.security[holding] == security:
                first, last = household.lots.holding_ptr[holding], household.lots.holding_ptr[holding + 1]
                rows += [(account, lot) for lot in range(int(first), int(last))]
    if not rows:
        raise ParameterError(f"{household.household_id} holds no lots of {security_id}", "security_id")
    price = float(market.price[security])
    if not price > 0:
        raise ParameterError(f"{security_id} has no price; a plan needs one", "security_id")
    models = household.accounts.model[[account for account, _ in rows]]
    if not (models >= 0).any():
        raise ParameterError(f"no model is in force where {household.household_id} holds {security_id}", "security_id")
    places = np.array([row for _, row in rows])
    accounts = np.array([place for place, _ in rows])
    frame = pd.DataFrame(
        {
            "account": accounts, "lot_id": [str(household.lots.ids[row]) for row in places],
            "shares": household.lots.quantity[places], "basis": household.lots.basis[places],
            "holding_start": household.lots.holding_start[places],
            "acquired_on": household.lots.acquired_on[places],
            "taxed": household.accounts.treatment[accounts] == TAXED,
        }
    )  # fmt: skip
    return _Position(security, price, frame, int(models[models >= 0][0]))


class _Seller:
    """One household's position, and the arithmetic of selling it."""

    def __init__(self, household: Household, position: _Position, settings: Settings, discount_rate: float) -> None:
        self.household, self.position, self.settings, self.rate = household, position, settings, discount_rate
        price = np.nan_to_num(household.market.price)
        value = float((household.quantity * price[household.security]).sum() + household.accounts.cash.sum())
        if not value > 0:
            raise ParameterError(f"{household.household_id} is worth {value:,.2f}; a plan needs value", "household")
        self.value = value
        self.deviation = self._deviation()

    def _deviation(self) -> float:
        """Volatility a year of the security against the model: the tracking error of a household made of it alone."""
        market = self.household.market
        active = -self.household.models.target[self.position.model].copy()
        active[self.position.security] += 1.0
        common = active @ market.exposure
        return float(np.sqrt(common @ common + (active**2 * market.specific).sum()))

    def make(self, budget: float | None, years: int) -> Plan:
        lots, tax = self.position.lots.copy(), _TaxYears(self.household.tax)
        price, today = self.position.price, self.household.as_of
        weight = float(lots["shares"].sum()) * price / self.value
        planned: list[PlannedYear] = []
        value, tax_value, risk_cost = self.value, 0.0, 0.0
        for n in range(years):
            day = _years_on(today, n)
            room = np.inf if budget is None else budget - (tax.realised if n == 0 else 0.0)
            taken = self._sales(lots, day, room)
            short, long = (float(taken.loc[taken["taxed"] & (taken["long"] == term), "gain"].sum()) for term in (0, 1))
            owed = tax.add(short, long)
            lots["shares"] = (
                lots["shares"] - taken.groupby("row")["shares"].sum().reindex(lots.index).fillna(0.0)
            ).round(6)
            lots = lots[lots["shares"] > 0]
            value -= owed
            left = float(lots["shares"].sum())
            tracking = left * price / value * self.deviation
            planned.append(
                PlannedYear(
                    day, self._records(taken), float(taken["shares"].sum()), float(taken["shares"].sum()) * price,
                    short, long, owed, left, left * price / value, tracking,
                )
            )  # fmt: skip
            tax_value += owed / (1.0 + self.rate) ** n
            risk_cost += self.settings.risk_aversion * tracking**2 * value / (1.0 + self.rate) ** n
            if lots.empty:
                break
        while planned and not planned[-1].sales and len(planned) > 1:
            planned.pop()
        return Plan(
            security_id=self.household.market.ids[self.position.security], budget=budget, value=self.value,
            weight_before=weight, tracking_error_before=weight * self.deviation, years=tuple(planned),
            finished=lots.empty, tax=sum(year.tax for year in planned), tax_value=tax_value, risk_cost=risk_cost,
            tax_left=self._embedded(lots, years),
        )  # fmt: skip

    def _sales(self, lots: pd.DataFrame, day: date, room: float) -> pd.DataFrame:
        """Lots to sell on a day, least tax a share first, as far as the net gain stays within `room`."""
        rates, price = self.household.tax, self.position.price
        able = lots[~lots["taxed"] | lots["basis"].notna() | self.settings.sell_unknown_basis]
        able = able.assign(basis=able["basis"].fillna(0.0), sale_id=able["taxed"].map({True: "taxed", False: "free"}))
        able["row"], able["name"] = able.index, able["lot_id"]
        # the row stands for the lot, for two accounts may use one identifier
        able["lot_id"] = able.index
        wanted = able.groupby("sale_id", as_index=False)["shares"].sum()
        wanted["price"], wanted["sold_on"] = price, pd.Timestamp(day)
        taken = relieve(able, wanted, "min_tax", short_rate=rates.short_rate, long_rate=rates.long_rate)
        taken["row"] = taken["lot_id"]
        taken["taxed"] = taken["sale_id"] == "taxed"
        waits = taken["taxed"] & ~taken["long"].astype(bool) & (taken["gain"] > _CENT)
        taken = taken[~waits].reset_index(drop=True)
        return self._within(taken, room)

    @staticmethod
    def _within(taken: pd.DataFrame, room: float) -> pd.DataFrame:
        """Cut the taxed sales where their running net gain would leave the room."""
        gain = np.where(taken["taxed"], taken["gain"], 0.0)
        room = max(room, 0.0) if not np.isnan(room) else 0.0
        before = np.concatenate([[0.0], np.cumsum(gain)[:-1]])
        with np.errstate(divide="ignore", invalid="ignore"):
            part = np.where(gain > 0, np.clip((room - before) / gain, 0.0, 1.0), 1.0)
        shares = taken["shares"].to_numpy(np.float64)
        cut = np.where(part < 1.0, np.floor(part * shares * 1e6) / 1e6, shares)
        scale = np.divide(cut, shares, out=np.zeros_like(shares), where=shares > 0)
        taken = taken.assign(shares=cut, proceeds=taken["proceeds"] * scale, gain=taken["gain"] * scale)
        return taken[taken["shares"] > 0].reset_index(drop=True)

    def _records(self, taken: pd.DataFrame) -> tuple[PlannedSale, ...]:
        ids, lots = self.household.accounts.ids, self.position.lots
        return tuple(
            PlannedSale(
                ids[int(lots.at[row.row, "account"])], str(lots.at[row.row, "lot_id"]), float(row.shares),
                float(row.proceeds), float(row.gain) if row.taxed else None, bool(row.long),
            )
            for row in taken.itertuples()
        )  # fmt: skip

    def _embedded(self, lots: pd.DataFrame, years: int) -> float:
        """Long-term tax on the gain of what is left, discounted from the plan's end; a loss is worth nothing here."""
        if lots.empty:
            return 0.0
        gain = float(((self.position.price - lots["basis"].fillna(0.0)) * lots["shares"])[lots["taxed"]].sum())
        return max(gain, 0.0) * self.household.tax.long_rate / (1.0 + self.rate) ** years


class _TaxYears:
    """The tax that a plan adds, year by year: netting with the plan's gains less netting without them."""

    def __init__(self, position: TaxPosition) -> None:
        self.position = position
        self.short, self.long = position.realised_short, position.realised_long
        self.realised = position.realised_short + position.realised_long
        self.with_plan = self.without = (position.carryforward_short, position.carryforward_long)

    def add(self, short: float, long: float) -> float:
        """Tax of this year by the plan's gains; moves on to the next year."""
        owed, self.with_plan = self._tax(self.short + short, self.long + long, self.with_plan)
        anyway, self.without = self._tax(self.short, self.long, self.without)
        self.short = self.long = 0.0
        return round(owed - anyway, 2)

    def _tax(self, short: float, long: float, carried: tuple[float, float]) -> tuple[float, tuple[float, float]]:
        position = self.position
        netted = net(short, long, *carried, limit=float(loss_limit(position.filing_status)))
        tax = (
            position.short_rate * float(netted.short_gain)
            + position.long_rate * float(netted.long_gain)
            - position.ordinary_rate * float(netted.deduction)
        )
        return tax, (float(netted.carryforward_short), float(netted.carryforward_long))


def _years_on(day: date, years: int) -> date:
    """The same calendar day some years on; 28 February for the 29th."""
    return (pd.Timestamp(day) + pd.DateOffset(years=years)).date()

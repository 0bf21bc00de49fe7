"""What harvesting, lot choice and location would have been worth after tax: households lived through years of prices.

Every strategy decides through the same `solve_household` that proposals come from, sees only what was known at that
day's close, and is taxed by books that match wash sales over all its accounts and net each year. Conventions: trades at
the close, half a spread dearer; dividends in cash on the ex-date, invested at the next decision; cash earns nothing;
a year's tax leaves the taxable account on the last session of the following March (saved tax comes in that day) and
counts as owed from the year's end; rates stay the same all years.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from workbench.errors import ParameterError
from workbench.rebalance._books import Liquidation, Lot, TaxRates
from workbench.rebalance._decision_view import household_of
from workbench.rebalance._history import FUNDS, LEAST_WINDOW, Fund, History, history_of_funds, read_history
from workbench.rebalance._ledger import Ledger, tax_sessions
from workbench.rebalance._relief import first_in_first_out, lots_sold
from workbench.rebalance.household import DEFERRED, TAXED, TREATMENT, CashDemand, Days, Floats, Household, Restriction
from workbench.rebalance.rounding import Orders
from workbench.rebalance.settings import Settings

__all__ = [
    "FUNDS", "STRATEGIES", "TAX_MONTH", "Assumptions", "Fund", "History", "Ledger", "Liquidation", "Lot", "Path",
    "Strategy", "Study", "TaxRates", "cohort_starts", "compare", "history_of_funds", "internal_rate", "lots_sold",
    "read_history", "simulate", "tax_sessions", "taxable_account",
]  # fmt: skip

#: What a strategy asks for a household's orders; `solve_household` unless a test hands in another.
Decide = Callable[[Household, Settings], "Orders | None"]
#: Month on whose last session a year's tax is paid: the wash window of December is closed by then.
TAX_MONTH = 3
SESSIONS_A_YEAR = 252


@dataclass(frozen=True)
class Strategy:
    """One way to manage the household: settings of its regular decisions, and whether it harvests in between.

    `relief` is how lots are picked ("specific" as the solver says, or "fifo"); `harvest` False hides losses from the
    solver, so that they are realised only in passing. Regular decisions are made every `months` (a divisor of 12), and
    with `between` the other months harvest; `restrictions` hold throughout.
    """

    key: str
    title: str
    settings: Settings
    harvest: bool
    relief: str = "specific"
    months: int = 3
    between: bool = False
    restrictions: tuple[Restriction, ...] = ()


_FRACTIONS = Settings(whole_shares=False)
_ALONE = replace(_FRACTIONS, view="account", location=False)
#: The strategies in order, each adding something to the one before it but the last, which leaves harvesting out again.
STRATEGIES = (
    Strategy(
        "plain", "Each account alone, quarterly to target, first in first out",
        replace(_ALONE, tax_weight=0.0, wash="priced", risk_aversion=1000.0), False, "fifo",
    ),
    Strategy("lots", "Tax-aware lots, each account alone", _ALONE, False),
    Strategy("harvest", "Monthly harvesting, each account alone", _ALONE, True, between=True),
    Strategy("household", "Monthly harvesting and location, whole household", _FRACTIONS, True, between=True),
    Strategy("location", "Location without harvesting, whole household", _FRACTIONS, False),
)  # fmt: skip


@dataclass(frozen=True)
class Assumptions:
    """The household that is studied: `wealth` dollars in cash at the start, split by registration.

    `deposits` a year, as a fraction of the first wealth, come in equal parts at each quarter's end into the first
    taxable account; `years` is how long each cohort lives.
    """

    wealth: float = 2_000_000.0
    accounts: tuple[tuple[str, float], ...] = (("taxable", 0.50), ("traditional_ira", 0.35), ("roth_ira", 0.15))
    deposits: float = 0.03
    years: int = 10
    rates: TaxRates = field(default_factory=TaxRates)

    def __post_init__(self) -> None:
        if not self.wealth > 0:
            raise ParameterError(f"wealth must be dollars above 0, is {self.wealth!r}", "wealth")
        if not 0 <= self.deposits <= 1:
            raise ParameterError(f"deposits must be a fraction from 0 to 1, is {self.deposits!r}", "deposits")
        if not 1 <= self.years <= 60:
            raise ParameterError(f"years must be from 1 to 60, is {self.years!r}", "years")
        unknown = [name for name, _ in self.accounts if name not in TREATMENT]
        if unknown:
            raise ParameterError(f"accounts name {unknown[0]!r}; use {', '.join(TREATMENT)}", "accounts")
        if abs(sum(part for _, part in self.accounts) - 1.0) > 1e-9 or any(part < 0 for _, part in self.accounts):
            raise ParameterError("the parts of the accounts must be positive and sum to 1", "accounts")
        if TREATMENT[self.accounts[0][0]] != TAXED:
            raise ParameterError(
                "the first of the accounts must be taxed: deposits and taxes pass through it", "accounts"
            )


@dataclass(frozen=True, eq=False)
class Path:
    """One strategy's life in one cohort.

    `value` (T) is the market value of all accounts at each close, `owed` the tax of finished years not yet paid,
    `paid` the tax that left that day (below zero: came in), `flow` the deposits. `years` has a row a year: returns
    before and after tax, time-weighted; tax, gains, losses harvested and disallowed, turnover. `liquidated_start` and
    `liquidated_end` are what is left if everything is sold and withdrawn then, at the rates of the study;
    `carryforward` what losses would still be unused, `embedded_gain` what that sale would realise. `cost` and
    `turnover` (one way) are fractions of the mean value a year; `equity_...` the mean share of equity, counting
    traditional accounts whole and less their tax. `tax_shortfalls` counts tax days that left the cash below zero.
    """

    strategy: Strategy
    dates: Days
    value: Floats
    owed: Floats
    paid: Floats
    flow: Floats
    years: pd.DataFrame
    liquidated_start: float
    liquidated_end: float
    carryforward: float
    embedded_gain: float
    tracking_error: float
    turnover: float
    cost: float
    equity_before_tax: float
    equity_after_tax: float
    wash_sales: int
    disallowed: float
    permanently_lost: float
    tax_shortfalls: int

    @property
    def after_tax(self) -> Floats:
        """Market value less tax owed, by session."""
        return self.value - self.owed

    def annual_return(self, *, liquidated: bool = False) -> float:
        """Internal rate of return a year after tax, of what stays invested or of what liquidation leaves."""
        first = self.liquidated_start if liquidated else float(self.value[0] - self.flow[0])
        last = self.liquidated_end if liquidated else float(self.after_tax[-1])
        return self._internal_rate(first, self.flow, last)

    def annual_return_before_tax(self) -> float:
        """Internal rate of return a year before tax: tax paid counts as money taken out."""
        return self._internal_rate(float(self.value[0] - self.flow[0]), self.flow - self.paid, float(self.value[-1]))

    def _internal_rate(self, first: float, flow: Floats, last: float) -> float:
        years = (self.dates - self.dates[0]).astype(np.float64) / 365.25
        return internal_rate(np.concatenate([[first], flow]), np.concatenate([[0.0], years]), last, years[-1])


def internal_rate(flows: Floats, years: Floats, last: float, at: float) -> float:
    """The yearly rate at which `flows` paid in at `years` grow to `last`; found by bisection, to 1e-12."""
    low, high = -0.99, 10.0
    for _ in range(100):
        middle = 0.5 * (low + high)
        if float((flows * (1.0 + middle) ** (at - years)).sum()) < last:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


@dataclass(frozen=True, eq=False)
class Study:
    """Strategies side by side over cohorts that start in different years; every cohort lives each strategy once.

    Cohorts overlap, so their range is no confidence interval: it says how much the start date matters.
    """

    source: str
    simulated: tuple[str, ...]
    assumptions: Assumptions
    paths: tuple[tuple[Path, ...], ...]

    @property
    def starts(self) -> tuple[pd.Timestamp, ...]:
        """The first day of each cohort."""
        return tuple(pd.Timestamp(cohort[0].dates[0]) for cohort in self.paths)

    def alphas(self) -> pd.DataFrame:
        """One row a cohort and strategy: what it earned a year above the first strategy of its cohort, as fractions.

        `alpha` is the difference of returns after tax, `before_tax` that of returns before tax (tracking, cost and
        risk), `tax_alpha` the one less the other: what tax alone gave. `tax_alpha_liquidated` is the same when all
        is sold and withdrawn at the end.
        """
        rows = []
        for cohort in self.paths:
            before, after, left = _returns(cohort[0])
            for path in cohort:
                own = _returns(path)
                rows.append(
                    {
                        "start": pd.Timestamp(path.dates[0]),
                        "strategy": path.strategy.key,
                        "alpha": own[1] - after,
                        "before_tax": own[0] - before,
                        "tax_alpha": (own[1] - own[0]) - (after - before),
                        "alpha_liquidated": own[2] - left,
                        "tax_alpha_liquidated": (own[2] - own[0]) - (left - before),
                    }
                )
        return pd.DataFrame(rows)

    def by_year(self) -> pd.DataFrame:
        """One row a strategy and year of life, as means over cohorts: `losses` harvested, and what tax gave.

        `losses` is a fraction of the account's value at the end of the year before (at first, of the first wealth);
        `tax_alpha` compares time-weighted returns after and before tax with those of the first strategy.
        """
        rows = []
        for cohort in self.paths:
            drag = cohort[0].years["return_after_tax"] - cohort[0].years["return_before_tax"]
            for path in cohort:
                years = path.years
                calendar = path.dates.astype("datetime64[Y]").astype(np.int64) + 1970
                ends = [path.value[calendar == year][-1] for year in years["year"]]
                base = np.array([path.value[0] - path.flow[0], *ends[:-1]])
                own = years["return_after_tax"] - years["return_before_tax"]
                rows.append(
                    pd.DataFrame(
                        {
                            "strategy": path.strategy.key, "life": np.arange(1, len(years) + 1),
                            "losses": years["losses_harvested"] / base, "tax_alpha": own - drag,
                        }
                    )
                )  # fmt: skip
        return pd.concat(rows).groupby(["strategy", "life"], sort=False, as_index=False).mean()

    def summary(self) -> pd.DataFrame:
        """One row a strategy: mean alphas over cohorts with their range, and what it took, as means over cohorts."""
        alphas = self.alphas()
        rows = []
        for place, strategy in enumerate(path.strategy for path in self.paths[0]):
            mine = alphas[alphas["strategy"] == strategy.key]
            lives = [cohort[place] for cohort in self.paths]
            row: dict[str, object] = {"strategy": strategy.key, "title": strategy.title}
            for name in ("alpha", "before_tax", "tax_alpha", "tax_alpha_liquidated"):
                row[name] = float(mine[name].mean())
                row[f"{name}_low"], row[f"{name}_high"] = float(mine[name].min()), float(mine[name].max())
            for name in ("tracking_error", "turnover", "cost", "equity_before_tax", "equity_after_tax"):
                row[name] = float(np.mean([getattr(life, name) for life in lives]))
            span = self.assumptions.years
            row["wash_sales"] = sum(life.wash_sales for life in lives)
            row["disallowed"] = float(np.mean([life.disallowed for life in lives])) / span
            row["losses_harvested"] = float(np.mean([life.years["losses_harvested"].sum() for life in lives])) / span
            row["tax"] = float(np.mean([life.years["tax"].sum() for life in lives])) / span
            row["carryforward"] = float(np.mean([life.years["carryforward"].iloc[-1] for life in lives]))
            rows.append(row)
        return pd.DataFrame(rows)


def _returns(path: Path) -> tuple[float, float, float]:
    return path.annual_return_before_tax(), path.annual_return(), path.annual_return(liquidated=True)


def taxable_account(cash: float, qualified: Floats, rates: TaxRates) -> Ledger:
    """Open the books of one taxable account with cash, for others to trade in; no two securities are identical.

    `qualified` (S) is the part of each security's dividends that can be qualified.
    """
    return Ledger(
        registration=("taxable",), treatment=np.array([TAXED], np.int32),
        wash_group=np.arange(len(qualified), dtype=np.int32), qualified=np.asarray(qualified, float), rates=rates,
        cash=np.array([round(cash, 2)]),
    )  # fmt: skip


def cohort_starts(history: History, years: int, *, most: int | None = None) -> tuple[pd.Timestamp, ...]:
    """The first session of every year that has enough prices before it and `years` whole years after.

    With `most`, so many of them at most, spread evenly from first to last. Raises `ParameterError` where there is none.
    """
    days = pd.DatetimeIndex(history.dates)
    first = [int(np.searchsorted(history.dates, np.datetime64(f"{year}-01-01"))) for year in sorted(set(days.year))]
    starts = tuple(
        days[place] for place in first
        if place > LEAST_WINDOW and days[place].month == 1
        and pd.Timestamp(days[place].year + years - 1, 12, 24) <= days[-1]
    )  # fmt: skip
    if not starts:
        raise ParameterError(f"the prices of {days[0]:%Y} to {days[-1]:%Y} hold no {years} whole years", "years")
    if most is None or len(starts) <= most:
        return starts
    return tuple(starts[place] for place in np.linspace(0, len(starts) - 1, most).round().astype(int))


def compare(
    history: History,
    assumptions: Assumptions | None = None,
    *,
    starts: Sequence[object] | None = None,
    strategies: Sequence[Strategy] = STRATEGIES,
    decide: Decide | None = None,
) -> Study:
    """Live every strategy in every cohort, by default one starting each year; the first strategy is the yardstick.

    Raises `ParameterError` and `MarketDataError` where the prices do not reach.
    """
    assumptions = assumptions or Assumptions()
    starts = cohort_starts(history, assumptions.years) if starts is None else starts
    paths = tuple(
        tuple(simulate(history, strategy, assumptions, start, decide=decide) for strategy in strategies)
        for start in starts
    )
    return Study(history.source, history.simulated, assumptions, paths)


def simulate(
    history: History,
    strategy: Strategy,
    assumptions: Assumptions,
    start: object,
    *,
    decide: Decide | None = None,
) -> Path:
    """Live one household through a history from the first session on or after `start`, for `assumptions.years` years.

    Raises `ParameterError` where the history ends sooner.
    """
    return _Life(history, strategy, assumptions, start, decide or _product).run()


def _product(household: Household, settings: Settings) -> Orders | None:
    from workbench.rebalance.solve import solve_household

    solved = solve_household(household, settings)
    return None if solved is None else solved.orders


class _Life:
    """One simulation: its calendar, its books, and what is written down on the way."""

    def __init__(
        self, history: History, strategy: Strategy, assumptions: Assumptions, start: object, decide: Decide
    ) -> None:
        self.history, self.strategy, self.assumptions, self.decide = history, strategy, assumptions, decide
        self.first = history.session(start)
        first_day = pd.Timestamp(history.dates[self.first])
        end = pd.Timestamp(first_day.year + assumptions.years - (first_day.month == 1), 12, 31)
        if first_day.month > 1:
            end = first_day + pd.DateOffset(years=assumptions.years)
        self.last = int(np.searchsorted(history.dates, np.datetime64(end, "D"), side="right")) - 1
        if pd.Timestamp(history.dates[-1]) < end - pd.Timedelta(days=7):
            raise ParameterError(
                f"{assumptions.years} years from {first_day:%Y-%m-%d} end after the prices, on {history.dates[-1]}",
                "start",
            )
        parts = np.array([part for _, part in assumptions.accounts])
        self.ledger = Ledger(
            registration=tuple(name for name, _ in assumptions.accounts),
            treatment=np.array([TREATMENT[name] for name, _ in assumptions.accounts], np.int32),
            wash_group=history.market.wash_group, qualified=history.qualified, rates=assumptions.rates,
            cash=np.round(parts * assumptions.wealth, 2),
        )  # fmt: skip
        length = self.last - self.first + 1
        self.value, self.owed, self.flow = np.zeros(length), np.zeros(length), np.zeros(length)
        self.taxes: dict[int, float] = {}
        self.tax_years = tax_sessions(history.dates, self.first, self.last, TAX_MONTH)
        self.equity: list[tuple[float, float]] = []
        self.traded: dict[int, float] = {}
        self.shortfalls = 0

    def run(self) -> Path:
        held, cash = self._open()
        events = self._events()
        for here, following in zip(events, [*events[1:], self.last + 1], strict=True):
            if here > self.first:
                self._event(here)
                held, cash = self.ledger.holdings(self.history.price.shape[1]), self.ledger.cash.sum()
            self._write(here, following, held, float(cash))
        return self._path()

    def _open(self) -> tuple[Floats, float]:
        self._trade(self.first, regular=True)
        return self.ledger.holdings(self.history.price.shape[1]), float(self.ledger.cash.sum())

    def _events(self) -> list[int]:
        """Sessions on which something happens: dividends, month ends."""
        span = np.arange(self.first, self.last + 1)
        paying = (np.nan_to_num(self.history.dividend[span]) > 0).any(axis=1)
        self.month = self.history.dates.astype("datetime64[M]").astype(np.int64)
        ends = np.zeros(len(span), bool)
        ends[:-1] = self.month[span[1:]] != self.month[span[:-1]]
        ends[-1] = True
        self.month_end = set(span[ends].tolist())
        return sorted({self.first, *span[paying | ends].tolist()})

    def _event(self, session: int) -> None:
        day = self._day(session)
        self.ledger.pay_dividends(day, np.nan_to_num(self.history.dividend[session]))
        if session not in self.month_end or session == self.last:
            return
        month = int(self.month[session]) % 12 + 1
        if month % 3 == 0 and self.assumptions.deposits > 0:
            amount = round(self.assumptions.deposits * self.assumptions.wealth / 4, 2)
            self.ledger.deposit(0, amount)
            self.flow[session - self.first] += amount
        needs = []
        year = self.tax_years.get(session)
        if year is not None:
            due = self.ledger.tax_of(year).tax
            if due > 0:
                needs = [CashDemand(0, "withdrawal", due, None, f"tax of {year}")]
        regular = month % self.strategy.months == 0
        if regular or self.strategy.between:
            self._trade(session, regular=regular, needs=needs)
        if year is not None:
            self.taxes[session] = self.ledger.settle(year, 0)
            self.shortfalls += bool(self.ledger.cash[0] < 0)

    def _trade(self, session: int, *, regular: bool, needs: Sequence[CashDemand] = ()) -> None:
        strategy, day = self.strategy, self._day(session)
        market = self.history.market_at(session)
        household, lots = household_of(
            self.ledger, day, market, self.history.models_at(session), needs, strategy.restrictions,
            losses_hidden=not strategy.harvest,
        )  # fmt: skip
        settings = strategy.settings if regular else replace(strategy.settings, mode="harvest")
        orders = self.decide(household, settings)
        if orders is None:
            return
        sales: list[tuple[Lot, float]] = [
            (lots[row], float(shares)) for row, shares in zip(orders.lot.tolist(), orders.lot_shares, strict=True)
        ]
        if strategy.relief == "fifo":
            sales = first_in_first_out(day, sales, lots)
        buying = orders.shares > 0
        buys = list(
            zip(orders.account[buying].tolist(), orders.security[buying].tolist(), orders.shares[buying].tolist(),
                strict=True)
        )  # fmt: skip
        before = self.ledger.traded
        self.ledger.trade(day, sales, buys, market.price, market.half_spread)
        year = self._year(session)
        if session > self.first:
            self.traded[year] = self.traded.get(year, 0.0) + self.ledger.traded - before
        self._note_equity(session)

    def _note_equity(self, session: int) -> None:
        """Share of equity in what the household owns, counting a traditional account whole and after its tax."""
        price = np.nan_to_num(self.history.price[session])
        value = self.ledger.holdings(len(price)) * price
        equity = np.array(["equity" in name.lower() for name in self.history.market.asset_class])
        keep = np.where(self.ledger.treatment == DEFERRED, 1.0 - self.assumptions.rates.withdrawal, 1.0)
        whole = value.sum(axis=1) + self.ledger.cash
        self.equity.append(
            (float(value[:, equity].sum() / whole.sum()), float(keep @ value[:, equity].sum(axis=1) / (keep @ whole)))
        )

    def _write(self, here: int, following: int, held: Floats, cash: float) -> None:
        """Values from one event up to the next: nothing but prices moves in between."""
        span = slice(here - self.first, following - self.first)
        prices = np.nan_to_num(self.history.price[here:following])
        self.value[span] = prices @ held.sum(axis=0) + cash
        years = self.history.dates[here:following].astype("datetime64[Y]").astype(np.int64) + 1970
        last_of_year = int(years[0]) if here in self.month_end and self._ends_year(here) else int(years[0]) - 1
        unpaid = [y for y in range(self._year(self.first), last_of_year + 1) if y not in self.ledger.settled]
        owed = sum(self.ledger.tax_of(year).tax for year in unpaid)
        self.owed[span] = owed

    def _ends_year(self, session: int) -> bool:
        return session == self.last or int(self.month[session]) // 12 != int(self.month[session + 1]) // 12

    def _day(self, session: int) -> int:
        return int(self.history.dates[session].astype(np.int64))

    def _year(self, session: int) -> int:
        return int(self.history.dates[session].astype("datetime64[Y]").astype(np.int64)) + 1970

    def _path(self) -> Path:
        dates = self.history.dates[self.first : self.last + 1]
        self.flow[0] = 0.0
        paid = np.zeros(len(dates))
        for session, tax in self.taxes.items():
            paid[session - self.first] = tax
        years = _years(self, dates, paid)
        left = self._liquidation()
        keep = np.where(self.ledger.treatment == DEFERRED, 1.0 - self.assumptions.rates.withdrawal, 1.0)
        parts = np.array([part for _, part in self.assumptions.accounts])
        washed = [row for row in self.ledger.realised if row.disallowed > 0]
        equity = np.array(self.equity)
        span = (dates[-1] - dates[0]).astype(np.float64) / 365.25
        return Path(
            strategy=self.strategy, dates=dates, value=self.value, owed=self.owed, paid=paid, flow=self.flow,
            years=years,
            liquidated_start=float(keep @ parts * self.assumptions.wealth),
            liquidated_end=float(keep @ left.proceeds) - left.tax,
            carryforward=left.carryforward, embedded_gain=left.gain, tracking_error=self._tracking_error(paid),
            turnover=float(sum(self.traded.values()) / 2 / self.value.mean() / span),
            cost=float(self.ledger.costs / self.value.mean() / span),
            equity_before_tax=float(equity[:, 0].mean()), equity_after_tax=float(equity[:, 1].mean()),
            wash_sales=len(washed), disallowed=sum(row.disallowed for row in washed),
            permanently_lost=sum(row.permanent for row in washed), tax_shortfalls=self.shortfalls,
        )  # fmt: skip

    def _tracking_error(self, paid: Floats) -> float:
        """Yearly deviation of daily returns before tax from those of the model, held at its weights."""
        model = self.history.model_returns(self.first, self.last)
        return float(np.std(_daily(self.value, self.flow - paid) - model) * np.sqrt(SESSIONS_A_YEAR))

    def _liquidation(self) -> Liquidation:
        """What is left if all is sold on the last day."""
        price = np.nan_to_num(self.history.price[self.last])
        return self.ledger.liquidation(self._day(self.last), price, self.history.market.half_spread)


def _daily(value: Floats, flow: Floats) -> Floats:
    """Daily returns; flows come in at the close, after the day's return."""
    return np.asarray((value[1:] - flow[1:]) / value[:-1] - 1.0)


def _years(life: _Life, dates: Days, paid: Floats) -> pd.DataFrame:
    """One row a calendar year of a life."""
    ledger = life.ledger
    calendar = dates.astype("datetime64[Y]").astype(np.int64) + 1970
    net = life.value - life.owed
    after = _daily(net, life.flow)
    before = _daily(life.value, life.flow - paid)
    rows = []
    for year in np.unique(calendar).tolist():
        inside = calendar[1:] == year
        tax = ledger.tax_of(year)
        realised = ledger.realised_in(year)
        rows.append(
            {
                "year": year,
                "return_before_tax": float(np.prod(1.0 + before[inside]) - 1.0),
                "return_after_tax": float(np.prod(1.0 + after[inside]) - 1.0),
                "tax": tax.tax,
                "short_gain": tax.short,
                "long_gain": tax.long,
                "ordinary_dividends": tax.ordinary_dividends,
                "qualified_dividends": tax.qualified_dividends,
                "losses_harvested": -sum(min(row.recognised, 0.0) for row in realised),
                "disallowed": sum(row.disallowed for row in realised),
                "carryforward": tax.carryforward_short + tax.carryforward_long,
                "turnover": life.traded.get(year, 0.0) / 2 / float(life.value[calendar == year].mean()),
            }
        )
    return pd.DataFrame(rows)

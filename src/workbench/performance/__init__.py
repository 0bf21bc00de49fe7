"""What accounts earned: daily holdings and gains, returns by three conventions, composites and statistics."""

from workbench.performance.account_returns import AccountReturns, account_returns
from workbench.performance.composite_days import composite_days
from workbench.performance.composites import Composite, Dispersion, Rules, composite, dispersion
from workbench.performance.conventions import CONVENTIONS, Convention
from workbench.performance.daily import DailyHoldings
from workbench.performance.drawdowns import drawdowns
from workbench.performance.load import chunks, load
from workbench.performance.money_weighted import (
    MoneyWeighted,
    NoRateError,
    SeveralRatesError,
    account_money_weighted,
    money_weighted,
)
from workbench.performance.periods import calendar_periods
from workbench.performance.portfolios import Portfolios, full_months, portfolios
from workbench.performance.returns import (
    UNDEFINED,
    annualise,
    compound,
    cumulative,
    drawdown,
    modified_dietz,
    net_of_fee,
    time_weighted,
    why_undefined,
    years_between,
)
from workbench.performance.spans import Span, spans
from workbench.performance.statistics import Statistics, rolling, statistics

__all__ = [
    "CONVENTIONS",
    "UNDEFINED",
    "AccountReturns",
    "Composite",
    "Convention",
    "DailyHoldings",
    "Dispersion",
    "MoneyWeighted",
    "NoRateError",
    "Portfolios",
    "Rules",
    "SeveralRatesError",
    "Span",
    "Statistics",
    "account_money_weighted",
    "account_returns",
    "annualise",
    "calendar_periods",
    "chunks",
    "composite",
    "composite_days",
    "compound",
    "cumulative",
    "dispersion",
    "drawdown",
    "drawdowns",
    "full_months",
    "load",
    "modified_dietz",
    "money_weighted",
    "net_of_fee",
    "portfolios",
    "rolling",
    "spans",
    "statistics",
    "time_weighted",
    "why_undefined",
    "years_between",
]

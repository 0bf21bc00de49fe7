"""What accounts earned: daily holdings and gains, returns by three conventions, composites and statistics."""

from workbench.performance.daily import DailyHoldings
from workbench.performance.load import chunks, load
from workbench.performance.money_weighted import (
    MoneyWeighted,
    NoRateError,
    SeveralRatesError,
    account_money_weighted,
    money_weighted,
)
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

__all__ = [
    "UNDEFINED",
    "DailyHoldings",
    "MoneyWeighted",
    "NoRateError",
    "SeveralRatesError",
    "account_money_weighted",
    "annualise",
    "chunks",
    "compound",
    "cumulative",
    "drawdown",
    "load",
    "modified_dietz",
    "money_weighted",
    "net_of_fee",
    "time_weighted",
    "why_undefined",
    "years_between",
]

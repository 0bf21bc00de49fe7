"""What accounts earned: daily holdings and gains, returns by three conventions, composites and statistics."""

from workbench.performance.daily import DailyHoldings
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
    "annualise",
    "compound",
    "cumulative",
    "drawdown",
    "modified_dietz",
    "net_of_fee",
    "time_weighted",
    "why_undefined",
    "years_between",
]

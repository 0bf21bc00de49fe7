"""US federal tax on securities: lots, holding periods, wash sales, netting, rates, dividends and distributions."""

from workbench.tax.dividends import days_held_in_window, is_qualified
from workbench.tax.holding import holding_start, is_long_term, long_term_from
from workbench.tax.netting import (
    GainRates,
    Marginal,
    Netted,
    YearTax,
    household_rates,
    loss_limit,
    marginal,
    net,
    net_years,
    tax_of_year,
)
from workbench.tax.rates import (
    MarginalRates,
    capital_gains_tax,
    income_tax,
    marginal_rates,
    niit,
    ordinary_tax,
    standard_deduction,
)
from workbench.tax.relief import Method as ReliefMethod
from workbench.tax.relief import relieve
from workbench.tax.rmd import RequiredDistributions, required_distributions
from workbench.tax.wash import WASH_DAYS, WashSales, match_wash_sales
from workbench.tax.wash_state import WashState, wash_groups, wash_state
from workbench.tax.wash_window import Block, OpenPart, WashWindow

__all__ = [
    "WASH_DAYS", "Block", "GainRates", "Marginal", "MarginalRates", "Netted", "OpenPart", "ReliefMethod",
    "RequiredDistributions",
    "WashSales", "WashState", "WashWindow", "YearTax", "capital_gains_tax", "days_held_in_window", "holding_start",
    "household_rates", "income_tax", "is_long_term", "is_qualified", "long_term_from", "loss_limit", "marginal",
    "marginal_rates", "match_wash_sales", "net", "net_years", "niit", "ordinary_tax", "relieve",
    "required_distributions", "standard_deduction", "tax_of_year", "wash_groups", "wash_state",
]  # fmt: skip

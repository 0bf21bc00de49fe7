"""US federal tax on securities: lots, holding periods, wash sales, netting, rates, dividends and distributions."""

from workbench.tax.holding import holding_start, is_long_term, long_term_from
from workbench.tax.wash import WashSales, match_wash_sales

__all__ = ["WashSales", "holding_start", "is_long_term", "long_term_from", "match_wash_sales"]

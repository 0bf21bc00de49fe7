"""What accounts earned: daily holdings and gains, returns by three conventions, composites and statistics."""

from workbench.performance.daily import DailyHoldings

__all__ = ["DailyHoldings"]

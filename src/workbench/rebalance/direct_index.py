"""An index held as single stocks and harvested each month, against the same index held as one fund.

Both lives go through the books and the solver of the after-tax study. The fund is never sold for a loss but its lots
are chosen; the stocks are decided in the mode `direct_index`: every line of the index may be held above or below its
weight, so that a stock sold at a loss is replaced by whatever of the index moves most like it, at the firm's prices of
risk and trading, until the 31st day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from workbench.rebalance._history import History
from workbench.rebalance._stocks import as_fund, history_of_stocks, index_from, read_stocks
from workbench.rebalance.after_tax import Assumptions, Decide, Strategy, Study, TaxRates, cohort_starts, simulate
from workbench.rebalance.household import Restriction
from workbench.rebalance.settings import Settings

__all__ = [
    "ASSUMPTIONS", "SETTINGS", "STRATEGIES", "as_fund", "assume", "compare", "history_of_stocks", "index_from",
    "read_stocks", "screened",
]  # fmt: skip

#: Three times the price of risk of a proposal: 0.7 to 0.8 % of tracking error in most ten years.
SETTINGS = Settings(mode="direct_index", whole_shares=False, risk_aversion=30.0)
#: The yardstick first.
STRATEGIES = (
    Strategy("fund", "The index as one fund, never harvested", SETTINGS, False, months=1),
    Strategy("quarterly", "Single stocks, harvested each quarter", SETTINGS, True, months=3),
    Strategy("monthly", "Single stocks, harvested each month", SETTINGS, True, months=1),
)
#: One taxable account of $1,000,000; deposits, rates and length as in the after-tax study.
ASSUMPTIONS = Assumptions(wealth=1_000_000.0, accounts=(("taxable", 1.0),))


def assume(years: int, rates: TaxRates | None = None) -> Assumptions:
    """The study's assumptions with other lives: how many years, and at which rates (its own by default)."""
    return replace(ASSUMPTIONS, years=years, rates=rates or ASSUMPTIONS.rates)


def screened(key: str) -> Strategy:
    """Monthly harvesting without the stocks of one sector or sub-industry, as a client's screen keeps them out."""
    restriction = Restriction("SCREEN", -1, "screen", key, None, "left out at the client's wish", None)
    return replace(STRATEGIES[-1], key="screened", title=f"Single stocks without {key}", restrictions=(restriction,))


def compare(
    history: History,
    assumptions: Assumptions = ASSUMPTIONS,
    *,
    starts: Sequence[object] | None = None,
    strategies: Sequence[Strategy] = STRATEGIES,
    tilts: Mapping[str, float] | None = None,
    decide: Decide | None = None,
) -> Study:
    """Live the index as a fund and as stocks in every cohort; the first strategy holds the fund and is the yardstick.

    Each cohort's index begins at equal weights (times `tilts` by sector) on its first day. Raises `ParameterError` and
    `MarketDataError` where the prices do not reach.
    """
    starts = cohort_starts(history, assumptions.years) if starts is None else starts
    paths = []
    for start in starts:
        index = index_from(history, start, tilts)
        markets = [as_fund(index), *[index] * (len(strategies) - 1)]
        paths.append(
            tuple(
                simulate(market, strategy, assumptions, start, decide=decide)
                for market, strategy in zip(markets, strategies, strict=True)
            )
        )
    return Study(history.source, (), assumptions, tuple(paths))

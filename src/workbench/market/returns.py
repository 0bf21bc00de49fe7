"""Simple total returns, two ways, and what they add up to. Nothing is filled: no price, no return."""

from __future__ import annotations

import pandas as pd

from workbench.market.prices import PriceHistory


def total_returns(history: PriceHistory) -> pd.DataFrame:
    """Daily total returns from what was traded and paid: (close + dividend) x split_ratio / previous close - 1.

    Missing on the first session, and where either of the two sessions has no price.
    """
    paid = (history.close + history.dividend) * history.split_ratio
    return (paid / history.close.shift() - 1.0).iloc[1:]


def adjusted_returns(history: PriceHistory) -> pd.DataFrame:
    """Daily total returns from the adjusted close; missing as in `total_returns`."""
    return (history.adj_close / history.adj_close.shift() - 1.0).iloc[1:]


def disagreement(history: PriceHistory) -> pd.DataFrame:
    """Total return from close, dividend and split, less that from the adjusted close, by session and security.

    More than a few basis points is a fault in one of them: see the check `return_gap` of `workbench.firm.reconcile`.
    """
    return total_returns(history) - adjusted_returns(history)


def missing_returns(returns: pd.DataFrame) -> pd.Series:
    """How many returns each security lacks between its first and its last one, by security_id; only those that do."""
    there = returns.notna()
    inside = there.cummax() & there.iloc[::-1].cummax().iloc[::-1]
    counts = (inside & ~there).sum()
    return counts[counts > 0]


def compound(returns: pd.DataFrame) -> pd.Series:
    """Each column's simple return over all periods; missing where any period is, for a hole is not a zero."""
    return (1.0 + returns).prod(skipna=False) - 1.0


def cumulative(returns: pd.DataFrame) -> pd.DataFrame:
    """The simple return since the start at each session; missing from the first hole on."""
    return (1.0 + returns).cumprod(skipna=False) - 1.0


def calendar_year_returns(history: PriceHistory) -> pd.DataFrame:
    """Total return of each whole calendar year from adjusted closes, year by security.

    From the last session of the year before to the last of the year; missing where either has no price. The year the
    history begins in has no row; one that it ends in counts as whole only if its last session is there to see, so cut
    the history with `until` and read the last row as year to date.
    """
    last = history.adj_close.groupby(history.sessions.year).tail(1)
    result = (last / last.shift() - 1.0).iloc[1:]
    result.index = pd.Index(pd.DatetimeIndex(result.index).year, name="year")
    return result

"""Price histories as wide frames: session by security, with what was paid and split on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.errors import MarketDataError

#: Days after the last price at which an as-of date still belongs to the history: a long weekend.
GRACE_DAYS = 5


@dataclass(frozen=True, eq=False)
class PriceHistory:
    """Raw and adjusted closes, dividends and split ratios; frames of one shape, session by security_id.

    `close` is raw, in account currency; `adj_close` carries dividends and splits (total return); `dividend` is cash
    per share after that morning's split, on the ex-date; `split_ratio` is new shares per old that morning, 1
    otherwise. A cell without a price is missing in all four.
    """

    close: pd.DataFrame
    adj_close: pd.DataFrame
    dividend: pd.DataFrame
    split_ratio: pd.DataFrame

    @property
    def sessions(self) -> pd.DatetimeIndex:
        """The days of the history, in order."""
        return pd.DatetimeIndex(self.close.index)

    def until(self, as_of: pd.Timestamp | str) -> PriceHistory:
        """The history up to and with `as_of`; raises `MarketDataError` where that lies outside it."""
        day = check_inside(self, as_of)
        return PriceHistory(
            self.close.loc[:day], self.adj_close.loc[:day], self.dividend.loc[:day], self.split_ratio.loc[:day]
        )


def price_history(
    prices: pd.DataFrame,
    *,
    securities: Sequence[str] | None = None,
    start: pd.Timestamp | str | None = None,
    as_of: pd.Timestamp | str | None = None,
) -> PriceHistory:
    """Pivot the firm's long `prices` table to a history, of all securities or of those named.

    Sessions are the days on which any security of the table has a price. Raises `MarketDataError` for a security
    without prices, a security-day given twice, or an `as_of` outside the data.
    """
    days = pd.DatetimeIndex(prices["date"].unique()).sort_values()
    known = prices if securities is None else prices.loc[prices["security_id"].isin(securities)]
    wanted = sorted(known["security_id"].unique()) if securities is None else list(securities)
    lost = sorted(set(wanted) - set(known["security_id"]))
    if lost:
        raise MarketDataError(f"no prices of {', '.join(lost)}; load them, or leave these securities out")
    twice = known.duplicated(["date", "security_id"])
    if twice.any():
        first = known.loc[twice].iloc[0]
        raise MarketDataError(
            f"{int(twice.sum())} prices are given twice, the first {first['security_id']} on {first['date']:%Y-%m-%d}; "
            "keep one row of each"
        )
    wide = known.pivot(index="date", columns="security_id")
    history = PriceHistory(
        *(
            wide[field].reindex(index=days, columns=wanted).astype("float64").rename_axis(index="date", columns=None)
            for field in ("close", "adj_close", "dividend", "split_ratio")
        )
    )
    if as_of is not None:
        history = history.until(as_of)
    if start is not None:
        first_day = pd.Timestamp(start)
        history = PriceHistory(*(frame.loc[first_day:] for frame in _frames(history)))
    return history


def check_inside(history: PriceHistory, as_of: pd.Timestamp | str) -> pd.Timestamp:
    """Return `as_of` as a day inside the history, a long weekend's grace included; else raise `MarketDataError`."""
    day = pd.Timestamp(as_of).normalize()
    days = history.sessions
    if days.empty or day < days[0] or day > days[-1] + pd.Timedelta(days=GRACE_DAYS):
        span = f"from {days[0]:%Y-%m-%d} to {days[-1]:%Y-%m-%d}" if len(days) else "empty"
        raise MarketDataError(f"as-of {day:%Y-%m-%d} is outside the prices ({span}); take a date inside, or load more")
    return day


def sessions_since_price(history: PriceHistory, as_of: pd.Timestamp | str) -> pd.Series:
    """How many sessions old each security's last price is at `as_of`: 0 is current, missing where there is none."""
    closes = history.until(as_of).close
    if closes.empty:
        return pd.Series(np.nan, index=closes.columns)
    age = closes.notna().iloc[::-1].reset_index(drop=True).idxmax().astype("float64")
    return age.where(closes.notna().any())


def prices_at(
    history: PriceHistory,
    as_of: pd.Timestamp | str,
    *,
    securities: Sequence[str] | None = None,
    stale_sessions: int = 0,
) -> pd.Series:
    """Raw closes at `as_of` by security_id, none older than `stale_sessions` sessions.

    Raises `MarketDataError` naming each security whose price is older or missing.
    """
    history = history.until(as_of)
    age = sessions_since_price(history, as_of)
    named = list(history.close.columns if securities is None else securities)
    age = age.reindex(named)
    bad = age[~(age <= stale_sessions)]
    if len(bad):
        each = ", ".join(f"{s} ({'no price' if np.isnan(a) else f'{a:.0f} sessions old'})" for s, a in bad.items())
        raise MarketDataError(
            f"as-of {pd.Timestamp(as_of):%Y-%m-%d}: {len(bad)} securities lack a price of at most {stale_sessions} "
            f"sessions: {each}; load the missing closes, or take an earlier date"
        )
    recent = history.close[named].iloc[-1 - stale_sessions :]
    return pd.Series({s: recent[s].dropna().iloc[-1] for s in named}, dtype="float64")


def _frames(history: PriceHistory) -> tuple[pd.DataFrame, ...]:
    return history.close, history.adj_close, history.dividend, history.split_ratio

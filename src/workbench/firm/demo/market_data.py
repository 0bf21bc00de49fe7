"""The market the demo firm lives in: real prices from the skfolio wheel, or the user's own price file.

The wheel holds adjusted closes only (20 large caps, five factor funds), so the raw close and the cash dividends are
rebuilt from them. Splits are the true ones; dividends are modelled, quarterly, at a documented yield. The total
return of every day is the real one, exactly; only its division between price and cash is modelled.

Conventions. `split_ratio` r on day t means that each share held at the close of t-1 is r shares on the morning of t.
`dividend` is cash per share counted after that morning's split, on the ex-date. Hence for each day
`(close_t + dividend_t) * split_ratio_t / close_(t-1) = adj_close_t / adj_close_(t-1)`. On the last day of the data
raw and adjusted close agree.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import pandas as pd

from workbench.errors import MissingToolError
from workbench.firm.demo.classification import (
    FACTOR_FUNDS,
    HALF_SPREAD,
    SIMULATED,
    STOCKS,
    Classification,
)
from workbench.firm.schema import CASH

#: First session of the wheel that the demo firm uses.
FIRST_SESSION = "2005-01-03"
#: Seed of the simulated paths: the market is one and the same for every firm seed.
MARKET_SEED = 20050103
TRADING_DAYS = 252

#: Splits known for certain: (ex-date, new shares per old share).
SPLITS: dict[str, tuple[tuple[str, float], ...]] = {
    "AAPL": (("2005-02-28", 2.0), ("2014-06-09", 7.0), ("2020-08-31", 4.0)),
    "BBY": (("2005-08-04", 1.5),),
    "GE": (("2021-08-02", 0.125),),
    "KO": (("2012-08-13", 2.0),),
    "RRC": (("2005-12-05", 1.5),),
    "UNH": (("2005-05-31", 2.0),),
}

#: Approximate three-month Treasury bill rate by quarter, annual percent: round figures, not a quoted series.
T_BILL_PERCENT = {
    2005: (2.6, 2.9, 3.4, 3.9), 2006: (4.4, 4.7, 4.9, 4.9), 2007: (5.0, 4.7, 4.3, 3.4), 2008: (2.0, 1.6, 1.5, 0.3),
    2009: (0.2, 0.2, 0.2, 0.1), 2010: (0.1, 0.1, 0.2, 0.1), 2011: (0.1, 0.0, 0.0, 0.0), 2012: (0.1, 0.1, 0.1, 0.1),
    2013: (0.1, 0.1, 0.0, 0.1), 2014: (0.0, 0.0, 0.0, 0.0), 2015: (0.0, 0.0, 0.0, 0.1), 2016: (0.3, 0.3, 0.3, 0.4),
    2017: (0.6, 0.9, 1.0, 1.2), 2018: (1.6, 1.8, 2.0, 2.3), 2019: (2.4, 2.3, 2.0, 1.6), 2020: (1.1, 0.1, 0.1, 0.1),
    2021: (0.1, 0.0, 0.0, 0.1), 2022: (0.3, 1.1, 2.7, 4.1), 2023: (4.6, 5.1, 5.3, 5.3), 2024: (5.2, 5.2, 5.0, 4.4),
    2025: (4.2, 4.2, 4.1, 3.7), 2026: (3.6, 3.6, 3.6, 3.6),
}  # fmt: skip

#: CASH itself.
CASH_FACTS = Classification(CASH, "US dollar cash", "cash", "Cash", "Cash", "North America", "United States")


@dataclass(frozen=True)
class Market:
    """Securities, prices and rates in the firm's schema, CASH included; `source` decides which models fit.

    `gaps` (security_id, date) names sessions between a security's first and last that have no price; they are
    reported, never filled.
    """

    name: str
    source: Literal["wheel", "file"]
    securities: pd.DataFrame
    prices: pd.DataFrame
    rates: pd.DataFrame
    gaps: pd.DataFrame

    @property
    def sessions(self) -> pd.DatetimeIndex:
        """Every session of the market, ascending."""
        return pd.DatetimeIndex(self.prices["date"].unique()).sort_values()


@lru_cache(maxsize=1)
def embedded_market() -> Market:
    """Return the default market: the wheel's real prices from 2005 and the simulated asset classes.

    Raises `MissingToolError` when the skfolio wheel is not installed.
    """
    stocks = _wheel_table("sp500_dataset.csv.gz").loc[FIRST_SESSION:]
    funds = _wheel_table("factors_dataset.csv.gz")
    sessions = pd.DatetimeIndex(stocks.index)
    simulated = simulated_prices(stocks)
    frames = []
    for facts in (*STOCKS, *FACTOR_FUNDS, *SIMULATED):
        source = next(table for table in (stocks, funds, simulated) if facts.security_id in table)
        frames.append(rebuild_raw(source[facts.security_id], facts))
    frames.append(cash_prices(sessions))
    no_gaps = pd.DataFrame({"security_id": pd.Series([], dtype=str), "date": pd.DatetimeIndex([])})
    prices = sort_prices(pd.concat(frames, ignore_index=True))
    return Market(
        "skfolio wheel",
        "wheel",
        securities_table([*STOCKS, *FACTOR_FUNDS, *SIMULATED, CASH_FACTS]),
        prices,
        approximate_rates(sessions),
        no_gaps,
    )


def _wheel_table(name: str) -> pd.DataFrame:
    """Read a data file of the installed skfolio wheel without importing skfolio, which takes seconds."""
    remedy = "install it: pip install 'workbench[demo]', or give your own prices: workbench demo FOLDER --market FILE"
    try:
        files = importlib.metadata.files("skfolio") or []
    except importlib.metadata.PackageNotFoundError as error:
        raise MissingToolError(f"the demo firm's prices are in the skfolio wheel; {remedy}") from error
    for file in files:
        if file.name == name:
            return pd.read_csv(str(file.locate()), index_col=0, parse_dates=True)
    raise MissingToolError(f"this skfolio wheel holds no {name}; {remedy}")


def rebuild_raw(adjusted: pd.Series, facts: Classification) -> pd.DataFrame:
    """Rebuild raw closes, dividends and splits from adjusted closes, so that each day's total return is exact.

    Walks back from the last day, where raw and adjusted close agree. The modelled dividend is the quarter's share
    of the yield on the day before, rounded to a hundredth of a cent.
    """
    adjusted = adjusted.dropna()
    dates = pd.DatetimeIndex(adjusted.index)
    split = np.ones(len(dates))
    for day, ratio in SPLITS.get(facts.security_id, ()):
        split[dates == pd.Timestamp(day)] = ratio
    pays = _ex_dates(dates, facts)
    adj = adjusted.to_numpy(float)
    close, dividend = adj.copy(), np.zeros(len(adj))
    rate = facts.dividend_yield / max(len(facts.months), 1)
    for t in range(len(adj) - 1, 0, -1):
        growth = adj[t] / adj[t - 1]
        if pays[t]:
            dividend[t] = round(rate * close[t] / (growth - rate), 4)
        close[t - 1] = (close[t] + dividend[t]) * split[t] / growth
    return pd.DataFrame(
        {
            "date": dates, "security_id": facts.security_id, "close": close, "adj_close": adj,
            "dividend": dividend, "split_ratio": split, "volume": np.nan,
        }
    )  # fmt: skip


def _ex_dates(dates: pd.DatetimeIndex, facts: Classification) -> np.ndarray:
    """Mark the ex-dates: one session in each paying month, from the 5th to the 14th, fixed by the security's name."""
    nth = 4 + sum(map(ord, facts.security_id)) % 10
    position = pd.Series(0, index=dates).groupby([dates.year, dates.month]).cumcount()
    return (position.to_numpy() == nth) & np.isin(dates.month, facts.months)


def simulated_prices(stocks: pd.DataFrame) -> pd.DataFrame:
    """Simulate total-return indices of the asset classes the wheel lacks, on the sessions of `stocks`.

    Equity funds: beta to the demeaned equal-weight return of the large caps, own Gaussian noise, a drift. Treasuries:
    carry less duration times the change of the (approximate) bill rate, a small negative beta, noise. The bill fund
    accrues the bill rate. Levels start at 100. The paths are plausible, not history.
    """
    rng = np.random.default_rng(MARKET_SEED)
    returns = stocks.pct_change().fillna(0.0)
    market = returns.mean(axis=1).to_numpy()
    market = market - market.mean()
    bill = approximate_rates(pd.DatetimeIndex(stocks.index))["t_bill"].to_numpy()
    change = np.diff(bill, prepend=bill[0])
    noise = rng.standard_normal((4, len(market)))
    paths = {
        "INTL": 0.75 * market + 0.055 / TRADING_DAYS + 0.0055 * noise[0],
        "EMRG": 0.85 * market + 0.050 / TRADING_DAYS + 0.0085 * noise[1],
        "USTL": -0.12 * market + (0.018 + 0.5 * bill) / TRADING_DAYS - 4.0 * change + 0.0045 * noise[2],
        "USTS": -0.01 * market + (0.004 + 0.8 * bill) / TRADING_DAYS - 1.2 * change + 0.0007 * noise[3],
        "TBIL": bill / TRADING_DAYS,
    }
    growth = pd.DataFrame(paths, index=stocks.index)
    growth.iloc[0] = 0.0
    return 100.0 * (1.0 + growth).cumprod()


def approximate_rates(sessions: pd.DatetimeIndex) -> pd.DataFrame:
    """Return the approximate Treasury bill rate of each session, annual fraction: quarters joined by straight lines."""
    middles = {
        pd.Timestamp(year, 3 * quarter + 2, 15): percent / 100.0
        for year, percents in T_BILL_PERCENT.items()
        for quarter, percent in enumerate(percents)
    }
    known = np.array([day.toordinal() for day in middles], dtype=float)
    asked = np.array([day.toordinal() for day in sessions], dtype=float)
    return pd.DataFrame({"date": sessions, "t_bill": np.interp(asked, known, list(middles.values())).round(6)})


def cash_prices(sessions: pd.DatetimeIndex) -> pd.DataFrame:
    """Return the price rows of CASH: 1.0 on every session."""
    return pd.DataFrame(
        {
            "date": sessions, "security_id": CASH, "close": 1.0, "adj_close": 1.0,
            "dividend": 0.0, "split_ratio": 1.0, "volume": np.nan,
        }
    )  # fmt: skip


def sort_prices(prices: pd.DataFrame) -> pd.DataFrame:
    """Order price rows by date and security."""
    return prices.sort_values(["date", "security_id"], ignore_index=True)


def securities_table(facts: Iterable[Classification]) -> pd.DataFrame:
    """Return the `securities` table of these classifications and CASH."""
    rows = [_security_row(one) for one in facts]
    frame = pd.DataFrame(rows).sort_values("security_id", ignore_index=True)
    text = ("identical_group", "identical_confidence")
    return frame.astype({"adv": float, **dict.fromkeys(text, "str")})


def _security_row(facts: Classification) -> dict[str, object]:
    spread = HALF_SPREAD[facts.kind] if facts.half_spread is None else facts.half_spread
    return {
        "security_id": facts.security_id, "name": facts.name, "kind": facts.kind,
        "asset_class": facts.asset_class, "sector": facts.sector, "region": facts.region,
        "issuer_id": facts.issuer_id, "currency": "USD", "expense_ratio": facts.expense_ratio,
        "half_spread": spread, "adv": facts.adv, "screens": list(facts.screens),
        "identical_group": facts.identical_group, "identical_confidence": facts.identical_confidence,
        "simulated": facts.simulated,
    }  # fmt: skip

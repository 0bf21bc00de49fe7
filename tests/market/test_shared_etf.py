"""Real prices: known calendar-year returns, and what the checks find and cannot find among known faults."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from workbench.firm.reconcile.dividends import odd_dividends
from workbench.firm.reconcile.prices import return_gaps
from workbench.market import (
    adjusted_returns,
    calendar_year_returns,
    factor_model,
    ledoit_wolf,
    missing_sessions,
    price_history,
    regress,
    sessions,
)

SHARED = Path(os.environ.get("WORKBENCH_SHARED", Path(__file__).parents[3] / "shared")) / "data"
ETF = SHARED / "etf" / "etf_daily_2005_2026.csv.gz"
STOCKS = SHARED / "stocks" / "sp500_raw_plus_actions_1999_2021.csv.gz"
FACTORS = SHARED / "factors" / "FF5_factors_daily.csv"

pytestmark = pytest.mark.skipif(not ETF.exists(), reason=f"no real prices at {ETF}")


@pytest.fixture(scope="module")
def prices():
    frame = pd.read_csv(
        ETF, parse_dates=["date"], usecols=["date", "ticker", "close", "adj_close", "volume", "dividend"]
    )
    return frame.rename(columns={"ticker": "security_id"}).assign(split_ratio=1.0)


@pytest.fixture(scope="module")
def history(prices):
    return price_history(prices, securities=["SPY", "AGG", "VNQ", "GLD", "DBC", "BIL", "IWM", "TLT"])


def test_known_calendar_years(history):
    years = calendar_year_returns(history) * 100
    known = {
        "SPY": (-36.80, 18.33, -18.18), "AGG": (7.90, 7.48, -13.02), "VNQ": (-36.98, -4.61, -26.25),
        "GLD": (4.92, 24.81, -0.77), "DBC": (-31.80, -7.84, 19.34), "BIL": (1.59, 0.40, 1.40),
    }  # fmt: skip
    for ticker, figures in known.items():
        np.testing.assert_allclose(years.loc[[2008, 2020, 2022], ticker], figures, atol=0.006)


def test_sessions_are_the_exchanges(prices):
    days = sessions("2005-01-03", "2026-05-01")
    assert set(prices["date"].unique()) == set(days)


def test_missing_sessions_are_said_aloud(prices):
    missing = missing_sessions(prices, sessions("2005-01-03", "2026-05-01"))
    counts = prices.groupby("security_id").size()
    for security, days in missing.groupby("security_id")["date"]:
        own = prices.loc[prices["security_id"] == security, "date"]
        assert not set(days) & set(own)
        assert counts[security] + len(days) == len(sessions(own.min(), own.max()))


#: Faults on which independent sources disagree with the file (see its provenance). Its dividends and adjusted closes
#: share them, so that raw and adjusted returns agree: only the payer's rhythm gives them away.
KNOWN_FAULTS = [
    ("BND", "2012-12-03", "one missing before it"),  # 1 November 2012
    ("BND", "2013-02-01", "one missing before it"),  # 24 December 2012
    ("HYG", "2012-12-03", "one missing before it"),
    ("LQD", "2012-12-03", "one missing before it"),
    ("TLT", "2012-12-03", "one missing before it"),
    ("TIP", "2008-04-03", "paid again within days"),
    ("AGG", "2018-11-01", "counted twice"),
    ("BND", "2017-07-03", "counted twice"),
    ("BND", "2017-08-01", "counted twice"),
    ("BND", "2018-06-01", "counted twice"),
]


def test_faults_shared_by_dividend_and_adjusted_close_show_only_in_the_rhythm(prices):
    gaps = return_gaps(prices)
    wide = gaps.loc[gaps["gap"].abs() > 0.001]
    assert set(zip(wide["security_id"], wide["date"].dt.strftime("%Y-%m-%d"))) == {
        ("XLF", "2008-09-19"),
        ("XLE", "2020-03-23"),
    }
    odd = odd_dividends(prices.loc[prices["dividend"] > 0])
    found = set(zip(odd["security_id"], odd["date"].dt.strftime("%Y-%m-%d"), odd["looks_like"]))
    assert set(KNOWN_FAULTS) <= found
    # Of 8,554 payments; most of the others are the same faults in further funds (November 2012, November 2015).
    assert len(odd) < 0.01 * (prices["dividend"] > 0).sum()


def test_covariance_of_real_funds_is_plausible(history):
    returns = adjusted_returns(history).loc["2015":"2022"]
    model, shrunk = factor_model(returns, 4), ledoit_wolf(returns)
    assert 0.15 < shrunk.volatility(pd.Series({"SPY": 1.0})) < 0.22
    assert shrunk.volatility(pd.Series({"BIL": 1.0})) < 0.005
    active = pd.Series({"IWM": 0.1, "SPY": -0.1})
    assert model.tracking_error(active) == pytest.approx(shrunk.tracking_error(active), rel=0.15)
    assert 0.0 < shrunk.shrinkage < 0.2
    assert shrunk.observations == model.observations == len(returns)


@pytest.mark.skipif(not FACTORS.exists(), reason=f"no factor returns at {FACTORS}")
def test_spy_is_the_market_and_iwm_is_small(history):
    factors = pd.read_csv(FACTORS, parse_dates=["Date"], index_col="Date").loc["2010":"2022", ["Mkt-RF", "SMB", "HML"]]
    result = regress(adjusted_returns(history)[["SPY", "IWM", "BIL"]], factors)
    assert result.beta.loc["SPY", "Mkt-RF"] == pytest.approx(1.0, abs=0.05)
    assert result.beta.loc["IWM", "SMB"] > 0.7
    assert result.t_statistic.loc["IWM", "SMB"] > 50
    assert result.r_squared["SPY"] > 0.97
    assert abs(result.beta.loc["BIL"]).max() < 0.01


@pytest.mark.skipif(not STOCKS.exists(), reason=f"no raw share prices at {STOCKS}")
def test_raw_returns_agree_with_adjusted_ones_over_every_split_of_the_raw_file():
    columns = ["date", "ticker", "close", "adj_close", "dividend", "split"]
    names = {"ticker": "security_id", "split": "split_ratio"}
    raw = pd.read_csv(STOCKS, parse_dates=["date"], usecols=columns).rename(columns=names)
    gaps = return_gaps(raw)
    assert (gaps["split_ratio"] != 1).sum() > 100
    assert (gaps["dividend"] > 0).sum() > 9_000
    assert gaps["gap"].abs().max() < 0.001

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import MarketDataError
from workbench.firm.reconcile.prices import return_gaps
from workbench.market import (
    adjusted_returns,
    calendar_year_returns,
    compound,
    cumulative,
    disagreement,
    missing_returns,
    price_history,
    prices_at,
    sessions_since_price,
    total_returns,
)

DAYS = pd.bdate_range("2020-12-28", "2022-01-14")


def long_prices(seed=0, securities=("A", "B")):
    """A sound price table: the adjusted close follows from close, dividend and split."""
    rng = np.random.default_rng(seed)
    frames = []
    for security in securities:
        n = len(DAYS)
        dividend = np.where(rng.random(n) < 0.02, 0.5, 0.0)
        ratio = rng.choice([1.0, 1.0, 1.0, 2.0, 0.125], n) if security == "B" else np.ones(n)
        close = 50 * np.exp(np.cumsum(rng.normal(0, 0.02, n)))
        growth = np.concatenate([[1.0], (close[1:] + dividend[1:]) * ratio[1:] / close[:-1]])
        frames.append(
            pd.DataFrame(
                {"date": DAYS, "security_id": security, "close": close, "adj_close": 7 * np.cumprod(growth),
                 "dividend": dividend, "split_ratio": ratio, "volume": np.nan}
            )
        )  # fmt: skip
    return pd.concat(frames, ignore_index=True)


@given(seed=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_both_total_returns_agree_on_sound_prices_in_both_shapes(seed):
    prices = long_prices(seed)
    history = price_history(prices)
    assert disagreement(history).abs().max().max() < 1e-12
    gaps = return_gaps(prices).pivot(index="date", columns="security_id", values="raw_return")
    np.testing.assert_allclose(gaps, total_returns(history), atol=1e-12)


def test_a_four_for_one_split_is_no_loss():
    prices = pd.DataFrame(
        {"date": DAYS[:2], "security_id": "A", "close": [100.0, 25.5], "adj_close": [24.5, 25.5],
         "dividend": [0.0, 0.5], "split_ratio": [1.0, 4.0], "volume": np.nan}
    )  # fmt: skip
    assert total_returns(price_history(prices)).iloc[0, 0] == pytest.approx((25.5 + 0.5) * 4 / 100 - 1)


def test_nothing_is_filled():
    prices = long_prices()
    prices = prices.loc[~((prices["security_id"] == "A") & (prices["date"] == DAYS[10]))]
    history = price_history(prices)
    returns = adjusted_returns(history)
    assert returns["A"].isna().sum() == 2
    assert missing_returns(returns).to_dict() == {"A": 2}
    assert np.isnan(compound(returns)["A"])
    assert compound(returns)["B"] == pytest.approx(history.adj_close["B"].iloc[-1] / history.adj_close["B"].iloc[0] - 1)
    assert cumulative(returns)["A"].loc[DAYS[10] :].isna().all()
    pd.testing.assert_series_equal(cumulative(returns).iloc[-1], compound(returns), check_names=False)


def test_calendar_years_run_from_last_session_to_last_session():
    history = price_history(long_prices())
    years = calendar_year_returns(history)
    assert years.index.tolist() == [2021, 2022]
    adjusted = history.adj_close["A"]
    assert years.loc[2021, "A"] == pytest.approx(adjusted["2021-12-31"] / adjusted["2020-12-31"] - 1)


def test_prices_at_a_weekend_are_fridays_and_old_ones_are_named():
    prices = long_prices()
    prices = prices.loc[~((prices["security_id"] == "B") & (prices["date"] > DAYS[-3]))]
    history = price_history(prices)
    assert prices_at(history, "2021-06-05").equals(history.close.loc["2021-06-04"].rename(None))
    assert sessions_since_price(history, DAYS[-1]).to_dict() == {"A": 0.0, "B": 2.0}
    with pytest.raises(MarketDataError, match=r"B \(2 sessions old\)"):
        prices_at(history, DAYS[-1])
    assert prices_at(history, DAYS[-1], stale_sessions=2)["B"] == history.close["B"].dropna().iloc[-1]
    with pytest.raises(MarketDataError, match=r"NEW \(no price\)"):
        prices_at(history, DAYS[-1], securities=["A", "NEW"])


@pytest.mark.parametrize("day", ["2020-12-25", "2022-01-20"])
def test_a_date_outside_the_data_is_refused(day):
    with pytest.raises(MarketDataError, match="outside the prices"):
        price_history(long_prices(), as_of=day)


def test_history_is_cut_at_the_as_of_and_the_start():
    history = price_history(long_prices(), securities=["B"], start="2021-02-01", as_of="2021-03-07")
    assert history.close.columns.tolist() == ["B"]
    assert (history.sessions[0], history.sessions[-1]) == (pd.Timestamp("2021-02-01"), pd.Timestamp("2021-03-05"))


def test_unpriced_and_doubled_securities_are_refused():
    prices = long_prices()
    with pytest.raises(MarketDataError, match="no prices of C"):
        price_history(prices, securities=["A", "C"])
    with pytest.raises(MarketDataError, match="given twice, the first A"):
        price_history(pd.concat([prices, prices.iloc[:1]]))

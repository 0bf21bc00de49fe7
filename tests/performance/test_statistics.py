"""Statistics against empyrical, against what must hold for any series, and where there is nothing to say."""

from pathlib import Path

import empyrical
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from workbench.errors import ParameterError
from workbench.performance import CONVENTIONS, drawdowns, rolling, statistics

DAYS = pd.bdate_range("2019-01-01", periods=600)
RATE = 0.02
PER_DAY = (1 + RATE) ** (1 / 252) - 1


@pytest.fixture(scope="module")
def market():
    return pd.Series(np.random.default_rng(1).standard_t(4, 600) * 0.008 + 4e-4, index=DAYS)


@pytest.fixture(scope="module")
def funds(market):
    noise = np.random.default_rng(2).normal(0, 0.004, (600, 3))
    return pd.DataFrame(market.to_numpy()[:, None] * [0.5, 1.0, -0.3] + noise, index=DAYS, columns=list("abc"))


#: Statistic and how empyrical has it, where both mean the same.
SAME = {
    "total_return": lambda r, b: empyrical.cum_returns_final(r),
    "annual_return": lambda r, b: empyrical.annual_return(r),
    "volatility": lambda r, b: empyrical.annual_volatility(r),
    "downside_deviation": lambda r, b: empyrical.downside_risk(r, required_return=PER_DAY),
    "sharpe": lambda r, b: empyrical.sharpe_ratio(r, risk_free=PER_DAY),
    "sortino": lambda r, b: empyrical.sortino_ratio(r, required_return=PER_DAY),
    "max_drawdown": lambda r, b: empyrical.max_drawdown(r),
    "calmar": lambda r, b: empyrical.calmar_ratio(r),
    "tracking_error": lambda r, b: empyrical.annual_volatility(r - b),
    "information_ratio": lambda r, b: empyrical.excess_sharpe(r, b) * np.sqrt(252),
    "beta": lambda r, b: empyrical.beta(r, b, risk_free=PER_DAY),
    "hit_rate": lambda r, b: empyrical.batting_average(r, b)["batting average"],
    "value_at_risk": lambda r, b: empyrical.value_at_risk(r),
    "expected_shortfall": lambda r, b: empyrical.conditional_value_at_risk(r),
    "omega": lambda r, b: empyrical.omega_ratio(r, risk_free=PER_DAY),
    "tail_ratio": lambda r, b: empyrical.tail_ratio(r),
    # empyrical compounds the day's alpha to a year's and annualises captured returns; ours is neither.
    "alpha": lambda r, b: 252 * ((1 + empyrical.alpha(r, b, risk_free=PER_DAY)) ** (1 / 252) - 1),
    "up_capture": lambda r, b: per_day(empyrical.annual_return(r[b > 0])) / per_day(empyrical.annual_return(b[b > 0])),
    "down_capture": lambda r, b: (
        per_day(empyrical.annual_return(r[b < 0])) / per_day(empyrical.annual_return(b[b < 0]))
    ),
}


def per_day(yearly):
    return (1 + yearly) ** (1 / 252) - 1


@pytest.mark.parametrize("name", SAME)
def test_empyrical_agrees(name, funds, market):
    ours = statistics(funds, market, rate=RATE).values.loc[name]
    theirs = [SAME[name](funds[column], market) for column in funds]
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)


def test_pandas_and_definition_agree_on_the_rest(funds, market):
    values = statistics(funds, market, rate=RATE).values
    np.testing.assert_allclose(values.loc["skewness"], funds.skew())
    np.testing.assert_allclose(values.loc["kurtosis"], funds.kurt())
    np.testing.assert_allclose(values.loc["positive"], (funds > 0).mean())
    np.testing.assert_allclose(values.loc["treynor"], (funds.mean() - PER_DAY) * 252 / values.loc["beta"])
    done = {*SAME, "skewness", "kurtosis", "positive", "treynor"}
    assert done == set(CONVENTIONS) == set(values.index)


def test_many_columns_are_the_columns_one_by_one(funds, market):
    together = statistics(funds, market, rate=RATE).values
    for column in funds:
        alone = statistics(funds[column], market, rate=RATE)
        np.testing.assert_allclose(together[column], alone.values[column], rtol=1e-12)


def test_a_rate_by_period_is_the_same_rate(funds, market):
    by_day = pd.Series(PER_DAY, index=DAYS)
    one, other = statistics(funds, market, rate=RATE).values, statistics(funds, market, rate=by_day).values
    np.testing.assert_allclose(one, other, rtol=1e-9)


returns_of_a_year = arrays.arrays(np.float64, 24, elements=st.floats(-0.3, 0.3))


@settings(deadline=None)
@given(returns_of_a_year, returns_of_a_year, st.floats(0.1, 2.0))
def test_what_must_hold_for_any_series(values, other, scale):
    days = pd.date_range("2020-01-31", periods=24, freq="ME")
    r, b = pd.Series(values, index=days), pd.Series(other, index=days)
    result = statistics(r, b, periods_per_year=12)
    assert (result.values.isna() == (result.reasons != "")).all().all()
    value = result.values.iloc[:, 0]
    assert -1.0 <= value["max_drawdown"] <= 0.0
    assert value["expected_shortfall"] <= value["value_at_risk"] + 1e-15
    assert 0.0 <= value["hit_rate"] <= 1.0
    assert value["annual_return"] == pytest.approx((1 + value["total_return"]) ** 0.5 - 1)
    # Without a rate, ratios of moments do not mind the scale and spreads grow with it.
    scaled = statistics(r * scale, b * scale, periods_per_year=12).values.iloc[:, 0]
    for name in ("sharpe", "sortino", "information_ratio", "beta", "skewness", "kurtosis", "tail_ratio", "omega"):
        if pd.notna(value[name]) and pd.notna(scaled[name]):
            assert scaled[name] == pytest.approx(value[name], rel=1e-6, abs=1e-6), name
    for name in ("volatility", "downside_deviation", "tracking_error", "value_at_risk", "alpha"):
        if pd.notna(value[name]):
            assert scaled[name] == pytest.approx(scale * value[name], rel=1e-6, abs=1e-9), name
    # The order of months does not matter to anything but the drawdown and what uses it.
    mixed = statistics(r[::-1].set_axis(days), b[::-1].set_axis(days), periods_per_year=12).values.iloc[:, 0]
    for name in value.index.difference(["max_drawdown", "calmar"]):
        assert mixed[name] == pytest.approx(value[name], rel=1e-6, abs=1e-9, nan_ok=True), name


def test_a_series_against_itself(funds, market):
    values = statistics(market, market, rate=RATE)
    assert values.value("beta") == pytest.approx(1.0)
    assert values.value("alpha") == pytest.approx(0.0, abs=1e-12)
    assert values.value("up_capture") == values.value("down_capture") == pytest.approx(1.0)
    assert values.value("tracking_error") == 0.0
    with pytest.raises(ParameterError, match="does not vary"):
        values.value("information_ratio")


def test_a_constant_series_has_no_ratios_and_says_why():
    flat = pd.Series(0.01, index=pd.date_range("2020-01-31", periods=24, freq="ME"), name="flat")
    result = statistics(flat, flat * 0.5, periods_per_year=12)
    assert result.value("volatility") == 0.0
    assert result.value("max_drawdown") == 0.0
    assert result.reasons["flat"]["sharpe"] == "the returns over the rate do not vary"
    assert result.reasons["flat"]["sortino"] == "no return was below the rate"
    assert result.reasons["flat"]["calmar"] == "there was no drawdown"
    assert result.reasons["flat"]["beta"] == "the benchmark does not vary"
    assert result.reasons["flat"]["down_capture"] == "the benchmark fell in no period"
    assert result.reasons["flat"]["omega"] == "no return was below the rate"
    assert result.reasons["flat"]["kurtosis"] == "the returns do not vary"
    assert result.values["flat"]["up_capture"] == pytest.approx(2.0)


def test_rounding_is_neither_a_rise_nor_a_fall():
    noise = pd.Series(np.tile([2e-16, -2e-16, 0.0], 20))
    figures = statistics(0.01 + noise, noise, periods_per_year=12)
    for name in ("up_capture", "down_capture", "beta", "treynor"):
        assert np.isnan(figures.values.loc[name].iloc[0])
        assert figures.reasons.loc[name].iloc[0]
    still = statistics(noise, periods_per_year=12)
    assert (still.value("positive"), still.value("max_drawdown")) == (0.0, 0.0)
    assert still.reasons.loc["calmar"].iloc[0] == "there was no drawdown"


def test_nothing_under_a_year_is_annualised(funds, market):
    result = statistics(funds.head(251), market.head(251))
    for convention in CONVENTIONS.values():
        missing = result.values.loc[convention.name].isna().all()
        assert missing == bool(convention.annualised), convention.name
    with pytest.raises(ParameterError, match="under a year"):
        result.value("sharpe", "a")
    assert statistics(funds.head(252), market.head(252)).values.notna().all().all()


def test_one_return_is_a_return_and_no_spread():
    one = pd.Series([0.02], index=DAYS[:1], name="one")
    result = statistics(one, one, periods_per_year=1)
    assert result.value("annual_return") == pytest.approx(0.02)
    assert result.reasons["one"]["volatility"] == "fewer than 2 periods"
    assert result.reasons["one"]["value_at_risk"] == "fewer than 20 periods"
    assert (result.values["one"].isna() == (result.reasons["one"] != "")).all()


def test_a_total_loss_is_a_figure():
    lost = pd.Series([0.1, -1.0, 0.3] * 8, index=pd.date_range("2020-01-31", periods=24, freq="ME"))
    result = statistics(lost, periods_per_year=12)
    assert result.value("total_return") == result.value("max_drawdown") == result.value("annual_return") == -1.0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1.01])
def test_a_return_that_cannot_be_is_refused_by_name(funds, market, bad):
    broken = funds.copy()
    broken.iloc[5, 1] = bad
    with pytest.raises(ParameterError, match=r"returns of b at 2019-01-08"):
        statistics(broken)
    with pytest.raises(ParameterError, match="benchmark"):
        statistics(funds, market.where(market.index != DAYS[3]))


def test_series_that_do_not_match_are_refused(funds, market):
    with pytest.raises(ParameterError, match="periods of benchmark"):
        statistics(funds, market.iloc[1:])
    with pytest.raises(ParameterError, match="must be a Series"):
        statistics(funds, "SPY")
    with pytest.raises(ParameterError, match="at least one"):
        statistics(funds.iloc[:0])
    with pytest.raises(ParameterError, match="twice"):
        statistics(pd.concat([funds, funds]))
    with pytest.raises(ParameterError, match="risk-free"):
        statistics(funds, rate=-2.0)
    with pytest.raises(ParameterError, match="Series or DataFrame"):
        statistics([0.1, 0.2])


def test_an_unknown_statistic_is_refused_with_those_there_are(funds):
    with pytest.raises(ParameterError, match="one of total_return"):
        statistics(funds).value("sharp")
    with pytest.raises(ParameterError, match="one of total_return"):
        rolling("sharp", funds, 252)


@pytest.mark.parametrize("name", ["volatility", "beta", "max_drawdown", "sharpe", "tracking_error", "value_at_risk"])
def test_a_window_is_the_statistic_of_its_days(name, funds, market):
    moving = rolling(name, funds, 260, market, rate=RATE)
    assert moving.index[0] == DAYS[259]
    assert len(moving) == 341
    for end in (260, 400, 600):
        days = slice(end - 260, end)
        whole = statistics(funds.iloc[days], market.iloc[days], rate=RATE).values.loc[name]
        np.testing.assert_allclose(moving.loc[DAYS[end - 1]], whole, rtol=1e-9)


def test_windows_that_cannot_be(funds):
    with pytest.raises(ParameterError, match="does not fit"):
        rolling("volatility", funds, 601)
    with pytest.raises(ParameterError, match="under a year"):
        rolling("volatility", funds, 60)
    with pytest.raises(ParameterError, match="benchmark"):
        rolling("beta", funds, 252)
    assert rolling("max_drawdown", funds, 60).notna().all().all()


def test_every_convention_can_be_printed(funds, market):
    frame = statistics(funds, market).to_frame()
    assert frame["words"].str.len().gt(5).all()
    assert set(frame["unit"]) == {"percent", "number"}
    for convention in CONVENTIONS.values():
        assert convention.title
        assert ("standard deviation" in convention.words) <= (convention.ddof == 1), convention.name


def test_falls_in_order_of_depth():
    days = pd.date_range("2020-01-01", periods=8)
    series = pd.Series([-0.1, 1 / 9, 0.1, -0.2, -0.1, 0.5, -0.5, 0.1], index=days)
    table = drawdowns(series, start=pd.Timestamp("2019-12-31"))
    np.testing.assert_allclose(table["depth"], [-0.5, -0.28, -0.1])
    assert table["peak"].tolist() == [days[5], days[2], pd.Timestamp("2019-12-31")]
    assert table["trough"].tolist() == [days[6], days[4], days[0]]
    assert table["recovered"].tolist() == [pd.NaT, days[5], days[1]]
    assert table["periods_down"].tolist() == [1, 2, 1]
    np.testing.assert_array_equal(table["periods_to_recover"], [np.nan, 1.0, 1.0])
    assert table["periods"].tolist() == [2, 2, 1]
    assert len(drawdowns(series, most=1)) == 1
    assert drawdowns(series.abs()).empty
    with pytest.raises(ParameterError, match="missing"):
        drawdowns(series.where(series.index != days[2]))


@given(st.lists(st.floats(-0.5, 0.5), min_size=1, max_size=40))
def test_the_deepest_fall_is_the_largest_drawdown(values):
    series = pd.Series(values, index=pd.date_range("2020-01-01", periods=len(values)))
    table = drawdowns(series)
    worst = statistics(series).value("max_drawdown")
    assert worst == pytest.approx(table["depth"].min() if len(table) else 0.0, abs=1e-12)
    assert table["periods"].sum() <= len(values)


def test_every_statistic_is_in_the_docs():
    text = (Path(__file__).parents[2] / "docs" / "performance.md").read_text(encoding="utf-8")
    assert [name for name in CONVENTIONS if f"`{name}`" not in text] == []


def test_printed_figures_of_a_textbook():
    # Bacon (2008), second edition, pages 94 to 98: 24 months, minimum acceptable return 0.5 % a month.
    months = [0.3, 2.6, 1.1, -1.0, 1.5, 2.5, 1.6, 6.7, -1.4, 4.0, -0.5, 8.1]
    months += [4.0, -3.7, -6.1, 1.7, -4.9, -2.2, 7.0, 5.8, -6.5, 2.4, -0.5, -0.9]
    portfolio = pd.Series(months, index=pd.date_range("2000-01-31", periods=24, freq="ME")) / 100
    acceptable = pd.Series(0.005, index=portfolio.index)
    above = statistics(portfolio, rate=acceptable, periods_per_year=12)
    assert above.value("downside_deviation") / np.sqrt(12) == pytest.approx(0.0255, abs=5e-5)
    assert above.value("sortino") / np.sqrt(12) == pytest.approx(0.157, abs=5e-4)
    assert above.value("omega") - 1 == pytest.approx(0.29, abs=5e-3)
    assert statistics(portfolio, periods_per_year=12).value("omega") == pytest.approx(1.78, abs=5e-3)

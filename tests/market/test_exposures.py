import numpy as np
import pandas as pd
import pytest

from workbench.errors import MarketDataError, ParameterError
from workbench.market import days_to_trade, factor_model, regress, spread_cost, style_factors


def simulated(sessions=600, seed=3):
    rng = np.random.default_rng(seed)
    days = pd.bdate_range("2019-01-01", periods=sessions)
    factors = pd.DataFrame(rng.normal(0, [0.01, 0.005], (sessions, 2)), index=days, columns=["market", "value"])
    beta = np.array([[1.2, 0.0], [0.8, 0.5], [0.0, 0.0]])
    noise = rng.normal(0, [0.004, 0.008, 0.0], (sessions, 3))
    returns = pd.DataFrame(0.0002 + factors.to_numpy() @ beta.T + noise, index=days, columns=["A", "B", "CASH"])
    returns["CASH"] = 0.0
    return returns, factors


def test_regression_agrees_with_the_closed_form():
    returns, factors = simulated()
    result = regress(returns, factors)
    x = np.column_stack([np.ones(len(factors)), factors])
    inverse = np.linalg.inv(x.T @ x)
    for security in ("A", "B"):
        y = returns[security].to_numpy()
        coefficients = inverse @ x.T @ y
        residuals = y - x @ coefficients
        variance = residuals @ residuals / (len(y) - 3)
        np.testing.assert_allclose(result.beta.loc[security], coefficients[1:])
        np.testing.assert_allclose(
            result.t_statistic.loc[security], coefficients[1:] / np.sqrt(variance * np.diag(inverse))[1:]
        )
        assert result.r_squared[security] == pytest.approx(np.corrcoef(y, x @ coefficients)[0, 1] ** 2)
        assert result.residual_volatility[security] == pytest.approx(np.sqrt(variance * 252))
        assert result.alpha[security] == pytest.approx(coefficients[0] * 252)
    np.testing.assert_allclose(result.beta.loc[["A", "B"]], [[1.2, 0.0], [0.8, 0.5]], atol=0.15)


def test_cash_has_no_exposure_and_no_fit():
    result = regress(*simulated())
    assert np.allclose(result.beta.loc["CASH"], 0.0)
    assert np.isnan(result.r_squared["CASH"])


def test_exposures_are_those_of_the_factor_model():
    returns, factors = simulated()
    np.testing.assert_allclose(factor_model(returns, factors).exposures, regress(returns, factors).beta, atol=1e-12)


def test_each_security_uses_its_own_sessions_and_says_how_many():
    returns, factors = simulated()
    returns.iloc[:500, 1] = np.nan
    result = regress(returns, factors)
    assert result.observations.tolist() == [600, 100, 600]
    alone = regress(returns.iloc[500:][["B"]], factors)
    np.testing.assert_allclose(result.beta.loc["B"], alone.beta.loc["B"])
    with pytest.raises(MarketDataError, match=r"B \(100\)"):
        regress(returns, factors, min_observations=101)


def test_the_long_form_fits_the_firms_table():
    frame = regress(*simulated()).to_frame()
    assert frame.columns[:3].tolist() == ["security_id", "factor", "exposure"]
    assert len(frame) == 6
    row = frame.loc[(frame["security_id"] == "B") & (frame["factor"] == "value")].iloc[0]
    assert row["exposure"] == pytest.approx(regress(*simulated()).beta.loc["B", "value"])
    assert row["t_statistic"] == pytest.approx(regress(*simulated()).t_statistic.loc["B", "value"])


def test_dependent_factors_are_refused():
    returns, factors = simulated()
    with pytest.raises(ParameterError, match="linearly dependent"):
        regress(returns, factors.assign(again=factors["market"] + factors["value"]))


def test_style_factors_take_what_the_universe_has():
    returns, _ = simulated()
    universe = returns.rename(columns={"A": "SPY", "B": "IWM"}).assign(TLT=0.002, VTV=0.001)
    styles = style_factors(universe, ["SPY"])
    assert styles.columns.tolist() == ["market", "size", "value"]
    pd.testing.assert_series_equal(styles["size"], universe["IWM"] - universe["SPY"], check_names=False)
    assert "term" in style_factors(universe.assign(BIL=0.0), ["SPY"])
    average = style_factors(universe, ["SPY", "IWM"])["market"]
    np.testing.assert_allclose(average, universe[["SPY", "IWM"]].mean(axis=1))
    with pytest.raises(MarketDataError, match="NONE"):
        style_factors(universe, ["NONE"])


def test_unknown_volume_is_unknown_and_not_liquid():
    quantity = pd.Series({"A": -5_000.0, "B": 100.0, "C": 0.0, "D": 10.0})
    adv = pd.Series({"A": 10_000.0, "B": np.nan, "C": np.nan})
    days = days_to_trade(quantity, adv)
    assert days["A"] == pytest.approx(5.0)
    assert days["C"] == 0.0
    assert days[["B", "D"]].isna().all()
    assert days_to_trade(quantity, adv, participation=1.0)["A"] == pytest.approx(0.5)
    for wrong in (0.0, 1.1):
        with pytest.raises(ParameterError, match="participation"):
            days_to_trade(quantity, adv, participation=wrong)
    with pytest.raises(ParameterError, match="volume of A"):
        days_to_trade(quantity, adv * 0)


def test_spread_cost_is_half_the_spread_of_what_is_traded():
    cost = spread_cost(pd.Series({"A": -10_000.0, "B": 5_000.0}), pd.Series({"A": 0.0002}))
    assert cost["A"] == pytest.approx(2.0)
    assert np.isnan(cost["B"])

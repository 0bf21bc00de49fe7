import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import MarketDataError, ParameterError
from workbench.market import FactorModel, factor_model, ledoit_wolf
from workbench.market.covariance import common_window


def simulated(n=6, sessions=400, seed=1, cash=True):
    rng = np.random.default_rng(seed)
    market = rng.normal(0, 0.01, sessions)
    values = np.outer(market, rng.uniform(0.2, 1.4, n)) + rng.normal(0, 0.004, (sessions, n))
    frame = pd.DataFrame(
        values, index=pd.bdate_range("2020-01-01", periods=sessions), columns=[f"S{i}" for i in range(n)]
    )
    if cash:
        frame["CASH"] = 0.0
    return frame


@given(seed=st.integers(0, 10_000), n=st.integers(2, 8), k=st.integers(1, 2))
@settings(max_examples=25, deadline=None)
def test_principal_components_keep_each_variance_and_stay_positive(seed, n, k):
    returns = simulated(n, 120, seed)
    model = factor_model(returns, k)
    covariance = model.covariance()
    np.testing.assert_allclose(np.diag(covariance), returns.var() * 252, rtol=1e-10, atol=1e-18)
    assert np.linalg.eigvalsh(covariance).min() > -1e-12
    assert (model.exposures[-1] == 0).all()
    assert model.specific_variance[-1] == 0


def test_all_components_reproduce_the_sample_covariance():
    returns = simulated(cash=False)
    np.testing.assert_allclose(factor_model(returns, 6).covariance(), returns.cov() * 252, atol=1e-12)


def test_given_factors_agree_with_one_regression_at_a_time():
    returns = simulated()
    factors = pd.DataFrame({"a": returns.S0, "b": returns.S1 - returns.S2})
    model = factor_model(returns[["S3", "CASH"]], factors)
    design = np.column_stack([np.ones(len(factors)), factors])
    slopes, residual, *_ = np.linalg.lstsq(design, returns.S3.to_numpy(), rcond=None)
    np.testing.assert_allclose(model.exposures[0], slopes[1:])
    np.testing.assert_allclose(model.specific_variance[0], residual[0] / (400 - 3) * 252)
    np.testing.assert_allclose(model.factor_covariance, factors.cov() * 252)
    with pytest.raises(ParameterError, match="linearly dependent"):
        factor_model(returns, factors.assign(c=factors.a * 2))


def test_tracking_error_is_the_quadratic_form_and_unknown_securities_are_named():
    model = factor_model(simulated(), 2)
    active = pd.Series({"S0": 0.05, "S3": -0.04, "CASH": -0.01})
    full = active.reindex(model.covariance().index).fillna(0)
    expected = np.sqrt(full @ model.covariance() @ full)
    assert model.tracking_error(active) == pytest.approx(expected)
    with pytest.raises(MarketDataError, match="NEW"):
        model.tracking_error(pd.Series({"NEW": 0.1}))


def test_shrinkage_keeps_variances_and_gives_cash_none():
    from sklearn.covariance import ledoit_wolf as reference

    returns = simulated()
    result = ledoit_wolf(returns)
    np.testing.assert_allclose(np.diag(result.matrix), returns.var() * 252, rtol=1e-10)
    assert (result.matrix["CASH"] == 0).all()
    risky = returns.drop(columns="CASH")
    scaled = (risky - risky.mean()) / risky.std(ddof=0)
    correlation, weight = reference(scaled.to_numpy())
    assert result.shrinkage == pytest.approx(weight)
    deviations = risky.std() * np.sqrt(252)
    np.testing.assert_allclose(result.matrix.iloc[:6, :6], correlation * np.outer(deviations, deviations))
    assert result.observations == 400
    assert result.last == returns.index[-1]


def test_shrinkage_agrees_with_the_paper_written_out():
    returns = simulated(cash=False, sessions=100)
    x = ((returns - returns.mean()) / returns.std(ddof=0)).to_numpy()
    sessions, n = x.shape
    sample = x.T @ x / sessions
    distance = ((sample - np.eye(n)) ** 2).sum()
    noise = sum(((np.outer(row, row) - sample) ** 2).sum() for row in x) / sessions**2
    assert ledoit_wolf(returns).shrinkage == pytest.approx(min(noise, distance) / distance)


def test_short_histories_are_named_or_replaced_by_the_callers_proxy():
    returns = simulated()
    returns.loc[returns.index[:-20], "S5"] = np.nan
    with pytest.raises(MarketDataError, match=r"S5 \(20\)"):
        ledoit_wolf(returns)
    result = ledoit_wolf(returns, proxies={"S5": "S4"})
    assert result.observations == 400
    assert result.proxies == {"S5": "S4"}
    assert result.matrix.loc["S5", "S5"] == pytest.approx(result.matrix.loc["S4", "S4"])
    assert "S5 by S4" in factor_model(returns, 2, proxies={"S5": "S4"}).method
    with pytest.raises(MarketDataError, match="NONE"):
        common_window(returns, proxies={"S5": "NONE"})


def test_histories_without_enough_overlap_are_refused():
    returns = simulated()
    returns.loc[returns.index[:330], "S0"] = np.nan
    returns.loc[returns.index[-60:], "S1"] = np.nan
    with pytest.raises(MarketDataError, match="last to start is S0"):
        factor_model(returns, 2)


def test_a_model_of_the_wrong_shape_is_refused():
    with pytest.raises(ParameterError, match="exposures"):
        FactorModel(("A",), np.ones((2, 1)), ("f",), np.eye(1), np.ones(1), 10, "x")
    with pytest.raises(ParameterError, match="factors must be 1 to 6"):
        factor_model(simulated(), 7)

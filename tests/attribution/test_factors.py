"""Realised factor attribution: sums, a portfolio of one factor, skfolio's own figures, and what it is refused for."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import attribution
from workbench.errors import MarketDataError, MissingToolError, ParameterError


def made(seed=0, periods=60, securities=4, factors=2):
    """Weights, returns, factor returns, and what a portfolio earned, costs and all."""
    rng = np.random.default_rng(seed)
    days = pd.bdate_range("2022-01-03", periods=periods)
    names = [f"S{i}" for i in range(securities)]
    common = pd.DataFrame(rng.normal(0, 0.01, (periods, factors)), days, [f"F{i}" for i in range(factors)])
    beta = rng.normal(0.5, 0.5, (securities, factors))
    returns = pd.DataFrame(common.to_numpy() @ beta.T + rng.normal(0.0002, 0.005, (periods, securities)), days, names)
    weights = pd.DataFrame(rng.dirichlet(np.ones(securities), periods), days, names)
    earned = (weights * returns).sum(axis=1) - 0.0001
    return weights, returns, common, earned


class TestSums:
    @settings(max_examples=25, deadline=None)
    @given(seed=st.integers(0, 10**6), periods=st.integers(25, 90), factors=st.integers(1, 5))
    def test_parts_sum_to_compounded_return_and_volatility(self, seed, periods, factors):
        weights, returns, common, earned = made(seed, periods, factors=factors)
        result = attribution.factor_attribution(weights, returns, common, earned)
        assert result.total_return == pytest.approx((1 + earned).prod() - 1, abs=1e-14)
        assert result.parts["return_contribution"].sum() == pytest.approx(result.total_return, abs=1e-12)
        assert result.volatility == pytest.approx(earned.std() * np.sqrt(252))
        assert result.parts["volatility_contribution"].sum() == pytest.approx(result.volatility, abs=1e-12)

    @settings(max_examples=25, deadline=None)
    @given(seed=st.integers(0, 10**6))
    def test_active_parts_sum_to_the_compounded_excess_and_the_tracking_error(self, seed):
        weights, returns, common, earned = made(seed)
        benchmark = pd.DataFrame(0.25, weights.index, weights.columns)
        passive = (benchmark * returns).sum(axis=1)
        result = attribution.factor_attribution(
            weights, returns, common, earned, benchmark_weights=benchmark, benchmark_returns=passive
        )
        excess = (1 + earned).prod() - (1 + passive).prod()
        assert result.parts["return_contribution"].sum() == pytest.approx(excess, abs=1e-12)
        assert result.volatility == pytest.approx((earned - passive).std() * np.sqrt(252))
        assert result.parts["volatility_contribution"].sum() == pytest.approx(result.volatility, abs=1e-12)


def test_a_portfolio_that_is_a_factor_is_that_factor():
    _, _, common, _ = made()
    returns = common.rename(columns={"F0": "S0", "F1": "S1"})
    weights = pd.DataFrame([[1.0, 0.0]] * len(returns), returns.index, returns.columns)
    result = attribution.factor_attribution(weights, returns, common, returns["S0"])
    assert result.parts.loc["F0", "exposure"] == pytest.approx(1.0)
    assert result.parts.loc["F0", "return_contribution"] == pytest.approx(result.total_return)
    assert result.parts.loc["F0", "correlation"] == pytest.approx(1.0)
    others = result.parts.drop("F0")[["return_contribution", "volatility_contribution"]]
    assert others.to_numpy() == pytest.approx(0.0, abs=1e-12)


def test_costs_are_unexplained():
    weights, returns, common, earned = made()
    result = attribution.factor_attribution(weights, returns, common, earned)
    assert result.parts.loc["unexplained", "return_contribution"] == pytest.approx(-0.0001 * 60, rel=0.1)
    assert result.parts.loc["unexplained", "volatility_contribution"] == pytest.approx(0.0, abs=1e-12)


def test_the_figures_are_skfolios():
    weights, returns, common, earned = made(3)
    result = attribution.factor_attribution(weights, returns, common, earned)
    factors = result.detail.factors
    assert result.parts["volatility_contribution"].to_numpy()[:2] == pytest.approx(factors.vol_contrib * np.sqrt(252))
    assert result.parts["correlation"].to_numpy()[:2] == pytest.approx(factors.corr_with_ptf)
    # The linked parts differ from skfolio's arithmetic means by compounding alone.
    assert result.parts["return_contribution"].to_numpy()[:2] == pytest.approx(
        factors.mu_contrib * 60, rel=0.1, abs=2e-4
    )
    frame = result.to_frame()
    assert frame["part"].tolist() == ["F0", "F1", "specific", "unexplained", "total"]
    assert frame["share"].iloc[:-1].sum() == pytest.approx(1.0)


def test_a_missing_return_matters_only_where_something_is_held():
    weights, returns, common, _ = made()
    weights.loc[weights.index[:10], "S3"] = 0.0
    full = (weights * returns).sum(axis=1)
    gone = returns.copy()
    gone.loc[gone.index[:10], "S3"] = np.nan
    result = attribution.factor_attribution(weights, gone, common, full)
    assert np.isfinite(result.parts[["return_contribution", "volatility_contribution"]]).all(axis=None)
    gone.loc[gone.index[20], "S3"] = np.nan
    with pytest.raises(ParameterError, match="S3 is held in 2022-01-31"):
        attribution.factor_attribution(weights, gone, common, full)


class TestRefused:
    def test_less_history_than_factors(self):
        weights, returns, common, earned = made(periods=30, factors=16)
        with pytest.raises(MarketDataError, match="30 periods for 16 factors, 32 needed"):
            attribution.factor_attribution(weights, returns, common, earned)
        with pytest.raises(MarketDataError, match="21 needed"):
            attribution.factor_attribution(*(part.iloc[:20] for part in made()))

    def test_a_held_security_with_too_short_a_history(self):
        weights, returns, common, _ = made()
        weights.loc[weights.index[:50], "S3"] = 0.0
        returns.loc[returns.index[:50], "S3"] = np.nan
        with pytest.raises(MarketDataError, match="S3 \\(10\\)"):
            attribution.factor_attribution(weights, returns, common, (weights * returns).sum(axis=1))

    def test_dependent_factors(self):
        weights, returns, common, earned = made()
        with pytest.raises(ParameterError, match="linearly dependent"):
            attribution.factor_attribution(weights, returns, common.assign(F2=common["F0"] * 2), earned)

    def test_periods_that_differ(self):
        weights, returns, common, earned = made()
        with pytest.raises(ParameterError, match="same periods"):
            attribution.factor_attribution(weights, returns.iloc[1:], common, earned)

    def test_half_a_benchmark_and_one_with_other_securities(self):
        weights, returns, common, earned = made()
        with pytest.raises(ParameterError, match="or neither"):
            attribution.factor_attribution(weights, returns, common, earned, benchmark_returns=earned)
        other = weights.assign(ZZ=0.1)
        with pytest.raises(ParameterError, match="the benchmark holds ZZ"):
            attribution.factor_attribution(
                weights, returns, common, earned, benchmark_weights=other, benchmark_returns=earned
            )

    def test_nothing_that_moves(self):
        weights, returns, common, earned = made()
        with pytest.raises(ParameterError, match="never differs"):
            attribution.factor_attribution(
                weights, returns, common, earned, benchmark_weights=weights * 0.9, benchmark_returns=earned
            )

    @pytest.mark.parametrize("side", ["weights", "factors", "earned"])
    def test_numbers_that_are_none(self, side):
        weights, returns, common, earned = made()
        {"weights": weights, "factors": common, "earned": earned}[side].iloc[3] = np.nan
        with pytest.raises(ParameterError, match="number"):
            attribution.factor_attribution(weights, returns, common, earned)

    def test_without_skfolio_it_says_what_to_install(self, monkeypatch):
        monkeypatch.setitem(__import__("sys").modules, "skfolio.attribution", None)
        with pytest.raises(MissingToolError, match="pip install"):
            attribution.factor_attribution(*made())

"""Factors by the exposures that a firm keeps: sums, a cross-section by hand, and what is not exposed."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import risk
from workbench.errors import ParameterError
from workbench.firm import write_firm
from workbench.risk.own_exposures import factor_weights


def covariance(rng, count):
    root = rng.normal(0, 0.1, (count, 2 * count))
    ids = [f"S{i}" for i in range(count)]
    return pd.DataFrame(root @ root.T, index=ids, columns=ids)


def own_model(rng, count=8, factors=3):
    matrix = covariance(rng, count)
    base = risk.with_factor_portfolios(matrix, pd.DataFrame(index=matrix.index))
    exposures = pd.DataFrame(
        rng.normal(0, 1, (count, factors)), index=matrix.index, columns=[f"F{k}" for k in range(factors)]
    )
    return base, exposures


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000))
def test_parts_sum_and_total_risk_is_that_of_the_covariance(seed):
    rng = np.random.default_rng(seed)
    base, exposures = own_model(rng)
    weights = pd.DataFrame(rng.dirichlet(np.ones(8), 5), columns=list(base.securities))
    model = risk.with_exposures(base, exposures)
    split, plain = risk.split(weights, model), risk.split(weights, base)
    np.testing.assert_allclose(split.volatility, plain.volatility)
    np.testing.assert_allclose(split.factor_contribution.sum(axis=1) + split.specific, split.volatility)
    np.testing.assert_allclose(split.exposure, weights.to_numpy() @ exposures.to_numpy())


def test_contributions_are_those_of_the_regressed_factor_returns():
    rng = np.random.default_rng(4)
    returns = rng.normal(0, 0.01, (500, 6)) @ rng.normal(0, 1, (6, 6))
    ids = [f"S{i}" for i in range(6)]
    matrix = pd.DataFrame(np.cov(returns.T), index=ids, columns=ids)
    exposures = pd.DataFrame(rng.normal(0, 1, (6, 2)), index=ids, columns=["value", "size"])
    model = risk.with_exposures(risk.with_factor_portfolios(matrix, pd.DataFrame(index=ids)), exposures)
    # Day by day: the least-squares factor returns given the exposures, as Fama and MacBeth.
    factors = np.array([np.linalg.lstsq(exposures.to_numpy(), day, rcond=None)[0] for day in returns])
    weights = np.array([0.3, 0.2, 0.2, 0.1, 0.1, 0.1])
    portfolio = returns @ weights
    exposure = weights @ exposures.to_numpy()
    by_hand = exposure * [np.cov(factor, portfolio)[0, 1] for factor in factors.T] / portfolio.std(ddof=1)
    split = risk.split(pd.DataFrame([weights], columns=ids), model)
    np.testing.assert_allclose(split.factor_contribution[0], by_hand)
    np.testing.assert_allclose(split.factor_volatility, factors.std(axis=0, ddof=1))
    np.testing.assert_allclose(returns @ factor_weights(exposures).to_numpy(), factors)
    residual = returns - factors @ exposures.to_numpy().T
    np.testing.assert_allclose(model.specific, np.cov(residual.T), atol=1e-12)


def test_a_security_without_exposures_is_specific_and_named():
    base, exposures = own_model(np.random.default_rng(1))
    model = risk.with_exposures(base, exposures.iloc[1:])
    assert model.unexposed == ("S0",)
    split = risk.split(pd.DataFrame([[1.0]], columns=["S0"]), model)
    assert split.specific[0] == pytest.approx(split.volatility[0])


def test_a_factor_told_twice_or_of_nobody_is_left_out():
    base, exposures = own_model(np.random.default_rng(2))
    model = risk.with_exposures(base, exposures.assign(again=2 * exposures["F0"], nobody=0.0))
    assert model.factors == ("F0", "F1", "F2")
    assert set(model.left_out) == {"again", "nobody"}


def test_no_number_and_double_names_are_refused():
    base, exposures = own_model(np.random.default_rng(3))
    with pytest.raises(ParameterError, match="no finite number"):
        risk.with_exposures(base, exposures.mask(exposures > 1.0, np.inf))
    with pytest.raises(ParameterError, match="named twice"):
        risk.with_exposures(base, pd.concat([exposures, exposures.iloc[:1]]))


@pytest.fixture
def own_tables(small):
    first = small["prices"]["date"].min()
    days = pd.bdate_range(end=first - pd.Timedelta(days=1), periods=300).astype("datetime64[ms]")
    rng, parts = np.random.default_rng(3), []
    for security, rows in small["prices"].groupby("security_id", sort=False):
        moves = np.zeros(300) if security == "CASH" else rng.normal(0.0, 0.01, 300)
        close = float(rows["close"].iloc[0]) * np.exp(np.cumsum(moves) - moves.sum())
        parts.append(rows.iloc[[0] * 300].assign(date=days, close=close, adj_close=close))
    rows = pd.DataFrame({"security_id": ["AAA", "AAA", "BBB"], "factor": ["growth", "Total", "growth"],
                         "exposure": [1.2, 0.4, -0.3]})  # fmt: skip
    prices = pd.concat([*parts, small["prices"]], ignore_index=True)
    return {**small, "prices": prices, "factor_exposures": rows}


def test_the_firms_own_table_is_used_and_packaged_shocks_still_answer(own_tables, tmp_path):
    watched = risk.watch(write_firm(tmp_path / "firm", own_tables, "2022-12-28", check=False))
    seen = risk.overview(watched)
    assert seen.risk.factors == ("Total", "growth")
    assert "equities_20" in set(seen.stress.moves.scenarios["id"])
    held = seen.groups.weights.iloc[0]
    assert seen.total.exposure[0, 1] == pytest.approx(1.2 * held["AAA"] - 0.3 * held["BBB"])


def test_a_firms_own_file_may_shock_its_own_factors(own_tables, tmp_path):
    watched = risk.watch(write_firm(tmp_path / "firm", own_tables, "2022-12-28", check=False))
    own = risk.parse_scenarios("shocks:\n  g: {name: Growth, factors: {growth: -0.1}, why: ours}\n", "own.yml")
    seen = risk.overview(watched, scenarios=own)
    assert seen.stress.result[0, 0] == pytest.approx(-0.1 * seen.total.exposure[0, 1])

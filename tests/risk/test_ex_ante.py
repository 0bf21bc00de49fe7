"""The split of risk: what must hold for any portfolio, by hand, and against independent ways to the same figure."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import risk
from workbench.errors import MarketDataError, ParameterError
from workbench.market import factor_model, ledoit_wolf


def names(count, stem="S"):
    return [f"{stem}{i}" for i in range(count)]


def made(seed, securities, factors, rank=None):
    """A covariance of the given rank with factor portfolios on it."""
    rng = np.random.default_rng(seed)
    root = rng.normal(0, 0.1, (securities, rank or securities + 3))
    covariance = pd.DataFrame(root @ root.T, index=names(securities), columns=names(securities))
    portfolios = pd.DataFrame(rng.normal(0, 1, (securities, factors)), names(securities), names(factors, "F"))
    return risk.with_factor_portfolios(covariance, portfolios)


def portfolios_of(seed, count, securities):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(rng.normal(0, 1, (count, securities)), names(count, "P"), names(securities))


class TestByHand:
    """Two securities of 20 % and 10 %, correlation 0.5, half each: variance 0.0175."""

    @pytest.fixture
    def model(self):
        covariance = pd.DataFrame([[0.04, 0.01], [0.01, 0.01]], ["A", "B"], ["A", "B"])
        return risk.with_factor_portfolios(covariance, pd.DataFrame({"market": [1.0, 0.0]}, ["A", "B"]))

    def test_volatility_and_contributions(self, model):
        split = risk.split(pd.DataFrame([[0.5, 0.5]], ["P"], ["A", "B"]), model)
        assert split.volatility[0] == pytest.approx(np.sqrt(0.0175))
        # w_i (Sw)_i: 0.5 x 0.025 and 0.5 x 0.010
        assert split.contribution[0] == pytest.approx(np.array([0.0125, 0.005]) / np.sqrt(0.0175))
        assert split.diversification_ratio[0] == pytest.approx(0.15 / np.sqrt(0.0175))

    def test_factor_is_exposure_times_volatility_times_correlation(self, model):
        # The market is A: B's beta is 0.01 / 0.04; the portfolio's 0.5 + 0.125.
        split = risk.split(pd.DataFrame([[0.5, 0.5]], ["P"], ["A", "B"]), model)
        assert split.exposure[0, 0] == pytest.approx(0.625)
        assert split.factor_volatility[0] == pytest.approx(0.2)
        assert split.correlation[0, 0] == pytest.approx(0.625 * 0.2 / np.sqrt(0.0175))
        # What is left of B: 0.25 x (0.01 - 0.0025).
        assert split.specific[0] == pytest.approx(0.25 * 0.0075 / np.sqrt(0.0175))

    def test_one_bet_and_two(self):
        covariance = pd.DataFrame(np.diag([0.04, 0.04]), ["A", "B"], ["A", "B"])
        model = risk.with_factor_portfolios(covariance, pd.DataFrame(index=["A", "B"]))
        weights = pd.DataFrame([[1.0, 0.0], [0.5, 0.5]], ["one", "two"], ["A", "B"])
        assert risk.split(weights, model).effective_bets == pytest.approx([1.0, 2.0])


class TestSums:
    @settings(max_examples=60, deadline=None)
    @given(
        seed=st.integers(0, 10**6),
        securities=st.integers(1, 12),
        factors=st.integers(0, 6),
        rank=st.integers(1, 15),
    )
    def test_every_split_sums_to_the_volatility(self, seed, securities, factors, rank):
        model = made(seed, securities, factors, rank)
        weights = portfolios_of(seed, 5, securities)
        split = risk.split(weights, model)
        direct = np.sqrt(np.maximum(np.einsum("ns,st,nt->n", weights, model.covariance, weights), 0))
        assert split.volatility == pytest.approx(direct, rel=1e-9, abs=1e-9)
        assert split.contribution.sum(axis=1) == pytest.approx(split.volatility, abs=1e-12)
        groups = pd.Series([f"G{i % 3}" for i in range(securities)], names(securities))
        assert split.by(groups).sum(axis=1).to_numpy() == pytest.approx(split.volatility, abs=1e-12)
        total = split.factor_contribution.sum(axis=1) + split.specific
        assert total == pytest.approx(split.volatility, abs=1e-9)
        assert (split.specific >= -1e-6).all()
        assert (np.abs(split.correlation) <= 1 + 1e-6).all()
        for frame in (split.to_frame(), split.by_security()):
            assert np.isfinite(frame.select_dtypes("number")).all(axis=None)

    @settings(max_examples=30, deadline=None)
    @given(seed=st.integers(0, 10**6), scale=st.floats(0.1, 10))
    def test_risk_is_homogeneous_and_marginals_are_slopes(self, seed, scale):
        model, weights = made(seed, 5, 2), portfolios_of(seed, 1, 5)
        split = risk.split(weights, model)
        assert risk.split(scale * weights, model).volatility == pytest.approx(scale * split.volatility)
        step = weights.copy()
        step.iloc[0, 2] += 1e-6
        slope = (risk.split(step, model).volatility - split.volatility) / 1e-6
        assert slope == pytest.approx(split.marginal[:, 2], rel=1e-3, abs=1e-5)

    def test_exposures_are_the_slopes_of_regressions_on_the_factor_portfolios(self):
        rng = np.random.default_rng(4)
        returns = rng.normal(0, 0.01, (400, 5)) @ rng.normal(0, 1, (5, 5))
        covariance = pd.DataFrame(np.cov(returns, rowvar=False), names(5), names(5))
        portfolios = pd.DataFrame(rng.normal(0, 1, (5, 2)), names(5), ["F0", "F1"])
        model = risk.with_factor_portfolios(covariance, portfolios)
        design = np.column_stack([np.ones(400), returns @ portfolios.to_numpy()])
        slopes = np.linalg.lstsq(design, returns, rcond=None)[0][1:].T
        assert model.exposures == pytest.approx(slopes)
        # What is left moves with no factor.
        assert model.specific @ portfolios.to_numpy() == pytest.approx(np.zeros((5, 2)), abs=1e-12)

    def test_equals_skfolio(self):
        from skfolio.attribution import predicted_factor_attribution

        rng = np.random.default_rng(7)
        returns = pd.DataFrame(rng.normal(0, 0.01, (300, 6)) @ rng.normal(0, 1, (6, 6)), columns=names(6))
        returns.index = pd.bdate_range("2020-01-01", periods=300)
        factors = factor_model(returns, 3)
        weights = rng.normal(0, 1, 6)
        theirs = predicted_factor_attribution(
            weights=weights,
            loading_matrix=factors.exposures,
            factor_covariance=factors.factor_covariance,
            idio_covariance=factors.specific_variance,
            asset_names=names(6),
            factor_names=list(factors.factor_names),
            annualization_factor=1.0,
        )
        split = risk.split(pd.DataFrame([weights], ["P"], names(6)), risk.RiskModel.of(factors))
        assert split.volatility[0] == pytest.approx(theirs.total.vol, rel=1e-12)
        assert split.factor_contribution[0] == pytest.approx(theirs.factors.vol_contrib, rel=1e-9)
        assert split.correlation[0] == pytest.approx(theirs.factors.corr_with_ptf, rel=1e-9)
        assert split.specific[0] == pytest.approx(theirs.idio.vol_contrib, rel=1e-9)


class TestEdges:
    def test_a_portfolio_that_does_not_move_has_no_risk_and_no_nan(self):
        covariance = pd.DataFrame([[0.04, 0.0], [0.0, 0.0]], ["A", "CASH"], ["A", "CASH"])
        model = risk.with_factor_portfolios(covariance, pd.DataFrame({"A": [1.0, 0.0]}, ["A", "CASH"]))
        split = risk.split(pd.DataFrame([[0.0, 1.0]], ["P"], ["A", "CASH"]), model)
        for values in (split.volatility, split.contribution, split.marginal, split.correlation, split.specific):
            assert (values == 0).all()
        assert np.isnan(split.diversification_ratio[0])
        assert np.isnan(split.effective_bets[0])

    def test_rounding_of_equal_weights_is_no_tracking_error(self):
        model = made(1, 4, 1)
        assert risk.split(portfolios_of(1, 2, 4) * 1e-16, model).volatility.tolist() == [0.0, 0.0]

    def test_a_factor_given_twice_or_still_is_left_out_with_its_reason(self):
        covariance = pd.DataFrame(np.diag([0.04, 0.01, 0.0]), list("ABC"), list("ABC"))
        portfolios = pd.DataFrame({"one": [1.0, 0, 0], "same": [2.0, 0, 0], "still": [0, 0, 1.0]}, list("ABC"))
        model = risk.with_factor_portfolios(covariance, portfolios)
        assert model.factors == ("one",)
        assert set(model.left_out) == {"same", "still"}

    @pytest.mark.parametrize(
        ("matrix", "words"),
        [
            ([[1.0, 2.0], [2.0, 1.0]], "negative eigenvalue"),
            ([[1.0, 0.5], [0.1, 1.0]], "not symmetric"),
            ([[1.0, np.nan], [np.nan, 1.0]], "no finite number"),
        ],
    )
    def test_what_is_no_covariance_is_refused(self, matrix, words):
        with pytest.raises(ParameterError, match=words):
            risk.with_factor_portfolios(pd.DataFrame(matrix, ["A", "B"], ["A", "B"]), pd.DataFrame(index=["A", "B"]))

    def test_a_held_security_without_estimate_is_named(self):
        model = made(1, 2, 1)
        weights = pd.DataFrame([[0.5, 0.5, 0.0]], ["P"], ["S0", "NEW", "OLD"])
        with pytest.raises(MarketDataError, match="no risk estimate for NEW;"):
            risk.split(weights, model)
        assert risk.split(weights.assign(NEW=0.0), model).volatility[0] > 0

    def test_a_weight_that_is_no_number_is_named(self):
        with pytest.raises(ParameterError, match="weight of S1 in P is nan"):
            risk.split(pd.DataFrame([[0.5, np.nan]], ["P"], ["S0", "S1"]), made(1, 2, 1))

    def test_a_group_that_is_missing_is_named(self):
        split = risk.split(portfolios_of(1, 1, 2), made(1, 2, 1))
        with pytest.raises(ParameterError, match="security S1 has no group"):
            split.by(pd.Series(["G"], ["S0"]))


class TestEstimate:
    @pytest.fixture
    def returns(self):
        rng = np.random.default_rng(3)
        common = rng.normal(0, 0.01, (200, 1))
        days = pd.bdate_range("2022-01-03", periods=200)
        values = common + rng.normal(0, 0.01, (200, 4))
        return pd.DataFrame(values, days, ["A", "B", "C", "NEW"])

    @pytest.fixture
    def classes(self):
        return pd.Series({"A": "equity", "B": "equity", "C": "bonds", "NEW": "equity"})

    def test_whole_histories_are_ledoit_wolf(self, returns, classes):
        model = risk.estimate(returns, classes)
        assert model.covariance == pytest.approx(ledoit_wolf(returns).matrix.to_numpy(), rel=1e-12)
        assert model.observations == 200
        assert not model.proxied

    def test_a_short_history_takes_the_average_of_its_class(self, returns, classes):
        returns.loc[returns.index[:50], "NEW"] = np.nan
        model = risk.estimate(returns, classes, pd.DataFrame({"equity": [0.5, 0.5]}, ["A", "B"]))
        base = risk.estimate(returns[["A", "B", "C"]], classes)
        assert model.proxied == {"NEW": "equity"}
        new = model.securities.index("NEW")
        assert model.covariance[new, new] == pytest.approx(np.diag(base.covariance)[:2].mean())
        assert model.covariance[new, 2] == pytest.approx(base.covariance[:2, 2].mean())
        assert np.linalg.eigvalsh(model.covariance).min() > 0
        assert model.exposures[new] == pytest.approx(model.exposures[:2].mean(axis=0))

    def test_a_class_without_any_history_has_no_estimate_and_says_so(self, returns, classes):
        returns.loc[returns.index[:50], "C"] = np.nan
        model = risk.estimate(returns, classes)
        assert "C" not in model.securities
        assert "asset class" in model.left_out["C"]

    def test_fewer_sessions_than_securities_still_give_a_sound_matrix(self):
        rng = np.random.default_rng(5)
        days = pd.bdate_range("2022-01-03", periods=70)
        wide = pd.DataFrame(rng.normal(0, 0.01, (70, 120)), days, names(120))
        model = risk.estimate(wide, pd.Series("equity", names(120)), pd.DataFrame({"equity": 1 / 120}, names(120)))
        assert np.linalg.eigvalsh(model.covariance).min() > 0
        split = risk.split(portfolios_of(1, 3, 120), model)
        assert split.factor_contribution.sum(axis=1) + split.specific == pytest.approx(split.volatility)

    def test_too_few_sessions_are_refused(self, returns, classes):
        with pytest.raises(MarketDataError, match="40 daily returns and an estimate of risk needs 63"):
            risk.estimate(returns.iloc[:40], classes)
        returns.iloc[7] = np.nan
        with pytest.raises(MarketDataError, match="no security has a return on all"):
            risk.estimate(returns, classes)


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    from workbench.firm import demo

    return risk.watch(demo.build_firm(tmp_path_factory.mktemp("demo") / "firm", accounts=24))


@pytest.fixture(scope="module")
def model(watched):
    return risk.estimate_risk(watched)


class TestFirm:
    def test_weights_of_every_level_sum_to_one(self, watched):
        for level in ("account", "household", "model", "firm"):
            held = risk.portfolios(watched, level)
            assert held.weights.sum(axis=1).to_numpy() == pytest.approx(1.0)
            known = held.target.notna().all(axis=1)
            assert held.target[known].sum(axis=1).to_numpy() == pytest.approx(1.0)
        with pytest.raises(ParameterError, match="level 'sleeve' is unknown"):
            risk.portfolios(watched, "sleeve")

    def test_the_firm_is_the_sum_of_its_accounts(self, watched):
        accounts, firm = risk.portfolios(watched), risk.portfolios(watched, "firm")
        assert firm.value[0] == pytest.approx(accounts.value.sum())
        dollars = (accounts.weights.to_numpy() * accounts.value[:, None]).sum(axis=0)
        assert firm.weights.to_numpy()[0] * firm.value[0] == pytest.approx(dollars)

    def test_chunks_change_nothing(self, watched, model):
        pd.testing.assert_frame_equal(risk.account_risk(watched, model, 5), risk.account_risk(watched, model))

    def test_the_tracking_error_is_the_one_of_the_drift_chapter(self, watched, model, tmp_path):
        from workbench import drift
        from workbench.firm import demo

        review = drift.review(demo.build_firm(tmp_path / "firm", accounts=24))
        theirs = pd.Series(review.drift.tracking_error, review.drift.inputs.account_ids)
        ours = risk.account_risk(watched, model).set_index("account_id")["tracking_error"]
        assert ours.dropna().to_numpy() == pytest.approx(theirs[ours.dropna().index].to_numpy(), rel=1e-9)
        assert len(ours.dropna()) == len(theirs)

    def test_every_account_has_a_figure_or_a_reason(self, watched, model):
        table = risk.account_risk(watched, model)
        assert (table["volatility"].isna() == table["reason"].notna()).all()
        assert len(table) == len(watched.accounts)

    def test_factors_are_named_after_classes_and_styles(self, model):
        assert {"US equity", "Treasuries", "momentum"} <= set(model.factors)
        assert "term" not in model.factors

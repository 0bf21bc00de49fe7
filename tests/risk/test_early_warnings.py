"""Early warnings: they ring for what lasts, name what is unknown, and stay quiet for a single noisy day."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from workbench import risk
from workbench.errors import ParameterError
from workbench.firm import demo, write_firm
from workbench.risk.limits import load_limits, read_yaml
from workbench.risk.market_warnings import rank_correlation, steady_volatility


@pytest.fixture(scope="module")
def firm(tmp_path_factory):
    return demo.build_firm(tmp_path_factory.mktemp("warnings") / "firm", accounts=30)


@pytest.fixture(scope="module")
def watched(firm):
    return risk.watch(firm)


def written(tables, tmp_path, **changes):
    return risk.watch(write_firm(tmp_path / "firm", tables | changes, "2022-12-28", check=False))


def shocked(watched, size, session=-5):
    """The same with one day on which everything that moves falls by `size`."""
    moving = np.nan_to_num(watched.returns).std(axis=0) > 1e-5
    returns, sleeves = watched.returns.copy(), watched.sleeve_returns.copy()
    returns[session, moving] = -size
    sleeves[session] = -size
    return replace(watched, returns=returns, sleeve_returns=sleeves)


def test_in_a_market_that_stands_still_what_needs_moves_is_not_measured(tmp_path):
    tables = demo.build(accounts=24)
    prices = tables["prices"].assign(dividend=0.0, split_ratio=1.0)
    prices.loc[prices["security_id"] != "CASH", ["close", "adj_close"]] = 100.0
    watched = written(tables, tmp_path, prices=prices)
    warnings = {warning.id: warning for warning in risk.find_warnings(watched)}
    assert warnings["stock_bond_sign"].state == "not measured"
    assert "did not move" in warnings["stock_bond_sign"].reason
    assert all(warning.value is None or np.isfinite(warning.value) for warning in warnings.values())


class TestLimits:
    def test_every_threshold_has_a_meaning_a_range_and_a_source(self):
        limits = load_limits()
        for section in (limits.warnings, limits.score, limits.behaviour):
            for limit in section.values():
                assert limit.meaning
                assert limit.source
                assert limit.low <= limit.value <= limit.high
        assert all(w.title and w.level and w.action and w.side in ("above", "below") for w in limits.warnings.values())

    def test_ids_are_told_apart_over_all_sections(self):
        limits = load_limits()
        ids = [*limits.warnings, *limits.score, *limits.behaviour]
        assert len(ids) == len(set(ids))

    def test_a_firm_changes_values_and_nothing_else(self, tmp_path):
        (tmp_path / "own.yml").write_text("issuer_firm: 0.08\nwindow: 20\n")
        limits = load_limits(tmp_path / "own.yml")
        assert limits.warnings["issuer_firm"].value == 0.08
        assert limits.behaviour["window"].value == 20
        assert limits.warnings["issuer_model"] == load_limits().warnings["issuer_model"]

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("issuer_frm: 0.1", "no threshold 'issuer_frm'"),
            ("issuer_firm: 0.1\nissuer_firm: 0.2", "given twice"),
            ("issuer_firm: yes", "give a number"),
            ("issuer_firm: '0.1'", "give a number"),
            ("issuer_firm: .nan", "give a number"),
            ("issuer_firm: .inf", "give a number"),
            ("issuer_firm: 10", "from 0.01 to 1"),
            ("issuer_firm: {value: 0.1}", "give a number"),
            ("- issuer_firm", "a mapping"),
            ("issuer_firm: &a 0.1\nissuer_model: *a", "aliases"),
            ("issuer_firm: !!python/object/apply:os.system [ls]", "line 1"),
            ("1: 0.1", "plain word"),
            ("issuer_firm: [", "line"),
        ],
    )
    def test_a_slip_of_the_pen_is_an_error(self, tmp_path, text, told):
        (tmp_path / "own.yml").write_text(text)
        with pytest.raises(ParameterError, match=told):
            load_limits(tmp_path / "own.yml")

    def test_a_file_that_is_missing_or_no_text_is_an_error(self, tmp_path):
        with pytest.raises(ParameterError, match="cannot be read"):
            load_limits(tmp_path / "none.yml")
        (tmp_path / "own.yml").write_bytes(b"\xff\xfe\x00")
        with pytest.raises(ParameterError, match="UTF-8"):
            load_limits(tmp_path / "own.yml")

    def test_a_deep_or_empty_file_does_no_harm(self):
        assert read_yaml("", "own.yml") == {}
        with pytest.raises(ParameterError):
            read_yaml("a: " + "[" * 5000, "own.yml")


class TestHoldings:
    def test_holdings_of_an_earlier_day_are_those_of_the_books(self, firm, watched):
        from workbench.firm import positions_at

        for session in (watched.first, watched.month_ends(6)[0], watched.last):
            held = watched.quantity_at(session)
            index = pd.MultiIndex.from_arrays(
                [
                    watched.accounts["account_id"].to_numpy()[watched.holding_account],
                    watched.securities["security_id"].to_numpy()[watched.holding_security],
                ]
            )
            mine = pd.Series(held, index)[held != 0].sort_index()
            books = positions_at(firm, watched.sessions[session]).set_index(["account_id", "security_id"])["quantity"]
            books = books.sort_index()
            assert mine.index.tolist() == books.index.tolist()
            np.testing.assert_allclose(mine, books, atol=1e-5)

    def test_a_day_before_the_first_is_an_error(self, watched):
        with pytest.raises(ParameterError, match="holdings are known from"):
            watched.quantity_at(watched.first - 1)


class TestConcentration:
    def test_an_issuer_is_added_up_over_securities_and_accounts(self, small, tmp_path):
        small["securities"].loc[1, ["kind", "asset_class", "issuer_id"]] = ["bond", "Corporate bonds", "alpha"]
        found = risk.find_warnings(written(small, tmp_path))
        warning = found["issuer_firm"]
        total = 60 * 12 + 10 * 49 + 60 + 100
        assert warning.value == pytest.approx((60 * 12 + 10 * 49) / total)
        assert (warning.subject, warning.state) == ("alpha", "on")
        assert warning.dollars == pytest.approx(60 * 12 + 10 * 49)
        assert warning.affected["account_id"].tolist() == ["A1"]

    def test_a_governments_bonds_are_no_company(self, small, tmp_path):
        small["securities"]["kind"] = ["stock", "bond", "cash"]
        warning = risk.find_warnings(written(small, tmp_path))["top_holdings"]
        assert warning.value == pytest.approx(60 * 12 / (60 * 12 + 10 * 49 + 160))

    def test_a_fund_is_no_company(self, small, tmp_path):
        small["securities"]["kind"] = ["etf", "fund", "cash"]
        found = risk.find_warnings(written(small, tmp_path))
        assert found["issuer_firm"].state == "not measured"
        assert "no company" in found["issuer_firm"].reason

    def test_a_company_in_two_sleeves_is_divided_by_targets_and_adds_up(self, small, tmp_path):
        targets = small["model_targets"].copy()
        targets["security_id"] = ["AAA", "AAA", "CASH"]
        targets["target"] = [0.6, 0.3, 0.1]
        table = risk.issuer_by_sleeve(written(small, tmp_path, model_targets=targets))
        alpha = table[table["issuer_id"] == "alpha"].set_index("sleeve_id")["dollars"]
        assert alpha["EQ"] == pytest.approx(480)
        assert alpha["FI"] == pytest.approx(240)

    def test_sleeves_of_the_demo_firm_add_up_to_the_holdings(self, watched):
        worth = watched.value_at(watched.last)
        companies = worth[watched.is_company[watched.holding_security]].sum()
        assert risk.issuer_by_sleeve(watched)["dollars"].sum() == pytest.approx(companies)

    def test_effective_number_of_equal_companies_is_their_number(self, small, tmp_path):
        small["securities"].loc[1, ["kind", "asset_class"]] = ["stock", "US equity"]
        small["positions"]["quantity"] = [49.0, 12.0, 10.0, 0.0]
        found = risk.find_warnings(written(small, tmp_path, transactions=small["transactions"].head(0)))
        assert found["effective_number"].value == pytest.approx(2.0)
        assert found["effective_number_household"].value == pytest.approx(2.0)
        assert found["effective_number"].state == "on"

    def test_days_to_trade_are_the_firms_position_over_a_tenth_of_volume(self, small, tmp_path):
        small["securities"]["adv"] = [60.0, None, None]
        found = risk.find_warnings(written(small, tmp_path))
        warning = found["days_to_trade"]
        assert warning.value == pytest.approx(60 / (0.1 * 60))
        assert (warning.subject, warning.state) == ("AAA", "on")
        assert warning.unknown == ("BBB",)

    def test_no_volume_at_all_is_not_measured_and_named(self, small, tmp_path):
        small["securities"]["adv"] = float("nan")
        warning = risk.find_warnings(written(small, tmp_path))["days_to_trade"]
        assert warning.state == "not measured"
        assert set(warning.unknown) == {"AAA", "BBB"}


class TestPersistence:
    def test_one_day_above_the_threshold_is_no_warning(self, watched):
        worst = risk.find_warnings(watched)["issuer_firm"]
        limits = load_limits().but({"issuer_firm": worst.history.max() * 1.05})
        assert risk.find_warnings(watched, limits)["issuer_firm"].state == "clear"
        company = int(np.flatnonzero(watched.securities["issuer_id"] == worst.subject)[0])
        close = watched.close.copy()
        close[-1, company] *= 10.0
        jumped = risk.find_warnings(replace(watched, close=close), limits)["issuer_firm"]
        assert jumped.value > jumped.threshold
        assert jumped.state == "clear"
        close = watched.close.copy()
        close[-5:, company] *= 10.0
        lasting = risk.find_warnings(replace(watched, close=close), limits)["issuer_firm"]
        assert lasting.state == "on"
        assert lasting.since == watched.sessions[-5]
        assert not lasting.since_at_least

    @pytest.mark.parametrize("id", ["correlation_jump", "volatility_regime", "stock_bond_sign"])
    def test_one_noisy_day_rings_no_market_warning(self, watched, id):
        before = risk.find_warnings(watched)[id]
        after = risk.find_warnings(shocked(watched, 0.08))[id]
        assert after.value == pytest.approx(before.value, abs=0.12)
        assert after.state == before.state

    def test_a_regime_that_lasts_rings(self, watched):
        returns = watched.returns.copy()
        returns[-40:] *= 4.0
        warning = risk.find_warnings(replace(watched, returns=returns))["volatility_regime"]
        assert warning.state == "on"
        assert warning.accounts > 0
        assert watched.sessions[-40] < warning.since <= watched.sessions[-5]

    def test_sleeves_that_become_one_ring(self, watched):
        sleeves = watched.sleeve_returns.copy()
        noise = np.random.default_rng(1).normal(0, 0.01, (63, 1))
        sleeves[-63:] = noise + 0.1 * sleeves[-63:]
        warning = risk.find_warnings(replace(watched, sleeve_returns=sleeves))["correlation_jump"]
        assert warning.state == "on"
        assert warning.value > 0.8


class TestMarketMeasures:
    def test_rank_correlations_are_spearmans(self):
        returns = np.random.default_rng(2).standard_t(3, (100, 4))
        returns[10:14, 1] = 0.0
        matrices = rank_correlation(returns, 63)
        assert matrices.shape == (38, 4, 4)
        for start in (0, 5, 37):
            np.testing.assert_allclose(matrices[start], spearmanr(returns[start : start + 63]).statistic, atol=1e-12)

    def test_a_series_that_does_not_move_has_no_correlation(self):
        returns = np.column_stack([np.zeros(70), np.random.default_rng(3).normal(size=70)])
        assert np.isnan(rank_correlation(returns, 63)[:, 0, 1]).all()

    def test_volatility_without_its_wildest_day(self):
        returns = np.array([0.01, -0.02, 0.5, 0.01])[:, None]
        expected = np.sqrt((0.01**2 + 0.02**2 + 0.01**2) / 3 * 252)
        assert steady_volatility(returns, 4)[0, 0] == pytest.approx(expected)


class TestData:
    def test_the_planted_stale_price_rings(self, tmp_path):
        built = demo.build_with_faults(faults=["stale_price"], accounts=30)
        clean = risk.find_warnings(written(demo.build(accounts=30), tmp_path / "clean"))
        assert clean["unmoved_price"].state == "clear"
        found = risk.find_warnings(written(built.tables, tmp_path))["unmoved_price"]
        assert found.state == "on"
        assert found.value >= 12
        assert found.subject in str(built.planted)

    def test_the_planted_gap_in_lots_rings_and_names_the_account(self, tmp_path):
        built = demo.build_with_faults(faults=["lots"], accounts=30)
        found = risk.find_warnings(written(built.tables, tmp_path))["lots_gap"]
        assert (found.state, found.value, found.accounts) == ("on", 1.0, 1)

    def test_a_missing_price_ages_day_by_day(self, small, tmp_path):
        prices = small["prices"]
        gone = (prices["security_id"] == "BBB") & (prices["date"] > "2022-12-23")
        limits = load_limits().but({"price_age": 1.0})
        warning = risk.find_warnings(written(small, tmp_path, prices=prices[~gone]), limits)["price_age"]
        assert (warning.subject, warning.value, warning.state) == ("BBB", 2.0, "on")
        assert warning.since == pd.Timestamp("2022-12-28")

    def test_a_security_without_any_price_is_older_than_everything(self, small, tmp_path):
        prices = small["prices"][small["prices"]["security_id"] != "BBB"]
        watched = written(small, tmp_path, prices=prices)
        found = risk.find_warnings(watched)
        assert found["price_age"].subject == "BBB"
        assert found["price_age"].state == "on"
        assert found["issuer_firm"].unknown == ("BBB",)

    def test_old_and_missing_profiles(self, firm, tmp_path):
        tables = firm.tables()
        profiles = tables["profiles"].copy()
        profiles.loc[0, "reviewed_on"] = pd.Timestamp("2018-01-02")
        some = risk.find_warnings(written(tables, tmp_path, profiles=profiles))["profile_age"]
        assert some.state == "on"
        assert 0 < some.value < 1
        none = risk.find_warnings(written(tables, tmp_path / "none", profiles=profiles.head(0)))
        assert none["profile_age"].value == 1.0
        assert "without a profile" in none["profile_age"].subject

    def test_no_rates_and_no_transactions_are_not_measured(self, small, tmp_path):
        found = risk.find_warnings(written(small, tmp_path, transactions=small["transactions"].head(0)))
        assert found["rates_age"].reason == "the firm keeps no rates"
        assert found["feed_age"].reason == "the firm keeps no transactions"


class TestWhole:
    def test_every_warning_is_measured_or_says_why_not(self, watched):
        scores = risk.score_households(watched)
        found = risk.find_warnings(watched, scores=scores)
        assert {warning.id for warning in found} == set(load_limits().warnings)
        for warning in found:
            assert (warning.value is None) == (warning.state == "not measured") == bool(warning.reason)
            assert warning.value is None or np.isfinite(warning.value)
            assert (warning.state == "on") == (warning.since is not None)
            assert np.isfinite(warning.history).all()
        assert found["above_tolerance"].state != "not measured"
        assert len(found.to_frame()) == len(found.warnings)

    def test_a_firm_of_cash_alone_has_no_concentration_to_measure(self, small, tmp_path):
        cash = small["positions"].query("security_id == 'CASH'")
        found = risk.find_warnings(written(small, tmp_path, positions=cash, transactions=small["transactions"].head(0)))
        assert found["issuer_firm"].state == found["days_to_trade"].state == "not measured"
        assert found["price_age"].reason == "nothing but cash is held"

    def test_one_session_of_prices(self, small, tmp_path):
        prices = small["prices"][small["prices"]["date"] == "2022-12-28"]
        found = risk.find_warnings(written(small, tmp_path, prices=prices))
        assert found["issuer_firm"].state == "on"
        assert found["issuer_firm"].since_at_least
        assert found["volatility_regime"].state == "not measured"

    def test_an_unknown_id_is_an_error(self, watched):
        with pytest.raises(ParameterError, match="no warning"):
            risk.find_warnings(watched)["issuer"]

    def test_touched_accounts_are_once_in_the_list(self, watched):
        for warning in risk.find_warnings(watched).on:
            assert not warning.affected["account_id"].duplicated().any()
            assert warning.affected["dollars"].is_monotonic_decreasing

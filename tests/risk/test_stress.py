"""Stress: by hand, what must hold for any portfolio, and files that would be read otherwise than meant."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import risk
from workbench.errors import ParameterError
from workbench.risk import ShockSet, Window

CLASSES = pd.Series({"A": "equity", "B": "equity", "C": "bonds", "D": "bonds", "E": "gold"})


@pytest.fixture
def returns():
    """Ten sessions; B begins on the sixth, E has none, the rest move every day."""
    days = pd.bdate_range("2020-01-06", periods=10)
    frame = pd.DataFrame(index=days, columns=list("ABCDE"), dtype=float)
    frame["A"], frame["C"], frame["D"] = -0.01, 0.005, 0.015
    frame.loc[days[6:], "B"] = -0.02
    frame.iloc[0] = np.nan  # the first close has no return
    return frame


def scenarios(**changes):
    base = {"windows": (Window("w", "A window", pd.Timestamp("2020-01-07"), pd.Timestamp("2020-01-09")),), "shocks": ()}
    return risk.Scenarios(**{**base, **changes})


class TestHistory:
    def test_own_returns_from_close_to_close(self, returns):
        moves = risk.historical_moves(returns, CLASSES, scenarios())
        # From the close of the 7th to that of the 9th: two returns.
        assert moves.returns[0, 0] == pytest.approx(0.99**2 - 1)
        assert moves.scenarios.loc[0, ["first", "last"]].tolist() == [
            pd.Timestamp("2020-01-07"),
            pd.Timestamp("2020-01-09"),
        ]

    def test_a_class_stands_in_and_is_an_estimate(self, returns):
        moves = risk.historical_moves(returns, CLASSES, scenarios())
        weights = pd.DataFrame([[0.5, 0.3, 0.2, 0.0, 0.0]], ["P"], list("ABCDE"))
        stress = risk.stress_test(weights, moves, value=np.array([1000.0]))
        fall, rise = 0.99**2 - 1, 1.005**2 - 1
        assert stress.result[0, 0] == pytest.approx(0.8 * fall + 0.2 * rise)
        assert stress.dollars[0, 0] == pytest.approx(1000 * stress.result[0, 0])
        assert [stress.own[0, 0], stress.estimated[0, 0], stress.missing[0, 0]] == pytest.approx([0.7, 0.3, 0.0])

    def test_nothing_stands_in_where_the_firm_says_so(self, returns):
        moves = risk.historical_moves(returns, CLASSES, scenarios(proxy="none"))
        weights = pd.DataFrame([[0.7, 0.3, 0.0]], ["P"], list("ABC"))
        stress = risk.stress_test(weights, moves)
        assert stress.result[0, 0] == pytest.approx(0.7 * (0.99**2 - 1))
        assert stress.missing[0, 0] == pytest.approx(0.3)

    def test_a_named_proxy_comes_before_the_class(self, returns):
        moves = risk.historical_moves(returns, CLASSES, scenarios(proxies={"B": "C", "E": "A"}))
        assert moves.returns[0, 1] == pytest.approx(1.005**2 - 1)
        assert moves.returns[0, 4] == pytest.approx(0.99**2 - 1)
        with pytest.raises(ParameterError, match="'Z', which stands in for B, is unknown"):
            risk.historical_moves(returns, CLASSES, scenarios(proxies={"B": "Z"}))

    def test_a_proxy_that_has_no_data_itself_does_not_fall_back_unseen(self, returns):
        moves = risk.historical_moves(returns, CLASSES, scenarios(proxies={"B": "E"}))
        assert np.isnan(moves.returns[0, 1])

    def test_too_little_data_of_its_own_does_not_reach(self, returns):
        moves = risk.historical_moves(returns, CLASSES, scenarios())
        weights = pd.DataFrame([[0.69, 0.31], [0.7, 0.3]], ["thin", "enough"], ["A", "B"])
        stress = risk.stress_test(weights, moves, least_covered=0.7)
        assert np.isnan(stress.result[0, 0])
        assert stress.result[1, 0] < 0
        frame = stress.to_frame()
        assert frame["reason"].tolist()[0] == "less than 70% of it has data of its own"
        assert frame["reason"].isna().tolist() == [False, True]
        assert (frame["result"].isna() == frame["reason"].notna()).all()

    @pytest.mark.parametrize(
        ("first", "last", "words"),
        [
            ("2019-12-02", "2020-01-09", "begins before the prices"),
            ("2020-01-07", "2020-03-02", "after the prices"),
            ("2021-01-04", "2021-02-01", "after the prices"),
        ],
    )
    def test_a_window_beyond_the_prices_has_a_reason(self, returns, first, last, words):
        window = Window("w", "W", pd.Timestamp(first), pd.Timestamp(last))
        moves = risk.historical_moves(returns, CLASSES, scenarios(windows=(window,)))
        assert words in moves.scenarios["reason"][0]
        stress = risk.stress_test(pd.DataFrame([[1.0]], ["P"], ["A"]), moves)
        assert np.isnan(stress.result).all()
        assert stress.worst().empty

    def test_a_window_that_begins_on_the_first_close_is_whole(self, returns):
        window = Window("w", "W", returns.index[0], returns.index[-1])
        moves = risk.historical_moves(returns, CLASSES, scenarios(windows=(window,)))
        assert moves.returns[0, 0] == pytest.approx(0.99**9 - 1)

    def test_a_window_that_ends_within_a_week_after_the_prices_is_cut_and_says_so(self, returns):
        window = Window("w", "W", pd.Timestamp("2020-01-07"), pd.Timestamp("2020-01-22"))
        moves = risk.historical_moves(returns, CLASSES, scenarios(windows=(window,)))
        assert moves.scenarios["last"][0] == returns.index[-1]
        assert "where the prices end" in moves.scenarios["note"][0]

    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.floats(-1, 1), min_size=4, max_size=4).filter(lambda w: sum(map(abs, w)) > 0.01))
    def test_parts_sum_to_one_and_results_to_their_groups(self, weights):
        days = pd.bdate_range("2020-01-06", periods=10)
        frame = pd.DataFrame(-0.01, days, list("ABCD"))
        moves = risk.historical_moves(frame, CLASSES, scenarios())
        stress = risk.stress_test(pd.DataFrame([weights], ["P"], list("ABCD")), moves)
        assert stress.own + stress.estimated + stress.missing == pytest.approx(1.0)
        assert stress.by(CLASSES, "w").sum(axis=1).to_numpy() == pytest.approx(stress.result[:, 0])


@pytest.fixture
def model():
    """Two factors, correlated by one half, of 20 % and 10 %; C has no estimate."""
    covariance = pd.DataFrame([[0.04, 0.01], [0.01, 0.01]], ["A", "B"], ["A", "B"])
    return risk.with_factor_portfolios(covariance, pd.DataFrame({"fa": [1.0, 0], "fb": [0, 1.0]}, ["A", "B"]))


class TestShocks:
    def test_without_propagation_the_other_factors_stand_still(self, model):
        assert risk.factor_moves(model, ShockSet("s", "S", {"fa": -0.2})) == pytest.approx([-0.2, 0.0])

    def test_with_propagation_they_move_to_their_conditional_mean(self, model):
        # Slope of fb on fa: 0.01 / 0.04.
        moved = risk.factor_moves(model, ShockSet("s", "S", {"fa": -0.2}, propagate=True))
        assert moved == pytest.approx([-0.2, -0.05])

    def test_the_conditional_mean_is_that_of_a_simulation(self, model):
        rng = np.random.default_rng(1)
        draws = rng.multivariate_normal([0, 0], model.factor_covariance, 400_000)
        near = np.abs(draws[:, 0] + 0.2) < 0.01
        moved = risk.factor_moves(model, ShockSet("s", "S", {"fa": -0.2}, propagate=True))
        assert draws[near, 1].mean() == pytest.approx(moved[1], abs=0.002)

    def test_all_factors_named_need_no_covariance(self, model):
        both = {"fa": -0.2, "fb": 0.1}
        assert risk.factor_moves(model, ShockSet("s", "S", both, propagate=True)) == pytest.approx([-0.2, 0.1])

    def test_loss_is_exposure_times_shock_plus_the_shock_of_the_class(self, model):
        shocks = (ShockSet("s", "S", {"fa": -0.2}, {"bonds": -0.05}),)
        moves = risk.shock_moves(model, ["A", "B", "C"], CLASSES, scenarios(shocks=shocks, windows=()))
        assert moves.returns[0, :2] == pytest.approx([-0.2, 0.0])
        # C has no exposures: a set that names factors cannot tell what it does.
        assert np.isnan(moves.returns[0, 2])
        only = risk.shock_moves(
            model, ["A", "B", "C"], CLASSES, scenarios(shocks=(ShockSet("s", "S", {}, {"bonds": -0.05}),), windows=())
        )
        assert only.returns[0] == pytest.approx([0, 0, -0.05])

    def test_unknown_names_are_refused_with_the_nearest(self, model):
        shock = ShockSet("s", "S", {}, {"bond": -0.1})
        with pytest.raises(ParameterError, match="no asset class 'bond'; did you mean 'bonds'"):
            risk.shock_moves(model, list("ABC"), CLASSES, scenarios(shocks=(shock,), windows=()))
        with pytest.raises(ParameterError, match="there is no factor 'zz'"):
            risk.factor_moves(model, ShockSet("s", "S", {"zz": 0.1}))

    def test_the_packaged_file_fits_any_firm_and_says_what_it_drops(self, model):
        fitted = risk.load_scenarios().for_universe(["US equity"], ["US equity", "Cash"])
        assert all(set(shock.factors) <= {"US equity"} for shock in fitted.shocks)
        assert "Treasuries" in fitted.left_out
        assert not risk.load_scenarios().for_universe([], ["Cash"]).shocks

    def test_worst_of_a_kind(self, model):
        shocks = (ShockSet("s", "S", {"fa": -0.5}), ShockSet("t", "T", {"fa": -0.1}))
        moves = risk.shock_moves(model, ["A", "B"], CLASSES, scenarios(shocks=shocks, windows=()))
        stress = risk.stress_test(pd.DataFrame([[1.0, 0.0]], ["P"], ["A", "B"]), moves)
        assert stress.worst()["scenario"].tolist() == ["s"]
        assert stress.worst("history").empty

    @pytest.mark.parametrize("bad", [[[np.nan, 1.0]], [[np.inf, 1.0]]])
    def test_weights_that_are_no_numbers_are_refused(self, model, bad):
        moves = risk.shock_moves(model, ["A", "B"], CLASSES, scenarios(shocks=(ShockSet("s", "S", {"fa": 0.1}),)))
        with pytest.raises(ParameterError, match="no finite number"):
            risk.stress_test(pd.DataFrame(bad, ["P"], ["A", "B"]), moves)


SHOCK = "shocks: {s: {name: S, why: w, factors: {%s}}}"
WINDOW = "windows: {w: {name: W, from: %s, to: %s}}"


class TestFile:
    def test_the_packaged_one_is_whole(self):
        packaged = risk.load_scenarios()
        assert {"crisis_2008", "pandemic_2020", "rates_2022", "euro_2011", "taper_2013", "quarter_2018"} <= {
            window.id for window in packaged.windows
        }
        assert all(window.why for window in packaged.windows)
        assert all(shock.why and shock.source for shock in packaged.shocks)
        assert 0 < packaged.least_covered <= 1

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            (SHOCK % "US equity: ten", "is 'ten'; give a number"),
            (SHOCK % "US equity: true", "is True; give a number"),
            (SHOCK % "US equity: .nan", "give a number from -1 to 10"),
            (SHOCK % "US equity: -1.2", "give a number from -1 to 10"),
            (SHOCK % "US equity: -20", "a tenth is 0.1"),
            (SHOCK % "a: 0.1, a: 0.2", "given twice"),
            (SHOCK % "", "shocks nothing"),
            ("shocks: {s: {name: S, factors: {a: 0.1}}}", "neither why nor source"),
            ("shocks: {s: {name: S, why: w, factor: {a: 0.1}}}", "did you mean 'factors'"),
            ("shocks: {s: {name: S, why: w, propagate: 1, factors: {a: 0.1}}}", "write true or false"),
            ("shocks: {s: {name: S, why: w, propagate: true, asset_classes: {a: 0.1}}}", "only those of factors"),
            ("shocks: {S 1: {name: S, why: w, factors: {a: 0.1}}}", "an id is lower-case"),
            ("shocks: {s: 3}", "must be a mapping"),
            ("shocks: [1, 2]", "must be a mapping"),
            (WINDOW % ("2020-02-30", "2020-03-01"), "not YAML|write a date"),
            (WINDOW % ("2020-03-01", "2020-02-01"), "give a later end"),
            (WINDOW % ("soon", "2020-02-01"), "write a date as"),
            (WINDOW % ("2020-01-01 10:00:00", "2020-02-01"), "write a date as"),
            ("windows: {w: {from: 2020-01-01, to: 2020-02-01}}", "must be words"),
            ("settings: {least_covered: 1.5}", "from 0 to 1"),
            ("settings: {proxy: maybe}", "asset_class or none"),
            ("setting: {proxy: none}", "did you mean 'settings'"),
            ("", "neither windows nor shocks"),
            ("- 1", "mapping"),
            ("a: &x [1]\nb: *x", "aliases"),
            ("shocks: !!python/object/apply:os.system ['true']", "could not determine"),
            ("shocks: {s: {name: S, why: w, factors: {a: 0.1}", "expected"),
            (WINDOW.replace("w:", "s:") % ("2020-01-01", "2020-02-01") + "\n" + SHOCK % "a: 0.1", "its own id"),
        ],
    )
    def test_slips_and_attacks_are_refused(self, text, words):
        with pytest.raises(ParameterError, match=words) as caught:
            risk.parse_scenarios(text, "mine.yml")
        assert caught.value.parameter == "scenarios"

    def test_deep_nesting_and_size_are_refused(self, tmp_path):
        with pytest.raises(ParameterError):
            risk.parse_scenarios("a: " + "[" * 5000, "deep.yml")
        big = tmp_path / "big.yml"
        big.write_text("#" * 200_000)
        with pytest.raises(ParameterError, match="larger than"):
            risk.load_scenarios(big)
        with pytest.raises(ParameterError, match="cannot be read"):
            risk.load_scenarios(tmp_path / "none.yml")
        binary = tmp_path / "binary.yml"
        binary.write_bytes(b"\xff\xfe\x00")
        with pytest.raises(ParameterError, match="cannot be read"):
            risk.load_scenarios(binary)

    def test_too_many_are_refused(self):
        text = "shocks:\n" + "".join(f"  s{i}: {{name: S, why: w, factors: {{a: 0.1}}}}\n" for i in range(51))
        with pytest.raises(ParameterError, match="50 at most"):
            risk.parse_scenarios(text, "many.yml")

    def test_a_firms_own_file_is_strict_even_under_the_packaged_name(self, tmp_path):
        own = tmp_path / "shocks.yml"
        own.write_text(SHOCK % "US equty: -0.2")
        with pytest.raises(ParameterError, match="did you mean 'US equity'"):
            risk.load_scenarios(own).for_universe(["US equity"], [])


class TestTolerance:
    def test_only_what_has_happened_counts_and_the_furthest_beyond_come_first(self, model):
        shocks = (ShockSet("s", "S", {"fa": -0.9}),)
        window = Window("w", "W", pd.Timestamp("2020-01-06"), pd.Timestamp("2020-01-08"))
        days = pd.bdate_range("2020-01-06", periods=5)
        past = pd.DataFrame({"A": -0.1, "B": 0.0}, days)
        given_ = scenarios(windows=(window,), shocks=shocks)
        moves = risk.historical_moves(past, CLASSES, given_) + risk.shock_moves(model, ["A", "B"], CLASSES, given_)
        weights = pd.DataFrame([[0.2, 0.8], [1.0, 0.0], [1.0, 0.0]], ["calm", "bold", "new"], ["A", "B"])
        stress = risk.stress_test(weights, moves, value=np.array([100.0, 100.0, 100.0]))
        tolerated = pd.DataFrame(
            {"level": [2, 2, 0], "tolerated": [0.1, 0.1, np.nan], "reason": [pd.NA, pd.NA, "no profile"]},
            index=["calm", "bold", "new"],
        )
        table = risk.against_tolerance(stress, tolerated)
        assert table["household_id"].tolist() == ["bold", "calm", "new"]
        assert table["verdict"].tolist() == ["above", "within", "not assessable"]
        assert table["excess"][0] == pytest.approx(0.19 - 0.1)
        assert table["reason"][2] == "no profile"

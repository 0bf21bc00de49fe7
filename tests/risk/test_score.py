"""The watch score: monotone in what it measures, blind to the future, honest about what it cannot say."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import performance, risk
from workbench.errors import ParameterError
from workbench.firm import at, demo, write_firm
from workbench.risk.limits import load_limits
from workbench.risk.score import COMPONENTS, components, levels, weighted_score

SETTING = {id: limit.value for id, limit in load_limits().score.items()}
MEASURES = {
    "recent_volatility": st.floats(0.001, 2.0),
    "long_volatility": st.floats(0.001, 2.0),
    "holdings_drawdown": st.floats(0.0, 0.99),
    "value_drawdown": st.floats(0.0, 0.99),
    "average_correlation": st.floats(-0.3, 0.99),
    "long_correlation": st.floats(-0.3, 0.99),
    "issuer_weight": st.floats(0.0, 1.0),
    "herfindahl": st.floats(0.0, 1.0),
}


def scored(measures):
    frame = pd.DataFrame([measures])
    parts = components(frame, SETTING)
    return {name: values[0] for name, values in parts.items()}, weighted_score(frame.assign(**parts), SETTING)[0]


@pytest.fixture(scope="module")
def firm(tmp_path_factory):
    return demo.build_firm(tmp_path_factory.mktemp("score") / "firm", accounts=30)


@pytest.fixture(scope="module")
def watched(firm):
    return risk.watch(firm)


class TestScale:
    @given(st.fixed_dictionaries(MEASURES))
    def test_every_component_and_the_score_are_from_0_to_100(self, measures):
        parts, score = scored(measures)
        assert all(0 <= value <= 100 for value in parts.values())
        assert 0 <= score <= 100

    @given(
        st.fixed_dictionaries(MEASURES),
        st.sampled_from([name for name in MEASURES if not name.startswith("long")]),
        st.floats(0.0, 0.5),
    )
    def test_more_of_any_risk_is_never_a_lower_score(self, measures, name, more):
        top = 0.999 if "correlation" in name or "drawdown" in name else 10.0
        _, before = scored(measures)
        _, after = scored(measures | {name: min(measures[name] + more, top)})
        assert after >= before - 1e-9

    def test_the_anchors_are_where_they_are_said_to_be(self):
        ordinary = {
            "recent_volatility": 0.15, "long_volatility": 0.15, "holdings_drawdown": 0.15, "value_drawdown": 0.02,
            "average_correlation": 0.4, "long_correlation": 0.4, "issuer_weight": 0.10, "herfindahl": 0.02,
        }  # fmt: skip
        parts, score = scored(ordinary)
        assert parts == pytest.approx(dict.fromkeys(COMPONENTS, 50.0))
        assert score == pytest.approx(50.0)
        assert scored(ordinary | {"recent_volatility": 0.30})[0]["regime"] == pytest.approx(80.0)

    def test_an_unknown_component_is_left_out_and_the_rest_weigh_more(self):
        parts = pd.DataFrame([dict.fromkeys(COMPONENTS, 60.0) | {"correlation": np.nan}])
        assert weighted_score(parts, SETTING)[0] == pytest.approx(60.0)

    def test_what_is_tolerated_rises_with_the_level(self):
        assert (np.diff(risk.tolerated_scores()) > 2).all()

    def test_weights_of_zero_are_an_error(self):
        limits = load_limits().but({f"{name}_weight": 0.0 for name in COMPONENTS})
        with pytest.raises(ParameterError, match="all 0"):
            risk.tolerated_scores(limits)


class TestMoments:
    def test_volatility_fall_and_correlation_agree_with_a_plain_computation(self, watched):
        scores = risk.score_households(watched, quarters=0).table.set_index("household_id")
        whole = ~np.isnan(watched.returns[-756:]).any(axis=0)
        for place, household in enumerate(watched.households["household_id"]):
            row = scores.loc[household]
            if row["verdict"] == "not assessable" or np.isnan(row["average_correlation"]):
                continue
            mine = watched.holding_household == place
            weights = np.zeros(len(watched.securities))
            np.add.at(weights, watched.holding_security[mine], watched.value_at(watched.last)[mine])
            weights = weights[whole] / weights[whole].sum()
            window = watched.returns[-756:, whole]
            path = window @ weights
            assert row["long_volatility"] == pytest.approx(path.std(ddof=1) * np.sqrt(252))
            assert row["recent_volatility"] == pytest.approx(path[-63:].std(ddof=1) * np.sqrt(252))
            unit = np.concatenate([[1.0], np.cumprod(1 + path[-252:])])
            assert row["holdings_drawdown"] == pytest.approx(1 - unit[-1] / unit.max())
            moving = weights * window[-63:].std(axis=0) > 0
            correlation = np.corrcoef(window[-63:, moving], rowvar=False)
            scale = (weights * window[-63:].std(axis=0))[moving]
            pairs = np.outer(scale, scale)
            np.fill_diagonal(pairs, 0.0)
            assert row["average_correlation"] == pytest.approx((pairs * correlation).sum() / pairs.sum())


class TestNoLookAhead:
    def test_an_earlier_score_is_what_the_firm_of_that_day_gives(self, firm, watched):
        history = risk.score_households(watched).history
        for day in history.index[[0, -2]]:
            then = risk.watch(at(firm, day))
            table = risk.score_households(then, quarters=0).table.set_index("household_id")["score"]
            common = history.columns.intersection(table.index)
            pd.testing.assert_series_equal(history.loc[day, common], table[common], check_names=False, rtol=1e-9)

    def test_a_future_that_crashes_changes_nothing_before_it(self, firm, tmp_path):
        tables = firm.tables()
        day = pd.Timestamp("2021-12-31")
        prices = tables["prices"].copy()
        later = (prices["date"] > day) & (prices["security_id"] != "CASH")
        prices.loc[later, ["close", "adj_close"]] *= 0.3
        # A vendor adjusts all earlier closes by the dividends of the future: a constant, which no return sees.
        prices["adj_close"] *= 0.7
        prices.loc[prices["security_id"] == "CASH", "adj_close"] = 1.0
        changed = write_firm(tmp_path / "firm", tables | {"prices": prices}, firm.as_of, check=False)
        before = risk.score_households(risk.watch(firm)).history.loc[:day]
        after = risk.score_households(risk.watch(changed)).history.loc[:day]
        assert len(before) >= 4
        pd.testing.assert_frame_equal(before, after, rtol=1e-9)


class TestOwnAssets:
    def ledger(self, value, flow, account="A1"):
        value = np.asarray(value, float)[None, :]
        periods = value.shape[1] - 1
        return performance.DailyHoldings(
            accounts=pd.DataFrame({"account_id": [account]}),
            sessions=pd.bdate_range("2022-01-03", periods=periods + 1),
            securities=("CASH",),
            slot_ptr=np.array([0, 1]),
            slot_security=np.zeros(1, np.int32),
            value=value,
            holding=np.zeros((1, periods)),
            trading=np.zeros((1, periods)),
            flow=np.asarray(flow, float)[None, :],
            fee=np.zeros((1, periods)),
            unexplained=np.zeros((1, periods)),
            price_age=np.zeros((1, periods + 1), np.int32),
            no_data=pd.DataFrame(columns=["account_id", "reason"]),
        )

    def test_a_withdrawal_is_no_fall(self):
        falls = risk.drawdown_of_value([self.ledger([100, 50, 45], [-50, 0])], pd.Series({"A1": "H1"}))
        assert falls["H1"].tolist() == pytest.approx([0.0, 0.0, 0.1])

    def test_accounts_of_one_household_are_one_portfolio(self):
        ledgers = [self.ledger([100, 80], [0]), self.ledger([100, 120], [0], "A2")]
        falls = risk.drawdown_of_value(ledgers, pd.Series({"A1": "H1", "A2": "H1"}))
        assert falls["H1"].tolist() == pytest.approx([0.0, 0.0])

    def test_nothing_held_yet_is_missing_and_an_empty_start_is_no_return(self):
        falls = risk.drawdown_of_value([self.ledger([0, 100, 90], [100, 0])], pd.Series({"A1": "H1"}))
        assert np.isnan(falls["H1"].iloc[0])
        assert falls["H1"].iloc[1:].tolist() == pytest.approx([0.0, 0.1])

    def test_the_window_forgets_an_old_high(self):
        falls = risk.drawdown_of_value([self.ledger([100, 80, 80, 80], [0, 0, 0])], pd.Series({"A1": "H1"}), window=1)
        assert falls["H1"].tolist() == pytest.approx([0.0, 0.2, 0.0, 0.0])

    def test_an_account_without_household_is_an_error(self):
        with pytest.raises(ParameterError, match="A1 has no household"):
            risk.drawdown_of_value([self.ledger([100, 80], [0])], pd.Series({"A2": "H1"}))

    def test_the_larger_of_the_two_falls_counts(self, watched):
        ids = watched.households["household_id"]
        falls = pd.DataFrame([np.full(len(ids), 0.8)], index=[watched.sessions[-1]], columns=ids)
        table = risk.score_households(watched, value_drawdown=falls, quarters=0).table
        known = table["drawdown"].dropna()
        assert (known >= 100 * 0.8 / 0.95 - 1e-9).all()


class TestTolerance:
    def profile(self, **changes):
        given = {
            "risk_tolerance": 4, "risk_capacity": 3, "horizon_years": 20.0, "liquidity_need": "low",
            "reviewed_on": pd.Timestamp("2022-06-30"),
        } | changes  # fmt: skip
        return levels(pd.DataFrame([given]), pd.Timestamp("2022-12-28")).iloc[0]

    def test_the_lower_of_tolerance_and_capacity_counts(self):
        assert self.profile()["level"] == 3
        assert self.profile(risk_tolerance=1)["level"] == 1

    def test_a_short_horizon_and_a_need_of_liquidity_lower_it(self):
        assert self.profile(risk_capacity=5, horizon_years=2.0)["level"] == 2
        assert self.profile(risk_capacity=5, liquidity_need="high")["level"] == 3
        assert self.profile(risk_tolerance=1, horizon_years=2.0)["level"] == 1

    def test_an_old_profile_is_compared_with_nothing(self):
        old = self.profile(reviewed_on=pd.Timestamp("2019-12-01"))
        assert old["level"] == 0
        assert "2019-12-01" in old["reason"]
        assert self.profile(reviewed_on=pd.Timestamp("2019-12-30"))["level"] == 3

    def test_no_profile_is_not_assessable_but_has_a_score(self, firm, tmp_path):
        tables = firm.tables()
        tables["profiles"] = tables["profiles"].iloc[1:]
        gone = firm.table("profiles")["household_id"].iloc[0]
        some = write_firm(tmp_path / "firm", tables, firm.as_of)
        row = risk.score_households(risk.watch(some), quarters=0).table.set_index("household_id").loc[gone]
        assert row["verdict"] == "not assessable"
        assert row["reason"] == "no profile"
        assert row["score"] >= 0


class TestOddFirms:
    def test_one_session_of_prices(self, small, tmp_path):
        small["prices"] = small["prices"][small["prices"]["date"] == "2022-12-28"]
        table = risk.score_households(risk.watch(write_firm(tmp_path / "f", small, "2022-12-28", check=False))).table
        assert table["verdict"].tolist() == ["not assessable"]
        assert "sessions of prices" in table["reason"].iloc[0]

    def test_all_cash_scores_nothing_and_is_within(self, watched, firm, tmp_path):
        tables = firm.tables()
        cash = tables["positions"].drop_duplicates("account_id").assign(security_id="CASH", quantity=1000.0)
        tables |= {"positions": cash, "lots": tables["lots"].head(0), "transactions": tables["transactions"].head(0)}
        table = risk.score_households(risk.watch(write_firm(tmp_path / "f", tables, firm.as_of, check=False))).table
        assert (table.loc[table["score"].notna(), "score"] == 0).all()
        assert set(table["verdict"]) <= {"within", "not assessable"}

    def test_a_household_without_accounts_and_one_that_holds_nothing(self, firm, tmp_path):
        tables = firm.tables()
        extra = tables["households"].iloc[[0]].assign(household_id="H99999")
        tables["households"] = pd.concat([tables["households"], extra], ignore_index=True)
        table = risk.score_households(risk.watch(write_firm(tmp_path / "f", tables, firm.as_of))).table
        row = table.set_index("household_id").loc["H99999"]
        assert row["verdict"] == "not assessable"
        assert row["reason"] == "has no account"

    def test_nothing_reads_nan_where_a_verdict_is_given(self, watched):
        table = risk.score_households(watched).table
        assessed = table[table["verdict"] != "not assessable"]
        assert assessed[["score", "tolerated", "excess", "volatility", "drawdown", "concentration"]].notna().all().all()
        assert table.loc[table["verdict"] == "not assessable", "reason"].notna().all()

    def test_negative_quarters_are_an_error(self, watched):
        with pytest.raises(ParameterError, match="quarters"):
            risk.score_households(watched, quarters=-1)

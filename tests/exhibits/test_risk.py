"""The risk and stress chapter: its words, its figures against the analytics, and firms that leave little to say."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from workbench import risk
from workbench.exhibits import risk as exhibits
from workbench.exhibits import stress as stress_exhibits
from workbench.report import Missing
from workbench.report.exhibit import TableBody

OWN = (
    "risk-verdict", "risk-models", "risk-by-asset-class", "risk-active-by-sector", "risk-factors", "risk-contributors",
    "stress-firm", "stress-models", "stress-households", "stress-coverage", "risk-data",
)  # fmt: skip


def with_profile(tables, level=3, reviewed="2022-06-01"):
    profile = {
        "household_id": ["H1"], "risk_tolerance": [level], "risk_capacity": [level], "horizon_years": [20.0],
        "objective": "growth", "liquidity_need": "low", "knowledge": "medium", "sustainability": "none",
        "reviewed_on": [pd.Timestamp(reviewed)],
    }  # fmt: skip
    return {**tables, "profiles": pd.DataFrame(profile)}


def lengthened(tables, sessions, seed=3, fall=None):
    """The tables with `sessions` more sessions before theirs, shares falling by `fall` over 2022's first ones."""
    first = tables["prices"]["date"].min()
    days = pd.bdate_range(end=first - pd.Timedelta(days=1), periods=sessions).astype("datetime64[ms]")
    rng, parts = np.random.default_rng(seed), []
    for security, rows in tables["prices"].groupby("security_id", sort=False):
        start = float(rows["close"].iloc[0])
        moves = np.zeros(sessions) if security == "CASH" else rng.normal(0.0, 0.01, sessions)
        if security == "AAA" and fall:
            moves[days.year == 2022] += np.log1p(fall) / (days.year == 2022).sum()
        close = start * np.exp(np.cumsum(moves) - moves.sum())
        parts.append(rows.iloc[[0] * sessions].assign(date=days, close=close, adj_close=close))
    return {**tables, "prices": pd.concat([*parts, tables["prices"]], ignore_index=True)}


def numbers(exhibit):
    body = exhibit.body if isinstance(exhibit.body, TableBody) else exhibit.body.data
    return [cell for row in body.rows for cell in row if isinstance(cell, float)]


@pytest.fixture
def seen(made, small):
    def look(tables, **given):
        return risk.overview(risk.watch(made(tables)), **given)

    return look


class TestChapter:
    @pytest.fixture
    def shown(self, chapter, small):
        return chapter("risk_and_stress", with_profile(lengthened(small, 900, fall=-0.6), level=2))

    def test_every_exhibit_is_there_with_settings_and_facts(self, shown):
        for id in OWN:
            assert id in shown
        assert all(shown[id].settings for id in OWN[1:-1])
        assert shown.facts["stress.firm.volatility"].value == pytest.approx(
            shown.facts["risk.group.all-assets.volatility"].value
        )

    def test_no_table_holds_a_number_that_is_none(self, shown):
        for exhibit in shown.exhibits:
            if exhibit.kind in ("table", "figure"):
                assert "nan" not in shown.text(exhibit.id).split()

    def test_the_worst_window_and_who_does_not_tolerate_it(self, shown):
        text = shown.text("risk-verdict")
        assert "The worst window of the past that the data reach is Inflation and rates, 2022" in text
        assert "1 of 1 household with a valid profile would lose more" in text
        assert "H1 | The Smith household | ADV1 | -0." in shown.text("stress-households")
        # Three times the 8 % a year of level 2.
        assert shown.facts["stress.household.h1.allowed"].value == pytest.approx(-0.24)

    def test_windows_before_the_prices_do_not_reach_and_say_so(self, shown):
        text = shown.text("stress-coverage")
        assert "Does not reach: begins before the prices" in text
        assert "stress.group.crisis-2008.bal.result" not in shown.facts

    def test_parts_shown_sum_to_the_total_shown(self, shown):
        for id in ("risk-by-asset-class", "risk-active-by-sector"):
            for row in shown[id].body.data.rows:
                *parts, total = row[1:]
                assert sum(parts) == pytest.approx(total)
        rows = shown["risk-factors"].body.rows
        assert sum(row[4] for row in rows[:-1]) == pytest.approx(rows[-1][4])


class TestLittleToSay:
    def test_three_sessions_of_prices(self, chapter, small):
        shown = chapter("risk_and_stress", small)
        assert "an estimate of risk needs 63" in shown.text("risk-models")
        assert "No volatility can be shown" in shown.text("risk-verdict")
        # Shocks of asset classes need no estimate.
        assert "Shares and bonds fall" in shown.text("stress-firm")
        assert "No estimate of risk" in shown.text("risk-data")
        assert "there is no answer to: US shares fall by 20%" in shown.text("stress-coverage")

    def test_prices_that_never_move(self, chapter, small):
        tables = lengthened(small, 300)
        still = tables["prices"].groupby("security_id")["close"].transform("last")
        flat = tables["prices"].assign(close=still, adj_close=still)
        shown = chapter("risk_and_stress", tables | {"prices": flat})
        assert "no price moves in" in shown.text("risk-models")

    def test_more_factors_than_securities_are_named_in_one_line(self, chapter, small):
        rows = [(name, f"F{k}", float(k + (name == "AAA"))) for name in ("AAA", "BBB") for k in range(1, 9)]
        own = pd.DataFrame(rows, columns=["security_id", "factor", "exposure"])
        shown = chapter("risk_and_stress", lengthened(small, 300) | {"factor_exposures": own})
        assert "Left out: F3, F4, F5 and 3 more, which other factors explain wholly." in shown.text("risk-data")

    def test_without_profiles_nobody_is_judged(self, chapter, with_history):
        shown = chapter("risk_and_stress", with_history)
        assert "No household has a valid profile" in shown.text("risk-verdict")

    def test_a_young_security_is_an_estimate_and_named(self, seen, small, origin, said):
        tables = lengthened(small, 300)
        prices = tables["prices"]
        twin = prices[prices["security_id"] == "AAA"].assign(security_id="AAB")
        tables["prices"] = pd.concat([prices, twin.tail(5)], ignore_index=True)
        row = tables["securities"].iloc[[0]].assign(security_id="AAB", identical_group=None)
        tables["securities"] = pd.concat([tables["securities"], row], ignore_index=True)
        tables["positions"] = pd.concat(
            [
                tables["positions"],
                pd.DataFrame({"account_id": ["A2"], "security_id": ["AAB"], "quantity": [10.0]}),
            ],
            ignore_index=True,
        )
        overview = seen(tables)
        assert overview.risk.proxied == {"AAB": "US equity"}
        text = said(exhibits.limits_of_data(overview, origin))
        assert "1 security has too short a history and takes the average risk of its asset class: AAB" in text

    def test_all_in_cash_has_no_risk_and_no_reason_to_fail(self, chapter, small):
        tables = lengthened(small, 300)
        tables["positions"] = tables["positions"][tables["positions"]["security_id"] == "CASH"]
        tables["lots"] = tables["lots"].iloc[:0]
        shown = chapter("risk_and_stress", tables)
        assert "nothing that is held moves" in shown.text("risk-by-asset-class")
        assert "Nothing that is held moves" in shown.text("risk-contributors")
        assert "Nothing that is held moves" in shown.text("risk-factors")
        assert "most volatile" not in shown.text("risk-models")
        assert "lost anything" in shown.text("risk-verdict")
        assert shown.facts["stress.firm.volatility"].value == 0

    def test_no_model_in_force(self, chapter, small):
        tables = lengthened(small, 300)
        tables["accounts"] = tables["accounts"].assign(model_id=None)
        shown = chapter("risk_and_stress", tables)
        assert isinstance(shown["risk-models"].body.rows[0][4], Missing)
        assert "No model's accounts differ" in shown.text("risk-active-by-sector")
        assert "No account is on a model" in shown.text("stress-models")

    def test_a_holding_without_any_price_leaves_out_its_account_alone(self, made, small, origin, said):
        watched = risk.watch(made(lengthened(small, 300)))
        ids = list(watched.securities["security_id"])
        close = watched.close.copy()
        close[:, ids.index("BBB")] = np.nan
        overview = risk.overview(dataclasses.replace(watched, close=close))
        assert overview.groups.value[0] == pytest.approx(100.0)
        text = said(exhibits.limits_of_data(overview, origin))
        assert "1 account without figures: a holding has no price" in text


def test_a_firms_own_stresses_and_their_hostile_names(chapter, small, tmp_path):
    own = tmp_path / "own.yml"
    own.write_text(
        'shocks:\n  s: {name: "<script>alert(1)</script> =cmd", why: "</td><b>", asset_classes: {US equity: -0.3}}\n'
    )
    shown = chapter("risk_and_stress", lengthened(small, 300), stresses=str(own))
    figure = str(shown["stress-firm"].body.figure)
    assert "<script" not in figure
    assert shown.facts["stress.all.s.result"].value == pytest.approx(-0.3 * 720 / 1370)


def test_a_shock_by_hand(seen, small, origin):
    overview = seen(lengthened(small, 300))
    exhibit = stress_exhibits.models_figure(overview, origin, pd.Series({"BAL": "Balanced"}))
    # Shares are 720 of 1,370 dollars, the fund of Treasuries 490.
    assert exhibit.fact("stress.group.shares-and-bonds.bal.result").value == pytest.approx(
        (-0.20 * 720 - 0.12 * 490) / 1370
    )


def test_an_earlier_day_knows_nothing_of_later_prices(chapter, small):
    tables = lengthened(small, 900, fall=-0.6)
    early = chapter("risk_and_stress", tables, as_of="2022-12-23")
    changed = tables["prices"].copy()
    later = (changed["date"] > pd.Timestamp("2022-12-23")) & (changed["security_id"] != "CASH")
    changed.loc[later, ["close", "adj_close"]] *= 1.5
    again = chapter("risk_and_stress", {**tables, "prices": changed}, as_of="2022-12-23")
    own = [id for id in OWN if id in early]
    assert len(own) == len(OWN)
    for id in own:
        assert early.text(id) == again.text(id)


def test_a_firms_own_exposures_are_used_and_said_so(chapter, small):
    own = {"security_id": ["AAA", "AAA", "BBB"], "factor": ["growth", "Total", "growth"], "exposure": [1.2, 0.4, -0.3]}
    shown = chapter("risk_and_stress", lengthened(small, 300) | {"factor_exposures": pd.DataFrame(own)})
    table = shown["risk-factors"]
    assert "exposures that the firm keeps" in table.settings.line()
    assert "factor_exposures" in table.settings.line()
    # Shares and Treasuries are 720 and 490 of 1,370 dollars.
    assert shown.facts["risk.factor.growth.exposure"].value == pytest.approx((1.2 * 720 - 0.3 * 490) / 1370)
    assert sum(row[4] for row in table.body.rows[:-1]) == pytest.approx(table.body.rows[-1][4])


def test_the_example_of_a_firms_own_stresses_runs(chapter, small, request):
    example = request.config.rootpath / "params" / "stress.yml"
    shown = chapter("risk_and_stress", lengthened(small, 800), stresses=str(example))
    assert {"equities-30", "bonds-no-help", "pandemic-2020"} == {
        fact.split(".")[2] for fact in shown.facts if fact.startswith("stress.all.") and fact.endswith(".result")
    }
    assert "Pandemic, early 2020 | 2020-02-19 | 2020-03-23" in shown.text("stress-coverage")

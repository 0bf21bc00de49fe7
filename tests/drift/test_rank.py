"""Order of review and the sums by model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from workbench import drift
from workbench.errors import ParameterError
from workbench.market import FactorModel

IDS = ("AAA", "BBB", "CCC", "FUND", "OLD")


@pytest.fixture
def result(firm):
    model = FactorModel(IDS, np.ones((5, 1)), ("F",), np.array([[0.03]]), np.full(5, 0.04), 252, "t")
    return drift.measure(drift.load(firm), covariance=model)


def test_scores_follow_their_rule(result):
    ranked = drift.rank(result).set_index("account_id")
    accounts = result.accounts.set_index("account_id")
    one = ranked.loc["A1"]
    use, breaches, share = (accounts.loc["A1", name] for name in ("band_use", "breaches", "active_share"))
    drifted = 50 * use / (use + 1) + 30 * breaches / (breaches + 5) + 20 * share / (share + 0.10)
    assert one["drift_score"] == pytest.approx(drifted)
    error = accounts.loc["A1", "tracking_error"]
    assert one["risk_score"] == pytest.approx(100 * error / (error + 0.02))
    assert one["tax_efficiency_score"] == pytest.approx(100 * error / (error + 21.9 / 10_000))
    expected = 0.5 * one["drift_score"] + 0.3 * one["risk_score"] + 0.2 * one["tax_efficiency_score"]
    assert one["score"] == pytest.approx(expected)
    assert list(ranked["rank"]) == [1, 2, 3]
    assert ranked["score"].is_monotonic_decreasing


def test_a_score_does_not_depend_on_the_other_accounts(tables, seal):
    everyone = drift.rank(drift.measure(drift.load(seal(tables)))).set_index("account_id")["score"]
    tables["positions"] = tables["positions"][tables["positions"]["account_id"] == "A1"]
    alone = drift.rank(drift.measure(drift.load(seal(tables)))).set_index("account_id")["score"]
    assert alone["A1"] == everyone["A1"]


def test_what_is_not_known_is_left_out_and_said(firm):
    ranked = drift.rank(drift.measure(drift.load(firm, with_lots=False))).set_index("account_id")
    assert ranked.loc["A1", "score"] == ranked.loc["A1", "drift_score"]
    assert "tracking error not known" in ranked.loc["A1", "reason"]
    assert "tax of correcting not known" in ranked.loc["A1", "reason"]


def test_an_account_with_little_to_trade_comes_last_with_its_score(result):
    usual = drift.rank(result, smallest_trade=0.0).set_index("account_id")
    turnover = result.accounts.set_index("account_id")["turnover_to_correct"]
    first = usual.index[0]
    ranked = drift.rank(result, smallest_trade=float(turnover[first]) + 0.01).set_index("account_id")
    assert ranked.loc[first, "score"] == usual.loc[first, "score"]
    small = turnover.reindex(ranked.index) <= turnover[first]
    assert small.is_monotonic_increasing
    assert "to trade, so it comes last" in ranked.loc[first, "reason"]


def test_scale_must_make_sense():
    with pytest.raises(ParameterError):
        drift.Scale(drift=0, risk=0, tax_efficiency=0)
    with pytest.raises(ParameterError):
        drift.Scale(half_tracking_error=0)


def test_sums_by_model_agree_with_the_long_frames(result):
    total = drift.aggregate(result)
    assert total.firm["accounts"] == 3
    assert total.firm["value"] == pytest.approx(30_000)
    assert set(total.models["model_id"]) == {"M1", "M2"}
    by_key = total.by_key.set_index(["model_id", "level", "key"])
    for name in ("security", "sector", "sleeve"):
        frame = (
            result.level(name)
            .drop(columns="value", errors="ignore")
            .merge(result.accounts[["account_id", "model_id", "value"]], on="account_id")
        )
        for (model, key), rows in frame.groupby(["model_id", "key"], observed=True):
            got = by_key.loc[(model, name, key)]
            worth = result.accounts.query("model_id == @model")["value"].sum()
            mean = (rows["deviation"] * rows["value"]).sum() / worth
            square = (rows["deviation"] ** 2 * rows["value"]).sum() / worth
            assert got["deviation"] == pytest.approx(mean, abs=1e-14)
            assert got["dispersion"] == pytest.approx(np.sqrt(max(square - mean**2, 0)), abs=1e-8)
            assert got["out_of_band"] == rows["breach"].sum()
    one = by_key.loc[("M2", "security", "FUND")]
    assert one["systemic_share"] == pytest.approx(1.0)  # a single account deviates as its model does
    scattered = by_key.loc[("M1", "sector", "Energy")]  # -5 pp and +10 pp
    assert not scattered["systemic"]
    assert scattered["systemic_share"] == pytest.approx(0.025**2 / ((0.05**2 + 0.1**2) / 2))


def test_nothing_measured_sums_to_nothing(tables, seal):
    tables["positions"] = tables["positions"].iloc[:0]
    result = drift.measure(drift.load(seal(tables)))
    assert drift.aggregate(result).firm["accounts"] == 0
    assert drift.rank(result).empty
    assert isinstance(drift.aggregate(result).by_key, pd.DataFrame)

"""Drift against figures worked out on paper, and against an independent implementation in dense pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from workbench import drift
from workbench.errors import FirmDataError, ParameterError
from workbench.market import Covariance, FactorModel

AS_OF = pd.Timestamp("2022-06-30")


@pytest.fixture
def model():
    rng = np.random.default_rng(1)
    ids = ("AAA", "BBB", "CCC", "FUND", "OLD")
    root = rng.normal(0, 0.1, (2, 2))
    return FactorModel(ids, rng.normal(0, 1, (5, 2)), ("F1", "F2"), root @ root.T, rng.uniform(0.01, 0.05, 5), 252, "t")


def row(frame, account, key):
    found = frame[(frame["account_id"] == account) & (frame["key"] == key)]
    assert len(found) == 1
    return found.iloc[0]


def test_weights_targets_and_bands_by_hand(firm):
    result = drift.measure(drift.load(firm))
    security = result.level("security")
    first = row(security, "A1", "AAA")
    assert first["weight"] == pytest.approx(0.40)
    assert first["target"] == pytest.approx(0.30)  # 0.2 in CORE and 0.1 in TILT
    assert first["band"] == pytest.approx(0.05)  # 5 pp is tighter than a quarter of 30 %
    assert first["breach"]
    assert row(security, "A1", "CASH")["band"] == pytest.approx(0.02)  # the key's own row beats '*'
    assert not row(security, "A1", "CCC")["breach"]  # on the line is inside
    sector = result.level("sector")
    assert row(sector, "A1", "Technology")["band"] == pytest.approx(0.05)  # relative 10 % of 50 %
    assert row(sector, "A1", "Technology")["deviation"] == pytest.approx(0.10)
    assert np.isnan(row(sector, "A3", "Cash")["band"])  # the model gives sectors no tolerance
    sleeve = result.level("sleeve")
    assert row(sleeve, "A1", "TILT")["weight"] == pytest.approx(0.4 / 3)  # AAA pro rata to 0.2 and 0.1
    assert row(sleeve, "A2", drift.OFF_MODEL)["weight"] == pytest.approx(0.10)


def test_accounts_that_cannot_be_measured_are_listed_with_the_reason(tables, seal):
    tables["positions"].loc[len(tables["positions"])] = ["A6", "OLD", 3.0]
    tables["prices"] = tables["prices"][
        (tables["prices"]["security_id"] != "OLD") | (tables["prices"]["date"] < "2022-06-01")
    ]
    result = drift.measure(drift.load(seal(tables)))
    reasons = dict(zip(result.no_data["account_id"], result.no_data["reason"]))
    assert reasons == {
        "A2": "no recent price for OLD",
        "A4": "no model assigned",
        "A5": "no positions",
        "A6": "no recent price for OLD",
    }
    assert list(result.accounts["account_id"]) == ["A1", "A3"]


def test_nothing_measurable_is_a_result_and_no_crash(tables, seal):
    tables["positions"] = tables["positions"].iloc[:0]
    result = drift.measure(drift.load(seal(tables)))
    assert len(result.accounts) == 0
    assert len(result.no_data) == 6
    assert all(result.level(name).empty for name in result.levels)


def test_tax_of_correcting_sells_the_lot_with_least_tax_first(firm):
    result = drift.measure(drift.load(firm))
    frame = result.level("security")
    # 10 shares too many: the long lot costs 50 x 23.8 % a share, the short one 5 x 43.8 %
    assert row(frame, "A1", "AAA")["tax_to_correct"] == pytest.approx(10 * 5 * (0.35 + 0.05 + 0.038))
    assert row(frame, "A2", "OLD")["tax_to_correct"] == 0.0  # Roth
    assert row(frame, "A3", "FUND")["tax_to_correct"] == pytest.approx(5 * 1.0 * 0.24)  # short-term


def test_missing_lots_give_a_missing_tax(tables, seal):
    tables["lots"] = tables["lots"][tables["lots"]["lot_id"] != "L1"]
    result = drift.measure(drift.load(seal(tables)))
    assert row(result.level("security"), "A1", "AAA")["tax_to_correct"] == pytest.approx(21.9)  # L2 suffices
    tables["lots"] = tables["lots"][tables["lots"]["lot_id"] != "L2"]
    result = drift.measure(drift.load(seal(tables)))
    assert np.isnan(row(result.level("security"), "A1", "AAA")["tax_to_correct"])
    assert np.isnan(result.accounts.set_index("account_id").loc["A1", "tax_to_correct"])
    unread = drift.measure(drift.load(seal(tables), with_lots=False)).accounts.set_index("account_id")
    assert np.isnan(unread.loc["A1", "tax_to_correct"])
    assert unread.loc["A2", "tax_to_correct"] == 0.0


def test_days_to_trade(firm):
    frame = drift.measure(drift.load(firm), participation=0.05).level("security")
    price = 100.0
    assert row(frame, "A1", "CCC")["days_to_trade"] == pytest.approx(500 / price / (0.05 * 1e4))
    assert np.isnan(row(frame, "A1", "FUND")["days_to_trade"])  # no volume known
    assert row(frame, "A3", "CASH")["days_to_trade"] == 0.0


@pytest.mark.parametrize("dense", [False, True])
def test_tracking_error_splits_exactly_at_every_level(firm, model, dense):
    matrix = model.covariance()
    covariance = Covariance(matrix, 252, AS_OF, AS_OF, "t", None, 1.0) if dense else model
    inputs = drift.load(firm, factor_model=model)
    result = drift.measure(inputs, covariance=covariance)
    for position, account in enumerate(result.inputs.account_ids):
        rows = result.level("security", [account]).set_index("key")
        active = rows["deviation"].reindex(matrix.index, fill_value=0.0)
        assert result.tracking_error[position] == pytest.approx(np.sqrt(active @ matrix @ active), abs=1e-14)
        marginal = (matrix @ active) * active / result.tracking_error[position]
        np.testing.assert_allclose(rows["te_contribution"].reindex(matrix.index, fill_value=0), marginal, atol=1e-14)
        for name in ("security", "sector", "asset_class", "region", "sleeve"):
            total = result.level(name, [account])["te_contribution"].sum()
            assert total == pytest.approx(result.tracking_error[position], abs=1e-14)
    factor = result.level("factor", ["A1"])
    assert len(factor) == 2
    assert factor["te_contribution"].notna().all() != dense


def test_a_security_without_covariance_leaves_the_tracking_error_missing(firm, model):
    short = FactorModel(
        model.security_ids[:-1], model.exposures[:-1], model.factor_names, model.factor_covariance,
        model.specific_variance[:-1], 252, "t",
    )  # fmt: skip
    accounts = drift.measure(drift.load(firm), covariance=short).accounts.set_index("account_id")
    assert np.isnan(accounts.loc["A2", "tracking_error"])  # holds OLD
    assert accounts.loc["A1", "tracking_error"] > 0


def test_factor_level_with_an_unknown_exposure_is_missing(tables, seal):
    tables["factor_exposures"] = pd.DataFrame(
        [("AAA", "VALUE", 1.0), ("BBB", "VALUE", 0.5), ("CCC", "SIZE", 1.0), ("FUND", "SIZE", 0.0)],
        columns=["security_id", "factor", "exposure"],
    )
    tables["tolerances"].loc[len(tables["tolerances"])] = ["M1", "factor", "VALUE", 0.05, np.nan]
    result = drift.measure(drift.load(seal(tables)))
    factor = result.level("factor")
    value = row(factor, "A1", "VALUE")
    assert value["weight"] == pytest.approx(0.4 + 0.5 * 0.2)
    assert value["target"] == pytest.approx(0.3 + 0.5 * 0.2)
    assert value["breach"]
    assert np.isnan(row(factor, "A2", "VALUE")["weight"])  # OLD has no exposures on record
    assert not row(factor, "A2", "VALUE")["breach"]


def test_factor_tolerances_without_exposures_are_said_to_be_unchecked(tables, seal):
    tables["tolerances"].loc[len(tables["tolerances"])] = ["M1", "factor", "VALUE", 0.05, np.nan]
    assert set(drift.load(seal(tables)).unchecked) == {"factor"}


def test_model_limits_override_tolerances(tables, seal):
    targets = tables["model_targets"]
    here = (targets["model_id"] == "M1") & (targets["version"] == 2)
    targets.loc[here & (targets["security_id"] == "BBB"), ["lower", "upper"]] = [0.18, 0.21]
    targets.loc[here & (targets["sleeve_id"] == "TILT"), "upper"] = 0.12
    frame = drift.measure(drift.load(seal(tables))).level("security")
    assert tuple(row(frame, "A1", "BBB")[["lower", "upper"]]) == pytest.approx((0.18, 0.21))
    # TILT's own 0.12, and CORE's 0.2 with its two thirds of the 5 pp
    assert row(frame, "A1", "AAA")["upper"] == pytest.approx(0.12 + 0.2 + 0.05 * 2 / 3)
    assert row(frame, "A1", "AAA")["lower"] == pytest.approx(0.25)


def test_a_tolerance_for_something_unknown_is_refused_by_row(tables, seal):
    tables["tolerances"].loc[len(tables["tolerances"])] = ["M1", "sector", "Technolgy", 0.05, np.nan]
    with pytest.raises(FirmDataError, match="Technolgy") as caught:
        drift.load(seal(tables))
    assert caught.value.rows[0].table == "tolerances"


def test_the_version_in_force_is_never_a_draft(firm):
    earlier = drift.load(firm, "2022-02-15")
    assert earlier.model_versions[earlier.model_ids.index("M1")] == 1
    now = drift.load(firm)
    assert now.model_versions[now.model_ids.index("M1")] == 2


def test_as_of_an_earlier_day_takes_later_transactions_back(tables, seal):
    later = pd.DataFrame(
        {
            "transaction_id": ["T1", "T2"], "account_id": "A1", "security_id": ["AAA", "CASH"],
            "trade_date": pd.to_datetime(["2022-06-10", "2022-06-20"]),
            "settle_date": pd.to_datetime(["2022-06-14", "2022-06-20"]), "kind": ["buy", "deposit"],
            "quantity": [10.0, 0.0], "price": [100.0, np.nan], "amount": [-1000.0, 300.0],
            "origin": ["manual", "client"], "lot_id": pd.Series(["L2", None], dtype="str"),
        }
    )  # fmt: skip
    tables["transactions"] = pd.concat([tables["transactions"], later], ignore_index=True)
    firm = seal(tables)
    before = drift.measure(drift.load(firm, "2022-06-09"))
    closes = tables["prices"].query("date == @pd.Timestamp('2022-06-09')").set_index("security_id")["close"]
    held = pd.Series({"AAA": 30.0, "BBB": 20.0, "CCC": 15.0, "FUND": 20.0, "CASH": 500.0 + 1000.0 - 300.0})
    weights = held * closes[held.index] / (held * closes[held.index]).sum()
    got = before.level("security", ["A1"]).set_index("key")["weight"]
    np.testing.assert_allclose(got[weights.index].to_numpy(), weights.to_numpy(), rtol=1e-12)


def test_account_frame_and_invariants(firm):
    result = drift.measure(drift.load(firm))
    accounts = result.accounts.set_index("account_id")
    assert accounts.loc["A1", "active_share"] == pytest.approx(0.10)
    assert accounts.loc["A1", "breaches_sector"] == 1
    assert accounts.loc["A1", "band_use"] == pytest.approx(2.0)
    for name in ("security", "sector", "asset_class", "region", "sleeve"):
        sums = result.level(name).groupby("account_id", observed=True)[["weight", "target"]].sum()
        np.testing.assert_allclose(sums, 1.0, atol=1e-12)
        assert (result.level(name).groupby("account_id", observed=True)["breach"].sum().to_numpy()
                == accounts[f"breaches_{name}"].to_numpy()).all()  # fmt: skip


@pytest.mark.parametrize("call", [
    lambda result: result.level("colour"), lambda result: result.level("sector", ["A4"]),
    lambda result: drift.measure(result.inputs, participation=0.0),
])  # fmt: skip
def test_what_does_not_exist_is_a_parameter_error(firm, call):
    with pytest.raises(ParameterError):
        call(drift.measure(drift.load(firm)))

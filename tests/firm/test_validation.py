"""A broken snapshot is rejected whole and every failing row is named; a sound one passes."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import FirmDataError
from workbench.firm import validate, validation

AS_OF = pd.Timestamp("2022-12-28")


def faults(tables):
    return [(row.table, row.column, row.row, row.problem) for row in validate(tables, AS_OF)]


def test_a_sound_firm_passes(small):
    assert faults(small) == []


@pytest.mark.parametrize(
    ("table", "column", "row", "value", "problem"),
    [
        ("model_targets", "target", 0, -0.1, "must be at least 0"),
        ("model_targets", "target", 0, np.nan, "missing value"),
        ("model_targets", "target", 0, 5.0, "must be at most 1"),
        ("prices", "close", 4, 0.0, "must be above 0"),
        ("prices", "close", 4, np.inf, "must be finite"),
        ("positions", "security_id", 1, "ZZZ", "unknown security"),
        ("accounts", "model_id", 0, "NONE", "unknown model"),
        ("accounts", "household_id", 1, "H9", "unknown household"),
        ("accounts", "registration", 1, "offshore", "must be one of"),
        ("lots", "acquired_on", 0, pd.Timestamp("2023-02-01"), "is after the snapshot's date 2022-12-28"),
        ("accounts", "last_rebalanced_on", 0, pd.Timestamp("2022-12-29"), "is after the snapshot's date 2022-12-28"),
        ("lots", "quantity", 1, 0.0, "must be above 0"),
        ("positions", "quantity", 0, -5.0, "a short position"),
        ("households", "name", 0, "  ", "must be filled, not blank"),
        ("model_targets", "version", 2, 7, "unknown model version"),
    ],
)
def test_one_bad_value_is_named_with_its_row(small, table, column, row, value, problem):
    small[table].loc[row, column] = value
    found = [fault for fault in faults(small) if fault[0] == table and fault[1] == column and fault[2] == row]
    assert any(problem in fault[3] for fault in found), faults(small)


def test_a_restriction_on_nobody_is_named(small):
    columns = ["restriction_id", "scope", "scope_id", "kind", "key", "value", "reason", "source_document", "expires_on"]
    rows = [
        ("R1", "account", "A1", "never_sell", "AAA", np.nan, "a promise", "letter", pd.NaT),
        ("R2", "household", "H1", "never_buy", "BBB", np.nan, "a wish", "letter", pd.NaT),
        ("R3", "account", "H1", "never_buy", "BBB", np.nan, "a slip of the scope", "letter", pd.NaT),
        ("R4", "household", "H9", "never_buy", "BBB", np.nan, "a client who left", "letter", pd.NaT),
    ]
    small["restrictions"] = pd.DataFrame(rows, columns=columns).astype({"expires_on": "datetime64[ms]"})
    assert faults(small) == [
        ("restrictions", "scope_id", 2, "unknown account"),
        ("restrictions", "scope_id", 3, "unknown household"),
    ]


def test_targets_that_do_not_sum_to_one(small):
    small["model_targets"].loc[0, "target"] = 0.58
    (bad,) = validate(small, AS_OF)
    assert "model BAL version 1 sum to 0.980000, not 1" in bad.problem


def test_a_draft_may_still_be_unfinished(small):
    draft = small["models"].assign(version=2, status="draft")
    targets = small["model_targets"].assign(version=2)
    targets.loc[0, "target"] = 0.58
    small["models"] = pd.concat([small["models"], draft], ignore_index=True)
    small["model_targets"] = pd.concat([small["model_targets"], targets], ignore_index=True)
    assert faults(small) == []


def test_missing_table_and_column(small):
    del small["prices"]
    small["accounts"] = small["accounts"].rename(columns={"model_id": "Model ID"})
    found = validate(small, AS_OF)
    assert ("prices", "the table is missing") in [(row.table, row.problem) for row in found]
    (column,) = [row for row in found if row.table == "accounts"]
    assert column.problem == "the column is missing"
    assert column.remedy == "rename column 'Model ID'"


def test_wrong_type_names_the_rows_that_do_not_parse(small):
    small["lots"]["quantity"] = ["60", "ten"]
    found = faults(small)
    assert ("lots", "quantity", 1, "is not a number") in found
    assert ("lots", "quantity", None, "holds str, not number") in found


def test_duplicate_key(small):
    small["lots"] = pd.concat([small["lots"], small["lots"].iloc[[1]]], ignore_index=True)
    assert faults(small) == [("lots", "", 2, "the key is there twice")]


@pytest.mark.parametrize("table", ["accounts", "securities", "models", "prices"])
def test_empty_firm(small, table):
    small[table] = small[table].iloc[:0]
    assert (table, "", None, "the table is empty") in faults(small)


def test_price_gap_over_the_as_of_date(small):
    found = validate(small, AS_OF + pd.Timedelta(days=30))
    assert any(row.table == "prices" and "prices end on 2022-12-28, 30 days before" in row.problem for row in found)


def test_held_security_without_a_price_on_the_last_day(small):
    prices = small["prices"]
    small["prices"] = prices[~((prices["security_id"] == "BBB") & (prices["date"] == AS_OF))].reset_index(drop=True)
    (bad,) = validate(small, AS_OF)
    assert bad.problem == "held security BBB has no price on 2022-12-28"


def test_a_thousand_bad_rows_make_one_short_report(small):
    rows = pd.concat([small["lots"].iloc[[0]]] * 1000, ignore_index=True)
    rows["lot_id"] = [f"L{number}" for number in range(1000)]
    rows["quantity"] = -1.0
    small["lots"] = rows
    bad = validate(small, AS_OF)
    assert len(bad) == 1000
    text = validation.report(bad, "the firm")
    assert text.startswith("the firm: rejected whole, 1,000 rows fail in 1 table(s)")
    assert "row 0: lot_id L0, value -1.0" in text
    assert "and 997 more" in text
    assert len(text.splitlines()) < 10


def test_hostile_text_stays_on_its_line(small):
    small["positions"].loc[1, "security_id"] = "X\n\x1b[31mrejected: nothing"
    text = validation.report(validate(small, AS_OF), "the firm")
    assert "\x1b" not in text
    assert "X\\x0a\\x1b[31mrejected: nothing" in text


def test_reject_carries_every_row(small):
    small["lots"]["quantity"] = -1.0
    with pytest.raises(FirmDataError) as caught:
        validation.reject(validate(small, AS_OF), "the firm")
    assert len(caught.value.rows) == 2


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(allow_nan=True, allow_infinity=True, width=32), min_size=3, max_size=3))
def test_targets_pass_only_when_they_are_weights_that_sum_to_one(values):
    from workbench.firm.schema import TABLES

    frame = pd.DataFrame(
        {"model_id": "M", "version": 1, "sleeve_id": "S", "security_id": list("abc"), "target": values}
    ).assign(lower=np.nan, upper=np.nan)
    models = pd.DataFrame({"model_id": ["M"], "version": [1], "status": ["active"]})
    bad = [*validation._row_faults(TABLES["model_targets"], frame)]
    bad += [*validation._target_sums({"models": models, "model_targets": frame}, AS_OF)]
    weights = np.asarray(values)
    sound = bool(np.all((weights >= 0) & (weights <= 1)) and abs(weights.sum() - 1) <= 1e-6)
    assert (not bad) == sound


def test_a_cost_that_is_missing_says_how_an_unknown_one_is_given(small):
    small["lots"] = small["lots"].assign(cost_per_share=np.nan)
    (remedy,) = {row.remedy for row in validate(small, AS_OF) if row.column == "cost_per_share"}
    assert "0 with covered false" in remedy


@pytest.mark.parametrize(
    ("table", "frame", "says"),
    [
        (
            "sleeve_benchmarks",
            {"sleeve_id": ["EQ", "FI", "FI"], "security_id": ["AAA", "BBB", "CASH"], "weight": [1.0, 0.6, 0.3]},
            "weights of the benchmark of FI sum to 0.900000, not 1",
        ),
        (
            "model_benchmarks",
            {"model_id": ["BAL", "BAL"], "sleeve_id": ["EQ", "FI"], "weight": [0.6, 0.38]},
            "weights of the benchmark of BAL sum to 0.980000, not 1",
        ),
    ],
)
def test_weights_of_a_benchmark_that_do_not_sum_to_one_are_rejected(small, table, frame, says):
    bad = validate({**small, table: pd.DataFrame(frame)}, AS_OF)
    assert [row.problem for row in bad] == [says]
    frame["weight"][-1] += 0.1 if table == "sleeve_benchmarks" else 0.02
    assert not validate({**small, table: pd.DataFrame(frame)}, AS_OF)

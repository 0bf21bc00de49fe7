"""Inputs of a household: any change of its rows shows, no change elsewhere does, and the order of rows is nothing."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from workbench.compliance.household_inputs import TABLES, HouseholdInputs, household_inputs
from workbench.errors import ParameterError
from workbench.firm import Firm

sys.path.insert(0, str(Path(__file__).parents[1]))
from conftest import AS_OF, small

Tables = dict[str, pd.DataFrame]


def two_households() -> Tables:
    """The smallest firm twice: H1 and H2 share no model, no security but cash, no custodian."""
    first = small.__wrapped__()
    first["profiles"] = pd.DataFrame(
        {"household_id": ["H1"], "risk_tolerance": 3, "risk_capacity": 3, "horizon_years": 9.0, "objective": "growth",
         "liquidity_need": "low", "knowledge": "low", "sustainability": "none",
         "reviewed_on": pd.Timestamp("2022-03-04")}
    )  # fmt: skip
    first["restrictions"] = pd.DataFrame(
        {"restriction_id": ["R1", "R2"], "scope": ["account", "household"], "scope_id": ["A1", "H1"],
         "kind": ["never_buy", "screen"], "key": ["BBB", "tobacco"], "value": [np.nan, np.nan], "reason": "Told so",
         "source_document": "Letter", "expires_on": pd.Series([pd.NaT, pd.NaT], dtype="datetime64[ns]")}
    )  # fmt: skip
    first["substitutes"] = pd.DataFrame(
        {"security_id": ["AAA"], "substitute_id": ["AAB"], "rank": [1], "registrations": [["taxable"]]}
    )
    extra = first["securities"].iloc[[0]].assign(security_id="AAB")
    price = first["prices"].iloc[[-3]].assign(security_id="AAB")
    first["securities"] = pd.concat([first["securities"], extra], ignore_index=True)
    first["prices"] = pd.concat([first["prices"], price], ignore_index=True)
    other = {"H1": "H2", "A1": "B1", "A2": "B2", "AAA": "XXX", "BBB": "YYY", "AAB": "XXY", "BAL": "GRO", "CUS1": "CUS2"}
    other |= {"L1": "M1", "L2": "M2", "R1": "S1", "R2": "S2", **{f"T{i}": f"U{i}" for i in range(1, 7)}}
    both = {}
    for name, table in first.items():
        copy = table.map(lambda value: other.get(value, value) if isinstance(value, str) else value)
        both[name] = pd.concat([table, copy], ignore_index=True)
        key = [c for c in ("security_id", "advisor_id", "sleeve_id", "date") if c in table][:1]
        if name in ("securities", "advisors", "sleeves"):
            both[name] = both[name].drop_duplicates(key, ignore_index=True)
    both["prices"] = both["prices"].drop_duplicates(["date", "security_id"], ignore_index=True)
    return both


def inputs(tables: Tables, households: list[str] | None = None) -> HouseholdInputs:
    """The inputs of a firm that lies in memory."""
    return household_inputs(Firm(Path("nowhere"), AS_OF, AS_OF, {}, {}, "made up", rewound=tables), households)


PLAIN = two_households()
BEFORE = inputs(PLAIN)
#: Columns that say whose a row is: to change one moves the row, which is a test of its own.
OWNERS = {"household_id", "account_id", "model_id", "version", "security_id", "substitute_id", "scope", "scope_id",
          "custodian_id", "date", "trade_date", "key", "status", "effective_date"}  # fmt: skip


def changed(value: object) -> object:
    """A different value of the same kind."""
    if isinstance(value, list | np.ndarray):
        return [*value, "new"]
    if isinstance(value, bool | np.bool_):
        return not value
    if isinstance(value, pd.Timestamp):
        return value + pd.Timedelta(days=1)
    if value is None or value is pd.NaT or (isinstance(value, float) and np.isnan(value)):
        return None
    return value + 1 if isinstance(value, int | float | np.number) else f"{value}'"


@pytest.mark.parametrize("table", TABLES)
def test_every_value_of_a_household_counts_and_no_other_does(table: str) -> None:
    rows = PLAIN[table]
    for place in range(len(rows)):
        row = rows.iloc[place]
        mine = {str(value) for value in row if isinstance(value, str)}
        whose = "H2" if mine & {"H2", "B1", "B2", "XXX", "YYY", "XXY", "GRO", "CUS2"} else "H1"
        if table in ("securities", "prices") and row["security_id"] == "CASH":
            continue
        if table == "prices" and row["date"] < AS_OF:
            continue
        for column in sorted(set(rows.columns) - OWNERS)[place % 3 :: 3]:
            value = changed(row[column])
            if value is None:
                continue
            edited = rows.copy()
            edited[column] = edited[column].astype(object)
            edited.at[place, column] = value
            edited[column] = edited[column].infer_objects()
            after = inputs({**PLAIN, table: edited})
            other = "H1" if whose == "H2" else "H2"
            assert after.fingerprints[whose] != BEFORE.fingerprints[whose], (table, place, column)
            assert after.changed(whose, BEFORE.tables[whose]) == (table,)
            assert after.fingerprints[other] == BEFORE.fingerprints[other], (table, place, column)


@effort(max_examples=6)
@given(st.randoms(use_true_random=False))
def test_the_order_of_rows_and_their_spelling_do_not_count(random) -> None:  # type: ignore[no-untyped-def]
    shuffled = {}
    for name, table in PLAIN.items():
        order = list(range(len(table)))
        random.shuffle(order)
        shuffled[name] = table.iloc[order].reset_index(drop=True)
        for column in shuffled[name].columns:
            if shuffled[name][column].map(type).eq(str).all() and random.random() < 0.5:
                shuffled[name][column] = shuffled[name][column].astype("category")
    assert inputs(shuffled).fingerprints == BEFORE.fingerprints


@pytest.mark.parametrize("table", ["positions", "lots", "transactions", "restrictions", "model_targets", "substitutes"])
def test_a_row_more_or_less_counts(table: str) -> None:
    gone = inputs({**PLAIN, table: PLAIN[table].iloc[1:].reset_index(drop=True)})
    assert gone.fingerprints["H1"] != BEFORE.fingerprints["H1"]
    assert gone.fingerprints["H2"] == BEFORE.fingerprints["H2"]
    twice = inputs({**PLAIN, table: pd.concat([PLAIN[table], PLAIN[table].iloc[[0]]], ignore_index=True)})
    assert twice.tables["H1"][table] not in (BEFORE.tables["H1"][table], gone.tables["H1"][table])


def test_a_value_moved_between_rows_or_columns_counts() -> None:
    lots = PLAIN["lots"].copy()
    lots.loc[[0, 1], "quantity"] = lots.loc[[1, 0], "quantity"].to_numpy()
    assert inputs({**PLAIN, "lots": lots}).fingerprints["H1"] != BEFORE.fingerprints["H1"]
    named = PLAIN["households"].copy()
    named.loc[0, ["name", "advisor_id"]] = ["The Smith householdA", "DV1"]
    assert inputs({**PLAIN, "households": named}).fingerprints["H1"] != BEFORE.fingerprints["H1"]


def test_one_household_alone_has_the_fingerprint_it_has_among_others() -> None:
    assert inputs(PLAIN, ["H2"]).fingerprints == {"H2": BEFORE.fingerprints["H2"]}


def test_missing_is_not_zero_and_not_empty() -> None:
    budget = PLAIN["households"].copy()
    budget.loc[0, "gain_budget"] = np.nan
    missing = inputs({**PLAIN, "households": budget})
    budget.loc[0, "gain_budget"] = 0.0
    assert missing.fingerprints["H1"] != inputs({**PLAIN, "households": budget}).fingerprints["H1"]
    assert missing.fingerprints["H2"] == BEFORE.fingerprints["H2"]


def test_another_column_of_nothing_but_missing_values_changes_nobody_else() -> None:
    bare = PLAIN["transactions"].assign(lot_id=None)
    one = bare.copy()
    one.loc[0, "lot_id"] = "L9"
    before, after = inputs({**PLAIN, "transactions": bare}), inputs({**PLAIN, "transactions": one})
    assert before.fingerprints["H2"] == after.fingerprints["H2"]
    assert before.fingerprints["H1"] != after.fingerprints["H1"]


def test_a_day_later_is_another_input() -> None:
    later = Firm(Path("nowhere"), AS_OF + pd.Timedelta(days=1), AS_OF, {}, {}, "made up", rewound=PLAIN)
    assert household_inputs(later).fingerprints["H1"] != BEFORE.fingerprints["H1"]


def test_what_is_long_ago_or_draft_elsewhere_does_not_count() -> None:
    old = PLAIN["transactions"].iloc[[0]].assign(transaction_id="T0", trade_date=AS_OF - pd.Timedelta(days=400))
    with_old = {**PLAIN, "transactions": pd.concat([PLAIN["transactions"], old], ignore_index=True)}
    assert inputs(with_old).fingerprints == BEFORE.fingerprints


def test_a_household_the_firm_does_not_have_is_refused() -> None:
    with pytest.raises(ParameterError, match="no household 'H9'"):
        inputs(PLAIN, ["H1", "H9"])

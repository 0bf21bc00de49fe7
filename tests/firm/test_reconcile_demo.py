"""On the demo firm: a clean one gives nothing to worry about, and each planted fault is found, and only those."""

import pandas as pd
import pytest

from workbench.firm.demo.build import build_with_faults
from workbench.firm.reconcile import reconcile
from workbench.market import sessions

AS_OF = pd.Timestamp("2022-12-28")
ACCOUNTS = 80
#: Which checks see a planted fault. A lot that lost shares is at odds with its position and with its transactions.
#: The demo's dividends follow the price, too unsteady a habit for a double to stand out of: the adjusted close tells.
SEEN_BY = {
    "lots": {"lots", "lot_replay"},
    "rmd": {"rmd"},
    "stale_price": {"stale_price"},
    "doubled_dividend": {"return_gap"},
    "targets": {"target_sum"},
}


def findings_of(faults):
    built = build_with_faults(accounts=ACCOUNTS, as_of=AS_OF, faults=faults)
    found = reconcile(built.tables, AS_OF, sessions=sessions("2005-01-03", AS_OF))
    return {planted.fault: planted.key for planted in built.planted}, found


@pytest.fixture(scope="module")
def faulty():
    return findings_of(["all"])


def urgent(found):
    return [f for f in found if f.severity != "info"]


def test_a_clean_firm_has_nothing_to_look_at():
    _, found = findings_of([])
    assert urgent(found) == []
    assert {f.check for f in found} <= {
        "rmd",
        "old_profile",
        "expired_restriction",
        "empty_account",
        "model_in_force",
    }


def test_exactly_the_planted_faults_are_found(faulty):
    planted, found = faulty
    assert set(planted) == set(SEEN_BY)
    assert {f.check for f in urgent(found)} == set().union(*SEEN_BY.values())
    assert not found.reject


@pytest.mark.parametrize("fault", sorted(SEEN_BY))
def test_a_planted_fault_is_named_row_by_row(faulty, fault):
    planted, found = faulty
    for check in SEEN_BY[fault]:
        rows = pd.concat([f.rows for f in urgent(found.of(check))])
        assert len(rows) == 1, (check, rows)
        row = rows.iloc[0]
        for column, value in planted[fault].items():
            if column == "account_id" and check == "rmd":
                assert value in row["account_ids"].split(", ")
            elif column == "date" and fault == "doubled_dividend":
                assert f"{row['date']:%Y-%m-%d}" == value
            elif column in row.index and column != "date":
                assert str(row[column]) == value


def test_the_readings_say_what_was_planted(faulty):
    _, found = faulty
    assert found.of("stale_price")[0].rows["sessions"].tolist() == [12]
    assert {f.rows["looks_like"].iloc[0] for f in found.of("return_gap")} == {"a dividend counted twice"}
    assert found.of("target_sum")[0].rows["target_sum"].tolist() == pytest.approx([0.98])

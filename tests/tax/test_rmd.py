import numpy as np
import pandas as pd
import pytest

from workbench.errors import ParameterError
from workbench.tax import required_distributions

BORN = pd.Timestamp("1950-05-01")  # 72 in 2022: the first distribution may wait to 1 April 2023


def accounts_of(*rows):
    return pd.DataFrame(rows, columns=["account_id", "household_id", "registration", "owner_birth_date"]).assign(
        owner_birth_date=lambda f: pd.to_datetime(f["owner_birth_date"])
    )


def balances_of(year, **balances):
    return pd.DataFrame({"account_id": list(balances), "year": year, "balance": list(balances.values())})


def paid_of(*rows):
    frame = pd.DataFrame(rows, columns=["account_id", "trade_date", "amount"])
    return frame.astype({"amount": float}).assign(trade_date=lambda f: pd.to_datetime(f["trade_date"]))


TWO_IRAS = accounts_of(("A", "H", "traditional_ira", "1948-06-01"), ("B", "H", "traditional_ira", "1948-06-01"))


def test_iras_of_one_owner_add_up_and_either_may_pay():
    balances = balances_of(2024, A=100_000.0, B=50_000.0)
    result = required_distributions(TWO_IRAS, balances, paid_of(("B", "2024-03-01", 2_000)), pd.Timestamp("2024-10-01"))
    (row,) = result.due.to_dict("records")
    assert row["account_ids"] == ("A", "B")
    assert row["required"] == 6_329.11
    assert row["outstanding"] == pytest.approx(4_329.11)
    assert row["divisor"] == pytest.approx(23.7)
    assert row["due_by"] == pd.Timestamp("2024-12-31")


def test_401ks_stand_alone_and_spouses_too():
    accounts = accounts_of(
        ("A", "H", "401k", "1948-06-01"), ("B", "H", "401k", "1948-06-01"), ("C", "H", "traditional_ira", "1949-01-01")
    )
    balances = balances_of(2024, A=1e5, B=1e5, C=1e5)
    due = required_distributions(accounts, balances, paid_of(("A", "2024-03-01", 9e4)), pd.Timestamp("2024-10-01")).due
    assert due.set_index("account_ids")["outstanding"].gt(0).to_dict() == {("A",): False, ("B",): True, ("C",): True}


def test_a_roth_owner_and_the_young_owe_nothing():
    accounts = accounts_of(("A", "H", "roth_ira", "1940-01-01"), ("B", "H", "traditional_ira", "1970-01-01"))
    result = required_distributions(accounts, balances_of(2024, A=1e5, B=1e5), paid_of(), pd.Timestamp("2024-10-01"))
    assert result.due.empty
    assert result.for_a_person.empty


def test_what_the_tables_cannot_tell_goes_to_a_person():
    accounts = accounts_of(("A", "H", "inherited_ira", "1940-01-01"), ("B", "H", "traditional_ira", None))
    result = required_distributions(accounts, balances_of(2024, A=1e5, B=1e5), paid_of(), pd.Timestamp("2024-10-01"))
    assert result.for_a_person["account_id"].tolist() == ["A", "B"]
    assert result.due.empty


def first_years(as_of, *paid):
    accounts = accounts_of(("A", "H", "traditional_ira", BORN))
    balances = pd.concat([balances_of(2022, A=27_400.0), balances_of(2023, A=26_500.0)])
    due = required_distributions(accounts, balances, paid_of(*paid), pd.Timestamp(as_of)).due
    return due.set_index("year")["outstanding"].round(2).to_dict()


def test_the_first_distribution_may_wait_to_april_and_then_comes_before_the_second():
    assert first_years("2022-12-01") == {2022: 1_000}
    assert first_years("2023-02-01") == {2022: 1_000, 2023: 1_000}
    assert first_years("2023-03-20", ("A", "2023-03-10", 1_400)) == {2022: 0, 2023: 600}
    # taken in its own year
    assert first_years("2023-03-20", ("A", "2022-11-10", 1_000)) == {2022: 0, 2023: 1_000}
    # after 1 April the first is off the list once taken, and what it took does not count twice
    assert first_years("2023-06-01", ("A", "2023-03-10", 1_400)) == {2023: 600}
    # missed, it stays until it is made up
    assert first_years("2023-06-01") == {2022: 1_000, 2023: 1_000}


def test_a_longer_period_that_a_person_looked_up_is_used():
    balances = balances_of(2024, A=100_000.0, B=50_000.0)
    periods = pd.Series({"A": 25.0, "B": 25.0})
    due = required_distributions(TWO_IRAS, balances, paid_of(), pd.Timestamp("2024-10-01"), periods=periods).due
    assert due["required"].tolist() == [6_000.0]


def test_an_unknown_balance_is_unknown_not_zero():
    due = required_distributions(TWO_IRAS, balances_of(2024, A=1e5), paid_of(), pd.Timestamp("2024-10-01")).due
    assert np.isnan(due[["required", "outstanding"]].to_numpy()).all()


def test_years_before_the_tables_and_signed_withdrawals_are_refused():
    with pytest.raises(ParameterError, match="2022"):
        required_distributions(TWO_IRAS, balances_of(2021, A=1.0), paid_of(), pd.Timestamp("2021-06-01"))
    with pytest.raises(ParameterError, match="drop the sign"):
        required_distributions(
            TWO_IRAS, balances_of(2024, A=1.0), paid_of(("A", "2024-01-05", -5)), pd.Timestamp("2024-06-01")
        )

import json
import os
from pathlib import Path

import pandas as pd
import pytest

from workbench.errors import ParameterError
from workbench.firm import rmd


@pytest.mark.parametrize(
    ("born", "year"),
    [
        ("1948-12-31", 2019),
        ("1949-06-30", 2019),
        ("1949-07-01", 2021),
        ("1950-12-31", 2022),
        ("1951-01-01", 2024),
        ("1959-12-31", 2032),
        ("1960-01-01", 2035),
    ],
)
def test_first_year_follows_the_start_ages(born, year):
    assert rmd.first_year(pd.Timestamp(born)) == year


def test_first_distribution_may_wait_to_april():
    born = pd.Timestamp("1950-05-01")
    assert rmd.due_by(born, 2022) == pd.Timestamp("2023-04-01")
    assert rmd.due_by(born, 2023) == pd.Timestamp("2023-12-31")


def test_divisors_fall_with_age_and_hold_from_120():
    divisors = list(rmd.UNIFORM_LIFETIME.values())
    assert divisors == sorted(divisors, reverse=True)
    assert list(rmd.UNIFORM_LIFETIME) == list(range(72, 121))
    assert rmd.divisor(pd.Timestamp("1900-01-01"), 2025) == 2.0


@pytest.mark.parametrize(
    ("born", "year", "balance", "expected"),
    [("1951-06-01", 2024, 500_000, 18_867.92), ("1948-06-01", 2024, 150_000, 6_329.11)],
)
def test_worked_examples(born, year, balance, expected):
    assert rmd.required(pd.Timestamp(born), year, balance) == expected


def test_none_before_the_first_year_and_no_guess_before_the_table():
    assert rmd.required(pd.Timestamp("1960-01-01"), 2024, 1e6) == 0.0
    with pytest.raises(ParameterError, match="from 2022"):
        rmd.required(pd.Timestamp("1945-01-01"), 2021, 1e6)
    with pytest.raises(ParameterError, match="before 2035"):
        rmd.divisor(pd.Timestamp("1960-01-01"), 2024)


def test_shared_cases():
    folder = Path(os.environ.get("WORKBENCH_SHARED", Path(__file__).parents[3] / "shared"))
    file = folder / "reference" / "tax_cases.json"
    if not file.exists():
        pytest.skip(f"no worked examples at {file}")
    cases = [case for case in json.loads(file.read_text())["cases"] if case["category"] == "rmd"]
    assert cases
    for case in cases:
        age, balance = case["inputs"]["age"], case["inputs"]["prior_year_end_balance"]
        year = case["inputs"].get("year", 2024)
        assert rmd.required(pd.Timestamp(year - age, 6, 1), year, balance) == case["expected"]["rmd"]

import calendar
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.tax import days_held_in_window, holding_start, is_long_term, is_qualified, long_term_from
from workbench.tax.holding import tacked_start


def long_on(bought, sold):
    return bool(is_long_term(holding_start(pd.DatetimeIndex([bought])), pd.DatetimeIndex([sold]))[0])


@pytest.mark.parametrize(
    ("bought", "first_long_day"),
    [
        ("2005-01-01", "2006-01-02"),
        ("2012-09-19", "2013-09-20"),
        ("2019-03-01", "2020-03-02"),  # 366 days held, still short on the anniversary
        ("2020-02-28", "2021-03-01"),
        ("2020-02-29", "2021-03-01"),
        ("2019-02-28", "2020-03-01"),  # bought on the last day of a month: whole months from the first of the next
        ("2023-12-31", "2025-01-01"),
    ],
)
def test_long_term_starts_the_day_after_the_calendar_anniversary(bought, first_long_day):
    day = pd.Timestamp(first_long_day)
    assert not long_on(bought, day - pd.Timedelta(days=1))
    assert long_on(bought, day)


@given(st.dates(date(1990, 1, 1), date(2060, 12, 31)))
def test_it_agrees_with_the_calendar(bought):
    start = bought + timedelta(days=1)
    leap = (start.month, start.day) == (2, 29) and not calendar.isleap(start.year + 1)
    expected = date(start.year + 1, 3, 1) if leap else start.replace(year=start.year + 1)
    assert long_term_from(holding_start(pd.DatetimeIndex([bought])))[0] == np.datetime64(expected)


def test_missing_dates_stay_missing_and_are_not_long():
    start = holding_start(pd.to_datetime(pd.Series(["2020-01-01", None])))
    assert np.isnat(long_term_from(start)).tolist() == [False, True]
    assert is_long_term(start, pd.Timestamp("2024-01-01")).tolist() == [True, False]


def test_tacking_moves_the_start_by_the_days_held():
    def day(text):
        return pd.DatetimeIndex([text])

    start = tacked_start(holding_start(day("2013-06-15")), holding_start(day("2013-01-01")), day("2013-06-01"))
    assert start.tolist() == holding_start(day("2013-01-15")).tolist()


@pytest.mark.parametrize(
    ("bought", "sold", "held", "qualified"),
    [
        ("2024-07-05", "2024-08-08", 34, False),
        ("2024-07-11", "2024-09-09", 60, False),
        ("2024-07-11", "2024-09-10", 61, True),  # the last day of the window
        ("2024-07-10", "2024-09-09", 61, True),
        ("2024-07-10", None, 62, True),
        ("2020-01-02", "2024-07-12", 61, True),  # sold on the ex-date: the dividend is still his
        ("2020-01-02", "2024-07-11", 60, False),
        ("2020-01-02", None, 121, True),
        ("2024-07-12", None, 60, False),  # bought on the ex-date: no dividend
    ],
)
def test_days_in_the_window_of_a_dividend(bought, sold, held, qualified):
    dates = [pd.DatetimeIndex([bought]), pd.DatetimeIndex([sold]), pd.DatetimeIndex(["2024-07-12"])]
    assert days_held_in_window(*dates).tolist() == [held]
    assert is_qualified(*dates).tolist() == [qualified]


@given(st.integers(-150, 70), st.integers(0, 200))
def test_counting_days_one_by_one_gives_the_same(bought, length):
    ex = date(2024, 7, 12)
    buy, sell = ex + timedelta(days=bought), ex + timedelta(days=bought + length)
    window = {ex - timedelta(days=60) + timedelta(days=i) for i in range(121)}
    expected = len([d for d in window if buy < d <= sell])
    found = days_held_in_window(*(pd.DatetimeIndex([day]) for day in (buy, sell, ex)))
    assert found.tolist() == [expected]

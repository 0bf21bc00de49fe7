"""Working hours: by hand, and never negative or beyond the hours of the days between."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.governance.lessons.working_hours import working_hours

MOMENTS = st.integers(0, 60 * 24 * 400).map(
    lambda minutes: pd.Timestamp("2022-01-01", tz="UTC") + pd.Timedelta(minutes=minutes)
)


def between(start, end):
    moments = [pd.Series([None if m is None else pd.Timestamp(m)], dtype="datetime64[us, UTC]") for m in (start, end)]
    return working_hours(*moments)[0]


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2022-12-28T15:00Z", "2022-12-28T17:30Z", 2.5),  # Wednesday, ten to half past twelve in New York
        ("2022-12-28T05:00Z", "2022-12-28T14:00Z", 0.0),  # before nine
        ("2022-12-28T21:00Z", "2022-12-29T15:00Z", 2.0),  # four in the afternoon to ten the next morning
        ("2022-12-30T21:00Z", "2023-01-02T15:00Z", 2.0),  # over a weekend; the holiday is not taken out
        ("2022-12-31T15:00Z", "2023-01-01T15:00Z", 0.0),  # a weekend
        ("2022-07-01T13:00Z", "2022-07-01T21:00Z", 8.0),  # summer time: nine to five
        ("2022-12-28T15:00Z", None, math.nan),
    ],
)
def test_by_hand(start, end, hours):
    assert between(start, end) == pytest.approx(hours, nan_ok=True)


@given(MOMENTS, MOMENTS, MOMENTS)
def test_hours_add_up(first, second, third):
    first, second, third = sorted((first, second, third))
    assert between(first, third) == pytest.approx(between(first, second) + between(second, third))
    assert 0.0 <= between(first, second) <= (second - first).total_seconds() / 3600

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.report import format as fmt

finite = st.floats(min_value=-1e12, max_value=1e12, allow_nan=False)


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (fmt.number(-1234.5, 1), "−1,234.5"),
        (fmt.percent(0.031), "3.1%"),
        (fmt.percentage_points(0.031), "+3.1\u00a0pp"),
        (fmt.percentage_points(-0.0004), "0.0\u00a0pp"),
        (fmt.basis_points(0.0012), "12\u00a0bp"),
        (fmt.usd(-1234567.0), "−$1,234,567"),
        (fmt.usd(-1234.0, unit=False), "−1,234"),
        (fmt.usd_short(1_234_567.0), "$1.2\u00a0m"),
        (fmt.usd_short(999_700.0), "$1.0\u00a0m"),
        (fmt.count(12345), "12,345"),
        (fmt.long_date("2022-12-28"), "28 December 2022"),
        (fmt.by_unit(0.5, "fraction"), "50.0%"),
        (fmt.by_unit("2022-12-28", "date"), "28 December 2022"),
        (fmt.by_unit(3.0, "years", 0), "3 years"),
    ],
)
def test_reads_as_in_the_book(shown, expected):
    assert shown == expected


@pytest.mark.parametrize("missing", [None, math.nan])
@pytest.mark.parametrize(
    "function", [fmt.number, fmt.percent, fmt.percentage_points, fmt.basis_points, fmt.usd, fmt.usd_short, fmt.count]
)
def test_missing_is_never_a_number(function, missing):
    assert function(missing) == "n/a"


@given(finite, st.integers(0, 6))
def test_a_number_reads_back_within_its_rounding(value, digits):
    text = fmt.number(value, digits).replace(",", "").replace("−", "-")
    assert abs(float(text) - value) <= 0.5 * 10.0**-digits * (1 + 1e-9) + abs(value) * 1e-15
    assert not (float(text) == 0.0 and text.startswith("-"))


@given(st.text())
def test_no_control_or_direction_character_stays_hidden(text):
    assert not {"\u202e", "\u200b", "\x00", "\x1b"} & set(fmt.visible(text))


def test_letters_of_every_script_stay():
    assert fmt.visible("Zoë Müller 日本 – €") == "Zoë Müller 日本 – €"


@pytest.mark.parametrize(
    ("count", "digits", "shown"),
    [(100, 4, "100"), (100.25, 4, "100.25"), (100.4, 0, "100"), (9.999999, 4, "10"), (1234.5, 4, "1,234.5")],
)
def test_shares_have_as_many_decimals_as_they_need(count, digits, shown):
    assert fmt.shares(count, digits) == shown


def test_a_short_day_is_the_long_one_in_little_room():
    assert fmt.short_date("2022-12-28") == "28 Dec 2022"

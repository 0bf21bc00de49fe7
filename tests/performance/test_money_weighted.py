"""Money-weighted returns: printed examples, the equation they solve, and the cases that have no answer."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from workbench.errors import ParameterError
from workbench.performance import (
    NoRateError,
    SeveralRatesError,
    account_money_weighted,
    compound,
    money_weighted,
    time_weighted,
)

DAYS = pd.to_datetime(["2008-01-01", "2008-03-01", "2008-10-30", "2009-02-15", "2009-04-01"])


def test_the_example_of_spreadsheets_xirr():
    # Microsoft's documentation of XIRR: 37.34 %.
    result = money_weighted([-10_000, 2_750, 4_250, 3_250, 2_750], DAYS)
    assert result.annual == pytest.approx(0.373362535, abs=1e-8)
    assert result.holding_period == pytest.approx((1 + result.annual) ** (456 / 365) - 1)
    shuffled = money_weighted([2_750, -10_000, 2_750, 4_250, 3_250], DAYS[[4, 0, 1, 2, 3]])
    assert shuffled == result


def test_periods_of_any_length():
    yearly = money_weighted([-200, 100, 170])
    assert yearly.annual == pytest.approx(0.20524865872714004, abs=1e-12)
    monthly = money_weighted([-200, 100, 170], years_per_period=1 / 12)
    assert monthly.per_period == pytest.approx(yearly.per_period)
    assert monthly.holding_period == pytest.approx(yearly.holding_period)
    assert monthly.annual is None
    quarters = money_weighted([-100, 0, 0, 0, 121], years_per_period=0.5)
    assert quarters.annual == pytest.approx(0.1)


@given(
    st.floats(1.0, 1e6), st.lists(st.floats(-0.3, 0.5), min_size=1, max_size=8), st.lists(st.floats(0, 1e5), min_size=8)
)
def test_the_rate_makes_the_amounts_worth_nothing(begin, returns, deposits):
    value = begin
    for rate, deposit in zip(returns, deposits):
        value = value * (1 + rate) + deposit
    paid = deposits[: len(returns)]
    result = money_weighted([-begin, *(-amount for amount in paid[:-1]), value - paid[-1]])
    worth = sum(
        amount / (1 + result.per_period) ** k
        for k, amount in enumerate([-begin, *(-a for a in paid[:-1]), value - paid[-1]])
    )
    assert worth == pytest.approx(0.0, abs=1e-6 * (begin + sum(paid)))
    assert min(returns) - 1e-6 <= result.per_period <= max(returns) + 1e-6


def test_dated_amounts_are_solved_to_rounding():
    rng = np.random.default_rng(5)
    for _ in range(50):
        day = np.append(0, np.sort(rng.choice(np.arange(1, 2500), 30, replace=False)))
        paid, rate = -np.append(100.0, rng.uniform(0, 20, 30)), rng.normal(0.05, 0.1)
        value = -(paid * (1 + rate) ** ((2600 - day) / 365)).sum()
        dates = pd.Timestamp("2010-01-01") + pd.to_timedelta(np.append(day, 2600), unit="D")
        assert money_weighted(np.append(paid, value), dates).annual == pytest.approx(rate, abs=1e-13)


def test_the_double_root_and_two_roots():
    with pytest.raises(SeveralRatesError, match=r"25\.00 %, 400\.00 %") as caught:
        money_weighted([-1_600, 10_000, -10_000])
    assert caught.value.rates == pytest.approx((0.25, 4.0))
    with pytest.raises(SeveralRatesError) as caught:
        money_weighted([-1.0, 2.0001, -1.0001])
    assert caught.value.rates == pytest.approx((0.0, 0.0001), abs=1e-9)
    assert money_weighted([-1.0, 2.0, -1.0]).per_period == pytest.approx(0.0, abs=1e-6)


def test_amounts_that_change_sides_often_and_still_have_one_rate():
    amounts = [-100.0, 90.0, -50.0, 10.0, 70.0]
    assert sum(a / (1 + money_weighted(amounts).per_period) ** k for k, a in enumerate(amounts)) == pytest.approx(
        0, abs=1e-9
    )


@pytest.mark.parametrize(
    ("amounts", "says"),
    [
        ([-100.0, 0.0], "same sign"),
        ([0.0, 0.0], "zero"),
        ([], "zero"),
        ([5.0], "same sign"),
        ([1, -1.5, 1.0], "no rate"),
    ],
)
def test_amounts_without_a_rate(amounts, says):
    with pytest.raises(NoRateError, match=says):
        money_weighted(amounts)


def test_amounts_that_cannot_be_right():
    with pytest.raises(NoRateError, match="one day"):
        money_weighted([-1.0, 2.0], [DAYS[0], DAYS[0]])
    with pytest.raises(ParameterError, match="missing"):
        money_weighted([-1.0, np.nan])
    with pytest.raises(ParameterError, match="dates"):
        money_weighted([-1.0, 2.0], DAYS)
    with pytest.raises(ParameterError, match="years_per_period"):
        money_weighted([-1.0, 2.0], years_per_period=0.0)


def test_leading_nothing_is_no_time():
    assert money_weighted([0.0, 0.0, -100.0, 110.0, 0.0]).years == 1.0


def test_accounts_at_once():
    sessions = pd.DatetimeIndex(["2020-01-01", "2020-07-01", "2020-12-31"])
    value = np.array([[100.0, 120.0, 132.0], [0.0, 50.0, 55.0], [0.0, 0.0, 0.0], [100.0, 300.0, 150.0]])
    flow = np.array([[0.0, 0.0], [50.0, 0.0], [0.0, 0.0], [200.0, 0.0]])
    table = account_money_weighted(value, flow, sessions)
    assert table["holding_period"].iloc[0] == pytest.approx(compound(time_weighted(value[0], flow[0])))
    assert table["holding_period"].iloc[1] == pytest.approx(0.1)
    assert table["annual"].notna().tolist() == [True, False, False, True]
    assert table["reason"].str.contains("zero").tolist() == [False, False, True, False]
    # The client of the last account put most of the money in before the fall.
    assert table["holding_period"].iloc[3] < compound(time_weighted(value[3], flow[3]))
    early = account_money_weighted(value, flow, sessions, timing="start")
    assert early["holding_period"].iloc[3] > table["holding_period"].iloc[3]
    with pytest.raises(ParameterError, match="sessions"):
        account_money_weighted(value, flow, sessions[:2])


def test_a_fortune_in_a_day_is_no_overflow():
    days = pd.DatetimeIndex(["2020-01-01", "2020-01-02"])
    for factor in (10.0, 1e9, 0.1, 1e-9):
        result = money_weighted([-1.0, factor], days)
        assert result.holding_period == pytest.approx(factor - 1.0)
        assert result.annual is None
    assert money_weighted([-1.0, 1e13]).holding_period == pytest.approx(1e13)


def test_several_rates_under_a_year_are_of_the_whole_time():
    with pytest.raises(SeveralRatesError, match="over the whole time") as caught:
        money_weighted([-1_600, 10_000, -10_000], years_per_period=0.25)
    assert caught.value.rates == pytest.approx((0.25**2 + 0.5, 24.0))


@given(st.lists(st.floats(-100.0, 100.0), min_size=3, max_size=6))
def test_any_amounts_have_one_rate_that_solves_them_or_an_error(amounts):
    try:
        result = money_weighted(amounts)
    except (NoRateError, SeveralRatesError) as error:
        event(type(error).__name__)
        return
    first = next(k for k, amount in enumerate(amounts) if amount)
    paid = np.array(amounts[first:])
    worth = paid * (1 + result.per_period) ** -np.arange(len(paid))
    assert worth.sum() == pytest.approx(0.0, abs=1e-6 * np.abs(worth).sum())

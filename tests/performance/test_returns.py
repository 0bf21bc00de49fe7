"""Returns of one period and of many, against printed examples and what must hold for any account."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import ParameterError
from workbench.performance import (
    UNDEFINED,
    annualise,
    compound,
    cumulative,
    drawdown,
    modified_dietz,
    net_of_fee,
    time_weighted,
    why_undefined,
    years_between,
)

rates = st.lists(st.floats(-0.5, 1.0), min_size=1, max_size=12)


def account(returns, flows, begin=1000.0):
    """Values of an account that earns `returns` and gets `flows` at the closes."""
    values = [begin]
    for rate, flow in zip(returns, flows):
        values.append(values[-1] * (1.0 + rate) + flow)
    return np.array(values)


@given(rates, st.data())
def test_flows_at_the_close_do_not_count(returns, data):
    flows = data.draw(st.lists(st.floats(0.0, 5000.0), min_size=len(returns), max_size=len(returns)))
    got = time_weighted(account(returns, flows), flows)
    assert got == pytest.approx(np.array(returns), abs=1e-9)


@given(rates, st.data(), st.floats(1e-4, 1e9))
def test_flows_at_the_start_do_not_count_and_the_currency_does_not_either(returns, data, scale):
    flows = np.array(data.draw(st.lists(st.floats(0.0, 5000.0), min_size=len(returns), max_size=len(returns))))
    values = [1000.0]
    for rate, flow in zip(returns, flows):
        values.append((values[-1] + flow) * (1.0 + rate))
    got = time_weighted(np.array(values) * scale, flows * scale, timing="start")
    assert got == pytest.approx(np.array(returns), abs=1e-9)


def test_many_accounts_at_once():
    value = np.array([[100.0, 110.0, 160.0], [0.0, 50.0, 45.0]])
    flow = np.array([[0.0, 50.0], [50.0, 0.0]])
    np.testing.assert_allclose(time_weighted(value, flow), [[0.1, 0.0], [np.nan, -0.1]])
    np.testing.assert_allclose(time_weighted(value, flow, "start"), [[0.1, 0.0], [0.0, -0.1]])


def test_a_total_loss_is_a_return_and_a_loss_of_more_is_none():
    value, flow = np.array([100.0, 0.0, -5.0, 20.0, -30.0]), np.array([0.0, 0.0, 30.0, 0.0])
    np.testing.assert_allclose(time_weighted(value, flow), [-1.0, np.nan, np.nan, np.nan])
    reasons = [UNDEFINED[code] for code in why_undefined(value, flow)]
    assert reasons == [
        "",
        "no money was invested",
        "the capital was negative",
        "more than all the capital was lost",
    ]


@pytest.mark.parametrize("timing", ["end", "start"])
def test_dust_of_a_loss_of_all_is_a_return_of_minus_one_and_compounds(timing):
    value, flow = ([100.0, 50.0], [50.0 + 1e-10]) if timing == "end" else ([50.0, -1e-10], [50.0])
    (found,) = time_weighted(value, flow, timing)
    assert found == -1.0
    assert compound([found, 0.1]) == -1.0


def test_what_sums_leave_behind_is_not_capital():
    value, flow = np.array([1e5, 1e-10, 1e5]), np.array([-1e5, 1e5])
    np.testing.assert_allclose(time_weighted(value, flow), [0.0, np.nan], atol=1e-12)


def test_a_later_fortune_does_not_change_an_earlier_return():
    small = time_weighted([1.0, 1.1], [0.0])
    later = time_weighted([1.0, 1.1, 1e15], [0.0, 1e15])
    assert later[0] == small[0]


def test_a_withdrawal_of_more_than_the_account_leaves_the_days_return():
    assert time_weighted([100.0, -20.0], [-130.0]) == pytest.approx([0.1])
    assert UNDEFINED[why_undefined([100.0, -20.0], [-130.0], "start")[0]] == "the capital was negative"


@pytest.mark.parametrize(
    ("value", "flow", "says"),
    [([1.0, 2.0], [0.0, 0.0], "shape"), ([1.0, np.nan], [0.0], "missing"), ([1.0, np.inf], [0.0], "infinite")],
)
def test_arrays_that_cannot_be_right_are_refused(value, flow, says):
    with pytest.raises(ParameterError, match=says):
        time_weighted(value, flow)
    with pytest.raises(ParameterError, match="timing"):
        time_weighted([1.0, 1.0], [0.0], timing="noon")


@given(rates)
def test_compounding_is_the_last_cumulative_return_and_does_not_mind_the_order(returns):
    total = compound(returns)
    assert total == pytest.approx(cumulative(returns)[-1])
    assert total == pytest.approx(compound(returns[::-1]))
    assert total == pytest.approx(np.prod([1 + rate for rate in returns]) - 1)


def test_a_hole_is_not_a_zero_unless_asked():
    returns = np.array([[np.nan, 0.1, 0.1], [0.1, np.nan, 0.1], [np.nan, np.nan, np.nan]])
    assert np.isnan(compound(returns)).all()
    np.testing.assert_allclose(compound(returns, skip_missing=True), [0.21, 0.21, np.nan])
    got = cumulative(returns, skip_missing=True)
    np.testing.assert_allclose(got, [[np.nan, 0.1, 0.21], [0.1, 0.1, 0.21], [np.nan] * 3])
    np.testing.assert_allclose(cumulative(returns)[1], [0.1, np.nan, np.nan])


def test_all_is_lost_for_good_and_more_is_refused():
    assert compound([-1.0, 3.0]) == -1.0
    with pytest.raises(ParameterError, match=r"below -100 %.*\(1,\)"):
        compound([0.0, -1.1])
    with pytest.raises(ParameterError, match="infinite"):
        compound([0.0, np.inf])


@given(rates)
def test_drawdowns_are_losses_from_the_highest_value(returns):
    wealth = np.cumprod([1.0, *(1 + rate for rate in returns)])
    slow = [wealth[t] / wealth[: t + 1].max() - 1 for t in range(1, len(wealth))]
    assert drawdown(returns) == pytest.approx(np.array(slow))


def test_nothing_under_a_year_is_annualised():
    assert annualise(0.21, 2.0) == pytest.approx(0.1)
    assert annualise(0.07, 1.0) == pytest.approx(0.07)
    for years in (0.999, 0.0, -1.0, float("nan")):
        with pytest.raises(ParameterError, match="annualised"):
            annualise(0.21, years)


@pytest.mark.parametrize(
    ("start", "end", "years"),
    [
        ("2021-12-31", "2022-12-31", 1.0),
        ("2019-12-31", "2022-12-31", 3.0),
        ("2020-02-29", "2021-02-28", 1.0),
        ("2022-01-01", "2022-07-02", 182 / 365),
        ("2023-06-30", "2024-12-30", 1 + 183 / 365),
        ("2022-01-01", "2022-01-01", 0.0),
    ],
)
def test_years_are_counted_by_the_calendar(start, end, years):
    assert years_between(pd.Timestamp(start), pd.Timestamp(end)) == pytest.approx(years)


def test_years_do_not_run_backwards():
    with pytest.raises(ParameterError, match="before the start"):
        years_between(pd.Timestamp("2022-01-02"), pd.Timestamp("2022-01-01"))


def test_modified_dietz_of_a_textbook_month():
    # Bacon (2008), section 2.3: 74.2m to 104.4m with 37.1m in on day 14 of 31, at the end of the day: weight 17/31.
    assert modified_dietz(74.2, 104.4, [37.1], [14 / 31]) == pytest.approx(-0.0730, abs=5e-5)
    # The simple Dietz of the same month weights the flow by a half.
    assert modified_dietz(74.2, 104.4, [37.1], [0.5]) == pytest.approx(-0.0744, abs=5e-5)


def test_modified_dietz_of_many_accounts():
    got = modified_dietz([100.0, 100.0], [110.0, 120.0], [[0.0, 0.0], [10.0, -5.0]], [0.25, 0.75])
    np.testing.assert_allclose(got, [0.1, 15.0 / (100 + 7.5 - 1.25)])


@given(st.floats(1.0, 1e6), st.floats(0.0, 1e6))
def test_modified_dietz_without_flows_is_the_simple_return(begin, end):
    assert modified_dietz(begin, end, [], []) == pytest.approx(end / begin - 1)
    assert modified_dietz(begin, end, [0.0], [0.3]) == pytest.approx(time_weighted([begin, end], [0.0])[0])


def test_modified_dietz_without_capital_is_refused_or_missing():
    with pytest.raises(ParameterError, match=r"average capital.*\(1,\)"):
        modified_dietz([100.0, 100.0], [0.0, 0.0], [[0.0], [-200.0]], [0.25])
    got = modified_dietz([100.0, 100.0], [90.0, 0.0], [[0.0], [-200.0]], [0.25], undefined="nan")
    np.testing.assert_allclose(got, [-0.1, np.nan])
    with pytest.raises(ParameterError, match="average capital"):
        modified_dietz(0.0, 0.0, [], [])
    with pytest.raises(ParameterError, match="fractions"):
        modified_dietz(100.0, 100.0, [1.0], [1.5])
    with pytest.raises(ParameterError, match="shapes"):
        modified_dietz([100.0, 100.0], [100.0, 100.0], [[1.0], [1.0], [1.0]], [0.5])


def test_a_model_fee_accrues_with_time():
    assert net_of_fee([0.02], 0.012, 1 / 12) == pytest.approx([1.02 * 0.999 - 1])
    assert net_of_fee([0.02], 0.012, 1 / 12, on="begin") == pytest.approx([0.019])
    assert net_of_fee([0.02], 0.0, 1.0) == pytest.approx([0.02])
    for rate in (-0.01, 1.0, float("nan")):
        with pytest.raises(ParameterError, match="fee"):
            net_of_fee([0.02], rate, 1.0)

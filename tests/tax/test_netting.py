import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import tax
from workbench.errors import ParameterError
from workbench.tax.netting import GainRates

money = st.integers(-50_000, 50_000).map(float)
loss = st.integers(0, 50_000).map(float)
RATES = GainRates(*(np.array(rate) for rate in (0.45, 0.25, 0.4, 0.0)))


def schedule_d(short, long, carried_short, carried_long, limit):
    """Schedule D, lines 7, 15, 16 and 21, and the Capital Loss Carryover Worksheet, line by line."""
    line7, line15 = short - carried_short, long - carried_long
    line16 = line7 + line15
    line21 = min(limit, -line16) if line16 < 0 else 0.0
    w4 = line21
    w5 = -line7 if line7 < 0 else 0.0
    w6 = max(line15, 0.0)
    w8 = max(w5 - (w4 + w6), 0.0)
    w9 = -line15 if line15 < 0 else 0.0
    w10 = max(line7, 0.0)
    w11 = max(w4 - w5, 0.0)
    w13 = max(w9 - (w10 + w11), 0.0)
    preferential = max(min(line15, line16), 0.0)
    return max(line16, 0.0) - preferential, preferential, line21, w8, w13


@given(money, money, loss, loss, st.sampled_from([1_500.0, 3_000.0]))
def test_netting_is_schedule_d_with_its_worksheet(short, long, carried_short, carried_long, limit):
    found = tax.net(short, long, carried_short, carried_long, limit=limit)
    assert (
        found.short_gain, found.long_gain, found.deduction, found.carryforward_short, found.carryforward_long
    ) == pytest.approx(schedule_d(short, long, carried_short, carried_long, limit))  # fmt: skip


@given(money, money, loss, loss)
def test_no_dollar_is_lost(short, long, carried_short, carried_long):
    found = tax.net(short, long, carried_short, carried_long)
    kept = found.short_gain + found.long_gain - found.deduction - found.carryforward_short - found.carryforward_long
    assert kept == pytest.approx(short + long - carried_short - carried_long)


def test_years_follow_each_other_and_households_go_side_by_side():
    first, second = tax.net_years([[-4_000, 0], [0, 500]], [[-2_000, -7_400], [1_000, 0]])
    assert first.carryforward_short.tolist() == [1_000, 0]
    assert first.carryforward_long.tolist() == [2_000, 4_400]
    assert second.deduction.tolist() == [2_000, 3_000]
    assert second.carryforward_long.tolist() == [0, 900]


def test_without_income_the_loss_is_carried_whole():
    found = tax.net(-5_000, 0, taxable_income=1_000)
    assert (found.deduction, found.carryforward_short) == (3_000, 4_000)


def test_a_separate_return_has_half_the_limit():
    assert tax.loss_limit(["single", "separate", "joint", "head"]).tolist() == [3_000, 1_500, 3_000, 3_000]


def test_the_tax_of_a_proposal_is_the_change_of_the_year():
    found = tax.tax_of_year(10_000, 0, RATES, realised_long=-4_000, carryforward_long=5_000)
    # before: 9,000 lost, 3,000 deducted; after: 1,000 of short-term gain
    assert found.before == pytest.approx(-0.4 * 3_000)
    assert found.change == pytest.approx(0.45 * 1_000 + 0.4 * 3_000)
    assert found.netted_after.carryforward_long == 0


def test_the_next_dollar_by_regime():
    gain = tax.marginal(RATES, realised_short=5_000, realised_long=5_000)
    assert (gain.short_gain, gain.long_gain, gain.short_loss, gain.long_loss) == pytest.approx((0.45, 0.25, 0.45, 0.25))
    crossed = tax.marginal(RATES, realised_short=5_000, realised_long=-2_000)
    assert (crossed.long_gain, crossed.long_loss) == pytest.approx((0.45, 0.45))
    small = tax.marginal(RATES, realised_short=-1_000)
    assert (small.short_gain, small.long_gain, small.long_loss) == pytest.approx((0.4, 0.4, 0.4))
    full = tax.marginal(RATES, realised_long=-9_000)
    assert (full.short_gain, full.long_gain, full.short_loss, full.long_loss) == pytest.approx((0, 0, 0, 0))


def test_a_carried_loss_is_worth_what_the_firm_says():
    households = pd.DataFrame({"ordinary_rate": [0.37], "long_term_rate": [0.2], "state_rate": [0.05], "niit": [True]})
    rates = tax.household_rates(households, carryforward_value=0.5)
    assert rates.short == pytest.approx([0.458])
    assert rates.long == pytest.approx([0.288])
    assert rates.deduction == pytest.approx([0.42])
    assert tax.marginal(rates, realised_long=-9_000).long_loss == pytest.approx([0.144])
    with pytest.raises(ParameterError):
        tax.household_rates(households, carryforward_value=2.0)


@given(money, money, st.integers(-5_000, 5_000).map(float), st.integers(-5_000, 5_000).map(float))
def test_more_gain_never_lowers_the_tax(short, long, more_short, more_long):
    def total(s, g):
        return tax.tax_of_year(s, g, RATES).after

    assert total(short + abs(more_short), long) >= total(short, long) - 1e-9
    assert total(short, long + abs(more_long)) >= total(short, long) - 1e-9


def test_a_negative_carryforward_is_refused():
    with pytest.raises(ParameterError, match="drop the sign"):
        tax.net(0, 0, -1.0)

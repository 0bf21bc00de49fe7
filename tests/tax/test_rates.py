import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import tax
from workbench.errors import ParameterError
from workbench.tax.rates import GAIN_RATES, ORDINARY_RATES, STATUSES, YEARS, tax_year

money = st.floats(0, 2e6)
years = st.sampled_from(sorted(YEARS))
statuses = st.sampled_from(STATUSES)


def by_slices(tops, rates, floor, ceiling):
    total, low = 0.0, 0.0
    for top, rate in zip([*tops, float("inf")], rates):
        total += rate * max(min(ceiling, top) - max(floor, low), 0.0)
        low = top
    return total


@given(years, statuses, money, money)
def test_brackets_stack(year, status, income, gain):
    figures, place = tax_year(year), STATUSES.index(status)
    gain = min(gain, income)
    low = by_slices(figures.ordinary[place], ORDINARY_RATES, 0.0, income - gain)
    high = by_slices(figures.gains[place], GAIN_RATES, income - gain, income)
    assert tax.ordinary_tax(year, status, income - gain) == pytest.approx(low)
    assert tax.capital_gains_tax(year, status, income, gain) == pytest.approx(high)
    assert tax.income_tax(year, status, income, gain) <= tax.ordinary_tax(year, status, income) + 1e-6
    assert tax.income_tax(year, status, income, gain) == pytest.approx(low + high)


@pytest.mark.parametrize("year", sorted(YEARS))
def test_figures_are_in_order_and_consistent(year):
    figures = YEARS[year]
    for tops in (*figures.ordinary, *figures.gains):
        assert list(tops) == sorted(set(tops))
    single, joint, separate, head = figures.ordinary
    assert single[:5] == separate[:5]
    # a joint return's brackets are twice the separate one's (to the rounding of the indexing)
    assert np.allclose(joint, 2 * np.array(separate), atol=100)
    assert all(top % 50 == 0 for top in (*joint, *head))
    assert all(top % 25 == 0 for top in (*single, *separate))
    assert figures.standard_deduction[1] == 2 * figures.standard_deduction[0]
    assert np.allclose(figures.gains[1][1], 2 * figures.gains[2][1], atol=100)
    if year - 1 in YEARS:
        assert np.all(np.array(figures.ordinary) >= np.array(YEARS[year - 1].ordinary))


@pytest.mark.parametrize(
    ("year", "status", "income", "expected"),
    [
        # "the tax is" amounts of the rate schedules
        (2018, "joint", 600_000, 161_379),
        (2018, "head", 500_000, 149_298),
        (2025, "joint", 501_050, 114_462),
        (2025, "joint", 751_600, 202_154.50),
        (2026, "single", 100_000, 16_712),
        (2026, "single", 250_000, 56_456),
    ],
)
def test_printed_amounts_of_the_schedules(year, status, income, expected):
    assert tax.ordinary_tax(year, status, income) == pytest.approx(expected)


def test_gain_above_the_top_threshold_is_taxed_at_20_and_deductions_use_up_gain_first():
    assert tax.capital_gains_tax(2026, "single", 645_500, 100_000) == pytest.approx(20_000)
    assert tax.capital_gains_tax(2026, "single", 50_000, 80_000) == pytest.approx(0.15 * (50_000 - 49_450))


def test_niit_is_on_the_lesser_and_not_below_zero():
    found = tax.niit(["joint", "single", "separate", "head"], [400_000, 190_000, 130_000, 260_000], 100_000)
    assert found == pytest.approx([3_800, 0, 190, 2_280])
    assert tax.niit("single", 300_000, -5_000) == 0


def test_marginal_rates_see_gains_pushed_into_a_higher_rate():
    # ordinary income of 30,000 with 30,000 of gains around the end of the 0 % rate: a dollar more costs 12 + 15 %
    rates = tax.marginal_rates(2025, "single", 60_000, 30_000)
    assert rates.ordinary == pytest.approx(0.27)
    assert rates.long == pytest.approx(0.15)
    high = tax.marginal_rates(2025, ["single", "joint"], [700_000, 200_000], [50_000, 0])
    assert high.short == pytest.approx([0.37 + 0.038, 0.22])
    assert high.long == pytest.approx([0.2 + 0.038, 0.15])


def test_what_is_not_on_file_is_refused():
    with pytest.raises(ParameterError, match="2017"):
        tax.ordinary_tax(2017, "single", 1.0)
    with pytest.raises(ParameterError, match="married"):
        tax.ordinary_tax(2025, "married", 1.0)

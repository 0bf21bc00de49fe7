"""Sides and least trades settled by fixing; wash sales that are priced instead of avoided."""

import sys
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as effort

sys.path.insert(0, str(Path(__file__).parent))
from made_up import AS_OF, IDS, household, households

from workbench.rebalance import _fix
from workbench.rebalance._relaxed import relaxed
from workbench.rebalance._tax_year import marginal
from workbench.rebalance.formulate import formulate
from workbench.rebalance.household import WashEvent
from workbench.rebalance.settings import Settings
from workbench.rebalance.solve import solve_household
from workbench.rebalance.solver.problem import BUY, SELL


def program(home, settings):
    return formulate(home, settings, marginal(home.tax, 0.0, 0.0, settings.carryforward_value))


def keeps_its_promise(home):
    made = program(home, Settings())
    if made is None:
        return
    first = relaxed(made.problem)
    found = _fix.fixed(made.problem, made.integrality, first)
    assert not _fix.washed_groups(made.problem, made.integrality, found.values)
    assert not _fix.both_ways(made.problem, made.integrality, found.values).any()
    assert not len(_fix.small_positions(made.problem, made.integrality, found.values, 1.0 - 1e-9))
    assert found.objective >= first.objective - 1e-7


@given(home=households())
@effort(max_examples=40, deadline=None)
def test_fixing_keeps_sides_and_least_trades_and_costs_something(home):
    keeps_its_promise(home)


def account(registration, cash, **holdings):
    return {"registration": registration, "cash": cash, "holdings": holdings}


UNKNOWN = float("nan")
ODD = {
    # AAA is sold at a loss; the small purchases that are given up would have it bought again with the money.
    "a purchase given up for a washed one": [
        account("taxable", 10.0, AAA=[(10.0, 150.0, 100)], AAB=[(10.0, 25.0, 900)])
    ],
    # A few dollars, below the least trade of every position they could go to.
    "dollars that go from one position to the next": [
        account("roth_ira", 10.0, TEC=[(1.0, 250.0, 900)]),
        account("roth_ira", 1_000.0, TEC=[(1_000.0, 125.0, 900)]),
    ],
    # An account of nothing, kept apart: its factors are curved a thousand times as much as the household's.
    "a group of no value": [account("trust", 0.0), account("529", 100.0, TEC=[(1_000.0, 125.0, 100)])],
    "holdings worth eleven times the household": [account("taxable", -10_000.0, AAA=[(110.0, UNKNOWN, 900)])],
}


@pytest.mark.parametrize("accounts", ODD.values(), ids=ODD)
def test_fixing_ends_only_when_nothing_is_left_to_fix(accounts):
    home = household(accounts)
    keeps_its_promise(home)
    assert not solve_household(home, Settings()).stalled


def test_a_small_loss_is_raised_to_the_least_trade_rather_than_given_up():
    # One lot far under water, worth less than the least trade; the others stand at cost.
    lots = [(4.0, 300.0, 900), (400.0, 50.0, 900)]
    home = household([{"registration": "taxable", "cash": 1_000.0, "holdings": {"AAB": lots}}])
    made = program(home, Settings(minimum_trade=600.0, minimum_weight=0.0))
    found = _fix.fixed(made.problem, made.integrality, relaxed(made.problem))
    first = len(made.buy_account)
    assert found.values[first] == pytest.approx(4.0 * 50.0 / made.value)


def lost_on(name, loss):
    code = IDS.index(name)
    sold, last = AS_OF - timedelta(days=5), AS_OF + timedelta(days=25)
    return WashEvent("loss_sale", code, code, 0, 100.0, sold, last, "T1", loss)


def test_a_priced_wash_sale_charges_the_purchase_what_the_loss_saved():
    account = [{"registration": "taxable", "cash": 100_000.0, "holdings": {}}]
    settings = Settings(wash="priced")
    free, charged = (program(household(account, wash=wash), settings) for wash in ((), (lost_on("AAA", 8.0),)))
    extra = charged.problem.linear - free.problem.linear
    bought = (charged.problem.kind == BUY) & (extra != 0)
    rates = marginal(household(account).tax, 0.0, 0.0, settings.carryforward_value)
    assert charged.buy_security[bought[: len(charged.buy_security)]].tolist() == [IDS.index("AAA")]
    # Dollars a share over the price: 8 x rate / 100.
    assert extra[bought][0] == pytest.approx(0.08 * max(rates.short_loss, rates.long_loss))


def test_a_priced_wash_sale_is_made_where_it_is_cheap_and_not_where_it_is_dear():
    account = [{"registration": "taxable", "cash": 100_000.0, "holdings": {}}]

    def bought(settings, wash):
        orders = solve_household(household(account, wash=wash), settings).orders
        return IDS.index("AAA") in orders.security[orders.shares > 0]

    assert not bought(Settings(), (lost_on("AAA", 0.01),))
    assert bought(Settings(wash="priced"), (lost_on("AAA", 0.01),))
    assert not bought(Settings(wash="priced"), (lost_on("AAA", 90.0),))


def test_priced_wash_sales_never_realise_and_replace_a_loss_in_one_proposal():
    lots = {"AAA": [(300.0, 140.0, 900)]}
    home = household([
        {"registration": "taxable", "cash": 0.0, "holdings": lots},
        {"registration": "roth_ira", "cash": 60_000.0, "holdings": {}},
    ])  # fmt: skip
    made = program(home, Settings(wash="priced"))
    group = IDS.index("AAA")
    for kind in (BUY, SELL):
        assert group in np.unique(made.integrality.wash_group[made.problem.kind == kind])

"""A legacy position sold over years: the budget holds, no share is lost, and speed has its price."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import ParameterError
from workbench.rebalance import Settings
from workbench.rebalance.household import Accounts, Household, Lots, Market, Models, TaxPosition
from workbench.rebalance.transition import frontier, plan

PRICE = 100.0
TODAY = date(2024, 6, 3)


def household_of(lots, *, realised_long=0.0, carryforward_long=0.0, cash=50_000.0, ira=()):
    """One taxable account with lots of STK (shares, basis, days held), an IRA with more of them, and cash."""
    accounts = [list(lots), list(ira)]
    rows = [lot for account in accounts for lot in account]
    held = [sum(shares for shares, _, _ in account) for account in accounts if account]
    ids = ("STK", "FUND", "CASH")
    nothing = np.zeros(3)
    market = Market(
        ids=ids, names=ids, kinds=("stock", "etf", "cash"), is_cash=np.array([False, False, True]),
        price=np.array([PRICE, 50.0, 1.0]), adv=np.full(3, np.nan), half_spread=nothing,
        asset_class=("US equity", "US equity", "Cash"), sector=("A", "B", "Cash"), issuer=ids,
        exposure=np.array([[0.2], [0.15], [0.0]]), specific=np.array([0.04, 0.0, 0.0]), proxied=np.zeros(3, bool),
        wash_group=np.arange(3, dtype=np.int32), wash_group_names=ids, screens=(frozenset(),) * 3, substitutes={},
        cash=2, code={name: place for place, name in enumerate(ids)},
    )  # fmt: skip
    free = np.full((1, 3), np.inf)
    models = Models(("M",), (1,), np.array([[0.0, 0.98, 0.02]]), -free, free, np.arange(3, dtype=np.int32)[None], ())
    starts = [np.datetime64(TODAY) - np.timedelta64(days, "D") for _, _, days in rows]
    return Household(
        household_id="H1", name="Test", advisor_id="", as_of=TODAY, market=market, models=models,
        tax=TaxPosition("joint", 0.4, 0.2, 0.35, 0.0, realised_long, 0.0, carryforward_long, None),
        accounts=Accounts(
            ids=("TAXED", "IRA"), registration=("taxable", "traditional_ira"), treatment=np.array([0, 1], np.int32),
            model=np.zeros(2, np.int32), discretionary=np.ones(2, bool), fee=np.zeros(2),
            cash=np.array([cash, 0.0]), kept_apart=np.zeros(2, bool), unmanaged=(None, None),
        ),
        account_ptr=np.array([0, 1, 1 + bool(ira)]), security=np.zeros(len(held), np.int32), quantity=np.array(held),
        lots=Lots(
            holding_ptr=np.array([0, len(lots), len(rows)][: len(held) + 1]),
            ids=np.array([f"L{i}" for i in range(len(rows))], object),
            quantity=np.array([lot[0] for lot in rows], float), basis=np.array([lot[1] for lot in rows], float),
            acquired_on=np.array(starts) - np.timedelta64(1, "D"), holding_start=np.array(starts),
        ),
    )  # fmt: skip


LOTS = st.lists(
    st.tuples(st.floats(1, 500).map(lambda x: round(x, 3)), st.floats(5, 160), st.integers(0, 3000)),
    min_size=1, max_size=8,
)  # fmt: skip


class TestPlan:
    @given(LOTS, st.floats(0, 40_000), LOTS)
    @settings(max_examples=25, deadline=None)
    def test_the_budget_holds_and_no_share_is_lost(self, lots, budget, ira):
        made = plan(household_of(lots, ira=ira), "STK", budget, years=8)
        left = sum(shares for shares, _, _ in [*lots, *ira])
        for year in made.years:
            assert year.short_gain + year.long_gain <= budget + 0.01
            left -= year.shares
            assert year.shares_left == pytest.approx(left, abs=1e-4)
            assert year.proceeds == pytest.approx(year.shares * PRICE, abs=0.01)
            assert all(sale.long for sale in year.sales if sale.gain is not None and sale.gain > 0.01)
            assert (year.short_gain, year.long_gain) == pytest.approx(
                tuple(
                    sum(s.gain for s in year.sales if s.gain is not None and s.long == term) for term in (False, True)
                )
            )
        sold: dict[str, float] = {}
        for row in made.sales_frame().itertuples():
            sold[row.lot_id] = sold.get(row.lot_id, 0.0) + row.shares
        for place, (shares, _, _) in enumerate([*lots, *ira]):
            assert sold.get(f"L{place}", 0.0) <= shares + 1e-5
        assert made.finished == (made.years[-1].shares_left == 0)

    @given(LOTS)
    @settings(max_examples=15, deadline=None)
    def test_a_larger_budget_never_sells_later(self, lots):
        household = household_of(lots)
        gain = sum(shares * max(PRICE - basis, 0.0) for shares, basis, _ in lots)
        slow, fast = (plan(household, "STK", gain / n + 1.0) for n in (4, 2))
        for late, early in zip(slow.years, fast.years, strict=False):
            assert early.shares_left <= late.shares_left + 1e-4

    def test_without_limit_all_long_lots_go_at_once(self):
        made = plan(household_of([(100.0, 40.0, 900), (50.0, 80.0, 500)]), "STK", None)
        assert made.finished
        assert [year.shares for year in made.years] == [150.0]
        assert made.tax == pytest.approx(0.2 * (100 * 60 + 50 * 20))
        assert made.weight_before == pytest.approx(15_000 / 65_000)

    def test_least_tax_first_and_losses_make_room(self):
        """A loss of 2,000 makes room for 3,000 of gain under a budget of 1,000, cheapest gain first."""
        made = plan(household_of([(100.0, 40.0, 900), (100.0, 120.0, 900), (100.0, 90.0, 900)]), "STK", 1_000.0)
        first = {sale.lot_id: sale.shares for sale in made.years[0].sales}
        assert first["L1"] == 100.0
        assert first["L2"] == 100.0
        assert first["L0"] == pytest.approx(2_000 / 60, abs=1e-5)

    def test_a_short_term_gain_waits_a_loss_does_not(self):
        made = plan(household_of([(10.0, 50.0, 100), (10.0, 130.0, 100)]), "STK", None)
        assert [sale.lot_id for sale in made.years[0].sales] == ["L1"]
        assert [sale.lot_id for sale in made.years[1].sales] == ["L0"]
        assert made.years[1].sales[0].long

    def test_gains_already_realised_use_the_first_years_budget(self):
        made = plan(household_of([(100.0, 50.0, 900)], realised_long=800.0), "STK", 1_000.0)
        assert made.years[0].long_gain == pytest.approx(200.0, abs=0.01)
        assert made.years[1].long_gain == pytest.approx(1_000.0, abs=0.01)

    def test_carried_losses_shelter_the_first_gains(self):
        made = plan(household_of([(100.0, 50.0, 900)], carryforward_long=10_000.0), "STK", None)
        # 3,000 would have been deducted at 35 % anyway, and 3,000 in each of the next years
        assert made.years[0].tax == pytest.approx(0.35 * 3_000 - 0.35 * 3_000)

    def test_untaxed_accounts_sell_at_once_whatever_the_budget(self):
        made = plan(household_of([(100.0, 50.0, 900)], ira=[(30.0, 10.0, 100)]), "STK", 0.0, years=2)
        assert made.years[0].shares == 30.0
        assert made.years[0].sales[0].gain is None
        assert not made.finished
        assert made.tax_left == pytest.approx(0.2 * 5_000 / 1.04**2)

    def test_unknown_basis_stays_unless_the_firm_sells_it(self):
        household = household_of([(10.0, float("nan"), 900), (10.0, 50.0, 900)])
        assert plan(household, "STK", None, years=1).years[0].shares == 10.0
        sold = plan(household, "STK", None, settings=Settings(sell_unknown_basis=True), years=1)
        assert sold.years[0].long_gain == pytest.approx(1_500.0)

    def test_tracking_error_is_that_of_the_position_against_the_model(self):
        made = plan(household_of([(100.0, 50.0, 900)]), "STK", 0.0, years=1)
        active = np.array([1.0, -0.98, -0.02])
        sigma = np.sqrt((active @ [0.2, 0.15, 0.0]) ** 2 + active[0] ** 2 * 0.04)
        assert made.tracking_error_before == pytest.approx(10_000 / 60_000 * sigma)


class TestFrontier:
    def test_slower_pays_tax_later_and_carries_more_risk(self):
        made = frontier(household_of([(1_000.0, 30.0, 2_000)]), "STK")
        frame = made.to_frame()
        assert frame["budget"].is_monotonic_increasing
        assert frame["years"].is_monotonic_decreasing
        assert frame["tax_value"].is_monotonic_increasing
        assert frame["risk_cost"].is_monotonic_decreasing
        assert made.cheapest.total == frame["total"].min()

    def test_the_plan_asked_for_is_the_households_budget_or_the_firms_years(self):
        household = household_of([(1_000.0, 30.0, 2_000)])
        four = frontier(household, "STK", settings=Settings(transition_years=4))
        assert len(four.plans[four.asked].years) == 4
        own = frontier(replace(household, tax=replace(household.tax, gain_budget=5_000.0)), "STK")
        assert own.plans[own.asked].budget == 5_000.0 == own.own_budget
        assert len(own.plans[own.asked].years) == 15  # fourteen budgets, and what cutting shares left

    def test_what_waiting_saves_is_the_interest_on_the_tax_put_off(self):
        made = frontier(household_of([(1_000.0, 30.0, 2_000)]), "STK", [35_000.0, None], discount_rate=0.05)
        slow, fast = made.plans
        assert made.saved(fast) == 0.0
        assert made.saved(slow) == pytest.approx(7_000.0 * (1.0 - 1.0 / 1.05))
        assert made.to_frame()["saved"].tolist() == [made.saved(slow), 0.0]

    def test_a_firm_that_does_not_mind_risk_waits(self):
        household = household_of([(1_000.0, 30.0, 2_000)])
        calm = frontier(household, "STK", settings=Settings(risk_aversion=0.0))
        assert calm.cheapest is calm.plans[0]
        assert frontier(household, "STK", settings=Settings(risk_aversion=1_000.0)).cheapest is not calm.plans[0]


@pytest.mark.parametrize(
    ("security", "budget", "more", "named"),
    [("NONE", 1.0, {}, "no security"), ("FUND", 1.0, {}, "holds no lots"), ("STK", -1.0, {}, "budget"),
     ("STK", 1.0, {"years": 0}, "years"), ("STK", 1.0, {"discount_rate": 2.0}, "discount_rate")],
)  # fmt: skip
def test_what_cannot_be_planned_is_named(security, budget, more, named):
    with pytest.raises(ParameterError, match=named):
        plan(household_of([(10.0, 50.0, 900)]), security, budget, **more)


def test_no_price_no_plan():
    household = household_of([(10.0, 50.0, 900)])
    unpriced = replace(household, market=replace(household.market, price=np.array([np.nan, 50.0, 1.0])))
    with pytest.raises(ParameterError, match="no price"):
        plan(unpriced, "STK", 1.0)

"""No proposal breaks a hard limit, oversells a lot, ends in negative cash or makes a wash sale it does not declare."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from made_up import AS_OF, IDS, household, households

from workbench.rebalance import Settings, propose
from workbench.rebalance.household import CashDemand, Restriction, WashEvent

MODES = ("full", "raise_cash", "invest_cash", "harvest", "transition", "direct_index")
fuzz = hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


def check(home, proposal, settings):
    """Everything that must hold whatever the household looks like."""
    market = home.market
    lots = {str(name): float(q) for name, q in zip(home.lots.ids, home.lots.quantity, strict=True)}
    owner = np.repeat(np.arange(len(home.accounts.ids)), np.diff(home.account_ptr))
    held = {
        (home.accounts.ids[a], market.ids[s]): float(q)
        for a, s, q in zip(owner, home.security, home.quantity, strict=True)
    }
    sold: dict[str, float] = {}
    places = [(t.account_id, t.security_id) for t in proposal.trades]
    assert len(places) == len(set(places)), "one order a position"
    for trade in proposal.trades:
        place = (trade.account_id, trade.security_id)
        assert trade.shares > 0
        assert trade.price > 0
        assert trade.amount == round(trade.shares * trade.price, 2)
        if trade.side == "sell":
            assert trade.shares <= held[place] + 1e-5
            assert sum(lot.shares for lot in trade.lots) == pytest.approx(trade.shares, abs=2e-6)
            for lot in trade.lots:
                sold[lot.lot_id] = sold.get(lot.lot_id, 0.0) + lot.shares
        if settings.whole_shares and trade.shares != round(trade.shares):
            assert trade.side == "sell"
            assert trade.shares == pytest.approx(held[place], abs=1e-5)
    for lot, shares in sold.items():
        assert shares <= lots[lot] + 1e-6, "a lot is oversold"
    _check_obstacles(home, proposal, settings)
    _check_cash(home, proposal)
    _check_wash(home, proposal, settings)
    table = proposal.tax_table
    if settings.gain_budget == "hard" and table.budget is not None:
        over = table.budget_used_after - max(table.budget, table.budget_used_before)
        assert over <= 1.0 or any("gain budget" in party for c in proposal.conflicts for party in c.parties)


def _check_obstacles(home, proposal, settings):
    index = {name: a for a, name in enumerate(home.accounts.ids)}
    for trade in proposal.trades:
        account = index[trade.account_id]
        assert home.accounts.model[account] >= 0, "an account without model was traded"
        for r in home.restrictions:
            if r.account not in (-1, account):
                continue
            names = r.key == trade.security_id or (r.kind == "screen" and trade.security_id == "XXX")
            if r.kind in ("never_buy", "never_hold", "screen") and names:
                assert trade.side == "sell"
            if r.kind == "never_sell" and names:
                assert trade.side == "buy"
            if r.kind == "hold_lot":
                assert r.key not in [lot.lot_id for lot in trade.lots]
        if settings.mode == "raise_cash":
            assert trade.side == "sell"
        if settings.mode == "invest_cash":
            assert trade.side == "buy"


def _check_cash(home, proposal):
    for a, state in enumerate(proposal.accounts):
        before = float(home.accounts.cash[a])
        if any(t.side == "buy" and t.account_id == state.account_id for t in proposal.trades):
            assert state.cash_after >= -0.01, "purchases on credit"
        if before < 0 and home.accounts.model[a] >= 0 and state.cash_after < -0.01:
            assert any(state.account_id in c.violated for c in proposal.conflicts), "negative cash, not declared"
        assert state.cash_after >= min(before, 0.0) - 0.01


def _check_wash(home, proposal, settings):
    market = home.market
    losses = {
        t.security_id for t in proposal.trades
        for lot in t.lots if lot.term != "untaxed" and lot.gain is not None and lot.gain < -0.005
    }  # fmt: skip
    bought = {t.security_id for t in proposal.trades if t.side == "buy"}
    assert not losses & bought or settings.wash == "priced"
    if settings.wash == "avoid":
        for event in home.wash:
            name = market.ids[event.security]
            if event.kind == "loss_sale":
                assert name not in bought
            elif event.kind == "purchase":
                assert name not in losses
    declared = {s for row in proposal.wash if row.proposed and row.kind == "no_buy" for s in row.securities}
    assert losses <= declared


@fuzz
@given(
    home=households(), mode=st.sampled_from(MODES), whole=st.booleans(),
    bands=st.sampled_from(["target", "half", "edge"]), wash=st.sampled_from(["avoid", "avoid", "priced"]),
)  # fmt: skip
def test_no_proposal_breaks_what_must_hold(home, mode, whole, bands, wash):
    settings = Settings(mode=mode, whole_shares=whole, bands=bands, wash=wash)
    check(home, propose(home, settings), settings)


def test_forty_accounts():
    kinds = ("taxable", "traditional_ira", "roth_ira", "trust")
    accounts = [
        {"registration": kinds[k % 4], "cash": 5_000.0 + k,
         "holdings": {"AAA": [(100.0 + k, 80.0 + k, 400)], "BND": [(500.0, 22.0, 100)], "OLD": [(3.0, 100.0, 900)]}}
        for k in range(40)
    ]  # fmt: skip
    home = household(accounts)
    proposal = propose(home)
    check(home, proposal, Settings())
    (group,) = proposal.groups
    assert group.tracking_error_after < group.tracking_error_before


def _plain(**changes):
    account = {"registration": "taxable", "cash": 2_000.0,
               "holdings": {"AAA": [(500.0, 90.0, 800)], "BND": [(1_000.0, 21.0, 800)]}}  # fmt: skip
    return [{**account, **changes}]


def test_a_loss_is_harvested_and_its_substitute_bought():
    home = household(_plain(holdings={"AAA": [(350.0, 140.0, 800)], "BND": [(1_800.0, 20.0, 800)]}))
    proposal = propose(home)
    check(home, proposal, Settings())
    sale = next(t for t in proposal.trades if t.security_id == "AAA" and t.side == "sell")
    bought = next(t for t in proposal.trades if t.security_id == "AAB")
    assert sale.reason.cause == "harvest"
    assert sale.reason.replaced_by == "AAB"
    assert sale.tax < 0
    assert bought.reason.cause == "replacement"
    assert bought.reason.replaces == "AAA"
    assert (sale.reason.until - AS_OF).days == 31
    assert proposal.tax_table.losses_harvested > 0


def test_a_recent_purchase_elsewhere_in_the_household_blocks_the_loss():
    code = IDS.index("AAA")
    event = WashEvent("purchase", code, code, 0, 5.0, AS_OF, AS_OF.replace(month=7, day=30), "L9", 0.0)
    home = household(_plain(holdings={"AAA": [(600.0, 140.0, 800)], "BND": [(500.0, 20.0, 800)]}), wash=(event,))
    proposal = propose(home)
    assert not [t for t in proposal.trades if t.security_id == "AAA"]
    refusal = next(r for r in proposal.refused if r.security_id == "AAA")
    assert refusal.obstacle == "wash_sale"
    assert refusal.source == "L9"
    assert refusal.until.isoformat() == "2025-07-31"


def test_an_exceeded_budget_stops_gains_and_costs_tracking():
    holdings = {"AAA": [(900.0, 20.0, 800)], "BND": [(200.0, 20.0, 800)]}
    free = propose(household(_plain(holdings=holdings)))
    bound = propose(household(_plain(holdings=holdings), gain_budget=1_000.0, realised_long=5_000.0))
    assert free.tax_table.proposed_long > 1_000
    assert bound.tax_table.proposed_long + bound.tax_table.proposed_short <= 0.01
    limit = next(limit for limit in bound.limits if limit.kind == "gain_budget")
    assert limit.price > 0
    assert limit.tracking_bp > 0


def test_lots_of_unknown_basis_stay_and_say_so():
    home = household(_plain(holdings={"OLD": [(100.0, float("nan"), 800)], "BND": [(500.0, 20.0, 800)]}))
    proposal = propose(home)
    assert not [t for t in proposal.trades if t.security_id == "OLD"]
    assert next(r for r in proposal.refused if r.security_id == "OLD").obstacle == "unknown_basis"
    allowed = propose(home, Settings(sell_unknown_basis=True))
    sale = next(t for t in allowed.trades if t.security_id == "OLD")
    assert sale.gain_long == sale.amount
    assert sale.lots[0].gain is None


def test_a_distribution_is_raised_before_anything_else():
    accounts = [{"registration": "traditional_ira", "cash": 100.0,
                 "holdings": {"AAA": [(400.0, 90.0, 800)], "BND": [(1_000.0, 21.0, 800)]}}]  # fmt: skip
    need = CashDemand(0, "rmd", 9_000.0, AS_OF.replace(month=12, day=31), "required distribution of 2025")
    home = household(accounts, needs=(need,))
    for mode in ("full", "raise_cash"):
        proposal = propose(home, Settings(mode=mode))
        (row,) = proposal.cash_needs
        assert row.available_before == 100.0
        assert row.available_after >= 9_000.0


def test_a_demand_that_cannot_be_met_names_what_stands_against_it():
    lock = Restriction("R1", -1, "never_sell", "Equity", None, "", None)
    need = CashDemand(0, "withdrawal", 40_000.0, None, "R2")
    home = household(_plain(cash=500.0, holdings={"AAA": [(500.0, 90.0, 800)]}), restrictions=(lock,), needs=(need,))
    proposal = propose(home)
    (conflict,) = proposal.conflicts
    assert conflict.parties == ("withdrawal R2", "never_sell R1")
    assert conflict.amount == pytest.approx(39_500.0, abs=1.0)


def test_owed_cash_comes_before_the_gain_budget_by_the_least_gain():
    holdings = {"AAA": [(200.0, 20.0, 800), (200.0, 95.0, 800)]}
    need = CashDemand(0, "withdrawal", 10_000.0, None, "R2")
    home = household(_plain(cash=0.0, holdings=holdings), needs=(need,), gain_budget=0.0)
    proposal = propose(home)
    assert proposal.accounts[0].cash_after >= 10_000
    assert 0 < proposal.tax_table.proposed_long < 700
    assert any("gain budget" in party for c in proposal.conflicts for party in c.parties)


def test_contradicting_restrictions_are_named_as_a_pair():
    pair = (Restriction("R1", 0, "never_hold", "OLD", None, "", None),
            Restriction("R2", 0, "never_sell", "OLD", None, "", None))  # fmt: skip
    home = household(_plain(holdings={"OLD": [(100.0, 90.0, 800)]}), restrictions=pair)
    proposal = propose(home)
    assert not [t for t in proposal.trades if t.security_id == "OLD"]
    assert ("never_hold R1", "never_sell R2") in [c.parties for c in proposal.conflicts]


def test_the_same_household_gives_the_same_proposal():
    home = household(_plain())
    assert propose(home) == propose(home)


def test_a_transition_sells_a_third_of_what_the_model_does_not_name():
    home = household(_plain(holdings={"OLD": [(300.0, 390.0, 800)], "BND": [(1_000.0, 20.0, 800)]}))
    proposal = propose(home, Settings(mode="transition", transition_years=3))
    sale = next(t for t in proposal.trades if t.security_id == "OLD")
    assert 80 <= sale.shares <= 101
    assert sale.reason.cause == "transition"


def test_bonds_move_to_the_ira_and_shares_to_the_taxed_account():
    accounts = [
        {"registration": "taxable", "cash": 2_000.0, "holdings": {"BND": [(5_000.0, 20.0, 800)]}},
        {"registration": "traditional_ira", "cash": 2_000.0,
         "holdings": {"AAA": [(600.0, 90.0, 800)], "INT": [(250.0, 50.0, 800)], "BND": [(1_200.0, 20.0, 800)]}},
    ]  # fmt: skip
    home = household(accounts)
    proposal = propose(home)
    check(home, proposal, Settings())
    assert any(t.side == "sell" and t.security_id == "BND" and t.account_id == "A00" for t in proposal.trades)
    assert not any(t.side == "buy" and t.security_id == "BND" and t.account_id == "A00" for t in proposal.trades)


def test_a_household_inside_its_bands_is_left_alone_where_the_policy_says_so():
    inside = {"AAA": [(310.0, 90.0, 800)], "BND": [(1_750.0, 20.0, 800)], "EMK": [(200.0, 40.0, 800)],
              "INT": [(240.0, 55.0, 800)], "TEC": [(24.0, 250.0, 800)], "XXX": [(380.0, 10.0, 800)]}  # fmt: skip
    home = household(_plain(cash=3_000.0, holdings=inside))
    policy = Settings(only_outside_bands=True, minimum_trade=1.0, minimum_weight=0.0)
    assert not propose(home, policy).trades
    moved = household(_plain(cash=3_000.0, holdings={**inside, "AAA": [(500.0, 90.0, 800)]}))
    assert propose(moved, policy).trades
    need = CashDemand(0, "withdrawal", 9_000.0, None, "R1")
    owed = propose(household(_plain(cash=3_000.0, holdings=inside), needs=(need,)), policy)
    assert owed.trades
    assert owed.accounts[0].cash_after >= 9_000.0


def test_too_little_benefit_is_not_worth_a_trade():
    home = household(_plain())
    done = propose(home)
    assert done.trades
    assert done.benefit > 0
    worth = (done.benefit - done.tax - done.cost) / done.groups[0].value
    assert propose(home, Settings(least_benefit=worth * 0.9)).trades
    left = propose(home, Settings(least_benefit=min(worth * 1.1, 1.0)))
    assert not left.trades
    assert left.benefit == 0.0
    assert {r.obstacle for r in left.refused} == {"cost"}


def test_benefit_is_money_and_holds_no_price_of_a_limit():
    home = household(_plain(cash=60_000.0))
    proposal = propose(home, Settings(location=False))
    (group,) = proposal.groups
    saved = group.tracking_error_before**2 - group.tracking_error_after**2
    assert proposal.benefit == pytest.approx(10.0 * group.value * saved, rel=1e-3)
    dearer = propose(home, Settings(location=False, band_price=5.0))
    assert dearer.benefit <= 10.0 * group.value * group.tracking_error_before**2
    assert proposal.accounts[0].cash_after <= proposal.accounts[0].cash_ceiling + 600.0


def test_a_gain_taken_days_before_it_turns_long_says_what_waiting_saves():
    need = CashDemand(0, "withdrawal", 40_000.0, None, "R1")
    home = household(_plain(cash=0.0, holdings={"AAA": [(500.0, 50.0, 350)]}), needs=(need,))
    (sale,) = propose(home).trades
    assert sale.reason.turns_long == date(2025, 7, 16)
    assert sale.reason.waiting_saves == pytest.approx(sale.gain_short * (0.408 - 0.238), rel=0.01)
    later = household(_plain(cash=0.0, holdings={"AAA": [(500.0, 50.0, 100)]}), needs=(need,))
    (early,) = propose(later).trades
    assert early.reason.turns_long is None
    assert early.reason.waiting_saves == 0.0

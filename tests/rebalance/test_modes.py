"""Each mode does what its name says and nothing beside."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from made_up import household
from test_propose import check

from workbench.rebalance import Settings, propose
from workbench.rebalance.household import CashDemand

OFF = {"AAA": [(900.0, 60.0, 800), (100.0, 99.0, 800)], "BND": [(300.0, 26.0, 800)], "OLD": [(100.0, 300.0, 900)]}


def _home(cash=2_000.0, holdings=None, registration="taxable", **changes):
    account = {"registration": registration, "cash": cash, "holdings": OFF if holdings is None else holdings}
    return household([account], **changes)


def _checked(home, **changes):
    policy = Settings(**changes)
    proposal = propose(home, policy)
    check(home, proposal, policy)
    return proposal


def test_raising_cash_sells_what_is_asked_for_and_no_more():
    home = _home(cash=0.0, needs=(CashDemand(0, "withdrawal", 9_000.0, None, "R1"),))
    proposal = _checked(home, mode="raise_cash")
    assert {t.side for t in proposal.trades} == {"sell"}
    assert {t.reason.cause for t in proposal.trades} == {"raise_cash"}
    (state,) = proposal.accounts
    assert state.cash_after >= 9_000.0
    assert abs(state.cash_after - state.cash_floor) <= 100.0, "within a share"


def test_raising_cash_takes_the_lots_of_least_tax():
    home = _home(cash=0.0, needs=(CashDemand(0, "withdrawal", 8_000.0, None, "R1"),),
                 holdings={"AAA": [(400.0, 20.0, 800), (400.0, 99.0, 800), (400.0, 60.0, 20)]})  # fmt: skip
    proposal = _checked(home, mode="raise_cash")
    assert [lot.lot_id for t in proposal.trades for lot in t.lots] == ["L0-AAA-1"]


def test_nothing_is_sold_where_no_cash_is_asked_for():
    assert not _checked(_home(cash=20_000.0), mode="raise_cash").trades


def test_investing_cash_buys_what_is_low_and_sells_nothing():
    proposal = _checked(_home(cash=60_000.0), mode="invest_cash")
    assert {t.side for t in proposal.trades} == {"buy"}
    assert proposal.tax == 0.0
    (group,) = proposal.groups
    assert group.tracking_error_after < group.tracking_error_before
    assert "AAA" not in {t.security_id for t in proposal.trades}, "AAA is above its target"


def test_harvesting_sells_losses_alone_and_keeps_cash_and_tracking():
    holdings = {"AAA": [(200.0, 60.0, 800), (200.0, 140.0, 300)], "BND": [(1_750.0, 24.0, 100)]}
    proposal = _checked(_home(cash=3_000.0, holdings=holdings), mode="harvest")
    sales = [t for t in proposal.trades if t.side == "sell"]
    assert sales
    assert all(lot.gain < 0 for t in sales for lot in t.lots)
    assert {t.reason.cause for t in sales} == {"harvest"}
    assert proposal.tax < 0
    (state,), (group,) = proposal.accounts, proposal.groups
    assert state.cash_after >= state.cash_before - 1.0
    assert group.tracking_error_after <= group.tracking_error_before + 0.002
    assert {t.security_id for t in proposal.trades if t.side == "buy"} >= {"AAB"}


def test_harvesting_leaves_a_cash_need_to_the_modes_that_trade_for_it():
    assert not _checked(_home(cash=50_000.0, holdings={"AAA": [(100.0, 50.0, 800)]}), mode="harvest").trades


@pytest.mark.parametrize("years", [1, 2, 4])
def test_a_transition_keeps_to_its_pace_and_its_budget(years):
    home = _home(holdings={"OLD": [(300.0, 100.0, 900), (100.0, 390.0, 900)], "BND": [(1_000.0, 20.0, 800)]},
                 gain_budget=20_000.0)  # fmt: skip
    proposal = _checked(home, mode="transition", transition_years=years)
    sold = sum(t.shares for t in proposal.trades if t.security_id == "OLD")
    assert 0 < sold <= 400.0 / years + 1.0
    assert proposal.tax_table.budget_used_after <= 20_000.0


def test_direct_indexing_holds_small_names_that_a_full_rebalance_would_not_trade():
    holdings = {"AAA": [(3_000.0, 90.0, 800)], "BND": [(17_500.0, 20.0, 800)], "INT": [(2_500.0, 55.0, 800)],
                "EMK": [(1_950.0, 40.0, 800)], "TEC": [(240.0, 250.0, 800)]}  # fmt: skip
    home = _home(cash=25_000.0, holdings=holdings)
    coarse = {"minimum_weight": 0.05, "cash_ceiling": 0.0}
    assert not [t for t in _checked(home, **coarse).trades if t.amount < 0.05 * 963_000]
    assert [t for t in _checked(home, mode="direct_index", **coarse).trades if t.amount < 0.05 * 963_000]


def test_a_loss_in_one_account_is_not_bought_back_in_another():
    accounts = [
        {"registration": "taxable", "cash": 1_000.0,
         "holdings": {"AAA": [(500.0, 140.0, 200)], "BND": [(900.0, 20.0, 800)]}},
        {"registration": "roth_ira", "cash": 60_000.0, "holdings": {}},
        {"registration": "trust", "cash": 30_000.0, "holdings": {"AAA": [(5.0, 60.0, 200)]}},
    ]  # fmt: skip
    proposal = _checked(household(accounts))
    losers = {t.security_id for t in proposal.trades for lot in t.lots if lot.term != "untaxed" and lot.gain < 0}
    assert not losers & {t.security_id for t in proposal.trades if t.side == "buy"}
    assert np.isfinite(proposal.benefit)

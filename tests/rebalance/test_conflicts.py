"""Demands that cannot all hold are named in pairs, with the least that was missed; notes say what else matters."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from made_up import AS_OF, household

from workbench.rebalance import Settings, propose
from workbench.rebalance.household import CashDemand, Restriction


def _account(registration="taxable", cash=500.0, **holdings):
    return {"registration": registration, "cash": cash, "holdings": {k: [(v, 0.9, 800)] for k, v in holdings.items()}}


def _never_sell(name, key, account=-1):
    return Restriction(name, account, "never_sell", key, None, "", None)


def test_a_distribution_larger_than_the_account_names_its_value():
    need = CashDemand(0, "rmd", 90_000.0, AS_OF.replace(month=12, day=31), "required distribution of 2025")
    proposal = propose(household([_account("traditional_ira", AAA=500.0)], needs=(need,)))
    (conflict,) = proposal.conflicts
    assert conflict.parties == ("rmd required distribution of 2025", "value of A00")
    assert conflict.amount == pytest.approx(90_000 - 50_500, abs=60.0)
    assert proposal.accounts[0].cash_after == pytest.approx(50_500, abs=60.0)


def test_a_floor_above_the_accounts_value_is_a_conflict_with_that_value():
    need = CashDemand(0, "min_cash", 80_000.0, None, "R9")
    (conflict,) = propose(household([_account("roth_ira", AAA=100.0)], needs=(need,))).conflicts
    assert conflict.parties == ("min_cash R9", "value of A00")
    assert "deposit cash" in conflict.remedy


def test_only_the_locks_that_matter_are_named():
    need = CashDemand(0, "withdrawal", 40_000.0, None, "R5")
    locks = (_never_sell("R1", "AAA"), _never_sell("R2", "EMK"), _never_sell("R3", "TEC"))
    home = household([_account("roth_ira", AAA=500.0, EMK=10.0)], needs=(need,), restrictions=locks)
    (conflict,) = propose(home).conflicts
    assert conflict.parties == ("withdrawal R5", "never_sell R1")  # EMK is too little, TEC is not held


def test_every_lot_locked_is_named_lot_by_record():
    locks = tuple(Restriction(f"R{k}", 0, "hold_lot", f"L0-AAA-{k}", None, "", None) for k in range(2))
    home = household(
        [{"registration": "taxable", "cash": 0.0, "holdings": {"AAA": [(200.0, 90.0, 800), (200.0, 95.0, 800)]}}],
        restrictions=locks, needs=(CashDemand(0, "withdrawal", 30_000.0, None, "R7"),),
    )  # fmt: skip
    proposal = propose(home)
    assert not proposal.trades
    assert any(c.parties[0] == "withdrawal R7" and c.amount == pytest.approx(30_000) for c in proposal.conflicts)


def test_a_cap_against_a_lock_names_both():
    rules = (Restriction("R1", -1, "max_weight", "OLD", 0.10, "", None), _never_sell("R2", "OLD"))
    home = household([_account("roth_ira", OLD=100.0, BND=500.0)], restrictions=rules)
    (conflict,) = propose(home).conflicts
    assert conflict.parties == ("max_weight R1", "never_sell R2")
    assert conflict.amount == pytest.approx(40_000 - 0.1 * 50_500, abs=5.0)


def test_consent_and_accounts_without_model_are_said():
    home = household([_account("roth_ira", cash=90_000.0), {**_account(OLD=10.0), "model": -1}])
    accounts = replace(home.accounts, discretionary=home.accounts.discretionary & False)
    proposal = propose(replace(home, accounts=replace(accounts, unmanaged=(None, "no model in force"))))
    notes = {(note.kind, note.account_id): note for note in proposal.notes}
    assert set(notes) == {("consent", "A00"), ("unmanaged", "A01")}
    assert notes["consent", "A00"].amount == proposal.accounts[0].traded > 0
    assert notes["unmanaged", "A01"].amount == pytest.approx(4_500.0)


def test_a_household_of_unmanaged_accounts_alone_says_so():
    proposal = propose(household([{**_account(OLD=10.0), "model": -1}]), Settings())
    assert not proposal.trades
    assert [note.kind for note in proposal.notes] == ["unmanaged"]


def test_the_remedy_says_when_lifting_one_lock_is_not_enough():
    locks = tuple(_never_sell(f"R{k}", key) for k, key in enumerate(("AAA", "EMK", "TEC")))
    home = household([_account("roth_ira", cash=0.0, AAA=100.0, EMK=300.0, TEC=10.0)], restrictions=locks,
                     needs=(CashDemand(0, "withdrawal", 20_000.0, None, "R9"),))  # fmt: skip
    (conflict,) = propose(home).conflicts
    assert conflict.parties == ("withdrawal R9", "never_sell R0", "never_sell R1")
    assert conflict.remedy == "deposit cash in A00, or lift these, which together free $22,000"


def test_a_holding_that_must_go_and_may_not_is_missed_by_its_value():
    rules = (Restriction("R1", -1, "never_hold", "OLD", None, "", None), _never_sell("R2", "OLD"))
    (conflict,) = propose(household([_account("roth_ira", OLD=10.0, BND=500.0)], restrictions=rules)).conflicts
    assert (conflict.violated, conflict.amount) == ("never_hold R1", 4_000.0)


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [("max_weight", "AAA", 7.0), ("max_weight", "AAA", None), ("min_cash", "CASH", None), ("min_cash", "CASH", -1.0),
     ("directive", "Raise", -5.0), ("hold_lot", "no such lot", None)],
)  # fmt: skip
def test_a_record_that_cannot_be_obeyed_is_named(kind, key, value):
    rule = Restriction("R1", 0, kind, key, value, "", None)
    (conflict,) = propose(household([_account("roth_ira", AAA=500.0)], restrictions=(rule,))).conflicts
    assert conflict.parties == (f"{kind} R1",)
    assert conflict.remedy.startswith("correct ")


def test_a_mode_that_sells_nothing_is_what_stands_against_owed_cash_and_caps():
    rules = (Restriction("R1", -1, "max_weight", "OLD", 0.10, "", None),)
    need = CashDemand(0, "withdrawal", 10_000.0, None, "R2")
    home = household([_account("roth_ira", OLD=100.0, BND=500.0)], restrictions=rules, needs=(need,))
    found = {conflict.parties for conflict in propose(home, Settings(mode="invest_cash")).conflicts}
    assert found == {("max_weight R1", "mode invest_cash"), ("withdrawal R2", "mode invest_cash")}
    assert not propose(home, Settings()).conflicts


def test_an_empty_account_with_a_model_of_its_own_is_off_no_target():
    home = household([_account("roth_ira", AAA=100.0, BND=500.0), _account("529", cash=0.0)])
    proposal = propose(home)
    (empty,) = [group for group in proposal.groups if group.accounts == ("A01",)]
    assert (empty.value, empty.tracking_error_before, empty.active_share_before) == (0.0, 0.0, 0.0)
    assert {row.group for row in proposal.levels} == {group.group for group in proposal.groups} - {empty.group}
    assert all(refusal.account_id == "A00" for refusal in proposal.refused)

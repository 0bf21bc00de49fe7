"""Proposals with trades taken out: what is arithmetic is exact, what is not known is not there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.desk.packages import proposal
from workbench import rebalance
from workbench.errors import ParameterError
from workbench.rebalance.signal.edit import compare, is_edited, without


def test_cash_gains_cost_and_tax_are_computed_again():
    full = proposal()
    edited = without(full, {0, 1})
    one, two = edited.accounts
    assert (one.cash_after, one.traded) == (one.cash_before, 0.0)
    assert two == full.accounts[1]
    assert edited.cost == 2.5
    assert edited.tax == edited.tax_table.tax == 0.0
    assert edited.tax_table.proposed_long == 0.0
    assert edited.tax_table.budget_used_after == 1_200.0
    assert edited.tax_table.losses_harvested == 0.0
    assert edited.wash == ()


def test_what_would_need_the_optimiser_leaves():
    edited = without(proposal(), {3})
    assert edited.groups == ()
    assert edited.levels == ()
    assert edited.benefit == 0.0
    assert is_edited(edited)
    assert edited.notes[-1].amount == 5_820.0
    assert not is_edited(proposal())


def test_the_wash_calendar_keeps_what_still_comes_from_a_trade():
    assert without(proposal(), {3}).wash == proposal().wash


@given(st.sets(st.integers(0, 3), min_size=1, max_size=3))
def test_every_edit_is_a_package_and_compares_to_what_was_taken_out(taken):
    full = proposal()
    edited = without(full, taken)
    assert rebalance.loads(rebalance.dumps(edited)) == edited
    change = compare(full, edited)
    assert set(change.removed) == {full.trades[place] for place in taken}
    assert not change.added
    assert not change.resized
    for account in edited.accounts:
        flows = sum(
            (t.amount if t.side == "sell" else -t.amount) - t.cost - t.fee
            for t in edited.trades
            if t.account_id == account.account_id
        )
        assert account.cash_after == pytest.approx(account.cash_before + flows, abs=0.011)


@given(st.integers(0, 3), st.integers(0, 2))
def test_taking_out_one_by_one_is_taking_out_at_once(first, second):
    full = proposal()
    rest = [place for place in range(4) if place != first]
    twice = without(without(full, {first}), {second})
    assert twice == without(full, {first, rest[second]})


@pytest.mark.parametrize("taken", [set(), {4}, {-1}, {0, 1, 2, 3}])
def test_an_edit_that_is_none_is_refused(taken):
    with pytest.raises(ParameterError):
        without(proposal(), taken)

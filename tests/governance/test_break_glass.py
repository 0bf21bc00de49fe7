"""A role taken in an emergency: at once, aloud, for an hour, still with four eyes, and looked at afterwards."""

from __future__ import annotations

import itertools
import json

import pytest
from sqlalchemy import select

from tests.governance import cases
from workbench.errors import AccessError, DecisionError, ParameterError
from workbench.governance.access import Who, actor
from workbench.governance.break_glass import BreakGlass, ReviewBreakGlass, broken, in_hand
from workbench.governance.commands import Approve, Release
from workbench.governance.people import RevokeRole
from workbench.governance.roles import Role
from workbench.governance.tables import audit, outbox

WHY = "both managers are on one delayed flight"
_keys = itertools.count()
#: Databases take turns in what depends on them; rules that are Python are asked of one.
on_sqlite = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


def do(store, who, command, on_behalf_of=None):
    return store.perform(Who(who, on_behalf_of), command, f"glass-{next(_keys)}")


@pytest.fixture
def firm(store):
    return cases.staff(store)


def roles(store, who):
    with store.reading() as connection:
        return {grant.role for grant in actor(connection, Who(who), store.clock()).grants}


def test_it_holds_for_the_minutes_of_the_controls(firm):
    do(firm, "tom", BreakGlass(Role.PORTFOLIO_MANAGER, WHY))
    assert roles(firm, "tom") == {Role.TRADER, Role.PORTFOLIO_MANAGER}
    with firm.reading() as connection:
        assert in_hand(connection, "tom", firm.clock()).reason == WHY
    firm.clock.advance(minutes=59)
    assert roles(firm, "tom") == {Role.TRADER, Role.PORTFOLIO_MANAGER}
    firm.clock.advance(minutes=1)
    assert roles(firm, "tom") == {Role.TRADER}
    with firm.reading() as connection:
        assert in_hand(connection, "tom", firm.clock()) is None


@on_sqlite
def test_compliance_and_auditors_are_alerted_in_the_same_transaction(firm):
    grant = do(firm, "tom", BreakGlass(Role.PORTFOLIO_MANAGER, WHY)).object_id
    with firm.reading() as connection:
        said = connection.execute(select(outbox)).one()
        body = connection.execute(select(audit.c.body).order_by(audit.c.sequence.desc()).limit(1)).scalar_one()
    assert said.topic == "alert.break_glass"
    assert json.loads(said.body) == {
        "what": "broken", "grant": grant, "person": "tom", "role": "portfolio_manager", "to": ["compliance", "auditor"],
    }  # fmt: skip
    assert json.loads(body)["reason"] == WHY


def test_an_approval_so_given_needs_a_second_one(firm):
    receipt = cases.submitted(firm)
    do(firm, "tom", BreakGlass(Role.PORTFOLIO_MANAGER, WHY))
    receipt = do(firm, "tom", Approve(receipt.object_id, receipt.version, receipt.sheet_hash))
    assert receipt.state == "submitted"
    receipt = do(firm, "cleo", Approve(receipt.object_id, receipt.version, receipt.sheet_hash))
    assert receipt.state == "approved"
    assert do(firm, "tom", Release(receipt.object_id, receipt.version, receipt.sheet_hash)).state == "released"


@on_sqlite
def test_a_maker_who_breaks_the_glass_is_still_a_maker(firm):
    receipt = cases.submitted(firm, by="ann")
    do(firm, "ann", BreakGlass(Role.PORTFOLIO_MANAGER, WHY))
    with pytest.raises(AccessError) as refused:
        do(firm, "ann", Approve(receipt.object_id, receipt.version, receipt.sheet_hash))
    assert refused.value.rule == "maker"


@on_sqlite
@pytest.mark.parametrize("role", sorted(set(Role) - {Role.PORTFOLIO_MANAGER, Role.TRADER}))
def test_only_what_an_emergency_needs_can_be_taken(firm, role):
    with pytest.raises(AccessError) as refused:
        do(firm, "ann", BreakGlass(role, WHY))
    assert refused.value.rule == "break_glass"


@on_sqlite
@pytest.mark.parametrize("who", ["vera", "adam", "cleo", "otto", "ada", "nightly"])
def test_only_who_acts_on_signals_breaks_the_glass(firm, who):
    with pytest.raises(AccessError) as refused:
        do(firm, who, BreakGlass(Role.TRADER, WHY))
    assert refused.value.rule in ("role", "service")


@on_sqlite
@pytest.mark.parametrize("reason", ["", "urgent", " " * 40, "x" * 19])
def test_it_needs_a_reason_that_says_something(firm, reason):
    with pytest.raises(ParameterError, match="20 characters"):
        do(firm, "ann", BreakGlass(Role.TRADER, reason))


@on_sqlite
def test_what_one_holds_is_not_taken(firm):
    with pytest.raises(DecisionError, match="no glass to break"):
        do(firm, "tom", BreakGlass(Role.TRADER, WHY))
    do(firm, "pia", BreakGlass(Role.PORTFOLIO_MANAGER, WHY))  # she holds it in one book only


def test_it_is_reviewed_before_it_is_done_again_and_never_by_oneself(firm):
    grant = do(firm, "tom", BreakGlass(Role.PORTFOLIO_MANAGER, WHY)).object_id
    firm.clock.advance(hours=2)
    with pytest.raises(AccessError, match="not reviewed"):
        do(firm, "tom", BreakGlass(Role.PORTFOLIO_MANAGER, WHY))
    for who in ("tom", "paula", "otto", "ada"):
        with pytest.raises(AccessError):
            do(firm, who, ReviewBreakGlass(grant, "looks fine"))
    do(firm, "cleo", ReviewBreakGlass(grant, "one release, rightly"))
    with pytest.raises(DecisionError, match="no review"):
        do(firm, "carl", ReviewBreakGlass(grant, "again"))
    do(firm, "tom", BreakGlass(Role.PORTFOLIO_MANAGER, WHY))


@on_sqlite
def test_a_review_ends_what_has_not_ended(firm):
    grant = do(firm, "tom", BreakGlass(Role.PORTFOLIO_MANAGER, WHY)).object_id
    do(firm, "cleo", ReviewBreakGlass(grant, "not an emergency"))
    assert roles(firm, "tom") == {Role.TRADER}


@on_sqlite
def test_who_loses_the_role_that_let_them_loses_what_they_took(firm):
    do(firm, "tom", BreakGlass(Role.PORTFOLIO_MANAGER, WHY))
    do(firm, "otto", RevokeRole("grant-tom", "moves on"))
    assert roles(firm, "tom") == set()


@on_sqlite
def test_what_waits_for_a_review_is_read_by_those_who_read_about_people(firm):
    do(firm, "tom", BreakGlass(Role.PORTFOLIO_MANAGER, WHY))
    with firm.reading() as connection:
        for name, (role, _) in cases.STAFF.items():
            who = actor(connection, Who(name), firm.clock())
            if role in (Role.COMPLIANCE, Role.ADMINISTRATOR, Role.AUDITOR):
                assert [one.person_id for one in broken(connection, who)] == ["tom"]
            else:
                with pytest.raises(AccessError):
                    broken(connection, who)

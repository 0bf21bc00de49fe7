"""A role holds once a second person confirmed it, whoever gave it and however many people they made up."""

from __future__ import annotations

import itertools
import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.governance import cases
from workbench.errors import AccessError, DecisionError
from workbench.governance.access import Who, actor
from workbench.governance.commands import Approve
from workbench.governance.confirmation import ConfirmGrant
from workbench.governance.delegations import Delegate
from workbench.governance.directory import people as listed
from workbench.governance.people import AddPerson, DeactivatePerson, GrantRole, RevokeRole, bootstrap
from workbench.governance.roles import Role
from workbench.governance.tables import audit, outbox, role_grant

_keys = itertools.count()
#: Rules that are Python are asked of one database.
on_sqlite = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


def do(store, who, command, on_behalf_of=None):
    return store.perform(Who(who, on_behalf_of), command, f"confirm-{next(_keys)}")


@pytest.fixture
def firm(store):
    """A store whose first administrator is Ann; nobody else is there."""
    bootstrap(store, "ann", "Ann Adler", "ann@firm.example", "a long walk along the sea")
    return store


def given(store, person_id, role, book="*", by="ann", kind="person"):
    """Add somebody and give a role; return the grant's identifier."""
    with store.reading() as connection:
        if not connection.execute(select(role_grant).where(role_grant.c.person_id == person_id)).first():
            names = {"mo": "Maurice Quill", "lu": "Lucinda Tarn", "cleo": "Cleo Marsh", "bo": "Boris Vane"}
            do(store, by, AddPerson(person_id, names.get(person_id, f"The {person_id}"), kind))
    do(store, by, GrantRole(person_id, role, book, "joins the desk"))
    return last(store)["details"]["grant"]


def held(store, person_id):
    with store.reading() as connection:
        return {grant.role for grant in actor(connection, Who(person_id), store.clock()).grants}


def last(store):
    with store.reading() as connection:
        return json.loads(connection.execute(select(audit.c.body).order_by(audit.c.sequence.desc()).limit(1)).scalar())


def test_a_role_waits_until_compliance_confirms_it(firm):
    given(firm, "cleo", Role.COMPLIANCE)
    assert held(firm, "cleo") == {Role.COMPLIANCE}  # set-up: nobody could confirm
    assert last(firm)["details"]["confirmation"] == "set_up"
    grant = given(firm, "mo", Role.PORTFOLIO_MANAGER)
    assert held(firm, "mo") == set()
    assert last(firm)["details"]["confirmation"] == "waits"
    with firm.reading() as connection:
        (mo,) = [
            one for one in listed(connection, actor(connection, Who("ann"), firm.clock())) if one.person_id == "mo"
        ]
    assert [role.waits for role in mo.roles] == [True]
    do(firm, "cleo", ConfirmGrant(grant))
    assert held(firm, "mo") == {Role.PORTFOLIO_MANAGER}
    record = last(firm)
    assert (record["actor"], record["roles"], record["object_id"]) == ("cleo", ["compliance"], "mo")
    assert record["details"]["granted_by"] == "ann"
    with firm.reading() as connection:
        said = connection.execute(select(outbox.c.body).where(outbox.c.topic == "alert.people")).scalars().all()
    assert any(json.loads(body)["what"] == "confirmed" for body in said)
    with pytest.raises(DecisionError, match="no such grant that waits"):
        do(firm, "cleo", ConfirmGrant(grant))


@on_sqlite
def test_an_administrator_makes_up_nobody_who_decides(firm):
    given(firm, "cleo", Role.COMPLIANCE)
    manager = given(firm, "mo", Role.PORTFOLIO_MANAGER)
    second = given(firm, "lu", Role.ADMINISTRATOR)
    with pytest.raises(AccessError, match="you gave this role"):
        do(firm, "ann", ConfirmGrant(manager))
    with pytest.raises(AccessError):  # an administrator who is not confirmed confirms nothing
        do(firm, "lu", ConfirmGrant(manager))
    with pytest.raises(AccessError):  # and gives nothing
        do(firm, "lu", GrantRole("mo", Role.TRADER, "*", "joins the desk"))
    do(firm, "cleo", ConfirmGrant(second))
    own = given(firm, "lu", Role.AUDITOR)
    with pytest.raises(AccessError, match="their own"):
        do(firm, "lu", ConfirmGrant(own))
    do(firm, "lu", ConfirmGrant(manager))
    assert held(firm, "mo") == {Role.PORTFOLIO_MANAGER}


@on_sqlite
def test_what_waits_is_not_lent_and_breaks_no_glass(firm):
    given(firm, "cleo", Role.COMPLIANCE)
    given(firm, "mo", Role.PORTFOLIO_MANAGER)
    do(firm, "ann", AddPerson("lu", "Lucinda Tarn", "person"))
    until = firm.clock() + timedelta(days=3)
    with pytest.raises(AccessError):
        do(firm, "mo", Delegate("lu", firm.clock(), until, "on leave"))


@on_sqlite
def test_set_up_does_not_begin_again_when_compliance_leaves(firm):
    given(firm, "cleo", Role.COMPLIANCE)
    with pytest.raises(DecisionError, match="nobody would be left who can confirm"):
        do(firm, "ann", DeactivatePerson("cleo", "has left"))
    do(firm, "cleo", ConfirmGrant(given(firm, "lu", Role.ADMINISTRATOR)))
    do(firm, "ann", DeactivatePerson("cleo", "has left"))
    grant = given(firm, "mo", Role.PORTFOLIO_MANAGER)
    assert held(firm, "mo") == set()
    do(firm, "lu", ConfirmGrant(grant))
    assert held(firm, "mo") == {Role.PORTFOLIO_MANAGER}


@on_sqlite
def test_a_grant_that_was_taken_back_is_not_confirmed(firm):
    given(firm, "cleo", Role.COMPLIANCE)
    grant = given(firm, "mo", Role.TRADER)
    do(firm, "ann", RevokeRole(grant, "a mistake"))
    with pytest.raises(DecisionError, match="no such grant"):
        do(firm, "cleo", ConfirmGrant(grant))


@on_sqlite
def test_an_officer_of_one_book_confirms_nothing_and_ends_no_set_up(firm):
    given(firm, "bo", Role.COMPLIANCE, "ADV1")
    given(firm, "cleo", Role.COMPLIANCE)
    assert held(firm, "cleo") == {Role.COMPLIANCE}
    grant = given(firm, "mo", Role.TRADER)
    with pytest.raises(AccessError, match="do not reach"):
        do(firm, "bo", ConfirmGrant(grant))


@on_sqlite
def test_a_service_account_holds_its_role_at_once(firm):
    given(firm, "cleo", Role.COMPLIANCE)
    given(firm, "nightly", Role.SERVICE, kind="service")
    assert held(firm, "nightly") == {Role.SERVICE}


@on_sqlite
def test_approvals_of_somebody_whose_role_is_taken_away_are_asked_for_again(store):
    cases.staff(store)
    here, elsewhere = cases.approved(store, 1), cases.approved(store, 2, by=("peter",))
    receipt = do(store, "otto", RevokeRole("grant-paula", "moves to another desk"))
    assert receipt.also == (here.object_id,)
    second = cases.submitted(store, 3)
    with store.reading() as connection:
        assert actor(connection, Who("paula"), store.clock()).grants == ()
    with pytest.raises(AccessError):
        do(store, "paula", Approve(second.object_id, second.version, second.sheet_hash))
    assert elsewhere.object_id not in receipt.also

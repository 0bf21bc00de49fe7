"""Acting for another: with both names, with that person's own roles, and never round the rule of four eyes."""

from __future__ import annotations

import itertools
import json
from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from tests.governance import cases
from workbench.errors import AccessError, DecisionError, ParameterError
from workbench.governance.access import Grant, Who, actor
from workbench.governance.break_glass import BreakGlass
from workbench.governance.commands import Approve, Release, Submit
from workbench.governance.delegations import Delegate, EndDelegation, RevokeDelegation, may_act_for
from workbench.governance.directory import delegations
from workbench.governance.people import DeactivatePerson, GrantRole, RevokeRole
from workbench.governance.roles import Role
from workbench.governance.tables import approval, audit, delegation, maker, role_grant

_keys = itertools.count()
#: Databases take turns in what depends on them; rules that are Python are asked of one.
on_sqlite = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


def do(store, who, command, on_behalf_of=None):
    return store.perform(Who(who, on_behalf_of), command, f"delegated-{next(_keys)}")


@pytest.fixture
def firm(store):
    return cases.staff(store)


def lend(store, giver, deputy, days=7, start=0):
    now = store.clock()
    asked = Delegate(deputy, now + timedelta(days=start), now + timedelta(days=start + days), "on holiday")
    return do(store, giver, asked).object_id


def lent(store, deputy, giver):
    with store.reading() as connection:
        return actor(connection, Who(deputy, giver), store.clock())


@on_sqlite
def test_a_deputy_holds_what_the_giver_holds_and_nothing_of_their_own(firm):
    lend(firm, "pia", "ann")
    deputy = lent(firm, "ann", "pia")
    assert deputy.grants == (Grant(Role.PORTFOLIO_MANAGER, "ADV2", "delegation"),)
    assert deputy.persons == {"ann", "pia"}
    with firm.reading() as connection:
        assert [one[:2] for one in may_act_for(connection, "ann", firm.clock())] == [("pia", "Pia")]


def test_both_names_are_in_the_record(firm):
    receipt = cases.submitted(firm, book="ADV2")
    lend(firm, "pia", "peter")
    do(firm, "peter", Approve(receipt.object_id, receipt.version, receipt.sheet_hash), "pia")
    with firm.reading() as connection:
        body = connection.execute(select(audit.c.body).order_by(audit.c.sequence.desc()).limit(1)).scalar_one()
        row = connection.execute(select(approval)).one()
    assert (json.loads(body)["actor"], json.loads(body)["on_behalf_of"]) == ("peter", "pia")
    assert (row.person_id, row.on_behalf_of, row.through) == ("peter", "pia", "delegation")


def test_a_delegation_holds_from_its_start_to_its_end(firm):
    lend(firm, "pia", "peter", days=2, start=1)
    for days, holds in ((0, False), (1, True), (1, True), (1, False)):
        firm.clock.advance(days=days)
        if holds:
            assert lent(firm, "peter", "pia").on_behalf_of == "pia"
        else:
            with pytest.raises(AccessError) as refused:
                lent(firm, "peter", "pia")
            assert refused.value.rule == "role"


@on_sqlite
def test_without_a_delegation_nobody_acts_for_another(firm):
    lend(firm, "pia", "peter")
    for deputy, giver in (
        ("pia", "peter"),
        ("ann", "pia"),
        ("peter", "paula"),
        ("peter", "nobody"),
        ("peter", "peter"),
    ):
        with pytest.raises(AccessError):
            lent(firm, deputy, giver)
    with pytest.raises(AccessError) as refused:
        lent(firm, "nobody", "pia")
    assert refused.value.rule == "signed_out"


@on_sqlite
def test_what_was_lent_is_not_lent_on(firm):
    lend(firm, "paula", "peter")
    with pytest.raises(AccessError, match="on behalf of another"):
        do(firm, "peter", Delegate("ann", firm.clock(), firm.clock() + timedelta(days=1), "chain"), "paula")
    lend(firm, "peter", "tom")
    assert lent(firm, "tom", "peter").grants == (Grant(Role.PORTFOLIO_MANAGER, "*", "delegation"),)
    with pytest.raises(AccessError):
        lent(firm, "tom", "paula")
    with pytest.raises(AccessError, match="on behalf of another"):
        do(firm, "peter", BreakGlass(Role.TRADER, "the trading desk is out of reach"), "paula")


@on_sqlite
def test_broken_glass_is_not_lent(firm):
    do(firm, "tom", BreakGlass(Role.PORTFOLIO_MANAGER, "all managers are out of reach today"))
    lend(firm, "tom", "ann")
    assert {grant.role for grant in lent(firm, "ann", "tom").grants} == {Role.TRADER}


@on_sqlite
def test_roles_over_people_and_services_are_not_lent(firm):
    with firm.writing() as unit:
        grant = {"grant_id": "both", "person_id": "tom", "role": "administrator", "book": "*", "granted_by": "otto"}
        unit.connection.execute(insert(role_grant), {**grant, "granted_at": unit.now})
    lend(firm, "tom", "ann")
    assert {grant.role for grant in lent(firm, "ann", "tom").grants} == {Role.TRADER}


@on_sqlite
@pytest.mark.parametrize(
    ("deputy", "error"), [("nightly", AccessError), ("paula", DecisionError), ("otto", DecisionError),
                          ("nobody", DecisionError)],
)  # fmt: skip
def test_who_may_not_be_a_deputy(firm, deputy, error):
    with pytest.raises(error):
        lend(firm, "paula", deputy)


@on_sqlite
@pytest.mark.parametrize(("start", "days"), [(0, 0), (0, -1), (0, 91), (5, -4), (-10, 5)])
def test_a_period_is_one_and_not_too_long(firm, start, days):
    with pytest.raises(ParameterError, match="ends after it starts"):
        lend(firm, "paula", "peter", days, start)


@on_sqlite
def test_a_maker_approves_nothing_through_another_name(firm):
    receipt = cases.submitted(firm, by="paula")
    shown = (receipt.object_id, receipt.version, receipt.sheet_hash)
    lend(firm, "peter", "paula")
    lend(firm, "paula", "peter")
    for who, behalf in (("paula", None), ("paula", "peter"), ("peter", "paula")):
        with pytest.raises(AccessError) as refused:
            do(firm, who, Approve(*shown), behalf)
        assert refused.value.rule == "maker"
    assert do(firm, "peter", Approve(*shown)).state == "approved"


@on_sqlite
def test_who_made_it_for_another_made_it_and_so_did_the_other(firm):
    receipt = cases.checked(firm)
    lend(firm, "paula", "peter")
    receipt = do(firm, "peter", Submit(receipt.object_id, receipt.version, receipt.sheet_hash), "paula")
    with firm.reading() as connection:
        assert set(connection.execute(select(maker.c.person_id)).scalars()) == {"peter", "paula"}
    for who in ("peter", "paula"):
        with pytest.raises(AccessError, match="made this signal"):
            do(firm, who, Approve(receipt.object_id, receipt.version, receipt.sheet_hash))


def test_the_second_approver_is_another_person_in_both_senses(firm):
    summary = cases.Summary("2022-12-28", 3, 5_000_000_00, 1, 1, 1, 1)
    receipt = cases.submitted(firm, summary=summary)
    lend(firm, "paula", "cleo")
    lend(firm, "peter", "paula")
    receipt = do(firm, "paula", Approve(receipt.object_id, receipt.version, receipt.sheet_hash))
    assert receipt.state == "submitted"
    shown = (receipt.object_id, receipt.version, receipt.sheet_hash)
    for who, behalf in (("paula", None), ("paula", "peter"), ("cleo", "paula")):
        with pytest.raises(AccessError, match="approved this already"):
            do(firm, who, Approve(*shown), behalf)
    assert do(firm, "cleo", Approve(*shown)).state == "approved"


@on_sqlite
def test_a_maker_releases_nothing_through_another_name(firm):
    receipt = cases.approved(firm)
    lend(firm, "tom", "ann")
    with pytest.raises(AccessError) as refused:
        do(firm, "ann", Release(receipt.object_id, receipt.version, receipt.sheet_hash), "tom")
    assert refused.value.rule == "maker"


def test_it_ends_when_the_giver_says_so_or_loses_the_role_or_leaves(firm):
    first, second = lend(firm, "paula", "tom"), lend(firm, "peter", "tom")
    lend(firm, "pia", "tom")
    with pytest.raises(AccessError, match="another person's to end"):
        do(firm, "peter", RevokeDelegation(first))
    do(firm, "paula", RevokeDelegation(first))
    do(firm, "otto", EndDelegation(second, "asked by phone"))
    for giver in ("paula", "peter"):
        with pytest.raises(AccessError):
            lent(firm, "tom", giver)
    with pytest.raises(DecisionError, match="any more"):
        do(firm, "paula", RevokeDelegation(first))
    do(firm, "otto", RevokeRole("grant-pia", "moves on"))
    assert lent(firm, "tom", "pia").grants == ()
    do(firm, "otto", DeactivatePerson("pia", "left"))
    with pytest.raises(AccessError):
        lent(firm, "tom", "pia")


@on_sqlite
def test_it_ends_when_the_deputy_leaves(firm):
    lend(firm, "paula", "tom")
    do(firm, "otto", DeactivatePerson("tom", "left"))
    with pytest.raises(AccessError) as refused:
        lent(firm, "tom", "paula")
    assert refused.value.rule == "signed_out"


@on_sqlite
def test_a_deputy_does_not_become_an_administrator_meanwhile(firm):
    lend(firm, "paula", "vera")
    with pytest.raises(DecisionError, match="takes part in signals"):
        do(firm, "otto", GrantRole("vera", Role.ADMINISTRATOR, "*", "a reason"))


@on_sqlite
def test_delegations_are_read_by_those_they_concern_and_those_who_read_about_people(firm):
    lend(firm, "paula", "peter")
    with firm.reading() as connection:
        seen = {
            name: len(delegations(connection, actor(connection, Who(name), firm.clock()), firm.clock()))
            for name in cases.STAFF
        }
    assert {name for name, count in seen.items() if count} == {"paula", "peter", "cleo", "carl", "otto", "ada"}


@on_sqlite
@pytest.mark.parametrize("who", ["vera", "ann", "otto", "ada", "nightly"])
def test_who_has_nothing_to_lend_lends_nothing(firm, who):
    with pytest.raises(AccessError):
        lend(firm, who, "tom")
    with firm.reading() as connection:
        assert connection.execute(select(delegation)).first() is None

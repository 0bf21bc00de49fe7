"""Stricter controls hold at once; looser ones wait until another person of compliance confirms exactly that change."""

from __future__ import annotations

import itertools
import json
from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from tests.governance import cases
from workbench.errors import AccessError, DecisionError, ParameterError, StaleError
from workbench.governance import control_proposals, controls
from workbench.governance.access import Who
from workbench.governance.audit import verify_store
from workbench.governance.commands import AdoptControls, ChangeControls, WithdrawControls
from workbench.governance.controls import NAMES, Controls, loosened
from workbench.governance.delegations import Delegate
from workbench.governance.tables import audit, outbox, signal
from workbench.governance.tables import controls as versions

LOOSER = (("second_approver_above", 10**13),)
_keys = itertools.count()


@pytest.fixture
def house(store):
    return cases.staff(store, recorded=True)


def do(store, who, command, on_behalf_of=None):
    return store.perform(Who(who, on_behalf_of), command, f"controls-{next(_keys)}")


def in_force(store):
    with store.reading() as connection:
        return controls.in_force(connection)


def waiting(store):
    with store.reading() as connection:
        return control_proposals.waiting(connection, controls.in_force(connection).version)


def propose(store, who="cleo", changes=LOOSER, reason="For the merger.", on_behalf_of=None):
    assert do(store, who, ChangeControls(changes, reason), on_behalf_of).state == "proposed"
    return waiting(store)[-1]


def lend(store, giver, deputy):
    now = store.clock()
    return do(store, giver, Delegate(deputy, now, now + timedelta(days=7), "on holiday"))


def told(store):
    with store.reading() as connection:
        bodies = connection.execute(select(outbox.c.body).where(outbox.c.topic == "alert.controls")).scalars()
        return [json.loads(body)["what"] for body in bodies]


@pytest.mark.parametrize("name", NAMES)
def test_each_control_has_a_stricter_and_a_looser_side(name):
    present = vars(Controls())
    looser, stricter = ({**present, name: present[name] + by} for by in (1, -1))
    if name == "sign_in_window_minutes":  # fewer minutes count fewer attempts together
        looser, stricter = stricter, looser
    assert loosened(present, looser) == (name,)
    assert loosened(present, stricter) == loosened(present, present) == ()


def test_stricter_controls_hold_at_once(house):
    receipt = do(house, "cleo", ChangeControls((("approval_hours", 12), ("second_approver_above", 5)), "Stricter."))
    assert (receipt.state, receipt.version) == ("in_force", 1)
    assert (in_force(house).approval_hours, in_force(house).second_approver_above) == (12, 5)
    assert waiting(house) == ()
    assert told(house) == ["in_force"]


def test_looser_controls_hold_when_a_second_person_confirms_them(house):
    one = propose(house)
    assert in_force(house) == Controls()
    assert (one.before, one.after) == ({"second_approver_above": 1_000_000_00}, dict(LOOSER))
    assert (one.on, one.persons, one.reason) == (0, {"cleo"}, "For the merger.")
    receipt = do(house, "carl", AdoptControls(one.hash, "Agreed."))
    assert (receipt.state, receipt.version, receipt.also) == ("adopted", 1, ())
    assert in_force(house) == Controls(version=1, second_approver_above=10**13)
    assert waiting(house) == ()
    assert told(house) == ["proposed", "adopted"]
    with house.reading() as connection:
        bodies = connection.execute(select(audit.c.body).where(audit.c.object_kind == "controls")).scalars()
        said = [json.loads(body) for body in bodies]
        assert connection.execute(select(versions.c.set_by)).scalars().all() == ["carl"]
    assert [(body["actor"], body["after"]) for body in said] == [("cleo", one.hash), ("carl", one.hash)]
    assert said[1]["details"]["proposed_in"] == one.sequence
    assert set(said[1]["rows"]) == {"controls"}
    assert verify_store(house.reading, (), ()).found == 0


def test_one_looser_control_lets_the_whole_change_wait_and_the_stricter_part_is_felt_on_adoption(house):
    receipt = cases.approved(house)
    one = propose(house, changes=(("second_approver_above", 50_000_00), ("signal_days", 9)))
    assert in_force(house).second_approver_above == 1_000_000_00
    assert do(house, "carl", AdoptControls(one.hash)).also == (receipt.object_id,)
    with house.reading() as connection:
        assert connection.execute(select(signal.c.state)).scalar_one() == "submitted"


def test_a_control_named_twice_counts_as_it_would_hold(house):
    changes = (("approval_hours", 1), ("approval_hours", 300))
    assert propose(house, changes=changes).after == {"approval_hours": 300}
    assert in_force(house) == Controls()


def refused_as_maker(store, who, one, on_behalf_of=None):
    with pytest.raises(AccessError) as refused:
        do(store, who, AdoptControls(one.hash), on_behalf_of)
    assert refused.value.rule == "maker"
    assert in_force(store) == Controls()


def test_who_proposed_it_does_not_confirm_it_under_any_name(house):
    one = propose(house)
    for deputy, giver in (("vera", "cleo"), ("carl", "cleo"), ("cleo", "carl")):
        lend(house, giver, deputy)
        refused_as_maker(house, deputy, one, giver)
    refused_as_maker(house, "cleo", one)
    assert do(house, "carl", AdoptControls(one.hash)).state == "adopted"


def test_what_a_deputy_proposed_is_confirmed_by_neither_of_both(house):
    lend(house, "cleo", "vera")
    lend(house, "carl", "vera")
    one = propose(house, "vera", on_behalf_of="cleo")
    assert one.persons == {"vera", "cleo"}
    refused_as_maker(house, "cleo", one)
    refused_as_maker(house, "vera", one, "cleo")
    refused_as_maker(house, "vera", one, "carl")
    assert do(house, "carl", AdoptControls(one.hash)).state == "adopted"


@pytest.mark.parametrize("name", ["ann", "paula", "tom", "adam", "vera", "ada", "otto", "nightly"])
def test_only_compliance_proposes_confirms_and_withdraws(house, name):
    one = propose(house)
    for command in (ChangeControls(LOOSER, "Why."), AdoptControls(one.hash), WithdrawControls(one.hash, "Why.")):
        with pytest.raises(AccessError):
            do(house, name, command)
    assert waiting(house) == (one,)
    assert in_force(house) == Controls()


def test_a_service_with_the_role_confirms_nothing(house):
    cases.staff(house, {"robot": (cases.Role.SERVICE, "*")})
    with house.writing() as unit:
        grant = {"grant_id": "more", "person_id": "robot", "role": "compliance", "book": "*", "granted_by": "otto"}
        unit.connection.execute(insert(cases.role_grant), {**grant, "granted_at": unit.now})
    one = propose(house)
    with pytest.raises(AccessError):
        do(house, "robot", AdoptControls(one.hash))


def test_a_proposal_is_stale_once_the_controls_are_others(house):
    one = propose(house)
    do(house, "carl", ChangeControls((("idle_minutes", 10),), "Stricter."))
    assert waiting(house) == ()
    for command in (AdoptControls(one.hash), WithdrawControls(one.hash, "Too late.")):
        with pytest.raises(StaleError, match="propose it anew"):
            do(house, "carl", command)
    again = propose(house)
    assert again.hash != one.hash
    assert do(house, "carl", AdoptControls(again.hash)).version == 2
    assert in_force(house).idle_minutes == 10


def test_it_is_confirmed_once_and_proposed_once(house):
    one = propose(house)
    with pytest.raises(DecisionError, match="waits for a second person"):
        do(house, "carl", ChangeControls(LOOSER, "For the merger."))
    do(house, "carl", AdoptControls(one.hash))
    with pytest.raises(DecisionError, match="was adopted already"):
        do(house, "carl", AdoptControls(one.hash))
    assert in_force(house).version == 1


def test_two_wait_and_the_adoption_of_one_leaves_the_other_behind(house):
    first = propose(house)
    second = propose(house, "carl", (("approval_hours", 48),))
    assert waiting(house) == (first, second)
    do(house, "cleo", AdoptControls(second.hash))
    assert waiting(house) == ()
    with pytest.raises(StaleError):
        do(house, "carl", AdoptControls(first.hash))


def test_what_was_withdrawn_is_confirmed_no_more_until_it_is_proposed_again(house):
    one = propose(house)
    assert do(house, "cleo", WithdrawControls(one.hash, "A mistake.")).state == "withdrawn"
    assert waiting(house) == ()
    for command in (AdoptControls(one.hash), WithdrawControls(one.hash, "Again.")):
        with pytest.raises(DecisionError, match="was withdrawn already"):
            do(house, "carl", command)
    again = propose(house, "carl")  # the same words by another: now it is theirs
    assert (again.hash, again.persons) == (one.hash, {"carl"})
    with pytest.raises(AccessError):
        do(house, "carl", AdoptControls(again.hash))
    do(house, "carl", WithdrawControls(again.hash, "Not after all."))
    assert told(house) == ["proposed", "withdrawn"] * 2
    assert in_force(house) == Controls()
    assert verify_store(house.reading, (), ()).found == 0


@pytest.mark.parametrize(
    "command",
    [
        ChangeControls(LOOSER, " "),
        ChangeControls((("second_approver_above", 10**16),), "Out of range."),
        ChangeControls((("version", 7),), "No control."),
    ],
)
def test_bad_changes_name_what_is_wrong(house, command):
    with pytest.raises(ParameterError):
        do(house, "cleo", command)
    assert waiting(house) == ()


def test_bad_answers_to_a_proposal_are_refused(house):
    one = propose(house)
    with pytest.raises(DecisionError, match="was never proposed"):
        do(house, "carl", AdoptControls("f" * 64))
    with pytest.raises(ParameterError):
        do(house, "carl", WithdrawControls(one.hash, ""))


def test_versions_changed_by_hand_are_not_covered_by_a_proposal(house):
    do(house, "cleo", ChangeControls((("approval_hours", 12),), "Stricter."))
    with house.writing() as unit:
        body = controls.body(Controls(second_approver_above=10**13))
        row = {"version": 2, "body": body, "set_by": "cleo", "set_at": unit.now}
        unit.connection.execute(insert(versions), row)
    propose(house, changes=(("approval_hours", 48),))
    assert verify_store(house.reading, (), ()).found > 0

"""Administrators make people and give roles; never to themselves, never with a hand in signals; all of it recorded."""

from __future__ import annotations

import itertools
import json

import pytest
from sqlalchemy import func, insert, select

from tests.governance import cases
from workbench.errors import AccessError, DecisionError, ParameterError
from workbench.governance import sessions
from workbench.governance.access import Who, actor
from workbench.governance.commands import Release, Submit
from workbench.governance.directory import colleagues, myself
from workbench.governance.directory import people as listed
from workbench.governance.people import (
    AddPerson,
    ChangePassword,
    DeactivatePerson,
    GrantRole,
    RevokeRole,
    SetPassword,
    bootstrap,
    change_password,
    set_password,
)
from workbench.governance.roles import Role
from workbench.governance.tables import answered, audit, desk_session, outbox, person, role_grant, signal

GOOD = "a long walk along the sea"
_keys = itertools.count()
#: Databases take turns in what depends on them; rules that are Python are asked of one.
on_sqlite = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


def do(store, who, command, on_behalf_of=None):
    return store.perform(Who(who, on_behalf_of), command, f"people-{next(_keys)}")


@pytest.fixture
def firm(store):
    """A store whose first administrator is Ann; Ben is there without a role."""
    bootstrap(store, "ann", "Ann Adler", "ann@firm.example", GOOD)
    do(store, "ann", AddPerson("ben", "Ben Okafor", "person", "ben@firm.example"))
    return store


def held(store, person_id):
    with store.reading() as connection:
        return {(grant.role, grant.book) for grant in actor(connection, Who(person_id), store.clock()).grants}


def last(store):
    with store.reading() as connection:
        row = connection.execute(select(audit).order_by(audit.c.sequence.desc()).limit(1)).one()
    return json.loads(row.body)


@on_sqlite
def test_the_first_administrator_is_made_once(firm):
    assert held(firm, "ann") == {(Role.ADMINISTRATOR, "*")}
    with pytest.raises(DecisionError, match="people already"):
        bootstrap(firm, "eve", "Eve Evil", None, GOOD)


@on_sqlite
def test_bootstrap_works_in_an_empty_database_only(store):
    cases.staff(store)
    with pytest.raises(DecisionError):
        bootstrap(store, "eve", "Eve Evil", None, GOOD)


def test_a_grant_holds_at_once_and_is_recorded_and_said_aloud(firm):
    do(firm, "ann", GrantRole("ben", Role.ANALYST, "adv-1", "new in the team"))
    assert held(firm, "ben") == {(Role.ANALYST, "adv-1")}
    record = last(firm)
    assert (record["actor"], record["object_id"], record["reason"]) == ("ann", "ben", "new in the team")
    said = {"what": "granted", "role": "analyst", "book": "adv-1", "confirmation": "set_up"}
    assert {name: value for name, value in record["details"].items() if name != "grant"} == said
    with firm.reading() as connection:
        said = connection.execute(select(outbox).order_by(outbox.c.sequence.desc()).limit(1)).one()
    assert said.topic == "alert.people"
    assert "Okafor" not in said.body


@on_sqlite
def test_a_role_taken_away_is_gone_at_the_next_act(store):
    cases.staff(store)
    receipt = cases.checked(store)
    do(store, "otto", RevokeRole("grant-ann", "moves to another team"))
    with pytest.raises(AccessError) as refused:
        do(store, "ann", Submit(receipt.object_id, receipt.version, receipt.sheet_hash))
    assert refused.value.rule == "book"  # who holds nothing sees nothing


def test_who_is_deactivated_is_signed_out_and_holds_nothing(store):
    cases.staff(store)
    receipt = cases.checked(store)
    do(store, "otto", DeactivatePerson("ann", "left the firm"))
    with pytest.raises(AccessError) as refused:
        do(store, "ann", Submit(receipt.object_id, receipt.version, receipt.sheet_hash))
    assert refused.value.rule == "signed_out"
    with pytest.raises(DecisionError, match="nobody active"):
        do(store, "otto", GrantRole("ann", Role.VIEWER, "*", "back again"))
    with pytest.raises(DecisionError, match="taken, or was"):
        do(store, "otto", AddPerson("ann", "Ann Another", "person"))


@on_sqlite
def test_what_somebody_approved_waits_for_approval_anew_when_they_are_deactivated(store):
    cases.staff(store)
    shown = cases.approved(store, by=("paula",))
    other = cases.approved(store, 2, by=("peter",))
    done = do(store, "otto", DeactivatePerson("paula", "left at once"))
    assert done.also == (shown.object_id,)
    with pytest.raises(DecisionError):
        do(store, "tom", Release(shown.object_id, shown.version, shown.sheet_hash))
    with store.reading() as connection:
        states = {row.signal_id: row.state for row in connection.execute(select(signal.c.signal_id, signal.c.state))}
        acts = set(connection.execute(select(audit.c.action).where(audit.c.object_id == shown.object_id)).scalars())
    assert states == {shown.object_id: "submitted", other.object_id: "approved"}
    assert "lapse" in acts


@on_sqlite
@pytest.mark.parametrize("role", list(Role))
def test_nobody_gives_a_role_to_themselves(firm, role):
    with pytest.raises(AccessError) as refused:
        do(firm, "ann", GrantRole("ann", role, "*", "because I can"))
    assert refused.value.rule == "maker"
    assert held(firm, "ann") == {(Role.ADMINISTRATOR, "*")}


@on_sqlite
@pytest.mark.parametrize("who", [name for name, (role, _) in cases.STAFF.items() if role is not Role.ADMINISTRATOR])
def test_only_administrators_touch_people(store, who):
    cases.staff(store)
    for command in (
        AddPerson("eve", "Eve Evil", "person"), GrantRole("vera", Role.TRADER, "*", "a reason"),
        RevokeRole("grant-otto", "a reason"), DeactivatePerson("otto", "a reason"),
        SetPassword("otto", "$argon2id$v=19$m=65536,t=3,p=4$" + "a" * 22 + "$" + "a" * 43),
    ):  # fmt: skip
        with pytest.raises(AccessError) as refused:
            do(store, who, command)
        assert refused.value.rule in ("role", "service")


@on_sqlite
def test_who_makes_people_has_no_hand_in_signals(firm):
    for role in (Role.ADVISOR, Role.ANALYST, Role.PORTFOLIO_MANAGER, Role.TRADER, Role.COMPLIANCE):
        do(firm, "ann", AddPerson(f"x-{role}", f"Person {role}", "person"))
        do(firm, "ann", GrantRole(f"x-{role}", role, "*", "a reason"))
        with pytest.raises(DecisionError, match="takes part in signals"):
            do(firm, "ann", GrantRole(f"x-{role}", Role.ADMINISTRATOR, "*", "a reason"))
    do(firm, "ann", GrantRole("ben", Role.ADMINISTRATOR, "*", "a reason"))
    with pytest.raises(DecisionError, match="administers people"):
        do(firm, "ann", GrantRole("ben", Role.TRADER, "*", "a reason"))
    do(firm, "ann", GrantRole("ben", Role.AUDITOR, "*", "looks on"))


def test_the_last_administrator_stays(firm):
    with firm.reading() as connection:
        grant = connection.execute(select(role_grant.c.grant_id)).scalar_one()
    for command in (DeactivatePerson("ann", "a reason"), RevokeRole(grant, "a reason")):
        with pytest.raises(DecisionError, match="last administrator"):
            do(firm, "ann", command)
    do(firm, "ann", GrantRole("ben", Role.ADMINISTRATOR, "*", "second one"))
    with pytest.raises(DecisionError, match="last administrator"):  # Ben cannot sign in yet
        do(firm, "ann", DeactivatePerson("ann", "a reason"))
    set_password(firm, Who("ann"), "ben", "quite another sentence", "ben's password")
    do(firm, "ann", DeactivatePerson("ann", "a reason"))


@on_sqlite
def test_services_serve_and_people_do_not(firm):
    do(firm, "ann", AddPerson("nightly", "Nightly run", "service"))
    for role in Role:
        if role in (Role.SERVICE, Role.VIEWER):
            do(firm, "ann", GrantRole("nightly", role, "*", "a reason"))
        else:
            with pytest.raises(DecisionError, match="not for a service"):
                do(firm, "ann", GrantRole("nightly", role, "*", "a reason"))
    with pytest.raises(DecisionError, match="not for a person"):
        do(firm, "ann", GrantRole("ben", Role.SERVICE, "*", "a reason"))
    with pytest.raises(DecisionError, match="no password"):
        set_password(firm, Who("ann"), "nightly", GOOD, "k")


@on_sqlite
@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"person_id": "Ben"}, "identifier"),
        ({"person_id": "x"}, "identifier"),
        ({"person_id": "x'; DROP TABLE person; --"}, "identifier"),
        ({"person_id": "a" * 65}, "identifier"),
        ({"name": ""}, "nobody"),
        ({"name": "\u200bAnn"}, "cannot be seen"),
        ({"name": "\u202eAnn"}, "cannot be seen"),
        ({"name": "Ben Okafor\u3164"}, "cannot be seen"),
        ({"name": "Ben Oka\u034ffor"}, "cannot be seen"),
        ({"name": "\u2800"}, "cannot be seen"),
        ({"name": "B\u0435n Other"}, "alike"),
        ({"name": "x" * 201}, "most"),
        ({"name": "nul\x00"}, "NUL|cannot be seen"),
        ({"name": "ben OKAFOR"}, "reads as"),
        ({"name": "Ben. Okafor"}, "reads as"),
        ({"name": "\uff22en Okafor"}, "reads as"),
        ({"email": "BEN@firm.example"}, "another active"),
        ({"email": "no address"}, "no e-mail"),
        ({"email": "a@b\r\nBcc: all@firm.example"}, "no e-mail"),
        ({"email": "<script>@x.example"}, "no e-mail"),
        ({"kind": "model"}, "of a person or of a service"),
        ({"kind": "service", "subject": "https://login.example u"}, "does not sign in"),
    ],
)
def test_who_reads_as_another_or_as_nothing_is_not_added(firm, changed, problem):
    asked = {"person_id": "new", "name": "Nora New", "kind": "person"} | changed
    with pytest.raises((ParameterError, DecisionError), match=problem):
        do(firm, "ann", AddPerson(**asked))
    with firm.reading() as connection:
        assert connection.execute(select(func.count()).select_from(person)).scalar_one() == 2
    assert last(firm)["outcome"] == "refused"


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "Robert'); DROP TABLE person;--", "{{7*7}}", "李 小龍"])
def test_a_name_is_a_text_and_nothing_else(firm, name):
    do(firm, "ann", AddPerson("odd", name, "person"))
    with firm.reading() as connection:
        assert myself(connection, actor(connection, Who("odd"), firm.clock())).name == name


@on_sqlite
@pytest.mark.parametrize("book", ["", "**", "a b", "x'--", "*,adv-1", "a" * 65])
def test_a_book_is_an_identifier_or_all(firm, book):
    with pytest.raises(ParameterError, match="book"):
        do(firm, "ann", GrantRole("ben", Role.ANALYST, book, "a reason"))


@on_sqlite
def test_roles_of_the_whole_firm_are_not_given_for_a_book(firm):
    with pytest.raises(DecisionError, match="whole firm"):
        do(firm, "ann", GrantRole("ben", Role.ADMINISTRATOR, "adv-1", "a reason"))


@on_sqlite
def test_a_grant_needs_a_reason_a_known_role_and_is_given_once(firm):
    with pytest.raises(ParameterError, match="reason"):
        do(firm, "ann", GrantRole("ben", Role.ANALYST, "*", " "))
    with pytest.raises(ParameterError, match="no such role"):
        do(firm, "ann", GrantRole("ben", "root", "*", "a reason"))
    do(firm, "ann", GrantRole("ben", Role.ANALYST, "*", "a reason"))
    with pytest.raises(DecisionError, match="already"):
        do(firm, "ann", GrantRole("ben", Role.ANALYST, "*", "a reason"))


@on_sqlite
def test_a_change_of_roles_ends_the_sessions_of_whom_it_concerns(firm):
    set_password(firm, Who("ann"), "ben", "quite another sentence", "pw")
    first = sessions.sign_in(firm, "ben", "quite another sentence", "::1")
    mine = sessions.sign_in(firm, "ann", GOOD, "::1")
    do(firm, "ann", GrantRole("ben", Role.ANALYST, "*", "a reason"))
    assert sessions.current(firm, first.token) is None
    assert sessions.current(firm, mine.token) is not None


def test_a_password_is_in_no_table_and_no_record(firm):
    set_password(firm, Who("ann"), "ben", "quite another sentence", "pw")
    change_password(firm, Who("ann"), GOOD, "yet another long sentence", "own")
    with firm.reading() as connection:
        texts = [
            str(value)
            for table in (person, audit, answered, outbox, desk_session)
            for row in connection.execute(select(table))
            for value in row
        ]
    assert not [text for text in texts if "sentence" in text]
    assert not [row for row in texts if "$argon2" in row and "details" in row]


@on_sqlite
def test_a_password_form_sent_twice_is_one_act(firm):
    once = set_password(firm, Who("ann"), "ben", "quite another sentence", "form-1")
    twice = set_password(firm, Who("ann"), "ben", "quite another sentence", "form-1")
    assert (once.first, twice.first) == (True, False)
    assert once.sequence == twice.sequence
    with pytest.raises(DecisionError):
        set_password(firm, Who("ann"), "ben", "something else entirely", "form-1")


@on_sqlite
def test_an_administrator_does_not_go_around_the_present_password(firm):
    with pytest.raises(DecisionError, match="present one"):
        set_password(firm, Who("ann"), "ann", "quite another sentence", "own")
    assert sessions.sign_in(firm, "ann", GOOD, "::1").person_id == "ann"


@on_sqlite
def test_ones_own_password_needs_the_present_one(firm):
    do(firm, "ann", GrantRole("ben", Role.ANALYST, "*", "a reason"))
    set_password(firm, Who("ann"), "ben", "quite another sentence", "pw")
    with pytest.raises(AccessError, match="present password"):
        change_password(firm, Who("ben"), "guessed wrongly", GOOD, "c1")
    change_password(firm, Who("ben"), "quite another sentence", GOOD, "c2")
    assert not change_password(firm, Who("ben"), "quite another sentence", GOOD, "c2").first
    assert sessions.sign_in(firm, "ben", GOOD, "::1").person_id == "ben"
    for attempt in range(10):
        with pytest.raises(AccessError) as refused:
            change_password(firm, Who("ben"), "guessed wrongly", "some other long sentence", f"g{attempt}")
    assert refused.value.rule == "throttled"


@on_sqlite
@pytest.mark.parametrize("not_a_hash", ["", GOOD, "$argon2id$", "$2b$12$abcdefghijklmnopqrstuv", "x" * 150])
def test_what_is_no_hash_is_not_stored_as_a_password(firm, not_a_hash):
    for command in (SetPassword("ben", not_a_hash), ChangePassword(not_a_hash)):
        with pytest.raises((ParameterError, AccessError)):
            do(firm, "ann", command)


@on_sqlite
def test_the_list_of_people_is_for_those_who_may_read_it(store):
    cases.staff(store)
    may = {Role.ADMINISTRATOR, Role.COMPLIANCE, Role.AUDITOR}
    with store.writing() as unit:
        row = {"person_id": "lone", "name": "Lone", "kind": "person", "active": 1, "created_at": unit.now}
        unit.connection.execute(insert(person), row)
    with store.reading() as connection:
        for name, (role, _) in cases.STAFF.items():
            who = actor(connection, Who(name), store.clock())
            if role in may:
                assert {one.person_id for one in listed(connection, who)} == {*cases.STAFF, "lone"}
            else:
                with pytest.raises(AccessError):
                    listed(connection, who)
            assert myself(connection, who).person_id == name
        who = actor(connection, Who("paula"), store.clock())
        assert {"otto", "nightly", "paula"}.isdisjoint(dict(colleagues(connection, who)))

"""Who a browser speaks for: signed in by password, counted before it is looked at, ended in time."""

from __future__ import annotations

import json
from functools import cache

import pytest
from sqlalchemy import func, insert, select, update

from tests.governance import cases
from workbench.errors import AccessError
from workbench.governance import sessions
from workbench.governance.access import Who
from workbench.governance.passwords import hash_password
from workbench.governance.people import DeactivatePerson
from workbench.governance.sessions import current, rotate, sign_in, sign_out, sign_out_everywhere
from workbench.governance.tables import attempt, audit, desk_session, person

GOOD = "a long walk along the sea"
HOME = "192.0.2.1"
on_sqlite = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


@cache
def hashed():
    return hash_password(GOOD)


@pytest.fixture
def firm(store):
    cases.staff(store)
    with store.writing() as unit:
        values = {"password_hash": hashed(), "email": "ann@firm.example"}
        unit.connection.execute(update(person).where(person.c.person_id == "ann").values(**values))
    return store


@pytest.fixture
def quick(monkeypatch):
    """Passwords that take no time, for tests of counting."""
    monkeypatch.setattr(sessions, "verify", lambda stored, password: stored is not None and password == GOOD)
    monkeypatch.setattr(sessions, "outdated", lambda stored: False)


def refusals(store, rule=None):
    with store.reading() as connection:
        bodies = [json.loads(body) for body in connection.execute(select(audit.c.body)).scalars()]
    return [one for one in bodies if one["outcome"] == "refused" and rule in (None, one["details"]["rule"])]


def wrong(store, typed="ann", address=HOME, password="wrong"):
    with pytest.raises(AccessError) as refused:
        sign_in(store, typed, password, address)
    return refused.value


def test_a_session_goes_from_sign_in_to_sign_out(firm):
    opened = sign_in(firm, "ann@firm.example", GOOD, HOME)
    found = current(firm, opened.token)
    assert (found.person_id, found.form_token) == ("ann", opened.form_token)
    assert len(opened.token) == len(opened.form_token) == 43  # 256 bits in base64
    sign_out(firm, opened.token)
    sign_out(firm, opened.token)
    assert current(firm, opened.token) is None
    with firm.reading() as connection:
        acts = connection.execute(select(audit.c.action, audit.c.actor, audit.c.outcome)).all()
        assert [tuple(act) for act in acts] == [("sign_in", "ann", "done"), ("sign_out", "ann", "done")]
        assert connection.execute(select(desk_session)).first() is None


@on_sqlite
def test_a_copy_of_the_database_signs_nobody_in(firm, quick):
    opened = sign_in(firm, "ann", GOOD, HOME)
    with firm.reading() as connection:
        row = connection.execute(select(desk_session)).one()
        trail = "".join(connection.execute(select(audit.c.body)).scalars())
    assert opened.token not in str(tuple(row)) + trail
    assert current(firm, row.token_hash) is None


@on_sqlite
@pytest.mark.parametrize("typed", ["ann", " ANN@firm.example ", "Ann", "A nn", "ANN"])
def test_people_type_what_they_call_themselves(firm, quick, typed):
    assert sign_in(firm, typed, GOOD, HOME).person_id == "ann"


@on_sqlite
@pytest.mark.parametrize(
    "typed", ["", " ", "nobody", "otto", "nightly", "' OR 1=1 --", "ann\x00", "x" * 100_000, "\ud800", GOOD]
)
def test_unknown_wrong_and_without_a_password_sound_alike(firm, quick, typed):
    told = wrong(firm, typed, password=GOOD)
    assert (told.rule, str(told)) == ("signed_out", sessions.WRONG)
    assert str(told) == str(wrong(firm, "ann"))
    assert GOOD not in str(refusals(firm))


@on_sqlite
def test_a_session_ends_when_it_is_not_used(firm, quick):
    opened = sign_in(firm, "ann", GOOD, HOME)
    for _ in range(5):
        firm.clock.advance(minutes=29)
        assert current(firm, opened.token) is not None
    firm.clock.advance(minutes=30)
    assert current(firm, opened.token) is None


@on_sqlite
def test_a_session_ends_after_its_hours_however_much_it_is_used(firm, quick):
    opened = sign_in(firm, "ann", GOOD, HOME)
    for _ in range(59):
        firm.clock.advance(minutes=10)
        assert current(firm, opened.token) is not None
    firm.clock.advance(minutes=10)
    assert current(firm, opened.token) is None
    assert rotate(firm, opened.token) is None


@on_sqlite
def test_a_clock_that_goes_back_keeps_no_session_alive(firm, quick):
    opened = sign_in(firm, "ann", GOOD, HOME)
    firm.clock.advance(hours=-1)
    assert current(firm, opened.token) is None


def test_a_new_token_takes_the_old_ones_place(firm, quick):
    opened = sign_in(firm, "ann", GOOD, HOME)
    firm.clock.advance(minutes=5)
    fresh = rotate(firm, opened.token)
    assert current(firm, opened.token) is None
    assert current(firm, fresh.token).ends_at == opened.ends_at
    assert fresh.form_token != opened.form_token


@on_sqlite
def test_every_sign_in_is_another_session_and_all_end_together(firm, quick):
    opened = [sign_in(firm, "ann", GOOD, HOME) for _ in range(3)]
    assert len({one.token for one in opened}) == 3
    assert sign_out_everywhere(firm, "ann") == 3
    assert not [one for one in opened if current(firm, one.token)]


@on_sqlite
def test_who_is_deactivated_has_no_session(firm, quick):
    opened = sign_in(firm, "ann", GOOD, HOME)
    firm.perform(Who("otto"), DeactivatePerson("ann", "left"), "k")
    assert current(firm, opened.token) is None
    assert wrong(firm, password=GOOD).rule == "signed_out"


@on_sqlite
def test_a_row_that_outlives_its_person_is_no_session(firm, quick):
    opened = sign_in(firm, "ann", GOOD, HOME)
    with firm.writing() as unit:
        unit.connection.execute(update(person).where(person.c.person_id == "ann").values(active=0))
    assert current(firm, opened.token) is None


@on_sqlite
@pytest.mark.parametrize("token", ["", "x", "x" * 100_000, "\x00", "\ud800", "' OR 1=1 --"])
def test_a_token_that_is_none_is_nobodys(firm, token):
    assert current(firm, token) is None
    assert rotate(firm, token) is None
    sign_out(firm, token)


def test_too_many_attempts_are_refused_even_with_the_right_password(firm, quick):
    for _ in range(5):
        assert wrong(firm).rule == "signed_out"
    assert wrong(firm, password=GOOD).rule == "throttled"
    assert sign_in(firm, "ann", GOOD, "198.51.100.7").person_id == "ann"  # from elsewhere she is let in
    firm.clock.advance(minutes=16)
    assert sign_in(firm, "ann", GOOD, HOME).person_id == "ann"


@on_sqlite
def test_success_begins_the_count_anew(firm, quick):
    for _ in range(4):
        for _ in range(4):
            wrong(firm)
        sign_in(firm, "ann", GOOD, HOME)


@on_sqlite
def test_one_person_is_not_tried_from_everywhere(firm, quick):
    rules = [wrong(firm, address=f"203.0.113.{number}").rule for number in range(40)]
    assert rules.count("signed_out") == 30


@on_sqlite
def test_one_address_does_not_try_everybody(firm, quick):
    rules = [wrong(firm, typed=f"name {number}").rule for number in range(80)]
    assert rules.count("signed_out") == 60


@on_sqlite
def test_attempts_at_once_get_no_more_tries(firm, monkeypatch):
    """Each attempt is counted before the password is looked at: here each begins while the one before is verified."""
    looked_at = []

    def slow(stored, password):
        looked_at.append(password)
        if len(looked_at) < 50:
            with pytest.raises(AccessError):
                sign_in(firm, "ann", "wrong", HOME)
        return False

    monkeypatch.setattr(sessions, "verify", slow)
    wrong(firm)
    assert len(looked_at) == 5


@on_sqlite
def test_refused_attempts_leave_a_bounded_number_of_records_and_a_count_of_the_rest(firm, quick):
    for number in range(340):
        wrong(firm, typed=f"name {number}", address=f"198.51.100.{number % 250}")
    assert len(refusals(firm)) == 300
    firm.clock.advance(minutes=16)
    wrong(firm)
    counted = [one["details"]["attempts"] for one in refusals(firm) if "attempts" in one["details"]]
    assert counted == [40]
    with firm.reading() as connection:
        assert connection.execute(select(func.count()).select_from(attempt)).scalar_one() < 10


@on_sqlite
def test_what_was_typed_as_a_name_is_kept_nowhere(firm, quick):
    wrong(firm, typed="my secret passphrase")
    with firm.reading() as connection:
        kept = str([tuple(row) for table in (attempt, audit) for row in connection.execute(select(table))])
    assert "passphrase" not in kept


@on_sqlite
def test_an_address_is_kept_as_plain_text(firm, quick):
    wrong(firm, address="<script>\r\n\x00é" + "9" * 1000)
    assert refusals(firm)[0]["details"]["address"] == "<script>" + "9" * 52


@on_sqlite
@pytest.mark.usefixtures("full_passwords")
def test_a_hash_of_weaker_parameters_is_made_anew_at_sign_in(firm, monkeypatch):
    from argon2 import PasswordHasher

    weak = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(GOOD)
    with firm.writing() as unit:
        unit.connection.execute(update(person).where(person.c.person_id == "ann").values(password_hash=weak))
    sign_in(firm, "ann", GOOD, HOME)
    with firm.reading() as connection:
        stored = connection.execute(select(person.c.password_hash).where(person.c.person_id == "ann")).scalar_one()
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert sign_in(firm, "ann", GOOD, HOME)


@on_sqlite
def test_two_people_of_one_name_are_told_apart_by_their_address(firm, quick):
    with firm.writing() as unit:
        row = {"person_id": "ann2", "name": "Ann", "kind": "person", "active": 1, "created_at": unit.now}
        unit.connection.execute(insert(person), row | {"password_hash": "other", "email": "ann2@firm.example"})
    assert sign_in(firm, "ann@firm.example", GOOD, HOME).person_id == "ann"
    assert sign_in(firm, "ann2@firm.example", GOOD, HOME).person_id == "ann2"
    assert wrong(firm, "A.nn", password=GOOD).rule == "signed_out"

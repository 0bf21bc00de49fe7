"""From an empty database to a queue that people see, by the commands of the README."""

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from workbench.cli import main
from workbench.governance import fetch, open_store
from workbench.governance.tables import audit, draft, person, signal

PASSWORD = "a fairly long password"
HOUSEHOLDS = ("H00043", "H00006")


def run(*words, expect=0):
    answer = CliRunner().invoke(main, list(words), env={"WORKBENCH_PASSWORD": PASSWORD})
    assert answer.exit_code == expect, answer.output
    return answer.output


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    url = f"sqlite:///{tmp_path_factory.mktemp('decisions')}/decisions.db"
    run("people", "first", "ada", "Ada Lindqvist", "ada@firm.example", "--database", url)
    run("people", "service", "scheduler", "The nightly run", "--as", "ada", "--database", url)
    return url


@pytest.fixture(scope="module")
def brought(database):
    chosen = [word for household in HOUSEHOLDS for word in ("--household", household)]
    return run("signals", "bring", "--firm", "demo", "--database", database, *chosen)


def test_people_are_listed_with_their_roles(database):
    listed = run("people", "list", "--database", database)
    assert "ada              administrator" in listed
    assert "scheduler        service" in listed


def test_only_an_empty_database_gets_its_first_administrator_here(database):
    said = run("people", "first", "eve", "Eve", "eve@firm.example", "--database", database, expect=2)
    assert "ask an administrator" in said
    with open_store(database).reading() as connection:
        assert connection.execute(select(func.count()).select_from(person)).scalar_one() == 2


def test_a_wrong_password_adds_nobody(database):
    words = ["people", "service", "other", "Another run", "--as", "ada", "--database", database]
    answer = CliRunner().invoke(main, words, env={"WORKBENCH_PASSWORD": "not this one at all"})
    assert answer.exit_code == 2
    assert "other" not in run("people", "list", "--database", database)


def test_signals_are_brought_and_checked(brought, database):
    assert brought.startswith("2 signals (")
    with open_store(database).reading() as connection:
        rows = connection.execute(select(signal.c.household_id, signal.c.state, signal.c.verdict)).all()
    assert sorted(row.household_id for row in rows) == sorted(HOUSEHOLDS)
    assert {row.state for row in rows} == {"checked"}
    assert all(row.verdict for row in rows)


def test_each_signal_that_goes_beyond_an_alert_has_a_note_for_its_advisor(brought, database):
    with open_store(database).reading() as connection:
        drafted = connection.execute(
            select(signal.c.mode, draft.c.kind, draft.c.record, draft.c.drafted_hash)
            .select_from(signal.outerjoin(draft, draft.c.signal_id == signal.c.signal_id))
            .order_by(signal.c.household_id)
        ).all()
        texts = [fetch(connection, row.drafted_hash).body.decode() for row in drafted if row.kind]
    assert [row.kind for row in drafted] == [None if row.mode == "monitor" else "client_email" for row in drafted]
    assert all('"writer":"template"' in row.record for row in drafted if row.kind)
    assert texts
    assert all("We propose" in text and "nan" not in text for text in texts)


def test_the_same_firm_brought_twice_changes_no_signal(brought, database):
    with open_store(database).reading() as connection:
        before = connection.execute(select(signal).order_by(signal.c.signal_id)).all()
    said = run("signals", "bring", "--firm", "demo", "--database", database, "--household", HOUSEHOLDS[0])
    assert "1 were there already" in said
    with open_store(database).reading() as connection:
        assert connection.execute(select(signal).order_by(signal.c.signal_id)).all() == before


def test_a_queue_brought_in_parts_is_one_queue(brought, database):
    """A household's rank depends on who else was brought; the signal does not."""
    run("signals", "bring", "--firm", "demo", "--database", database, "--household", HOUSEHOLDS[1])
    with open_store(database).reading() as connection:
        assert connection.execute(select(func.count()).select_from(signal)).scalar_one() == len(HOUSEHOLDS)


def test_nothing_waits_for_a_check_that_has_one(brought, database):
    assert run("signals", "check", "--firm", "demo", "--database", database).startswith("0 signals")


def test_a_sweep_closes_nothing_before_its_day(brought, database):
    assert run("signals", "sweep", "--database", database).startswith("0 signals")


def test_an_administrator_sees_no_signal(brought, database):
    assert "signal-" not in run("signals", "list", "--as", "ada", "--database", database)


def test_a_person_does_not_bring_what_a_service_should(database):
    said = run("signals", "bring", "--firm", "demo", "--as", "ada", "--database", database, "--household", "H00043",
               expect=2)  # fmt: skip
    assert "ada" in said or "may" in said
    with open_store(database).reading() as connection:
        refused = connection.execute(select(func.count()).select_from(audit).where(audit.c.outcome == "refused"))
        assert refused.scalar_one() >= 1


def test_an_unknown_household_is_named(database):
    said = run("signals", "bring", "--firm", "demo", "--database", database, "--household", "H99999", expect=2)
    assert "H99999" in said

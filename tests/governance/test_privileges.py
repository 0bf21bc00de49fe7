"""On PostgreSQL the desk's role works the desk and cannot undo what was recorded."""

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from tests.conftest import Clock
from tests.governance import cases
from workbench.errors import ParameterError
from workbench.governance import people, sessions
from workbench.governance.database import open_engine, require_present
from workbench.governance.privileges import NEVER_DELETED, ONLY_ADDED, statements
from workbench.governance.store import Store

ROLE, SENTENCE = "desk_of_tests", "a long walk along the sea"


@pytest.fixture
def as_desk(postgres_url):
    """A store that is signed in as the desk's role; the tables belong to another."""
    owner = open_engine(postgres_url)
    with owner.connect() as connection:
        if not connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": ROLE}).scalar():
            connection.execute(text(f"CREATE ROLE {ROLE} LOGIN"))
        for statement in statements(ROLE):
            connection.execute(text(statement))
        connection.commit()
    engine = open_engine(make_url(postgres_url).set(username=ROLE, password=None).render_as_string(False))
    require_present(engine)
    yield Store(engine, Clock(), "tested")
    engine.dispose()
    with owner.connect() as connection:
        connection.execute(text(f"DROP OWNED BY {ROLE}"))
        connection.execute(text(f"DROP ROLE {ROLE}"))
        connection.commit()
    owner.dispose()


def test_the_desks_role_works_and_cannot_undo(as_desk):
    people.bootstrap(as_desk, "ada", "Ada Lind", "ada@firm.example", SENTENCE)
    assert sessions.current(as_desk, sessions.sign_in(as_desk, "ada", SENTENCE, "::1").token)
    refused = [
        "UPDATE audit SET body = body",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "ALTER TABLE audit DISABLE TRIGGER ALL",
        "DROP TRIGGER audit_no_change ON audit",
        "DROP TABLE audit CASCADE",
        "ALTER TABLE audit OWNER TO CURRENT_USER",
        "SET session_replication_role = replica",
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE TABLE mine (x int)",
        "UPDATE alembic_version SET version_num = '0001'",
        "DELETE FROM document",
        "DELETE FROM approval",
        "UPDATE decision SET decision_id = decision_id",
        "UPDATE answered SET receipt = receipt",
        "COPY audit TO PROGRAM 'cat'",
    ]
    for statement in refused:
        with as_desk.engine.connect().execution_options(workbench_begin="attack") as connection:
            with pytest.raises(DBAPIError, match=r"42501|permission denied|must be owner"):
                connection.execute(text(statement))
            connection.rollback()


def test_what_is_kept_by_triggers_is_kept_by_rights_too(postgres_url):
    with open_engine(postgres_url).connect() as connection:
        found = connection.execute(
            text(
                "SELECT relname, count(*) FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid "
                "WHERE tgname IN (relname || '_no_change', relname || '_no_delete') GROUP BY relname"
            )
        ).all()
    kept = {row[0] for row in found}
    assert kept == ONLY_ADDED | NEVER_DELETED


@pytest.mark.parametrize("role", ["", "Desk", 'desk"; DROP TABLE audit; --', "a b", "x" * 64])
def test_a_role_is_a_plain_name(role):
    with pytest.raises(ParameterError, match="role"):
        statements(role)


def test_a_signal_goes_all_its_way_by_the_desks_role(as_desk):
    assert cases.released(cases.staff(as_desk)).state == "released"

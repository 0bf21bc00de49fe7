"""The database keeps its promises by itself: types, keys, rows that never change; and says what is wrong with it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import insert, inspect, select, text
from sqlalchemy.engine import make_url

from tests.conftest import Clock
from tests.governance import cases
from workbench.errors import ParameterError, StoreError
from workbench.governance import Store, Who, migrate, open_engine, open_store
from workbench.governance.commands import Submit
from workbench.governance.database import transaction
from workbench.governance.migrations import versions
from workbench.governance.tables import approval, audit, controls, decision, document, metadata, person

#: Tables whose rows are never changed, each with a way to write over one.
KEPT = ("audit", "answered", "controls", "decision", "measure", "reading", "approval", "document")


def path_of(url):
    return Path(make_url(url).database)


def full(store):
    """A store with a row in every table that is kept."""
    cases.staff(store)
    cases.approved(store)
    with store.writing() as unit:
        unit.connection.execute(insert(controls).values(version=1, body="{}", set_by="cleo", set_at=unit.now))
        row = {"measure_id": "m", "version": 1, "definition": "{}", "defined_by": "cleo", "defined_at": unit.now}
        unit.connection.execute(insert(metadata.tables["measure"]), row)
        row = {"reading_id": "r", "measure_id": "m", "version": 1, "kind": "baseline", "period_start": "2022-01-01"}
        more = {"period_end": "2022-02-01", "value": "1", "observations": 1, "source": "s", "recorded_by": "cleo"}
        reading = metadata.tables["reading"]
        extra = {c.name: "0" for c in reading.c if not c.nullable and c.name not in {**row, **more, "recorded_at": 0}}
        unit.connection.execute(insert(reading), {**row, **more, **extra, "recorded_at": unit.now})
    return store


def test_the_migration_makes_the_tables_that_the_program_speaks_of(store):
    with transaction(store.engine, "write") as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "target_metadata": metadata})
        assert compare_metadata(context, metadata) == []


def test_migrating_again_changes_nothing(store):
    full(store)
    migrate(store.engine)
    with store.reading() as connection:
        assert len(connection.execute(select(approval)).all()) == 1


def test_sqlite_is_opened_as_promised(sqlite_url):
    engine = open_engine(sqlite_url)
    said = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "recursive_triggers": 1, "trusted_schema": 0}
    with engine.connect() as connection:
        found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in said}
        tables = connection.exec_driver_sql("PRAGMA table_list").mappings().all()
    assert found == said
    loose = {row["name"] for row in tables if not row["strict"] and not row["name"].startswith("sqlite_")}
    assert loose == {"alembic_version"}
    assert {row["name"] for row in tables if row["strict"]} == set(metadata.tables)
    hidden = {row["name"] for row in tables if row["strict"] and not row["wr"]}
    assert not hidden & (set(KEPT) - {"audit", "approval", "document"}), "a hidden row number could be written over"


def test_text_is_no_number_and_a_stranger_is_no_person(store):
    cases.staff(store)
    row = {"grant_id": "g", "person_id": "nobody", "role": "viewer", "book": "*", "granted_by": "x"}
    for name, statement in (
        (
            "a type",
            insert(person).values(person_id="x", name="x", kind="person", active=text("'yes'"), created_at=Clock()()),
        ),
        ("a key", insert(metadata.tables["role_grant"]).values(**row, granted_at=Clock()())),
        ("a choice", insert(person).values(person_id="x", name="x", kind="ghost", active=1, created_at=Clock()())),
    ):
        with pytest.raises(StoreError), store.writing() as unit:
            unit.connection.execute(statement)
        assert name


@pytest.mark.parametrize("table", KEPT)
def test_what_is_kept_is_neither_changed_nor_deleted(store, table):
    full(store)
    key = inspect(metadata.tables[table]).primary_key.columns.keys()[0]
    shown = {"approval": "sheet_hash", "document": "media_type"}.get(table, key)
    for statement in (
        f'UPDATE {table} SET "{shown}" = "{shown}" || \'x\'' if shown != "sequence" else "UPDATE audit SET book = 'x'",
        f"DELETE FROM {table}",
    ):
        statement = f"UPDATE {table} SET version = version + 1" if 'version" ||' in statement else statement
        with pytest.raises(StoreError, match="append-only"), store.writing() as unit:
            unit.connection.execute(text(statement))


@pytest.mark.parametrize("table", KEPT)
def test_nothing_kept_is_written_over(sqlite_url, table):
    """INSERT OR REPLACE slips past triggers on update and delete, and does so for whoever opens the file plainly."""
    store = full(Store(open_engine(sqlite_url), Clock(), "tested"))
    store.engine.dispose()
    plain = sqlite3.connect(path_of(sqlite_url))
    before = plain.execute(f"SELECT * FROM {table}").fetchall()
    for verb in ("INSERT OR REPLACE", "REPLACE", "INSERT OR IGNORE"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            plain.execute(f"{verb} INTO {table} SELECT * FROM {table} LIMIT 1")
    with pytest.raises(sqlite3.Error):
        plain.execute(f"INSERT OR REPLACE INTO {table} (rowid) VALUES (1)")
    column = next(c.name for c in metadata.tables[table].columns if not c.primary_key and c.name != "version")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        plain.execute(f"UPDATE OR REPLACE {table} SET {column} = 'x'")
    assert plain.execute(f"SELECT * FROM {table}").fetchall() == before
    plain.close()


def test_the_trail_grows_at_its_end_only(store):
    full(store)
    row = {"body": "{}", "hash": "0" * 64, "at": "x", "actor": "x", "action": "x", "outcome": "done"}
    row |= {"object_kind": "x", "object_id": "x", "book": "*"}
    for sequence in (0, 3, 6, -1):
        with pytest.raises(StoreError, match="append-only"), store.writing() as unit:
            unit.connection.execute(insert(audit), {**row, "sequence": sequence})
    with store.reading() as connection:
        known = connection.execute(select(audit.c.hash).where(audit.c.sequence == 1)).scalar_one()
    with pytest.raises(StoreError), store.writing() as unit:
        unit.connection.execute(insert(audit), {**row, "sequence": 5, "hash": known})


def test_postgresql_is_not_emptied_either(postgres_url):
    store = full(Store(open_engine(postgres_url), Clock(), "tested"))
    for table in KEPT:
        with pytest.raises(StoreError, match="append-only"), store.writing() as unit:
            unit.connection.execute(text(f"TRUNCATE {table} CASCADE"))
    store.engine.dispose()


def test_an_approval_is_voided_once_and_a_document_disposed_of_once(store):
    full(store)
    with store.writing() as unit:
        unit.connection.execute(approval.update().values(voided_at=unit.now, void_reason="over"))
        unit.connection.execute(document.update().values(body=None, disposed_at=unit.now))
    for table in (approval, document):
        values = {"void_reason": "again"} if table is approval else {"body": b"x"}
        with pytest.raises(StoreError, match="append-only"), store.writing() as unit:
            unit.connection.execute(table.update().values(**values))
    with store.reading() as connection:
        assert len(connection.execute(select(decision)).all()) == 2


def test_an_empty_database_is_created_and_a_strange_one_refused(tmp_path, postgres):
    store = open_store(f"sqlite:///{tmp_path / 'new.db'}", clock=Clock())
    cases.staff(store)
    with store.writing() as unit:
        unit.connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    store.engine.dispose()
    for _ in range(2):
        with pytest.raises(StoreError, match="newer schema"):
            open_store(f"sqlite:///{tmp_path / 'new.db'}")
    with pytest.raises(StoreError, match="newer schema"):
        migrate(open_engine(f"sqlite:///{tmp_path / 'new.db'}"))


def test_an_older_schema_waits_for_a_backup(tmp_path):
    url = f"sqlite:///{tmp_path / 'old.db'}"
    from alembic import command

    from workbench.governance import database

    engine = open_engine(url)
    with transaction(engine, "write") as connection:
        config = database._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    if len(list(Path(versions.__path__[0]).glob("0*.py"))) == 1:
        pytest.skip("there is one schema so far")
    with pytest.raises(StoreError, match="make a backup"):
        open_store(url)
    migrate(engine)
    open_store(url).engine.dispose()
    engine.dispose()


@pytest.mark.parametrize("url", ["mysql://x/y", "no url", "sqlite+nothing:///x", "", "postgresql+nothing://x/y"])
def test_what_is_no_database_is_refused(url):
    with pytest.raises((ParameterError, StoreError)):
        open_engine(url)


def test_a_server_that_is_not_there_is_named(tmp_path):
    with pytest.raises(StoreError, match="cannot be reached"):
        open_store("postgresql+pg8000://workbench@127.0.0.1:1/none")
    with pytest.raises(StoreError, match="cannot be opened"):
        open_store(f"sqlite:///{tmp_path / 'no' / 'such' / 'folder.db'}")


def test_a_file_that_is_no_database_is_named(tmp_path):
    (tmp_path / "x.db").write_bytes(b"This is a letter, not a database. " * 100)
    with pytest.raises(StoreError, match="not a sound database"):
        open_store(f"sqlite:///{tmp_path / 'x.db'}")


def test_a_database_that_somebody_else_holds_is_told_and_nothing_is_done(store_url):
    store = Store(open_engine(store_url, wait_seconds=0.1), Clock(), "tested")
    cases.staff(store)
    receipt = cases.checked(store)
    submit = Submit(receipt.object_id, receipt.version, receipt.sheet_hash)
    other = open_engine(store_url)
    with transaction(other, "write"), pytest.raises(StoreError, match="locked by another writer"):
        store.perform(Who("ann"), submit, "k")
    assert store.perform(Who("ann"), submit, "k").first
    other.dispose()
    store.engine.dispose()


def test_a_full_disk_is_told_and_nothing_is_half_done(sqlite_url):
    store = Store(open_engine(sqlite_url), Clock(), "tested")
    cases.staff(store)
    cases.created(store, 1)
    with store.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")
    large = cases.package("x" * 100_000)
    with pytest.raises(StoreError, match="disk is full"):
        cases.created(store, 2, package=large)
    with store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    with store.reading() as connection:
        assert len(connection.execute(select(document)).all()) == 1
    assert cases.created(store, 2, package=large).first
    store.engine.dispose()


def test_a_file_nobody_may_write_is_told(sqlite_url):
    store = Store(open_engine(sqlite_url), Clock(), "tested")
    cases.staff(store)
    receipt = cases.checked(store)
    store.engine.dispose()
    read_only = Store(open_engine(f"sqlite:///file:{path_of(sqlite_url)}?mode=ro&uri=true"), Clock(), "tested")
    with pytest.raises(StoreError, match="read-only"):
        read_only.perform(Who("ann"), Submit(receipt.object_id, receipt.version, receipt.sheet_hash), "k")
    read_only.engine.dispose()


def test_a_file_that_was_removed_is_told(tmp_path):
    store = open_store(f"sqlite:///{tmp_path / 'gone.db'}", clock=Clock())
    cases.staff(store)
    store.engine.dispose()
    for path in tmp_path.glob("gone.db*"):
        path.unlink()
    with pytest.raises(StoreError, match="no tables"):
        store.perform(Who("ann"), cases.proposal(), "k")
    store.engine.dispose()


def test_a_server_that_ends_the_connection_is_told_and_the_act_can_be_repeated(postgres_url):
    store = Store(open_engine(postgres_url), Clock(), "tested")
    cases.staff(store)
    other = open_engine(postgres_url)

    def cut_off(unit):
        mine = unit.connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with transaction(other, "read") as connection:
            connection.execute(text(f"SELECT pg_terminate_backend({mine})"))
        unit.connection.execute(select(person))

    with pytest.raises(StoreError, match="cannot be reached"), store.writing() as unit:
        cut_off(unit)
    assert cases.created(store).first
    other.dispose()
    store.engine.dispose()


def test_the_migration_runs_from_anywhere(tmp_path):
    """No alembic.ini is needed: the steps are in the package."""
    code = "from workbench.governance import open_store; open_store('sqlite:///x.db'); print('made')"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "made\n"
    assert (tmp_path / "x.db").exists()

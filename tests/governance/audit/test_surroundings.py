"""What lies around the trail: triggers that are gone, documents whose bytes were changed."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text, update

from benchmarks.governance_attacks import drop_triggers
from tests.governance import cases
from workbench.errors import StoreError
from workbench.governance.audit import verify_store
from workbench.governance.database import transaction
from workbench.governance.tables import document


def kinds(trail):
    found = verify_store(trail.store.reading, trail.folder, [trail.public])
    assert found.found == len(found.findings)
    return [one.attack for one in found.findings]


@pytest.fixture
def used(trail):
    cases.staff(trail.store, recorded=True)
    cases.released(trail.store)
    return trail


def test_a_database_as_it_was_left_has_no_finding(used):
    assert kinds(used) == []


def test_triggers_that_are_gone_are_named(used):
    with transaction(used.store.engine, "write") as connection:
        drop_triggers(connection)
    assert set(kinds(used)) == {"guard"}


def test_a_trigger_that_does_nothing_is_none(on_sqlite):
    with transaction(on_sqlite.store.engine, "write") as connection:
        connection.execute(text("DROP TRIGGER audit_no_update"))
        connection.execute(text("CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT 1; END"))
    found = verify_store(on_sqlite.store.reading, on_sqlite.folder, [on_sqlite.public])
    assert [one.problem for one in found.findings] == [
        "the trigger audit_no_update, which keeps the trail append-only, is gone or off"
    ]


def test_a_document_whose_bytes_were_changed_or_lost_is_found(used):
    with used.store.reading() as connection:
        names = connection.execute(select(document.c.hash).order_by(document.c.hash)).scalars().all()
    with transaction(used.store.engine, "write") as connection:
        let_documents_change(connection)
        connection.execute(update(document).where(document.c.hash == names[0]).values(body=b"other"))
        connection.execute(update(document).where(document.c.hash == names[1]).values(body=None))
    assert kinds(used) == ["document", "document"]


@pytest.mark.parametrize(
    "change",
    [
        "body = CAST('other' AS {bytes})",
        "body = NULL",
        "disposed_at = '2022-12-28T15:00:00.000000Z'",
        "body = CAST('' AS {bytes}), disposed_at = '2022-12-28T15:00:00.000000Z'",
        "kind = 'note'",
        "stored_at = '1999-12-28T15:00:00.000000Z'",
    ],
)
def test_a_document_only_ever_loses_its_bytes_with_the_moment_they_went(used, change):
    kind = {"bytes": "BLOB" if used.store.engine.dialect.name == "sqlite" else "bytea"}
    with pytest.raises(StoreError, match="append-only"), transaction(used.store.engine, "write") as connection:
        connection.execute(text(f"UPDATE document SET {change.format(**kind)}"))
    with transaction(used.store.engine, "write") as connection:
        connection.execute(text("UPDATE document SET body = NULL, disposed_at = '2022-12-28T15:00:00.000000Z'"))
    assert set(kinds(used)) == {"document"}, "no act disposed of them"


def let_documents_change(connection):
    on = " ON document" if connection.dialect.name == "postgresql" else ""
    connection.execute(text(f"DROP TRIGGER document_no_change{on}"))

"""What surrounds the trail: the triggers that keep it append-only, and the documents that its records name by hash."""

from __future__ import annotations

import hashlib

from sqlalchemy import Connection, select, text

from workbench.governance.audit.chain import KEEP, Findings
from workbench.governance.tables import document

#: The triggers on the trail's table, as the first migration makes them.
ON_SQLITE = frozenset({"audit_no_update", "audit_no_delete", "audit_no_replace", "audit_at_the_end"})
ON_POSTGRESQL = frozenset({"audit_no_change", "audit_no_truncate", "audit_at_the_end"})
_PAGE = 100


def check_guards(connection: Connection, findings: Findings) -> None:
    """Note every trigger of the trail that is gone or switched off: somebody meant to change records."""
    if connection.dialect.name == "sqlite":
        expected = ON_SQLITE
        statement = (
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit' AND sql LIKE '%RAISE%'"
        )
    else:
        expected = ON_POSTGRESQL
        statement = (
            "SELECT tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid "
            "WHERE relname = 'audit' AND NOT tgisinternal AND tgenabled IN ('O', 'A')"
        )
    found = set(connection.execute(text(statement)).scalars())
    for name in sorted(expected - found):
        findings.add(None, "guard", f"the trigger {name}, which keeps the trail append-only, is gone or off", KEEP)


def check_documents(connection: Connection, findings: Findings) -> int:
    """Hash every document that is kept and note those that are not what was stored; return how many were read."""
    count, after = 0, ""
    wanted = select(document.c.hash, document.c.kind, document.c.body, document.c.disposed_at).order_by(document.c.hash)
    while page := connection.execute(wanted.where(document.c.hash > after).limit(_PAGE)).all():
        for row in page:
            count += 1
            name = f"the {row.kind} {row.hash[:12]}"
            if row.body is None and row.disposed_at is None:
                findings.add(None, "document", f"{name} has lost its bytes without being disposed of", KEEP)
            elif row.body is not None and hashlib.sha256(row.body).hexdigest() != row.hash:
                findings.add(None, "document", f"{name} is not what was stored: its bytes give another hash", KEEP)
        after = page[-1].hash
    return count

"""What the desk's role needs of a PostgreSQL database, and nothing more: as SQL that its owner runs.

Triggers keep the trail append-only, but whoever owns a table can switch its triggers off. So tables belong to one role,
which migrates and is used for nothing else, and the desk signs in as another, which owns nothing: it adds records and
can neither change, delete nor empty them, whatever is found wrong with the desk. On SQLite there are no roles; there
the file's rights and the checkpoints outside it are what stands.
"""

from __future__ import annotations

import re

from workbench.errors import ParameterError
from workbench.governance.tables import metadata

#: Written once; the desk adds rows and reads them.
ONLY_ADDED = frozenset({"answered", "audit", "controls", "decision", "measure", "paper_edit", "reading"})
#: Something may be said of a row later, once; it is never deleted.
NEVER_DELETED = frozenset({"approval", "document"})
_ROLE = re.compile(r"[a-z_][a-z0-9_]{0,62}")


def statements(role: str) -> tuple[str, ...]:
    """Return the statements that give `role` what a desk needs; run them as the tables' owner after each migration.

    Raises `ParameterError` for a name that is not small letters, digits and underscores.
    """
    if not _ROLE.fullmatch(role):
        raise ParameterError("a role is named by small letters, digits and underscores, such as desk", "role")
    name = f'"{role}"'
    return (
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, {name}",
        f"GRANT USAGE ON SCHEMA public TO {name}",
        f"GRANT SELECT ON alembic_version TO {name}",
        *(f'GRANT {", ".join(_needed(table))} ON "{table}" TO {name}' for table in sorted(metadata.tables)),
    )


def _needed(table: str) -> tuple[str, ...]:
    if table in ONLY_ADDED:
        return ("SELECT", "INSERT")
    if table in NEVER_DELETED:
        return ("SELECT", "INSERT", "UPDATE")
    return ("SELECT", "INSERT", "UPDATE", "DELETE")

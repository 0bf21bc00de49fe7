"""The rulebooks that were proposed and adopted, read from the audit trail: it is their only record.

The trail cannot be changed, so that which rulebook was in force on which day cannot either. Their texts, and the page
that says what each change means, are documents.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from workbench.errors import StaleError
from workbench.governance.tables import audit, read

_RECORDS = (
    select(audit.c.sequence, audit.c.at, audit.c.body)
    .where(audit.c.object_kind == "rulebook", audit.c.action == "change_rules", audit.c.outcome == "done")
    .order_by(audit.c.sequence)
)


@dataclass(frozen=True)
class KeptRulebook:
    """One act on a rulebook: proposed or adopted, by whom and for whom, with the hashes of its text and its page.

    `replaces` is the rulebook that the page compares it to; `reason` what was given for it.
    """

    rules_hash: str
    version: int
    state: str
    document: str
    page: str
    replaces: str
    persons: frozenset[str]
    reason: str
    at: datetime
    sequence: int


def history(connection: Connection) -> tuple[KeptRulebook, ...]:
    """Return every proposal and adoption, oldest first."""
    return tuple(_kept(row.sequence, row.at, json.loads(row.body)) for row in connection.execute(_RECORDS))


def in_force(connection: Connection) -> KeptRulebook | None:
    """Return the rulebook adopted last, None where none was: any may be used then."""
    return next((one for one in reversed(history(connection)) if one.state == "adopted"), None)


def waiting(connection: Connection) -> tuple[KeptRulebook, ...]:
    """Return the proposals that nobody decided about since the last adoption, oldest first; the newest of each."""
    found: dict[str, KeptRulebook] = {}
    for one in history(connection):
        if one.state == "adopted":
            found.clear()
        else:
            found.pop(one.rules_hash, None)
            found[one.rules_hash] = one
    return tuple(found.values())


def require_in_force(connection: Connection, rules_hash: str) -> None:
    """Refuse a pre-flight made under another rulebook than the one in force. Raises `StaleError`."""
    now = in_force(connection)
    if now is not None and now.rules_hash != rules_hash:
        raise StaleError(
            f"the pre-flight was made by rulebook {rules_hash[:12]}, and {now.rules_hash[:12]} (version {now.version}) "
            "is in force; check the signal anew"
        )


def _kept(sequence: int, at: str, said: dict) -> KeptRulebook:
    persons = frozenset({said["actor"], said["on_behalf_of"]} - {None})
    return KeptRulebook(
        rules_hash=said["object_id"], version=said["object_version"], state=said["details"]["state"],
        document=said["documents"]["rulebook"], page=said["documents"]["page"], replaces=said["details"]["replaces"],
        persons=persons, reason=said["reason"] or "", at=read(at), sequence=sequence,
    )  # fmt: skip

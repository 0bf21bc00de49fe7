"""Changes of the controls that wait for a second person, read from the audit trail: it is their only record.

A proposal is known by the hash of what it says: on which version of the controls, each old and new value, and why. It
waits as long as that version is in force and nobody withdrew it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from workbench.canonical import canonical
from workbench.governance.controls import loosened
from workbench.governance.tables import audit, read

_RECORDS = (
    select(audit.c.sequence, audit.c.at, audit.c.body)
    .where(audit.c.object_kind == "controls", audit.c.action == "change_controls", audit.c.outcome == "done")
    .order_by(audit.c.sequence)
)


@dataclass(frozen=True)
class ControlProposal:
    """A looser set of controls that somebody proposed: what changes on version `on`, by whom and for whom, and why.

    `before` and `after` hold the controls that differ, in their own units; `state` is the last that happened to it:
    `proposed`, `adopted` or `withdrawn`.
    """

    on: int
    before: dict[str, int]
    after: dict[str, int]
    reason: str
    proposed_by: str
    on_behalf_of: str | None
    at: datetime
    sequence: int
    state: str = "proposed"

    @property
    def hash(self) -> str:
        """SHA-256 of what the proposal says; a person who confirms it names this."""
        said = {"on": self.on, "before": self.before, "after": self.after, "reason": self.reason}
        return hashlib.sha256(canonical(said)).hexdigest()

    @property
    def loosened(self) -> tuple[str, ...]:
        """The controls that would be less strict."""
        return loosened(self.before, self.after)

    @property
    def persons(self) -> frozenset[str]:
        """Who proposed it, and for whom."""
        return frozenset({self.proposed_by, self.on_behalf_of or self.proposed_by})


def history(connection: Connection) -> tuple[ControlProposal, ...]:
    """Return every proposal as it stands, in the order in which they were made; the newest of each."""
    found: dict[str, ControlProposal] = {}
    for row in connection.execute(_RECORDS):
        said = json.loads(row.body)
        state = said["details"].get("state")
        if state == "proposed":
            one = _proposal(row.sequence, row.at, said)
            found.pop(one.hash, None)
            found[one.hash] = one
        elif state in ("adopted", "withdrawn"):
            decided = said["details"]["proposal"]
            found[decided] = replace(found[decided], state=state)
    return tuple(found.values())


def waiting(connection: Connection, version: int) -> tuple[ControlProposal, ...]:
    """Return the proposals that wait for a second person while `version` of the controls is in force."""
    return tuple(one for one in history(connection) if one.state == "proposed" and one.on == version)


def _proposal(sequence: int, at: str, said: dict[str, Any]) -> ControlProposal:
    details = said["details"]
    return ControlProposal(
        on=details["on"], before=details["before"], after=details["after"], reason=said["reason"] or "",
        proposed_by=said["actor"], on_behalf_of=said["on_behalf_of"], at=read(at), sequence=sequence,
    )  # fmt: skip

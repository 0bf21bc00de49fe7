"""What happened to a thing, from the audit trail, in plain words, newest last."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from workbench.governance.access import Actor, visible
from workbench.governance.tables import audit, person

#: The most lines that one page shows; an older history is in the audit search.
MOST = 200

#: What each act that a signal's history may hold did, as a person would say it; its reason stands beside.
WORDS: Mapping[str, str] = {
    "create": "brought the signal in",
    "check": "attached a pre-flight",
    "revise": "changed the trades",
    "consent": "recorded the client's consent",
    "override": "let a finding stand",
    "submit": "submitted it for approval",
    "withdraw": "took the submission back",
    "approve": "approved it",
    "return": "sent it back to be changed",
    "reject": "rejected it",
    "release": "released it",
    "export": "wrote its ticket",
    "acknowledge": "recorded that the receiving system has it",
    "fill": "recorded a fill",
    "expire": "closed it: past its day",
    "supersede": "closed it: a newer one took its place",
    "void": "voided it: what it was checked on has changed",
    "lapse": "sent it back for approval",
    "set_mode": "set another rollout mode",
    "draft": "added a draft",
    "edit_draft": "edited a draft",
    "bring_paper": "brought it in",
    "edit_paper": "put it into other words",
    "release_paper": "released it",
    "withdraw_paper": "withdrew it",
    "escalate": "passed the question on",
    "answer_escalation": "answered the question",
}


@dataclass(frozen=True)
class Line:
    """One record of the trail: who did what, when, as whom, and why; `refused` where it was tried and not allowed."""

    sequence: int
    at: str
    who: str
    on_behalf_of: str | None
    roles: tuple[str, ...]
    action: str
    words: str
    refused: bool
    reason: str | None
    before: str | None
    after: str | None
    details: Mapping[str, Any]
    documents: Mapping[str, str]
    hash: str


def history(
    connection: Connection, actor: Actor, object_kind: str, object_id: str, limit: int = MOST
) -> tuple[Line, ...]:
    """Return the trail's newest `limit` lines about a thing, oldest first, as far as the actor may see its book."""
    asked = (
        select(audit.c.sequence, audit.c.at, audit.c.body, audit.c.hash, audit.c.action, audit.c.outcome, audit.c.actor)
        .where(audit.c.object_kind == object_kind, audit.c.object_id == object_id, visible(actor, audit.c.book))
        .order_by(audit.c.sequence.desc())
        .limit(limit)
    )
    rows = connection.execute(asked).all()[::-1]
    bodies = [json.loads(row.body) for row in rows]
    people = {row.actor for row in rows} | {body.get("on_behalf_of") for body in bodies}
    names = names_of(connection, people - {None})
    return tuple(_line(row, body, names) for row, body in zip(rows, bodies))


def names_of(connection: Connection, people: set[str]) -> dict[str, str]:
    """Return person to name; who is not in the table is called by identifier."""
    asked = select(person.c.person_id, person.c.name).where(person.c.person_id.in_(sorted(people)))
    return {one: one for one in people} | {row.person_id: row.name for row in connection.execute(asked)}


def both(person_id: str | None, behalf: str | None, names: Mapping[str, str]) -> str | None:
    """Return who did something and for whom: "Ann Lee for Bob Ray"; None where nobody did it."""
    return " for ".join(names.get(one, one) for one in (person_id, behalf) if one) or None


def _line(row: Any, body: Mapping[str, Any], names: Mapping[str, str]) -> Line:
    refused = row.outcome == "refused"
    told = WORDS.get(row.action, row.action.replace("_", " "))
    words = f"tried to {row.action.replace('_', ' ')}: refused" if refused else told
    behalf = body.get("on_behalf_of")
    return Line(
        sequence=row.sequence,
        at=row.at,
        who=names[row.actor],
        on_behalf_of=names[behalf] if behalf else None,
        roles=tuple(body.get("roles", ())),
        action=row.action,
        words=words,
        refused=refused,
        reason=body.get("reason"),
        before=body.get("before"),
        after=body.get("after"),
        details=body.get("details", {}),
        documents=body.get("documents", {}),
        hash=row.hash,
    )

"""Break-glass: a role taken in an emergency, at once, for an hour; said aloud, and looked at afterwards.

Who holds an acting role takes another for a reason; compliance and auditors are alerted by the outbox in the same
transaction. Maker is still not checker, an approval given so needs a second one, and nobody breaks the glass again
before compliance has looked at the last time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from sqlalchemy import Connection, insert, select, update

from workbench.errors import AccessError, DecisionError
from workbench.governance.access import EVERY_BOOK, Actor, authorize
from workbench.governance.commands import Command
from workbench.governance.handlers_of import Handlers
from workbench.governance.people import given_reason
from workbench.governance.roles import Role
from workbench.governance.states import Action
from workbench.governance.tables import break_glass, person
from workbench.governance.unit import Done, Unit

#: What an emergency may need. Overriding a rule, and rights over people, are never urgent enough.
BREAKABLE = (Role.PORTFOLIO_MANAGER, Role.TRADER)
SHORTEST_REASON = 20
ALERT = "alert.break_glass"
TOLD = ["compliance", "auditor"]


@dataclass(frozen=True)
class BreakGlass(Command):
    """Take a role for the minutes the controls give, in all books."""

    action: ClassVar[Action] = Action.BREAK_GLASS
    role: Role
    reason: str


@dataclass(frozen=True)
class ReviewBreakGlass(Command):
    """Say what was found on looking at what was done; it ends what has not ended yet."""

    action: ClassVar[Action] = Action.REVIEW_BREAK_GLASS
    grant_id: str
    reason: str


@dataclass(frozen=True)
class BrokenGlass:
    """One time somebody broke the glass."""

    grant_id: str
    person_id: str
    name: str
    role: str
    reason: str
    starts_at: datetime
    ends_at: datetime
    reviewed_by: str | None
    reviewed_at: datetime | None


def broken(connection: Connection, actor: Actor, *, unreviewed: bool = True) -> tuple[BrokenGlass, ...]:
    """Return when the glass was broken, the latest first; only what waits for a review, or all of it.

    Raises `AccessError` for who may not read about people.
    """
    authorize(actor, Action.READ_PEOPLE)
    query = _QUERY.order_by(break_glass.c.starts_at.desc(), break_glass.c.grant_id)
    if unreviewed:
        query = query.where(break_glass.c.reviewed_at.is_(None))
    return tuple(BrokenGlass(*row) for row in connection.execute(query))


def in_hand(connection: Connection, person_id: str, now: datetime) -> BrokenGlass | None:
    """Return what a person holds by broken glass at this moment: their page says so, loudly."""
    query = _QUERY.where(
        break_glass.c.person_id == person_id, break_glass.c.starts_at <= now, break_glass.c.ends_at > now
    )
    row = connection.execute(query.limit(1)).first()
    return None if row is None else BrokenGlass(*row)


_QUERY = select(
    break_glass.c.grant_id, break_glass.c.person_id, person.c.name, break_glass.c.role, break_glass.c.reason,
    break_glass.c.starts_at, break_glass.c.ends_at, break_glass.c.reviewed_by, break_glass.c.reviewed_at,
).join(person, person.c.person_id == break_glass.c.person_id)  # fmt: skip


def _break(unit: Unit, actor: Actor, command: BreakGlass) -> Done:
    if command.role not in BREAKABLE:
        raise AccessError(f"only {' and '.join(BREAKABLE)} can be taken by breaking the glass", "break_glass")
    given_reason(command.reason, shortest=SHORTEST_REASON)
    role = Role(command.role)
    if any(grant.role is role and grant.book == EVERY_BOOK for grant in actor.grants):
        raise DecisionError("you hold this role in all books already; there is no glass to break")
    earlier = select(break_glass.c.grant_id).where(
        break_glass.c.person_id == actor.person_id, break_glass.c.reviewed_at.is_(None)
    )
    if unit.connection.execute(earlier).first() is not None:
        raise AccessError(
            "compliance has not reviewed your last break-glass; ask them to, then try again", "break_glass"
        )
    grant_id = unit.new_id("break_glass")
    unit.examine("break_glass", grant_id)
    ends_at = unit.now + timedelta(minutes=unit.controls.break_glass_minutes)
    unit.connection.execute(
        insert(break_glass),
        {
            "grant_id": grant_id,
            "person_id": actor.person_id,
            "role": role.value,
            "reason": command.reason,
            "starts_at": unit.now,
            "ends_at": ends_at,
        },
    )
    said = {"person": actor.person_id, "role": role.value}
    return Done(
        object_kind="break_glass",
        object_id=grant_id,
        state="open",
        reason=command.reason,
        details=said,
        messages=((ALERT, {**said, "what": "broken", "grant": grant_id, "to": TOLD}),),
    )


def _review(unit: Unit, actor: Actor, command: ReviewBreakGlass) -> Done:
    given_reason(command.reason)
    row = unit.connection.execute(select(break_glass).where(break_glass.c.grant_id == command.grant_id)).one_or_none()
    if row is None or row.reviewed_at is not None:
        raise DecisionError("this waits for no review; look at the list again")
    if row.person_id in actor.persons:
        raise AccessError("nobody reviews their own break-glass; another person in compliance has to", "maker")
    unit.examine("break_glass", row.grant_id)
    unit.connection.execute(
        update(break_glass)
        .where(break_glass.c.grant_id == row.grant_id)
        .values(reviewed_by=actor.person_id, reviewed_at=unit.now, ends_at=min(row.ends_at, unit.now))
    )
    said = {"person": row.person_id, "role": row.role}
    return Done(
        object_kind="break_glass",
        object_id=row.grant_id,
        state="reviewed",
        reason=command.reason,
        details=said,
        messages=((ALERT, {**said, "what": "reviewed", "grant": row.grant_id, "to": TOLD}),),
    )


HANDLERS: Handlers = {BreakGlass: _break, ReviewBreakGlass: _review}

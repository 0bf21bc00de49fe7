"""Legal holds: what must not be disposed of, however old, until somebody other than its placer lifts the hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, get_args

from sqlalchemy import Connection, insert, select, update

from workbench.errors import AccessError, DecisionError, ParameterError
from workbench.governance.commands import Command
from workbench.governance.states import Action
from workbench.governance.tables import hold
from workbench.governance.unit import Done, Unit

if TYPE_CHECKING:
    from workbench.governance.access import Actor
    from workbench.governance.handlers_of import Handlers

Held = Literal["signal", "household", "person", "book", "everything"]
SHORTEST_REASON = 20


@dataclass(frozen=True)
class PlaceHold(Command):
    """Keep everything about a signal, household, person or book, or everything (`object_id` is then `*`)."""

    action: ClassVar[Action] = Action.HOLD
    object_kind: Held
    object_id: str
    reason: str


@dataclass(frozen=True)
class LiftHold(Command):
    """End a hold; by another person than the one who placed it."""

    action: ClassVar[Action] = Action.HOLD
    hold_id: str
    reason: str


def in_force(connection: Connection) -> frozenset[tuple[str, str]]:
    """Return kind and identifier of everything that is held."""
    rows = connection.execute(select(hold.c.object_kind, hold.c.object_id).where(hold.c.lifted_at.is_(None)))
    return frozenset((row.object_kind, row.object_id) for row in rows)


def _place(unit: Unit, actor: Actor, command: PlaceHold) -> Done:
    if command.object_kind not in get_args(Held):
        kinds = ", ".join(get_args(Held))
        raise ParameterError(f"{command.object_kind!r} cannot be held; name one of {kinds}", "object_kind")
    if not command.object_id.strip() or (command.object_kind == "everything") != (command.object_id == "*"):
        raise ParameterError("name what is held; `*` goes with everything and with nothing else", "object_id")
    _reasoned(command.reason)
    hold_id = unit.new_id("hold")
    unit.examine("hold", hold_id)
    unit.connection.execute(
        insert(hold),
        {
            "hold_id": hold_id,
            "object_kind": command.object_kind,
            "object_id": command.object_id,
            "reason": command.reason,
            "placed_by": actor.person_id,
            "placed_at": unit.now,
        },
    )
    said = {"held": command.object_kind, "held_id": command.object_id}
    message = ("audit.hold_placed", {"hold": hold_id, "held": command.object_kind})
    return Done("hold", hold_id, state="placed", reason=command.reason, details=said, messages=(message,))


def _lift(unit: Unit, actor: Actor, command: LiftHold) -> Done:
    row = unit.connection.execute(select(hold).where(hold.c.hold_id == command.hold_id)).first()
    if row is None or row.lifted_at is not None:
        raise DecisionError("there is no such hold in force; look at the list of holds anew")
    if row.placed_by in actor.persons:
        raise AccessError("you, or the person you act for, placed this hold; somebody else has to lift it", "maker")
    _reasoned(command.reason)
    unit.examine("hold", command.hold_id)
    unit.connection.execute(
        update(hold).where(hold.c.hold_id == command.hold_id).values(lifted_by=actor.person_id, lifted_at=unit.now)
    )
    said = {"held": row.object_kind, "held_id": row.object_id, "placed_by": row.placed_by}
    message = ("audit.hold_lifted", {"hold": row.hold_id, "held": row.object_kind})
    return Done("hold", row.hold_id, state="lifted", reason=command.reason, details=said, messages=(message,))


def _reasoned(reason: str) -> None:
    if len(reason.strip()) < SHORTEST_REASON:
        raise ParameterError(f"say why in at least {SHORTEST_REASON} characters; an examiner will read it", "reason")


HANDLERS: Handlers = {PlaceHold: _place, LiftHold: _lift}

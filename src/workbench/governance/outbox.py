"""The outbox: what the store has to say to others, written with the act it speaks of, delivered by somebody else.

    with store.writing() as unit:
        for message in outbox.claim(unit, limit=20):   # leased: nobody else takes it for five minutes
            ...                                        # deliver outside of this transaction, with message_id as its key
    with store.writing() as unit:
        outbox.sent(unit, message.message_id)

A message is delivered at least once; its identifier is stable, so that the receiver can tell a second delivery.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, func, or_, select, update

from workbench.errors import DecisionError, ParameterError
from workbench.governance.tables import outbox
from workbench.governance.unit import Unit

LEASE = timedelta(minutes=5)
#: Waits between attempts double from a minute up to an hour; after the last attempt a person has to look.
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)
ATTEMPTS = 12
LONGEST_ERROR = 500

_now = bindparam("now", type_=outbox.c.next_at.type)
_DUE = (
    select(outbox)
    .where(
        or_(
            (outbox.c.state == "waiting") & (outbox.c.next_at <= _now),
            (outbox.c.state == "taken") & (outbox.c.taken_until <= _now),
        )
    )
    .order_by(outbox.c.sequence, outbox.c.message_id)
    .limit(bindparam("most"))
)
_UPDATE = update(outbox).where(outbox.c.message_id == bindparam("of"))


@dataclass(frozen=True)
class Message:
    """One message to deliver; `attempts` counts this one. Its body holds identifiers and counts, no client's name."""

    message_id: str
    topic: str
    body: Mapping[str, Any]
    sequence: int
    attempts: int


def claim(unit: Unit, limit: int = 20, lease: timedelta = LEASE) -> tuple[Message, ...]:
    """Take the oldest messages that are due, for the time of a lease; whoever does not report back loses them again.

    A message whose lease ran out may have been delivered: its receiver has to know it by its identifier.
    """
    if limit < 1 or lease <= timedelta(0):
        raise ParameterError("claim at least one message for some time", "limit")
    rows = unit.connection.execute(_DUE, {"now": unit.now, "most": limit}).all()
    taken = []
    for row in rows:
        values = {"state": "taken", "attempts": row.attempts + 1, "taken_until": unit.now + lease}
        unit.connection.execute(_UPDATE, {"of": row.message_id, **values})
        taken.append(Message(row.message_id, row.topic, json.loads(row.body), row.sequence, row.attempts + 1))
    return tuple(taken)


def sent(unit: Unit, message_id: str) -> None:
    """Note that a message was delivered. Raises `DecisionError` where nobody had taken it."""
    _taken(unit, message_id)
    unit.connection.execute(_UPDATE, {"of": message_id, "state": "sent", "taken_until": None, "last_error": None})


def failed(unit: Unit, message_id: str, error: str) -> None:
    """Note that a message was not delivered: it waits, twice as long each time, and gives up at the twelfth attempt."""
    attempts = _taken(unit, message_id)
    wait = min(FIRST_WAIT * 2 ** (attempts - 1), LONGEST_WAIT)
    state = "failed" if attempts >= ATTEMPTS else "waiting"
    values = {"state": state, "next_at": unit.now + wait, "taken_until": None, "last_error": error[:LONGEST_ERROR]}
    unit.connection.execute(_UPDATE, {"of": message_id, **values})


def unknown(unit: Unit, message_id: str, error: str) -> None:
    """Note that nobody knows whether a message arrived, and that it must not be sent again before a person looked."""
    _taken(unit, message_id)
    values = {"state": "unknown", "taken_until": None, "last_error": error[:LONGEST_ERROR]}
    unit.connection.execute(_UPDATE, {"of": message_id, **values})


def counts(connection: Connection) -> dict[str, int]:
    """Return how many messages are in each state; `failed` and `unknown` are for a person to look at."""
    rows = connection.execute(select(outbox.c.state, func.count()).group_by(outbox.c.state)).all()
    return {state: number for state, number in rows}


def _taken(unit: Unit, message_id: str) -> int:
    row = unit.connection.execute(select(outbox).where(outbox.c.message_id == message_id)).first()
    if row is None or row.state != "taken":
        state = "not there" if row is None else row.state
        raise DecisionError(f"message {message_id[:40]!r} is {state}; claim it before you report on it")
    return int(row.attempts)

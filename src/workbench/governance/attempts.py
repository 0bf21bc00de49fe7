"""How often a password may be tried: by one person from one address, by anybody for one person, from one address.

Attempts are counted in the database before the password is looked at, so several processes, or many requests at once,
get no more of them. What was typed as a name is kept as a hash only: people type passwords there. Refused attempts are
records of the audit trail up to a number a window; the rest are counted, and the count is one record.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from sqlalchemy import delete, insert, select, update

from workbench.governance.audit.record import Entry
from workbench.governance.tables import attempt
from workbench.governance.unit import Unit

#: Multiples of `controls.sign_in_attempts` in one window.
_FOR_ONE_PERSON = 6
_FROM_ONE_ADDRESS = 12
_RECORDS = 60
_EVERYBODY, _SILENT = "everybody", "silent"
#: What the audit trail says of an address; an IPv6 address with a zone is shorter.
_LONGEST_ADDRESS = 64


@dataclass(frozen=True)
class Attempt:
    """One attempt that was counted; `over` where there were too many, and the password is not looked at."""

    pair: str
    name: str
    over: bool


def reserve(unit: Unit, typed: str, address: str) -> Attempt:
    """Count an attempt by whoever typed this name, from this address."""
    _close_windows(unit)
    said, place = typed.strip().casefold(), address[:_LONGEST_ADDRESS]
    pair, name = _key("pair", f"{said}\n{place}"), _key("name", said)
    few = unit.controls.sign_in_attempts
    limits = {pair: few, name: few * _FOR_ONE_PERSON, _key("address", place): few * _FROM_ONE_ADDRESS}
    _count(unit, _EVERYBODY)
    over = [key for key, most in limits.items() if _count(unit, key) > most]
    return Attempt(pair, name, bool(over))


def forget(unit: Unit, made: Attempt) -> None:
    """Begin anew after an attempt that succeeded; what came from the address stays counted."""
    unit.connection.execute(delete(attempt).where(attempt.c.key.in_([made.pair, made.name])))


def record_refusal(
    unit: Unit, action: str, person_id: str | None, address: str, rule: Literal["signed_out", "throttled"]
) -> None:
    """Write one refused attempt into the trail, or only count it where the window had its number of records."""
    so_far = unit.connection.execute(select(attempt.c.count).where(attempt.c.key == _EVERYBODY)).scalar_one_or_none()
    if (so_far or 0) > unit.controls.sign_in_attempts * _RECORDS:
        _count(unit, _SILENT)
        return
    unit.append(
        Entry(
            action=action,
            outcome="refused",
            object_kind="person" if person_id else "request",
            object_id=person_id or "",
            object_version=0,
            actor=person_id or "unknown",
            actor_kind="nobody",
            roles=(),
            controls_version=unit.controls.version,
            details={"rule": rule, "address": tame(address)},
        )
    )


def tame(address: str) -> str:
    """Return an address as the trail can hold it: printable ASCII, bounded."""
    return "".join(letter for letter in address[:_LONGEST_ADDRESS] if letter.isascii() and letter.isprintable())


def _close_windows(unit: Unit) -> None:
    """Forget counts whose window has passed; what had no record of its own gets one together."""
    begun = unit.now - timedelta(minutes=unit.controls.sign_in_window_minutes)
    past = attempt.c.since <= begun
    silent = unit.connection.execute(select(attempt.c.count).where(past, attempt.c.key == _SILENT)).scalar_one_or_none()
    unit.connection.execute(delete(attempt).where(past))
    if silent:
        unit.append(
            Entry(
                action="sign_in", outcome="refused", object_kind="request", object_id="", object_version=0,
                actor="unknown", actor_kind="nobody", roles=(), controls_version=unit.controls.version,
                details={"rule": "throttled", "attempts": silent},
            )
        )  # fmt: skip


def _count(unit: Unit, key: str) -> int:
    one_more = update(attempt).where(attempt.c.key == key).values(count=attempt.c.count + 1).returning(attempt.c.count)
    count = unit.connection.execute(one_more).scalar_one_or_none()
    if count is not None:
        return count
    unit.connection.execute(insert(attempt), {"key": key, "since": unit.now, "count": 1})
    return 1


def _key(kind: str, text: str) -> str:
    return f"{kind}:{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()}"

"""Idempotency: what was asked under a key and what was answered, so that a repeated request is not a second act."""

from __future__ import annotations

import json
from dataclasses import asdict

from sqlalchemy import Connection, bindparam, insert, select

from workbench.canonical import canonical
from workbench.errors import RepeatError
from workbench.governance.commands import Receipt
from workbench.governance.states import Action
from workbench.governance.tables import answered
from workbench.governance.unit import Unit

_FIND = select(answered.c.fingerprint, answered.c.receipt).where(answered.c.key == bindparam("asked"))
_KEEP = insert(answered)


def find(connection: Connection, key: str, fingerprint: str) -> Receipt | None:
    """Return the first answer to this key, or None. Raises `RepeatError` where it was used for something else."""
    row = connection.execute(_FIND, {"asked": key}).first()
    if row is None:
        return None
    if row.fingerprint != fingerprint:
        raise RepeatError("this key was used for another request; look whether that was done, then take a new key")
    said = json.loads(row.receipt)
    return Receipt(**{**said, "action": Action(said["action"]), "also": tuple(said["also"]), "first": False})


def keep(unit: Unit, key: str, fingerprint: str, receipt: Receipt) -> None:
    """Store the first answer to a key."""
    unit.connection.execute(
        _KEEP,
        {
            "key": key,
            "fingerprint": fingerprint,
            "receipt": canonical(asdict(receipt)).decode(),
            "sequence": receipt.sequence,
            "at": unit.now,
        },
    )

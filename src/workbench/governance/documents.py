"""Documents by their SHA-256: packages, pre-flights, briefs, drafts. The trail keeps the hash, this keeps the bytes."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy import Connection, insert, select

from workbench.errors import DecisionError, ParameterError
from workbench.governance.commands import Document
from workbench.governance.tables import document

#: A package of a large household is some hundred kilobytes; more than this is a mistake or an attack.
MAX_BYTES = 20_000_000

_INSERT = insert(document)


def hash_of(kept: Document) -> str:
    """Return the name of a document: SHA-256 of its bytes, in hexadecimal."""
    return hashlib.sha256(kept.body).hexdigest()


def keep(connection: Connection, kept: Document, now: datetime) -> str:
    """Store a document unless its bytes are there already; return its hash. Raises `ParameterError` beyond 20 MB."""
    if len(kept.body) > MAX_BYTES:
        raise ParameterError(f"a document of {len(kept.body):,} bytes is beyond {MAX_BYTES:,}; split it", "body")
    name = hash_of(kept)
    if connection.execute(select(document.c.hash).where(document.c.hash == name)).first() is None:
        connection.execute(
            _INSERT,
            {
                "hash": name,
                "kind": kept.kind,
                "media_type": kept.media_type,
                "size": len(kept.body),
                "body": kept.body,
                "stored_at": now,
            },
        )
    return name


def fetch(connection: Connection, name: str) -> Document:
    """Read a document by its hash, checked against it. The caller has asked who may see it.

    Raises `DecisionError` where there is none, where retention disposed of it, or where its bytes are not its hash's.
    """
    row = connection.execute(select(document).where(document.c.hash == name)).first()
    if row is None:
        raise DecisionError(f"no document {name[:12]} is stored; check the hash")
    if row.body is None:
        raise DecisionError(f"document {name[:12]} was disposed of on {row.disposed_at:%Y-%m-%d}, as retention says")
    found = Document(row.kind, row.media_type, bytes(row.body))
    if hash_of(found) != name:
        raise DecisionError(f"document {name[:12]} is not what was stored; keep everything and call compliance")
    return found

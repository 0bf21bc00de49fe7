"""One record of the audit trail: who did what to which thing, when, why, on what, and what came before it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from workbench.canonical import canonical

#: What the first record is chained to.
START = "0" * 64


@dataclass(frozen=True)
class Entry:
    """What an act says about itself, before it is given its place in the chain.

    Identifiers and hashes only, never a client's name or note: what must be kept longer than a person's data may be
    kept stays readable when those are disposed of. `documents` are hashes of what re-creates the original: package,
    pre-flight, brief; for a draft its prompt, model, parameters, masked input, raw output and verifier's report.
    """

    action: str
    outcome: Literal["done", "refused"]
    object_kind: str
    object_id: str
    object_version: int
    actor: str
    actor_kind: Literal["person", "service", "model", "nobody"]
    roles: tuple[str, ...]
    book: str = "*"
    on_behalf_of: str | None = None
    before: str | None = None
    after: str | None = None
    reason: str | None = None
    key: str | None = None
    controls_version: int = 0
    policy: str | None = None
    rules_hash: str | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    documents: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    rows: Mapping[str, str] = field(default_factory=dict)  # table -> hash of the object's rows there (`pinned`)


@dataclass(frozen=True)
class Record:
    """An entry in its place: canonical JSON (RFC 8785) that holds the hash of the record before; SHA-256 of it all."""

    sequence: int
    body: bytes
    hash: str


def seal(entry: Entry, *, sequence: int, previous: str, at: str, code_version: str) -> Record:
    """Put an entry into the chain. Raises `ParameterError` for text or numbers that have no canonical form."""
    said: dict[str, Any] = {name: getattr(entry, name) for name in entry.__dataclass_fields__}
    for name in ("inputs", "documents", "details", "rows"):
        said[name] = dict(said[name])
    body = canonical({**said, "sequence": sequence, "previous": previous, "at": at, "code_version": code_version})
    return Record(sequence, body, hashlib.sha256(body).hexdigest())

"""The door: every text of a request is measured before anything is done, and a request is named by its content."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select

from workbench.canonical import MAX_EXACT, canonical
from workbench.errors import AccessError, ParameterError
from workbench.governance import access, documents
from workbench.governance.access import Who
from workbench.governance.audit.record import Entry
from workbench.governance.commands import Command, Document
from workbench.governance.tables import person, signal, written
from workbench.governance.unit import Unit

#: The most characters of a text, by the name of its field; every other text is a name or an identifier.
LONGEST = {
    "reason": 2_000,
    "note": 2_000,
    "value": 2_000,
    "limit": 2_000,
    "body": 200_000,
    "rationale": 20_000,
    "definition": 2_000,
    "formula": 2_000,
    "source": 2_000,
    "title": 500,
    "question": 4_000,
    "answer": 20_000,
}
LONGEST_NAME = 200
LONGEST_KEY = 128
#: Fields of whole cents; every other number counts things.
MONEY = frozenset({"traded", "tax", "cost", "benefit", "filled", "changes"})
#: The most items of a list, such as a household's accounts or the households of a firm.
LONGEST_LIST = 1_000_000

_KIND = select(person.c.kind).where(person.c.person_id == bindparam("asked"))
_SIGNAL = select(
    signal.c.book, signal.c.sheet_hash, signal.c.policy, signal.c.rules_hash, signal.c.inputs_hash, signal.c.snapshot
).where(signal.c.signal_id == bindparam("asked"))


def inspect(who: Who, command: Command, key: str) -> None:
    """Refuse texts that are too long, empty where a name is needed, or hold what no database may.

    Raises `ParameterError` with the name of the field.
    """
    for name, text in (("key", key), ("person_id", who.person_id)):
        if not text:
            raise ParameterError(f"{name} is empty; give one", name)
    if len(key) > LONGEST_KEY:
        raise ParameterError(f"key has {len(key):,} characters; {LONGEST_KEY} are the most", "key")
    for name, value in (("key", key), ("person_id", who.person_id), ("on_behalf_of", who.on_behalf_of)):
        _inspect(name, value)
    for item in fields(command):
        _inspect(item.name, getattr(command, item.name))


def _inspect(name: str, value: Any) -> None:
    if isinstance(value, str):
        _inspect_text(name, value)
    elif isinstance(value, int):
        _inspect_number(name, value)
    elif isinstance(value, Document):
        _inspect_text("kind", value.kind)
        _inspect_text("media_type", value.media_type)
        if len(value.body) > documents.MAX_BYTES:
            raise ParameterError(
                f"a document has {len(value.body):,} bytes; {documents.MAX_BYTES:,} are the most", name
            )
    elif is_dataclass(value):
        for item in fields(value):
            _inspect(item.name, getattr(value, item.name))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            _inspect(str(key), item)
    elif isinstance(value, list | tuple | set | frozenset):
        if len(value) > LONGEST_LIST:
            raise ParameterError(f"{name} has {len(value):,} items; {LONGEST_LIST:,} are the most", name)
        for item in value:
            _inspect(name, item)
    elif isinstance(value, datetime) and value.tzinfo is None:
        raise ParameterError(f"{name} has no time zone; give one in UTC", name)


def _inspect_number(name: str, number: int) -> None:
    most = MAX_EXACT if name in MONEY else 2**31 - 1
    if abs(number) > most:
        raise ParameterError(f"{name} is {number}; whole numbers up to {most:,} are kept", name)


def _inspect_text(name: str, text: str) -> None:
    most = LONGEST.get(name, LONGEST_NAME)
    if len(text) > most:
        raise ParameterError(f"{name} has {len(text):,} characters; {most:,} are the most; shorten it", name)
    if "\x00" in text:
        raise ParameterError(f"{name} holds a NUL character; take it out", name)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ParameterError(f"{name} is not Unicode text (a lone surrogate); correct it", name) from error


def fingerprint(who: Who, command: Command) -> str:
    """Return the SHA-256 of a whole request: who asks for what, with documents by their hash."""
    said = {"who": who.person_id, "for": who.on_behalf_of, "command": type(command).__name__, "asked": plain(command)}
    return hashlib.sha256(canonical(said)).hexdigest()


def plain(value: Any) -> Any:
    """Return a command as plain JSON values; a document is its kind, type and hash."""
    if isinstance(value, Document):
        return {"kind": value.kind, "media_type": value.media_type, "hash": documents.hash_of(value)}
    if is_dataclass(value):
        return {item.name: plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(plain(item) for item in value)
    if isinstance(value, datetime):
        return written(value)
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    return value


def refusal(unit: Unit, who: Who, command: Command, key: str, error: Exception) -> Entry:
    """Return the record of an act that was refused: which rule stood against it, never the text that was sent.

    `roles` are those that who asked held then; `asked` is a hash of the request, to tell it from another by.
    """
    rule = error.rule if isinstance(error, AccessError) else type(error).__name__
    signal_id = _tame(getattr(command, "signal_id", ""))
    paper_id = _tame(getattr(command, "paper_id", ""))
    kind = unit.connection.execute(_KIND, {"asked": _tame(who.person_id)}).scalar()
    found = unit.connection.execute(_SIGNAL, {"asked": signal_id}).one_or_none() if signal_id else None
    return Entry(
        action=command.action,
        outcome="refused",
        object_kind="signal" if signal_id else "paper" if paper_id else "request",
        object_id=signal_id or paper_id,
        object_version=_whole(getattr(command, "version", 0)),
        actor=_tame(who.person_id),
        actor_kind=kind or "nobody",
        roles=_roles(unit, who),
        book="*" if found is None else found.book,
        on_behalf_of=None if who.on_behalf_of is None else _tame(who.on_behalf_of),
        key=_tame(key, LONGEST_KEY),
        controls_version=unit.controls.version,
        before=None if found is None else found.sheet_hash,
        policy=None if found is None else found.policy,
        rules_hash=None if found is None else found.rules_hash,
        inputs={} if found is None else {"household": found.inputs_hash, "snapshot": found.snapshot},
        details={"rule": rule, "command": type(command).__name__, **_named(who, command)},
    )


def _roles(unit: Unit, who: Who) -> tuple[str, ...]:
    """The roles somebody holds, in whatever book; none for who is nobody, or acts for somebody without being let."""
    try:
        grants = access.actor(unit.connection, who, unit.now).grants
    except AccessError:
        return ()
    return tuple(dict.fromkeys(str(grant.role) for grant in grants))


def _named(who: Who, command: Command) -> dict[str, str]:
    """The hash of a request, where it can be hashed: what was refused may be no text at all."""
    try:
        return {"asked": fingerprint(who, command)}
    except (ParameterError, TypeError, ValueError, RecursionError):
        return {}


def _tame(text: Any, most: int = LONGEST_NAME) -> str:
    """Clip a text that may be anything to one that can be stored."""
    return str(text)[:most].replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def _whole(number: Any) -> int:
    return number if isinstance(number, int) and 0 <= number < 2**31 else 0

"""Checkpoints: signed statements of how long the trail is and what it hashes to, kept outside the database.

Whoever can change the database, every hash in it included, cannot change what was signed and put elsewhere. Each
checkpoint names the one before, so that one taken away is missed; the newest is missed only where a copy of it lies
somewhere else too (git, mail).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from workbench.canonical import canonical
from workbench.errors import AuditError, ParameterError, StoreError
from workbench.governance.audit import chain, keys
from workbench.governance.audit.merkle import Frontier
from workbench.governance.audit.record import START
from workbench.governance.tables import audit

FORMAT = "workbench audit checkpoint 1"
_NAME = re.compile(r"checkpoint-(\d{8})\.json")
_LARGEST_FILE = 100_000
_HEX = re.compile(r"[0-9a-f]{64}")
#: How often another process may be first before a checkpoint is given up.
TRIES = 5


@dataclass(frozen=True)
class Checkpoint:
    """The first `size` records: their Merkle root and frontier (RFC 6962), the last one's hash, signed by a key.

    `trail` is the hash of the first record, which tells one trail from another; `previous` the SHA-256 of the statement
    before. All hashes are hex.
    """

    number: int
    trail: str
    size: int
    head: str
    root: str
    frontier: tuple[str, ...]
    at: str
    key: str
    previous: str
    signature: str = ""

    @property
    def statement(self) -> bytes:
        """The canonical bytes that are signed."""
        said = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "signature"}
        return canonical({**said, "format": FORMAT})

    @property
    def hash(self) -> str:
        """SHA-256 of the statement, which the next checkpoint names."""
        return hashlib.sha256(self.statement).hexdigest()

    @property
    def file(self) -> bytes:
        """What is written outside the database."""
        return canonical({"statement": json.loads(self.statement), "signature": self.signature}) + b"\n"

    @property
    def name(self) -> str:
        """The file's name."""
        return f"checkpoint-{self.number:08d}.json"

    def read_frontier(self) -> Frontier:
        """The tree as it stood, to go on from."""
        return Frontier(self.size, tuple(bytes.fromhex(one) for one in self.frontier))


#: Where a checkpoint goes besides the folder.
Copy = Callable[[Checkpoint], None]
#: Opens a consistent view of the database: `Store.reading`, or an engine's `connect`.
Reading = Callable[[], AbstractContextManager[Connection]]


@dataclass(frozen=True)
class Checkpoints:
    """Takes checkpoints and writes them outside the database.

    `folder` is where they lie; `key` the private key (PEM); `every` how many records may wait for one (see `keeper`);
    `copies` where else each goes (`copies.to_git`, `copies.to_mail`, `copies.to_stamp`); `former` the public keys (hex)
    that signed before this one. Raises `ParameterError` for a key that is none.
    """

    folder: Path
    key: bytes
    every: int = 1000
    copies: Sequence[Copy] = ()
    former: Sequence[str] = ()

    def __post_init__(self) -> None:
        keys.public_of(self.key)
        if self.every < 1:
            raise ParameterError(f"every is {self.every}; give a whole number of records from 1", "every")

    def take(self, reading: Reading, at: str) -> Checkpoint | None:
        """Sign the trail as it stands and write it outside; None where nothing is new since the last one.

        Checks the records since the last checkpoint first, and that the last one's still are what was signed. Raises
        `AuditError` where they are not, `StoreError` where the folder or a copy cannot be written (a checkpoint whose
        copy failed stands).
        """
        for _ in range(TRIES):
            made = self._made(reading, at)
            if made is None:
                return None
            try:
                write_whole(self.folder, made.name, made.file)
            except FileExistsError:
                continue  # another process was first; what it signed may already cover these records
            for copy in self.copies:
                copy(made)
            return made
        raise StoreError(f"{self.folder}: other processes were first {TRIES} times; try again")

    def check(self, reading: Reading) -> None:
        """Raise `AuditError` where the trail is shorter than what was signed last, or another: before anybody writes.

        Such a database was restored from a backup, or tampered with; docs/operations.md says what to do.
        """
        last = self.last()
        if last is not None:
            with reading() as connection:
                _still(connection, last, connection.execute(select(func.max(audit.c.sequence))).scalar() or 0)

    def last(self) -> Checkpoint | None:
        """The newest checkpoint in the folder, its signature checked; None in an empty one."""
        newest = max(names(self.folder), default=None)
        if newest is None:
            return None
        last = read(self.folder / newest)
        known = (keys.public_of(self.key), *self.former)
        if last.name != newest or not any(keys.signed_by(last.statement, last.signature, one) for one in known):
            raise AuditError(
                f"{self.folder / newest} is not signed by this key or a former one; after a change of keys name the "
                "old public key, otherwise call compliance"
            )
        return last

    def _made(self, reading: Reading, at: str) -> Checkpoint | None:
        last = self.last()
        # Read after the folder: records that another process has just signed would look cut off otherwise.
        with reading() as connection:
            upto = connection.execute(select(func.max(audit.c.sequence))).scalar() or 0
            if last is not None:
                _still(connection, last, upto)
            if upto == (last.size if last else 0):
                return None
            return self._signed(connection, last, upto, at)

    def _signed(self, connection: Connection, last: Checkpoint | None, upto: int, at: str) -> Checkpoint:
        start = last.size if last else 0
        trail, head = last.trail if last else "", last.head if last else START
        findings = chain.Findings([])
        followed = chain.follow(chain.rows(connection, start, upto), findings, sequence=start, previous=head)
        ends: list[bytes] = []
        frontier = (last.read_frontier() if last else Frontier()).extended(_digests(followed, ends))
        if findings.total:
            first = findings.kept[0]
            raise AuditError(
                f"no checkpoint is signed over a trail that is not whole: {first.problem}; {first.remedy}",
                first.sequence,
            )
        unsigned = Checkpoint(
            number=last.number + 1 if last else 1,
            trail=trail or ends[0].hex(),
            size=upto,
            head=ends[-1].hex(),
            root=frontier.root.hex(),
            frontier=tuple(one.hex() for one in frontier.roots),
            at=max(at, last.at) if last else at,
            key=keys.key_id(keys.public_of(self.key)),
            previous=last.hash if last else START,
        )
        said = {name: getattr(unsigned, name) for name in unsigned.__dataclass_fields__}
        return Checkpoint(**{**said, "signature": keys.sign(unsigned.statement, self.key)})


def names(folder: Path) -> list[str]:
    """The names of checkpoint files in a folder, in order. Raises `StoreError` where it cannot be read."""
    try:
        return sorted(name for name in os.listdir(folder) if _NAME.fullmatch(name))
    except OSError as error:
        raise StoreError(
            f"the folder of checkpoints {folder} cannot be read ({error.strerror}); make it, or mount it"
        ) from error


def read(path: Path) -> Checkpoint:
    """Read a checkpoint; the signature is not checked. Raises `AuditError` for a file that is none."""
    try:
        with path.open("rb") as file:
            return parse(file.read(_LARGEST_FILE))
    except (OSError, ValueError, RecursionError) as error:
        raise AuditError(f"{path} is not a checkpoint ({error}); take it from a copy (git, mail)") from error


def parse(text: bytes) -> Checkpoint:
    """Read a checkpoint from its bytes. Raises `ValueError` for anything but the exact bytes of one."""
    outer = json.loads(text)
    if not isinstance(outer, dict) or outer.keys() != {"statement", "signature"}:
        raise ValueError("it has not the two parts statement and signature")
    said = outer["statement"]
    if not isinstance(said, dict) or said.pop("format", None) != FORMAT:
        raise ValueError(f"its format is not {FORMAT!r}")
    made = Checkpoint(**_checked(said), signature=str(outer["signature"]))
    made.read_frontier()
    if made.file.strip() != text.strip():
        raise ValueError("it is not in canonical JSON")
    return made


def write_whole(folder: Path, name: str, content: bytes) -> Path:
    """Write a file aside, flush it and move it to its name, never over another.

    Raises `FileExistsError` where the name is taken, `StoreError` where the folder cannot be written.
    """
    target = folder / name
    aside = None
    try:
        descriptor, aside = tempfile.mkstemp(dir=folder, prefix=".writing-")
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(aside, 0o444)
        os.link(aside, target)
        _flush(folder)
    except FileExistsError:
        raise
    except OSError as error:
        raise StoreError(f"{target} cannot be written ({error.strerror}); nothing of it was kept") from error
    finally:
        if aside is not None:
            os.unlink(aside)
    return target


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _digests(followed: Iterator[tuple[int, bytes, str]], ends: list[bytes]) -> Iterator[bytes]:
    """The records' hashes one by one; the first and the last of them are left in `ends`."""
    for _, digest, _ in followed:
        ends[:] = [ends[0], digest] if ends else [digest]
        yield digest


def _still(connection: Connection, last: Checkpoint, upto: int) -> None:
    if last.size > upto:
        raise AuditError(
            f"the trail has {upto} records, checkpoint {last.number} was signed over {last.size}: its tail was cut; "
            f"{chain.KEEP}",
            upto + 1,
        )
    found = connection.execute(select(audit.c.hash).where(audit.c.sequence == last.size)).scalar()
    if found != last.head:
        raise AuditError(
            f"record {last.size} is not the one that checkpoint {last.number} was signed over: "
            f"the trail was rewritten; {chain.KEEP}",
            last.size,
        )


def _checked(said: Mapping[str, Any]) -> dict[str, Any]:
    kinds = {"number": int, "size": int, "frontier": list}
    wanted = {name for name in Checkpoint.__dataclass_fields__ if name != "signature"}
    if said.keys() != wanted:
        raise ValueError(f"its parts are not {', '.join(sorted(wanted))}")
    for name in wanted:
        if type(said[name]) is not kinds.get(name, str):
            raise ValueError(f"its {name} is of another kind")
    hashes = [said[name] for name in ("trail", "head", "root", "previous")] + said["frontier"]
    if not all(isinstance(one, str) and _HEX.fullmatch(one) for one in hashes) or min(said["number"], said["size"]) < 1:
        raise ValueError("a hash of it is not 64 hex digits, or a number is below 1")
    return {**said, "frontier": tuple(said["frontier"])}

"""An append-only file of lines, each with the hash of the one before: what was taken out or changed later shows."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from workbench.errors import PolicyError

#: What the first line is chained to.
START = "0" * 64


class ChainedFile:
    """Records as JSON, a line each, chained by SHA-256; safe to append to from many processes, and never rewritten.

    A file beside it (`.head`) holds the count and the last hash, so that lines changed, taken out or cut off at the end
    raise `PolicyError` with the line and `remedy`. Whoever rewrites both files is found out by a hash that was kept
    elsewhere (`contains`). The data file itself is locked while it is read or written (`flock`: one machine, or a
    network file system that has it).

    One object checks on appending only the lines that it has not seen; `read` checks all of them anew.
    """

    def __init__(self, path: Path | str, remedy: str) -> None:
        self.path, self.remedy = Path(path), remedy
        self._head_path = self.path.with_name(self.path.name + ".head")
        self._hashes: list[str] = []
        self._size = 0

    def append(self, records: Sequence[Mapping[str, Any]], *, first: Mapping[str, Any] | None = None) -> str:
        """Add records and return the hash of the last line; `first` goes before them where the file is still empty.

        Raises `ValueError` for a number that is none, before anything is written, and `PolicyError` where the chain is
        broken.
        """
        for record in records:
            json.dumps(record, allow_nan=False)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._locked("a+b", fcntl.LOCK_EX) as file:
            self._catch_up(file)
            self._check_head()
            added = [*([first] if first is not None and not self._hashes else []), *records]
            self._write(file, b"".join(self._linked(record) for record in added), len(added))
            if added:
                self._write_head()
        return self._last

    def read(self, *, kept: str | None = None) -> list[Any]:
        """All records in order, the whole chain checked.

        `kept` is a hash that was returned by `append`: it must still be in the chain. It stands in for a `.head` that
        is missing, as in a copy of the file alone. Raises `PolicyError` naming the line that is broken.
        """
        known, self._hashes, self._size = self._hashes, [], 0
        records: list[Any] = []
        if self.path.exists():
            with self._locked("rb", fcntl.LOCK_SH) as file:
                records = self._catch_up(file)
                self._check_head(needed=kept is None)
        else:
            self._check_head(needed=kept is None)
        if self._hashes[: len(known)] != known:
            raise self.broken(min(len(known), len(self._hashes)) or 1, "is not the one that was read before")
        if kept is not None and kept not in (START, *self._hashes):
            raise self.broken(
                len(self._hashes) + 1, f"is missing: the file does not hold {kept[:12]}..., which was in it"
            )
        return records

    def head(self) -> str:
        """The hash of the last line; kept elsewhere, it proves later that nothing before it was taken out."""
        self.read()
        return self._last

    def contains(self, head: str) -> bool:
        """Whether a hash once returned by `head` is still in the chain."""
        self.read()
        return head in (START, *self._hashes)

    def broken(self, number: int, problem: str) -> PolicyError:
        """The error of a line, for whoever reads the records."""
        return PolicyError(f"{self.path}: line {number} {problem}. {self.remedy}")

    @property
    def _last(self) -> str:
        return self._hashes[-1] if self._hashes else START

    @contextmanager
    def _locked(self, mode: str, lock: int) -> Iterator[IO[bytes]]:
        with self.path.open(mode) as file:
            fcntl.flock(file, lock)
            yield file

    def _catch_up(self, file: IO[bytes]) -> list[Any]:
        """The records after those seen before; the caller holds the lock."""
        if os.fstat(file.fileno()).st_size < self._size:
            raise self.broken(len(self._hashes), "is missing: the file is shorter than it was")
        file.seek(self._size)
        body = file.read()
        lines = body.split(b"\n")
        if lines.pop():
            raise self.broken(len(self._hashes) + len(lines) + 1, "is cut off: writing it was interrupted")
        records = [self._parsed(line) for line in lines]
        self._size += len(body)
        return records

    def _parsed(self, line: bytes) -> Any:
        number = len(self._hashes) + 1
        try:
            record = json.loads(line)["record"]
            expected, digest = _line(number, self._last, record)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise self.broken(number, "is none of this file's lines") from error
        if line + b"\n" != expected:
            raise self.broken(number, "does not follow the line before it: lines were changed or taken out")
        self._hashes.append(digest)
        return record

    def _linked(self, record: Mapping[str, Any]) -> bytes:
        line, digest = _line(len(self._hashes) + 1, self._last, record)
        self._hashes.append(digest)
        return line

    def _write(self, file: IO[bytes], lines: bytes, count: int) -> None:
        """Write whole lines, or take back what was written of them, as where the disk is full."""
        try:
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            del self._hashes[len(self._hashes) - count :]
            os.truncate(file.fileno(), self._size)
            raise
        self._size += len(lines)

    def _check_head(self, *, needed: bool = True) -> None:
        """Lines after the head are an append whose head was never written; lines missing before it are a loss."""
        lines = len(self._hashes)
        if not self._head_path.exists():
            if lines and needed:
                raise self.broken(lines, f"cannot be checked: {self._head_path.name} is missing")
            return
        try:
            content = json.loads(self._head_path.read_bytes())
            count, last = int(content["count"]), str(content["hash"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise self.broken(lines, f"cannot be checked: {self._head_path.name} is broken") from error
        if lines < count:
            raise self.broken(lines + 1, f"is missing: {count} lines were written, {lines} are left")
        if count < 0 or (count and self._hashes[count - 1] != last):
            raise self.broken(count, "is not the one that was written: the file was rewritten")

    def _write_head(self) -> None:
        temporary = self._head_path.with_name(self._head_path.name + ".new")
        temporary.write_text(json.dumps({"count": len(self._hashes), "hash": self._last}), encoding="utf-8")
        temporary.replace(self._head_path)


def _line(number: int, before: str, record: Any) -> tuple[bytes, str]:
    """One line in its only spelling, and its hash: of its number, the hash before it and its record."""
    content = json.dumps([number, before, record], sort_keys=True, allow_nan=False)
    digest = hashlib.sha256(content.encode()).hexdigest()
    line = json.dumps({"number": number, "record": record, "hash": digest}, sort_keys=True, allow_nan=False)
    return line.encode() + b"\n", digest

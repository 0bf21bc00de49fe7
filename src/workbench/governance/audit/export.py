"""A readable export: the exact bytes of the records, a table for a person, the checkpoints and what verifies them.

The export is recorded before anything is read, so that nothing leaves without a trace.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar

from workbench.canonical import canonical
from workbench.errors import AuditError, ParameterError, StoreError
from workbench.governance.audit import chain
from workbench.governance.audit.chain import Row
from workbench.governance.audit.checkpoint import names
from workbench.governance.audit.checkpoint import read as read_checkpoint
from workbench.governance.commands import Command
from workbench.governance.states import Action
from workbench.governance.unit import Done, Unit

if TYPE_CHECKING:
    from workbench.governance.access import Actor, Who
    from workbench.governance.handlers_of import Handlers
    from workbench.governance.store import Store

FORMAT = "workbench audit export 1"
COLUMNS = (
    "sequence", "at", "actor", "on_behalf_of", "roles", "action", "outcome", "object_kind", "object_id",
    "object_version", "book", "reason", "hash",
)  # fmt: skip
#: What a spreadsheet takes for a formula where a cell begins with it (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True)
class ExportAudit(Command):
    """Take records `first` to `last` out (None: up to this act's own record), for a reason."""

    action: ClassVar[Action] = Action.EXPORT_AUDIT
    first: int
    last: int | None
    reason: str


@dataclass(frozen=True)
class Exported:
    """What was written where; `sha256` is that of the manifest, which names every other file."""

    folder: Path
    first: int
    last: int
    records: int
    sha256: str


def export(
    store: Store,
    who: Who,
    folder: Path,
    *,
    reason: str,
    key: str,
    first: int = 1,
    last: int | None = None,
    checkpoints: Sequence[Path] = (),
) -> Exported:
    """Record an export, then write it into a new folder: whole, or not at all.

    `checkpoints` are folders whose checkpoints of these records go with it. Memory does not grow with the trail. Raises
    `AccessError` for who may not, `ParameterError` where the folder exists or the range is none, `StoreError` where it
    cannot be written.
    """
    if folder.exists():
        raise ParameterError(f"{folder} exists; an export is never written over, name another folder", "folder")
    receipt = store.perform(who, ExportAudit(first, last, reason), key)
    last = receipt.sequence if last is None else last
    try:
        aside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".writing-"))
        try:
            written = _write(store, aside, first, last, receipt.sequence, checkpoints)
            os.rename(aside, folder)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        raise StoreError(f"{folder} cannot be written ({error.strerror}); nothing of the export was kept") from error
    return Exported(folder, first, last, written[0], written[1])


def _write(store: Store, folder: Path, first: int, last: int, act: int, checkpoints: Sequence[Path]) -> tuple[int, str]:
    with store.reading() as connection:
        count, previous, head = _records(chain.rows(connection, first - 1, last), folder)
    for source in checkpoints:
        _checkpoints(source, folder, last)
    verifier = (resources.files(__package__) / "verifier.py").read_bytes()
    (folder / "verifier.py").write_bytes(verifier)
    (folder / "README.txt").write_text(_readme(first, last, count), "utf-8")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    manifest = {
        "format": FORMAT,
        "first": first,
        "last": last,
        "records": count,
        "previous": previous,
        "head": head,
        "recorded_as": act,
        "files": {str(path.relative_to(folder)): _measured(path) for path in files},
    }
    body = canonical(manifest) + b"\n"
    (folder / "manifest.json").write_bytes(body)
    return count, hashlib.sha256(body).hexdigest()


def _records(rows: Iterable[Row], folder: Path) -> tuple[int, str, str]:
    """Write records as they are, and as a table; return how many, the link of the first and the hash of the last."""
    count, previous, head = 0, "", ""
    with (folder / "records.jsonl").open("wb") as exact, (folder / "records.csv").open("wb") as table:
        table.write(("\ufeff" + ",".join(COLUMNS) + "\r\n").encode())
        for row in rows:
            body = row.body.encode("utf-8", "surrogateescape")
            exact.write(body + b"\n")
            said = _said(row.body)
            previous = previous or str(said.get("previous", ""))
            head = row.hash
            _table_row(table, said, row)
            count += 1
    return count, previous, head


def _said(body: str) -> dict[str, Any]:
    """What a record says; nothing where it is broken, whose bytes are exported all the same."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _table_row(file: BinaryIO, said: dict[str, Any], row: Row) -> None:
    cells = {**said, "sequence": row.sequence, "hash": row.hash}
    text = io.StringIO()
    csv.writer(text).writerow([_cell(cells.get(name)) for name in COLUMNS])
    file.write(text.getvalue().encode("utf-8", "replace"))


def _cell(value: Any) -> str:
    """A cell that no spreadsheet runs: what looks like a formula gets an apostrophe before it."""
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    text = "" if value is None else str(value)
    return "'" + text if text.startswith(_FORMULA) else text


def _checkpoints(source: Path, folder: Path, last: int) -> None:
    target = folder / "checkpoints"
    target.mkdir(exist_ok=True)
    for name in names(source):
        if _reaches(source / name) <= last:
            shutil.copyfile(source / name, target / name)


def _reaches(path: Path) -> int:
    """The last record of a checkpoint; 0 for a broken one, which goes along to be seen."""
    try:
        return read_checkpoint(path).size
    except AuditError:
        return 0


def _measured(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"sha256": digest, "bytes": path.stat().st_size}


def _readme(first: int, last: int, count: int) -> str:
    return f"""Records {first} to {last} of an audit trail ({count} in all).

records.jsonl   the records: one a line, the exact bytes that were hashed
records.csv     the same for reading; a cell that could run as a formula begins with an apostrophe
checkpoints/    signed statements over these records, if the firm gave them along
manifest.json   SHA-256 and size of every file
verifier.py     verifies the records against the checkpoints; needs Python 3.11 and nothing else

Verify with the firm's public key, had by another way than this folder, and with your own copy of verifier.py:

    python verifier.py --export records.jsonl --checkpoints checkpoints --key HEX --through {last}

Checkpoints you were sent earlier show more than those in this folder: name them with a second --checkpoints.
"""


def _export(unit: Unit, actor: Actor, command: ExportAudit) -> Done:
    own = unit.head.sequence + 1
    last = own if command.last is None else command.last
    if not 1 <= command.first <= last <= own:
        raise ParameterError(
            f"records {command.first} to {last} are not in a trail of {own}; correct the range", "first"
        )
    if not command.reason.strip():
        raise ParameterError("say what the export is for; an examiner will read it", "reason")
    said = {"first": command.first, "last": last}
    message = ("audit.exported", {"first": command.first, "last": last, "by": actor.person_id})
    return Done("trail", "export", reason=command.reason, details=said, messages=(message,))


HANDLERS: Handlers = {ExportAudit: _export}

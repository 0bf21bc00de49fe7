"""What people decided, as frames: the columns of each, and the folder they are read from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from workbench.canonical import canonical
from workbench.errors import AuditError, ParameterError

FORMAT = "workbench decisions"
VERSION = 1
MANIFEST = "manifest.json"
_HOW = "write it with `workbench signals decisions --out FOLDER`"

#: The frames of an export and the kind of each column: text, whole (number), real, flag, moment. Money is whole cents.
COLUMNS: Mapping[str, Mapping[str, str]] = {
    "signals": {
        "signal_id": "text", "book": "text", "policy": "text", "mode": "text", "as_of": "text", "outcome": "text",
        "trades": "whole", "traded": "whole", "tax": "whole", "cost": "whole", "benefit": "whole",
        "created_at": "moment", "submitted_at": "moment", "approved_at": "moment", "released_at": "moment",
        "closed_at": "moment", "returned": "whole", "revised": "whole",
    },
    "findings": {
        "signal_id": "text", "rule_id": "text", "rule_version": "whole", "verdict": "text", "value": "text",
        "limit": "text", "overridable": "flag", "overridden": "flag", "role": "text", "person": "text",
        "override_reason": "text", "overridden_at": "moment",
    },
    "decisions": {
        "decision_id": "text", "signal_id": "text", "action": "text", "role": "text", "for_another": "flag",
        "rule_id": "text", "reason_code": "text", "reason": "text", "edit_distance": "whole", "length": "whole",
        "at": "moment",
    },
    "approvals": {
        "signal_id": "text", "role": "text", "approved_at": "moment", "expires_at": "moment", "voided_at": "moment",
        "void_reason": "text",
    },
    "drafts": {"signal_id": "text", "kind": "text", "edited": "flag", "distance": "whole", "length": "whole"},
    "phrases": {"phrase": "text", "words": "whole", "deleted_in": "whole", "offered_in": "whole"},
    "trades": {
        "signal_id": "text", "made": "text", "security_id": "text", "shares": "real", "price": "real", "cost": "real",
        "tax": "real",
    },
    "measures": {"measure_id": "text", "version": "whole", "definition": "text"},
    "readings": {
        "measure_id": "text", "version": "whole", "kind": "text", "period_start": "text", "period_end": "text",
        "value": "text", "spread": "text", "observations": "whole", "source": "text",
    },
}  # fmt: skip
_TYPES = {
    "text": "string", "whole": "Int64", "real": "float64", "flag": "boolean", "moment": "datetime64[us, UTC]",
}  # fmt: skip


@dataclass(frozen=True)
class Decisions:
    """What people decided up to `until` (ISO moment), with the head of the audit trail when it was taken.

    `hash` names the content; every figure cites it. `notes` say what is not in it and why, `phrases_tested` bounds how
    many phrases were looked at. `simulated` marks a made-up history.
    """

    frames: Mapping[str, pd.DataFrame]
    until: str
    audit_sequence: int
    audit_hash: str
    hash: str
    phrases_tested: int = 0
    notes: tuple[str, ...] = ()
    simulated: bool = False

    def __getitem__(self, name: str) -> pd.DataFrame:
        return self.frames[name]


def frame(name: str, rows: list[dict[str, Any]] | pd.DataFrame) -> pd.DataFrame:
    """Return rows as the frame of this name, each column of its type. Raises `ParameterError` for other columns."""
    columns = COLUMNS[name]
    table = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(rows, columns=list(columns))
    if list(table.columns) != list(columns):
        raise ParameterError(f"{name}: the columns are {', '.join(map(str, table.columns))}; {_HOW} again", "decisions")
    try:
        return table.astype({column: _TYPES[kind] for column, kind in columns.items()}).reset_index(drop=True)
    except (TypeError, ValueError) as error:
        raise ParameterError(f"{name}: a column is of another type ({error}); {_HOW} again", "decisions") from error


def write(decisions: Decisions, folder: Path | str) -> Path:
    """Write frames and manifest into a new or empty folder, the manifest last; return the folder.

    Raises `ParameterError` where something else lies there.
    """
    folder = Path(folder)
    if folder.exists() and any(folder.iterdir()):
        raise ParameterError(f"{folder} is not empty; name a new folder, an export is never written over", "folder")
    folder.mkdir(parents=True, exist_ok=True)
    tables = {}
    for name in COLUMNS:
        path = folder / f"{name}.parquet"
        decisions[name].to_parquet(path, index=False)
        tables[name] = {"rows": len(decisions[name]), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    said = {
        "format": FORMAT,
        "version": VERSION,
        "until": decisions.until,
        "audit": {"sequence": decisions.audit_sequence, "hash": decisions.audit_hash},
        "phrases_tested": decisions.phrases_tested,
        "notes": list(decisions.notes),
        "simulated": decisions.simulated,
        "hash": decisions.hash,
        "tables": tables,
    }
    (folder / MANIFEST).write_bytes(canonical(said))
    return folder


def read_decisions(folder: Path | str) -> Decisions:
    """Read an export, every file checked against the manifest.

    Raises `ParameterError` where there is none or it is of another form, `AuditError` where a file was changed.
    """
    folder = Path(folder)
    try:
        said = json.loads((folder / MANIFEST).read_bytes())
        if said["format"] != FORMAT or said["version"] != VERSION or set(said["tables"]) != set(COLUMNS):
            raise ParameterError(f"{folder} holds no decisions of this version; {_HOW}", "decisions")
        frames = {name: _checked(folder, name, str(said["tables"][name]["sha256"])) for name in COLUMNS}
        head = (int(said["audit"]["sequence"]), str(said["audit"]["hash"]))
        read = Decisions(
            frames, str(said["until"]), *head, str(said["hash"]), int(said["phrases_tested"]),
            tuple(map(str, said["notes"])), bool(said["simulated"]),
        )  # fmt: skip
    except OSError as error:
        raise ParameterError(f"{folder}: no decisions there ({error.strerror}); {_HOW}", "decisions") from error
    except (KeyError, TypeError, ValueError) as error:
        raise ParameterError(f"{folder}: the manifest cannot be read ({error!r}); {_HOW} again", "decisions") from error
    if content_hash(read) != read.hash:
        raise AuditError(f"{folder}: the content is not what its manifest names; {_HOW} again and compare both")
    return read


def content_hash(decisions: Decisions) -> str:
    """Return the SHA-256 of what an export says, whatever file format it is kept in."""
    parts = [decisions.until, str(decisions.audit_sequence), decisions.audit_hash, str(decisions.simulated)]
    for name in COLUMNS:
        parts += [
            name,
            decisions[name].to_json(orient="values", date_format="iso", date_unit="us", double_precision=15),
        ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _checked(folder: Path, name: str, expected: str) -> pd.DataFrame:
    path = folder / f"{name}.parquet"
    if hashlib.sha256(path.read_bytes()).hexdigest() != expected:
        raise AuditError(f"{path} was changed after it was written; {_HOW} again and compare both")
    return frame(name, pd.read_parquet(path))

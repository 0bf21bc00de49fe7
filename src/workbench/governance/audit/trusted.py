"""Checkpoints gathered from the places where they lie, and which of them can be trusted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from workbench.errors import AuditError
from workbench.governance.audit import keys
from workbench.governance.audit.chain import Findings
from workbench.governance.audit.checkpoint import Checkpoint, names, read
from workbench.governance.audit.record import START

ELSEWHERE = "take it from a copy (git, mail) and find out who could write to the folder"


def trusted(folders: Iterable[Path], public_keys: Sequence[str], findings: Findings) -> list[Checkpoint]:
    """Return the checkpoints signed by one of the keys, in order; note what is forged, missing, replayed, unreadable.

    Raises `ParameterError` for a public key that is none, `StoreError` for a folder that cannot be read.
    """
    known = {keys.key_id(public): public for public in public_keys}
    by_number: dict[int, Checkpoint] = {}
    for folder in folders:
        for name in names(folder):
            one = _signed(folder / name, known, findings)
            if one is None:
                continue
            other = by_number.setdefault(one.number, one)
            if other.hash != one.hash:
                problem = f"there are two different checkpoints {one.number}, both signed: the key was used elsewhere"
                findings.add(
                    None, "checkpoint_forged", problem, "find out who holds the key, change it, call compliance"
                )
    ordered = [by_number[number] for number in sorted(by_number)]
    return _linked(ordered, findings)


def _signed(path: Path, known: dict[str, str], findings: Findings) -> Checkpoint | None:
    try:
        one = read(path)
    except AuditError as error:
        findings.add(None, "checkpoint_unreadable", str(error).partition(";")[0], ELSEWHERE)
        return None
    public = known.get(one.key)
    if public is None:
        problem = f"{path.name} is signed by key {one.key}, which is not among those given"
        findings.add(None, "checkpoint_forged", problem, "give that public key if it is the firm's; else it is forged")
        return None
    if not keys.signed_by(one.statement, one.signature, public):
        problem = f"the signature of {path.name} is not that of key {one.key}: it was changed or made up"
        findings.add(None, "checkpoint_forged", problem, ELSEWHERE)
        return None
    if path.name != one.name:
        problem = f"{path.name} holds checkpoint {one.number}: an old one was put in its place"
        findings.add(None, "checkpoint_replayed", problem, ELSEWHERE)
    return one


def _linked(ordered: list[Checkpoint], findings: Findings) -> list[Checkpoint]:
    """Leave out what does not follow from the checkpoint before it."""
    kept: list[Checkpoint] = []
    for one in ordered:
        before = kept[-1] if kept else None
        number = before.number + 1 if before else 1
        if one.number > number:
            missing = (
                f"checkpoint {number} is"
                if one.number == number + 1
                else f"checkpoints {number} to {one.number - 1} are"
            )
            findings.add(None, "checkpoint_missing", f"{missing} missing", ELSEWHERE)
        if not _follows(one, before):
            problem = f"checkpoint {one.number} does not follow from checkpoint {before.number if before else 0}"
            findings.add(None, "checkpoint_forged", problem, ELSEWHERE)
            continue
        kept.append(one)
    return kept


def _follows(one: Checkpoint, before: Checkpoint | None) -> bool:
    if before is None:
        return one.number > 1 or one.previous == START
    linked = one.number > before.number + 1 or one.previous == before.hash
    return linked and one.trail == before.trail and one.size > before.size and one.at >= before.at

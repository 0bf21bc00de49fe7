"""The run folder and its record: what ran, on what, with what outcome, found again by the next run.

A run is built in `.<name>.partial` beside its final place and renamed when it is over: to `<name>` when it succeeded,
to `<name>.failed` when it did not (so that a failed run's partial notebooks and logs are found, and never mistaken
for a book). What a killed process leaves in `.partial` is kept for the next run to resume from.

    <name>/run.json            planned > running > failed | succeeded, and each notebook's state
           notebooks/<key>.ipynb   as executed
           logs/<key>.txt          what the notebook's processes printed, where they printed anything
           facts.json              every fact shown, once
           lineage.json            the hash of every input
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import math
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.errors import EXIT_BAD_INPUT, EXIT_NOT_VERIFIED, RunError
from workbench.runs.plan import RunPlan, file_hash

PLANNED, RUNNING, FAILED, SUCCEEDED = "planned", "running", "failed", "succeeded"


class FactsError(RunError):
    """The chapters' facts do not agree, or one is malformed: one of them computes or states it wrongly."""


@dataclass(frozen=True)
class Reusable:
    """An executed notebook of an earlier run whose run key still holds; `seconds` is what it took then.

    Its content, not its path: the folder it was found in may be renamed or replaced in the meantime.
    """

    content: bytes
    seconds: float


def write_json(path: Path, value: object) -> None:
    """Write JSON so that a reader finds the old file or the new one, never half of it."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file by way of a temporary one in the same folder and a rename."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextmanager
def lock(out: Path, name: str) -> Iterator[None]:
    """Hold a run's name for this process; a second run of it is refused, a dead one's lock is free.

    Raises RunError where another process is running the same book of the same inputs.
    """
    folder = out / ".locks"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / name).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunError(f"run {name} is under way in another process; wait for it.", EXIT_BAD_INPUT) from None
        yield


def reusable(plan: RunPlan) -> dict[str, Reusable]:
    """The notebooks of this plan that an earlier run of the book, finished, failed or killed, has already executed.

    Only those whose run key is equal and whose file is still the one that was recorded.
    """
    wanted = {notebook.run_key: notebook.key for notebook in plan.notebooks}
    found: dict[str, Reusable] = {}
    for record_file in sorted(plan.out.glob("*/run.json")) + sorted(plan.out.glob(".*.partial*/run.json")):
        try:
            record = json.loads(record_file.read_text(encoding="utf-8"))
            entries = [entry for entry in record["notebooks"] if entry["status"] == SUCCEEDED]
        except (OSError, ValueError, KeyError, TypeError):
            continue  # not a record of ours, so nothing to take from it
        for entry in entries:
            key = wanted.get(entry.get("run_key"))
            path = record_file.parent / "notebooks" / f"{key}.ipynb"
            if key is None or key in found or not path.is_file():
                continue
            content = path.read_bytes()
            if hashlib.sha256(content).hexdigest() == entry.get("sha256"):
                found[key] = Reusable(content, float(entry.get("seconds", 0.0)))
    return found


class RunFolder:
    """The folder of one run while it is being built."""

    def __init__(self, plan: RunPlan) -> None:
        """Start `.<name>.partial` anew; what a killed run left is set aside until this run is over."""
        self._plan = plan
        self.path = plan.out / f".{plan.name}.partial"
        if self.path.exists():
            number = len(self._set_aside()) + 1
            self.path.rename(plan.out / f".{plan.name}.partial-killed-{number}")
        for folder in (self.path, self.path / "notebooks", self.path / "logs"):
            folder.mkdir(parents=True)

    def _set_aside(self) -> list[Path]:
        return sorted(self._plan.out.glob(f".{self._plan.name}.partial-killed-*"))

    def save_notebook(self, key: str, notebook: Mapping[str, Any]) -> str:
        """Save an executed notebook, failed ones too; return the file's sha256."""
        path = self.path / "notebooks" / f"{key}.ipynb"
        write_bytes(path, (json.dumps(notebook, ensure_ascii=False) + "\n").encode("utf-8"))
        return file_hash(path)

    def take_notebook(self, key: str, content: bytes) -> tuple[str, dict[str, Any]]:
        """Save an earlier run's executed notebook as it was; return the file's sha256 and the notebook."""
        path = self.path / "notebooks" / f"{key}.ipynb"
        write_bytes(path, content)
        notebook: dict[str, Any] = json.loads(content)
        return file_hash(path), notebook

    def save_log(self, key: str, text: str) -> None:
        """Save what a notebook's processes printed outside its cells, where they printed anything."""
        if text.strip():
            write_bytes(self.path / "logs" / f"{key}.txt", text.encode("utf-8"))

    def close(self, succeeded: bool) -> Path:
        """Rename the folder to its final name, replacing an earlier run of the same name and outcome."""
        if not any((self.path / "logs").iterdir()):
            (self.path / "logs").rmdir()
        name = self._plan.name if succeeded else f"{self._plan.name}.failed"
        final = self._plan.out / name
        replaced = self._plan.out / f".{name}.replaced"
        if replaced.exists():
            shutil.rmtree(replaced)
        if final.exists():
            final.rename(replaced)
        self.path.rename(final)
        leftovers = [replaced, *self._set_aside()]
        if succeeded:
            leftovers.append(self._plan.out / f"{self._plan.name}.failed")
        for folder in leftovers:
            if folder.exists():
                shutil.rmtree(folder)
        return final


def merge_facts(by_notebook: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """All facts of a run by id, each once, with the chapters that show it.

    Raises FactsError where two mentions of an id differ in value, unit or date (a number has one home), and where a
    fact has no id or its value is no plain, finite value.
    """
    merged: dict[str, dict[str, Any]] = {}
    for notebook, facts in by_notebook.items():
        for fact in facts:
            value = fact.get("value")
            plain = isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value))
            if not isinstance(fact.get("id"), str) or not plain:
                raise FactsError(
                    f"chapter {notebook} shows a fact with id {fact.get('id')!r} and value {value!r}; "
                    "give it an id and a plain value, or leave it out and say why.",
                    EXIT_NOT_VERIFIED,
                )
            known = merged.setdefault(fact["id"], {**fact, "chapters": []})
            for key in ("value", "unit", "as_of"):
                if known.get(key) != fact.get(key) or type(known.get(key)) is not type(fact.get(key)):
                    first = known["chapters"][0] if known["chapters"] else notebook
                    raise FactsError(
                        f"fact {fact['id']!r} has {key} {known.get(key)!r} in chapter {first} and {fact.get(key)!r} in "
                        f"chapter {notebook}; compute it in one place and show that."
                    )
            if notebook not in known["chapters"]:
                known["chapters"].append(notebook)
    return [merged[identifier] for identifier in sorted(merged)]

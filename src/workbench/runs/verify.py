"""Whether an executed notebook really succeeded, judged from its own cells.

papermill's word is not enough: it passes `sys.exit(0)`, errors in threads and tasks, and marks every cell completed
after a dead kernel or a time-out. So: every code cell has run, no output is an error, the parameters injected are the
ones planned, and the closing cell has shown its nonce and no fault.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from workbench.errors import (
    EXIT_KERNEL_DIED,
    EXIT_NOT_VERIFIED,
    EXIT_NOTEBOOK_FAILED,
    EXIT_TIMED_OUT,
)
from workbench.runs._guard import MIME as CLOSING_MIME
from workbench.runs.parameters import source_of

EXHIBIT_MIME = "application/vnd.workbench.exhibit+json"
#: The largest executed notebook that is accepted, in bytes.
SIZE_LIMIT = 20_000_000

_STDERR_FAULTS = re.compile(
    r"Exception in thread .*|Task exception was never retrieved|coroutine '.*' was never awaited"
)
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class Cause(Enum):
    """Why a notebook counts as failed; the value is the word in run.json."""

    SUCCEEDED = "succeeded"
    CELL_ERROR = "cell_error"
    KERNEL_DIED = "kernel_died"
    TIMED_OUT = "timed_out"
    LEFT_EARLY = "left_early"
    CELL_NOT_RUN = "cell_not_run"
    BACKGROUND_ERROR = "background_error"
    NOT_CLOSED = "not_closed"
    TOO_LARGE = "too_large"
    PARAMETERS_DIFFER = "parameters_differ"

    @property
    def exit_code(self) -> int:
        """The command line's exit code for this cause."""
        return _EXIT_CODES.get(self, EXIT_NOT_VERIFIED)


_EXIT_CODES = {
    Cause.SUCCEEDED: 0,
    Cause.CELL_ERROR: EXIT_NOTEBOOK_FAILED,
    Cause.KERNEL_DIED: EXIT_KERNEL_DIED,
    Cause.TIMED_OUT: EXIT_TIMED_OUT,
}


@dataclass(frozen=True)
class Verdict:
    """The judgement on one notebook.

    `cell` counts from 1 over the cells as executed (0 where no cell is meant), `line` is that cell's first line,
    `error` one line. `notes` say what was seen but is no failure, such as printed text that the book will not show.
    """

    cause: Cause
    cell: int = 0
    line: str = ""
    error: str = ""
    notes: tuple[str, ...] = ()

    @property
    def succeeded(self) -> bool:
        """Whether the notebook may go into a book."""
        return self.cause is Cause.SUCCEEDED


@dataclass(frozen=True)
class Observed:
    """What the runner saw from outside: the error that ended the child, or its having been killed at the limit."""

    stopped_by: str = ""
    message: str = ""
    cell: int = 0
    killed_at_limit: bool = False
    exit_code: int | None = 0


def judge(
    notebook: Mapping[str, Any] | None,
    *,
    nonce: str,
    parameters: Mapping[str, Any],
    observed: Observed,
    size: int = 0,
    size_limit: int = SIZE_LIMIT,
) -> Verdict:
    """Judge one executed notebook, closing cell included; None where none was saved.

    `size` is the saved notebook's bytes, `observed.cell` the zero-based cell reached. Never raises: whatever is
    wrong is the verdict.
    """
    cells: Sequence[Mapping[str, Any]] = notebook["cells"] if notebook is not None else []
    notes = tuple(_notes(cells))
    found = _stopped(cells, observed) if observed.stopped_by != "PapermillExecutionError" else None
    if found is None and size > size_limit:
        found = Verdict(Cause.TOO_LARGE, error=f"the notebook has {size:,} bytes; the limit is {size_limit:,}")
    for check in (_errors, _unrun):
        found = found or check(cells)
    found = found or _closing(cells, nonce) or _printed_faults(cells) or _injected(cells, parameters)
    found = found or Verdict(Cause.SUCCEEDED)
    return Verdict(found.cause, found.cell, found.line, found.error, notes)


def facts_of(notebook: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every fact of every exhibit of an executed notebook, in reading order, as plain data."""
    facts: list[dict[str, Any]] = []
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            exhibit = output.get("data", {}).get(EXHIBIT_MIME)
            if isinstance(exhibit, dict):
                facts.extend(fact for fact in exhibit.get("facts", []) if isinstance(fact, dict))
    return facts


def without_closing(notebook: Mapping[str, Any], closing_id: str) -> dict[str, Any]:
    """The notebook as kept: without the closing cell, papermill's clock times, random ids and this machine's paths.

    So the same inputs give the same bytes, and a figure's notebook can be compared across runs.
    """
    kept: list[dict[str, Any]] = []
    for cell in notebook["cells"]:
        tags = cell["metadata"].get("tags", [])
        if cell.get("id") == closing_id:
            continue
        metadata = {k: v for k, v in cell["metadata"].items() if k not in ("papermill", "execution")}
        identifier = {"id": "injected-parameters"} if "injected-parameters" in tags else {}
        kept.append({**cell, **identifier, "metadata": metadata})
    metadata = {k: v for k, v in notebook["metadata"].items() if k != "papermill"}
    return {**notebook, "cells": kept, "metadata": metadata}


def _at(cause: Cause, cells: Sequence[Mapping[str, Any]], index: int, error: str) -> Verdict:
    """A verdict on the cell at this zero-based position."""
    lines = [line for line in source_of(cells[index]).splitlines() if line.strip()] if index < len(cells) else []
    return Verdict(cause, index + 1, lines[0].strip()[:120] if lines else "", " ".join(error.split())[:300])


def _stopped(cells: Sequence[Mapping[str, Any]], observed: Observed) -> Verdict | None:
    if observed.stopped_by == "OversizedOutput":
        return _at(Cause.TOO_LARGE, cells, observed.cell, observed.message)
    if observed.killed_at_limit or observed.stopped_by == "CellTimeoutError":
        return _at(Cause.TIMED_OUT, cells, observed.cell, "the time limit was reached; the kernel was killed")
    if observed.stopped_by == "DeadKernelError":
        return _at(Cause.KERNEL_DIED, cells, observed.cell, "the kernel died")
    if observed.stopped_by:
        return _at(Cause.KERNEL_DIED, cells, observed.cell, f"{observed.stopped_by}: {observed.message}")
    if observed.exit_code != 0:
        return _at(Cause.KERNEL_DIED, cells, observed.cell, f"the runner's child ended with {observed.exit_code}")
    return None


def _errors(cells: Sequence[Mapping[str, Any]]) -> Verdict | None:
    for index, cell in enumerate(cells):
        for output in cell.get("outputs", []):
            if output["output_type"] == "error":
                error = _COLOURS.sub("", f"{output.get('ename')}: {output.get('evalue')}")
                cause = Cause.LEFT_EARLY if output.get("ename") == "SystemExit" else Cause.CELL_ERROR
                return _at(cause, cells, index, error)
    return None


def _unrun(cells: Sequence[Mapping[str, Any]]) -> Verdict | None:
    for index, cell in enumerate(cells):
        if cell["cell_type"] == "code" and source_of(cell).strip() and not cell.get("execution_count"):
            return _at(Cause.CELL_NOT_RUN, cells, index, "the cell never ran")
    return None


def _printed_faults(cells: Sequence[Mapping[str, Any]]) -> Verdict | None:
    for index, cell in enumerate(cells):
        for output in cell.get("outputs", []):
            if output["output_type"] == "stream" and output["name"] == "stderr":
                fault = _STDERR_FAULTS.search(_text(output["text"]))
                if fault is not None:
                    return _at(Cause.BACKGROUND_ERROR, cells, index, fault.group().strip())
    return None


def _closing(cells: Sequence[Mapping[str, Any]], nonce: str) -> Verdict | None:
    shown = [
        output["data"][CLOSING_MIME]
        for cell in cells[-1:]
        for output in cell.get("outputs", [])
        if CLOSING_MIME in output.get("data", {})
    ]
    if not shown or shown[-1].get("nonce") != nonce:
        return Verdict(Cause.NOT_CLOSED, error="the closing cell did not report; the notebook did not reach its end")
    for fault in shown[-1]["faults"]:
        # The guard knows the error, the printed traceback the cell that started the thread.
        printed = _printed_faults(cells[:-1])
        cell, line = (printed.cell, printed.line) if printed else (0, "")
        return Verdict(Cause(fault["cause"]), cell, line, fault["error"][:300])
    return None


def _injected(cells: Sequence[Mapping[str, Any]], parameters: Mapping[str, Any]) -> Verdict | None:
    """The parameters the notebook ran with are the planned ones, value and type."""
    for index, cell in enumerate(cells):
        if "injected-parameters" not in cell["metadata"].get("tags", []):
            continue
        values = {
            target.id: ast.literal_eval(node.value)
            for node in ast.parse(source_of(cell)).body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        if repr(sorted(values.items())) != repr(sorted(parameters.items())):
            return _at(Cause.PARAMETERS_DIFFER, cells, index, "the injected parameters are not the planned ones")
        return None
    return Verdict(Cause.PARAMETERS_DIFFER, error="no parameters were injected") if parameters else None


def _notes(cells: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for number, cell in enumerate(cells, start=1):
        if "closing" in cell["metadata"].get("tags", []):
            continue
        outputs = cell.get("outputs", [])
        for name in ("stdout", "stderr"):
            streams = [_text(o["text"]) for o in outputs if o["output_type"] == "stream" and o["name"] == name]
            if streams:
                lines = len("".join(streams).splitlines())
                yield f"cell {number} wrote {lines} line{'s' * (lines != 1)} to {name}; the book does not show them"
        for output in outputs:
            kinds = set(output.get("data", {}))
            if kinds and EXHIBIT_MIME not in kinds:
                yield f"cell {number} shows {', '.join(sorted(kinds))} and no exhibit; the book does not show it"


def _text(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)

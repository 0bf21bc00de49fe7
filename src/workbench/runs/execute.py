"""Run planned notebooks, each in a child process of its own, several at once, under a time limit.

One loop in the calling thread watches all children, so events arrive one at a time and Ctrl-C ends everything
that was started. A child that overstays is killed with its kernel and whatever the kernel started.
"""

from __future__ import annotations

import json
import os
import secrets
import selectors
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, Literal, Protocol

import workbench
from workbench.errors import MissingToolError, RunError
from workbench.runs._processes import kill_descendants
from workbench.runs.plan import NotebookPlan, code_hash, read_notebook
from workbench.runs.verify import SIZE_LIMIT, Observed, Verdict, judge, without_closing

#: All a child sees of the environment. An allow-list, so that no password of the caller's reaches a notebook.
ENVIRONMENT_ALLOWED = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "SOURCE_DATE_EPOCH")
_ENVIRONMENT_SET = {
    "PYTHONHASHSEED": "0",
    "PYTHONNOUSERSITE": "1",
    **{
        f"{library}_NUM_THREADS": "1"
        for library in ("OMP", "OPENBLAS", "MKL", "NUMBA", "NUMEXPR", "VECLIB_MAXIMUM", "POLARS", "RAYON")
    },
}
#: Seconds a child may take to stop by itself after its limit (it saves the partial notebook) before it is killed.
_GRACE = 5.0


@dataclass(frozen=True)
class RunEvent:
    """Something a progress bar wants to know. `cell` of `cells` is being run; `seconds` since the notebook began."""

    notebook: str
    kind: Literal["started", "cell", "finished"]
    cell: int = 0
    cells: int = 0
    seconds: float = 0.0
    verdict: Verdict | None = None


class OnEvent(Protocol):
    """Called with each event, in the calling thread."""

    def __call__(self, event: RunEvent, /) -> None:
        """Take one event."""
        ...


@dataclass(frozen=True)
class Executed:
    """One executed notebook: the verdict, the notebook as kept (None where nothing was saved), its time and log."""

    plan: NotebookPlan
    verdict: Verdict
    notebook: dict[str, Any] | None
    seconds: float
    log: str


@dataclass
class _Child:
    """A running child: what only the loop below touches."""

    plan: NotebookPlan
    process: subprocess.Popen[bytes]
    folder: Path
    nonce: str
    closing_id: str
    started: float
    cell: int = 0
    cells: int = 0
    killed: bool = False
    unread: bytes = field(default=b"")

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started


def execute(
    plans: Sequence[NotebookPlan],
    *,
    work: Path,
    time_limit: float,
    jobs: int | None = None,
    on_event: OnEvent | None = None,
    size_limit: int = SIZE_LIMIT,
) -> Iterator[Executed]:
    """Execute notebooks and yield each as it finishes, in no fixed order; a failed one never stops the others.

    `work` is an empty folder for scratch files; `time_limit` seconds a notebook, kernel start included; `jobs` how
    many at once (by default as many as there are cores). Raises RunError where a notebook changed since it was planned.
    """
    if find_spec("papermill") is None or find_spec("ipykernel") is None:
        raise MissingToolError("running notebooks needs papermill and ipykernel; pip install 'workbench[report]'.")
    tell: OnEvent = on_event or (lambda event: None)
    waiting = list(plans)
    running: list[_Child] = []
    limit = jobs or max(1, min(os.cpu_count() or 1, len(plans)))
    kernels = _write_kernelspec(work)
    with selectors.DefaultSelector() as selector:
        try:
            while waiting or running:
                while waiting and len(running) < limit:
                    child = _start(waiting.pop(0), work, kernels, time_limit, size_limit)
                    running.append(child)
                    selector.register(_stdout(child), selectors.EVENT_READ, child)
                    tell(RunEvent(child.plan.key, "started"))
                for done in _wait(selector, running, time_limit, tell):
                    running.remove(done)
                    executed = _finish(done, size_limit)
                    position = (min(done.cell, done.cells), done.cells, executed.seconds)
                    tell(RunEvent(done.plan.key, "finished", *position, executed.verdict))
                    yield executed
        finally:
            for child in running:
                _kill(child)


def child_environment(work: Path, kernels: Path, source: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment of a child and its kernel: the allowed variables, fixed threads and hash seed, empty profiles.

    IPython and Jupyter look into the scratch folder only, so that no start-up file of the user's takes part in a run.
    """
    package = str(Path(workbench.__file__).resolve().parents[1])  # the very code that made the plan
    return {
        **{name: source[name] for name in ENVIRONMENT_ALLOWED if name in source},
        **_ENVIRONMENT_SET,
        "PYTHONPATH": package,
        "IPYTHONDIR": str(work / "ipython"),
        "JUPYTER_CONFIG_DIR": str(work / "jupyter-config"),
        "JUPYTER_DATA_DIR": str(work / "jupyter-data"),
        "JUPYTER_RUNTIME_DIR": str(work / "jupyter-runtime"),
        "JUPYTER_PATH": str(kernels),
        "JUPYTER_NO_CONFIG": "1",
    }


def _write_kernelspec(work: Path) -> Path:
    """A kernelspec of this very interpreter, found before any of the same name the machine may have."""
    folder = work / "jupyter" / "kernels" / "python3"
    folder.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    metadata = {"supported_encryption": ["curve"]}
    spec = {"argv": argv, "display_name": "Python 3", "language": "python", "metadata": metadata}
    (folder / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    return work / "jupyter"


def _start(plan: NotebookPlan, work: Path, kernels: Path, time_limit: float, size_limit: int) -> _Child:
    notebook = read_notebook(plan.notebook, plan.key)
    if code_hash(notebook) != plan.source_hash:
        raise RunError(f"notebook {plan.key} changed after the run was planned; plan the run again.")
    folder = work / plan.key
    folder.mkdir()
    nonce, closing_id = secrets.token_hex(16), f"closing-{secrets.token_hex(4)}"
    closing: dict[str, Any] = {
        "cell_type": "code",
        "id": closing_id,
        "metadata": {"tags": ["closing"]},
        "execution_count": None,
        "outputs": [],
        "source": f"await __import__('sys').modules['_workbench_guard'].close({nonce!r})",
    }
    source = {**notebook, "cells": [*notebook["cells"], closing]}
    (folder / "source.ipynb").write_text(json.dumps(source), encoding="utf-8")
    job = {
        "parameters": dict(plan.parameters),
        "executed": str(folder.resolve() / "executed.ipynb"),
        "cwd": str(plan.notebook.resolve().parent),
        "time_limit": time_limit,
        "size_limit": size_limit,
    }
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "workbench.runs.child", str(folder.resolve())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=child_environment(work.resolve(), kernels.resolve()),
            start_new_session=True,
        )
    return _Child(plan, process, folder, nonce, closing_id, time.monotonic())


def _wait(
    selector: selectors.BaseSelector, running: Sequence[_Child], time_limit: float, tell: OnEvent
) -> Iterator[_Child]:
    """Pass events on and yield the children that ended; return at the latest when the next one is overdue."""
    overdue_in = min(child.started + time_limit + _GRACE for child in running) - time.monotonic()
    for key, _ in selector.select(timeout=max(0.0, overdue_in)):
        child: _Child = key.data
        chunk = os.read(key.fd, 65_536)
        if chunk:
            _pass_on(child, chunk, tell)
            continue
        selector.unregister(key.fileobj)
        yield child
    for child in running:
        if child.seconds >= time_limit + _GRACE and not child.killed:
            child.killed = True
            _kill(child)  # its output then closes, and the next turn finds it ended


def _pass_on(child: _Child, chunk: bytes, tell: OnEvent) -> None:
    *lines, child.unread = (child.unread + chunk).split(b"\n")
    for line in lines:
        event = json.loads(line)
        child.cell, child.cells = event["cell"], event["cells"] - 1  # the closing cell is ours
        if child.cell <= child.cells:
            tell(RunEvent(child.plan.key, "cell", child.cell, child.cells, child.seconds))


def _finish(child: _Child, size_limit: int) -> Executed:
    try:
        code = child.process.wait(timeout=_GRACE)
    except subprocess.TimeoutExpired:
        _kill(child)
        code = child.process.wait()
    for pipe in (child.process.stdin, child.process.stdout):
        if pipe is not None:
            pipe.close()
    outcome = _read_json(child.folder / "outcome.json") or {}
    observed = Observed(
        stopped_by=outcome.get("stopped_by", ""),
        message=outcome.get("message", ""),
        cell=outcome.get("cell", max(0, child.cell - 1)),
        killed_at_limit=child.killed,
        exit_code=code,
    )
    path = child.folder / "executed.ipynb"
    size = path.stat().st_size if path.exists() else 0
    notebook = _read_json(path)
    verdict = judge(
        notebook,
        nonce=child.nonce,
        parameters=child.plan.parameters,
        observed=observed,
        size=size,
        size_limit=size_limit,
    )
    kept = None if notebook is None else without_closing(notebook, child.closing_id)
    log = (child.folder / "log.txt").read_bytes()[-100_000:].decode("utf-8", errors="replace")
    return Executed(child.plan, verdict, kept, child.seconds, log)


def _kill(child: _Child) -> None:
    """End the child and everything below it; the children first, while their family tree can still be walked."""
    kill_descendants(child.process.pid)
    child.process.kill()


def _stdout(child: _Child) -> IO[bytes]:
    assert child.process.stdout is not None
    return child.process.stdout


def _read_json(path: Path) -> dict[str, Any] | None:
    """A file a child left; None where it is missing or was cut short by the child's death."""
    try:
        loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return loaded

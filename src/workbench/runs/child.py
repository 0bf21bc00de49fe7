"""The child process that executes one notebook: `python -m workbench.runs.child <work folder>`.

A process of its own because papermill changes the whole process's directory, and because it can be killed with all it
started. Reads job.json and source.ipynb from its work folder, leaves executed.ipynb and outcome.json there, and writes
one JSON line a cell to its standard output. It reports what happened; whether that is success, `verify` decides.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import IO, Any

from workbench.runs import _guard
from workbench.runs._processes import kill_descendants

OVERSIZED = "output over the limit"
#: A kernel picks its ports before it binds them, and another one starting beside it may have taken one by then.
KERNEL_STARTS = 3


def main(folder: Path) -> None:
    """Execute the notebook of this work folder."""
    events = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)  # whatever the kernel prints belongs to the log, not among the events
    _adopt_orphans()
    threading.Thread(target=_die_with_parent, daemon=True).start()
    os.chdir(folder)
    logging.getLogger("papermill").setLevel(logging.ERROR)
    job = json.loads(Path("job.json").read_text(encoding="utf-8"))
    outcome = _execute(job, events)
    kill_descendants(os.getpid())
    Path("outcome.json").write_text(json.dumps(outcome), encoding="utf-8")


def _execute(job: dict[str, Any], events: IO[str]) -> dict[str, Any]:
    """Run papermill with our engine; return the name and message of what stopped it, if anything did."""
    import nbformat

    papermill = _import_papermill()
    from papermill.engines import papermill_engines

    from workbench.runs._engine import engine

    state = {"answered": False, "cell": 0, "oversized": False, "started": time.monotonic()}
    papermill_engines.register("workbench", engine(job, events, state))
    stopped: BaseException | None = None
    for _ in range(KERNEL_STARTS):
        stopped = None
        try:
            papermill.execute_notebook(
                nbformat.read("source.ipynb", as_version=4),
                None,  # our engine saves: faster, and papermill would fill {names} of a path from the parameters
                parameters=job["parameters"],
                engine_name="workbench",
                kernel_name="python3",
                language="python",
                progress_bar=False,
                cwd=job["cwd"],
            )
        except Exception as error:  # noqa: BLE001 - any failure is an outcome, judged by the parent
            stopped = error
        if state["answered"] or not isinstance(stopped, RuntimeError):
            break  # once a cell may have run, nothing is done twice
    kind = type(stopped).__name__ if stopped else ""
    message = str(stopped).strip().splitlines()[-1] if stopped and str(stopped).strip() else ""
    if state["oversized"]:
        kind, message = "OversizedOutput", OVERSIZED
    return {"stopped_by": kind, "message": message[:1000], "cell": state["cell"]}


def _import_papermill() -> Any:
    """Papermill without pyarrow, which it imports (0.15 s) in case a notebook lies on HDFS; ours never do."""
    sys.modules["pyarrow"] = None  # type: ignore[assignment]
    import papermill

    del sys.modules["pyarrow"]
    return papermill


def _adopt_orphans() -> None:
    """Make orphaned grandchildren ours on Linux, so that a detached process of a notebook is still found and ended."""
    if sys.platform == "linux":
        import ctypes

        pr_set_child_subreaper = 36
        ctypes.CDLL(None).prctl(pr_set_child_subreaper, 1, 0, 0, 0)


def _die_with_parent() -> None:
    """End with all descendants when the parent is gone: it holds our standard input open while it lives."""
    os.read(0, 1)
    kill_descendants(os.getpid())
    os.kill(os.getpid(), signal.SIGKILL)


def prologue() -> str:
    """The code that loads the guard into the kernel under a private name, leaving the notebook's names alone."""
    source = Path(_guard.__file__).read_text(encoding="utf-8")
    return (
        "def _load(source, shell):\n"
        "    import sys, types\n"
        "    guard = sys.modules['_workbench_guard'] = types.ModuleType('_workbench_guard')\n"
        "    exec(compile(source, '_workbench_guard', 'exec'), guard.__dict__)\n"
        "    guard.begin(shell)\n"
        f"_load({source!r}, get_ipython())\n"
        "del _load\n"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))

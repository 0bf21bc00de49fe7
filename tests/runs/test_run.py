"""Whole runs: every way a notebook can fail without papermill saying so, the record left, resume."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from workbench.errors import RunError
from workbench.runs import Cause, RunEvent, RunPlan, RunResult, run

EXHIBIT = "application/vnd.workbench.exhibit+json"


class Clock:
    """A clock that goes on by a second each time it is read."""

    def __init__(self) -> None:
        self.now = datetime(2023, 1, 2, 6, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def shows(fact: str, value: float) -> str:
    """A cell that shows an exhibit with one fact."""
    facts = [{"id": fact, "value": value, "unit": "count", "text": f"{value}", "source": "s", "as_of": "2022-12-28"}]
    return (
        "from IPython.display import display\n"
        f"display({{{EXHIBIT!r}: {{'facts': {facts!r}}}, 'text/plain': 'x'}}, raw=True)"
    )


FAILURES = {
    "good": [shows("drift.firm.accounts", 3), "assert (top, as_of) == (3, '2022-12-28')"],
    "raises": ["import math", "# the ratio\n1 / 0", "1"],
    "sys_exit": ["import sys\nsys.exit(0)", "1"],
    "dead_kernel": ["import os\nos._exit(0)", "1"],
    "thread": ["import threading\nt = threading.Thread(target=lambda: 1 / 0)\nt.start()\nt.join()", "1"],
    "late_thread": ["import threading\nthreading.Timer(0.3, lambda: 1 / 0).start()"],
    "task": [
        "import asyncio\nasync def fail():\n    raise ValueError('lost')",
        "kept = asyncio.create_task(fail())",
    ],
    "unawaited": ["async def work():\n    pass\nwork()\nNone"],
    "huge": ["for _ in range(30):\n    print('x' * 100_000)"],
    "unclosed": ["import sys\nsys.modules['_workbench_guard'].close = lambda nonce: __import__('asyncio').sleep(0)"],
    "environment": [
        "import os\nassert 'DATABASE_PASSWORD' not in os.environ\nassert os.environ['OMP_NUM_THREADS'] == '1'",
        "import pathlib\nassert pathlib.Path('environment.ipynb').exists()",
    ],
}
#: One that sleeps beside a detached process, and one that stops its runner so that it cannot keep its own limit.
HANGING = {
    "overtime": [
        "import subprocess, time, pathlib",
        "p = subprocess.Popen(['sleep', '300'], start_new_session=True)\n"
        "pathlib.Path('grandchild.pid').write_text(str(p.pid))\n"
        "time.sleep(300)",
    ],
    "stopped": ["import os, signal\nos.kill(os.getppid(), signal.SIGSTOP)\nimport time\ntime.sleep(300)"],
}
EXPECTED = {
    "good": (Cause.SUCCEEDED, 0, ""),
    "raises": (Cause.CELL_ERROR, 4, "ZeroDivisionError: division by zero"),
    "sys_exit": (Cause.LEFT_EARLY, 3, "SystemExit: 0"),
    "dead_kernel": (Cause.KERNEL_DIED, 3, "the kernel died"),
    "thread": (Cause.BACKGROUND_ERROR, 3, "ZeroDivisionError"),
    "late_thread": (Cause.BACKGROUND_ERROR, 0, "ZeroDivisionError"),
    "task": (Cause.BACKGROUND_ERROR, 0, "ValueError: lost"),
    "unawaited": (Cause.BACKGROUND_ERROR, 3, "coroutine 'work' was never awaited"),
    "huge": (Cause.TOO_LARGE, 3, "output over the limit"),
    "unclosed": (Cause.NOT_CLOSED, 0, "closing cell"),
    "environment": (Cause.SUCCEEDED, 0, ""),
}


@pytest.mark.slow
def test_every_hidden_failure_is_caught_and_the_others_go_on(
    make_plan: Callable[..., RunPlan], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_PASSWORD", "hunter2")
    planned = make_plan(FAILURES)
    events: list[RunEvent] = []
    result = run(planned, clock=Clock(), on_event=events.append, jobs=3, size_limit=1_000_000)

    found = {outcome.key: outcome.verdict for outcome in result.outcomes}
    assert list(found) == list(FAILURES), "outcomes stand in the book's order"
    assert {key: verdict.cause for key, verdict in found.items()} == {key: e[0] for key, e in EXPECTED.items()}
    assert {key: verdict.cell for key, verdict in found.items()} == {key: e[1] for key, e in EXPECTED.items()}
    for key, (_, _, words) in EXPECTED.items():
        assert words in found[key].error
    assert found["raises"].line == "# the ratio"
    codes = {key: verdict.cause.exit_code for key, verdict in found.items()}
    assert (codes["good"], codes["raises"], codes["dead_kernel"]) == (0, 3, 4)
    assert {codes[key] for key in ("sys_exit", "thread", "task", "unawaited", "huge", "unclosed")} == {6}

    assert not result.succeeded
    assert result.exit_code == 3, "the first failed notebook in the book's order decides"
    with pytest.raises(RunError, match=r"notebook raises failed in cell 4 \(# the ratio\): ZeroDivisionError"):
        result.raise_for_failure()

    assert result.folder.name == f"{planned.name}.failed"
    record = json.loads((result.folder / "run.json").read_text())
    assert record["status"] == "failed"
    assert {n["key"]: n["status"] for n in record["notebooks"]} == {
        key: "succeeded" if e[0] is Cause.SUCCEEDED else "failed" for key, e in EXPECTED.items()
    }
    for key in FAILURES:
        partial = json.loads((result.folder / "notebooks" / f"{key}.ipynb").read_text())
        sources = ["".join(cell["source"]) for cell in partial["cells"][2:]]
        assert sources == FAILURES[key], "the saved notebook has the injected parameters added and nothing else"
    finished = [event.notebook for event in events if event.kind == "finished"]
    assert sorted(finished) == sorted(FAILURES)
    assert all(0 < event.cell <= event.cells for event in events if event.kind == "cell")

    _resume_takes_the_good_ones(planned, result)


@pytest.mark.slow
def test_a_time_limit_ends_the_notebook_and_all_it_started(
    make_plan: Callable[..., RunPlan], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.runs.execute._GRACE", 2.0)
    planned = make_plan(HANGING, time_limit=7)
    result = run(planned, clock=Clock(), jobs=2)
    found = [(outcome.key, outcome.verdict.cause, outcome.verdict.cell) for outcome in result.outcomes]
    assert found == [("overtime", Cause.TIMED_OUT, 4), ("stopped", Cause.TIMED_OUT, 3)]
    assert result.exit_code == 5
    grandchild = int((planned.notebooks[0].notebook.parent / "grandchild.pid").read_text())
    assert not psutil.pid_exists(grandchild) or psutil.Process(grandchild).status() == psutil.STATUS_ZOMBIE
    assert all(outcome.path is not None for outcome in result.outcomes), "what there was is kept"


def _resume_takes_the_good_ones(planned: RunPlan, before: RunResult) -> None:
    from dataclasses import replace

    good = tuple(notebook for notebook in planned.notebooks if notebook.key in ("good", "environment"))
    smaller = replace(planned, notebooks=good, run_key="0123456789abcdef")
    result = run(smaller, clock=Clock(), resume=True)
    assert result.succeeded
    assert [outcome.reused for outcome in result.outcomes] == [True, True]
    assert [fact["id"] for fact in result.facts] == ["drift.firm.accounts"]


def test_a_run_leaves_a_whole_folder_and_the_same_bytes_again(make_plan: Callable[..., RunPlan]) -> None:
    planned = make_plan(
        {"one": [shows("a.b", 1), "print(top)"], "two": [shows("a.b", 1)]}, parameters={"one": {"top": 7}}
    )
    seen: list[Path] = []

    def render(result: RunResult) -> None:
        seen.append(result.folder)
        (result.folder / "index.html").write_text("a book")

    first = run(planned, clock=Clock(), render=render)
    assert first.succeeded
    assert first.exit_code == 0
    assert first.folder == planned.out / planned.name
    assert seen[0].name.endswith(".partial"), "rendering is over before the folder has its name"
    assert (first.folder / "index.html").exists()
    assert sorted(path.name for path in planned.out.iterdir()) == [".locks", planned.name]
    assert sorted(path.name for path in first.folder.iterdir()) == [
        "facts.json", "index.html", "lineage.json", "notebooks", "run.json",
    ]  # fmt: skip
    facts = json.loads((first.folder / "facts.json").read_text())["facts"]
    assert [(fact["id"], fact["chapters"]) for fact in facts] == [("a.b", ["one", "two"])]
    lineage = json.loads((first.folder / "lineage.json").read_text())
    assert lineage["notebooks"][0]["parameters"]["top"] == 7
    assert lineage["software"]["packages"]["papermill"]
    assert json.loads((first.folder / "run.json").read_text())["status"] == "succeeded"
    assert first.outcomes[0].verdict.notes == ("cell 4 wrote 1 line to stdout; the book does not show them",)

    before = (first.folder / "notebooks" / "one.ipynb").read_bytes()
    second = run(planned, clock=Clock())
    assert not any(outcome.reused for outcome in second.outcomes)
    assert (second.folder / "notebooks" / "one.ipynb").read_bytes() == before


def test_conflicting_facts_fail_the_run(make_plan: Callable[..., RunPlan]) -> None:
    planned = make_plan({"one": [shows("a.b", 1)], "two": [shows("a.b", 2)]})
    result = run(planned, clock=Clock(), render=lambda result: pytest.fail("a failed run is not rendered"))
    assert not result.succeeded
    assert result.exit_code == 6
    with pytest.raises(RunError, match=r"'a\.b' has value 1 in chapter one and 2 in chapter two"):
        result.raise_for_failure()


CRASHER = """
import sys, json, pickle
from datetime import datetime, UTC
from workbench.runs import run
planned = pickle.loads(bytes.fromhex(sys.argv[1]))
run(planned, clock=lambda: datetime(2023, 1, 2, tzinfo=UTC), jobs=1)
"""


@pytest.mark.slow
def test_a_killed_run_leaves_no_process_and_is_resumed(make_plan: Callable[..., RunPlan], tmp_path: Path) -> None:
    import pickle

    marker = tmp_path / "go"
    planned = make_plan(
        {
            "done": [shows("a.b", 1)],
            "stuck": [f"import time, pathlib\nwhile not pathlib.Path({str(marker)!r}).exists():\n    time.sleep(0.1)"],
        }
    )
    process = subprocess.Popen([sys.executable, "-c", CRASHER, pickle.dumps(planned).hex()])
    record = planned.out / f".{planned.name}.partial" / "run.json"
    deadline = time.monotonic() + 30
    children: list[psutil.Process] = []
    while time.monotonic() < deadline:
        settled = record.exists() and json.loads(record.read_text())["notebooks"][0]["status"] == "succeeded"
        children = psutil.Process(process.pid).children(recursive=True)
        if settled and len(children) >= 2:
            break
        time.sleep(0.05)
    with pytest.raises(RunError, match="under way"):
        run(planned, clock=Clock())
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not alive, "the notebook's processes end with the run that started them"

    marker.touch()
    result = run(planned, clock=Clock(), resume=True)
    assert result.succeeded
    assert [outcome.reused for outcome in result.outcomes] == [True, False]
    assert sorted(path.name for path in planned.out.iterdir()) == [".locks", planned.name]


def test_a_broken_renderer_leaves_a_failed_folder(make_plan: Callable[..., RunPlan]) -> None:
    planned = make_plan({"one": ["1"]})

    def render(result: RunResult) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        run(planned, clock=Clock(), render=render)
    record = json.loads((planned.out / f"{planned.name}.failed" / "run.json").read_text())
    assert record["status"] == "failed"
    assert "disk full" in record["problem"]
    assert not (planned.out / planned.name).exists()


@pytest.mark.parametrize(("silent", "stopped_by"), [(0, ""), (2, ""), (9, "RuntimeError")])
def test_a_kernel_that_never_answers_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, silent: int, stopped_by: str
) -> None:
    import io

    import nbformat

    from workbench.runs import child

    starts: list[object] = []

    class Papermill:
        @staticmethod
        def execute_notebook(*args: object, **settings: object) -> None:
            starts.append(args[0])
            if len(starts) <= silent:
                raise RuntimeError("Kernel died before replying to kernel_info")

    monkeypatch.chdir(tmp_path)
    nbformat.write(nbformat.v4.new_notebook(), "source.ipynb")
    monkeypatch.setattr(child, "_import_papermill", lambda: Papermill)
    job = {"parameters": {}, "cwd": ".", "time_limit": 60, "size_limit": 1_000, "executed": "executed.ipynb"}
    outcome = child._execute(job, io.StringIO())
    assert outcome["stopped_by"] == stopped_by
    assert len(starts) == min(silent + 1, child.KERNEL_STARTS)


def test_a_run_survives_a_kernel_that_dies_at_its_start(
    make_plan: Callable[..., RunPlan], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from workbench.runs import execute as module

    write = module._write_kernelspec

    def dying_once(work: Path) -> Path:
        folder = write(work)
        path = folder / "kernels" / "python3" / "kernel.json"
        spec = json.loads(path.read_text())
        spec["argv"] = ["sh", "-c", 'mkdir "$0" && exit 1; exec "$@"', str(tmp_path / "died"), *spec["argv"]]
        path.write_text(json.dumps(spec))
        return folder

    monkeypatch.setattr(module, "_write_kernelspec", dying_once)
    result = run(make_plan({"one": [shows("a.b", 1)]}), clock=Clock())
    assert (tmp_path / "died").is_dir()
    assert result.succeeded, result.outcomes[0].sentence()


def test_a_notebook_changed_after_planning_is_not_run(make_plan: Callable[..., RunPlan]) -> None:
    planned = make_plan({"one": ["1"]})
    path = planned.notebooks[0].notebook
    path.write_text(path.read_text().replace('"1"', '"2"'))
    with pytest.raises(RunError, match="changed after the run was planned"):
        run(planned, clock=Clock())


def test_an_interrupted_run_ends_its_children_and_is_recorded_as_failed(make_plan: Callable[..., RunPlan]) -> None:
    planned = make_plan({"one": ["import time\ntime.sleep(300)"]})
    before = set(psutil.Process().children(recursive=True))
    children: list[psutil.Process] = []

    def interrupt(event: RunEvent) -> None:
        if event.kind == "cell" and event.cell == 3:
            children.extend(set(psutil.Process().children(recursive=True)) - before)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(planned, clock=Clock(), on_event=interrupt)
    _, alive = psutil.wait_procs(children, timeout=10)
    assert len(children) >= 2
    assert not alive
    record = json.loads((planned.out / f"{planned.name}.failed" / "run.json").read_text())
    assert (record["status"], record["problem"]) == ("failed", "KeyboardInterrupt")

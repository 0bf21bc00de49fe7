"""Carry out a plan: execute, verify, record, render; or take what an earlier run has already done."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from workbench.errors import EXIT_NOT_VERIFIED, RunError
from workbench.runs.execute import Executed, OnEvent, RunEvent, execute
from workbench.runs.lineage import git_commit, lineage
from workbench.runs.plan import NotebookPlan, RunPlan
from workbench.runs.record import (
    FAILED,
    PLANNED,
    RUNNING,
    SUCCEEDED,
    FactsError,
    Reusable,
    RunFolder,
    lock,
    merge_facts,
    reusable,
    write_json,
)
from workbench.runs.registry import LONGEST
from workbench.runs.verify import SIZE_LIMIT, Cause, Verdict, facts_of

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class NotebookOutcome:
    """What became of one notebook. `path` is its executed file (None where nothing was saved), `seconds` its time;
    a `reused` one was executed by an earlier run of the same run key.
    """

    key: str
    title: str
    run_key: str
    verdict: Verdict
    path: Path | None
    seconds: float
    reused: bool = False

    @property
    def succeeded(self) -> bool:
        """Whether the notebook may go into the book."""
        return self.verdict.succeeded

    def sentence(self) -> str:
        """One line for a person: which notebook failed, in which cell, with what error."""
        if self.succeeded:
            return f"notebook {self.key} succeeded"
        where = f" in cell {self.verdict.cell} ({self.verdict.line})" if self.verdict.cell else ""
        return f"notebook {self.key} failed{where}: {self.verdict.error} [{self.verdict.cause.value}]"


@dataclass(frozen=True)
class RunResult:
    """A finished run: its folder, each notebook's outcome in the book's order, and the facts shown.

    `problem` names what failed beyond single notebooks (conflicting facts). Times come from the clock handed in.
    """

    plan: RunPlan
    folder: Path
    outcomes: tuple[NotebookOutcome, ...]
    facts: tuple[dict[str, Any], ...]
    started_at: datetime
    finished_at: datetime
    problem: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether every notebook succeeded and the facts agree."""
        return not self.problem and all(outcome.succeeded for outcome in self.outcomes)

    @property
    def exit_code(self) -> int:
        """0, or the exit code of the first failed notebook in the book's order."""
        for outcome in self.outcomes:
            if not outcome.succeeded:
                return outcome.verdict.cause.exit_code
        return EXIT_NOT_VERIFIED if self.problem else 0

    def raise_for_failure(self) -> None:
        """Raise RunError naming every failed notebook, its cell and error, and where the partial output lies."""
        if self.succeeded:
            return
        lines = [outcome.sentence() for outcome in self.outcomes if not outcome.succeeded]
        lines += [self.problem] if self.problem else []
        raise RunError("\n".join([*lines, f"What there is of the run lies in {self.folder}."]), self.exit_code)


#: Renders a run's book into the run's folder; whatever it returns is its own affair.
Render = Callable[[RunResult], object]


def run(
    plan: RunPlan,
    *,
    clock: Clock,
    on_event: OnEvent | None = None,
    jobs: int | None = None,
    resume: bool = False,
    render: Render | None = None,
    code: Path | None = None,
    size_limit: int = SIZE_LIMIT,
) -> RunResult:
    """Run a plan and leave its folder under `plan.out`; failed notebooks do not stop the others.

    `clock` gives the time for the record; `jobs` how many notebooks at once; with `resume`, notebooks an earlier run
    executed with the same run key are taken from it. `render` is called once all notebooks have succeeded, before
    the folder gets its final name, so a folder of that name always holds a whole book; its errors end the run as
    failed and pass through. `code` is the checkout whose commit the lineage names.

    Raises RunError where the same run is under way elsewhere; failed notebooks are in the result, see
    `RunResult.raise_for_failure`.
    """
    with lock(plan.out, plan.name):
        earlier = reusable(plan) if resume else {}
        folder = RunFolder(plan)
        started = clock()
        ledger = _Ledger(plan, folder, started)
        for key, found in earlier.items():
            ledger.take(key, found, on_event)
        try:
            ledger.write(RUNNING)
            _execute_rest(plan, folder, ledger, jobs, on_event, size_limit)
            result = ledger.result(clock())
            commit = git_commit(code) if code is not None else None
            seconds = {outcome.key: outcome.seconds for outcome in result.outcomes}
            write_json(folder.path / "lineage.json", lineage(plan, ledger.hashes, seconds, commit))
            write_json(folder.path / "facts.json", {"as_of": plan.as_of, "facts": list(result.facts)})
            if result.succeeded and render is not None:
                render(result)
        except BaseException as error:
            ledger.write(FAILED, clock(), f"{type(error).__name__}: {error}".removesuffix(": "))
            folder.close(succeeded=False)
            raise
        result = replace(result, finished_at=clock())
        ledger.write(SUCCEEDED if result.succeeded else FAILED, result.finished_at, result.problem)
        return _moved(result, folder.close(result.succeeded))


def _execute_rest(
    plan: RunPlan, folder: RunFolder, ledger: _Ledger, jobs: int | None, on_event: OnEvent | None, size_limit: int
) -> None:
    rest = [notebook for notebook in plan.notebooks if notebook.key not in ledger.outcomes]
    if not rest:
        return
    rest.sort(key=lambda notebook: notebook.key not in LONGEST)
    work = folder.path / "work"
    work.mkdir()
    try:
        for executed in execute(
            rest, work=work, time_limit=plan.book.time_limit, jobs=jobs, on_event=on_event, size_limit=size_limit
        ):
            ledger.add(executed)
    finally:
        shutil.rmtree(work, ignore_errors=True)  # a killed kernel may still be closing a file in it


class _Ledger:
    """What is known of a run so far, mirrored in run.json after every step."""

    def __init__(self, plan: RunPlan, folder: RunFolder, started: datetime) -> None:
        self.plan = plan
        self.folder = folder
        self.started = started
        self.outcomes: dict[str, NotebookOutcome] = {}
        self.hashes: dict[str, str] = {}
        self.facts: dict[str, list[dict[str, Any]]] = {}
        self.write(PLANNED)

    def add(self, executed: Executed) -> None:
        """Record an executed notebook."""
        path = None
        if executed.notebook is not None:
            path = self.folder.path / "notebooks" / f"{executed.plan.key}.ipynb"
            self.hashes[executed.plan.key] = self.folder.save_notebook(executed.plan.key, executed.notebook)
            self.facts[executed.plan.key] = facts_of(executed.notebook)
        self.folder.save_log(executed.plan.key, executed.log)
        self._settle(executed.plan, executed.verdict, path, executed.seconds, reused=False)

    def take(self, key: str, earlier: Reusable, on_event: OnEvent | None) -> None:
        """Record a notebook taken from an earlier run."""
        self.hashes[key], notebook = self.folder.take_notebook(key, earlier.content)
        self.facts[key] = facts_of(notebook)
        plan = next(notebook for notebook in self.plan.notebooks if notebook.key == key)
        verdict = Verdict(Cause.SUCCEEDED)
        self._settle(plan, verdict, self.folder.path / "notebooks" / f"{key}.ipynb", earlier.seconds, reused=True)
        if on_event is not None:
            on_event(RunEvent(key, "finished", verdict=verdict))

    def _settle(self, plan: NotebookPlan, verdict: Verdict, path: Path | None, seconds: float, reused: bool) -> None:
        outcome = NotebookOutcome(plan.key, plan.title, plan.run_key, verdict, path, round(seconds, 3), reused)
        self.outcomes[plan.key] = outcome
        self.write(RUNNING)

    def result(self, finished: datetime) -> RunResult:
        """The result as it stands, with the facts of all notebooks merged."""
        outcomes = tuple(self.outcomes[notebook.key] for notebook in self.plan.notebooks)
        shown = {outcome.key: self.facts.get(outcome.key, []) for outcome in outcomes if outcome.succeeded}
        try:
            facts, problem = merge_facts(shown), ""
        except FactsError as error:
            facts, problem = [], str(error)
        return RunResult(self.plan, self.folder.path, outcomes, tuple(facts), self.started, finished, problem)

    def write(self, status: str, finished: datetime | None = None, problem: str = "") -> None:
        """Write run.json as things stand."""
        record: Mapping[str, Any] = {
            "book": self.plan.book.book,
            "title": self.plan.book.title,
            "as_of": self.plan.as_of,
            "run_key": self.plan.run_key,
            "status": status,
            "problem": problem,
            "started_at": self.started.isoformat(),
            "finished_at": finished.isoformat() if finished else None,
            "notebooks": [self._entry(notebook) for notebook in self.plan.notebooks],
        }
        write_json(self.folder.path / "run.json", record)

    def _entry(self, notebook: NotebookPlan) -> dict[str, Any]:
        entry: dict[str, Any] = {"key": notebook.key, "run_key": notebook.run_key, "status": PLANNED}
        outcome = self.outcomes.get(notebook.key)
        if outcome is None:
            return entry
        return entry | {
            "status": SUCCEEDED if outcome.succeeded else FAILED,
            "cause": outcome.verdict.cause.value,
            "cell": outcome.verdict.cell,
            "line": outcome.verdict.line,
            "error": outcome.verdict.error,
            "notes": list(outcome.verdict.notes),
            "seconds": outcome.seconds,
            "reused": outcome.reused,
            "sha256": self.hashes.get(notebook.key),
        }


def _moved(result: RunResult, final: Path) -> RunResult:
    """The result with its paths under the folder's final name."""
    outcomes = tuple(
        outcome if outcome.path is None else replace(outcome, path=final / "notebooks" / outcome.path.name)
        for outcome in result.outcomes
    )
    return replace(result, folder=final, outcomes=outcomes)

"""The judgement on an executed notebook, on notebooks made by hand; and the record's small parts."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from workbench.errors import RunError
from workbench.runs import Cause, Verdict
from workbench.runs.execute import ENVIRONMENT_ALLOWED, child_environment
from workbench.runs.record import FactsError, lock, merge_facts, write_json
from workbench.runs.verify import CLOSING_MIME, EXHIBIT_MIME, Observed, facts_of, judge, without_closing

NONCE = "abc"


def executed() -> dict[str, Any]:
    """A notebook as papermill leaves it after success."""

    def cell(source: str, count: int, tags: list[str], outputs: list[dict[str, Any]]) -> dict[str, Any]:
        metadata = {"tags": tags, "papermill": {"status": "completed"}}
        return {
            "cell_type": "code", "id": f"id{count}", "metadata": metadata,
            "execution_count": count, "outputs": outputs, "source": source,
        }  # fmt: skip

    closing = {"output_type": "display_data", "data": {CLOSING_MIME: {"nonce": NONCE, "faults": []}}, "metadata": {}}
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"papermill": {"output_path": "executed.ipynb"}},
        "cells": [
            cell("top: int = 3", 1, ["parameters"], []),
            cell("# Parameters\ntop = 4\n", 2, ["injected-parameters"], []),
            cell("show()", 3, [], []),
            cell("await close()", 4, ["closing"], [closing]),
        ],
    }


def verdict(notebook: dict[str, Any] | None, **observed: Any) -> Verdict:
    return judge(notebook, nonce=NONCE, parameters={"top": 4}, observed=Observed(**observed))


def test_success_is_success() -> None:
    assert verdict(executed()) == Verdict(Cause.SUCCEEDED)


def test_a_cell_without_count_never_ran_whatever_papermill_marked() -> None:
    broken = executed()
    broken["cells"][2]["execution_count"] = None
    assert verdict(broken).cause is Cause.CELL_NOT_RUN
    broken["cells"][2]["source"] = "  \n"
    assert verdict(broken).succeeded, "an empty cell is never executed"


def test_a_missing_or_foreign_closing_report_is_no_success() -> None:
    without, foreign = executed(), executed()
    without["cells"].pop()
    foreign["cells"][3]["outputs"][0]["data"][CLOSING_MIME]["nonce"] = "guessed"
    assert verdict(without).cause is verdict(foreign).cause is Cause.NOT_CLOSED


@pytest.mark.parametrize("source", ["top = 3", "top = 4.0", "top = 4\nextra = 1", "x = 4"])
def test_other_parameters_than_planned_are_no_success(source: str) -> None:
    changed = executed()
    changed["cells"][1]["source"] = source
    assert verdict(changed).cause is Cause.PARAMETERS_DIFFER


def test_parameters_that_were_never_injected_are_no_success() -> None:
    missing = executed()
    del missing["cells"][1]
    assert verdict(missing).cause is Cause.PARAMETERS_DIFFER


def test_an_error_output_wins_over_everything_after_it() -> None:
    failed = executed()
    error = {"output_type": "error", "ename": "KeyError", "evalue": "\x1b[31m'close'\x1b[0m", "traceback": []}
    failed["cells"][2]["outputs"] = [error]
    assert verdict(failed, stopped_by="PapermillExecutionError") == Verdict(
        Cause.CELL_ERROR, 3, "show()", "KeyError: 'close'"
    )


@pytest.mark.parametrize(
    ("observed", "cause", "code"),
    [
        ({"killed_at_limit": True, "exit_code": -9}, Cause.TIMED_OUT, 5),
        ({"stopped_by": "CellTimeoutError", "cell": 2}, Cause.TIMED_OUT, 5),
        ({"stopped_by": "DeadKernelError", "cell": 2}, Cause.KERNEL_DIED, 4),
        ({"stopped_by": "RuntimeError", "message": "no kernel"}, Cause.KERNEL_DIED, 4),
        ({"stopped_by": "OversizedOutput"}, Cause.TOO_LARGE, 6),
        ({"exit_code": 1}, Cause.KERNEL_DIED, 4),
    ],
)
def test_what_the_runner_saw_from_outside_counts(observed: dict[str, Any], cause: Cause, code: int) -> None:
    assert verdict(executed(), **observed).cause is cause
    assert verdict(None, **observed).cause is cause
    assert cause.exit_code == code


def test_a_saved_notebook_over_the_limit_is_refused() -> None:
    found = judge(executed(), nonce=NONCE, parameters={"top": 4}, observed=Observed(), size=11, size_limit=10)
    assert found.cause is Cause.TOO_LARGE


def test_printed_text_is_noted_not_failed() -> None:
    printed = executed()
    printed["cells"][2]["outputs"] = [
        {"output_type": "stream", "name": "stdout", "text": ["a\n", "b\n"]},
        {"output_type": "display_data", "data": {"text/html": "<b>"}, "metadata": {}},
    ]
    assert verdict(printed).succeeded
    assert verdict(printed).notes == (
        "cell 3 wrote 2 lines to stdout; the book does not show them",
        "cell 3 shows text/html and no exhibit; the book does not show it",
    )


def test_the_kept_notebook_has_no_closing_cell_no_clock_and_no_path() -> None:
    before = executed()
    kept = without_closing(before, "id4")
    assert [cell["source"] for cell in kept["cells"]] == [cell["source"] for cell in before["cells"][:3]]
    assert "papermill" not in str(kept)
    assert before == executed(), "the argument is left as it was"


def fact(value: object, **more: object) -> dict[str, Any]:
    return {"id": "a.b", "value": value, "unit": "usd", "text": "t", "source": "s", "as_of": "2022-12-28", **more}


def test_facts_are_read_from_exhibits_alone() -> None:
    shown = executed()
    data = [{EXHIBIT_MIME: {"facts": [fact(1.0)]}}, {"text/plain": "x"}, {EXHIBIT_MIME: "hostile"}]
    shown["cells"][2]["outputs"] = [{"output_type": "display_data", "data": d, "metadata": {}} for d in data]
    assert facts_of(shown) == [fact(1.0)]


def test_equal_facts_merge_and_unequal_ones_conflict() -> None:
    merged = merge_facts({"memo": [fact(1.0), fact(1.0)], "drift": [fact(1.0, text="shown otherwise")]})
    assert merged == [fact(1.0) | {"chapters": ["memo", "drift"]}]
    for other in (fact(1.1), fact(1), fact(1.0, unit="bp"), fact(1.0, as_of="2022-12-27")):
        with pytest.raises(FactsError, match=r"'a\.b' has .* in chapter memo"):
            merge_facts({"memo": [fact(1.0)], "drift": [copy.deepcopy(other)]})


@pytest.mark.parametrize("broken", [fact(float("nan")), fact(None), fact([1]), fact(1.0, id=None)])
def test_a_malformed_fact_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(FactsError, match="chapter memo shows a fact"):
        merge_facts({"memo": [broken]})


def test_a_child_sees_only_what_is_allowed(tmp_path: Path) -> None:
    source = {"PATH": "/bin", "AWS_SECRET_ACCESS_KEY": "x", "PYTHONSTARTUP": "evil.py", "HTTP_PROXY": "p", "LANG": "C"}
    seen = child_environment(tmp_path, tmp_path, source)
    assert not set(seen) & {"AWS_SECRET_ACCESS_KEY", "PYTHONSTARTUP", "HTTP_PROXY"}
    assert (seen["PATH"], seen["LANG"], seen["PYTHONHASHSEED"], seen["OMP_NUM_THREADS"]) == ("/bin", "C", "0", "1")
    assert not any("KEY" in name or "TOKEN" in name for name in ENVIRONMENT_ALLOWED)


def test_json_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    write_json(path, {"status": "running"})
    with pytest.raises(ValueError, match="Out of range"):
        write_json(path, {"status": float("nan")})
    assert path.read_text() == '{\n  "status": "running"\n}\n'
    assert list(tmp_path.iterdir()) == [path]


def test_a_run_is_held_by_one_process_at_a_time(tmp_path: Path) -> None:
    with lock(tmp_path, "a"), lock(tmp_path, "b"):
        pass
    with lock(tmp_path, "a"), pytest.raises(RunError, match="under way"), lock(tmp_path, "a"):
        pass

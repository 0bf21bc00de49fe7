"""Plans and their run keys; policy."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workbench.errors import ParameterError, RunError
from workbench.runs import RunPlan
from workbench.runs.plan import code_hash
from workbench.runs.policy import check_policy

Make = Callable[..., RunPlan]


def keys(planned: RunPlan) -> list[str]:
    return [notebook.run_key for notebook in planned.notebooks]


def test_every_input_changes_the_run_key_and_nothing_else_does(make_plan: Make) -> None:
    cells = {"one": ["1"], "two": ["2"]}
    base = make_plan(cells)
    assert keys(make_plan(cells)) == keys(base)
    assert keys(make_plan(cells, firm_path=Path("elsewhere"))) == keys(base)
    assert keys(make_plan(cells, time_limit=5)) == keys(base)
    assert make_plan(cells).name == base.name == f"tiny-2022-12-28-{base.run_key[:10]}"
    for changed in (make_plan(cells, firm_hash="other"), make_plan(cells, lock="other")):
        assert not set(keys(changed)) & set(keys(base))
    code = make_plan({"one": ["1 + 0"], "two": ["2"]})
    assert (keys(code)[0] != keys(base)[0], keys(code)[1] == keys(base)[1]) == (True, True)
    parameter = make_plan(cells, parameters={"two": {"top": 4}})
    assert (keys(parameter)[0] == keys(base)[0], keys(parameter)[1] != keys(base)[1]) == (True, True)
    assert len({p.run_key for p in (base, code, parameter)}) == 3


def test_a_default_spelt_out_is_the_same_run(make_plan: Make) -> None:
    assert keys(make_plan({"one": []}, parameters={"one": {"top": 3}})) == keys(make_plan({"one": []}))


def test_outputs_and_counts_are_no_source(notebook: Callable[..., dict[str, Any]]) -> None:
    plain, executed = notebook(["1"]), notebook(["1"])
    executed["cells"][1] |= {"execution_count": 3, "outputs": [{"output_type": "stream"}], "source": ["1"]}
    executed["metadata"] = {"kernelspec": {"name": "other"}}
    assert code_hash(plain) == code_hash(executed)


def test_the_plan_sets_firm_and_day(make_plan: Make) -> None:
    (planned,) = make_plan({"one": []}).notebooks
    assert planned.parameters == {"firm": "demo", "as_of": "2022-12-28", "top": 3}
    with pytest.raises(ParameterError, match="set by the book"):
        make_plan({"one": []}, parameters={"one": {"as_of": "2021-01-04"}})


def test_a_misspelt_parameter_stops_the_plan(make_plan: Make) -> None:
    with pytest.raises(ParameterError, match="did you mean 'top'"):
        make_plan({"one": []}, parameters={"one": {"tpo": 3}})


def test_a_broken_or_missing_notebook_is_named(make_plan: Make, tmp_path: Path) -> None:
    planned = make_plan({"one": []})
    path = planned.notebooks[0].notebook
    from workbench.runs.plan import read_notebook

    path.write_text("{")
    with pytest.raises(ParameterError, match="not JSON"):
        read_notebook(path, "one")
    path.write_text("[]")
    with pytest.raises(ParameterError, match="no object"):
        read_notebook(path, "one")
    path.unlink()
    with pytest.raises(ParameterError, match=r"no file one\.ipynb"):
        read_notebook(path, "one")


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("!false", "not plain Python"),
        ("files = !ls", "not plain Python"),
        ("%%bash\nfalse", "not plain Python"),
        ("%time 1", "not plain Python"),
        ("1 +", "not plain Python"),
        ("get_ipython().system('false')", "get_ipython"),
        ("import os\nos.system('false')", r"os\.system"),
        ("exit()", "uses exit"),
        ("x = 1\nquit", "uses quit"),
    ],
)
def test_policy_refuses_what_cannot_be_verified(make_plan: Make, cell: str, words: str) -> None:
    with pytest.raises(RunError, match=f"cell 2 of notebook one .*{words}") as caught:
        make_plan({"one": [cell]})
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("cell", ["await thing()", "#| caption: x\n1", "text = '!false'", "", "a != b"])
def test_policy_lets_plain_python_pass(make_plan: Make, cell: str) -> None:
    make_plan({"one": [cell]})


@pytest.mark.parametrize("tag", ["raises-exception", "skip-execution", "injected-parameters"])
def test_policy_refuses_tags_that_hide(notebook: Callable[..., dict[str, Any]], tag: str) -> None:
    hidden = notebook(["1 / 0"])
    hidden["cells"][1]["metadata"]["tags"] = [tag]
    with pytest.raises(RunError, match="cell 2 of notebook one"):
        check_policy(json.loads(json.dumps(hidden)), "one")

"""A notebook's parameters: read without executing, checked strictly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import ParameterError
from workbench.runs import NotebookParameters, read_parameters

Make = Callable[..., dict[str, Any]]

CELL = '''\
"""What the chapter is of."""
firm: str = "demo"  # the firm's folder
as_of: str = "latest"  # the day
top: int = 3  # 1..50: how many accounts
share: float = 0.5  # 0..1: a fraction
flag: bool = True  # whether
keys: list[str] = ["a"]  # levels
weights: list[float] = [0.5, 0.5]  # 0..1
counts: list[int] = [1]
limit: float | None = None  # 0..10: none means no limit
since_date: str | None = None  # first day
offset: int = -2  # -5..5
'''


def declared(make: Make, cell: str = CELL) -> NotebookParameters:
    return read_parameters(make([], parameters=cell), "drift")


def test_the_cell_is_read_with_help_and_ranges(notebook: Make) -> None:
    found = {p.name: p for p in declared(notebook).parameters}
    assert (found["top"].annotation, found["top"].default, found["top"].help) == ("int", 3, "how many accounts")
    assert (found["top"].lower, found["top"].upper) == (1, 50)
    assert found["since_date"].is_date
    assert not found["firm"].is_date
    assert found["limit"].annotation == "float | None"
    assert found["counts"].help == ""


def test_given_values_stand_over_the_defaults_and_keep_their_type(notebook: Make) -> None:
    values = declared(notebook).validate({"top": 9, "limit": 2, "as_of": "2022-12-28", "keys": []})
    assert values["top"] == 9
    assert values["limit"] == 2.0
    assert values["share"] == 0.5
    assert values["keys"] == []


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"as_off": "2022-12-28"}, r"unknown parameter 'as_off' of notebook drift; did you mean 'as_of'\?"),
        ({"zzz": 1}, "known: as_of, counts"),
        ({"top": "250"}, "valid integer"),
        ({"top": True}, "valid integer"),
        ({"top": 2.0}, "valid integer"),
        ({"top": None}, "valid integer"),
        ({"top": 51}, "less than or equal to 50"),
        ({"top": 0}, "greater than or equal to 1"),
        ({"share": float("nan")}, "finite number"),
        ({"share": "0.5"}, "valid number"),
        ({"flag": 1}, "valid boolean"),
        ({"keys": "a"}, "valid list"),
        ({"keys": ("a",)}, "valid list"),
        ({"keys": ["a", 1]}, r"'keys'\[1\]"),
        ({"weights": [0.1, 2.0]}, r"'weights'\[1\]"),
        ({"limit": 11.0}, "less than or equal to 10"),
        ({"as_of": "28.12.2022"}, "write it as 2022-12-28"),
        ({"as_of": "20221228"}, "write it as 2022-12-28"),
        ({"since_date": "2022-02-30"}, "no date"),
        ({"firm": "a\nimport os"}, "control characters"),
        ({"firm": "x" * 3000}, "2,000 characters"),
        ({"firm\nimport os": 1}, r"unknown parameter 'firm\\nimport os'"),
        ({"__builtins__": 1}, "unknown parameter '__builtins__'"),
        ({"firm": "postgresql://me:hunter2@db/firm"}, "looks like a secret"),
        ({"firm": "AKIAABCDEFGHIJKLMNOP"}, "looks like a secret"),
        ({"keys": ["ghp_abcdefghijklmnopqrstuvwx"]}, "looks like a secret"),
    ],
)
def test_a_bad_value_is_named_with_its_notebook(notebook: Make, values: dict[str, Any], words: str) -> None:
    with pytest.raises(ParameterError, match=words) as caught:
        declared(notebook).validate(values)
    assert caught.value.exit_code == 2
    assert caught.value.parameter == next(iter(values))


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("top = 3", "not a parameter"),
        ("top: int", "not a parameter"),
        ("import os", "not a parameter"),
        ("top: int = len([])", "not a plain value"),
        ("top: int = '3'", "valid integer"),
        ("top: int = 99  # 1..50", "less than or equal"),
        ("top: dict = {}", "has type 'dict'"),
        ("top: list[dict] = []", r"has type 'list\[dict\]'"),
        ("top: int | str = 3", "has type"),
        ("name: str = 'a'  # 1..5: no number", "has a range but is no number"),
        ("api_key: str = ''", "looks like a secret"),
        ("db_password: str = ''", "looks like a secret"),
        ("__all__: list[str] = []", "plain name"),
        ("top: int = 3\ntop: int = 4", "twice"),
        ("report_date: str = 'soon-ish\\n'", "control characters"),
        ("top: int = (", "not Python"),
    ],
)
def test_a_bad_cell_is_refused(notebook: Make, cell: str, words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        declared(notebook, cell)


@pytest.mark.parametrize("name", ["bypass_check", "author", "keyboard", "tokenise"])
def test_harmless_names_are_no_secrets(notebook: Make, name: str) -> None:
    assert declared(notebook, f"{name}: int = 1").validate({name: 2}) == {name: 2}


def test_a_notebook_needs_exactly_one_parameters_cell(notebook: Make) -> None:
    none, two = notebook([]), notebook([])
    none["cells"] = []
    two["cells"] *= 2
    for broken in (none, two):
        with pytest.raises(ParameterError, match="exactly one"):
            read_parameters(broken, "drift")


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.text(max_size=5), max_size=3)
)


@given(values=st.dictionaries(st.sampled_from(["firm", "as_of", "top", "share", "flag", "keys", "x\n"]), VALUES))
def test_whatever_is_given_is_refused_or_kept_as_it_is(values: dict[str, Any]) -> None:
    source = {"cells": [{"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": CELL}]}
    declared_here = read_parameters(source, "drift")
    try:
        checked = declared_here.validate(values)
    except ParameterError as error:
        message = str(error)
    else:
        message = ""
        assert {name: checked[name] for name in values} == values
        assert all(type(checked[n]) is type(v) or isinstance(checked[n], float) for n, v in values.items())
    assert "\n" not in message


def test_a_text_with_choices_takes_nothing_else():
    cell = {
        "cell_type": "code",
        "metadata": {"tags": ["parameters"]},
        "source": 'level: str = "sector"  # one of sector, asset_class: the level shown',
    }
    parameters = read_parameters({"cells": [cell]}, "drift")
    assert parameters.parameters[0].choices == ("sector", "asset_class")
    assert parameters.parameters[0].help == "the level shown"
    assert parameters.validate({"level": "asset_class"}) == {"level": "asset_class"}
    with pytest.raises(ParameterError, match="unknown value 'sectr'; did you mean 'sector'"):
        parameters.validate({"level": "sectr"})

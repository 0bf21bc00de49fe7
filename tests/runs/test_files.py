"""Parameters that name a file beside the params file: read, hashed into the key, and nothing outside the folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from workbench.errors import ParameterError
from workbench.runs import Chapter, RunPlan, load_book, plan

CELL = 'firm: str = "demo"\nas_of: str = "latest"\nstresses: str = ""  # a file beside the params file: the stresses\n'
BOOK = """
book: tiny
title: Tiny
firm: demo
as_of: latest
chapters:
  - chapter: one
    parameters: {stresses: %s}
"""


@pytest.fixture
def planned(tmp_path: Path, notebook: Any) -> Any:
    """Plan a book whose chapter names a file."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "params").mkdir()
    (tmp_path / "lock").write_text("lock")
    (tmp_path / "notebooks" / "one.ipynb").write_text(json.dumps(notebook(["1"], CELL)))
    chapters = {"one": Chapter("one", "one.ipynb", "One")}

    def make(name: str) -> RunPlan:
        params = tmp_path / "params" / "tiny.yml"
        params.write_text(BOOK % json.dumps(name))
        return plan(
            load_book(params, chapters), firm_path=Path("demo"), firm_hash="firm", as_of="2022-12-28",
            notebooks=tmp_path / "notebooks", out=tmp_path / "out", lock=tmp_path / "lock", chapters=chapters,
        )  # fmt: skip

    return make


def test_the_notebook_gets_the_file_and_a_changed_file_is_another_run(planned: Any, tmp_path: Path) -> None:
    file = tmp_path / "params" / "stress.yml"
    file.write_text("one")
    (first,) = planned("stress.yml").notebooks
    assert first.parameters["stresses"] == str(file)
    file.write_text("two")
    (second,) = planned("stress.yml").notebooks
    assert second.run_key != first.run_key


def test_no_file_is_no_file(planned: Any) -> None:
    (one,) = planned("").notebooks
    assert one.parameters["stresses"] == ""


@pytest.mark.parametrize("name", ["../secret.yml", "/etc/passwd", "a/b.yml", "..", ".hidden", "a b.yml", "a\\b.yml"])
def test_only_a_plain_name_is_a_file(planned: Any, name: str) -> None:
    with pytest.raises(ParameterError, match="plain name"):
        planned(name)


def test_a_file_must_be_in_the_folder_itself(planned: Any, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="no such file"):
        planned("none.yml")
    outside = tmp_path / "outside.yml"
    outside.write_text("one")
    (tmp_path / "params" / "link.yml").symlink_to(outside)
    with pytest.raises(ParameterError, match="no such file"):
        planned("link.yml")
    (tmp_path / "params" / "folder.yml").mkdir()
    with pytest.raises(ParameterError, match="no such file"):
        planned("folder.yml")

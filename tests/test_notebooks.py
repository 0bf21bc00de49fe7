"""Notebooks stay thin, clean and runnable: policy by reading them, and every cell run with its defaults by nbval."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.runs import CHAPTERS, WORKSHEETS, read_parameters

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LONGEST_CELL = 14


def cells(path, kind):
    return [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == kind]


def source(cell):
    return "".join(cell["source"])


def test_every_chapter_has_its_notebook_and_no_notebook_is_forgotten():
    chapters = {chapter.notebook for chapter in CHAPTERS.values()}
    assert chapters.isdisjoint(WORKSHEETS)
    assert chapters.union(WORKSHEETS) == {path.name for path in NOTEBOOKS}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
class TestPolicy:
    def test_outputs_are_stripped(self, path):
        assert all(not cell["outputs"] and cell["execution_count"] is None for cell in cells(path, "code"))

    def test_parameters_come_first_typed_and_explained(self, path):
        first = cells(path, "code")[0]
        assert first["metadata"]["tags"] == ["parameters"]
        parameters = read_parameters(json.loads(path.read_text()), path.stem)
        assert {"firm", "as_of"} <= {parameter.name for parameter in parameters.parameters}
        assert all(parameter.help for parameter in parameters.parameters)

    def test_logic_lives_in_the_package(self, path):
        for cell in cells(path, "code"):
            tree = ast.parse(source(cell))
            assert len(source(cell).splitlines()) <= LONGEST_CELL
            assert not [
                node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda)
            ]
            for node in ast.walk(tree):
                if isinstance(node, ast.ImportFrom):
                    assert node.module.split(".")[0] == "workbench"
                assert not isinstance(node, ast.Import)

    def test_nothing_points_at_one_machine(self, path):
        text = path.read_text()
        assert "/home/" not in text
        assert "C:\\\\" not in text
        assert all(not source(cell).lstrip().startswith(("!", "%")) for cell in cells(path, "code"))


def test_every_notebook_runs_with_its_defaults():
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "-q", "-p", "no:cacheprovider", "--no-header"]
    run = subprocess.run([*command, *map(str, NOTEBOOKS)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-4000:]
    assert " passed" in run.stdout

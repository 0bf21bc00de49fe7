"""The laws of the house: which room may import which, a cheap `import workbench`, one set of versions."""

import ast
import importlib
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "workbench"

#: What figures come from.
ANALYTICS = {
    "firm", "market", "drift", "tax", "rebalance", "performance", "attribution", "risk", "backtest", "learning",
}  # fmt: skip
#: Each room and the rooms it may import; a room not named here may be imported by nobody.
MAY_IMPORT = {
    "errors": set(),
    "firm": {"errors"},
    "market": {"errors", "firm"},
    "drift": {"errors", "firm", "market"},
    "parallel": {"errors"},
    "tax": {"errors", "firm"},
    "canonical": {"errors"},
    "names": {"errors"},
    "rebalance": {"errors", "canonical", "firm", "market", "drift", "tax", "parallel"},
    "performance": {"errors", "firm", "market", "parallel"},
    "attribution": {"errors", "firm", "market", "parallel", "performance"},
    "risk": {"errors", "firm", "market", "parallel", "performance"},
    "backtest": {"errors", "firm", "market", "parallel", "tax", "rebalance"},
    "compliance": {"errors", "canonical", "firm", "tax", "rebalance"},
    "governance": {"errors", "canonical", "names"},
    "learning": {"errors", "canonical", "names", "firm", "market", "parallel", "backtest"},
    "vendors": {"errors"},
    "runs": {"errors", "canonical", "firm"},
    "report": {"errors", "parallel"},
    "drafting": {"errors", "canonical", "names", "report"} | ANALYTICS,
    "exhibits": {"errors", "compliance", "governance", "drafting", "report"} | ANALYTICS,
    "papers": {"errors", "canonical", "drafting", "exhibits", "report"} | ANALYTICS,
    "copilot": {"errors", "drafting", "exhibits", "report"} | ANALYTICS,
    "releases": {"errors", "firm", "governance", "drafting", "papers"},
    "signals": {
        "errors",
        "releases",
        "canonical",
        "firm",
        "rebalance",
        "exhibits",
        "report",
        "compliance",
        "governance",
        "drafting",
        "papers",
    },
    "desk": {
        "errors",
        "releases",
        "canonical",
        "rebalance",
        "compliance",
        "governance",
        "exhibits",
        "report",
        "signals",
        "drafting",
        "papers",
        "copilot",
    },
    "decisions": {
        "errors",
        "releases",
        "firm",
        "market",
        "rebalance",
        "compliance",
        "governance",
        "signals",
        "desk",
        "exhibits",
        "drafting",
        "papers",
        "copilot",
    },
    "publish": {"errors", "firm", "runs", "report"},
    "proposals": {"errors", "firm", "rebalance", "exhibits", "report"},
    "tearsheets": {"errors", "firm", "performance", "exhibits", "vendors"},
    "policies": {"errors", "firm", "backtest", "learning", "exhibits", "report"},
    "diagnosis": {"errors", "firm", "market"},
    "progress": {"errors", "runs"},
    "cli": {
        "errors",
        "firm",
        "market",
        "publish",
        "proposals",
        "tearsheets",
        "policies",
        "decisions",
        "papers",
        "copilot",
        "diagnosis",
        "progress",
    },
}
HEAVY = {"pandas", "numpy", "plotly", "sklearn", "skfolio", "papermill", "weasyprint", "numba", "exchange_calendars"}
HEAVY |= {"sqlalchemy", "alembic", "fastapi", "argon2", "authlib"}


def room_of(path):
    part = path.relative_to(SOURCE).parts[0]
    return part.removesuffix(".py")


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ([f"workbench.{a.name}" for a in node.names] if node.module == "workbench" else [node.module])


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_run_downwards(path):
    room = room_of(path)
    if room == "__init__":
        return
    for name in imports(path):
        if name.startswith("workbench."):
            other = name.split(".")[1]
            if other.startswith("__"):
                continue
            assert other == room or other in MAY_IMPORT[room], f"{room} may not import {other}"


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, json, workbench, workbench.cli; print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(subprocess.check_output([sys.executable, "-c", code], text=True))
    assert not HEAVY & set(loaded)


@pytest.mark.parametrize("room", [*sorted(path.parent.name for path in SOURCE.glob("*/__init__.py"))])
def test_a_room_says_what_may_be_used(room):
    tree = ast.parse((SOURCE / room / "__init__.py").read_text())
    names = [node for node in tree.body if isinstance(node, ast.Assign) and node.targets[0].id == "__all__"]
    assert ast.get_docstring(tree)
    assert names, f"{room} has no __all__"


@pytest.mark.parametrize("room", ["copilot", "drafting", "papers"])
def test_every_name_of_a_room_is_there(room):
    """Names loaded when they are asked for are asked for here."""
    entered = importlib.import_module(f"workbench.{room}")
    assert [name for name in entered.__all__ if not hasattr(entered, name)] == []
    with pytest.raises(AttributeError):
        entered.nothing_of_the_kind  # noqa: B018


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
def test_every_module_opens_with_a_sentence(path):
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    assert docstring
    assert docstring.split("\n\n")[0].strip().endswith((".", ":", "?"))


def locked():
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pairs = [re.match(r"([A-Za-z0-9_.-]+)==([^ ;]+)", line) for line in lines if line and not line.startswith("#")]
    return {match[1].lower(): match[2] for match in pairs}


def test_conda_environment_has_the_versions_of_the_lock():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    (pip,) = [part["pip"] for part in environment["dependencies"] if isinstance(part, dict)]
    pinned = dict(line.split("==") for line in pip if "==" in line)
    assert pinned
    assert all(locked()[name] == version for name, version in pinned.items())


def test_conda_environment_has_the_extras_of_the_lab():
    """All but torch's, which stand in it by themselves."""
    (here,) = re.findall(r"--editable \.\[([a-z,]+)\]", (ROOT / "environment.yml").read_text())
    (lab,) = re.findall(r"^LAB_EXTRAS := (.+)$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert set(here.split(",")) == set(lab.split(",")) - {"rl"}


def test_the_lock_pins_every_declared_dependency_and_keeps_its_promises():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = project["dependencies"] + [line for extra in project["optional-dependencies"].values() for line in extra]
    names = {re.match(r"[A-Za-z0-9_-]+", line)[0].lower() for line in declared}
    assert names <= set(locked())
    assert locked()["torch"] == "2.13.0"
    assert tuple(map(int, locked()["jsonschema"].split(".")[:2])) < (4, 25)
    report = project["optional-dependencies"]["report"] + project["optional-dependencies"]["demo"]
    assert not [line for line in report if line.startswith("torch")]

"""What README and docs name is there: files, commands, modules of benchmarks."""

import re
from pathlib import Path

import pytest

from workbench.cli import main

ROOT = Path(__file__).parents[1]
PAGES = sorted([*(ROOT / "docs").glob("*.md"), ROOT / "README.md"])
_FILE = re.compile(r"`((?:[a-z_0-9]+/)+[a-z_0-9*]+\.(?:py|yml|md|ipynb))")
_BENCHMARK = re.compile(r"python -m (benchmarks\.[a-z_0-9.]+)|python (benchmarks/[a-z_0-9/]+)\.py")
_COMMAND = re.compile(r"^ {4}workbench ([a-z-]+)(?: ([a-z][a-z-]*))?", flags=re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_and_benchmarks_that_a_page_names_are_there(page):
    text = page.read_text(encoding="utf-8")
    places = (ROOT, ROOT / "src", ROOT / "src" / "workbench")
    missing = [name for name in _FILE.findall(text) if not any(list(place.glob(name)) for place in places)]
    modules = [(module or path).replace(".", "/") for module, path in _BENCHMARK.findall(text)]
    missing += [module for module in modules if not (ROOT / f"{module}.py").exists() and not (ROOT / module).is_dir()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_that_a_page_gives_are_there(page):
    for name, own in _COMMAND.findall(page.read_text(encoding="utf-8")):
        command = main.commands.get(name)
        assert command is not None, f"workbench {name}"
        if own and hasattr(command, "commands"):
            assert own in command.commands, f"workbench {name} {own}"

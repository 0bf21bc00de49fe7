"""What pages say can be typed: Python about decisions runs, every command on any page is there with its options."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from tests.governance import cases
from workbench.cli import main
from workbench.errors import AccessError
from workbench.firm.demo import build_firm
from workbench.governance import open_store

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
#: A command at the beginning of a line of code, or between backticks; an example of a timer has a path before it.
COMMAND = re.compile(r"(?:^ {4}(?:.*/)?|^\$ |^|`)workbench ([a-z][^`\n]*)", re.MULTILINE)


def run(page: str, **given: object) -> dict[str, object]:
    """Run the first Python on a page with names that it takes as given; return all names it leaves."""
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    code = re.findall(r"```python\n(.*?)```", text, re.DOTALL)[0]
    for old, new in given.pop("instead", {}).items():  # type: ignore[attr-defined]
        code = code.replace(old, new)
    exec(compile(code, page, "exec"), given)
    return given


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to work in: where pages say `decisions.db`, it lies there."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_signal_goes_from_submitted_to_released(here, capsys):
    store = open_store("sqlite:///decisions.db")
    cases.staff(store)
    receipt = cases.checked(store)
    shown = {"signal_id": receipt.object_id, "version": receipt.version, "sheet_hash": receipt.sheet_hash}
    assert run("governance", **shown)["receipt"].state == "released"
    assert capsys.readouterr().out.startswith("released ")


def test_nobody_gives_a_role_to_themselves(here):
    given: dict[str, object] = {"password": "a long walk along the sea"}
    with pytest.raises(AccessError) as refused:
        run("access", **given)
    assert refused.value.rule == "role"


def test_a_trail_is_signed_and_verified(here, capsys):
    (here / "elsewhere").mkdir()
    store = open_store("sqlite:///decisions.db")
    cases.staff(store)
    cases.released(store)
    found = run("audit", instead={"/secure": str(here), "/mnt/elsewhere": str(here / "elsewhere")})
    found["store"].checkpoints.take("2022-12-28T15:00:00.000000Z")
    assert "records and 0 checkpoints were read" in capsys.readouterr().out


def test_a_firm_is_checked_against_the_house_rules(tmp_path):
    build_firm(tmp_path / "firm", seed=7, as_of="2022-12-28", accounts=25)
    found = run("compliance", instead={'"demo"': repr(str(tmp_path / "firm"))})["found"]
    assert found.findings(0, passed=True)


def test_the_desk_is_made(here):
    assert run("desk")["app"].title == "Release desk"


def commands() -> list[tuple[str, str]]:
    """Every command on the pages, with the page it is on."""
    texts = ((page.name, page.read_text(encoding="utf-8").replace("\\\n", " ")) for page in PAGES)
    return [(name, said) for name, text in texts for said in COMMAND.findall(text)]


def test_commands_are_found_on_the_pages():
    assert len({said.split()[0] for _, said in commands()}) > 8


@pytest.mark.parametrize(("page", "said"), commands())
def test_every_command_on_a_page_is_there_with_its_options(page, said):
    words = shlex.split(said, comments=True)
    command: click.Command = main
    while words and isinstance(command, click.Group):
        found = command.get_command(click.Context(command), words[0])
        if found is None:
            break
        command, words = found, words[1:]
    runs_alone = not isinstance(command, click.Group) or command.invoke_without_command
    assert command is not main, f"{page}: there is no `workbench {said}`"
    assert runs_alone or not words, f"{page}: there is no `workbench {said}`"
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    asked = {word.partition("=")[0] for word in words if word.startswith("--")}
    assert asked <= known | {"--help"}, f"{page}: `workbench {said}` has no {', '.join(sorted(asked - known))}"

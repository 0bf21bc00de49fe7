"""The example on the rebalancing page runs on a firm, and its tables name every setting and mode with its default."""

import re
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest

from workbench.firm.locate import locate
from workbench.rebalance import Settings
from workbench.rebalance.settings import Mode

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "rebalance.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `(\w+)` \| (.+?) \|", PAGE, flags=re.MULTILINE))


def test_the_pages_example_runs(capsys):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    code = code.replace("path/to/firm", str(locate("demo")))
    names: dict[str, object] = {}
    exec(compile(code, "rebalance.md", "exec"), names)
    assert len(capsys.readouterr().out.splitlines()) == len(names["proposal"].trades) > 0


@pytest.mark.parametrize("field", fields(Settings), ids=lambda field: field.name)
def test_every_setting_stands_on_the_page_with_its_default(field):
    shown = ROWS[field.name].strip("`")
    if field.name == "location_costs":
        assert shown == "ten classes"
        assert len(field.default) == 10
    elif field.name == "kept_apart":
        assert (shown,) == field.default
    elif field.default is None or isinstance(field.default, bool | str):
        assert shown == ("none" if field.default is None else str(field.default).lower())
    else:
        assert float(shown) == field.default


def test_every_mode_stands_on_the_page():
    assert set(get_args(Mode)) <= set(ROWS)


def test_every_page_is_linked_from_the_architecture():
    linked = set(re.findall(r"\((\w+\.md)\)", (DOCS / "architecture.md").read_text(encoding="utf-8")))
    assert linked == {page.name for page in DOCS.glob("*.md")} - {"architecture.md"}

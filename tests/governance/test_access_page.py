"""The page on access shows the table that the program asks."""

from __future__ import annotations

from pathlib import Path

from workbench.governance.access_table import markdown

PAGE = Path(__file__).parents[2] / "docs" / "access.md"


def test_the_table_on_the_page_is_the_programs():
    shown = PAGE.read_text().split("<!-- table -->\n")[1].split("\n<!-- end of table -->")[0]
    assert shown == markdown(), "put what access_table.markdown() returns between the marks"

"""The page that documents the tables names every one of their columns."""

from pathlib import Path

import pytest

from workbench.firm import TABLES

PAGE = Path(__file__).parents[2] / "docs" / "firm.md"


@pytest.mark.parametrize("name", TABLES)
def test_every_column_is_documented(name):
    (row,) = [line for line in PAGE.read_text().splitlines() if line.startswith((f"| {name} |", f"| {name} ("))]
    words = set(row.replace("*", " ").replace(",", " ").replace(";", " ").replace(":", " ").split())
    assert set(TABLES[name].columns) <= words
    assert TABLES[name].optional == ("(optional)" in row)
    assert all(f"**{key}**" in row for key in TABLES[name].key)

"""The example of the page runs, and its comments say what comes out."""

import re
from pathlib import Path

import pandas as pd
import pytest

from workbench import tax

PAGE = (Path(__file__).parents[2] / "docs" / "tax.md").read_text()


def test_the_example_says_what_it_gives():
    names = {}
    exec(re.search(r"```python\n(.*?)```", PAGE, re.S)[1], names)  # the project's own page
    washed = names["washed"]
    totals = washed.blocks[["gain", "disallowed", "permanent", "deductible"]].sum()
    assert totals.tolist() == pytest.approx([-2_000, 1_400, 400, 600])
    lots = washed.open_lots.set_index("lot_id")
    assert lots["basis"].to_dict() == pytest.approx({"B": 15_100, "C": 5_700})
    assert lots.loc["B", "holding_start"] == pd.Timestamp("2025-01-21")
    assert names["tax"].net(short=-4_000, long=1_000).deduction == 3_000


def test_every_function_of_the_room_is_on_the_page():
    functions = [name for name in tax.__all__ if name[0].islower()]
    missing = [name for name in functions if f"`{name}`" not in PAGE]
    assert missing == []

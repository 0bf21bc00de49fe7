"""The code on the pages about decisions and measures runs, and the list of movable limits fits the house's rulebook."""

import re
from pathlib import Path

import pytest

from tests.governance.lessons.histories import history
from workbench.compliance import Rulebook
from workbench.governance.lessons.rulebook_text import read_movable
from workbench.governance.lessons.thresholds import propose_limits

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("page", ["learning_from_people", "measures"])
def test_the_code_on_the_page_runs(page, capsys):
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / f"{page}.md").read_text(), re.DOTALL)
    exec(compile(code, page, "exec"), {})
    said = capsys.readouterr().out
    assert ("limit: 0.155" in said) if page == "learning_from_people" else ("turnaround" in said)


def test_the_example_of_movable_limits_fits_the_house_rulebook():
    movable = read_movable(ROOT / "params" / "movable_limits.yml")
    review = propose_limits(history(), Rulebook.default().text, movable)
    assert len(review.tested) == len(movable) > 0

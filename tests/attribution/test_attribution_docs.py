"""The code on the attribution page runs as it stands and gives the figures it shows."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "attribution.md"


def test_the_pages_example_gives_the_pages_figures():
    text = PAGE.read_text()
    (code,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(code, str(PAGE), "exec"), names)
    year = names["year"]
    frame = year.to_frame().set_index("group")
    for country in names["countries"]:
        (row,) = re.findall(rf"^\| {country} \|(.*)\|$", text, flags=re.MULTILINE)
        shown = [float(cell) for cell in row.split("|")]
        found = frame.loc[country, ["allocation", "selection", "interaction", "total"]] * 100
        assert shown == pytest.approx(found.tolist(), abs=0.005)
    (shown,) = re.findall(r"returned (\S+) % and the benchmark (\S+) %, an excess of (\S+) %", text)
    found = [year.portfolio[0], year.benchmark[0], year.excess[0]]
    assert [float(cell) / 100 for cell in shown] == pytest.approx(found, abs=5e-5)
    assert year.effect("allocation").sum() == pytest.approx(0.0119, abs=5e-5)
    assert names["added"].contributions.sum() == pytest.approx(year.portfolio[0])
    levels = names["tree"].by_level().iloc[0]
    assert levels[["allocation: region", "allocation: country", "selection", "interaction"]].sum() == pytest.approx(
        year.excess[0]
    )

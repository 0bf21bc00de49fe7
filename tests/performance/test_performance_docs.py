"""The code on the performance page runs as it stands and gives the figures it shows."""

import re
from pathlib import Path

import numpy as np
import pytest

TEXT = (Path(__file__).parents[2] / "docs" / "performance.md").read_text()


@pytest.fixture(scope="module")
def names() -> dict:
    """What the page's code leaves behind."""
    found: dict = {}
    for number, code in enumerate(re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)):
        exec(compile(code, f"performance.md, block {number + 1}", "exec"), found)
    return found


def test_the_record_is_the_pages(names):
    for year, row in names["record"].yearly.iterrows():
        (line,) = re.findall(rf"^\| {year}(?:, [^|]*)? \|(.*)\|$", TEXT, flags=re.MULTILINE)
        cells = [cell.strip() for cell in line.split("|")]
        for name, cell in zip(("gross", "net", "risk", "portfolios", "dispersion", "firm_share"), cells, strict=True):
            if not re.match(r"[-\d]", cell):
                assert names["record"].reasons.loc[year, name]
            elif cell.endswith("%"):
                assert float(cell.split()[0]) / 100 == pytest.approx(
                    row[name], abs=6e-4 if name in ("risk", "firm_share") else 5.1e-5
                )
            else:
                assert int(cell) == row[name]


def test_the_ledgers_parts_are_the_pages_and_sum_to_the_change(names):
    year = names["year"]
    before, after = (float(year.account_value[:, at].sum()) for at in (0, -1))
    (shown,) = re.findall(r"in 2022: ([\d,]+) dollars became ([\d,]+)\.", TEXT)
    assert [int(figure.replace(",", "")) for figure in shown] == [round(before), round(after)]
    parts = {}
    for part in ("holding", "trading", "flow", "fee", "unexplained"):
        (figure,) = re.findall(rf"^\| {part} \| ([-\d,]+) \|", TEXT, flags=re.MULTILINE)
        parts[part] = int(figure.replace(",", ""))
        assert parts[part] == round(float(getattr(year, part).sum()))
    assert before + sum(parts.values()) == pytest.approx(after, abs=3)
    np.testing.assert_allclose(names["after"], year.account_value[:, 1:], atol=1e-6)
    assert names["earned"].sum() == pytest.approx(parts["holding"], abs=1)
    assert len(names["doubts"]) == 0


def test_the_two_year_example_has_both_returns(names):
    performance = names["performance"]
    assert performance.modified_dietz(100, 300, [50], [0.5]) == pytest.approx(1.20)
    rate = performance.money_weighted([-100, -50, 300])
    assert (rate.annual, rate.holding_period) == pytest.approx((0.5, 1.25))

"""The code on the risk page runs as it stands and gives the figures it shows."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "risk.md"


def test_the_pages_example_gives_the_pages_figures():
    text = PAGE.read_text()
    whole, small = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(whole, str(PAGE), "exec"), names)
    exec(compile(small, str(PAGE), "exec"), names)
    seen, split = names["seen"], names["split"]
    shown = re.findall(r"volatility of (\S+) % a year, (\S+) % of it from US equity", text)[0]
    found = [seen.total.volatility[0], seen.total.by(seen.securities("asset_class"))["US equity"].iloc[0]]
    assert [float(cell) for cell in shown] == pytest.approx([100 * found[0], 100 * found[1] / found[0]], abs=0.5)
    (tracking,) = re.findall(r"tracking error of (\S+) %", text)
    assert float(tracking) / 100 == pytest.approx(seen.active.volatility[0], abs=5e-5)
    (loss,) = re.findall(r"would have lost (\S+) %\.", text)
    assert float(loss) / 100 == pytest.approx(-seen.stress.of("crisis_2008").iloc[0], abs=5e-4)
    cells = re.findall(
        r"Volatility is (\S+) %: (\S+) % from A and (\S+) % from B; or (\S+) % from the market and (\S+) %", text
    )
    parts = [split.volatility[0], *split.contribution[0], split.factor_contribution[0, 0], split.specific[0]]
    assert [float(cell) / 100 for cell in cells[0]] == pytest.approx(parts, abs=5e-4)

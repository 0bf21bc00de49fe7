"""The example on the overlay page runs as it stands and says what the page says."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "overlay.md"


def test_the_pages_example_runs():
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(code, str(PAGE), "exec"), names)
    net, market, shared = names["net"], names["market"], names["shared"]
    assert net.sleeves[["desired", "crossed", "to_market"]].to_numpy().tolist() == [[10, 5, 5], [5, 2, 3], [-7, -7, 0]]
    assert list(zip(market["side"], market["shares"])) == [("buy", 40.0), ("sell", 5.0)]
    assert dict(zip(shared["account_id"], shared["allocated"])) == {"A1": 5.0, "B1": 13.0, "C1": 7.0, "D1": 0.0}
    assert round(shared["price"].iloc[0], 10) == 150.02

"""The code on the drift page runs as it stands."""

import re
from pathlib import Path

from workbench.firm import open_firm
from workbench.firm.demo import build_firm

PAGE = Path(__file__).parents[2] / "docs" / "drift.md"


def test_the_pages_example_runs(tmp_path, monkeypatch):
    built = build_firm(tmp_path / "firm", accounts=30)
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    monkeypatch.setattr("workbench.firm.open_at", lambda name: open_firm(tmp_path / "firm"))
    names: dict[str, object] = {}
    exec(compile(code, str(PAGE), "exec"), names)
    assert list(names["named"]["account_id"]) == list(names["causes"].inputs.accounts["account_id"])
    assert names["firm"].content_hash == built.content_hash

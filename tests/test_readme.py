"""The README's Python runs as it stands, on a smaller firm."""

import re
from pathlib import Path

from workbench.firm.demo import build_firm

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
CODE = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


def test_the_code_runs_and_gives_every_account_its_rows(tmp_path):
    build_firm(tmp_path / "firm", seed=7, as_of="2022-12-28", accounts=24)
    code = next(code for code in CODE if "performance.load" in code)
    names: dict[str, object] = {}
    exec(code.replace('"demo"', repr(str(tmp_path / "firm"))), names)
    frame = names["rows"].to_frame()
    assert len(frame) == len(names["returns"].account_ids) - len(names["rows"].no_data)
    assert frame["unreconciled"].abs().max() < 1e-10


def test_the_code_on_policies_runs_and_gives_every_start_its_cost():
    code = next(code for code in CODE if "simulate(" in code)
    names: dict[str, object] = {}
    exec(code.replace("simulate(sectors", "found = simulate(sectors"), names)
    statistics = names["found"]
    assert len(statistics) == (21 + 1 + 21) * 2
    assert statistics["total_bp"].notna().all()


def test_the_code_on_drafts_runs_and_an_invented_figure_is_found():
    code = next(code for code in CODE if "client.drafts" in code)
    names: dict[str, object] = {}
    exec(code, names)
    assert names["letter"].report.supported
    assert [fault.text for fault in names["edited"].report.faults] == ["$99,999,999"]

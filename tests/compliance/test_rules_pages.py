"""The pages on rules say what the rulebook says, and their examples run."""

from __future__ import annotations

import re
from pathlib import Path

from workbench.compliance.rulebook import Rulebook
from workbench.compliance.rules_page import rules_page

DOCS = Path(__file__).parents[2] / "docs"
RULES = Rulebook.default()


def test_the_page_of_rules_is_written_from_the_rulebook() -> None:
    written = (DOCS / "compliance_rules.md").read_text(encoding="utf-8").partition("\n---\n\n")[2]
    assert written == rules_page(RULES), "write it again: python -m workbench.compliance.rules_page"


def test_every_rule_says_what_it_asks_where_it_is_from_and_its_limits() -> None:
    page = rules_page(RULES)
    sections = re.split(r"(?m)^### ", page)[1:]
    assert [section.split("\n", 1)[0] for section in sections] == [rule.rule_id for rule in RULES]
    for rule, section in zip(RULES, sections, strict=True):
        asks = re.search(r"- \*Asks\*: (.+)", section)
        assert asks, rule.rule_id
        assert asks[1].endswith("."), rule.rule_id
        assert rule.citation in section
        assert all(f"`{name}`" in section for name in rule.parameters), rule.rule_id


def test_the_example_on_the_page_of_rules_runs() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (DOCS / "compliance_rules.md").read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(code, "compliance_rules.md", "exec"), names)
    assert names["allowed"] == [0.35, 0.60, 0.80, 0.95, 1.0]
    ids = {rule.rule_id for rule in names["before"]}  # type: ignore[attr-defined]
    assert {rule.rule_id for rule in RULES} - ids == {"sustainability"}


def test_the_example_on_the_page_of_changes_runs(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (DOCS / "rule_changes.md").read_text(encoding="utf-8"), re.DOTALL)
    # A smaller firm than the page's: what is tested is that the lines run.
    code = code.replace("build_firm(folder)", "build_firm(folder, accounts=25)")
    names: dict[str, object] = {"folder": tmp_path / "firm"}
    exec(compile(code, "rule_changes.md", "exec"), names)
    report = names["report"]
    assert set(report.counts()["rule_id"]) == {"profile_age"}  # type: ignore[attr-defined]
    assert "profile\\_age" in report.markdown()  # type: ignore[attr-defined]

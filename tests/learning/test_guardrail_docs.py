"""The pages on registry and guardrails: their example runs, and what they name exists."""

import re
from pathlib import Path

import pytest

from workbench import learning
from workbench.learning import folder as files
from workbench.learning.guardrails import Limits
from workbench.learning.rolling import RollingRules
from workbench.policies import policy

DOCS = Path(__file__).parents[2] / "docs"


def test_the_first_example_of_the_guardrails_runs(capsys):
    text = (DOCS / "guardrails.md").read_text()
    example = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)[0]
    exec(compile(example, "guardrails.md", "exec"), {})
    assert "of the account, more than 1.0%" in capsys.readouterr().out


def test_every_command_is_on_the_page_and_nothing_else():
    text = (DOCS / "policy_registry.md").read_text()
    assert set(re.findall(r"workbench policy (\w+)", text)) == set(policy.commands)


def test_every_file_of_a_folder_is_on_the_page():
    text = (DOCS / "policy_registry.md").read_text()
    for name in (*files.HASHED, files.MANIFEST, files.APPROVAL):
        assert name in text


@pytest.mark.parametrize("page", ["policy_registry.md", "guardrails.md"])
def test_every_function_named_exists(page):
    text = (DOCS / page).read_text()
    for module, name in re.findall(r"\b(explain|importance|surrogate|rolling|shadow|registry)\.([a-z_]+)\(", text):
        assert hasattr(getattr(learning, module), name), f"{module}.{name}"


def test_the_limits_on_the_page_are_those_in_force():
    text = (DOCS / "guardrails.md").read_text()
    limits, rules = Limits(), RollingRules()
    assert f"more than {limits.stale_days} days before today" in text
    assert f"the cap ({limits.turnover:.0%}".replace("%", " %") in text
    assert f"fewer than {rules.windows} windows" in text
    assert f"gains in {rules.wins * 100:.0f} % of windows" in text
    assert f"at {rules.interventions * 100:.0f} % of looks at most" in text
    assert f"more than {rules.retire_interventions * 100:.0f} % of looks" in text

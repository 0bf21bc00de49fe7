"""The pages on registry and guardrails: their example runs, and what they name exists."""

import re
from pathlib import Path

import pytest

from workbench import learning
from workbench.backtest import Runs, gbm, signals, simulate
from workbench.learning import folder as files
from workbench.learning import registry
from workbench.learning.guardrails import Guarded, Limits
from workbench.learning.rolling import RollingRules
from workbench.policies import policy

DOCS = Path(__file__).parents[2] / "docs"


def examples():
    return re.findall(r"```python\n(.*?)```", (DOCS / "guardrails.md").read_text(), flags=re.DOTALL)


def test_the_first_example_of_the_guardrails_runs(capsys):
    exec(compile(examples()[0], "guardrails.md", "exec"), {})
    assert "of the account, more than 1.0%" in capsys.readouterr().out


def test_the_examples_of_shadow_mode_and_its_review_run(folder, tmp_path, capsys):
    _, watched, reviewed = examples()
    before, after = watched.split("found = ")
    names = {"read": registry.load(folder), "path": tmp_path / "log", "clock": None, "Guarded": Guarded}
    exec(compile(before, "guardrails.md", "exec"), names)
    universe = gbm([0.08, 0.04], [[0.03, 0.002], [0.002, 0.004]], [0.6, 0.4], paths=1, sessions=900, seed=1)
    simulate(universe, signals(universe), Runs.product([names["guarded"]]))
    exec(compile(f"found = {after}{reviewed}", "guardrails.md", "exec"), names)
    assert "the policy would have acted differently" in capsys.readouterr().out
    assert names["decided"].decision in ("promote", "keep", "retire")


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

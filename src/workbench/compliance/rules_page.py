"""The page of rules: what each one asks, where it comes from, what it reads, its limits - written from the rulebook.

python -m workbench.compliance.rules_page        # the part of docs/compliance_rules.md that follows its introduction
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from workbench.compliance.checks import CHECKS
from workbench.compliance.rule import Rule
from workbench.compliance.rulebook import Rulebook


def rules_page(rulebook: Rulebook) -> str:
    """Return one section a rule in Markdown, in the order of the rulebook."""
    return "\n".join(line for rule in rulebook for line in _section(rule)) + "\n"


def _section(rule: Rule) -> Iterator[str]:
    check = CHECKS[rule.check]
    yield f"### {rule.rule_id}"
    yield ""
    yield f"**{rule.title}.** Version {rule.version}, in force from {rule.since.isoformat()}. {_failing(rule)}"
    yield ""
    yield f"- *Asks*: {' '.join(inspect.cleandoc(check.judge.__doc__ or '').split())}"
    yield f"- *Source*: {rule.citation}"
    yield f"- *Reads*: {', '.join(sorted(check.reads)) or 'the proposal alone'}"
    limits = [f"`{name}` {_said(value)}" for name, value in rule.parameters.items()]
    yield f"- *Limits* ({rule.unit}): {'; '.join(limits) or 'none to set'}"
    yield ""


def _failing(rule: Rule) -> str:
    beyond = "Beyond it, the proposal is blocked" if rule.failing == "block" else "Beyond it, a person is warned"
    override = "compliance may let it stand" if rule.overridable else "nobody may override it"
    if rule.overridable_missing:
        override += ", also where it cannot be checked"
    worse = " A breach that the trades do not make worse warns." if rule.worsening_only else ""
    return f"{beyond}; {override}.{worse}"


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_said(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_said(item) for item in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:,g}" if isinstance(value, int | float) else str(value)


if __name__ == "__main__":
    print(rules_page(Rulebook.default()), end="")

"""A pre-flight as its page shows it: what stands in the way first, each rule with its figure, limit, law and inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.compliance.document import Finding as Found
from workbench.compliance.document import read_document
from workbench.governance.reading.signal import Finding
from workbench.report import format as fmt

#: How a rule's unit is spelled.
_UNITS = {"fraction": "percent", "dollars": "usd"}
_ORDER = {"not_assessable": 0, "block": 1, "warn": 2, "pass": 3}


@dataclass(frozen=True)
class RuleLine:
    """One rule's answer in words; `verdict` is `overridden` where compliance let it stand."""

    rule_id: str
    rule_version: int
    title: str
    verdict: str
    said_first: str
    subject: str
    reason: str
    value: str
    limit: str
    before: str
    citation: str
    inputs: tuple[tuple[str, str], ...]
    overridable: bool
    resolved: bool
    overridden: str


@dataclass(frozen=True)
class PreflightView:
    """Findings that need a reader (`problems`), rules that pass (`passed`), and a sentence over both."""

    problems: tuple[RuleLine, ...]
    passed: tuple[RuleLine, ...]
    summary: str


def preflight_view(body: bytes | None, findings: Sequence[Finding]) -> PreflightView:
    """Put a stored pre-flight beside what was let stand since; without the document, what the database keeps of it.

    Raises `PackageError` where the document is none.
    """
    kept = {one.rule_id: one for one in findings}
    if body is None:
        lines = [_short(one) for one in findings]
    else:
        lines = [_line(found, kept.get(found.rule_id)) for found in read_document(body).findings]
    lines.sort(key=lambda line: (line.resolved, _ORDER.get(line.said_first, 0), line.rule_id))
    problems = tuple(line for line in lines if line.said_first != "pass")
    passed = tuple(line for line in lines if line.said_first == "pass")
    return PreflightView(problems, passed, _summary(problems, passed))


def quantity(value: float | None, unit: str) -> str:
    """Spell a figure in its rule's unit; nothing where the rule has none."""
    if value is None:
        return ""
    if unit in _UNITS:
        return fmt.by_unit(value, _UNITS[unit])
    return f"{fmt.number(value, 0 if float(value).is_integer() else 2)} {unit}".rstrip()


def _line(found: Found, kept: Finding | None) -> RuleLine:
    verdict = found.verdict.name.lower()
    return RuleLine(
        rule_id=found.rule_id,
        rule_version=found.version,
        title=found.title,
        verdict="overridden" if kept and kept.overridden_by else verdict,
        said_first=verdict,
        subject=found.subject,
        reason=found.reason,
        value=quantity(found.value, found.unit),
        limit=quantity(found.limit, found.unit),
        before=quantity(found.before, found.unit),
        citation=found.citation,
        inputs=found.inputs,
        overridable=found.overridable,
        resolved=verdict not in ("block", "not_assessable") or bool(kept and kept.overridden_by),
        overridden=_overridden(kept),
    )


def _short(kept: Finding) -> RuleLine:
    return RuleLine(
        rule_id=kept.rule_id, rule_version=kept.rule_version, title=kept.rule_id.replace("_", " ").capitalize(),
        verdict="overridden" if kept.overridden_by else kept.verdict, said_first=kept.verdict, subject="",
        reason=kept.reason, value=kept.value, limit=kept.limit, before="", citation="", inputs=(),
        overridable=kept.overridable, resolved=kept.resolved, overridden=_overridden(kept),
    )  # fmt: skip


def _overridden(kept: Finding | None) -> str:
    if kept is None or kept.overridden_by is None:
        return ""
    return f"{kept.overridden_by} let it stand: {kept.override_reason}"


def _summary(problems: Sequence[RuleLine], passed: Sequence[RuleLine]) -> str:
    counts = [
        (sum(not line.resolved and line.said_first == "block" for line in problems), "blocks", "block"),
        (sum(not line.resolved and line.said_first == "not_assessable" for line in problems),
         "could not be assessed", "could not be assessed"),
        (sum(line.verdict == "overridden" for line in problems), "was let stand", "were let stand"),
        (sum(line.verdict == "warn" for line in problems), "warns", "warn"),
        (len(passed), "passes", "pass"),
    ]  # fmt: skip
    told = [f"{count} {one if count == 1 else many}" for count, one, many in counts if count]
    return f"Of {len(problems) + len(passed)} rules, {', '.join(told)}." if told else "No rule was asked."

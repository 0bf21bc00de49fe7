"""Limits that people keep overriding: a change of the rulebook is drafted as a diff, for a person to adopt or not.

Nothing is applied here. A limit moves only where the firm has said beforehand that it may, and never beyond the bound
it named; a rule that cannot be overridden cannot be moved at all.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from workbench.errors import ParameterError
from workbench.governance.lessons.frames import Decisions
from workbench.governance.lessons.proportions import above, holm, lowest

#: Overridden in more than this share of cases, at least so many of them, by so many people.
BASE, CASES, PEOPLE = 0.5, 20, 2
ALPHA = 0.05
_LARGEST_FILE = 1_000_000


@dataclass(frozen=True)
class Movable:
    """A limit that may be proposed to move: the rule, its parameter (dots go into nested ones), and how far."""

    rule_id: str
    parameter: str
    to: float


@dataclass(frozen=True)
class Tested:
    """A rule that was looked at: cases under its present version and limit, overridden ones, and what came of it.

    `p` is adjusted for all rules tested (Holm), NaN where nothing was tested; `why` is one sentence.
    """

    rule_id: str
    cases: int
    overridden: int
    people: int
    lowest: float
    p: float
    left_out: int
    why: str


@dataclass(frozen=True)
class LimitProposal:
    """One limit to move, and what that does to the findings it is drawn from.

    `spared` findings would not have been raised; of them `let_stand` had been overridden and `upheld` had not.
    """

    rule_id: str
    parameter: str
    old: float
    new: float
    spared: int
    let_stand: int
    upheld: int
    tested: Tested


@dataclass(frozen=True)
class RulesReview:
    """Every rule tested, what is proposed, the new rulebook's text, and the unified diff to it ("" for none)."""

    tested: tuple[Tested, ...]
    proposals: tuple[LimitProposal, ...]
    text: str
    diff: str


def read_movable(path: Path | str) -> tuple[Movable, ...]:
    """Read which limits may be proposed to move: YAML, `movable: {rule: {parameter: ..., to: ...}}`.

    Raises `ParameterError` for a file that is none.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        said: Any = yaml.safe_load(text) if len(text) <= _LARGEST_FILE and "*" not in text else None
        rows = said["movable"].items()
        return tuple(Movable(_text(name), _text(row["parameter"]), _number(row["to"])) for name, row in rows)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, TypeError, KeyError, AttributeError, ValueError) as error:
        raise ParameterError(
            f"{path}: cannot be read as a list of movable limits ({error!r}); write movable: {{rule: {{parameter: "
            "name, to: number}}}}",
            "movable",
        ) from error


def propose_limits(
    decisions: Decisions,
    rulebook: str,
    movable: Sequence[Movable],
    *,
    base: float = BASE,
    cases: int = CASES,
    people: int = PEOPLE,
    alpha: float = ALPHA,
) -> RulesReview:
    """Draft changes of limits that people override in more than a share `base` of cases, beyond chance.

    `rulebook` is the present one's YAML. A rule is tested where at least `cases` of its blocks, raised at its present
    version and limit, lie on signals that were decided: an exact binomial test against `base`, adjusted for all rules
    tested (Holm 1979), so that in 95 of 100 months without anything to find nothing is proposed. At least `people`
    must have overridden it: one person's habit is no reason to move a limit. The new limit is the furthest, within the
    bound, at which what is spared had still been overridden in more than `base` of cases, beyond chance.

    Raises `ParameterError` where a movable limit is not in the rulebook or no number, or its rule not overridable.
    """
    rules = _rules(rulebook)
    present = {item.rule_id: _present(rules, item) for item in movable}
    if len(present) != len(movable):
        raise ParameterError("a rule is movable twice; name one parameter a rule", "movable")
    findings = _decided(decisions)
    seen = {item.rule_id: _cases(findings, item, present[item.rule_id]) for item in movable}
    enough = [item for item in movable if len(seen[item.rule_id][0]) >= cases]
    raw = [above(int(part["overridden"].sum()), len(part), base) for part in (seen[i.rule_id][0] for i in enough)]
    adjusted = dict(zip([item.rule_id for item in enough], holm(raw), strict=True))
    tested, proposals, text = [], [], rulebook
    for item in movable:
        part, left_out = seen[item.rule_id]
        hits, persons = int(part["overridden"].sum()), int(part["person"].nunique())
        p = adjusted.get(item.rule_id, math.nan)
        why = _why_not(len(part), cases, p, alpha, persons, people)
        new = None if why else _furthest(part, item, present[item.rule_id].limit, base, alpha)
        if not why and new is None:
            why = "No limit within its bound spares enough of what was overridden."
        row = Tested(
            item.rule_id, len(part), hits, persons, lowest(hits, len(part)) if len(part) else math.nan, p, left_out,
            why or "A change is proposed.",
        )  # fmt: skip
        tested.append(row)
        if new is not None:
            proposals.append(_proposal(part, item, present[item.rule_id].limit, new, row))
            text = _rewritten(text, item, new)
    diff = "".join(
        difflib.unified_diff(
            rulebook.splitlines(keepends=True), text.splitlines(keepends=True), "rulebook.yml", "rulebook.yml, proposed"
        )
    )
    return RulesReview(tuple(tested), tuple(proposals), text, diff)


@dataclass(frozen=True)
class _Present:
    limit: float
    version: int


def _why_not(cases: int, fewest: int, p: float, alpha: float, persons: int, people: int) -> str:
    if cases < fewest:
        return f"Too few cases to test: {fewest} are needed."
    if p >= alpha:
        return "Overridden no more often than the base rate and chance explain."
    if persons < people:
        return "Overridden by one person only: a habit, not a finding about the rule."
    return ""


def _decided(decisions: Decisions) -> pd.DataFrame:
    signals = decisions["signals"]
    decided = signals.loc[signals["outcome"].isin(["released", "rejected"]), "signal_id"]
    findings = decisions["findings"]
    raised = (findings["verdict"] == "block") & findings["overridable"]  # a warning asks nobody to override it
    kept = findings[raised & findings["signal_id"].isin(decided)]
    return kept.assign(
        number=pd.to_numeric(kept["value"], errors="coerce"), bound=pd.to_numeric(kept["limit"], errors="coerce")
    )


def _cases(findings: pd.DataFrame, item: Movable, present: _Present) -> tuple[pd.DataFrame, int]:
    """Findings of the rule as it stands, beyond its limit on the side that moves, and how many others there are."""
    mine = findings[findings["rule_id"] == item.rule_id]
    beyond = mine["number"] > mine["bound"] if item.to > present.limit else mine["number"] < mine["bound"]
    same = (mine["rule_version"] == present.version) & ((mine["bound"] - present.limit).abs() < 1e-9)
    kept = mine[beyond & same.fillna(False)]
    return kept, len(mine) - len(kept)


def _furthest(part: pd.DataFrame, item: Movable, old: float, base: float, alpha: float) -> float | None:
    """The furthest limit at which what it spares was overridden beyond chance; candidates are the findings' own values.

    Candidates are rounded outwards to two digits of the distance, so that a limit reads as a person would set it.
    """
    up = item.to > old
    best = None
    for value in sorted(part.loc[part["overridden"], "number"].unique(), reverse=not up):
        step = 10.0 ** (math.floor(math.log10(abs(value - old))) - 1)
        new = round((math.ceil if up else math.floor)(round(value / step, 6)) * step, 12)
        if not (new <= item.to if up else new >= item.to):
            continue
        spared = part[part["number"] <= new] if up else part[part["number"] >= new]
        if above(int(spared["overridden"].sum()), len(spared), base) < alpha:
            best = new
    return best


def _proposal(part: pd.DataFrame, item: Movable, old: float, new: float, tested: Tested) -> LimitProposal:
    spared = part[part["number"] <= new] if new > old else part[part["number"] >= new]
    stood = int(spared["overridden"].sum())
    return LimitProposal(item.rule_id, item.parameter, old, new, len(spared), stood, len(spared) - stood, tested)


def _rules(text: str) -> Mapping[str, Mapping[str, Any]]:
    try:
        return {row["id"]: row for row in yaml.safe_load(text)["rules"]}
    except (yaml.YAMLError, TypeError, KeyError) as error:
        raise ParameterError(
            f"the rulebook cannot be read ({error!r}); give the text it was read from", "rulebook"
        ) from error


def _present(rules: Mapping[str, Mapping[str, Any]], item: Movable) -> _Present:
    rule = rules.get(item.rule_id)
    if rule is None:
        raise ParameterError(f"movable: the rulebook has no rule {item.rule_id!r}; correct its name", "movable")
    if not rule.get("overridable", False):
        raise ParameterError(f"movable: {item.rule_id} cannot be overridden, so its limit cannot be moved", "movable")
    value: Any = rule.get("parameters", {})
    for name in item.parameter.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ParameterError(f"movable: {item.rule_id} has no number {item.parameter!r}; name another", "movable")
    if float(value) == item.to:
        raise ParameterError(f"movable: {item.rule_id} stands at its bound already; take it off the list", "movable")
    return _Present(float(value), int(rule["version"]))


def _rewritten(text: str, item: Movable, new: float) -> str:
    """The rulebook with one number and one version exchanged in place, comments and spacing as they were."""
    root: Any = yaml.compose(text)
    rules = _child(root, "rules")
    rule = next(node for node in rules.value if _child(node, "id").value == item.rule_id)
    number = _child(rule, "parameters")
    for name in item.parameter.split("."):
        number = _child(number, name)
    version = _child(rule, "version")
    changes = [(number, f"{new:.12g}"), (version, str(int(version.value) + 1))]
    for node, put in sorted(changes, key=lambda change: -change[0].start_mark.index):
        text = text[: node.start_mark.index] + put + text[node.end_mark.index :]
    return text


def _child(node: Any, name: str) -> Any:
    return next(value for key, value in node.value if key.value == name)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value or len(value) > 200:
        raise ValueError(f"{value!r} is no name")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is no number")
    return float(value)

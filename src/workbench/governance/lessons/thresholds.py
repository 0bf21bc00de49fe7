"""Limits that people keep overriding: a change of the rulebook is drafted as a diff, for a person to adopt or not.

Nothing is applied here. A limit moves only where the firm has said beforehand that it may, and never beyond the bound
it named; a rule that cannot be overridden cannot be moved at all.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from workbench.errors import ParameterError
from workbench.governance.lessons.frames import Decisions
from workbench.governance.lessons.proportions import above, holm, lowest
from workbench.governance.lessons.rulebook_text import Movable, Present, present_limit, read_rules, rewritten

#: Overridden in more than this share of cases, at least so many of them, by so many people.
BASE, CASES, PEOPLE = 0.5, 20, 2
ALPHA = 0.05


@dataclass(frozen=True)
class Tested:
    """A rule that was looked at: cases under its present version and limit, overridden ones, and what came of it.

    `p` is adjusted for all rules tested (Holm), NaN where nothing was tested; `why` is one sentence.
    """

    rule_id: str
    parameter: str
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
    rules = read_rules(rulebook)
    present = {item: present_limit(rules, item) for item in movable}
    if len({(item.rule_id, item.parameter) for item in movable}) != len(movable):
        raise ParameterError("a limit is movable twice; name each once", "movable")
    findings = _decided(decisions)
    seen = {item: _cases(findings, item, present[item]) for item in movable}
    enough = [item for item in movable if len(seen[item][0]) >= cases and not present[item].shared]
    raw = [above(int(part["overridden"].sum()), len(part), base) for part in (seen[item][0] for item in enough)]
    adjusted = dict(zip(enough, holm(raw), strict=True))
    tested, proposals, moves = [], [], []
    for item in movable:
        part, left_out = seen[item]
        hits, persons = int(part["overridden"].sum()), int(part["person"].nunique())
        p = adjusted.get(item, math.nan)
        why = _why_not(len(part), cases, p, alpha, persons, people, present[item].shared)
        new = None if why else _furthest(part, item, present[item].limit, base, alpha)
        if not why and new is None:
            why = "No limit within its bound spares enough of what was overridden."
        row = Tested(
            item.rule_id, item.parameter, len(part), hits, persons,
            lowest(hits, len(part)) if len(part) else math.nan, p, left_out, why or "A change is proposed.",
        )  # fmt: skip
        tested.append(row)
        if new is not None:
            proposals.append(_proposal(part, item, present[item].limit, new, row))
            moves.append((item, new))
    text = rewritten(rulebook, moves)
    diff = "".join(
        difflib.unified_diff(
            rulebook.splitlines(keepends=True), text.splitlines(keepends=True), "rulebook.yml", "rulebook.yml, proposed"
        )
    )
    return RulesReview(tuple(tested), tuple(proposals), text, diff)


def _why_not(cases: int, fewest: int, p: float, alpha: float, persons: int, people: int, shared: bool) -> str:
    if shared:
        return "Another limit of this rule is the same number, so that its blocks cannot be told apart."
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


def _cases(findings: pd.DataFrame, item: Movable, present: Present) -> tuple[pd.DataFrame, int]:
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

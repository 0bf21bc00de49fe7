"""How often people follow a proposal, by rule, policy and advisor, and how long that takes them."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from workbench.errors import ParameterError
from workbench.governance.lessons.frames import Decisions
from workbench.governance.lessons.proportions import Share, alike, share
from workbench.governance.lessons.working_hours import working_hours

#: A signal counts as decided where a person released or rejected it.
DECIDED = ("released", "rejected")
#: What signals are grouped by, and the column that says so.
BY = {"policy": "policy", "advisor": "book", "rule": "rule_id"}
#: The steps of a signal, from which moment to which.
STEPS = {
    "To submission": ("created_at", "submitted_at"),
    "To the last approval": ("submitted_at", "approved_at"),
    "To release": ("approved_at", "released_at"),
    "In all": ("created_at", "released_at"),
}


@dataclass(frozen=True)
class Group:
    """Signals of one rule, policy or advisor: released of decided; unchanged, those released as they were proposed."""

    key: str
    released: Share
    unchanged: Share
    undecided: int


@dataclass(frozen=True)
class Acceptance:
    """Groups by name, and how likely such differences between them are by chance alone (None: not to be tested)."""

    by: str
    groups: tuple[Group, ...]
    chance: float | None


def acceptance(decisions: Decisions, by: str = "") -> Acceptance:
    """Count released of decided signals, in all or by `policy`, `advisor` or `rule`; groups are in the order of name.

    By rule, a signal counts under every rule with a finding on it, so that groups overlap and are not tested against
    each other. Returned and revised signals that were released in the end count as released, and not as unchanged.
    Raises `ParameterError` for another `by`.
    """
    signals = decisions["signals"]
    if by == "":
        return Acceptance(by, (_group("All", signals),), None)
    if by not in BY:
        raise ParameterError(f"signals are grouped by {', '.join(BY)}, not by {by!r}", "by")
    if by == "rule":
        raised = decisions["findings"].loc[decisions["findings"]["verdict"] != "pass", ["signal_id", "rule_id"]]
        signals = raised.merge(signals, on="signal_id")
    groups = tuple(_group(str(key), part) for key, part in signals.groupby(BY[by], sort=True))
    chance = None if by == "rule" else alike([g.released.hits for g in groups], [g.released.cases for g in groups])
    return Acceptance(by, groups, chance)


def _group(key: str, signals: pd.DataFrame) -> Group:
    released = signals["outcome"] == "released"
    decided = int(signals["outcome"].isin(DECIDED).sum())
    untouched = released & (signals["returned"] == 0) & (signals["revised"] == 0)
    return Group(
        key, share(int(released.sum()), decided), share(int(untouched.sum()), decided), len(signals) - decided
    )  # fmt: skip


def turnaround(decisions: Decisions) -> pd.DataFrame:
    """Return working hours of each step of every released signal: one row a signal, one column a step."""
    released = decisions["signals"][decisions["signals"]["outcome"] == "released"]
    columns = {step: working_hours(released[start], released[end]) for step, (start, end) in STEPS.items()}
    return pd.DataFrame({"signal_id": released["signal_id"].to_numpy(), **columns})


def overrides(decisions: Decisions) -> pd.DataFrame:
    """Return, by rule and role, blocks that could be overridden, those that were, and by how many people.

    A warning needs no override and is not counted; `rejected` counts overridden signals that were rejected later.
    """
    findings = decisions["findings"].merge(decisions["signals"][["signal_id", "outcome"]], on="signal_id")
    open_to = findings[findings["overridable"] & (findings["verdict"] == "block")]
    cases = open_to.groupby("rule_id").size()
    made = open_to[open_to["overridden"]].assign(role=open_to["role"].fillna(""))
    counted = made.groupby(["rule_id", "role"], as_index=False).agg(
        overridden=("signal_id", "size"),
        people=("person", "nunique"),
        rejected=("outcome", lambda ends: int((ends == "rejected").sum())),
    )
    counted.insert(2, "findings", counted["rule_id"].map(cases).astype("int64"))
    return counted.sort_values(["overridden", "rule_id"], ascending=[False, True], ignore_index=True)


def reasons(decisions: Decisions) -> pd.DataFrame:
    """Return how often each reason was given, by act: return, reject, revise, withdraw, edit_draft."""
    given = decisions["decisions"].dropna(subset=["reason_code"])
    counted = given.groupby(["action", "reason_code"]).size().rename("times").reset_index()
    return counted.sort_values(["action", "times", "reason_code"], ascending=[True, False, True], ignore_index=True)


def errors_caught(decisions: Decisions) -> Share:
    """Count decided signals with an error caught before their end, as the measure of that name defines it.

    A block or a rule that could not be assessed, or a return, rejection or revision because of data, tax or the policy.
    """
    signals = decisions["signals"]
    decided = set(signals.loc[signals["outcome"].isin(DECIDED), "signal_id"])
    findings, acts = decisions["findings"], decisions["decisions"]
    blocked = set(findings.loc[findings["verdict"].isin(["block", "not_assessable"]), "signal_id"])
    wrong = acts["reason_code"].isin(["data_wrong", "tax", "policy_wrong"])
    undone = set(acts.loc[wrong & acts["action"].isin(["return", "reject", "revise"]), "signal_id"])
    return share(len(decided & (blocked | undone)), len(decided))

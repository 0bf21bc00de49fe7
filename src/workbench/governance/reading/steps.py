"""What a signal waits for, in plain words: pure functions of its state, findings, approvals and mode."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from workbench.governance.states import IN_FLIGHT, Mode, State

#: Verdicts that nobody may submit over.
BLOCKING = ("block", "not_assessable")
#: The rule that a recorded consent of the client answers, as the rulebook calls it.
CONSENT_RULE = "consent"


def waiting_for(
    state: State,
    verdict: str | None,
    mode: Mode,
    approvals: int,
    needed: int,
    against: Mapping[str, bool] = MappingProxyType({}),
) -> str:
    """Say in a few words for whom a signal waits; `against` are the findings in its way: rule -> overridable."""
    if mode is Mode.MONITOR and state in (State.DRAFT, State.CHECKED, State.RETURNED):
        return "Nobody: monitored only"
    if state is State.CHECKED:
        return _against(against) if verdict in BLOCKING else "A maker to submit"
    if state is State.SUBMITTED:
        return f"Approval {min(approvals + 1, needed)} of {needed}" if needed > 1 else "Approval"
    if state is State.APPROVED:
        return "Release" if mode is Mode.RELEASE else "Nobody: mode is draft"
    return {
        State.DRAFT: "A new pre-flight",
        State.RETURNED: "A revision or a new pre-flight",
        State.RELEASED: "Export of its ticket",
        State.EXPORTED: "The receiving system",
        State.ACKNOWLEDGED: "Fills",
        State.PARTLY_FILLED: "The remaining fills",
    }.get(state, "Nobody: closed")


def _against(against: Mapping[str, bool]) -> str:
    if set(against) == {CONSENT_RULE}:
        return "The client's consent"
    return "Compliance, or a revision" if all(against.values()) else "A revision"


def missing(
    *,
    state: State,
    unresolved: Mapping[str, bool],
    checked: bool,
    same_inputs: bool | None,
    approvals: int,
    needed: int,
    because: Sequence[str],
    mode: Mode,
    mode_set_by: str,
    in_flight: Sequence[str],
    unsupported: Sequence[str] = (),
) -> tuple[str, ...]:
    """List what is missing until release, first things first; empty where nothing is, or where it left the firm.

    `unresolved` are the rules whose findings stand in the way, each with whether compliance may let it stand,
    `same_inputs` None where nobody has looked since, `because` why a second approver is needed, `in_flight` the
    household's other signals that are with the market, `unsupported` the drafts that the verifier does not support.
    """
    if state in IN_FLIGHT or state in (State.FILLED, State.REJECTED, State.EXPIRED, State.SUPERSEDED):
        return ()
    told = []
    if not checked:
        told.append("A pre-flight on what is shown here.")
    told += _findings(unresolved)
    if same_inputs is False:
        told.append("A new proposal or pre-flight: the household's data or prices have changed since.")
    if unsupported:
        kinds = ", ".join(kind.replace("_", " ") for kind in unsupported)
        told.append(f"A correction of its {kinds}, or a decision to discard it: the facts do not support all of it.")
    if mode is Mode.MONITOR:
        told.append(f"Mode monitor, set by {mode_set_by}: this signal is to be read only and cannot be submitted.")
    if state in (State.DRAFT, State.CHECKED, State.RETURNED):
        told.append("Somebody who submits it.")
    told += _approvers(approvals, needed, because)
    if mode is Mode.DRAFT:
        told.append(f"Mode release: {mode_set_by} allows drafts only.")
    if in_flight:
        told.append(f"An end to the household's other signal that is with the market: {', '.join(in_flight)}.")
    if state is State.APPROVED and not told:
        told.append("A person who releases it and had no hand in making it.")
    return tuple(told)


def _findings(unresolved: Mapping[str, bool]) -> list[str]:
    ways = [
        ("to be removed by a revision", [rule for rule, may in unresolved.items() if not may and rule != CONSENT_RULE]),
        ("to be removed by a revision, or let stand by compliance", [rule for rule, may in unresolved.items() if may]),
    ]
    told = []
    if CONSENT_RULE in unresolved and not unresolved[CONSENT_RULE]:
        told.append("The client's consent to the trades, or a revision without them.")
    for way, rules in ways:
        if rules:
            count = f"{len(rules)} {'finding' if len(rules) == 1 else 'findings'}"
            told.append(f"{count} {way}: {', '.join(rule.replace('_', ' ') for rule in rules)}.")
    return told


def _approvers(approvals: int, needed: int, because: Sequence[str]) -> list[str]:
    left = needed - approvals
    if left <= 0:
        return []
    words = {1: "One", 2: "Two"}.get(left, str(left))
    more = f"{words} {'more ' if approvals else ''}{'approver' if left == 1 else 'approvers'}"
    return [f"{more}{': ' + ', and '.join(because) if needed > 1 and because else ', not a maker'}."]

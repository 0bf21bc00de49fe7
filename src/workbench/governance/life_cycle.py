"""What may become of a signal next, decided on plain values: no database, no clock, no person's name.

    standing + act -> the state it leads to, or why not

The store reads a `Standing` in the transaction that writes the answer, so nothing can change in between.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from workbench.errors import DecisionError, StaleError
from workbench.governance.controls import Controls
from workbench.governance.states import BY_ANOTHER, MODES_FOR, TRANSITIONS, Action, Mode, State

#: Acts that carry a signal forward; past its day none of them is done any more.
FORWARD = frozenset(
    {
        Action.CHECK, Action.REVISE, Action.CONSENT, Action.OVERRIDE, Action.SUBMIT, Action.APPROVE, Action.RELEASE,
        Action.DRAFT, Action.EDIT_DRAFT,
    }
)  # fmt: skip
#: Acts that stand on the inputs the signal was checked on.
ON_INPUTS = frozenset({Action.OVERRIDE, Action.SUBMIT, Action.APPROVE, Action.RELEASE})
#: Acts that no finding may stand against.
ON_CHECKS = frozenset({Action.SUBMIT, Action.APPROVE, Action.RELEASE})


@dataclass(frozen=True)
class Approval:
    """One approval: by whom and for whom, of which sheet, until when; `broken_glass` where only that gave the right."""

    persons: frozenset[str]
    sheet_hash: str
    expires_at: datetime
    broken_glass: bool = False
    voided: bool = False


@dataclass(frozen=True)
class Standing:
    """Everything a decision about one signal depends on, at one moment.

    `mode` is the effective one; `traded` is in cents; `inputs_hash` is what it was checked on and `inputs_now` what the
    household's inputs hash to now; `unresolved` are rules that block or could not be assessed and were not overridden;
    `overriders` let findings stand; `makers` had a hand in it; `in_flight` says another of the household is under way;
    `unsupported` are the kinds of its drafts that the verifier does not wholly support.
    """

    state: State
    version: int
    sheet_hash: str
    mode: Mode
    traded: int
    expires_at: datetime
    inputs_hash: str
    inputs_now: str
    unresolved: tuple[str, ...] = ()
    overriders: frozenset[str] = frozenset()
    makers: frozenset[str] = frozenset()
    approvals: tuple[Approval, ...] = ()
    in_flight: bool = False
    unsupported: tuple[str, ...] = ()


@dataclass(frozen=True)
class Act:
    """What is asked: the act, by whom (and for whom), and what they were shown.

    `sheet_hash` is None for acts that are not of a sheet; `inputs_hash` is a check's; `complete` a fill's.
    """

    action: Action
    persons: frozenset[str]
    version: int
    sheet_hash: str | None = None
    inputs_hash: str | None = None
    complete: bool = True
    broken_glass: bool = False


def decide(standing: Standing, act: Act, controls: Controls, now: datetime) -> State:
    """Return the state an act leads to.

    Raises `StaleError` where what was shown is no longer so, `DecisionError` where the act is not possible.
    """
    _as_shown(standing, act)
    if standing.state not in TRANSITIONS[act.action]:
        raise DecisionError(f"a signal that is {_said(standing.state)} cannot be {_PARTICIPLES[act.action]}")
    if act.action in FORWARD and now >= standing.expires_at:
        raise DecisionError(f"the signal expired on {standing.expires_at:%Y-%m-%d %H:%M} UTC; propose anew")
    if act.action is Action.EXPIRE and now < standing.expires_at:
        raise DecisionError(f"the signal holds until {standing.expires_at:%Y-%m-%d %H:%M} UTC; reject it instead")
    if act.action in MODES_FOR and standing.mode not in MODES_FOR[act.action]:
        raise DecisionError(
            f"in mode {standing.mode} no signal is {_PARTICIPLES[act.action]}; the rollout mode has to change first"
        )
    if act.action in ON_INPUTS and standing.inputs_hash != standing.inputs_now:
        raise StaleError("the firm's data changed since the signal was checked; check it anew")
    if act.action in ON_CHECKS and standing.unresolved:
        raise DecisionError(f"the pre-flight stands against it: {', '.join(standing.unresolved)}; revise the signal")
    if act.action in ON_CHECKS and standing.unsupported:
        names = ", ".join(_said(kind) for kind in standing.unsupported)
        raise DecisionError(
            f"not all of its {names} is supported by the facts; correct the text by the reasons given, or discard it"
        )
    if act.action in BY_ANOTHER and act.persons & standing.makers:
        raise DecisionError("whoever made a signal does not check it; somebody else has to")
    return _leads_to(standing, act, controls, now)


def _as_shown(standing: Standing, act: Act) -> None:
    if act.version != standing.version:
        raise StaleError(
            f"you saw version {act.version}, the signal is at version {standing.version}; look at it anew, then decide"
        )
    if act.sheet_hash is not None and act.sheet_hash != standing.sheet_hash:
        raise StaleError("what you were shown is no longer what the signal is; look at it anew, then decide")
    if act.inputs_hash is not None and act.inputs_hash != standing.inputs_now:
        raise StaleError("the check was made on other data than the household's present ones; check it anew")


def _leads_to(standing: Standing, act: Act, controls: Controls, now: datetime) -> State:
    match act.action:
        case Action.SUBMIT:
            if act.persons & standing.overriders:
                raise DecisionError("whoever let a finding stand does not submit the signal; somebody else has to")
            return State.SUBMITTED
        case Action.WITHDRAW:
            if not act.persons & standing.makers:
                raise DecisionError("only a maker of a signal withdraws it; return it instead, with a reason")
            return State.RETURNED
        case Action.APPROVE:
            return _approved(standing, act, controls, now)
        case Action.RELEASE:
            return _released(standing, controls, now)
        case Action.FILL:
            return State.FILLED if act.complete else State.PARTLY_FILLED
        case Action.LAPSE:
            return State.SUBMITTED
        case _:
            (only,) = TRANSITIONS[act.action][standing.state]
            return only


def _approved(standing: Standing, act: Act, controls: Controls, now: datetime) -> State:
    valid = valid_approvals(standing, now)
    if any(act.persons & approval.persons for approval in valid):
        raise DecisionError("you, or the person you act for, approved this already; the second approver is another")
    mine = Approval(act.persons, standing.sheet_hash, now, act.broken_glass)
    enough = len(valid) + 1 >= approvers_needed(standing, (*valid, mine), controls)
    return State.APPROVED if enough else State.SUBMITTED


def _released(standing: Standing, controls: Controls, now: datetime) -> State:
    valid = valid_approvals(standing, now)
    needed = approvers_needed(standing, valid, controls)
    if len(valid) < needed:
        raise DecisionError(
            f"{len(valid)} of {needed} approvals hold; the others expired or were of something else; approve anew"
        )
    if standing.in_flight:
        raise DecisionError("another signal of the household is with the market; wait until it is filled")
    return State.RELEASED


def valid_approvals(standing: Standing, now: datetime) -> tuple[Approval, ...]:
    """Return the approvals that hold now: not voided, of the present sheet, and none of them expired.

    They stand or fall together: else a second approval by compliance would outlive the manager's that it was second to,
    and another officer would complete the pair without anybody who answers for the investment.
    """
    given = tuple(a for a in standing.approvals if not a.voided and a.sheet_hash == standing.sheet_hash)
    return given if all(a.expires_at > now for a in given) else ()


def approvers_needed(standing: Standing, approvals: Iterable[Approval], controls: Controls) -> int:
    """Return how many different people have to approve: two above a size, after an override, or by broken glass."""
    two = standing.traded >= controls.second_approver_above or standing.overriders
    return 2 if two or any(approval.broken_glass for approval in approvals) else 1


def _said(name: str) -> str:
    return name.replace("_", " ")


_PARTICIPLES = {
    Action.CHECK: "checked",
    Action.REVISE: "revised",
    Action.CONSENT: "consented to",
    Action.OVERRIDE: "overridden",
    Action.SUBMIT: "submitted",
    Action.WITHDRAW: "withdrawn",
    Action.APPROVE: "approved",
    Action.RETURN: "returned",
    Action.REJECT: "rejected",
    Action.RELEASE: "released",
    Action.EXPORT: "exported",
    Action.ACKNOWLEDGE: "acknowledged",
    Action.FILL: "filled",
    Action.EXPIRE: "expired",
    Action.SUPERSEDE: "superseded",
    Action.VOID: "voided",
    Action.LAPSE: "sent back for approval",
    Action.DRAFT: "given a draft",
    Action.EDIT_DRAFT: "edited",
}

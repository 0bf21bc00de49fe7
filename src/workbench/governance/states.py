"""The life of a signal: its states, what may be done to it, and where each act may lead."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a signal stands; everything from `released` on is outside the firm's hands."""

    DRAFT = "draft"
    CHECKED = "checked"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    REJECTED = "rejected"
    RETURNED = "returned"
    RELEASED = "released"
    EXPORTED = "exported"
    ACKNOWLEDGED = "acknowledged"
    PARTLY_FILLED = "partly_filled"
    FILLED = "filled"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


class PaperState(StrEnum):
    """Where a paper stands: only a released one may be used."""

    DRAFTED = "drafted"
    EDITED = "edited"
    RELEASED = "released"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"


class Mode(StrEnum):
    """How far a model's or an account's signals go: an alert to read, a brief to send, a ticket to trade."""

    MONITOR = "monitor"
    DRAFT = "draft"
    RELEASE = "release"


#: From the strictest to the freest.
STRICTNESS = (Mode.MONITOR, Mode.DRAFT, Mode.RELEASE)


class Action(StrEnum):
    """What can be done, to a signal or to the firm's set-up; the access table names who may in which state."""

    VIEW = "view"
    CREATE = "create"
    CHECK = "check"
    REVISE = "revise"
    CONSENT = "consent"
    OVERRIDE = "override"
    SUBMIT = "submit"
    WITHDRAW = "withdraw"
    APPROVE = "approve"
    RETURN = "return"
    REJECT = "reject"
    RELEASE = "release"
    EXPORT = "export"
    ACKNOWLEDGE = "acknowledge"
    FILL = "fill"
    EXPIRE = "expire"
    SUPERSEDE = "supersede"
    VOID = "void"
    LAPSE = "lapse"
    DRAFT = "draft"
    EDIT_DRAFT = "edit_draft"
    # Of papers and questions.
    READ_PAPERS = "read_papers"
    BRING_PAPER = "bring_paper"
    EDIT_PAPER = "edit_paper"
    RELEASE_PAPER = "release_paper"
    WITHDRAW_PAPER = "withdraw_paper"
    ESCALATE = "escalate"
    READ_ESCALATIONS = "read_escalations"
    ANSWER_ESCALATION = "answer_escalation"
    # Not of one signal.
    SEE_INPUTS = "see_inputs"
    SWEEP = "sweep"
    SET_MODE = "set_mode"
    MANAGE_PEOPLE = "manage_people"
    CONFIRM_GRANT = "confirm_grant"
    READ_PEOPLE = "read_people"
    CHANGE_PASSWORD = "change_password"  # one's own
    DELEGATE = "delegate"
    BREAK_GLASS = "break_glass"
    REVIEW_BREAK_GLASS = "review_break_glass"
    CHANGE_RULES = "change_rules"
    CHANGE_CONTROLS = "change_controls"
    READ_AUDIT = "read_audit"
    EXPORT_AUDIT = "export_audit"
    CHECKPOINT = "checkpoint"
    HOLD = "hold"
    DISPOSE = "dispose"
    READ_MEASURES = "read_measures"
    DEFINE_MEASURES = "define_measures"
    RECORD_MEASURES = "record_measures"
    READ_LIBRARY = "read_library"


#: Open: not yet with anybody outside, and not closed.
OPEN = frozenset({State.DRAFT, State.CHECKED, State.SUBMITTED, State.APPROVED, State.RETURNED})
#: With the market or on the way: no second signal of the household may be released.
IN_FLIGHT = frozenset({State.RELEASED, State.EXPORTED, State.ACKNOWLEDGED, State.PARTLY_FILLED})
#: Nothing follows.
CLOSED = frozenset({State.REJECTED, State.FILLED, State.EXPIRED, State.SUPERSEDED})

#: From which state each act on a signal leads where. `approve` stays in `submitted` while a second approver is needed.
TRANSITIONS: dict[Action, dict[State, frozenset[State]]] = {
    Action.CHECK: {s: frozenset({State.CHECKED}) for s in (State.DRAFT, State.CHECKED, State.RETURNED)},
    Action.REVISE: {s: frozenset({State.DRAFT}) for s in (State.DRAFT, State.CHECKED, State.RETURNED)},
    Action.CONSENT: {s: frozenset({State.DRAFT}) for s in (State.DRAFT, State.CHECKED, State.RETURNED)},
    Action.OVERRIDE: {State.CHECKED: frozenset({State.CHECKED})},
    Action.SUBMIT: {State.CHECKED: frozenset({State.SUBMITTED})},
    Action.WITHDRAW: {s: frozenset({State.RETURNED}) for s in (State.SUBMITTED, State.APPROVED)},
    Action.APPROVE: {State.SUBMITTED: frozenset({State.SUBMITTED, State.APPROVED})},
    Action.RETURN: {s: frozenset({State.RETURNED}) for s in (State.SUBMITTED, State.APPROVED)},
    Action.REJECT: {
        s: frozenset({State.REJECTED}) for s in (State.CHECKED, State.SUBMITTED, State.APPROVED, State.RETURNED)
    },
    Action.RELEASE: {State.APPROVED: frozenset({State.RELEASED})},
    Action.EXPORT: {State.RELEASED: frozenset({State.EXPORTED})},
    Action.ACKNOWLEDGE: {State.EXPORTED: frozenset({State.ACKNOWLEDGED})},
    Action.FILL: {
        s: frozenset({State.PARTLY_FILLED, State.FILLED})
        for s in (State.EXPORTED, State.ACKNOWLEDGED, State.PARTLY_FILLED)
    },
    Action.EXPIRE: {s: frozenset({State.EXPIRED}) for s in OPEN},
    Action.SUPERSEDE: {s: frozenset({State.SUPERSEDED}) for s in OPEN},
    # What a signal was checked or approved on has changed: it starts anew.
    Action.VOID: {
        s: frozenset({State.DRAFT}) for s in (State.CHECKED, State.SUBMITTED, State.APPROVED, State.RETURNED)
    },
    # Approvals ran out, or the mode they were given for is another: it waits for approval again.
    Action.LAPSE: {s: frozenset({State.SUBMITTED}) for s in (State.SUBMITTED, State.APPROVED)},
    Action.DRAFT: {s: frozenset({s}) for s in OPEN},
    Action.EDIT_DRAFT: {s: frozenset({s}) for s in OPEN},
}

#: Papers that may still be edited and released.
OPEN_PAPERS = frozenset({PaperState.DRAFTED, PaperState.EDITED})

#: Acts that who made a signal or a paper never does.
BY_ANOTHER = frozenset({Action.OVERRIDE, Action.APPROVE, Action.RELEASE, Action.RELEASE_PAPER})

#: Which modes allow an act at all; acts not named are allowed in every mode.
MODES_FOR: dict[Action, frozenset[Mode]] = {
    Action.SUBMIT: frozenset({Mode.DRAFT, Mode.RELEASE}),
    Action.APPROVE: frozenset({Mode.DRAFT, Mode.RELEASE}),
    Action.RELEASE: frozenset({Mode.RELEASE}),
    Action.EXPORT: frozenset({Mode.RELEASE}),
}

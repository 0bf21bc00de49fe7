"""One table says who may do what, in which state: role x action x state. What is not in it is refused.

Maker is not checker, books, modes and the number of approvers are not in the table: `access.authorize` adds them.
"""

from __future__ import annotations

from enum import StrEnum

from workbench.governance.states import OPEN, OPEN_PAPERS, Action, PaperState, State

A, S = Action, State
_EVERY = frozenset(State)
_EVERY_PAPER = frozenset(PaperState)
_OPEN_OR_OUT = OPEN_PAPERS | {PaperState.RELEASED}
_BEFORE = frozenset({S.DRAFT, S.CHECKED, S.RETURNED})


class Role(StrEnum):
    """A part a person plays; one person may play several, in all books or in some."""

    VIEWER = "viewer"
    ADVISOR = "advisor"
    ANALYST = "analyst"
    PORTFOLIO_MANAGER = "portfolio_manager"
    TRADER = "trader"
    COMPLIANCE = "compliance"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"
    SERVICE = "service"


#: Acts on a signal: role -> action -> states in which it may be asked for.
ON_SIGNALS: dict[Role, dict[Action, frozenset[State]]] = {
    Role.VIEWER: {A.VIEW: _EVERY},
    Role.ADVISOR: {A.VIEW: _EVERY, A.CONSENT: _BEFORE, A.EDIT_DRAFT: OPEN},
    Role.ANALYST: {
        A.VIEW: _EVERY,
        A.CREATE: _EVERY,
        A.CHECK: _BEFORE,
        A.REVISE: _BEFORE,
        A.SUBMIT: frozenset({S.CHECKED}),
        A.WITHDRAW: frozenset({S.SUBMITTED, S.APPROVED}),
        A.DRAFT: OPEN,
        A.EDIT_DRAFT: OPEN,
    },
    Role.PORTFOLIO_MANAGER: {
        A.VIEW: _EVERY,
        A.CREATE: _EVERY,
        A.CHECK: _BEFORE,
        A.REVISE: _BEFORE,
        A.SUBMIT: frozenset({S.CHECKED}),
        A.WITHDRAW: frozenset({S.SUBMITTED, S.APPROVED}),
        A.APPROVE: frozenset({S.SUBMITTED}),
        A.RETURN: frozenset({S.SUBMITTED, S.APPROVED}),
        A.REJECT: frozenset({S.CHECKED, S.SUBMITTED, S.APPROVED, S.RETURNED}),
        A.RELEASE: frozenset({S.APPROVED}),
        A.DRAFT: OPEN,
        A.EDIT_DRAFT: OPEN,
    },
    Role.TRADER: {
        A.VIEW: _EVERY,
        A.RELEASE: frozenset({S.APPROVED}),
        A.RETURN: frozenset({S.APPROVED}),
        A.EXPORT: frozenset({S.RELEASED}),
        A.ACKNOWLEDGE: frozenset({S.EXPORTED}),
        A.FILL: frozenset({S.EXPORTED, S.ACKNOWLEDGED, S.PARTLY_FILLED}),
    },
    Role.COMPLIANCE: {
        A.VIEW: _EVERY,
        A.CHECK: _BEFORE,
        A.OVERRIDE: frozenset({S.CHECKED}),
        A.APPROVE: frozenset({S.SUBMITTED}),
        A.RETURN: frozenset({S.SUBMITTED, S.APPROVED}),
        A.REJECT: frozenset({S.CHECKED, S.SUBMITTED, S.APPROVED, S.RETURNED}),
    },
    Role.ADMINISTRATOR: {},
    Role.AUDITOR: {A.VIEW: _EVERY},
    Role.SERVICE: {
        A.VIEW: _EVERY,
        A.CREATE: _EVERY,
        A.CHECK: _BEFORE,
        A.EXPORT: frozenset({S.RELEASED}),
        A.ACKNOWLEDGE: frozenset({S.EXPORTED}),
        A.FILL: frozenset({S.EXPORTED, S.ACKNOWLEDGED, S.PARTLY_FILLED}),
        A.DRAFT: OPEN,
        A.EXPIRE: OPEN,
        A.SUPERSEDE: OPEN,
        A.VOID: frozenset({S.CHECKED, S.SUBMITTED, S.APPROVED, S.RETURNED}),
    },
}

#: Acts on a paper: role -> action -> states. `paper_kinds` says which of these roles edits and releases which kind.
ON_PAPERS: dict[Role, dict[Action, frozenset[PaperState]]] = {
    Role.VIEWER: {A.READ_PAPERS: _EVERY_PAPER},
    Role.ADVISOR: {A.READ_PAPERS: _EVERY_PAPER, A.EDIT_PAPER: OPEN_PAPERS, A.WITHDRAW_PAPER: OPEN_PAPERS},
    Role.ANALYST: {A.READ_PAPERS: _EVERY_PAPER, A.EDIT_PAPER: OPEN_PAPERS, A.WITHDRAW_PAPER: OPEN_PAPERS},
    Role.PORTFOLIO_MANAGER: {
        A.READ_PAPERS: _EVERY_PAPER,
        A.EDIT_PAPER: OPEN_PAPERS,
        A.RELEASE_PAPER: OPEN_PAPERS,
        A.WITHDRAW_PAPER: _OPEN_OR_OUT,
    },
    Role.TRADER: {},
    Role.COMPLIANCE: {
        A.READ_PAPERS: _EVERY_PAPER,
        A.RELEASE_PAPER: OPEN_PAPERS,
        A.WITHDRAW_PAPER: _OPEN_OR_OUT,
    },
    Role.ADMINISTRATOR: {},
    Role.AUDITOR: {A.READ_PAPERS: _EVERY_PAPER},
    Role.SERVICE: {A.READ_PAPERS: _EVERY_PAPER, A.BRING_PAPER: _EVERY_PAPER},
}

#: Acts on the firm's set-up and records. What the data hash to is told by a service only: a maker who could say that
#: nothing changed would have old prices approved.
ON_THE_FIRM: dict[Role, frozenset[Action]] = {
    Role.VIEWER: frozenset({A.READ_LIBRARY}),
    Role.ADVISOR: frozenset({A.READ_LIBRARY, A.DELEGATE, A.ESCALATE, A.READ_ESCALATIONS}),
    Role.ANALYST: frozenset({A.READ_LIBRARY, A.READ_MEASURES, A.BREAK_GLASS, A.ESCALATE, A.READ_ESCALATIONS}),
    Role.PORTFOLIO_MANAGER: frozenset(
        {
            A.READ_LIBRARY, A.READ_MEASURES, A.RECORD_MEASURES, A.DELEGATE, A.BREAK_GLASS, A.ESCALATE,
            A.READ_ESCALATIONS, A.ANSWER_ESCALATION,
        }
    ),
    Role.TRADER: frozenset({A.READ_LIBRARY, A.DELEGATE, A.BREAK_GLASS, A.ESCALATE}),
    Role.COMPLIANCE: frozenset(
        {
            A.READ_LIBRARY, A.READ_MEASURES, A.READ_AUDIT, A.EXPORT_AUDIT, A.CHECKPOINT, A.HOLD, A.DELEGATE,
            A.CHANGE_RULES, A.CHANGE_CONTROLS, A.SET_MODE, A.READ_PEOPLE, A.CONFIRM_GRANT,
            A.REVIEW_BREAK_GLASS, A.DEFINE_MEASURES, A.RECORD_MEASURES, A.ESCALATE, A.READ_ESCALATIONS,
            A.ANSWER_ESCALATION,
        }
    ),
    Role.ADMINISTRATOR: frozenset({A.MANAGE_PEOPLE, A.READ_PEOPLE, A.CONFIRM_GRANT}),
    Role.AUDITOR: frozenset(
        {A.READ_LIBRARY, A.READ_MEASURES, A.READ_AUDIT, A.EXPORT_AUDIT, A.READ_PEOPLE, A.READ_ESCALATIONS}
    ),
    Role.SERVICE: frozenset({A.SEE_INPUTS, A.SWEEP, A.CHECKPOINT, A.DISPOSE, A.RECORD_MEASURES, A.ESCALATE}),
}  # fmt: skip

#: What everybody with a role does for themselves, in whatever book they have it.
EVERYWHERE = frozenset({A.CHANGE_PASSWORD})

#: No service account ever does these, whatever role somebody gave it.
NEVER_A_SERVICE = frozenset(
    {
        A.SUBMIT, A.APPROVE, A.RELEASE, A.OVERRIDE, A.RETURN, A.REJECT, A.REVISE, A.CONSENT, A.WITHDRAW,
        A.EDIT_DRAFT, A.DELEGATE, A.BREAK_GLASS, A.REVIEW_BREAK_GLASS, A.MANAGE_PEOPLE, A.CONFIRM_GRANT,
        A.CHANGE_PASSWORD, A.SET_MODE, A.CHANGE_RULES, A.CHANGE_CONTROLS, A.HOLD, A.DEFINE_MEASURES,
        A.EDIT_PAPER, A.RELEASE_PAPER, A.WITHDRAW_PAPER, A.ANSWER_ESCALATION,
    }
)  # fmt: skip

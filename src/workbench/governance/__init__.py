"""Decisions: signals and their states, who may do what, approvals, the audit trail, the outbox, lessons.

    store = open_store("sqlite:///decisions.db")
    receipt = store.perform(Who("ann"), Approve(signal_id, version, sheet_hash), key="form-4711")

`reading`, `measures`, `lessons` and `audit` are rooms of their own within it.
"""

from workbench.governance.access import Actor, Grant, Who, actor, allowed, authorize
from workbench.governance.audit.checkpoint import Checkpoints
from workbench.governance.audit.export import export as export_trail
from workbench.governance.audit.keeper import TakeCheckpoint, keep
from workbench.governance.commands import (
    Acknowledge,
    AddDraft,
    Approve,
    Check,
    Command,
    Consent,
    Create,
    Document,
    Export,
    Fill,
    Finding,
    Override,
    Receipt,
    Reject,
    Release,
    Return,
    Revise,
    SeeInputs,
    SetMode,
    Submit,
    Summary,
    Sweep,
    Withdraw,
)  # fmt: skip
from workbench.governance.controls import Controls
from workbench.governance.database import migrate, open_engine
from workbench.governance.documents import fetch
from workbench.governance.lessons.export import export_decisions
from workbench.governance.paper_commands import (
    AnswerEscalation,
    BringPaper,
    EditPaper,
    Escalate,
    ReleasePaper,
    WithdrawPaper,
)
from workbench.governance.people import AddPerson, GrantRole, bootstrap, set_password
from workbench.governance.roles import Role
from workbench.governance.rule_changes import AdoptRules, ProposeRules
from workbench.governance.rulebooks import KeptRulebook
from workbench.governance.rulebooks import history as rules_history
from workbench.governance.rulebooks import in_force as adopted_rules
from workbench.governance.rulebooks import waiting as proposed_rules
from workbench.governance.sessions import sign_in
from workbench.governance.states import Action, Mode, State
from workbench.governance.store import Store, open_store
from workbench.governance.unit import Done, Unit

__all__ = [
    "Acknowledge",
    "Action",
    "Actor",
    "AddDraft",
    "AddPerson",
    "AdoptRules",
    "AnswerEscalation",
    "Approve",
    "BringPaper",
    "Check",
    "Checkpoints",
    "Command",
    "Consent",
    "Controls",
    "Create",
    "Document",
    "Done",
    "EditPaper",
    "Escalate",
    "Export",
    "Fill",
    "Finding",
    "Grant",
    "GrantRole",
    "KeptRulebook",
    "Mode",
    "Override",
    "ProposeRules",
    "Receipt",
    "Reject",
    "Release",
    "ReleasePaper",
    "Return",
    "Revise",
    "Role",
    "SeeInputs",
    "SetMode",
    "State",
    "Store",
    "Submit",
    "Summary",
    "Sweep",
    "TakeCheckpoint",
    "Unit",
    "Who",
    "Withdraw",
    "WithdrawPaper",
    "actor",
    "adopted_rules",
    "allowed",
    "authorize",
    "bootstrap",
    "export_decisions",
    "export_trail",
    "fetch",
    "keep",
    "migrate",
    "open_engine",
    "open_store",
    "proposed_rules",
    "rules_history",
    "set_password",
    "sign_in",
]

"""What a person or service asks for: one frozen record an act, plain enough to be hashed, logged and repeated.

`version` is the number the signal had when it was shown, `sheet_hash` the hash of what was shown (package, checks,
inputs, overrides); both are compared before anything is done. Money is whole cents.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Literal

from workbench.governance.states import Action, Mode

#: Why a person decides against a proposal, or changes it: kept as data, counted every month.
ReasonCode = Literal[
    "client_wish", "tax", "cost", "timing", "data_wrong", "risk", "policy_wrong", "wording", "duplicate", "other"
]
Verdict = Literal["pass", "warn", "block", "not_assessable"]


@dataclass(frozen=True)
class Document:
    """Bytes kept by their SHA-256: `kind` decides how long (package, preflight, brief, draft, prompt, ...)."""

    kind: str
    media_type: str
    body: bytes


@dataclass(frozen=True)
class Finding:
    """One rule's verdict on a signal, as governance keeps it; the whole record is in the pre-flight's document."""

    rule_id: str
    rule_version: int
    verdict: Verdict
    value: str
    limit: str
    reason: str
    overridable: bool


@dataclass(frozen=True)
class Summary:
    """What the queue sorts and filters by; figures of the package, in cents, copied once when it comes in."""

    as_of: str
    trades: int
    traded: int
    tax: int
    cost: int
    benefit: int
    rank: int
    cash_due: str | None = None
    out_of_band: int = 0


@dataclass(frozen=True)
class Command:
    """Root of all commands; `action` is what the access table is asked about."""

    action: ClassVar[Action]


@dataclass(frozen=True)
class Create(Command):
    """A new signal of a household; open ones with another package are superseded, one with the same is returned."""

    action: ClassVar[Action] = Action.CREATE
    household_id: str
    household_name: str
    book: str
    models: tuple[str, ...]
    accounts: tuple[str, ...]
    policy: str
    mode: Mode
    package: Document
    brief: Document | None
    inputs_hash: str
    snapshot: str
    summary: Summary
    expires_at: datetime | None = None


@dataclass(frozen=True)
class SignalCommand(Command):
    """An act on one signal at the version that was shown."""

    signal_id: str
    version: int


@dataclass(frozen=True)
class Check(SignalCommand):
    """Attach a pre-flight, made of `inputs_hash` under the rule book `rules_hash`."""

    action: ClassVar[Action] = Action.CHECK
    preflight: Document
    findings: tuple[Finding, ...]
    inputs_hash: str
    rules_hash: str


@dataclass(frozen=True)
class Revise(SignalCommand):
    """Replace the package by an edited one; the editor becomes a maker of the signal."""

    action: ClassVar[Action] = Action.REVISE
    package: Document
    brief: Document | None
    summary: Summary
    reason_code: ReasonCode
    reason: str


@dataclass(frozen=True)
class Consent(SignalCommand):
    """A client's consent to trades of a non-discretionary account, with where it is written down."""

    action: ClassVar[Action] = Action.CONSENT
    account_id: str
    source_document: str


@dataclass(frozen=True)
class Override(SignalCommand):
    """Let one rule's finding stand, for a reason; only rules that say so, and only these findings."""

    action: ClassVar[Action] = Action.OVERRIDE
    rule_id: str
    rule_version: int
    reason: str


@dataclass(frozen=True)
class Submit(SignalCommand):
    """Ask for approval of what was shown."""

    action: ClassVar[Action] = Action.SUBMIT
    sheet_hash: str
    note: str = ""


@dataclass(frozen=True)
class Withdraw(SignalCommand):
    """Take one's own submission back."""

    action: ClassVar[Action] = Action.WITHDRAW
    reason: str


@dataclass(frozen=True)
class Approve(SignalCommand):
    """Approve exactly what was shown."""

    action: ClassVar[Action] = Action.APPROVE
    sheet_hash: str
    note: str = ""


@dataclass(frozen=True)
class Return(SignalCommand):
    """Send a signal back to be changed."""

    action: ClassVar[Action] = Action.RETURN
    reason_code: ReasonCode
    reason: str


@dataclass(frozen=True)
class Reject(SignalCommand):
    """Close a signal without trading."""

    action: ClassVar[Action] = Action.REJECT
    reason_code: ReasonCode
    reason: str


@dataclass(frozen=True)
class Release(SignalCommand):
    """Let a signal leave as a ticket; `sheet_hash` is that of the approvals and of what was shown."""

    action: ClassVar[Action] = Action.RELEASE
    sheet_hash: str


@dataclass(frozen=True)
class Export(SignalCommand):
    """The ticket was written; `ticket_hash` names it."""

    action: ClassVar[Action] = Action.EXPORT
    ticket_hash: str


@dataclass(frozen=True)
class Acknowledge(SignalCommand):
    """The receiving system has the ticket."""

    action: ClassVar[Action] = Action.ACKNOWLEDGE
    reference: str


@dataclass(frozen=True)
class Fill(SignalCommand):
    """Shares came back: whole or in part."""

    action: ClassVar[Action] = Action.FILL
    complete: bool
    filled: int
    reference: str


@dataclass(frozen=True)
class Expire(SignalCommand):
    """Close one open signal that is past its day."""

    action: ClassVar[Action] = Action.EXPIRE


@dataclass(frozen=True)
class SeeInputs(Command):
    """Tell what each household's inputs hash to now; signals checked or approved on others are voided."""

    action: ClassVar[Action] = Action.SEE_INPUTS
    snapshot: str
    inputs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Sweep(Command):
    """Close every open signal that is past its day; return what an expired approval leaves to be approved anew."""

    action: ClassVar[Action] = Action.SWEEP


@dataclass(frozen=True)
class SetMode(Command):
    """Set how far the signals of a model or an account go. The strictest of book of record, account and model holds."""

    action: ClassVar[Action] = Action.SET_MODE
    kind: Literal["model", "account"]
    key: str
    mode: Mode
    reason: str


@dataclass(frozen=True)
class ChangeControls(Command):
    """Set limits of the house on itself, by name; what was approved before under others has to meet the new ones.

    At least as strict, it holds at once; where it loosens one, all of it waits for `AdoptControls` by somebody else.
    """

    action: ClassVar[Action] = Action.CHANGE_CONTROLS
    changes: tuple[tuple[str, int], ...]
    reason: str


@dataclass(frozen=True)
class AdoptControls(Command):
    """Put looser controls in force that somebody else proposed; `proposal` is the hash of the change that was shown."""

    action: ClassVar[Action] = Action.CHANGE_CONTROLS
    proposal: str
    note: str = ""


@dataclass(frozen=True)
class WithdrawControls(Command):
    """Take looser controls that wait for a second person back."""

    action: ClassVar[Action] = Action.CHANGE_CONTROLS
    proposal: str
    reason: str


@dataclass(frozen=True)
class AddDraft(SignalCommand):
    """A drafted text to go with a signal, and how it was made.

    Prompt, model, parameters, masked input, raw output and the verifier's report: in `made` as documents to keep, in
    `record` as (name, hash) of what is kept elsewhere. A service's draft names all six, unless its `writer` is a
    `template`. `facts` is the sheet it was made of and `report` the verifier's: without both, or where the report finds
    a fault, the draft stands in its signal's way.
    """

    action: ClassVar[Action] = Action.DRAFT
    kind: str
    text: Document
    record: tuple[tuple[str, str], ...]
    made: tuple[tuple[str, Document], ...] = ()
    facts: Document | None = None
    report: Document | None = None


@dataclass(frozen=True)
class EditDraft(SignalCommand):
    """A person's words in place of the drafted ones; the distance between both is measured and kept.

    `report` is the verifier's, of these words against the draft's kept facts; without one the text is not verified.
    """

    action: ClassVar[Action] = Action.EDIT_DRAFT
    draft_id: str
    body: str
    reason_code: ReasonCode
    reason: str = ""
    report: Document | None = None


@dataclass(frozen=True)
class DiscardDraft(SignalCommand):
    """Take a draft off its signal, so that it is neither used nor in the way; its text and record are kept."""

    action: ClassVar[Action] = Action.EDIT_DRAFT
    draft_id: str
    reason: str


@dataclass(frozen=True)
class Receipt:
    """The answer to a command: what it changed and where it stands in the audit trail.

    `first` is False where the same key had been answered before; everything else is then that first answer.
    """

    action: Action
    object_kind: str
    object_id: str
    state: str
    version: int
    sheet_hash: str
    sequence: int
    first: bool = True
    also: tuple[str, ...] = field(default=())

"""The forms of a signal: each reads its fields, asks the store once, and sends the browser back to the signal.

Every form carries the version and the hash that were shown; the store refuses an act on anything else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from workbench import rebalance, releases
from workbench.desk.forms import Form, FormError
from workbench.desk.package_view import trade_lines
from workbench.desk.pages.signal import REASONS, body, decidable, seen
from workbench.desk.visit import SignedIn, Visit
from workbench.errors import DecisionError, StaleError
from workbench.governance.access import authorize
from workbench.governance.commands import (
    Approve,
    Command,
    Consent,
    DiscardDraft,
    Document,
    EditDraft,
    Override,
    ReasonCode,
    Receipt,
    Reject,
    Release,
    Return,
    Revise,
    Submit,
    Withdraw,
)
from workbench.governance.life_cycle import ON_CHECKS
from workbench.governance.reading import signal_view
from workbench.governance.states import Action, State
from workbench.rebalance.signal.edit import without

router = APIRouter()
Made = Callable[[str, Form], Command]


def _reason(form: Form, *, least: int = 1) -> str:
    return form.text("reason", "Reason", least=least)


def _code(form: Form) -> ReasonCode:
    return cast(ReasonCode, form.choice("reason_code", "Kind of reason", [code for code, _ in REASONS]))


#: What each form asks for.
MAKE: dict[str, Made] = {
    "submit": lambda one, form: Submit(one, form.version, form.sheet_hash, form.optional("note", "Note")),
    "withdraw": lambda one, form: Withdraw(one, form.version, _reason(form)),
    "approve": lambda one, form: Approve(one, form.version, form.sheet_hash, form.optional("note", "Note")),
    "return": lambda one, form: Return(one, form.version, _code(form), _reason(form)),
    "reject": lambda one, form: Reject(one, form.version, _code(form), _reason(form)),
    "release": lambda one, form: Release(one, form.version, form.sheet_hash),
    "override": lambda one, form: Override(
        one, form.version, form.text("rule_id", "Rule", most=200), form.whole("rule_version", "Version of the rule"),
        _reason(form),
    ),
    "consent": lambda one, form: Consent(
        one, form.version, form.text("account_id", "Account", most=200),
        form.text("source_document", "Where it is written down", most=200),
    ),
}  # fmt: skip


def _said(act: str, receipt: Receipt, checks_here: bool) -> str:
    """Tell in a sentence or two what was done, and what it waits for now."""
    anew = "Now it is to be checked again, then submitted." if checks_here else "The nightly run checks it anew."
    if not receipt.first:
        return "This was done already; nothing was done twice."
    if act == "approve" and receipt.state == State.SUBMITTED:
        return "Your approval is recorded. One more person has to approve."
    return {
        "submit": "Submitted for approval.",
        "withdraw": "Withdrawn. The signal is with its makers again.",
        "approve": "Approved.",
        "check": "Checked again, on the present data and consents.",
        "return": "Returned to its makers with your reason.",
        "reject": "Rejected. The signal is closed.",
        "release": "Released. The ticket is on its way out.",
        "override": "The finding stands with your reason. The signal now needs two approvers.",
        "consent": f"Consent recorded. {anew}",
        "revise": f"The trades are changed. {anew}",
        "draft": "Your words are in place of the draft's, and the verifier has read them: see below what it says.",
        "discard": "The draft is taken off. Its text and history are kept.",
    }[act]


@router.post("/signals/{signal_id}/drafts/{draft_id}")
def edit_draft(visit: SignedIn, signal_id: str, draft_id: str) -> Response:
    """Put a person's words in place of the drafted ones, with what the verifier says of them."""
    form = visit.form
    words = form.text("body", "Text", most=20_000)
    report = _report(visit, signal_id, draft_id, words)
    reason = form.optional("reason", "Reason")
    command = EditDraft(signal_id, form.version, draft_id, words, _code(form), reason, report)
    return _done(visit, signal_id, "draft", command)


def _report(visit: Visit, signal_id: str, draft_id: str, words: str) -> Document | None:
    """The verifier's report of words against the facts of a draft; None where none are kept with it."""
    with visit.reading() as connection:
        view = seen(connection, visit, signal_id)
        facts_hash = next((one.facts_hash for one in view.drafts if one.draft_id == draft_id), None)
        facts = body(connection, visit, view, facts_hash)
    return None if facts is None else releases.verified(words, facts)[1]


@router.post("/signals/{signal_id}/drafts/{draft_id}/discard")
def discard_draft(visit: SignedIn, signal_id: str, draft_id: str) -> Response:
    """Take a draft off its signal."""
    form = visit.form
    return _done(visit, signal_id, "discard", DiscardDraft(signal_id, form.version, draft_id, _reason(form)))


@router.get("/signals/{signal_id}/revise")
def choose_trades(visit: SignedIn, signal_id: str) -> Response:
    """Show the trades with a box each, to take some of them out."""
    with visit.reading() as connection:
        view = seen(connection, visit, signal_id)
        package = body(connection, visit, view, view.package_hash)
    return visit.page(
        "revise.html",
        title=f"Take trades out: {view.household_name}",
        here="queue",
        signal=view,
        accounts=trade_lines(package) if package else (),
        reasons=REASONS,
        possible=Action.REVISE in view.allowed and Action.REVISE not in view.obstacles,
    )


@router.post("/signals/{signal_id}/revise")
def revise(visit: SignedIn, signal_id: str) -> Response:
    """Make a new package without the trades that were unticked."""
    from workbench.signals import summary  # reads pandas and the firm's tables: only where a package is made

    form = visit.form
    visit.request.state.back = f"/signals/{signal_id}"
    with visit.reading() as connection:
        view = seen(connection, visit, signal_id)
        package = body(connection, visit, view, view.package_hash)
    if package is None:
        raise DecisionError("the signal's package was disposed of; propose this household anew")
    if form.version == view.version and form.sheet_hash != view.sheet_hash:
        raise StaleError("the trades are no longer those that were shown; look at them anew")
    if form.version != view.version:  # a second sending of the same form is answered by its key; others are stale
        package = _as_shown(visit, signal_id, form, package)
    proposal = rebalance.loads(package)
    kept = {_place(value) for value in form.many("keep")}
    edited = without(proposal, set(range(len(proposal.trades))) - kept)
    command = Revise(
        signal_id,
        form.version,
        Document("package", "application/json", rebalance.dumps(edited)),
        None,
        replace(summary(edited, rebalance.queue([edited]).iloc[0]), rank=view.rank),
        _code(form),
        _reason(form),
    )
    return _done(visit, signal_id, "revise", command)


def _place(value: str) -> int:
    if not (value.isascii() and value.isdigit()) or len(value) > 6:
        raise FormError("A trade of the form is not one of this signal's. Please open the page again.", "keep")
    return int(value)


def _as_shown(visit: Visit, signal_id: str, form: Form, package: bytes) -> bytes:
    """The package that the form was made from, by its hash among the signal's documents; else the present one."""
    shown = form.get("package_hash")
    with visit.reading() as connection:
        view = seen(connection, visit, signal_id)
        return body(connection, visit, view, shown) or package


@router.post("/signals/{signal_id}/check")
def check(visit: SignedIn, signal_id: str) -> Response:
    """Make the pre-flight anew, against the firm as the desk has it, with the consents recorded since."""
    visit.request.state.back = f"/signals/{signal_id}"
    with visit.reading() as connection:
        view = seen(connection, visit, signal_id)
    if visit.settings.checker is None:
        raise DecisionError("this desk was started without a firm to check against; the nightly run checks the signal")
    if Action.CHECK not in view.allowed:
        authorize(visit.actor, Action.CHECK, book=view.book, state=view.state)
    made = visit.settings.checker.check(visit.store, signal_id)
    return _done(visit, signal_id, "check", replace(made, version=visit.form.version))


@router.post("/signals/{signal_id}/{act}")
def act(visit: SignedIn, signal_id: str, act: str) -> Response:
    """Do one act of `MAKE` to the signal."""
    if act not in MAKE:
        raise HTTPException(404)
    visit.request.state.back = f"/signals/{signal_id}"
    command = MAKE[act](signal_id, visit.form)
    if command.action in ON_CHECKS:
        with visit.reading() as connection:
            view = signal_view(connection, visit.actor, signal_id, now=visit.now)
            if view is not None and command.action in view.allowed:  # the store refuses others, and records it
                decidable(connection, visit, view)
    return _done(visit, signal_id, act, command)


def _done(visit: Visit, signal_id: str, act: str, command: Command) -> Response:
    receipt = visit.perform(command, back=f"/signals/{signal_id}")
    return visit.go(f"/signals/{signal_id}", _said(act, receipt, visit.settings.checker is not None))

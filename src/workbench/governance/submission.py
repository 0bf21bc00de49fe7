"""From a proposal to the question to a person: a signal comes in, is checked, and is submitted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, bindparam, delete, insert, select, update

from workbench.canonical import canonical
from workbench.errors import DecisionError, StaleError
from workbench.governance import access, drafts, rulebooks, signals, standing
from workbench.governance.access import Actor
from workbench.governance.audit.record import Entry
from workbench.governance.commands import (
    Check,
    Consent,
    Create,
    Override,
    Reject,
    Return,
    Revise,
    Submit,
    Withdraw,
)  # fmt: skip
from workbench.governance.handlers_of import Handlers
from workbench.governance.states import OPEN, Action, Mode, State
from workbench.governance.tables import consent, finding, household_inputs, signal
from workbench.governance.unit import Done, Unit, identifier

_OPEN = select(signal.c.signal_id, signal.c.package_hash, signal.c.book).where(
    signal.c.household_id == bindparam("household_id"), signal.c.state.in_(sorted(OPEN))
)
_INPUTS = select(household_inputs.c.inputs_hash).where(household_inputs.c.household_id == bindparam("household_id"))
_SEEN = insert(household_inputs)
_SIGNAL = insert(signal)
_NO_FINDINGS = delete(finding).where(finding.c.signal_id == bindparam("of"))
_FINDING = insert(finding)
_FINDINGS_OF = select(finding).where(finding.c.signal_id == bindparam("of"))
_OVERRIDE = update(finding).where(finding.c.signal_id == bindparam("of"), finding.c.rule_id == bindparam("rule"))
_NO_CONSENT = delete(consent).where(
    consent.c.signal_id == bindparam("of"), consent.c.account_id == bindparam("account")
)
_CONSENT = insert(consent)
#: From good to bad.
VERDICTS = ("pass", "warn", "block", "not_assessable")


def create(unit: Unit, actor: Actor, command: Create) -> Done:
    """Take a new signal in; the household's open ones are superseded, the same package is not taken twice."""
    first_seen = _inputs_are_current(unit, command)
    package = unit.keep(command.package)
    superseded: list[Entry] = []
    for row in unit.connection.execute(_OPEN, {"household_id": command.household_id}).all():
        access.authorize(actor, Action.CREATE, book=row.book)  # a household under another book is not anybody's to take
        if row.package_hash == package:
            return _known(unit, row.signal_id)
        superseded.append(_supersede(unit, actor, row.signal_id))
    values = _row(unit, command, package)
    unit.examine("signal", values["signal_id"])
    unit.connection.execute(_SIGNAL, values)
    if actor.kind == "person":
        signals.add_makers(unit, actor, values["signal_id"], Action.CREATE)
    body = {"signal_id": values["signal_id"], "state": "draft", "version": 1, "book": command.book}
    return Done(
        object_kind="signal",
        object_id=values["signal_id"],
        version=1,
        state=str(State.DRAFT),
        sheet_hash=values["sheet_hash"],
        book=command.book,
        after=values["sheet_hash"],
        policy=command.policy,
        inputs={"household": command.inputs_hash, "snapshot": command.snapshot},
        documents={"package": package} | ({"brief": values["brief_hash"]} if values["brief_hash"] else {}),
        details={
            "household_id": command.household_id,
            "superseded": [entry.object_id for entry in superseded],
            **({"first_seen": True} if first_seen else {}),  # pins the row of its inputs too (`pinned.first_seen`)
        },
        messages=(("signal.draft", body),),
        earlier=tuple(superseded),
        also=tuple(entry.object_id for entry in superseded),
    )


def _inputs_are_current(unit: Unit, command: Create) -> bool:
    """Take note of a household that is seen first, and say whether it is; refuse a proposal made on other data."""
    known = unit.connection.execute(_INPUTS, {"household_id": command.household_id}).scalar()
    if known is None:
        unit.connection.execute(
            _SEEN,
            {
                "household_id": command.household_id,
                "inputs_hash": command.inputs_hash,
                "snapshot": command.snapshot,
                "seen_at": unit.now,
            },
        )
    elif known != command.inputs_hash:
        raise StaleError("the proposal was made on other data than the household's present ones; propose anew")
    return known is None


def _row(unit: Unit, command: Create, package: str) -> dict[str, Any]:
    assert unit.key is not None
    brief = None if command.brief is None else unit.keep(command.brief)
    days = timedelta(days=unit.controls.signal_days)
    signal_id = identifier("signal", unit.key)
    summary = command.summary
    row = {
        "signal_id": signal_id,
        "household_id": command.household_id,
        "household_name": command.household_name,
        "book": command.book,
        "policy": command.policy,
        "models": canonical(sorted(set(command.models))).decode(),
        "accounts": canonical(sorted(set(command.accounts))).decode(),
        "mode": str(command.mode),
        "state": str(State.DRAFT),
        "version": 1,
        "package_hash": package,
        "brief_hash": brief,
        "inputs_hash": command.inputs_hash,
        "snapshot": command.snapshot,
        "as_of": summary.as_of,
        "trades": summary.trades,
        "traded": summary.traded,
        "tax": summary.tax,
        "cost": summary.cost,
        "benefit": summary.benefit,
        "rank": summary.rank,
        "cash_due": summary.cash_due,
        "out_of_band": summary.out_of_band,
        "created_at": unit.now,
        "updated_at": unit.now,
        "expires_at": command.expires_at or unit.now + days,
    }
    modes = standing.modes_of(unit.connection, command.accounts, command.models)
    row["sheet_hash"] = standing.sheet_hash(
        signal_id=signal_id,
        package=package,
        preflight=None,
        brief=brief,
        inputs=command.inputs_hash,
        rules=None,
        overrides=(),
        consents=(),
        mode=standing.strictest([Mode(command.mode), *modes]),
        controls=unit.controls.version,
    )
    return row


def _known(unit: Unit, signal_id: str) -> Done:
    found = signals.of(unit, signal_id)
    return signals.done(found, {}, details={"known": True}, message=False)


def _supersede(unit: Unit, actor: Actor, signal_id: str) -> Entry:
    found = signals.of(unit, signal_id)
    signals.void_approvals(unit, found, "superseded by a newer proposal")
    changed = signals.change(unit, found, State.SUPERSEDED)
    return signals.consequence(unit, actor, Action.SUPERSEDE, found, changed)


def check(unit: Unit, actor: Actor, command: Check) -> Done:
    """Attach a pre-flight to a signal; findings of an earlier one, and what was overridden in it, are gone."""
    found, state = signals.judged(unit, actor, command, inputs_hash=command.inputs_hash)
    rulebooks.require_in_force(unit.connection, command.rules_hash)
    if len({item.rule_id for item in command.findings}) != len(command.findings):
        raise DecisionError("a pre-flight names each rule once; give the worst finding of each")
    values: dict[str, Any] = {
        "preflight_hash": unit.keep(command.preflight),
        "rules_hash": command.rules_hash,
        "inputs_hash": command.inputs_hash,
        "verdict": max((item.verdict for item in command.findings), key=VERDICTS.index, default="pass"),
    }
    unit.connection.execute(_NO_FINDINGS, {"of": found.signal_id})
    rows = [{"signal_id": found.signal_id, **_finding(item)} for item in command.findings]
    if rows:
        unit.connection.execute(_FINDING, rows)
    sheet = signals.sheet(unit, found, found.standing.mode, **values, overrides=[])
    changed = signals.change(unit, found, state, **values, sheet_hash=sheet)
    return signals.done(found, changed, details={"verdict": values["verdict"]})


def _finding(item: Any) -> dict[str, Any]:
    return {
        "rule_id": item.rule_id,
        "rule_version": item.rule_version,
        "verdict": item.verdict,
        "value": item.value,
        "limit": item.limit,
        "reason": item.reason,
        "overridable": int(item.overridable),
    }


def submit(unit: Unit, actor: Actor, command: Submit) -> Done:
    """Ask for approval of what was shown; whoever asks is a maker from then on."""
    found, state = signals.judged(unit, actor, command)
    signals.add_makers(unit, actor, found.signal_id, command.action)
    signals.note_decision(unit, actor, found, command)
    changed = signals.change(unit, found, state, submitted_by=actor.person_id, submitted_at=unit.now)
    return signals.done(found, changed, reason=command.note)


def withdraw(unit: Unit, actor: Actor, command: Withdraw) -> Done:
    """Take one's own submission back; approvals given to it end."""
    return closed_or_returned(unit, actor, command, "withdrawn")


def revise(unit: Unit, actor: Actor, command: Revise) -> Done:
    """Replace the package by an edited one, to be checked anew; its editor is a maker from then on."""
    signals.require_reason(command.reason)
    found, state = signals.judged(unit, actor, command)
    package = unit.keep(command.package)
    if package == found.row.package_hash:
        raise DecisionError("the revised package is the one that is there; change something, or submit it as it is")
    values = {
        "package_hash": package,
        "brief_hash": None if command.brief is None else unit.keep(command.brief),
        **asdict(command.summary),
        **unchecked(unit, found),
    }
    signals.add_makers(unit, actor, found.signal_id, command.action)
    signals.note_decision(unit, actor, found, command, before_hash=found.row.package_hash, after_hash=package)
    sheet = signals.sheet(unit, found, found.standing.mode, **values, overrides=[])
    changed = signals.change(unit, found, state, **values, sheet_hash=sheet)
    details = {"reason_code": command.reason_code, "drafts_discarded": drafts.discard_outdated(unit, found.signal_id)}
    return signals.done(found, changed, reason=command.reason, details=details)


def agree(unit: Unit, actor: Actor, command: Consent) -> Done:
    """Note a client's consent to the trades of one account; the signal has to be checked with it."""
    signals.require_reason(command.source_document, "source_document")
    found, state = signals.judged(unit, actor, command)
    if command.account_id not in json.loads(found.row.accounts):
        raise DecisionError(f"account {command.account_id[:40]!r} is not of this signal; name one of its accounts")
    row = {"signal_id": found.signal_id, "account_id": command.account_id, "package_hash": found.row.package_hash}
    unit.connection.execute(_NO_CONSENT, {"of": found.signal_id, "account": command.account_id})
    unit.connection.execute(
        _CONSENT,
        {
            **row,
            "source_document": command.source_document,
            "recorded_by": actor.person_id,
            "recorded_at": unit.now,
        },
    )
    signals.add_makers(unit, actor, found.signal_id, command.action)
    values = unchecked(unit, found)
    sheet = signals.sheet(unit, found, found.standing.mode, **values, overrides=[])
    changed = signals.change(unit, found, state, **values, sheet_hash=sheet)
    return signals.done(found, changed, details={"account_id": command.account_id})


def override(unit: Unit, actor: Actor, command: Override) -> Done:
    """Let one finding stand, for a reason: only of a rule that says so, and two people have to approve then."""
    signals.require_reason(command.reason)
    found, state = signals.judged(unit, actor, command)
    rows = unit.connection.execute(_FINDINGS_OF, {"of": found.signal_id}).all()
    _may_stand(rows, command)
    unit.connection.execute(
        _OVERRIDE,
        {
            "of": found.signal_id,
            "rule": command.rule_id,
            "overridden_by": actor.person_id,
            "overridden_for": actor.on_behalf_of,
            "overridden_at": unit.now,
            "override_reason": command.reason,
        },
    )
    over = [(row.rule_id, row.rule_version) for row in rows if row.overridden_by or row.rule_id == command.rule_id]
    left = [
        "warn" if row.verdict != "pass" and (row.rule_id, row.rule_version) in over else row.verdict for row in rows
    ]
    signals.note_decision(unit, actor, found, command, rule_id=command.rule_id)
    sheet = signals.sheet(unit, found, found.standing.mode, overrides=over)
    changed = signals.change(unit, found, state, verdict=max(left, key=VERDICTS.index), sheet_hash=sheet)
    return signals.done(
        found,
        changed,
        reason=command.reason,
        details={"rule_id": command.rule_id, "rule_version": command.rule_version},
    )


def _may_stand(rows: Sequence[Row[Any]], command: Override) -> None:
    named = [row for row in rows if row.rule_id == command.rule_id]
    if not named:
        raise DecisionError(f"the pre-flight has no finding of rule {command.rule_id[:40]!r}; look at it anew")
    (row,) = named
    if row.rule_version != command.rule_version:
        raise StaleError(f"the finding is of version {row.rule_version} of the rule; look at it anew, then decide")
    if row.verdict == "pass":
        raise DecisionError("the rule passed; there is nothing to override")
    if not row.overridable:
        raise DecisionError("this rule does not allow an override; revise or reject the signal")
    if row.overridden_by is not None:
        raise DecisionError("the finding was overridden already")


def unchecked(unit: Unit, found: standing.Signal) -> dict[str, Any]:
    """Take a signal's pre-flight away, with its findings; return the columns that are empty then."""
    unit.connection.execute(_NO_FINDINGS, {"of": found.signal_id})
    return {"preflight_hash": None, "rules_hash": None, "verdict": None}


def closed_or_returned(unit: Unit, actor: Actor, command: Withdraw | Return | Reject, why: str) -> Done:
    """Carry out what ends a submission: its approvals end, its reason is kept."""
    signals.require_reason(command.reason)
    found, state = signals.judged(unit, actor, command)
    ended = signals.void_approvals(unit, found, why)
    signals.note_decision(unit, actor, found, command)
    changed = signals.change(unit, found, state)
    details: dict[str, Any] = {"approvals_ended": ended}
    if isinstance(command, Return | Reject):
        details["reason_code"] = command.reason_code
    return signals.done(found, changed, reason=command.reason, details=details)


HANDLERS: Handlers = {
    Check: check,
    Consent: agree,
    Create: create,
    Override: override,
    Revise: revise,
    Submit: submit,
    Withdraw: withdraw,
}

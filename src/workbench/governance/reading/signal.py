"""One signal whole: what stands in its row, who had a hand in it, what it was checked on, and what is missing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from workbench.errors import DecisionError
from workbench.governance import standing
from workbench.governance.access import Actor, allowed, visible
from workbench.governance.controls import Controls, in_force
from workbench.governance.life_cycle import ON_CHECKS, Act, decide
from workbench.governance.reading.approvals import (
    Approval,
    approvals_of,
    needed_approvals,
    reasons_for_two,
)
from workbench.governance.reading.history import Line, both, history, names_of
from workbench.governance.reading.modes import EffectiveMode, effective_modes
from workbench.governance.reading.steps import BLOCKING, missing, waiting_for
from workbench.governance.signals import whole
from workbench.governance.states import IN_FLIGHT, TRANSITIONS, Action, State
from workbench.governance.tables import consent, draft, finding, household_inputs, maker
from workbench.governance.tables import document as document_table
from workbench.governance.tables import signal as signal_table


@dataclass(frozen=True)
class Maker:
    """Somebody who had a hand in a signal, and how; a maker never checks it."""

    person_id: str
    name: str
    action: str
    at: datetime


@dataclass(frozen=True)
class Finding:
    """A rule's verdict on the signal; `overridden_by` is a name, None where nobody let it stand."""

    rule_id: str
    rule_version: int
    verdict: str
    value: str
    limit: str
    reason: str
    overridable: bool
    overridden_by: str | None
    overridden_at: datetime | None
    override_reason: str | None

    @property
    def resolved(self) -> bool:
        """Whether it stands in nobody's way: no block, or one that compliance let stand."""
        return self.verdict not in BLOCKING or self.overridden_by is not None


@dataclass(frozen=True)
class Consented:
    """A client's recorded consent to an account's trades; `current` where it was given to this very package."""

    account_id: str
    source_document: str
    recorded_by: str
    recorded_at: datetime
    current: bool


@dataclass(frozen=True)
class Draft:
    """A drafted text: the machine's words by hash, the current ones by hash, and how they were made.

    `supported` is what the verifier says of the current words: None where nobody asked it.
    """

    draft_id: str
    kind: str
    drafted_hash: str
    current_hash: str
    record: Mapping[str, Any]
    created_at: datetime
    edited_at: datetime | None
    facts_hash: str | None = None
    report_hash: str | None = None
    supported: bool | None = None
    discarded_at: datetime | None = None


@dataclass(frozen=True)
class SignalView:
    """All that a person needs to decide about one signal; money in cents, hashes in hex.

    `same_inputs` compares what it was checked on with what was last seen of the household (None: not seen since);
    `allowed` are the acts this reader's roles allow now, `obstacles` says of those that would be refused why; `missing`
    says what stands between it and its release.
    """

    signal_id: str
    household_id: str
    household_name: str
    book: str
    policy: str
    models: tuple[str, ...]
    accounts: tuple[str, ...]
    state: State
    version: int
    verdict: str | None
    sheet_hash: str
    package_hash: str
    brief_hash: str | None
    preflight_hash: str | None
    rules_hash: str | None
    inputs_hash: str
    current_inputs: str | None
    inputs_seen_at: datetime | None
    snapshot: str
    ticket_hash: str | None
    as_of: str
    rank: int
    trades: int
    traded: int
    tax: int
    cost: int
    benefit: int
    cash_due: str | None
    out_of_band: int
    created_at: datetime
    updated_at: datetime
    expires_at: datetime
    submitted_by: str | None
    submitted_at: datetime | None
    released_by: str | None
    released_at: datetime | None
    mode: EffectiveMode
    makers: tuple[Maker, ...]
    approvals: tuple[Approval, ...]
    needed: int
    findings: tuple[Finding, ...]
    consents: tuple[Consented, ...]
    drafts: tuple[Draft, ...]
    history: tuple[Line, ...]
    allowed: frozenset[Action]
    obstacles: Mapping[Action, str]
    missing: tuple[str, ...]
    waiting_for: str
    made_by_reader: bool
    in_flight: tuple[str, ...]
    first_package: str | None

    @property
    def same_inputs(self) -> bool | None:
        """Whether the household still has the inputs that the signal was made and checked on."""
        return None if self.current_inputs is None else self.current_inputs == self.inputs_hash

    @property
    def valid_approvals(self) -> tuple[Approval, ...]:
        """The approvals that count now."""
        return tuple(one for one in self.approvals if one.standing == "valid")

    @property
    def unresolved(self) -> tuple[Finding, ...]:
        """The findings that nobody may submit over."""
        return tuple(one for one in self.findings if not one.resolved)


def signal_view(connection: Connection, actor: Actor, signal_id: str, *, now: datetime) -> SignalView | None:
    """Return a signal as this actor may see it; None for one that does not exist or lies in another book."""
    seen = select(signal_table).where(signal_table.c.signal_id == signal_id, visible(actor, signal_table.c.book))
    row = connection.execute(seen).one_or_none()
    if row is None:
        return None
    makers = _makers(connection, signal_id)
    approvals = approvals_of(connection, [signal_id], now).get(signal_id, ())
    findings = _findings(connection, signal_id)
    consents = _consents(connection, row)
    names = names_of(connection, {one for one in (row.submitted_by, row.released_by) if one})
    mode = effective_modes(connection, [row._mapping])[signal_id]
    current = connection.execute(
        select(household_inputs).where(household_inputs.c.household_id == row.household_id)
    ).one_or_none()
    limits = in_force(connection)
    valid = [one for one in approvals if one.standing == "valid"]
    because = reasons_for_two(
        row.traded, limits.second_approver_above, any(one.overridden_by for one in findings), valid
    )
    needed = needed_approvals(because)
    may = _allowed(actor, row, mode, makers, valid)
    flight = _in_flight(connection, actor, row)
    lines = history(connection, actor, "signal", signal_id)
    drafts = _drafts(connection, signal_id)
    plain = {name: getattr(row, name) for name in SignalView.__dataclass_fields__ if name in signal_table.c}
    plain |= {
        "mode": mode,
        "models": tuple(json.loads(row.models)),
        "accounts": tuple(json.loads(row.accounts)),
        "state": State(row.state),
        "submitted_by": names.get(row.submitted_by),
        "released_by": names.get(row.released_by),
    }
    state = State(row.state)
    return SignalView(
        **plain,
        current_inputs=current.inputs_hash if current else None,
        inputs_seen_at=current.seen_at if current else None,
        makers=makers,
        approvals=approvals,
        needed=needed,
        findings=findings,
        consents=consents,
        drafts=drafts,
        history=lines,
        allowed=may,
        obstacles=_obstacles(connection, actor, row, may, limits, now),
        missing=missing(
            state=state,
            unresolved={one.rule_id: one.overridable for one in findings if not one.resolved},
            checked=row.preflight_hash is not None,
            same_inputs=None if current is None else current.inputs_hash == row.inputs_hash,
            approvals=len(valid),
            needed=needed,
            because=because,
            mode=mode.mode,
            mode_set_by=_set_by(mode),
            in_flight=flight,
            unsupported=sorted({one.kind for one in drafts if one.discarded_at is None and not one.supported}),
        ),
        waiting_for=waiting_for(
            state,
            row.verdict,
            mode.mode,
            len(valid),
            needed,
            {one.rule_id: one.overridable for one in findings if not one.resolved},
        ),
        made_by_reader=bool({one.person_id for one in makers} & actor.persons),
        in_flight=flight,
        first_package=_first_package(lines),
    )


def document(
    connection: Connection, actor: Actor, signal_id: str, content_hash: str
) -> tuple[str, str, bytes | None] | None:
    """Return kind, media type and bytes of a document that belongs to a signal the actor may see.

    Bytes are None once disposed of; None is returned for a document of no such signal, so that a hash alone opens
    nothing.
    """
    view = select(signal_table).where(signal_table.c.signal_id == signal_id, visible(actor, signal_table.c.book))
    row = connection.execute(view).one_or_none()
    if row is None or content_hash not in _hashes(connection, actor, row):
        return None
    found = connection.execute(select(document_table).where(document_table.c.hash == content_hash)).one_or_none()
    return None if found is None else (found.kind, found.media_type, found.body)


def _hashes(connection: Connection, actor: Actor, row: Row[Any]) -> set[str]:
    """The documents of a signal: the current ones, its drafts', and those its history names."""
    found: set[str | None] = {row.package_hash, row.brief_hash, row.preflight_hash, row.ticket_hash}
    for one in _drafts(connection, row.signal_id):
        found |= {one.drafted_hash, one.current_hash, one.facts_hash, one.report_hash}
        found |= {str(value) for value in one.record.values()}
    for line in history(connection, actor, "signal", row.signal_id):
        found |= {str(value) for value in line.documents.values()}
    return {one for one in found if one}


def _first_package(lines: Sequence[Line]) -> str | None:
    return next((line.documents["package"] for line in lines if line.action == "create" and not line.refused
                 and "package" in line.documents), None)  # fmt: skip


def _makers(connection: Connection, signal_id: str) -> tuple[Maker, ...]:
    rows = connection.execute(select(maker).where(maker.c.signal_id == signal_id).order_by(maker.c.at)).all()
    names = names_of(connection, {row.person_id for row in rows})
    return tuple(Maker(row.person_id, names[row.person_id], row.action, row.at) for row in rows)


def _findings(connection: Connection, signal_id: str) -> tuple[Finding, ...]:
    rows = connection.execute(select(finding).where(finding.c.signal_id == signal_id)).all()
    names = names_of(connection, {one for row in rows for one in (row.overridden_by, row.overridden_for) if one})
    order = {"not_assessable": 0, "block": 1, "warn": 2, "pass": 3}
    found = [
        Finding(
            row.rule_id, row.rule_version, row.verdict, row.value, row.limit, row.reason, bool(row.overridable),
            both(row.overridden_by, row.overridden_for, names), row.overridden_at, row.override_reason,
        )
        for row in rows
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda one: (one.resolved, order[one.verdict], one.rule_id)))


def _consents(connection: Connection, row: Row[Any]) -> tuple[Consented, ...]:
    rows = connection.execute(select(consent).where(consent.c.signal_id == row.signal_id)).all()
    names = names_of(connection, {one.recorded_by for one in rows})
    return tuple(
        Consented(
            one.account_id,
            one.source_document,
            names[one.recorded_by],
            one.recorded_at,
            one.package_hash == row.package_hash,
        )
        for one in rows
    )


def _drafts(connection: Connection, signal_id: str) -> tuple[Draft, ...]:
    asked = select(draft).where(draft.c.signal_id == signal_id).order_by(draft.c.created_at, draft.c.draft_id)
    return tuple(
        Draft(
            row.draft_id,
            row.kind,
            row.drafted_hash,
            row.current_hash,
            json.loads(row.record),
            row.created_at,
            row.edited_at,
            row.facts_hash,
            row.report_hash,
            None if row.supported is None else bool(row.supported),
            row.discarded_at,
        )
        for row in connection.execute(asked)
    )


def _in_flight(connection: Connection, actor: Actor, row: Row[Any]) -> tuple[str, ...]:
    asked = select(signal_table.c.signal_id).where(
        signal_table.c.household_id == row.household_id,
        signal_table.c.signal_id != row.signal_id,
        signal_table.c.state.in_(sorted(state.value for state in IN_FLIGHT)),
        visible(actor, signal_table.c.book),
    )
    return tuple(connection.execute(asked).scalars())


def _allowed(
    actor: Actor, row: Row[Any], mode: EffectiveMode, makers: Sequence[Maker], valid: Sequence[Approval]
) -> frozenset[Action]:
    people = {person for one in valid for person in (one.person_id, one.on_behalf_of) if person}
    return allowed(
        actor,
        book=row.book,
        state=State(row.state),
        mode=mode.mode,
        makers=frozenset(one.person_id for one in makers),
        approvers=frozenset(people),
    )


def _obstacles(
    connection: Connection, actor: Actor, row: Row[Any], may: frozenset[Action], limits: Controls, now: datetime
) -> dict[Action, str]:
    """Why acts that the reader's roles allow would be refused now, asked of the very function that decides."""
    found = standing.load(connection, row.signal_id)
    refused: dict[Action, str] = {}
    for action in sorted(may & TRANSITIONS.keys()):
        act = Act(action, actor.persons, row.version, sheet_hash=row.sheet_hash)
        try:
            if found is not None:
                decide(found.standing, act, limits, now)
            if found is not None and action in ON_CHECKS:
                whole(connection, found)
        except DecisionError as error:
            refused[action] = str(error)
    return refused


def _set_by(mode: EffectiveMode) -> str:
    return "the book of record" if mode.kind == "record" else f"the rollout of {mode.kind} {mode.key}"

"""A signal as it stands in the database: its row, and everything a decision about it depends on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, exists, or_, select

from workbench.canonical import canonical
from workbench.errors import AccessError, AuditError, StaleError
from workbench.governance import access
from workbench.governance.access import Actor
from workbench.governance.commands import SignalCommand
from workbench.governance.life_cycle import FORWARD, Approval, Standing, valid_approvals
from workbench.governance.states import IN_FLIGHT, STRICTNESS, Action, Mode, State
from workbench.governance.tables import approval, draft, finding, household_inputs, maker, rollout, signal
from workbench.governance.unit import Unit

#: Acts that a signal changed by hand is refused; what stops one is still done.
CARRIES_FORWARD = FORWARD | {Action.EXPORT}


@dataclass(frozen=True)
class Signal:
    """One signal's row, with its standing and the findings that were overridden or stand against it."""

    row: Row[Any]
    standing: Standing
    findings: tuple[Row[Any], ...]

    @property
    def signal_id(self) -> str:
        """Its identifier."""
        return str(self.row.signal_id)


_other = signal.alias("other")
_SIGNAL = (
    select(
        signal,
        household_inputs.c.inputs_hash.label("inputs_now"),
        exists()
        .where(
            _other.c.household_id == signal.c.household_id,
            _other.c.signal_id != signal.c.signal_id,
            _other.c.state.in_(sorted(IN_FLIGHT)),
        )
        .label("in_flight"),
    )
    .select_from(signal.outerjoin(household_inputs, household_inputs.c.household_id == signal.c.household_id))
    .where(signal.c.signal_id == bindparam("signal_id"))
)
_MAKERS = select(maker.c.person_id).where(maker.c.signal_id == bindparam("signal_id"))
_APPROVALS = select(approval).where(approval.c.signal_id == bindparam("signal_id"), approval.c.voided_at.is_(None))
_FINDINGS = select(finding).where(
    finding.c.signal_id == bindparam("signal_id"),
    or_(finding.c.verdict.in_(("block", "not_assessable")), finding.c.overridden_by.is_not(None)),
)
#: Drafts that stand in the way: with a fault, or never verified.
_UNSUPPORTED = (
    select(draft.c.kind)
    .where(
        draft.c.signal_id == bindparam("signal_id"),
        draft.c.discarded_at.is_(None),
        draft.c.supported.is_distinct_from(1),
    )
    .order_by(draft.c.kind)
    .distinct()
)
_ROLLOUT = select(rollout.c.kind, rollout.c.key, rollout.c.mode).where(
    rollout.c.key.in_(bindparam("keys", expanding=True))
)


def load(connection: Connection, signal_id: str) -> Signal | None:
    """Read a signal as it stands; None where there is none."""
    asked = {"signal_id": signal_id}
    row = connection.execute(_SIGNAL, asked).first()
    if row is None:
        return None
    findings = tuple(connection.execute(_FINDINGS, asked).all())
    return Signal(row, _standing(connection, row, findings), findings)


def _standing(connection: Connection, row: Row[Any], findings: tuple[Row[Any], ...]) -> Standing:
    asked = {"signal_id": row.signal_id}
    return Standing(
        state=State(row.state),
        version=row.version,
        sheet_hash=row.sheet_hash,
        mode=effective_mode(connection, row),
        traded=row.traded,
        expires_at=row.expires_at,
        inputs_hash=row.inputs_hash,
        inputs_now=row.inputs_now or "",
        unresolved=tuple(f.rule_id for f in findings if f.overridden_by is None),
        overriders=frozenset(
            person for f in findings for person in (f.overridden_by, f.overridden_for) if person is not None
        ),
        makers=frozenset(connection.execute(_MAKERS, asked).scalars()),
        approvals=tuple(
            Approval(
                frozenset({a.person_id, a.on_behalf_of} - {None}),
                a.sheet_hash,
                a.expires_at,
                a.through == "break_glass",
            )
            for a in connection.execute(_APPROVALS, asked)
        ),
        in_flight=bool(row.in_flight),
        unsupported=tuple(connection.execute(_UNSUPPORTED, asked).scalars()),
    )


def effective_mode(connection: Connection, row: Row[Any]) -> Mode:
    """Return the strictest of what the book of record said, and of the rollout of its accounts and models."""
    return strictest([Mode(row.mode), *modes_of(connection, json.loads(row.accounts), json.loads(row.models))])


def modes_of(connection: Connection, accounts: Collection[str], models: Collection[str]) -> list[Mode]:
    """Return the rollout modes set for any of these accounts and models."""
    kinds = {"account": set(accounts), "model": set(models)}
    rows = connection.execute(_ROLLOUT, {"keys": sorted(kinds["account"] | kinds["model"])})
    return [Mode(row.mode) for row in rows if row.key in kinds[row.kind]]


def strictest(modes: Iterable[Mode]) -> Mode:
    """Return the mode that lets least happen."""
    return min(modes, key=STRICTNESS.index)


def admit(unit: Unit, actor: Actor, command: SignalCommand) -> Signal:
    """Read the signal of a command and ask whether the actor may do it; the unit keeps it for the handler.

    Raises `AccessError`; `StaleError` before it where the only thing against the act is that the signal moved on;
    `AuditError` where its rows are not what its last record left and the act would carry it forward.
    """
    found = load(unit.connection, command.signal_id)
    # What is in another's book is refused in the words for what does not exist, or guesses could find it.
    if found is None or not access.reaches(actor, found.row.book):
        raise AccessError(
            f"there is no signal {command.signal_id[:40]!r} in your books; look for it in the queue", "book"
        )
    standing = found.standing
    passed = frozenset().union(*(a.persons for a in valid_approvals(standing, unit.now)))
    try:
        grants = access.authorize(
            actor, command.action, book=found.row.book, state=standing.state, mode=standing.mode,
            makers=standing.makers, approvers=passed,
        )  # fmt: skip
    except AccessError as refusal:
        if refusal.rule == "state" and command.version != standing.version:
            raise StaleError(
                f"you saw version {command.version}, the signal is at version {standing.version} and {standing.state}; "
                "look at it anew, then decide"
            ) from refusal
        raise
    if not unit.examine("signal", found.signal_id) and command.action in CARRIES_FORWARD:
        raise AuditError(
            "this signal was changed outside the desk: it is not what its last record left. Reject it, keep the "
            "database file as it is, and call compliance"
        )
    unit.roles = tuple(str(role) for role in grants)
    unit.signal = found
    return found


def sheet_hash(
    *,
    signal_id: str,
    package: str,
    preflight: str | None,
    brief: str | None,
    inputs: str,
    rules: str | None,
    overrides: Iterable[tuple[str, int]],
    consents: Iterable[tuple[str, str]],
    mode: Mode,
    controls: int,
) -> str:
    """Return the hash of what a person decides on: SHA-256 of canonical JSON of everything on the sheet."""
    sheet = {
        "signal_id": signal_id,
        "package": package,
        "preflight": preflight,
        "brief": brief,
        "inputs": inputs,
        "rules": rules,
        "overrides": sorted([rule, version] for rule, version in overrides),
        "consents": sorted([account, source] for account, source in consents),
        "mode": str(mode),
        "controls": controls,
    }
    return hashlib.sha256(canonical(sheet)).hexdigest()

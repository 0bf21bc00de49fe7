"""Approvals as they stand: which are valid, which are not and why, and how many a signal needs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from workbench.governance.tables import approval, person, signal


@dataclass(frozen=True)
class Approval:
    """One person's approval; `standing` is valid, voided, expired or of another sheet, `why` says so in words."""

    person_id: str
    name: str
    on_behalf_of: str | None
    on_behalf_of_name: str | None
    approved_at: datetime
    expires_at: datetime
    sheet_hash: str
    broken_glass: bool
    standing: str
    why: str


def approvals_of(connection: Connection, ids: Sequence[str], now: datetime) -> dict[str, tuple[Approval, ...]]:
    """Return every approval of these signals, oldest first, each with where it stands now."""
    lender = person.alias("lender")
    asked = (
        select(approval, person.c.name, lender.c.name.label("lender"), signal.c.sheet_hash.label("current"))
        .join(person, person.c.person_id == approval.c.person_id)
        .join(signal, signal.c.signal_id == approval.c.signal_id)
        .outerjoin(lender, lender.c.person_id == approval.c.on_behalf_of)
        .where(approval.c.signal_id.in_(ids))
        .order_by(approval.c.approved_at, approval.c.approval_id)
    )
    found: dict[str, list[Approval]] = defaultdict(list)
    rows = connection.execute(asked).all()
    fallen = {
        row.signal_id
        for row in rows
        if row.voided_at is None and row.sheet_hash == row.current and row.expires_at <= now
    }
    for row in rows:
        standing, why = _standing(row.voided_at, row.void_reason, row.expires_at, row.sheet_hash == row.current, now)
        if standing == "valid" and row.signal_id in fallen:
            standing, why = "expired", "Another approval of the same content is past its hour; both are given anew."
        found[row.signal_id].append(
            Approval(
                row.person_id,
                row.name,
                row.on_behalf_of,
                row.lender,
                row.approved_at,
                row.expires_at,
                row.sheet_hash,
                row.through == "break_glass",
                standing,
                why,
            )
        )
    return {signal_id: tuple(approvals) for signal_id, approvals in found.items()}


def valid_approvals(connection: Connection, ids: Sequence[str], now: datetime) -> dict[str, tuple[Approval, ...]]:
    """Return the approvals of these signals that count now."""
    found = approvals_of(connection, ids, now)
    return {key: tuple(one for one in approvals if one.standing == "valid") for key, approvals in found.items()}


def reasons_for_two(traded: int, above: int, overridden: bool, approvals: Sequence[Approval]) -> tuple[str, ...]:
    """Say why a signal needs two approvers; empty where one is enough."""
    reasons = []
    if traded >= above:
        reasons.append(f"the signal trades ${traded / 100:,.0f}, and ${above / 100:,.0f} or more needs two")
    if overridden:
        reasons.append("compliance let a finding stand")
    if any(one.broken_glass for one in approvals):
        reasons.append("one approval was given with emergency access")
    return tuple(reasons)


def needed_approvals(reasons: Sequence[str]) -> int:
    """Return how many people must approve."""
    return 2 if reasons else 1


def _standing(
    voided_at: datetime | None, reason: str | None, expires_at: datetime, same: bool, now: datetime
) -> tuple[str, str]:
    if voided_at is not None:
        return "voided", f"Voided: {reason or 'the signal changed'}."
    if not same:
        return "of another sheet", "It was given to another content than the one shown here."
    if expires_at <= now:
        return "expired", "It is past its hour; somebody has to approve anew."
    return "valid", "Valid."

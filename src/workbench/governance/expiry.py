"""What time does: signals past their day are closed, approvals past their hour are asked for again."""

from __future__ import annotations

from sqlalchemy import bindparam, select

from workbench.governance import signals
from workbench.governance.access import Actor
from workbench.governance.approvals import FELL
from workbench.governance.audit.record import Entry
from workbench.governance.commands import Expire, Sweep
from workbench.governance.handlers_of import Handlers
from workbench.governance.states import OPEN, Action, State
from workbench.governance.tables import approval, signal
from workbench.governance.unit import Done, Unit

_PAST = (
    select(signal.c.signal_id)
    .where(signal.c.state.in_(sorted(OPEN)), signal.c.expires_at <= bindparam("now", type_=signal.c.expires_at.type))
    .order_by(signal.c.signal_id)
)
_LAPSED = (
    select(signal.c.signal_id)
    .join(approval, approval.c.signal_id == signal.c.signal_id)
    .where(
        signal.c.state.in_(("submitted", "approved")),
        approval.c.voided_at.is_(None),
        approval.c.expires_at <= bindparam("now", type_=approval.c.expires_at.type),
    )
    .distinct()
    .order_by(signal.c.signal_id)
)


def expire(unit: Unit, actor: Actor, command: Expire) -> Done:
    """Close one open signal that is past its day."""
    found, state = signals.judged(unit, actor, command)
    signals.void_approvals(unit, found, "the signal expired")
    return signals.done(found, signals.change(unit, found, state))


def sweep(unit: Unit, actor: Actor, command: Sweep) -> Done:
    """Close every open signal past its day, then send back for approval what expired approvals held."""
    asked = {"now": unit.now}
    expired = [_expire(unit, actor, one) for one in unit.connection.execute(_PAST, asked).scalars().all()]
    lapsed = [lapse_expired(unit, actor, one) for one in unit.connection.execute(_LAPSED, asked).scalars().all()]
    touched = (*expired, *lapsed)
    return Done(
        object_kind="signals",
        object_id="open",
        details={"expired": len(expired), "lapsed": len(lapsed)},
        messages=(("signals.swept", {"expired": len(expired), "lapsed": len(lapsed)}),) if touched else (),
        earlier=touched,
        also=tuple(entry.object_id for entry in touched),
    )


def _expire(unit: Unit, actor: Actor, signal_id: str) -> Entry:
    found = signals.of(unit, signal_id)
    signals.void_approvals(unit, found, "the signal expired")
    changed = signals.change(unit, found, State.EXPIRED)
    return signals.consequence(unit, actor, Action.EXPIRE, found, changed)


def lapse_expired(unit: Unit, actor: Actor, signal_id: str) -> Entry:
    """End a signal's approvals, of which one expired, and let it wait for new ones: they stand or fall together."""
    found = signals.of(unit, signal_id)
    signals.void_approvals(unit, found, FELL)
    changed = signals.change(unit, found, State.SUBMITTED)
    return signals.consequence(unit, actor, Action.LAPSE, found, changed, reason="approval expired")


HANDLERS: Handlers = {Expire: expire, Sweep: sweep}

"""The queue of signals: one page of it, filtered, ranked, and no larger than was asked for.

A page takes a handful of queries whatever its length. Pages follow each other by key, not by count, so that a signal
that comes in meanwhile neither repeats nor hides a row.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Row, and_, exists, false, func, or_, select, true
from sqlalchemy.sql import operators

from workbench.errors import ParameterError
from workbench.governance.access import EVERY_BOOK, Actor, Grant, visible
from workbench.governance.controls import in_force
from workbench.governance.reading.approvals import needed_approvals, reasons_for_two, valid_approvals
from workbench.governance.reading.modes import EffectiveMode, effective_modes, holds, mode_at_least, mode_is
from workbench.governance.reading.steps import BLOCKING, CONSENT_RULE, waiting_for
from workbench.governance.roles import ON_SIGNALS, Role
from workbench.governance.states import MODES_FOR, OPEN, STRICTNESS, Action, Mode, State
from workbench.governance.tables import approval, finding, maker, signal

Sort = Literal["rank", "urgency", "size", "age"]
#: Rows of a page, and the most that may be asked for.
PAGE, MOST = 50, 200
#: A cash need within so many days counts as due.
DUE_DAYS = 10
#: Sorts after every day there is.
_NEVER = "9999-12-31"
#: The acts that a signal in a state waits for, and whether its makers are barred from them.
_NEXT: dict[State, tuple[tuple[Action, bool], ...]] = {
    State.DRAFT: ((Action.CHECK, False),),
    State.CHECKED: ((Action.SUBMIT, False), (Action.OVERRIDE, True), (Action.REVISE, False), (Action.CONSENT, False)),
    State.RETURNED: ((Action.REVISE, False),),
    State.SUBMITTED: ((Action.APPROVE, True),),
    State.APPROVED: ((Action.RELEASE, True),),
}
#: In mode monitor these wait for nobody: they are alerts to read.
_ALERTS = frozenset({State.DRAFT, State.CHECKED, State.RETURNED})


@dataclass(frozen=True)
class Filters:
    """What to show: every filter that is set must hold. `states` empty means all; `text` is looked for in the
    household's name and number; `mine` keeps what the reader may act on now; `cash_due` what must raise cash within
    `DUE_DAYS`; `overdue` what is past its own day or its cash need's.
    """

    states: frozenset[State] = OPEN
    verdict: str | None = None
    mode: Mode | None = None
    book: str | None = None
    model: str | None = None
    policy: str | None = None
    text: str = ""
    mine: bool = False
    cash_due: bool = False
    overdue: bool = False


@dataclass(frozen=True)
class QueueRow:
    """A signal in one line; money in cents. `made_by_reader` where the reader is a maker, so cannot check it."""

    signal_id: str
    household_id: str
    household_name: str
    book: str
    policy: str
    models: tuple[str, ...]
    state: State
    version: int
    verdict: str | None
    mode: EffectiveMode
    rank: int
    trades: int
    traded: int
    tax: int
    cost: int
    benefit: int
    as_of: str
    cash_due: str | None
    out_of_band: int
    created_at: datetime
    expires_at: datetime
    approvals: int
    needed: int
    waiting_for: str
    made_by_reader: bool


@dataclass(frozen=True)
class QueuePage:
    """Rows of a page, how many the filters leave in all, and the signal after which the next page starts."""

    rows: tuple[QueueRow, ...]
    total: int
    next_after: str | None


def queue_page(
    connection: Connection,
    actor: Actor,
    filters: Filters = Filters(),
    sort: Sort = "rank",
    after: str | None = None,
    *,
    now: datetime,
    limit: int = PAGE,
) -> QueuePage:
    """Return one page of the signals that the actor may see, in the order asked for, after signal `after`.

    Sorts: `rank` (best benefit a dollar first), `urgency` (cash due, then what expires first), `size` (most traded
    first), `age` (oldest first). Raises `ParameterError` for another sort or a limit out of range.
    """
    if not 1 <= limit <= MOST:
        raise ParameterError(f"a page has 1 to {MOST} rows, not {limit}", "limit")
    keys = _keys(sort)
    wanted = and_(visible(actor, signal.c.book), *_conditions(connection, actor, filters, now))
    total = connection.execute(select(func.count()).select_from(signal).where(wanted)).scalar_one()
    page = select(signal).where(wanted).order_by(*keys).limit(limit + 1)
    if after:
        page = page.where(_beyond(connection, actor, keys, after))
    found = connection.execute(page).all()
    rows = _rows(connection, actor, found[:limit], now)
    return QueuePage(rows, total, rows[-1].signal_id if len(found) > limit else None)


def choices(connection: Connection, actor: Actor) -> dict[str, tuple[str, ...]]:
    """Return what there is to filter by among the signals that the actor may see: books, policies and models."""
    seen = visible(actor, signal.c.book)
    rows = connection.execute(select(signal.c.book, signal.c.policy, signal.c.models).where(seen).distinct()).all()
    models = {str(model) for row in rows for model in json.loads(row.models)}
    return {
        "book": tuple(sorted({row.book for row in rows})),
        "policy": tuple(sorted({row.policy for row in rows})),
        "model": tuple(sorted(models)),
    }


def needs(connection: Connection, actor: Actor, now: datetime) -> ColumnElement[bool]:
    """Return the condition that a signal waits for an act which this actor may do: role, book, mode, and no maker."""
    persons = sorted(actor.persons)
    made = exists(select(1).where(maker.c.signal_id == signal.c.signal_id, maker.c.person_id.in_(persons)))
    live = select(1).where(
        approval.c.signal_id == signal.c.signal_id,
        approval.c.sheet_hash == signal.c.sheet_hash,
        approval.c.voided_at.is_(None),
        approval.c.expires_at > now,
    )
    first = ~exists(live)
    approved = exists(live.where(or_(approval.c.person_id.in_(persons), approval.c.on_behalf_of.in_(persons))))
    blocked = signal.c.verdict.in_(BLOCKING)
    against = select(1).where(
        finding.c.signal_id == signal.c.signal_id,
        finding.c.verdict.in_(BLOCKING),
        finding.c.overridden_by.is_(None),
    )
    needed = {
        Action.OVERRIDE: and_(blocked, exists(against.where(finding.c.overridable == 1))),
        Action.CONSENT: and_(blocked, exists(against.where(finding.c.rule_id == CONSENT_RULE))),
        Action.SUBMIT: ~blocked,
    }
    drafted = mode_at_least(connection, Mode.DRAFT)
    parts: list[ColumnElement[bool]] = []
    for state, acts in _NEXT.items():
        for action, barred in acts:
            held = [grant for grant in actor.grants if state in ON_SIGNALS[grant.role].get(action, ())]
            if action is Action.CHECK:  # others may; whoever prepares is asked
                held = [grant for grant in held if grant.role is Role.ANALYST]
            if not held:
                continue
            part = [signal.c.state == state.value, _in_books(held)]
            part += [~made] if barred else []
            if action is Action.APPROVE:  # compliance approves second
                leads = [grant for grant in held if grant.role is not Role.COMPLIANCE]
                part += [~approved, or_(~first, _in_books(leads))]
            part += [needed[action]] if action in needed else []
            part += [blocked] if action is Action.REVISE and state is State.CHECKED else []
            if state in _ALERTS:
                part.append(drafted)
            elif action in MODES_FOR:
                part.append(mode_at_least(connection, min(MODES_FOR[action], key=STRICTNESS.index)))
            parts.append(and_(*part))
    return or_(*parts) if parts else false()


def _in_books(grants: Sequence[Grant]) -> ColumnElement[bool]:
    books = {grant.book for grant in grants}
    return true() if EVERY_BOOK in books else signal.c.book.in_(sorted(books)) if books else false()


def _conditions(connection: Connection, actor: Actor, filters: Filters, now: datetime) -> list[ColumnElement[bool]]:
    today = now.date()
    due = (today + timedelta(days=DUE_DAYS)).isoformat()
    text = filters.text.strip().lower()
    wanted = [
        (bool(filters.states), lambda: signal.c.state.in_(sorted(state.value for state in filters.states))),
        (filters.verdict == "none", lambda: signal.c.verdict.is_(None)),
        (filters.verdict not in (None, "none"), lambda: signal.c.verdict == filters.verdict),
        (filters.book is not None, lambda: signal.c.book == filters.book),
        (filters.policy is not None, lambda: signal.c.policy == filters.policy),
        (filters.model is not None, lambda: holds(connection, signal.c.models, str(filters.model))),
        (filters.mode is not None, lambda: mode_is(connection, filters.mode or Mode.RELEASE)),
        (bool(text), lambda: _named(text)),
        (filters.cash_due, lambda: signal.c.cash_due <= due),
        (filters.overdue, lambda: or_(signal.c.expires_at <= now, signal.c.cash_due < today.isoformat())),
        (filters.overdue, lambda: signal.c.state.in_(sorted(state.value for state in OPEN))),
        (filters.mine, lambda: needs(connection, actor, now)),
    ]
    return [condition() for asked, condition in wanted if asked]


def _named(text: str) -> ColumnElement[bool]:
    return or_(
        func.lower(signal.c.household_name).contains(text, autoescape=True),
        func.lower(signal.c.household_id).contains(text, autoescape=True),
        func.lower(signal.c.signal_id) == text,
    )


def _keys(sort: str) -> tuple[Any, ...]:
    """The columns a page is ordered by, the signal last, so that no two rows are alike."""
    last = signal.c.signal_id.asc()
    orders: dict[str, tuple[Any, ...]] = {
        "rank": (signal.c.rank.asc(), last),
        "urgency": (func.coalesce(signal.c.cash_due, _NEVER).asc(), signal.c.expires_at.asc(), last),
        "size": (signal.c.traded.desc(), last),
        "age": (signal.c.created_at.asc(), last),
    }
    if sort not in orders:
        raise ParameterError(f"there is no order {sort!r}; take one of {', '.join(orders)}", "sort")
    return orders[sort]


def _beyond(connection: Connection, actor: Actor, keys: Sequence[Any], after: str) -> ColumnElement[bool]:
    """Whether a row comes after the signal `after` in this order; an unknown or hidden one starts at the beginning."""
    columns = [key.element for key in keys]
    seen = and_(visible(actor, signal.c.book), signal.c.signal_id == after)
    place = connection.execute(select(*columns).where(seen)).one_or_none()
    if place is None:
        return signal.c.signal_id.is_not(None)
    beyond: ColumnElement[bool] = false()
    for key, column, value in reversed(list(zip(keys, columns, place, strict=True))):
        later = column < value if key.modifier is operators.desc_op else column > value
        beyond = or_(later, and_(column == value, beyond))
    return beyond


def _rows(connection: Connection, actor: Actor, found: Sequence[Row[Any]], now: datetime) -> tuple[QueueRow, ...]:
    ids = [row.signal_id for row in found]
    modes = effective_modes(connection, [row._mapping for row in found])
    approvals = valid_approvals(connection, ids, now)
    overridden = _overridden(connection, ids)
    against = _against(connection, ids)
    makers = _makers(connection, ids)
    above = in_force(connection).second_approver_above
    made = []
    for row in found:
        mode, valid = modes[row.signal_id], approvals.get(row.signal_id, ())
        count = len(valid)
        needed = needed_approvals(reasons_for_two(row.traded, above, row.signal_id in overridden, valid))
        waits = waiting_for(State(row.state), row.verdict, mode.mode, count, needed, against[row.signal_id])
        made.append(_row(row._mapping, mode, count, needed, waits, bool(makers[row.signal_id] & actor.persons)))
    return tuple(made)


def _row(
    row: Mapping[Any, Any], mode: EffectiveMode, approvals: int, needed: int, waits: str, made_by_reader: bool
) -> QueueRow:
    plain = {name: row[name] for name in QueueRow.__dataclass_fields__ if name in signal.c}
    plain |= {"models": tuple(json.loads(row["models"])), "state": State(row["state"]), "mode": mode}
    return QueueRow(**plain, approvals=approvals, needed=needed, waiting_for=waits, made_by_reader=made_by_reader)


def _overridden(connection: Connection, ids: Sequence[str]) -> set[str]:
    asked = select(finding.c.signal_id).where(finding.c.signal_id.in_(ids), finding.c.overridden_by.is_not(None))
    return set(connection.execute(asked).scalars())


def _against(connection: Connection, ids: Sequence[str]) -> dict[str, dict[str, bool]]:
    """The findings in the way of each signal: rule -> whether compliance may let it stand."""
    asked = select(finding.c.signal_id, finding.c.rule_id, finding.c.overridable).where(
        finding.c.signal_id.in_(ids), finding.c.verdict.in_(BLOCKING), finding.c.overridden_by.is_(None)
    )
    found: dict[str, dict[str, bool]] = defaultdict(dict)
    for row in connection.execute(asked):
        found[row.signal_id][row.rule_id] = bool(row.overridable)
    return found


def _makers(connection: Connection, ids: Sequence[str]) -> dict[str, set[str]]:
    makers: dict[str, set[str]] = defaultdict(set)
    for row in connection.execute(select(maker.c.signal_id, maker.c.person_id).where(maker.c.signal_id.in_(ids))):
        makers[row.signal_id].add(row.person_id)
    return makers

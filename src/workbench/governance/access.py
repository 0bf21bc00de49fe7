"""May this person do this? Deny by default; one function answers for every act, page and button.

The table in `roles` says which role does what in which state. Here come the rest: books, modes, maker is not checker,
delegations, break-glass. A person's rights are read in the transaction that decides, so a revoked role is gone at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, and_, bindparam, false, literal, or_, select, true, union_all

from workbench.errors import AccessError
from workbench.governance.roles import EVERYWHERE, NEVER_A_SERVICE, ON_PAPERS, ON_SIGNALS, ON_THE_FIRM, Role
from workbench.governance.states import BY_ANOTHER, MODES_FOR, Action, Mode, PaperState, State
from workbench.governance.tables import break_glass, delegation, person, role_grant

EVERY_BOOK = "*"
#: Acts a person does in their own name only: what was lent is not lent on, and nobody breaks the glass for another.
IN_ONES_OWN_NAME = frozenset(
    {Action.DELEGATE, Action.BREAK_GLASS, Action.MANAGE_PEOPLE, Action.CONFIRM_GRANT, Action.CHANGE_PASSWORD}
)
#: Acts whose scope the query carries (`visible`), so that holding any book is enough to ask.
_ANY_BOOK = frozenset(
    {
        Action.VIEW, Action.READ_AUDIT, Action.DELEGATE, Action.BREAK_GLASS, Action.READ_PAPERS,
        Action.READ_ESCALATIONS, *EVERYWHERE,
    }
)  # fmt: skip
_OF_SIGNALS = frozenset(action for acts in ON_SIGNALS.values() for action in acts)
_OF_PAPERS = frozenset(action for acts in ON_PAPERS.values() for action in acts)
_WITHOUT_A_STATE = frozenset({Action.VIEW, Action.CREATE, Action.READ_PAPERS, Action.BRING_PAPER})
_LENDABLE = frozenset(role for role, acts in ON_THE_FIRM.items() if Action.DELEGATE in acts)
_MAY_BREAK_GLASS = frozenset(role for role, acts in ON_THE_FIRM.items() if Action.BREAK_GLASS in acts)

Through = Literal["own", "delegation", "break_glass"]


@dataclass(frozen=True)
class Who:
    """Who asks, as the session or the service says it; `on_behalf_of` names the person who delegated to them."""

    person_id: str
    on_behalf_of: str | None = None


@dataclass(frozen=True)
class Grant:
    """One role in one book (an advisor's identifier, or `*` for all), and by which way it was had."""

    role: Role
    book: str
    through: Through


@dataclass(frozen=True)
class Actor:
    """A person or service at one moment: what they hold then, and for whom they act."""

    person_id: str
    name: str
    kind: Literal["person", "service"]
    grants: tuple[Grant, ...]
    on_behalf_of: str | None = None

    @property
    def persons(self) -> frozenset[str]:
        """Everybody behind the act: who acts, and for whom."""
        return frozenset({self.person_id} | ({self.on_behalf_of} if self.on_behalf_of else set()))


def actor(connection: Connection, who: Who, now: datetime) -> Actor:
    """Read who asks and what they hold at this moment.

    Raises `AccessError`: `signed_out` for somebody unknown or deactivated, `role` for a delegation that does not exist,
    has ended, or was made by somebody deactivated since.
    """
    if who.on_behalf_of is not None:
        return _deputy(connection, who, now)
    rows = connection.execute(_OWN, {"person_id": who.person_id, "now": now}).all()
    if not rows or not rows[0].active:
        raise AccessError("nobody active of this name; sign in again, or ask an administrator", "signed_out")
    grants = [Grant(Role(row.role), row.book, row.through) for row in rows if row.role is not None]
    if not any(grant.through == "own" and grant.role in _MAY_BREAK_GLASS for grant in grants):
        grants = [grant for grant in grants if grant.through == "own"]
    return Actor(who.person_id, rows[0].name, rows[0].kind, tuple(sorted(grants, key=_order)))


def authorize(
    actor: Actor,
    action: Action,
    *,
    book: str = EVERY_BOOK,
    state: State | PaperState | None = None,
    mode: Mode | None = None,
    makers: Iterable[str] = frozenset(),
    approvers: Iterable[str] = frozenset(),
) -> tuple[Role, ...]:
    """Return the roles by which an actor may do something; what no role allows is refused.

    `state`, `mode`, `makers` and `approvers` are the signal's; an act that depends on one is refused without it.
    Raises `AccessError` with the rule against it: `service`, `role`, `book`, `state`, `mode`, `maker`.
    """
    answer = _judge(actor, action, book, state, mode, frozenset(makers), frozenset(approvers))
    if isinstance(answer, AccessError):
        raise answer
    return tuple(dict.fromkeys(grant.role for grant in answer))


def grants_for(
    actor: Actor,
    action: Action,
    *,
    book: str = EVERY_BOOK,
    state: State | PaperState | None = None,
    mode: Mode | None = None,
    makers: Iterable[str] = frozenset(),
    approvers: Iterable[str] = frozenset(),
) -> tuple[Grant, ...]:
    """Return the grants by which an actor may do something, as `authorize` does; none where it is refused.

    Those that need no broken glass come first: an approval needs a second one where the first grant is `break_glass`.
    """
    answer = _judge(actor, action, book, state, mode, frozenset(makers), frozenset(approvers))
    return () if isinstance(answer, AccessError) else answer


def allowed(
    actor: Actor,
    *,
    book: str,
    state: State,
    mode: Mode,
    makers: Iterable[str] = frozenset(),
    approvers: Iterable[str] = frozenset(),
) -> frozenset[Action]:
    """Return everything an actor may do to one signal: the buttons its page shows."""
    made, passed = frozenset(makers), frozenset(approvers)
    return frozenset(
        action
        for action in _OF_SIGNALS - {Action.CREATE}
        if not isinstance(_judge(actor, action, book, state, mode, made, passed), AccessError)
    )


def books(actor: Actor, action: Action = Action.VIEW) -> frozenset[str] | None:
    """Return the books in which an actor may do something in some state; None for all of them."""
    held = {grant.book for grant in actor.grants if _in_table(grant.role, action)}
    return None if EVERY_BOOK in held else frozenset(held)


def reaches(actor: Actor, book: str, action: Action = Action.VIEW) -> bool:
    """Whether a book is among those in which an actor may do something in some state."""
    return any(grant.book in (EVERY_BOOK, book) and _in_table(grant.role, action) for grant in actor.grants)


def visible(actor: Actor, column: ColumnElement[str] | Any, action: Action = Action.VIEW) -> ColumnElement[bool]:
    """Return the scope every query carries: rows whose book (`column`) the actor may read by `action`."""
    held = books(actor, action)
    if held is None:
        return true()
    return column.in_(sorted(held)) if held else false()


def holds(grant: Any) -> ColumnElement[bool]:
    """Return the condition that a grant needs nobody's confirmation, or has it; whether it was taken away is apart."""
    return or_(grant.c.needs_confirming.is_(None), grant.c.confirmed_at.is_not(None))


def _judge(
    actor: Actor,
    action: Action,
    book: str,
    state: State | PaperState | None,
    mode: Mode | None,
    makers: frozenset[str],
    approvers: frozenset[str],
) -> tuple[Grant, ...] | AccessError:
    said = action.replace("_", " ")
    if actor.kind != "person" and action in NEVER_A_SERVICE:
        return AccessError(f"no service account may {said}; a person has to", "service")
    if actor.on_behalf_of is not None and action in IN_ONES_OWN_NAME:
        return AccessError(f"nobody may {said} on behalf of another; do it in your own name", "role")
    held = [grant for grant in actor.grants if _in_table(grant.role, action)]
    if not held:
        return AccessError(f"none of your roles may {said}; ask somebody whose role may", "role")
    if not (action in _ANY_BOOK and book == EVERY_BOOK):
        held = [grant for grant in held if grant.book in (EVERY_BOOK, book)]
    if not held:
        return AccessError(f"your roles do not reach this book, so you may not {said} here", "book")
    if action in _OF_SIGNALS | _OF_PAPERS and not (state is None and action in _WITHOUT_A_STATE):
        held = [grant for grant in held if state in _states(grant.role, action)]
        if not held:
            thing = "a paper" if action in _OF_PAPERS else "a signal"
            where = f"{thing} without a state" if state is None else f"{thing} that is {state.replace('_', ' ')}"
            return AccessError(f"you may not {said} {where}; look at it anew", "state")
    if action in MODES_FOR and mode not in MODES_FOR[action]:
        return AccessError(f"in mode {mode or 'unknown'} nobody may {said}; the rollout mode has to change", "mode")
    return _checked(actor, action, tuple(held), makers, approvers)


def _checked(
    actor: Actor, action: Action, held: tuple[Grant, ...], makers: frozenset[str], approvers: frozenset[str]
) -> tuple[Grant, ...] | AccessError:
    said = action.replace("_", " ")
    if action is Action.WITHDRAW and not actor.persons & makers:
        return AccessError("only a maker of a signal withdraws it; return it instead, with a reason", "maker")
    if action in BY_ANOTHER and actor.persons & makers:
        thing = (
            "paper; somebody else has to release" if action in _OF_PAPERS else f"signal; somebody else has to {said}"
        )
        return AccessError(f"you, or the person you act for, made this {thing} it", "maker")
    if action is not Action.APPROVE:
        return held
    if actor.persons & approvers:
        return AccessError("you, or the person you act for, approved this already; the second is another's", "maker")
    if not approvers:
        held = tuple(grant for grant in held if grant.role is not Role.COMPLIANCE)
        if not held:
            return AccessError("compliance approves second; a portfolio manager has to approve first", "role")
    return held


def _in_table(role: Role, action: Action) -> bool:
    stateful = action in ON_SIGNALS[role] or action in ON_PAPERS[role]
    return stateful or action in ON_THE_FIRM[role] or action in EVERYWHERE


def _states(role: Role, action: Action) -> Collection[State | PaperState]:
    """The states in which a role may ask for an act on a signal or a paper."""
    return ON_PAPERS[role][action] if action in _OF_PAPERS else ON_SIGNALS[role][action]


def _order(grant: Grant) -> tuple[bool, str, str]:
    return (grant.through == "break_glass", grant.role, grant.book)


def _deputy(connection: Connection, who: Who, now: datetime) -> Actor:
    """Read somebody who acts for another: they hold what that person holds themselves and may lend, nothing else."""
    rows = connection.execute(_LENT, {"person_id": who.person_id, "for_person": who.on_behalf_of, "now": now}).all()
    if not rows:
        myself = actor(connection, Who(who.person_id), now)  # somebody signed out is told so
        raise AccessError(
            f"{myself.name} has no delegation from this person now; act in your own name or have one made", "role"
        )
    grants = {Grant(Role(row.role), row.book, "delegation") for row in rows if row.role is not None}
    lent = tuple(sorted((grant for grant in grants if grant.role in _LENDABLE), key=_order))
    return Actor(who.person_id, rows[0].name, rows[0].kind, lent, who.on_behalf_of)


_now = bindparam("now", type_=break_glass.c.starts_at.type)
_OWN = union_all(
    select(
        person.c.name, person.c.kind, person.c.active, role_grant.c.role, role_grant.c.book,
        literal("own").label("through"),
    )
    .select_from(
        person.outerjoin(
            role_grant,
            and_(
                role_grant.c.person_id == person.c.person_id, role_grant.c.revoked_at.is_(None), holds(role_grant)
            ),
        )
    )
    .where(person.c.person_id == bindparam("person_id")),
    select(
        person.c.name, person.c.kind, person.c.active, break_glass.c.role, literal(EVERY_BOOK),
        literal("break_glass"),
    )
    .select_from(person.join(break_glass, break_glass.c.person_id == person.c.person_id))
    .where(
        person.c.person_id == bindparam("person_id"),
        break_glass.c.starts_at <= _now,
        break_glass.c.ends_at > _now,
    ),
)  # fmt: skip
_lender = person.alias("lender")
_LENT = (
    select(person.c.name, person.c.kind, role_grant.c.role, role_grant.c.book)
    .select_from(
        delegation.join(person, person.c.person_id == delegation.c.to_person)
        .join(_lender, _lender.c.person_id == delegation.c.from_person)
        .outerjoin(
            role_grant,
            and_(role_grant.c.person_id == _lender.c.person_id, role_grant.c.revoked_at.is_(None), holds(role_grant)),
        )
    )
    .where(
        delegation.c.to_person == bindparam("person_id"),
        delegation.c.from_person == bindparam("for_person"),
        delegation.c.starts_at <= _now,
        delegation.c.ends_at > _now,
        delegation.c.revoked_at.is_(None),
        person.c.active == 1,
        person.c.kind == "person",
        _lender.c.active == 1,
    )
)

"""People and service accounts, and the roles they hold. Administrators give and take; nobody gives to himself.

    store.perform(Who("ann"), AddPerson("ben", "Ben Okafor", "person", "ben@firm.example"), key)
    store.perform(Who("ann"), GrantRole("ben", Role.ANALYST, "*", "new in the team"), key)

Every grant and every removal is a record of the audit trail and an alert in the outbox. Taking a role away, or
deactivating somebody, holds from the next act on, for rights are read in the transaction that decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, or_, select, true, update

from workbench.errors import AccessError, DecisionError, ParameterError
from workbench.governance import attempts, signals
from workbench.governance.access import EVERY_BOOK, Actor, Who, holds
from workbench.governance.audit.record import Entry
from workbench.governance.commands import Command, Receipt
from workbench.governance.confirmation import asked_of, keep_a_confirmer
from workbench.governance.handlers_of import Handlers
from workbench.governance.passwords import check_hash, check_password, hash_password, verify
from workbench.governance.roles import ON_SIGNALS, Role
from workbench.governance.states import Action, State
from workbench.governance.tables import approval, break_glass, delegation, desk_session, person, role_grant, signal
from workbench.governance.unit import Done, Unit
from workbench.names import misread, same_person

if TYPE_CHECKING:
    from workbench.governance.store import Store

#: Whoever makes people and gives roles takes no part in signals: nobody approves as somebody they made up.
APART = frozenset({Role.ADVISOR, Role.ANALYST, Role.PORTFOLIO_MANAGER, Role.TRADER, Role.COMPLIANCE})
APPROVING = frozenset(role for role, acts in ON_SIGNALS.items() if Action.APPROVE in acts)
FOR_SERVICES = frozenset({Role.SERVICE, Role.VIEWER})
#: Roles whose acts reach all books, so that less than all would give nothing.
FIRM_WIDE = frozenset({Role.ADMINISTRATOR, Role.SERVICE})
ALERT = "alert.people"
_IDENTIFIER = re.compile(r"[a-z0-9][a-z0-9._-]{1,63}")
_BOOK = re.compile(r"\*|[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_EMAIL = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){0,5}")


@dataclass(frozen=True)
class AddPerson(Command):
    """A new person or service account, without a role; identifiers are never used again."""

    action: ClassVar[Action] = Action.MANAGE_PEOPLE
    person_id: str
    name: str
    kind: Literal["person", "service"]
    email: str | None = None
    subject: str | None = None


@dataclass(frozen=True)
class SetPassword(Command):
    """Another person's first or new password, already hashed; `set_password` makes this command."""

    action: ClassVar[Action] = Action.MANAGE_PEOPLE
    person_id: str
    password_hash: str


@dataclass(frozen=True)
class ChangePassword(Command):
    """One's own new password, already hashed; `change_password` makes this command."""

    action: ClassVar[Action] = Action.CHANGE_PASSWORD
    password_hash: str


@dataclass(frozen=True)
class DeactivatePerson(Command):
    """Take everything from a person for good: roles, delegations from and to them, sessions, approvals not yet used."""

    action: ClassVar[Action] = Action.MANAGE_PEOPLE
    person_id: str
    reason: str


@dataclass(frozen=True)
class GrantRole(Command):
    """A role in one book (an advisor's identifier) or in all (`*`); it holds once somebody else confirmed it."""

    action: ClassVar[Action] = Action.MANAGE_PEOPLE
    person_id: str
    role: Role
    book: str
    reason: str


@dataclass(frozen=True)
class RevokeRole(Command):
    """Take one grant away."""

    action: ClassVar[Action] = Action.MANAGE_PEOPLE
    grant_id: str
    reason: str


def bootstrap(store: Store, person_id: str, name: str, email: str | None, password: str) -> None:
    """Make the first administrator of an empty database; there is nobody yet who could be asked.

    Raises `DecisionError` where anybody is there already, `ParameterError` for a name or password that will not do.
    """
    check_password(password, person_id, name, email)
    hashed = hash_password(password)
    with store.writing() as unit:
        if unit.connection.execute(select(func.count()).select_from(person)).scalar_one():
            raise DecisionError("there are people already; ask an administrator to add you")
        unit.examine("person", person_id)
        _insert(unit, AddPerson(person_id, name, "person", email), hashed)
        _give(unit, person_id, Role.ADMINISTRATOR, EVERY_BOOK, person_id)
        unit.append(
            Entry(
                action="bootstrap", outcome="done", object_kind="person", object_id=person_id, object_version=0,
                actor=person_id, actor_kind="person", roles=(Role.ADMINISTRATOR.value,),
                controls_version=unit.controls.version,
            )
        )  # fmt: skip
        unit.say(ALERT, {"what": "bootstrap", "person": person_id})


def set_password(store: Store, who: Who, person_id: str, password: str, key: str) -> Receipt:
    """Set another person's password. Raises as `Store.perform`, and `ParameterError` for one that will not do.

    It is hashed before it becomes a command, so that neither the trail nor the answered keys ever saw it. Whoever set
    it knows it: it is good for taking another one, and for nothing else.
    """
    with store.reading() as connection:
        row = known(connection, person_id)
    check_password(password, row.person_id, row.name, row.email)
    return store.perform(who, SetPassword(person_id, hash_password(password, seed=f"{key}\n{person_id}")), key)


def change_password(store: Store, who: Who, old: str, new: str, key: str, *, address: str = "") -> Receipt:
    """Change one's own password; every session of the person ends.

    Raises `AccessError`: `signed_out` where `old` is not it, `throttled` after too many attempts; and as does
    `set_password`.
    Sent again after it worked, with the same key, it answers as it did.
    """
    hashed = hash_password(new, seed=f"{key}\n{who.person_id}")
    with store.writing() as unit:
        row = known(unit.connection, who.person_id)
        made = attempts.reserve(unit, f"password of {who.person_id}", address)
        if made.over:
            attempts.record_refusal(unit, "change_password", row.person_id, address, "throttled")
    if made.over:
        raise AccessError("too many attempts to give the present password; wait some minutes", "throttled")
    right = row.password_hash == hashed or verify(row.password_hash, old)
    with store.writing() as unit:
        if right:
            attempts.forget(unit, made)
        else:
            attempts.record_refusal(unit, "change_password", row.person_id, address, "signed_out")
    if not right:
        raise AccessError("the present password is not right; type it again", "signed_out")
    check_password(new, row.person_id, row.name, row.email)
    if new == old:
        raise ParameterError("this is the present password; take another one", "password")
    return store.perform(who, ChangePassword(hashed), key)


def _add(unit: Unit, actor: Actor, command: AddPerson) -> Done:
    unit.examine("person", command.person_id)
    _insert(unit, command, None)
    return _done(unit, command.person_id, "added", kind=command.kind)


def _insert(unit: Unit, new: AddPerson, password_hash: str | None) -> None:
    if not _IDENTIFIER.fullmatch(new.person_id):
        raise ParameterError(
            "give an identifier of 2 to 64 small letters, digits, dots or dashes, such as b.okafor", "person_id"
        )
    if new.kind not in ("person", "service"):
        raise ParameterError("an account is of a person or of a service", "kind")
    reason = misread(new.name)
    if reason is not None:
        raise ParameterError(reason, "name")
    if new.email is not None and not _EMAIL.fullmatch(new.email):
        raise ParameterError("this is no e-mail address; give one such as ben@firm.example, or none", "email")
    if new.kind == "service" and new.subject is not None:
        raise ParameterError("a service account does not sign in; leave the provider's subject empty", "subject")
    for other in unit.connection.execute(select(person)):
        if other.person_id == new.person_id:
            raise DecisionError(f"the identifier {new.person_id} is taken, or was; choose another")
        if other.active and same_person(other.name, new.name):
            raise DecisionError(f"somebody reads as {new.name!r} already; add an initial or an office to the name")
        if new.email is not None and other.active and (other.email or "").casefold() == new.email.casefold():
            raise DecisionError("this e-mail address is another active person's; each needs their own")
        if new.subject is not None and other.subject == new.subject:
            raise DecisionError("this account of the identity provider belongs to somebody already")
    unit.connection.execute(
        insert(person),
        {
            "person_id": new.person_id,
            "name": new.name.strip(),
            "kind": new.kind,
            "email": new.email,
            "subject": new.subject,
            "password_hash": password_hash,
            "active": 1,
            "created_at": unit.now,
        },
    )


def _set_password(unit: Unit, actor: Actor, command: SetPassword) -> Done:
    row = known(unit.connection, command.person_id)
    if row.kind != "person":
        raise DecisionError("a service account has no password; it is started by the firm's own machine")
    if row.person_id in actor.persons:
        raise DecisionError("your own password is changed on your account page, with the present one")
    _store_password(unit, command.person_id, command.password_hash, by=actor.person_id)
    return _done(unit, command.person_id, "password_set")


def _change_password(unit: Unit, actor: Actor, command: ChangePassword) -> Done:
    _store_password(unit, actor.person_id, command.password_hash, by=None)
    return _done(unit, actor.person_id, "password_changed", alert=False)


def _store_password(unit: Unit, person_id: str, password_hash: str, *, by: str | None) -> None:
    check_hash(password_hash)
    unit.examine("person", person_id)
    _change(unit, person.c.person_id == person_id, password_hash=password_hash, password_by=by)
    end_sessions(unit, person_id)


def _deactivate(unit: Unit, actor: Actor, command: DeactivatePerson) -> Done:
    row = known(unit.connection, command.person_id)
    given_reason(command.reason)
    _keep_an_administrator(unit, role_grant.c.person_id == row.person_id)
    keep_a_confirmer(unit, role_grant.c.person_id == row.person_id)
    unit.examine("person", row.person_id)
    _change(unit, person.c.person_id == row.person_id, active=0)
    held = update(role_grant).where(role_grant.c.person_id == row.person_id, role_grant.c.revoked_at.is_(None))
    unit.connection.execute(held.values(revoked_at=unit.now))
    ended = _end_what_was_lent(unit, actor, row.person_id)
    end_sessions(unit, row.person_id)
    done = _done(unit, row.person_id, "deactivated", reason=command.reason, state="inactive")
    lapsed = _lapse(unit, actor, row.person_id, "an approver was deactivated")
    return replace(done, earlier=(*ended, *lapsed), also=tuple(entry.object_id for entry in lapsed))


def _end_what_was_lent(unit: Unit, actor: Actor, person_id: str) -> tuple[Entry, ...]:
    """End the delegations from and to a person, and their open break-glass; return the records of it."""
    mine = or_(delegation.c.from_person == person_id, delegation.c.to_person == person_id)
    lent = select(delegation.c.delegation_id).where(mine, delegation.c.revoked_at.is_(None))
    glass = select(break_glass.c.grant_id).where(break_glass.c.person_id == person_id, break_glass.c.ends_at > unit.now)
    ended = []
    for name in unit.connection.execute(lent.order_by(delegation.c.delegation_id)).scalars().all():
        unit.examine("delegation", name)
        unit.connection.execute(
            update(delegation).where(delegation.c.delegation_id == name).values(revoked_at=unit.now)
        )
        ended.append(_ended(unit, actor, "delegation", name))
    for name in unit.connection.execute(glass.order_by(break_glass.c.grant_id)).scalars().all():
        unit.examine("break_glass", name)
        unit.connection.execute(update(break_glass).where(break_glass.c.grant_id == name).values(ends_at=unit.now))
        ended.append(_ended(unit, actor, "break_glass", name))
    return tuple(ended)


def _ended(unit: Unit, actor: Actor, kind: str, name: str) -> Entry:
    return Entry(
        action=Action.MANAGE_PEOPLE, outcome="done", object_kind=kind, object_id=name, object_version=0,
        actor=actor.person_id, actor_kind=actor.kind, roles=unit.roles, on_behalf_of=actor.on_behalf_of, key=unit.key,
        controls_version=unit.controls.version, details={"what": "ended", "because": "deactivated"},
    )  # fmt: skip


def _lapse(unit: Unit, actor: Actor, person_id: str, why: str, book: str = EVERY_BOOK) -> tuple[Entry, ...]:
    """Have every signal of a book that waits on an approval of a person approved anew: they answer for it no longer."""
    given = (
        select(signal.c.signal_id)
        .join(approval, approval.c.signal_id == signal.c.signal_id)
        .where(
            signal.c.state.in_((State.SUBMITTED.value, State.APPROVED.value)),
            approval.c.voided_at.is_(None),
            or_(approval.c.person_id == person_id, approval.c.on_behalf_of == person_id),
            true() if book == EVERY_BOOK else signal.c.book == book,
        )
        .distinct()
        .order_by(signal.c.signal_id)
    )
    lapsed = []
    for signal_id in unit.connection.execute(given).scalars().all():
        found = signals.of(unit, signal_id)
        signals.void_approvals(unit, found, why)
        changed = signals.change(unit, found, State.SUBMITTED)
        lapsed.append(signals.consequence(unit, actor, Action.LAPSE, found, changed, reason=why))
    return tuple(lapsed)


def _grant(unit: Unit, actor: Actor, command: GrantRole) -> Done:
    row = known(unit.connection, command.person_id)
    given_reason(command.reason)
    role = _role(command.role)
    if row.person_id in actor.persons:
        raise AccessError("nobody gives roles to themselves; another administrator has to", "maker")
    if not _BOOK.fullmatch(command.book):
        raise ParameterError("a book is an advisor's identifier, or * for all of them", "book")
    if (role not in FOR_SERVICES) if row.kind == "service" else (role is Role.SERVICE):
        raise DecisionError(f"{role.value} is not for a {row.kind}; services serve or look on, people do all the rest")
    if role in FIRM_WIDE and command.book != EVERY_BOOK:
        raise DecisionError(f"the role {role.value} works on the whole firm; give it for all books (*)")
    held = _held(unit, row.person_id)
    if (role, command.book) in held:
        raise DecisionError(f"{row.name} holds this role in this book already")
    _keep_apart(unit, row, role, {one for one, _ in held})
    unit.examine("person", row.person_id)
    confirmation = asked_of(unit, row.kind)
    waits = confirmation == "waits"
    grant_id = _give(unit, row.person_id, role, command.book, actor.person_id, waits=waits)
    end_sessions(unit, row.person_id)
    return _done(
        unit, row.person_id, "granted", reason=command.reason, state="waits" if waits else "active",
        role=role.value, book=command.book, grant=grant_id, confirmation=confirmation,
    )  # fmt: skip


def _give(unit: Unit, person_id: str, role: Role, book: str, by: str, *, waits: bool = False) -> str:
    grant_id = unit.new_id("grant")
    unit.connection.execute(
        insert(role_grant),
        {
            "grant_id": grant_id,
            "person_id": person_id,
            "role": role.value,
            "book": book,
            "granted_by": by,
            "granted_at": unit.now,
            "needs_confirming": 1 if waits else None,
        },
    )
    return grant_id


def _keep_apart(unit: Unit, row: Row[Any], role: Role, held: set[Role]) -> None:
    lent = select(delegation.c.delegation_id).where(
        delegation.c.to_person == row.person_id, delegation.c.revoked_at.is_(None), delegation.c.ends_at > unit.now
    )
    if role is Role.ADMINISTRATOR and (held & APART or unit.connection.execute(lent).first() is not None):
        raise DecisionError(f"{row.name} takes part in signals; an administrator of people must not. Revoke that first")
    if role in APART and Role.ADMINISTRATOR in held:
        raise DecisionError(f"{row.name} administers people and must take no part in signals. Revoke that first")


def _revoke(unit: Unit, actor: Actor, command: RevokeRole) -> Done:
    given_reason(command.reason)
    row = unit.connection.execute(select(role_grant).where(role_grant.c.grant_id == command.grant_id)).one_or_none()
    if row is None or row.revoked_at is not None:
        raise DecisionError("there is no such grant any more; look at the person's roles again")
    if row.role == Role.ADMINISTRATOR:
        _keep_an_administrator(unit, role_grant.c.grant_id == row.grant_id)
    keep_a_confirmer(unit, role_grant.c.grant_id == row.grant_id)
    unit.examine("person", row.person_id)
    unit.connection.execute(update(role_grant).where(role_grant.c.grant_id == row.grant_id).values(revoked_at=unit.now))
    end_sessions(unit, row.person_id)
    done = _done(
        unit, row.person_id, "revoked", reason=command.reason, role=row.role, book=row.book, grant=row.grant_id
    )
    if row.role not in APPROVING:
        return done
    lapsed = _lapse(unit, actor, row.person_id, "an approver's role was taken away", row.book)
    return replace(done, earlier=lapsed, also=tuple(entry.object_id for entry in lapsed))


def _keep_an_administrator(unit: Unit, leaving: ColumnElement[bool]) -> None:
    """Refuse to leave the firm without an administrator who can sign in."""
    others = (
        select(func.count())
        .select_from(role_grant.join(person, person.c.person_id == role_grant.c.person_id))
        .where(
            role_grant.c.role == Role.ADMINISTRATOR.value,
            role_grant.c.revoked_at.is_(None),
            holds(role_grant),
            person.c.active == 1,
            or_(person.c.password_hash.is_not(None), person.c.subject.is_not(None)),
            ~leaving,
        )
    )
    administers = select(role_grant.c.grant_id).where(
        role_grant.c.role == Role.ADMINISTRATOR.value, role_grant.c.revoked_at.is_(None), leaving
    )
    if unit.connection.execute(administers).first() and not unit.connection.execute(others).scalar_one():
        raise DecisionError("this is the last administrator who can sign in; make another one first")


def _held(unit: Unit, person_id: str) -> set[tuple[Role, str]]:
    rows = unit.connection.execute(
        select(role_grant.c.role, role_grant.c.book).where(
            role_grant.c.person_id == person_id, role_grant.c.revoked_at.is_(None)
        )
    )
    return {(Role(row.role), row.book) for row in rows}


def _role(said: str) -> Role:
    try:
        return Role(said)
    except ValueError as error:
        raise ParameterError(f"there is no such role; one of: {', '.join(Role)}", "role") from error


def _change(unit: Unit, which: ColumnElement[bool], **values: Any) -> None:
    unit.connection.execute(update(person).where(which).values(**values))


def known(connection: Connection, person_id: str) -> Row[Any]:
    """Return the row of an active person or service. Raises `DecisionError` where there is none."""
    row = connection.execute(select(person).where(person.c.person_id == person_id)).one_or_none()
    if row is None or not row.active:
        raise DecisionError("there is nobody active with this identifier; look at the list of people again")
    return row


def given_reason(reason: str, *, shortest: int = 3) -> None:
    """Refuse an act on people without a reason. Raises `ParameterError`."""
    if len(reason.strip()) < shortest:
        raise ParameterError(f"give a reason of at least {shortest} characters; it stays in the audit trail", "reason")


def end_sessions(unit: Unit, person_id: str) -> None:
    """Sign a person out everywhere: what their browser holds was given under other rights."""
    unit.connection.execute(delete(desk_session).where(desk_session.c.person_id == person_id))


def _done(
    unit: Unit, person_id: str, what: str, *, reason: str | None = None, state: str = "active", alert: bool = True,
    **details: str,
) -> Done:  # fmt: skip
    said = {"what": what, "person": person_id, **details}
    return Done(
        object_kind="person",
        object_id=person_id,
        state=state,
        reason=reason,
        details={"what": what, **details},
        messages=((ALERT, said),) if alert else (),
    )


HANDLERS: Handlers = {
    AddPerson: _add,
    SetPassword: _set_password,
    ChangePassword: _change_password,
    DeactivatePerson: _deactivate,
    GrantRole: _grant,
    RevokeRole: _revoke,
}

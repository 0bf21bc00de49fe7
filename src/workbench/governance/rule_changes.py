"""A change of the rules: one person of compliance proposes it, another adopts it, and signals are checked anew.

    store.perform(Who("cora"), ProposeRules(text, page, new.hash, new.version, old.hash, "Single names: 8 %"), key)
    store.perform(Who("colin"), AdoptRules(new.hash, page_hash), key)

Governance does not read rules: it keeps the text and the page by their hashes, and who stood behind each.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import bindparam, select

from workbench.errors import AccessError, DecisionError, ParameterError, StaleError
from workbench.governance import documents, rulebooks, signals
from workbench.governance.access import Actor
from workbench.governance.audit.record import Entry
from workbench.governance.commands import Command, Document
from workbench.governance.handlers_of import Handlers
from workbench.governance.states import TRANSITIONS, Action, State
from workbench.governance.submission import unchecked
from workbench.governance.tables import signal
from workbench.governance.unit import Done, Unit

_HASH = re.compile(r"[0-9a-f]{64}")
#: Signals that were checked by another rulebook and are still with people.
_OTHERWISE = (
    select(signal.c.signal_id)
    .where(signal.c.state.in_(sorted(TRANSITIONS[Action.VOID])), signal.c.rules_hash != bindparam("rules"))
    .order_by(signal.c.signal_id)
)


@dataclass(frozen=True)
class ProposeRules(Command):
    """A rulebook to be adopted: its text, and the page that says what it changes against the one it replaces.

    `rules_hash` is the hash of what the rules say, `replaces` that of the rulebook the page compares it to.
    """

    action: ClassVar[Action] = Action.CHANGE_RULES
    rulebook: Document
    page: Document
    rules_hash: str
    rules_version: int
    replaces: str
    reason: str


@dataclass(frozen=True)
class AdoptRules(Command):
    """Put a proposed rulebook in force; `page_hash` is that of the page which was read."""

    action: ClassVar[Action] = Action.CHANGE_RULES
    rules_hash: str
    page_hash: str
    note: str = ""


def propose(unit: Unit, actor: Actor, command: ProposeRules) -> Done:
    """Keep a rulebook that waits for adoption.

    Raises `ParameterError` for a hash that is none, `StaleError` where the page compares it to another rulebook than
    the one in force, `DecisionError` where that one has its version or a later one.
    """
    signals.require_reason(command.reason)
    for name in ("rules_hash", "replaces"):
        if not _HASH.fullmatch(getattr(command, name)):
            raise ParameterError(f"{name} is no SHA-256 in hexadecimal; take it from the rulebook", name)
    now = rulebooks.in_force(unit.connection)
    if now is not None:
        _follows(now, command)
    kept = {"rulebook": unit.keep(command.rulebook), "page": unit.keep(command.page)}
    return Done(
        object_kind="rulebook", object_id=command.rules_hash, version=command.rules_version, state="proposed",
        before=command.replaces, after=command.rules_hash, reason=command.reason, rules_hash=command.rules_hash,
        documents=kept, details={"state": "proposed", "replaces": command.replaces},
        messages=(("rules.proposed", {"rules": command.rules_hash, "version": command.rules_version}),),
    )  # fmt: skip


def _follows(now: rulebooks.KeptRulebook, command: ProposeRules) -> None:
    if now.rules_hash == command.rules_hash:
        raise DecisionError("this rulebook is in force already; change something, and raise its version")
    if now.rules_hash != command.replaces:
        raise StaleError(
            f"the page compares it to rulebook {command.replaces[:12]}, and {now.rules_hash[:12]} (version "
            f"{now.version}) is in force; make the page anew"
        )
    if command.rules_version <= now.version:
        raise DecisionError(
            f"version {command.rules_version} does not follow version {now.version}, which is in force; raise it"
        )


def adopt(unit: Unit, actor: Actor, command: AdoptRules) -> Done:
    """Put a proposed rulebook in force; signals checked by another lose their pre-flight and their approvals.

    Raises `DecisionError` where it was not proposed, `StaleError` where another page was read, `AccessError` (`maker`)
    for whoever proposed it, themselves or through somebody else.
    """
    waiting = {one.rules_hash: one for one in rulebooks.waiting(unit.connection)}
    proposed = waiting.get(command.rules_hash)
    if proposed is None:
        raise DecisionError(
            f"no proposed rulebook {command.rules_hash[:12]!r} waits for adoption; where another was adopted since, "
            "propose it against that one"
        )
    makers = frozenset().union(
        *(one.persons for one in rulebooks.history(unit.connection) if one.rules_hash == command.rules_hash)
    )
    if actor.persons & makers:
        raise AccessError("whoever proposed a change of the rules does not adopt it; ask somebody else", "maker")
    if command.page_hash != proposed.page:
        raise StaleError("another page was read than the one that goes with this proposal; read it anew, then decide")
    for name in (proposed.document, proposed.page):
        documents.fetch(unit.connection, name)  # nobody adopts what nobody can read
    rows = unit.connection.execute(_OTHERWISE, {"rules": command.rules_hash}).scalars().all()
    voided = tuple(_void(unit, actor, signal_id) for signal_id in rows)
    told = {"rules": command.rules_hash, "version": proposed.version, "voided": len(voided)}
    return Done(
        object_kind="rulebook", object_id=command.rules_hash, version=proposed.version, state="adopted",
        before=proposed.replaces, after=command.rules_hash, reason=command.note or None,
        rules_hash=command.rules_hash, documents={"rulebook": proposed.document, "page": proposed.page},
        details={"state": "adopted", "replaces": proposed.replaces, "voided": len(voided)},
        messages=(("alert.rules", told),), earlier=voided, also=tuple(entry.object_id for entry in voided),
    )  # fmt: skip


def _void(unit: Unit, actor: Actor, signal_id: str) -> Entry:
    found = signals.of(unit, signal_id)
    signals.void_approvals(unit, found, "another rulebook was adopted")
    values = unchecked(unit, found)
    sheet = signals.sheet(unit, found, found.standing.mode, **values, overrides=[])
    changed = signals.change(unit, found, State.DRAFT, **values, sheet_hash=sheet)
    return signals.consequence(unit, actor, Action.VOID, found, changed, reason="another rulebook was adopted")


HANDLERS: Handlers = {AdoptRules: adopt, ProposeRules: propose}

"""Papers on their way out: brought by a service, edited by a person, released by another, withdrawn.

    drafted -> (edited) -> released | withdrawn | superseded

Released is exactly what was shown: text, facts, the verifier's report and how it was made have one hash.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from workbench.canonical import canonical
from workbench.errors import AccessError, AuditError, DecisionError, ParameterError, StaleError
from workbench.governance import access, documents, verified
from workbench.governance.access import Actor
from workbench.governance.audit.record import Entry
from workbench.governance.commands import Document
from workbench.governance.drafts import how_it_was_made
from workbench.governance.handlers_of import Handlers
from workbench.governance.lessons.edits import edit
from workbench.governance.paper_commands import BringPaper, EditPaper, PaperCommand, ReleasePaper, WithdrawPaper
from workbench.governance.paper_kinds import kind_of
from workbench.governance.signals import require_reason
from workbench.governance.states import OPEN_PAPERS, Action, PaperState
from workbench.governance.tables import paper, paper_edit
from workbench.governance.unit import Done, Unit, identifier

#: Acts that a paper changed by hand is refused; it is still withdrawn.
_CARRIES_FORWARD = frozenset({Action.EDIT_PAPER, Action.RELEASE_PAPER})
_PAPER = select(paper).where(paper.c.paper_id == bindparam("of"))
_SAME_KEY = select(paper).where(paper.c.kind == bindparam("of_kind"), paper.c.key == bindparam("of_key"))
_EDITORS = select(paper_edit.c.person_id, paper_edit.c.on_behalf_of).where(paper_edit.c.paper_id == bindparam("of"))
_INSERT, _EDIT = insert(paper), insert(paper_edit)
_UPDATE = update(paper).where(paper.c.paper_id == bindparam("of"))


@dataclass(frozen=True)
class Paper:
    """One paper's row, and everybody who put it into other words: none of them may release it."""

    row: Row[Any]
    makers: frozenset[str]

    @property
    def state(self) -> PaperState:
        """Where it stands."""
        return PaperState(self.row.state)


def load(connection: Connection, paper_id: str) -> Paper | None:
    """Read a paper as it stands; None where there is none."""
    row = connection.execute(_PAPER, {"of": paper_id}).one_or_none()
    return None if row is None else Paper(row, makers_of(connection, row))


def makers_of(connection: Connection, row: Row[Any]) -> frozenset[str]:
    """Return who brought a paper and who put it into other words, with those they acted for."""
    edits = connection.execute(_EDITORS, {"of": row.paper_id}).all()
    return frozenset({row.brought_by, *(one for pair in edits for one in pair if one)})


def admit(unit: Unit, actor: Actor, command: PaperCommand) -> Paper:
    """Read the paper of a command and ask whether the actor may do it; the unit keeps it for the handler.

    Raises `AccessError`; `StaleError` before it where the only thing against the act is that the paper moved on;
    `AuditError` where its rows are not what its last record left and the act would carry it forward.
    """
    found = load(unit.connection, command.paper_id)
    if found is None or not access.reaches(actor, found.row.book, Action.READ_PAPERS):
        raise AccessError(f"there is no paper {command.paper_id[:40]!r} in your books; look for it in the list", "book")
    try:
        roles = authorized(actor, command.action, found)
    except AccessError as refusal:
        if refusal.rule == "state" and command.version != found.row.version:
            raise _stale(found, command.version) from refusal
        raise
    if not unit.examine("paper", command.paper_id) and command.action in _CARRIES_FORWARD:
        raise AuditError(
            "this paper was changed outside the desk: it is not what its last record left. Withdraw it, keep the "
            "database file as it is, and call compliance"
        )
    unit.roles = roles
    unit.paper = found
    return found


def authorized(actor: Actor, action: Action, found: Paper) -> tuple[str, ...]:
    """Return the roles by which an actor may do something to a paper. Raises `AccessError` with the rule against it."""
    roles = access.authorize(actor, action, book=found.row.book, state=found.state, makers=found.makers)
    kind = kind_of(found.row.kind)
    narrowed = {Action.EDIT_PAPER: kind.edited_by, Action.RELEASE_PAPER: kind.released_by}.get(action)
    fitting = tuple(str(role) for role in roles if narrowed is None or role in narrowed)
    if not fitting:
        who = " or ".join(sorted(role.replace("_", " ") for role in narrowed or ()))
        said = action.replace("_", " ").removesuffix(" paper")
        raise AccessError(
            f"a {kind.name.replace('_', ' ')} is for {who} to {said}; your roles do not include it", "role"
        )
    return fitting


def obstacle(found: Paper) -> str | None:
    """Say why a paper cannot be released by anybody now; None where nothing stands against it."""
    if found.state not in OPEN_PAPERS:
        return f"a paper that is {found.state} is not released"
    if not found.row.supported:
        return "the verifier does not support all of its text; correct it by the reasons given, or withdraw it"
    return None


def bring(unit: Unit, actor: Actor, command: BringPaper) -> Done:
    """Take a paper in; open ones of the same kind and key are superseded, the same content is not taken twice.

    Raises `ParameterError` for an unknown kind, a record that leaves out how a machine wrote it, and a report that is
    not of this text and these facts.
    """
    kind_of(command.kind)
    facts, text = documents.hash_of(command.facts), documents.hash_of(command.text)
    whole = verified.supported(command.report, command.text, facts)
    superseded: list[Entry] = []
    for row in unit.connection.execute(_SAME_KEY, {"of_kind": command.kind, "of_key": command.key}).all():
        access.authorize(actor, Action.BRING_PAPER, book=row.book, state=PaperState(row.state))
        if (row.drafted_hash, row.facts_hash, row.book) == (text, facts, command.book) and (
            row.state != PaperState.SUPERSEDED
        ):
            unit.examine("paper", row.paper_id)
            return _done(row, {}, before=row.sheet_hash, details={"known": True}, message=False)
        if row.state in OPEN_PAPERS:
            superseded.append(_supersede(unit, actor, row))
    values = _row(unit, actor, command, whole)
    unit.examine("paper", values["paper_id"])
    unit.connection.execute(_INSERT, values)
    also = tuple(entry.object_id for entry in superseded)
    return _done(None, values, details={"superseded": list(also)}, earlier=tuple(superseded), also=also)


def _row(unit: Unit, actor: Actor, command: BringPaper, whole: bool) -> dict[str, Any]:
    assert unit.key is not None
    record = how_it_was_made(unit, actor, command.record, command.made)
    for kept, kind in ((command.text, "draft"), (command.facts, "fact_sheet"), (command.report, "verifier_report")):
        if kept.kind != kind:
            raise ParameterError(f"a paper's document is of kind {kept.kind!r} where {kind!r} is kept", "kind")
    text = unit.keep(command.text)
    row: dict[str, Any] = {
        "paper_id": identifier("paper", unit.key),
        "kind": command.kind,
        "key": command.key,
        "title": command.title,
        "book": command.book,
        "household_id": command.household_id,
        "as_of": command.as_of,
        "state": str(PaperState.DRAFTED),
        "version": 1,
        "drafted_hash": text,
        "current_hash": text,
        "facts_hash": unit.keep(command.facts),
        "report_hash": unit.keep(command.report),
        "supported": int(whole),
        "record": canonical(record).decode(),
        "brought_by": actor.person_id,
        "created_at": unit.now,
        "updated_at": unit.now,
    }
    return {**row, "sheet_hash": sheet_hash(row)}


def sheet_hash(row: dict[str, Any]) -> str:
    """Return the hash of all that a person releases: the paper's text, facts, report and making, and what it is."""
    names = ("paper_id", "kind", "key", "title", "book", "as_of", "current_hash", "facts_hash", "report_hash", "record")
    said = {name: row[name] for name in names} | {"supported": bool(row["supported"])}
    return hashlib.sha256(canonical(said)).hexdigest()


def edit_paper(unit: Unit, actor: Actor, command: EditPaper) -> Done:
    """Put a person's words in place of a paper's; keep how far apart both are, in words, and what the verifier says."""
    row = _shown(unit, command).row
    before = documents.fetch(unit.connection, row.current_hash)
    text = before.body.decode("utf-8", "replace")
    if text == command.body:
        raise ParameterError("the text is the one that is there; change something, or leave it", "body")
    words = Document("draft", before.media_type, command.body.encode())
    whole = verified.supported(command.report, words, row.facts_hash)
    distance = edit(text, command.body)
    changed = {
        "current_hash": unit.keep(words),
        "report_hash": unit.keep(command.report),
        "supported": int(whole),
    }
    changed["sheet_hash"] = sheet_hash({**row._mapping, **changed})
    written = _change(unit, row, PaperState.EDITED, **changed)
    unit.connection.execute(
        _EDIT,
        {
            "paper_id": row.paper_id,
            "version": written["version"],
            "person_id": actor.person_id,
            "on_behalf_of": actor.on_behalf_of,
            "reason_code": command.reason_code,
            "reason": command.reason or None,
            "before_hash": row.current_hash,
            "after_hash": changed["current_hash"],
            "report_hash": changed["report_hash"],
            "supported": int(whole),
            "edit_distance": distance.distance,
            "length": distance.length,
            "at": unit.now,
        },
    )
    details = {"reason_code": command.reason_code, "edit_distance": distance.distance, "length": distance.length}
    return _done(row, written, before=row.sheet_hash, reason=command.reason, details=details, text_before=True)


def release_paper(unit: Unit, actor: Actor, command: ReleasePaper) -> Done:
    """Let a paper be used: the hash shown is its own, all of its text is supported, another wrote it.

    Raises `StaleError` where something else was shown, `DecisionError` where the verifier does not support it.
    """
    found = _shown(unit, command)
    row = found.row
    if command.sheet_hash != row.sheet_hash:
        raise StaleError("what you were shown is no longer what the paper is; look at it anew, then decide")
    if against := obstacle(found):
        raise DecisionError(against)
    text = documents.fetch(unit.connection, row.current_hash)
    documents.fetch(unit.connection, row.facts_hash)
    if not verified.supported(documents.fetch(unit.connection, row.report_hash), text, row.facts_hash):
        raise DecisionError("the kept report of the verifier does not support this text; verify it anew by an edit")
    verified.require(unit, row.current_hash, row.facts_hash, row.title)
    written = _change(
        unit, row, PaperState.RELEASED,
        released_by=actor.person_id, released_for=actor.on_behalf_of, released_at=unit.now,
    )  # fmt: skip
    return _done(row, written, before=row.sheet_hash, reason=command.note, details={"shown": command.sheet_hash})


def withdraw_paper(unit: Unit, actor: Actor, command: WithdrawPaper) -> Done:
    """Take a paper back. What was sent meanwhile stays sent: the record says when it was withdrawn and why."""
    require_reason(command.reason)
    row = _shown(unit, command).row
    written = _change(unit, row, PaperState.WITHDRAWN)
    return _done(row, written, before=row.sheet_hash, reason=command.reason)


def _shown(unit: Unit, command: PaperCommand) -> Paper:
    found = unit.paper
    assert found is not None  # `admit` put it there
    if command.version != found.row.version:
        raise _stale(found, command.version)
    return found


def _stale(found: Paper, version: int) -> StaleError:
    return StaleError(
        f"you saw version {version}, the paper is at version {found.row.version} and {found.state}; "
        "look at it anew, then decide"
    )


def _supersede(unit: Unit, actor: Actor, row: Row[Any]) -> Entry:
    unit.examine("paper", row.paper_id)
    written = _change(unit, row, PaperState.SUPERSEDED)
    return unit.entry(actor, Action.SUPERSEDE, _done(row, written, before=row.sheet_hash, message=False))


def _change(unit: Unit, row: Row[Any], state: PaperState, **values: Any) -> dict[str, Any]:
    changed = {"state": str(state), "version": row.version + 1, "updated_at": unit.now, **values}
    unit.connection.execute(_UPDATE, {"of": row.paper_id, **changed})
    return changed


def _done(
    row: Row[Any] | None,
    changed: dict[str, Any],
    *,
    before: str | None = None,
    reason: str | None = None,
    details: dict[str, Any] | None = None,
    earlier: tuple[Entry, ...] = (),
    also: tuple[str, ...] = (),
    message: bool = True,
    text_before: bool = False,
) -> Done:
    """Return what an act on a paper did; every document of the paper is named, so that retention counts its use."""
    stood: dict[str, Any] = {} if row is None else dict(row._mapping)
    now = {**stood, **changed}
    record = json.loads(now["record"])
    kept = {"text": now["current_hash"], "drafted": now["drafted_hash"], "fact_sheet": now["facts_hash"]}
    kept["verifier_report"] = now["report_hash"]
    if text_before and row is not None:
        kept |= {"text_before": row.current_hash, "report_before": row.report_hash}
    kept |= {name: value for name, value in record.items() if len(value) == 64}
    said = {
        "kind": now["kind"],
        "key": now["key"],
        "household_id": now["household_id"],
        "supported": bool(now["supported"]),
        "record": record,
    }
    body = {"paper_id": now["paper_id"], "kind": now["kind"], "state": now["state"], "version": now["version"]}
    return Done(
        object_kind="paper",
        object_id=now["paper_id"],
        version=now["version"],
        state=now["state"],
        sheet_hash=now["sheet_hash"],
        book=now["book"],
        before=before,
        after=now["sheet_hash"],
        reason=reason or None,
        documents=kept,
        details={**said, "state": now["state"], **(details or {})},
        messages=((f"paper.{now['state']}", {**body, "book": now["book"]}),) if message else (),
        earlier=earlier,
        also=also,
    )


HANDLERS: Handlers = {
    BringPaper: bring, EditPaper: edit_paper, ReleasePaper: release_paper, WithdrawPaper: withdraw_paper,
}  # fmt: skip

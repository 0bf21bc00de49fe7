"""The audit trail: search, one record with its bytes, verification on demand, export."""

from __future__ import annotations

import json
import tempfile
import zipfile
from datetime import date
from pathlib import Path
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import FileResponse, Response
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException

from workbench.desk.forms import FormError
from workbench.desk.rendering import sentence, words
from workbench.desk.visit import SignedIn, Visit
from workbench.errors import AuditError, DecisionError, ParameterError, RepeatError, StoreError
from workbench.governance.audit import TrailReport, verify_trail
from workbench.governance.audit.export import export
from workbench.governance.audit.search import Question, record, search
from workbench.governance.reading.history import names_of
from workbench.governance.states import Action

router = APIRouter()

_FILTERS = ("actor", "action", "outcome", "object_kind", "object_id", "book", "text")
_LONGEST_FILTER = 200
#: Everything a record may be of: the acts of the access table, and those that need no role.
ACTS = sorted({action.value for action in Action} | {"bootstrap", "form", "sign_in", "sign_out"})
OUTCOMES = [("", "Any"), ("done", "Done"), ("refused", "Refused")]


@router.get("/audit")
def trail(visit: SignedIn) -> Response:
    """Search the trail, newest first."""
    return _trail(visit)


@router.get("/audit/records/{sequence}")
def one(visit: SignedIn, sequence: int) -> Response:
    """Show one record whole."""
    with visit.reading() as connection:
        try:
            line = record(connection, visit.actor, min(max(sequence, 0), 2**53))
        except DecisionError as error:
            raise HTTPException(404) from error
        said = line.said
        people = {line.actor, *([line.on_behalf_of] if line.on_behalf_of else [])}
        names = names_of(connection, people)
    return visit.page(
        "audit_record.html",
        title=f"Record {line.sequence}",
        here="audit",
        line=line,
        record=said,
        names=names,
        pretty=json.dumps(said, indent=2, ensure_ascii=False),
        documents=_named(said.get("documents")),
        inputs=_named(said.get("inputs")),
    )


@router.post("/audit/verify")
def verify(visit: SignedIn) -> Response:
    """Verify the whole trail now, against the checkpoints the desk can read."""
    visit.require(Action.READ_AUDIT)
    settings = visit.settings
    folders = [settings.checkpoints] if settings.checkpoints is not None else []
    try:
        with visit.reading() as connection:
            report = verify_trail(connection, folders, settings.public_keys)
    except (AuditError, ParameterError, StoreError) as error:
        return _trail(visit, verified=None, problem=sentence(error))
    return _trail(visit, verified=report)


@router.post("/audit/export")
def export_trail(visit: SignedIn) -> Response:
    """Take a range of records out as one file; the act is a record itself."""
    form, settings = visit.form, visit.settings
    try:
        reason = form.text("reason", "What it is for", least=3)
        first = form.whole("first", "First record") if form.get("first") else 1
        last = form.whole("last", "Last record") if form.get("last") else None
        kept = tempfile.TemporaryDirectory(prefix="workbench-export-")
        try:
            folders = [settings.checkpoints] if settings.checkpoints is not None else []
            written = export(
                visit.store, visit.who, Path(kept.name) / "trail", reason=reason, key=f"desk:{form.key}", first=first,
                last=last, checkpoints=folders,
            )  # fmt: skip
            name = f"audit-trail-{written.first}-{written.last}.zip"
            packed = Path(kept.name) / name
            _pack(written.folder, packed)
        except BaseException:
            kept.cleanup()
            raise
    except RepeatError:
        raise
    except (FormError, ParameterError, DecisionError) as error:
        return _trail(visit, export_error=sentence(error))
    return FileResponse(packed, media_type="application/zip", filename=name, background=BackgroundTask(kept.cleanup))


def _pack(folder: Path, packed: Path) -> None:
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder.parent))


def _trail(
    visit: Visit,
    *,
    verified: TrailReport | None = None,
    problem: str = "",
    export_error: str = "",
) -> Response:
    query = visit.request.query_params
    asked = {name: query.get(name, "").replace("\x00", "").strip()[:_LONGEST_FILTER] for name in _FILTERS}
    days = {name: visit.request.query_params.get(name, "").strip()[:10] for name in ("first_day", "last_day")}
    wrong = {name: "Give a day such as 2026-03-31." for name, text in days.items() if text and _day(text) is None}
    before = visit.request.query_params.get("before", "")
    with visit.reading() as connection:
        page = search(
            connection,
            visit.actor,
            Question(
                **{name: value or None for name, value in asked.items()},
                first_day=_day(days["first_day"]),
                last_day=_day(days["last_day"]),
            ),
            before=int(before) if before.isascii() and before.isdigit() and len(before) < 16 else None,
        )
        names = names_of(connection, {line.actor for line in page.lines})
    shown = {name: value for name, value in {**asked, **days}.items() if value}
    return visit.page(
        "audit.html",
        status=422 if export_error else 200,
        title="Audit trail",
        here="audit",
        lines=page.lines,
        names=names,
        asked=asked,
        days=days,
        wrong=wrong,
        later=f"/audit?{urlencode({**shown, 'before': page.before})}" if page.before is not None else None,
        newest="/audit?" + urlencode(shown) if before else None,
        actions=[("", "Any"), *sorted(((act, words(act)) for act in ACTS), key=lambda pair: pair[1])],
        outcomes=OUTCOMES,
        verified=verified,
        problem=problem,
        export_error=export_error,
        form=visit.form,
        signed=visit.settings.checkpoints is not None,
        may_export=visit.may(Action.EXPORT_AUDIT),
    )


def _named(said: object) -> list[tuple[str, str]]:
    return sorted((str(name), str(value)) for name, value in said.items()) if isinstance(said, dict) else []


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None

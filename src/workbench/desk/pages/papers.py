"""Papers: the list of what waits, one paper with its sources and faults, its edit, release, withdrawal and files."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import cast
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import Connection
from starlette.exceptions import HTTPException

from workbench import releases
from workbench.desk.pages.documents import SANDBOX
from workbench.desk.pages.queue import age
from workbench.desk.pages.signal import REASONS
from workbench.desk.paper_view import Shown, shown
from workbench.desk.rendering import words
from workbench.desk.visit import SignedIn, Visit
from workbench.drafting import Draft
from workbench.errors import DecisionError, StaleError
from workbench.governance import EditPaper, ReleasePaper, WithdrawPaper
from workbench.governance.commands import ReasonCode
from workbench.governance.paper_kinds import KINDS
from workbench.governance.reading import PaperFilters, PaperView, paper_document, paper_view, papers_page
from workbench.governance.states import Action, PaperState
from workbench.papers.mail import render_mail
from workbench.papers.pages import render_html, render_pdf
from workbench.papers.release import Release

router = APIRouter()

#: The longest text of a form; a memo has some fifteen thousand characters.
LONGEST = 100_000
#: Files of a paper: how each is made and of which type it is.
FILES: dict[str, tuple[Callable[..., str | bytes], str]] = {
    "html": (render_html, "text/html; charset=utf-8"),
    "pdf": (render_pdf, "application/pdf"),
    "eml": (render_mail, "message/rfc822"),
}
_FIELDS = ("kind", "state", "text", "faulty", "after")
STATES = (("waiting", "Waiting"), ("all", "All"), *((state.value, words(state)) for state in PaperState))


@router.get("/papers")
def papers(visit: SignedIn, request: Request) -> Response:
    """Show one page of the list; every filter is in the address."""
    visit.require(Action.READ_PAPERS)
    asked = {name: request.query_params.get(name, "").strip()[:100] for name in _FIELDS}
    asked["state"] = asked["state"] if asked["state"] in dict(STATES) else "waiting"
    after = int(asked["after"]) if asked["after"].isascii() and asked["after"].isdigit() else 0
    filters = PaperFilters(
        kind=asked["kind"] if asked["kind"] in KINDS else None,
        state=None if asked["state"] in ("waiting", "all") else PaperState(asked["state"]),
        waiting=asked["state"] == "waiting",
        faulty=asked["faulty"] == "1",
        text=asked["text"].replace("\x00", ""),
    )
    with visit.reading() as connection:
        page = papers_page(connection, visit.actor, filters, min(after, 1_000_000))
    here = {name: value for name, value in asked.items() if value and name != "after"}
    return visit.page(
        "papers.html",
        title="Papers",
        here="papers",
        page=page,
        asked=asked,
        kinds=[("", "All"), *((name, words(name)) for name in KINDS)],
        states=STATES,
        first="/papers?" + urlencode(here) if after else None,
        later="/papers?" + urlencode(here | {"after": page.next_after}) if page.next_after else None,
        age=lambda moment: age(moment, visit.now),
    )


@router.get("/papers/{paper_id}")
def paper(visit: SignedIn, paper_id: str) -> Response:
    """Show a paper: its text with sources and faults, how it came about, and what this person may do."""
    return _page(visit, paper_id)


def _page(visit: Visit, paper_id: str, words_tried: str | None = None) -> Response:
    """The page of a paper; with `words_tried`, what the verifier says of words that are not kept."""
    with visit.reading() as connection:
        view = _seen(connection, visit, paper_id)
        facts = _bytes(connection, visit, view, view.facts_hash)
        text = _bytes(connection, visit, view, view.current_hash)
        drafted = _bytes(connection, visit, view, view.drafted_hash) if view.edits else None
    tried = None if words_tried is None else shown(words_tried.encode(), facts)
    read = shown(text, facts, view.title)
    return visit.page(
        "paper.html",
        title=view.title,
        here="papers",
        paper=view,
        text=read,
        tried=tried,
        drafted=None if drafted is None else drafted.decode("utf-8", "replace"),
        reasons=REASONS,
        can={action.value: action in view.allowed for action in Action},
        obstacle=_obstacle(view, read),
        files=[name for name in FILES if name != "eml" or view.reader == "client" or view.kind == "notice"],
        most=LONGEST,
    )


@router.get("/papers/{paper_id}/release")
def confirm(visit: SignedIn, request: Request, paper_id: str) -> Response:
    """Ask once more: restate the text, its hashes and what the verifier says. Has no effect by itself."""
    request.state.back = f"/papers/{paper_id}"
    with visit.reading() as connection:
        view = _seen(connection, visit, paper_id)
        read = _shown(connection, visit, view)
    if request.query_params.get("sheet_hash") not in (None, view.sheet_hash):
        raise StaleError("the paper changed since you opened its page; look at it anew, then decide")
    return visit.page(
        "paper_release.html",
        title=f"Release: {view.title}",
        here="papers",
        paper=view,
        text=read,
        can=Action.RELEASE_PAPER in view.allowed,
        obstacle=_obstacle(view, read),
    )


@router.post("/papers/{paper_id}/edit")
def edit(visit: SignedIn, paper_id: str) -> Response:
    """Verify a person's words against the kept facts; keep both words and verdict, or only show them."""
    form, back = visit.form, f"/papers/{paper_id}"
    visit.request.state.back = back
    tried = form.text("body", "Text", most=LONGEST)
    with visit.reading() as connection:
        view = _seen(connection, visit, paper_id)
        facts = _bytes(connection, visit, view, view.facts_hash)
        text = _bytes(connection, visit, view, view.current_hash)
    if form.get("only") == "verify":
        return _page(visit, paper_id, tried)
    if facts is None:
        raise DecisionError("the facts of this paper were disposed of, so that no words can be verified; draft it anew")
    if text is not None and text.endswith(b"\n"):
        tried += "\n"  # a form sends words without the line's end that the file had
    code = cast(ReasonCode, form.choice("reason_code", "Kind of reason", [code for code, _ in REASONS]))
    report, kept = releases.verified(tried, facts)
    command = EditPaper(paper_id, form.version, tried, kept, code, form.optional("reason", "Reason"))
    visit.perform(command, back=back)
    if report.supported:
        return visit.go(back, "Your words are in place, and the facts support all of them.")
    found = "one statement is" if len(report.faults) == 1 else f"{len(report.faults)} statements are"
    return visit.go(back, f"Your words are kept, but {found} not supported by the facts. The paper cannot be released.")


@router.post("/papers/{paper_id}/release")
def release(visit: SignedIn, paper_id: str) -> Response:
    """Release exactly what was shown, once the verifier of today supports it too."""
    form, back = visit.form, f"/papers/{paper_id}"
    visit.request.state.back = back
    with visit.reading() as connection:
        view = _seen(connection, visit, paper_id)
        read = _shown(connection, visit, view)
    if view.obstacle is None and form.sheet_hash == view.sheet_hash and (read is None or not read.supported):
        raise DecisionError(_obstacle(view, read) or "the text cannot be verified; draft it anew")
    done = visit.perform(
        ReleasePaper(paper_id, form.version, form.sheet_hash, form.optional("note", "Note")), back=back
    )
    return visit.go(back, "Released." if done.first else "This was done already; nothing was done twice.")


@router.post("/papers/{paper_id}/withdraw")
def withdraw(visit: SignedIn, paper_id: str) -> Response:
    """Take a paper back."""
    form, back = visit.form, f"/papers/{paper_id}"
    visit.request.state.back = back
    visit.perform(WithdrawPaper(paper_id, form.version, form.text("reason", "Reason")), back=back)
    return visit.go(back, "Withdrawn. It is not to be used; what was sent before stays sent.")


@router.get("/papers/{paper_id}/files/{name}")
def download(visit: SignedIn, request: Request, paper_id: str, name: str) -> Response:
    """Hand out a paper as a file that says whether it was released, by whom and when; `name` is html, pdf or eml."""
    if name not in FILES:
        raise HTTPException(404)
    request.state.back = f"/papers/{paper_id}"
    with visit.reading() as connection:
        view = _seen(connection, visit, paper_id)
        text = _bytes(connection, visit, view, view.current_hash)
        facts = _bytes(connection, visit, view, view.facts_hash)
    if text is None or facts is None:
        raise DecisionError("the paper's text or facts were disposed of; its hashes and history remain")
    if view.state in (PaperState.WITHDRAWN, PaperState.SUPERSEDED):
        raise DecisionError(f"the paper is {view.state}; it is no longer handed out")
    draft = releases.kept_draft(view.kind, view.key, view.title, view.record, text, facts)
    render, media_type = FILES[name]
    made = render(draft, release=_release(view, draft))
    state = "released" if view.state is PaperState.RELEASED else "draft"
    stem = re.sub(r"[^A-Za-z0-9_-]+", "_", f"{view.kind}-{view.key}")[:80]
    headers = {
        "content-disposition": f'attachment; filename="{stem}-{state}-{view.current_hash[:8]}.{name}"',
        "content-security-policy": SANDBOX,
    }
    return Response(made, media_type=media_type, headers=headers)


def _release(view: PaperView, draft: Draft) -> Release | None:
    if view.state is not PaperState.RELEASED or view.released_at is None:
        return None
    return releases.release_of(draft, view.released_by or "", view.released_at.date().isoformat())


def _seen(connection: Connection, visit: Visit, paper_id: str) -> PaperView:
    """Read a paper for this person; one outside their books is told apart from nothing by nobody (404)."""
    view = paper_view(connection, visit.actor, paper_id)
    if view is None:
        raise HTTPException(404)
    return view


def _bytes(connection: Connection, visit: Visit, view: PaperView, content_hash: str) -> bytes | None:
    try:
        return paper_document(connection, visit.actor, view.paper_id, content_hash)
    except DecisionError:
        return None


def _shown(connection: Connection, visit: Visit, view: PaperView) -> Shown | None:
    text = _bytes(connection, visit, view, view.current_hash)
    return shown(text, _bytes(connection, visit, view, view.facts_hash), view.title)


def _obstacle(view: PaperView, read: Shown | None) -> str | None:
    """Why nobody can release the paper now, by its record or by the verifier of today."""
    if view.obstacle:
        return view.obstacle
    if read is None:
        return "its text was disposed of under the firm's retention rules"
    if read.problem or not read.supported:
        if read.title_says:
            return f"its title says {read.title_says!r}, which the facts do not support; withdraw it and draft it anew"
        return read.problem or "the verifier no longer supports all of its text; correct it by the reasons given"
    return None

"""The committee's library: rendered books, served as they are and kept away from the desk.

A book holds figures of the whole firm, so reading it takes a role in all books of business. A book's page runs its own
script in a sandbox of its own: to the browser it is another site, which has neither the desk's cookies nor its pages.
Its files are therefore asked for by a ticket in their address, good for this session and this book, for an hour.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from workbench.desk import bookshelf, sessions_web, tickets
from workbench.desk.visit import SignedIn
from workbench.errors import AccessError
from workbench.governance.states import Action

router = APIRouter()

#: What a book may do in the browser: run its own script and draw, with no origin, no form, no request elsewhere.
BOOK_POLICY = (
    "sandbox allow-scripts; default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_TICKET_SECONDS = 3600


@router.get("/library")
def library(visit: SignedIn) -> Response:
    """List the books, the newest first."""
    visit.require(Action.READ_LIBRARY)
    shelved = bookshelf.books(visit.settings.reports)
    return visit.page("library.html", title="Library", here="library", books=shelved, kept=visit.settings.reports)


@router.get("/library/{name}")
def open_book(visit: SignedIn, name: str, file: str = "index.html") -> Response:
    """Give a ticket for one book and lead to it."""
    visit.require(Action.READ_LIBRARY)
    reports = visit.settings.reports
    if reports is None or file not in ("index.html", "book.pdf") or bookshelf.book(reports, name) is None:
        raise HTTPException(404)
    until = int(visit.now.timestamp()) + _TICKET_SECONDS
    ticket = tickets.seal(visit.settings.secret, "book", f"{visit.session.token_hash} {until} {name}")
    return RedirectResponse(f"/library/read/{ticket}/{file}", status_code=303)


@router.get("/library/read/{ticket}/{path:path}")
def read_book(request: Request, ticket: str, path: str) -> Response:
    """Serve one file of the book the ticket is for, while its session holds."""
    settings, store = request.app.state.settings, request.app.state.store
    said = (tickets.opened(settings.secret, "book", ticket) or "").split(" ")
    if settings.reports is None or len(said) != 3:
        raise HTTPException(404)
    token_hash, until, name = said
    if int(until) <= store.clock().timestamp() or not sessions_web.holds(store, token_hash):
        raise AccessError("open the book again from the library", "signed_out")
    found = bookshelf.file_of(settings.reports, name, path)
    if found is None:
        raise HTTPException(404)
    file, media_type = found
    headers = {
        "content-security-policy": BOOK_POLICY,
        # The sandbox is another origin: its own files must be let in to it, and nothing of the desk's is.
        "access-control-allow-origin": "*",
        "cross-origin-resource-policy": "cross-origin",
        "referrer-policy": "no-referrer",
        "cache-control": "private, max-age=3600" if path.startswith("assets/") else "no-store",
    }
    if file.suffix == ".pdf":
        headers["content-disposition"] = f'attachment; filename="{name}.pdf"'
    return FileResponse(file, media_type=media_type, headers=headers)

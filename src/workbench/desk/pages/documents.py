"""A signal's stored documents: its brief as a page that can do nothing, everything else as a file to keep."""

from __future__ import annotations

import re

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from workbench.desk.visit import SignedIn, Visit
from workbench.governance.reading import document

router = APIRouter()

#: What a stored page may do in the browser: show text, its own styles and drawings, and nothing else.
SANDBOX = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; frame-ancestors 'none'"
)
_HASH = re.compile(r"[0-9a-f]{64}")
_SUFFIXES = {"application/json": "json", "text/html": "html", "text/plain": "txt", "text/csv": "csv"}


@router.get("/signals/{signal_id}/pages/{content_hash}")
def page(visit: SignedIn, signal_id: str, content_hash: str) -> Response:
    """Show a stored HTML document (the brief) in a sandbox."""
    _, media_type, body = _found(visit, signal_id, content_hash)
    if _plain(media_type) != "text/html":
        raise HTTPException(404)
    headers = {"content-security-policy": SANDBOX, "cross-origin-opener-policy": "same-origin"}
    return Response(body, media_type="text/html; charset=utf-8", headers=headers)


@router.get("/signals/{signal_id}/documents/{content_hash}")
def download(visit: SignedIn, signal_id: str, content_hash: str) -> Response:
    """Hand out a stored document byte for byte, named by its hash, never opened in the desk."""
    kind, media_type, body = _found(visit, signal_id, content_hash)
    plain = _plain(media_type)
    name = f"{re.sub(r'[^a-z0-9_]', '', kind.lower()) or 'document'}-{content_hash[:16]}.{_SUFFIXES.get(plain, 'bin')}"
    headers = {"content-disposition": f'attachment; filename="{name}"', "content-security-policy": SANDBOX}
    return Response(body, media_type=plain if plain in _SUFFIXES else "application/octet-stream", headers=headers)


def _found(visit: Visit, signal_id: str, content_hash: str) -> tuple[str, str, bytes]:
    if not _HASH.fullmatch(content_hash):
        raise HTTPException(404)
    with visit.reading() as connection:
        found = document(connection, visit.actor, signal_id, content_hash)
    if found is None or found[2] is None:
        raise HTTPException(404)
    return found[0], found[1], found[2]


def _plain(media_type: str) -> str:
    return media_type.partition(";")[0].strip().lower()

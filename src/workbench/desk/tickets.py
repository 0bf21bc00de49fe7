"""Short texts given to a browser that the desk must recognise when they come back: signed, each for one purpose."""

from __future__ import annotations

import base64
import hashlib
import hmac

_TAG = 32


def seal(secret: bytes, purpose: str, text: str) -> str:
    """Return `text` with its HMAC-SHA-256, as URL-safe base64; `purpose` keeps tickets of two kinds apart."""
    body = text.encode()
    return base64.urlsafe_b64encode(_tag(secret, purpose, body) + body).rstrip(b"=").decode()


def opened(secret: bytes, purpose: str, ticket: str) -> str | None:
    """Return the text of a ticket, or None where this desk did not write it for this purpose."""
    try:
        raw = base64.b64decode(ticket.encode("ascii") + b"=" * (-len(ticket) % 4), altchars=b"-_", validate=True)
    except (ValueError, UnicodeEncodeError):
        return None
    tag, body = raw[:_TAG], raw[_TAG:]
    return body.decode() if hmac.compare_digest(tag, _tag(secret, purpose, body)) else None


def _tag(secret: bytes, purpose: str, body: bytes) -> bytes:
    return hmac.new(secret, purpose.encode() + b"\x00" + body, hashlib.sha256).digest()

"""The guard in front of every route: hosts, headers, bodies, origins and rates in; security headers out.

It speaks ASGI itself, so that nothing is parsed before it was bounded and no answer, error pages included, leaves
without its headers.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders

from workbench.desk import errors_web
from workbench.desk.rate_limits import RateLimits, TooManyError
from workbench.desk.settings import Settings

log = logging.getLogger("workbench.desk")
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

#: Everything from the desk itself, nothing inline, nothing from elsewhere, in nobody's frame.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # Not no-referrer: browsers then send "Origin: null" with a form, and whether it is ours could not be told.
    "referrer-policy": "same-origin",
    "permissions-policy": (
        "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), microphone=(), midi=(), "
        "payment=(), usb=()"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
_STRICT_TRANSPORT = "max-age=31536000; includeSubDomains"
_HOST_FORM = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::([0-9]{1,5}))?", re.IGNORECASE)
_METHODS = frozenset({"GET", "HEAD", "POST"})


class RefusedError(Exception):
    """The guard turned a request away: `status`, and a title and sentence for the page."""

    def __init__(self, status: int, title: str, sentence: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(title)
        self.status, self.title, self.sentence, self.headers = status, title, sentence, headers or {}


class Guard:
    """The ASGI layer around the desk."""

    def __init__(self, app: Application, settings: Settings, rates: RateLimits) -> None:
        self._app, self._settings, self._rates = app, settings, rates

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        if scope["type"] == "websocket":  # the desk has none; said so, it is an answer and no fault
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        if scope["type"] != "http":
            return
        guarded = self._with_headers(send)
        try:
            headers = Headers(scope=scope)
            scope["state"] = {**scope.get("state", {}), "address": address_of(scope, headers, self._settings)}
            self._admit(scope, headers)
            body = await self._in_time(headers, receive)
        except RefusedError as refused:
            page = errors_web.plain_page(scope["app"], Request(scope), refused.status, refused.title, refused.sentence)
            page.headers.update(refused.headers)
            await page(scope, receive, guarded)
            return
        await self._answered(scope, body, guarded)

    async def _answered(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Let the desk answer; a fault of the program becomes a page with a reference, and the log has the rest."""
        started = False

        async def watching(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watching)
        except Exception as error:
            reference = secrets.token_hex(4)
            log.exception("fault %s at %s", reference, ascii(scope["path"]), exc_info=error)
            if started:
                raise
            page = errors_web.plain_page(
                scope["app"],
                Request(scope),
                500,
                "Something went wrong on our side",
                f"Look before you try again whether it was done. Tell who runs the desk this reference: {reference}.",
            )
            await page(scope, receive, send)

    def _admit(self, scope: MutableMapping[str, Any], headers: Headers) -> None:
        length = sum(len(name) + len(value) for name, value in scope["headers"])
        if len(scope["headers"]) > self._settings.header_limit or length > self._settings.header_bytes:
            raise RefusedError(431, "Too many headers", "The request carries more headers than the desk reads.")
        if not host_is_ours(headers, self._settings):
            raise RefusedError(
                400, "Unknown host", "The desk does not answer to this name. Use the address you were given."
            )
        if scope["method"] not in _METHODS:
            raise RefusedError(405, "Not allowed", "The desk knows pages and forms only.", {"allow": "GET, HEAD, POST"})
        try:
            self._rates.address(scope["state"]["address"])
        except TooManyError as error:
            raise RefusedError(
                429,
                "Too many requests",
                "Too many requests came from your address. Wait a little, then try again. Nothing was done.",
                {"retry-after": str(error.seconds)},
            ) from error
        if scope["method"] == "POST" and not from_our_pages(headers, self._settings):
            raise RefusedError(
                403,
                "Not from this desk",
                "The form was not sent from a page of this desk, so nothing was done. Repeat it on the desk.",
            )

    async def _in_time(self, headers: Headers, receive: Receive) -> Receive:
        """Read the body, but not for ever: a form that drips in would hold a connection as long as it likes."""
        try:
            async with asyncio.timeout(self._settings.body_seconds):
                return await self._bounded(headers, receive)
        except TimeoutError as error:
            raise RefusedError(
                408, "Too slow", "The form did not arrive in time, so nothing was done. Please send it again.",
                {"connection": "close"},
            ) from error  # fmt: skip

    async def _bounded(self, headers: Headers, receive: Receive) -> Receive:
        """Read the whole body up to the limit, and hand it on as one message."""
        limit = self._settings.body_limit
        too_large = RefusedError(
            413, "Too much at once", f"The desk takes up to {limit:,} bytes in one form. Nothing was done.",
            {"connection": "close"},
        )  # fmt: skip
        if "transfer-encoding" in headers and "content-length" in headers:
            # A proxy may go by one and this server by the other: the rest would be read as somebody else's request.
            raise RefusedError(400, "Bad request", "The request gives two lengths.", {"connection": "close"})
        declared = headers.get("content-length", "0")
        if not declared.isascii() or not declared.isdigit():
            raise RefusedError(400, "Bad request", "The length of the request is not a number.")
        if len(declared) > 12 or int(declared) > limit:
            raise too_large
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                break
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > limit:
                raise too_large
            if not message.get("more_body", False):
                break
        pending: list[Message] = [{"type": "http.request", "body": b"".join(parts), "more_body": False}]

        async def replay() -> Message:
            return pending.pop() if pending else await receive()

        return replay

    def _with_headers(self, send: Send) -> Send:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    if name not in headers:
                        headers[name] = value
                if self._settings.https:
                    headers["strict-transport-security"] = _STRICT_TRANSPORT
            await send(message)

        return sending


def host_is_ours(headers: Headers, settings: Settings) -> bool:
    """Say whether the Host header (there must be exactly one) names this desk, whatever the port."""
    named = headers.getlist("host")
    match = _HOST_FORM.fullmatch(named[0]) if len(named) == 1 else None
    return match is not None and match[1].lower().rstrip(".") in {host.lower() for host in settings.hosts}


def from_our_pages(headers: Headers, settings: Settings) -> bool:
    """Say whether a form comes from a page of this desk: Sec-Fetch-Site and Origin must not say otherwise.

    Every browser since 2020 sends Origin with a POST; a request without both headers is refused.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is None and origin is None:
        return False
    if site is not None and site != "same-origin":
        return False
    scheme = "https" if settings.https else "http"
    return origin is None or origin.lower() == f"{scheme}://{headers['host']}".lower()


def address_of(scope: MutableMapping[str, Any], headers: Headers, settings: Settings) -> str:
    """Return the caller's address: the connection's, or what the outermost of our own proxies saw."""
    peer = scope.get("client")
    address = str(peer[0]) if peer else "unknown"
    if settings.proxies:
        seen = [part.strip() for line in headers.getlist("x-forwarded-for") for part in line.split(",") if part.strip()]
        if len(seen) >= settings.proxies:
            address = seen[-settings.proxies]
    return address[:64]

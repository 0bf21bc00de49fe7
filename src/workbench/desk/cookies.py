"""The desk's cookies: HttpOnly, SameSite=Strict, and with https Secure and bound to the host by their name's prefix."""

from __future__ import annotations

from typing import Literal

from fastapi import Request
from fastapi.responses import Response

from workbench.desk.settings import Settings


def name_of(name: str, settings: Settings) -> str:
    """Return a cookie's full name. `__Host-` makes browsers refuse it from another host, path or without https."""
    return f"__Host-desk-{name}" if settings.https else f"desk-{name}"


def get(request: Request, name: str, settings: Settings) -> str:
    """Return a cookie's value, "" where it was not sent."""
    return request.cookies.get(name_of(name, settings), "")


def put(
    response: Response,
    name: str,
    value: str,
    settings: Settings,
    *,
    seconds: int | None = None,
    same_site: Literal["strict", "lax"] = "strict",
) -> None:
    """Set a cookie; without `seconds` it ends with the browser. `lax` lets it come back from the identity provider."""
    response.set_cookie(
        name_of(name, settings),
        value,
        max_age=seconds,
        path="/",
        secure=settings.https,
        httponly=True,
        samesite=same_site,
    )


def drop(response: Response, name: str, settings: Settings) -> None:
    """Delete a cookie."""
    response.delete_cookie(name_of(name, settings), path="/", secure=settings.https, httponly=True, samesite="strict")

"""What an act answers, shown once on the page the browser is sent to: a signed cookie, so that no link can say it."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import Response

from workbench.desk import cookies, tickets
from workbench.desk.settings import Settings

_MOST = 600


def leave(response: Response, message: str, settings: Settings) -> None:
    """Leave a message for the next page."""
    cookies.put(response, "said", tickets.seal(settings.secret, "said", message[:_MOST]), settings, seconds=60)


def take(request: Request, settings: Settings) -> str:
    """Return the message left by the act before, "" where there is none of ours."""
    return tickets.opened(settings.secret, "said", cookies.get(request, "said", settings)) or ""


def forget(response: Response, settings: Settings) -> None:
    """Take the message away once it was shown."""
    cookies.drop(response, "said", settings)

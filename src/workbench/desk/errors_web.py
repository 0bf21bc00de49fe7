"""What went wrong, as a page: what happened, what to do, and nothing of the inside."""

from __future__ import annotations

import logging
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from workbench.desk.forms import BodyError, Form
from workbench.desk.rate_limits import TooManyError
from workbench.desk.rendering import sentence
from workbench.errors import (
    AccessError,
    AuditError,
    DecisionError,
    ParameterError,
    RepeatError,
    StaleError,
    StoreError,
    WorkbenchError,
)

log = logging.getLogger("workbench.desk")

#: Why access was refused, in the reader's words; the error's own sentence follows.
REFUSALS = {
    "role": "Your role does not include this",
    "book": "This is in another book",
    "maker": "Whoever made a signal may not check it",
    "service": "Only a person may do this",
    "mode": "The rollout mode does not go this far",
    "state": "The signal is in another state",
    "break_glass": "Emergency access does not reach this far",
    "password": "Take a password of your own first",
}

#: Fields that take a person some thought; never a password.
WRITTEN = (
    ("reason", "Reason"), ("note", "Note"), ("body", "Text"), ("answer", "Answer"),
    ("source_document", "Where it is written down"),
)  # fmt: skip


def plain_page(
    app: FastAPI, request: Request, status: int, title: str, sentence: str, *, back: str = "/", changes: object = ()
) -> HTMLResponse:
    """Render an error page: a title, one sentence that says what to do, a link."""
    from workbench.desk.visit import answer

    context = {
        "title": title,
        "sentence": sentence,
        "back": back,
        "changes": changes,
        "written": written(request),
        "visit": getattr(request.state, "visit", None),
    }
    return answer(request, "error.html", context, status=status)


def written(request: Request) -> list[tuple[str, str]]:
    """Return what the person wrote in the form that was refused, so that their words are not lost with it."""
    form: Form = getattr(request.state, "form", None) or Form(())
    return [(label, form.get(name)) for name, label in WRITTEN if form.get(name).strip()]


def add_handlers(app: FastAPI) -> None:
    """Turn every error into its page."""

    def page(request: Request, status: int, title: str, sentence: str, **more: object) -> HTMLResponse:
        back = getattr(request.state, "back", "/")
        return plain_page(app, request, status, title, sentence, back=back, changes=more.get("changes", ()))

    def access(request: Request, error: AccessError) -> Response:
        if error.rule == "signed_out":
            if request.method in ("GET", "HEAD"):
                return RedirectResponse(f"/sign-in?next={quote(request.url.path, safe='/')}", status_code=303)
            return page(
                request,
                401,
                "You are signed out",
                "Your session has ended, so nothing was done. Sign in, then repeat it.",
            )
        if error.rule == "password" and request.method in ("GET", "HEAD"):
            return RedirectResponse("/me", status_code=303)
        if error.rule == "throttled":
            answered = page(request, 429, "Too many attempts", sentence(error))
            answered.headers["retry-after"] = "300"
            return answered
        return page(request, 403, REFUSALS.get(error.rule, "Not allowed"), sentence(error))

    def stale(request: Request, error: StaleError) -> Response:
        from workbench.desk import changes_since

        return page(
            request, 409, "It has changed since you looked", sentence(error), changes=changes_since.read(request)
        )

    def repeat(request: Request, error: RepeatError) -> Response:
        return page(request, 409, "This form was used already", sentence(error))

    def decision(request: Request, error: DecisionError) -> Response:
        return page(request, 409, "This cannot be done now", sentence(error))

    def audit(request: Request, error: AuditError) -> Response:
        log.error("audit: %s", error)
        return page(request, 409, "The records do not agree", f"{sentence(error)} Nothing was done.")

    def body(request: Request, error: BodyError) -> Response:
        return page(request, error.status, "The form could not be read", sentence(error))

    def parameter(request: Request, error: ParameterError) -> Response:
        return page(request, 422, "Something in the form is not right", sentence(error))

    def store(request: Request, error: StoreError) -> Response:
        log.error("store: %s", error)
        answered = page(
            request,
            503,
            "The database does not answer",
            "Nothing was done. Wait a minute and try again; if this page stays, tell whoever runs the desk.",
        )
        answered.headers["retry-after"] = "30"
        return answered

    def too_many(request: Request, error: TooManyError) -> Response:
        answered = page(request, 429, "Too many requests", "Wait a little, then try again. Nothing was done.")
        answered.headers["retry-after"] = str(error.seconds)
        return answered

    def workbench(request: Request, error: WorkbenchError) -> Response:
        return page(request, 409, "This cannot be done", sentence(error))

    def http(request: Request, error: HTTPException) -> Response:
        if error.status_code == 405:
            return page(request, 405, "Not allowed", "This address takes no request of this kind. Nothing was done.")
        return page(request, 404, "No such page", "There is nothing at this address, or it is not for you to see.")

    def invalid(request: Request, error: RequestValidationError) -> Response:
        return page(request, 404, "No such page", "There is nothing at this address, or it is not for you to see.")

    handlers = {
        AccessError: access, StaleError: stale, RepeatError: repeat, DecisionError: decision, AuditError: audit,
        BodyError: body, ParameterError: parameter, StoreError: store, TooManyError: too_many,
        WorkbenchError: workbench, HTTPException: http, RequestValidationError: invalid,
    }  # fmt: skip
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)  # type: ignore[arg-type]

"""Templates, and how the desk spells money, moments and hashes; everything from outside is escaped here, once."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from workbench.papers.pages import asset
from workbench.report import format as fmt
from workbench.report import theme
from workbench.report.environment import escaping_environment
from workbench.report.fonts import FACES

#: How a state, verdict, mode or role is called on a page, and the tone of its pill.
WORDS = {
    "draft": "Draft", "checked": "Checked", "submitted": "Submitted", "approved": "Approved", "rejected": "Rejected",
    "returned": "Returned", "released": "Released", "exported": "Exported", "acknowledged": "Acknowledged",
    "partly_filled": "Partly filled", "filled": "Filled", "expired": "Expired", "superseded": "Superseded",
    "pass": "Pass", "warn": "Warning", "block": "Blocked", "not_assessable": "Not assessable",
    "overridden": "Overridden", "monitor": "Monitor", "release": "Release", "done": "Done", "refused": "Refused",
    "viewer": "Viewer", "advisor": "Advisor", "analyst": "Analyst", "portfolio_manager": "Portfolio manager",
    "trader": "Trader", "compliance": "Compliance", "administrator": "Administrator", "auditor": "Auditor",
    "service": "Service", "form": "Form", "client_wish": "Client's wish", "data_wrong": "Data are wrong",
    "policy_wrong": "Policy does not fit", "drafted": "Draft, not released", "edited": "Edited, not released",
    "withdrawn": "Withdrawn", "client_email": "Client e-mail", "open": "Open", "answered": "Answered",
    "closed": "Closed",
}  # fmt: skip
TONES = {
    "pass": "good", "warn": "warning", "block": "bad", "not_assessable": "bad", "overridden": "warning",
    "submitted": "decision", "approved": "good", "released": "good", "exported": "good", "acknowledged": "good",
    "partly_filled": "warning", "filled": "good", "rejected": "bad", "returned": "warning", "refused": "bad",
    "monitor": "warning", "release": "good", "drafted": "decision", "edited": "decision", "withdrawn": "bad",
    "open": "decision", "answered": "good",
}  # fmt: skip

ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3" fill="#0b5cad"/>'
    '<path d="M3 11.5h10M8 4v7.5M4 5.5h8" stroke="#fff" stroke-width="1.6" fill="none"/></svg>'
)


@dataclass(frozen=True)
class Static:
    """A file the desk serves to anybody: its content and the name that changes when the content does."""

    name: str
    media_type: str
    body: bytes


def words(value: object) -> str:
    """Return how a code (state, verdict, role, reason) is called on a page."""
    text = str(value)
    return WORDS.get(text, text.replace("_", " ").capitalize())


def money(cents: int | None) -> str:
    """Format whole cents as dollars: 123456 is "$1,235" and None "n/a"."""
    return fmt.MISSING if cents is None else fmt.usd(cents / 100)


def money_short(cents: int | None) -> str:
    """Format whole cents for a headline: "$1.2 m"."""
    return fmt.MISSING if cents is None else fmt.usd_short(cents / 100)


def moment(value: datetime | str | None) -> str:
    """Format an instant to the minute, in UTC: "2026-11-21 19:29 UTC"."""
    if value is None:
        return fmt.MISSING
    if isinstance(value, str):
        value = datetime.fromisoformat(value.replace("Z", "+00:00"))
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def short_hash(value: str | None) -> str:
    """Return the first twelve characters of a hash, enough to tell two apart by eye; the page holds it whole."""
    return fmt.MISSING if not value else value[:12]


def sentence(text: object) -> str:
    """Return an error's words as a sentence: a capital first, a full stop last; "" for None."""
    said = "" if text is None else str(text).strip()
    return said and said[0].upper() + said[1:] + ("" if said.endswith((".", "!", "?")) else ".")


def new_key() -> str:
    """Return a fresh idempotency key for one showing of one form."""
    return secrets.token_urlsafe(18)


@cache
def make_environment() -> Environment:
    """Return the template environment: everything escaped, an unknown name an error, control characters spelt out.

    Made once for all desks of a process: templates take a tenth of a second to compile.
    """
    statics = load_statics()
    environment = escaping_environment("workbench.desk")
    environment.filters |= {
        "words": words, "money": money, "money_short": money_short, "moment": moment, "sentence": sentence,
        "short_hash": short_hash,
        "long_date": fmt.long_date, "count": fmt.count, "clipped": fmt.clipped, "percent": fmt.percent,
        "tone": lambda value: TONES.get(str(value), ""),
    }  # fmt: skip
    environment.globals |= {"new_key": new_key, "static": lambda name: f"/static/{statics[name].name}"}
    return environment


@cache
def load_statics() -> Mapping[str, Static]:
    """Return the desk's style, script, icon and the house's typefaces, each by its plain name."""
    statics: dict[str, Static] = {}

    def put(name: str, media_type: str, body: bytes) -> Static:
        stem, _, suffix = name.rpartition(".")
        digest = hashlib.sha256(body).hexdigest()[:12]
        return statics.setdefault(name, Static(f"{stem}-{digest}.{suffix}", media_type, body))

    fonts = ""
    for face in FACES:
        path = face.path()
        fonts += face.css(put(path.name.lower(), "font/otf", path.read_bytes()).name)
    light, dark = theme.css_tokens(dark=False), theme.css_tokens(dark=True)
    tokens = f":root{{color-scheme:light;{light}}}\n"
    tokens += f"@media (prefers-color-scheme:dark){{:root{{color-scheme:dark;{dark}}}}}\n"
    put("desk.css", "text/css; charset=utf-8", (fonts + tokens + _asset("desk.css") + asset("marked.css")).encode())
    put("desk.js", "text/javascript; charset=utf-8", _asset("desk.js").encode())
    put("icon.svg", "image/svg+xml", ICON.encode())
    return statics


def _asset(name: str) -> str:
    return resources.files("workbench.desk").joinpath("static", name).read_text(encoding="utf-8")


def _finalize(value: Any) -> Any:
    return fmt.visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value

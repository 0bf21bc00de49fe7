"""A brief as a web page of its own and as one page of PDF."""

from __future__ import annotations

import atexit
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import Template
from markupsafe import Markup

from workbench.report import format as fmt
from workbench.report.brief import chart
from workbench.report.brief.fit import ROOM, fitted
from workbench.report.brief.page import BriefView, Deviation
from workbench.report.exhibit import ExhibitError
from workbench.report.html import asset, make_environment, stylesheet
from workbench.report.press import Press

#: Nothing is fetched but the typefaces beside the page; the style stands in the page itself, so that it can be mailed.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; font-src 'self'; base-uri 'none'; form-action 'none'"
)
#: Rooms tried in turn, until the PDF has one page.
_ROOMS = (ROOM, 0.92 * ROOM, 0.82 * ROOM, 0.7 * ROOM, 0.5 * ROOM, 0.0)


@dataclass(frozen=True)
class RenderedBrief:
    """A brief's web page and PDF, both of the same words."""

    html: str
    pdf: bytes


def render_html(view: BriefView, fonts: str = "") -> str:
    """Return the brief as a web page; `fonts` are the rules of the typefaces beside it ("": the reader's own)."""
    cut = fitted(view)
    return _page(cut, _words(cut), fonts)


def render_pdf(view: BriefView) -> bytes:
    """Return the brief as a PDF of one letter page, tagged (PDF/UA); the same brief gives the same bytes.

    Raises `MissingToolError` where Pango or WeasyPrint is missing, `ExhibitError` where a page cannot hold even the
    shortest form, because a single text is longer than it.
    """
    return render_both(view).pdf


def render_both(view: BriefView, fonts: str = "") -> RenderedBrief:
    """Return page and PDF, cut alike; raises as `render_pdf`."""
    for room in _ROOMS:
        cut = fitted(view, room)
        words = _words(cut)
        document = press().set(words, f"{view.title}, {view.state.lower()}", view.as_of)
        if len(document.pages) == 1:
            return RenderedBrief(_page(cut, words, fonts), press().printed(document))
    raise ExhibitError(f"brief {view.key!r} does not fit one page; shorten its texts")


def screen_style() -> str:
    """Return the style of the web page."""
    return stylesheet("", names=("brief.css", "brief_screen.css"))


def _words(cut: BriefView) -> str:
    # A line may otherwise end between a minus sign and its dollars.
    return template("brief_body.html").render(view=cut, **_names()).replace(f"{fmt.MINUS}$", f"{fmt.MINUS}\u2060$")


def _page(cut: BriefView, words: str, fonts: str) -> str:
    style = Markup(fonts + screen_style())
    return template("brief.html").render(view=cut, body=Markup(words), style=style, csp=CONTENT_SECURITY_POLICY)


@lru_cache(maxsize=1)
def press() -> Press:
    """Return this process's press."""
    # Let go before the interpreter ends: WeasyPrint's typefaces cannot be closed after its modules are gone.
    atexit.register(press.cache_clear)
    return Press(asset("brief.css") + asset("brief_print.css"), asset("brief_elements.css"))


@lru_cache(maxsize=8)
def template(name: str) -> Template:
    """Return a template, compiled once a process."""
    return make_environment().get_template(name)


def _names() -> dict[str, Any]:
    """What the body's template calls."""
    return {
        "draw": chart.draw,
        "reach": chart.reach,
        "percent": fmt.percent,
        "points": fmt.percentage_points,
        "state": _state,
    }


def _state(row: Deviation, weight: float) -> str:
    """Say of a weight outside its band which way it is out."""
    if row.lower is None or row.upper is None:
        return ""
    return "over" if weight > row.upper + 1e-9 else "under" if weight < row.lower - 1e-9 else ""

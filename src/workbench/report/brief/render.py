"""A brief as a web page of its own and as one page of PDF."""

from __future__ import annotations

import atexit
import re
import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from xml.etree import ElementTree

from jinja2 import Template
from markupsafe import Markup, escape

from workbench.report import format as fmt
from workbench.report import theme
from workbench.report.brief import chart
from workbench.report.brief.fit import ROOM, fitted
from workbench.report.brief.page import BriefView, Deviation
from workbench.report.exhibit import ExhibitError
from workbench.report.fonts import FACES
from workbench.report.html import asset, make_environment, stylesheet
from workbench.report.pdf import _weasyprint

#: Nothing is fetched but the typefaces beside the page; the style stands in the page itself, so that it can be mailed.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; font-src 'self'; base-uri 'none'; form-action 'none'"
)
#: Rooms tried in turn, until the PDF has one page.
_ROOMS = (ROOM, 0.92 * ROOM, 0.82 * ROOM, 0.7 * ROOM, 0.5 * ROOM, 0.0)


#: How hard a PDF is compressed.
_LEVEL = 4
#: Characters that no XML may hold, beyond those that are spelled out.
_NOT_XML = re.compile("[\ufffe\uffff]")


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
        document = press().set(words, view)
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


class _Press:
    """WeasyPrint with style and typefaces read once for all briefs of this process."""

    def __init__(self) -> None:
        weasyprint = _weasyprint()
        self.fonts = weasyprint.text.fonts.FontConfiguration()
        self.fetcher = weasyprint.urls.URLFetcher(allowed_protocols=("data", "file"), fail_on_errors=True)
        faces = "".join(face.css(face.path().as_uri()) for face in FACES)
        self.style = self._sheet(weasyprint, faces + _in_place(asset("brief.css") + asset("brief_print.css")))
        elements = self._sheet(weasyprint, asset("brief_elements.css"))

        base: Any = weasyprint.HTML
        from cssselect2 import ElementWrapper  # type: ignore[import-untyped]

        class Page(base):
            """A page read as XML, which takes a tenth of the time of HTML, with the elements of a brief."""

            def __init__(self, text: str, fetcher: Any) -> None:
                root = ElementTree.fromstring(text)
                self.base_url, self.url_fetcher, self.media_type = None, fetcher, "print"
                self.wrapper_element = ElementWrapper.from_html_root(root, content_language=None)
                self.etree_element = self.wrapper_element.etree_element

            def _ua_stylesheets(self, forms: bool = False) -> list[Any]:
                return [elements]

        self.page = Page

    def _sheet(self, weasyprint: Any, text: str) -> Any:
        return weasyprint.CSS(string=text, font_config=self.fonts, url_fetcher=self.fetcher)

    def set(self, words: str, view: BriefView) -> Any:
        """Lay the brief out."""
        days = "".join(f'<meta name="dcterms.{name}" content="{view.as_of}"/>' for name in ("created", "modified"))
        title = escape(fmt.visible(f"{view.title}, {view.state.lower()}"))
        text = f'<html lang="en"><head>{days}<title>{title}</title></head><body>{words}</body></html>'
        page = self.page(_NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text), self.fetcher)
        return page.render(stylesheets=[self.style], font_config=self.fonts, pdf_variant="pdf/ua-1", pdf_tags=True)

    def printed(self, document: Any) -> bytes:
        """Write the laid out brief as PDF."""
        content: bytes = document.write_pdf(finisher=_compress, pdf_variant="pdf/ua-1", pdf_tags=True)
        return content


def _compress(_: Any, pdf: Any) -> None:
    """Compress typefaces and words once and lightly: as pydyf does it, it would take a tenth of a brief's time."""
    from pydyf import Stream  # type: ignore[import-untyped]

    for part in pdf.objects:
        if isinstance(part, Stream) and part.compress and all(isinstance(line, bytes) for line in part.stream):
            part.stream, part.compress = [zlib.compress(b"\n".join(part.stream), _LEVEL)], False
            part.extra["Filter"] = "/FlateDecode"


def _in_place(style: str) -> str:
    """Put the light colours in the place of their names: looking them up for each element costs time."""
    tokens = dict(re.findall(r"--(\w+):([^;]+);", theme.css_tokens(dark=False)))
    return re.sub(r"var\(--(\w+)\)", lambda match: tokens[match[1]], style)


@lru_cache(maxsize=1)
def press() -> _Press:
    """Return this process's press."""
    # Let go before the interpreter ends: WeasyPrint's typefaces cannot be closed after its modules are gone.
    atexit.register(press.cache_clear)
    return _Press()


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

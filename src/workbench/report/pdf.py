"""The book as one PDF: tagged (PDF/UA), with contents, running heads and the same bytes from the same book.

Pages are set by WeasyPrint, which needs Pango; the charts are drawn to SVG by plotly in one headless Chrome or
Chromium for the whole book. Neither is needed for the web pages.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Literal

from workbench.errors import MissingToolError
from workbench.report import view
from workbench.report.book import Book
from workbench.report.exhibit import ExhibitError, FigureBody
from workbench.report.fonts import FACES
from workbench.report.html import make_environment, stylesheet

Paper = Literal["letter", "a4"]

#: Width of a chart in CSS pixels; on paper it is scaled to the text block's 650, so its text is set at 8 points.
CHART_WIDTH = 780

#: What plotly names at random in a drawing: clip paths, traces, patterns and their groups.
_RANDOM_NAME = re.compile(r"(defs-|clip|trace|legend-?|gradient|\bp|-(?=\w{6}[\"')]))([0-9a-f]{6})(?![0-9a-f])")

#: A pattern with its ground's colour, and a shape filled with a pattern, in plotly's drawing.
_PATTERN = re.compile(r'<pattern id="([^"]+)"[^>]*><rect [^>]*?fill="([^"]+)"')
_FILLED = re.compile(r"""<path d="(?P<shape>[^"]+)"[^>]*?fill: url\('#(?P<pattern>[^']+)'\)[^>]*>""")

_NEED_PANGO = (
    "the PDF needs the Pango library: on Debian or Ubuntu 'apt-get install libpango-1.0-0 libpangoft2-1.0-0', "
    "on macOS 'brew install pango'; the web pages need neither"
)
_NEED_CHROME = (
    "the charts of the PDF need Chrome or Chromium: on Debian or Ubuntu 'apt-get install chromium', on macOS "
    "'brew install --cask google-chrome', or set BROWSER_PATH to one; the web pages do not need it"
)


def render_pdf(book: Book, target: Path, *, paper: Paper = "letter") -> Path:
    """Write the book as a PDF to `target` and return it.

    The metadata's dates are the book's as-of date, so the same book gives the same bytes. Raises `MissingToolError`
    where Pango, a Chrome or a package is missing, `ExhibitError` where a chart cannot be drawn.
    """
    chapters = view.view_book(book)
    bodies = [block.exhibit.body for chapter in chapters for block in chapter.blocks if block.exhibit is not None]
    charts = [body for body in bodies if isinstance(body, FigureBody)]
    with ThreadPoolExecutor(max_workers=1) as pool:
        # The browser draws on a core of its own while WeasyPrint is imported and reads style and typefaces.
        drawing = pool.submit(draw_svgs, charts)
        weasyprint = _weasyprint()
        fonts = weasyprint.text.fonts.FontConfiguration()
        fetcher = weasyprint.urls.URLFetcher(allowed_protocols=("data", "file"), fail_on_errors=True)
        style = weasyprint.CSS(string=_style(paper), font_config=fonts, url_fetcher=fetcher)
        drawn = dict(zip(map(id, charts), drawing.result(), strict=True))

    document = _document(book, chapters, lambda body: _data_url(drawn[id(body)]))
    identifier = hashlib.sha256((paper + document).encode()).digest()[:16]
    page = weasyprint.HTML(string=_with_breakable_spaces(document), base_url=None, url_fetcher=fetcher)
    target.parent.mkdir(parents=True, exist_ok=True)
    content: bytes = page.write_pdf(
        stylesheets=[style], font_config=fonts, pdf_variant="pdf/ua-1", pdf_tags=True, pdf_identifier=identifier
    )
    target.write_bytes(content)
    return target


def _document(book: Book, chapters: Sequence[view.ChapterView], svg: Callable[[FigureBody], str]) -> str:
    """Return the book as one HTML document without its style."""
    places = view.known_places(chapters)
    template = make_environment().get_template("document.html")
    return template.render(
        book=book,
        chapters=chapters,
        anchor=_anchor,
        anchor_in=lambda key: partial(_anchor, key),
        href_in=lambda page: partial(_href, places, page),
        svg=svg,
        created=book.as_of,
    )


def draw_svgs(figures: Sequence[FigureBody]) -> list[str]:
    """Draw figures to SVG text, all in one browser; raises `MissingToolError` where there is none."""
    if not figures:
        return []
    # A fresh thread, because a notebook's or server's own event loop may be running in this one.
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, _draw_all(figures)).result()


async def _draw_all(figures: Sequence[FigureBody]) -> list[str]:
    try:
        import kaleido
        from choreographer.errors import BrowserFailedError, ChromeNotFoundError
    except ImportError as error:
        raise MissingToolError("the charts of the PDF need kaleido: pip install kaleido plotly") from error
    logging.getLogger("choreographer.channels.pipe").addFilter(_says_more_than_goodbye)
    try:
        async with kaleido.Kaleido(n=1, timeout=60, page_generator=_chart_page()) as browser:
            svgs = [await _draw(browser, figure) for figure in figures]
    except (ChromeNotFoundError, BrowserFailedError) as error:
        raise MissingToolError(_NEED_CHROME) from error
    return [_backed(_named_by_place(svg, place)) for place, svg in enumerate(svgs)]


def _says_more_than_goodbye(record: logging.LogRecord) -> bool:
    """Leave out the traceback that choreographer logs where the browser's last words are cut off; no chart is lost."""
    return not str(record.msg).startswith("JSONError decoding message")


def _named_by_place(svg: str, place: int) -> str:
    """Replace the random names in plotly's drawing by their place in the book, so that bytes repeat."""
    names: dict[str, str] = {}
    return _RANDOM_NAME.sub(lambda match: match[1] + names.setdefault(match[2], f"n{place}x{len(names)}"), svg)


def _backed(svg: str) -> str:
    """Put the plain colour under each bar filled with a pattern, or viewers show white seams between its tiles."""
    colours = dict(_PATTERN.findall(svg))

    def under(match: re.Match[str]) -> str:
        colour = colours.get(match["pattern"])
        return match[0] if colour is None else f'<path d="{match["shape"]}" fill="{colour}"/>{match[0]}'

    return _FILLED.sub(under, svg)


def _with_breakable_spaces(document: str) -> str:
    """Put a space before an inline element in its own span.

    Without it WeasyPrint 70 may break a line after its first word, where text and space together just overflow it.
    """
    return re.sub(r"(?<=[\w.,;:)]) <(a|data|strong|em|code)\b", r"<span> </span><\1", document)


async def _draw(browser: Any, figure: FigureBody) -> str:
    layout = figure.figure["layout"] | {"width": CHART_WIDTH, "height": figure.height}
    options = {"format": "svg", "width": CHART_WIDTH, "height": figure.height}
    try:
        content: bytes = await browser.calc_fig({"data": figure.figure["data"], "layout": layout}, opts=options)
    except (RuntimeError, ValueError) as error:
        raise ExhibitError(f"the chart '{figure.alt[:60]}' cannot be drawn: {error}") from error
    return content.decode()


def _chart_page() -> Any:
    """Return kaleido's page with the book's typeface, so that labels are measured in it, and without MathJax."""
    from kaleido import PageGenerator

    page = PageGenerator(mathjax=False)
    sans = [face for face in FACES if face.family.startswith("Source Sans")]
    faces = "".join(face.css(face.path().as_uri()).replace("swap", "block") for face in sans)
    words = "".join(f"<span style=\"font:{face.style} {face.weight} 12px '{face.family}'\">Aa</span>" for face in sans)
    page.header = page.header.replace("<title>", f"<style>{faces}</style><title>")
    page.footer = page.footer.replace("<body", "<body data-fonts=1").replace("</body>", f"<p>{words}</p></body>")
    return page


def _weasyprint() -> Any:
    try:
        import weasyprint
    except ImportError as error:
        raise MissingToolError("the PDF needs WeasyPrint: pip install weasyprint") from error
    except OSError as error:
        raise MissingToolError(_NEED_PANGO) from error
    return weasyprint


def _style(paper: Paper) -> str:
    fonts = "".join(face.css(face.path().as_uri()) for face in FACES)
    size = {"letter": "8.5in 11in", "a4": "210mm 297mm"}[paper]
    flat = {"letter": "11in 8.5in", "a4": "297mm 210mm"}[paper]
    sheet = stylesheet(fonts, names=("house.css", "pdf.css"))
    return sheet + f"@page{{size:{size}}}\n@page flat{{size:{flat}}}\n"


def _anchor(key: str, name: str = "") -> str:
    """Return a place's name in the one document: chapter and anchor, so that two chapters cannot clash."""
    return f"{key}--{name}" if name else key


def _href(places: dict[str, frozenset[str]], page: str, link: str) -> str | None:
    target, _, anchor = link.partition("#")
    target = target or page
    if target not in places or (anchor and anchor not in places[target]):
        return None
    return "#" + _anchor(target.removesuffix(".html"), anchor)


def _data_url(svg: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()

"""Short papers printed by the hundred: WeasyPrint with style and typefaces read once for all of a process."""

from __future__ import annotations

import re
import zlib
from typing import Any
from xml.etree import ElementTree

from markupsafe import Markup

from workbench.report import format as fmt
from workbench.report import theme
from workbench.report.fonts import FACES
from workbench.report.pdf import _weasyprint

#: How hard a PDF is compressed.
_LEVEL = 4
#: Characters that no XML may hold, beyond those that are spelled out.
_NOT_XML = re.compile("[\ufffe\uffff]")
_DAYS = ("created", "modified")


class Press:
    """One style, parsed once; `elements` takes the place of WeasyPrint's own sheet for HTML.

    That one gives every element six generated ones (markers, footnotes), which short papers have none of and which
    would take a fifth of the time. Raises `MissingToolError` where Pango or WeasyPrint is missing.
    """

    def __init__(self, style: str, elements: str) -> None:
        weasyprint = _weasyprint()
        self.fonts = weasyprint.text.fonts.FontConfiguration()
        self.fetcher = weasyprint.urls.URLFetcher(allowed_protocols=("data", "file"), fail_on_errors=True)
        faces = "".join(face.css(face.path().as_uri()) for face in FACES)
        self.style = self._sheet(weasyprint, faces + _in_place(style))
        sheet = self._sheet(weasyprint, elements)

        base: Any = weasyprint.HTML
        from cssselect2 import ElementWrapper  # type: ignore[import-untyped]

        class Page(base):
            """A page read as XML, which takes a tenth of the time of HTML, with the elements of the paper."""

            def __init__(self, text: str, fetcher: Any) -> None:
                root = ElementTree.fromstring(text)
                self.base_url, self.url_fetcher, self.media_type = None, fetcher, "print"
                self.wrapper_element = ElementWrapper.from_html_root(root, content_language=None)
                self.etree_element = self.wrapper_element.etree_element

            def _ua_stylesheets(self, forms: bool = False) -> list[Any]:
                return [sheet]

        self.page = Page

    def _sheet(self, weasyprint: Any, text: str) -> Any:
        return weasyprint.CSS(string=text, font_config=self.fonts, url_fetcher=self.fetcher)

    def set(self, body: str, title: str, as_of: str) -> Any:
        """Lay out a paper: its body as well-formed markup, the title of the document, and its day (ISO)."""
        days = Markup("").join(Markup('<meta name="dcterms.{}" content="{}"/>').format(name, as_of) for name in _DAYS)
        head = Markup("<head>{}<title>{}</title></head>").format(days, fmt.visible(title))
        text = f'<html lang="en">{head}<body>{body}</body></html>'
        page = self.page(_NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text), self.fetcher)
        return page.render(stylesheets=[self.style], font_config=self.fonts, pdf_variant="pdf/ua-1", pdf_tags=True)

    def printed(self, document: Any) -> bytes:
        """Write a paper that was laid out as PDF, tagged (PDF/UA); the same paper gives the same bytes."""
        content: bytes = document.write_pdf(finisher=_compress, pdf_variant="pdf/ua-1", pdf_tags=True)
        return content


def _compress(_: Any, pdf: Any) -> None:
    """Compress typefaces and words once and lightly: as pydyf does it, it would take a tenth of a paper's time."""
    from pydyf import Stream  # type: ignore[import-untyped]

    for part in pdf.objects:
        if isinstance(part, Stream) and part.compress and all(isinstance(line, bytes) for line in part.stream):
            part.stream, part.compress = [zlib.compress(b"\n".join(part.stream), _LEVEL)], False
            part.extra["Filter"] = "/FlateDecode"


def _in_place(style: str) -> str:
    """Put the light colours in the place of their names: looking them up for each element costs time."""
    tokens = dict(re.findall(r"--(\w+):([^;]+);", theme.css_tokens(dark=False)))
    return re.sub(r"var\(--(\w+)\)", lambda match: tokens[match[1]], style)

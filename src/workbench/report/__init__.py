"""Executed notebooks in, the committee's book out: exhibits, figures, HTML pages and a PDF.

Notebooks need the exhibits and figures only, so the renderers (and the template and PDF libraries under them) are
imported when first asked for.
"""

from typing import TYPE_CHECKING

from workbench.report import figures, format
from workbench.report.blocks import collect_facts, read_notebook
from workbench.report.book import Book, Chapter, RenderedPages
from workbench.report.exhibit import (
    Badge,
    CalloutBody,
    Cell,
    Column,
    Exhibit,
    ExhibitError,
    Fact,
    FactRef,
    FigureBody,
    Kpi,
    KpiBody,
    Link,
    Missing,
    Paragraph,
    ProseBody,
    Settings,
    Strong,
    TableBody,
    Tone,
)

if TYPE_CHECKING:
    from workbench.report import brief
    from workbench.report.html import render_html
    from workbench.report.pdf import render_pdf

__all__ = [
    "Badge",
    "Book",
    "CalloutBody",
    "Cell",
    "Chapter",
    "Column",
    "Exhibit",
    "ExhibitError",
    "Fact",
    "FactRef",
    "FigureBody",
    "Kpi",
    "KpiBody",
    "Link",
    "Missing",
    "Paragraph",
    "ProseBody",
    "RenderedPages",
    "Settings",
    "Strong",
    "TableBody",
    "Tone",
    "brief",
    "collect_facts",
    "figures",
    "format",
    "read_notebook",
    "render_html",
    "render_pdf",
]


def __getattr__(name: str) -> object:
    if name == "render_html":
        from workbench.report.html import render_html

        return render_html
    if name == "render_pdf":
        from workbench.report.pdf import render_pdf

        return render_pdf
    if name == "brief":
        import importlib

        return importlib.import_module("workbench.report.brief")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

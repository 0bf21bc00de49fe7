"""The papers of a firm: memo, commentary, client papers, notices, talking points, alerts; from a firm to a folder.

    drafts = client.drafts(open_at("demo"), households=["H00003"])   verified, not released
    write_papers(Path("reports"), drafts)                            pages, prints, e-mails, records

One module a kind (`memo`, `commentary`, `client`, `talking_points`, `notice`, `alerts`) reads what its sheets need and
yields drafts; the others render, keep and mark a draft. Names are loaded when they are asked for: the command line
names the room without paying for the analytics.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.papers import alerts, client, commentary, memo, notice, talking_points
    from workbench.papers.folder import WrittenPapers, write_papers
    from workbench.papers.mail import render_mail
    from workbench.papers.markdown import render_markdown
    from workbench.papers.marked import marked_html
    from workbench.papers.pages import render_html, render_pdf
    from workbench.papers.record import read_record
    from workbench.papers.release import Release
    from workbench.papers.sources import Endnotes, endnotes

__all__ = [
    "Endnotes",
    "Release",
    "WrittenPapers",
    "alerts",
    "client",
    "commentary",
    "endnotes",
    "marked_html",
    "memo",
    "notice",
    "read_record",
    "render_html",
    "render_mail",
    "render_markdown",
    "render_pdf",
    "talking_points",
    "write_papers",
]
#: The module of each name that is not a module itself.
_HOMES = {
    "Endnotes": "sources",
    "Release": "release",
    "WrittenPapers": "folder",
    "endnotes": "sources",
    "marked_html": "marked",
    "read_record": "record",
    "render_html": "pages",
    "render_mail": "mail",
    "render_markdown": "markdown",
    "render_pdf": "pages",
    "write_papers": "folder",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name not in _HOMES:
        return import_module(f"{__name__}.{name}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

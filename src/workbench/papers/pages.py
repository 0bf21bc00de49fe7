"""A draft as a web page, a PDF and Markdown: its verified text, its state, its sources, and nothing else."""

from __future__ import annotations

from markupsafe import Markup

from workbench.drafting import Draft
from workbench.papers.marked import marked_html
from workbench.papers.release import Release, check
from workbench.papers.sources import endnotes


def render_html(draft: Draft, *, release: Release | None = None, fonts: str = "") -> str:
    """Return the paper as one web page; `fonts` are the rules of the typefaces beside it ("": the reader's own)."""
    check(draft, release)
    return str(
        Markup("<main>{}</main>").format(
            marked_html(draft.text, draft.report, draft.sheet, endnotes(draft.report, draft.sheet))
        )
    )


def render_pdf(draft: Draft, *, release: Release | None = None) -> bytes:
    """Return the paper as PDF; the same draft gives the same bytes."""
    raise NotImplementedError


def render_markdown(draft: Draft, *, release: Release | None = None) -> str:
    """Return the paper as Markdown with its sources as footnotes."""
    raise NotImplementedError

"""A draft as a web page and as a PDF: its verified text, its state, its sources, and nothing else."""

from __future__ import annotations

import atexit
from functools import lru_cache
from importlib import resources

from jinja2 import Template
from markupsafe import Markup

from workbench.drafting import Draft
from workbench.drafting.blocks import Block, parse
from workbench.papers.marked import marked_html
from workbench.papers.pieces import one_line, plain
from workbench.papers.release import Release, approval, check, state
from workbench.papers.sources import endnotes
from workbench.report import format as fmt
from workbench.report.environment import escaping_environment
from workbench.report.html import stylesheet
from workbench.report.press import Press

#: Nothing is fetched but the typefaces beside the page; the style stands in the page itself, so that it can be mailed.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; font-src 'self'; img-src data:; base-uri 'none'; form-action 'none'"
)


def render_html(draft: Draft, *, release: Release | None = None, fonts: str = "") -> str:
    """Return the paper as one web page; `fonts` are the rules of the typefaces beside it ("": the reader's own).

    Raises `DraftError` for a release of another text or of one with faults.
    """
    return template("paper.html").render(
        title=heading(draft),
        state=state(release),
        body=_body(draft, release),
        style=Markup(screen_style(fonts)),
        csp=CONTENT_SECURITY_POLICY,
    )


def render_pdf(draft: Draft, *, release: Release | None = None) -> bytes:
    """Return the paper as a tagged PDF (PDF/UA) on letter paper; the same draft gives the same bytes.

    Raises as `render_html`, and `MissingToolError` where Pango or WeasyPrint is missing.
    """
    body = _body(draft, release, hover=False)
    # A line may otherwise end between a minus sign and its dollars.
    unbroken = body.replace(f"{fmt.MINUS}$", f"{fmt.MINUS}\u2060$")
    title = f"{heading(draft)}, {state(release).lower()}"
    return press().printed(press().set(unbroken, title, draft.sheet.as_of))


def heading(draft: Draft) -> str:
    """Return what heads a paper: its text's own title, or else the draft's, or else its kind and key."""
    own = own_title(draft.text)
    if own is not None:
        return plain(draft.text, own.start, own.end)
    return one_line(draft.title or f"{draft.kind} {draft.key}")


def own_title(text: str) -> Block | None:
    """Return the heading that opens a text where it is the only one of its level, and so the whole text's."""
    blocks = parse(text)
    tops = [block for block in blocks if (block.kind, block.level) == ("heading", 1)]
    return tops[0] if len(tops) == 1 and tops[0] is blocks[0] else None


def verdict(draft: Draft) -> str:
    """Return in a sentence what the verifier says of a paper."""
    faults, spans = len(draft.report.faults), len(draft.report.spans)
    if faults:
        return f"Not supported by the facts: {faults} of {spans} statements checked."
    if not spans:
        return "The text states no figure, day or name."
    return "The one statement checked is supported." if spans == 1 else f"All {spans} statements checked are supported."


def screen_style(fonts: str) -> str:
    """Return the style of the web pages, after the rules of the typefaces."""
    return stylesheet(fonts, names=()) + asset("paper.css") + asset("marked.css") + asset("paper_screen.css")


def asset(name: str) -> str:
    """Return the text of a style of the room; `marked.css` goes with `marked_html` wherever that is shown."""
    return resources.files("workbench.papers").joinpath("assets", name).read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def press() -> Press:
    """Return this process's press."""
    # Let go before the interpreter ends: WeasyPrint's typefaces cannot be closed after its modules are gone.
    atexit.register(press.cache_clear)
    style = asset("paper.css") + asset("marked.css") + asset("paper_print.css")
    return Press(style, asset("paper_elements.css"))


@lru_cache(maxsize=8)
def template(name: str) -> Template:
    """Return a template of the room, compiled once a process."""
    return escaping_environment("workbench.papers").get_template(name)


def _body(draft: Draft, release: Release | None, *, hover: bool = True) -> Markup:
    """The words of the paper, on screen and on paper alike; sources shown at a figure are the screen's alone."""
    check(draft, release)
    notes = endnotes(draft.report, draft.sheet)
    headed = own_title(draft.text) is not None
    return Markup(
        template("paper_body.html").render(
            state=state(release),
            approval=approval(release),
            as_of=fmt.long_date(draft.sheet.as_of),
            heading="" if headed else heading(draft),
            faults=len(draft.report.faults),
            text=marked_html(draft.text, draft.report, draft.sheet, notes, top=1 if headed else 2, hover=hover),
            notes=notes,
            verdict=verdict(draft),
            writer=_writer(draft),
            text_hash=draft.hash[:16],
            sheet_hash=draft.sheet.hash[:16],
            snapshot=draft.sheet.snapshot[:16],
        )
    )


def _writer(draft: Draft) -> str:
    made = draft.made
    if made.writer == "model":
        return f"Written by the model {made.model} under {made.name} ({made.name_hash[:8]})."
    return f"Written from the template {made.name} ({made.name_hash[:8]})."

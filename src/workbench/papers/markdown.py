"""A draft as Markdown that every reader shows alike: signs of the text taken literally, sources as footnotes."""

from __future__ import annotations

import re
from itertools import groupby

from workbench.drafting import Draft, Span, Verdict
from workbench.drafting.blocks import Block, parse
from workbench.papers.pages import heading, own_title, verdict
from workbench.papers.pieces import pieces, shown
from workbench.papers.release import Release, approval, check, state
from workbench.papers.sources import Endnotes, endnotes
from workbench.report import format as fmt

#: What Markdown, its tables, footnotes, formulas or raw HTML would read as a mark.
_MARKS = re.compile(r"[\\`*_\[\]<>|~$&#]")
#: What a reader may turn into a link by itself.
_LINKS = re.compile(r"(?i)(?<=:)(?=//)|(?<=www)(?=\.)")
#: What would make a line a list, a quotation, a heading or a rule.
_START = re.compile(r"^([-+=]|[0-9]+(?=[.)]))")


def render_markdown(draft: Draft, *, release: Release | None = None) -> str:
    """Return the paper as Markdown with its sources as footnotes.

    Raises `DraftError` for a release of another text or of one with faults.
    """
    check(draft, release)
    notes = endnotes(draft.report, draft.sheet)
    blocks = parse(draft.text)
    standing = ". ".join(filter(None, (state(release), approval(release), f"As of {fmt.long_date(draft.sheet.as_of)}")))
    parts = [f"> **{literal(standing)}.**"]
    deeper = own_title(draft.text) is None
    if deeper:
        parts.append(f"# {literal(heading(draft))}")
    for (kind, _), group in groupby(blocks, lambda block: (block.kind, block.table)):
        parts += _together(kind, list(group), draft, notes, "#" * deeper)
    parts.append("---")
    parts.append(
        f"{verdict(draft)} Text {draft.hash[:16]}, facts {draft.sheet.hash[:16]}, "
        f"{draft.made.writer} {literal(draft.made.name)} ({draft.made.name_hash[:8]})."
    )
    parts += [f"[^{number}]: {literal(notes.line(number))}" for number in range(1, len(notes.sources) + 1)]
    return "\n\n".join(parts) + "\n"


def literal(text: str) -> str:
    """Return text that Markdown shows as it is, in one line."""
    return _LINKS.sub(r"\\", _MARKS.sub(r"\\\g<0>", " ".join(shown(text).split())))


def _together(kind: str, blocks: list[Block], draft: Draft, notes: Endnotes, above: str) -> list[str]:
    """Neighbouring blocks of one kind, as the parts that a blank line stands between; `above` puts headings deeper."""
    if kind == "row":
        # A reader of Markdown leaves out cells that the head has no column for.
        columns = max(len(block.cells) for block in blocks)
        cells = [[_inline(draft, place, notes) for place in block.cells] for block in blocks]
        rows = ["| " + " | ".join([*row, *[""] * (columns - len(row))]) + " |" for row in cells]
        return ["\n".join([rows[0], "|" + "---|" * columns, *rows[1:]])]
    lines = [(block, _START.sub(r"\\\1", _inline(draft, (block.start, block.end), notes))) for block in blocks]
    if kind == "bullet":
        return ["\n".join(f"- {line}" for _, line in lines)]
    if kind == "quote":
        return ["\n>\n".join(f"> {line}" for _, line in lines)]
    return [f"{above}{'#' * block.level} {line}" if kind == "heading" else line for block, line in lines]


def _inline(draft: Draft, place: tuple[int, int], notes: Endnotes) -> str:
    parts, bold = [], False
    for span, group in groupby(pieces(draft.text, *place, draft.report.spans), lambda piece: piece.span):
        for piece in group:
            if piece.bold is not bold:
                parts.append("**")
                bold = piece.bold
            parts.append(_spaced(piece.text))
        parts.append(_after(span, notes))
    return "".join([*parts, "**" if bold else ""]).strip()


def _spaced(text: str) -> str:
    """A piece as it is, with the space at its ends."""
    inner = literal(text)
    return (" " if text[:1].isspace() else "") + inner + (" " if inner and text[-1:].isspace() else "")


def _after(span: Span | None, notes: Endnotes) -> str:
    """What follows a span: the number of its source, or what is wrong with it."""
    if span is None:
        return ""
    if span.verdict is not Verdict.SUPPORTED:
        return f" \\[{span.verdict.value}: {literal(span.reason)}\\]"
    return f"[^{notes.number(span)}]" if span in notes.marked else ""

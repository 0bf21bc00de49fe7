"""A verified text as HTML: each figure with its source, each fault with its verdict in words; all of it escaped.

Blocks come from the parser that the verifier reads, and nothing else is read here: what is shown is what was verified.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup, escape

from workbench.drafting import FactSheet, Span, Verdict, Verification
from workbench.drafting.blocks import Block, parse
from workbench.papers.sources import Endnotes, endnotes
from workbench.report import format as fmt

#: A sign taken literally, or a mark of bold: what `blocks.unescaped` reads too.
_MARK = re.compile(r"\\(.)|\*\*")
#: Breaks that a line may hold although it was read as one.
_BREAK = re.compile("[\u2028\u2029\x0b\x0c\x1c-\x1e\x85\r]")

_Inline = Callable[[int, int], Markup]


@dataclass(frozen=True)
class Piece:
    """A stretch of a block as a reader sees it: whether bold, and the span it belongs to (None: the writer's words)."""

    text: str
    bold: bool
    span: Span | None


def shown(text: str) -> str:
    """Return text with every sign that could hide or turn others spelt out, soft hyphens among them."""
    return fmt.visible(_BREAK.sub(" ", text)).replace("\u00ad", "\\u00ad")


def pieces(text: str, start: int, end: int, spans: Sequence[Span]) -> Iterator[Piece]:
    """Yield `text[start:end]` of a block in pieces, cut where a span or bold begins or ends."""
    inside = [span for span in spans if start <= span.start and span.end <= end]
    span_at = {place: span for span in inside for place in range(span.start, span.end)}
    signs: list[tuple[str, bool, Span | None]] = []
    bold, place = False, start
    while place < end:
        mark = _MARK.match(text, place, end)
        if mark and mark[1] is None:
            bold = not bold
        else:
            sign = mark[1] if mark else text[place]
            signs.append((sign, bold, span_at.get(mark.end() - 1 if mark else place)))
        place = mark.end() if mark else place + 1
    for (is_bold, span), group in groupby(signs, lambda one: (one[1], one[2])):
        yield Piece("".join(sign for sign, _, _ in group), is_bold, span)


def marked_html(text: str, report: Verification, sheet: FactSheet, notes: Endnotes | None = None) -> Markup:
    """Return a text as HTML blocks with its sources and verdicts, for a page that has the style `marked.css`.

    A supported figure carries the number of its source, a link to the endnote `#source-n` which shows the source
    when hovered or focused; a fault carries its verdict and reason in words. `notes` are the text's endnotes, if the
    caller has made them. Raises `FactError` where report and sheet do not belong together.
    """
    notes = notes or endnotes(report, sheet)

    def inline(start: int, end: int) -> Markup:
        stretch = pieces(text, start, end, report.spans)
        return Markup("").join(_span_html(span, list(group), notes) for span, group in groupby(stretch, _span_of))

    parts: list[Markup] = []
    for kind, group in groupby(parse(text), lambda block: (block.kind, block.table)):
        parts.append(_blocks_html(kind[0], list(group), inline))
    return Markup("\n").join(parts)


def _blocks_html(kind: str, blocks: Sequence[Block], inline: _Inline) -> Markup:
    """Neighbouring blocks of one kind: a list, a table, a quotation, or paragraphs and headings one by one."""
    whole = [inline(block.start, block.end) for block in blocks] if kind != "row" else []
    if kind == "bullet":
        return Markup("<ul>{}</ul>").format(Markup("").join(Markup("<li>{}</li>").format(one) for one in whole))
    if kind == "quote":
        return Markup("<blockquote>{}</blockquote>").format(_paragraphs(whole))
    if kind == "heading":
        levels = (f"h{block.level + 1}" for block in blocks)
        return Markup("\n").join(Markup("<{0}>{1}</{0}>").format(tag, one) for tag, one in zip(levels, whole))
    return _table(blocks, inline) if kind == "row" else _paragraphs(whole)


def _paragraphs(whole: Sequence[Markup]) -> Markup:
    return Markup("\n").join(Markup("<p>{}</p>").format(one) for one in whole)


def _table(rows: Sequence[Block], inline: _Inline) -> Markup:
    head, *body = rows
    columns = [Markup('<th scope="col">{}</th>').format(inline(*cell)) for cell in head.cells]
    lines = []
    for row in body:
        first, *rest = [inline(*cell) for cell in row.cells]
        cells = Markup("").join(Markup("<td>{}</td>").format(cell) for cell in rest)
        lines.append(Markup('<tr><th scope="row">{}</th>{}</tr>').format(first, cells))
    return Markup(
        '<div class="wide" tabindex="0"><table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>'
    ).format(Markup("").join(columns), Markup("\n").join(lines))


def _span_of(piece: Piece) -> Span | None:
    return piece.span


def _span_html(span: Span | None, group: Sequence[Piece], notes: Endnotes) -> Markup:
    words = Markup("").join(
        Markup("<b>{}</b>").format(shown(piece.text)) if piece.bold else escape(shown(piece.text)) for piece in group
    )
    if span is None:
        return words
    if span.verdict is not Verdict.SUPPORTED:
        return Markup(
            '<mark class="fault"><span class="said">{}</span><span class="verdict"> {}: {}</span></mark>'
        ).format(words, span.verdict.value, shown(span.reason))
    number = notes.number(span)
    if number is None:
        return words
    return Markup(
        '<span class="stated"><span class="said">{0}</span><a class="ref" href="#source-{1}" '
        'aria-label="Source {1}: {2}">{1}</a><span class="tip" aria-hidden="true">{2}</span></span>'
    ).format(words, number, shown(notes.line(number)))

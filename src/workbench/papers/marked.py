"""A verified text as HTML: each figure with its source, each fault with its verdict in words; all of it escaped."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import groupby, pairwise

from markupsafe import Markup, escape

from workbench.drafting import FactSheet, Span, Verdict, Verification
from workbench.drafting.blocks import Block, parse
from workbench.papers.pieces import Piece, pieces, plain, shown
from workbench.papers.sources import Endnotes, endnotes

#: What a span's words are put into.
Around = Callable[[Span, Markup], Markup]
_Inline = Callable[[tuple[int, int]], Markup]
#: Characters of a figure that stays in one line.
_SHORT = 12
#: Columns from which a table scrolls on a narrow screen.
_MANY = 3
_FIGURE = re.compile("[+\N{MINUS SIGN}-]?\\$?[0-9]|(?:nil|not known)$")


def marked_html(
    text: str,
    report: Verification,
    sheet: FactSheet,
    notes: Endnotes | None = None,
    *,
    top: int = 2,
    hover: bool = True,
) -> Markup:
    """Return a text as HTML blocks with its sources and verdicts, for a page that has the style `marked.css`.

    A supported figure carries the number of its source, a link to the endnote `#source-n` that shows the source when
    hovered or focused; a fault carries its verdict and reason in words. `notes` are the text's endnotes, where the
    caller has made them; `top` is the level of the text's first headings; print has no `hover`, and of
    neighbours in a line with one source it numbers the last. Raises `FactError` where report and sheet do not belong
    together.
    """
    numbered = notes or endnotes(report, sheet)
    again = frozenset[Span]() if hover else _repeated(text, report.spans, numbered)

    def around(span: Span, words: Markup) -> Markup:
        if span.verdict is not Verdict.SUPPORTED:
            return _fault(span, words)
        return words if span in again else _stated(span, words, numbered, hover)

    return text_html(text, report.spans, around, top=top)


def text_html(
    text: str, spans: Sequence[Span], around: Around, *, top: int = 2, blocks: Sequence[Block] | None = None
) -> Markup:
    """Return a text (or only those of its `blocks`) as HTML, the words of each span put into what `around` makes."""

    def inline(place: tuple[int, int]) -> Markup:
        stretch = groupby(pieces(text, *place, spans), _span_of)
        parts = ((span, Markup("").join(map(_words, group))) for span, group in stretch)
        return Markup("").join(words if span is None else around(span, words) for span, words in parts)

    def figures(place: tuple[int, int]) -> bool:
        return bool(_FIGURE.match(plain(text, *place)))

    parts = []
    chosen = parse(text) if blocks is None else blocks
    for (kind, _), group in groupby(chosen, lambda block: (block.kind, block.table)):
        alike = list(group)
        parts.append(_table(alike, inline, figures) if kind == "row" else _prose(kind, alike, inline, top))
    return Markup("\n").join(parts)


def _repeated(text: str, spans: Sequence[Span], notes: Endnotes) -> frozenset[Span]:
    """The spans whose number stands at the next one in the same line: "from 27.5% to 31.6%" needs it once."""
    told = [span for span in spans if span in notes.marked and notes.number(span)]
    return frozenset(
        span
        for span, following in pairwise(told)
        if notes.number(span) == notes.number(following) and "\n" not in text[span.end : following.start]
    )


def _span_of(piece: Piece) -> Span | None:
    return piece.span


def _words(piece: Piece) -> Markup:
    return Markup("<b>{}</b>").format(piece.text) if piece.bold else escape(piece.text)


def _stated(span: Span, words: Markup, notes: Endnotes, hover: bool) -> Markup:
    number = notes.number(span)
    if number is None:
        return words
    line = shown(notes.beside(span))
    link = Markup('<a class="ref" href="#source-{0}" aria-label="Source {0}: {1}">{0}</a>').format(number, line)
    # A line may otherwise end within a figure: "$183.8 m".
    width = " short" if span.end - span.start <= _SHORT else ""
    tip = Markup('<span class="tip" aria-hidden="true">{}</span>').format(line) if hover else ""
    return Markup('<span class="stated{}">{}{}{}</span>').format(
        width, words, link if span in notes.marked else "", tip
    )


def _fault(span: Span, words: Markup) -> Markup:
    return Markup('<mark class="fault">{}<span class="verdict"> {}</span><span class="why">: {}</span></mark>').format(
        words, span.verdict.value, shown(span.reason)
    )


def _prose(kind: str, blocks: Sequence[Block], inline: _Inline, top: int) -> Markup:
    """Neighbouring headings, paragraphs, bullets or quotations."""
    tags = {"bullet": "li", "paragraph": "p", "quote": "p"}
    lines = []
    for block in blocks:
        tag = tags.get(kind) or f"h{block.level + top - 1}"
        lines.append(Markup("<{0}>{1}</{0}>").format(tag, inline((block.start, block.end))))
    whole = Markup("\n").join(lines)
    if kind in ("bullet", "quote"):
        return Markup("<{0}>{1}</{0}>").format("ul" if kind == "bullet" else "blockquote", whole)
    return whole


def _table(rows: Sequence[Block], inline: _Inline, figures: Callable[[tuple[int, int]], bool]) -> Markup:
    """A table; a column in which all cells are figures, nil or not known is set as one of figures."""
    head, *body = rows
    columns = range(max(len(row.cells) for row in rows))
    as_figures = {
        column
        for column in columns
        if column and body and all(len(row.cells) > column and figures(row.cells[column]) for row in body)
    }

    def line(row: Block, tag: str) -> Markup:
        cells = []
        for column in columns:
            scope = "col" if tag == "th" else "row" if column == 0 else ""
            start = Markup('<th scope="{}"').format(scope) if scope else Markup("<td")
            start += Markup(' class="num">') if column in as_figures else Markup(">")
            words = inline(row.cells[column]) if column < len(row.cells) else Markup("")
            cells.append(start + words + (Markup("</th>") if scope else Markup("</td>")))
        return Markup("<tr>{}</tr>").format(Markup("").join(cells))

    lines = Markup("\n").join(line(row, "td") for row in body)
    return Markup(
        '<div class="wide" tabindex="0" role="region" aria-label="Table"><table{}><thead>{}</thead><tbody>{}</tbody>'
        "</table></div>"
    ).format(Markup(' class="many"') if len(columns) > _MANY else "", line(head, "th"), lines)

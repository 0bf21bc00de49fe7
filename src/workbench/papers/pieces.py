"""A stretch of a verified text as its reader sees it, in pieces: what is bold, and which span each piece belongs to.

Every form a paper takes is made of these pieces and of `drafting.blocks`, so that all show what was verified.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from workbench.drafting import Span
from workbench.report import format as fmt

#: A sign taken literally, or a mark of bold: what `blocks.unescaped` reads too.
_MARK = re.compile(r"\\(.)|\*\*")
#: Breaks that a line may hold although it was read as one.
_BREAK = re.compile("[\u2028\u2029\x0b\x0c\x1c-\x1e\x85\r]")


@dataclass(frozen=True)
class Piece:
    """A stretch of a block: its text, whether bold, and the span it belongs to (None: the writer's own words)."""

    text: str
    bold: bool
    span: Span | None


def shown(text: str) -> str:
    """Return text with every sign that could hide or turn others spelt out, soft hyphens among them."""
    return fmt.visible(_BREAK.sub(" ", text)).replace("\u00ad", "\\u00ad")


def one_line(text: str) -> str:
    """Return text as a heading, subject or cell shows it: in one line, nothing hidden."""
    return shown(" ".join(text.split()))


def pieces(text: str, start: int, end: int, spans: Sequence[Span]) -> Iterator[Piece]:
    """Yield `text[start:end]` of a block in pieces, cut where a span or bold begins or ends."""
    # Spans stand in reading order, each within one block.
    first, last = (bisect_left(spans, edge, key=lambda span: span.start) for edge in (start, end))
    span_at = {place: span for span in spans[first:last] for place in range(span.start, min(span.end, end))}
    signs: list[tuple[str, bool, Span | None]] = []
    bold, place = False, start
    while place < end:
        mark = _MARK.match(text, place, end)
        after = mark.end() if mark else place + 1
        if mark and mark[1] is None:
            bold = not bold
        else:
            signs.append((text[after - 1], bold, span_at.get(after - 1)))
        place = after
    for (is_bold, span), group in groupby(signs, lambda one: (one[1], one[2])):
        yield Piece(shown("".join(sign for sign, _, _ in group)), is_bold, span)


def plain(text: str, start: int, end: int) -> str:
    """Return `text[start:end]` of a block as a reader sees it, in one line."""
    return " ".join("".join(piece.text for piece in pieces(text, start, end, ())).split())

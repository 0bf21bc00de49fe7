"""The form of a draft's text: headings, paragraphs, bullets, quotations and tables, each with its place in the text.

    # Heading        - a bullet        > somebody else's words        | cell | cell |

Verifier and renderers read a text through this one small parser: what is shown is what was verified. Inline there is
`**bold**` and a backslash that takes any sign literally, nothing else; HTML is text like any other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

BlockKind = Literal["heading", "paragraph", "bullet", "quote", "row"]
_HEADING = re.compile(r"(#{1,3}) +")
_RULE_ROW = re.compile(r"\|(?:\s*:?-+:?\s*\|)+\s*")
_CELL_END = re.compile(r"(?<!\\)\|")
_LITERAL = re.compile(r"([\\|*])")


@dataclass(frozen=True)
class Block:
    """One block: `text[start:end]` is its content without the marks that made it one.

    `level` is that of a heading; `cells` the content of each cell of a row, `head` whether the row heads its table,
    `table` the number of the table in the text (-1: none).
    """

    kind: BlockKind
    start: int
    end: int
    level: int = 0
    cells: tuple[tuple[int, int], ...] = ()
    head: bool = False
    table: int = -1


def parse(text: str) -> tuple[Block, ...]:
    """Return the blocks of a text in order; lines of one paragraph may be broken anywhere."""
    blocks: list[Block] = []
    place, table, inside, open_paragraph = 0, -1, False, False
    for line in text.splitlines(keepends=True):
        body = line.rstrip()
        start, end = place + len(body) - len(body.lstrip()), place + len(body)
        place += len(line)
        content = text[start:end]
        was_open, open_paragraph = open_paragraph, False
        if content.startswith("|"):
            if not inside:
                table += 1
            if not (inside and _RULE_ROW.fullmatch(content)):
                blocks.append(Block("row", start, end, cells=_cells(text, start, end), head=not inside, table=table))
            inside = True
            continue
        inside = False
        if not content:
            continue
        if heading := _HEADING.match(content):
            blocks.append(Block("heading", start + heading.end(), end, level=len(heading[1])))
        elif content.startswith(("- ", "* ", "\u2022 ")):
            blocks.append(Block("bullet", start + 2, end))
        elif content.startswith("> "):
            blocks.append(Block("quote", start + 2, end))
        else:
            open_paragraph = True
            if was_open and blocks and blocks[-1].kind in ("paragraph", "bullet"):
                last = blocks.pop()
                blocks.append(Block(last.kind, last.start, end))
            else:
                blocks.append(Block("paragraph", start, end))
    return tuple(blocks)


def escaped(text: str, at_start: bool = False) -> str:
    """Return text that reads as itself inside a draft; `at_start` where it may open a line."""
    literal = _LITERAL.sub(r"\\\1", text)
    return "\\" + literal if at_start and literal[:1] in "#->\u2022" else literal


def unescaped(text: str) -> str:
    """Return a stretch of a draft as a reader sees it: without backslashes and marks of bold."""
    return re.sub(r"\\(.)|\*\*", lambda found: found[1] or "", text)


def _cells(text: str, start: int, end: int) -> tuple[tuple[int, int], ...]:
    """The trimmed content of each cell between the bars of a row."""
    bars = [start + found.start() for found in _CELL_END.finditer(text[start:end])]
    if not bars or bars[-1] != end - 1:
        bars.append(end)
    cells = []
    for left, right in pairwise(bars):
        inner = text[left + 1 : right]
        first = left + 1 + len(inner) - len(inner.lstrip())
        cells.append((first, max(first, left + 1 + len(inner.rstrip()))))
    return tuple(cells)

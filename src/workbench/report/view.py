"""What the page templates see: blocks numbered, anchored and with cells as text, the same for pages and PDF.

Markdown is rendered with HTML switched off; links lead within the book or, from a notebook's own text, to an https
source. Links whose target is not in the book (its chapter failed) become plain text.
"""

from __future__ import annotations

import copy
import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from workbench.report import format as fmt
from workbench.report._preview import cell_text, heading_text
from workbench.report.blocks import ErrorBlock, ExhibitBlock, MarkdownBlock
from workbench.report.book import Book, Chapter
from workbench.report.exhibit import Cell, Column, Exhibit, Fact, FigureBody, Missing, TableBody

#: Estimated widths in characters that a table may have upright in full size, and small, before it is laid flat.
_FULL_WIDTH, _DENSE_WIDTH = 104, 132
#: Longest text in characters of a column that never breaks a line; shortest of one that takes what room is left.
_SHORT, _LONG = 16, 48
#: Rows up to which a table is not split over pages.
_KEPT_ROWS = 8


@dataclass(frozen=True)
class Section:
    """A heading of a chapter, for its contents."""

    anchor: str
    title: str
    level: int


@dataclass(frozen=True)
class BlockView:
    """One block ready for a template. `number` is "Figure 2" or "Table 1", "" where exhibits are not numbered.

    `flat` marks a heading whose table follows on a page laid flat, so that it goes there with it.
    """

    kind: str
    anchor: str = ""
    number: str = ""
    tokens: tuple[Token, ...] = ()
    exhibit: Exhibit | None = None
    error: ErrorBlock | None = None
    facts: Mapping[str, Fact] = field(default_factory=dict)
    flat: bool = False

    @property
    def leads(self) -> bool:
        """Whether this is a heading with a few words, which must stay on the page of what it introduces."""
        texts = [token.content for token in self.tokens if token.type == "inline"]
        return bool(self.tokens) and self.tokens[0].type == "heading_open" and len("".join(texts)) < 700


@dataclass(frozen=True)
class ChapterView:
    """A chapter with its blocks, headings and number (from 1)."""

    chapter: Chapter
    number: int
    blocks: tuple[BlockView, ...]
    sections: tuple[Section, ...]

    @property
    def anchors(self) -> frozenset[str]:
        """Every place of the chapter a link may lead to."""
        return frozenset({block.anchor for block in self.blocks if block.anchor} | {s.anchor for s in self.sections})


def view_book(book: Book) -> tuple[ChapterView, ...]:
    """Number and anchor every block of the book."""
    return tuple(_view_chapter(chapter, number) for number, chapter in enumerate(book.chapters, start=1))


def known_places(chapters: Sequence[ChapterView]) -> dict[str, frozenset[str]]:
    """Return the anchors by page; the pages themselves are the keys."""
    return {"index.html": frozenset()} | {f"{view.chapter.key}.html": view.anchors for view in chapters}


def script_json(data: object) -> Markup:
    """Return JSON for a script block: no text in it can end the block or be read as markup."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def sort_value(cell: Cell, column: Column, facts: Mapping[str, Fact]) -> str:
    """Return the value to sort a cell by: the unrounded number, else the text."""
    if cell is None or isinstance(cell, Missing):
        return ""
    if isinstance(cell, int | float):
        return repr(float(cell))
    if type(cell).__name__ == "FactRef" and isinstance(value := facts[cell.fact].value, int | float):  # type: ignore[union-attr]
        return repr(float(value))
    return cell_text(cell, column)


def table_fit(body: TableBody) -> str:
    """Return how a table goes on a page: "" in full size, "dense" small, "landscape" small on a page laid flat."""
    width = 0
    for position, column in enumerate(body.columns):
        texts = [cell_text(row[position], column) for row in body.rows[:400]]
        longest = max((len(text) for text in texts), default=0)
        words = max((len(word) for word in heading_text(column).split()), default=0)
        width += max(min(longest, 34), words) + 3
    return "" if width <= _FULL_WIDTH else "dense" if width <= _DENSE_WIDTH else "landscape"


def column_fits(body: TableBody) -> tuple[str, ...]:
    """Return how each column takes its room: "short" never breaks a line, "long" gives way and wraps, "" is between."""
    fits = []
    for position, column in enumerate(body.columns):
        longest = max((len(cell_text(row[position], column)) for row in body.rows[:400]), default=0)
        fits.append("short" if longest <= _SHORT else "long" if longest > _LONG else "")
    return tuple(fits)


def table_keeps(body: TableBody) -> bool:
    """Return whether a table is small enough to stay whole on one page."""
    return len(body.rows) <= _KEPT_ROWS


def _view_chapter(chapter: Chapter, number: int) -> ChapterView:
    blocks: list[BlockView] = []
    sections: list[Section] = []
    taken: set[str] = set()
    counts = {"figure": 0, "table": 0}
    for block in chapter.blocks:
        if isinstance(block, MarkdownBlock):
            blocks.append(BlockView("markdown", tokens=_markdown(block.text, taken, sections)))
        elif isinstance(block, ErrorBlock):
            blocks.append(BlockView("error", anchor=_unique(f"cell-{block.cell}", taken), error=block))
        elif isinstance(block, ExhibitBlock):
            view = _view_exhibit(block.exhibit, taken, counts)
            if blocks and blocks[-1].leads and _is_flat(block.exhibit):
                blocks[-1] = replace(blocks[-1], flat=True)
            blocks.append(view)
    kept = _introducing(blocks)
    empty = {block.tokens[0].attrGet("id") for block in blocks if block not in kept}
    return ChapterView(
        chapter, number, tuple(kept), tuple(section for section in sections if section.anchor not in empty)
    )


def _introducing(blocks: Sequence[BlockView]) -> list[BlockView]:
    """Every block but headings that introduce nothing, because the notebook has nothing to show under them."""
    kept: list[BlockView] = []
    level = 0  # of what follows, 1 at the end of the chapter; 9 is text or an exhibit
    for block in reversed(blocks):
        is_heading = [token.type for token in block.tokens] == ["heading_open", "inline", "heading_close"]
        own = int(block.tokens[0].tag[1]) if block.tokens and block.tokens[0].type == "heading_open" else 9
        if not is_heading or level > own:
            kept.append(block)
            level = own
    return kept[::-1]


def _is_flat(exhibit: Exhibit) -> bool:
    return isinstance(exhibit.body, TableBody) and table_fit(exhibit.body) == "landscape"


def _view_exhibit(exhibit: Exhibit, taken: set[str], counts: dict[str, int]) -> BlockView:
    number = ""
    if exhibit.kind in counts:
        counts[exhibit.kind] += 1
        number = f"{exhibit.kind.capitalize()} {counts[exhibit.kind]}"
    facts = {fact.id: fact for fact in exhibit.facts}
    return BlockView(exhibit.kind, _unique(exhibit.id, taken), number, exhibit=exhibit, facts=facts)


def markdown_html(block: BlockView, anchor: Callable[[str], str], href: Callable[[str], str | None]) -> Markup:
    """Return a markdown block as HTML, its anchors and links passed through the document's own naming."""
    tokens = copy.deepcopy(block.tokens)
    for token in tokens:
        if token.type == "heading_open":
            token.attrSet("id", anchor(str(token.attrGet("id"))))
        for child in token.children or []:
            if child.type == "link_open":
                _point(child, href)
    return Markup(_PARSER.renderer.render(tokens, _PARSER.options, {}))


def _markdown(text: str, taken: set[str], sections: list[Section]) -> tuple[Token, ...]:
    """Parse markdown; headings shift to level two and below and get anchors."""
    tokens = _PARSER.parse(fmt.visible(text))
    for position, token in enumerate(tokens):
        if token.type == "heading_open":
            level = min(max(int(token.tag[1]), 2), 4)
            token.tag = tokens[position + 2].tag = f"h{level}"
            title = "".join(child.content for child in tokens[position + 1].children or [])
            anchor = _unique(_slug(title), taken)
            token.attrSet("id", anchor)
            if level == 2:
                sections.append(Section(anchor, title, level))
    return tuple(tokens)


def _point(link: Token, href: Callable[[str], str | None]) -> None:
    target = str(link.attrGet("href") or "")
    if target.startswith("https://"):
        link.attrSet("rel", "noopener noreferrer external")
        return
    known = href(target)
    if known is None:
        del link.attrs["href"]
    else:
        link.attrSet("href", known)


class _HouseMarkdown(MarkdownIt):
    """CommonMark and tables without HTML and images; links lead within the book or to an https source."""

    def __init__(self) -> None:
        super().__init__("commonmark", {"html": False})
        self.enable("table").disable("image")

    def validateLink(self, url: str) -> bool:  # noqa: N802 - markdown-it's name
        return url.startswith("https://") or bool(_IN_BOOK.fullmatch(url))


_IN_BOOK = re.compile(r"(?:[a-z0-9_-]+\.html)?(?:#[\w.-]+)?", re.ASCII)
_PARSER = _HouseMarkdown()


def _slug(title: str) -> str:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "section"


def _unique(anchor: str, taken: set[str]) -> str:
    candidate, count = anchor, 2
    while candidate in taken:
        candidate, count = f"{anchor}-{count}", count + 1
    taken.add(candidate)
    return candidate


def figure_payload(body: FigureBody) -> dict[str, Any]:
    """Return what the book's script needs to draw a figure."""
    return {"data": body.figure["data"], "layout": body.figure["layout"], "height": body.height}

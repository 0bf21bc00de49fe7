"""A drafted text as exhibits of a book: each section its paragraphs, lists and tables, each figure with its fact."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from workbench.drafting.blocks import Block, parse, unescaped
from workbench.drafting.draft import Draft
from workbench.drafting.facts import TEXTUAL
from workbench.drafting.facts import Fact as Stated
from workbench.drafting.placeholders import fill
from workbench.errors import DraftError
from workbench.report import CalloutBody, Column, Exhibit, Fact, FactRef, ProseBody, Strong, TableBody
from workbench.report.exhibit import Cell, ColumnKind, Link, Run, Tone

#: The unit of a report's fact for each kind, where a fact names none.
_UNITS = {
    "percent": "percent", "bps": "bp", "money": "usd", "shares": "number", "count": "count", "number": "number",
    "date": "date", "symbol": "text", "name": "text", "quote": "text",
}  # fmt: skip
#: Marks of bold in a draft.
_BOLD = "**"
_BREAK = re.compile(r"\s*\n\s*")


@dataclass(frozen=True)
class Section:
    """A heading of a draft with the blocks below it."""

    heading: str
    blocks: tuple[Block, ...]


def sections(draft: Draft) -> tuple[Section, ...]:
    """Return a draft's sections in order; what stands before the first heading has none ("")."""
    found: list[tuple[str, list[Block]]] = [("", [])]
    for block in parse(draft.text):
        if block.kind == "heading":
            found.append((unescaped(draft.text[block.start : block.end]), []))
        else:
            found[-1][1].append(block)
    return tuple(Section(heading, tuple(blocks)) for heading, blocks in found if heading or blocks)


def fact(stated: Stated, as_of: str, text: str) -> Fact:
    """Return a fact of a sheet as a fact of the book, with its whole source."""
    unit = stated.unit or _UNITS[stated.kind]
    return Fact(stated.id, stated.value, unit, text, stated.source.line(), as_of)


class Drafted:
    """One draft ready to be shown: `section` and `box` make exhibits of its headings.

    `links` maps a phrase to the page of the book that it leads to. Raises `DraftError` for a draft that is not wholly
    supported, or whose text is no longer what its skeleton says: such a text has no facts to show.
    """

    def __init__(self, draft: Draft, prefix: str, links: Mapping[str, str] | None = None) -> None:
        filled = fill(draft.skeleton, draft.sheet)
        if not draft.report.supported or filled.text != draft.text:
            raise DraftError(
                f"the draft of {draft.kind} {draft.key} was edited or has faults; show its own page instead"
            )
        self.draft, self._prefix, self._links = draft, prefix, dict(links or {})
        self._places = filled.places
        self._sections = sections(draft)

    @property
    def headings(self) -> tuple[str, ...]:
        """The headings, in order."""
        return tuple(section.heading for section in self._sections)

    def box(self, heading: str, id: str, tone: Tone) -> Exhibit:
        """Return a section as a decision box."""
        section = self._section(heading)
        paragraphs = tuple(self._runs(block.start, block.end) for block in section.blocks)
        return self._exhibit(id, heading, CalloutBody(tone, paragraphs), section.blocks)

    def section(self, heading: str) -> Iterator[Exhibit]:
        """Yield a section's exhibits: runs of paragraphs, of bullets and of table rows, in order."""
        section = self._section(heading)
        for number, blocks in enumerate(_runs_of(section.blocks, self.draft.text)):
            id = "-".join(part for part in (self._prefix, _slug(heading), str(number + 1) if number else "") if part)
            if blocks[-1].kind == "row":
                yield self._table(id, blocks)
            else:
                told = tuple(self._runs(block.start, block.end) for block in blocks)
                bullets = blocks[0].kind == "bullet"
                yield self._exhibit(id, "", ProseBody(told, bullets=bullets), blocks)

    def every(self) -> Iterator[Exhibit]:
        """Yield all sections, the first exhibit of each under its heading; what has none is under the draft's title."""
        for section in self._sections:
            for number, exhibit in enumerate(self.section(section.heading)):
                heading = section.heading or self.draft.title
                yield exhibit if number else replace(exhibit, title=heading, takeaway=exhibit.title)

    def _section(self, heading: str) -> Section:
        for section in self._sections:
            if section.heading == heading:
                return section
        raise DraftError(f"the draft of {self.draft.kind} {self.draft.key} has no section {heading!r}")

    def _table(self, id: str, rows: Sequence[Block]) -> Exhibit:
        """Rows as a table; a paragraph that leads them in is its title."""
        text = self.draft.text
        title = "".join(unescaped(text[one.start : one.end]).rstrip(":") for one in rows if one.kind != "row")
        head, *body = (row for row in rows if row.kind == "row")
        cells = tuple(tuple(self._cell(start, end) for start, end in row.cells) for row in body)
        columns = tuple(
            Column(f"c{place}", unescaped(text[start:end]), self._kind(row[place] for row in cells), emphasis=not place)
            for place, (start, end) in enumerate(head.cells)
        )
        return self._exhibit(id, title, TableBody(columns, cells), body)

    def _kind(self, cells: Iterable[Cell]) -> ColumnKind:
        """A column of figures stands to the right; what is not known says nothing of its kind."""
        told = [self.draft.sheet.fact(cell.fact) for cell in cells if isinstance(cell, FactRef)]
        return "number" if told and not any(fact.kind in TEXTUAL for fact in told) else "text"

    def _cell(self, start: int, end: int) -> Cell:
        runs = self._runs(start, end)
        return runs[0] if len(runs) == 1 and isinstance(runs[0], FactRef) else unescaped(self.draft.text[start:end])

    def _exhibit(self, id: str, title: str, body: object, blocks: Sequence[Block]) -> Exhibit:
        inside = [(block.start, block.end) for block in blocks]
        shown: dict[str, Fact] = {}
        for start, end, name in self._places:
            if any(first <= start and end <= last for first, last in inside):
                text = unescaped(self.draft.text[start:end])
                shown.setdefault(name, fact(self.draft.sheet.fact(name), self.draft.sheet.as_of, text))
        return Exhibit(id, title, body, facts=tuple(shown.values()))  # type: ignore[arg-type]

    def _runs(self, start: int, end: int) -> tuple[Run, ...]:
        """A stretch of the text as runs: words, bold words, links, and mentions of facts."""
        runs: list[Run] = []
        at, bold = start, False
        for first, last, name in [*self._inside(start, end), (end, end, "")]:
            for word, bold_word in _bolds(self.draft.text[at:first], bold):
                runs += [Strong(unescaped(word))] if bold_word else self._linked(unescaped(word))
            bold ^= self.draft.text[at:first].count(_BOLD) % 2 == 1
            if name:
                runs.append(FactRef(name, unescaped(self.draft.text[first:last])))
            at = last
        return tuple(runs)

    def _inside(self, start: int, end: int) -> Iterator[tuple[int, int, str]]:
        return ((first, last, name) for first, last, name in self._places if start <= first and last <= end)

    def _linked(self, words: str) -> list[Run]:
        """Words with the phrases that lead elsewhere as links; where a line was broken says nothing."""
        words = _BREAK.sub(" ", words)
        for phrase, page in self._links.items():
            before, found, after = words.partition(phrase)
            if found:
                return [*([before] if before else []), Link(phrase, page), *self._linked(after)]
        return [words] if words else []


def _bolds(text: str, bold: bool) -> Iterator[tuple[str, bool]]:
    for part in text.split(_BOLD):
        if part:
            yield part, bold
        bold = not bold


def _runs_of(blocks: Sequence[Block], text: str) -> Iterator[list[Block]]:
    """Blocks of one form that follow each other: what becomes one exhibit. What leads a table in is part of it."""
    run: list[Block] = []
    for block in blocks:
        if run and (_form(block) != _form(run[-1])):
            lead = run[-1:] if block.kind == "row" and _leads_in(run[-1], text) else []
            if rest := run[: len(run) - len(lead)]:
                yield rest
            run = lead
        run.append(block)
    if run:
        yield run


def _leads_in(block: Block, text: str) -> bool:
    return block.kind == "paragraph" and text[block.start : block.end].endswith(":")


def _form(block: Block) -> tuple[str, int]:
    return ("paragraph" if block.kind == "quote" else block.kind), block.table


def _slug(heading: str) -> str:
    return "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in heading.lower()).strip("-")

"""Where a text's figures come from: a number for each cell they were read from, and the endnotes that say which.

A paper of many tables would need a page for them; there a number stands for all cells of one function and tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import groupby

from workbench.drafting import FactSheet, Source, Span, Verdict, Verification

#: What a span looks like that names something and states no figure of it.
_NAMES = frozenset({"name", "symbol"})
#: Endnotes that a paper may have before those of one function and tables share a number.
MOST = 40


@dataclass(frozen=True)
class Endnotes:
    """The sources of one text: `by_fact` the number of each fact's, `sources[n - 1]` the source numbered n.

    `own` is each fact's source by itself, also where several share a number. `marked` are the spans that carry their
    number: all but names whose source has been numbered before, which would only fill the page.
    """

    sources: tuple[Source, ...]
    by_fact: Mapping[str, int]
    own: Mapping[str, Source]
    marked: frozenset[Span]

    def number(self, span: Span) -> int | None:
        """Return the number of a span's source; None for a span that no fact supports."""
        if span.verdict is not Verdict.SUPPORTED or not span.facts:
            return None
        return self.by_fact[span.facts[0]]

    def line(self, number: int) -> str:
        """Return a source as an endnote says it."""
        return self.sources[number - 1].line()

    def beside(self, span: Span) -> str:
        """Return the source of a supported span as shown beside it: its own cell."""
        return self.own[span.facts[0]].line()

    @property
    def grouped(self) -> tuple[tuple[str, tuple[tuple[int, str], ...]], ...]:
        """The endnotes in few lines: function and tables once, below it the number and cell of each."""
        numbered = enumerate(self.sources, start=1)
        return tuple(
            (head, tuple((number, source.cell) for number, source in group))
            for head, group in groupby(numbered, lambda one: origin(one[1]))
        )


def origin(source: Source) -> str:
    """Return what a source's figures have in common: function and tables."""
    return f"{source.function} of {', '.join(source.tables)}"


def endnotes(report: Verification, sheet: FactSheet) -> Endnotes:
    """Return the sources of a text's supported spans; those of one function and tables stand together.

    Groups come in the order in which the text first needs them, as do the cells within a group. Raises `FactError`
    where the report names a fact that is not on the sheet. Above `MOST` sources, a group has one number.
    """
    used = [span.facts[0] for span in report.spans if span.verdict is Verdict.SUPPORTED and span.facts]
    found = {id: sheet.fact(id).source for id in dict.fromkeys(used)}
    cells: dict[str, dict[Source, None]] = {}
    for source in found.values():
        cells.setdefault(origin(source), {})[source] = None
    ordered = tuple(source for group in cells.values() for source in group)
    numbers = {source: number for number, source in enumerate(ordered, start=1)}
    if len(ordered) > MOST:
        ordered = tuple(map(_as_one, cells.values()))
        numbers = {source: number for number, group in enumerate(cells.values(), start=1) for source in group}
    by_fact = {id: numbers[source] for id, source in found.items()}
    return Endnotes(ordered, by_fact, found, _marked(report.spans, by_fact))


def _as_one(group: Iterable[Source]) -> Source:
    """The cells of one function and tables as one source."""
    first, *rest = group
    return replace(first, cell="; ".join([first.cell, *(source.cell for source in rest)]))


def _marked(spans: Iterable[Span], by_fact: Mapping[str, int]) -> frozenset[Span]:
    told: set[int] = set()
    marked = set()
    for span in spans:
        if span.verdict is Verdict.SUPPORTED and span.facts:
            number = by_fact[span.facts[0]]
            if span.looks_like not in _NAMES or number not in told:
                marked.add(span)
            told.add(number)
    return frozenset(marked)

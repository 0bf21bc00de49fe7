"""Stretches of a text in which words belong together: sentences, clauses, cells, and what stands above them.

A figure is bound by the nearest word that can bind it: in its clause, else its sentence, else what its block stands
under (a cell: the head of its column, the first cell of its row, the row; then lead-in and headings).
"""

from __future__ import annotations

import functools
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from workbench.drafting.blocks import Block
from workbench.drafting.verifying.naming import Mention, Names, folded, tokens
from workbench.drafting.verifying.reading import Reading, read
from workbench.drafting.verifying.spans import Finds, Found, find, pieces

_TOKEN = re.compile(r"\w+(?:['.,]\w+)*")
_SENTENCE_END = re.compile(r"(?<![.!?])[.!?]++[\"')\]]*\s+(?=[^a-z\s])")
_ABBREVIATED = re.compile(r"\b(?:e\.g|i\.e|vs|No|approx|Inc|Jr|Sr|St|Co|Corp|Ltd|[A-Z])\.$")
_CLAUSE_END = re.compile(
    r"[;:,](?=\s)|\s[\u2013\u2014]\s|\s(?:and|but|while|which|because|whereas|although|though|so that|after which)\s"
)
_NEGATION = re.compile(
    r"\b(?:not|never|cannot|neither|nor|no|without|none|nothing|hardly|scarcely|barely|refus(?:e|es|ed|ing)"
    r"|rather than|instead of|fail(?:s|ed|ing)? to|avoid(?:s|ed|ing)?|abandon(?:s|ed|ing)?|against a plan"
    r"|decid(?:e|es|ed) against|short of a|rather not|declin(?:e|es|ed) to"
    r"|(?:nearly|almost|all but)(?= (?:buy|sell|bought|sold|up|down|owed|saved)))\b"
    r"|n't\b",
    re.IGNORECASE,
)
#: Words that bind only a figure after them: "from 3 % to 2 %".
_FORWARD = frozenset({"from", "to", "was", "becomes"})


@dataclass(frozen=True)
class Word:
    """A word of the lexicon as it stands in a text, and the metrics or directions it may say."""

    start: int
    end: int
    text: str
    keys: frozenset[str]


class Vocabulary:
    """Words of the lexicon by their first token, longest first."""

    def __init__(self, words: Mapping[str, Iterable[str]]) -> None:
        meant: dict[str, set[str]] = {}
        for key, said in words.items():
            for word in said:
                meant.setdefault(folded(word), set()).add(key)
        self._by_first: dict[str, list[tuple[str, frozenset[str]]]] = {}
        for text, keys in sorted(meant.items(), key=lambda one: -len(one[0])):
            first = re.match(r"\w+|\W", text)
            self._by_first.setdefault(first[0] if first else text, []).append((text, frozenset(keys)))

    def words(self, folded: str, tokens: Sequence[tuple[int, str]]) -> Iterator[Word]:
        """Return the words that stand in a text in small letters; none overlaps another."""
        free = 0
        for start, token in tokens:
            if start < free or token not in self._by_first:
                continue
            for text, keys in self._by_first[token]:
                end = start + len(text)
                if folded.startswith(text, start) and not folded[end : end + 1].isalnum():
                    yield Word(start, end, text, keys)
                    free = end
                    break


@dataclass(frozen=True)
class Passage:
    """One paragraph, bullet, heading, quotation or cell: what it states, and the words that bind it."""

    block: Block
    reading: Reading
    finds: Finds
    metrics: tuple[Word, ...]
    ways: tuple[Word, ...]
    nots: tuple[Word, ...]
    tokens: tuple[int, ...]
    sentences: tuple[tuple[int, int], ...]
    clauses: tuple[tuple[int, int], ...]
    around: list[Passage] = field(default_factory=list, compare=False, repr=False)
    heads: list[Passage] = field(default_factory=list, compare=False, repr=False)
    by_kind: dict[str, list[Word]] = field(default_factory=dict, compare=False, repr=False)
    #: Words of metrics that the sheet does not have, by the kinds of value that they could be of.
    foreign: dict[frozenset[str], list[Word]] = field(default_factory=dict, compare=False, repr=False)

    @property
    def is_label(self) -> bool:
        """Whether this is a cell that says what others are: the head of a column or the first cell of a row."""
        return self.block.kind == "row" and (self.block.head or self.reading.at[0] < self.block.cells[0][1])

    def gap(self, one: tuple[int, int], other: tuple[int, int]) -> float:
        """Return how many words stand between two stretches; of two as near, the one before counts as nearer."""
        if one[0] >= other[1]:
            return bisect_left(self.tokens, one[0]) - bisect_left(self.tokens, other[1])
        return bisect_left(self.tokens, other[0]) - bisect_left(self.tokens, one[1]) + 0.5


@dataclass(frozen=True)
class Level:
    """A stretch that may bind a figure; `near` where distance counts, as it does in the figure's own passage."""

    passage: Passage
    start: int
    end: int
    near: bool

    def within(self, words: Sequence[Word]) -> Sequence[Word]:
        """Return those of a passage's words, in reading order, that stand in this stretch."""
        if not words or (self.start <= words[0].start and words[-1].start < self.end):
            return words
        return [word for word in words if self.start <= word.start < self.end]

    def nearest(self, words: Sequence[Word], place: tuple[int, int]) -> Sequence[Word]:
        """Return the words of this stretch that stand nearest to a place; all of them where distance says nothing."""
        inside = self.within(words)
        if not self.near or not inside:
            return inside
        inside = [word for word in inside if not (word.text in _FORWARD and word.start >= place[1])]
        if len(inside) < 2:
            return inside
        gaps = [self.passage.gap(place, (word.start, word.end)) for word in inside]
        least = min(gaps)
        return [word for word, gap in zip(inside, gaps, strict=True) if gap == least]

    def mentions(self) -> list[Mention]:
        """Return the names in this stretch."""
        return [one for one in self.passage.finds.mentions if self.start <= one.start < self.end]

    def named(self, kind_of: Mapping[str, str], kind: str) -> Sequence[Word]:
        """Return the names of entities of a kind in this stretch, as words that bind."""
        by_kind = self.passage.by_kind
        if kind not in by_kind:
            by_kind[kind] = [
                Word(one.start, one.end, one.name.text, frozenset(one.name.entities))
                for one in self.passage.finds.mentions
                if any(kind_of[key] == kind for key in one.name.entities)
            ]
        return self.within(by_kind[kind])


def passages(text: str, names: Names, metrics: Vocabulary, ways: Vocabulary) -> list[Passage]:
    """Return the passages of a text in reading order, each with what stands around it."""
    found: list[Passage] = []
    headings: list[Passage] = []
    lead: list[Passage] = []
    head: list[Passage] = []
    row: list[Passage] = []
    last: Block | None = None
    alike: dict[str, Passage] = {}
    for block, start, end in pieces(text):
        reading = read(text, start, end)
        # Cells of a table are often the same words, and are then read once.
        if reading.seen in alike:
            passage = replace(alike[reading.seen], block=block, reading=reading, around=[], heads=[])
        else:
            passage = alike[reading.seen] = _passage(block, reading, names, metrics, ways)
        if block is not last:
            row = []
        if block.kind == "heading":
            headings = [one for one in headings if one.block.level < block.level]
            passage.around.extend(reversed(headings))
            headings.append(passage)
            lead = []
        elif block.kind == "row":
            if block.head and block is not last:
                head = []
            _stand_in_row(passage, head, row)
            (head if block.head else row).append(passage)
            passage.around.extend([*lead, *reversed(headings)])
        else:
            passage.around.extend([*(lead if block.kind in ("bullet", "quote") else []), *reversed(headings)])
            if block.kind == "paragraph":
                lead = [passage]
        found.append(passage)
        last = block
    _complete_rows(found)
    return found


def levels(passage: Passage, found: Found) -> list[Level]:
    """Return the stretches that may bind what was found, nearest first."""
    sentence = _within(passage.sentences, found.start)
    clause = _within(passage.clauses, found.start)
    own = [Level(passage, *clause, near=True)]
    if sentence != clause:
        apart = passage.finds.masked.find("; ", found.end, sentence[1])
        own.append(Level(passage, sentence[0], apart if apart >= 0 else sentence[1], near=True))
    return own + [Level(one, 0, len(one.reading.seen), near=False) for one in passage.around]


def before(passage: Passage, place: int) -> Level | None:
    """Return the sentence ahead of the one that stands at a place, in its own paragraph; None for the first."""
    start, _ = _within(passage.sentences, place)
    ahead = [one for one in passage.sentences if one[1] == start and one[0] < start]
    return Level(passage, *ahead[0], near=False) if ahead else None


def _stand_in_row(passage: Passage, head: list[Passage], row: list[Passage]) -> None:
    """Put the head of its column and the first cell of its row around a cell."""
    block = passage.block
    if block.head:
        return
    passage.heads.extend(head)
    start = passage.reading.at[0]
    column = next(i for i, (left, right) in enumerate(block.cells) if left <= start < right)
    for one in head:
        if (
            column < len(one.block.cells)
            and one.block.cells[column][0] <= one.reading.at[0] < one.block.cells[column][1]
        ):
            passage.around.append(one)
    if row:
        passage.around.append(row[0])


def _complete_rows(found: list[Passage]) -> None:
    """Put the other cells of its row around each cell, behind its column's head and its row's first cell."""
    by_row: dict[int, list[Passage]] = {}
    for one in found:
        if one.block.kind == "row" and not one.block.head:
            by_row.setdefault(one.block.start, []).append(one)
    for row in by_row.values():
        for cell in row:
            near = [one for one in row if one is not cell and one is not row[0]]
            place = sum(1 for one in cell.around if one.block.kind == "row")
            cell.around[place:place] = near


def _passage(block: Block, reading: Reading, names: Names, metrics: Vocabulary, ways: Vocabulary) -> Passage:
    seen = reading.seen
    finds = find(seen, names)
    small = folded(seen)
    parts = tokens(small)
    said = tuple(metrics.words(small, parts))
    told = tuple(word for word in ways.words(small, parts) if not _inside(word, finds.mentions))
    sentences = tuple(_sentences(finds.masked))
    return Passage(
        block,
        reading,
        finds,
        said,
        told,
        tuple(_nots(finds.masked, (*said, *told))),
        tuple(token.start() for token in _TOKEN.finditer(seen)),
        sentences,
        tuple(part for start, end in sentences for part in _clauses(finds, start, end)),
    )


def _inside(word: Word, mentions: Iterable[Mention]) -> bool:
    return any(one.start <= word.start and word.end <= one.end for one in mentions)


def _nots(masked: str, words: tuple[Word, ...]) -> Iterator[Word]:
    """Words that negate, unless the lexicon has them within a word of its own ("not reviewed")."""
    for one in _NEGATION.finditer(masked):
        if masked.startswith("not only", one.start()):
            continue
        if not any(word.start <= one.start() and one.end() <= word.end for word in words):
            yield Word(one.start(), one.end(), one[0].lower(), frozenset())


def _sentences(masked: str) -> Iterator[tuple[int, int]]:
    start = 0
    for end in _SENTENCE_END.finditer(masked):
        if not _ABBREVIATED.search(masked, max(0, end.start() - 8), end.start() + 1):
            yield start, end.end()
            start = end.end()
    yield start, len(masked)


def _clauses(finds: Finds, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The parts of a sentence: split where the part behind a comma or conjunction has a figure of its own."""
    cuts = list(_CLAUSE_END.finditer(finds.masked, start, end))
    if not cuts:
        yield start, end
        return
    figures = [one.start for one in finds.found if one.reads is not None]
    first = start
    for cut, following in pairwise([*(one.end() for one in cuts), end]):
        if bisect_right(figures, following - 1) > bisect_left(figures, cut):
            yield first, cut
            first = cut
    yield first, end


@functools.lru_cache(maxsize=64)
def _starts(parts: tuple[tuple[int, int], ...]) -> list[int]:
    return [start for start, _ in parts]


def _within(parts: tuple[tuple[int, int], ...], place: int) -> tuple[int, int]:
    return parts[max(0, bisect_right(_starts(parts), place) - 1)]

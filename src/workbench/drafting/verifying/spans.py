"""What in a text could be a figure, a day, a symbol or a name: found before anything is looked up."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from workbench.drafting.blocks import Block, parse
from workbench.drafting.verifying.amounts import Amount, amounts
from workbench.drafting.verifying.days import Day, days
from workbench.drafting.verifying.naming import Mention, Names, names_among
from workbench.drafting.verifying.reading import faults, read

#: Stands where something was found already, so that it is not found again as something else.
MASK = "\N{OBJECT REPLACEMENT CHARACTER}"

_MARKUP = re.compile(r"&#?\w{1,10};|</?[A-Za-z!][^<>]{0,200}>|\{[^{}\n]{0,200}\}")
_CONTACT = re.compile(
    r"(?:https?://|www\.)\S+|(?<![\w.+-])[\w.+-]++@[\w-]+(?:\.[\w-]+)+|(?<![\w$])\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}\b"
)
_QUOTED = re.compile(r'"([^"]{1,600})"')
_VAGUE = re.compile(
    r"\b(?:doubl(?:e|es|ed|ing)|twice|thrice|tripl(?:e|es|ed|ing)|quadrupl(?:e|es|ed|ing)|halv(?:e|es|ed|ing)"
    r"|half(?!-year)|\w+fold(?<!unfold)(?<!\bfold)(?<!scaffold)|most of|(?:vast |great )?majority|bulk of|several"
    r"|dozens|hundreds|thousands|millions|billions|trillions|nearly all|almost all|virtually all|almost none"
    r"|hardly any|a couple|a handful|a few|few of|many of|many times|nearly every|almost every|lion's share"
    r"|a quarter of|a fraction of)\b",
    re.IGNORECASE,
)
_ORDINAL = re.compile(
    r"\b(?:(?<!a )second(?! (?:opinion|look|thought|time)\b)|third(?!-party|-parties| part)|fourth|fifth|sixth|seventh"
    r"|eighth|ninth|tenth)\b",
    re.IGNORECASE,
)
# What is looked ahead for stands near, so that a long run is not read again from each of its words.
_IDENTIFIER = re.compile(r"(?<![\w$])(?=\w)(?=[\w./-]{0,80}\d)(?=[\w./-]{0,80}[A-Za-z])\w[\w./-]*\w")
_LONE_DIGITS = re.compile(r"\d+(?:[.,]\d+)*")
_SYMBOL = re.compile(r"(?<![\w&])[A-Z][A-Z0-9]{1,9}(?:[./][A-Z]{1,2})?(?!\w)")
_CAPITALS = re.compile(r"(?<![\w'])[^\W\d_a-z][\w'-]*(?:(?: (?:of|and|de|van|von|the))? [^\W\d_a-z][\w'-]*)*")
#: A family's name where it opens a cell or sentence: "Vandermeer household".
_HOUSEHOLD = re.compile(
    r"(?<!\w)(?!(?:The|Your|Our|My|His|Her|Their|This|That|Each|Every|Another|One|No|Any|Some|A|An|In|By|Of|Per|For) )"
    r"[A-Z][a-z'-]+(?= (?:household|family)\b)"
)
_INITIAL = re.compile(r"(?:^|[.!?:]['\")]*\s|[\"(/\u2013\u2014]\s?|^['\"(]*)$")


@dataclass(frozen=True)
class Found:
    """A stretch of a text that states something to be checked, what it looks like, and the figure or day it reads as.

    `reason` is that of a stretch that is a fault whatever the facts are.
    """

    start: int
    end: int
    text: str
    looks_like: str
    reads: Amount | Day | None = None
    reason: str = ""


@dataclass(frozen=True)
class Finds:
    """All that was found in one stretch of a text, and its words with everything found masked."""

    found: tuple[Found, ...]
    mentions: tuple[Mention, ...]
    masked: str


def bare(text: str, allowed: Collection[str] = ()) -> tuple[Found, ...]:
    """Return every figure, number word, day, symbol or name in a writer's own words, `allowed` ones apart."""
    names = names_among(allowed)
    found = []
    for _, start, end in pieces(text):
        reading = read(text, start, end)
        for one in find(reading.seen, names).found:
            first, last = reading.place(one.start, one.end)
            found.append(Found(first, last, text[first:last], one.looks_like, one.reads, one.reason))
    return tuple(one for one in found if one.text not in allowed)


def pieces(text: str) -> Iterator[tuple[Block, int, int]]:
    """Return each block of a text with the places of its content: one for each cell of a row."""
    for block in parse(text):
        for start, end in block.cells or ((block.start, block.end),):
            if start < end:
                yield block, start, end


def find(seen: str, names: Names) -> Finds:
    """Return what one stretch of a text states; what is found first is not found again as something else."""
    masked = _Masked(seen)
    mentions = tuple(names.mentions(seen))
    found: list[Found] = []
    quoted = {(one.start, one.end) for one in mentions if one.name.looks_like == "quotation"}
    # Quotation marks within a name are the name's.
    masked.hide((one.start, one.end) for one in mentions if one.name.looks_like != "quotation")
    for one in _QUOTED.finditer(masked.text):
        if (one.start(1), one.end(1)) not in quoted and not any(a <= one.start(1) < b for a, b in quoted):
            found.append(_found(seen, one.start(), one.end(), "quotation"))
    masked.hide((one.start, one.end) for one in mentions)
    if not seen.isascii():
        hidden = [Found(start, end, seen[start:end], "hidden", None, why) for start, end, why in faults(masked.text)]
        masked.hide((one.start, one.end) for one in hidden)
        found += hidden
    for pattern, looks_like in ((_MARKUP, "markup"), (_CONTACT, "contact")):
        found += masked.take(pattern, looks_like)
    for day in days(masked.text):
        found.append(Found(day.start, day.end, seen[day.start : day.end], "date", day))
    masked.hide((one.start, one.end) for one in found if one.looks_like == "date")
    for amount in amounts(masked.text):
        looks_like = "number word" if amount.worded else "figure"
        found.append(Found(amount.start, amount.end, seen[amount.start : amount.end], looks_like, amount))
    masked.hide((one.start, one.end) for one in found if isinstance(one.reads, Amount))
    for pattern, looks_like in (
        (_HOUSEHOLD, "name"),
        (_VAGUE, "vague multiple"), (_ORDINAL, "number word"), (_IDENTIFIER, "identifier"), (_LONE_DIGITS, "figure"),
        (_SYMBOL, "symbol"),
    ):  # fmt: skip
        found += masked.take(pattern, looks_like)
    found += _capitals(masked)
    return Finds(tuple(sorted(found, key=lambda one: (one.start, one.end))), mentions, masked.text)


class _Masked:
    """What is seen of a text, with what was found replaced sign for sign."""

    def __init__(self, seen: str) -> None:
        self.seen = self.text = seen

    def hide(self, places: Iterable[tuple[int, int]]) -> None:
        parts, read_to = [], 0
        for start, end in sorted(places):
            if start >= read_to:
                parts += [self.text[read_to:start], MASK * (end - start)]
                read_to = end
        self.text = "".join([*parts, self.text[read_to:]])

    def take(self, pattern: re.Pattern[str], looks_like: str) -> list[Found]:
        if not pattern.search(self.text):
            return []
        found = [_found(self.seen, one.start(), one.end(), looks_like) for one in pattern.finditer(self.text)]
        self.hide((one.start, one.end) for one in found)
        return found


def _found(seen: str, start: int, end: int, looks_like: str) -> Found:
    return Found(start, end, seen[start:end], looks_like)


def _capitals(masked: _Masked) -> Iterator[Found]:
    """Runs of words with a capital that do not just open a sentence."""
    for run in _CAPITALS.finditer(masked.text):
        start, words = run.start(), run[0].split()
        if len(words) == 1 and (start == 0 or _INITIAL.search(masked.text, max(0, start - 6), start)):
            continue
        if run[0] in ("I", "I'm", "I've", "I'll", "I'd") or not any(letter.isupper() for letter in run[0]):
            continue
        yield _found(masked.seen, start, run.end(), "name")

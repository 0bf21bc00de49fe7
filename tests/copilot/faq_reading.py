"""How an answer of the copilot is read: figures, days and words in any usual spelling, the side named beside them.

A figure counts when it is right as rounded, not too coarse, and its sentence says the right side of it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

Unit = Literal["usd", "fraction", "count"]
OVER = ("over", "above", "more than", "exceed", "too much", "heavy", "+")
UNDER = ("under", "below", "less than", "short of", "too little", "light", "-")


@dataclass(frozen=True)
class Figure:
    """A number that must be shown: dollars, a fraction (as percent, points or basis points) or a count.

    `beside` are words of which one must stand in its sentence; `never` those of the other side, which may not stand
    nearer to it in its clause. The value is compared without its sign, which those words carry. `term` is "short" or
    "long" where the other term may not stand nearer.
    """

    value: float
    unit: Unit = "usd"
    beside: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    term: str = ""


@dataclass(frozen=True)
class Words:
    """Words of which at least one must stand in the answer, in a sentence with one of `beside` where there are any.

    A word stands for all that begin with it ("over": overweight); "=tax" for itself alone.
    """

    any_of: tuple[str, ...]
    beside: tuple[str, ...] = ()


@dataclass(frozen=True)
class Day:
    """A day that must be named, in any usual spelling, in a sentence with one of `beside` where there are any."""

    day: date
    beside: tuple[str, ...] = ()


Item = Figure | Words | Day
Way = tuple[Item, ...]


@dataclass(frozen=True)
class Expected:
    """Right answers: every item of one of the `ways` is there, and nothing `forbidden` is."""

    ways: tuple[Way, ...]
    forbidden: tuple[Item, ...] = ()


def must(*items: Item, forbidden: tuple[Item, ...] = ()) -> Expected:
    """Return what is expected where there is one way to say it."""
    return Expected((items,), forbidden)


def says(*any_of: str) -> Words:
    """Return words of which one must be there."""
    return Words(any_of)


def denies(*subject: str) -> Words:
    """Return a denial: a word of negation in a sentence about the subject."""
    return Words(("no ", "none", "nothing", "not ", "nor ", "$0", "zero", "never"), subject)


_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_SIZES = {"k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6, "bn": 1e9, "billion": 1e9}
_NUMBER = r"(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
_MONEY = re.compile(
    r"(?P<sign>[+-]?)\s?\$\s?(?P<inner>[+-]?)" + _NUMBER + r"(?:\s?(?P<size>k|thousand|million|m|bn|billion)\b)?", re.I
)
_RATE = re.compile(
    r"(?P<sign>(?<![\w.])[+-]?)\s?"
    + _NUMBER
    + r"\s?(?P<unit>%|per ?cent(?:age points?)?\b|pp\b|points?\b|bps?\b|basis points?\b)",
    re.I,
)
_PLAIN = re.compile(r"(?P<sign>(?<![\w.$,-])[+-]?)" + _NUMBER + r"(?![\w%]|[.,]\d|\s?%)")
#: Ends of sentences; a full stop inside a number or an abbreviation is none.
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"$])")
_CLAUSE = re.compile(r"[;:]\s|,\s|\s(?:and|but|while|which|because|whereas)\s")
#: Where a block of text ends: at an empty line, or before a bullet, a heading, a quotation or a row of a table.
_BLOCK = re.compile(r"\n\s*\n|\n(?=\s*(?:[-*]\s|[|#>]|\d+\.\s))")
_EITHER = re.compile(r"\bgains?(?: or | and |/)loss(?:es)?", re.I)
_RULE = re.compile(r"[\s|:-]+")
_DATE = re.compile(
    rf"\b\d{{1,2}} (?:{'|'.join(month[:3] for month in _MONTHS)})[a-z]*(?: \d{{4}})?\b|\b\d{{4}}-\d\d-\d\d\b"
    rf"|\b(?:{'|'.join(month[:3] for month in _MONTHS)})[a-z]* \d{{1,2}},? \d{{4}}\b"
)
PATTERNS: Mapping[Unit, re.Pattern[str]] = {"usd": _MONEY, "fraction": _RATE, "count": _PLAIN}


@dataclass(frozen=True)
class Shown:
    """A figure as an answer shows it: its value and half the last place shown, with the text around it.

    `start` and `end` are its place in the clause.
    """

    value: float
    half: float
    sign: str
    clause: str
    sentence: str
    start: int = 0
    end: int = 0


def plain(text: str) -> str:
    """Return text with one kind of space, hyphen and apostrophe, and without emphasis marks."""
    for fancy, simple in {
        "\u00a0": " ",
        "\u202f": " ",
        "\u2009": " ",
        "\u2212": "-",
        "\u2013": "-",
        "\u2019": "'",
    }.items():
        text = text.replace(fancy, simple)
    # A column or label for either sign says nothing of the side; what is unsigned in it is a gain.
    return _EITHER.sub("gain", text.replace("**", "").replace("`", ""))


@functools.lru_cache(maxsize=64)
def sentences(text: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return a text's sentences, each with its clauses.

    A row of a table is read with its head, and each of its cells with its column's; a bullet with what leads in to it.
    """
    found: list[tuple[str, tuple[str, ...]]] = []
    heads: list[str] = []
    lead = ""
    for block in _BLOCK.split(plain(text)):
        line = " ".join(block.split())
        if line.startswith("|"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if not heads:
                heads = cells
                found.append((line, tuple(cells)))
            elif not _RULE.fullmatch(line):
                clauses = tuple(f"{cells[0]} {head} {cell}" for head, cell in zip(heads, cells, strict=False))
                found.append((" ".join((*heads, *cells)), clauses))
            continue
        heads = []
        bullet = line.startswith(("- ", "* "))
        lead = lead if bullet else line if line.endswith(":") else ""
        for sentence in _SENTENCE.split(line.removeprefix("- ").removeprefix("* ")):
            whole = f"{lead} {sentence}" if bullet and lead else sentence
            found.append((whole, tuple(_CLAUSE.split(sentence))))
    return tuple(found)


def shown(text: str, unit: Unit) -> list[Shown]:
    """Return the figures of one unit that a text shows."""
    found = []
    for sentence, clauses in sentences(text):
        for clause in clauses:
            undated = _DATE.sub(lambda day: " " * len(day.group()), clause)
            found += [_read(match, unit, clause, sentence) for match in PATTERNS[unit].finditer(undated)]
            if unit == "count":
                for place, word in enumerate(_COUNTS):
                    spelled = re.finditer(rf"\b{word}\b", clause, re.I)
                    found += [Shown(float(place), 0.0, "", clause, sentence, *one.span()) for one in spelled]
    return found


def _read(match: re.Match[str], unit: Unit, clause: str, sentence: str) -> Shown:
    parts = match.groupdict()
    digits = parts["number"].replace(",", "")
    decimals = len(digits.partition(".")[2])
    scale = 1.0
    if unit == "usd":
        scale = _SIZES.get((parts["size"] or "").lower(), 1.0)
    elif unit == "fraction":
        scale = 0.0001 if parts["unit"].lower().startswith("b") else 0.01
    sign = parts["sign"] or parts.get("inner") or ""
    return Shown(float(digits) * scale, 0.5 * 10.0**-decimals * scale, sign, clause, sentence, *match.span())


def has(text: str, item: Item) -> bool:
    """Return whether a text contains an item."""
    for sentence, _ in sentences(text):
        if isinstance(item, Figure) or (item.beside and not any(stands(word, sentence) for word in item.beside)):
            continue
        if isinstance(item, Words) and any(stands(word, sentence) for word in item.any_of):
            return True
        if isinstance(item, Day) and any(spelling.lower() in sentence.lower() for spelling in _spellings(item.day)):
            return True
    if not isinstance(item, Figure):
        return False
    return any(_fits(one, item) for one in shown(text, item.unit))


def stands(word: str, text: str) -> bool:
    """Return whether a word, or a longer one that begins with it, stands in a text."""
    return _pattern(word).search(text) is not None


@functools.cache
def _pattern(word: str) -> re.Pattern[str]:
    bare = word.removeprefix("=")
    start = r"(?<!\w)" if bare[0].isalnum() else ""
    return re.compile(start + re.escape(bare) + (r"(?!\w)" if word.startswith("=") else ""), re.I)


def _spellings(day: date) -> tuple[str, ...]:
    month = _MONTHS[day.month - 1]
    return (
        day.isoformat(), f"{day.day} {month} {day.year}", f"{day.day} {month[:3]} {day.year}",
        f"{month} {day.day}, {day.year}", f"{month[:3]} {day.day}, {day.year}", f"{day.month}/{day.day}/{day.year}",
    )  # fmt: skip


def _fits(one: Shown, figure: Figure) -> bool:
    """Whether a figure shown is the one wanted: rounded rightly and not too coarsely, on the right side."""
    value = abs(figure.value)
    if figure.unit == "count":
        near = one.value == value
    else:
        coarsest = max(0.06 * value, 0.00055 if figure.unit == "fraction" else 0.51)
        exact = abs(one.value - value) <= 1e-9
        near = exact or (abs(one.value - value) <= one.half * 1.001 and one.half <= coarsest)
    if not near:
        return False
    if figure.term and _nearer(one, ("short", "long")[figure.term == "short"], figure.term):
        return False
    if one.sign and (figure.beside or figure.never):
        if one.sign in figure.never:
            return False
        if one.sign in figure.beside:
            return True
    if any(_nearer(one, word, *figure.beside) for word in figure.never):
        return False
    worded = [word for word in figure.beside if word not in "+-"]
    return not worded or any(stands(word, one.sentence) for word in worded)


def _nearer(one: Shown, wrong: str, *right: str) -> bool:
    """Whether a word stands nearer to a figure, in its clause, than any of some others."""
    gap = _gap(one, wrong)
    return gap is not None and all(other is None or gap < other for other in (_gap(one, word) for word in right))


def _gap(one: Shown, word: str) -> int | None:
    """How many letters of its clause lie between a figure and the nearest place of a word; None where there is none."""
    if word in "+-":
        return None
    places = _pattern(word).finditer(one.clause)
    return min((max(one.start - place.end(), place.start() - one.end, 0) for place in places), default=None)

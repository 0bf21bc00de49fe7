"""Figures in a text: money, per cent, basis points, plain numbers, in digits or words, and how exact they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

#: Dollars, fractions and things; what is in another currency or per mille can be no fact.
Unit = Literal["money", "rate", "plain", "other"]

_NUM = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+"
_SCALES = {
    "k": 1e3, "thousand": 1e3, "m": 1e6, "mm": 1e6, "mn": 1e6, "million": 1e6, "b": 1e9, "bn": 1e9, "billion": 1e9,
    "trillion": 1e12,
}  # fmt: skip
_SUFFIX = (
    r"(?:[ -]?(?P<scale>k|mm|mn|m|bn|b|thousand|million|billion|trillion)(?![\w]))?"
    r"(?:[ -]?(?P<unit>%|\u2030|euros?|pounds?|percentage points?|percent|per cent|pp|bps?|basis points?|dollars?"
    r"|usd|shares?|times|x)"
    r"(?!\w)|(?P<nth>st|nd|rd|th)(?!\w))?"
)
_DIGITS = re.compile(
    rf"(?P<sign>(?<![\w.)])[+\-\u2013](?=[$\d.])|(?<!\w)(?:minus|negative) (?=[$\d.]))?"
    rf"(?P<foreign>[\u20ac\u00a3\u00a5] ?|(?<![A-Za-z])(?!US)[A-Z]{{1,3}}(?=\$))?"
    rf"(?P<dollar>(?:\$|USD|US\$) ?(?P<inner>-(?=[\d.]))?)?"
    rf"(?<![A-Za-z_])(?<![A-Za-z]-)(?<!\d)(?<!\d[.,])(?P<num>{_NUM}){_SUFFIX}(?![\w])",
    re.IGNORECASE,
)
_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_VALUES = {
    **{word: i for i, word in enumerate(_ONES)},
    **{word: 10 * i + 20 for i, word in enumerate(_TENS)},
    "dozen": 12,
    "hundred": 100,
    "thousand": 1000,
    "million": 1_000_000,
    "billion": 1_000_000_000,
}
_NUMBER_WORD = "|".join(sorted(_VALUES, key=len, reverse=True))
_WORDED = re.compile(
    rf"\b(?P<minus>minus )?(?P<words>(?:an? )?(?:{_NUMBER_WORD})(?:(?:[ -]| and )(?:{_NUMBER_WORD}))*)\b{_SUFFIX}",
    re.IGNORECASE,
)
#: "one" that counts nothing: "no one", "the one you hold", "one another".
_NOT_COUNTING = re.compile(
    r"(?:\b(?:no|this|that|the|which|each|any|every|some|only|at|by) ones?$)|(?:\bone (?:another|by one)\b)",
    re.IGNORECASE,
)
_PARTS = {"half": 2, "halves": 2, "third": 3, "thirds": 3, "fourth": 4, "fourths": 4, "quarter": 4, "quarters": 4,
          "fifth": 5, "fifths": 5, "tenth": 10, "tenths": 10}  # fmt: skip
_FRACTION = re.compile(
    rf"\b(?P<top>{'|'.join(_ONES[1:])}|a)[ -](?P<part>half|halves|thirds?|fourths?|quarters?|fifths?|tenths?)\b"
    r"(?![ -](?:ago|later|party|parties|time|year|at a)\b)|(?P<sign>[\u00bc\u00bd\u00be\u2153\u2154])",
    re.IGNORECASE,
)
_SIGNS = {"\u00bc": 0.25, "\u00bd": 0.5, "\u00be": 0.75, "\u2153": 1 / 3, "\u2154": 2 / 3}
_ABOUT = re.compile(
    r"\b(?:about|around|roughly|approximately|approx\.?|some|nearly|almost|close to|just (?:over|under)) ?$", re.I
)
#: Signs before a figure among which "about" stands.
_NEAR = 24


@dataclass(frozen=True)
class Amount:
    """A figure of a text: where it stands, its magnitude in dollars, fractions or things, `half` the last place shown.

    `sign` is -1 or 1 where a sign stands, else 0.
    """

    start: int
    end: int
    value: float
    half: float
    unit: Unit
    sign: int = 0
    worded: bool = False


def amounts(seen: str) -> list[Amount]:
    """Return the figures of a text in digits and words, in reading order; `seen` has what is no figure masked."""
    found = [_of_digits(one, seen) for one in _DIGITS.finditer(seen)]
    taken = [(one.start, one.end) for one in found]
    for one in (*_fractions(seen), *_worded(seen)):
        if not any(start < one.end and one.start < end for start, end in taken):
            found.append(one)
            taken.append((one.start, one.end))
    found.sort(key=lambda one: one.start)
    return _ranges(found, seen)


def _of_digits(found: re.Match[str], seen: str) -> Amount:
    digits = found["num"].replace(",", "")
    places = len(digits.partition(".")[2])
    unit, factor = _unit(found)
    value = float(digits)
    half = 0.5 * 10.0**-places
    if _ABOUT.search(seen, max(0, found.start() - _NEAR), found.start()):
        half = max(half, _coarse(digits, value))
    said = (found["sign"] or "") + (found["inner"] or "")
    sign = 0 if not said else 1 if said == "+" else -1
    return Amount(found.start(), found.end(), value * factor, half * factor, unit, sign)


def _unit(found: re.Match[str]) -> tuple[Unit, float]:
    """The unit of a figure and what it is multiplied by to be dollars, a fraction or things."""
    scale = _SCALES[found["scale"].lower()] if found["scale"] else 1.0
    unit = (found["unit"] or "").lower()
    if found.groupdict().get("foreign") or unit.startswith(("\u2030", "euro", "pound")):
        return "other", scale
    if found.groupdict().get("dollar") or unit.startswith("dollar") or unit == "usd":
        return "money", scale
    if unit in ("%", "percent", "per cent", "pp") or unit.startswith("percentage"):
        return "rate", scale / 100
    if unit.startswith(("bp", "basis")):
        return "rate", scale / 10_000
    return "plain", scale


def _coarse(digits: str, value: float) -> float:
    """Half of the last place that is not zero, at most a tenth of the value: what "about" leaves open."""
    whole = digits.partition(".")[0]
    zeros = len(whole) - len(whole.rstrip("0")) if "." not in digits else 0
    return min(0.5 * 10.0**zeros, 0.1 * value)


def _worded(seen: str) -> Iterator[Amount]:
    for found in _WORDED.finditer(seen):
        words = found["words"].lower()
        if words == "one" and (
            _NOT_COUNTING.search(seen, max(0, found.start() - 12), found.end())
            or _NOT_COUNTING.match(seen, found.start())
        ):
            continue
        unit, factor = _unit(found)
        value = _value(words) * factor
        sign = -1 if found["minus"] else 0
        yield Amount(found.start(), found.end(), value, 0.5 * factor, unit, sign, worded=True)


def _value(words: str) -> float:
    # Not whole numbers: "a hundred hundred ..." may go on for ever and then is infinite, not an error.
    total = part = 0.0
    for word in re.split(r"[ -]+", words):
        if word in ("a", "an"):
            continue
        if word == "and":
            continue
        value = _VALUES[word]
        if value in (12, 100) and word in ("dozen", "hundred"):
            part = max(part, 1.0) * value
        elif value >= 1000:
            total += max(part, 1.0) * value
            part = 0
        else:
            part += value
    return total + part


def _fractions(seen: str) -> Iterator[Amount]:
    for found in _FRACTION.finditer(seen):
        if found["sign"]:
            value = _SIGNS[found["sign"]]
        else:
            quarter = found[0].lower() == "a quarter"
            if quarter and not seen.startswith(" of", found.end()):
                continue
            top = 1 if found["top"].lower() == "a" else _VALUES[found["top"].lower()]
            value = top / _PARTS[found["part"].lower()]
        yield Amount(found.start(), found.end(), value, 0.005, "rate", worded=True)


def _ranges(found: list[Amount], seen: str) -> list[Amount]:
    """Give the first figure of "3-5 %" the unit of the second."""
    for i, (left, right) in enumerate(pairwise(found)):
        bare = left.unit == "plain" and right.unit == "rate" and not left.worded
        if bare and re.fullmatch(r" ?(?:-|\u2013) ?", seen[left.end : right.start]):
            factor = 0.01 if "%" in seen[right.start : right.end] or "per" in seen[right.start : right.end] else 1e-4
            found[i] = replace(left, value=left.value * factor, half=left.half * factor, unit="rate")
    return found

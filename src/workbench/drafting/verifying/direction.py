"""Whether a sentence says which way round a fact goes: the words of direction around a figure, its sign, denials."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from workbench.drafting.facts import Fact
from workbench.drafting.verifying.amounts import Amount
from workbench.drafting.verifying.days import Day
from workbench.drafting.verifying.index import Facts
from workbench.drafting.verifying.passages import Level, Word
from workbench.drafting.verifying.spans import Found
from workbench.drafting.verifying.verdicts import Fault, Verdict

_SECOND = re.compile(r" (?:or|and then|and later) ([a-z]+(?: [a-z]+)?) ")
_EITHER = re.compile(
    r",? (?:and|or|then|but|nor|not|rather than|instead of)(?: (?:then|not|also|rather|later|even))*,? "
)
#: Opens a part of a sentence whose negation does not deny what stands before it.
_SUBORDINATE = re.compile(r"\b(?:that|which|who|whose|where|because|until|unless|before|if)\b", re.IGNORECASE)
_WEAK = frozenset({"no", "without", "none", "nothing"})


def direction_fault(facts: Facts, fact: Fact, found: Found, around: list[Level]) -> Fault | None:
    """Return what is wrong with the way round that is said of a figure; None where it is the fact's."""
    signed = found.reads.sign if isinstance(found.reads, Amount) else 0
    if isinstance(found.reads, Amount) and (wrong := _sign_fault(fact, signed)):
        return wrong
    for way in fact.direction:
        if but := _not_this_way(facts, way, found, around, shown=bool(signed)):
            return Fault(Verdict.WRONG_DIRECTION, but)
    return _negation_fault(facts, fact, found, around)


def _not_this_way(facts: Facts, way: str, found: Found, around: list[Level], *, shown: bool) -> str:
    """What the nearest words of a direction say instead of it; where none stands, a sign `shown` says enough."""
    pair = {way, facts.against[way]}
    place = (found.start, found.end)
    for level in around:
        words = [word for word in level.passage.ways if word.keys & pair]
        said = level.nearest(words, place)
        if not said:
            continue
        if not level.near and _of_two_minds(said, way, pair):
            if level.passage.block.kind == "row" and not level.passage.block.head:
                return f"; the row says both {said[0].text!r} and {said[-1].text!r}"
            continue
        if not any(way in word.keys for word in said):
            return f"; the words here say {said[0].text!r}"
        other = _both_ways(level, words, way, place)
        return f"; the words here also say {other!r}" if other else ""
    return "" if shown else f"; no word here says {way!r}"


def _of_two_minds(said: Sequence[Word], way: str, pair: set[str]) -> bool:
    """Whether words that stand apart from a figure say both ways round, and so nothing of it."""
    return any(way in word.keys for word in said) and any(word.keys & pair - {way} for word in said)


def _both_ways(level: Level, words: Sequence[Word], way: str, place: tuple[int, int]) -> str:
    """The opposite word that stands joined to the right one: "buy and then sell"."""
    masked = level.passage.finds.masked
    inside = level.within(words)
    for one, other in pairwise(inside):
        if (way in one.keys) != (way in other.keys) and _EITHER.fullmatch(masked, one.end, other.start):
            return (other if way in one.keys else one).text
    for one in inside:
        if (second := _SECOND.fullmatch(masked, one.end, place[0])) and level.near:
            return second[1]
    return ""


def _sign_fault(fact: Fact, sign: int) -> Fault | None:
    value = 0.0 if isinstance(fact.value, str) else float(fact.value)
    if sign and value and (sign < 0) != (value < 0):
        return Fault(Verdict.WRONG_DIRECTION, "; the sign is the other one")
    if value < 0 and not sign and not fact.direction:
        return Fault(Verdict.WRONG_DIRECTION, " and below zero; show its sign")
    return None


def _negation_fault(facts: Facts, fact: Fact, found: Found, around: list[Level]) -> Fault | None:
    """A figure that is denied in its clause; that of a cell also in the first cell of its row or its column's head."""
    if isinstance(found.reads, Day):
        return None
    ways = {way for one in fact.direction for way in (one, facts.against[one])}
    for level in (around[0], *(one for one in around[1:] if one.passage.is_label)):
        words = (*level.within(level.passage.metrics), *level.within(level.passage.ways))
        binding = [word for word in words if fact.metric in word.keys or word.keys & ways]
        for one in level.within(level.passage.nots):
            if not _denies_nothing(one, found, level, binding):
                return Fault(Verdict.WRONG_DIRECTION, f"; the sentence denies it: {one.text!r}")
    return None


def _denies_nothing(one: Word, found: Found, level: Level, binding: Sequence[Word]) -> bool:
    """Whether a negation leaves a figure as it is: of what follows in a subordinate clause, "no" before other words."""
    masked, gap = level.passage.finds.masked, level.passage.gap
    if level.near and one.start >= found.end and _SUBORDINATE.search(masked, found.end, one.start):
        return True
    behind = [word for word in binding if word.start > one.end]
    return one.text in _WEAK and not any(0 <= gap((word.start, word.end), (one.start, one.end)) <= 1 for word in behind)

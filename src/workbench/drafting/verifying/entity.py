"""Whether a sentence says a fact of what it is a fact of: the names around a figure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from workbench.drafting.facts import Fact
from workbench.drafting.verifying.index import Facts
from workbench.drafting.verifying.passages import Level, Word, before
from workbench.drafting.verifying.spans import Found
from workbench.drafting.verifying.verdicts import Fault, Verdict

#: Between two names or two words of which what is said is said of both.
_JOINS = re.compile(
    r"(?: ?\(\ufffc+\))?(?:,? (?:and|or|plus|as well as|along with|together with) |, ?| ?[&/] ?)(?:also )?"
    r"(?:(?:in|of|for) )?(?:the |your |our |both )?"
)
#: Joins a figure to the name behind it: "$500 of VTI", "three accounts of the Balanced model".
_OF = re.compile(r"(?: [a-z]+)? of (?:the |your |our )?")


def entity_fault(facts: Facts, fact: Fact, found: Found, around: list[Level]) -> Fault | None:
    """Return what is wrong with the names around a figure as those of a fact; None where they are right."""
    place = (found.start, found.end)
    for key in fact.entity:
        kind = facts.kind_of[key]
        for level in around:
            words = level.named(facts.kind_of, kind)
            if not words:
                continue
            nearest = level.nearest(words, place)
            if any(key in word.keys for word in words) and any(word.keys & set(fact.entity) for word in nearest):
                if other := _joined(level, words, key, fact):
                    return Fault(Verdict.MISBOUND, f", not of {other!r} as well")
                break
            named = nearest[0].text if nearest else words[0].text
            return Fault(Verdict.MISBOUND, f"; the words here are about {named!r}")
        else:
            if not _meant(facts, fact, key, before(around[0].passage, place[0])):
                return Fault(Verdict.MISBOUND, f"; name {facts.name_of[key]!r} in the sentence")
    return _extra_entity(facts, fact, found, around[0])


def _joined(level: Level, words: Sequence[Word], key: str, fact: Fact) -> str:
    """Another entity of the kind that "and" or a comma joins to the fact's own: "of VTI and SCHF"."""
    masked = level.passage.finds.masked
    for one, other in pairwise(words):
        if (key in one.keys) != (key in other.keys) and _JOINS.fullmatch(masked, one.end, other.start):
            apart = other if key in one.keys else one
            if not apart.keys & set(fact.entity):
                return apart.text
    return ""


def _meant(facts: Facts, fact: Fact, key: str, ahead: Level | None) -> bool:
    """Whether a sentence that names nothing of a kind means this: what the one ahead names, else what it is about."""
    names = ahead.named(facts.kind_of, facts.kind_of[key]) if ahead else ()
    if names and all(key in word.keys for word in names):
        return True
    return key in facts.sheet.about and not _meant_before(facts, fact, key)


def _meant_before(facts: Facts, fact: Fact, key: str) -> bool:
    """Whether a sentence that names nothing means another: what the sheet is about first, if it is measured there."""
    before = facts.sheet.about[: facts.sheet.about.index(key)]
    measured = facts.measured[fact.metric]
    return any(one not in fact.entity and facts.kind_of[one] in measured for one in before)


def _extra_entity(facts: Facts, fact: Fact, found: Found, clause: Level) -> Fault | None:
    """A figure of the whole, said of a part: one with figures of the same metric, or that "of" puts behind it."""
    own = {facts.kind_of[key] for key in fact.entity}
    for one in clause.mentions():
        claimed = found.end < one.start and _OF.fullmatch(clause.passage.finds.masked, found.end, one.start)
        kinds = {facts.kind_of[key] for key in one.name.entities if claimed or key not in facts.sheet.about}
        if kinds and not kinds & own and (claimed or kinds <= facts.measured[fact.metric]):
            return Fault(Verdict.MISBOUND, f", not of {one.name.text!r}")
    return None

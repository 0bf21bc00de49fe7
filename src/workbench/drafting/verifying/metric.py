"""Whether a sentence says that a figure measures what its fact measures: the metric's words around it."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence

from workbench.drafting.facts import Fact, Kind
from workbench.drafting.verifying.days import Day
from workbench.drafting.verifying.index import FITTING, Facts
from workbench.drafting.verifying.loose import own
from workbench.drafting.verifying.naming import folded, tokens
from workbench.drafting.verifying.passages import Level, Passage, Word
from workbench.drafting.verifying.spans import Found
from workbench.drafting.verifying.verdicts import Fault, Verdict

_FOLLOWING = re.compile(r"[ -]([A-Za-z]+)")
_SPANS_OF_TIME = frozenset(
    {"day", "days", "week", "weeks", "month", "months", "quarter", "quarters", "year", "years", "hours", "minutes"}
)
#: Things that are counted, so that no amount stands right before them: "$4.4 m households".
_COUNTED = frozenset(
    {
        "accounts", "advisors", "alerts", "clients", "companies", "funds", "holdings", "households", "lots", "models",
        "names", "notes", "people", "positions", "purchases", "restrictions", "sales", "securities", "sleeves",
        "trades", "versions", "warnings",
    }
)  # fmt: skip
_OF_WHAT = re.compile(r" of ((?:(?:the|your|our|its|their|all) )?(?:[a-z'-]+|\ufffc+))")
_PRONOUN = re.compile(r"(?:it|them|that|this|these|those|which|what|all)\b")
#: Words that say what a day is only where nothing else does: "on 3 May" against "wrote on 3 May".
_SLIGHT = frozenset({"on", "by", "in"})


def metric_fault(facts: Facts, fact: Fact, found: Found, around: list[Level]) -> Fault | None:
    """Return what is wrong with the words around a figure as those of a fact's metric; None where they say it."""
    if not facts.words[fact.metric]:
        return None
    if counted := _counted(facts, fact, found, around[0]):
        return Fault(Verdict.WRONG_METRIC, f", not a number of {counted}")
    if whole := _share_fault(fact, found, around[0]):
        return Fault(Verdict.WRONG_METRIC, f"; no fact says that it is of {whole!r}")
    return _unsaid(facts, fact, found, around)


def _unsaid(facts: Facts, fact: Fact, found: Found, around: list[Level]) -> Fault | None:
    """What stands in place of a word of the metric, in the nearest stretch that has a word of any."""
    kinds = FITTING["day" if isinstance(found.reads, Day) else found.reads.unit] if found.reads else frozenset()
    foreign = ""
    cell = around[0].passage.block.kind == "row"
    for level in around:
        if foreign and cell and level.passage.block.kind != "row":
            break
        if said := _said(facts, found, level, kinds):
            if any(fact.metric in word.keys for word in said):
                if cell and level.passage.block.kind != "row" and (head := _other_head(fact, around[0].passage)):
                    return Fault(Verdict.WRONG_METRIC, f" and belongs under {head!r}")
                return None
            return Fault(Verdict.WRONG_METRIC, f"; the words here say {said[0].text!r}")
        if (level.near or level.passage.block.kind == "row") and not foreign:
            foreign = _foreign(facts, level, kinds)
        elif foreign and not level.near:
            break
    if foreign:
        return Fault(Verdict.WRONG_METRIC, f"; the words here say {foreign!r}")
    wanted = ", ".join(facts.words[fact.metric][:3])
    return Fault(Verdict.WRONG_METRIC, f"; no word here says so: write {wanted!r} by the figure")


def _said(facts: Facts, found: Found, level: Level, kinds: frozenset[Kind]) -> Sequence[Word]:
    """The words of metrics nearest to a figure, of those that could measure one of these kinds."""
    place = (found.start, found.end)
    fitting = [
        word
        for word in level.passage.metrics
        if any(facts.kinds[key] & kinds for key in word.keys) and not _within(word, place, level.near)
    ]
    telling = [word for word in fitting if word.text not in _SLIGHT and level.start <= word.start < level.end]
    return level.nearest(telling or fitting, place)


def _share_fault(fact: Fact, found: Found, clause: Level) -> str:
    """What a per cent is said to be of, where no word of the fact says so: "3 % of your income"."""
    following = _OF_WHAT.match(clause.passage.finds.masked, found.end)
    if not following or fact.kind not in ("percent", "bps"):
        return ""
    start, end = following.span(1)
    if any(start <= one.start < end for one in clause.mentions()) or own().whole(following[1].lower()):
        return ""
    said = [word for word in clause.passage.metrics if word.start < end and found.end < word.end]
    if any(fact.metric in word.keys for word in said) or _PRONOUN.match(following[1]):
        return ""
    return following[1].strip()


def _counted(facts: Facts, fact: Fact, found: Found, clause: Level) -> str:
    """What a figure seems to count: the word right behind it, where it can count nothing else."""
    if fact.kind == "count" and found.text.endswith("times") and "times" not in facts.words[fact.metric]:
        return "times"
    following = _FOLLOWING.match(clause.passage.finds.masked, found.end)
    if not following:
        return ""
    word = following[1].lower()
    if fact.kind in ("count", "number", "shares"):
        units = (fact.unit, *facts.words[fact.metric])
        return word if word in _SPANS_OF_TIME and not any(word.rstrip("s") in one for one in units) else ""
    if word in _COUNTED:
        return word
    for one in clause.passage.metrics:
        if one.start == following.start(1) and all(facts.kinds[key] == {"count"} for key in one.keys):
            return one.text
    return ""


def _other_head(fact: Fact, cell: Passage) -> str:
    """The head of another column that says what a fact measures, where the figure's own says nothing."""
    return next((one.reading.seen for one in cell.heads if any(fact.metric in word.keys for word in one.metrics)), "")


def _within(word: Word, place: tuple[int, int], near: bool) -> bool:
    return near and place[0] <= word.start and word.end <= place[1]


def _foreign(facts: Facts, level: Level, kinds: frozenset[Kind]) -> str:
    """A word of a metric that no fact of the sheet has, where such a word stands in place of one that could bind."""
    kept = level.passage.foreign
    if kinds not in kept:
        seen = folded(level.passage.reading.seen)
        kept[kinds] = [
            word
            for word in facts.foreign.words(seen, tokens(seen))
            if len(word.text) > 3 and any(facts.foreign_kinds[key] & kinds for key in word.keys)
        ]
    first = bisect_left(kept[kinds], level.start, key=lambda word: word.start)
    return kept[kinds][first].text if first < len(kept[kinds]) and kept[kinds][first].start < level.end else ""

"""Whether a sentence states a fact rightly: what the words around a figure say it measures, of what, which way."""

from __future__ import annotations

import functools
import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from workbench.drafting.facts import Fact, FactSheet, Kind
from workbench.drafting.lexicon import lexicon
from workbench.drafting.spelling import spelled
from workbench.drafting.verifying.amounts import Amount
from workbench.drafting.verifying.days import Day
from workbench.drafting.verifying.loose import own
from workbench.drafting.verifying.naming import folded, names_of, tokens
from workbench.drafting.verifying.passages import Level, Passage, Vocabulary, Word, before
from workbench.drafting.verifying.spans import Found
from workbench.drafting.verifying.verdicts import Verdict

_FITTING: dict[str, frozenset[Kind]] = {
    "money": frozenset({"money"}),
    "rate": frozenset({"percent", "bps"}),
    "plain": frozenset({"count", "number", "shares"}),
    "day": frozenset({"date"}),
}
_UNIT: dict[str, str] = {kind: unit for unit, kinds in _FITTING.items() for kind in kinds}
#: Opens a part of a sentence whose negation does not deny what stands before it.
_SUBORDINATE = re.compile(r"\b(?:that|which|who|whose|where|because|until|unless|before|if)\b", re.IGNORECASE)
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
#: Between two names or two words of which what is said is said of both.
_JOINS = re.compile(
    r"(?: ?\(\ufffc+\))?(?:,? (?:and|or|plus|as well as|along with|together with) |, ?| ?[&/] ?)(?:also )?"
    r"(?:(?:in|of|for) )?(?:the |your |our |both )?"
)
_SECOND = re.compile(r" (?:or|and then|and later) ([a-z]+(?: [a-z]+)?) ")
_EITHER = re.compile(
    r",? (?:and|or|then|but|nor|not|rather than|instead of)(?: (?:then|not|also|rather|later|even))*,? "
)
_OF_WHAT = re.compile(r" of ((?:(?:the|your|our|its|their|all) )?(?:[a-z'-]+|\ufffc+))")
_PRONOUN = re.compile(r"(?:it|them|that|this|these|those|which|what|all)\b")
_SCALE = {"percent": 100.0, "bps": 10_000.0}
_WEAK = frozenset({"no", "without", "none", "nothing"})
#: Words that say what a day is only where nothing else does: "on 3 May" against "wrote on 3 May".
_SLIGHT = frozenset({"on", "by", "in"})


@dataclass(frozen=True)
class Fault:
    """What is wrong with saying a fact so: `but` goes on where the fact is described."""

    verdict: Verdict
    but: str


class Facts:
    """A sheet's facts as statements are held to them: by size, by metric, with all names and words that bind."""

    def __init__(self, sheet: FactSheet) -> None:
        words = lexicon()
        self.sheet = sheet
        self.names = names_of(sheet)
        self.kind_of = {entity.key: entity.kind for entity in sheet.entities}
        self.name_of = {entity.key: entity.names[0] for entity in sheet.entities}
        used = {fact.metric for fact in sheet.facts}
        self.kinds = {key: frozenset(words.metrics[key].kinds) for key in used}
        self.words = {key: words.metrics[key].words for key in used}
        self.metric_words = Vocabulary(self.words)
        ways = {way for fact in sheet.facts for way in fact.direction}
        self.against = {way: words.directions[way].against for way in ways}
        self.against.update({against: way for way, against in self.against.items()})
        self.way_words = Vocabulary({way: words.directions[way].words for way in self.against})
        self.foreign = _foreign_words(frozenset(used))
        self.foreign_kinds = {k: frozenset(m.kinds) for k, m in words.metrics.items()}
        self._of: dict[str, list[Fact]] = {}
        self._by_metric: dict[str, list[Fact]] = {}
        self.measured: dict[str, set[str]] = {}
        sized: dict[str, list[tuple[float, Fact]]] = {}
        self.days: list[tuple[date, Fact]] = []
        self.quotes: list[Fact] = []
        for fact in sheet.facts:
            self.measured.setdefault(fact.metric, set()).update(self.kind_of[key] for key in fact.entity)
            self._by_metric.setdefault(fact.metric, []).append(fact)
            for key in fact.entity:
                self._of.setdefault(key, []).append(fact)
            if fact.kind == "date":
                self.days.append((date.fromisoformat(str(fact.value)), fact))
            elif fact.kind == "quote":
                self.quotes.append(fact)
            elif fact.kind in _UNIT:
                sized.setdefault(_UNIT[fact.kind], []).append((fact.magnitude, fact))
        self._sized = {unit: sorted(found, key=lambda one: one[0]) for unit, found in sized.items()}
        self._sizes = {unit: [size for size, _ in found] for unit, found in self._sized.items()}

    def of_size(self, amount: Amount) -> list[Fact]:
        """Return the facts whose value rounds to a figure as it is shown."""
        sizes = self._sizes.get(amount.unit, [])
        slack = amount.half * (1 + 1e-9) + 1e-12
        first = bisect_left(sizes, amount.value - slack)
        last = bisect_left(sizes, amount.value + slack + 1e-15)
        found = [fact for _, fact in self._sized.get(amount.unit, [])[first:last]]
        return [fact for fact in found if amount.value or _as_exact(amount, fact)]

    def on(self, day: Day) -> list[Fact]:
        """Return the facts whose day is the one given, or lies in the period given."""
        return [fact for when, fact in self.days if day.holds(when)]

    def of_entities(self, keys: Collection[str]) -> list[Fact]:
        """Return the facts of any of these entities."""
        return [fact for key in keys for fact in self._of.get(key, ())]

    def counts(self, metric: str) -> list[Fact]:
        """Return the facts that count things by this metric."""
        return [fact for fact in self.measuring(metric) if fact.kind == "count"]

    def measuring(self, metric: str) -> list[Fact]:
        """Return the facts of a metric."""
        return self._by_metric.get(metric, [])

    def near(self, found: Found) -> list[Fact]:
        """Return the facts of the same kind that come nearest to what a text shows."""
        if isinstance(found.reads, Amount):
            value = found.reads.value
            sized = self._sized.get(found.reads.unit, [])
            return [fact for _, fact in sorted(sized, key=lambda one: abs(one[0] - value))[:2]]
        return [fact for _, fact in self.days[:2]]

    def described(self, fact: Fact) -> str:
        """Return a fact in words: "$9,358 is traded dollars (sell) of A-101 and VTI"."""
        ways = f" ({', '.join(fact.direction)})" if fact.direction else ""
        whose = " and ".join(self.name_of[key] for key in fact.entity)
        return f"{spelled(fact)} is {fact.metric.replace('_', ' ')}{ways}" + (f" of {whose}" if whose else "")


@functools.lru_cache(maxsize=64)
def _foreign_words(used: frozenset[str]) -> Vocabulary:
    """The words of the metrics that a sheet does not use."""
    return Vocabulary({key: metric.words for key, metric in lexicon().metrics.items() if key not in used})


def states(facts: Facts, fact: Fact, found: Found, around: list[Level]) -> bool:
    """Say whether a fact is said rightly by the words around a figure or day."""
    return not (
        _entity_fault(facts, fact, (found.start, found.end), around)
        or _metric_fault(facts, fact, found, around)
        or _direction_fault(facts, fact, found, around)
    )


def judge(facts: Facts, fact: Fact, found: Found, around: list[Level]) -> list[Fault]:
    """Return what is wrong with saying a fact by these words; nothing where they say it rightly."""
    place = (found.start, found.end)
    faults = [
        _entity_fault(facts, fact, place, around),
        _metric_fault(facts, fact, found, around),
        _direction_fault(facts, fact, found, around),
    ]
    return [fault for fault in faults if fault]


def _metric_fault(facts: Facts, fact: Fact, found: Found, around: list[Level]) -> Fault | None:
    if not facts.words[fact.metric]:
        return None
    place = (found.start, found.end)
    kinds = _FITTING["day" if isinstance(found.reads, Day) else found.reads.unit] if found.reads else frozenset()
    if counted := _counted(facts, fact, found, around[0]):
        return Fault(Verdict.WRONG_METRIC, f", not a number of {counted}")
    if whole := _share_fault(fact, found, around[0]):
        return Fault(Verdict.WRONG_METRIC, f"; no fact says that it is of {whole!r}")
    foreign = ""
    cell = around[0].passage.block.kind == "row"
    for level in around:
        if foreign and cell and level.passage.block.kind != "row":
            break
        fitting = [
            word
            for word in level.passage.metrics
            if any(facts.kinds[key] & kinds for key in word.keys) and not _within(word, place, level.near)
        ]
        telling = [word for word in fitting if word.text not in _SLIGHT and level.start <= word.start < level.end]
        if said := level.nearest(telling or fitting, place):
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


def _share_fault(fact: Fact, found: Found, clause: Level) -> str:
    """What a per cent is said to be of, where no word of the fact says so: "3 % of your income"."""
    following = _OF_WHAT.match(clause.passage.finds.masked, found.end)
    if not following or fact.kind not in ("percent", "bps"):
        return ""
    start, end = following.span(1)
    if any(start <= one.start < end for one in clause.mentions()) or own().whole(following[1].lower()):
        return ""
    said = [word for word in clause.passage.metrics if word.start < end and found.end < word.end]
    return (
        "" if any(fact.metric in word.keys for word in said) or _PRONOUN.match(following[1]) else following[1].strip()
    )


def _counted(facts: Facts, fact: Fact, found: Found, clause: Level) -> str:
    """What a figure seems to count: the word right behind it, where it can count nothing else."""
    following = _FOLLOWING.match(clause.passage.finds.masked, found.end)
    if not following:
        return ""
    word = following[1].lower()
    if fact.kind in ("count", "number", "shares"):
        own = (fact.unit, *facts.words[fact.metric])
        return word if word in _SPANS_OF_TIME and not any(word.rstrip("s") in one for one in own) else ""
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


def _entity_fault(facts: Facts, fact: Fact, place: tuple[int, int], around: list[Level]) -> Fault | None:
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
            ahead = before(around[0].passage, place[0])
            names = ahead.named(facts.kind_of, kind) if ahead else ()
            if names and all(key in word.keys for word in names):
                continue
            if key not in facts.sheet.about or _meant_before(facts, fact, key):
                name = facts.name_of[key]
                return Fault(Verdict.MISBOUND, f"; name {name!r} in the sentence")
    return _extra_entity(facts, fact, around[0])


def _joined(level: Level, words: Sequence[Word], key: str, fact: Fact) -> str:
    """Another entity of the kind that "and" or a comma joins to the fact's own: "of VTI and SCHF"."""
    masked = level.passage.finds.masked
    for one, other in pairwise(words):
        if (key in one.keys) != (key in other.keys) and _JOINS.fullmatch(masked, one.end, other.start):
            apart = other if key in one.keys else one
            if not apart.keys & set(fact.entity):
                return apart.text
    return ""


def _meant_before(facts: Facts, fact: Fact, key: str) -> bool:
    """Whether a sentence that names nothing means another: what the sheet is about first, if it is measured there."""
    before = facts.sheet.about[: facts.sheet.about.index(key)]
    measured = facts.measured[fact.metric]
    return any(one not in fact.entity and facts.kind_of[one] in measured for one in before)


def _extra_entity(facts: Facts, fact: Fact, clause: Level) -> Fault | None:
    """A figure of the whole, said of a part for which the sheet has figures of the same metric."""
    own = {facts.kind_of[key] for key in fact.entity}
    for one in clause.mentions():
        kinds = {facts.kind_of[key] for key in one.name.entities if key not in facts.sheet.about}
        if kinds and not kinds & own and kinds <= facts.measured[fact.metric]:
            reason = f", not of {one.name.text!r}"
            return Fault(Verdict.MISBOUND, reason)
    return None


def _direction_fault(facts: Facts, fact: Fact, found: Found, around: list[Level]) -> Fault | None:
    signed = found.reads.sign if isinstance(found.reads, Amount) else 0
    if isinstance(found.reads, Amount) and (wrong := _sign_fault(fact, signed)):
        return wrong
    place = (found.start, found.end)
    for way in fact.direction:
        pair = {way, facts.against[way]}
        for level in around:
            words = [word for word in level.passage.ways if word.keys & pair]
            said = level.nearest(words, place)
            if said and not level.near and _of_two_minds(said, way, pair):
                if level.passage.block.kind == "row" and not level.passage.block.head:
                    return Fault(Verdict.WRONG_DIRECTION, f"; the row says both {said[0].text!r} and {said[-1].text!r}")
                continue
            if said:
                if any(way in word.keys for word in said):
                    if other := _both_ways(level, words, way, place):
                        return Fault(Verdict.WRONG_DIRECTION, f"; the words here also say {other!r}")
                    break
                return Fault(Verdict.WRONG_DIRECTION, f"; the words here say {said[0].text!r}")
        else:
            if not signed:
                return Fault(Verdict.WRONG_DIRECTION, f"; no word here says {way!r}")
    return _negation_fault(facts, fact, found, around[0])


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


def _negation_fault(facts: Facts, fact: Fact, found: Found, clause: Level) -> Fault | None:
    """A figure that is denied: "not" anywhere in its clause, "no" and "without" right before a word that binds it."""
    if isinstance(found.reads, Day):
        return None
    passage = clause.passage
    ways = {way for one in fact.direction for way in (one, facts.against[one])}
    binding = [
        word
        for word in (*passage.metrics, *passage.ways)
        if clause.start <= word.start < clause.end and (fact.metric in word.keys or word.keys & ways)
    ]
    for one in passage.nots:
        if not clause.start <= one.start < clause.end:
            continue
        if one.start >= found.end and _SUBORDINATE.search(passage.finds.masked, found.end, one.start):
            continue
        if one.text in _WEAK and not any(
            0 <= passage.gap((word.start, word.end), (one.start, one.end)) <= 1
            for word in binding
            if word.start > one.end
        ):
            continue
        return Fault(Verdict.WRONG_DIRECTION, f"; the sentence denies it: {one.text!r}")
    return None


def _as_exact(amount: Amount, fact: Fact) -> bool:
    """Whether a zero is shown with the decimals of its fact, so that it hides nothing."""
    scale = _SCALE.get(fact.kind, 1.0)
    return fact.magnitude == 0 or amount.half * scale <= 0.5 * 10.0**-fact.decimals * (1 + 1e-9)


def ranked(outcomes: Iterable[tuple[Fact, list[Fault]]]) -> tuple[Fact, list[Fault]]:
    """Return the fact that a statement comes nearest to saying: with the fewest faults, direction the least of them."""
    weight = {Verdict.WRONG_DIRECTION: 1, Verdict.WRONG_METRIC: 2, Verdict.MISBOUND: 3}
    return min(outcomes, key=lambda one: (len(one[1]), sum(weight[fault.verdict] for fault in one[1])))

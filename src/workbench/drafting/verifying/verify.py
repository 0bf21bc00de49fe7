"""The verifier: everything a text states is found, bound to its entity, metric and direction, and held to the facts."""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Iterator
from itertools import pairwise

from workbench.drafting.facts import Fact, FactSheet
from workbench.drafting.verifying.amounts import Amount
from workbench.drafting.verifying.binding import judge, ranked, states
from workbench.drafting.verifying.days import Day
from workbench.drafting.verifying.index import Facts
from workbench.drafting.verifying.loose import Wordings, loose, own, wordings
from workbench.drafting.verifying.naming import Mention, folded, shown
from workbench.drafting.verifying.passages import Level, Passage, Word, levels, passages
from workbench.drafting.verifying.spans import Found
from workbench.drafting.verifying.verdicts import Fault, Span, Verdict, Verification

_KEPT: OrderedDict[str, Facts] = OrderedDict()
_MOST_KEPT = 64
#: Ways round that are held to the facts also where a name or metric stands without a figure, by words that say
#: nothing else ("over" and "up" say much else).
_TOLD = (
    frozenset({"buy", "sell"}), frozenset({"over", "under"}), frozenset({"ahead", "behind"}), frozenset({"up", "down"}),
)  # fmt: skip
_PLAINLY = frozenset(
    {
        "buy", "buys", "bought", "buying", "sell", "sells", "sold", "selling", "overweight", "underweight",
        "outperformed", "underperformed", "trailed", "rose", "rises", "fell", "falls",
    }
)  # fmt: skip
_INDEX = re.compile(r"S&P|Russell")
_RANK = re.compile(r"\d(?:st|nd|rd|th)$", re.IGNORECASE)
#: Opens a clause that has a subject of its own.
_OPENS = re.compile(r";|, (?:and|but|so) (?:we|they|it|you|he|she|this|these|the|your|our|its|their)\b")
_NO = re.compile(r"\b[Nn]o (?=[a-z])")


def verify(text: str, sheet: FactSheet, skeleton: str = "") -> Verification:
    """Return a verdict for each figure, day, symbol, name and quotation that a text states, against a sheet.

    What is said without a figure ("more than it would bring") must stand in `skeleton`, the draft's own, where the rule
    behind it held; without one it may be any wording of the papers' templates and claims.
    """
    facts = _facts(sheet)
    said = wordings(skeleton) if skeleton else own()
    spans = [
        _placed(text, passage, span)
        for passage in passages(text, facts.names, facts.metric_words, facts.way_words)
        for span in _spans(facts, passage, said)
    ]
    spans.sort(key=lambda span: (span.start, span.end))
    return Verification(hashlib.sha256(text.encode()).hexdigest(), sheet.hash, tuple(spans))


def _facts(sheet: FactSheet) -> Facts:
    """A sheet prepared for verification, kept for the next text that is held to it."""
    if sheet.hash in _KEPT:
        _KEPT.move_to_end(sheet.hash)
        return _KEPT[sheet.hash]
    made = _KEPT[sheet.hash] = Facts(sheet)
    if len(_KEPT) > _MOST_KEPT:
        _KEPT.popitem(last=False)
    return made


def _placed(text: str, passage: Passage, span: Span) -> Span:
    start, end = passage.reading.place(span.start, span.end)
    return Span(start, end, text[start:end], span.looks_like, span.verdict, span.facts, span.reason)


def _spans(facts: Facts, passage: Passage, said: Wordings) -> Iterator[Span]:
    if passage.block.kind == "quote":
        yield _block_quote(facts, passage)
        return
    for found in passage.finds.found:
        if isinstance(found.reads, Amount | Day):
            yield _stated(facts, passage, found)
        elif found.looks_like == "quotation":
            yield _quotation(facts, found)
        else:
            yield _fault(found, Verdict.UNSUPPORTED, found.reason or _unknown(found))
    yield from _none(facts, passage)
    yield from _said_loosely(passage, said)
    yield from _trends(facts, passage)
    yield from _misnamed(facts, passage)
    for mention in passage.finds.mentions:
        if mention.name.looks_like != "term":
            yield from _mentioned(facts, passage, mention)
        elif _INDEX.match(mention.name.text) and any(one.reads for one in _clause_of(passage, mention)):
            found = Found(mention.start, mention.end, mention.name.text, "name")
            yield _fault(found, Verdict.UNSUPPORTED, f"{found.text!r} is no benchmark of the facts; leave it out")


def _stated(facts: Facts, passage: Passage, found: Found) -> Span:
    """The verdict of a figure or day: the facts it could be, each held to the words around it."""
    reads = found.reads
    could_be = facts.of_size(reads) if isinstance(reads, Amount) else facts.on(reads) if isinstance(reads, Day) else []
    if not could_be:
        near = facts.near(found)
        hint = "; nearest: " + " | ".join(map(facts.described, near)) if near else ""
        return _fault(found, Verdict.UNSUPPORTED, f"no fact says {found.text!r}{hint}", near)
    if could_be and _RANK.search(found.text):
        return _fault(found, Verdict.UNSUPPORTED, f"{found.text!r} is a rank, which no fact is; leave it out")
    if found.text[-1:].isalpha() and (whole := _part_of(passage, found)):
        return _fault(found, Verdict.UNSUPPORTED, f"no fact is {found.text} of {whole}; give the figure itself")
    around = levels(passage, found)
    if right := [fact.id for fact in could_be if states(facts, fact, found, around)]:
        return Span(found.start, found.end, found.text, found.looks_like, Verdict.SUPPORTED, tuple(right))
    fact, faults = ranked((fact, judge(facts, fact, found, around)) for fact in could_be)
    return _fault(found, faults[0].verdict, facts.described(fact) + faults[0].but, [fact])


def _part_of(passage: Passage, found: Found) -> str:
    """The figure that a fraction in words is said to be of: "a quarter of $9,358"."""
    whole = next((one for one in passage.finds.found if one.start == found.end + len(" of ")), None)
    words = isinstance(found.reads, Amount) and found.reads.worded and found.reads.unit == "rate"
    return whole.text if words and whole and isinstance(whole.reads, Amount) else ""


def _quotation(facts: Facts, found: Found) -> Span:
    said = found.text[1:-1].strip()
    right = [fact.id for fact in facts.quotes if shown(str(fact.value)).rstrip(".") == said.rstrip(".")]
    if right:
        return Span(found.start, found.end, found.text, "quotation", Verdict.SUPPORTED, tuple(right))
    return _fault(found, Verdict.UNSUPPORTED, f"nobody on file said {found.text}; quote a fact word for word")


def _block_quote(facts: Facts, passage: Passage) -> Span:
    seen = passage.reading.seen.strip().strip('"')
    found = Found(0, len(passage.reading.seen), passage.reading.seen, "quotation")
    right = [fact for fact in facts.quotes if shown(str(fact.value)).strip('"') == seen]
    if right:
        return Span(found.start, found.end, found.text, "quotation", Verdict.SUPPORTED, tuple(f.id for f in right))
    return _fault(found, Verdict.UNSUPPORTED, f"nobody on file said {seen!r}; quote a fact word for word")


def _mentioned(facts: Facts, passage: Passage, mention: Mention) -> Iterator[Span]:
    name = mention.name
    looks_like = name.looks_like if name.looks_like == "quotation" else "symbol" if name.text.isupper() else "name"
    found = Found(mention.start, mention.end, passage.reading.seen[mention.start : mention.end], looks_like)
    if fault := _told(facts, passage, found, mention):
        yield _fault(found, fault.verdict, fault.but)
    elif looks_like != "name" or name.facts or not name.text.islower():
        yield Span(found.start, found.end, found.text, looks_like, Verdict.SUPPORTED, name.facts)


def _told(facts: Facts, passage: Passage, found: Found, mention: Mention) -> Fault | None:
    """What is wrong with a way round told of a name without a figure: "we sell VTI" where the facts buy it."""
    if not mention.name.entities:
        return None
    clause = levels(passage, found)[0]
    about = facts.of_entities(mention.name.entities)
    return _untrue(about, clause, found) or _untraded(facts, about, clause, mention)


def _untraded(facts: Facts, about: list[Fact], clause: Level, mention: Mention) -> Fault | None:
    """What is wrong with "we buy VTI" where no fact is of a trade in it."""
    if any(facts.kind_of[key] != "security" for key in mention.name.entities):
        return None
    trades = frozenset({"buy", "sell"})
    if any(trades & set(fact.direction) for fact in about) or clause.within(clause.passage.nots):
        return None
    if any(
        isinstance(one.reads, Amount) and clause.start <= one.start < clause.end for one in clause.passage.finds.found
    ):
        return None
    words = [word for word in clause.passage.ways if word.keys & trades and word.text in _PLAINLY]
    said = clause.nearest(words, (mention.start, mention.end))
    if not said:
        return None
    return Fault(
        Verdict.UNSUPPORTED, f"no fact is of a trade in {mention.name.text}; the sentence says {said[0].text!r}"
    )


def _trends(facts: Facts, passage: Passage) -> Iterator[Span]:
    """The faults of a trend told of a metric without figure or name: "your tax falls" where it rises."""
    if not any(way.text in _PLAINLY for way in passage.ways):
        return
    about = set(facts.sheet.about)
    for word in passage.metrics:
        found = Found(word.start, word.end, passage.reading.seen[word.start : word.end], "trend")
        clause = levels(passage, found)[0]
        measured = [fact for key in word.keys for fact in facts.measuring(key) if set(fact.entity) <= about]
        if word.text in _PLAINLY or any(one.name.entities for one in clause.mentions()):
            continue
        if fault := _untrue(measured, clause, found):
            yield _fault(found, fault.verdict, fault.but)


def _untrue(about: list[Fact], clause: Level, found: Found) -> Fault | None:
    """What is wrong with the word nearest to what was found in a clause without figures, if all facts say otherwise."""
    passage = clause.passage
    if any(isinstance(one.reads, Amount) and clause.start <= one.start < clause.end for one in passage.finds.found):
        return None
    for pair in _TOLD:
        told = {way for fact in about for way in fact.direction if way in pair}
        plain = [word for word in passage.ways if word.keys & pair and word.text in _PLAINLY]
        said = clause.nearest(plain, (found.start, found.end)) if told else ()
        if not said:
            continue
        denied = any(not _parted(passage, one, said[0]) for one in clause.within(passage.nots))
        if any(word.keys & told for word in said) == denied:
            what = f"the facts say {' and '.join(sorted(told))} of {found.text}"
            return Fault(Verdict.WRONG_DIRECTION, f"{what}; the sentence says {'not ' * denied}{said[0].text!r}")
    return None


def _parted(passage: Passage, one: Word, other: Word) -> bool:
    """Whether a clause with a subject of its own opens between two words, so that neither speaks of the other."""
    first, last = sorted((one, other), key=lambda word: word.start)
    return _OPENS.search(passage.finds.masked, first.end, last.start) is not None


def _clause_of(passage: Passage, mention: Mention) -> list[Found]:
    """What else was found in the clause of a name."""
    clause = levels(passage, Found(mention.start, mention.end, mention.name.text, "name"))[0]
    return [one for one in passage.finds.found if clause.start <= one.start < clause.end]


def _none(facts: Facts, passage: Passage) -> Iterator[Span]:
    """The verdicts of "no" before what the sheet counts: "no trades" where there are some."""
    for one in _NO.finditer(passage.finds.masked):
        word = next((word for word in passage.metrics if word.start == one.end()), None)
        if not word or passage.finds.masked[word.end : word.end + 1] not in (".", ",", ";", ""):
            continue
        about = set(facts.sheet.about)
        counts = [fact for key in word.keys for fact in facts.counts(key) if set(fact.entity) <= about]
        found = Found(one.start(), word.end, passage.reading.seen[one.start() : word.end], "number word")
        if right := tuple(fact.id for fact in counts if not fact.value):
            yield Span(found.start, found.end, found.text, found.looks_like, Verdict.SUPPORTED, right)
        elif counts:
            yield _fault(found, Verdict.UNSUPPORTED, f"{facts.described(counts[0])}, not none", counts[:1])


def _misnamed(facts: Facts, passage: Passage) -> Iterator[Span]:
    """The faults of a name with the symbol of another behind it: "Exxon Mobil Corp. (MSFT)"."""
    for name, symbol in pairwise(passage.finds.mentions):
        between = passage.reading.seen[name.end : symbol.start]
        ours, theirs = set(name.name.entities), set(symbol.name.entities)
        if between.strip() != "(" or not ours or not theirs or ours & theirs:
            continue
        if {facts.kind_of[key] for key in ours} & {facts.kind_of[key] for key in theirs}:
            found = Found(symbol.start, symbol.end, symbol.name.text, "symbol")
            yield _fault(
                found, Verdict.MISBOUND, f"{symbol.name.text!r} is not {name.name.text!r}; correct one of them"
            )


def _said_loosely(passage: Passage, said: Wordings) -> Iterator[Span]:
    """The faults of words that say something without a figure: bounds, comparisons, denials, all and none."""
    for start, end, looks_like, why in loose(folded(passage.finds.masked), said):
        text = passage.reading.seen[start:end]
        yield _fault(Found(start, end, text, looks_like), Verdict.UNSUPPORTED, f"{text!r} {why}")


def _unknown(found: Found) -> str:
    if found.looks_like == "vague multiple":
        return f"{found.text!r} is a quantity without a fact; give the figure or leave it out"
    if found.looks_like == "markup":
        return f"{found.text!r} could be shown as something else; write the words themselves"
    if found.looks_like in ("name", "symbol", "identifier", "contact"):
        return f"{found.text!r} is not a name on the fact sheet; correct it or leave it out"
    return f"no fact says {found.text!r}; take it from the fact sheet or leave it out"


def _fault(found: Found, verdict: Verdict, reason: str, facts: list[Fact] | tuple[Fact, ...] = ()) -> Span:
    return Span(found.start, found.end, found.text, found.looks_like, verdict, tuple(f.id for f in facts), reason)

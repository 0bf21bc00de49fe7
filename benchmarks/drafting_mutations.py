"""What could be altered in a draft, kind by kind, and whether the altered text still states a fact.

Whether it does is told without the verifier: the draft's skeleton says which fact stands where, so what a mutant
states is known (value as shown, metric, entity, direction) and is compared with every fact of the sheet.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from workbench.drafting import Draft, Fact, FactSheet
from workbench.drafting.lexicon import lexicon
from workbench.drafting.placeholders import fill
from workbench.report.format import long_date

FIGURES = ("percent", "bps", "money", "shares", "count", "number")
_FAMILY = {"percent": "rate", "bps": "rate", "money": "money", "shares": "plain", "count": "plain", "number": "plain"}
_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")


@dataclass(frozen=True)
class Place:
    """A fact where it stands in a draft, and the sentence, bullet or row around it."""

    start: int
    end: int
    fact: Fact
    left: int
    right: int


@dataclass(frozen=True)
class Mutant:
    """An altered draft, and whether it still states facts only."""

    kind: str
    text: str
    equivalent: bool


@dataclass(frozen=True)
class Marked:
    """A draft with the place of each of its facts."""

    text: str
    sheet: FactSheet
    places: tuple[Place, ...]

    def figures(self) -> list[Place]:
        return [place for place in self.places if place.fact.kind in FIGURES]

    def shown(self, place: Place) -> str:
        return self.text[place.start : place.end]

    def with_(self, *edits: tuple[int, int, str]) -> str:
        """Return the text with stretches replaced."""
        text = self.text
        for start, end, new in sorted(edits, reverse=True):
            text = text[:start] + new + text[end:]
        return text


def mutants(draft: Draft, most: int = 3, seed: int = 0) -> Iterator[Mutant]:
    """Return mutants of a draft as its template made it: at most `most` of each kind, the same for one seed."""
    marked = mark(draft)
    for kind, make in KINDS.items():
        chosen = random.Random(f"{seed}-{kind}-{draft.sheet.key}")
        found = [one for one in make(marked, chosen) if one[0] != marked.text]
        chosen.shuffle(found)
        for text, equivalent in found[:most]:
            yield Mutant(kind, text, equivalent)


def mark(draft: Draft) -> Marked:
    """Return a draft with the place of each fact. Raises `ValueError` for one that a person edited."""
    filled = fill(draft.skeleton, draft.sheet)
    if filled.text != draft.text:
        raise ValueError("the draft is not as its template made it; mutate it before it is edited")
    ends = [0, *(one.end() for one in re.finditer(r"[.!?](?=\s+[^a-z\s])|\n(?=\s*\n|[-#>|])", filled.text))]
    ends.append(len(filled.text))
    inside = [(start, end) for start, end, _ in filled.places]
    ends = [end for end in ends if not any(start < end < stop for start, stop in inside)]
    places = []
    for start, end, id in filled.places:
        left = max(one for one in ends if one <= start)
        right = min((one for one in ends if one >= end), default=len(filled.text))
        places.append(Place(start, end, draft.sheet.fact(id), left, right))
    return Marked(filled.text, draft.sheet, tuple(places))


def borne(sheet: FactSheet, shown: str, like: Fact, **other: object) -> bool:
    """Say whether some fact has the metric, entities and directions of `like`, `other` of them replaced, and reads
    as shown; "in all" is said of any total, which has no direction for it.
    """
    told = replace(like, **other)  # type: ignore[arg-type]
    ways = set(told.direction) - {"in_all"}
    return any(
        fact.metric == told.metric
        and set(fact.entity) == set(told.entity)
        and set(fact.direction) == ways
        and reads_as(fact, shown)
        for fact in sheet.facts
    )


def reads_as(fact: Fact, shown: str) -> bool:
    """Say whether a fact, rounded to the places shown, is what is shown, in the unit shown."""
    if fact.kind == "date":
        day = date.fromisoformat(str(fact.value))
        return shown in (long_date(day), day.isoformat()) or shown in (
            f"{day:%B} {day.year}", str(day.year), f"{day.day} {day:%b} {day.year}",
        )  # fmt: skip
    if fact.kind not in FIGURES:
        return shown == fact.value
    if _family(shown) != _FAMILY[fact.kind]:
        return False
    words = shown.lower().split()
    if words and words[0] in _WORDS:
        return fact.magnitude == _WORDS.index(words[0])
    found = _NUMBER.search(shown)
    if not found:
        return shown.strip() == "no" and fact.magnitude == 0
    number = Decimal(found[0].replace(",", ""))
    rest = shown[found.end() :].strip()
    scale = {"k": 10**3, "m": 10**6, "bn": 10**9}.get(rest, 1)
    if _family(shown) == "rate":
        value = Decimal(repr(fact.magnitude)) * (10_000 if rest.startswith(("bp", "basis")) else 100)
    else:
        value = Decimal(repr(fact.magnitude)) / scale
    half = Decimal(1).scaleb(int(number.as_tuple().exponent)) / 2
    signed = -1 if shown[:1] in "-\u2212" else 1 if shown[:1] == "+" else 0
    same_sign = not signed or float(fact.value) == 0 or (signed < 0) == (float(fact.value) < 0)
    return same_sign and abs(value - number) <= half * (1 + Decimal("1e-9"))


def _family(shown: str) -> str:
    if "$" in shown:
        return "money"
    if "%" in shown or re.search(r"\b(?:bp|basis points?|percentage points?|pp)\b", shown):
        return "rate"
    return "plain"


Made = Iterator[tuple[str, bool]]


def _one(marked: Marked, place: Place, shown: str) -> tuple[str, bool]:
    """The text with one figure shown otherwise."""
    return marked.with_((place.start, place.end, shown)), borne(marked.sheet, shown, place.fact)


def digit_changed(marked: Marked, chosen: random.Random) -> Made:
    """One digit of a figure is another."""
    for place in marked.figures():
        shown = marked.shown(place)
        digits = [i for i, letter in enumerate(shown) if letter.isdigit()]
        if digits:
            i = chosen.choice(digits)
            digit = chosen.choice([d for d in "123456789" if d != shown[i]])
            yield _one(marked, place, shown[:i] + digit + shown[i + 1 :])


def magnitude(marked: Marked, chosen: random.Random) -> Made:
    """A figure ten times too large or too small."""
    for place in marked.figures():
        shown = marked.shown(place)
        found = _NUMBER.search(shown)
        if found:
            number = Decimal(found[0].replace(",", ""))
            places = -int(number.as_tuple().exponent)
            new = number * 10 if chosen.random() < 0.5 else number / 10
            yield _one(marked, place, shown[: found.start()] + f"{new:,.{max(places, 0)}f}" + shown[found.end() :])


def sign_flipped(marked: Marked, chosen: random.Random) -> Made:
    """A sign turned round, or a minus where none stood."""
    for place in marked.figures():
        shown = marked.shown(place)
        if not _NUMBER.search(shown) or not float(place.fact.value):
            continue
        if shown[0] in "-\u2212":
            yield _one(marked, place, "+" + shown[1:])
        elif shown[0] == "+":
            yield _one(marked, place, "\u2212" + shown[1:])
        elif float(place.fact.value) > 0:
            yield marked.with_((place.start, place.start, "\u2212")), False


def side_flipped(marked: Marked, chosen: random.Random) -> Made:
    """The word that says which way round a figure is says the opposite."""
    ways = lexicon().directions
    for place in marked.figures():
        for way in place.fact.direction:
            against = ways[ways[way].against]
            said = _words(marked, place, (*ways[way].words, *against.words))
            if len(said) == 1 and said[0][2] in map(str.lower, ways[way].words):
                start, end, word = said[0]
                forms = [str(one) for one in ways[way].words]
                n = [one.lower() for one in forms].index(word)
                new = str(against.words[min(n, len(against.words) - 1)])
                directions = tuple(against.key if one == way else one for one in place.fact.direction)
                yield (
                    marked.with_((start, end, new)),
                    borne(marked.sheet, marked.shown(place), place.fact, direction=directions),
                )


def swapped_in_sentence(marked: Marked, chosen: random.Random) -> Made:
    """Two figures of one sentence, each in the other's place."""
    figures = marked.figures()
    for i, one in enumerate(figures):
        for other in figures[i + 1 :]:
            if one.left == other.left and marked.text[one.left : one.left + 2].strip()[:1] != "|":
                yield _swapped(marked, one, other)


def swapped_between_sentences(marked: Marked, chosen: random.Random) -> Made:
    """Two figures of two sentences, each in the other's place."""
    figures = marked.figures()
    for one in figures:
        other = chosen.choice(figures)
        if one.left != other.left and one.fact.kind == other.fact.kind:
            yield _swapped(marked, one, other)


def swapped_in_table(marked: Marked, chosen: random.Random) -> Made:
    """Two figures of one column of a table, each in the other's row."""
    cells: dict[tuple[int, int], list[Place]] = {}
    table = 0
    last = 0
    for place in marked.figures():
        start = marked.text.rfind("\n", 0, place.start) + 1
        if marked.text[start : start + 1] == "|":
            table += "\n\n" in marked.text[last:start]
            last = place.end
            cells.setdefault((table, marked.text.count("|", start, place.start)), []).append(place)
    for column in cells.values():
        for one in column:
            other = chosen.choice(column)
            if other is not one and one.fact.kind == other.fact.kind:
                yield _swapped(marked, one, other)


def _swapped(marked: Marked, one: Place, other: Place) -> tuple[str, bool]:
    first, second = marked.shown(one), marked.shown(other)
    text = marked.with_((one.start, one.end, second), (other.start, other.end, first))
    return text, borne(marked.sheet, second, one.fact) and borne(marked.sheet, first, other.fact)


def per_cent_to_bp(marked: Marked, chosen: random.Random) -> Made:
    """Per cent become basis points, or basis points per cent."""
    for place in marked.figures():
        shown = marked.shown(place)
        if shown.endswith("%"):
            yield _one(marked, place, shown[:-1] + " bp")
        elif shown.endswith((" bp", "basis points")):
            yield _one(marked, place, re.sub(r" (?:bp|basis points)$", "%", shown))


def dollars_to_per_cent(marked: Marked, chosen: random.Random) -> Made:
    """Dollars become per cent."""
    for place in marked.figures():
        shown = marked.shown(place)
        if "$" in shown:
            yield _one(marked, place, shown.replace("$", "") + "%")


def thousands(marked: Marked, chosen: random.Random) -> Made:
    """Thousands become millions, dollars become thousands."""
    for place in marked.figures():
        shown = marked.shown(place)
        if shown.endswith(" k"):
            yield _one(marked, place, shown[:-1] + "m")
        elif shown.endswith(" m"):
            yield _one(marked, place, shown[:-1] + "k")
        elif "$" in shown and not shown.endswith("bn") and place.fact.magnitude:
            yield _one(marked, place, shown + " k")


def metric_replaced(marked: Marked, chosen: random.Random) -> Made:
    """The word for what a figure measures is that of another metric on the sheet."""
    metrics = lexicon().metrics
    used = {fact.metric for fact in marked.sheet.facts}
    about = set(marked.sheet.about)
    for place in marked.figures():
        own = metrics[place.fact.metric]
        said = _words(marked, place, own.words)
        others = [
            metrics[key]
            for key in sorted(used - {own.key})
            if place.fact.kind in metrics[key].kinds
            and metrics[key].words
            and not set(metrics[key].words) & set(own.words)
        ]
        if len(said) == 1 and others and _only_figure(marked, place):
            start, end, _ = said[0]
            other = chosen.choice(others)
            text = marked.with_((start, end, str(other.words[0])))
            yield (
                text,
                any(
                    fact.metric == other.key
                    and set(fact.entity) - about == set(place.fact.entity) - about
                    and reads_as(fact, marked.shown(place))
                    for fact in marked.sheet.facts
                ),
            )


def entity_replaced(marked: Marked, chosen: random.Random) -> Made:
    """A figure's account, security or class is another of the sheet."""
    for place in marked.figures():
        for start, end, key, other in _other_entities(marked, place, chosen):
            entity = tuple(other.key if one == key else one for one in place.fact.entity)
            text = marked.with_((start, end, other.names[0]))
            yield text, borne(marked.sheet, marked.shown(place), place.fact, entity=entity)


def repeated_for_another(marked: Marked, chosen: random.Random) -> Made:
    """A sentence said once more, of another entity."""
    for place in marked.figures():
        if marked.text[place.left : place.right].lstrip()[:1] in "|#-" or not _only_figure(marked, place):
            continue
        for start, end, key, other in _other_entities(marked, place, chosen):
            entity = tuple(other.key if one == key else one for one in place.fact.entity)
            again = " " + (marked.text[place.left : start] + other.names[0] + marked.text[end : place.right]).strip()
            text = marked.with_((place.right, place.right, again))
            yield text, borne(marked.sheet, marked.shown(place), place.fact, entity=entity)


def foreign_symbol(marked: Marked, chosen: random.Random) -> Made:
    """A symbol that is not on the sheet, in place of one that is or beside a figure."""
    for place in marked.places:
        foreign = chosen.choice(("ZQXJ", "XQZ", "QZTX"))
        if place.fact.kind == "symbol":
            yield marked.with_((place.start, place.end, foreign)), False
        elif place.fact.kind in FIGURES:
            yield marked.with_((place.end, place.end, f" of {foreign}")), False


def foreign_name(marked: Marked, chosen: random.Random) -> Made:
    """A person who is not on the sheet."""
    for place in marked.figures():
        name = chosen.choice(("Edward Larkin", "Marguerite Oyelaran", "Tobias Vexley"))
        yield marked.with_((place.end, place.end, f" for {name}")), False


def date_shifted(marked: Marked, chosen: random.Random) -> Made:
    """A day that is another."""
    for place in marked.places:
        if place.fact.kind == "date" and marked.shown(place) == long_date(str(place.fact.value)):
            day = date.fromisoformat(str(place.fact.value)) + timedelta(
                days=chosen.choice((-30, -7, -1, 1, 7, 30, 365))
            )
            yield _one(marked, place, long_date(day))


def dates_swapped(marked: Marked, chosen: random.Random) -> Made:
    """Two days, each in the other's place."""
    days = [place for place in marked.places if place.fact.kind == "date"]
    for i, one in enumerate(days):
        for other in days[i + 1 :]:
            yield _swapped(marked, one, other)


def number_word_changed(marked: Marked, chosen: random.Random) -> Made:
    """A count in words that is another."""
    for place in marked.figures():
        shown = marked.shown(place).lower()
        if shown in _WORDS:
            yield _one(marked, place, chosen.choice([word for word in _WORDS[1:] if word != shown]))


def vague_inserted(marked: Marked, chosen: random.Random) -> Made:
    """A quantity without a figure."""
    said = (
        "nearly double ",
        "several times ",
        "twice ",
        "half of ",
        "most of ",
        "tenfold ",
        "a handful of ",
        "triple ",
    )
    for place in marked.figures():
        yield marked.with_((place.start, place.start, chosen.choice(said))), False


def negated(marked: Marked, chosen: random.Random) -> Made:
    """A sentence that denies what the facts say."""
    ways = lexicon().directions
    for place in marked.figures():
        for way in place.fact.direction:
            said = _words(marked, place, ways[way].words)
            if (
                len(said) == 1
                and said[0][2] not in ("from", "to", "was", "after", "before")
                and said[0][0] < place.start
            ):
                start = said[0][0]
                yield marked.with_((start, start, chosen.choice(("not ", "never ")))), False


def quotation_altered(marked: Marked, chosen: random.Random) -> Made:
    """Somebody's words that are not those on file."""
    for place in marked.places:
        words = marked.shown(place).split(" ")
        if place.fact.kind == "quote" and len(words) > 2:
            i = chosen.randrange(len(words))
            new = chosen.choice(("not", "never", "all", words[i] + "s"))
            if new != words[i]:
                yield marked.with_((place.start, place.end, " ".join([*words[:i], new, *words[i + 1 :]]))), False


def moved_under_another_heading(marked: Marked, chosen: random.Random) -> Made:
    """A sentence whose entity only its heading names, under the heading of another."""
    names = {entity.key: entity.names for entity in marked.sheet.entities}
    headings = [(one.start(), one.end(), one[0]) for one in re.finditer(r"^#{1,3} .*$", marked.text, re.MULTILINE)]
    for place in marked.figures():
        sentence = marked.text[place.left : place.right]
        above = [one for one in headings if one[1] <= place.start]
        if not above or sentence.lstrip()[:1] in "|#" or not _only_figure(marked, place):
            continue
        own = [
            key
            for key in place.fact.entity
            if key not in marked.sheet.about
            and any(name in above[-1][2] for name in names[key])
            and not any(name in sentence for name in names[key])
        ]
        for start, end, heading in headings:
            other = [
                entity.key
                for entity in marked.sheet.entities
                if own and entity.kind == marked.sheet.entity(own[0]).kind and entity.key not in own
                and any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", heading) for name in entity.names)
            ]  # fmt: skip
            if own and len(other) == 1 and start != above[-1][0]:
                entity = tuple(other[0] if key == own[0] else key for key in place.fact.entity)
                moved = "\n\n" + sentence.strip()
                text = marked.with_((place.left, place.right, ""), (end, end, moved))
                yield text, borne(marked.sheet, marked.shown(place), place.fact, entity=entity)


def hidden_character(marked: Marked, chosen: random.Random) -> Made:
    """A character that is not seen, within a figure or name."""
    for place in marked.places:
        if place.end - place.start > 1:
            i = chosen.randrange(place.start + 1, place.end)
            yield marked.with_((i, i, chosen.choice("\u200b\u202e\u2060\ufeff\u00ad\u2066"))), False


def digit_of_another_script(marked: Marked, chosen: random.Random) -> Made:
    """A digit that looks like one and is another character."""
    for place in marked.figures():
        digits = [i for i in range(place.start, place.end) if marked.text[i].isdigit()]
        if digits:
            i = chosen.choice(digits)
            digit = int(marked.text[i])
            looks = [
                chr(0xFF10 + digit),
                chr(0x0660 + digit),
                "O" if digit == 0 else "l" if digit == 1 else chr(0x0966 + digit),
            ]
            yield marked.with_((i, i + 1, chosen.choice(looks))), False


def _words(marked: Marked, place: Place, words: tuple[str, ...]) -> list[tuple[int, int, str]]:
    """Where any of these words stands in a place's sentence, longest words first, outside of other facts."""
    said = "|".join(re.escape(str(word)) for word in sorted(words, key=lambda word: -len(str(word))))
    if not said:
        return []
    found = re.compile(rf"(?<![\w-])(?:{said})(?![\w-])", re.IGNORECASE).finditer(marked.text, place.left, place.right)
    return [
        (one.start(), one.end(), one[0].lower())
        for one in found
        if not any(other.start < one.end() and one.start() < other.end for other in marked.places)
    ]


def _only_figure(marked: Marked, place: Place) -> bool:
    return sum(one.left == place.left for one in marked.figures()) == 1


def _other_entities(marked: Marked, place: Place, chosen: random.Random) -> Iterator[tuple]:
    """Where an entity of a figure is named, once in the only figure's sentence, with another of its kind."""
    if not _only_figure(marked, place):
        return
    for key in place.fact.entity:
        own = marked.sheet.entity(key)
        said = [
            one
            for one in marked.places
            if one.left == place.left and one.fact.kind in ("name", "symbol") and one.fact.entity == (key,)
        ]
        others = [
            one
            for one in marked.sheet.entities
            if one.kind == own.kind and one.key not in place.fact.entity and one.key not in marked.sheet.about
        ]
        if len(said) == 1 and others:
            yield said[0].start, said[0].end, key, chosen.choice(others)


KINDS: dict[str, Callable[[Marked, random.Random], Made]] = {
    make.__name__: make
    for make in (
        digit_changed, magnitude, sign_flipped, side_flipped, swapped_in_sentence, swapped_between_sentences,
        swapped_in_table, per_cent_to_bp, dollars_to_per_cent, thousands, metric_replaced, entity_replaced,
        repeated_for_another, foreign_symbol, foreign_name, date_shifted, dates_swapped, number_word_changed,
        vague_inserted, negated, quotation_altered, moved_under_another_heading, hidden_character,
        digit_of_another_script,
    )
}  # fmt: skip

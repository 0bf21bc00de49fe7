"""Names a text may use: those of a sheet's entities and facts, and words of the field that only look like names."""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources

import yaml

from workbench.drafting.blocks import escaped
from workbench.drafting.facts import FactSheet
from workbench.drafting.lexicon import lexicon
from workbench.drafting.spelling import one_line
from workbench.drafting.verifying.amounts import amounts
from workbench.drafting.verifying.days import days
from workbench.drafting.verifying.reading import read

_TOKEN = re.compile(r"\w+|[^\w\s]")
_LETTERS = re.compile(r"[^\W\d_]+")
#: Kinds of entity whose names are ordinary words, written with or without a capital.
_ORDINARY = {"asset_class", "sector", "region", "sleeve", "period", "benchmark", "firm", "policy"}
#: Symbols that in small letters are words: never read as the symbol there.
_WORDS = frozenset({
    "all", "any", "are", "arm", "ask", "best", "big", "bug", "bull", "call", "car", "care", "cash", "cat", "core",
    "cost", "dare", "dash", "day", "deal", "ear", "east", "eat", "even", "ever", "fan", "far", "fast", "fix",
    "flow", "fun", "gain", "gap", "gold", "good", "hack", "hold", "home", "ice", "iron", "its", "jets", "key",
    "kids", "land", "life", "line", "link", "loan", "low", "main", "man", "mind", "moat", "more", "next", "now",
    "old", "one", "open", "pay", "play", "post", "rare", "real", "run", "safe", "save", "see", "site", "six", "sky",
    "so", "spy", "sun", "tax", "ten", "the", "tip", "too", "true", "two", "usd", "use", "via", "vote", "wood",
    "work", "you",
})  # fmt: skip
#: Small words and quantities that no name may take the place of.
_SMALL = frozenset({
    "a", "all", "an", "and", "any", "are", "at", "be", "both", "but", "by", "double", "each", "every", "few", "for",
    "from", "half", "in", "is", "it", "its", "most", "never", "no", "none", "not", "nothing", "of", "on", "or", "our",
    "several", "the", "to", "twice", "was", "we", "were", "with", "without", "you", "your",
})  # fmt: skip


@dataclass(frozen=True)
class Name:
    """One way something is named: the entities it may mean, the facts it states; a `term` of the field means none."""

    text: str
    exact: bool
    entities: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    looks_like: str = "name"


@dataclass(frozen=True)
class Mention:
    """A name as it stands in what is seen of a text."""

    start: int
    end: int
    name: Name


class Names:
    """Names by their first word, longest first."""

    def __init__(self, names: Iterable[Name]) -> None:
        self._by_first: dict[str, list[tuple[str, Name]]] = {}
        for name in names:
            if first := _TOKEN.match(name.text):
                self._by_first.setdefault(folded(first[0]), []).append((folded(name.text), name))
        for found in self._by_first.values():
            found.sort(key=lambda one: -len(one[0]))

    def mentions(self, seen: str) -> Iterator[Mention]:
        """Return the names that stand in a text, the longest at each place; none overlaps another."""
        small = folded(seen)
        free = 0
        for start, token in tokens(small):
            if start < free or token not in self._by_first:
                continue
            for text, name in self._by_first[token]:
                end = start + len(text)
                if small.startswith(text, start) and _whole(seen, start, end) and _written(name, seen[start:end]):
                    yield Mention(start, end, name)
                    free = end
                    break


def names_of(sheet: FactSheet) -> Names:
    """Return the names of a sheet's entities, of its name, symbol and longer quotation facts, and the field's terms."""
    entities: dict[str, list[str]] = {}
    facts: dict[str, list[str]] = {}
    quotes: dict[str, list[str]] = {}
    loose: dict[str, bool] = {}
    periods: set[str] = set()
    for entity in sheet.entities:
        if entity.kind == "period":
            periods.update(map(shown, entity.names))
        for name in entity.names:
            entities.setdefault(shown(name), []).append(entity.key)
            loose[shown(name)] = entity.kind in _ORDINARY
    for name, key in _without_ending(sheet):
        entities.setdefault(name, []).append(key)
        loose.setdefault(name, False)
    for fact in sheet.facts:
        if fact.kind in ("name", "symbol"):
            facts.setdefault(shown(str(fact.value)), []).append(fact.id)
            if any(sheet.entity(key).kind == "period" for key in fact.entity):
                periods.add(shown(str(fact.value)))
        elif fact.kind == "quote" and len(str(fact.value).split()) >= 3:
            quotes.setdefault(shown(str(fact.value)), []).append(fact.id)
    found = [
        Name(text, not loose.get(text, False), tuple(entities.get(text, ())), tuple(facts.get(text, ())))
        for text in {**entities, **facts}
        if _nameable(text) and (text in periods or only_a_name(text))
    ]
    found += [Name(text, True, (), tuple(ids), "quotation") for text, ids in quotes.items()]
    known = {name.text for name in found}
    return Names([*found, *(term for term in terms() if term.text not in known)])


def _without_ending(sheet: FactSheet) -> Iterator[tuple[str, str]]:
    """The accounts that are told apart without their ending: "traditional IRA" where there is one."""
    found: dict[str, list[str]] = {}
    for entity in sheet.entities:
        if entity.kind == "account" and " ending " in entity.names[0]:
            found.setdefault(shown(entity.names[0].rpartition(" ending ")[0]), []).append(entity.key)
    yield from ((name, keys[0]) for name, keys in found.items() if len(keys) == 1)


def names_among(allowed: Collection[str]) -> Names:
    """Return names that are allowed without a sheet, and the field's terms."""
    return Names([*(Name(shown(text), True) for text in allowed if _nameable(text)), *terms()])


@functools.cache
def terms() -> tuple[Name, ...]:
    """Return the words of the field that only look like names, symbols or figures."""
    file = resources.files("workbench.drafting").joinpath("lexicon", "general.yml")
    listed: Mapping[str, list[str]] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return tuple(Name(text, True, looks_like="term") for text in listed["terms"])


def shown(text: str) -> str:
    """Return a name or quotation as a reader of a draft sees it."""
    return read(escaped(one_line(text), at_start=True)).seen


def folded(seen: str) -> str:
    """Return a text in small letters, letter for letter."""
    small = seen.lower()
    return small if len(small) == len(seen) else "".join(c.lower() if len(c.lower()) == 1 else c for c in seen)


def tokens(text: str) -> list[tuple[int, str]]:
    """Return the words and signs of a text with their places."""
    return [(one.start(), one[0]) for one in _TOKEN.finditer(text)]


def only_a_name(text: str) -> bool:
    """Say whether a name says nothing else: no figure, day, way round or small word as a whole ("March", "sell").

    A text that holds such a name could state anything by it; it is told apart by what it names ("security March").
    """
    if text.isalpha() and text.isupper():  # a symbol
        return True
    if folded(text.strip()) in _otherwise():
        return False
    if text.isdigit():  # a long number is an account's
        return len(text) >= 5
    # Within a sentence: one that opens with "May" is no day.
    seen = f"to {text}"
    stated = [(one.start, one.end) for one in amounts(seen)] + [(one.start, one.end) for one in days(seen)]
    left, read_to = "", 0
    for start, end in sorted(stated):
        left, read_to = left + seen[read_to:start], max(read_to, end)
    words = _LETTERS.findall(folded(left + seen[read_to:]))
    return not stated or any(word not in _otherwise() for word in words)


@functools.cache
def _otherwise() -> frozenset[str]:
    return _SMALL | {folded(word) for way in lexicon().directions.values() for word in way.words}


def _nameable(text: str) -> bool:
    """Whether a name could not be taken for a figure: it has a letter, or is a long number of an account."""
    return any(letter.isalpha() for letter in text) or (text.isdigit() and len(text) >= 5)


def _whole(seen: str, start: int, end: int) -> bool:
    """Whether a name ends and starts at the edge of a word, and no figure goes on there."""
    before, after = seen[start - 1 : start], seen[end : end + 1]
    if before and (before.isalnum() or before in "_$") and seen[start].isalnum():
        return False
    if after == "%" or (after and (after.isalnum() or after == "_") and seen[end - 1].isalnum()):
        return False
    return not (seen[end - 1].isdigit() and re.match(r"[.,]\d", seen[end : end + 2]))


def _written(name: Name, text: str) -> bool:
    """Whether a name is written as it may be: exactly, or with its first or all letters small where it is ordinary."""
    if text == name.text or not name.exact:
        return True
    if name.looks_like == "quotation":
        return text[1:] == name.text[1:]
    if name.looks_like == "term":
        return False
    if name.text[:1].islower():
        return text[1:] == name.text[1:]
    symbol = name.text.isupper() and len(name.text) >= 3 and " " not in name.text
    return symbol and text == name.text.lower() and text not in _WORDS

"""Phrases that people take out of drafts: counted over households, so that no client's words get out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher

#: Words in a phrase, from and to.
SHORTEST, LONGEST = 2, 8
#: A phrase taken out for fewer households is not kept: it may be about a person.
HOUSEHOLDS = 3
#: Words of households' names that are no names.
_COMMON = frozenset({"the", "household", "family", "and", "of", "trust", "estate", "mr", "mrs", "ms", "dr"})
_EDGES = ".,;:!?()[]\"'"


@dataclass(frozen=True)
class Draft:
    """A draft as the machine wrote it and as a person left it, whose it is, and the name that must not get out."""

    household_id: str
    household_name: str
    drafted: str
    edited: str


@dataclass(frozen=True)
class Phrases:
    """Rows of phrase, households it was taken out for, households it was drafted for; and a bound on all looked at."""

    rows: tuple[tuple[str, int, int], ...]
    tested: int


def count_phrases(drafts: Iterable[Draft]) -> Phrases:
    """Count, by household, phrases of two to eight words that a person took out or replaced.

    Case, punctuation at a word's ends and line breaks do not count. A phrase with a word of that household's name, or
    one taken out for fewer than three households, is left out, and so is one that only ever goes with a longer one.
    """
    deleted: dict[tuple[str, ...], set[str]] = defaultdict(set)
    texts: list[tuple[str, tuple[str, ...]]] = []
    for draft in drafts:
        old, names = _words(draft.drafted), set(_words(draft.household_name)) - _COMMON
        texts.append((draft.household_id, old))
        if draft.edited == draft.drafted:
            continue
        for span in _taken_out(old, _words(draft.edited)):
            for phrase in _grams(span):
                if not names & set(phrase):
                    deleted[phrase].add(draft.household_id)
    kept = {phrase: homes for phrase, homes in deleted.items() if len(homes) >= HOUSEHOLDS}
    offered: Counter[tuple[str, ...]] = Counter()
    seen: set[tuple[str, tuple[str, ...]]] = set()
    for household, words in texts:
        for phrase in set(_grams(words)) & kept.keys():
            if (household, phrase) not in seen:
                seen.add((household, phrase))
                offered[phrase] += 1
    rows = [(" ".join(phrase), len(homes), offered[phrase]) for phrase, homes in kept.items() if _whole(phrase, kept)]
    positions = sum(len(words) for _, words in texts) * (LONGEST - SHORTEST + 1)
    return Phrases(tuple(sorted(rows, key=lambda row: (-row[1], row[0]))), max(len(kept), positions // HOUSEHOLDS))


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in (part.strip(_EDGES).casefold() for part in text.split()) if word)


def _taken_out(old: tuple[str, ...], new: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
    for kind, start, end, _, _ in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind in ("delete", "replace"):
            yield old[start:end]


def _grams(words: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
    for length in range(SHORTEST, min(LONGEST, len(words)) + 1):
        for start in range(len(words) - length + 1):
            yield words[start : start + length]


def _whole(phrase: tuple[str, ...], kept: dict[tuple[str, ...], set[str]]) -> bool:
    """Whether no longer phrase around this one was taken out for the very same households."""
    if len(phrase) == LONGEST:
        return True
    text, homes = " " + " ".join(phrase) + " ", kept[phrase]
    return not any(
        len(other) == len(phrase) + 1 and text in " " + " ".join(other) + " " and kept[other] == homes for other in kept
    )

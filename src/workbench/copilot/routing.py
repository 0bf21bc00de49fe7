"""From a question read to the one intent it shows, or to none: what is not wholly understood is not answered."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, replace

from workbench.copilot.intents import CONTEXT, FILLER, INTENTS, Intent
from workbench.copilot.passages import terms
from workbench.copilot.reading import WORD, Reading

#: By how much the best reading must beat the next best of another name.
MARGIN = 1
#: Letters from which a word may be misspelt by one letter, or by two.
ONE_OFF, TWO_OFF = 5, 8
#: Words by which a question is of the whole book, so that asking back for one household would miss it.
_OF_MANY = re.compile(
    r"\b(?:how many|which|any|all|every|each|most|list|top)\b"
    r"(?: \S+){0,3}? (?:clients|households|accounts|families|one)\b"
    r"|\bwho\b"
)


#: Names that a sentence before the question may bring to it.
_CONTEXT_SLOTS = frozenset(
    f"\u00a7{one}" for one in ("household", "account", "security", "key", "model", "registration")
)


@dataclass(frozen=True)
class Route:
    """What a question was taken for. `intent` None: nothing, or too much; `missing` what it fails to name."""

    intent: Intent | None
    missing: str = ""


def route(reading: Reading) -> Route:
    """Return the intent of a question, all of whose words it accounts for."""
    filled = _filled(reading)
    text = corrected(" ".join(reading.words))
    whole: list[tuple[int, Intent]] = []
    lacking: list[tuple[int, Intent, str]] = []
    for intent in INTENTS:
        score = _score(intent, text)
        if score is None or filled - _allowed(intent):
            continue
        missing = next((need for need in intent.needs if not filled & set(need.split("|"))), "")
        if missing:
            lacking.append((score, intent, missing))
        else:
            whole.append((score, intent))
    whole.sort(key=lambda one: -one[0])
    if whole:
        best = whole[0]
        rival = next((score for score, intent in whole[1:] if intent.topic is not best[1].topic), -99)
        return Route(best[1]) if best[0] - rival >= MARGIN else Route(None)
    lacking = [
        one for one in lacking if one[2] in ("household", "household|account", "account", "model|account|household")
    ]
    if lacking and not filled & {"household", "account", "model"} and not _OF_MANY.search(text):
        lacking.sort(key=lambda one: -one[0])
        return Route(lacking[0][1], missing=lacking[0][2])
    return Route(None)


def without_context(reading: Reading) -> Reading | None:
    """Return a question of several sentences with only the names of those before its last; None where one says more.

    "Lilly looks heavy. What percentage of A00088 is it?" asks of Lilly. A word that is not known to state no condition
    keeps the whole as it was; so does cash, where the question may mean it by "it" and names nothing else.
    """
    *before, asked = re.split(r"(?<=[.!;])\s+", reading.text)
    said = " ".join(before).split()
    words = [one for part in said for one in WORD.findall(part)]
    known = CONTEXT | {"cash"} if re.search(r"\u00a7(?:key|security)", asked) else CONTEXT
    if not before or not all(one in known or one in _CONTEXT_SLOTS for one in words):
        return None
    return replace(reading, text=" ".join([*(one for one in words if one in _CONTEXT_SLOTS), asked]))


def _filled(reading: Reading) -> set[str]:
    found = {
        "household": reading.households,
        "account": reading.accounts,
        "security": reading.securities,
        "key": reading.keys,
        "model": reading.models,
        "registration": reading.registrations,
        "shares": reading.shares,
        "money": reading.money,
        "version": reading.versions,
    }
    return {name for name, values in found.items() if values}


def _allowed(intent: Intent) -> set[str]:
    named = {slot for need in intent.needs for slot in need.split("|")}
    # Naming the household beside its account, or the other way round, narrows nothing that is not checked.
    return named | set(intent.takes) | ({"household"} if "account" in named else set())


def _score(intent: Intent, text: str) -> int | None:
    """How well an intent fits: two for each cue, one for each word a cue or its own words explain; None: not at all."""
    if intent.unless_pattern is not None and intent.unless_pattern.search(text):
        return None
    explained: set[int] = set()
    for pattern in intent.patterns:
        found = [one.span() for one in pattern.finditer(text)]
        if not found:
            return None
        for start, end in found:
            explained.update(range(start, end))
    cued = len(explained)
    if intent.also_pattern is not None:
        for one in intent.also_pattern.finditer(text):
            explained.update(range(*one.span()))
    place, own = 0, 0
    for word in text.split():
        start = text.index(word, place)
        place = start + len(word)
        if start in explained:
            own += word not in FILLER
        elif not word.startswith("\u00a7") and word not in FILLER:
            return None
    return 2 * len(intent.patterns) + own + (1 if cued else 0) + intent.bonus


@functools.cache
def vocabulary() -> frozenset[str]:
    """Every word that an intent or the filler knows."""
    found = set(FILLER)
    for intent in INTENTS:
        for pattern in (*intent.cues, intent.also, intent.unless):
            written = pattern.replace("[sz]", "s").replace(" ?-?", "")
            # With and without the letters that may be left out.
            for form in (written.replace("?", ""), re.sub(r"\w\?", "", written)):
                found.update(re.findall(r"[a-z]{2,}", re.sub(r"\\[a-zA-Z]\*?|\(\?:|\(:", " ", form)))
    return frozenset(found)


def corrected(text: str) -> str:
    """Return a text with misspelt words of the vocabulary set right, where only one word is near."""
    return " ".join(_nearest(word) for word in text.split())


@functools.lru_cache(maxsize=4096)
def _nearest(word: str) -> str:
    known = vocabulary() | terms()
    if word in known or not word.isalpha() or len(word) < ONE_OFF or _stem_known(word):
        return word
    within = 2 if len(word) >= TWO_OFF else 1
    near = [
        (distance(word, one), one)
        for one in vocabulary()
        if one[0] == word[0] and abs(len(one) - len(word)) <= within and len(one) >= ONE_OFF
    ]
    near = sorted(one for one in near if one[0] <= within)
    if not near or (len(near) > 1 and near[0][0] == near[1][0]):
        return word
    return near[0][1]


def _stem_known(word: str) -> bool:
    """Whether some cue takes the word as it stands."""
    return any(
        pattern.fullmatch(word) for intent in INTENTS
        for pattern in (*intent.patterns, *([intent.also_pattern] if intent.also_pattern else []))
    )  # fmt: skip


def distance(one: str, other: str) -> int:
    """Return how many letters must be changed, added, left out or swapped to make one word the other."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        above, row = row, [i]
        for j, b in enumerate(other, start=1):
            best = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                best = min(best, before[j - 2] + 1)
            row.append(best)
        before = above
    return row[-1]

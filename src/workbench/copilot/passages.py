"""Approved passages: the house's conventions in words that are quoted as they stand, found by their terms (BM25)."""

from __future__ import annotations

import functools
import re
from importlib import resources

from workbench.copilot.answer import Passage

#: Words of a question about a term that say nothing about which.
_PLAIN = frozenset(
    re.findall(
        r"\S+",
        """
        a an the of in on for to is are was what whats what's how why do does did you we i us our your me my it
        its s again mean means meant meaning define defined definition explain tell about please pls work works
        working calculated calculate computed compute calculation done handled handle measured measure use used
        using which that this and or by with there any can could would exactly stand worked out doe difference
        between vs versus get when who decide decides decided set it's called term remind
        here could be being got gets become becomes count counts treated treat really actually please one give
        as thi tool system workbench sentence plain simple word
        our house firm mine say said makes make made need needs kind sort
        """,
    )
)
_ASKS = re.compile(
    r"\b(?:what(?:'s|s)?|how|define|definition|explain|meaning|why|which|who|when|is there|does|do|can|remind me"
    r"|in (?:one|a|plain|simple) (?:plain |simple )?(?:words?|sentence)|difference)\b"
)
#: Who is in a state now, or has it: a question of the record, not of a term.
_WHO_IS = re.compile(r"\bwho(?:'s|s| is| are| has| have| owes?| needs?)\b")
#: What the best passage must score, and by how much it must lead, to be quoted.
LEAST, LEAD = 0.6, 1.1


@functools.cache
def passages() -> tuple[tuple[Passage, frozenset[str]], ...]:
    """Return every passage with the words it may be asked by: its title and its line `Also:`."""
    found = []
    for file in sorted(resources.files("workbench.copilot").joinpath("passages").iterdir(), key=lambda one: one.name):
        if not file.name.endswith(".md"):
            continue
        title, also, text = file.read_text(encoding="utf-8").split("\n", 2)
        words = frozenset(_words(f"{title} {also}"))
        source = f"copilot/passages/{file.name}"
        found.append((Passage(title.removeprefix("# ").strip(), text.strip(), source), words))
    return tuple(found)


@functools.cache
def terms() -> frozenset[str]:
    """Return every word of every passage: words of the house, which are not misspellings of others."""
    return frozenset(
        word for passage, words in passages() for word in {*words, *re.findall(r"[a-z]+", passage.text.lower())}
    )


def quoted(question: str) -> Passage | None:
    """Return the passage that a question about a term asks for; None where no passage knows all of its words."""
    if not _ASKS.search(question) or _WHO_IS.search(question):
        return None
    asked = [word for word in _words(question) if word not in _PLAIN]
    if not asked:
        return None
    able = [(passage, words) for passage, words in passages() if set(asked) <= words]
    if not able:
        return None
    titled = [passage for passage, _ in able if set(_words(passage.title)) == set(asked)]
    if titled:
        return titled[0]
    scores = _scores(asked)
    ranked = sorted(((scores[passage.title], passage.title, passage) for passage, _ in able), reverse=True)
    if ranked[0][0] < LEAST or (len(ranked) > 1 and ranked[0][0] < LEAD * ranked[1][0]):
        return None
    return ranked[0][2]


def _scores(words: list[str]) -> dict[str, float]:
    """BM25 of each passage for these words; its title and terms count three times."""
    import bm25s  # type: ignore[import-untyped]
    import numpy as np

    index = _index()
    assert isinstance(index, bm25s.BM25)
    known = [word for word in words if word in index.vocab_dict]
    values = index.get_scores(known) if known else np.zeros(len(passages()))
    return {passage.title: float(value) for (passage, _), value in zip(passages(), values)}


@functools.cache
def _index() -> object:
    import bm25s

    corpus = []
    for file in sorted(resources.files("workbench.copilot").joinpath("passages").iterdir(), key=lambda one: one.name):
        if file.name.endswith(".md"):
            title, also, text = file.read_text(encoding="utf-8").split("\n", 2)
            corpus.append(_words(" ".join([title, also] * 3 + [text])))
    index = bm25s.BM25()
    index.index(corpus, show_progress=False)
    return index


def _words(text: str) -> list[str]:
    """Words in small letters, without a plural's s."""
    found = re.findall(r"[a-z][a-z&]*", text.lower().replace("'s", "").replace("-", " "))
    return [word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word for word in found]

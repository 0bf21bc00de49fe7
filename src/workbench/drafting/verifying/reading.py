"""A text as its reader sees it, with the place of every character in the text kept, and the characters that hide.

Typographic forms of one sign read alike, a backslash and marks of bold are not seen, blanks run together. What a
reader cannot see, or would take for another letter or digit, is a fault of its own wherever it stands.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from workbench.names import alphabets, unseen

_BLANKS = frozenset("\n\r\t \u00a0\u2009\u202f")
_TYPOGRAPHIC = {
    "\u2018": "'", "\u2019": "'", "\u02bc": "'", "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u2010": "-",
    "\u2011": "-", "\u2212": "-", "\u2044": "/", "\u2013": "\u2013", "\u2014": "\u2014",
}  # fmt: skip
_PLAIN = re.compile(r"[ -)+-\[\]-~]*")
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Reading:
    """What is seen of `text[start:end]`; `at` is the place of each seen character in the text."""

    seen: str
    at: Sequence[int]

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Return where a stretch of what is seen stands in the text."""
        return self.at[start], self.at[end - 1] + 1


def read(text: str, start: int = 0, end: int | None = None) -> Reading:
    """Return what a reader sees of a stretch of a draft."""
    stop = len(text) if end is None else end
    if _PLAIN.fullmatch(text, start, stop) and "  " not in text[start:stop]:
        return Reading(text[start:stop], range(start, stop))
    seen: list[str] = []
    at: list[int] = []
    i = start
    while i < stop:
        if text[i] == "\\" and i + 1 < stop:
            i += 1
        elif text.startswith("**", i) and i + 1 < stop:
            i += 2
            continue
        for letter in _seen(text[i]):
            if letter != " " or not seen or seen[-1] != " ":
                seen.append(letter)
                at.append(i)
        i += 1
    return Reading("".join(seen), at)


def faults(seen: str) -> list[tuple[int, int, str]]:
    """Return (start, end, reason) of characters that hide or pass for others: unseen ones, digits, mixed alphabets."""
    if seen.isascii():
        return []
    found = []
    for i, letter in enumerate(seen):
        if unseen(letter):
            found.append((i, i + 1, f"the character U+{ord(letter):04X} cannot be seen; type the words anew"))
        elif not letter.isascii() and letter.isnumeric() and letter not in "\u00bc\u00bd\u00be\u2153\u2154":
            found.append((i, i + 1, f"{letter!a} is a digit of another form; write figures with 0 to 9"))
    for word in _WORD.finditer(seen):
        if not word[0].isascii() and len(found_in := alphabets(word[0])) > 1:
            mixed = " and ".join(sorted(found_in)).title()
            found.append((word.start(), word.end(), f"{word[0]!a} mixes letters of {mixed} that look alike"))
    return found


@functools.lru_cache(maxsize=4096)
def _seen(letter: str) -> str:
    if letter in _BLANKS:
        return " "
    if letter.isascii():
        return letter
    if letter in _TYPOGRAPHIC:
        return _TYPOGRAPHIC[letter]
    if letter.isnumeric():
        return letter
    return unicodedata.normalize("NFKC", letter)

"""Text as its letters and digits alone, with the way back: what a name reads as, however it is written.

Case, accents, look-alike letters of other alphabets, spaces, hyphens, line ends and what cannot be seen are gone; each
letter that is left knows its place in the text.
"""

from __future__ import annotations

import functools
import unicodedata
from dataclasses import dataclass

#: Cyrillic and Greek letters that look like Latin ones, in small letters.
_ALIKE = str.maketrans("авекмнорстухіѕјԁԛѡһαβεζηικμνορτυχ", "abekmhopctyxisjdqwhabezhikmvoptux")


@dataclass(frozen=True)
class Folded:
    """`letters` of a text; `places[i]` is where letter i stands in it, as start and end; `begins` and `ends` say
    whether a word begins or ends with it.
    """

    letters: str
    places: tuple[tuple[int, int], ...]
    begins: tuple[bool, ...]
    ends: tuple[bool, ...]


def folded(text: str) -> Folded:
    """Return a text's letters and digits with their places."""
    letters: list[str] = []
    places: list[tuple[int, int]] = []
    begins: list[bool] = []
    after_gap = True
    for place, character in enumerate(text):
        plain = _plain(character)
        if plain is None:  # a mark on the letter before, or nothing to be seen
            if places:
                places[-1] = (places[-1][0], place + 1)
            continue
        if not plain:
            after_gap = True
        for letter in plain:
            letters.append(letter)
            places.append((place, place + 1))
            begins.append(after_gap)
            after_gap = False
    ends = [*begins[1:], True] if begins else []
    return Folded("".join(letters), tuple(places), tuple(begins), tuple(ends))


@functools.lru_cache(maxsize=65_536)
def _plain(character: str) -> str | None:
    """A character's letters: "" for what stands between words, None for what adds nothing to be read."""
    if unicodedata.category(character) in {"Cf", "Mn", "Me", "Cc"} and character not in "\n\r\t\v\f":
        return None
    decomposed = unicodedata.normalize("NFKD", character).casefold().translate(_ALIKE)
    return "".join(letter for letter in decomposed if letter.isalnum())

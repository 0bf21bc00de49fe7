"""People's names: which could be read as somebody else's, and when two are one."""

from __future__ import annotations

import unicodedata

#: Alphabets whose letters pass for each other's on a screen: a name is written in one of them.
_ALIKE = {"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC"}

#: Letters and marks that leave a blank or nothing at all (Unicode's default ignorable ones that count as printable).
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0") | frozenset(
    map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
)


def misread(name: str) -> str | None:
    """Say why a name could be read as another's: empty, with invisible characters, or of two alphabets; None if not.

    A Cyrillic letter in a Latin name looks like the same name and is another one.
    """
    if not name.strip():
        return "nobody is named; give the name as the firm writes it"
    if any(map(unseen, name)):
        return f"the name {name!a} holds a character that cannot be seen; type the name anew"
    mixed = alphabets(unicodedata.normalize("NFKC", name))
    if len(mixed) > 1:
        return (
            f"the name {name!a} mixes letters of {' and '.join(sorted(mixed)).title()} that look alike; write it "
            "in one alphabet"
        )
    return None


def unseen(letter: str) -> bool:
    """Whether a character leaves nothing, or a blank, to be seen."""
    return not letter.isprintable() or letter in _UNSEEN


def alphabets(word: str) -> set[str]:
    """Return the alphabets of a word's letters, of those whose letters pass for each other's."""
    return {unicodedata.name(letter, "?").split()[0] for letter in word} & _ALIKE


def same_person(one: str, other: str) -> bool:
    """Whether two names are one but for case, spaces and full stops, and forms of the same letter (Unicode NFKC)."""
    return _folded(one) == _folded(other)


def _folded(name: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFKC", name).casefold() if letter not in " .\t\n\xa0")

"""Masking: what names a client is replaced by tokens before a text leaves the firm, and put back when it returns.

    mask = Mask(Known(identifiers), key, salt)
    sent = mask.masked("Call Jane Kowalczyk about A-00012")    # Call [[PERSON_4F1C2A9D07]] about [[ACCOUNT_9B20C4E811]]
    mask.unmasked(sent) == text                                 # always, to the letter

Two nets: every identifier of the firm's own book in the ways people write it, longest first, and shapes that are
personal wherever they stand (tax numbers, cards, telephones, addresses). A token is a keyed hash of what it stands
for with the request's own salt: one name has one token within a request and another one in the next. The map never
leaves the object.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass

from workbench.drafting.model.folding import Folded, folded
from workbench.drafting.model.shapes import shapes
from workbench.errors import ParameterError

#: What a token looks like; a text that holds one of its own has it masked like a name.
TOKEN = re.compile(r"\[\[[A-Z]+_[0-9A-F]{10}(?:_[0-9]+)?\]\]")
#: Bytes that a key must have, and that a salt must have.
_LEAST_KEY, _LEAST_SALT = 16, 8
#: Words in a name that name nobody.
_COMMON = frozenset(
    (
        *("the", "household", "family", "trust", "trusts", "estate", "and", "of", "for", "a", "an", "account", "ira"),
        *("mr", "mrs", "ms", "dr", "miss", "sir", "jr", "sr", "ii", "iii", "iv", "living", "revocable", "irrevocable"),
        *("foundation", "joint", "accounts", "roth", "llc", "inc", "lp"),
    )
)
#: Letters that a single word of a name must have to be looked for by itself, and digits of an identifier.
_LEAST_WORD, _LEAST_ID = 3, 4


@dataclass(frozen=True)
class Identifier:
    """What tells who is meant in a firm's book: `kind` in capitals (PERSON, ACCOUNT, MAIL ...) and its text."""

    kind: str
    text: str


class Known:
    """The identifiers of a book in every way they are written, made once for many requests.

    Raises `ParameterError` for an identifier without letters or digits.
    """

    def __init__(self, identifiers: Iterable[Identifier]) -> None:
        self._meant: dict[str, Identifier] = {}
        for one in identifiers:
            written = variants(one)
            if not written:
                raise ParameterError(f"an identifier of kind {one.kind} has no letter or digit to look for", one.kind)
            for variant in written:
                self._meant.setdefault(variant, one)
        # An account's number tells whose it is wherever it stands; a name only as a word.
        self._inside = frozenset(one for one in self._meant if len(one) > _LEAST_ID and any(map(str.isdigit, one)))
        self._lengths = sorted({len(one) for one in self._meant}, reverse=True)
        self._lengths_inside = sorted({len(one) for one in self._inside}, reverse=True)

    def found(self, text: Folded) -> list[tuple[int, int, str, str]]:
        """Return each identifier of a text as (start, end, kind, what is meant): the longest at each beginning."""
        found, place = [], 0
        while place < len(text.letters):
            end = self._end(text, place)
            if end is None:
                place += 1
                continue
            one = self._meant[text.letters[place:end]]
            found.append((text.places[place][0], text.places[end - 1][1], one.kind, one.text))
            place = end
        return found

    def _end(self, text: Folded, place: int) -> int | None:
        if text.begins[place]:
            for length in self._lengths:
                end = place + length
                if end <= len(text.letters) and text.ends[end - 1] and text.letters[place:end] in self._meant:
                    return end
        for length in self._lengths_inside:
            if text.letters[place : place + length] in self._inside:
                return place + length
        return None


class Mask:
    """The masking of one request: what is known, the firm's key, this request's salt, and the map back.

    Raises `ParameterError` for a key under 16 bytes or a salt under 8.
    """

    def __init__(self, known: Known, key: bytes, salt: bytes) -> None:
        if len(key) < _LEAST_KEY or len(salt) < _LEAST_SALT:
            raise ParameterError(f"masking needs a key of {_LEAST_KEY} bytes and a salt of {_LEAST_SALT}", "key")
        self._known, self._key, self._salt = known, key, salt
        self._surfaces: dict[str, str] = {}

    def masked(self, text: str) -> str:
        """Return a text with a token for each identifier and each personal shape in it."""
        parts, read = [], 0
        for start, end, kind, identity in self._found(text):
            parts += [text[read:start], self._token(kind, identity, text[start:end])]
            read = end
        return "".join([*parts, text[read:]])

    def unmasked(self, text: str) -> str:
        """Return a text with each token of this mask replaced by the very letters it stood for; others stay."""
        return TOKEN.sub(lambda found: self._surfaces.get(found[0], found[0]), text)

    def _found(self, text: str) -> list[tuple[int, int, str, str]]:
        """Stretches to mask as (start, end, kind, what is meant), none overlapping, in order of the text."""
        found = [(one.start(), one.end(), "TEXT", one[0]) for one in TOKEN.finditer(text)]
        found += self._known.found(folded(text))
        found += shapes(text)
        found.sort(key=lambda one: (one[0], -one[1]))
        joined: list[tuple[int, int, str, str]] = []
        for start, end, kind, meant in found:
            if joined and start < joined[-1][1]:
                first = joined[-1]
                if end > first[1]:
                    joined[-1] = (first[0], end, first[2], folded(text[first[0] : end]).letters)
                continue
            joined.append((start, end, kind, meant))
        return joined

    def _token(self, kind: str, meant: str, surface: str) -> str:
        """The token of what is meant; other spellings of it have a number behind, so that each comes back as it was."""
        digest = hmac.new(self._key, self._salt + meant.encode("utf-8", "surrogatepass"), hashlib.sha256)
        stem = f"[[{kind}_{digest.hexdigest()[:10].upper()}"
        count = 1
        while True:
            token = f"{stem}]]" if count == 1 else f"{stem}_{count}]]"
            if self._surfaces.setdefault(token, surface) == surface:
                return token
            count += 1


def variants(identifier: Identifier) -> tuple[str, ...]:
    """Return the ways an identifier is written, as letters and digits without case, marks and what stands between.

    A name also stands reversed, with initials, and by each of its telling words, in the plural too ("the Langfords").
    """
    whole = folded(identifier.text).letters
    if identifier.kind != "PERSON":
        return (whole,) if whole else ()
    words = [word for word in (folded(part).letters for part in re.split(r"[\s,./()&-]+", identifier.text)) if word]
    telling = [word for word in words if word not in _COMMON]
    found = {whole, "".join(telling)}
    if len(telling) > 1:
        first, last = telling[0], telling[-1]
        initials = "".join(word[0] for word in telling[:-1])
        found |= {first + last, last + first, first[0] + last, last + first[0], initials + last, last + initials}
        found.add("".join([last, *telling[:-1]]))
    for word in telling:
        if len(word) >= _LEAST_WORD:
            found |= {word, word + "s", word + "es"}
    return tuple(sorted(one for one in found if len(one) > 1))

"""Identifiers left in texts after masking: `python -m benchmarks.drafting_masking [--texts 10000] [--json]`.

Made-up books of 200 identifiers are written into prose in the ways people write them and break them: case, accents
taken apart, letters of other alphabets, nothing-to-be-seen in between, line ends, reversed names, initials, plurals. A
checker that shares no code with the masking looks for what is left; every text must come back to the letter.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import time
import unicodedata
from collections.abc import Callable

from workbench.drafting.model.masking import TOKEN, Identifier, Known, Mask

_FIRST = ("Jane", "Miguel", "Aiko", "Zoë", "François", "Margaret", "Oluwaseun", "Björn", "Priya", "Mary-Ann")
_LAST = ("Kowalczyk", "Langford", "Núñez", "Whitcombe", "Ångström", "Okonkwo", "Lindqvist", "Fitzgerald", "Abernathy",
         "Szczepański", "Montgomery", "Papadopoulos", "Vandermeer", "Castellanos", "Hightower")  # fmt: skip
_PROSE = ("please call", "about the withdrawal", "asked whether", "the trust of", "wants to move", "before April",
          "and keep $25,000 in cash;", "(see the file)", "said 3.5% is enough", "re:", "- urgent -")  # fmt: skip
_ALIKE = {"a": "а", "e": "е", "o": "о", "p": "р", "c": "с", "x": "х", "i": "і"}


def book(chance: random.Random) -> list[Identifier]:
    """Return 200 identifiers of every kind."""
    found = []
    for number in range(40):
        first, last = chance.choice(_FIRST), f"{chance.choice(_LAST)}{chance.choice(('', 'son', 'er', 'ska'))}"
        found += [
            Identifier("PERSON", f"{first} {last}"),
            Identifier("ACCOUNT", f"A{chance.randrange(10**5):05d}-{number:03d}"),
            Identifier("HOUSEHOLD", f"H{chance.randrange(10**5):05d}{number:02d}"),
            Identifier("MAIL", f"{first}.{last}{number}@example.org".replace(" ", "")),
            Identifier(
                "PHONE", f"({chance.randrange(201, 990)}) {chance.randrange(200, 999)}-{chance.randrange(10**4):04d}"
            ),
        ]
    return found


def written(one: Identifier, chance: random.Random) -> str:
    """Return an identifier in one of the ways that people write it."""
    text = one.text
    if one.kind == "PERSON":
        first, last = text.split(" ", 1)
        text = chance.choice(
            (text, f"{last}, {first}", f"{first[0]}. {last}", f"the {last}s", f"{last}'s", last, f"{last} {first}")
        )
    changes: tuple[Callable[[str], str], ...] = (
        str, str.upper, str.lower, str.title,
        lambda t: unicodedata.normalize("NFD", t),
        lambda t: _sprinkled(t, chance, "\u200b"), lambda t: _sprinkled(t, chance, "\u00ad"),
        lambda t: t.replace(" ", chance.choice(("\n", "  ", "\u00a0", "-", "_"))),
        lambda t: "".join(_ALIKE.get(c, c) if chance.random() < 0.3 else c for c in t) if one.kind == "PERSON" else t,
        lambda t: t.replace("-", chance.choice((" ", "", "\u2011", "."))) if one.kind in ("ACCOUNT", "PHONE") else t,
    )  # fmt: skip
    return chance.choice(changes)(text)


def left(text: str, one: Identifier, surface: str) -> bool:
    """Say whether an identifier can still be read in a masked text: as it was written, or by its telling part."""
    rest = TOKEN.sub("\n\n", text)
    if surface in rest:
        return True
    back = str.maketrans({alike: letter for letter, alike in _ALIKE.items()})
    plain = unicodedata.normalize("NFKD", rest).lower().translate(back)
    plain = re.sub(r"[^a-z0-9]", "", plain)
    telling = one.text.split(" ", 1)[1] if one.kind == "PERSON" else one.text
    core = re.sub(r"[^a-z0-9]", "", unicodedata.normalize("NFKD", telling).lower())
    return core in plain


def _sprinkled(text: str, chance: random.Random, sign: str) -> str:
    return "".join(letter + (sign if chance.random() < 0.3 else "") for letter in text)


def measure(texts: int, seed: int = 7) -> dict[str, float]:
    """Return how many identifiers were left, how many texts did not come back, and milliseconds a text."""
    chance = random.Random(seed)
    leaks = broken = placed = 0
    spent = 0.0
    for number in range(texts):
        if number % 500 == 0:
            known = book(chance)
            prepared = Known(known)
        if number % 50 == 0:
            mask = Mask(prepared, b"sixteen bytes of a key", number.to_bytes(8, "big"))
        chosen = [(one, written(one, chance)) for one in chance.sample(known, chance.randint(1, 6))]
        text = " ".join(
            f"{chance.choice(_PROSE)} {surface}{chance.choice(('', ',', '.', ';', ')'))}" for _, surface in chosen
        )
        began = time.perf_counter()
        sent = mask.masked(text)
        spent += time.perf_counter() - began
        placed += len(chosen)
        leaks += sum(left(sent, one, surface) for one, surface in chosen)
        broken += mask.unmasked(sent) != text
    return {"identifiers_leaked": leaks, "identifiers_placed": placed, "texts_not_restored": broken, "texts": texts,
            "mask_ms": round(spent / texts * 1000, 3)}  # fmt: skip


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = measure(given.texts)
    print(json.dumps(found) if given.json else "\n".join(f"{name:24} {value:>12,}" for name, value in found.items()))


if __name__ == "__main__":
    main()

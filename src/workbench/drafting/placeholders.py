"""Skeletons: texts whose figures, days, symbols and names are placeholders, `{f:trade.1.amount|short}`.

Templates and language models alike write skeletons only; `fill` is the one place where a value enters a text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from workbench.drafting.blocks import escaped
from workbench.drafting.facts import FactSheet
from workbench.drafting.spelling import spelled

PLACEHOLDER = re.compile(r"\{f:([^{}|]*)(?:\|([^{}|]*))?\}")


@dataclass(frozen=True)
class Filled:
    """A text made of a skeleton: `places` are (start, end, fact id) of what was put in."""

    text: str
    places: tuple[tuple[int, int, str], ...]


def fill(skeleton: str, sheet: FactSheet) -> Filled:
    """Put the facts of a sheet in place of a skeleton's placeholders.

    Raises `FactError` for a fact that is not on the sheet or a format its kind does not have. A value that looks like
    a placeholder or a mark of the text's form stays plain text.
    """
    parts: list[str] = []
    places: list[tuple[int, int, str]] = []
    length = read = 0
    for found in PLACEHOLDER.finditer(skeleton):
        before = skeleton[read : found.start()]
        read = found.end()
        length += len(before)
        line = skeleton[skeleton.rfind("\n", 0, found.start()) + 1 : found.start()]
        shown = escaped(spelled(sheet.fact(found[1]), found[2] or ""), at_start=not line.strip())
        parts += [before, shown]
        places.append((length, length + len(shown), found[1]))
        length += len(shown)
    parts.append(skeleton[read:])
    return Filled("".join(parts), tuple(places))


def mentioned(skeleton: str) -> tuple[str, ...]:
    """Return the identifiers of the facts that a skeleton mentions, each once, in reading order."""
    return tuple(dict.fromkeys(found[1] for found in PLACEHOLDER.finditer(skeleton)))


def prose(skeleton: str) -> str:
    """Return a skeleton's own words: each placeholder replaced by a neutral sign."""
    return PLACEHOLDER.sub("\N{OBJECT REPLACEMENT CHARACTER}", skeleton)

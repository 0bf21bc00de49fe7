"""What can be asked: the intents of `intents.yml`, each with the words that show it, what it must name and what it may.

A question is taken for an intent only where every one of its words is accounted for: by a cue, a name, or a word that
changes nothing. A word that is left over ("after inflation", "in 2019") may be a condition, and nothing is answered.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module, resources

import yaml

from workbench.copilot.topics.asked import Topic


@dataclass(frozen=True)
class Intent:
    """`cues` must all be found (regular expressions over small letters and slots); `also` are further words it knows.

    `needs` are slots of which each must be filled ("household|account" means either), `takes` further ones it may have.
    Where `unless` is found, the question means something else.
    """

    name: str
    topic: Topic
    cues: tuple[str, ...]
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    also: str = ""
    unless: str = ""
    bonus: int = 0

    @cached_property
    def patterns(self) -> tuple[re.Pattern[str], ...]:
        """The cues, compiled."""
        return tuple(_whole_words(cue) for cue in self.cues)

    @cached_property
    def also_pattern(self) -> re.Pattern[str] | None:
        """Further words it explains, compiled."""
        return _whole_words(self.also) if self.also else None

    @cached_property
    def unless_pattern(self) -> re.Pattern[str] | None:
        """Words that make the question another one, compiled."""
        return _whole_words(self.unless) if self.unless else None


def _whole_words(choice: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\S)(?:{choice})(?!\S)")


def _read() -> tuple[tuple[Intent, ...], frozenset[str], frozenset[str]]:
    read = yaml.safe_load(resources.files("workbench.copilot").joinpath("intents.yml").read_text(encoding="utf-8"))
    lists = read["words"]
    intents = []
    for row in read["intents"]:
        module, _, function = row["answer"].partition(".")
        intents.append(
            Intent(
                name=row["name"],
                topic=getattr(import_module(f"workbench.copilot.topics.{module}"), function),
                cues=tuple(_choice(cue, lists) for cue in row["cues"]),
                needs=tuple(row.get("needs", ())),
                takes=tuple(row.get("takes", ())),
                also=_choice(row.get("also", ()), lists),
                unless=_choice(row.get("unless", ()), lists),
                bonus=row.get("bonus", 0),
            )
        )
    filler = frozenset(read["filler"])
    return tuple(intents), filler, filler | frozenset(read["context"])


def _choice(words: Sequence[str], lists: Mapping[str, Sequence[str]]) -> str:
    """Any of these words; "$name" stands for the list of that name. Raises `KeyError` for a list that is not there."""
    found = [one for word in words for one in (lists[word[1:]] if word.startswith("$") else [word])]
    # Phrases before their first words: "last time" is one thing, not "last" with a word left over.
    return "|".join(sorted(dict.fromkeys(found), key=lambda one: -one.count(" ")))


#: The intents, the words that change nothing about what is asked, and those that a sentence of context may have.
INTENTS, FILLER, CONTEXT = _read()

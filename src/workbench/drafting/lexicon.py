"""The words a draft may use for what a figure measures and which way round it is; one YAML file a subject.

    metrics:
      tax_change: {kinds: [money], words: [tax, tax bill]}
    directions:
      sell: {against: buy, words: [sell, sells, sold, selling, sale, sales]}

A metric's words are those that must stand by its figure; a direction's are those that say it, `against` names its
opposite. One file of each subject in the folder `lexicon/`; together they are one lexicon.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

import yaml

from workbench.errors import FactError


@dataclass(frozen=True)
class Metric:
    """What a figure measures: the kinds of value it can have and the words that name it in a text."""

    key: str
    kinds: tuple[str, ...]
    words: tuple[str, ...]


@dataclass(frozen=True)
class Direction:
    """One of two ways round: the words that say it, and the opposite one's key."""

    key: str
    against: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Lexicon:
    """Every metric and direction, by key."""

    metrics: Mapping[str, Metric]
    directions: Mapping[str, Direction]

    def check(self, metric: str, kind: str, directions: tuple[str, ...], id: str) -> None:
        """Raise `FactError` where a fact's metric or a direction is not declared, or the metric has other kinds."""
        if metric not in self.metrics:
            raise FactError(f"fact {id!r} measures {metric!r}, which no file of drafting/lexicon declares", id)
        if kind not in self.metrics[metric].kinds:
            kinds = ", ".join(self.metrics[metric].kinds)
            raise FactError(f"fact {id!r} is of kind {kind}; {metric} is measured in {kinds}", id)
        if unknown := [one for one in directions if one not in self.directions]:
            raise FactError(
                f"fact {id!r} has the direction {unknown[0]!r}, which no file of drafting/lexicon declares", id
            )


@functools.cache
def lexicon() -> Lexicon:
    """Return the lexicon of all subjects. Raises `FactError` for a key declared twice or without its opposite."""
    metrics: dict[str, Metric] = {}
    directions: dict[str, Direction] = {}
    for file in sorted(resources.files("workbench.drafting").joinpath("lexicon").iterdir(), key=lambda one: one.name):
        if not file.name.endswith(".yml"):
            continue
        read = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
        for key, row in (read.get("metrics") or {}).items():
            if key in metrics:
                raise FactError(f"metric {key!r} is declared twice, the second time in {file.name}", key)
            metrics[key] = Metric(key, tuple(row["kinds"]), tuple(map(str, row["words"])))
        for key, row in (read.get("directions") or {}).items():
            if key in directions:
                raise FactError(f"direction {key!r} is declared twice, the second time in {file.name}", key)
            directions[key] = Direction(key, row["against"], tuple(map(str, row["words"])))
    for direction in directions.values():
        if direction.against not in directions or directions[direction.against].against != direction.key:
            raise FactError(
                f"direction {direction.key!r} and {direction.against!r} are not each other's opposites", direction.key
            )
    return Lexicon(metrics, directions)

"""Facts and entities gathered one by one, each with its source, until they are a sheet."""

from __future__ import annotations

from dataclasses import dataclass, field

from workbench.drafting.facts import Entity, EntityKind, Fact, FactSheet, Kind, Source
from workbench.drafting.spelling import one_line


@dataclass
class Collection:
    """Facts of one snapshot that one `function` made; names of entities are kept apart as they come.

    `add` refuses nothing: a sheet checks itself when it is made.
    """

    snapshot: str
    function: str
    entities: dict[str, Entity] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)
    _taken: set[str] = field(default_factory=set)

    def name(self, key: str, kind: EntityKind, *names: str) -> str:
        """Declare an entity by its names, those left out that another entity has; return its key."""
        if key not in self.entities:
            free = [one for one in dict.fromkeys(one_line(name) for name in names) if one and one not in self._taken]
            self._taken.update(free)
            self.entities[key] = Entity(key, kind, tuple(free or [key]))
        return key

    def add(
        self,
        id: str,
        kind: Kind,
        value: float | int | str,
        metric: str,
        tables: tuple[str, ...],
        cell: str,
        *,
        of: tuple[str, ...] = (),
        way: tuple[str, ...] = (),
        rounding: int | None = None,
        function: str = "",
    ) -> None:
        """Add one fact; `cell` names its row and column in `tables`."""
        source = Source(function or self.function, tables, cell, self.snapshot)
        self.facts.append(Fact(id, kind, value, metric, of, source, way, rounding=rounding))

    def sheet(self, kind: str, key: str, as_of: str, about: tuple[str, ...]) -> FactSheet:
        """Return all of it as a sheet. Raises `FactError` where a fact cannot be told rightly."""
        return FactSheet(kind, key, as_of, self.snapshot, about, tuple(self.entities.values()), tuple(self.facts))

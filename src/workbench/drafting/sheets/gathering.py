"""Gathering the facts of a sheet: each value with its metric, entities and direction, and the cell it was read from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import SupportsFloat

from workbench.drafting.facts import Entity, EntityKind, Fact, FactSheet, Kind, Source
from workbench.drafting.spelling import one_line
from workbench.drafting.verifying.naming import only_a_name
from workbench.errors import FactError


@dataclass(frozen=True)
class Reading:
    """What a run of facts was computed by: a function and the tables that it read."""

    function: str
    tables: tuple[str, ...]


class Gathering:
    """Facts and entities of one draft as they are gathered; `sheet` seals them."""

    def __init__(self, kind: str, key: str, as_of: str, snapshot: str) -> None:
        self.kind, self.key, self.as_of, self.snapshot = kind, key, as_of, snapshot
        self._entities: dict[str, Entity] = {}
        self._facts: dict[str, Fact] = {}

    def entity(self, key: str, kind: EntityKind, *names: str) -> str:
        """Declare an entity once and return its key; a name that another has is told apart by the entity's own key."""
        if key not in self._entities:
            taken = {name.casefold() for entity in self._entities.values() for name in entity.names}
            own = key.partition(":")[2]
            noun = kind.replace("_", " ")
            # The name of a period is a day or span, and means it.
            lines = [one_line(name) if kind == "period" else worded(name, noun) for name in names if name.strip()]
            told = tuple(f"{name} ({own})" if name.casefold() in taken else name for name in lines)
            self._entities[key] = Entity(key, kind, tuple(dict.fromkeys(told)) or (f"{noun} {own}",))
        return key

    def declared(self, key: str) -> bool:
        """Say whether an entity is declared already."""
        return key in self._entities

    def named(self, id: str, entity: str, reading: Reading, cell: str, kind: Kind = "name") -> None:
        """Add the name (or symbol) of an entity as a fact, for a template to mention."""
        self.fact(id, kind, self._entities[entity].names[0], "named", reading, cell, of=(entity,))

    def fact(
        self,
        id: str,
        kind: Kind,
        value: SupportsFloat | str,
        metric: str,
        reading: Reading,
        cell: str,
        *,
        of: Sequence[str] = (),
        way: Sequence[str] = (),
        unit: str = "",
        decimals: int | None = None,
    ) -> None:
        """Add a fact: `of` are its entities, `way` its directions, `decimals` those shown.

        Raises `FactError` where another fact has its identifier.
        """
        plain: float | int | str = (
            value if isinstance(value, str) else int(float(value)) if kind == "count" else float(value)
        )
        source = Source(reading.function, reading.tables, cell, self.snapshot)
        fact = Fact(id, kind, plain, metric, tuple(of), source, tuple(way), unit, decimals)
        if self._facts.setdefault(id, fact) != fact:
            raise FactError(f"fact {id!r} is gathered twice; give each an identifier of its own", id)

    def sheet(self, about: Sequence[str]) -> FactSheet:
        """Return the sheet. Raises `FactError` as `FactSheet` does."""
        return FactSheet(
            self.kind, self.key, self.as_of, self.snapshot, tuple(about), tuple(self._entities.values()),
            tuple(self._facts.values()),
        )  # fmt: skip


def worded(text: object, noun: str) -> str:
    """Return what a firm calls something in one line, after a noun where it would read as a figure, day or deed."""
    line = one_line(str(text))
    return line if any(map(str.isalpha, line)) and only_a_name(line) else f"{noun} {line}"


def either(value: SupportsFloat, positive: str, negative: str) -> tuple[str, ...]:
    """Return the direction of a signed value: none for zero."""
    number = float(value)
    return (positive,) if number > 0 else (negative,) if number < 0 else ()

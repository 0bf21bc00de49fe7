"""Facts gathered for one answer, and the names that they are of."""

from __future__ import annotations

import math
from collections.abc import Iterable

from workbench.copilot.record import Record
from workbench.drafting import Entity, Fact, FactSheet, Source
from workbench.drafting.facts import EntityKind, Kind


class Gathered:
    """A sheet in the making. Entities are declared when a fact is of them; `about` are those meant throughout."""

    def __init__(self, record: Record, route: str) -> None:
        self.record = record
        self.route = route
        self._about: list[str] = []
        self._entities: dict[str, Entity] = {}
        self._facts: list[Fact] = []
        self._source = record.source("firm.open_at", "the snapshot", "snapshot")

    def read(self, function: str, cell: str, *tables: str) -> None:
        """Name where the facts that follow were read."""
        self._source = self.record.source(function, cell, *tables)

    def entity(self, kind: EntityKind, id: str, *names: str) -> str:
        """Declare an entity once and return its key."""
        key = f"{kind}:{id}"
        self._entities.setdefault(key, Entity(key, kind, tuple(dict.fromkeys((*names, id) if names else (id,)))))
        return key

    def household(self, id: str) -> str:
        """Declare a household by name and identifier."""
        name = str(self.record.households.loc[id, "name"])
        return self.entity("household", id, name, name.removeprefix("The "))

    def account(self, id: str) -> str:
        """Declare an account."""
        return self.entity("account", id)

    def security(self, id: str) -> str:
        """Declare a security by ticker and name."""
        name = str(self.record.securities.loc[id, "name"])
        return self.entity("security", id, id, name)

    def key(self, level: str, key: str) -> str:
        """Declare an asset class, sector, region, sleeve or security, and return its key."""
        if level == "security":
            return self.security(key)
        if level == "sleeve":
            return self.entity("sleeve", key, self.sleeve_name(key))
        return self.entity(level, key)  # type: ignore[arg-type]

    def model(self, id: str) -> str:
        """Declare a model by name and identifier."""
        table = self.record.models
        name = str(table.loc[table["model_id"] == id, "name"].iloc[-1])
        return self.entity("model", id, f"{name} model", id)

    def sleeve_name(self, id: str) -> str:
        """Return what a sleeve is called."""
        return str(self.record.sleeves.loc[id, "name"])

    def about(self, *keys: str) -> None:
        """Name the entities that are meant where a sentence names none."""
        self._about.extend(key for key in keys if key not in self._about)

    def fact(
        self,
        id: str,
        kind: Kind,
        value: float | int | str,
        metric: str,
        of: Iterable[str] = (),
        direction: Iterable[str] = (),
        rounding: int | None = None,
        source: Source | None = None,
    ) -> None:
        """Add a fact from the place last read. Raises `FactError` at the end where it is not one."""
        if isinstance(value, float) and math.isnan(value):
            return
        plain = value if isinstance(value, str) else int(value) if kind == "count" else float(value)
        self._facts.append(
            Fact(id, kind, plain, metric, tuple(of), source or self._source, tuple(direction), rounding=rounding)
        )

    def name(self, id: str, key: str) -> None:
        """Add the name a text calls an entity by."""
        kind: Kind = "symbol" if key.startswith("security:") else "name"
        self._facts.append(Fact(id, kind, self._entities[key].names[0], "named", (key,), self._source))

    def day(self, metric: str = "as_of") -> None:
        """Add the day that the record speaks of."""
        self.fact(
            "as_of",
            "date",
            self.record.day,
            metric,
            source=self.record.source("firm.open_at", "as-of date", "snapshot"),
        )

    def done(self) -> FactSheet:
        """Return the sheet."""
        record = self.record
        return FactSheet(
            f"answer_{self.route}",
            self._about[0] if self._about else "firm",
            record.day,
            record.firm.content_hash,
            tuple(self._about),
            tuple(self._entities.values()),
            tuple(self._facts),
        )


def way(value: float, positive: str, negative: str) -> tuple[str, ...]:
    """Return the direction of a signed value; none for nothing."""
    return (positive,) if value > 0 else (negative,) if value < 0 else ()


def slug(text: str) -> str:
    """Return a part of a fact's identifier: small letters, digits and underscores."""
    return "".join(c if c.isalnum() and c.isascii() else "_" for c in text.lower())

"""Facts gathered for one answer, and the names that they are of."""

from __future__ import annotations

import math
from collections.abc import Iterable

from workbench.copilot.record import Record
from workbench.drafting import FactSheet
from workbench.drafting.facts import EntityKind, Kind
from workbench.drafting.sheets.gathering import Gathering, Reading


class Gathered:
    """The sheet of an answer in the making: facts come from the place last read; `about` are those meant throughout."""

    def __init__(self, record: Record, route: str) -> None:
        self.record = record
        self._facts = Gathering(f"answer_{route}", "firm", record.day, record.firm.content_hash)
        self._about: list[str] = []
        self.read("firm.open_at", "the snapshot", "snapshot")

    def read(self, function: str, cell: str, *tables: str) -> None:
        """Name where the facts that follow were read."""
        self._reading, self._cell = Reading(function, tables), cell

    def entity(self, kind: EntityKind, id: str, *names: str) -> str:
        """Declare an entity once, by these names and its identifier, and return its key."""
        return self._facts.entity(f"{kind}:{id}", kind, *names, id)

    def household(self, id: str) -> str:
        """Declare a household by name and identifier."""
        name = str(self.record.households.loc[id, "name"])
        return self.entity("household", id, name, name.removeprefix("The "))

    def account(self, id: str) -> str:
        """Declare an account."""
        return self.entity("account", id)

    def security(self, id: str) -> str:
        """Declare a security by ticker and name."""
        return self._facts.entity(f"security:{id}", "security", id, str(self.record.securities.loc[id, "name"]))

    def key(self, level: str, key: str) -> str:
        """Declare an asset class, sector, region, sleeve or security, and return its key."""
        if level == "security":
            return self.security(key)
        if level == "sleeve":
            return self.entity("sleeve", key, str(self.record.sleeves.loc[key, "name"]))
        return self.entity(level, key)  # type: ignore[arg-type]

    def model(self, id: str) -> str:
        """Declare a model by name and identifier."""
        table = self.record.models
        name = str(table.loc[table["model_id"] == id, "name"].iloc[-1])
        return self.entity("model", id, f"{name} model")

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
        way: Iterable[str] = (),
        decimals: int | None = None,
    ) -> None:
        """Add a fact from the place last read; a figure that is missing is left out, and a template asks for it."""
        if isinstance(value, float) and math.isnan(value):
            return
        self._facts.fact(
            id, kind, value, metric, self._reading, self._cell, of=tuple(of), way=tuple(way), decimals=decimals
        )

    def name(self, id: str, key: str) -> None:
        """Add the name a text calls an entity by."""
        kind: Kind = "symbol" if key.startswith("security:") else "name"
        self._facts.named(id, key, self._reading, self._cell, kind)

    def day(self, metric: str = "as_of") -> None:
        """Add the day that the record speaks of."""
        self._facts.fact("as_of", "date", self.record.day, metric, Reading("firm.open_at", ("snapshot",)), "as-of date")

    def done(self) -> FactSheet:
        """Return the sheet. Raises `FactError` where a fact is not one."""
        self._facts.key = self._about[0] if self._about else "firm"
        return self._facts.sheet(self._about)


def slug(text: str) -> str:
    """Return a part of a fact's identifier: small letters, digits and underscores."""
    return "".join(c if c.isalnum() and c.isascii() else "_" for c in text.lower())

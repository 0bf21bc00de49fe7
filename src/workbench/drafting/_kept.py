"""Fact sheets read back from the canonical JSON that they were kept as."""

from __future__ import annotations

import json
from typing import Any

from workbench.drafting.facts import Entity, Fact, FactSheet, Source
from workbench.errors import FactError, ParameterError


def read_sheet(document: bytes) -> FactSheet:
    """Return the sheet of a kept document. Raises `FactError` for one that is not a sheet of this version."""
    try:
        kept = json.loads(document)
        if kept.pop("version") != 1:
            raise FactError("the kept fact sheet is of another version of the workbench; draft the text anew")
        sheet = FactSheet(
            **{name: kept[name] for name in ("kind", "key", "as_of", "snapshot")},
            about=tuple(kept["about"]),
            entities=tuple(Entity(row["key"], row["kind"], tuple(row["names"])) for row in kept["entities"]),
            facts=tuple(_fact(row) for row in kept["facts"]),
        )
        # What has no canonical form could not be kept again, nor told apart by its hash.
        assert sheet.hash
        return sheet
    except (ParameterError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise FactError(f"the document is no fact sheet ({error!r}); draft the text anew") from error


def _fact(row: dict[str, Any]) -> Fact:
    source = row.pop("source")
    where = Source(source["function"], tuple(source["tables"]), source["cell"], source["snapshot"])
    return Fact(**{**row, "entity": tuple(row["entity"]), "direction": tuple(row["direction"])}, source=where)

"""How far a signal may go now: the strictest of its book of record, its accounts' and its models' rollout modes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, ColumnElement, Connection, and_, cast, exists, false, func, or_, select

from workbench.governance.states import STRICTNESS, Mode
from workbench.governance.tables import rollout, signal


@dataclass(frozen=True)
class EffectiveMode:
    """The mode that holds and what set it: `kind` is record (the book of record), model or account."""

    mode: Mode
    kind: str
    key: str
    reason: str = ""
    set_by: str | None = None


def effective_modes(connection: Connection, rows: Iterable[Mapping[Any, Any]]) -> dict[str, EffectiveMode]:
    """Return the mode of each signal row (its `signal_id`, `mode`, `models` and `accounts`), in one query for all."""
    rows = list(rows)
    keys = {
        (kind, str(key))
        for row in rows
        for kind, column in (("model", "models"), ("account", "accounts"))
        for key in json.loads(row[column])
    }
    found = _rollouts(connection, sorted(key for _, key in keys))
    return {str(row["signal_id"]): _strictest(row, found) for row in rows}


def mode_is(connection: Connection, mode: Mode) -> ColumnElement[bool]:
    """Return the condition that a signal's effective mode is `mode`, for a query on `signal`."""
    place = STRICTNESS.index(mode)
    freer = STRICTNESS[place + 1 :]
    return and_(mode_at_least(connection, mode), *([~mode_at_least(connection, freer[0])] if freer else []))


def mode_at_least(connection: Connection, mode: Mode) -> ColumnElement[bool]:
    """Return the condition that a signal's effective mode goes as far as `mode` or further."""
    place = STRICTNESS.index(mode)
    own = signal.c.mode.in_([one.value for one in STRICTNESS[place:]])
    return and_(own, ~_restrained(connection, STRICTNESS[:place]))


def holds(connection: Connection, column: ColumnElement[str], key: str) -> ColumnElement[bool]:
    """Return the condition that a JSON list in a text column names `key`."""
    item = _items(connection, column)
    return exists(select(1).select_from(item).where(item.c.value == key))


def _restrained(connection: Connection, modes: Sequence[Mode]) -> ColumnElement[bool]:
    """Whether a rollout of one of the signal's models or accounts says one of these modes.

    Asked of the rows only for the kinds that have such a rollout at all. Households share few sets of models, so that
    these are looked through once, not in every row; sets of accounts are as many as households.
    """
    said = rollout.c.mode.in_([mode.value for mode in modes])
    kinds = set(connection.execute(select(rollout.c.kind).where(said).distinct()).scalars())
    parts: list[ColumnElement[bool]] = []
    if "model" in kinds:
        sets = select(signal.c.models).distinct().subquery()
        item = _items(connection, sets.c.models)
        named = and_(rollout.c.kind == "model", rollout.c.key == item.c.value)
        held = exists(select(1).select_from(item.join(rollout, named)).where(said))
        parts.append(signal.c.models.in_(connection.execute(select(sets.c.models).where(held)).scalars().all()))
    if "account" in kinds:
        item = _items(connection, signal.c.accounts)
        named = and_(rollout.c.kind == "account", rollout.c.key == item.c.value)
        parts.append(exists(select(1).select_from(item.join(rollout, named)).where(said)))
    return or_(*parts) if parts else false()


def _items(connection: Connection, column: ColumnElement[str]) -> Any:
    """The items of a JSON list as rows of one column `value`, on both databases."""
    if connection.dialect.name == "postgresql":
        return func.json_array_elements_text(cast(column, JSON)).table_valued("value").render_derived().alias()
    return func.json_each(column).table_valued("value").alias()


def _rollouts(connection: Connection, keys: Sequence[str]) -> dict[tuple[str, str], EffectiveMode]:
    if not keys:
        return {}
    columns = (rollout.c.kind, rollout.c.key, rollout.c.mode, rollout.c.reason, rollout.c.set_by)
    rows = connection.execute(select(*columns).where(rollout.c.key.in_(keys)))
    return {
        (row.kind, row.key): EffectiveMode(Mode(row.mode), row.kind, row.key, row.reason, row.set_by) for row in rows
    }


def _strictest(row: Mapping[Any, Any], found: Mapping[tuple[str, str], EffectiveMode]) -> EffectiveMode:
    named = [EffectiveMode(Mode(row["mode"]), "record", "")]
    named += [found[kind, key] for kind, key in _named(row) if (kind, key) in found]
    return min(named, key=lambda one: STRICTNESS.index(one.mode))


def _named(row: Mapping[Any, Any]) -> list[tuple[str, str]]:
    return [("account", str(key)) for key in json.loads(row["accounts"])] + [
        ("model", str(key)) for key in json.loads(row["models"])
    ]

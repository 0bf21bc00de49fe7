"""A fact sheet: the only input of a draft. Frozen, typed, hashed; whoever writes sees this and nothing else.

A fact is one figure, day, symbol, name or quotation with all that is needed to say whether a sentence states it
rightly: what kind of value it is, what it measures (`metric`), of what (`entity`), which way round (`direction`), and
the row or cell it was read from.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date
from functools import cached_property
from typing import Literal, get_args

from workbench.canonical import canonical
from workbench.drafting.lexicon import Lexicon, lexicon
from workbench.errors import FactError
from workbench.report.format import visible

#: Fractions for percent and bps (0.031 is 3.1 %), dollars for money, ISO text for date, text for the last three.
Kind = Literal["percent", "bps", "money", "shares", "count", "number", "date", "symbol", "name", "quote"]
KINDS: tuple[Kind, ...] = (
    "percent", "bps", "money", "shares", "count", "number", "date", "symbol", "name", "quote",
)  # fmt: skip
#: What each kind's value is counted in, where a fact does not say (a number's points or years).
UNITS: dict[Kind, str] = {
    "percent": "fraction", "bps": "fraction", "money": "USD", "shares": "shares", "count": "things", "number": "",
    "date": "day", "symbol": "", "name": "", "quote": "",
}  # fmt: skip
#: Decimals shown where a fact does not say: of per cent, of basis points, of dollars, of shares.
DECIMALS: dict[Kind, int] = {"percent": 1, "bps": 0, "money": 0, "shares": 4, "number": 2}
TEXTUAL: frozenset[Kind] = frozenset({"date", "symbol", "name", "quote"})

EntityKind = Literal[
    "firm", "household", "account", "security", "sleeve", "asset_class", "sector", "region", "model", "advisor",
    "custodian", "benchmark", "person", "policy", "restriction", "period",
]  # fmt: skip

_ID = re.compile(r"[a-z0-9_]+(?:[.-][a-z0-9_]+)*")


@dataclass(frozen=True)
class Source:
    """Where a value was read or computed: the function, the tables it read, the row or cell, the snapshot's hash."""

    function: str
    tables: tuple[str, ...]
    cell: str
    snapshot: str

    def line(self) -> str:
        """Return the source as an endnote says it."""
        return f"{self.function} of {', '.join(self.tables)}, {self.cell}; book of record {self.snapshot[:8]}"


@dataclass(frozen=True)
class Entity:
    """Something a figure can be of: its key ("account:A-1"), its kind, and every way it is named in a text.

    The first of `names` is the one a draft uses. Two entities of a sheet may not share a name.
    """

    key: str
    kind: EntityKind
    names: tuple[str, ...]


@dataclass(frozen=True)
class Fact:
    """One typed value with its source.

    `entity` holds the keys of all entities it is of (an account and a security for a trade), `direction` the words
    of the lexicon that say which way round ("sell", "over", "loss"; several for a short-term loss). `value` is as
    computed; what a text shows is its magnitude, with the way round in words, or signed on request. `rounding` is
    the decimals shown.
    """

    id: str
    kind: Kind
    value: float | int | str
    metric: str
    entity: tuple[str, ...]
    source: Source
    direction: tuple[str, ...] = ()
    unit: str = ""
    rounding: int | None = None

    @property
    def decimals(self) -> int:
        """Decimals shown, in the unit that is shown."""
        return DECIMALS.get(self.kind, 0) if self.rounding is None else self.rounding

    @property
    def magnitude(self) -> float:
        """The value without its sign; raises `FactError` for text."""
        if isinstance(self.value, str):
            raise FactError(f"fact {self.id!r} is text and has no magnitude", self.id)
        return abs(float(self.value))


@dataclass(frozen=True)
class FactSheet:
    """All that one draft may say. `about` are the entities meant where a sentence names none ("your accounts").

    Raises `FactError` for an identifier that is not one or stands twice, a value that is not finite or of another
    kind than it says, an entity, metric or direction that is not declared, and a fact without a source.
    """

    kind: str
    key: str
    as_of: str
    snapshot: str
    about: tuple[str, ...]
    entities: tuple[Entity, ...]
    facts: tuple[Fact, ...]

    def __post_init__(self) -> None:
        _check_entities(self)
        words = lexicon()
        seen = set()
        for fact in self.facts:
            if fact.id in seen:
                raise FactError(
                    f"fact {fact.id!r} stands twice on one sheet; give each an identifier of its own", fact.id
                )
            seen.add(fact.id)
            _check(fact, self._by_key.keys(), words)

    def fact(self, id: str) -> Fact:
        """Return the fact of this identifier; raises `FactError` naming the nearest ones where there is none."""
        try:
            return self._by_id[id]
        except KeyError:
            stem = id.rpartition(".")[0]
            near = [name for name in self._by_id if stem and name.startswith(stem)][:5]
            hint = f"; there are {', '.join(near)}" if near else ""
            raise FactError(f"there is no fact {id!r} on the sheet of {self.kind} {self.key}{hint}", id) from None

    def has(self, *ids: str) -> bool:
        """Say whether all these facts are on the sheet."""
        return all(id in self._by_id for id in ids)

    def groups(self, prefix: str) -> tuple[str, ...]:
        """Return the prefixes one level below `prefix`, in the order of the sheet: trade.1, trade.2 of `trade`."""
        start = prefix + "."
        found = (start + id[len(start) :].split(".")[0] for id in self._by_id if id.startswith(start))
        return tuple(dict.fromkeys(found))

    def entity(self, key: str) -> Entity:
        """Return an entity; raises `FactError` where the sheet does not declare it."""
        if key not in self._by_key:
            raise FactError(f"there is no entity {key!r} on the sheet of {self.kind} {self.key}", key)
        return self._by_key[key]

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the sheet's canonical JSON."""
        return hashlib.sha256(self.document()).hexdigest()

    def document(self) -> bytes:
        """Return the sheet as canonical JSON, to be kept; `FactSheet.read` gives it back."""
        # As `asdict` would have it, which copies each of some thousand values.
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        plain["entities"] = [vars(entity) for entity in self.entities]
        plain["facts"] = [{**vars(fact), "source": vars(fact.source)} for fact in self.facts]
        return canonical({"version": 1, **plain})

    @classmethod
    def read(cls, document: bytes) -> FactSheet:
        """Read a kept sheet. Raises `FactError` for one that is not a sheet."""
        from workbench.drafting._kept import read_sheet

        return read_sheet(document)

    @cached_property
    def _by_id(self) -> dict[str, Fact]:
        return {fact.id: fact for fact in self.facts}

    @cached_property
    def _by_key(self) -> dict[str, Entity]:
        return {entity.key: entity for entity in self.entities}


def _check_entities(sheet: FactSheet) -> None:
    keys = [entity.key for entity in sheet.entities]
    if len(set(keys)) < len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        raise FactError(f"entity {twice!r} stands twice on the sheet of {sheet.kind} {sheet.key}", twice)
    if unknown := [key for key in sheet.about if key not in set(keys)]:
        raise FactError(
            f"the sheet of {sheet.kind} {sheet.key} is about {unknown[0]!r}, which it does not declare", unknown[0]
        )
    for entity in sheet.entities:
        if entity.kind not in get_args(EntityKind):
            raise FactError(f"entity {entity.key!r} is of the unknown kind {entity.kind!r}", entity.key)
        if not entity.names or not all(name.strip() for name in entity.names):
            raise FactError(
                f"entity {entity.key!r} has no name; a text could not say what its figures are of", entity.key
            )


def _check(fact: Fact, entities: Iterable[str], words: Lexicon) -> None:
    def wrong(why: str) -> FactError:
        return FactError(f"fact {fact.id!r} {why}", fact.id)

    if not _ID.fullmatch(fact.id):
        raise wrong("has an identifier that is not lower-case words with dots between them")
    if fact.kind not in KINDS:
        raise wrong(f"is of the unknown kind {fact.kind!r}; take one of {', '.join(KINDS)}")
    source = fact.source
    if not (source.function and source.tables and source.cell and source.snapshot):
        raise wrong("has no source; name the function, tables, row or cell and snapshot it comes from")
    if missing := [key for key in fact.entity if key not in entities]:
        raise wrong(f"is of {missing[0]!r}, which its sheet does not declare")
    words.check(fact.metric, fact.kind, fact.direction, fact.id)
    _check_value(fact, wrong)


def _check_value(fact: Fact, wrong: object) -> None:
    assert callable(wrong)
    value = fact.value
    if fact.kind in TEXTUAL:
        if not isinstance(value, str) or not value.strip():
            raise wrong("has no text; leave it out")
        if fact.kind == "date":
            try:
                date.fromisoformat(value)
            except ValueError:
                raise wrong(f"is the day {value!r}, which is not an ISO date") from None
        if fact.kind == "symbol" and (visible(value) != value or len(value.split()) != 1):
            raise wrong(f"is the symbol {visible(value)!r}, which is not one word of visible characters")
    elif isinstance(value, bool) or not isinstance(value, float | int) or not math.isfinite(value):
        raise wrong(f"has the value {value!r}, which is not a finite number; leave it out and say what is missing")
    elif fact.kind == "count" and (value != int(value) or value < 0):
        raise wrong(f"counts {value!r}, which is not a whole number of things")

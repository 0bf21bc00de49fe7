"""Where the figures of an exhibit come from: the snapshot, its day, and what in it is simulated."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from workbench.firm import Firm
from workbench.report import Column, Fact, Missing, Settings
from workbench.report.exhibit import Cell

#: Simulated securities named in a settings line; more are counted.
_NAMED = 4
#: Column kinds whose cells are figures, each of them a fact.
_FIGURES = {"number", "percent", "pp", "bp", "usd", "count"}
#: The columns whose values become parts of fact identifiers and anchors.
_KEYS = {
    "accounts": ("account_id",),
    "securities": ("security_id", "sector", "asset_class", "region"),
    "models": ("model_id",),
    "sleeves": ("sleeve_id",),
}
#: Slugs longer than this are cut and told apart by their hash.
_LONGEST_SLUG = 60
#: What a source says where every table was read.
ALL_TABLES = ("all tables",)


@dataclass(frozen=True)
class Origin:
    """The book of record behind a chapter; every settings line and every fact is made here, so that none lacks it.

    `as_of` is an ISO date, `snapshot` the first digits of the content hash, `simulated` names the securities whose
    price path is simulated ("" where none is). `ambiguous` holds the firm's keys whose slug another key of the same
    column has too, such as the accounts `A 1` and `A-1`.
    """

    as_of: str
    snapshot: str
    simulated: str
    ambiguous: frozenset[str] = frozenset()

    @classmethod
    def of(cls, firm: Firm) -> Origin:
        """Describe a firm."""
        securities = firm.table("securities", ["security_id", "simulated"])
        names = sorted(securities.loc[securities["simulated"], "security_id"])
        columns = [firm.table(table, [column])[column] for table, names in _KEYS.items() for column in names]
        ambiguous = frozenset[str]().union(*map(_same_slug, columns))
        return cls(str(firm.as_of.date()), firm.content_hash[:8], _prices_of(names), ambiguous)

    def settings(self, basis: str, tables: Sequence[str], *, simulated: bool = True) -> Settings:
        """The line under an exhibit; `simulated=False` where no price enters the exhibit."""
        source = f"book of record {self.snapshot}, {_tables(tables)}"
        return Settings(self.as_of, basis, source, self.simulated if simulated else "")

    def fact(
        self,
        id: str,
        value: object,
        unit: str,
        function: str,
        tables: Sequence[str],
        *,
        digits: int | None = None,
        text: str | None = None,
    ) -> Fact:
        """A figure with its source: the function that computed it, the tables it read and the snapshot."""
        source = f"{function} of {', '.join(tables)}; book of record {self.snapshot}"
        return Fact.of(id, value, unit, source=source, as_of=self.as_of, digits=digits, text=text)

    def slug(self, key: object) -> str:
        """A key as part of an identifier: lower case, anything but letters and digits as one dash.

        A key whose slug would be another's, or too long, ends in digits of its hash.
        """
        plain = _slug(key)
        if str(key) not in self.ambiguous and len(plain) <= _LONGEST_SLUG:
            return plain
        return f"{plain[:_LONGEST_SLUG].rstrip('-')}-{hashlib.sha256(str(key).encode()).hexdigest()[:8]}"

    def table(
        self,
        prefix: str,
        frame: pd.DataFrame,
        columns: Sequence[Column],
        function: str,
        tables: Sequence[str],
        *,
        keys: Iterable[object] | None = None,
        missing: Mapping[str, str] | None = None,
    ) -> tuple[tuple[tuple[Cell, ...], ...], tuple[Fact, ...]]:
        """The rows of a table and a fact for each of its figures.

        The figure of row `AAPL` in column `weight` is the fact `prefix.aapl.weight`; rows are named by `keys`, or by
        the first column. `missing` says why a figure of a column is not there.
        """
        rows: list[tuple[Cell, ...]] = []
        facts: list[Fact] = []
        names = [column.name for column in columns]
        why = missing or {}
        for key, values in zip(
            frame[names[0]] if keys is None else keys,
            frame[names].itertuples(index=False, name=None),
            strict=True,
        ):
            cells = [shown(value, why.get(name, UNKNOWN)) for name, value in zip(names, values, strict=True)]
            rows.append(tuple(cells))
            for column, cell in zip(columns, cells, strict=True):
                if column.kind in _FIGURES and not isinstance(cell, Missing):
                    id = f"{prefix}.{self.slug(key)}.{column.name}"
                    facts.append(self.fact(id, cell, column.kind, function, tables, digits=column.digits))
        return tuple(rows), tuple(facts)


#: Why a figure is missing where nothing more is known.
UNKNOWN = "not known"


def shown(value: object, missing: str = UNKNOWN) -> Cell:
    """A value as a table's cell; whatever is missing or infinite says so, and lists become text."""
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(map(str, value)) or Missing("none")
    if value is None or value is pd.NaT or value is pd.NA or value != value:
        return Missing(missing)
    if isinstance(value, float) and math.isinf(value):
        return Missing("without limit")
    return value  # type: ignore[return-value]


def _slug(key: object) -> str:
    return re.sub(r"[^a-z0-9]+", "-", str(key).lower()).strip("-") or "none"


def _same_slug(values: pd.Series) -> frozenset[str]:
    """The values of a column that share their slug with another value."""
    unique = values.dropna().astype(str).drop_duplicates()
    return frozenset(unique[unique.map(_slug).duplicated(keep=False)])


def _tables(names: Sequence[str]) -> str:
    if tuple(names) == ALL_TABLES:
        return ALL_TABLES[0]
    return f"{'table' if len(names) == 1 else 'tables'} {', '.join(names)}"


def _prices_of(names: Sequence[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"prices of {', '.join(names[:_NAMED])}{more}"

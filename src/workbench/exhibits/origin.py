"""Where the figures of an exhibit come from: the snapshot, its day, and what in it is simulated."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from workbench.firm import Firm
from workbench.report import Column, Fact, Missing, Settings
from workbench.report.exhibit import Cell

#: Simulated securities named in a settings line; more are counted.
_NAMED = 4
#: Column kinds whose cells are figures, each of them a fact.
_FIGURES = {"number", "percent", "pp", "bp", "usd", "count"}


@dataclass(frozen=True)
class Origin:
    """The book of record behind a chapter; every settings line and every fact is made here, so that none lacks it.

    `as_of` is an ISO date, `snapshot` the first digits of the content hash, `simulated` names the securities whose
    price path is simulated ("" where none is).
    """

    as_of: str
    snapshot: str
    simulated: str

    @classmethod
    def of(cls, firm: Firm) -> Origin:
        """Describe a firm."""
        securities = firm.table("securities", ["security_id", "simulated"])
        names = sorted(securities.loc[securities["simulated"], "security_id"])
        return cls(str(firm.as_of.date()), firm.content_hash[:8], _prices_of(names))

    def settings(self, basis: str, tables: Sequence[str], *, simulated: bool = True) -> Settings:
        """The line under an exhibit; `simulated=False` where no price enters the exhibit."""
        source = f"book of record {self.snapshot}, tables {', '.join(tables)}"
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

    def table(
        self, prefix: str, frame: pd.DataFrame, columns: Sequence[Column], function: str, tables: Sequence[str]
    ) -> tuple[tuple[tuple[Cell, ...], ...], tuple[Fact, ...]]:
        """The rows of a table and a fact for each of its figures.

        The first column is the key: the figure of row `AAPL` in column `weight` is the fact `prefix.aapl.weight`.
        """
        rows: list[tuple[Cell, ...]] = []
        facts: list[Fact] = []
        names = [column.name for column in columns]
        for values in frame[names].itertuples(index=False, name=None):
            key = slug(values[0])
            rows.append(tuple(shown(value) for value in values))
            for column, value in zip(columns[1:], values[1:], strict=True):
                if column.kind in _FIGURES and not isinstance(shown(value), Missing):
                    id = f"{prefix}.{key}.{column.name}"
                    facts.append(self.fact(id, value, column.kind, function, tables, digits=column.digits))
        return tuple(rows), tuple(facts)


def slug(key: object) -> str:
    """A key as part of an identifier: lower case, anything but letters and digits as one dash.

    Two keys may make one slug; facts of one id that differ are refused when the run's facts are merged.
    """
    return re.sub(r"[^a-z0-9]+", "-", str(key).lower()).strip("-") or "none"


def shown(value: object) -> Cell:
    """A value as a table's cell; whatever is missing says so."""
    if value is None or value is pd.NaT or value is pd.NA or value != value:
        return Missing("not known")
    return value  # type: ignore[return-value]


def _prices_of(names: Sequence[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"prices of {', '.join(names[:_NAMED])}{more}"

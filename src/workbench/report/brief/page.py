"""What stands on a brief: words, figures as text, one chart of deviations, one table and four short lists."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby

from workbench.report.exhibit import ExhibitError

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*", re.ASCII)


@dataclass(frozen=True)
class Figure:
    """One key figure under the title: what it is, the figure, and a note below it."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Deviation:
    """One row of the chart: how far something stood from its target, and how far it will; all are fractions.

    `lower` and `upper` are the edges of its band, None where there is none. Raises `ExhibitError` for a figure that is
    not finite.
    """

    label: str
    before: float
    after: float
    target: float
    lower: float | None = None
    upper: float | None = None

    def __post_init__(self) -> None:
        given = (self.before, self.after, self.target, self.lower, self.upper)
        if not all(value is None or math.isfinite(value) for value in given):
            raise ExhibitError(f"the weights of {self.label!r} are not all finite; a chart cannot place them")


@dataclass(frozen=True)
class BriefRow:
    """A row of the main table: the group it stands under, its cells ("": nothing to say), its place by importance from
    0 on, and the same in few words for where a page has no room for the row.
    """

    group: str
    cells: tuple[str, ...]
    place: int
    short: str

    @property
    def spans(self) -> tuple[tuple[str, int, int], ...]:
        """The cells with their column and width: empty ones side by side are one, for each box takes time to set."""
        found: list[tuple[str, int, int]] = []
        for column, cell in enumerate(self.cells):
            if not cell and found and not found[-1][0]:
                found[-1] = ("", found[-1][1], found[-1][2] + 1)
            else:
                found.append((cell, column, 1))
        return tuple(found)


@dataclass(frozen=True)
class BriefTable:
    """The main table: `columns` are heading and whether its cells are figures; the last column is running text.

    `rows` stand in the order they are read, group after group, and `notes` says of each group what its heading does.
    A page shows the `shown` most important rows in full, of the others `told` in few words, and counts the rest;
    `alike` is the noun of one row, such as "trade". Raises `ExhibitError` for a row of another
    number of cells, places that are not 0, 1, 2 ... and a group without a note or in two parts.
    """

    columns: tuple[tuple[str, bool], ...]
    rows: tuple[BriefRow, ...]
    notes: Mapping[str, str]
    alike: str
    empty: str = ""
    note: str = ""
    shown: int | None = None
    told: int = 0

    def __post_init__(self) -> None:
        if any(len(row.cells) != len(self.columns) for row in self.rows):
            raise ExhibitError(f"a row of the table of {self.alike}s does not have {len(self.columns)} cells")
        if sorted(row.place for row in self.rows) != list(range(len(self.rows))):
            raise ExhibitError(f"the places of the {self.alike}s are not 0 to {len(self.rows) - 1}, each once")
        groups = [group for group, _ in groupby(self.rows, _group)]
        if len(groups) > len(set(groups)) or not self.notes.keys() >= set(groups):
            raise ExhibitError(f"a group of the {self.alike}s stands in two parts or has no note: {', '.join(groups)}")

    @property
    def visible(self) -> tuple[BriefRow, ...]:
        """The rows that stand on the page in full."""
        return tuple(row for row in self.rows if self.shown is None or row.place < self.shown)

    @property
    def blocks(self) -> tuple[tuple[str, str, tuple[BriefRow, ...]], ...]:
        """The same, group by group: heading, note and rows."""
        return tuple((group, self.notes[group], tuple(rows)) for group, rows in groupby(self.visible, _group))

    @property
    def also(self) -> str:
        """The rows that stand on the page in few words only, group by group."""
        shown = len(self.visible)
        rows = [row for row in self.rows if shown <= row.place < shown + self.told]
        return "; ".join(f"{group} {', '.join(row.short for row in found)}" for group, found in groupby(rows, _group))

    @property
    def cut(self) -> int:
        """How many rows do not stand on the page at all."""
        return len(self.rows) - len(self.visible) - self.told


@dataclass(frozen=True)
class Item:
    """A line of a list: its subject in bold, what is said of it, and words of a third party, set as a quotation."""

    lead: str
    text: str
    quote: str = ""


@dataclass(frozen=True)
class Section:
    """A list under a heading, most important first; `empty` stands in its place where it has no items."""

    title: str
    items: tuple[Item, ...]
    empty: str
    shown: int | None = None

    @property
    def visible(self) -> tuple[Item, ...]:
        """The items that stand on the page."""
        return self.items if self.shown is None else self.items[: self.shown]

    @property
    def cut(self) -> int:
        """How many items do not."""
        return len(self.items) - len(self.visible)


@dataclass(frozen=True)
class RankedBrief:
    """A brief's line on the index page of its batch: its place (None: not ranked) and figures as text."""

    rank: int | None
    cells: tuple[str, ...]


def _group(row: BriefRow) -> str:
    return row.group


@dataclass(frozen=True)
class BriefView:
    """One page about one client, complete; `fitted` cuts its lists to the room of a page.

    `key` names its files; `state` says what the page is ("Proposal, not released"), `as_of` is an ISO date. `beside`
    is the section beside the chart, `below` the two under the table. `source` names tables and hashes.
    Raises `ExhibitError` for a key that cannot name a file.
    """

    key: str
    title: str
    state: str
    as_of: str
    subtitle: str
    about: str
    figures: tuple[Figure, ...]
    chart_title: str
    deviations: tuple[Deviation, ...]
    chart_note: str
    beside: Section
    table_title: str
    table: BriefTable
    below: tuple[Section, Section]
    source: str
    line: RankedBrief
    deviations_shown: int | None = None

    def __post_init__(self) -> None:
        if not _KEY.fullmatch(self.key) or self.key.lower() == "index":
            raise ExhibitError(f"brief key {self.key!r} cannot name a file: letters, digits, '_' and '-' only")

    @property
    def charted(self) -> tuple[Deviation, ...]:
        """The deviations that stand on the page."""
        return self.deviations if self.deviations_shown is None else self.deviations[: self.deviations_shown]

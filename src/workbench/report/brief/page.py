"""What stands on a brief: words, figures as text, one chart of deviations, one table and four short lists."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

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
class BriefTable:
    """The main table: `columns` are heading and whether its cells are figures; the last column is running text.

    `alike` is the noun of a row, for what is cut: "and 7 more trades, in the package".
    """

    columns: tuple[tuple[str, bool], ...]
    rows: tuple[tuple[str, ...], ...]
    alike: str
    empty: str = ""
    shown: int | None = None

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ExhibitError(f"a row of the table of {self.alike} does not have {len(self.columns)} cells")

    @property
    def visible(self) -> tuple[tuple[str, ...], ...]:
        """The rows that stand on the page."""
        return self.rows if self.shown is None else self.rows[: self.shown]

    @property
    def cut(self) -> int:
        """How many rows do not."""
        return len(self.rows) - len(self.visible)


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

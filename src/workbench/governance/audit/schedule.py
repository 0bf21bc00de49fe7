"""The firm's schedule of retention: which kind of document is kept for how long, as data with its sources."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from workbench.errors import ParameterError

_DAY = re.compile(r"\d\d-\d\d")
_MOST_YEARS = 100


@dataclass(frozen=True)
class Keeping:
    """One class: years from the end of the fiscal year of last use; `source` names the rule it follows."""

    name: str
    years: int
    easily_accessible_years: int
    source: str


@dataclass(frozen=True)
class Schedule:
    """Kinds of documents and the class of each; what is not named falls under `otherwise`."""

    version: int
    year_end: tuple[int, int]
    by_kind: dict[str, Keeping]
    otherwise: Keeping

    def of(self, kind: str) -> Keeping:
        """The class of a kind of document."""
        return self.by_kind.get(kind, self.otherwise)

    def until(self, kind: str, last_used: datetime) -> date:
        """The last day a document is kept: the end of the fiscal year of its last use, and the years of its class."""
        month, day = self.year_end
        used = last_used.astimezone(UTC).date()
        ends = _day(used.year, month, day)
        year = used.year if used <= ends else used.year + 1
        return _day(year + self.of(kind).years, month, day)


def read(path: Path | None = None) -> Schedule:
    """Read a schedule; without a path the one that ships. Raises `ParameterError` with the part that is wrong."""
    try:
        text = path.read_text("utf-8") if path else (resources.files(__package__) / "retention.yml").read_text("utf-8")
        said = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ParameterError(f"the schedule of retention cannot be read: {error}", "retention") from error
    if not isinstance(said, dict) or said.keys() != {"version", "fiscal_year_ends", "classes", "otherwise"}:
        raise ParameterError("a schedule has version, fiscal_year_ends, classes and otherwise", "retention")
    by_kind: dict[str, Keeping] = {}
    if not isinstance(said["classes"], dict):
        raise ParameterError("classes: give names with years, source and kinds", "retention")
    for name, body in said["classes"].items():
        kinds = body.get("kinds") if isinstance(body, dict) else None
        if not isinstance(kinds, list) or not all(isinstance(kind, str) for kind in kinds):
            raise ParameterError(f"{name}: kinds has to be a list of kinds of documents", "retention")
        for kind in kinds:
            if kind in by_kind:
                raise ParameterError(f"{kind} stands in two classes, {by_kind[kind].name} and {name}", "retention")
            by_kind[kind] = _keeping(str(name), {key: value for key, value in body.items() if key != "kinds"})
    if type(said["version"]) is not int:
        raise ParameterError("version: give a whole number", "retention")
    return Schedule(
        said["version"], _year_end(said["fiscal_year_ends"]), by_kind, _keeping("otherwise", said["otherwise"])
    )


def _keeping(name: str, body: Any) -> Keeping:
    if not isinstance(body, dict) or body.keys() != {"years", "easily_accessible_years", "source"}:
        raise ParameterError(f"{name}: give years, easily_accessible_years and source", "retention")
    years, near, source = body["years"], body["easily_accessible_years"], body["source"]
    if type(years) is not int or type(near) is not int or not 0 <= near <= years <= _MOST_YEARS or years < 1:
        raise ParameterError(
            f"{name}: years are whole, from 1 to {_MOST_YEARS}, the accessible ones among them", "retention"
        )
    if not isinstance(source, str) or not source.strip():
        raise ParameterError(f"{name}: name the rule the years follow (source)", "retention")
    return Keeping(name, years, near, source)


def _year_end(said: Any) -> tuple[int, int]:
    if isinstance(said, str) and _DAY.fullmatch(said):
        month, day = int(said[:2]), int(said[3:])
        try:
            date(2024, month, day)
        except ValueError:
            pass
        else:
            return month, day
    raise ParameterError(f"fiscal_year_ends: {said!r} is no day of the year such as 12-31", "retention")


def _day(year: int, month: int, day: int) -> date:
    """A day of a year; 29 February is the 28th where there is none."""
    try:
        return date(year, month, day)
    except ValueError:
        return date(year, month, day - 1)

"""What is measured: said once, in words and as a formula, before the first day of use."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from importlib import resources
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from workbench.errors import ParameterError

Statistic = Literal["mean", "share", "rate"]
Direction = Literal["up", "down"]
_ID = re.compile(r"[a-z][a-z0-9_]{0,59}", re.ASCII)
_LONGEST = 2_000
_LARGEST_FILE = 200_000


@dataclass(frozen=True)
class Measure:
    """One definition. `start` is the first day of use and `baseline_start` .. `start` what it is compared with.

    `statistic`: `mean` of cases, `share` of cases (0..1), `rate` of events per household and year. `minimum_effect` is
    decimal text in `unit`: a smaller difference is no reason to act. `computed` says whether the database or the book
    of record gives the figure; otherwise people declare it, with their source. Days are ISO text.

    Raises `ParameterError` for a name, text, day or number that is none.
    """

    measure_id: str
    version: int
    title: str
    definition: str
    formula: str
    source: str
    unit: str
    statistic: Statistic
    direction: Direction
    minimum_effect: str
    computed: bool
    baseline_start: str
    start: str
    first_check_days: int = 30

    def __post_init__(self) -> None:
        if not isinstance(self.measure_id, str) or not _ID.fullmatch(self.measure_id):
            raise _wrong(self, "measure_id", "use lower-case letters, digits and _, at most 60")
        for name in ("title", "definition", "formula", "source", "unit"):
            text = getattr(self, name)
            if not isinstance(text, str) or not text.strip() or len(text) > _LONGEST or "\0" in text:
                raise _wrong(self, name, f"say it in 1 to {_LONGEST} characters")
        for name, allowed in (("statistic", get_args(Statistic)), ("direction", get_args(Direction))):
            if getattr(self, name) not in allowed:
                raise _wrong(self, name, f"use one of {', '.join(allowed)}")
        if type(self.computed) is not bool:
            raise _wrong(self, "computed", "use true or false")
        for name, least in (("version", 1), ("first_check_days", 7)):
            if type(getattr(self, name)) is not int or getattr(self, name) < least:
                raise _wrong(self, name, f"use a whole number of {least} or more")
        if (effect := decimal(self.minimum_effect)) is None or effect <= 0:
            raise _wrong(self, "minimum_effect", "use a number above 0 as text, such as '0.25'")
        if day(self, "baseline_start") >= day(self, "start"):
            raise _wrong(self, "baseline_start", "the baseline must begin before the first day of use")

    @property
    def first_day(self) -> date:
        """The first day of use."""
        return date.fromisoformat(self.start)


def day(measure: Measure, name: str) -> date:
    """Return a day of a definition. Raises `ParameterError` where the text is none."""
    try:
        return date.fromisoformat(getattr(measure, name))
    except (TypeError, ValueError):
        raise _wrong(measure, name, "use a day such as 2026-01-05") from None


def decimal(text: object) -> Decimal | None:
    """Return decimal text as a number, None where it is not plain and finite."""
    try:
        value = Decimal(text) if isinstance(text, str) and len(text) <= 40 else None
    except InvalidOperation:
        return None
    return value if value is not None and value.is_finite() and math.isfinite(float(value)) else None


def read_measures(start: date, path: Path | str | None = None) -> tuple[Measure, ...]:
    """Read definitions from YAML (without a path those that come with the workbench), for a first day of use.

    Raises `ParameterError` for a file that is missing, too large or no YAML, and for every unknown or missing entry.
    """
    said = _yaml(path)
    unknown = set(said) - {"baseline_days", "measures"}
    days, listed = said.get("baseline_days"), said.get("measures")
    if unknown or type(days) is not int or not 28 <= days <= 3_660 or not isinstance(listed, Mapping) or not listed:
        raise ParameterError(
            "measures: give baseline_days (28 to 3660) and measures by name, and nothing else", "measures"
        )
    begins = (start - timedelta(days=days)).isoformat()
    given = {item.name for item in fields(Measure)} - {"measure_id", "version", "baseline_start", "start"}
    out = []
    for name, entry in listed.items():
        if not isinstance(entry, Mapping):
            raise ParameterError(
                f"measure {name!r} is no list of entries; see the measures that come along", "measures"
            )
        if wrong := sorted(map(str, (set(entry) - given) | (given - {"first_check_days"}) - set(entry))):
            raise ParameterError(f"measure {name!r}: {wrong[0]!r} is missing or unknown; correct the file", wrong[0])
        out.append(Measure(measure_id=name, version=1, baseline_start=begins, start=start.isoformat(), **entry))
    return tuple(out)


def _yaml(path: Path | str | None) -> Mapping[str, Any]:
    try:
        place = resources.files(__package__) / "measures.yml" if path is None else Path(path)
        text = place.read_text(encoding="utf-8")
        if len(text) > _LARGEST_FILE or "&" in text.replace("& ", ""):
            raise ParameterError(f"{path}: too large, or with YAML anchors; write it out plainly", "measures")
        said = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ParameterError(f"{path}: cannot be read as YAML ({error}); correct the file", "measures") from error
    if not isinstance(said, Mapping):
        raise ParameterError(f"{path}: holds no measures; see the file that comes along", "measures")
    return said


def _wrong(measure: Measure, name: str, remedy: str) -> ParameterError:
    given = repr(getattr(measure, name))[:80]
    return ParameterError(f"measure {str(measure.measure_id)[:60]!r}: {name} is {given}; {remedy}", name)

"""Days in a text: full dates in every usual form, months, quarters, years, weekdays, and words like "last quarter"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTH = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December"
    r"|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b\.?)"
)
_WEEKDAY = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
_YEAR = r"(?:19|20)\d\d"
_NTH = {"first": 1, "second": 2, "third": 3, "fourth": 4}
_DAY = re.compile(
    rf"""(?<![\w$.,/-])(?:(?P<weekday>{_WEEKDAY})s?,?\ ?)?(?:
      (?P<iso>{_YEAR}-\d\d-\d\d)
    | (?P<us>\d{{1,2}}/\d{{1,2}}/(?:{_YEAR}|\d\d))
    | (?P<d1>\d{{1,2}})(?:st|nd|rd|th)?\ (?:of\ )?(?P<m1>{_MONTH})(?:,?\ (?P<y1>{_YEAR}))?
    | (?P<m2>{_MONTH})\ (?P<d2>\d{{1,2}})(?:st|nd|rd|th)?(?:,?\ (?P<y2>{_YEAR}))?(?!\d)
    | (?P<m3>{_MONTH})(?:\ of)?,?\ (?P<y3>{_YEAR})
    )(?![\w%])""",
    re.VERBOSE,
)
_PERIOD = re.compile(
    rf"""(?<![\w$.,/-])(?:
      Q(?P<q1>[1-4])(?:[ -]?(?P<qy1>{_YEAR}))?
    | (?P<qy2>{_YEAR})[ -]?Q(?P<q2>[1-4])
    | (?P<q3>[Ff]irst|[Ss]econd|[Tt]hird|[Ff]ourth)\ quarter(?:\ of)?(?:\ (?P<qy3>{_YEAR}))?
    | H(?P<h1>[12])(?:\ (?P<hy1>{_YEAR}))?
    | (?P<h2>[Ff]irst|[Ss]econd)\ half(?:\ of)?(?:\ (?P<hy2>{_YEAR}))?
    | (?P<year>{_YEAR})
    | (?P<month>(?:January|February|March|April|May|June|July|August|September|October|November|December))
    | (?P<alone>{_WEEKDAY})s?
    )(?![\w%]|[,.]\d)""",
    re.VERBOSE,
)
_RELATIVE = re.compile(
    r"\b(?:yesterday|tomorrow|tonight|(?:next|last|past|previous|prior|coming|following) (?:day|week|month|quarter|year"
    rf"|spring|summer|fall|autumn|winter|{_WEEKDAY})|(?:days?|weeks?|months?|quarters?|years?) (?:ago|earlier|later)"
    r"|this (?:morning|afternoon|evening|week|quarter|spring|summer|fall|autumn|winter)"
    r"|the (?:day|week|month|year) (?:before|after)"
    r"|the (?:(?:nineteen|two thousand)? ?(?:twent|thirt|fort|fift|sixt|sevent|eight|ninet)ies)"
    rf"|(?:early|mid|late)[ -](?:{_MONTH}|{_YEAR}|spring|summer|fall|autumn|winter|(?:last|next|this) \w+))\b"
    r"|(?<!\w)'\d\d\b|\bFY ?\d{2,4}\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Day:
    """A day or period of a text, as far as it is given: `text[start:end]`; a relative one gives nothing."""

    start: int
    end: int
    year: int | None = None
    month: int | None = None
    day: int | None = None
    months: tuple[int, ...] = ()
    weekday: int | None = None

    @property
    def vague(self) -> bool:
        """Whether no calendar day could be told from the words."""
        return self.year is None and self.month is None and not self.months

    def holds(self, day: date) -> bool:
        """Say whether a day is the one that is given, or lies in the period."""
        return not self.vague and (
            self.year in (None, day.year)
            and self.month in (None, day.month)
            and self.day in (None, day.day)
            and self.weekday in (None, day.weekday())
            and (not self.months or day.month in self.months)
        )


def days(seen: str) -> list[Day]:
    """Return the days and periods of a text in reading order; `seen` has what is no day masked."""
    found: list[Day] = []
    for one in (*_full(seen), *(Day(m.start(), m.end()) for m in _RELATIVE.finditer(seen)), *_periods(seen)):
        if not any(one.start < other.end and other.start < one.end for other in found):
            found.append(one)
    return sorted(found, key=lambda one: one.start)


def _full(seen: str) -> Iterator[Day]:
    for one in _DAY.finditer(seen):
        weekday = _WEEKDAYS.index(one["weekday"].lower()) if one["weekday"] else None
        if one["iso"]:
            year, month, day = map(int, one["iso"].split("-"))
        elif one["us"]:
            month, day, year = map(int, one["us"].split("/"))
            year += 2000 if year < 100 else 0
        else:
            month = _month(one["m1"] or one["m2"] or one["m3"])
            day = int(one["d1"] or one["d2"] or 0)
            year = int(one["y1"] or one["y2"] or one["y3"] or 0)
        yield Day(one.start(), one.end(), year or None, month, day or None, weekday=weekday)


def _periods(seen: str) -> Iterator[Day]:
    for one in _PERIOD.finditer(seen):
        months: tuple[int, ...] = ()
        if quarter := one["q1"] or one["q2"] or one["q3"]:
            n = int(quarter) if quarter.isdigit() else _NTH[quarter.lower()]
            months = tuple(range(3 * n - 2, 3 * n + 1))
        elif half := one["h1"] or one["h2"]:
            n = int(half) if half.isdigit() else _NTH[half.lower()]
            months = tuple(range(6 * n - 5, 6 * n + 1))
        month = _MONTHS.index(one["month"].lower()) + 1 if one["month"] else None
        if month in (3, 5) and one.start() == 0:  # "May we ...", "March" as a verb, at the start
            continue
        year = one["qy1"] or one["qy2"] or one["qy3"] or one["hy1"] or one["hy2"] or one["year"]
        yield Day(one.start(), one.end(), int(year) if year else None, month, months=months)


def _month(name: str) -> int:
    return next(i for i, month in enumerate(_MONTHS, 1) if month.startswith(name.lower().rstrip(".")[:3]))

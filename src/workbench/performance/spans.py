"""The spans of a performance report: quarter and year to date, one, three and five years, since the record began."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from workbench.errors import ParameterError
from workbench.performance.periods import calendar_periods
from workbench.performance.returns import annualise, compound, years_between


@dataclass(frozen=True)
class Span:
    """A stretch up to the last close: from the close of `start`, `years` long; annualised where that is over a year."""

    name: str
    label: str
    start: pd.Timestamp
    years: float

    @property
    def annualised(self) -> bool:
        """Whether its return is shown as one a year: nothing of a year or less is."""
        return self.years > 1.0 + _GRACE

    def returned(self, daily: pd.Series) -> float:
        """Return over the span of daily returns by their closes, a year's where annualised.

        Missing where a day of it is; `daily` has every close of the span, missing before a record began.
        Raises `ParameterError` as `compound` does.
        """
        inside = daily.loc[daily.index > self.start]
        if inside.empty or inside.isna().any():
            return float("nan")
        total = compound(inside.to_numpy())
        return float(annualise(total, self.years) if self.annualised else total)


#: A year from one last session to another may be some days longer than a year.
_GRACE = 5.0 / 365.0


def spans(
    sessions: pd.DatetimeIndex, years: Sequence[int] = (1, 3, 5), since: pd.Timestamp | None = None
) -> tuple[Span, ...]:
    """Return the spans that end at the last of the closes: quarter, year, each of `years`, and `since` (the first).

    A span of n years begins at the last close on or before the day n years before; a quarter or year at its eve's.
    Those that begin before the first close are left out. Raises `ParameterError` for fewer than two closes.
    """
    days = pd.DatetimeIndex(sessions)
    if len(days) < 2:
        raise ParameterError("a span needs two closes or more; give more sessions", "sessions")
    last, begin = days[-1], days[0] if since is None else pd.Timestamp(since)
    found = []
    for by, words in (("quarter", "Quarter"), ("year", "Year")):
        period = calendar_periods(days, by).iloc[-1]  # type: ignore[arg-type]
        start = days[int(period["first"])]
        eve = start.to_period("Q" if by == "quarter" else "Y") != last.to_period("Q" if by == "quarter" else "Y")
        if eve and start >= begin:
            label = words if period["whole"] else f"{words} to date"
            found.append(Span(by, label, start, years_between(start, last)))
    for count in years:
        at = int(days.searchsorted(last - pd.DateOffset(years=count), side="right")) - 1
        if at >= 0 and days[at] >= begin:
            label = "1 year" if count == 1 else f"{count} years, per year"
            found.append(Span(f"years_{count}", label, days[at], float(count)))
    length = years_between(begin, last)
    label = f"Since {begin:%b %Y}" + (", per year" if length > 1.0 + _GRACE else "")
    found.append(Span("since", label, begin, length))
    return tuple(found)

"""Months, quarters and years as runs of sessions, and which of them the sessions cover whole."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.errors import ParameterError
from workbench.market import sessions as exchange_sessions

By = Literal["month", "quarter", "year"]
_PERIODS = {"month": "M", "quarter": "Q", "year": "Y"}


def calendar_periods(sessions: pd.DatetimeIndex, by: By = "month") -> pd.DataFrame:
    """Return the months, quarters or years that T + 1 closes run through, in order.

    Columns: `end`, the last of the period's closes; `first` and `stop`, the positions of its daily returns (0..T, the
    second excluded); `whole`, whether the closes cover it from the last close of the period before to its own last
    session. The first and last period may be cut. Raises `ParameterError` for an unknown kind of period.
    """
    if by not in _PERIODS:
        raise ParameterError(f"periods are by month, quarter or year, not {by!r}", "by")
    days = pd.DatetimeIndex(sessions)
    period = days.to_period(_PERIODS[by])
    own = period[1:]
    first = np.flatnonzero(np.diff(own.asi8, prepend=-1) != 0) if len(own) else np.zeros(0, dtype=np.int64)
    stop = np.append(first[1:], len(own)).astype(np.int64) if len(first) else first
    whole = np.ones(len(first), dtype=bool)
    if len(first):
        whole[0] = period[0] != own[0]
        whole[-1] &= _over(days[-1], period[-1])
    return pd.DataFrame({"end": days[1:][stop - 1], "first": first, "stop": stop, "whole": whole})


def _over(day: pd.Timestamp, period: pd.Period) -> bool:
    """Whether no session of the period comes after the day."""
    last = period.end_time.normalize()
    return day >= last or len(exchange_sessions(day + pd.Timedelta(days=1), last)) == 0


def compound_by(returns: NDArray[np.float64], periods: pd.DataFrame) -> NDArray[np.float64]:
    """Daily returns (N x T) compounded over each period (N x P); missing where any of its days is."""
    if not len(periods):
        return np.zeros((len(returns), 0))
    growth = np.multiply.reduceat(1.0 + returns, periods["first"].to_numpy(), axis=1)
    return np.asarray(growth - 1.0, dtype=np.float64)

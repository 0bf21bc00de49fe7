"""Accounts month by month, as composites need them: values, flows by their time, returns, time under the mandate."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.errors import ParameterError
from workbench.performance.account_returns import AccountReturns
from workbench.performance.periods import calendar_periods, compound_by
from workbench.performance.returns import Floats, Timing

Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Portfolios:
    """N accounts over M months; dollars and simple returns.

    `closes` (M + 1) are the valuation days between months: month m runs from the close of `closes[m]` to that of
    `closes[m + 1]`. `complete` (M) tells whole calendar months from a last one cut short. `begin` and `end` (N x M) are
    values, `weighted_flow` (N x M) the month's flows, each times the share of the month left after it, `gross` and
    `net` (N x M) returns before and after fees, missing where an account had none for a day of the month. `joined` and
    `left` (N) are the closes at which an account came under the mandate and left it (missing while it is there).
    """

    account_ids: pd.Index
    closes: pd.DatetimeIndex
    complete: Flags
    begin: Floats
    end: Floats
    weighted_flow: Floats
    gross: Floats
    net: Floats
    joined: pd.DatetimeIndex
    left: pd.DatetimeIndex

    def __post_init__(self) -> None:
        shape = (len(self.account_ids), len(self.closes) - 1)
        for name in ("begin", "end", "weighted_flow", "gross", "net"):
            if getattr(self, name).shape != shape:
                message = f"{name} has shape {getattr(self, name).shape}, accounts and months are {shape}"
                raise ParameterError(message, name)
        for name in ("begin", "end", "weighted_flow"):
            if not np.isfinite(getattr(self, name)).all():
                raise ParameterError(f"{name} is missing or infinite somewhere: give a figure, 0 for none", name)
        if not len(self.joined) == len(self.left) == shape[0]:
            raise ParameterError("joined and left need a day, or none, for every account", "joined")
        if shape[1] < 1 or len(self.complete) != shape[1] or not self.closes.is_monotonic_increasing:
            raise ParameterError("closes need at least two days in order, and complete a flag a month", "closes")

    @property
    def under_mandate(self) -> Flags:
        """Whether each account was under the mandate for the whole of each month (N x M)."""
        return full_months(self.joined, self.left, self.closes)


def full_months(joined: pd.DatetimeIndex, left: pd.DatetimeIndex, closes: pd.DatetimeIndex) -> Flags:
    """Which months (N x M) each account was under the mandate from first close to last.

    An account joins with its first full month and leaves after its last: `joined` is the close from which it was
    invested, `left` the last close at which it was, missing while it is; never joined is missing too.
    Source: GIPS 2020 for firms, section 3 (timely and consistent inclusion; history stays when a portfolio leaves).
    """
    begins, ends = closes[:-1].to_numpy()[None, :], closes[1:].to_numpy()[None, :]
    entered, gone = joined.to_numpy()[:, None], left.to_numpy()[:, None]
    return np.asarray((entered <= begins) & (np.isnat(gone) | (gone >= ends)), dtype=np.bool_)


def portfolios(net: AccountReturns, gross: AccountReturns) -> Portfolios:
    """Make months of the daily returns of the same accounts after and before fees.

    Months end with the exchange's last session. A first month that is not seen whole is left out; a last one is kept
    and marked. An account is under the mandate from the close at which its returns begin to that at which they end.
    Raises `ParameterError` where the two differ in accounts, sessions or timing, or reach over no month's end.
    """
    same = net.account_ids.equals(gross.account_ids) and net.sessions.equals(gross.sessions)
    if not same or (net.fees, gross.fees) != ("net", "gross") or net.timing != gross.timing:
        raise ParameterError("give returns after and before fees of the same accounts, sessions and timing", "gross")
    months = calendar_periods(net.sessions, "month")
    if (net.sessions[:1].to_period("M") == net.sessions[1:2].to_period("M")).all():
        months = months.iloc[1:].reset_index(drop=True)
    if months.empty:
        sessions = f"{net.sessions[0].date()} to {net.sessions[-1].date()}"
        raise ParameterError(f"{sessions} holds no month's end to begin at: start before one", "net")
    # Everything below counts days from the first month kept.
    start = int(months["first"].iloc[0])
    months = months.assign(first=months["first"] - start, stop=months["stop"] - start)
    sessions, value = net.sessions[start:], net.value[:, start:]
    bounds = np.append(0, months["stop"].to_numpy())
    joined, left = _stay(net.daily[:, start:], sessions)
    return Portfolios(
        account_ids=net.account_ids,
        closes=sessions[bounds],
        complete=months["whole"].to_numpy(dtype=np.bool_),
        begin=value[:, bounds[:-1]],
        end=value[:, bounds[1:]],
        weighted_flow=_weighted_flows(net.flow[:, start:], sessions, bounds, net.timing),
        gross=compound_by(gross.daily[:, start:], months),
        net=compound_by(net.daily[:, start:], months),
        joined=joined,
        left=left,
    )


def _weighted_flows(flow: Floats, sessions: pd.DatetimeIndex, bounds: NDArray[np.int64], timing: Timing) -> Floats:
    """Each month's flows, each times the share of the month's days left after it."""
    weighted = np.empty((len(flow), len(bounds) - 1))
    # A flow at the start of its day has that day left too: it is dated the close before.
    dated = 1 if timing == "end" else 0
    for month, (start, stop) in enumerate(pairwise(bounds)):
        left = np.asarray((sessions[stop] - sessions[start + dated : stop + dated]).days, dtype=np.float64)
        weighted[:, month] = flow[:, start:stop] @ left / (sessions[stop] - sessions[start]).days
    return weighted


def _stay(daily: Floats, sessions: pd.DatetimeIndex) -> tuple[pd.DatetimeIndex, pd.DatetimeIndex]:
    """The closes between which each account had returns; the second missing where it has them to the end.

    An account emptied at a close has earned until then, one that opened at a close earns from there.
    """
    there, days, nothing = ~np.isnan(daily), sessions.to_numpy(), np.datetime64("NaT", "ms")
    ever = there.any(axis=1)
    first, stop = there.argmax(axis=1), daily.shape[1] - there[:, ::-1].argmax(axis=1)
    joined = np.where(ever, days[first], nothing)
    left = np.where(ever & (stop < daily.shape[1]), days[stop], nothing)
    return pd.DatetimeIndex(joined), pd.DatetimeIndex(left)

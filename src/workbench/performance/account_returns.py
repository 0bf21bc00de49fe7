"""What each account returned, day by day and compounded, before or after fees, with every day that has no return."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from workbench.errors import ParameterError
from workbench.performance.daily import DailyHoldings, Floats
from workbench.performance.periods import By, calendar_periods, compound_by
from workbench.performance.returns import UNDEFINED, Timing, compound, time_weighted, why_undefined

Fees = Literal["net", "gross"]
#: Amounts below this, in account currency, are not worth a row of `problems`.
_CENT = 0.005
LOST_ALL = "the whole capital was lost"
LARGE_FLOW = "a flow larger than the account"
UNBOOKED = "value came or went that no transaction explains"


@dataclass(frozen=True, eq=False)
class AccountReturns:
    """Daily time-weighted returns of N accounts over T periods, and the values and flows they come from.

    `daily` (N x T) are simple returns by `time_weighted`, NaN where an account had no beginning value or the return
    means nothing; `fees` says whether they are after ("net") or before ("gross") the fees charged, `timing` whether a
    flow counts at the close of its day or at its start. `value` (N x T+1), `flow` and `fee` (N x T) are the ledger's.

    `problems` has one row for each account and day whose return is missing though something was earned or lost, or is
    kept and should be read with care: account_id, session, reason, in_return (False: the day has no return),
    begin_value, flow, gain. `no_data` lists accounts without a ledger.
    """

    accounts: pd.DataFrame
    sessions: pd.DatetimeIndex
    fees: Fees
    timing: Timing
    daily: Floats
    value: Floats
    flow: Floats
    fee: Floats
    problems: pd.DataFrame
    no_data: pd.DataFrame

    @property
    def account_ids(self) -> pd.Index:
        """The accounts, in order."""
        return pd.Index(self.accounts["account_id"])

    def periods(self, by: By = "month") -> pd.DataFrame:
        """The months, quarters or years of the sessions; see `calendar_periods`."""
        return calendar_periods(self.sessions, by)

    def by_period(self, by: By = "month") -> pd.DataFrame:
        """Returns compounded over months, quarters or years: account_id by last close; missing where not lived whole.

        An account lived a period whole if every day of it has a return. The first and last column may be parts of a
        period, as far as the sessions reach; `periods` says which are whole. Nothing is annualised.
        """
        periods = self.periods(by)
        columns = pd.DatetimeIndex(periods["end"], name=by)
        return pd.DataFrame(compound_by(self.daily, periods), index=self.account_ids, columns=columns)

    def monthly(self) -> pd.DataFrame:
        """Returns by month, as `by_period`."""
        return self.by_period("month")

    def compound(self, start: pd.Timestamp | str | None = None, end: pd.Timestamp | str | None = None) -> pd.Series:
        """Return between the last closes on or before two days, by account; missing where it was not lived whole.

        None is the first or the last close. Raises `ParameterError` for days outside the sessions or without a period
        between them.
        """
        first = 0 if start is None else self._close(start, "start")
        last = len(self.sessions) - 1 if end is None else self._close(end, "end")
        if last <= first:
            raise ParameterError("start and end leave no period between them; move them apart", "end")
        return pd.Series(compound(self.daily[:, first:last]), index=self.account_ids, name="return")

    def lives(self) -> pd.DataFrame:
        """Each account's stretch with returns: first and last close of it, days, holes in between, return over it.

        The return covers the days there are; with `holes` above 0 it is not that of one uninterrupted investment.
        Columns account_id, start, end, days, holes, return; dates and return missing for an account without any.
        """
        there = ~np.isnan(self.daily)
        lived = there.any(axis=1)
        first = there.argmax(axis=1)
        last = there.shape[1] - there[:, ::-1].argmax(axis=1)
        days = there.sum(axis=1)
        return pd.DataFrame(
            {
                "account_id": self.account_ids,
                "start": pd.Series(self.sessions[first]).where(lived),
                "end": pd.Series(self.sessions[np.where(lived, last, 0)]).where(lived),
                "days": days,
                "holes": np.where(lived, last - first - days, 0),
                "return": compound(self.daily, skip_missing=True),
            }
        )

    def before_fees(self) -> AccountReturns:
        """The same returns gross: the fees charged are added back, on the capital that earned; a gross one is itself.

        gross = net - fee / capital, a fee being negative; capital is the beginning value, and the flow of the day's
        start with it.
        """
        if self.fees == "gross":
            return self
        capital = self.value[:, :-1] if self.timing == "end" else self.value[:, :-1] + self.flow
        added = np.divide(self.fee, capital, out=np.zeros_like(self.fee), where=~np.isnan(self.daily))
        # A fee paid back may be more than what was left of the capital: then nothing is known before fees.
        daily = self.daily - added
        daily[daily < -1.0] = np.nan
        return replace(self, fees="gross", daily=daily)

    def _close(self, day: pd.Timestamp | str, name: str) -> int:
        at = int(self.sessions.searchsorted(pd.Timestamp(day), side="right")) - 1
        if at < 0 or pd.Timestamp(day) > self.sessions[-1] + pd.Timedelta(days=5):
            first, last = self.sessions[0], self.sessions[-1]
            raise ParameterError(f"{day} is outside the returns, {first:%Y-%m-%d} to {last:%Y-%m-%d}", name)
        return at


def account_returns(
    daily: DailyHoldings | Iterable[DailyHoldings], fees: Fees = "net", timing: Timing = "end"
) -> AccountReturns:
    """Return the accounts' daily time-weighted returns, revalued at every flow; of a ledger or of its `chunks`.

    Net: fees charged lower the return; gross: as `before_fees`. Values booked by no transaction stay in the return and
    are listed in `problems`. A day on which there is no capital, negative capital or a loss of more than all has no
    return, and neither has any month, quarter or longer stretch with such a day in it: nothing is estimated instead.

    Raises `ParameterError` for an unknown choice or for no ledger at all. Source: GIPS 2020 for firms, section 2
    (returns are net of the fees actually charged).
    """
    if fees not in ("net", "gross"):
        raise ParameterError(f"fees is 'net' or 'gross', not {fees!r}", "fees")
    parts = [daily] if isinstance(daily, DailyHoldings) else daily
    each = [_of_ledger(part, timing) for part in parts]
    if not each:
        raise ParameterError("there is no ledger; give the holdings of at least one chunk of accounts", "daily")
    net = each[0] if len(each) == 1 else _joined(each)
    return net if fees == "net" else net.before_fees()


def _of_ledger(daily: DailyHoldings, timing: Timing) -> AccountReturns:
    value, flow, fee = daily.account_value, daily.flow, daily.fee
    returns = time_weighted(value, flow, timing)
    return AccountReturns(
        accounts=daily.accounts,
        sessions=daily.sessions,
        fees="net",
        timing=timing,
        daily=returns,
        value=value,
        flow=flow,
        fee=fee,
        problems=_problems(daily, value, returns, timing),
        no_data=daily.no_data,
    )


def _problems(daily: DailyHoldings, value: Floats, returns: Floats, timing: Timing) -> pd.DataFrame:
    """Account-days without a return though money was earned or lost, and returns to be read with care."""
    code = why_undefined(value, daily.flow, timing)
    begin, gain = value[:, :-1], np.diff(value, axis=1) - daily.flow
    matters = (np.abs(gain) > _CENT) | (np.abs(begin) > _CENT)
    reason = np.full(code.shape, "", dtype=object)
    defined = ~np.isnan(returns)
    reason[defined & (np.abs(daily.unexplained) > np.maximum(_CENT, 1e-9 * np.abs(begin)))] = UNBOOKED
    reason[defined & (np.abs(daily.flow) > begin) & (begin > 0.0) & (np.abs(daily.flow) > _CENT)] = LARGE_FLOW
    reason[defined & (returns <= -1.0 + 1e-12)] = LOST_ALL
    for number, text in enumerate(UNDEFINED):
        if number:
            reason[(code == number) & matters] = text
    account, day = np.nonzero(reason != "")
    return pd.DataFrame(
        {
            "account_id": daily.account_ids.to_numpy()[account],
            "session": daily.sessions[1:][day],
            "reason": pd.Series(reason[account, day], dtype="str"),
            "in_return": defined[account, day],
            "begin_value": begin[account, day],
            "flow": daily.flow[account, day],
            "gain": gain[account, day],
        }
    )


def _joined(parts: list[AccountReturns]) -> AccountReturns:
    first = parts[0]

    def stacked(name: str) -> Floats:
        return np.concatenate([getattr(part, name) for part in parts])

    def rows(name: str) -> pd.DataFrame:
        return pd.concat([getattr(part, name) for part in parts], ignore_index=True)

    return AccountReturns(
        accounts=rows("accounts"),
        sessions=first.sessions,
        fees=first.fees,
        timing=first.timing,
        daily=stacked("daily"),
        value=stacked("value"),
        flow=stacked("flow"),
        fee=stacked("fee"),
        problems=rows("problems"),
        no_data=rows("no_data"),
    )

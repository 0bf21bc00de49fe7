"""The gaps of a firm: each account's monthly return less its model's, and what may lie behind it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench import market, performance
from workbench.attribution.implementation.covariates import Book, cash_drag, read, restricted, tax_locked, trade_lag
from workbench.attribution.implementation.panel import Floats, Ints, Panel
from workbench.attribution.paths import ModelPaths, load_models
from workbench.errors import MarketDataError, ParameterError
from workbench.firm import Firm

#: Covariates that clients decide; held equal when the total effect of a custodian or advisor is judged.
CLIENT = ("restrictions", "tax_locks")
#: Covariates through which a custodian or advisor works, besides fees: taken out, they leave what is not explained.
CHANNELS = ("trade_lag", "cash_drag")
#: Months that an account must have lived whole with its model.
LEAST_MONTHS = 3
#: Accounts measured at once: with 30 holdings each and three years of sessions about half a gigabyte.
CHUNK = 1_000
_BP = 10_000.0


@dataclass(frozen=True, eq=False)
class Gaps:
    """One row of `frame` for each account and whole month.

    Columns: account_id, advisor_id, custodian_id, model_id, month (its last session), `net` and `gross` of fees (the
    account's return less the model's, bp), and the covariates, by which a gap may be explained:
    - `fees`: fees charged, bp, negative: the net gap less the gross one.
    - `cash_drag`: cash beyond the model's, times cash's return less the model's, summed over the days; bp.
    - `trade_lag`: sessions between a decision (a quarter's last session, or a new version's effective date) and the
      rebalancing trades of the month, beyond the next session, by dollars; 0 without any.
    - `restrictions`: share of the account at the month's start that a client's restriction keeps in or keeps out.
    - `tax_locks`: share over the model at the month's start that consists of lots with gains in taxed accounts.

    `left_out` lists the accounts without a row: account_id, reason.
    """

    frame: pd.DataFrame
    left_out: pd.DataFrame

    def panel(self, basis: str = "net", covariates: tuple[str, ...] = CLIENT) -> Panel:
        """The panel of gaps `net` or `gross` of fees with these covariates."""
        if basis not in ("net", "gross"):
            raise ParameterError(f"basis {basis!r} is neither net nor gross of fees", "basis")
        return Panel.of(self.frame, basis, covariates)


def load(firm: Firm, months: int = 36) -> Gaps:
    """Measure the last `months` whole months up to the firm's as-of day, as far as prices reach back.

    An account takes part in the months that it lived whole with its present model, with three such months or more; the
    others are listed. Models are paper portfolios set to their targets each month, without costs. Raises ParameterError
    for fewer than one month and where no account takes part, MarketDataError without a whole month of prices.
    """
    return collected([measured(window) for window in windows(firm, months)], months)


@dataclass(frozen=True, eq=False)
class Window:
    """Some accounts over the months measured: their ledger and values (N x T+1), all models, whole months' periods."""

    daily: performance.DailyHoldings
    whole: Floats
    paths: ModelPaths
    book: Book
    starts: Ints
    ends: Ints


def windows(firm: Firm, months: int) -> Iterator[Window]:
    """Read the firm once, some accounts after others."""
    if months < 1:
        raise ParameterError(f"months must be at least 1, not {months}", "months")
    paths, book = None, None
    for daily in performance.chunks(firm, span_of(firm, months), size=CHUNK):
        starts, ends = months_of(daily.sessions, firm.as_of)
        if paths is None or book is None:
            paths = load_models(firm, daily.sessions, daily.securities)
            book = read(firm, daily.securities, daily.sessions)
        yield Window(daily, daily.account_value, paths, book, starts, ends)


def collected(parts: Sequence[tuple[pd.DataFrame, pd.DataFrame]], months: int) -> Gaps:
    """The gaps of all accounts from those of some after others."""
    frames, reasons = zip(*parts, strict=True)
    frame = pd.concat(frames, ignore_index=True)
    left_out = pd.concat(reasons, ignore_index=True).sort_values("account_id", ignore_index=True)
    if frame.empty:
        raise ParameterError(
            f"no account lived {LEAST_MONTHS} whole months with its model in the last {months}: take more months",
            "months",
        )
    return Gaps(frame, left_out)


def span_of(firm: Firm, months: int) -> pd.Timestamp:
    """The day whose close the first whole month starts from, not before the first price."""
    last = _last_whole_month(firm.as_of)
    start = (last - months).end_time.normalize()
    first = pd.Timestamp(firm.table("prices", ["date"])["date"].min())
    return max(start, first)


def _last_whole_month(as_of: pd.Timestamp) -> pd.Period:
    month = as_of.to_period("M")
    following = market.sessions(as_of + pd.Timedelta(days=1), as_of + pd.Timedelta(days=14))
    return month if following[0].to_period("M") > month else month - 1


def months_of(sessions: pd.DatetimeIndex, as_of: pd.Timestamp) -> tuple[Ints, Ints]:
    """First and last period of every whole month: periods starts[m] to ends[m] - 1."""
    month = sessions.to_period("M")
    turns = np.flatnonzero(month[1:] != month[:-1])
    starts = turns
    ends = np.append(turns[1:], len(sessions) - 1)
    whole = month[starts + 1] <= _last_whole_month(as_of)
    if not whole.any():
        raise MarketDataError(f"prices hold no whole month up to {as_of:%Y-%m-%d}: load earlier closes")
    return starts[whole], ends[whole]


def measured(window: Window) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of some accounts, and why others have none."""
    daily, whole, paths, book = window.daily, window.whole, window.paths, window.book
    starts, ends = window.starts, window.ends
    model = paths.model_rows(daily.accounts["model_id"])
    returns = performance.account_returns(daily)
    net = compounded(returns.daily, starts, ends)
    gross = compounded(returns.before_fees().daily, starts, ends)
    of_model = compounded(paths.model_returns, starts, ends)
    against = np.where(model[:, None] >= 0, of_model[model], np.nan)
    lived = np.isfinite(net) & np.isfinite(gross) & np.isfinite(against)
    enough = lived.sum(axis=1) >= LEAST_MONTHS
    reason = np.select(
        [daily.accounts["model_id"].isna(), model < 0, ~np.isfinite(net).any(axis=1), ~enough],
        ["no model", "the model has no version in force", "no whole month with a return",
         f"fewer than {LEAST_MONTHS} whole months with the model"],
        "",
    )  # fmt: skip
    ids = daily.accounts["account_id"].to_numpy(dtype=object)
    account, month = np.nonzero(lived & enough[:, None])
    keys = daily.accounts[["account_id", "advisor_id", "custodian_id", "model_id"]].iloc[account]
    columns = {
        "month": daily.sessions[ends][month],
        "net": _BP * (net - against)[account, month],
        "gross": _BP * (gross - against)[account, month],
        "fees": _BP * (net - gross)[account, month],
    }
    for name, values in (
        ("trade_lag", trade_lag(book, daily, starts, ends)),
        ("cash_drag", _BP * cash_drag(daily, whole, paths, model, starts, ends)),
        ("restrictions", restricted(book, daily, whole, paths, model, starts)),
        ("tax_locks", tax_locked(book, daily, whole, paths, model, starts)),
    ):
        columns[name] = values[account, month]
    frame = keys.reset_index(drop=True).assign(**columns)
    known = pd.DataFrame({"account_id": ids[~enough], "reason": np.asarray(reason, dtype=object)[~enough]})
    absent = daily.no_data[["account_id", "reason"]] if len(daily.no_data) else known.iloc[:0]
    absent = absent[~absent["account_id"].isin(ids)]
    return frame, pd.concat([known, absent], ignore_index=True)


def compounded(returns: Floats, starts: Ints, ends: Ints) -> Floats:
    """Compound days (... x T) to months (... x months); missing where a day of the month is."""
    out = [np.prod(1.0 + returns[..., first:last], axis=-1) - 1.0 for first, last in zip(starts, ends, strict=True)]
    return np.stack(out, axis=-1)

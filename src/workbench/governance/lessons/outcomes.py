"""How decisions turned out: what the proposed trades would have been worth against not trading, days later.

A market moves everything that was decided in a week the same way, so that one good week is one case, not fifty. Means
are given with an interval that counts weeks and not trades, and no more is read into them than that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from workbench.errors import ParameterError
from workbench.governance.lessons.frames import Decisions

#: Independent stretches of time below which no interval is given.
FEWEST = 6
#: What became of a signal, in the order shown.
GROUPS = ("released", "overridden", "revised", "rejected")


@dataclass(frozen=True)
class TurnedOut:
    """Signals of one group after `days` calendar days, in dollars and as a fraction of what was to be traded.

    `mean` and its 95 % interval are of the fraction; `stretches` are the independent periods behind them. `early` and
    `unpriced` signals are not in it. NaN where there are too few stretches.
    """

    group: str
    days: int
    signals: int
    stretches: int
    total: float
    mean: float
    low: float
    high: float
    quartiles: tuple[float, float, float]
    early: int
    unpriced: int


def how_it_turned_out(packages: pd.DataFrame, prices: pd.DataFrame, days: int) -> pd.DataFrame:
    """Value each signal's trades `days` calendar days later, against not trading.

    `packages` has a row a trade: signal_id, day (a date), security_id, shares (sold ones negative), price, cost and
    tax in dollars. `prices` has date, security_id and adj_close. A trade's gain is shares x price x the return,
    dividends reinvested, from the close of `day` to the last close within `days` after it; cash earns nothing; stated
    cost and tax are taken off, and a tax saved is added. A delayed tax is counted as a tax.

    Returns a row a signal: signal_id, day, traded, gain (before cost and tax), net, share (net / traded) and `status`:
    `known`, `early` (prices do not reach so far) or `unpriced` (a security without a price). Nothing is filled in.
    Raises `ParameterError` for fewer than one day.
    """
    if days < 1:
        raise ParameterError(f"{days} days later is not later; use 1 or more", "days")
    trades = packages.assign(day=pd.to_datetime(packages["day"]).astype("datetime64[us]"))
    table = prices.pivot(index="date", columns="security_id", values="adj_close").sort_index()
    table.index = pd.DatetimeIndex(table.index).astype("datetime64[us]")
    last = table.index[-1] if len(table) else pd.Timestamp.min
    trades["early"] = trades["day"] + pd.Timedelta(days=days) > last
    start, end = _at(table, trades, trades["day"]), _at(table, trades, trades["day"] + pd.Timedelta(days=days))
    amount = trades["shares"].to_numpy(float) * trades["price"].to_numpy(float)
    trades["amount"], trades["gain"] = np.abs(amount), amount * (end / start - 1.0)
    found = trades.groupby("signal_id", sort=True).agg(
        day=("day", "first"), traded=("amount", "sum"), gain=("gain", lambda gain: gain.sum(skipna=False)),
        cost=("cost", "sum"), tax=("tax", "sum"), early=("early", "any"),
    ).reset_index()  # fmt: skip
    found["net"] = found["gain"] - found["cost"] - found["tax"]
    found["share"] = found["net"] / found["traded"].where(found["traded"] > 0.0)
    found["status"] = np.where(found["early"], "early", np.where(found["share"].isna(), "unpriced", "known"))
    found.loc[found["status"] != "known", ["gain", "net", "share"]] = np.nan
    return found[["signal_id", "day", "traded", "gain", "net", "share", "status"]]


def turned_out(decisions: Decisions, prices: pd.DataFrame, days: int) -> tuple[TurnedOut, ...]:
    """Sum up how proposals turned out that were released, overridden, revised or rejected.

    A revised signal counts with what was first proposed. Groups may overlap: an overridden one was mostly released.
    """
    signals, findings = decisions["signals"], decisions["findings"]
    day = signals.set_index("signal_id")["as_of"]
    proposed = decisions["trades"].query("made == 'proposed'").drop(columns="made")
    proposed = proposed[proposed["signal_id"].isin(day.index)]
    each = how_it_turned_out(proposed.assign(day=proposed["signal_id"].map(day).astype("datetime64[us]")), prices, days)
    members = {
        "released": set(signals.loc[signals["outcome"] == "released", "signal_id"]),
        "rejected": set(signals.loc[signals["outcome"] == "rejected", "signal_id"]),
        "revised": set(signals.loc[signals["revised"] > 0, "signal_id"]),
        "overridden": set(findings.loc[findings["overridden"], "signal_id"]),
    }
    return tuple(_summed(group, days, each[each["signal_id"].isin(members[group])]) for group in GROUPS)


def _summed(group: str, days: int, each: pd.DataFrame) -> TurnedOut:
    known = each[each["status"] == "known"]
    early, unpriced = (int((each["status"] == status).sum()) for status in ("early", "unpriced"))
    mean, low, high, stretches = _mean(known, days)
    quartiles = tuple(known["share"].quantile([0.25, 0.5, 0.75])) if len(known) else (math.nan,) * 3
    return TurnedOut(
        group, days, len(known), stretches, float(known["net"].sum()), mean, low, high, quartiles, early, unpriced
    )  # fmt: skip


def _mean(known: pd.DataFrame, days: int) -> tuple[float, float, float, int]:
    """Mean of the fractions, its interval over stretches of `days`: cluster-robust, t (Cameron and Miller 2015).

    A window reaches into the next stretch; neighbours still share part of a market move, and the interval is if
    anything too narrow.
    """
    if known.empty:
        return math.nan, math.nan, math.nan, 0
    stretch = (known["day"] - pd.Timestamp("1970-01-05")).dt.days // days
    shares = known["share"].to_numpy(float)
    mean, many, groups = float(shares.mean()), len(shares), stretch.nunique()
    if groups < FEWEST:
        return mean, math.nan, math.nan, groups
    sums = pd.Series(shares - mean).groupby(stretch.to_numpy()).sum().to_numpy()
    error = math.sqrt((sums**2).sum() * groups / (groups - 1)) / many
    half = float(stats.t.ppf(0.975, groups - 1)) * error
    return mean, mean - half, mean + half, groups


def _at(table: pd.DataFrame, trades: pd.DataFrame, when: pd.Series) -> np.ndarray:
    """The last close on or before a moment, a week old at most; NaN where there is none."""
    row = table.index.searchsorted(when.to_numpy().astype("datetime64[us]"), side="right") - 1
    column = table.columns.get_indexer(trades["security_id"])
    known = (row >= 0) & (column >= 0)
    out = np.full(len(trades), np.nan)
    if known.any():
        found = table.to_numpy()[row[known], column[known]]
        age = when.to_numpy().astype("datetime64[us]")[known] - table.index.to_numpy()[row[known]]
        out[known] = np.where(age <= np.timedelta64(7, "D"), found, np.nan)
    return out

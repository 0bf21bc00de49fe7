"""Warnings on the currency of data: how old prices, rates, bookings and profiles are, and whether books agree."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from workbench.firm import CASH
from workbench.risk._readings import Reading
from workbench.risk.concentration_warnings import Exposures, in_holdings
from workbench.risk.limits import Limit
from workbench.risk.watched import Floats, Watched, added_up

#: Kinds that trade every session, so that a close should move.
_TRADED = ("stock", "etf")


def _price_age(watched: Watched, limit: Limit, found: Exposures) -> Reading:
    """A security that never had a price is as old as the history."""
    ages = np.where(watched.price_age < 0, np.arange(1, len(watched.sessions) + 1)[:, None], watched.price_age)
    return _of_worst_security(watched, limit, ages.astype(np.float64))


def _unmoved_price(watched: Watched, limit: Limit, found: Exposures) -> Reading:
    close = watched.close
    moved = np.zeros(close.shape, bool)
    moved[1:] = close[1:] != close[:-1]
    moved |= watched.price_age > 0
    moved[0] = True
    rows = np.arange(len(close))[:, None]
    unmoved = rows - np.maximum.accumulate(np.where(moved, rows, 0), axis=0)
    traded = watched.securities["kind"].isin(_TRADED).to_numpy(bool)
    return _of_worst_security(watched, limit, np.where(traded, unmoved, 0).astype(np.float64))


def _of_worst_security(watched: Watched, limit: Limit, ages: Floats) -> Reading:
    """The oldest among what is held today, with its own history, and everything held that is past the threshold."""
    ids = watched.securities["security_id"].to_numpy()
    held = np.zeros(len(ids), bool)
    held[watched.holding_security[watched.quantity_at(watched.last) != 0.0]] = True
    held &= ids != CASH
    if not held.any():
        return Reading.unmeasured("nothing but cash is held")
    today = np.where(held, ages[-1], -1.0)
    worst = int(today.argmax())
    old = held & (ages[-1] > limit.value)
    # Every session of the last year, so that the first one past the threshold is known.
    span = range(max(watched.first, watched.last - 251), watched.last + 1)
    series = pd.Series(ages[span.start :, worst], index=watched.sessions[span.start :])
    touched, dollars = in_holdings(watched, old[watched.holding_security])
    subject = str(ids[worst]) if today[worst] > 0 else ""
    return Reading(series, subject, touched, dollars, persistence=1)


def _rates_age(watched: Watched, limit: Limit, found: Exposures) -> Reading:
    if watched.rates_on is None:
        return Reading.unmeasured("the firm keeps no rates")
    age = _sessions_since(watched, watched.rates_on)
    subject = f"{watched.rates_on:%Y-%m-%d}"
    return Reading(_today(watched, age), subject, *_everyone(watched), persistence=1)


def _feed_age(watched: Watched, limit: Limit, found: Exposures) -> Reading:
    booked = watched.booked_on
    if booked.empty or booked.isna().all():
        return Reading.unmeasured("the firm keeps no transactions")
    silent = tuple(booked.index[booked.isna()])
    ages = booked.dropna().map(lambda day: _sessions_since(watched, day))
    worst = str(ages.idxmax())
    late = set(ages.index[ages > limit.value])
    touched = watched.accounts["custodian_id"].isin(late).to_numpy(bool)
    return Reading(
        _today(watched, float(ages[worst])), worst, touched, watched.account_value, persistence=1, unknown=silent
    )


def _lots_gap(watched: Watched, limit: Limit, found: Exposures) -> Reading:
    gaps = watched.lots_gap
    account = pd.Index(watched.accounts["account_id"]).get_indexer(gaps["account_id"])
    security = pd.Index(watched.securities["security_id"]).get_indexer(gaps["security_id"])
    known = (account >= 0) & (security >= 0)
    worth = np.abs(gaps["statement"] - gaps["lots"]).to_numpy(np.float64)[known]
    worth = worth * np.nan_to_num(watched.close[-1, security[known]])
    count = len(watched.accounts)
    dollars = added_up(worth, account[known], count)
    touched = np.bincount(account[known], minlength=count) > 0
    subject = "" if gaps.empty else f"{gaps['account_id'].iloc[0]}, {gaps['security_id'].iloc[0]}"
    return Reading(_today(watched, float(len(gaps))), subject, touched, dollars, persistence=1)


def profile_age(watched: Watched, most_days: float) -> Reading:
    """Share of households with assets whose profile was reviewed longer ago than `most_days`, or who have none."""
    value = added_up(watched.account_value, watched.household, len(watched.households))
    counted = value > 0
    if not counted.any():
        return Reading.unmeasured("no household has assets")
    reviewed = pd.to_datetime(watched.households["reviewed_on"])
    old = (reviewed.isna() | ((watched.as_of - reviewed).dt.days > most_days)).to_numpy(bool) & counted
    without = int((reviewed.isna().to_numpy() & counted).sum())
    subject = f"{int(old.sum())} of {int(counted.sum())} households"
    subject += f", {without} without a profile" if without else ""
    touched = old[watched.household]
    return Reading(
        _today(watched, float(old.sum() / counted.sum())), subject, touched, watched.account_value, persistence=1
    )


DATA: Mapping[str, Callable[[Watched, Limit, Exposures], Reading]] = {
    "price_age": _price_age,
    "unmoved_price": _unmoved_price,
    "rates_age": _rates_age,
    "feed_age": _feed_age,
    "lots_gap": _lots_gap,
}


def _sessions_since(watched: Watched, day: pd.Timestamp) -> float:
    """Sessions after a day, up to the as-of date."""
    return float(len(watched.sessions) - watched.sessions.searchsorted(day, side="right"))


def _today(watched: Watched, value: float) -> pd.Series:
    return pd.Series([value], index=watched.sessions[-1:])


def _everyone(watched: Watched) -> tuple[np.ndarray, Floats]:
    return np.ones(len(watched.accounts), bool), watched.account_value

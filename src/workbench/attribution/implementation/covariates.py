"""What may lie behind a gap, measured from the book: cash, late trades, restrictions, gains locked in by tax."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.attribution.implementation.panel import Floats, Ints
from workbench.attribution.paths import ModelPaths
from workbench.firm import CASH, Firm, effective_versions
from workbench.firm.schema import TAXED_REGISTRATIONS
from workbench.performance import DailyHoldings

#: Sessions after a decision up to which a rebalancing trade still counts as its execution.
LONGEST_LAG = 10
#: A gain below this share of the cost locks nothing.
GAIN_TOLERANCE = 0.05
#: Restrictions that keep a security out of an account, and those that keep it in.
_KEPT_OUT = ("never_buy", "never_hold")


@dataclass(frozen=True, eq=False)
class Book:
    """What the covariates read of the firm, over the sessions measured.

    - `restrictions`: account_id, kind, security (position), cap, expires_on; one row for each security barred or held.
    - `lots`: account_id, security, quantity, cost (a share, today's shares), acquired_on, held (by an instruction).
    - `price` (S x T+1): closes in today's shares, NaN before the first.
    - `trades`: account_id, session (position), dollars, late (sessions beyond the next after the decision).
    """

    restrictions: pd.DataFrame
    lots: pd.DataFrame
    price: Floats
    trades: pd.DataFrame


def read(firm: Firm, securities: tuple[str, ...], sessions: pd.DatetimeIndex) -> Book:
    """Read restrictions, lots, closes and rebalancing trades."""
    index = pd.Index(securities)
    accounts = firm.table("accounts", ["account_id", "household_id", "registration", "model_id"])
    rules = firm.table("restrictions")
    lots = firm.table("lots", ["lot_id", "account_id", "security_id", "quantity", "cost_per_share", "acquired_on"])
    lots = lots.assign(
        security=index.get_indexer(pd.Index(lots["security_id"])),
        held=lots["lot_id"].isin(rules.loc[rules["kind"] == "hold_lot", "key"]),
        taxed=lots["account_id"].map(accounts.set_index("account_id")["registration"]).isin(TAXED_REGISTRATIONS),
    )
    lots = lots[lots["held"] | lots["taxed"]]
    return Book(
        _by_security(firm, rules, accounts, index), lots, _todays_shares(firm, index, sessions),
        _trades(firm, accounts, sessions),
    )  # fmt: skip


def cash_drag(daily: DailyHoldings, whole: Floats, paths: ModelPaths, model: Ints, starts: Ints, ends: Ints) -> Floats:
    """Cash beyond the model's, times cash's return less the model's, summed over each month's days (N x months).

    `whole` (N x T+1) is the value of each account at each close.
    """
    value = whole[:, :-1]
    slot = np.flatnonzero(daily.slot_security == daily.securities.index(CASH))
    cash = np.zeros_like(value)
    cash[daily.slot_account[slot]] = daily.value[slot, :-1]
    with np.errstate(invalid="ignore", divide="ignore"):
        weight = np.where(value > 0.0, cash / value, 0.0)
    of_model = paths.security_weights[..., paths.securities.index(CASH)]
    beyond = weight - of_model[model]
    drag = -beyond * paths.model_returns[model]
    drag[model < 0] = np.nan
    return np.stack([drag[:, first:last].sum(axis=1) for first, last in zip(starts, ends, strict=True)], axis=1)


def trade_lag(book: Book, daily: DailyHoldings, starts: Ints, ends: Ints) -> Floats:
    """How many sessions late the month's rebalancing trades were, by dollars (N x months); 0 without any."""
    trades = book.trades
    account = daily.account_ids.get_indexer(pd.Index(trades["account_id"]))
    # A trade on session s falls in period s - 1.
    month = np.searchsorted(starts, trades["session"].to_numpy() - 1, side="right") - 1
    used = (account >= 0) & (month >= 0)
    used[used] &= trades["session"].to_numpy()[used] - 1 < ends[month[used]]
    shape = (len(daily.accounts), len(starts))
    late, dollars = np.zeros(shape), np.zeros(shape)
    where = (account[used], month[used])
    np.add.at(dollars, where, trades["dollars"].to_numpy()[used])
    np.add.at(late, where, (trades["dollars"] * trades["late"]).to_numpy()[used])
    return np.asarray(np.divide(late, dollars, out=np.zeros(shape), where=dollars > 0.0))


def restricted(book: Book, daily: DailyHoldings, whole: Floats, paths: ModelPaths, model: Ints, starts: Ints) -> Floats:
    """Share that restrictions keep in the account, or keep out of it against the model (N x months).

    Restrictions are those of the book now, for it does not say since when; an expired one counts up to its last day.
    """
    rules = book.restrictions
    account = daily.account_ids.get_indexer(pd.Index(rules["account_id"]))
    known = account >= 0
    known[known] = model[account[known]] >= 0
    rules, account = rules[known], account[known]
    security, expires = rules["security"].to_numpy(), rules["expires_on"]
    locked, out = (rules["kind"] == "never_sell").to_numpy(), rules["kind"].isin([*_KEPT_OUT, "screen"]).to_numpy()
    cap = np.where(out, 0.0, rules["cap"].to_numpy(np.float64))
    result = np.zeros((len(daily.accounts), len(starts)))
    if not len(rules) and not book.lots["held"].any():
        return result
    of_model = paths.security_weights
    for place, start in enumerate(starts):
        weight = _weights(daily, start)
        target = np.nan_to_num(of_model[:, start])
        current = (expires.isna() | (expires >= daily.sessions[start])).to_numpy()
        held, wanted = weight[account, security], target[model[account], security]
        # What is kept out is what the model holds beyond the cap and the account does not hold.
        bound = np.where(locked, held, np.clip(wanted - np.maximum(held, cap), 0.0, None))
        np.add.at(result[:, place], account[current], bound[current])
        result[:, place] += _lots_share(book, daily, whole, start, held=True).sum(axis=1)
    return result


def tax_locked(book: Book, daily: DailyHoldings, whole: Floats, paths: ModelPaths, model: Ints, starts: Ints) -> Floats:
    """Share over the model that consists of lots with gains, taxed accounts only (N x months)."""
    result = np.zeros((len(daily.accounts), len(starts)))
    of_model, known = paths.security_weights, model >= 0
    for place, start in enumerate(starts):
        target = np.nan_to_num(of_model[:, start])[:, : len(daily.securities)][model]
        over = np.clip(_weights(daily, start) - target, 0.0, None)
        locked = np.minimum(_lots_share(book, daily, whole, start, held=False), over).sum(axis=1)
        result[:, place] = np.where(known, locked, 0.0)
    return result


def _weights(daily: DailyHoldings, close: int) -> Floats:
    """Weights at a close (N x S); zero where the account has no value."""
    dense = np.zeros((len(daily.accounts), len(daily.securities)))
    dense[daily.slot_account, daily.slot_security] = daily.value[:, close]
    total = dense.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(dense, total, out=np.zeros_like(dense), where=total > 0.0))


def _lots_share(book: Book, daily: DailyHoldings, whole: Floats, close: int, *, held: bool) -> Floats:
    """Share of each account in lots held by instruction, or with a gain beyond the tolerance (N x S)."""
    lots = book.lots
    account = daily.account_ids.get_indexer(pd.Index(lots["account_id"]))
    security = lots["security"].to_numpy()
    price = book.price[security, close]
    gain = price > (1.0 + GAIN_TOLERANCE) * lots["cost_per_share"].to_numpy()
    wanted = lots["held"].to_numpy() if held else gain & lots["taxed"].to_numpy()
    used = (account >= 0) & wanted & np.isfinite(price) & (lots["acquired_on"] <= daily.sessions[close]).to_numpy()
    dollars = np.zeros((len(daily.accounts), len(daily.securities)))
    np.add.at(dollars, (account[used], security[used]), (lots["quantity"].to_numpy() * price)[used])
    value = whole[:, close][:, None]
    return np.asarray(np.divide(dollars, value, out=np.zeros_like(dollars), where=value > 0.0))


def _by_security(firm: Firm, rules: pd.DataFrame, accounts: pd.DataFrame, index: pd.Index) -> pd.DataFrame:
    """One row for each account, restriction and security it names; a household's apply to each of its accounts."""
    of_household = rules[rules["scope"] == "household"].merge(
        accounts[["account_id", "household_id"]], left_on="scope_id", right_on="household_id"
    )
    of_account = rules[rules["scope"] == "account"].assign(account_id=lambda rows: rows["scope_id"])
    columns = ["account_id", "kind", "key", "value", "expires_on"]
    rows = pd.concat([of_household[columns], of_account[columns]], ignore_index=True)
    screens = firm.table("securities", ["security_id", "screens"]).explode("screens").dropna()
    named = rows[rows["kind"].isin([*_KEPT_OUT, "never_sell", "max_weight"])].assign(security_id=lambda r: r["key"])
    screened = rows[rows["kind"] == "screen"].merge(screens, left_on="key", right_on="screens")
    rows = pd.concat([named, screened[[*columns, "security_id"]]], ignore_index=True)
    rows = rows.assign(security=index.get_indexer(pd.Index(rows["security_id"])), cap=rows["value"])
    rows = rows[rows["security"] >= 0].drop_duplicates(["account_id", "kind", "security"])
    # Two bans on one security keep it out once.
    bans = rows["kind"].isin([*_KEPT_OUT, "screen"])
    return pd.concat([rows[bans].drop_duplicates(["account_id", "security"]), rows[~bans]], ignore_index=True)


def _todays_shares(firm: Firm, index: pd.Index, sessions: pd.DatetimeIndex) -> Floats:
    """Last known closes divided by every later split (S x sessions)."""
    prices = firm.table("prices", ["date", "security_id", "close", "split_ratio"])
    prices = prices[prices["date"] <= sessions[-1]]
    wide = prices.pivot(index="date", columns="security_id", values="close").ffill()
    splits = prices.pivot(index="date", columns="security_id", values="split_ratio").fillna(1.0)
    later = splits[::-1].cumprod()[::-1].shift(-1).fillna(1.0)
    rows = np.asarray(wide.index.searchsorted(sessions, side="right")) - 1
    adjusted = (wide / later).reindex(columns=index).to_numpy(np.float64)
    return np.where(rows[:, None] >= 0, adjusted[rows], np.nan).T


def _trades(firm: Firm, accounts: pd.DataFrame, sessions: pd.DatetimeIndex) -> pd.DataFrame:
    """Rebalancing trades that execute a decision, and how many sessions beyond the next they came."""
    table = firm.table("transactions", ["account_id", "trade_date", "kind", "origin", "amount"])
    table = table[(table["origin"] == "rebalance") & table["kind"].isin(["buy", "sell"])]
    table = table[(table["trade_date"] > sessions[0]) & (table["trade_date"] <= sessions[-1])]
    session = np.asarray(sessions.searchsorted(table["trade_date"]))
    models = accounts.set_index("account_id")["model_id"]
    model = table["account_id"].map(models).to_numpy(dtype=object)
    quarter = sessions.to_period("Q")
    reviews = np.flatnonzero(quarter[1:] != quarter[:-1])
    versions = effective_versions(firm.table("models"), sessions[-1])
    decided = _latest_before(reviews, session)
    for name in pd.unique(model[pd.notna(model)]):
        days = versions.loc[versions["model_id"] == name, "effective_date"]
        effective = np.sort(np.asarray(sessions.searchsorted(pd.DatetimeIndex(days))))
        mine = model == name
        decided[mine] = np.maximum(decided[mine], _latest_before(effective, session[mine]))
    lag = session - decided
    trades = pd.DataFrame(
        {
            "account_id": table["account_id"].to_numpy(dtype=object),
            "session": session,
            "dollars": table["amount"].abs().to_numpy(np.float64),
            "late": lag - 1.0,
        }
    )
    return trades[(decided >= 0) & (lag <= LONGEST_LAG)].reset_index(drop=True)


def _latest_before(events: Ints, session: Ints) -> Ints:
    """The last event strictly before each session; far in the past where there is none."""
    place = np.searchsorted(events, session, side="left") - 1
    padded = np.append(events, -1_000_000)
    return np.asarray(np.where(place >= 0, padded[place], -1_000_000), dtype=np.int64)

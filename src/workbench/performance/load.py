"""From the firm's tables to the ledger of daily holdings: the one place of this room that reads the book of record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from workbench.errors import FirmDataError, MarketDataError, ParameterError
from workbench.firm import CASH, Firm, codes
from workbench.performance._ledger import ROLES, Book, Rows, build
from workbench.performance.daily import DailyHoldings, Floats, Ints

#: Slots x closes that a chunk aims at: arrays of 40 MB, small enough to be written again rather than fetched anew.
_CHUNK_CELLS = 5_000_000


def load(firm: Firm, start: pd.Timestamp | str | None = None, accounts: Sequence[str] | None = None) -> DailyHoldings:
    """Return what accounts held at each close from `start` to the firm's as-of date, and what they gained.

    The first close is that of the last session on or before `start`; with None the end of the year before, or the
    first close there is. Sessions are the days on which any security has a close, as in `market.price_history`; rows
    of other days count at the next session's close, and those after the last close at the last one.

    Accounts come in order of identifier, all of them where `accounts` is None; before the day an account opened (or
    its first transaction, where that is earlier) its values are 0. A holding without a close that day is valued at the
    last one known, or where there is none yet at the price the account last traded or received it at; an account that
    holds something without any price, or that held and moved nothing, is in `no_data` with the reason.

    Memory at the peak is about 45 bytes for each slot and session: 0.3 GB for 300 accounts of 31 securities over three
    years. For many accounts take `chunks`. Raises `ParameterError` for an unknown or repeated account and a `start`
    that leaves no period, `MarketDataError` where the closes do not reach back to it, `FirmDataError` without CASH.
    """
    return build(_read(firm, start, accounts))


def chunks(
    firm: Firm,
    start: pd.Timestamp | str | None = None,
    accounts: Sequence[str] | None = None,
    size: int | None = None,
) -> Iterator[DailyHoldings]:
    """Yield the ledger of `size` accounts after another, each the same as in the whole; the tables are read once.

    None takes as many accounts as make arrays of about 40 MB, so that a large firm, or a long time, needs little more
    memory than its transactions. Other arguments and errors as `load`.
    """
    if size is not None and size < 1:
        raise ParameterError(f"size is {size}; give 1 account or more", "size")
    book = _read(firm, start, accounts)
    count = len(book.accounts)
    slots = 1.0 + len(book.position_account) / max(count, 1)
    step = size or max(int(_CHUNK_CELLS / (slots * len(book.sessions))), 1)
    for first in range(0, count, step):
        yield build(book.of(first, min(first + step, count)))


def _read(firm: Firm, start: pd.Timestamp | str | None, accounts: Sequence[str] | None) -> Book:
    frame = _accounts(firm, accounts)
    securities = tuple(sorted(firm.table("securities", ["security_id"])["security_id"]))
    if CASH not in securities:
        raise FirmDataError(f"securities: there is no {CASH}; add it, kind cash")
    sessions, close, age = _closes(firm, start, securities)
    account_ids, security_ids = pd.Index(frame["account_id"]), pd.Index(securities)
    table = firm.arrow("positions", ["account_id", "security_id", "quantity"])
    account, security = codes(table["account_id"], account_ids), codes(table["security_id"], security_ids)
    order = _order(account, security)
    rows, first_row = _rows(firm, account_ids, security_ids, sessions, np.asarray(np.isnan(close).any(axis=1)))
    opened = frame["opened_on"].to_numpy("datetime64[D]")
    return Book(
        accounts=frame,
        begins=sessions.searchsorted(np.minimum(opened, first_row)).astype(np.int32),
        sessions=sessions,
        securities=securities,
        cash=securities.index(CASH),
        close=close,
        age=age,
        position_account=account[order],
        position_security=security[order],
        position_quantity=table["quantity"].to_numpy().astype(np.float64)[order],
        rows=rows,
    )


def _accounts(firm: Firm, accounts: Sequence[str] | None) -> pd.DataFrame:
    frame = firm.table("accounts").sort_values("account_id", ignore_index=True)
    if accounts is None:
        return frame
    wanted = pd.Index(accounts)
    if wanted.has_duplicates:
        raise ParameterError(f"account {wanted[wanted.duplicated()][0]!r} is given twice; name each once", "accounts")
    unknown = wanted.difference(pd.Index(frame["account_id"]), sort=False)
    if len(unknown):
        named = ", ".join(repr(str(account)) for account in unknown[:3])
        raise ParameterError(f"the firm has no account {named} ({len(unknown)} unknown); see its accounts", "accounts")
    return frame[frame["account_id"].isin(wanted)].reset_index(drop=True)


def _closes(
    firm: Firm, start: pd.Timestamp | str | None, securities: tuple[str, ...]
) -> tuple[pd.DatetimeIndex, Floats, Ints]:
    """The sessions of the window, and last known close and its age in sessions of each security (S x T+1)."""
    table = firm.arrow("prices", ["date", "security_id", "close"])
    security = codes(table["security_id"], pd.Index(securities))
    date = table["date"].to_numpy().astype("datetime64[D]")
    used = (security >= 0) & (date <= firm.as_of.to_datetime64())
    date, security, given = date[used], security[used], table["close"].to_numpy().astype(np.float64)[used]
    days, day = np.unique(date, return_inverse=True)
    first = _first_session(days, start, firm.as_of)
    wide = np.full((len(securities), len(days)), np.nan)
    wide[security, day] = given
    last = np.where(np.isnan(wide), -1, np.arange(len(days)))
    last = np.maximum.accumulate(last, axis=1)[:, first:]
    close = np.where(last < 0, np.nan, np.take_along_axis(wide, np.maximum(last, 0), axis=1))
    age = np.where(last < 0, -1, np.arange(first, len(days)) - last).astype(np.int32)
    cash = securities.index(CASH)
    close[cash], age[cash] = 1.0, 0
    return pd.DatetimeIndex(days[first:].astype("datetime64[ms]")), close, age


def _first_session(days: np.ndarray, start: pd.Timestamp | str | None, as_of: pd.Timestamp) -> int:
    """Position of the last session on or before `start`."""
    if len(days) < 2:
        raise MarketDataError(
            f"prices: {len(days)} session up to {as_of:%Y-%m-%d}; a return needs two, so add earlier closes"
        )
    if start is None:
        return max(int(np.searchsorted(days, np.datetime64(f"{as_of.year}-01-01"))) - 1, 0)
    day = pd.Timestamp(start).normalize()
    if pd.isna(day):
        raise ParameterError("start is no date; give a day or None", "start")
    first = int(np.searchsorted(days, day.to_datetime64(), side="right")) - 1
    if first < 0:
        raise MarketDataError(f"start {day:%Y-%m-%d} is before the first close, {days[0]}; start there, or load more")
    if first >= len(days) - 1:
        raise ParameterError(f"start {day:%Y-%m-%d} leaves no period before the last close, {days[-1]}", "start")
    return first


def _rows(
    firm: Firm, account_ids: pd.Index, security_ids: pd.Index, sessions: pd.DatetimeIndex, lacking: np.ndarray
) -> tuple[Rows, np.ndarray]:
    """The window's transactions sorted by account and day, and the day of each account's first one ever.

    Earlier rows of securities that lack a close (`lacking`, S) are kept too: their price may be all that is known.
    """
    columns = ["account_id", "security_id", "trade_date", "kind", "quantity", "amount", "price"]
    table = firm.arrow("transactions", columns)
    first_row = np.full(len(account_ids), np.datetime64("9999-12-31"), "datetime64[D]")
    if not table.num_rows:
        nothing, none = np.zeros(0), np.zeros(0, np.int32)
        return Rows(none, none, none, none, none.astype(bool), nothing, nothing, nothing), first_row
    account, security = codes(table["account_id"], account_ids), codes(table["security_id"], security_ids)
    date = table["trade_date"].to_numpy().astype("datetime64[D]")
    known = (account >= 0) & (date <= firm.as_of.to_datetime64())
    np.minimum.at(first_row.view(np.int64), account[known], date[known].view(np.int64))
    used = np.flatnonzero(known & ((date > sessions[0].to_datetime64()) | lacking[security]))
    order = used[np.lexsort((date[used], account[used]))]
    kinds = pd.Index(list(ROLES))
    kind = codes(table["kind"], kinds)[order]
    number = {name: table[name].to_numpy()[order].astype(np.float64) for name in ("quantity", "amount", "price")}
    day = np.minimum(sessions.searchsorted(date[order]), len(sessions) - 1)
    rows = Rows(
        account=account[order],
        security=security[order],
        day=day.astype(np.int32),
        role=np.array(list(ROLES.values()), dtype=np.int32)[kind],
        is_split=kind == kinds.get_loc("split"),
        **number,
    )
    return rows, first_row


def _order(account: Ints, security: Ints) -> np.ndarray:
    """Places of the rows of known accounts, by account and then security."""
    order = np.lexsort((security, account))
    return order[account[order] >= 0]

"""Wash sales over a history of trades: which losses are disallowed, where they go, and what is lost for good.

The rule (IRC 1091; 26 CFR 1.1091-1, -2; IRS Pub. 550): a loss is disallowed as far as substantially identical shares
are acquired from 30 days before to 30 days after the sale. Losses are worked in order of disposition, those of one day
in order of original acquisition; replacements in order of acquisition, share for share, each share once. The matched
shares, and only they, take the loss into their basis and the sold shares' holding period (IRC 1223(3)). The rest of the
very lot that is sold, and shares already sold, replace nothing. All accounts of a household count; a purchase in an
IRA, a Roth IRA or another account whose gains are not taxed disallows the loss for good (Rev. Rul. 2008-5).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.errors import BadRow, FirmDataError, ParameterError
from workbench.firm.schema import TAXED_REGISTRATIONS
from workbench.tax.holding import is_long_term

Floats = NDArray[np.float64]
Longs = NDArray[np.int64]

#: Columns that `match_wash_sales` needs; the others have defaults.
REQUIRED = ("account_id", "security_id", "trade_date", "side", "shares", "total")


@dataclass(frozen=True, eq=False)
class WashSales:
    """What became of every sale, of every loss, and of the lots still open.

    `blocks` has one row a sale and lot, or part of a lot with a basis of its own: `gain` is proceeds less basis,
    `disallowed` the part of a loss (positive) that a wash sale takes, `permanent` the part of it lost for good,
    `recognised` what counts this year (gain + disallowed; zero in an account that is not taxed), `deductible` the loss
    in it. Where the basis is unknown these are missing. `matches` names the replacement of each disallowed loss.
    `open_lots` are the shares still held, split where only a part replaced something, with `basis` in dollars as
    adjusted, `adjustment` the loss in it, `holding_start` the first day of the holding period (tacked),
    `deemed_acquired_on` the day before (a purchase that day would have the same holding period), and `replacement`
    whether the shares have been used as one. `trade` and `replacement_trade` are index labels of the trades handed in.
    """

    blocks: pd.DataFrame
    matches: pd.DataFrame
    open_lots: pd.DataFrame


def match_wash_sales(trades: pd.DataFrame) -> WashSales:
    """Match the wash sales of whole households over their histories of trades.

    One row a trade: `account_id`, `security_id`, `trade_date`, `side` ("buy" or "sell"), `shares` (positive, adjusted
    for splits), `total` (dollars paid with costs, or received net; a missing total of a buy is an unknown basis).
    Optional: `household_id` (default: one household), `wash_group` (substantially identical securities share one;
    default and where missing: the security), `registration` or `taxed` (default: taxed), `lot_id` (the lot bought, or
    the lot sold; a sale without one takes its account's lots first in, first out), `sequence` (order within a day,
    where it is known), `holding_start` of a bought lot (default: the day after its purchase), `used_shares` of a
    bought lot that are no replacement any more, because they were used before or were not bought (gift, spin-off).
    Buys of one day with one lot are executions of one order, hence one lot.

    Without `sequence`, sales of one day count as made in order of acquisition, and of two purchases of one day the
    taxed account's comes first. Of a lot only partly a replacement, the shares that are one are sold first. The order
    of rows does not matter. Raises `ParameterError` for missing columns and `FirmDataError` for rows that cannot be.
    """
    from workbench.tax import _wash

    book = _prepare(trades)
    buys = _merge_executions(book[book["buy"]].drop(columns="buy"))
    sells = book[~book["buy"]].drop(columns="buy").reset_index(drop=True)
    buys = _in_order_of_acquisition(buys)
    lot_day = _day(buys["trade_date"])
    bucket = buys["bucket"].to_numpy()
    by_bucket = np.argsort(bucket, kind="stable")
    bucket_ptr = _offsets(bucket, 1 + max(bucket.max(initial=-1), sells["bucket"].max() if len(sells) else -1))

    sells["lot"] = _named_lots(buys, sells)
    order = np.lexsort(
        [sells[c].to_numpy() for c in ("total", "shares", "lot_code", "lot", "sequence")]
        + [sells["lot"].to_numpy() < 0, _day(sells["trade_date"])]
    )
    sells = sells.iloc[order].reset_index(drop=True)
    fill_sale, fill_lot, fill_shares, short = _wash.fill_sales(
        bucket_ptr, by_bucket, lot_day, buys["shares"].to_numpy(), sells["bucket"].to_numpy(),
        _day(sells["trade_date"]), sells["shares"].to_numpy(), sells["lot"].to_numpy(),
    )  # fmt: skip
    _refuse(sells, short, "shares", "more shares than are held of that lot or security on that day",
            "add the missing purchases, or correct the sale")  # fmt: skip

    group = sells["group"].to_numpy()[fill_sale]
    price = (sells["total"] / sells["shares"]).to_numpy()[fill_sale]
    sold = _day(sells["trade_date"])[fill_sale]
    order = np.lexsort([fill_shares, price, fill_lot, sells["sequence"].to_numpy()[fill_sale], sold, group])
    fill_sale, fill_lot, fill_shares = fill_sale[order], fill_lot[order], fill_shares[order]
    price, sold, group = price[order], sold[order], group[order]
    groups = 1 + int(buys["group"].max()) if len(buys) else 0
    blocks, matches, still_open = _wash.match(
        _offsets(buys["group"].to_numpy(), groups), lot_day, _day(buys["holding_start"]), buys["shares"].to_numpy(),
        (buys["total"] / buys["shares"]).to_numpy(), buys["taxed"].to_numpy(), buys["used_shares"].to_numpy(),
        _offsets(group, groups), fill_lot, sold, fill_shares, price,
    )  # fmt: skip
    block_frame = _block_frame(buys, sells, blocks, fill_sale, fill_lot, price)
    return WashSales(
        blocks=block_frame,
        matches=_match_frame(buys, block_frame, matches),
        open_lots=_open_frame(buys, still_open),
    )


def _prepare(trades: pd.DataFrame) -> pd.DataFrame:
    """Check the rows and fill in what may be left out; codes stand for household, group, bucket and lot."""
    missing = [column for column in REQUIRED if column not in trades]
    if missing:
        raise ParameterError(f"trades lack the column {', '.join(missing)}; add it", missing[0])
    book = pd.DataFrame({column: trades[column].array for column in REQUIRED})
    book["trade"] = trades.index
    book["trade_date"] = pd.to_datetime(book["trade_date"]).dt.normalize()
    for column in ("shares", "total"):
        book[column] = book[column].astype(np.float64)
    side = book["side"].astype("string")
    book["buy"] = (side == "buy").fillna(False).to_numpy(bool)
    _refuse(book, np.flatnonzero(~side.isin(["buy", "sell"])), "side", "neither buy nor sell", "write buy or sell")
    _refuse(book, np.flatnonzero(book["trade_date"].isna()), "trade_date", "no date", "give the trade date")
    good = (book["shares"] > 0) & np.isfinite(book["shares"])
    _refuse(
        book, np.flatnonzero(~good), "shares", "not a positive number", "give shares above 0; the side says the sign"
    )
    bad = ~np.isfinite(book["total"]) & ~(book["buy"] & book["total"].isna())
    _refuse(book, np.flatnonzero(bad), "total", "not a number", "give the proceeds in dollars")
    return _with_codes(_with_defaults(book, trades))


def _with_defaults(book: pd.DataFrame, trades: pd.DataFrame) -> pd.DataFrame:
    def optional(column: str, default: object) -> object:
        return trades[column].array if column in trades else default

    book["household_id"] = optional("household_id", "")
    group = pd.Series(optional("wash_group", None), index=book.index, dtype="object")
    book["wash_group"] = group.where(group.notna(), book["security_id"].astype("object")).astype("str")
    book["lot_id"] = pd.Series(optional("lot_id", None), index=book.index, dtype="str")
    book["sequence"] = pd.Series(optional("sequence", 0), index=book.index).astype(np.float64)
    book["used_shares"] = pd.Series(optional("used_shares", 0.0), index=book.index).astype(np.float64).fillna(0.0)
    start = pd.Series(optional("holding_start", pd.NaT), index=book.index)
    next_day = book["trade_date"] + pd.Timedelta(days=1)
    book["holding_start"] = pd.to_datetime(start).dt.normalize().fillna(next_day)
    if "taxed" in trades:
        book["taxed"] = trades["taxed"].to_numpy(bool)
    elif "registration" in trades:
        book["taxed"] = trades["registration"].isin(TAXED_REGISTRATIONS).to_numpy(bool)
    else:
        book["taxed"] = True
    return book


def _codes(values: pd.Series) -> Longs:
    """Numbers in the order of the values, so that sorting by them does not depend on the rows; -1 where missing."""
    codes, uniques = pd.factorize(values)
    rank = np.empty(len(uniques) + 1, np.int64)
    rank[-1] = -1
    rank[np.argsort(np.asarray(uniques, dtype=object), kind="stable")] = np.arange(len(uniques))
    return np.asarray(rank[codes], np.int64)


def _pair(first: Longs, second: Longs) -> Longs:
    """One number for each pair, in order of the pairs."""
    return np.unique(first * (second.max(initial=0) + 2) + second, return_inverse=True)[1].astype(np.int64)


def _with_codes(book: pd.DataFrame) -> pd.DataFrame:
    household = _codes(book["household_id"])
    book["group"] = _pair(household, _codes(book["wash_group"]))
    book["account_code"] = _codes(book["account_id"])
    account = _pair(household, book["account_code"].to_numpy())
    book["bucket"] = _pair(account, _codes(book["security_id"]))
    book["lot_code"] = _codes(book["lot_id"])
    return book


def _merge_executions(buys: pd.DataFrame) -> pd.DataFrame:
    """Add up the executions of one order; refuse a lot that is bought on two days."""
    key = ["bucket", "lot_code"]
    again = (buys["lot_code"] >= 0) & buys.duplicated(key, keep=False)
    if not again.any():
        return buys.reset_index(drop=True)
    many = buys[again]
    days = many.groupby(key)["trade_date"].transform("nunique")
    _refuse(many, np.flatnonzero(days > 1), "lot_id", "bought on more than one day", "give each purchase its own lot")
    rules = {c: "first" for c in buys.columns if c not in key}
    rules |= {"shares": "sum", "used_shares": "sum", "sequence": "min", "holding_start": "min"}
    merged = many.sort_values(["total", "shares"]).groupby(key, as_index=False).agg(rules)
    # sum() would take a missing total for zero
    merged["total"] = many.groupby(key)["total"].sum(min_count=1).to_numpy()
    merged.loc[many.groupby(key)["total"].apply(lambda v: v.isna().any()).to_numpy(), "total"] = np.nan
    return pd.concat([buys[~again], merged[buys.columns]], ignore_index=True)


def _in_order_of_acquisition(buys: pd.DataFrame) -> pd.DataFrame:
    keys = ("total", "shares", "lot_code", "bucket")
    order = np.lexsort(
        [buys[c].to_numpy() for c in keys]
        + [~buys["taxed"].to_numpy(), buys["sequence"].to_numpy(), _day(buys["trade_date"]), buys["group"].to_numpy()]
    )
    return buys.iloc[order].reset_index(drop=True)


def _named_lots(buys: pd.DataFrame, sells: pd.DataFrame) -> Longs:
    """The position of the lot that each sale names, -1 where it names none."""
    span = 1 + max(buys["lot_code"].max() if len(buys) else 0, sells["lot_code"].max() if len(sells) else 0, 0)
    known = pd.Index(buys["bucket"].to_numpy() * span + buys["lot_code"].to_numpy())
    keys = known.where(buys["lot_code"].to_numpy() >= 0, -1 - np.arange(len(buys)))
    named = sells["lot_code"].to_numpy() >= 0
    wanted = sells["bucket"].to_numpy() * span + sells["lot_code"].to_numpy()
    lot = np.where(named, keys.get_indexer(wanted), -1).astype(np.int64)
    _refuse(sells, np.flatnonzero(named & (lot < 0)), "lot_id", "a lot that was never bought in that account",
            "add its purchase, or leave the lot out for first in, first out")  # fmt: skip
    return lot


def _day(dates: pd.Series) -> Longs:
    return dates.to_numpy().astype("datetime64[D]").astype(np.int64)


def _date(days: Longs) -> NDArray[np.datetime64]:
    return days.astype("datetime64[D]").astype("datetime64[s]")


def _offsets(codes: Longs, size: int) -> Longs:
    return np.concatenate([[0], np.cumsum(np.bincount(codes, minlength=size))]).astype(np.int64)


def _refuse(rows: pd.DataFrame, bad: Longs, column: str, problem: str, remedy: str) -> None:
    if not len(bad):
        return
    found = [
        BadRow("trades", None, str(row["trade"]), column, str(row[column]), problem, remedy)
        for _, row in rows.iloc[bad[:1000]].iterrows()
    ]
    named = ", ".join(row.key for row in found[:5])
    raise FirmDataError(f"trades {named}: {column} is {problem} ({len(bad)} rows); {remedy}", found)


_NAMES = ["household_id", "wash_group", "account_id", "security_id"]


def _block_frame(
    buys: pd.DataFrame, sells: pd.DataFrame, blocks: tuple, fill_sale: Longs, fill_lot: Longs, price: Floats
) -> pd.DataFrame:
    fill, shares, cost, start, disallowed, permanent = blocks
    lots = buys.iloc[fill_lot[fill]]
    sale = sells.iloc[fill_sale[fill]]
    frame = sale[_NAMES].reset_index(drop=True)
    frame["lot_id"] = lots["lot_id"].array
    frame["trade"] = sale["trade"].array
    frame["sold_on"] = sale["trade_date"].array
    frame["shares"], frame["proceeds"], frame["basis"] = shares, price[fill] * shares, cost * shares
    frame["gain"] = frame["proceeds"] - frame["basis"]
    unknown = np.isnan(cost)
    # a loss matched whole is gone to the last bit
    whole = np.isclose(disallowed, -frame["gain"], rtol=1e-12, atol=0.0)
    frame["disallowed"] = np.where(unknown, np.nan, np.where(whole, -frame["gain"], disallowed))
    frame["permanent"] = np.where(unknown, np.nan, permanent)
    taxed = lots["taxed"].to_numpy()
    frame["recognised"] = np.where(taxed, frame["gain"] + frame["disallowed"], 0.0)
    frame["deductible"] = np.maximum(-frame["recognised"], 0.0)
    frame["taxed"] = taxed
    frame["acquired_on"] = lots["trade_date"].array
    frame["deemed_acquired_on"], frame["holding_start"] = _date(start - 1), _date(start)
    frame["term"] = np.where(is_long_term(frame["holding_start"], frame["sold_on"]), "long", "short")
    return frame


def _match_frame(buys: pd.DataFrame, blocks: pd.DataFrame, matches: tuple) -> pd.DataFrame:
    block, lot, shares = matches
    loss, replacement = blocks.iloc[block], buys.iloc[lot]
    frame = loss[[*_NAMES, "lot_id", "trade", "sold_on"]].reset_index(drop=True)
    frame["replacement_account_id"] = replacement["account_id"].array
    frame["replacement_security_id"] = replacement["security_id"].array
    frame["replacement_lot_id"] = replacement["lot_id"].array
    frame["replacement_trade"] = replacement["trade"].array
    frame["replaced_on"] = replacement["trade_date"].array
    frame["shares"] = shares
    frame["disallowed"] = -(loss["gain"] / loss["shares"]).to_numpy() * shares
    frame["permanent"] = ~replacement["taxed"].to_numpy()
    return frame


def _open_frame(buys: pd.DataFrame, still_open: tuple) -> pd.DataFrame:
    lot, shares, cost, start, used = still_open
    lots = buys.iloc[lot]
    frame = lots[[*_NAMES, "lot_id", "trade", "taxed"]].reset_index(drop=True)
    frame["shares"], frame["basis"] = shares, cost * shares
    frame["adjustment"] = (cost - (lots["total"] / lots["shares"]).to_numpy()) * shares
    frame["acquired_on"] = lots["trade_date"].array
    frame["deemed_acquired_on"], frame["holding_start"] = _date(start - 1), _date(start)
    frame["replacement"] = used
    return frame

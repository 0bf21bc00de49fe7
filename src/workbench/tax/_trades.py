"""Trades as numbers: rows checked, defaults filled in, buys in order of acquisition, sales in order of disposition."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.errors import BadRow, FirmDataError, ParameterError
from workbench.firm.schema import TAXED_REGISTRATIONS

Longs = NDArray[np.int64]

#: Columns that trades must have; the others have defaults.
REQUIRED = ("account_id", "security_id", "trade_date", "side", "shares", "total")
LABELS = ["household_id", "wash_group", "account_id", "security_id", "lot_id", "trade"]


@dataclass(frozen=True, eq=False)
class Trades:
    """Checked trades. `labels` has the text of every row, by position; the others are numbers only.

    `buys` (one row a lot) and `sells` have `row` (position in `labels`), `day` and `start` (days since 1970), `shares`,
    `total`, `sequence`, `taxed`, `used_shares`, `group` (household and identical securities), `bucket` (account and
    security) and `lot_code` (-1: none named). `sells` also has `lot`, the position in `buys` that it names, or -1.
    """

    labels: pd.DataFrame
    buys: pd.DataFrame
    sells: pd.DataFrame


def read_trades(frame: pd.DataFrame) -> Trades:
    """Check the rows and put them in order; see `match_wash_sales` for the columns and errors."""
    labels = _labels(frame)
    book = _with_codes(_numbers(frame, labels), labels)
    side = frame["side"].astype("str").to_numpy()
    buys = _merge_executions(book[side == "buy"], labels)
    order = np.lexsort(
        [buys[c].to_numpy() for c in ("total", "shares", "lot_code", "bucket")]
        + [~buys["taxed"].to_numpy(), *(buys[c].to_numpy() for c in ("sequence", "day", "group"))]
    )
    buys = buys.iloc[order].reset_index(drop=True)
    sells = book[side == "sell"].reset_index(drop=True)
    sells["lot"] = _named_lots(buys, sells, labels)
    order = np.lexsort(
        [sells[c].to_numpy() for c in ("total", "shares", "bucket", "lot", "sequence")]
        + [sells["lot"].to_numpy() < 0, sells["day"].to_numpy()]
    )
    return Trades(labels, buys, sells.iloc[order].reset_index(drop=True))


def refuse(rows: Longs, labels: pd.DataFrame, values: pd.Series, problem: str, remedy: str) -> None:
    """Raise `FirmDataError` naming the trades at positions `rows`; `values` is the column at fault."""
    if not len(rows):
        return
    column = str(values.name)
    found = [
        BadRow("trades", int(row), str(labels["trade"].iloc[row]), column, str(values.iloc[row]), problem, remedy)
        for row in rows[:1000]
    ]
    named = ", ".join(row.key for row in found[:5])
    raise FirmDataError(f"trades {named}: {column} is {problem} ({len(rows)} rows); {remedy}", found)


def _labels(frame: pd.DataFrame) -> pd.DataFrame:
    missing = [column for column in REQUIRED if column not in frame]
    if missing:
        raise ParameterError(f"trades lack the column {', '.join(missing)}; add it", missing[0])
    labels = pd.DataFrame({"trade": frame.index.array})
    for column in ("account_id", "security_id"):
        labels[column] = pd.Series(frame[column].array).astype("str")
    for column, default in (("household_id", ""), ("lot_id", None)):
        values = frame[column].array if column in frame else default
        labels[column] = pd.Series(values, index=labels.index).astype("str")
    group = pd.Series(frame["wash_group"].array if "wash_group" in frame else None, index=labels.index).astype("str")
    labels["wash_group"] = group.fillna(labels["security_id"])
    return labels[LABELS]


def _numbers(frame: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    date = pd.Series(pd.to_datetime(frame["trade_date"]).array, name="trade_date")
    side = pd.Series(frame["side"].array, name="side").astype("str")
    shares = pd.Series(frame["shares"].array, name="shares").astype(np.float64)
    total = pd.Series(frame["total"].array, name="total").astype(np.float64)
    for bad, values, problem, remedy in (
        (~side.isin(["buy", "sell"]), side, "neither buy nor sell", "write buy or sell"),
        (date.isna(), date, "no date", "give the trade date"),
        (~((shares > 0) & np.isfinite(shares)), shares, "not a positive number", "give shares above 0"),
        (
            ~np.isfinite(total) & ~((side == "buy") & total.isna()),
            total,
            "not a number",
            "give the proceeds in dollars",
        ),
    ):
        refuse(np.flatnonzero(bad), labels, values, problem, remedy)
    book = pd.DataFrame({"row": np.arange(len(frame)), "day": _day(date), "shares": shares, "total": total})
    book["start"] = book["day"] + 1
    if "holding_start" in frame:
        given = pd.Series(pd.to_datetime(frame["holding_start"]).array)
        book["start"] = np.where(given.notna(), _day(given), book["start"])
    for column in ("sequence", "used_shares"):
        book[column] = frame[column].to_numpy(np.float64) if column in frame else 0.0
        book[column] = book[column].fillna(0.0)
    if "taxed" in frame:
        book["taxed"] = frame["taxed"].to_numpy(bool)
    else:
        taxed = frame["registration"].isin(TAXED_REGISTRATIONS) if "registration" in frame else pd.Series(True)
        book["taxed"] = np.broadcast_to(taxed.to_numpy(bool), len(frame)).copy()
    return book


def _day(dates: pd.Series) -> Longs:
    return dates.to_numpy().astype("datetime64[D]").astype(np.int64)


def _codes(values: pd.Series) -> Longs:
    """Numbers in the order of the values, so that sorting by them does not depend on the rows; -1 where missing."""
    codes, uniques = pd.factorize(values)
    rank = np.empty(len(uniques) + 1, np.int64)
    rank[-1] = -1
    rank[uniques.argsort()] = np.arange(len(uniques))
    return np.asarray(rank[codes], np.int64)


def _pair(first: Longs, second: Longs) -> Longs:
    """One small number for each pair, in order of the pairs."""
    pairs = first * (second.max(initial=0) + 1) + second
    return np.asarray(pd.factorize(pairs, sort=True)[0], np.int64)


def _with_codes(book: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    household = _codes(labels["household_id"])
    book["group"] = _pair(household, _codes(labels["wash_group"]))
    book["bucket"] = _pair(_pair(household, _codes(labels["account_id"])), _codes(labels["security_id"]))
    book["lot_code"] = _codes(labels["lot_id"])
    return book


def _merge_executions(buys: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """Add up the executions of one order; refuse a lot that is bought on two days."""
    key = ["bucket", "lot_code"]
    again = (buys["lot_code"] >= 0) & buys.duplicated(key, keep=False)
    if not again.any():
        return buys
    many = buys[again].sort_values(["total", "shares"])
    days = many.groupby(key)["day"].transform("nunique")
    refuse(many["row"].to_numpy()[days > 1], labels, labels["lot_id"], "bought on more than one day",
           "give each purchase its own lot")  # fmt: skip
    sums = ("shares", "used_shares")
    rules = {c: "sum" if c in sums else "min" for c in buys.columns if c not in key}
    merged = many.groupby(key, as_index=False).agg(rules)
    # a missing part leaves the basis of the whole unknown
    unknown = many["total"].isna().groupby([many[column] for column in key]).any()
    merged["total"] = many.groupby(key)["total"].sum().where(~unknown).to_numpy()
    return pd.concat([buys[~again], merged[buys.columns]], ignore_index=True)


def _named_lots(buys: pd.DataFrame, sells: pd.DataFrame, labels: pd.DataFrame) -> Longs:
    """The position of the lot that each sale names, -1 where it names none."""
    code, wanted = buys["lot_code"].to_numpy(), sells["lot_code"].to_numpy()
    span = 1 + max(code.max(initial=0), wanted.max(initial=0))
    # lots without a name get keys that nothing asks for
    keys = np.where(code >= 0, buys["bucket"].to_numpy() * span + code, -1 - np.arange(len(buys)))
    named = wanted >= 0
    lot = np.where(named, pd.Index(keys).get_indexer(sells["bucket"].to_numpy() * span + wanted), -1).astype(np.int64)
    refuse(sells["row"].to_numpy()[named & (lot < 0)], labels, labels["lot_id"],
           "a lot that was never bought in that account",
           "add its purchase, or leave the lot out for first in, first out")  # fmt: skip
    return lot

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
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.tax._trades import Trades, read_trades, refuse
from workbench.tax.holding import is_long_term

Floats = NDArray[np.float64]
Longs = NDArray[np.int64]

#: Days before and after a sale at a loss within which a purchase takes the loss away (IRC 1091(a)).
WASH_DAYS = 30


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
    where it is known; default 0), `holding_start` of a bought lot (default: the day after its purchase), `used_shares`
    of a bought lot that are no replacement any more, because they were used before or were not bought (gift, spin-off).
    Buys of one day with one lot are executions of one order, hence one lot.

    Without `sequence`, sales of one day count as made in order of acquisition, and of two purchases of one day the
    taxed account's comes first. Of a lot only partly a replacement, the shares that are one are sold first. The order
    of rows does not matter. Raises `ParameterError` for missing columns and `FirmDataError` for rows that cannot be.
    """
    from workbench.tax import _wash

    book = read_trades(trades)
    buys, sells = ({name: frame[name].to_numpy() for name in frame} for frame in (book.buys, book.sells))
    bucket_ptr = _offsets(buys["bucket"], 1 + max(buys["bucket"].max(initial=-1), sells["bucket"].max(initial=-1)))
    fill_sale, fill_lot, fill_shares, short = _wash.fill_sales(
        bucket_ptr, np.argsort(buys["bucket"], kind="stable"), buys["day"], buys["shares"],
        sells["bucket"], sells["day"], sells["shares"], sells["lot"],
    )  # fmt: skip
    refuse(sells["row"][short], book.labels, trades["shares"].reset_index(drop=True),
           "more than is held of that lot or security on that day",
           "add the missing purchases, or correct the sale")  # fmt: skip

    price = (sells["total"] / sells["shares"])[fill_sale]
    day, group = sells["day"][fill_sale], sells["group"][fill_sale]
    order = np.lexsort([fill_shares, price, fill_lot, sells["sequence"][fill_sale], day, group])
    fill_sale, fill_lot, price = fill_sale[order], fill_lot[order], price[order]
    groups = 1 + buys["group"].max(initial=-1)
    cost, used = buys["total"] / buys["shares"], np.minimum(buys["used_shares"], buys["shares"])
    was = np.flatnonzero(used > _wash.DUST)
    blocks, matches, still_open = _wash.match(
        _offsets(buys["group"], groups), buys["day"], buys["start"], np.maximum(buys["shares"] - used, 0.0), cost,
        buys["taxed"], was, used[was], cost[was], buys["start"][was],
        _offsets(group, groups), fill_lot, day[order], fill_shares[order], price,
    )  # fmt: skip
    fill = blocks[0]
    block_frame = _block_frame(book, fill_sale[fill], fill_lot[fill], price[fill], blocks[1:])
    return WashSales(block_frame, _match_frame(book, block_frame, *matches), _open_frame(book, *still_open))


def gains(price: Floats, cost: Floats, shares: Floats, disallowed: Floats) -> tuple[Floats, Floats]:
    """Gains of blocks, and the part of a loss that is disallowed; both are missing where the basis is unknown."""
    gain = price * shares - cost * shares
    # a loss matched whole is gone to the last bit
    whole = np.isclose(disallowed, -gain, rtol=1e-12, atol=0.0)
    return gain, np.where(np.isnan(cost), np.nan, np.where(whole, -gain, disallowed))


def _date(days: Longs) -> NDArray[np.datetime64]:
    return days.astype("datetime64[D]").astype("datetime64[s]")


def _offsets(codes: Longs, size: int) -> Longs:
    return np.concatenate([[0], np.cumsum(np.bincount(codes, minlength=size))]).astype(np.int64)


_NAMES = ["household_id", "wash_group", "account_id", "security_id"]


def _block_frame(book: Trades, sale: Longs, lot: Longs, price: Floats, parts: tuple[Any, ...]) -> pd.DataFrame:
    shares, cost, start, disallowed, permanent = parts
    lots = book.buys.iloc[lot]
    row = book.sells["row"].to_numpy()[sale]
    frame = book.labels[[*_NAMES, "lot_id", "trade"]].take(row).reset_index(drop=True)
    frame["lot_id"] = book.labels["lot_id"].array.take(lots["row"].to_numpy())
    frame["sold_on"] = _date(book.sells["day"].to_numpy()[sale])
    frame["shares"], frame["proceeds"], frame["basis"] = shares, price * shares, cost * shares
    frame["gain"], frame["disallowed"] = gains(price, cost, shares, disallowed)
    frame["permanent"] = np.where(np.isnan(cost), np.nan, permanent)
    taxed = lots["taxed"].to_numpy()
    frame["recognised"] = np.where(taxed, frame["gain"] + frame["disallowed"], 0.0)
    frame["deductible"] = np.maximum(-frame["recognised"], 0.0)
    frame["taxed"] = taxed
    frame["acquired_on"] = _date(lots["day"].to_numpy())
    frame["deemed_acquired_on"], frame["holding_start"] = _date(start - 1), _date(start)
    frame["term"] = np.where(is_long_term(frame["holding_start"], frame["sold_on"]), "long", "short")
    return frame


def _match_frame(book: Trades, blocks: pd.DataFrame, block: Longs, lot: Longs, shares: Floats) -> pd.DataFrame:
    loss, replacement = blocks.iloc[block], book.buys.iloc[lot]
    labels = book.labels.take(replacement["row"].to_numpy())
    frame = loss[[*_NAMES, "lot_id", "trade", "sold_on"]].reset_index(drop=True)
    for name in ("account_id", "security_id", "lot_id", "trade"):
        frame[f"replacement_{name}"] = labels[name].array
    frame["replaced_on"] = _date(replacement["day"].to_numpy())
    frame["shares"] = shares
    frame["disallowed"] = -(loss["gain"] / loss["shares"]).to_numpy() * shares
    frame["permanent"] = ~replacement["taxed"].to_numpy()
    return frame


def _open_frame(book: Trades, lot: Longs, shares: Floats, cost: Floats, start: Longs, used: Longs) -> pd.DataFrame:
    lots = book.buys.iloc[lot]
    frame = book.labels[[*_NAMES, "lot_id", "trade"]].take(lots["row"].to_numpy()).reset_index(drop=True)
    frame["taxed"] = lots["taxed"].to_numpy()
    frame["shares"], frame["basis"] = shares, cost * shares
    frame["adjustment"] = (cost - (lots["total"] / lots["shares"]).to_numpy()) * shares
    frame["acquired_on"] = _date(lots["day"].to_numpy())
    frame["deemed_acquired_on"], frame["holding_start"] = _date(start - 1), _date(start)
    frame["replacement"] = used
    return frame

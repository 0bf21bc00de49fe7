"""What recent transactions mean for a trade today: losses that a purchase would wash, purchases that would wash one.

Looking back: shares bought in the last 30 days anywhere in a household disallow a loss taken now. Looking forward:
losses taken in the last 30 days forbid a purchase, and dividends that have been reinvested will be so again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.errors import FirmDataError, ParameterError
from workbench.firm.schema import CASH, TAXED_REGISTRATIONS
from workbench.tax.wash import WASH_DAYS, match_wash_sales

WINDOW = pd.Timedelta(days=WASH_DAYS)
#: A dividend reinvested this recently is expected to be reinvested again within a quarter and a month.
REINVESTED_WITHIN = pd.Timedelta(days=120)
CONFIDENCE = ("low", "medium", "high")
#: The purchase day of a lot older than the transactions at hand: before every window.
LONG_AGO = pd.Timestamp("1900-01-01")


@dataclass(frozen=True, eq=False)
class WashState:
    """Purchases, losses and reinvestments that matter on `as_of`, one row a lot (reinvestments: a position).

    All have `household_id`, `wash_group`, `account_id`, `security_id`. `purchases`: `lot_id`, `bought_on`, `shares`
    still held that have replaced nothing yet, `taxed`, `last_day` (a loss sale up to that day is washed by them).
    `losses`: `lot_id`, `sold_on`, `shares` not replaced so far, `loss` on them (positive), `known` (false where the
    basis is not on file: it may be a loss, and `loss` is missing), `last_day` (a purchase up to that day washes them).
    `reinvesting`: `last_on`, `times` in the last 120 days, `taxed`.
    """

    as_of: pd.Timestamp
    purchases: pd.DataFrame
    losses: pd.DataFrame
    reinvesting: pd.DataFrame


def wash_groups(securities: pd.DataFrame, minimum_confidence: str = "low") -> pd.Series:
    """The group of substantially identical securities of each `security_id`: the firm's, or the security by itself.

    What is substantially identical is unsettled for two funds on one index, hence the firm's table with a confidence:
    groups below `minimum_confidence` ("low", "medium", "high") are not applied; none given counts as low.
    """
    if minimum_confidence not in CONFIDENCE:
        raise ParameterError(
            f"minimum_confidence is {minimum_confidence!r}; give one of {', '.join(CONFIDENCE)}", "minimum_confidence"
        )
    rank = securities["identical_confidence"].map({name: i for i, name in enumerate(CONFIDENCE)}).astype("float64")
    applies = securities["identical_group"].notna() & (rank.fillna(0.0) >= CONFIDENCE.index(minimum_confidence))
    group = securities["identical_group"].astype("object").where(applies, securities["security_id"].astype("object"))
    return pd.Series(group.to_numpy(), index=pd.Index(securities["security_id"]), name="wash_group", dtype="str")


def wash_state(
    transactions: pd.DataFrame,
    accounts: pd.DataFrame,
    securities: pd.DataFrame,
    as_of: pd.Timestamp,
    *,
    minimum_confidence: str = "low",
    lots: pd.DataFrame | None = None,
) -> WashState:
    """Find what the last 30 days (120 for reinvestments) mean for trades on `as_of`, for every household at once.

    Takes the firm's tables as they are. The whole history of a household's group is matched where it has a purchase or
    a taxed sale in the last 30 days, so that shares that already replaced something are not counted again. The basis
    of a lot is its purchase row; `lots` helps where that is missing, and else the basis is unknown and its sale a
    potential loss. Splits are taken from rows that name their lot; shares received by transfer or spin-off are not
    purchases. Raises `FirmDataError` for a transaction of an unknown account or security.
    """
    day = pd.Timestamp(as_of).normalize()
    groups = wash_groups(securities, minimum_confidence)
    rows = _located(transactions, accounts, groups)
    rows = rows[(rows["trade_date"] <= day) & (rows["security_id"] != CASH)]
    recent = rows["trade_date"] >= day - WINDOW
    concerned = recent & ((rows["kind"] == "buy") | ((rows["kind"] == "sell") & rows["taxed"]))
    history = rows[np.isin(rows["group"], rows.loc[concerned, "group"].unique())]
    result = match_wash_sales(_trades(_split_adjusted(_named(history, accounts, groups)), lots))
    return WashState(
        as_of=day,
        purchases=_purchases(result.open_lots, day),
        losses=_losses(result.blocks, day),
        reinvesting=_reinvesting(rows, day, accounts, groups),
    )


def _located(transactions: pd.DataFrame, accounts: pd.DataFrame, groups: pd.Series) -> pd.DataFrame:
    """The transactions with numbers for their account, security, and group of household and identical securities."""
    columns = ["account_id", "security_id", "trade_date", "kind", "quantity", "price", "amount", "origin", "lot_id"]
    rows = transactions[columns].copy()
    rows["acquired_on"] = pd.to_datetime(transactions.get("acquired_on", pd.Series(pd.NaT, index=rows.index)))
    rows["trade_date"] = pd.to_datetime(rows["trade_date"])
    # a transfer that says when it was bought has the cost for its price
    came = (rows["kind"] == "transfer") & (rows["quantity"] > 0) & rows["acquired_on"].notna()
    rows["cost"] = (-rows["amount"]).where(rows["kind"] == "buy", (rows["price"] * rows["quantity"]).where(came))
    place = pd.Index(accounts["account_id"]).get_indexer(rows["account_id"])
    security = groups.index.get_indexer(rows["security_id"])
    for found, column, table in ((place, "account_id", "accounts"), (security, "security_id", "securities")):
        if (found < 0).any():
            unknown = sorted(rows.loc[found < 0, column].astype(str).unique())[:5]
            raise FirmDataError(f"transactions name {column} {', '.join(unknown)}, not in {table}; add or correct them")
    household, identical = pd.factorize(accounts["household_id"])[0], pd.factorize(groups)[0]
    rows["place"], rows["security"] = place, security
    rows["group"] = household[place].astype(np.int64) * len(groups) + identical[security]
    rows["taxed"] = accounts["registration"].isin(TAXED_REGISTRATIONS).to_numpy()[place]
    return rows


def _named(rows: pd.DataFrame, accounts: pd.DataFrame, groups: pd.Series) -> pd.DataFrame:
    household = accounts["household_id"].array.take(rows["place"].to_numpy())
    return rows.assign(household_id=household, wash_group=groups.array.take(rows["security"].to_numpy()))


def _split_adjusted(rows: pd.DataFrame) -> pd.DataFrame:
    """Quantities in today's shares: each row of a lot times all later splits of it; the split rows are dropped."""
    rows = rows.sort_values("trade_date", kind="stable")
    lot = pd.factorize(rows["lot_id"])[0]
    is_split = (rows["kind"] == "split").to_numpy() & (lot >= 0)
    after = rows["quantity"].groupby(lot).cumsum().to_numpy()
    before = after - rows["quantity"].to_numpy()
    ratio = pd.Series(np.divide(after, before, out=np.ones(len(rows)), where=is_split & (before > 0)), index=rows.index)
    later = ratio.iloc[::-1].groupby(lot[::-1]).cumprod().iloc[::-1] / ratio
    return rows.assign(quantity=rows["quantity"] * later.where(lot >= 0, 1.0))[~is_split]


def _trades(rows: pd.DataFrame, lots: pd.DataFrame | None) -> pd.DataFrame:
    """The rows as trades of a complete history: what was held before it opens as lots of unknown purchase."""
    sells = rows[(rows["kind"] == "sell") & (rows["quantity"] < 0)]
    sells = sells.assign(side="sell", shares=-sells["quantity"], total=sells["amount"].astype(np.float64))
    bought = _bought_lots(rows, sells, lots)
    # a lot may have moved between accounts of the household: it is sold out of the one that bought it
    home = bought.dropna(subset="lot_id").drop_duplicates("lot_id").set_index("lot_id")
    for column in ("account_id", "security_id", "household_id", "wash_group", "taxed"):
        moved = sells["lot_id"].map(home[column])
        sells[column] = moved.where(moved.notna(), sells[column]).astype(sells[column].dtype)
    trades = pd.concat([bought, sells], ignore_index=True)
    opening = _opening_positions(trades)
    columns = [
        "household_id", "wash_group", "account_id", "security_id", "taxed", "lot_id", "side", "trade_date", "shares",
        "total", "used_shares",
    ]  # fmt: skip
    return pd.concat([trades, opening], ignore_index=True)[columns].astype({"taxed": bool})


def _bought_lots(rows: pd.DataFrame, sells: pd.DataFrame, lots: pd.DataFrame | None) -> pd.DataFrame:
    """One row a lot: purchases, shares received otherwise (no replacement), and lots known only by their sale."""
    named = rows[rows["lot_id"].notna()]
    first = named.drop_duplicates("lot_id").set_index("lot_id")
    buys = named[(named["kind"] == "buy") & (named["quantity"] > 0)].groupby("lot_id")
    moved = named[named["kind"].isin(["transfer", "spin_off"])].groupby("lot_id")["quantity"].sum()
    sold = sells[sells["lot_id"].notna()].groupby("lot_id")
    table = first[["household_id", "wash_group", "account_id", "security_id", "taxed"]].copy()
    table["bought"] = buys["quantity"].sum().reindex(table.index).fillna(0.0)
    table["total"] = named.groupby("lot_id")["cost"].sum(min_count=1).reindex(table.index)
    table["moved"] = moved.reindex(table.index).fillna(0.0)
    table["sold"] = sold["shares"].sum().reindex(table.index).fillna(0.0)
    purchased = table["bought"] > 0
    # shares moved out of the firm are as if never bought; shares sold were held, whatever the rest says
    table["shares"] = (table["bought"] + table["moved"].where(~purchased, table["moved"].clip(upper=0.0))).clip(
        lower=table["sold"]
    )
    acquired_shares = table["bought"].where(purchased, table["moved"].where(table["moved"] > 0))
    table["total"] = table["total"] * table["shares"] / acquired_shares
    acquired = named.groupby("lot_id")["acquired_on"].min().reindex(table.index)
    own = buys["trade_date"].min().reindex(table.index)
    earliest = sold["trade_date"].min().reindex(table.index)
    opened = own.where(purchased, acquired.fillna(LONG_AGO))
    table["trade_date"] = opened.where(~(earliest < opened), earliest)
    table["used_shares"] = table["shares"].where(~purchased, 0.0)
    if lots is not None:
        basis = lots["cost_per_share"] + lots["wash_adjustment"] / lots["quantity"]
        cost = pd.Series(basis.to_numpy(), index=pd.Index(lots["lot_id"])).reindex(table.index)
        table["total"] = table["total"].fillna(cost * table["shares"])
    plain = rows[rows["lot_id"].isna() & (rows["kind"] == "buy") & (rows["quantity"] > 0)]
    plain = plain.assign(shares=plain["quantity"], total=plain["cost"], used_shares=0.0)
    return pd.concat([table[table["shares"] > 0].reset_index(), plain], ignore_index=True).assign(side="buy")


def _opening_positions(trades: pd.DataFrame) -> pd.DataFrame:
    """The shares that sales without a lot must have found in the account before the history begins."""
    ordered = trades.assign(signed=trades["shares"].where(trades["side"] == "buy", -trades["shares"]))
    ordered = ordered.sort_values(["trade_date", "side"], kind="stable")
    keys = ["account_id", "security_id"]
    low = ordered.assign(held=ordered.groupby(keys)["signed"].cumsum()).groupby(keys)["held"].min()
    short = low[low < -1e-9].rename("held").reset_index()
    position = trades.drop_duplicates(keys)[["household_id", "wash_group", "taxed", *keys]]
    return short.merge(position, on=keys).assign(
        side="buy", trade_date=LONG_AGO, total=np.nan, lot_id=None, shares=lambda f: -f["held"],
        used_shares=lambda f: -f["held"],
    )  # fmt: skip


_KEYS = ["household_id", "wash_group", "account_id", "security_id"]


def _purchases(open_lots: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    rows = open_lots[(open_lots["acquired_on"] >= day - WINDOW) & ~open_lots["replacement"]]
    frame = rows[[*_KEYS, "lot_id", "acquired_on", "shares", "taxed"]].rename(columns={"acquired_on": "bought_on"})
    return frame.assign(last_day=frame["bought_on"] + WINDOW).reset_index(drop=True)


def _losses(blocks: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    known = blocks["gain"].notna()
    open_loss = (blocks["sold_on"] >= day - WINDOW) & blocks["taxed"] & (~known | (blocks["deductible"] > 0))
    rows = blocks[open_loss]
    left = (rows["deductible"] / -rows["gain"]).where(rows["gain"].notna(), 1.0)
    frame = rows[[*_KEYS, "lot_id", "sold_on"]].assign(shares=rows["shares"] * left, loss=rows["deductible"])
    frame["known"] = rows["gain"].notna()
    return frame.assign(last_day=frame["sold_on"] + WINDOW).reset_index(drop=True)


def _reinvesting(rows: pd.DataFrame, day: pd.Timestamp, accounts: pd.DataFrame, groups: pd.Series) -> pd.DataFrame:
    recent = rows["trade_date"] >= day - REINVESTED_WITHIN
    found = rows[recent & (rows["kind"] == "buy") & (rows["origin"] == "reinvestment")]
    keys = [*_KEYS, "taxed"]
    grouped = _named(found, accounts, groups).groupby(keys, as_index=False, observed=True)["trade_date"]
    return grouped.agg(["max", "nunique"]).rename(columns={"max": "last_on", "nunique": "times"})

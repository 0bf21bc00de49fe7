"""The firm as it stood on an earlier day: the snapshot with its later transactions taken back.

Every transaction carries the signed shares and cash it moved (splits included), so what was held on a day is what is
held now less what has moved since. No row dated later is shown. What the transactions cannot tell is missing on the
earlier day: the cost of a transferred lot that has been sold since, a household's gains to date, a profile that was
reviewed since. What the firm keeps without a date is taken as it is today: restrictions, households' rates, average
volumes, spreads and factor exposures, and an open lot's wash-sale adjustment and holding period.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from workbench.errors import FirmDataError
from workbench.firm.schema import CASH
from workbench.firm.snapshot import Firm

#: Shares or dollars below this are rounding of the sums, not holdings.
DUST = 1e-6


def at(firm: Firm, as_of: pd.Timestamp | str) -> Firm:
    """Return the firm as of an earlier day, as a firm of its own; the same firm for its own date.

    Raises `FirmDataError` for a date after the snapshot or before its prices begin.
    """
    as_of = pd.Timestamp(as_of).normalize()
    if as_of == firm.as_of:
        return firm
    dates = firm.table("prices", ["date"])["date"]
    first = dates.min()
    if as_of > firm.as_of or as_of < first:
        raise FirmDataError(
            f"as-of {as_of.date()} is outside the data of {firm.name}: "
            f"its prices begin on {first.date()} and the snapshot is of {firm.as_of.date()}; take a date between them"
        )
    accounts = firm.table("accounts")
    accounts = accounts[accounts["opened_on"] <= as_of].reset_index(drop=True)
    if accounts.empty:
        raise FirmDataError(
            f"as-of {as_of.date()}: no account of {firm.name} was open yet; "
            f"the first opened on {firm.table('accounts', ['opened_on'])['opened_on'].min().date()}"
        )
    prices = _until(firm.table("prices"), "date", as_of)
    transactions = _until(firm.table("transactions"), "trade_date", as_of)
    positions = positions_at(firm, as_of)
    frames = {
        "prices": prices,
        "positions": positions,
        "lots": lots_at(firm, as_of),
        "transactions": transactions,
        "client_notes": _until(firm.table("client_notes"), "written_on", as_of),
        "profiles": _until(firm.table("profiles"), "reviewed_on", as_of),
        "rates": _until(firm.table("rates"), "date", as_of),
        "accounts": _accounts_at(accounts, positions, prices, transactions, as_of),
        "restrictions": _restrictions_at(firm.table("restrictions"), accounts),
        "households": _households_at(firm.table("households"), same_year=as_of.year == firm.as_of.year),
    }
    return replace(firm, as_of=as_of, rewound=frames, _frames={})


def positions_at(firm: Firm, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return account_id, security_id, quantity (shares; dollars of `CASH`) held at the close of `as_of`."""
    moved = firm.table("transactions", ["account_id", "security_id", "trade_date", "quantity", "amount"])
    return rewind(firm.table("positions"), moved, as_of)


def rewind(positions: pd.DataFrame, transactions: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """Take back what `transactions` moved after `as_of` from `positions`; the result as of `positions_at`.

    `transactions` needs account_id, security_id, trade_date, quantity (shares) and amount (cash, account currency).
    """
    key = ["account_id", "security_id"]
    later = transactions[transactions["trade_date"] > as_of]
    shares = later[later["security_id"] != CASH].groupby(key, sort=False, observed=True)["quantity"].sum()
    cash = later.assign(security_id=CASH).groupby(key, sort=False, observed=True)["amount"].sum()
    held = positions.set_index(key)["quantity"].sub(pd.concat([shares, cash]), fill_value=0.0)
    held = held[held.abs() > DUST].rename("quantity").reset_index()
    return held.sort_values(key, ignore_index=True)


def lots_at(firm: Firm, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return the lots open at the close of `as_of`, in the columns of the lots table.

    A lot closed since takes its date and cost from the transaction that brought it. For one that came by transfer these
    are known where the firm keeps a column `acquired_on`, whose row's price is then the cost; else they stay missing.
    Such a lot counts as covered and free of wash-sale adjustments, for no transaction says otherwise.
    """
    transactions = firm.table("transactions")
    transactions = transactions[transactions["lot_id"].notna()]
    later = transactions[transactions["trade_date"] > as_of]
    now = firm.table("lots").set_index("lot_id")
    moved = later.groupby("lot_id")["quantity"].sum()
    quantity = now["quantity"].sub(moved, fill_value=0.0)
    quantity = quantity[quantity > DUST]
    frame = now.reindex(quantity.index)
    frame["quantity"] = quantity
    closed = frame["account_id"].isna()
    if closed.any():
        bought = transactions[transactions["quantity"] > 0].sort_values("trade_date", kind="stable")
        bought = bought.drop_duplicates("lot_id").set_index("lot_id").reindex(frame.index[closed])
        sold = later.drop_duplicates("lot_id").set_index("lot_id").reindex(frame.index[closed])
        frame.loc[closed, ["account_id", "security_id"]] = sold[["account_id", "security_id"]]
        acquired = bought["trade_date"].where(bought["kind"] != "transfer", bought.get("acquired_on"))
        frame.loc[closed, "acquired_on"] = acquired
        frame.loc[closed, "holding_start"] = acquired + pd.Timedelta(days=1)
        frame.loc[closed, "cost_per_share"] = bought["price"].where(acquired.notna())
        frame["wash_adjustment"] = frame["wash_adjustment"].fillna(0.0)
        frame["covered"] = frame["covered"].eq(True) | closed
        entered = bought["trade_date"].reindex(frame.index)
    else:
        entered = pd.Series(pd.NaT, index=frame.index)
    frame["cost_per_share"] *= _split_factor(firm, frame["security_id"], entered, as_of)
    return frame.reset_index()[list(firm.table("lots").columns)]


def _split_factor(firm: Firm, security_id: pd.Series, entered: pd.Series, as_of: pd.Timestamp) -> np.ndarray:
    """What turns a stated cost per share into one of `as_of`: the splits between the two days.

    A lot that is still open (`entered` missing) states its cost in shares of the snapshot's date, a closed one in
    shares of the day on which it entered the account.
    """
    prices = firm.table("prices", ["date", "security_id", "split_ratio"])
    splits = prices[prices["split_ratio"] != 1.0]
    factor = np.ones(len(security_id))
    still_open = entered.isna()
    for split in splits.itertuples():
        same = security_id == split.security_id
        if split.date > as_of:
            factor[same & still_open] *= split.split_ratio
        else:
            factor[same & (entered < split.date)] /= split.split_ratio
    return factor


def _until(frame: pd.DataFrame, column: str, as_of: pd.Timestamp) -> pd.DataFrame:
    return frame[frame[column] <= as_of].reset_index(drop=True)


def _accounts_at(
    accounts: pd.DataFrame,
    positions: pd.DataFrame,
    prices: pd.DataFrame,
    transactions: pd.DataFrame,
    as_of: pd.Timestamp,
) -> pd.DataFrame:
    """Accounts open on the day; of one rebalanced since, the last rebalance is the last one traded by then.

    The stated value is what was held, at the closes known by then; missing where something held has none, for a part
    is not the whole.
    """
    last = prices.sort_values("date").drop_duplicates("security_id", keep="last").set_index("security_id")["close"]
    value = positions["quantity"] * positions["security_id"].map(last)
    stated = value.groupby(positions["account_id"]).sum(skipna=False)
    traded = transactions[transactions["origin"] == "rebalance"]
    rebalanced = traded.groupby("account_id")["trade_date"].max().reindex(accounts["account_id"]).to_numpy()
    stated_on = accounts["last_rebalanced_on"]
    current = stated_on.mask(stated_on > as_of, pd.Series(rebalanced, index=accounts.index))
    return accounts.assign(
        stated_value=accounts["account_id"].map(stated).where(accounts["account_id"].isin(stated.index), 0.0),
        last_rebalanced_on=current.astype("datetime64[ms]"),
    )


def _restrictions_at(restrictions: pd.DataFrame, accounts: pd.DataFrame) -> pd.DataFrame:
    """All but those on accounts that were not open yet."""
    elsewhere = (restrictions["scope"] == "account") & ~restrictions["scope_id"].isin(accounts["account_id"])
    return restrictions[~elsewhere].reset_index(drop=True)


def _households_at(households: pd.DataFrame, *, same_year: bool) -> pd.DataFrame:
    """Gains to date are those of the snapshot's own day, losses carried into the year those of its own year.

    On an earlier day, or in an earlier year, they are not known.
    """
    unknown = ["realised_short", "realised_long"]
    if not same_year:
        unknown += ["carryforward_short", "carryforward_long"]
    return households.assign(**dict.fromkeys(unknown, np.nan))

"""Growth from clients and clients leaving, from two snapshots of the firm."""

from __future__ import annotations

import pandas as pd

from workbench.errors import FirmDataError
from workbench.firm import Firm
from workbench.governance.measures import Growth, client_growth

_FLOWS = ("deposit", "withdrawal", "transfer")


def firm_growth(opening: Firm, closing: Firm) -> Growth:
    """Measure growth from clients and clients leaving between the days of two snapshots.

    Take the snapshots that were sealed on both days: a firm taken back in time by `firm.at` has forgotten who left
    before its own day. A household that is no longer in the closing snapshot took out what it had. Transfers count at
    the price of their day. Raises `FirmDataError` where the days are in the wrong order or a price is missing.
    """
    if closing.as_of <= opening.as_of:
        raise FirmDataError(f"{closing.as_of.date()} is not after {opening.as_of.date()}; exchange the two snapshots")
    before, after = _assets(opening), _assets(closing)
    moved = closing.table("transactions")
    moved = moved[moved["kind"].isin(_FLOWS)]
    moved = moved[(moved["trade_date"] > opening.as_of) & (moved["trade_date"] <= closing.as_of)]
    carried = (moved["quantity"] * moved["price"]).where(moved["kind"] == "transfer", 0.0)
    home = closing.table("accounts").set_index("account_id")["household_id"]
    flows = (moved["amount"] + carried).groupby(moved["account_id"].map(home)).sum()
    gone = before.index.difference(after.index)
    flows = pd.concat([flows[~flows.index.isin(gone)], -before[gone]])
    return client_growth(before, after, flows, opening.as_of.date(), closing.as_of.date())


def _assets(firm: Firm) -> pd.Series:
    """Assets in dollars by household at the last closes."""
    prices = firm.table("prices", ["date", "security_id", "close"]).dropna(subset=["close"]).sort_values("date")
    last = prices.groupby("security_id")["close"].last()
    positions = firm.table("positions")
    value = positions["quantity"] * positions["security_id"].map(last)
    if value.isna().any():
        missing = positions.loc[value.isna(), "security_id"].iloc[0]
        raise FirmDataError(
            f"{firm.name}: no price of {missing} on or before {firm.as_of.date()}; add it to the prices"
        )
    home = firm.table("accounts").set_index("account_id")["household_id"]
    sums: pd.Series = value.groupby(positions["account_id"].map(home)).sum()
    return sums

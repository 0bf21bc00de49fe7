"""Orders: what accounts want to trade, one row an account, security and side, as proposals lead to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from workbench.errors import ParameterError
from workbench.rebalance.proposal import Proposal

#: What makes a block: orders of one security on one side, never of both.
BLOCK = ["security_id", "side"]
SIDES = ("buy", "sell")
ORDER_COLUMNS = ["household_id", "account_id", "security_id", "side", "shares", "price", "amount"]


def orders(proposals: Iterable[Proposal]) -> pd.DataFrame:
    """Return the trades of proposals as orders, sorted by security, side and account.

    Columns: household_id, account_id, security_id, side, shares, price and amount (account currency). Raises
    `ParameterError` where two households claim the same account, or an account both buys and sells a security.
    """
    rows = [
        (proposal.household_id, t.account_id, t.security_id, t.side, t.shares, t.price, t.amount)
        for proposal in proposals
        for t in proposal.trades
    ]
    frame = pd.DataFrame(rows, columns=ORDER_COLUMNS).astype({c: np.float64 for c in ORDER_COLUMNS[4:]})
    _refuse_shared_accounts(frame)
    _refuse_both_sides(frame)
    return frame.sort_values([*BLOCK, "account_id", "shares"], ignore_index=True)


def require_columns(frame: pd.DataFrame, columns: Sequence[str], name: str) -> None:
    """Raise `ParameterError` naming what `frame`, called `name`, lacks: a column, or a value in one of them."""
    missing = [column for column in columns if column not in frame]
    if missing:
        raise ParameterError(f"{name}: no column {', '.join(missing)}; give {', '.join(columns)}", name)
    empty = [column for column in columns if frame[column].isna().any()]
    if empty:
        row = int(frame[empty[0]].isna().to_numpy().argmax())
        raise ParameterError(f"{name}: row {row} has no {empty[0]}; fill it in or leave the row out", name)


def require_sides(frame: pd.DataFrame, name: str) -> None:
    """Raise `ParameterError` for a side that is neither buy nor sell."""
    bad = ~frame["side"].isin(SIDES)
    if bad.any():
        raise ParameterError(f"{name}: side {frame.loc[bad, 'side'].iloc[0]!r} is not one of buy, sell", name)


def _refuse_shared_accounts(frame: pd.DataFrame) -> None:
    owners = frame.drop_duplicates(["household_id", "account_id"])
    shared = owners.duplicated("account_id")
    if shared.any():
        raise ParameterError(
            f"proposals: account {owners.loc[shared, 'account_id'].iloc[0]} is traded by two households; "
            "keep one proposal a household and one household an account",
            "proposals",
        )


def _refuse_both_sides(frame: pd.DataFrame) -> None:
    sides = frame.drop_duplicates(["account_id", "security_id", "side"])
    both = sides.duplicated(["account_id", "security_id"])
    if both.any():
        row = sides[both].iloc[0]
        raise ParameterError(
            f"proposals: account {row['account_id']} both buys and sells {row['security_id']}; "
            "net its sleeves within the account first (net_sleeves)",
            "proposals",
        )

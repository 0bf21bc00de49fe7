"""From what sleeves and accounts want to what goes to market: net within an account, add up across accounts.

Within an account that is run by several sleeves (a unified managed account), one sleeve's sale can meet another's
purchase: the shares stay where they are, change sleeve in the books, and cost nothing. Across accounts nothing is ever
set off: a sale of one client and a purchase of another are two blocks, because crossing clients needs what this
overlay does not have (Advisers Act 206(3), ERISA 406).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.errors import ParameterError
from workbench.rebalance.proposal import Proposal
from workbench.rebalance.trading.allocation import UNITS_A_SHARE, allocate_units
from workbench.rebalance.trading.orders import BLOCK, orders, require_columns, require_sides

#: The part of a day's volume that a block may be, where nothing else is said.
PARTICIPATION = 0.1


@dataclass(frozen=True, eq=False)
class SleeveNet:
    """What an account's sleeves want, netted: signed quantities, purchases above zero.

    `market` has one row an account and security that must be traded: account_id, security_id, side, and the quantity
    (never zero, always positive). `sleeves` has one row a sleeve's wish: account_id, sleeve_id, security_id,
    `desired` = `crossed` + `to_market`; `crossed` sums to zero over the sleeves of an account and security, and
    `to_market` to its order. `saved` is what crossing saves, in account currency: a half-spread on each side.
    """

    market: pd.DataFrame
    sleeves: pd.DataFrame
    saved: float


def net_sleeves(
    desired: pd.DataFrame,
    *,
    prices: Mapping[str, float] | pd.Series | None = None,
    half_spreads: Mapping[str, float] | pd.Series | None = None,
) -> SleeveNet:
    """Net the sleeves' desired trades within each account, so that only the difference goes to market.

    `desired` has account_id, sleeve_id, security_id and one signed quantity, `shares` or `amount` (dollars). The
    smaller side is crossed whole; the larger one is crossed pro rata to what each sleeve wants, in whole shares where
    all wishes are whole, ties by sleeve identifier. Quantities are taken to a millionth of a share, amounts to a
    millionth of a dollar. `prices` (needed for shares) and `half_spreads` (fractions of the price) by security give
    what was saved; it is missing without them. Raises `ParameterError` for missing columns, a quantity that is not
    finite, or a security that was crossed and has no price or half-spread.
    """
    quantity = "shares" if "shares" in desired else "amount"
    require_columns(desired, ["account_id", "sleeve_id", "security_id", quantity], "desired")
    if not np.isfinite(desired[quantity].to_numpy(np.float64)).all():
        raise ParameterError(f"desired: {quantity} must be finite numbers", "desired")
    rows = desired.groupby(["account_id", "security_id", "sleeve_id"], as_index=False, sort=True)[quantity].sum()
    place = rows.groupby(["account_id", "security_id"], sort=False).ngroup().to_numpy(np.int64)
    want = rows[quantity].to_numpy(np.float64)
    scale = 1 if bool((want == np.rint(want)).all()) else UNITS_A_SHARE
    units = np.rint(want * scale).astype(np.int64)
    crossed = _crossed(units, place, scale)
    sleeves = pd.DataFrame(
        {
            "account_id": rows["account_id"],
            "sleeve_id": rows["sleeve_id"],
            "security_id": rows["security_id"],
            "desired": units / scale,
            "crossed": crossed / scale,
            "to_market": (units - crossed) / scale,
        }
    )
    first = np.flatnonzero(np.diff(place, prepend=-1))
    net = np.add.reduceat(units, first) if len(units) else units
    traded = net != 0
    market = rows.loc[first[traded], ["account_id", "security_id"]].reset_index(drop=True)
    market["side"] = np.where(net[traded] > 0, "buy", "sell")
    market[quantity] = np.abs(net[traded]) / scale
    return SleeveNet(market, sleeves, _saved(sleeves, quantity, prices, half_spreads))


def blocks(
    trades: pd.DataFrame | Iterable[Proposal],
    *,
    adv: Mapping[str, float] | pd.Series | None = None,
    participation: float = PARTICIPATION,
) -> pd.DataFrame:
    """Add up orders into blocks, one a security and side; a purchase and a sale are never set off against each other.

    `trades` are proposals, or orders as a frame of account_id, security_id, side, shares (above zero) and `amount` or
    `price`. `adv` is the shares traded on an average day by security; `participation` the part of it that a block may
    be. Returns security_id, side, shares, price (average), amount, accounts, adv, adv_share and days_to_trade (missing
    where adv is), sorted by security and side; the same to the last bit in whatever order the orders come. Raises
    `ParameterError` for a missing column or value, a side that is neither, or shares not above zero.
    """
    frame = trades if isinstance(trades, pd.DataFrame) else orders(trades)
    require_columns(frame, ["account_id", *BLOCK, "shares"], "trades")
    require_sides(frame, "trades")
    if not 0 < participation <= 1:
        raise ParameterError("participation must be above 0 and at most 1", "participation")
    if "amount" not in frame:
        require_columns(frame, ["price"], "trades")
    shares = frame["shares"].to_numpy(np.float64)
    amount = (frame["amount"] if "amount" in frame else frame["shares"] * frame["price"]).to_numpy(np.float64)
    if not (np.isfinite(shares).all() and (shares > 0).all() and np.isfinite(amount).all() and (amount >= 0).all()):
        raise ParameterError("trades: shares must be above 0 and amounts 0 or more; the side says which way", "trades")
    account, _ = pd.factorize(frame["account_id"], sort=True)
    security, names = pd.factorize(frame["security_id"], sort=True)
    block, totals = net_blocks(security, (frame["side"] == "sell").to_numpy(bool), account, shares, amount)
    made = pd.DataFrame(
        {
            "security_id": np.asarray(names, dtype=object)[block // 2],
            "side": np.where(block % 2 == 1, "sell", "buy"),
            "shares": totals[0],
            "price": totals[1] / totals[0],
            "amount": totals[1],
            "accounts": totals[2].astype(np.int64),
        }
    ).astype({"security_id": "str", "side": "str"})
    volume = pd.Series({} if adv is None else adv, dtype=np.float64)
    made["adv"] = volume.reindex(made["security_id"]).to_numpy(np.float64)
    made["adv_share"] = made["shares"] / made["adv"].where(made["adv"] > 0)
    made["days_to_trade"] = np.ceil(made["adv_share"] / participation)
    return made


def net_blocks(
    security: NDArray[np.integer],
    sells: NDArray[np.bool_],
    account: NDArray[np.integer],
    shares: NDArray[np.float64],
    amount: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Block core in arrays: N orders by code of security and account; one sort and one pass, millions a second.

    Returns each block's code, 2 x security + (1 where it sells), ascending, and 3 x B sums: shares, amount, accounts.
    Orders are added in an order of their own, so that the sums do not depend on how they come.
    """
    code = 2 * security.astype(np.int64) + sells
    order = np.lexsort((amount, shares, account, code))
    code, account = code[order], account[order]
    if not len(code):
        return code, np.zeros((3, 0))
    first = np.flatnonzero(np.diff(code, prepend=-1))
    fresh = np.ones(len(code))
    fresh[1:] = (np.diff(code) != 0) | (np.diff(account) != 0)
    return code[first], np.stack([np.add.reduceat(values, first) for values in (shares[order], amount[order], fresh)])


def _crossed(units: NDArray[np.int64], place: NDArray[np.int64], scale: int) -> NDArray[np.int64]:
    """Signed units of each wish that meet another sleeve's: of each side, as much as the smaller side has."""
    n_places = int(place[-1]) + 1 if len(place) else 0
    bought, sold = np.zeros(n_places, np.int64), np.zeros(n_places, np.int64)
    np.add.at(bought, place, np.maximum(units, 0))
    np.add.at(sold, place, np.maximum(-units, 0))
    fractional = np.zeros(n_places, bool)
    np.logical_or.at(fractional, place, units % scale != 0)
    step = np.where(fractional, 1, scale)[place]  # where every wish is whole, what is crossed is whole
    both = np.minimum(bought, sold)
    crossed = np.zeros_like(units)
    for sign in (1, -1):
        side = np.flatnonzero(sign * units > 0)
        crossed[side] = sign * allocate_units(place[side], sign * units[side], both, step[side])[0]
    return crossed


def _saved(
    sleeves: pd.DataFrame,
    quantity: str,
    prices: Mapping[str, float] | pd.Series | None,
    half_spreads: Mapping[str, float] | pd.Series | None,
) -> float:
    """Half-spread on both sides of what was crossed; NaN where prices or half-spreads are not given."""
    if half_spreads is None or (quantity == "shares" and prices is None):
        return float("nan")
    met = sleeves[sleeves["crossed"] != 0]
    worth = met["crossed"].abs()
    if quantity == "shares":
        worth = worth * _known(met["security_id"], prices, "prices")
    return float((worth * _known(met["security_id"], half_spreads, "half_spreads")).sum())


def _known(security: pd.Series, values: Mapping[str, float] | pd.Series | None, name: str) -> pd.Series:
    found = security.map(pd.Series(values, dtype=np.float64))
    if found.isna().any():
        raise ParameterError(f"{name}: none for {security[found.isna()].iloc[0]}; add it", name)
    return found

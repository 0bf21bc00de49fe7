"""Lots that the proposals sell, looked up in the book of record: what they cost, what they gain, for how long held."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.compliance.firm_view import FirmView
from workbench.compliance.orders import Orders
from workbench.firm.schema import TAXED_REGISTRATIONS
from workbench.tax import is_long_term

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Sales:
    """One row a lot sale of the orders, in their order.

    `lot` is the view's lot of that identifier, -1 where the account holds no such lot of that security; `taxed` whether
    the account's gains are; `gain` dollars by the book's basis and the proposal's price, NaN where the basis is
    unknown; `long` whether it would be long-term on the proposal's day (false where the day is unknown).
    """

    proposal: Ints
    trade: Ints
    account: Ints
    security: Ints
    shares: Floats
    lot: Ints
    taxed: Flags
    gain: Floats
    long: Flags


def sales(view: FirmView, orders: Orders, account: Ints, security: Ints) -> Sales:
    """Look the sold lots up; `account` and `security` are the trades' in the view's codes."""
    trade = orders.lot_trade
    where, what = account[trade], security[trade]
    found = view.find("lot", orders.lot_id)
    if len(view.lot_id):
        sound = (found >= 0) & (view.lot_account[found] == where) & (view.lot_security[found] == what)
        found = np.where(sound, found, -1)
    basis = np.append(view.lot_basis, np.nan)[found]
    start = np.append(view.lot_start, np.datetime64("NaT", "D"))[found]
    day = orders.as_of[orders.proposal[trade]]
    long = np.zeros(len(trade), bool)
    dated = ~np.isnat(start)
    long[dated] = is_long_term(start[dated], day[dated])
    registration = view.accounts["registration"].astype(str).isin(list(TAXED_REGISTRATIONS)).to_numpy(bool)
    taxed = np.append(registration, True)[where]
    gain = orders.lot_shares * (orders.price[trade] - basis)
    return Sales(orders.proposal[trade], trade, where, what, orders.lot_shares, found, taxed, gain, long)

"""Compiled sums of a ledger's slots: by the sleeves of each account's model, and by security."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Longs = NDArray[np.int64]
Ints = NDArray[np.int32]


@njit(cache=True)
def carve(
    slot_ptr: Longs,
    slot_security: Ints,
    model: Longs,
    value: Floats,
    holding: Floats,
    trading: Floats,
    returns: Floats,
    column_ptr: Longs,
    columns: Longs,
    column_sleeve: Longs,
    shares: Floats,
    sleeves: int,
) -> Floats:
    """Sum slots by account and sleeve (4 x N x L x T): value, gain, value times return, trading.

    A slot is in each sleeve with the part `shares` (M x C x T) that the account's model gives the sleeve's column of
    its security; `columns[column_ptr[s]:column_ptr[s + 1]]` are those of security s.
    """
    accounts, periods = len(model), holding.shape[1]
    sums = np.zeros((4, accounts, sleeves, periods))
    for a in range(accounts):
        for k in range(slot_ptr[a], slot_ptr[a + 1]):
            s = slot_security[k]
            for place in range(column_ptr[s], column_ptr[s + 1]):
                column = columns[place]
                sleeve = column_sleeve[column]
                for t in range(periods):
                    share = shares[model[a], column, t]
                    if share != 0.0:
                        held = share * value[k, t]
                        sums[0, a, sleeve, t] += held
                        sums[1, a, sleeve, t] += share * holding[k, t]
                        sums[2, a, sleeve, t] += held * returns[s, t]
                        sums[3, a, sleeve, t] += share * trading[k, t]
    return sums


@njit(cache=True)
def by_security(
    slot_ptr: Longs,
    slot_security: Ints,
    present: Flags,
    value: Floats,
    holding: Floats,
    against: Floats,
    securities: int,
) -> tuple[Floats, Floats]:
    """Sum slots of accounts that are `present` (N x T) by security (both S x T): value, and gain over `against`."""
    accounts, periods = present.shape
    held, gained = np.zeros((securities, periods)), np.zeros((securities, periods))
    for a in range(accounts):
        for k in range(slot_ptr[a], slot_ptr[a + 1]):
            s = slot_security[k]
            for t in range(periods):
                if present[a, t]:
                    held[s, t] += value[k, t]
                    gained[s, t] += holding[k, t] - value[k, t] * against[a, t]
    return held, gained

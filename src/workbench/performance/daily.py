"""What every account held at each close and what it gained on the way: the one ledger that performance, attribution
and early warnings read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]
Offsets = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class DailyHoldings:
    """N accounts over T periods, each from one session's close to the next, holding by holding; dollars.

    A slot is a security that an account held or traded on any of the days, `CASH` always among them: slots
    `slot_ptr[i]:slot_ptr[i + 1]` are account i's, ordered by security. `sessions` has T + 1 days; period t runs from
    the close of `sessions[t]` to that of `sessions[t + 1]`.

    - `value` (K x T+1): market value of each slot at each close.
    - `holding` (K x T): gain of what was held at the close before: price, splits, spin-offs, dividends, interest.
    - `trading` (K x T): the day's close against the price traded at, times the shares traded; a cost is negative.
    - `flow` (N x T): what the client put in (positive) or took out, at the close, securities in kind at that close.
    - `fee` (N x T): fees charged, negative.
    - `unexplained` (N x T): what is left when all of the above is taken from the change of the account's value.

    For every account and period, to rounding:
    value after = value before + holding + trading + flow + fee + unexplained.

    `price_age` (S x T+1) is how many sessions old the close is that a security is valued at. `no_data` lists the
    accounts left out, with account_id and reason.
    """

    accounts: pd.DataFrame
    sessions: pd.DatetimeIndex
    securities: tuple[str, ...]
    slot_ptr: Offsets
    slot_security: Ints
    value: Floats
    holding: Floats
    trading: Floats
    flow: Floats
    fee: Floats
    unexplained: Floats
    price_age: Ints
    no_data: pd.DataFrame

    @property
    def account_ids(self) -> pd.Index:
        """The accounts, in order."""
        return pd.Index(self.accounts["account_id"])

    @property
    def slot_account(self) -> Offsets:
        """The account of each slot (K)."""
        return np.repeat(np.arange(len(self.accounts)), np.diff(self.slot_ptr))

    def by_account(self, slots: Floats) -> Floats:
        """Sum an array over slots (K x ...) to one over accounts (N x ...)."""
        return np.add.reduceat(slots, self.slot_ptr[:-1], axis=0)

    def by_security(self, slots: Floats) -> Floats:
        """Sum an array over slots (K x ...) to one over securities, all accounts together (S x ...)."""
        order = np.argsort(self.slot_security, kind="stable")
        held, first = np.unique(self.slot_security[order], return_index=True)
        total = np.zeros((len(self.securities), *slots.shape[1:]))
        if len(held):
            total[held] = np.add.reduceat(slots[order], first, axis=0)
        return total

    @property
    def account_value(self) -> Floats:
        """Market value of each account at each close (N x T+1)."""
        return self.by_account(self.value)

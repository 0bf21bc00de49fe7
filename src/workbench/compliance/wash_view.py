"""What the last thirty days mean for wash sales, as arrays: shares bought, losses taken, dividends reinvested."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.compliance.exposures import sums
from workbench.tax import wash_groups, wash_state

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Days = NDArray[np.datetime64]

#: Groups of identical securities of this confidence and above are identical; below it they may be, and warn.
SURE = "medium"


@dataclass(frozen=True, eq=False)
class WashView:
    """`group` (S,) codes securities that count as identical, `possible` (S,) also those of low confidence.

    `bought_*` are shares bought in the last 30 days, still held, that have replaced nothing yet, by lot; `lost_*` are
    losses taken in the last 30 days, in shares not replaced so far and dollars of loss (NaN: basis unknown).
    `reinvesting_*` are holdings whose dividends bought shares in the last 120 days. All have codes of `household` and
    `security`.
    """

    group: Ints
    possible: Ints
    bought_household: Ints
    bought_security: Ints
    bought_lot: NDArray[np.object_]
    bought_shares: Floats
    bought_last: Days
    lost_household: Ints
    lost_security: Ints
    lost_shares: Floats
    lost: Floats
    lost_last: Days
    reinvesting_household: Ints
    reinvesting_security: Ints

    @classmethod
    def of(
        cls,
        tables: dict[str, pd.DataFrame],
        household_ids: pd.Index,
        security_ids: pd.Index,
        day: pd.Timestamp,
    ) -> WashView:
        """Build from the firm's tables; `securities` lies in the order of `security_ids`."""
        securities = tables["securities"]
        group, possible = (
            pd.factorize(wash_groups(securities, confidence).reindex(security_ids), sort=True)[0].astype(np.int64)
            for confidence in (SURE, "low")
        )
        if tables["transactions"].empty:
            return cls(group, possible, *_NOTHING)
        state = wash_state(
            tables["transactions"], tables["accounts"], securities, day, minimum_confidence=SURE, lots=tables["lots"]
        )

        def codes(frame: pd.DataFrame) -> tuple[Ints, Ints]:
            household = household_ids.get_indexer(frame["household_id"].astype("object"))
            security = security_ids.get_indexer(frame["security_id"].astype("object"))
            return household.astype(np.int64), security.astype(np.int64)

        bought, lost, again = state.purchases, state.losses, state.reinvesting
        bought_household, bought_security = codes(bought)
        lost_household, lost_security = codes(lost)
        reinvesting_household, reinvesting_security = codes(again)
        return cls(
            group=group,
            possible=possible,
            bought_household=bought_household,
            bought_security=bought_security,
            bought_lot=bought["lot_id"].astype("object").to_numpy(object),
            bought_shares=bought["shares"].to_numpy(np.float64),
            bought_last=_days(bought["last_day"]),
            lost_household=lost_household,
            lost_security=lost_security,
            lost_shares=lost["shares"].to_numpy(np.float64),
            lost=lost["loss"].where(lost["known"].astype(bool)).to_numpy(np.float64),
            lost_last=_days(lost["last_day"]),
            reinvesting_household=reinvesting_household,
            reinvesting_security=reinvesting_security,
        )

    def bought(self, group: Ints, day: np.datetime64) -> Sums:
        """Recent shares by household and group."""
        live = (self.bought_last >= day) & (self.bought_household >= 0)
        return Sums.of(_key(self.bought_household, self.bought_security, group, live), self.bought_shares[live])

    def losses(self, group: Ints, day: np.datetime64) -> tuple[Sums, Sums]:
        """Shares and dollars of recent losses by household and group."""
        live = (self.lost_last >= day) & (self.lost_household >= 0)
        key = _key(self.lost_household, self.lost_security, group, live)
        return Sums.of(key, self.lost_shares[live]), Sums.of(key, self.lost[live])

    def reinvested(self, group: Ints) -> Sums:
        """How many holdings reinvest, by household and group."""
        live = self.reinvesting_household >= 0
        key = _key(self.reinvesting_household, self.reinvesting_security, group, live)
        return Sums.of(key, np.ones(len(key)))


@dataclass(frozen=True, eq=False)
class Sums:
    """Sums by key, to be looked up: zero where a key has none."""

    keys: Ints
    total: Floats

    @classmethod
    def of(cls, key: Ints, amount: Floats) -> Sums:
        """Add the amounts of equal keys up."""
        keys, whose = np.unique(key, return_inverse=True)
        return cls(keys, sums(whose, amount, len(keys)))

    def at(self, key: Ints) -> Floats:
        """Return the sum of each key."""
        if not len(self.keys):
            return np.zeros(len(key))
        place = np.minimum(np.searchsorted(self.keys, key), len(self.keys) - 1)
        return np.where(self.keys[place] == key, self.total[place], 0.0)


def _key(household: Ints, security: Ints, group: Ints, live: NDArray[np.bool_]) -> Ints:
    key: Ints = household[live] * (int(group.max(initial=0)) + 1) + group[security[live]]
    return key


def _empty(kind: str) -> np.ndarray:
    return np.zeros(0, kind)


#: The columns after `group` and `possible` of a firm that has not traded.
_NOTHING = tuple(
    _empty(kind)
    for kind in ("int64", "int64", "object", "float64", "datetime64[D]", "int64", "int64", "float64", "float64",
                 "datetime64[D]", "int64", "int64")
)  # fmt: skip


def _days(values: pd.Series) -> Days:
    days: Days = pd.to_datetime(values).to_numpy().astype("datetime64[D]")
    return days

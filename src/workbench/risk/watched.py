"""What is watched: who holds what, what was held on earlier days, and what it did.

Holdings of an earlier day are those of today less what has been booked since, so nothing dated later than a day is
used for it, prices included.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.errors import ParameterError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

#: Kinds that are claims on one issuer. Funds are not looked through, so they are no one company's.
COMPANY_KINDS = ("stock", "bond")
#: A government's bonds and cash are no company either.
NO_COMPANY_CLASSES = ("Treasuries", "Cash")
#: Quantities below this are rounding of sums, not holdings.
_DUST = 1e-6


@dataclass(frozen=True, eq=False)
class Watched:
    """N accounts of H households, S securities, T sessions, K holdings (pairs of account and security).

    `accounts`, `households` (with the columns of their profile, missing where there is none) and `securities` are in
    order of identifier; `household` (N) is each account's household. Holdings carry today's `quantity` (shares, dollars
    of cash) and come sorted by account and security. A move took `moved_quantity` into holding `moved_holding` at the
    close of session `moved_session`. `close` (T x S) holds last known closes, NaN before the first; `price_age` how
    many sessions old each is (-1: none yet); `returns` simple total returns, NaN where a close is missing for longer
    than a few sessions. `targets` (M x S) are the weights of each model's version in force, `sleeve_returns` (T x L)
    those of the sleeves' benchmarks. `exposures` (security_id x factor) are those that the firm keeps itself, 0 where a
    security has others and not this one; without columns where it keeps none. `first` is the first session whose
    holdings are known.
    """

    as_of: pd.Timestamp
    accounts: pd.DataFrame
    households: pd.DataFrame
    securities: pd.DataFrame
    household: Ints
    holding_account: Ints
    holding_security: Ints
    quantity: Floats
    moved_holding: Ints
    moved_session: Ints
    moved_quantity: Floats
    sessions: pd.DatetimeIndex
    close: Floats
    price_age: Ints
    returns: Floats
    models: tuple[str, ...]
    targets: Floats
    sleeves: tuple[str, ...]
    sleeve_of_target: pd.DataFrame
    sleeve_returns: Floats
    exposures: pd.DataFrame
    rates_on: pd.Timestamp | None
    booked_on: pd.Series
    lots_gap: pd.DataFrame
    first: int

    @cached_property
    def holding_household(self) -> Ints:
        """The household of each holding (K)."""
        return self.household[self.holding_account]

    @cached_property
    def model(self) -> Ints:
        """Each account's model (N), -1 where it has none in force."""
        return np.asarray(pd.Index(self.models).get_indexer(self.accounts["model_id"]), np.int64)

    @cached_property
    def is_company(self) -> Flags:
        """Whether a security is a claim on one company (S)."""
        kind, asset_class = self.securities["kind"], self.securities["asset_class"]
        return np.asarray(kind.isin(COMPANY_KINDS) & ~asset_class.isin(NO_COMPANY_CLASSES), bool)

    @cached_property
    def issuers(self) -> tuple[Ints, pd.Index]:
        """The issuer of each security (S) as a position in the index of issuers."""
        code, names = pd.factorize(self.securities["issuer_id"], sort=True)
        return np.asarray(code, np.int64), pd.Index(names)

    @cached_property
    def account_value(self) -> Floats:
        """Dollars in each account at the last close (N); what never had a price counts as nothing."""
        worth = np.nan_to_num(self.value_at(self.last))
        return added_up(worth, self.holding_account, len(self.accounts))

    @cached_property
    def last(self) -> int:
        """The last session."""
        return len(self.sessions) - 1

    def quantity_at(self, session: int) -> Floats:
        """Quantity of each holding at the close of a session (K).

        Raises `ParameterError` for a session before the first whose holdings are known.
        """
        if not self.first <= session <= self.last:
            raise ParameterError(
                f"holdings are known from {self.sessions[self.first]:%Y-%m-%d} to {self.as_of:%Y-%m-%d}; "
                "ask for a session between them",
                "session",
            )
        later = self.moved_session > session
        moved = np.bincount(self.moved_holding[later], weights=self.moved_quantity[later], minlength=len(self.quantity))
        held = self.quantity - moved
        return np.where(np.abs(held) > _DUST, held, 0.0)

    def value_at(self, session: int) -> Floats:
        """Dollars in each holding at the close of a session (K); NaN where it was held and never had a price."""
        held = self.quantity_at(session)
        return np.where(held == 0.0, 0.0, held * self.close[session, self.holding_security])

    def month_ends(self, count: int) -> list[int]:
        """The last sessions of the `count` whole months before the as-of date, as far back as holdings are known."""
        return self._period_ends("M", count)

    def quarter_ends(self, count: int) -> list[int]:
        """The last sessions of the `count` whole quarters before the as-of date, as far back as holdings are known."""
        return self._period_ends("Q", count)

    def _period_ends(self, frequency: str, count: int) -> list[int]:
        period = self.sessions.to_period(frequency)
        ends = np.flatnonzero(period[:-1] != period[1:])
        return [int(end) for end in ends if end >= self.first][-count:] if count else []


def added_up(amounts: Floats, place: Ints, count: int) -> Floats:
    """Sums of amounts by place, for places 0 to `count` - 1."""
    return np.bincount(place, weights=amounts, minlength=count).astype(np.float64)

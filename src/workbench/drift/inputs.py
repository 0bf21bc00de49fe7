"""What drift is measured from: accounts, holdings, models and bands as arrays, with no file behind them.

Shapes use A accounts, S securities, M models, G keys of a level, H holdings (rows of positions) and L lots.
An account's holdings are one run of rows (compressed sparse rows), so that 100,000 accounts of 30 securities take
36 MB instead of the hundreds of a dense matrix.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]
Offsets = NDArray[np.int64]
Flags = NDArray[np.bool_]

#: The key, at sleeve level, of a holding that the account's model does not name.
OFF_MODEL = "Off model"
#: Slack when a weight is held against its band, so that a weight on the line is inside it in spite of rounding.
ON_THE_LINE = 1e-12


@dataclass(frozen=True, eq=False)
class Level:
    """One level at which weights are held against targets.

    `target`, `lower` and `upper` are M x G, fractions of the account (units of exposure at factor level); where there
    is no band they are -inf and +inf. A security falls into keys either by `member`, the code of its one key (S), or
    by `loadings` (1 or M, S, G): the part of it that belongs to each sleeve, or its exposure to each factor.
    """

    name: str
    keys: tuple[str, ...]
    target: Floats
    lower: Floats
    upper: Floats
    member: Ints | None = None
    loadings: Floats | None = None

    def outside(self, model: Ints, key: Ints | Offsets | slice, weight: Floats) -> Flags:
        """Return whether each weight stands outside its band; `model` and `key` say which, as rows and columns."""
        upper, lower = self.upper[model, key], self.lower[model, key]
        return (weight > upper + ON_THE_LINE) | (weight < lower - ON_THE_LINE)

    def band(self, model: Ints, key: Ints | Offsets | slice, deviation: Floats) -> Floats:
        """Return the room between target and the limit on the deviation's side: +inf where there is no band."""
        target = self.target[model, key]
        return np.where(deviation > 0, self.upper[model, key] - target, target - self.lower[model, key])


@dataclass(frozen=True, eq=False)
class Securities:
    """Securities in order of identifier: price (NaN: none), shares traded a day (NaN: unknown), half spread."""

    ids: tuple[str, ...]
    names: tuple[str, ...]
    is_cash: Flags
    price: Floats
    adv: Floats
    half_spread: Floats


@dataclass(frozen=True, eq=False)
class Holdings:
    """Positions sorted by account and security: rows `account_ptr[a]:account_ptr[a + 1]` are account a's."""

    account_ptr: Offsets
    security: Ints
    quantity: Floats


@dataclass(frozen=True, eq=False)
class Lots:
    """Open lots of each holding, least tax a share first: rows `holding_ptr[h]:holding_ptr[h + 1]` are holding h's.

    `gain` and `tax` are per share, in account currency, as if sold at the price on the as-of date. A lot under water
    has a negative tax: what its loss is worth against gains of the household, before netting, limits and wash sales.
    """

    holding_ptr: Offsets
    quantity: Floats
    gain: Floats
    tax: Floats


@dataclass(frozen=True, eq=False)
class DriftInputs:
    """Everything `measure` needs, and nothing else.

    `accounts` (A rows) holds account_id, household_id, advisor_id, registration, model_id, model_version, opened_on
    and last_rebalanced_on; `model` (A) is each account's row in the models' arrays. `no_data` lists every account
    that is not measured, with its reason: account_id, model_id, reason. `unchecked` says which levels have tolerances
    but nothing to hold against them.
    """

    as_of: pd.Timestamp
    accounts: pd.DataFrame
    model: Ints
    taxed: Flags
    model_ids: tuple[str, ...]
    model_versions: tuple[int, ...]
    securities: Securities
    holdings: Holdings
    levels: dict[str, Level]
    no_data: pd.DataFrame
    lots: Lots | None = None
    unchecked: dict[str, str] = field(default_factory=dict)

    @property
    def account_ids(self) -> pd.Index:
        """Identifiers of the measured accounts, in order."""
        return pd.Index(self.accounts["account_id"])

    @property
    def values(self) -> Floats:
        """Market value of each account, in account currency."""
        worth = self.holdings.quantity * self.securities.price[self.holdings.security]
        return np.add.reduceat(worth, self.holdings.account_ptr[:-1]) if len(worth) else np.zeros(0)

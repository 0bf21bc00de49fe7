"""A household as arrays: what a proposal is made from, with no file behind it.

Shapes: A accounts, S securities of the firm, M models, H holdings, L lots of this household. An account's holdings are
one run of rows and a holding's lots another, so that a household is a slice of the firm's arrays and costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]
Offsets = NDArray[np.int64]
Flags = NDArray[np.bool_]
Days = NDArray[np.datetime64]

#: How an account is taxed: gains this year, everything at withdrawal, never.
TAXED, DEFERRED, FREE = range(3)
TREATMENT = {
    "taxable": TAXED, "trust": TAXED, "traditional_ira": DEFERRED, "inherited_ira": DEFERRED, "401k": DEFERRED,
    "roth_ira": FREE, "529": FREE,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Market:
    """The firm's securities in order of identifier (S), and the risk between them.

    `price` is NaN where there is none, `adv` (shares a day) and `half_spread` (fraction) NaN where unknown.
    `exposure` (S x K) is scaled so that factors are independent with variance 1 a year; `specific` is variance a
    year. A security without risk estimate takes that of its asset class and is flagged in `proxied`. `wash_group`
    holds codes of substantially identical securities; `substitutes` lists for a security (code, rank, registrations)
    in order of rank.
    """

    ids: tuple[str, ...]
    names: tuple[str, ...]
    kinds: tuple[str, ...]
    is_cash: Flags
    price: Floats
    adv: Floats
    half_spread: Floats
    asset_class: tuple[str, ...]
    sector: tuple[str, ...]
    issuer: tuple[str, ...]
    exposure: Floats
    specific: Floats
    proxied: Flags
    wash_group: Ints
    wash_group_names: tuple[str, ...]
    screens: tuple[frozenset[str], ...]
    substitutes: dict[int, tuple[tuple[int, int, frozenset[str]], ...]]
    cash: int
    code: dict[str, int] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, eq=False)
class Banded:
    """One level of a model at which weights have bands: limits are M x keys, `loading` (1 or M, S, keys) is the part
    of each security that falls to each key.
    """

    name: str
    keys: tuple[str, ...]
    loading: Floats
    target: Floats
    lower: Floats
    upper: Floats


@dataclass(frozen=True, eq=False)
class Models:
    """Target weights in force (M x S), their bands by security (-inf, +inf: none), and coarser levels.

    `stands_for` (M x S) is the security whose target a holding fills: itself, or for a security that the model does not
    name the one that it is a substitute of.
    """

    ids: tuple[str, ...]
    versions: tuple[int, ...]
    target: Floats
    lower: Floats
    upper: Floats
    stands_for: Ints
    levels: tuple[Banded, ...]


@dataclass(frozen=True)
class TaxPosition:
    """The household's rates (federal + state + NIIT) and its tax year so far; carryforwards are positive losses."""

    filing_status: str
    short_rate: float
    long_rate: float
    ordinary_rate: float
    realised_short: float
    realised_long: float
    carryforward_short: float
    carryforward_long: float
    gain_budget: float | None


@dataclass(frozen=True)
class Restriction:
    """One restriction in force; `account` is -1 where it holds for the whole household."""

    restriction_id: str
    account: int
    kind: str
    key: str
    value: float | None
    reason: str
    expires_on: date | None


@dataclass(frozen=True)
class CashDemand:
    """Cash that an account must have (`min_cash`, `rmd`, `withdrawal`), by a day, and where that is written."""

    account: int
    kind: Literal["rmd", "withdrawal", "min_cash"]
    amount: float
    by: date | None
    source: str


@dataclass(frozen=True)
class WashEvent:
    """What the last 30 days mean for today in one wash group.

    `purchase`: shares bought and still held (lot `source`), so a loss on other lots is disallowed up to `last_day`.
    `loss_sale`: a loss was taken (transaction `source`), so a purchase up to `last_day` disallows it; `loss` is
    dollars a share. `reinvestment`: dividends of the security are reinvested in the account.
    """

    kind: Literal["purchase", "loss_sale", "reinvestment"]
    group: int
    security: int
    account: int
    shares: float
    first_day: date
    last_day: date
    source: str
    loss: float = 0.0


@dataclass(frozen=True, eq=False)
class Accounts:
    """The household's accounts (A). `model` is -1 where none is in force; `group` says which are managed together
    (-1: not managed, with the reason in `unmanaged`); `fee` is the custodian's ticket fee in dollars.
    """

    ids: tuple[str, ...]
    registration: tuple[str, ...]
    treatment: Ints
    model: Ints
    discretionary: Flags
    fee: Floats
    cash: Floats
    kept_apart: Flags
    unmanaged: tuple[str | None, ...]


@dataclass(frozen=True, eq=False)
class Lots:
    """Open lots of each holding: rows `holding_ptr[h]:holding_ptr[h + 1]` are holding h's, oldest first.

    `basis` is dollars a share, wash-sale adjustment included, NaN where unknown.
    """

    holding_ptr: Offsets
    ids: Any
    quantity: Floats
    basis: Floats
    acquired_on: Days
    holding_start: Days


@dataclass(frozen=True, eq=False)
class Household:
    """Everything a proposal for one household is made from. Cash is not among the holdings but in `accounts.cash`."""

    household_id: str
    name: str
    advisor_id: str
    as_of: date
    market: Market
    models: Models
    tax: TaxPosition
    accounts: Accounts
    account_ptr: Offsets
    security: Ints
    quantity: Floats
    lots: Lots
    restrictions: tuple[Restriction, ...] = ()
    needs: tuple[CashDemand, ...] = ()
    wash: tuple[WashEvent, ...] = ()
    lineage: tuple[tuple[str, str], ...] = ()

"""What a household's books hold: rates, open lots, sales, dividends, and what a year or a liquidation comes to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from workbench.errors import ParameterError
from workbench.rebalance.household import Floats


@dataclass(frozen=True)
class TaxRates:
    """A household's rates, the same every year: federal, state and NIIT together.

    `short` on net short-term gain, interest and ordinary dividends, `long` on net long-term gain and qualified
    dividends, `ordinary` what a deducted loss saves, `withdrawal` on what leaves a traditional account.
    `other_gains` are long-term gains from elsewhere in dollars a year, `other_short_gains` short-term ones; losses here
    may be set against both.
    """

    short: float = 0.408
    long: float = 0.238
    ordinary: float = 0.37
    withdrawal: float = 0.37
    filing_status: str = "joint"
    other_gains: float = 0.0
    other_short_gains: float = 0.0

    def __post_init__(self) -> None:
        for name in ("short", "long", "ordinary", "withdrawal"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise ParameterError(f"{name} must be a rate from 0 to below 1, is {getattr(self, name)!r}", name)
        for name in ("other_gains", "other_short_gains"):
            if not getattr(self, name) >= 0.0:
                raise ParameterError(f"{name} must be dollars from 0 up, is {getattr(self, name)!r}", name)


@dataclass
class Lot:
    """An open lot, or the part of one that took over a disallowed loss; days count from 1970, basis is a share's."""

    lot_id: str
    account: int
    security: int
    shares: float
    basis: float
    acquired: int
    start: int
    adjusted: bool = False


class Realised(NamedTuple):
    """A sale's gain in a taxed account: `recognised` is what counts, gain less the disallowed loss."""

    day: int
    group: int
    security: int
    gain: float
    recognised: float
    disallowed: float
    permanent: float
    long: bool


@dataclass(frozen=True)
class Dividend:
    """Cash paid on the shares of one lot held through an ex-date, in a taxed account."""

    day: int
    security: int
    lot_id: str
    amount: float
    shares: float
    acquired: int


@dataclass(frozen=True)
class YearTax:
    """The tax of one year on what the household's portfolio did, and the losses that go into the next."""

    year: int
    short: float
    long: float
    ordinary_dividends: float
    qualified_dividends: float
    deduction: float
    tax: float
    carryforward_short: float
    carryforward_long: float


@dataclass(frozen=True, eq=False)
class Liquidation:
    """What selling everything on a day would leave: `proceeds` and cash by account, before `tax` of all unpaid years.

    `gain` is what that sale would realise in the taxed accounts, `carryforward` what losses would still be unused.
    """

    proceeds: Floats
    tax: float
    gain: float
    carryforward: float

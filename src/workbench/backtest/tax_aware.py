"""The quadratic rule with tax in its costs: selling a lot with a gain is dearer by the tax on that gain."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np

from workbench.backtest import _one_step
from workbench.backtest.policy import Policy
from workbench.backtest.quadratic import Quadratic
from workbench.backtest.universe import Floats, Ints, Observation
from workbench.errors import ParameterError


@dataclass(frozen=True, eq=False)
class TaxLots:
    """The open lots of an account at a look (L): `position` it belongs to, `weight`, and `tax` of a dollar sold.

    `tax` is rate x gain / price, with the short- or long-term rate that a sale would have that day; below 0 for a loss.
    """

    position: Ints
    weight: Floats
    tax: Floats


@runtime_checkable
class LotPolicy(Policy, Protocol):
    """A policy that wants to know what its sales would be taxed; `after_tax` asks it by `decide_taxed`."""

    def decide_taxed(self, seen: Observation, lots: TaxLots) -> Floats | None:
        """Weights wanted after trading (m, on the simplex), or None."""


@dataclass(frozen=True)
class TaxAware:
    """`Quadratic(horizon, risk, band, every)` where selling a dollar of a lot costs `tax` x its tax on top.

        min  sum_i cost_i |x_i| + tax x sum_l tax_l^+ s_l + horizon x 1/2 x risk x risk_aversion x (y - w*)' S (y - w*)

    over trades x and sales s_l of lots, the least taxed first. `tax` is the part of a tax paid now that counts: less
    than 1, because what is not paid now is mostly paid later. A loss is no reason to trade here (its tax counts as 0),
    only no obstacle: harvesting needs a substitute to hold. Without lots it decides as `Quadratic`.
    Raises `ParameterError` as `Quadratic`, and for `tax` outside [0, 1].
    """

    horizon: float
    tax: float = 0.5
    risk: float = 1.0
    band: float = 0.0
    every: int = 21
    _rule: Quadratic = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 0.0 <= self.tax <= 1.0:
            raise ParameterError(f"TaxAware: tax is {self.tax}; give the part of it that counts, from 0 to 1", "tax")
        object.__setattr__(self, "_rule", Quadratic(self.horizon, self.risk, self.band, self.every))

    @property
    def name(self) -> str:
        """How exhibits call it."""
        return f"{self._rule.name}, {100 * self.tax:g} % of tax counted"

    def decide(self, seen: Observation) -> Floats | None:
        """As `Quadratic`: nothing is known of lots."""
        return self._rule.decide(seen)

    def decide_taxed(self, seen: Observation, lots: TaxLots) -> Floats | None:
        """Weights wanted after trading, with lots that are dear to sell left alone longer.

        Every position is split into tiers of equal cost of selling. The first holds what is sold without tax, and takes
        what is bought; the others hold lots with a gain, which it never pays to buy into. Tiers of one asset share its
        row of the covariance, so `_one_step` solves it exactly as it is.
        """
        m = len(seen.weight)
        dear = lots.tax > 0.0
        pairs = np.stack([lots.position[dear].astype(np.float64), lots.tax[dear]])
        tiers, place = np.unique(pairs, axis=1, return_inverse=True)
        above = np.bincount(place.ravel(), lots.weight[dear], minlength=tiers.shape[1])
        owner = np.concatenate([np.arange(m), tiers[0].astype(np.int64)])
        held = seen.weight - np.bincount(owner[m:], above, minlength=m)
        weight = np.concatenate([np.maximum(held, 0.0), above])
        cost = seen.cost[owner] + np.concatenate([np.zeros(m), self.tax * tiers[1]])
        target = np.concatenate([seen.target, np.zeros(len(above))])
        matrix = seen.covariance[np.ix_(owner, owner)]
        strength = self.horizon * self.risk * seen.risk_aversion
        wanted, _, gain = _one_step.one_step_batch(
            weight[None], target[None], matrix[None], cost[None], np.array([strength])
        )
        if not gain[0] > self.band or (wanted[0] == weight).all():
            return None
        # What a position keeps comes out to the bit, so that it is not traded for a rounding.
        moved = np.bincount(owner, wanted[0] - weight, minlength=m)
        untouched = np.bincount(owner, wanted[0] != weight, minlength=m) == 0
        asked = np.where(untouched, seen.weight, np.maximum(seen.weight + moved, 0.0))
        return np.asarray(asked / asked.sum() if abs(asked.sum() - 1.0) > 1e-12 else asked)

"""The household's tax year in plain numbers: what the next dollar of gain costs, and what a set of gains costs exactly.

The rule is `workbench.tax.tax_of_year`, which works on arrays; a search that asks for one household at a time, tens of
thousands of times, asks here. A test holds the two to each other.
"""

from __future__ import annotations

from workbench.rebalance.formulate import MarginalRates
from workbench.rebalance.household import TaxPosition
from workbench.tax import loss_limit

#: Net capital loss that may be set against ordinary income a year, by filing status (IRC 1211(b)).
LIMITS = {status: float(loss_limit(status)) for status in ("single", "joint", "head", "separate")}


def tax_of(position: TaxPosition, short: float, long: float, carryforward_value: float) -> float:
    """Tax of the year with these net gains added, less what carried losses are worth (IRC 1211, 1212(b), 1222)."""
    s = position.realised_short + short - position.carryforward_short
    n = position.realised_long + long - position.carryforward_long
    if s >= 0 and n >= 0:
        return position.short_rate * s + position.long_rate * n
    if s + n >= 0:
        return (position.short_rate if s > 0 else position.long_rate) * (s + n)
    limit = LIMITS[position.filing_status]
    used = min(limit, -(s + n))
    rest = -(s + n) - used
    return -used * position.ordinary_rate - rest * position.long_rate * carryforward_value


def marginal(position: TaxPosition, short: float, long: float, carryforward_value: float) -> MarginalRates:
    """Rates on the next hundred dollars of gain or loss of each term, after gains already made."""
    step = 100.0
    here = tax_of(position, short, long, carryforward_value)

    def at(s: float, n: float) -> float:
        return tax_of(position, short + s, long + n, carryforward_value)

    return MarginalRates(
        (at(step, 0) - here) / step, (here - at(-step, 0)) / step, (at(0, step) - here) / step,
        (here - at(0, -step)) / step,
    )  # fmt: skip

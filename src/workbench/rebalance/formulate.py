"""From a household to its program in arrays: which columns, lines and rows there are, and what each costs.

Amounts are fractions of the managed value V. With w the share of a group of accounts in V and x a line's deviation,

    cost = risk aversion / w  x (B'x . B'x + sum d x^2)      tracking variance of each group, weighted by its value
         + tax rate x gain of each lot sold                  at the household's marginal rates
         + half-spread and impact of each trade              impact grows with the part of a day's volume
         + yearly cost of location                           what a class costs in a registration
         + prices of what is outside a limit                 bands, ceilings of cash, a priced gain budget

Owed cash and caps are elastic too, at prices above anything else, so that the program is always feasible: one of them
is missed only where nothing else is left, and by the least. A hard gain budget is no price, since a little gain may
free a large correction; it yields only to owed cash, by the least gain that raises it (`solve`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from workbench.rebalance._obstacles import Bar, Obstacles
from workbench.rebalance.household import Floats, Household, Ints
from workbench.rebalance.program.assembly import Assembly, Row
from workbench.rebalance.program.costs import CASH_PRICE, DUST, UNKNOWN_HALF_SPREAD, MarginalRates, gain_budget
from workbench.rebalance.program.limits import add_bands, add_caps, add_cash, add_gain_budget, cash_limits
from workbench.rebalance.program.managed import Managed, managed
from workbench.rebalance.program.purchases import Purchases, add_purchases
from workbench.rebalance.program.sales import Sales, add_sales
from workbench.rebalance.program.tracking import add_tracking
from workbench.rebalance.settings import Settings
from workbench.rebalance.solver.problem import Integrality, Problem

__all__ = [
    "CASH_PRICE",
    "UNKNOWN_HALF_SPREAD",
    "Formulation",
    "MarginalRates",
    "formulate",
    "gain_budget",
]


@dataclass(frozen=True, eq=False)
class Formulation:
    """A program and what its arrays stand for.

    Columns begin with the buys (`buy_account`, `buy_security`), then the sales (`sell_holding`, `sell_lot`: -1 where
    a whole position is one column because no gain is taxed), then everything else. `line_group`, `line_security` say
    what a line is. `blocked` holds what stood against columns that were left out or fixed at zero.
    """

    problem: Problem
    integrality: Integrality
    value: float
    group: Ints
    group_value: Floats
    account_value: Floats
    buy_account: Ints
    buy_security: Ints
    buy_line: Ints
    sell_holding: Ints
    sell_lot: Ints
    sell_line: Ints
    sell_gain: Floats
    sell_long: np.ndarray
    sell_rate: Floats
    sell_washed: np.ndarray
    line_group: Ints
    line_security: Ints
    line_held: Floats
    line_target: Floats
    deviation: Ints
    rows: tuple[Row, ...]
    cash_floor: Floats
    cash_ceiling: Floats
    cash_owed: Floats
    cash_before: Floats
    obstacles: Obstacles
    blocked: dict[tuple[int, int, str], Bar] = field(default_factory=dict)

    @property
    def owes(self) -> bool:
        """Whether some account must raise cash that it does not have."""
        return bool((self.cash_owed > self.cash_before + 0.005).any())


def formulate(household: Household, settings: Settings, rates: MarginalRates) -> Formulation | None:
    """Return the program of a household at given marginal rates; None where there is nothing of value to manage."""
    m = managed(household, settings)
    if m is None:
        return None
    assembly = Assembly()
    buys = add_purchases(assembly, m, rates)
    sales = add_sales(assembly, m, rates)
    tracking = add_tracking(assembly, m)
    cash = cash_limits(m)
    add_cash(assembly, m, buys, sales, cash)
    add_gain_budget(assembly, m, sales)
    add_bands(assembly, m, tracking)
    add_caps(assembly, m, buys, sales)
    return Formulation(
        problem=assembly.problem(m.line_target - m.line_held),
        integrality=_integrality(m, buys, sales, assembly.size),
        value=m.value, group=m.group, group_value=m.group_value, account_value=m.account_value,
        buy_account=buys.account, buy_security=buys.security, buy_line=buys.line,
        sell_holding=sales.holding, sell_lot=sales.lot, sell_line=sales.line, sell_gain=sales.gain,
        sell_long=sales.long, sell_rate=sales.rate, sell_washed=sales.washed,
        line_group=m.line_group, line_security=m.line_security, line_held=m.line_held, line_target=m.line_target,
        deviation=tracking.deviation.astype(np.int32), rows=tuple(assembly.rows),
        cash_floor=cash.floor, cash_ceiling=cash.ceiling, cash_owed=cash.owed,
        cash_before=np.where(m.group >= 0, household.accounts.cash, np.inf),
        obstacles=m.obstacles, blocked={**buys.blocked, **sales.blocked},
    )  # fmt: skip


def _integrality(m: Managed, buys: Purchases, sales: Sales, size: int) -> Integrality:
    """Positions with their least trades and shares, and the sides that wash sales keep apart."""
    household, settings = m.household, m.settings
    n_securities = len(m.market.ids)
    account = np.concatenate([buys.account, m.owner[sales.holding]])
    security = np.concatenate([buys.security, household.security[sales.holding]])
    keys, place = np.unique(account.astype(np.int64) * n_securities + security, return_inverse=True)
    position = np.full(size, -1, np.int32)
    position[: len(place)] = place
    of, code = keys // n_securities, keys % n_securities
    held = np.zeros(len(keys))
    if len(keys):
        holdings = m.owner * n_securities + household.security
        at = np.minimum(np.searchsorted(keys, holdings), len(keys) - 1)
        found = keys[at] == holdings
        held[at[found]] = m.worth[found] / m.value
    least = settings.least_trade(m.account_value, household.accounts.fee)[of]
    share = m.market.price[code] / m.value if settings.whole_shares else np.zeros(len(keys))
    return Integrality(position, share, held, least / m.value, _wash_sides(m, buys, sales, size))


def _wash_sides(m: Managed, buys: Purchases, sales: Sales, size: int) -> Ints:
    """Wash group of each loss sale that saves tax and of each purchase that would take the saving away."""
    wash = np.full(size, -1, np.int32)
    loss = (sales.lot >= 0) & (sales.gain < 0) & (sales.upper > DUST) & ~sales.washed
    sold = m.market.wash_group[m.household.security[sales.holding]]
    bought = m.market.wash_group[buys.security]
    both = np.intersect1d(sold[loss], bought[buys.upper > 0])
    wash[buys.columns] = np.where(np.isin(bought, both), bought, -1)
    wash[sales.columns] = np.where(loss & np.isin(sold, both), sold, -1)
    return wash

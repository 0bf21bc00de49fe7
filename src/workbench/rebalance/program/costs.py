"""What a trade costs and what breaking a limit is priced at: the program's money, in one place."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from workbench.rebalance.household import Floats, Household, Market
from workbench.rebalance.settings import Settings

#: Half-spread taken for a security whose own is not known.
UNKNOWN_HALF_SPREAD = 0.001
#: Part of the risk price that holds inside a band where trades stop at its edge: enough to point cash to what is low.
INSIDE = 0.05
#: Prices of breaking what must hold, a unit of weight: owed cash, then caps.
CASH_PRICE, CAP_PRICE = 3.0, 2.0
#: What a unit of a holding that may not be held is worth to sell: above any tax and risk, below every hard limit.
MUST_SELL = 0.9
#: Yearly price of cash above its ceiling, and price of cash below the firm's own floor: no reason to pass a budget.
IDLE_CASH, THIN_CASH = 0.02, 0.10
#: Price of cash missing or beyond what is asked for, where cash is all that is asked for: above any tax or risk.
ENOUGH = 1.0
#: Bands and caps nearer than this part of their room become rows.
NEAR = 0.5
#: A group smaller than this part of the household is tracked as loosely as one of this size.
LEAST_SHARE = 1e-3
#: Less than this part of the household is not worth a column.
DUST = 1e-9
#: No limit of a household without debt can be missed by more than this many times its value.
MOST = 2.0


class MarginalRates(NamedTuple):
    """Tax on the next dollar of gain, and tax saved by the next dollar of loss, by term."""

    short_gain: float
    short_loss: float
    long_gain: float
    long_loss: float


def trading_cost(market: Market, security: np.ndarray, value: float, settings: Settings) -> tuple[Floats, Floats]:
    """Half-spread of each trade, and the curvature of impact: impact x (traded / a day's volume) of what is traded."""
    half = market.half_spread[security]
    spread = np.where(np.isnan(half), UNKNOWN_HALF_SPREAD, half)
    volume = market.adv[security] * market.price[security]
    known = volume > 0
    curve = np.where(known, 2.0 * settings.impact * value / np.where(known, volume, 1.0), 0.0)
    return spread, curve


def gain_budget(household: Household, settings: Settings, value: float) -> float | None:
    """The household's budget of net gain a year in dollars: its own, else the firm's default; None for no limit."""
    if household.tax.gain_budget is not None:
        return household.tax.gain_budget
    return None if settings.default_gain_budget is None else settings.default_gain_budget * value

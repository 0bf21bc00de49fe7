"""One order, compiled: what a policy wishes as an order, and the order as trades that pay for themselves."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from workbench.backtest.universe import Floats

#: Weights that a policy asks for may miss the simplex by this much, in sum and below zero.
SIMPLEX = 1e-9
#: A wanted weight this close to the weight held is no wish to trade.
UNTRADED = 1e-12


class Terms(NamedTuple):
    """Costs before a run's multiple, the client's risk aversion, and the sessions from start to end."""

    rate: Floats  # n: half spread and commission
    daily_value: Floats  # n
    impact: float
    ticket: float
    wealth: float
    risk_aversion: float
    first: int
    last: int


@njit(cache=True)
def on_simplex(wish: Floats) -> bool:
    """Whether weights are 0 or more and sum to 1, within `SIMPLEX`."""
    total, least = 0.0, 0.0
    for i in range(len(wish)):
        total += wish[i]
        least = min(least, wish[i])
    return abs(total - 1.0) <= SIMPLEX and least >= -SIMPLEX


@njit(cache=True)
def write_order(order: Floats, wish: Floats, weight: Floats, goal: Floats) -> bool:
    """Turn wanted weights into an order and return whether it trades anything: -1 is a position left alone.

    A position wanted as it is held is left alone, so that the days until execution do not make it trade. Who wants the
    target wants all of it, also where a weight stands there already. A rounding below zero is zero.
    """
    whole, trades = True, False
    for i in range(len(wish)):
        whole = whole and abs(wish[i] - goal[i]) <= UNTRADED
    for i in range(len(wish)):
        moves = whole or abs(wish[i] - weight[i]) > UNTRADED
        order[i] = max(wish[i], 0.0) if moves else -1.0
        trades = trades or moves
    return trades


@njit(cache=True, error_model="numpy")
def settle(
    held: Floats,
    cash: float,
    order: Floats,
    lane: int,
    price: Floats,
    volatility: Floats,
    least: float,
    terms: Terms,
    multiple: float,
    share: Floats,
    traded: Floats,
) -> tuple[float, float, int]:
    """Trade dollars to the wanted weights and pay for it: wealth of the traded positions, cost, number of trades.

    Positions that the order leaves alone keep their units. The others share what they are worth now (`held` (n), and
    cash), costs taken off, in the proportions wanted; cash that is no position is spent with them. Costs depend on
    trades and trades on what costs leave, x + cost(x) = pool: convex in x, so Newton's steps from the pool fall to the
    root and find it to rounding, at proportional costs in two or three. `share` and `traded` (n) are written; a trade
    below `least` dollars costs no ticket. The wealth is 0 where the pool cannot pay.
    """
    n, m = len(held), order.shape[1]
    pool, shares = 0.0, 0.0
    for i in range(n):
        share[i] = order[lane, i] if price[i] > 0.0 else -1.0
        traded[i] = 0.0
        if share[i] >= 0.0:
            pool += held[i]
            shares += share[i]
    if m == n:
        pool += cash
    elif order[lane, n] >= 0.0:
        pool += cash
        shares += order[lane, n]
    if shares <= 0.0 or pool <= 0.0:
        return 1.0, 0.0, 0  # nothing to buy with, or nothing left to buy: the order lapses
    scale, count = 1.0 / shares, 0
    for i in range(n):
        if share[i] >= 0.0:
            share[i] *= scale
            count += abs(share[i] * pool - held[i]) > least
    fixed = terms.ticket * multiple * count
    left = pool
    for _ in range(60):
        cost, slope = _cost(held, share, left, volatility, terms)
        cost = multiple * cost + fixed
        excess, slope = left + cost - pool, 1.0 + multiple * slope
        if excess <= 4e-16 * pool:
            break
        left = left - excess / slope if slope > 0.0 else 0.0
        if left <= 0.0:
            return 0.0, 0.0, count
    for i in range(n):
        if share[i] >= 0.0:
            traded[i] = share[i] * left - held[i]
    return left, cost, count


@njit(cache=True, error_model="numpy")
def _cost(held: Floats, share: Floats, left: float, volatility: Floats, terms: Terms) -> tuple[float, float]:
    """Cost of trading to `share` of `left` dollars, before multiple and tickets, and its slope in `left`."""
    cost, slope = 0.0, 0.0
    for i in range(len(held)):
        if share[i] < 0.0:
            continue
        size = share[i] * left - held[i]
        steep = share[i] if size > 0.0 else -share[i]
        size = abs(size)
        cost += terms.rate[i] * size
        slope += terms.rate[i] * steep
        if terms.impact > 0.0:
            price = terms.impact * volatility[i] * np.sqrt(size / terms.daily_value[i])
            cost += price * size
            slope += 1.5 * price * steep
    return cost, slope

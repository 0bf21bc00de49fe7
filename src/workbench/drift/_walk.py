"""The walk through an account's events, compiled; see `workbench.drift.causes` for what it attributes."""

from __future__ import annotations

import numpy as np
from numba import njit

from workbench.drift.history import CORPORATE_ACTION, DIVIDEND, OVERRIDE
from workbench.drift.inputs import Floats, Ints, Offsets

MARKET, CORPORATE, FLOWS, TRADES, OVERRIDES = range(5)
EXPLAINED, WORTHLESS, UNPRICED, NEVER_FUNDED = range(4)
#: Shares below this are rounding left by a sale of everything, and need no price.
DUST = 1e-9


@njit(cache=True)
def _weigh(quantity: Floats, extra: Floats, close: Floats, security: Ints, weight: Floats) -> float:
    """Fill `weight` and return the account's value: shares at the close, and `extra` cash counted in a slot."""
    value = 0.0
    for i in range(len(quantity)):
        worth = extra[i]
        if abs(quantity[i]) > DUST:
            worth += quantity[i] * close[security[i]]
        weight[i] = worth
        value += worth
    if value > 0.0:
        for i in range(len(quantity)):
            weight[i] /= value
    return value


@njit(cache=True)
def _move(weight: Floats, after: Floats, effect: Floats) -> None:
    """Book the change of weights to a cause, and make the new weights the current ones."""
    for i in range(len(weight)):
        effect[i] += after[i] - weight[i]
        weight[i] = after[i]


@njit(cache=True)
def walk(
    slot_ptr: Offsets,
    slot_security: Ints,
    start_quantity: Floats,
    cash: int,
    start: Offsets,
    event_ptr: Offsets,
    event_day: Offsets,
    event_step: Ints,
    event_slot: Offsets,
    event_quantity: Floats,
    event_amount: Floats,
    close: Floats,
) -> tuple[Floats, Floats, Offsets, Ints]:
    """Return effects (slots x 5), weights at the beginning (slots), its session and the outcome (accounts)."""
    n = len(slot_ptr) - 1
    effects = np.zeros((5, len(slot_security)))
    begin_weight = np.zeros(len(slot_security))
    begin = start.copy()
    outcome = np.zeros(n, np.int32)
    for a in range(n):
        low, high = slot_ptr[a], slot_ptr[a + 1]
        security = slot_security[low:high]
        quantity = start_quantity[low:high].copy()
        effect = effects[:, low:high]
        weight, after, extra = np.zeros(high - low), np.zeros(high - low), np.zeros(high - low)
        purse = np.searchsorted(security, cash)
        value = _weigh(quantity, extra, close[start[a]], security, weight)
        begun = value > 0.0
        if begun:
            begin_weight[low:high] = weight
        event, last = event_ptr[a], event_ptr[a + 1]
        while event < last and outcome[a] == EXPLAINED:
            day = event_day[event]
            until = event
            while until < last and event_day[until] == day:
                until += 1
            # The market: old holdings, restated for splits, with their dividends still in their prices.
            due = 0.0
            first = event
            while event < until and event_step[event] <= DIVIDEND:
                quantity[event_slot[event]] += event_quantity[event]
                extra[event_slot[event]] += event_amount[event]
                due += event_amount[event]
                event += 1
            value = _weigh(quantity, extra, close[day], security, after)
            if begun:
                _move(weight, after, effect[MARKET])
                if not value > 0.0:
                    outcome[a] = UNPRICED if np.isnan(value) else WORTHLESS
                    break
            extra[:] = 0.0
            quantity[purse] += due
            for step in range(CORPORATE_ACTION, OVERRIDE + 1):
                acted = step == CORPORATE_ACTION and event > first
                while event < until and event_step[event] == step:
                    quantity[event_slot[event]] += event_quantity[event]
                    quantity[purse] += event_amount[event]
                    acted = True
                    event += 1
                if acted and begun:
                    value = _weigh(quantity, extra, close[day], security, after)
                    _move(weight, after, effect[CORPORATE + step - CORPORATE_ACTION])
                    if not value > 0.0:
                        outcome[a] = WORTHLESS
                        break
            if not begun:
                value = _weigh(quantity, extra, close[day], security, weight)
                if value > 0.0:
                    begun = True
                    begin[a] = day
                    begin_weight[low:high] = weight
            if np.isnan(value):
                outcome[a] = UNPRICED
        if outcome[a] == EXPLAINED:
            value = _weigh(quantity, extra, close[len(close) - 1], security, after)
            _move(weight, after, effect[MARKET])
            if not begun:
                outcome[a] = NEVER_FUNDED
            elif np.isnan(value):
                outcome[a] = UNPRICED
            elif value <= 0.0:
                outcome[a] = WORTHLESS
    return effects.T.copy(), begin_weight, begin, outcome

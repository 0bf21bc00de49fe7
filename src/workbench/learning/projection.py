"""The compliance-feasible portfolio nearest to what a policy asks for, and how far away it had to go."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from workbench.backtest import Floats
from workbench.errors import ParameterError

#: No trade of any size is stopped by this cap: one-way turnover never exceeds 1 on the simplex.
NO_CAP = 1.0


@dataclass(frozen=True, eq=False)
class Projection:
    """`weight` (m) is feasible and nearest to what was asked in the Euclidean norm; `distance` is that norm.

    `turnover` is the one-way turnover of getting there. Where the limits of each position cannot be reached within
    the turnover cap, the limits go first: `turnover` is then the least that reaches them and `forced` is true.
    """

    weight: Floats
    distance: float
    turnover: float
    forced: bool


def project(asked: Floats, held: Floats, lower: Floats, upper: Floats, turnover_cap: float = NO_CAP) -> Projection:
    """Nearest weights to `asked` that sum to 1, keep `lower <= weight <= upper` and trade within the cap from `held`.

    All arrays are of m positions; the cap is one-way, `sum |weight - held| / 2`. With multipliers v of the sum and l
    of the cap the solution is `clip(held + soft(asked - v - held, l), lower, upper)`; v is found by Newton's method
    inside a bracket and l by the Illinois method, both on piecewise linear functions.

    Raises `ParameterError` where no portfolio keeps the limits, the cap is negative, or an input is not finite.
    Source: Boyd and Vandenberghe, Convex Optimization (2004), section 8.1 (projection), by the KKT conditions.
    """
    asked, held, lower, upper = (np.asarray(values, float) for values in (asked, held, lower, upper))
    check_limits(lower, upper, turnover_cap)
    if not (asked.shape == held.shape == lower.shape):
        raise ParameterError(f"asked, held and limits have {len(asked)}, {len(held)} and {len(lower)} positions")
    if not (np.isfinite(asked).all() and np.isfinite(held).all()):
        raise ParameterError("weights asked for or held are not finite: nothing can be projected", "asked")
    weight = np.empty_like(asked)
    forced = project_into(asked, held, lower, upper, turnover_cap, weight)
    return Projection(
        weight, float(np.linalg.norm(weight - asked)), float(0.5 * np.abs(weight - held).sum()), bool(forced)
    )


def check_limits(lower: Floats, upper: Floats, turnover_cap: float) -> None:
    """Raise `ParameterError` where no portfolio keeps these limits, naming the position or the sum that fails."""
    if lower.shape != upper.shape:
        raise ParameterError(f"{len(lower)} lower and {len(upper)} upper limits", "lower")
    crossed = np.flatnonzero(~(lower <= upper))
    if len(crossed):
        i = int(crossed[0])
        raise ParameterError(f"position {i}: lower limit {lower[i]:g} is not below upper limit {upper[i]:g}", "lower")
    if not lower.sum() <= 1 + 1e-12 or not upper.sum() >= 1 - 1e-12:
        raise ParameterError(
            f"lower limits sum to {lower.sum():g} and upper ones to {upper.sum():g}: no portfolio fits; widen them",
            "lower",
        )
    if not turnover_cap >= 0:
        raise ParameterError(f"turnover cap is {turnover_cap:g}: it must be 0 or more", "turnover_cap")


@njit(cache=True)
def project_into(asked: Floats, held: Floats, lower: Floats, upper: Floats, cap: float, weight: Floats) -> bool:
    """Write the projection to `weight`; return whether the cap had to give way to the limits. Inputs are feasible."""
    if _turnover(asked, held, lower, upper, 0.0, weight) <= cap:
        return False
    spread = 1.0
    for i in range(len(asked)):
        spread += abs(asked[i]) + abs(held[i]) + abs(lower[i]) + abs(upper[i])
    low, high = 0.0, 2.0 * spread
    least = _turnover(asked, held, lower, upper, high, weight)
    if least >= cap:
        return least > cap + 1e-12
    excess_low = _turnover(asked, held, lower, upper, low, weight) - cap
    excess_high = least - cap
    for step in range(200):
        middle = (low * excess_high - high * excess_low) / (excess_high - excess_low)
        if step % 3 == 2 or not low < middle < high:
            middle = 0.5 * (low + high)
        excess = _turnover(asked, held, lower, upper, middle, weight) - cap
        if abs(excess) < 1e-14 or high - low < 1e-15:
            break
        if excess > 0:
            low, excess_low = middle, excess
            excess_high *= 0.5
        else:
            high, excess_high = middle, excess
            excess_low *= 0.5
    return False


@njit(cache=True)
def _turnover(asked: Floats, held: Floats, lower: Floats, upper: Floats, shrink: float, weight: Floats) -> float:
    """Write weights for one multiplier of the cap (`shrink`), on the simplex; return their one-way turnover."""
    reach = shrink
    for i in range(len(asked)):
        reach = max(reach, abs(asked[i] - held[i]) + abs(lower[i] - held[i]) + abs(upper[i] - held[i]) + shrink)
    low, high, shift = -reach - 1.0, reach + 1.0, 0.0
    for _ in range(200):
        excess, slope = -1.0, 0
        for i in range(len(asked)):
            move = asked[i] - shift - held[i]
            moved = held[i] + (move - shrink if move > shrink else (move + shrink if move < -shrink else 0.0))
            weight[i] = min(max(moved, lower[i]), upper[i])
            excess += weight[i]
            if abs(move) > shrink and lower[i] < moved < upper[i]:
                slope += 1
        if abs(excess) < 1e-15 or high - low < 1e-16:
            break
        if excess > 0:
            low = shift
        else:
            high = shift
        shift = shift + excess / slope if slope > 0 else 0.5 * (low + high)
        if not low < shift < high:
            shift = 0.5 * (low + high)
    turnover = 0.0
    for i in range(len(asked)):
        turnover += abs(weight[i] - held[i])
    return 0.5 * turnover

"""Compiled loops over accounts. Each account is worked by itself, so the number of threads changes no bit."""

from __future__ import annotations

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Longs = NDArray[np.int64]


@njit(cache=True, parallel=True)
def side_totals(weights: Floats, returns: Floats, present: Flags) -> tuple[Floats, Floats, Longs]:
    """Sum one side's weights and contributions over groups (both N x T), and find each account's first bad number.

    Bad is a weight that is not finite, and a return that is not although its weight is not zero; a missing return at
    weight zero contributes nothing. The third array (N) is the flat place t * G + g of the first, or -1.
    """
    n, periods, groups = weights.shape
    total, weight = np.zeros((n, periods)), np.zeros((n, periods))
    bad = np.full(n, -1, np.int64)
    for a in prange(n):
        for t in range(periods):
            if not present[a, t]:
                continue
            for g in range(groups):
                w, r = weights[a, t, g], returns[a, t, g]
                weight[a, t] += w
                if np.isfinite(w) and (np.isfinite(r) or (w == 0 and np.isnan(r))):
                    if w != 0:
                        total[a, t] += w * r
                elif bad[a] < 0:
                    bad[a] = t * groups + g
    return total, weight, bad


@njit(cache=True)
def read_benchmarks(benchmark_of: Longs, present: Flags, benchmarks: int) -> Flags:
    """Say in which periods a benchmark is read (M x T): those in which someone who has it existed."""
    read = np.zeros((benchmarks, present.shape[1]), np.bool_)
    for a in range(len(present)):
        for t in range(present.shape[1]):
            if present[a, t]:
                read[benchmark_of[a], t] = True
    return read


@njit(cache=True, inline="always")
def _pair(portfolio: float, benchmark: float) -> tuple[float, float]:
    """Give both returns of a group: a missing one is the other side's, and zero where both are."""
    if np.isnan(portfolio):
        portfolio = benchmark
    if np.isnan(benchmark):
        benchmark = portfolio
    if np.isnan(portfolio):
        return 0.0, 0.0
    return portfolio, benchmark


@njit(cache=True, parallel=True)
def semi_notional(
    weights: Floats, returns: Floats, benchmark_returns: Floats, benchmark_of: Longs, present: Flags
) -> Floats:
    """Give the return of the benchmark's groups at the portfolio's weights (N x T)."""
    n, periods, groups = weights.shape
    total = np.zeros((n, periods))
    for a in prange(n):
        b = benchmark_of[a]
        for t in range(periods):
            if present[a, t]:
                for g in range(groups):
                    total[a, t] += weights[a, t, g] * _pair(returns[a, t, g], benchmark_returns[b, t, g])[1]
    return total


@njit(cache=True, parallel=True)
def summed_effects(
    weights: Floats,
    returns: Floats,
    benchmark_weights: Floats,
    benchmark_returns: Floats,
    benchmark_of: Longs,
    hurdle: Floats,
    allocation_factor: Floats,
    selection_factor: Floats,
    present: Flags,
    effects: int,
) -> Floats:
    """Add up factor x effect over periods (N x G x 3 or 2) without keeping the periods' effects.

    `hurdle` (N x T) is what a group must beat for overweighting it to pay: the benchmark's return after Brinson and
    Fachler, zero after Brinson, Hood and Beebower.
    """
    n, periods, groups = weights.shape
    total = np.zeros((n, groups, effects))
    for a in prange(n):
        b = benchmark_of[a]
        for t in range(periods):
            if not present[a, t]:
                continue
            allocate, select = allocation_factor[a, t], selection_factor[a, t]
            for g in range(groups):
                r, against = _pair(returns[a, t, g], benchmark_returns[b, t, g])
                neutral = benchmark_weights[b, t, g]
                active = weights[a, t, g] - neutral
                total[a, g, 0] += allocate * active * (against - hurdle[a, t])
                if effects == 3:
                    total[a, g, 1] += select * neutral * (r - against)
                    total[a, g, 2] += select * active * (r - against)
                else:
                    total[a, g, 1] += select * weights[a, t, g] * (r - against)
    return total


@njit(cache=True, parallel=True)
def period_effects(
    weights: Floats,
    returns: Floats,
    benchmark_weights: Floats,
    benchmark_returns: Floats,
    benchmark_of: Longs,
    hurdle: Floats,
    allocation_factor: Floats,
    selection_factor: Floats,
    present: Flags,
    effects: int,
) -> Floats:
    """Keep factor x effect of every period (N x T x G x 3 or 2); the formulas are those of `summed_effects`."""
    n, periods, groups = weights.shape
    kept = np.zeros((n, periods, groups, effects))
    for a in prange(n):
        b = benchmark_of[a]
        for t in range(periods):
            if not present[a, t]:
                continue
            for g in range(groups):
                r, against = _pair(returns[a, t, g], benchmark_returns[b, t, g])
                neutral = benchmark_weights[b, t, g]
                active = weights[a, t, g] - neutral
                kept[a, t, g, 0] = allocation_factor[a, t] * active * (against - hurdle[a, t])
                if effects == 3:
                    kept[a, t, g, 1] = selection_factor[a, t] * neutral * (r - against)
                    kept[a, t, g, 2] = selection_factor[a, t] * active * (r - against)
                else:
                    kept[a, t, g, 1] = selection_factor[a, t] * weights[a, t, g] * (r - against)
    return kept

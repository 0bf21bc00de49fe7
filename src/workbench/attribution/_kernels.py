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


@njit(cache=True)
def _effects(
    weight: float, neutral: float, r: float, against: float, hurdle: float, allocate: float, select: float
) -> tuple[float, float, float, float]:
    """Give allocation, selection, interaction, and selection of two effects, each times its linking factor."""
    active = weight - neutral
    return (
        allocate * active * (against - hurdle),
        select * neutral * (r - against),
        select * active * (r - against),
        select * weight * (r - against),
    )


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
                allocation, selection, interaction, both = _effects(
                    weights[a, t, g], benchmark_weights[b, t, g], r, against, hurdle[a, t], allocate, select
                )
                total[a, g, 0] += allocation
                if effects == 3:
                    total[a, g, 1] += selection
                    total[a, g, 2] += interaction
                else:
                    total[a, g, 1] += both
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
            allocate, select = allocation_factor[a, t], selection_factor[a, t]
            for g in range(groups):
                r, against = _pair(returns[a, t, g], benchmark_returns[b, t, g])
                allocation, selection, interaction, both = _effects(
                    weights[a, t, g], benchmark_weights[b, t, g], r, against, hurdle[a, t], allocate, select
                )
                kept[a, t, g, 0] = allocation
                if effects == 3:
                    kept[a, t, g, 1] = selection
                    kept[a, t, g, 2] = interaction
                else:
                    kept[a, t, g, 1] = both
    return kept


@njit(cache=True, parallel=True)
def tree_effects(
    weights: Floats,
    returns: Floats,
    benchmark_weights: Floats,
    benchmark_returns: Floats,
    benchmark_of: Longs,
    factor: Floats,
    present: Flags,
    parent: Longs,
    leaf_of: Longs,
) -> tuple[Floats, Longs]:
    """Add up factor x each node's own effects over periods (N x P x 3): allocation, and of leaves the other two.

    Nodes are ordered parents first, 0 the root; `leaf_of` (P) is a node's leaf or -1. The second array (N) is
    t * P + p of the first node whose benchmark weights cancel to zero, or -1.
    """
    n, periods, _ = weights.shape
    nodes = len(parent)
    total = np.zeros((n, nodes, 3))
    bad = np.full(n, -1, np.int64)
    for a in prange(n):
        m = benchmark_of[a]
        node = np.zeros((nodes, 4))
        for t in range(periods):
            if not present[a, t]:
                continue
            cancelled = _up_the_tree(
                weights[a, t], returns[a, t], benchmark_weights[m, t], benchmark_returns[m, t], parent, leaf_of, node
            )
            if cancelled >= 0 and bad[a] < 0:
                bad[a] = t * nodes + cancelled
            _down_the_tree(node, parent, leaf_of, factor[a, t], total[a])
    return total, bad


@njit(cache=True)
def _up_the_tree(
    weights: Floats,
    returns: Floats,
    benchmark_weights: Floats,
    benchmark_returns: Floats,
    parent: Longs,
    leaf_of: Longs,
    node: Floats,
) -> int:
    """Fill each node's weight, benchmark weight, benchmark return and (of leaves) return, leaves first.

    The benchmark return is NaN where neither side holds the node. Gives the first node whose benchmark weights are not
    zero but cancel, or -1.
    """
    nodes = len(parent)
    node[:] = 0.0
    at_benchmark, at_portfolio, gross = np.zeros(nodes), np.zeros(nodes), np.zeros(nodes)
    cancelled = -1
    for p in range(nodes - 1, 0, -1):
        g = leaf_of[p]
        if g >= 0:
            node[p, 0], node[p, 1], gross[p] = weights[g], benchmark_weights[g], abs(benchmark_weights[g])
            node[p, 3], node[p, 2] = _pair(returns[g], benchmark_returns[g])
        elif node[p, 1] != 0:
            node[p, 2] = at_benchmark[p] / node[p, 1]
        elif node[p, 0] != 0:
            node[p, 2] = at_portfolio[p] / node[p, 0]
        else:
            node[p, 2] = np.nan
        if gross[p] > 0 and abs(node[p, 1]) <= 1e-12 * gross[p]:
            cancelled = p
        up = parent[p]
        node[up, 0] += node[p, 0]
        node[up, 1] += node[p, 1]
        gross[up] += gross[p]
        if node[p, 1] != 0:
            at_benchmark[up] += node[p, 1] * node[p, 2]
        if node[p, 0] != 0:
            at_portfolio[up] += node[p, 0] * node[p, 2]
    node[0, 0], node[0, 1], node[0, 2] = 1.0, 1.0, at_benchmark[0]
    return cancelled


@njit(cache=True)
def _down_the_tree(node: Floats, parent: Longs, leaf_of: Longs, factor: float, total: Floats) -> None:
    """Add each node's own effects, parents first, against what the parent's benchmark would have held of it."""
    for p in range(1, len(parent)):
        up = parent[p]
        if np.isnan(node[p, 2]):
            node[p, 2] = node[up, 2]
        neutral = 0.0
        if node[up, 1] != 0:
            neutral = node[up, 0] * node[p, 1] / node[up, 1]
        elif node[up, 0] != 0:
            neutral = node[p, 0]
        total[p, 0] += factor * (node[p, 0] - neutral) * (node[p, 2] - node[up, 2])
        if leaf_of[p] >= 0:
            total[p, 1] += factor * neutral * (node[p, 3] - node[p, 2])
            total[p, 2] += factor * (node[p, 0] - neutral) * (node[p, 3] - node[p, 2])

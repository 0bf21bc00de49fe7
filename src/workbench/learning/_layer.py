"""The one-step rule for many states at once, and its adjoint: the compiled part of the layer gradients flow through."""

from __future__ import annotations

import numpy as np
from numba import njit

from workbench.backtest import Floats, learned


@njit(cache=True)
def solve_batch(weight: Floats, aim: Floats, risk: Floats, cost: Floats) -> Floats:
    """The one-step rule for B states: min cost'|y - w| + 0.5 (y - aim)' risk (y - aim), sum y = 1, y >= 0."""
    batch, m = weight.shape
    wanted = np.empty((batch, m))
    scratch = np.empty(learned.scratch_size(m))
    numbers = np.array([1.0, 1.0, 0.0])
    for b in range(batch):
        if not learned.one_step(numbers, weight[b], aim[b], risk[b], cost[b], 1.0, wanted[b], scratch):
            wanted[b] = weight[b]
    return wanted


@njit(cache=True)
def adjoint_batch(
    weight: Floats, aim: Floats, risk: Floats, wanted: Floats, gradient: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """Gradients with respect to weight, aim, risk and cost, from those with respect to the answer.

    With T the positions that trade and end above zero, the answer solves risk_TT dy_T - 1 dl = q, 1'dy_T = p; its
    adjoint is risk_TT v + 1 u = g_T, 1'v = 0.
    """
    batch, m = weight.shape
    to_weight, to_aim = np.zeros((batch, m)), np.zeros((batch, m))
    to_risk, to_cost = np.zeros((batch, m, m)), np.zeros((batch, m))
    free = np.empty(m, np.int64)
    system, right = np.empty((m + 1, m + 1)), np.empty(m + 1)
    for b in range(batch):
        k = 0
        for i in range(m):
            if wanted[b, i] != weight[b, i] and wanted[b, i] > 0:
                free[k] = i
                k += 1
        price = 0.0
        adjoint = np.zeros(m)
        if k > 1:
            for r in range(k):
                for s in range(k):
                    system[r, s] = risk[b, free[r], free[s]]
                system[r, r] += 1e-14
                system[r, k] = system[k, r] = 1.0
                right[r] = gradient[b, free[r]]
            system[k, k] = right[k] = 0.0
            solved = np.linalg.solve(system[: k + 1, : k + 1].copy(), right[: k + 1].copy())
            for r in range(k):
                adjoint[free[r]] = solved[r]
            price = solved[k]
        elif k == 1:
            price = gradient[b, free[0]]
        for i in range(m):
            through = 0.0
            for j in range(m):
                through += risk[b, i, j] * adjoint[j]
                to_risk[b, i, j] = -adjoint[i] * (wanted[b, j] - aim[b, j])
            to_aim[b, i] = through
            if wanted[b, i] == weight[b, i]:
                to_weight[b, i] = gradient[b, i] - through - price
            else:
                to_cost[b, i] = -adjoint[i] * np.sign(wanted[b, i] - weight[b, i])
    return to_weight, to_aim, to_risk, to_cost

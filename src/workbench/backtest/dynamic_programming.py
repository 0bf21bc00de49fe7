"""The best possible policy of a reference problem with two or three assets, by dynamic programming.

The state is the weight of every asset but the last, on an even grid around the target. With V the value before trading
and J after it (relative, average cost lambda a month),

    V(w) = min over y of cost |y - w| + J(y)            J(y) = loss(y) + E V(weights that y drifts to) - lambda.

The expectation is a Gauss-Hermite sum over the log returns relative to the last asset; values between grid points come
from natural cubic splines; the trade at each point is solved off the grid, by Newton steps whose subproblem is the
one-step program of `_one_step`. Modified policy iteration (Puterman 2005, section 8.5.5): trades are improved, then the
values of those trades swept a number of times, until a sweep changes all values by the same amount, lambda.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.backtest import _bellman, _spline
from workbench.backtest.reference_problem import MONTHS, SESSIONS_A_MONTH, Problem, Solved, reference
from workbench.backtest.universe import Floats
from workbench.errors import ParameterError

#: The widest grid is this many half-widths of the no-trade region (its known asymptotic size) and monthly moves.
WIDTHS, MOVES = 3.0, 4.0


@dataclass(frozen=True, eq=False)
class Grid:
    """Even grid of the first n - 1 weights (the second dimension has one point where n is 2)."""

    low: Floats
    spacing: Floats
    points: Floats

    def axes(self) -> list[Floats]:
        """Weights along each dimension."""
        return [a + h * np.arange(int(n)) for a, h, n in zip(self.low, self.spacing, self.points)]

    def weights(self, assets: int) -> Floats:
        """Weights of all assets at all points (K x n), the last dimension running fastest."""
        mesh = np.stack(np.meshgrid(*self.axes(), indexing="ij"), axis=-1).reshape(-1, 2)[:, : assets - 1]
        return np.column_stack([mesh, 1.0 - mesh.sum(axis=1)])


@dataclass(frozen=True, eq=False)
class DynamicProgramming(Solved):
    """The optimal policy of `problem`: weights are left alone inside a region, and traded to its edge outside.

    `cost_bp` is its cost in bp a year as the recursion has it; simulation confirms it independently. `coefficients` are
    those of J's spline, `destination` (K x n) the best weights after trading at the grid's points.
    """

    problem: Problem
    grid: Grid
    coefficients: Floats
    destination: Floats
    cost_bp: float
    every: int = SESSIONS_A_MONTH
    name: str = "dynamic programming"

    def decide_many(self, weights: Floats) -> Floats:
        """Weights after trading at many weights (K x n)."""
        grid = self.grid
        shape = (int(grid.points[0]), int(grid.points[1]))
        start = _bellman.nearest(weights, grid.low, grid.spacing, shape, self.destination)
        costs = np.full(weights.shape[1], self.problem.cost)
        return _bellman.improve(weights, start, costs, self.coefficients, grid.low, grid.spacing, grid.points)

    def to_frame(self) -> pd.DataFrame:
        """One row a grid point: weights before (`w1`...), after trading (`y1`...), and what is traded, one way."""
        before = self.grid.weights(self.problem.assets)
        columns = {f"w{i + 1}": before[:, i] for i in range(before.shape[1])}
        columns |= {f"y{i + 1}": self.destination[:, i] for i in range(before.shape[1])}
        return pd.DataFrame(columns | {"traded": 0.5 * np.abs(self.destination - before).sum(axis=1)})


def solve(
    problem: Problem | str, points: int = 81, nodes: int = 7, tolerance: float = 1e-6, sweeps: int = 10_000
) -> DynamicProgramming:
    """Solve a problem of two or three assets on a grid of `points` a dimension with `nodes` Gauss-Hermite nodes.

    `tolerance` is the largest relative error of the average cost from stopping early. Raises `ParameterError` for more
    assets than three, for a grid too small, or where `sweeps` were not enough.
    """
    problem = reference(problem)
    if problem.assets not in (2, 3):
        raise ParameterError(
            f"Dynamic programming is for 2 or 3 assets; {problem.name} has {problem.assets}.", "problem"
        )
    if points < 9 or nodes < 3:
        raise ParameterError(f"points={points}, nodes={nodes}: give at least 9 and 3.", "points")
    grid = _grid(problem, points)
    before = grid.weights(problem.assets)
    costs = np.full(problem.assets, problem.cost)
    off = before - np.array(problem.target)
    loss = 0.5 * problem.risk_aversion / MONTHS * np.einsum("ki,ij,kj->k", off, problem.covariance, off)
    growth, probability = quadrature(problem, nodes)
    left, right = (_spline.to_coefficients(int(n)) for n in grid.points)
    shape = (int(grid.points[0]), int(grid.points[1]))
    value, destination = MONTHS * loss, before
    done, next_improvement = 0, 0
    while True:
        coefficients = _coefficients(value, shape, left, right)
        after = loss + _bellman.expect(before, growth, probability, problem.cost, coefficients, *_of(grid))
        coefficients = _coefficients(after, shape, left, right)
        improve = done >= next_improvement
        if improve:
            destination = _bellman.improve(before, destination, costs, coefficients, *_of(grid))
            next_improvement = done + min(2 + done // 2, 40)
        traded = np.abs(destination - before).sum(axis=1)
        swept = _bellman.at(destination, coefficients, *_of(grid)) + problem.cost * traded
        change = swept - value
        low, high = float(change.min()), float(change.max())
        value = swept - swept.mean()
        done += 1
        if high - low < tolerance * abs(high):
            if improve:
                break
            next_improvement = done
        if done >= sweeps:
            raise ParameterError(f"No convergence in {sweeps} sweeps (span {high - low:.1e}): allow more.", "sweeps")
    bp = 1e4 * MONTHS * 0.5 * (low + high)
    return DynamicProgramming(problem, grid, coefficients, destination, bp)


def _of(grid: Grid) -> tuple[Floats, Floats, Floats]:
    return grid.low, grid.spacing, grid.points


def _coefficients(values: Floats, shape: tuple[int, int], left: Floats, right: Floats) -> Floats:
    return np.ascontiguousarray(left @ values.reshape(shape) @ right.T)


def _grid(problem: Problem, points: int) -> Grid:
    """A box around the target, inside the simplex, wide enough for the no-trade region and a month's moves.

    The half-width of the region is about (3 cost / risk aversion x (w (1 - w))^2)^(1/3) for a weight w (Shreve and
    Soner 1994; Rogers 2004); both sides of a trade pay.
    """
    target = np.array(problem.target)[:-1]
    spread = target * (1.0 - target)
    width = (3.0 * problem.cost / problem.risk_aversion * spread**2) ** (1 / 3)
    moves = spread * np.array(problem.volatility)[:-1] / np.sqrt(MONTHS)
    radius = np.minimum(WIDTHS * width + MOVES * moves, 0.98 * np.minimum(target, problem.target[-1] / len(target)))
    low, spacing, count = np.zeros(2), np.ones(2), np.ones(2)
    for i in range(len(target)):
        low[i], spacing[i], count[i] = target[i] - radius[i], 2.0 * radius[i] / (points - 1), points
    return Grid(low, spacing, count)


def quadrature(problem: Problem, nodes: int) -> tuple[Floats, Floats]:
    """Price relatives in units of the last asset's (Q x n), and their probabilities (Q)."""
    n = problem.assets
    volatility = np.array(problem.volatility)
    mean = (np.array(problem.drift) - 0.5 * volatility**2) / MONTHS
    apart = np.column_stack([np.eye(n - 1), -np.ones(n - 1)])
    factor = np.linalg.cholesky(apart @ problem.covariance @ apart.T / MONTHS)
    at, weight = np.polynomial.hermite_e.hermegauss(nodes)
    normal = np.stack(np.meshgrid(*[at] * (n - 1), indexing="ij"), axis=-1).reshape(-1, n - 1)
    probability = np.ones(1)
    for _ in range(n - 1):
        probability = np.outer(probability, weight / weight.sum()).ravel()
    logs = apart @ mean + normal @ factor.T
    return np.column_stack([np.exp(logs), np.ones(len(logs))]), probability

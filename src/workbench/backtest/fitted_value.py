"""A near-optimum where a grid is out of reach: the value after trading as a quadratic, found by policy iteration.

With J(y) = 1/2 (y - a)' H (y - a), a policy trades from w to the y that minimises cost |y - w| + J(y): the one-step
program with H and a in place of the covariance and the target. For a given policy, its true J solves at every y

    J(y) - E J(y next) + lambda = loss(y) + E cost |y next - w next|,

so H, a and lambda come from least squares over a sample of weights (Bellman residuals; the expectation is a quadrature,
without noise, so squared residuals are not biased). The first policy is the quadratic rule, J = horizon x loss; of all
policies on the way the one that costs least on training paths is kept, so the rule is never made worse there. Policy
iteration by least squares: Bertsekas (2012), Dynamic Programming and Optimal Control II, chapter 6.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.backtest import _one_step
from workbench.backtest.dynamic_programming import quadrature
from workbench.backtest.fixed_target import BURN_IN, evaluate
from workbench.backtest.reference_problem import MONTHS, SESSIONS_A_MONTH, Problem, Solved, monthly_growth, reference
from workbench.backtest.tuning import TRAINING_SEED
from workbench.backtest.universe import Floats
from workbench.errors import ParameterError

#: Least curvature kept, as a part of that of a month's loss: J is convex.
LEAST = 1e-2


@dataclass(frozen=True, eq=False)
class FittedValue(Solved):
    """Trades to the minimum of cost and 1/2 (y - centre)' matrix (y - centre); `matrix` (n x n) and `centre` (n)."""

    problem: Problem
    matrix: Floats
    centre: Floats
    every: int = SESSIONS_A_MONTH
    name: str = "fitted value"

    def decide_many(self, weights: Floats) -> Floats:
        """Weights after trading at many weights (K x n)."""
        count, n = weights.shape
        centre, matrix = np.tile(self.centre, (count, 1)), np.broadcast_to(self.matrix, (count, n, n)).copy()
        cost = np.full((count, n), self.problem.cost)
        return _one_step.one_step_batch(np.ascontiguousarray(weights), centre, matrix, cost, np.ones(count))[0]


def fit(
    problem: Problem | str,
    horizon: float,
    iterations: int = 3,
    samples: int = 1000,
    nodes: int = 3,
    paths: int = 1000,
    seed: int = TRAINING_SEED,
) -> FittedValue:
    """Policy iteration from the quadratic rule with `horizon` years; for up to about six assets.

    `nodes` to the power of n - 1 are the points of the quadrature. Nothing sees the test paths. Raises
    `ParameterError` for a horizon that is not positive or fewer samples than ten times the coefficients.
    """
    problem = reference(problem)
    d = problem.assets - 1
    if not horizon > 0.0:
        raise ParameterError(f"horizon is {horizon}: give years above 0, such as the tuned rule's.", "horizon")
    if samples < 5 * d * (d + 3):
        raise ParameterError(f"{samples} samples are too few for {problem.assets} assets.", "samples")
    rng = np.random.default_rng(seed)
    points = quadrature(problem, nodes)
    target = np.array(problem.target)
    policy = FittedValue(problem, horizon * problem.risk_aversion * problem.covariance, target)
    best, least = policy, evaluate(problem, policy, paths, seed).mean
    for _ in range(iterations):
        policy = _improved(policy, _sample(policy, samples, rng), *points)
        cost = evaluate(problem, policy, paths, seed).mean
        if cost < least:
            best, least = policy, cost
    return best


def _sample(policy: FittedValue, samples: int, rng: np.random.Generator) -> Floats:
    """Weights after trading from a simulation of the policy (samples x n): the fit is best where it is used."""
    target = np.array(policy.problem.target)
    growth = monthly_growth(policy.problem, 200, 2 * BURN_IN, int(rng.integers(2**31)))
    weight, held = np.tile(target, (len(growth), 1)), []
    for month in range(growth.shape[1]):
        weight = policy.decide_many(weight)
        if month >= BURN_IN:
            held.append(weight)
        weight = weight * growth[:, month]
        weight /= weight.sum(axis=1, keepdims=True)
    pool = np.concatenate(held)
    return pool[rng.choice(len(pool), samples, replace=False)]


def _improved(policy: FittedValue, held: Floats, growth: Floats, probability: Floats) -> FittedValue:
    """The policy that minimises cost and the J of this one."""
    problem = policy.problem
    drifted = held[:, None, :] * growth[None]
    drifted = (drifted / drifted.sum(axis=2, keepdims=True)).reshape(-1, problem.assets)
    following = policy.decide_many(drifted)
    cost = problem.cost * np.abs(following - drifted).sum(axis=1).reshape(len(held), -1) @ probability
    target = np.array(problem.target)
    off = held - target
    loss = 0.5 * problem.risk_aversion / MONTHS * np.einsum("ki,ij,kj->k", off, problem.covariance, off)
    ahead = _features(following - target).reshape(len(held), len(probability), -1)
    left = np.column_stack([_features(off) - np.einsum("kqt,q->kt", ahead, probability), np.ones(len(held))])
    size = np.sqrt((left**2).mean(axis=0))
    solution = np.linalg.lstsq(left / size, loss + cost, rcond=None)[0] / size
    return _policy(problem, solution)


def _features(off: Floats) -> Floats:
    """Deviations of the first n - 1 weights, and their products (K x T)."""
    free = off[:, :-1]
    rows, columns = np.triu_indices(free.shape[1])
    return np.column_stack([free, free[:, rows] * free[:, columns]])


def _policy(problem: Problem, solution: Floats) -> FittedValue:
    """Slope and curvature of J as a centre and a convex matrix, the last asset's row and column being zero."""
    n = problem.assets
    d = n - 1
    rows, columns = np.triu_indices(d)
    hessian = np.zeros((d, d))
    hessian[rows, columns] += solution[d:-1]
    hessian[columns, rows] += solution[d:-1]
    apart = np.column_stack([np.eye(d), -np.ones(d)])
    root = np.linalg.cholesky(problem.risk_aversion / MONTHS * apart @ problem.covariance @ apart.T)
    inverse = np.linalg.inv(root)
    values, vectors = np.linalg.eigh(inverse @ hessian @ inverse.T)  # in units of the loss's own curvature
    hessian = root @ (vectors * np.maximum(values, LEAST)) @ vectors.T @ root.T
    matrix, centre = np.zeros((n, n)), np.array(problem.target)
    matrix[:d, :d] = hessian
    step = np.linalg.solve(hessian, solution[:d])
    centre[:d] -= step
    centre[d] += step.sum()
    return FittedValue(problem, matrix, centre)

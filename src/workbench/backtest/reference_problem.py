"""The reference problems: made-up assets with known drift and covariance, a target to keep, and a cost of trading."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from workbench.backtest.universe import Floats, Observation
from workbench.errors import ParameterError, PolicyError

MONTHS = 12
SESSIONS_A_MONTH = 21


@dataclass(frozen=True)
class Problem:
    """Drift, volatility (both yearly), correlation and target of n assets, and the cost of a dollar traded."""

    name: str
    drift: tuple[float, ...]
    volatility: tuple[float, ...]
    correlation: tuple[tuple[float, ...], ...]
    target: tuple[float, ...]
    cost: float
    risk_aversion: float = 5.0

    def __post_init__(self) -> None:
        n, target = len(self.target), np.array(self.target, float)
        shapes = {np.shape(self.drift), np.shape(self.volatility), target.shape}
        if shapes != {(n,)} or np.shape(self.correlation) != (n, n):
            raise ParameterError(
                f"{self.name}: drift, volatility, correlation and target are of unlike length", "target"
            )
        numbers = (*self.drift, *self.volatility, *target, self.cost, self.risk_aversion)
        if not np.isfinite(numbers).all() or min(*self.volatility, *target, self.cost, self.risk_aversion) < 0:
            raise ParameterError(f"{self.name}: give finite numbers, 0 or more but for drift", "cost")
        if abs(target.sum() - 1.0) > 1e-9:
            raise ParameterError(f"{self.name}: target weights sum to {target.sum():.6g}; they must sum to 1", "target")
        if np.linalg.eigvalsh(self.covariance).min() <= 0:
            raise ParameterError(f"{self.name}: correlations and volatilities make no covariance", "correlation")

    @property
    def assets(self) -> int:
        """How many assets there are."""
        return len(self.target)

    @property
    def covariance(self) -> Floats:
        """Yearly covariance (n x n)."""
        return np.outer(self.volatility, self.volatility) * np.array(self.correlation)


def _reference() -> dict[str, Problem]:
    two = ((1.0, 0.1), (0.1, 1.0))
    three = ((1.0, 0.7, 0.1), (0.7, 1.0, 0.0), (0.1, 0.0, 1.0))
    five = tuple(
        tuple(1.0 if i == j else 0.7 if max(i, j) < 3 else 0.5 if min(i, j) > 2 else 0.1 for j in range(5))
        for i in range(5)
    )
    small = Problem("n2_10", (0.08, 0.035), (0.17, 0.06), two, (0.6, 0.4), 0.0010)
    middle = Problem("n3_10", (0.08, 0.075, 0.035), (0.17, 0.20, 0.06), three, (0.4, 0.2, 0.4), 0.0010)
    large = Problem(
        "n5_20",
        (0.08, 0.08, 0.075, 0.04, 0.03),
        (0.17, 0.20, 0.22, 0.06, 0.08),
        five,
        (0.3, 0.15, 0.15, 0.3, 0.1),
        0.0020,
    )
    dearer = [replace(middle, name="n3_20", cost=0.0020), replace(middle, name="n3_50", cost=0.0050)]
    return {problem.name: problem for problem in (small, middle, *dearer, large)}


#: The five reference problems by name: n2_10, n3_10, n3_20, n3_50 and n5_20 (assets, and cost in bp).
PROBLEMS: dict[str, Problem] = _reference()


def reference(problem: Problem | str) -> Problem:
    """A problem by its name, or itself. Raises `ParameterError` for a name that is not one of `PROBLEMS`."""
    if isinstance(problem, Problem):
        return problem
    if problem not in PROBLEMS:
        raise ParameterError(
            f"There is no reference problem {problem!r}: take one of {', '.join(PROBLEMS)}.", "problem"
        )
    return PROBLEMS[problem]


@lru_cache(maxsize=12)
def monthly_growth(problem: Problem, paths: int, months: int, seed: int) -> Floats:
    """Price relatives (paths x months x n); the same arguments give the same bits. Read-only."""
    rng = np.random.default_rng(seed)
    factor = np.linalg.cholesky(problem.covariance / MONTHS)
    volatility = np.array(problem.volatility)
    mean = (np.array(problem.drift) - 0.5 * volatility**2) / MONTHS
    growth = np.exp(mean + rng.standard_normal((paths, months, problem.assets)) @ factor.T)
    growth.setflags(write=False)
    return growth


class Solved:
    """A policy found for one problem; subclasses are frozen dataclasses that answer for many weights at once."""

    problem: Problem
    name: str

    def decide_many(self, weights: Floats) -> Floats:
        """Weights after trading at many weights (K x n)."""
        raise NotImplementedError

    def decide(self, seen: Observation) -> Floats | None:
        """Weights after trading; `PolicyError` where the target is not the one this was found for."""
        if not np.allclose(seen.target, self.problem.target, atol=1e-12):
            raise PolicyError(
                f"The policy of {self.name} was found for the target {list(self.problem.target)}, not "
                f"{np.round(seen.target, 4).tolist()}: find it for this one."
            )
        wanted = self.decide_many(seen.weight[None])[0]
        return None if np.array_equal(wanted, seen.weight) else wanted

"""The multi-period rule: trades planned over several looks ahead, the first of which is made."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from workbench.backtest.policies import schedule
from workbench.backtest.policy import EVERY
from workbench.backtest.universe import Floats, Observation
from workbench.errors import MissingToolError, ParameterError, PolicyError

#: A planned trade below this part of wealth is the solver's rounding and is not made.
ROUNDING = 1e-6
#: The program is solved in basis points: a solver's tolerances are absolute near 1.
BP = 1e4


@dataclass(frozen=True)
class MultiPeriod:
    """Model predictive control with `periods` looks ahead: plan weights y_1 ... y_K, trade to y_1, plan again.

        min sum_k  cost'|x_k| + price'|x_k|^(3/2) + length_k x 1/2 x risk x risk_aversion x (y_k - w*)' S (y_k - w*)
        with  x_k = y_k - v_k,  v_1 = w,  v_(k+1) = drifted y_k,  sum y_k = 1,  y_k >= 0

    Looks are `every` sessions apart and each plan is held for that long, the last one for the rest of `horizon` years.
    `impact` is one number, or one a position: the price of its 3/2 power is `impact` x daily volatility, so give
    (coefficient of `Costs.impact`) x sqrt(wealth / dollars traded a day) for the engine's own law. `drift` (yearly, one
    a position, cash's included) is how prices are expected to move, to first order around the target:
    v_i = y_i + dt x (y_i x (drift_i - drift'w*) - w*_i x drift'(y - w*)); without it weights are planned to stay.

    With one period, or without impact and drift (then nothing is gained by waiting), it is `Quadratic(horizon, risk)`.
    It needs cvxpy and is a thousand times slower than that. Source: Boyd, Busseti, Diamond, Kahn, Koh, Nystrup and
    Speth (2017), "Multi-period trading via convex optimization", Foundations and Trends in Optimization 3(1), sec. 5.
    Raises `ParameterError` for numbers that cannot be, and from `decide` `MissingToolError` without cvxpy and
    `PolicyError` where the solver fails.
    """

    horizon: float
    periods: int = 3
    impact: float | tuple[float, ...] = 0.0
    drift: tuple[float, ...] | None = None
    risk: float = 1.0
    every: int = EVERY["month"]

    def __post_init__(self) -> None:
        for name, least in (("horizon", 0.0), ("periods", 1), ("risk", 0.0), ("every", 1)):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= least):
                raise ParameterError(f"MultiPeriod: {name} is {value}; give a finite number from {least:g} up", name)
        for name in ("periods", "every"):
            if int(getattr(self, name)) != getattr(self, name):
                raise ParameterError(f"MultiPeriod: {name} is {getattr(self, name)}; give a whole number", name)
        impact = np.atleast_1d(self.impact)
        if not (np.isfinite(impact).all() and (impact >= 0.0).all()):
            raise ParameterError(f"MultiPeriod: impact is {self.impact}; give finite numbers from 0 up", "impact")
        if self.drift is not None and not np.isfinite(self.drift).all():
            raise ParameterError(f"MultiPeriod: drift is {self.drift}; give finite yearly returns", "drift")
        if self.periods > 1 and not self.horizon > (self.periods - 1) * self.length:
            raise ParameterError(
                f"MultiPeriod: {self.periods} looks every {schedule(self.every)} do not fit in a horizon of "
                f"{self.horizon:g} years; lengthen it or plan fewer",
                "horizon",
            )

    @property
    def length(self) -> float:
        """Years between two looks."""
        return self.every / EVERY["year"]

    @property
    def name(self) -> str:
        """How exhibits call it."""
        extra = f", risk x{self.risk:g}" if self.risk != 1.0 else ""
        if np.any(np.atleast_1d(self.impact) > 0.0):
            extra += f", impact {self.impact:g}" if np.ndim(self.impact) == 0 else ", impact by position"
        extra += ", with drift" if self.drift is not None else ""
        looks = "" if self.every == EVERY["month"] else f", every {schedule(self.every)}"
        return f"multi-period, {self.periods} looks in {self.horizon:.3g} y{extra}{looks}"

    def decide(self, seen: Observation) -> Floats | None:
        """The first planned weights, or None where the plan begins with no trade."""
        m = len(seen.weight)
        impact = self._by_position("impact", self.impact, m)
        solve = _program(m, int(self.periods), bool(impact.any()), self.drift is not None, threading.get_ident())
        day = f"on {seen.day:%Y-%m-%d}" if seen.day is not None else f"at session {seen.session}"
        try:
            root = _root(seen.covariance)
            price = impact * np.sqrt(np.diag(seen.covariance) / EVERY["year"])
            plan, status = solve(seen, root, self._scales(seen.risk_aversion), price, self._carry(seen.target))
        # The solver tells of failure by its own exception or by a status, and inputs that are no numbers by ValueError.
        except (ValueError, ArithmeticError) as error:
            raise PolicyError(f"{self.name!r} cannot be planned {day}: {error}; check its inputs") from error
        if plan is None:
            raise PolicyError(
                f"{self.name!r} has no plan {day}: the solver ended {status!r}; check covariance and costs, or use "
                "its fallback"
            )
        return _first_trade(plan, seen.weight)

    def _by_position(self, name: str, values: float | tuple[float, ...], m: int) -> Floats:
        """One number a position (m); raises `PolicyError` where there are more or fewer."""
        array = np.full(m, values, float) if np.ndim(values) == 0 else np.asarray(values, float)
        if array.shape != (m,):
            raise PolicyError(f"{self.name!r}: {name} is of {len(array)} positions, there are {m}; give one for each")
        return array

    def _scales(self, risk_aversion: float) -> Floats:
        """Weight of each period's tracking variance (K), in basis points."""
        lengths = np.full(int(self.periods), self.length)
        lengths[-1] = self.horizon - (self.periods - 1) * self.length
        return BP * 0.5 * self.risk * risk_aversion * lengths

    def _carry(self, target: Floats) -> Floats:
        """The matrix that makes weights before the next look of weights after this one (m x m)."""
        if self.drift is None:
            return np.eye(len(target))
        drift = self._by_position("drift", self.drift, len(target))
        mean = float(drift @ target)
        # The constant w* x drift'w* is carried on the weights, which sum to one.
        moves = np.diag(drift - mean) - np.outer(target, drift - mean)
        return np.asarray(np.eye(len(target)) + self.length * moves)


#: Of an observation, the root of its covariance, the periods' scales, the price of impact and the drift's matrix: the
#: plan's first row (None where there is none) and the solver's status.
Solve = Callable[[Observation, Floats, Floats, Floats, Floats], "tuple[Floats | None, str]"]


@lru_cache(maxsize=16)
def _program(m: int, periods: int, impact: bool, drift: bool, thread: int) -> Solve:
    """The program of so many positions and periods, compiled once a thread; parameters enter affinely (DPP)."""
    try:
        import cvxpy as cp
    except ImportError as error:
        raise MissingToolError("multi-period rules need cvxpy: pip install 'workbench[demo]'") from error
    plan, off = cp.Variable((periods, m), nonneg=True), cp.Variable((periods, m))
    target = cp.Parameter(m)
    factor = [cp.Parameter((m, m)) for _ in range(periods)]
    # Products of two parameters are not DPP: scaled weights and matrices are parameters of their own.
    by_cost, by_price = ((cp.Parameter(m, nonneg=True), cp.Parameter(m), cp.Parameter((m, m))) for _ in range(2))

    def scaled(k: int, scale: Any, of_weight: Any, of_carry: Any) -> Any:
        """Trade of period k, each position times its scale."""
        if k == 0:
            return cp.multiply(scale, plan[0]) - of_weight
        return cp.multiply(scale, plan[k]) - (of_carry @ plan[k - 1] if drift else cp.multiply(scale, plan[k - 1]))

    objective = 0.0
    for k in range(periods):
        objective += cp.norm1(scaled(k, *by_cost)) + cp.sum_squares(factor[k] @ off[k])
        if impact:
            objective += cp.sum(cp.power(cp.abs(scaled(k, *by_price)), 1.5))
    rows = [plan @ np.ones(m) == 1.0, *(off[k] == plan[k] - target for k in range(periods))]
    problem = cp.Problem(cp.Minimize(objective), rows)

    def solve(
        seen: Observation, root: Floats, scales: Floats, price: Floats, moved: Floats
    ) -> tuple[Floats | None, str]:
        target.value = seen.target
        for parameters, scale in ((by_cost, BP * seen.cost), (by_price, (BP * price) ** (2.0 / 3.0))):
            parameters[0].value, parameters[1].value = scale, scale * seen.weight
            parameters[2].value = scale[:, None] * moved
        for k in range(periods):
            factor[k].value = np.sqrt(scales[k]) * root
        return _solved(problem, plan)

    return solve


def _solved(problem: Any, plan: Any) -> tuple[Floats | None, str]:
    import cvxpy as cp

    try:
        # Started anew each time: what was solved before must not show in the answer.
        problem.solve(solver=cp.CLARABEL, warm_start=False, tol_gap_abs=1e-8, tol_gap_rel=1e-9, tol_feas=1e-9)
    except cp.SolverError as error:
        return None, str(error)
    if problem.status not in (cp.OPTIMAL, cp.OPTIMAL_INACCURATE) or plan.value is None:
        return None, str(problem.status)
    return np.asarray(plan.value[0], float), str(problem.status)


def _root(covariance: Floats) -> Floats:
    """A matrix R with R'R = covariance; eigenvalues below zero by rounding are zero."""
    if not np.isfinite(covariance).all():
        raise ValueError("the covariance holds numbers that are missing or not finite")
    values, vectors = np.linalg.eigh(covariance)
    if values.min() < -1e-8 * max(values.max(), 1e-300):
        raise ValueError("the covariance is not positive semi-definite")
    return np.asarray(np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T)


def _first_trade(plan: Floats, weight: Floats) -> Floats | None:
    """The first planned weights with the solver's rounding taken off: trades below `ROUNDING` are none.

    The others are scaled so that the sum is one; positions that do not trade keep their bits.
    """
    moves = np.abs(plan - weight) >= ROUNDING
    wanted = np.where(moves, np.maximum(plan, 0.0), weight)
    left = float(wanted[moves].sum())
    if not left > 0.0:
        return None
    wanted[moves] *= (1.0 - wanted[~moves].sum()) / left
    return wanted

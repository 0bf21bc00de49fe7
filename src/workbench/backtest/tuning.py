"""Tuning a rule's one number on training data: an edge, a band, a horizon, a calendar.

Every candidate is tried on the same paths (common random numbers), so the curve of costs is smooth where its level is
noisy; the best of a grid is refined between its neighbours. Nothing here sees test data: simulated problems are tuned
on paths of another seed than they are quoted on, histories on the window handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from workbench.backtest import fixed_target
from workbench.backtest.engine import SPREADS_ONLY, simulate
from workbench.backtest.fixed_target import Problem
from workbench.backtest.policies import Band, Calendar
from workbench.backtest.policy import Policy
from workbench.backtest.quadratic import Quadratic
from workbench.backtest.runs import Runs
from workbench.backtest.universe import Costs, Signals, Universe
from workbench.errors import ParameterError

#: Seed of the paths that rules are tuned on; figures are quoted on `fixed_target.TEST_SEED`.
TRAINING_SEED = 101
#: Golden-section steps; each shrinks the bracket by 0.618.
REFINEMENTS = 10
_GOLDEN = (np.sqrt(5.0) - 1.0) / 2.0


@dataclass(frozen=True)
class Family:
    """Rules that differ in one number: how to make one, the grid to try, and whether values between make sense."""

    name: str
    make: Callable[[float], Policy]
    grid: tuple[float, ...]
    between: bool = True


#: Looked at monthly: band to target, half way and edge (width), the quadratic rule (horizon in years), calendars.
FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Family("band to target", lambda b: Band(b, 0.0, every=21), (0.01, 0.02, 0.03, 0.04, 0.05, 0.07, 0.10)),
        Family("band half way", lambda b: Band(b, 0.5 * b, every=21), (0.01, 0.02, 0.03, 0.04, 0.05, 0.07, 0.10)),
        Family("band to edge", lambda b: Band(b, b, every=21), (0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.06, 0.09)),
        Family("quadratic", lambda h: Quadratic(h), (0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1.1, 1.5, 2.2, 3.5, 6.0)),
        Family("calendar", lambda months: Calendar(int(21 * months)), (1, 2, 3, 4, 6, 12, 24), between=False),
    )
}


@dataclass(frozen=True)
class Tuning:
    """What tuning found: the policy, its number, and every number tried with its cost in bp a year."""

    family: str
    policy: Policy
    number: float
    cost_bp: float
    tried: tuple[tuple[float, float], ...]

    @property
    def at_the_end(self) -> bool:
        """Whether the best number is the first or last of all tried: the grid should then be widened."""
        return self.number in (min(self.tried)[0], max(self.tried)[0])

    def to_frame(self) -> pd.DataFrame:
        """One row a number tried, in order: `number`, `cost_bp`, `best`."""
        frame = pd.DataFrame(sorted(self.tried), columns=["number", "cost_bp"])
        return frame.assign(best=frame["number"] == self.number)


def tuned(where: Problem | str | Universe, family: Family | str, **settings: object) -> Policy:
    """The best rule of a family on training data: `tune_problem` or `tune_universe`, the policy alone."""
    if isinstance(where, Universe):
        return tune_universe(where, family=family, **settings).policy  # type: ignore[arg-type]
    return tune_problem(where, family, **settings).policy  # type: ignore[arg-type]


def tune_problem(
    problem: Problem | str,
    family: Family | str,
    grid: Sequence[float] | None = None,
    paths: int = 2000,
    seed: int = TRAINING_SEED,
) -> Tuning:
    """Tune on simulated training paths of a reference problem.

    Raises `ParameterError` for the seed of the test paths, an unknown family or an empty grid.
    """
    if seed == fixed_target.TEST_SEED:
        raise ParameterError(f"Seed {seed} makes the paths that figures are quoted on: tune on another.", "seed")
    family = _family(family)

    def costs(numbers: Sequence[float]) -> list[float]:
        return [fixed_target.evaluate(problem, family.make(number), paths, seed).mean for number in numbers]

    return _search(family, costs, grid)


def tune_universe(
    universe: Universe,
    signals: Signals,
    family: Family | str,
    grid: Sequence[float] | None = None,
    *,
    first: int | None = None,
    last: int | None = None,
    costs: Costs = SPREADS_ONLY,
    risk_aversion: float = 5.0,
    cost_multiple: float = 1.0,
    delay: int = 1,
    offsets: Sequence[int] | Literal["all"] = "all",
    paths: Sequence[int] = (0,),
) -> Tuning:
    """Tune on the sessions `first` to `last` of a universe: least `total_bp` (costs and tracking loss), averaged over
    start offsets so that a lucky date does not choose the rule, and over `paths`.

    Raises `ParameterError` for an unknown family or an empty grid, and what `simulate` raises.
    """
    family = _family(family)

    def total_bp(numbers: Sequence[float]) -> list[float]:
        found = []
        for number in numbers:
            runs = Runs.product([family.make(number)], offsets, (cost_multiple,), (delay,), paths)
            results = simulate(
                universe, signals, runs, costs=costs, risk_aversion=risk_aversion, first=first, last=last
            )
            found.append(float(results.statistics["total_bp"].mean()))
        return found

    return _search(family, total_bp, grid)


def _family(family: Family | str) -> Family:
    if isinstance(family, Family):
        return family
    if family not in FAMILIES:
        raise ParameterError(f"There is no family {family!r}: take one of {', '.join(FAMILIES)}.", "family")
    return FAMILIES[family]


def _search(family: Family, costs: Callable[[Sequence[float]], list[float]], grid: Sequence[float] | None) -> Tuning:
    """The best of the grid, then golden section between its neighbours; the least of everything tried wins."""
    numbers = sorted(float(number) for number in (family.grid if grid is None else grid))
    if not numbers:
        raise ParameterError(f"{family.name}: the grid is empty; give at least one number.", "grid")
    tried = dict(zip(numbers, costs(numbers)))
    if family.between and len(numbers) > 1:
        best = numbers.index(min(tried, key=tried.__getitem__))
        _golden_section(numbers[max(best - 1, 0)], numbers[min(best + 1, len(numbers) - 1)], costs, tried)
    number = min(tried, key=tried.__getitem__)
    if not np.isfinite(tried[number]):
        raise ParameterError(f"{family.name}: the cost at {number:g} is {tried[number]}; check the data.", "grid")
    return Tuning(family.name, family.make(number), number, tried[number], tuple(tried.items()))


def _golden_section(
    low: float, high: float, costs: Callable[[Sequence[float]], list[float]], tried: dict[float, float]
) -> None:
    """Shrink [low, high] around the least cost, noting all that was tried."""
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = costs([left, right])
    tried |= {left: at_left, right: at_right}
    for _ in range(REFINEMENTS):
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = tried[left] = costs([left])[0]
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = tried[right] = costs([right])[0]

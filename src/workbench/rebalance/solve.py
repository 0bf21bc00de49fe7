"""Solve one household: formulate at the tax regime it stands in, solve, and look whether the regime still holds."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from workbench.errors import ParameterError
from workbench.rebalance import _fix
from workbench.rebalance._leave_alone import left_alone
from workbench.rebalance._relaxed import Resolver, relaxed
from workbench.rebalance._tax_year import marginal, tax_of
from workbench.rebalance.formulate import CASH_PRICE, Formulation, MarginalRates, formulate
from workbench.rebalance.household import Floats, Household
from workbench.rebalance.program import sales
from workbench.rebalance.proposal import Obstacle
from workbench.rebalance.rounding import Orders, empty, orders
from workbench.rebalance.settings import Settings
from workbench.rebalance.solver import integral
from workbench.rebalance.solver.problem import Integrality, Problem, Solution

#: How often a household is solved again because its gains moved it to another tax regime.
REGIMES = 3


@dataclass(frozen=True, eq=False)
class Solved:
    """A solved household: the program at its final rates, the continuous solution with its prices, and orders.

    `stalled`: wash sides and least trades could not be settled, so that nothing is traded. `spared`: why the policy
    leaves the household alone, where it does.
    """

    formulation: Formulation
    rates: MarginalRates
    relaxed: Solution
    values: Floats
    orders: Orders
    stalled: bool = False
    spared: Obstacle | None = None


def solve_household(household: Household, settings: Settings) -> Solved | None:
    """Return what to trade, without explanation; None where a household has nothing of value to manage."""
    rates = marginal(household.tax, 0.0, 0.0, settings.carryforward_value)
    best: tuple[float, Formulation, MarginalRates, Solution] | None = None
    formulation = formulate(household, settings, rates)
    if formulation is None:
        return None
    tried = set()
    for _ in range(REGIMES):
        tried.add(rates)
        try:
            if best is None:
                formulation = _owed_before_budget(formulation, settings)
                solution = relaxed(formulation.problem)
            else:
                p = formulation.problem
                solution = Resolver(p).solve(p.lower, p.upper, solution)
        except ParameterError:
            break
        short, long = gains(formulation, solution.values)
        cost = _cost(household, settings, formulation, solution, short, long)
        if best is None or cost < best[0] - 1e-12:
            best = (cost, formulation, rates, solution)
        rates = marginal(household.tax, short, long, settings.carryforward_value)
        if rates in tried:
            break
        formulation = at_rates(formulation, settings, rates)
    if best is None:
        return _stalled(household, settings, formulation, rates)
    _, formulation, rates, solution = best
    try:
        values, stalled = _whole(formulation.problem, formulation.integrality, solution), False
    except ParameterError:
        # No trade is always allowed; the proposal says that it is not the best.
        values, stalled = np.zeros_like(solution.values), True
    made = orders(household, formulation, values, settings)
    spared = left_alone(household, formulation, made, settings)
    if spared is not None:
        values, made = np.zeros_like(solution.values), empty()
    return Solved(formulation, rates, solution, values, made, stalled, spared)


def _stalled(household: Household, settings: Settings, formulation: Formulation, rates: MarginalRates) -> Solved:
    """Nothing is traded where the program could not be solved: no trade is always allowed, and the proposal says so."""
    problem = formulation.problem
    values, prices = np.zeros(len(problem.linear)), np.zeros(len(problem.row_low))
    nothing = Solution(values, 0.0, np.zeros(len(problem.line_target)), prices, values, "infeasible", 0)
    return Solved(formulation, rates, nothing, values, orders(household, formulation, values, settings), True)


def _owed_before_budget(formulation: Formulation, settings: Settings) -> Formulation:
    """Widen a hard gain budget by the least gain without which cash that is owed cannot be raised."""
    budget = [k for k, row in enumerate(formulation.rows) if row.kind == "gain_budget"]
    short = np.array([row.under for row in formulation.rows if row.kind == "cash"], np.int64)
    if settings.gain_budget != "hard" or not budget or not formulation.owes:
        return formulation
    problem = formulation.problem
    least = relaxed(problem)
    missing = float(least.values[short].sum())
    if missing <= 1e-9:
        return formulation
    first = len(formulation.buy_account)
    sold = slice(first, first + len(formulation.sell_holding))
    linear = np.zeros_like(problem.linear)
    linear[sold] = formulation.sell_gain
    linear[short] = CASH_PRICE
    high = problem.row_high.copy()
    high[budget] = np.inf
    flat = replace(problem, linear=linear, quadratic=np.where(np.isfinite(problem.upper), 0.0, 1e-6), row_high=high)
    gain = relaxed(flat)
    if gain.values[short].sum() >= missing - 1e-9:
        return formulation
    needed = float((formulation.sell_gain * gain.values[sold]).sum())
    high[budget] = max(needed + 1e-9, float(problem.row_high[budget[0]]))
    return replace(formulation, problem=replace(problem, row_high=high))


def at_rates(formulation: Formulation, settings: Settings, rates: MarginalRates) -> Formulation:
    """Return the same program with lots priced at other rates."""
    first = len(formulation.buy_account)
    columns = slice(first, first + len(formulation.sell_holding))
    linear = formulation.problem.linear.copy()
    rate = rate_of(formulation, rates)
    linear[columns] += settings.tax_weight * (rate - formulation.sell_rate) * formulation.sell_gain
    return replace(formulation, problem=replace(formulation.problem, linear=linear), sell_rate=rate)


def rate_of(formulation: Formulation, rates: MarginalRates) -> Floats:
    """The rate on each sale's gain or loss; a loss that a wash sale takes away keeps saving nothing."""
    rate = sales.rate_of(formulation.sell_gain, formulation.sell_long, rates)
    return np.where(formulation.sell_washed, 0.0, rate)


def gains(formulation: Formulation, values: Floats) -> tuple[float, float]:
    """Net short- and long-term gain of a solution's sales, in dollars."""
    first = len(formulation.buy_account)
    sold = values[first : first + len(formulation.sell_holding)]
    gain = sold * formulation.sell_gain * formulation.value
    return float(gain[~formulation.sell_long].sum()), float(gain[formulation.sell_long].sum())


def _cost(
    household: Household,
    settings: Settings,
    formulation: Formulation,
    solution: Solution,
    short: float,
    long: float,
) -> float:
    """The objective with the tax that netting gives in place of marginal rates."""
    first = len(formulation.buy_account)
    sold = solution.values[first : first + len(formulation.sell_holding)]
    priced = float((formulation.sell_rate * formulation.sell_gain * sold).sum())
    exact = tax_of(household.tax, short, long, settings.carryforward_value)
    exact -= tax_of(household.tax, 0.0, 0.0, settings.carryforward_value)
    return solution.objective + settings.tax_weight * (exact / formulation.value - priced)


def _whole(problem: Problem, integrality: Integrality, relaxed: Solution) -> Floats:
    """Wash sides, least trades and whole shares: by search where the household is small, else by fixing."""
    if len(problem.linear) <= _fix.SEARCHED:
        found = integral.solve(problem, integrality, relaxed)
        if found.status == "optimal" and not _fix.washed_groups(problem, integrality, found.values):
            return found.values
    return _fix.fixed(problem, integrality, relaxed).values

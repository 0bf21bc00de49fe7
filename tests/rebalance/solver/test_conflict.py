"""Infeasible problems: which limits conflict, and the least violation that mends them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.reference_household import linear, qp
from workbench.errors import ParameterError
from workbench.rebalance.solver.conflict import Limit, Rigidity, explain
from workbench.rebalance.solver.linear import LinearModel
from workbench.rebalance.solver.problem import Problem

CASH_TAXABLE, CASH_TRADITIONAL, GAINS = 5, 6, 8


def limited(problem: Problem, changes: dict[Limit, float]) -> Problem:
    names = {"line": "line_target", "row_low": "row_low", "row_high": "row_high", "lower": "lower", "upper": "upper"}
    arrays = {name: getattr(problem, name).copy() for name in names.values()}
    for limit, value in changes.items():
        arrays[names[limit.kind]][limit.index] = value
    return replace(problem, **arrays)


def feasible(problem: Problem) -> bool:
    flat = replace(problem, quadratic=np.zeros_like(problem.quadratic), linear=np.zeros_like(problem.linear))
    return LinearModel(flat).solve().status == "optimal"


def test_a_feasible_problem_has_no_conflict() -> None:
    assert explain(linear(0)) is None
    assert explain(qp(0)) is None


def test_cash_to_raise_against_a_gain_budget_names_the_pair_and_the_least_violation() -> None:
    # Nearly all of the taxable account in cash cannot be had while its gains stay below what all its losses allow.
    base = linear(0)
    problem = limited(base, {Limit("row_low", CASH_TAXABLE): 0.45, Limit("row_high", CASH_TAXABLE): 0.49})
    assert feasible(limited(problem, {Limit("row_high", GAINS): 1.0}))
    loose = limited(problem, {Limit("row_high", GAINS): -0.02})
    found = explain(loose)
    assert found is not None
    assert set(found.members) == {Limit("row_low", CASH_TAXABLE), Limit("row_high", GAINS)}
    assert [v.limit.kind for v in found.violations] in (["row_high"], ["row_low"])
    assert feasible(found.relaxed)


def test_the_dearer_limit_holds() -> None:
    base = linear(0)
    problem = limited(
        base,
        {
            Limit("row_low", CASH_TAXABLE): 0.45,
            Limit("row_high", CASH_TAXABLE): 0.49,
            Limit("row_high", GAINS): -0.02,
        },
    )
    rigid = Rigidity.of(problem)
    for dear, cheap in ((GAINS, CASH_TAXABLE), (CASH_TAXABLE, GAINS)):
        price = rigid.row.copy()
        price[dear] = 1e6
        found = explain(problem, replace(rigid, row=price))
        assert found is not None
        assert [v.limit.index for v in found.violations] == [cheap]
        assert feasible(found.relaxed)


def test_a_bound_that_may_give_way_is_named() -> None:
    problem = limited(linear(0), {Limit("lower", 0): 0.6})
    rigid = Rigidity.of(problem)
    lower = rigid.lower.copy()
    lower[0] = 0.01
    found = explain(problem, replace(rigid, lower=lower))
    assert found is not None
    assert Limit("lower", 0) in found.members
    assert [v.limit for v in found.violations] == [Limit("lower", 0)]
    assert found.violations[0].amount < 0
    assert feasible(found.relaxed)


def test_where_nothing_may_give_way_the_conflict_is_still_named() -> None:
    problem = limited(linear(0), {Limit("lower", 0): 0.6})
    never = replace(Rigidity.of(problem), row=np.full(len(problem.row_low), np.inf))
    with pytest.raises(ParameterError, match="lower 0"):
        explain(problem, never)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), squeeze=st.floats(0.0, 0.6), budget=st.floats(-0.1, 0.02))
def test_members_are_irreducible_and_the_relaxation_is_feasible_and_tight(
    seed: int, squeeze: float, budget: float
) -> None:
    problem = limited(
        linear(seed % 7),
        {
            Limit("row_low", CASH_TAXABLE): squeeze,
            Limit("row_high", CASH_TAXABLE): squeeze + 0.01,
            Limit("row_high", GAINS): budget,
        },
    )
    found = explain(problem)
    if found is None:
        assert feasible(problem)
        return
    assert not feasible(problem)
    assert feasible(found.relaxed)
    inf = {"row_low": -np.inf, "row_high": np.inf}
    outside = [
        Limit(kind, k)  # type: ignore[arg-type]
        for k in range(len(problem.row_low))
        for kind in ("row_low", "row_high")
        if Limit(kind, k) not in found.members  # type: ignore[arg-type]
    ]
    only = limited(problem, {limit: inf[limit.kind] for limit in outside})
    assert not feasible(only)
    for member in found.members:
        assert feasible(limited(only, {member: inf[member.kind]}))
    shrunk = limited(
        problem,
        {v.limit: getattr(problem, v.limit.kind)[v.limit.index] + 0.99 * v.amount for v in found.violations},
    )
    assert not feasible(shrunk)

"""The one-step program: optimal by its own conditions, equal to Clarabel, exact in what it leaves alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.backtest._one_step import BOUGHT, KEPT, OUT, SOLD, one_step_batch


def problem(seed, m=None):
    """A random program: low rank or diagonal risk, sometimes cash, sold-out positions, free trades, duplicates."""
    rng = np.random.default_rng(seed)
    m = m or int(rng.integers(2, 31))
    loadings = rng.normal(0.0, 0.1, (m, max(1, m // 3)))
    matrix = loadings @ loadings.T + np.diag(rng.uniform(0.0, 0.02, m) * (rng.random(m) < 0.7))
    weight, target = rng.dirichlet(np.ones(m)), rng.dirichlet(np.full(m, 3.0))
    cost = rng.uniform(0.0, 0.004, m)
    kind = seed % 5
    if kind == 1:
        matrix[-1], matrix[:, -1], cost[-1] = 0.0, 0.0, 0.0
    if kind == 2 and m > 2:
        weight[: m // 3] = 0.0
        weight /= weight.sum()
    if kind == 3 and m > 2:
        matrix[1], matrix[:, 1] = matrix[0], matrix[:, 0]
        matrix[1, 1] = matrix[0, 0]
    if kind == 4:
        target = np.zeros(m)
        target[rng.integers(m)] = 1.0
    return weight, target, matrix, cost, float(10.0 ** rng.uniform(-2.0, 2.0))


def solve(weight, target, matrix, cost, strength):
    wanted, side, gain = one_step_batch(
        weight[None], target[None], matrix[None], np.asarray(cost)[None], np.array([strength])
    )
    return wanted[0], side[0], float(gain[0])


def objective(wanted, weight, target, matrix, cost, strength):
    off = wanted - target
    return cost @ np.abs(wanted - weight) + 0.5 * strength * off @ matrix @ off


def wrong_by(wanted, side, weight, target, matrix, cost, strength):
    """How far the optimality conditions are from holding: no position may gain by being raised at another's expense."""
    gradient = strength * matrix @ (wanted - target)
    up = gradient + np.where((side == SOLD) | (side == OUT), -cost, cost)
    down = gradient + np.where(side == BOUGHT, cost, -cost)
    can_fall = wanted > 0.0
    return down[can_fall].max() - up.min()


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**9))
def test_conditions_of_an_optimum_hold(seed):
    given_ = problem(seed)
    wanted, side, gain = solve(*given_)
    weight, cost = given_[0], given_[3]
    assert wanted.min() >= 0.0
    assert abs(wanted.sum() - 1.0) < 1e-12
    assert wrong_by(wanted, side, *given_) < 1e-9 * max(cost.max(), given_[4])
    assert gain == pytest.approx(objective(weight, *given_) - objective(wanted, *given_), abs=1e-10 * max(1, given_[4]))
    assert (wanted[side == KEPT] == weight[side == KEPT]).all()  # to the bit
    assert (wanted[side == OUT] == 0.0).all()
    assert (wanted[side == BOUGHT] > weight[side == BOUGHT]).all()
    assert (wanted[side == SOLD] < weight[side == SOLD]).all()


def test_agrees_with_clarabel():
    cp = pytest.importorskip("cvxpy", reason="cvxpy checks the solver")
    for seed in range(120):
        weight, target, matrix, cost, strength = given_ = problem(seed, 2 + seed % 14)
        y = cp.Variable(len(weight))
        value, vector = np.linalg.eigh(matrix)
        root = vector * np.sqrt(np.maximum(value, 0.0))
        cost_of = cost @ cp.abs(y - weight) + 0.5 * strength * cp.sum_squares(root.T @ (y - target))
        checked = cp.Problem(cp.Minimize(cost_of), [cp.sum(y) == 1, y >= 0])
        checked.solve(solver="CLARABEL", tol_gap_abs=1e-12, tol_gap_rel=1e-12, tol_feas=1e-12)
        ours = objective(solve(*given_)[0], *given_)
        assert ours <= objective(np.maximum(y.value, 0.0), *given_) + 1e-10, seed
        assert ours == pytest.approx(checked.value, abs=1e-8), seed


def test_two_assets_by_hand():
    # Trading x of the difference costs 2 c x and saves strength s^2 (D x - x^2 / 2): x = D - 2 c / (strength s^2).
    matrix = np.array([[0.04, 0.0], [0.0, 0.01]])
    cost, strength, variance = np.array([0.001, 0.001]), 2.0, 0.05
    edge = 2 * 0.001 / (strength * variance)
    wanted, _, _ = solve(np.array([0.7, 0.3]), np.array([0.6, 0.4]), matrix, cost, strength)
    assert wanted == pytest.approx([0.6 + edge, 0.4 - edge], abs=1e-11)
    inside = np.array([0.6 + 0.99 * edge, 0.4 - 0.99 * edge])
    wanted, side, gain = solve(inside, np.array([0.6, 0.4]), matrix, cost, strength)
    assert (wanted == inside).all()
    assert (side == KEPT).all()
    assert gain == 0.0


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**9))
def test_what_was_traded_is_not_traded_again(seed):
    weight, target, matrix, cost, strength = problem(seed)
    wanted, _, _ = solve(weight, target, matrix, cost, strength)
    again, _, gain = solve(wanted, target, matrix, cost, strength)
    assert gain < 1e-12
    assert objective(again, wanted, target, matrix, cost, strength) == pytest.approx(
        objective(wanted, wanted, target, matrix, cost, strength), abs=1e-12
    )


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**9), st.floats(1.1, 20.0))
def test_a_stronger_wish_leaves_less_risk(seed, times):
    weight, target, matrix, cost, strength = problem(seed)
    cost = cost + 1e-5

    def risk(stronger):
        wanted, _, _ = solve(weight, target, matrix, cost, stronger)
        return (wanted - target) @ matrix @ (wanted - target)

    assert risk(times * strength) <= risk(strength) + 1e-10


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**9), st.floats(0.01, 100.0))
def test_only_the_ratio_of_cost_and_strength_matters(seed, times):
    weight, target, matrix, cost, strength = given_ = problem(seed)
    first, _, _ = solve(*given_)
    second, _, _ = solve(weight, target, matrix, cost * times, strength * times)
    assert objective(second, *given_) == pytest.approx(objective(first, *given_), abs=1e-11 * max(1.0, strength))


def test_order_of_positions_does_not_matter():
    for seed in range(0, 200, 5):
        weight, target, matrix, cost, strength = given_ = problem(seed)
        order = np.random.default_rng(seed).permutation(len(weight))
        turned, _, _ = solve(weight[order], target[order], matrix[np.ix_(order, order)], cost[order], strength)
        assert objective(turned[np.argsort(order)], *given_) == pytest.approx(
            objective(solve(*given_)[0], *given_), abs=1e-12
        )


def test_free_trades_go_to_the_target():
    weight, target, matrix, _, _ = problem(0, 8)
    matrix = matrix + 0.01 * np.eye(8)
    wanted, _, _ = solve(weight, target, matrix, np.zeros(8), 1.0)
    assert wanted == pytest.approx(target, abs=1e-12)


def test_nothing_is_done_without_risk_or_without_a_wish():
    weight, target, matrix, cost, _ = problem(0, 6)
    assert (solve(weight, target, np.zeros((6, 6)), np.zeros(6), 1.0)[0] == weight).all()
    assert (solve(weight, target, matrix, cost, 0.0)[0] == weight).all()
    assert (solve(np.ones(1), np.ones(1), np.ones((1, 1)), np.ones(1), 1.0)[0] == 1.0).all()


def test_ties_go_to_the_answer_nearer_the_target():
    # Two assets alike in risk and cost: either could be bought; both are, equally far from their targets.
    matrix = np.array([[0.04, 0.04, 0.0], [0.04, 0.04, 0.0], [0.0, 0.0, 0.01]])
    target = np.array([0.3, 0.3, 0.4])
    wanted, _, _ = solve(np.array([0.2, 0.2, 0.6]), target, matrix, np.full(3, 1e-4), 5.0)
    assert wanted[0] == pytest.approx(wanted[1], abs=1e-6)


def test_missing_numbers_end_without_a_trade():
    weight, target, matrix, cost, strength = problem(0, 5)
    matrix[2, 2] = np.nan
    _, _, gain = solve(weight, target, matrix, cost, strength)
    assert not gain > 0.0

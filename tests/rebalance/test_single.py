"""One account by itself: agreement with an independent solver, and what must hold for any account."""

from dataclasses import replace

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import ParameterError
from workbench.rebalance.solver.single import Accounts, solve_accounts


def draw(seed, accounts=1, positions=12, lots=3, cash=(0.005, 0.02), harvest=True):
    rng = np.random.default_rng(seed)
    P = accounts * positions
    counts = rng.integers(0, lots + 1, P)
    size = rng.uniform(0, 2 / (positions * lots), counts.sum())
    return Accounts(
        position_ptr=np.arange(0, P + 1, positions, dtype=np.int32),
        lot_ptr=np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
        target=rng.dirichlet(np.ones(positions), accounts).ravel(),
        curvature=rng.uniform(0.05, 0.8, P),
        buy_cost=rng.uniform(0, 0.002, P),
        sell_cost=rng.uniform(0, 0.002, P),
        share=np.zeros(P),
        minimum=np.zeros(P),
        harvest=np.full(P, harvest),
        size=size,
        tax=rng.choice([0.238, 0.408], len(size)) * (1 - np.exp(rng.normal(-0.1, 0.3, len(size)))),
        cash=np.array([1 - size[a:b].sum() for a, b in _lots_of(P, positions, counts)]),
        cash_low=np.full(accounts, cash[0]),
        cash_high=np.full(accounts, cash[1]),
    )


def _lots_of(P, positions, counts):
    ends = np.concatenate([[0], np.cumsum(counts)])
    return [(ends[i], ends[i + positions]) for i in range(0, P, positions)]


def objective(a, buy, sale):
    position = np.repeat(np.arange(len(a.target)), np.diff(a.lot_ptr))
    sold, held = (np.bincount(position, x, len(a.target)) for x in (sale, a.size))
    off = held + buy - sold - a.target
    return 0.5 * a.curvature @ off**2 + a.buy_cost @ buy + a.sell_cost @ sold + a.tax @ sale


def by_cvxpy(a):
    P, L = len(a.target), len(a.size)
    own = np.zeros((P, L))
    own[np.repeat(np.arange(P), np.diff(a.lot_ptr)), np.arange(L)] = 1.0
    buy, sale = cp.Variable(P, nonneg=True), cp.Variable(L, nonneg=True)
    off = own @ a.size + buy - own @ sale - a.target
    cost = 0.5 * cp.sum(cp.multiply(a.curvature, cp.square(off)))
    cost += a.buy_cost @ buy + a.sell_cost @ (own @ sale) + a.tax @ sale
    cash = a.cash[0] - cp.sum(buy) + cp.sum(sale)
    problem = cp.Problem(cp.Minimize(cost), [sale <= a.size, cash >= a.cash_low[0], cash <= a.cash_high[0]])
    problem.solve(solver=cp.CLARABEL, tol_gap_abs=1e-12, tol_gap_rel=1e-12, tol_feas=1e-12)
    return problem.value


@pytest.mark.parametrize("seed", range(40))
def test_agrees_with_an_independent_solver(seed):
    a = draw(seed)
    trades = solve_accounts(a)
    assert trades.feasible.all()
    assert objective(a, trades.buy, trades.sale) == pytest.approx(by_cvxpy(a), abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    lots=st.integers(1, 4),
    low=st.sampled_from([0.0, 0.02, 0.5, 1.0]),
    harvest=st.booleans(),
)
def test_limits_hold_and_a_position_is_bought_or_sold(seed, lots, low, harvest):
    a = draw(seed, accounts=3, positions=5, lots=lots, cash=(low, low), harvest=harvest)
    t = solve_accounts(a)
    assert t.feasible.all()
    assert (t.buy >= 0).all()
    assert ((t.sale >= 0) & (t.sale <= a.size)).all()
    position = np.repeat(np.arange(len(a.target)), np.diff(a.lot_ptr))
    sold = np.bincount(position, t.sale, len(a.target))
    assert (np.minimum(t.buy, sold) == 0).all() or harvest
    moved = (sold - t.buy).reshape(3, 5).sum(1)
    np.testing.assert_allclose(a.cash + moved, low, atol=1e-12)


def test_lots_of_equal_tax_are_sold_in_order_and_only_one_in_part():
    a = replace(draw(3, lots=3), tax=np.zeros(len(draw(3, lots=3).size)), cash_low=np.array([0.6]))
    a = replace(a, cash_high=np.array([0.7]))
    sale = solve_accounts(a).sale
    for i in range(len(a.target)):
        lots = slice(a.lot_ptr[i], a.lot_ptr[i + 1])
        part = sale[lots] / a.size[lots]
        assert (np.diff(part) <= 0).all()
        assert ((part > 0) & (part < 1)).sum() <= 1


def test_each_account_is_solved_as_if_alone():
    a = draw(5, accounts=6)
    together = solve_accounts(a)
    by_position = ("target", "curvature", "buy_cost", "sell_cost", "share", "minimum", "harvest")
    for i in range(6):
        p, q = a.position_ptr[i], a.position_ptr[i + 1]
        lots = slice(a.lot_ptr[p], a.lot_ptr[q])
        alone = Accounts(
            np.array([0, q - p], np.int32), a.lot_ptr[p : q + 1] - a.lot_ptr[p],
            *(getattr(a, k)[p:q] for k in by_position),
            a.size[lots], a.tax[lots], a.cash[i : i + 1], a.cash_low[i : i + 1], a.cash_high[i : i + 1],
        )  # fmt: skip
        one = solve_accounts(alone)
        assert one.buy.tobytes() == together.buy[p:q].tobytes()
        assert one.sale.tobytes() == together.sale[lots].tobytes()


def test_the_price_of_cash_is_the_slope_of_the_objective():
    a = draw(11, cash=(0.3, 0.4))

    def cost(low):
        b = replace(a, cash_low=np.array([low]))
        t = solve_accounts(b)
        return objective(b, t.buy, t.sale)

    slope = (cost(0.3 + 1e-6) - cost(0.3 - 1e-6)) / 2e-6
    assert solve_accounts(a).cash_price[0] == pytest.approx(slope, abs=1e-6)


@pytest.mark.parametrize("seed", range(30))
def test_whole_shares_and_least_trades(seed):
    a = draw(seed, accounts=4, positions=10, cash=(0.0, 0.05), harvest=False)
    rng = np.random.default_rng(seed)
    a = replace(a, share=rng.uniform(0.0005, 0.004, len(a.target)), minimum=np.full(len(a.target), 0.003))
    t = solve_accounts(a)
    assert t.feasible.all()
    position = np.repeat(np.arange(len(a.target)), np.diff(a.lot_ptr))
    held, sold = (np.bincount(position, x, len(a.target)) for x in (a.size, t.sale))
    net = t.buy - sold
    closed = np.abs(held + net) < 1e-12
    shares = net / a.share
    assert (closed | (np.abs(shares - np.rint(shares)) < 1e-8)).all()
    assert (closed | (net == 0) | (np.abs(net) >= a.minimum - 1e-12)).all()
    cash = a.cash - net.reshape(4, 10).sum(1)
    assert ((cash >= a.cash_low - 1e-11) & (cash <= a.cash_high + 1e-11)).all()


def test_more_cash_than_the_account_is_worth_is_infeasible():
    t = solve_accounts(draw(0, cash=(1.5, 2.0)))
    assert not t.feasible[0]
    assert np.isnan(t.buy).all()


def test_an_account_of_no_positions_and_bad_numbers():
    none = np.zeros(0)
    empty = Accounts(
        np.array([0, 0], np.int32), np.zeros(1, np.int32), none, none, none, none, none, none, none > 0, none, none,
        np.array([0.01]), np.array([0.0]), np.array([1.0]),
    )  # fmt: skip
    assert solve_accounts(empty).feasible.all()
    a = draw(0)
    with pytest.raises(ParameterError, match="curvature"):
        solve_accounts(replace(a, curvature=a.curvature * 0))
    with pytest.raises(ParameterError, match="tax"):
        solve_accounts(replace(a, tax=a.tax[:-1]))

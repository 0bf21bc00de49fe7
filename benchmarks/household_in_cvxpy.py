"""The reference household in cvxpy, as a user would write it, tuned, and built anew; and Clarabel alone.

    Natural      a variable for each thing that is traded, a parameter for each table of the household, with the shapes
                 the household has: targets (assets), lots (assets x 4), gains, loadings (assets x factors), costs.
                 Disciplined (DPP), so that cvxpy canonicalises once; a household is its parameters set, then `solve`.
    Flat         one vector of columns and one sparse matrix parameter with a declared pattern: what somebody who knows
                 cvxpy's internals would tune it to.
    Rebuilt      the natural form with constants, canonicalised for every household.
    Native       no modelling language: the matrices, stacked beforehand, straight to Clarabel.

Clarabel has its default tolerances throughout. Products of two numbers of a household (rate x gain, loading x
deviation) are formed before they become a parameter, as DPP asks.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import scipy.sparse as sp

from benchmarks.reference_household import (
    ACCOUNT,
    ASSETS,
    BOND_LOCATION,
    BONDS,
    CASH,
    CASH_HIGH,
    CASH_LOW,
    FACTORS,
    GAIN_BUDGET,
    RISK_AVERSION,
    TAXABLE,
    TRADING_COST,
    Household,
)
from workbench.rebalance.solver.problem import Problem

LOTS = 4  #: two in the taxable account, one in each retirement account
OF_ACCOUNT = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], float)  #: lots of an asset x accounts


class Natural:
    """Buys (assets x accounts), sales (assets x lots), deviations and factor exposures; `constants` builds it anew."""

    def __init__(self, home: Household | None = None) -> None:
        import cvxpy as cp

        def given(*shape: int, **kinds: Any) -> Any:
            return cp.Parameter(shape if len(shape) > 1 else shape[0], **kinds)

        buy, sale = cp.Variable((ASSETS, 3), nonneg=True), cp.Variable((ASSETS, LOTS), nonneg=True)
        deviation, exposure = cp.Variable(ASSETS), cp.Variable(FACTORS)
        self.target, self.held, self.lot = given(ASSETS), given(ASSETS), given(ASSETS, LOTS)
        self.gain, self.sell_cost, self.buy_cost = given(ASSETS, LOTS), given(ASSETS, LOTS), given(ASSETS, 3)
        self.loading, self.specific = given(ASSETS, FACTORS), given(ASSETS, nonneg=True)
        self.budget, self.cash_low, self.cash_high = cp.Parameter(), given(3), given(3)
        self.parameters = {name: value for name, value in vars(self).items() if isinstance(value, cp.Parameter)}
        if home is not None:
            for name, value in self.numbers(home).items():
                setattr(self, name, value)
        bought, sold = cp.sum(buy, axis=1), cp.sum(sale, axis=1)
        cash = cp.sum(sale @ OF_ACCOUNT, axis=0) - cp.sum(buy, axis=0)
        risk = cp.sum_squares(exposure) + cp.sum_squares(cp.multiply(self.specific, deviation))
        cost = cp.sum(cp.multiply(self.buy_cost, buy)) + cp.sum(cp.multiply(self.sell_cost, sale))
        limits = [
            deviation == self.held + bought - sold - self.target,
            exposure == self.loading.T @ deviation,
            sale <= self.lot,
            cash >= self.cash_low,
            cash <= self.cash_high,
            cp.sum(cp.multiply(self.gain, sale)) <= self.budget,
        ]
        self.problem = cp.Problem(cp.Minimize(RISK_AVERSION * risk + cost), limits)
        self.clarabel = cp.CLARABEL

    @staticmethod
    def numbers(home: Household) -> dict[str, Any]:
        """The household's tables, in the shapes of the parameters."""
        gain, rate = home.lot_gain.reshape(ASSETS, LOTS), home.lot_rate.reshape(ASSETS, LOTS)
        lot = home.lot_size.reshape(ASSETS, LOTS)
        location = np.zeros((ASSETS, 3))
        location[:BONDS] = BOND_LOCATION
        taxed = home.lot_account.reshape(ASSETS, LOTS) == TAXABLE
        return {
            "target": home.target, "held": lot.sum(axis=1), "lot": lot, "gain": np.where(taxed, gain, 0.0),
            "sell_cost": TRADING_COST + rate * gain - location @ OF_ACCOUNT.T, "buy_cost": TRADING_COST + location,
            "loading": home.loading, "specific": home.specific, "budget": GAIN_BUDGET,
            "cash_low": ACCOUNT * (CASH_LOW - CASH), "cash_high": ACCOUNT * (CASH_HIGH - CASH),
        }  # fmt: skip

    def solve(self, home: Household) -> tuple[float, int]:
        """Set the parameters and solve; the objective and CPU nanoseconds of both."""
        numbers = self.numbers(home)
        began = time.process_time_ns()
        for name, value in numbers.items():
            self.parameters[name].value = value
        self.problem.solve(solver=self.clarabel)
        return float(self.problem.value), time.process_time_ns() - began


def rebuilt(home: Household) -> tuple[float, int]:
    """Build the natural form with the household's constants and solve; the objective and CPU nanoseconds of both."""
    began = time.process_time_ns()
    form = Natural(home)
    form.problem.solve(solver=form.clarabel)
    return float(form.problem.value), time.process_time_ns() - began


class Flat:
    """The same program as one vector of columns, one sparse parameter for its rows."""

    def __init__(self, p: Problem) -> None:
        import cvxpy as cp

        columns, lines, rows = len(p.linear), len(p.line_target), len(p.row_low)
        self.curved = np.flatnonzero(p.quadratic)
        self.closed, self.floored = np.flatnonzero(np.isfinite(p.upper)), np.flatnonzero(np.isfinite(p.lower))
        self.low, self.high = np.flatnonzero(np.isfinite(p.row_low)), np.flatnonzero(np.isfinite(p.row_high))
        v = cp.Variable(columns)
        self.root, self.linear = cp.Parameter(len(self.curved), nonneg=True), cp.Parameter(columns)
        self.upper, self.target = cp.Parameter(len(self.closed)), cp.Parameter(lines)
        self.row_low, self.row_high = cp.Parameter(len(self.low)), cp.Parameter(len(self.high))
        self.rows = cp.Parameter((rows, columns), sparsity=_rows(p).nonzero())
        limits = [
            _lines(p) @ v == self.target,
            (self.rows @ v)[self.low] >= self.row_low,
            (self.rows @ v)[self.high] <= self.row_high,
            v[self.floored] >= p.lower[self.floored],
            v[self.closed] <= self.upper,
        ]
        risk = 0.5 * cp.sum_squares(cp.multiply(self.root, v[self.curved]))
        self.problem = cp.Problem(cp.Minimize(risk + self.linear @ v), limits)
        self.clarabel = cp.CLARABEL

    def solve(self, p: Problem) -> tuple[float, int]:
        """Set the parameters and solve; the objective and CPU nanoseconds of both."""
        rows, place = _rows(p).toarray(), self.rows.sparse_idx
        began = time.process_time_ns()
        self.root.value, self.linear.value = np.sqrt(p.quadratic[self.curved]), p.linear
        self.upper.value, self.target.value = p.upper[self.closed], p.line_target
        self.row_low.value, self.row_high.value = p.row_low[self.low], p.row_high[self.high]
        self.rows.value_sparse = sp.coo_array((rows[place], place), shape=self.rows.shape)
        self.problem.solve(solver=self.clarabel)
        return float(self.problem.value), time.process_time_ns() - began


def native(p: Problem) -> tuple[float, int]:
    """Give Clarabel the stacked matrices; the objective and CPU nanoseconds from its setup on."""
    import clarabel

    lines, rows, same = _lines(p), _rows(p).tocsr(), p.row_low == p.row_high
    eye = sp.eye_array(len(p.linear), format="csr")
    low, high = np.isfinite(p.row_low) & ~same, np.isfinite(p.row_high) & ~same
    floored, closed = np.isfinite(p.lower), np.isfinite(p.upper)
    matrix = sp.csc_array(sp.vstack([lines, rows[same], -rows[low], rows[high], -eye[floored], eye[closed]]))
    limit = np.concatenate(
        [p.line_target, p.row_low[same], -p.row_low[low], p.row_high[high], -p.lower[floored], p.upper[closed]]
    )
    equal = len(p.line_target) + int(same.sum())
    cones = [clarabel.ZeroConeT(equal), clarabel.NonnegativeConeT(len(limit) - equal)]
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.max_threads = 1
    curvature = sp.csc_matrix(sp.diags_array(p.quadratic))
    began = time.process_time_ns()
    answer = clarabel.DefaultSolver(curvature, p.linear, sp.csc_matrix(matrix), limit, cones, settings).solve()
    return float(answer.obj_val), time.process_time_ns() - began


def _lines(p: Problem) -> Any:
    on = np.flatnonzero(p.line >= 0)
    return sp.csr_array((p.line_coefficient[on], (p.line[on], on)), shape=(len(p.line_target), len(p.linear)))


def _rows(p: Problem) -> Any:
    column = np.repeat(np.arange(len(p.linear)), np.diff(p.column_ptr))
    return sp.coo_array((p.entry, (p.entry_row, column)), shape=(len(p.row_low), len(p.linear)))

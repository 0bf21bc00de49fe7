"""The reference household's program and the single account, against a modelling language's solver in the same run.

    python -m benchmarks.household_qp            # a table
    python -m benchmarks.household_qp --json     # one object, for a machine

Times are CPU time on one thread (BLAS included). The yardstick is cvxpy with every number of the household a parameter
(compiled once, canonicalised once) and Clarabel at its defaults; only its `solve` is timed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from typing import Any

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import numpy as np  # noqa: E402
import scipy.sparse as sp  # noqa: E402

from benchmarks.reference_household import qp  # noqa: E402
from workbench.rebalance.solver.problem import Problem  # noqa: E402
from workbench.rebalance.solver.quadratic import minimise, solve, workspace  # noqa: E402
from workbench.rebalance.solver.single import Accounts, single_workspace, solve_accounts, solve_range  # noqa: E402

HOUSEHOLDS, ACCOUNTS, POSITIONS, LOTS = 200, 2_000, 30, 3


def measure(households: int = HOUSEHOLDS) -> dict[str, float]:
    """Time both solvers on the same households, and the single account; see `show` for what each figure is."""
    problems = [qp(seed) for seed in range(households)]
    solve(problems[0])
    ours, kernel, theirs, gaps = [], [], [], []
    other = _Parametrised(problems[0])
    other.solve(problems[0])
    for problem in problems:
        began = time.process_time_ns()
        solution = solve(problem)
        ours.append(time.process_time_ns() - began)
        kernel.append(_kernel_time(problem))
        value, spent = other.solve(problem)
        theirs.append(spent)
        gaps.append(abs(solution.objective - value) / abs(value))
    median = statistics.median(ours)
    return {
        "household_qp_ms": median / 1e6,
        "household_qp_kernel_ms": statistics.median(kernel) / 1e6,
        "household_qp_p95_ms": float(np.percentile(ours, 95)) / 1e6,
        "cvxpy_ms": statistics.median(theirs) / 1e6,
        "household_qp_ratio_cvxpy": statistics.median(theirs) / median,
        "household_qp_worst_gap": max(gaps),
        "single_account_us": _single_account(),
    }


def _kernel_time(p: Problem) -> int:
    work = workspace(len(p.linear), len(p.line_target), len(p.row_low), len(p.entry))
    out = [np.empty(n) for n in (len(p.linear), len(p.line_target), len(p.row_low), len(p.linear))]
    began = time.process_time_ns()
    minimise(
        p.quadratic, p.linear, p.lower, p.upper, p.line, p.line_coefficient, p.column_ptr, p.entry_row, p.entry,
        p.line_target, p.row_low, p.row_high, False, *out, *work,
    )  # fmt: skip
    return time.process_time_ns() - began


class _Parametrised:
    """The same program in cvxpy, its numbers parameters (disciplined, so that it is canonicalised once)."""

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
        self.line_of = self._lines(p)
        pattern = self._rows(p)
        self.rows = cp.Parameter((rows, columns), sparsity=pattern.nonzero())
        limits = [
            self.line_of @ v == self.target,
            (self.rows @ v)[self.low] >= self.row_low,
            (self.rows @ v)[self.high] <= self.row_high,
            v[self.floored] >= p.lower[self.floored],
            v[self.closed] <= self.upper,
        ]
        risk = 0.5 * cp.sum_squares(cp.multiply(self.root, v[self.curved]))
        self.problem = cp.Problem(cp.Minimize(risk + self.linear @ v), limits)
        self.clarabel = cp.CLARABEL

    @staticmethod
    def _lines(p: Problem) -> Any:
        on = np.flatnonzero(p.line >= 0)
        return sp.csr_array((p.line_coefficient[on], (p.line[on], on)), shape=(len(p.line_target), len(p.linear)))

    @staticmethod
    def _rows(p: Problem) -> Any:
        column = np.repeat(np.arange(len(p.linear)), np.diff(p.column_ptr))
        return sp.coo_array((p.entry, (p.entry_row, column)), shape=(len(p.row_low), len(p.linear)))

    def solve(self, p: Problem) -> tuple[float, int]:
        self.root.value, self.linear.value = np.sqrt(p.quadratic[self.curved]), p.linear
        self.upper.value, self.target.value = p.upper[self.closed], p.line_target
        self.row_low.value, self.row_high.value = p.row_low[self.low], p.row_high[self.high]
        self.rows.value_sparse = sp.coo_array(
            (self._rows(p).toarray()[self.rows.sparse_idx], self.rows.sparse_idx), shape=self.rows.shape
        )
        began = time.process_time_ns()
        self.problem.solve(solver=self.clarabel)
        return float(self.problem.value), time.process_time_ns() - began


def draw_accounts(seed: int, accounts: int, positions: int = POSITIONS, lots: int = LOTS) -> Accounts:
    """Draw accounts of `positions` positions with `lots` lots, 2 % cash, drifted from random targets."""
    rng = np.random.default_rng(seed)
    P, L = accounts * positions, accounts * positions * lots
    target = rng.dirichlet(np.full(positions, 6.0), accounts) * 0.98
    held = target * np.exp(rng.normal(0, 0.3, target.shape))
    held *= 0.98 / held.sum(axis=1, keepdims=True)
    share = rng.dirichlet(np.full(lots, 3.0), P)
    gain = 1 - np.exp(rng.normal(-0.1, 0.3, L))
    none = np.zeros(P)
    return Accounts(
        np.arange(0, P + 1, positions, dtype=np.int32), np.arange(0, L + 1, lots, dtype=np.int32), target.ravel(),
        10 * rng.uniform(0.05, 0.2, P) ** 2, none + 0.0005, none + 0.0005, none, none, np.ones(P, bool),
        (held.ravel()[:, None] * share).ravel(), np.where(rng.random(L) < 0.3, 0.408, 0.238) * gain,
        np.full(accounts, 0.02), np.full(accounts, 0.005), np.full(accounts, 0.015),
    )  # fmt: skip


def _single_account() -> float:
    a = draw_accounts(7, ACCOUNTS)
    trades, work = solve_accounts(a), single_workspace(a)
    began = time.process_time_ns()
    solve_range(
        0, ACCOUNTS, a.position_ptr, a.lot_ptr, a.target, a.curvature, a.buy_cost, a.sell_cost, a.share, a.minimum,
        a.harvest, a.size, a.tax, a.cash, a.cash_low, a.cash_high, trades.buy, trades.sale, trades.cash_price,
        trades.feasible, *work,
    )  # fmt: skip
    spent = (time.process_time_ns() - began) / ACCOUNTS / 1e3
    assert trades.feasible.all()
    return spent


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    figures = measure()
    if parser.parse_args().json:
        print(json.dumps(figures))
        return
    print("load of the machine", " ".join(f"{x:.2f}" for x in os.getloadavg()))
    for name, value in figures.items():
        print(f"{name:28s} {value:12.4g}")


if __name__ == "__main__":
    main()

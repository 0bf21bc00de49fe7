"""The reference household's program and the single account, against a modelling language's solver in the same run.

    python -m benchmarks.household_qp            # a table
    python -m benchmarks.household_qp --json     # one object, for a machine

Times are CPU time on one thread (BLAS included), the median over households of each solver's own loop. The yardstick is
the household as a user would write it in cvxpy, every table of it a parameter in its natural shape: compiled and
canonicalised once, then for each household its parameters are set and it is solved (both are timed, for both are what a
household costs), by Clarabel at its default tolerances. For orientation the same program tuned to one sparse parameter
(`cvxpy_flat`), built anew for each household (`cvxpy_rebuilt`), and given to Clarabel as matrices without cvxpy
(`clarabel`; stacking them is not timed): see `benchmarks.household_in_cvxpy`. Gaps are relative and those of Clarabel's
default tolerance: it stops within 1e-8 of its own scaling, and ours is exact.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import numpy as np  # noqa: E402

from benchmarks.household_in_cvxpy import Flat, Natural, native, rebuilt  # noqa: E402
from benchmarks.reference_household import household, qp  # noqa: E402
from workbench.rebalance.solver.problem import Problem  # noqa: E402
from workbench.rebalance.solver.quadratic import minimise, solve, workspace  # noqa: E402
from workbench.rebalance.solver.single import Accounts, single_workspace, solve_accounts, solve_range  # noqa: E402

HOUSEHOLDS, ACCOUNTS, POSITIONS, LOTS = 200, 2_000, 30, 3


def measure(households: int = HOUSEHOLDS, rebuilt_households: int = 20) -> dict[str, float]:
    """Time the solvers on the same households, each in a loop of its own, and the single account.

    `household_qp_ms` is `solve` (validation and results included), `household_qp_kernel_ms` the compiled part alone.
    Ratios are to `household_qp_ms`: `household_qp_ratio_cvxpy` of the natural parametrised form.
    """
    problems, homes = [qp(seed) for seed in range(households)], [household(seed) for seed in range(households)]
    solve(problems[0])
    natural, flat = Natural(), Flat(problems[0])
    natural.solve(homes[0]), flat.solve(problems[0]), rebuilt(homes[0]), native(problems[0]), _kernel_time(problems[0])
    ours = [_timed(problem) for problem in problems]
    kernel = [_kernel_time(problem) for problem in problems]
    theirs = [natural.solve(home) for home in homes]
    tuned = [flat.solve(problem) for problem in problems]
    anew = [rebuilt(home) for home in homes[:rebuilt_households]]
    alone = [native(problem) for problem in problems]
    median = statistics.median(spent for _, spent in ours)
    figures = {
        "household_qp_ms": median / 1e6,
        "household_qp_kernel_ms": statistics.median(kernel) / 1e6,
        "household_qp_p95_ms": float(np.percentile([spent for _, spent in ours], 95)) / 1e6,
    }
    for name, answers in (("cvxpy", theirs), ("cvxpy_flat", tuned), ("cvxpy_rebuilt", anew), ("clarabel", alone)):
        other = statistics.median(spent for _, spent in answers)
        figures[f"{name}_ms"], figures[f"household_qp_ratio_{name}"] = other / 1e6, other / median
        figures[f"household_qp_gap_{name}"] = max(
            abs(one - two) / abs(two) for (one, _), (two, _) in zip(ours, answers, strict=False)
        )
    figures["household_qp_worst_gap"] = figures["household_qp_gap_cvxpy"]
    return figures | {"single_account_us": _single_account()}


def _timed(problem: Problem) -> tuple[float, int]:
    began = time.process_time_ns()
    solution = solve(problem)
    return solution.objective, time.process_time_ns() - began


def _kernel_time(p: Problem) -> int:
    work = workspace(len(p.linear), len(p.line_target), len(p.row_low), len(p.entry))
    out = [np.empty(n) for n in (len(p.linear), len(p.line_target), len(p.row_low), len(p.linear))]
    began = time.process_time_ns()
    minimise(
        p.quadratic, p.linear, p.lower, p.upper, p.line, p.line_coefficient, p.column_ptr, p.entry_row, p.entry,
        p.line_target, p.row_low, p.row_high, False, *out, *work,
    )  # fmt: skip
    return time.process_time_ns() - began


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

"""Against taxrebalance 0.2.0 (PyPI) on its own demonstration, judged by its own evaluation.

    python -m benchmarks.taxrebalance            # a table
    python -m benchmarks.taxrebalance --json     # one object, for a machine

The problem (`tax_rebalancing.scenarios.demonstration`): four assets, ten lots, a full covariance, a tracking error that
binds, and no asset both bought and sold. taxrebalance solves ten cone programs through cvxpy for it. Here the
covariance enters by its Cholesky factor, one factor column each; the tracking limit by its multiplier
(`solver.tracking_limit`); sides depth first, a node cut where the Lagrangian at the incumbent's multiplier, a lower
bound, is no better than the incumbent. The trades found are handed back to taxrebalance's `evaluate`, which says what
they cost and whether they keep its limits.

taxrebalance lives in an environment of its own, `build/peers/taxrebalance`, made on first use (this needs pip and a
network). Both sides are warm; CPU time, median of repeats; ours from the scenario's arrays to the trades.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit

from workbench.rebalance.solver.problem import BUY, DEVIATION, FACTOR, SELL, Floats, Ints, Problem
from workbench.rebalance.solver.quadratic import INFEASIBLE, OPTIMAL, minimise, workspace
from workbench.rebalance.solver.tracking_limit import minimise_within

PEER = "taxrebalance==0.2.0"
FOLDER = Path(__file__).resolve().parents[1] / "build" / "peers" / "taxrebalance"
REPEATS, THEIR_REPEATS = 400, 9

THEIRS = """
import json, statistics, sys, time
from tax_rebalancing.optimizer import _arrays, convex_relaxation_heuristic, evaluate
from tax_rebalancing.scenarios import demonstration
s = demonstration()
price, covariance, incidence, lots, now, later = _arrays(s)
spent = []
for _ in range(int(sys.argv[1]) + 1):
    began = time.process_time_ns()
    answer = convex_relaxation_heuristic(s)
    spent.append(time.process_time_ns() - began)
print(json.dumps(dict(
    price=price.tolist(), covariance=covariance.tolist(), incidence=incidence.tolist(), lots=lots.tolist(),
    tax=(now + later).tolist(), target=list(s.target_weights), cash=s.starting_cash, equity=s.equity,
    limit=s.max_tracking_error, fee=s.trading_cost_bps / 1e4, aversion=s.risk_aversion,
    objective=answer.objective_dollars, feasible=answer.feasible, programs=answer.explored_patterns + 1,
    nanoseconds=statistics.median(spent[1:]))), flush=True)
ours = json.loads(sys.stdin.readline())
verdict = evaluate(s, ours["buy"], ours["sale"], "other")
print(json.dumps(dict(
    objective=verdict.objective_dollars, feasible=verdict.feasible, violations=verdict.violations,
    tracking_error=verdict.tracking_error)))
"""


def peer() -> Path:
    """Return the interpreter that has taxrebalance, making its environment on first use; RuntimeError without one."""
    python = FOLDER / "bin" / "python"
    if not python.exists():
        print(f"making {FOLDER} with {PEER} (once)", file=sys.stderr, flush=True)
        try:
            subprocess.run([sys.executable, "-m", "venv", str(FOLDER)], check=True)
            subprocess.run([str(python), "-m", "pip", "install", "-q", PEER], check=True)
        except (OSError, subprocess.CalledProcessError) as failure:
            import shutil

            shutil.rmtree(FOLDER, ignore_errors=True)
            raise RuntimeError(f"{PEER} could not be installed; it needs pip and a package index") from failure
    return python


def measure(repeats: int = REPEATS, their_repeats: int = THEIR_REPEATS) -> dict[str, float]:
    """Solve the demonstration by both; `ratio_taxrebalance` is CPU time over CPU time."""
    threads = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    with subprocess.Popen(
        [str(peer()), "-c", THEIRS, str(their_repeats)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | threads,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        scenario = json.loads(process.stdout.readline())
        given = {name: np.array(value) if isinstance(value, list) else value for name, value in scenario.items()}
        best = solve_scenario(given)
        spent = []
        for _ in range(repeats):
            began = time.process_time_ns()
            best = solve_scenario(given)
            spent.append(time.process_time_ns() - began)
        process.stdin.write(json.dumps({"buy": best[0].tolist(), "sale": best[1].tolist()}) + "\n")
        process.stdin.flush()
        verdict = json.loads(process.stdout.readline())
    ours = statistics.median(spent)
    return {
        "ratio_taxrebalance": scenario["nanoseconds"] / ours,
        "taxrebalance_ms": scenario["nanoseconds"] / 1e6,
        "taxrebalance_ours_ms": ours / 1e6,
        "taxrebalance_ours_programs": float(best[3]),
        "taxrebalance_objective": scenario["objective"],
        "taxrebalance_ours_objective": verdict["objective"],
        "taxrebalance_ours_feasible": float(verdict["feasible"]),
        "taxrebalance_ours_tracking_error": verdict["tracking_error"],
    }


def solve_scenario(s: dict[str, Any]) -> tuple[Floats, Floats, float, int]:
    """Shares to buy (assets), shares to sell (lots), the objective in dollars, and programs solved."""
    problem, risk = program(s)
    asset = np.concatenate([np.arange(len(s["price"])), s["incidence"].argmax(axis=0)]).astype(np.int32)
    sides = np.zeros(len(problem.linear), np.int32)
    sides[: len(asset)] = asset + 1
    values, objective, solves = search(
        problem.quadratic, problem.linear, problem.lower, problem.upper, problem.line, problem.line_coefficient,
        problem.column_ptr, problem.entry_row, problem.entry, problem.line_target, problem.row_low, problem.row_high,
        problem.kind, risk, s["limit"] ** 2, sides,
        *workspace(len(problem.linear), len(problem.line_target), len(problem.row_low), len(problem.entry)),
    )  # fmt: skip
    n, lots = len(s["price"]), len(s["lots"])
    shares = values * s["equity"]
    sale = np.minimum(shares[n : n + lots] / s["price"][asset[n:]], s["lots"])
    return shares[:n] / s["price"], sale, objective * s["equity"], solves


def program(s: dict[str, Any]) -> tuple[Problem, Floats]:
    """The scenario with one side or two of each asset, in fractions of equity, and what its columns add to variance.

    Columns: buys (n), lot sales (L), deviations (n), factors (n). Rows: the factors' definitions, cash.
    """
    n, lots = len(s["price"]), len(s["lots"])
    of = s["incidence"].argmax(axis=0)
    root = np.linalg.cholesky(s["covariance"])
    size = s["lots"] * s["price"][of] / s["equity"]
    held = s["incidence"] @ size
    columns = 3 * n + lots
    line = np.concatenate([np.arange(n), of, np.arange(n), np.full(n, -1)])
    coefficient = np.concatenate([np.ones(n), -np.ones(lots), -np.ones(n), np.zeros(n)])
    fee = s["fee"]
    entry = np.concatenate([np.full(n, -1 - fee), np.full(lots, 1 - fee), root.ravel(), -np.ones(n)])
    row = np.concatenate([np.full(n + lots, n), np.tile(np.arange(n), n), np.arange(n)])
    count = np.concatenate([[0], np.ones(n + lots), np.full(n, n), np.ones(n)])
    risk = np.zeros(columns)
    risk[-n:] = 1.0
    free = np.full(2 * n, np.inf)
    problem = Problem(
        2 * s["aversion"] * risk,
        np.concatenate([np.full(n, fee), fee + s["tax"] / s["price"][of], np.zeros(2 * n)]),
        np.concatenate([np.zeros(n + lots), -free]),
        np.concatenate([np.ones(n), size, free]),
        line.astype(np.int32),
        coefficient,
        count.cumsum().astype(np.int32),
        row.astype(np.int32),
        entry,
        s["target"] - held,
        np.concatenate([np.zeros(n), [-s["cash"] / s["equity"]]]),
        np.concatenate([np.zeros(n), [np.inf]]),
        np.repeat(np.array([BUY, SELL, DEVIATION, FACTOR], np.int32), [n, lots, n, n]),
    )
    return problem, risk


@njit(cache=True, nogil=True, error_model="numpy")
def search(
    quadratic: Floats, linear: Floats, lower: Floats, upper: Floats, line: Ints, line_coefficient: Floats,
    column_ptr: Ints, entry_row: Ints, entry: Floats, line_target: Floats, row_low: Floats, row_high: Floats,
    kind: Ints, risk: Floats, most: float, asset: Ints, floats: Floats, work: Ints,
) -> tuple[Floats, float, int]:  # fmt: skip
    """Depth first over sides of assets (`asset` is 1 + the asset a column trades, 0 for none): values, objective."""
    C, R, K = len(linear), len(line_target), len(row_low)
    values, line_price, row_price, bound_price = np.zeros(C), np.zeros(R), np.zeros(K), np.zeros(C)
    inside, outside, curvature = np.zeros(C), np.zeros(C), np.zeros(C)
    best_values = np.zeros(C)
    best, solves, multiplier, warm = np.inf, 0, 0.0, False
    bounds = np.empty((2 * R + 4, C))
    bounds[0] = upper
    top = 1
    while top > 0:
        top -= 1
        mine = bounds[top].copy()
        if best < np.inf or multiplier > 0.0:
            for c in range(C):
                curvature[c] = quadratic[c] + 2.0 * multiplier * risk[c]
            status, _steps, bound = minimise(
                curvature, linear, lower, mine, line, line_coefficient, column_ptr, entry_row, entry, line_target,
                row_low, row_high, warm, values, line_price, row_price, bound_price, floats, work,
            )  # fmt: skip
            solves += 1
            if status == INFEASIBLE or (status == OPTIMAL and bound - multiplier * most >= best - 1e-9):
                continue
            at = _both(values, kind, asset, R)
        else:
            at = -1
        if at < 0:
            status, more, objective, found = minimise_within(
                quadratic, linear, lower, mine, line, line_coefficient, column_ptr, entry_row, entry, line_target,
                row_low, row_high, risk, most, multiplier, warm, values, line_price, row_price, bound_price,
                inside, outside, curvature, floats, work,
            )  # fmt: skip
            solves += more
            warm = status == OPTIMAL
            if status != OPTIMAL or objective >= best - 1e-9:
                continue
            multiplier = found
            at = _both(values, kind, asset, R)
            if at < 0:
                best = objective
                best_values[:] = values
                continue
        for side in (BUY, SELL):  # the last is looked at first: purchases closed, as losses are sold
            bounds[top] = mine
            for c in range(C):
                if asset[c] == at + 1 and kind[c] == (SELL if side == BUY else BUY):
                    bounds[top, c] = 0.0
            top += 1
    return best_values, best, solves


@njit(cache=True, nogil=True, error_model="numpy")
def _both(values: Floats, kind: Ints, asset: Ints, assets: int) -> int:
    """Return the asset that is bought and sold most at once; -1 for none."""
    worst, at = 1e-9, -1
    for i in range(assets):
        bought, sold = 0.0, 0.0
        for c in range(len(values)):
            if asset[c] == i + 1:
                if kind[c] == BUY:
                    bought += values[c]
                else:
                    sold += values[c]
        if min(bought, sold) > worst:
            worst, at = min(bought, sold), i
    return at


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    figures = measure()
    if parser.parse_args().json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:36s} {value:14.6g}")


if __name__ == "__main__":
    main()

"""Backtests: thousands of runs beside vectorbt and bt, and the other figures of the policy laboratory.

    python -m benchmarks.backtest            # a table
    python -m benchmarks.backtest --json     # one object, for a machine

Engine: 10 assets x 2,520 days, net of proportional costs, with statistics; half of the runs are monthly calendars at
every start offset, half 5 % bands looked at daily. vectorbt simulates the same monthly schedules as one batch of
columns and makes wealth, returns and the mean, deviation and worst drawdown of each; bt runs them one by one and makes
its own statistics. One thread, processor time, best of several; each measurement in a child process of its own. The
other figures come from `benchmarks.environments`, `.evidence` and `.learned`; where one is missing, its keys are null
and `not_measured` says why.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workbench.backtest import Band, Calendar, Runs, Signals, Universe, signals, simulate

ASSETS, DAYS, WARM_UP = 10, 2_520, 252
RUNS, COLUMNS, REPEATS = 8_064, 63, 5
KEYS = (
    "ratio_vectorbt", "ratio_bt", "runs_per_s", "env_steps_per_s", "ratio_gym_numpy", "evidence_pack_s",
    "dp_gap_learned_n3", "learned_vs_mpc_n5", "learned_vs_mpc_real",
)  # fmt: skip
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")}


def made_up(seed: int = 5) -> tuple[Universe, Signals]:
    """Ten assets of moderate correlation over a warm-up and 2,520 days of returns."""
    rng = np.random.default_rng(seed)
    sessions = WARM_UP + DAYS + 1
    returns = rng.normal(3e-4, 0.009, (1, sessions, ASSETS)) + rng.normal(0, 0.006, (1, sessions, 1))
    price = np.asarray(100.0 * np.cumprod(1.0 + returns, axis=1), dtype=np.float64)
    universe = Universe(
        name="made up",
        sessions=pd.bdate_range("2010-01-04", periods=sessions),
        assets=tuple(f"A{i}" for i in range(ASSETS)),
        price=price,
        dividend=np.zeros_like(price),
        cash_return=np.zeros((1, sessions)),
        target=np.full(ASSETS, 1.0 / ASSETS),
        half_spread=np.full(ASSETS, 1e-3),
        daily_value=np.full(ASSETS, np.inf),
    )
    return universe, signals(universe)


def best_of(call: Callable[[], object], repeats: int = REPEATS) -> float:
    """Least processor seconds of several calls."""
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        seconds.append(time.process_time() - start)
    return min(seconds)


def engine() -> dict[str, Any]:
    """Runs a second of each kind, and of half of each."""
    universe, made = made_up()
    monthly = Runs.product([Calendar(21)], offsets="all", cost_multiples=np.linspace(0, 3, RUNS // 42))
    band = Runs.product([Band(0.05)], cost_multiples=np.linspace(0, 3, RUNS // 2))
    simulate(universe, made, Runs.product([Calendar(21), Band(0.05)]))
    seconds = [best_of(lambda runs=runs: simulate(universe, made, runs)) for runs in (monthly, band)]  # type: ignore[misc]
    return {
        "runs_per_s": (len(monthly) + len(band)) / sum(seconds),
        "runs_per_s_monthly": len(monthly) / seconds[0],
        "runs_per_s_band": len(band) / seconds[1],
    }


def schedules(universe: Universe, columns: int) -> tuple[pd.DataFrame, list[list[int]]]:
    """Closes from the start, and for each of `columns` runs the days on which a monthly calendar trades."""
    frame = pd.DataFrame(universe.price[0, WARM_UP:], index=universe.sessions[WARM_UP:], columns=universe.assets)
    looks = [[s + 1 for s in range(1, DAYS - 1) if (s + WARM_UP) % 21 == offset % 21] for offset in range(columns)]
    return frame, [[0, *days] for days in looks]


def with_vectorbt() -> dict[str, Any]:
    """Processor seconds a run of a batch of columns, once its wealth without fees is ours."""
    vectorbt = importlib.import_module("vectorbt")
    warnings.simplefilter("ignore")
    universe, made = made_up()
    frame, days = schedules(universe, COLUMNS)
    price = pd.concat([frame] * COLUMNS, axis=1, keys=range(COLUMNS))
    size = np.full(price.shape, np.nan)
    for column, trades in enumerate(days):
        size[np.ix_(trades, range(column * ASSETS, (column + 1) * ASSETS))] = universe.target

    def run(fees: float = 1e-3) -> Any:
        portfolio = vectorbt.Portfolio.from_orders(
            price, size, size_type="targetpercent", group_by=0, cash_sharing=True, call_seq="auto", fees=fees,
            init_cash=1e6, freq="1D",
        )  # fmt: skip
        value = portfolio.value()
        daily = value.pct_change()
        _ = daily.mean(), daily.std(), (value / value.cummax()).min()
        return value

    ours = simulate(
        universe, made, Runs.product([Calendar(21)], offsets=[3], cost_multiples=[0.0]), keep_returns=True
    ).returns
    if ours is None or not np.allclose(np.cumprod(1 + ours[0]), run(0.0)[3].to_numpy()[1:] / 1e6, rtol=1e-11, atol=0):
        raise RuntimeError("vectorbt's wealth without fees is not ours")
    return {"seconds": best_of(run, 3) / COLUMNS, "found": f"vectorbt {vectorbt.__version__}"}


def with_bt() -> dict[str, Any]:
    """Processor seconds of one monthly run with fees and bt's statistics."""
    bt = importlib.import_module("bt")
    warnings.simplefilter("ignore")
    universe, _ = made_up()
    frame, days = schedules(universe, 1)

    def run() -> None:
        strategy = bt.Strategy(
            "monthly",
            [
                bt.algos.RunOnDate(*frame.index[days[0]]),
                bt.algos.SelectAll(),
                bt.algos.WeighSpecified(**dict(zip(universe.assets, universe.target))),
                bt.algos.Rebalance(),
            ],
        )
        test = bt.Backtest(
            strategy, frame, integer_positions=False, commissions=lambda q, p: 1e-3 * abs(q) * p, progress_bar=False
        )
        _ = bt.run(test).stats

    return {"seconds": best_of(run, 2), "found": f"bt {bt.__version__}"}


def other(module: str) -> dict[str, Any]:
    """What `benchmarks.MODULE.measure()` returns."""
    result: dict[str, Any] = importlib.import_module(f"benchmarks.{module}").measure()
    return result


MEASUREMENTS: dict[str, Callable[[], dict[str, Any]]] = {
    "engine": engine,
    "vectorbt": with_vectorbt,
    "bt": with_bt,
    "environments": lambda: other("environments"),
    "evidence": lambda: other("evidence"),
    "learned": lambda: other("learned"),
}


def _child(name: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.backtest", "--measure", name]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=Path(__file__).parents[1], env=os.environ | ONE_THREAD
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return {"not_measured": f"{name}: {last}"}
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def measure(names: tuple[str, ...] = tuple(MEASUREMENTS)) -> dict[str, Any]:
    """Run the measurements named, each in a child of its own; the figures of `KEYS` first, null where there is none."""
    found = {name: _child(name) for name in names}
    figures: dict[str, Any] = {}
    for name in names:
        if name not in ("vectorbt", "bt"):
            figures |= {key: value for key, value in found[name].items() if key != "not_measured"}
    rate = found.get("engine", {}).get("runs_per_s_monthly")
    for peer in ("vectorbt", "bt"):
        seconds = found.get(peer, {}).get("seconds")
        figures[f"ratio_{peer}"] = round(seconds * rate, 1) if seconds and rate else None
        figures[peer] = found.get(peer, {}).get("found")
        figures[f"{peer}_runs_per_s"] = round(1.0 / seconds, 2) if seconds else None
    figures["not_measured"] = [each["not_measured"] for each in found.values() if "not_measured" in each]
    return {name: figures.get(name) for name in KEYS} | figures


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--only", nargs="+", choices=MEASUREMENTS, help="measure these alone")
    parser.add_argument("--measure", choices=MEASUREMENTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(MEASUREMENTS[options.measure]()))
        return
    figures = measure(tuple(options.only or MEASUREMENTS))
    if options.json:
        print(json.dumps(figures))
    else:
        for name, figure in figures.items():
            print(f"{name:28} {figure}")
        print(f"load of the machine (1, 5, 15 minutes): {' '.join(f'{load:.1f}' for load in os.getloadavg())}")


if __name__ == "__main__":
    main()

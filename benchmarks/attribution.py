"""Attribution: Brinson effects of 1,000 accounts beside their peers, and whom the mixed model blames.

    python -m benchmarks.attribution            # a table
    python -m benchmarks.attribution --json     # one object, for a machine

Brinson: 1,000 accounts x 252 days x 10 sectors, three effects linked per sector; then a large firm by runs. Blame: the
300 simulated firms of `benchmarks.implementation`. Each measurement runs in a fresh child process, kernels compiled and
cached by a first call, so that its peak memory is its own. The peers get the same inputs, a few accounts of them, and
are scaled by their number; their linked effects must agree with ours first (perfattr per sector, pybrinson, which links
totals only, in total). Ratios are of processor time, ours on one thread.
pybrinson asks for a newer Python than this project: where it cannot be imported, its wheel is read as it stands from
the folder that WORKBENCH_PYBRINSON names (`pip download --no-deps --ignore-requires-python pybrinson`, unpacked), and
`pybrinson` in the result says which it was; where neither is there, its ratio is null and `pybrinson` says so.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks import implementation
from workbench.attribution import Attribution, brinson, brinson_chunks

ACCOUNTS, DAYS, SECTORS = 1_000, 252, 10
LARGE_FIRM, QUARTER, RUN = 100_000, 63, 4_096
PEER_ACCOUNTS = {"pybrinson": 20, "perfattr": 5}
REPEATS = 5


def sides(accounts: int, days: int, seed: int = 7) -> tuple[np.ndarray, ...]:
    """Seeded weights and returns of accounts (N x T x G) and of their common benchmark (T x G)."""
    rng = np.random.default_rng(seed)
    neutral = rng.dirichlet(np.full(SECTORS, 4.0), days)
    weights = neutral * rng.lognormal(0, 0.2, (accounts, days, SECTORS))
    weights /= weights.sum(axis=2, keepdims=True)
    against = rng.normal(0.0004, 0.012, (days, SECTORS))
    returns = against + rng.normal(0, 0.002, weights.shape)
    return weights, returns, neutral, against


def measured(threads: int) -> dict[str, float]:
    """Best of several runs in this process: seconds on the clock, processor seconds, and peak memory in GiB."""
    import numba

    numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
    inputs = sides(ACCOUNTS, DAYS)
    brinson(*sides(2, 3))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    clock, processor = [], []
    for _ in range(REPEATS):
        start, used = time.perf_counter(), time.process_time()
        result = brinson(*inputs)
        clock.append(time.perf_counter() - start)
        processor.append(time.process_time() - used)
    _must_close(result)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "seconds": min(clock),
        "processor": min(processor),
        "gib": peak / 2**20,
        "added_gib": (peak - before) / 2**20,
        "threads": min(threads, numba.config.NUMBA_NUM_THREADS),
    }


def large_firm() -> dict[str, float]:
    """100,000 accounts a quarter, made and explained run by run: seconds of explaining alone and peak memory."""
    brinson(*sides(2, 3))
    _, _, neutral, against = sides(1, QUARTER)
    making = 0.0
    start = time.perf_counter()

    def read(run: range) -> tuple[np.ndarray, np.ndarray]:
        nonlocal making
        begun = time.perf_counter()
        rng = np.random.default_rng(run.start)
        weights = neutral * rng.lognormal(0, 0.2, (len(run), QUARTER, SECTORS))
        weights /= weights.sum(axis=2, keepdims=True)
        returns = against + rng.normal(0, 0.002, weights.shape)
        making += time.perf_counter() - begun
        return weights, returns

    effects = np.empty((LARGE_FIRM, SECTORS, 3))
    done = 0
    for result in brinson_chunks(read, range(LARGE_FIRM), neutral, against, size=RUN):
        _must_close(result)
        effects[done : done + len(result.accounts)] = result.effects
        done += len(result.accounts)
    seconds = time.perf_counter() - start - making
    return {"seconds": seconds, "gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20}


def _must_close(result: Attribution) -> None:
    if not np.abs(result.residual).max() < 1e-10:
        raise RuntimeError(f"effects miss the excess by {np.abs(result.residual).max()}")


def with_perfattr(count: int) -> dict[str, Any]:
    """Processor seconds of `count` accounts through perfattr, once their effects are ours."""
    import perfattr

    weights, returns, neutral, against = sides(ACCOUNTS, DAYS)
    days = pd.bdate_range("2024-01-02", periods=DAYS)

    def frame(side: np.ndarray, earned: np.ndarray) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "from_date": days.repeat(SECTORS),
                "thru_date": days.repeat(SECTORS),
                "identifier": [f"S{i}" for i in range(SECTORS)] * DAYS,
                "weight": side.ravel(),
                "return": earned.ravel(),
                "quantity_of_days": 1,
            }
        )

    benchmark = frame(neutral, against)
    accounts = [frame(weights[a], returns[a]) for a in range(count)]
    ours = brinson(weights[:count], returns[:count], neutral, against)
    start = time.process_time()
    results = [
        perfattr.calculate_attribution(
            account, benchmark, method=perfattr.AttributionMethod.BRINSON_FACHLER_THREE_EFFECT
        )
        for account in accounts
    ]
    seconds = time.process_time() - start
    columns = [f"linked_{name}_effect" for name in ours.names]
    for a, result in enumerate(results):
        theirs = result.overall_detail.sort_values("identifier")[columns].to_numpy()
        np.testing.assert_allclose(ours.effects[a], theirs, rtol=0, atol=1e-12)
    return {"seconds": seconds / count, "found": f"perfattr {perfattr.__version__}"}


def with_pybrinson(count: int) -> dict[str, Any]:
    """Processor seconds of `count` accounts through pybrinson, once their totals are ours."""
    found = "installed"
    folder = os.environ.get("WORKBENCH_PYBRINSON")
    try:
        pybrinson = importlib.import_module("pybrinson")
    except ImportError:
        if not folder or not (Path(folder) / "pybrinson").is_dir():
            return {"seconds": None, "found": "not measured: not importable, and WORKBENCH_PYBRINSON names no wheel"}
        sys.path.insert(0, folder)
        pybrinson = importlib.import_module("pybrinson")
        found = "wheel read without installing, its metadata asks for a newer Python"
    weights, returns, neutral, against = sides(ACCOUNTS, DAYS)
    ours = brinson(weights[:count], returns[:count], neutral, against)
    names = [f"S{i}" for i in range(SECTORS)]
    lists = [side.tolist() for side in (weights[:count], returns[:count], neutral, against)]
    start = time.process_time()
    totals = [
        pybrinson.link_carino(
            [
                pybrinson.fachler([pybrinson.Segment(*row) for row in zip(names, w, v, r, b)])
                for w, r, v, b in zip(lists[0][a], lists[1][a], lists[2], lists[3])
            ]
        )
        for a in range(count)
    ]
    seconds = time.process_time() - start
    theirs = [[total.allocation, total.selection, total.interaction] for total in totals]
    np.testing.assert_allclose(ours.effects.sum(axis=1), theirs, rtol=0, atol=1e-12)
    return {"seconds": seconds / count, "found": f"pybrinson {pybrinson.__version__}, {found}"}


MEASUREMENTS = {
    "one": lambda: measured(1),
    "all": lambda: measured(1_000),
    "large": large_firm,
    "perfattr": lambda: with_perfattr(PEER_ACCOUNTS["perfattr"]),
    "pybrinson": lambda: with_pybrinson(PEER_ACCOUNTS["pybrinson"]),
    "implementation": implementation.measure,
}
KEYS = (
    "brinson_1000x252x10_s", "ratio_pybrinson", "ratio_perfattr", "reml_1000_s", "false_blame", "power_4bp",
)  # fmt: skip
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}


def _child(name: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.attribution", "--measure", name]
    root = Path(__file__).parents[1]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=root, env=os.environ | ONE_THREAD)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def measure() -> dict[str, Any]:
    """Run every measurement in a child of its own and return the figures, those of `KEYS` first."""
    found = {name: _child(name) for name in MEASUREMENTS}
    one, every, large = found["one"], found["all"], found["large"]

    def ratio(peer: str) -> float | None:
        seconds = found[peer]["seconds"]
        return None if seconds is None else round(seconds * ACCOUNTS / one["processor"], 1)

    figures = {
        "brinson_1000x252x10_s": round(every["seconds"], 4),
        "brinson_threads": every["threads"],
        "brinson_one_thread_s": round(one["seconds"], 4),
        "brinson_processor_s": round(one["processor"], 4),
        "brinson_added_gib": round(every["added_gib"], 3),
        "brinson_peak_gib": round(every["gib"], 3),
        "ratio_pybrinson": ratio("pybrinson"),
        "pybrinson": found["pybrinson"]["found"],
        "ratio_perfattr": ratio("perfattr"),
        "perfattr": found["perfattr"]["found"],
        "brinson_100000x63x10_s": round(large["seconds"], 3),
        "brinson_100000x63x10_gib": round(large["gib"], 3),
        **found["implementation"],
    }
    return {name: figures[name] for name in KEYS} | figures


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--measure", choices=MEASUREMENTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(MEASUREMENTS[options.measure]()))
        return
    figures = measure()
    if options.json:
        print(json.dumps(figures))
    else:
        for name, figure in figures.items():
            print(f"{name:28} {figure}")
        print(f"load of the machine (1, 5, 15 minutes): {' '.join(f'{load:.1f}' for load in os.getloadavg())}")


if __name__ == "__main__":
    main()

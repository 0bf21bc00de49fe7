"""Everything the rebalancer claims about speed and optimality, in one run.

    python -m benchmarks.rebalance            # a table; about half an hour with the firm of 100,000 accounts
    python -m benchmarks.rebalance --json     # one object, for a machine
    python -m benchmarks.rebalance --quick    # a firm of 6,000 accounts, 24 households before the referee

Each part runs in a process of its own with one thread for linear algebra, so that none warms or crowds another. Times
of solvers are CPU time, ratios are taken within one run; seconds of a firm and of briefs are of the clock.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys

#: Part, the call that measures it, and the call of a quick run.
PARTS = (
    ("household_qp", "measure()", "measure()"),
    ("taxrebalance", "measure()", "measure()"),
    ("household_full", "measure(refereed=200)", "measure(refereed=24)"),
    ("wash", "measure()", "measure()"),
    ("briefs", "measure()", "measure()"),
    ("firm_100k", "measure()", "measure(accounts=6_000)"),
)
KEYS = (
    "household_qp_ms", "household_qp_ratio_cvxpy", "household_full_ms", "household_full_gap_bp_mean",
    "household_full_gap_bp_max", "single_account_us", "ratio_taxrebalance", "firm_100k_s", "firm_100k_gib",
    "wash_1m_trades_s", "briefs_300_s",
)  # fmt: skip
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}


def measure(quick: bool = False) -> dict[str, float]:
    """Run every part and return its figures by name; raises `CalledProcessError` where a part fails."""
    figures: dict[str, float] = {}
    for part, whole, small in PARTS:
        code = f"import json; from benchmarks.{part} import measure; print(json.dumps({small if quick else whole}))"
        print(f"{part} ...", file=sys.stderr, flush=True)
        command = [sys.executable, "-c", code]
        answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=os.environ | ONE_THREAD)
        figures |= json.loads(answer.stdout.splitlines()[-1])
    return figures


def show(figures: dict[str, float]) -> None:
    """Print the named figures first, then whatever else the parts measured."""
    for name in (*KEYS, *(name for name in figures if name not in KEYS)):
        print(f"{name:<36}{figures[name]:>16,.4g}")
    print(f"load of the machine (1, 5, 15 minutes): {' '.join(f'{load:.1f}' for load in os.getloadavg())}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="a smaller firm and fewer refereed households")
    arguments = parser.parse_args()
    figures = measure(arguments.quick)
    if arguments.json:
        print(json.dumps({name: figures[name] for name in KEYS} | figures))
    else:
        show(figures)


if __name__ == "__main__":
    main()

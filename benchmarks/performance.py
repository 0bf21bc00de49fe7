"""The ledger of daily holdings and account returns: the demo firm over three years, and 10,200 accounts over one.

    python -m benchmarks.performance            # a table
    python -m benchmarks.performance --json     # one object, for a machine

Each measurement runs in a fresh child process, so that its peak memory is its own. The larger firm is the demo firm 34
times over, accounts renamed, written as Parquet and read back in chunks.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COPIES = 34


def build(folder: Path, copies: int = COPIES) -> None:
    """Write the demo firm `copies` times over as one firm."""
    import pandas as pd

    from workbench.firm import open_at, write_firm

    firm = open_at("demo")
    tables = firm.tables()
    for name in ("accounts", "positions", "transactions"):
        frame = tables[name]
        parts = [frame.assign(account_id=frame["account_id"] + f"-{copy:03d}") for copy in range(copies)]
        if name == "transactions":
            parts = [
                part.assign(transaction_id=part["transaction_id"] + f"-{copy:03d}") for copy, part in enumerate(parts)
            ]
        tables[name] = pd.concat(parts, ignore_index=True)
    write_firm(folder, tables, firm.as_of, check=False)


def measure(folder: str, start: str) -> dict[str, float]:
    """Seconds and peak memory of reading the ledger in chunks and making net and gross returns of it."""
    import numpy as np

    from workbench import performance
    from workbench.firm import open_at

    firm = open_at(folder)
    began = time.perf_counter()
    worst = 0.0
    accounts = 0
    for daily in performance.chunks(firm, start):
        net = performance.account_returns(daily)
        net.before_fees()
        scale = np.maximum(net.value.max(axis=1, keepdims=True), 1.0)
        worst = max(worst, float(np.abs(daily.unexplained / scale).max()))
        accounts += len(daily.accounts)
    return {
        "accounts": accounts,
        "seconds": time.perf_counter() - began,
        "unexplained": worst,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def child(folder: str, start: str) -> dict[str, float]:
    """Measure in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.performance", "--child", folder, start]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    result: dict[str, float] = json.loads(answer.stdout)
    return result


def main() -> None:
    """Print the measurements."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one object, for a machine")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--build", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(measure(*options.child)))
        return
    if options.build:
        build(Path(options.build))
        return
    with tempfile.TemporaryDirectory() as place:
        large = Path(place) / "large"
        # In a process of its own, for a child's peak begins at its parent's.
        subprocess.run([sys.executable, "-m", "benchmarks.performance", "--build", str(large)], check=True)
        found = {"demo_3_years": child("demo", "2019-12-31"), "large_1_year": child(str(large), "2021-12-31")}
    if options.json:
        print(json.dumps({f"ledger_{name}_{key}": v for name, part in found.items() for key, v in part.items()}))
        return
    for name, part in found.items():
        print(
            f"{name:14} {part['accounts']:8,.0f} accounts {part['seconds']:7.2f} s {part['peak_mb']:8,.0f} MB "
            f"unexplained at most {part['unexplained']:.1e} of an account"
        )


if __name__ == "__main__":
    main()

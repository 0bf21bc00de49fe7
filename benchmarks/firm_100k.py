"""100,000 accounts in 33,333 households with 9 million lots: from Parquet files to blocks.

    python -m benchmarks.firm_100k                     # a table; some minutes
    python -m benchmarks.firm_100k --accounts 6000     # a smaller firm

Each measurement runs in a fresh process over one firm written before: with two worker processes (timed, and memory of
the whole tree sampled) and with one; the blocks must be the same to the bit. What is timed: opening the firm, reading
its tables (wash sales of the last 30 days, restrictions and budgets included), the risk model, solving every household,
and adding the orders up into blocks.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

from benchmarks.firm_of_households import build

ACCOUNTS = 100_000


def measure(accounts: int = ACCOUNTS, check: bool = True) -> dict[str, float]:
    """Build the firm, then time it with two workers; `check` solves it again with one and compares the blocks."""
    with tempfile.TemporaryDirectory() as folder:
        firm = Path(folder) / "firm"
        build(firm, accounts)
        figures, blocks = _child(firm, workers=2)
        if check:
            alone, other = _child(firm, workers=1)
            if blocks != other:
                raise RuntimeError("one worker and two gave different blocks")
            figures["firm_100k_one_worker_s"] = alone["firm_100k_s"]
    return figures


def _child(firm: Path, workers: int) -> tuple[dict[str, float], str]:
    command = [sys.executable, "-m", "benchmarks.firm_100k", "--of", str(firm), "--workers", str(workers)]
    answer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return answer["figures"], answer["blocks"]


def solve(folder: Path, workers: int) -> tuple[dict[str, float], str]:
    """Go from Parquet to blocks in this process; return seconds by stage, memory in GiB, and a hash of the blocks."""
    memory = _Memory()
    start = time.perf_counter()
    from workbench.firm import open_firm
    from workbench.rebalance import Settings, blocks, load
    from workbench.rebalance.firm_orders import solve_firm

    book = load(open_firm(folder), settings=Settings())
    loaded = time.perf_counter()
    orders = solve_firm(book, Settings(), workers=workers)
    solved = time.perf_counter()
    made = blocks(orders.to_frame(book), adv=dict(zip(book.market.ids, book.market.adv)))
    end = time.perf_counter()
    figures = {
        "firm_100k_s": end - start,
        "firm_100k_gib": memory.stop(),
        "firm_100k_load_s": loaded - start,
        "firm_100k_solve_s": solved - loaded,
        "firm_100k_blocks_s": end - solved,
        "firm_100k_households": float(len(book)),
        "firm_100k_lots": float(len(book.lot_quantity)),
        "firm_100k_orders": float(len(orders)),
        "firm_100k_blocks": float(len(made)),
    }
    return figures, hashlib.sha256(made.to_csv().encode()).hexdigest()


class _Memory:
    """Samples the resident memory of this process and its children; pages they share count once a process."""

    def __init__(self) -> None:
        self._peak, self._done = 0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        here = psutil.Process()
        while not self._done.wait(0.25):
            total = 0
            for process in [here, *here.children(recursive=True)]:
                try:
                    total += process.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            self._peak = max(self._peak, total)

    def stop(self) -> float:
        self._done.set()
        self._thread.join()
        return self._peak / 2**30


def show(figures: dict[str, float]) -> None:
    """Print the profile as a table."""
    for name, value in figures.items():
        print(f"{name:<28}{value:>14,.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=ACCOUNTS)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--of", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--workers", type=int, default=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.of is not None:
        measured, digest = solve(arguments.of, arguments.workers)
        print(json.dumps({"figures": measured, "blocks": digest}))
    else:
        result = measure(arguments.accounts)
        print(json.dumps(result)) if arguments.json else show(result)

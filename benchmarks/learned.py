"""What the shipped learned policies save, against the optimum and against the tuned one-step rule they start from.

    python -m benchmarks.learned             # the figures in words
    python -m benchmarks.learned --json      # one object, for a machine

Nothing is trained here: the shipped folders are read, checked and judged. `dp_gap_learned_n3` is the cost of the
policy made for three assets at 20 bp over dynamic programming, `learned_vs_mpc_n5` that of the one for five assets
over the tuned rule (-0.03 is 3 % cheaper), `learned_vs_mpc_real` the walk-forward cost of the one for any problem
over the tuned rule, one figure a universe. The exchange-traded funds are judged where their file is there
(WORKBENCH_SHARED, or ../shared).
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from workbench.backtest.dynamic_programming import solve
from workbench.backtest.fixed_target import PROBLEMS, evaluate
from workbench.learning.ship import learned_of, real_windows, reference_excess, shipped
from workbench.learning.universes import EMBEDDED, embedded, etf_core

ETF_FILE = Path("data") / "etf" / "etf_core18_adj_close_2007_2026.csv"


def universes() -> list:
    """The embedded ones, and the funds where their file is."""
    found = [embedded(name) for name in EMBEDDED]
    shared = Path(os.environ.get("WORKBENCH_SHARED", Path(__file__).resolve().parents[2] / "shared"))
    if (shared / ETF_FILE).exists():
        found.append(etf_core(shared / ETF_FILE))
    return found


def measure(paths: int = 2000) -> dict[str, object]:
    """Every figure, as parts of the other's cost; intervals are 95 %, paired by path."""
    n3, n5, general = (
        learned_of(shipped(name)) for name in ("reference_n3_20", "reference_n5_20", "learned_quadratic")
    )
    gap = evaluate("n3_20", n3, paths).over(evaluate("n3_20", solve("n3_20"), paths))
    five = reference_excess(n5, "n5_20", paths)
    judged = [real_windows(universe, general) for universe in universes()]
    return {
        "dp_gap_learned_n3": gap.ratio,
        "dp_gap_learned_n3_interval": gap.interval,
        "learned_vs_mpc_n5": five.ratio,
        "learned_vs_mpc_n5_interval": five.interval,
        "learned_vs_mpc_any_problem": {name: reference_excess(general, name, paths).ratio for name in PROBLEMS},
        "learned_vs_mpc_real": {result.universe: result.excess for result in judged},
        "learned_vs_mpc_real_unchecked": {
            result.universe: float(result.table.unchecked_bp.mean()) / result.rule_bp - 1 for result in judged
        },
        "real_bp": {result.universe: (result.rule_bp, result.learned_bp) for result in judged},
        "real_wins": {
            result.universe: (int((result.table.unchecked_bp < result.table.rule_bp).sum()), len(result.table))
            for result in judged
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one object, for a machine")
    parser.add_argument("--paths", type=int, default=2000, help="paths of the reference problems")
    asked = parser.parse_args()
    found = measure(asked.paths)
    print(json.dumps(found) if asked.json else "\n".join(f"{name}: {value}" for name, value in found.items()))


if __name__ == "__main__":
    main()

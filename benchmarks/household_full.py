"""The reference household with wash sides, least trades and whole shares, against HiGHS as a mixed-integer solver.

    python -m benchmarks.household_full                      # a table
    python -m benchmarks.household_full --json               # one object, for a machine
    python -m benchmarks.household_full --refereed 200       # every household before the referee (about 20 minutes)

Times are CPU milliseconds a household on one thread, compiled code warm. The gap is objective less the referee's best
point, in basis points of the household's value, and zero where the referee ran out of time behind. The gap to the
referee's proven bound is the most that any solution could still improve.
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np

from benchmarks.milp_referee import referee
from benchmarks.reference_household import full
from workbench.rebalance.solver import integral

HOUSEHOLDS, REFEREED, SECONDS = 200, 24, 6.0


def measure(households: int = HOUSEHOLDS, refereed: int = REFEREED, seconds: float = SECONDS) -> dict[str, float]:
    """Solve `households` seeded households, and have the first `refereed` of them solved by HiGHS too."""
    drawn = [full(seed) for seed in range(households)]
    integral.solve(*drawn[0])
    spent, gaps, to_bound, referee_spent, missed, behind = [], [], [], [], 0, 0
    answers = []
    for problem, whole in drawn:
        start = time.process_time()
        answers.append(integral.solve(problem, whole))
        spent.append(1e3 * (time.process_time() - start))
    for (problem, whole), answer in zip(drawn[:refereed], answers, strict=False):
        start = time.process_time()
        verdict = referee(problem, whole, gap=1e-4, seconds=seconds)
        referee_spent.append(1e3 * (time.process_time() - start))
        if not verdict.feasible:
            continue
        if answer.status != "optimal":
            missed += 1
            continue
        behind += answer.objective < verdict.objective
        gaps.append(1e4 * max(answer.objective - verdict.objective, 0.0))
        to_bound.append(1e4 * (answer.objective - verdict.bound))
    return {
        "household_full_ms": float(np.median(spent)),
        "household_full_ms_p95": float(np.percentile(spent, 95)),
        "household_full_gap_bp_mean": float(np.mean(gaps)),
        "household_full_gap_bp_max": float(np.max(gaps)),
        "household_full_bound_bp_median": float(np.median(to_bound)),
        "household_full_referee_ms": float(np.median(referee_spent)),
        "household_full_resolves": float(np.median([a.iterations for a in answers])),
        "household_full_households": float(households),
        "household_full_refereed": float(len(gaps)),
        "household_full_referee_behind": float(behind),
        "household_full_infeasible": float(sum(a.status != "optimal" for a in answers)),
        "household_full_missed": float(missed),
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--households", type=int, default=HOUSEHOLDS)
    parser.add_argument("--refereed", type=int, default=REFEREED)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="the referee's limit a household")
    options = parser.parse_args()
    figures = measure(options.households, options.refereed, options.seconds)
    if options.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:<36} {value:>12.4f}")


if __name__ == "__main__":
    main()

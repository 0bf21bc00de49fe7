"""Evidence: how long a whole pack takes, how often noise is believed, and how far static rules lie apart by luck.

    python -m benchmarks.evidence                    # a pack: 31 rules x all starts x 3 costs x 2 delays, every test
    python -m benchmarks.evidence --json             # one object, for a machine
    python -m benchmarks.evidence --worlds 100       # the rate of claims in worlds of noise
    python -m benchmarks.evidence --luck             # spread of static rules and of the yearly date on real universes

The pack runs on the sector sleeves that come with skfolio (1990 to 2022, six sleeves and cash). `--luck` adds the
exchange-traded funds where the folder that WORKBENCH_SHARED names (or `../shared`) holds them. One thread.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from workbench.backtest import (
    Band,
    BuyAndHold,
    Calendar,
    Floats,
    Observation,
    Policy,
    Quadratic,
    Runs,
    Tilted,
    Universe,
    evidence,
    gbm,
    noise,
    rules,
    signals,
    simulate,
    walk,
)
from workbench.learning import universes

SEED, YEAR = 7, 252


@dataclass(frozen=True)
class Trend:
    """Leans towards what rose, in plain Python."""

    strength: float
    every: int = 21

    @property
    def name(self) -> str:
        return f"trend {self.strength:g}"

    def decide(self, seen: Observation) -> Floats | None:
        wanted = np.maximum(seen.target * (1 + self.strength * seen.asset[2]), 0)
        return np.asarray(wanted / wanted.sum()) if wanted.sum() > 0 else None


def best_trend(training: evidence.Training) -> Trend:
    """What a keen researcher does: four strengths tried on the training years, the best one taken."""
    tried = [Trend(strength) for strength in (-0.6, -0.3, 0.3, 0.6)]
    found = [walk(training.universe, training.signals, each).statistics["sharpe"][0] for each in tried]
    return tried[int(np.argmax(found))]


def believed(universe: Universe, seed: int) -> bool:
    """Whether the verdict would deploy or shadow the trend-follower in this world."""
    windows = evidence.windows(universe.sessions, 3, 1, longest_train_years=4, first=253)
    candidate = evidence.Candidate("trend", best_trend, deterministic=True, surrogate=Band(0.05), portfolios=600)
    against: list[Policy] = [Calendar(21), Calendar(YEAR), Band(0.05)]
    return evidence.believes(
        universe, candidate, against, seed=seed, test_windows=windows, offsets=(0,), replications=499
    )


def measure() -> dict[str, float]:
    """Seconds of a whole pack and of its parts' input, kernels compiled by a first call on a short history."""
    universe = universes.embedded("sectors")
    made = signals(universe)
    candidate = evidence.Candidate("quadratic, 0.7 y", Quadratic(0.7), deterministic=True, surrogate=Band(0.04))
    last = evidence.windows(universe.sessions, first=made.first + 1)[-1:]
    evidence.pack(universe, made, rules(), [candidate], seed=SEED, test_windows=last, offsets=(0,), replications=99)
    start = time.perf_counter()
    found = evidence.pack(universe, made, rules(), [candidate], seed=SEED)
    seconds = time.perf_counter() - start
    return {
        "evidence_pack_s": seconds,
        "evidence_runs": float(len(found.runs)),
        "evidence_sessions": float(len(found.daily)),
        "evidence_windows": float(len(found.windows)),
    }


def claims(worlds: int) -> dict[str, float]:
    """The share of noise worlds in which a trend-follower, picked on its training years, is deployed or shadowed."""
    covariance = np.outer([0.17, 0.20, 0.22], [0.17, 0.20, 0.22]) * (0.3 + 0.7 * np.eye(3))
    history = gbm(np.full(3, 0.06), covariance, np.array([0.4, 0.3, 0.3]), paths=1, sessions=1500, seed=3)
    control = evidence.noise_world(
        lambda seed: believed(noise(history, 1, 252 * 9, seed), seed), worlds=worlds, seed=SEED
    )
    return {"claim_rate": control.value, "worlds": float(worlds)}


def luck() -> pd.DataFrame:
    """Best to worst yearly Sharpe ratio, in percent: of rules that rebalance without a forecast, of yearly dates."""
    folder = Path(os.environ.get("WORKBENCH_SHARED", Path(__file__).parents[2] / "shared"))
    file = folder / "data" / "etf" / "etf_core18_adj_close_2007_2026.csv"
    found: list[Universe] = [universes.embedded(name) for name in universes.EMBEDDED]
    found += [universes.etf_core(file)] if file.is_file() else []
    rows = []
    for universe in found:
        made = signals(universe)
        static = [rule for rule in rules() if not isinstance(rule, BuyAndHold | Tilted)]
        table = simulate(universe, made, Runs.product(static, "all")).statistics
        yearly = simulate(universe, made, Runs.product([Calendar(YEAR)], "all")).statistics["sharpe"]
        one_start = table[table["offset"] == 0]["sharpe"]
        by_rule = table.groupby("policy")["sharpe"].mean()
        rows.append(
            {
                "universe": universe.name,
                "sessions": len(universe.sessions),
                "rules_one_start_pct": 100 * (one_start.max() / one_start.min() - 1),
                "rules_all_starts_pct": 100 * (by_rule.max() / by_rule.min() - 1),
                "yearly_date_pct": 100 * (yearly.max() / yearly.min() - 1),
            }
        )
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--worlds", type=int, default=0, help="measure the rate of claims in so many worlds of noise")
    parser.add_argument("--luck", action="store_true", help="show the spread of static rules on real universes")
    arguments = parser.parse_args()
    if arguments.luck:
        table = luck()
        print(table.to_json(orient="records") if arguments.json else table.round(2).to_string(index=False))
        return
    result = claims(arguments.worlds) if arguments.worlds else measure()
    print(
        json.dumps(result)
        if arguments.json
        else "\n".join(f"{name:20s} {value:,.3f}" for name, value in result.items())
    )


if __name__ == "__main__":
    main()

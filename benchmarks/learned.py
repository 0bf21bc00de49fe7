"""What the shipped learned policies save, against the optimum and against the tuned one-step rule they start from.

    python -m benchmarks.learned             # the figures in words
    python -m benchmarks.learned --json      # one object, for a machine
    python -m benchmarks.learned --settings  # every way of putting the policy to work that was tried (minutes)

Nothing is trained here: the shipped folders are read, checked and judged. `dp_gap_learned_n3` is the cost of the
policy made for three assets at 20 bp over dynamic programming, `learned_vs_mpc_n5` that of the one for five assets
over the tuned rule (-0.03 is 3 % cheaper), `learned_vs_mpc_real` the walk-forward cost of the one for any problem
over the tuned rule, one figure a universe, at 10 bp. Intervals are 95 %: paired by path on problems, by resampled
blocks of days on prices. The exchange-traded funds are judged where their file is there (WORKBENCH_SHARED, or
../shared); else theirs is null and `learned_vs_mpc_real_absent` says why.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

import pandas as pd

from workbench.backtest import Universe
from workbench.backtest.dynamic_programming import solve
from workbench.backtest.fixed_target import PROBLEMS, Excess, evaluate
from workbench.learning.ship import DEPLOYED, learned_of, real_cut, real_windows, reference_excess, shipped
from workbench.learning.universes import EMBEDDED, embedded, etf_core
from workbench.learning.walk_forward import Setting, WalkForward, walk_forward

ETF_FILE = Path("data") / "etf" / "etf_core18_adj_close_2007_2026.csv"
ETF = "etf core"
#: Every setting that was tried on the universes' test years; the shipped one was chosen without them.
SETTINGS = {
    "horizon tuned": Setting(gated=False),
    "horizon tuned, gated": Setting(),
    "answers halved": Setting((0.5,), False),
    "answers halved, gated": Setting((0.5,)),
    "horizon and strength tuned (shipped)": DEPLOYED,
    "horizon and strength tuned, gated": Setting(DEPLOYED.strengths),
}


def etf_file() -> Path:
    """Where the closes of the funds would be."""
    return Path(os.environ.get("WORKBENCH_SHARED", Path(__file__).resolve().parents[2] / "shared")) / ETF_FILE


def universes(half_spread: float = 0.001) -> list[Universe]:
    """The embedded ones, and the funds where their file is."""
    found = [embedded(name, half_spread) for name in EMBEDDED]
    if etf_file().exists():
        found.append(etf_core(etf_file(), half_spread))
    return found


def interval(result: WalkForward) -> tuple[float, float]:
    """Of learned over rule, as parts of the rule's cost."""
    saved = result.interval()
    return -saved.high / result.rule_bp, -saved.low / result.rule_bp


def years(result: WalkForward) -> tuple[int, int, int]:
    """Test years that were cheaper, dearer, and in all."""
    apart = result.table.learned_bp - result.table.rule_bp
    return int((apart < -1e-9).sum()), int((apart > 1e-9).sum()), len(apart)


def measure(paths: int = 2000) -> dict[str, object]:
    """Every figure, as parts of the other's cost."""
    n3, n5, general = (
        learned_of(shipped(name)) for name in ("reference_n3_20", "reference_n5_20", "learned_quadratic")
    )
    gap = evaluate("n3_20", n3, paths).over(evaluate("n3_20", solve("n3_20"), paths))
    five = reference_excess(n5, "n5_20", paths)
    any_problem: dict[str, Excess] = {name: reference_excess(general, name, paths) for name in PROBLEMS}
    real = {universe.name: real_windows(universe, general) for universe in universes()}
    absent = {} if ETF in real else {ETF: "its file of closes is not there: set WORKBENCH_SHARED to its folder"}
    return {
        "dp_gap_learned_n3": gap.ratio,
        "dp_gap_learned_n3_interval": gap.interval,
        "learned_vs_mpc_n5": five.ratio,
        "learned_vs_mpc_n5_interval": five.interval,
        "learned_vs_mpc_any_problem": {name: excess.ratio for name, excess in any_problem.items()},
        "learned_vs_mpc_any_problem_interval": {name: excess.interval for name, excess in any_problem.items()},
        "learned_vs_mpc_real": {**{name: result.excess for name, result in real.items()}, **dict.fromkeys(absent)},
        "learned_vs_mpc_real_interval": {name: interval(result) for name, result in real.items()},
        "learned_vs_mpc_real_absent": absent,
        "learned_vs_mpc_real_years": {name: years(result) for name, result in real.items()},
        "real_bp": {name: (result.rule_bp, result.learned_bp) for name, result in real.items()},
    }


def settings() -> pd.DataFrame:
    """Learned over rule in percent, for every setting, universe and cost that was tried."""
    general = learned_of(shipped("learned_quadratic"))
    rows = []
    for half_spread in (0.0005, 0.001, 0.002):
        for universe in universes(half_spread):
            for name, setting in SETTINGS.items():
                result = walk_forward(universe, general, real_cut(universe), setting)
                low, high = interval(result)
                rows.append(
                    {
                        "universe": universe.name,
                        "half_spread_bp": 1e4 * half_spread,
                        "setting": name,
                        "rule_bp": result.rule_bp,
                        "learned_bp": result.learned_bp,
                        "percent": 100 * result.excess,
                        "low": 100 * low,
                        "high": 100 * high,
                        "years": years(result),
                    }
                )
                print(rows[-1], file=sys.stderr)
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one object, for a machine")
    parser.add_argument("--paths", type=int, default=2000, help="paths of the reference problems")
    parser.add_argument("--settings", action="store_true", help="every setting tried, all costs")
    asked = parser.parse_args()
    if asked.settings:
        print(settings().round(3).to_string(index=False))
        return
    found = measure(asked.paths)
    print(json.dumps(found) if asked.json else "\n".join(f"{name}: {value}" for name, value in found.items()))


if __name__ == "__main__":
    main()

"""What keeping a fixed target costs under each rule, against the best possible, on the reference problems.

    python -m benchmarks.policy_costs                    # the table, published figures beside ours
    python -m benchmarks.policy_costs --json             # one object, for a machine
    python -m benchmarks.policy_costs --paths 20000      # tighter intervals
    python -m benchmarks.policy_costs --seed 11          # other test paths
    python -m benchmarks.policy_costs --refine           # how far the optimum moves with the grid

Basis points a year on common paths of ten years. Excess is over dynamic programming (n2, n3) or the tuned quadratic
rule (n5), with the 95 % interval of the paired ratio. Tuned rules saw other paths only.
"""

from __future__ import annotations

import argparse
import json

import pandas as pd

from workbench.backtest import EVERY, Band, Calendar, Policy, dynamic_programming, fitted_value, fixed_target, tuning

RULES = ("dynamic programming", "monthly", "quarterly", "annual", "5 % band to target", "tuned edge", "tuned quadratic")
TUNED = {"tuned edge": "band to edge", "tuned quadratic": "quadratic"}
#: Figures of an earlier trial, bp a year; the tuned rules of n2 and n3 were given as excess over dynamic programming.
PUBLISHED: dict[str, tuple[float | None, ...]] = {
    "n2_10": (0.786, 2.320, 1.459, 1.291, 0.999, 0.786 * 1.006, 0.786 * 1.007),
    "n3_10": (0.917, 2.730, 1.702, 1.496, 1.205, 0.917 * 1.040, 0.917 * 1.033),
    "n3_20": (1.475, 5.460, 3.278, 2.288, 1.941, 1.475 * 1.046, 1.475 * 1.040),
    "n3_50": (2.760, 13.65, 8.005, 4.665, 4.148, 2.760 * 1.053, 2.760 * 1.032),
    "n5_20": (None, 5.986, 3.597, 2.464, 2.132, 1.692, 1.642),
}


def policies(name: str, training_paths: int) -> dict[str, tuple[Policy, float | None]]:
    """The rules of the table for one problem, with the number that tuning chose."""
    found: dict[str, tuple[Policy, float | None]] = {}
    if fixed_target.PROBLEMS[name].assets <= 3:
        optimum = dynamic_programming.solve(name)
        found["dynamic programming"] = (optimum, optimum.cost_bp)
    found |= {
        "monthly": (Calendar(EVERY["month"]), None),
        "quarterly": (Calendar(EVERY["quarter"]), None),
        "annual": (Calendar(EVERY["year"]), None),
        "5 % band to target": (Band(0.05, 0.0, every=21), None),
    }
    for label, family in TUNED.items():
        best = tuning.tune_problem(name, family, paths=training_paths)
        found[label] = (best.policy, best.number)
    found["fitted value"] = (fitted_value.fit(name, best.number), None)  # starts at the tuned quadratic rule
    return found


def measure(name: str, paths: int, training_paths: int, seed: int) -> pd.DataFrame:
    """The table of one problem on the test paths of a seed: one row a rule."""
    rules = policies(name, training_paths)
    costs = [fixed_target.evaluate(name, policy, paths, seed) for policy, _ in rules.values()]
    base = costs[0] if "dynamic programming" in rules else costs[list(rules).index("tuned quadratic")]
    table = fixed_target.table(costs, base)
    table.insert(1, "rule", list(rules))
    table["number"] = [number for _, number in rules.values()]
    published = dict(zip(RULES, PUBLISHED[name]))
    table["published_bp"] = [published.get(rule) for rule in rules]
    return table


def refinement(name: str) -> pd.DataFrame:
    """The optimum's cost in bp a year on coarser and finer grids, and with fewer and more quadrature nodes."""
    rows = []
    for points, nodes in ((41, 7), (61, 7), (81, 5), (81, 7), (81, 9), (121, 7)):
        rows.append(
            {
                "problem": name,
                "points": points,
                "nodes": nodes,
                "cost_bp": dynamic_programming.solve(name, points, nodes).cost_bp,
            }
        )
    table = pd.DataFrame(rows)
    return table.assign(apart=table["cost_bp"] / table["cost_bp"].iloc[-1] - 1.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--paths", type=int, default=2000, help="test paths (default 2000)")
    parser.add_argument("--training-paths", type=int, default=2000, help="paths that rules are tuned on (default 2000)")
    parser.add_argument("--seed", type=int, default=fixed_target.TEST_SEED, help="of the test paths (default 7)")
    parser.add_argument(
        "--problems", nargs="*", default=list(fixed_target.PROBLEMS), help="which problems (default all)"
    )
    parser.add_argument("--refine", action="store_true", help="the optimum on coarser and finer grids instead")
    options = parser.parse_args()
    if options.refine:
        for name in options.problems:
            if fixed_target.PROBLEMS[name].assets <= 3:
                print(refinement(name).to_string(index=False, float_format="{:.5f}".format), flush=True)
        return
    tables = {name: measure(name, options.paths, options.training_paths, options.seed) for name in options.problems}
    if options.json:
        keys = ("total_bp", "standard_error", "excess", "excess_low", "excess_high")
        print(
            json.dumps(
                {
                    f"policy_costs_{name}_{rule.replace(' %', '').replace(' ', '_')}_{key}": round(row[key], 5)
                    for name, table in tables.items()
                    for rule, row in table.set_index("rule").iterrows()
                    for key in keys
                }
            )
        )
        return
    for name, table in tables.items():
        print(f"\n{name}: bp a year over {options.paths:,} paths; excess over {reference_of(table)}")
        print(f"{'':22}{'ours':>8}{'+-':>7}{'published':>11}{'excess':>9}   95 % interval     turnover  number")
        for _, row in table.iterrows():
            published = "" if pd.isna(row["published_bp"]) else f"{row['published_bp']:.3f}"
            number = "" if pd.isna(row["number"]) else f"{row['number']:.4f}"
            interval = f"{100 * row['excess_low']:+.2f} to {100 * row['excess_high']:+.2f} %"
            print(
                f"{row['rule']:22}{row['total_bp']:8.3f}{row['standard_error']:7.3f}{published:>11}"
                f"{100 * row['excess']:+8.1f} %   {interval:18}{100 * row['turnover']:6.1f} %  {number}"
            )


def reference_of(table: pd.DataFrame) -> str:
    """The rule whose excess is zero."""
    return str(table.loc[table["excess"] == 0.0, "rule"].iloc[0])


if __name__ == "__main__":
    main()

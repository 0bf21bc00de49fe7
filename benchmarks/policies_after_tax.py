"""What tax changes about rebalancing rules, what planning ahead gains, and how long a taxable life takes.

    python -m benchmarks.policies_after_tax                    # rules in a taxable account, eight years of sectors
    python -m benchmarks.policies_after_tax --json             # one object, for a machine
    python -m benchmarks.policies_after_tax --earlier 21       # begun a month earlier: what the start date does
    python -m benchmarks.policies_after_tax --plans            # plans over several looks against the one-step rule
    python -m benchmarks.policies_after_tax --speed            # seconds for sixteen years, by rule

The account begins at its basis; rates are those of `TaxRates`: 40.8 % short-term, 23.8 % long-term.
"""

from __future__ import annotations

import argparse
import json
from time import perf_counter

import numpy as np
import pandas as pd

from workbench.backtest import (
    Band,
    BuyAndHold,
    Calendar,
    MultiPeriod,
    Policy,
    Quadratic,
    TaxAware,
    after_tax,
    compare_after_tax,
    fixed_target,
    gbm,
    signals,
    tuning,
)
from workbench.learning.universes import embedded

RULES: tuple[Policy, ...] = (
    Quadratic(1.0),
    Calendar(21),
    Band(0.05),
    Calendar(252),
    TaxAware(1.0, 0.25),
    TaxAware(1.0, 1.0),
    BuyAndHold(),
)
YEARS = 8
SHOWN = ("total_bp", "tax_bp", "rank_before_tax", "rank_after_tax", "return_liquidated")


def rules_in_an_account(earlier: int) -> pd.DataFrame:
    """The rules side by side, before tax and after: eight years of six sector sleeves to the end of 2022."""
    universe = embedded("sectors")
    first = len(universe.sessions) - 1 - YEARS * 252 - earlier
    table = compare_after_tax(universe, signals(universe), RULES, first=first)
    return table.sort_values("rank_before_tax").set_index("policy")[list(SHOWN)]


def plans(paths: int) -> pd.DataFrame:
    """Plans over several looks on the reference problem n3_20: excess over the tuned one-step rule, common paths."""
    problem = fixed_target.PROBLEMS["n3_20"]
    horizon = tuning.tune_problem("n3_20", "quadratic", paths=500).number
    drift = np.asarray(problem.drift)
    settings = {
        "3 looks, no drift": MultiPeriod(horizon, 3),
        "3 looks, true drift": MultiPeriod(horizon, 3, drift=tuple(drift)),
        "6 looks, true drift": MultiPeriod(horizon, 6, drift=tuple(drift)),
        "6 looks, true drift, longer": MultiPeriod(horizon * 1.4, 6, drift=tuple(drift)),
    }
    base = fixed_target.evaluate("n3_20", Quadratic(horizon), paths)
    rows = {}
    for name, plan in settings.items():
        begin = perf_counter()
        excess = fixed_target.evaluate("n3_20", plan, paths).over(base)
        rows[name] = {"excess": excess.ratio, "low": excess.interval[0], "high": excess.interval[1],
                      "seconds": perf_counter() - begin}  # fmt: skip
    return pd.DataFrame(rows).T


def speed() -> pd.DataFrame:
    """Seconds of one life of sixteen years, six assets, and how much it trades; made-up prices."""
    covariance = 0.03 * (0.3 + 0.7 * np.eye(6))
    universe = gbm(
        np.full(6, 0.06), covariance, np.full(6, 1 / 6), paths=1, sessions=17 * 252 + 1, seed=1, half_spread=5e-4
    )
    made = signals(universe)
    after_tax(universe, made, Calendar(21), last=400)
    rows = {}
    for policy in (Calendar(21), Band(0.02), Band(0.02, 0.02)):
        begin = perf_counter()
        life = after_tax(universe, made, policy)
        rows[policy.name] = {"seconds": perf_counter() - begin, "days_traded": life.trades["day"].nunique(),
                             "disallowed": life.statistics["disallowed"]}  # fmt: skip
    return pd.DataFrame(rows).T


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one object of figures")
    parser.add_argument("--plans", action="store_true", help="plans over several looks")
    parser.add_argument("--speed", action="store_true", help="seconds by rule")
    parser.add_argument("--earlier", type=int, default=0, help="sessions by which the account begins earlier")
    parser.add_argument("--paths", type=int, default=40, help="paths of the reference problem (default 40)")
    options = parser.parse_args()
    table = (
        plans(options.paths) if options.plans else speed() if options.speed else rules_in_an_account(options.earlier)
    )
    if options.json:
        print(
            json.dumps(
                {
                    "_".join(["after_tax", *str(name).replace(" %", "").replace(",", "").split(), column]): round(
                        value, 6
                    )
                    for name, row in table.iterrows()
                    for column, value in row.items()
                }
            )
        )
        return
    print(table.to_string(float_format="{:.4f}".format))


if __name__ == "__main__":
    main()

"""Blame: a simulation of firms whose advisors prefer a custodian, and the time a fit takes.

    python -m benchmarks.implementation            # a table
    python -m benchmarks.implementation --json     # one object, for a machine
    python -m benchmarks.implementation --shapes   # firms of other shapes, a table; some minutes

In each simulated firm 85 % of an advisor's accounts are at one custodian, and advisors differ. Where no custodian
matters, naming one is false blame; where one costs 4 bp a month, naming it is power. The naive method beside ours
compares the accounts' mean gaps by custodian in a one-way analysis of variance.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict

import numpy as np

from benchmarks.implementation_shapes import table
from benchmarks.simulated_gaps import Firm, naive_p, simulate
from workbench.attribution.implementation import Panel, fit, judge

SIMULATIONS, DRAWS, SEED = 300, 999, 11


def blame(firm: Firm, effect: float, simulations: int = SIMULATIONS, seed: int = SEED, draws: int = DRAWS) -> dict:
    """Shares of simulated firms in which each method names a custodian, and the guilty one."""
    names = ("naive", "reml", "permutation", "ours", "ours_guilty", "advisor_lr")
    found = dict.fromkeys(names, 0.0)
    for random in np.random.default_rng(seed).spawn(simulations):
        frame = simulate(firm, random, effect)
        verdict = judge(Panel.of(frame), random, draws=draws)
        named = {e.key for e in verdict.custodians if e.blamed or e.better}
        found["naive"] += naive_p(frame) <= 0.05
        found["reml"] += (verdict.custodians_p or 1.0) <= 0.05
        found["permutation"] += (verdict.permutation.smallest_p or 1.0) <= 0.05
        found["ours"] += bool(named)
        found["ours_guilty"] += any(e.blamed for e in verdict.custodians if e.key == f"CUS{firm.custodians}")
        found["advisor_lr"] += (verdict.advisors_p or 1.0) <= 0.05
    return {name: count / simulations for name, count in found.items()}


def blame_advisors(effect: float, simulations: int = SIMULATIONS, seed: int = SEED, draws: int = DRAWS) -> dict:
    """Shares of firms whose advisors are alike but for the first, in which an innocent, and that one, is named."""
    innocent = guilty = 0
    for random in np.random.default_rng(seed).spawn(simulations):
        verdict = judge(Panel.of(simulate(Firm(advisor_sd=0.0), random, 0.0, effect)), random, draws=draws)
        named = {e.key for e in verdict.advisors if e.blamed}
        guilty += "ADV1" in named
        innocent += bool(named - {"ADV1"} if effect else named)
    return {"innocent": innocent / simulations, "guilty": guilty / simulations}


def seconds_per_fit(accounts: int = 1000, months: int = 36, repeats: int = 7) -> float:
    """Median seconds of moments and fit, the panel read."""
    panel = Panel.of(simulate(Firm(accounts=accounts, advisors=30, months=months), np.random.default_rng(SEED)))
    times = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        fit(panel)
        times.append(time.perf_counter() - start)
    return float(np.median(times[1:]))


def measure(simulations: int = SIMULATIONS) -> dict:
    """Every figure shown."""
    firm = Firm()
    innocent, guilty = blame(firm, 0.0, simulations), blame(firm, -4.0, simulations, SEED + 1)
    alike, one_poor = blame_advisors(0.0, simulations, SEED + 2), blame_advisors(-4.0, simulations, SEED + 3)
    return {
        "reml_1000_s": seconds_per_fit(),
        "false_blame": innocent["ours"],
        "power_4bp": guilty["ours_guilty"],
        "false_blame_naive": innocent["naive"],
        "false_blame_reml": innocent["reml"],
        "false_blame_permutation": innocent["permutation"],
        "power_4bp_reml": guilty["reml"],
        "power_4bp_permutation": guilty["permutation"],
        "false_blame_advisor": alike["innocent"],
        "false_blame_advisor_beside_a_poor_one": one_poor["innocent"],
        "power_4bp_advisor": one_poor["guilty"],
        "firm": asdict(firm),
        "simulations": simulations,
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--simulations", type=int, default=SIMULATIONS)
    parser.add_argument("--shapes", action="store_true", help="firms of many shapes, as a table")
    chosen = parser.parse_args()
    if chosen.shapes:
        print(table(chosen.simulations))
        return
    figures = measure(chosen.simulations)
    if chosen.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:28} {value}")


if __name__ == "__main__":
    main()

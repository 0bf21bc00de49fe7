"""How often an innocent is named, and a guilty one found, over firms of many shapes: `implementation --shapes`."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

import numpy as np

from benchmarks.simulated_gaps import Firm, naive_p, simulate
from workbench.attribution.implementation import Panel, judge

EFFECT, SEED = -4.0, 5
_MODELS = Firm(models=5, model_month_sd=10.0, model_sd=3.0)
#: What differs from the firm of 300 accounts, 12 advisors, three custodians and 36 months.
SHAPES: dict[str, Firm] = {
    "the firm above": Firm(),
    "4 advisors": Firm(advisors=4),
    "40 advisors": Firm(advisors=40),
    "2 custodians": Firm(custodians=2),
    "6 custodians": Firm(custodians=6),
    "100 accounts": Firm(accounts=100),
    "1,000 accounts": Firm(accounts=1000),
    "6 months": Firm(months=6),
    "12 months": Firm(months=12),
    "33 % at the first custodian": Firm(preferred=1.0 / 3.0),
    "95 %": Firm(preferred=0.95),
    "100 %": Firm(preferred=1.0),
    "errors of a Student t with 3 degrees of freedom": Firm(tails=3.0),
    "errors correlated 0.3 from month to month": Firm(rho=0.3),
    "errors' size differs by account, log sd 0.7": Firm(spread=0.7),
    "5 models share a shock of 10 bp and a lasting 3 bp": _MODELS,
    "models, sizes and months at once": replace(_MODELS, rho=0.3, spread=0.7),
}
NAMES = ("naive", "custodian", "custodian_power", "advisor", "advisor_power", "advisor_beside")


def rates(firm: Firm, simulations: int, draws: int = 199) -> dict[str, float]:
    """Shares of firms in which someone innocent is named, and of firms in which the one at -4 bp a month is.

    Custodians are judged with advisors that differ, advisors with advisors alike but for one.
    """
    found, alike = dict.fromkeys(NAMES, 0.0), replace(firm, advisor_sd=0.0)
    for random in np.random.default_rng(SEED).spawn(simulations):
        frame = simulate(firm, random)
        verdict = judge(Panel.of(frame), random, draws=draws)
        found["naive"] += naive_p(frame) <= 0.05
        found["custodian"] += any(e.blamed or e.better for e in verdict.custodians)
        verdict = judge(Panel.of(simulate(firm, random, EFFECT)), random, draws=draws)
        found["custodian_power"] += any(e.blamed for e in verdict.custodians if e.key == f"CUS{firm.custodians}")
        verdict = judge(Panel.of(simulate(alike, random)), random, draws=draws)
        found["advisor"] += any(e.blamed for e in verdict.advisors)
        verdict = judge(Panel.of(simulate(alike, random, 0.0, EFFECT)), random, draws=draws)
        found["advisor_power"] += any(e.blamed for e in verdict.advisors if e.key == "ADV1")
        found["advisor_beside"] += any(e.blamed for e in verdict.advisors if e.key != "ADV1")
    return {name: count / simulations for name, count in found.items()}


def table(simulations: int) -> str:
    """The table of the documentation."""
    lines = [
        "| firm | simple averages | custodian, none matters | one at -4 bp | advisor, all alike | one at -4 bp "
        "| another one then |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        rows = pool.map(rates, SHAPES.values(), [simulations] * len(SHAPES))
        for name, row in zip(SHAPES, rows, strict=True):
            lines.append(f"| {name} | " + " | ".join(f"{row[key]:.1%}".replace("%", " %") for key in NAMES) + " |")
    return "\n".join(lines)

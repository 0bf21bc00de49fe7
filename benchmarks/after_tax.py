"""The after-tax study on real prices: the tables of docs/after_tax.md, measured again.

    python -m benchmarks.after_tax                 # funds and stocks, ten years, without and with gains elsewhere
    python -m benchmarks.after_tax funds --years 5 --json

Prices come from the folder of real market data (`WORKBENCH_SHARED`, by default `../shared` next to the checkout).
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workbench.rebalance import after_tax, direct_index
from workbench.rebalance.household import Household
from workbench.rebalance.rounding import Orders
from workbench.rebalance.settings import Settings
from workbench.rebalance.solve import solve_household

PRICES = Path("data") / "etf" / "etf_daily_2005_2026.csv.gz"
STOCKS = Path("data") / "stocks" / "sp500_raw_plus_actions_1999_2021.csv.gz"
SECTORS = Path("data") / "stocks" / "sp500_raw_plus_actions_sectors.csv"
OTHER_GAINS = 100_000.0
#: What a client's screen leaves out in the study of stocks.
SCREEN = "Energy"


def shared(path: Path) -> Path:
    """A file of real market data; a plain error where it is absent."""
    folder = Path(os.environ.get("WORKBENCH_SHARED", Path(__file__).parents[2] / "shared"))
    if not (folder / path).is_file():
        raise SystemExit(f"no prices at {folder / path}; set WORKBENCH_SHARED to the folder of market data")
    return folder / path


def measure_stocks(years: int = 10) -> dict[str, Any]:
    """The index as stocks against the index as a fund, over every start year, and what a decision took."""
    history = direct_index.read_stocks(shared(STOCKS), shared(SECTORS))
    strategies = (*direct_index.STRATEGIES, direct_index.screened(SCREEN))
    result: dict[str, Any] = {}
    for name, rates in (
        ("stocks, no gains elsewhere", after_tax.TaxRates()),
        ("stocks, long-term gains elsewhere", after_tax.TaxRates(other_gains=OTHER_GAINS)),
        ("stocks, short-term gains elsewhere", after_tax.TaxRates(other_short_gains=OTHER_GAINS)),
    ):
        taken: list[tuple[float, int, int]] = []

        def decide(household: Household, settings: Settings) -> Orders | None:
            start = time.process_time()
            solved = solve_household(household, settings)
            if solved is not None and len(household.market.ids) > 2:
                seconds = time.process_time() - start
                taken.append((seconds, len(solved.formulation.problem.linear), len(household.lots.quantity)))  # noqa: B023
            return None if solved is None else solved.orders

        start = time.process_time()
        assumptions = replace(direct_index.ASSUMPTIONS, years=years, rates=rates)
        study = direct_index.compare(history, assumptions, strategies=strategies, decide=decide)
        seconds, columns, lots = np.array(taken).T
        result[name] = {
            "seconds": time.process_time() - start,
            "starts": [str(day.date()) for day in study.starts],
            "summary": study.summary().to_dict("records"),
            "years": study.by_year().to_dict("records"),
            "decision_ms": {"median": 1e3 * float(np.median(seconds)), "most": 1e3 * float(seconds.max())},
            "decisions": len(seconds), "columns": int(columns.max()), "lots": int(lots.max()),
        }  # fmt: skip
    return result


def measure_funds(years: int = 10) -> dict[str, Any]:
    """Both studies of funds over every start year: summaries by strategy and the seconds they took."""
    history = after_tax.read_history(shared(PRICES))
    result: dict[str, Any] = {}
    for name, gains in (("alone", 0.0), ("shared", OTHER_GAINS)):
        start = time.process_time()
        rates = after_tax.TaxRates(other_gains=gains)
        study = after_tax.compare(history, after_tax.Assumptions(years=years, rates=rates))
        result[name] = {
            "seconds": time.process_time() - start,
            "starts": [str(day.date()) for day in study.starts],
            "summary": study.summary().to_dict("records"),
        }
    return result


def table(name: str, measured: dict[str, Any]) -> str:
    """One study as a Markdown table; alphas in basis points a year."""
    head = "| | tax alpha | if sold at the end | before tax | tracking | turnover | losses a year | tax a year | wash |"
    rows = [
        f"| {row['strategy']} | {1e4 * row['tax_alpha']:.0f} ({1e4 * row['tax_alpha_low']:.0f} to "
        f"{1e4 * row['tax_alpha_high']:.0f}) | {1e4 * row['tax_alpha_liquidated']:.0f} "
        f"({1e4 * row['tax_alpha_liquidated_low']:.0f} to {1e4 * row['tax_alpha_liquidated_high']:.0f}) | "
        f"{1e4 * row['before_tax']:.0f} ({1e4 * row['before_tax_low']:.0f} to {1e4 * row['before_tax_high']:.0f}) | "
        f"{1e4 * row['tracking_error']:.0f} bp | {row['turnover']:.0%} | ${row['losses_harvested']:,.0f} | "
        f"${row['tax']:,.0f} | {row['wash_sales']} |"
        for row in measured["summary"]
    ]
    cohorts = measured["starts"]
    about = f"{name}: {len(cohorts)} cohorts from {cohorts[0]} to {cohorts[-1]}, {measured['seconds']:.0f} s"
    lines = [about, "", head, "|---|---|---|---|---|---|---|---|---|", *rows]
    if "years" in measured:
        frame = pd.DataFrame(measured["years"]).pivot(index="life", columns="strategy", values=["losses", "tax_alpha"])
        took = measured["decision_ms"]
        lines += ["", frame.round(4).to_string(), "", f"{measured['decisions']} decisions of up to "
                  f"{measured['columns']} columns and {measured['lots']} lots: median {took['median']:.1f} ms, most "
                  f"{took['most']:.0f} ms"]  # fmt: skip
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=("funds", "stocks", "both"), default="both")
    parser.add_argument("--years", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    measured: dict[str, Any] = {}
    if arguments.what != "stocks":
        measured |= measure_funds(arguments.years)
    if arguments.what != "funds":
        measured |= measure_stocks(arguments.years)
    print(json.dumps(measured, indent=1) if arguments.json else "\n\n".join(table(*pair) for pair in measured.items()))


if __name__ == "__main__":
    main()

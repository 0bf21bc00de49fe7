"""The after-tax study on real fund prices: the tables of docs/after_tax.md, measured again.

    python -m benchmarks.after_tax                 # ten-year cohorts, without and with gains elsewhere
    python -m benchmarks.after_tax --years 5 --json

Prices come from the folder of real market data (`WORKBENCH_SHARED`, by default `../shared` next to the checkout).
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

from workbench.rebalance import after_tax

PRICES = Path("data") / "etf" / "etf_daily_2005_2026.csv.gz"
OTHER_GAINS = 100_000.0


def shared_prices() -> Path:
    """The file of daily fund prices; a plain error where it is absent."""
    folder = Path(os.environ.get("WORKBENCH_SHARED", Path(__file__).parents[2] / "shared"))
    if not (folder / PRICES).is_file():
        raise SystemExit(f"no fund prices at {folder / PRICES}; set WORKBENCH_SHARED to the folder of market data")
    return folder / PRICES


def measure(years: int = 10) -> dict[str, Any]:
    """Both studies over every start year: summaries by strategy and the seconds they took."""
    history = after_tax.read_history(shared_prices())
    result: dict[str, Any] = {}
    for name, gains in (("alone", 0.0), ("shared", OTHER_GAINS)):
        start = time.perf_counter()
        rates = after_tax.TaxRates(other_gains=gains)
        study = after_tax.compare(history, after_tax.Assumptions(years=years, rates=rates))
        result[name] = {
            "seconds": time.perf_counter() - start,
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
    return "\n".join([about, "", head, "|---|---|---|---|---|---|---|---|---|", *rows])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--years", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    measured = measure(arguments.years)
    print(json.dumps(measured, indent=1) if arguments.json else "\n\n".join(table(*pair) for pair in measured.items()))


if __name__ == "__main__":
    main()

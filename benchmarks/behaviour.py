"""Are facts about trades calibrated? Sales that know nothing of prices, through the whole of `find_patterns`.

    python -m benchmarks.behaviour            # a table
    python -m benchmarks.behaviour --json     # one object, for a machine

On the demo firm's five years of prices each household sells what it holds at times that have nothing to do with prices:
on single days, in bursts of days (as a decision carried out over accounts and days is), or once a quarter. Given out
are the share of p-values at or below 5 %, and the part of firms in which anything at all is said (a false discovery
rate of 5 % allows 5 %, for nothing there is true).
"""

from __future__ import annotations

import argparse
import json

import numpy as np
import pandas as pd

from workbench import risk
from workbench.firm import CASH, open_at
from workbench.risk import Watched

SCHEDULES = ("single_days", "bursts", "quarterly")


def sales(watched: Watched, rng: np.random.Generator, schedule: str, days: int = 24) -> pd.DataFrame:
    """One client sale of $5,000 a day and household, at times without regard to prices."""
    first = int(watched.sessions.searchsorted(watched.as_of - pd.DateOffset(years=5))) + 11
    accounts = watched.accounts.drop_duplicates("household_id")["account_id"]
    securities = watched.securities.loc[watched.securities["security_id"] != CASH, "security_id"].to_numpy()
    parts = []
    for account in accounts:
        sessions = times(rng, schedule, first, watched.last, days)
        parts.append(
            pd.DataFrame(
                {
                    "account_id": account,
                    "security_id": rng.choice(rng.choice(securities, 4, replace=False), len(sessions)),
                    "trade_date": watched.sessions[sessions],
                    "kind": "sell",
                    "amount": 5_000.0,
                    "origin": "client",
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def times(rng: np.random.Generator, schedule: str, first: int, last: int, days: int) -> np.ndarray:
    """Sorted sessions of sales from `first` to `last`."""
    if schedule == "single_days":
        return np.sort(rng.choice(np.arange(first, last + 1), days, replace=False))
    if schedule == "bursts":
        starts = rng.integers(first, last - 10, days // 4)
        return np.unique((starts[:, None] + np.sort(rng.integers(0, 10, (days // 4, 4)), axis=1)).ravel())
    return np.arange(first + int(rng.integers(0, 63)), last + 1, 63)


def calibration(schedule: str, firms: int, seed: int = 7) -> dict[str, float]:
    """Rejections at 5 % over all households of `firms` simulated firms, and the part of firms with anything said."""
    watched = risk.watch(open_at("demo"))
    rng = np.random.default_rng(seed)
    p_values: list[float] = []
    said = 0
    for _ in range(firms):
        habits = risk.find_patterns(watched, sales(watched, rng, schedule))
        p_values += [pattern.p_value for pattern in habits.patterns if pattern.p_value is not None]
        said += bool(habits.said)
    return {
        "tests": len(p_values),
        "rejected_at_5_percent": round(float(np.mean(np.array(p_values) <= 0.05)), 4),
        "firms_with_a_false_fact": round(said / firms, 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--firms", type=int, default=100, help="simulated firms a schedule (default 100)")
    options = parser.parse_args()
    results = {schedule: calibration(schedule, options.firms) for schedule in SCHEDULES}
    if options.json:
        print(json.dumps({f"behaviour_{name}_{key}": v for name, found in results.items() for key, v in found.items()}))
        return
    for schedule, found in results.items():
        words = ", ".join(f"{key.replace('_', ' ')} {value:g}" for key, value in found.items())
        print(f"{schedule:12} {words}")


if __name__ == "__main__":
    main()

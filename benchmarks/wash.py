"""Wash sales of a million trades: time, and how it grows, beside a rule engine that looks at every pair.

    python -m benchmarks.wash            # a table
    python -m benchmarks.wash --json     # one object, for a machine

The trades are seeded: households of two taxed accounts and an IRA trade ten securities over five years, buying and
selling by lot with prices that wander, so that about half of all sales are losses and most of those have a purchase
near. For comparison: wash-alpha 0.81.1, the open rule engine, takes 3.0 s for 4,000 trades and grows with the square.
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np
import pandas as pd

WASH_ALPHA = (4_000, 3.0)


def trades(count: int, seed: int = 7, accounts: int = 3, per_household: int = 600) -> pd.DataFrame:
    """Return `count` trades, half of them buys, each lot sold once, whole or in part."""
    rng = np.random.default_rng(seed)
    lots = count // 2
    household = rng.integers(0, max(1, count // per_household), lots)
    account = rng.integers(0, accounts, lots)
    security = rng.integers(0, 10, lots)
    bought = rng.integers(0, 5 * 365, lots)
    held = rng.integers(1, 200, lots)
    shares = rng.integers(1, 200, lots).astype(np.float64)
    price = 100 * np.exp(rng.normal(0, 0.15, lots))
    sold = np.where(rng.random(lots) < 0.7, shares, np.ceil(shares / 2))
    names = pd.DataFrame(
        {
            "household_id": pd.array([f"H{i:06d}" for i in household], dtype="str"),
            "account_id": pd.array([f"H{i:06d}-{j}" for i, j in zip(household, account)], dtype="str"),
            "security_id": pd.array([f"S{i}" for i in security], dtype="str"),
            "taxed": account < 2,
            "lot_id": pd.array([f"L{i:07d}" for i in range(lots)], dtype="str"),
        }
    )
    day = pd.Timestamp("2018-01-02")
    buys = names.assign(side="buy", trade_date=day + pd.to_timedelta(bought, "D"), shares=shares, total=shares * price)
    sells = names.assign(
        side="sell",
        trade_date=day + pd.to_timedelta(bought + held, "D"),
        shares=sold,
        total=sold * price * np.exp(rng.normal(0, 0.1, lots)),
    )
    return pd.concat([buys, sells], ignore_index=True).sample(frac=1, random_state=seed, ignore_index=True)


def measure(sizes: tuple[int, ...] = (10_000, 100_000, 1_000_000)) -> dict[str, float]:
    """CPU seconds by number of trades; `wash_1m_trades_s` is the last one's."""
    from workbench.tax import match_wash_sales

    match_wash_sales(trades(200))
    figures: dict[str, float] = {}
    for size in sizes:
        frame = trades(size)
        start = time.process_time()
        result = match_wash_sales(frame)
        figures[f"wash_{size}_trades_s"] = round(time.process_time() - start, 3)
    figures["wash_1m_trades_s"] = figures[f"wash_{sizes[-1]}_trades_s"]
    figures["wash_matches"] = float(len(result.matches))
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    figures = measure()
    if parser.parse_args().json:
        print(json.dumps(figures))
        return
    for size in (10_000, 100_000, 1_000_000):
        quadratic = WASH_ALPHA[1] * (size / WASH_ALPHA[0]) ** 2
        print(
            f"{size:>9,} trades: {figures[f'wash_{size}_trades_s']:7.2f} s   (quadratic from 4,000: {quadratic:,.0f} s)"
        )
    print(f"{figures['wash_matches']:,.0f} matches; wash-alpha 0.81.1: 4,000 trades in {WASH_ALPHA[1]} s as published")


if __name__ == "__main__":
    main()

"""Sleeve attribution of 100,000 accounts x 30 holdings over 63 sessions, from Parquet files, and the demo firm's year.

    python -m benchmarks.sleeves            # a table
    python -m benchmarks.sleeves --json     # one object, for a machine

Each measurement runs in a fresh child process, so that its peak memory is its own, after a first run on a small firm.
What is timed: opening the firm, the ledger of daily holdings in chunks, the models' paths, every account's rows linked
over the quarter, the sleeves' pools, the securities and the tree: all that the chapter shows.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmarks.child import run_child
from benchmarks.drift import AS_OF, N_SECURITIES, SLEEVES, holdings, small_tables

if TYPE_CHECKING:
    from workbench.attribution.sleeve_review import Period

SESSIONS, TRADES = 63, 4


def build(folder: Path, accounts: int, seed: int = 11) -> None:
    """Write a seeded firm whose accounts hold most of their model, trade four times and pay one fee in the quarter."""
    from workbench.firm import write_firm

    rng = np.random.default_rng(seed)
    ids = np.sort(np.array([*(f"S{i:04d}" for i in range(N_SECURITIES - 1)), "CASH"]))
    cash = ids == "CASH"
    first = np.where(cash, 1.0, rng.uniform(10, 300, N_SECURITIES).round(2))
    tables = small_tables(rng, ids, cash, first, accounts)
    close = _walks(rng, tables["prices"], len(ids), cash, first)
    sleeve = np.array([f"SL{i % SLEEVES}" for i in range(len(ids))])
    targets = tables["model_targets"]
    tables["model_targets"] = targets.assign(sleeve_id=sleeve[np.searchsorted(ids, targets["security_id"])])
    tables["sleeve_benchmarks"] = pd.DataFrame(
        {"sleeve_id": sleeve, "security_id": ids, "weight": SLEEVES / len(ids)}
    )[~cash]  # fmt: skip
    weights = tables["sleeve_benchmarks"].groupby("sleeve_id")["weight"].transform("sum")
    tables["sleeve_benchmarks"]["weight"] /= weights
    held = tables["model_targets"].groupby(["model_id", "sleeve_id"], as_index=False)["target"].sum()
    policy = held["target"] * rng.uniform(0.8, 1.25, len(held))
    tables["model_benchmarks"] = held[["model_id", "sleeve_id"]].assign(
        weight=policy / policy.groupby(held["model_id"]).transform("sum")
    )
    tables["positions"] = _positions(rng, tables, ids, cash, close[-1])
    tables["transactions"] = _transactions(rng, tables, ids, close)
    write_firm(folder, tables, AS_OF, check=False)


def _walks(
    rng: np.random.Generator, prices: pd.DataFrame, count: int, cash: np.ndarray, first: np.ndarray
) -> np.ndarray:
    """Put a random walk into the prices; the closes of the quarter's sessions."""
    days = len(prices) // count
    steps = np.where(cash, 0.0, rng.normal(0.0003, 0.01, (days, 1)) + rng.normal(0, 0.012, (days, count)))
    close = first * np.exp(np.cumsum(steps, axis=0))
    prices["close"] = prices["adj_close"] = close.ravel()
    return close[-SESSIONS - 1 :]


def _positions(
    rng: np.random.Generator, tables: dict[str, pd.DataFrame], ids: np.ndarray, cash: np.ndarray, price: np.ndarray
) -> pd.DataFrame:
    """Holdings near the models', and one in fifty dollars in cash."""
    positions, _ = holdings(rng, tables, ids, cash, price)
    positions = positions[positions["security_id"] != "CASH"]
    value = positions["quantity"] * price[np.searchsorted(ids, positions["security_id"])]
    idle = value.groupby(positions["account_id"]).sum().mul(0.02).round(2).rename("quantity").reset_index()
    return pd.concat([positions, idle.assign(security_id="CASH")[list(positions.columns)]], ignore_index=True)


def _transactions(
    rng: np.random.Generator, tables: dict[str, pd.DataFrame], ids: np.ndarray, close: np.ndarray
) -> pd.DataFrame:
    """Trades of a tenth of a holding near the close, one fee an account, and a deposit in every fifth."""
    accounts = tables["accounts"]["account_id"].to_numpy()
    held = tables["positions"]
    held = held[held["security_id"] != "CASH"].sample(TRADES * len(accounts), random_state=7)
    sessions = np.sort(tables["prices"]["date"].unique())[-SESSIONS:]
    day = rng.integers(1, SESSIONS, len(held))
    buys = rng.random(len(held)) < 0.5
    quantity = (held["quantity"].to_numpy() * 0.1).round(4) * np.where(buys, 1, -1)
    price = close[day + 1, np.searchsorted(ids, held["security_id"])] * (1 + 0.0004 * np.where(buys, 1, -1))
    trades = pd.DataFrame(
        {
            "account_id": held["account_id"].to_numpy(), "security_id": held["security_id"].to_numpy(),
            "trade_date": sessions[day], "kind": np.where(buys, "buy", "sell"), "quantity": quantity, "price": price,
            "amount": (-quantity * price).round(2),
        }
    )  # fmt: skip
    fees = pd.DataFrame({"account_id": accounts, "trade_date": sessions[5], "kind": "fee", "amount": -50.0})
    paid = pd.DataFrame({"account_id": accounts[::5], "trade_date": sessions[30], "kind": "deposit", "amount": 900.0})
    cash = pd.concat([fees, paid]).assign(security_id="CASH", quantity=0.0, price=np.nan)
    rows = pd.concat([trades, cash], ignore_index=True).sort_values("trade_date", kind="stable", ignore_index=True)
    return rows.assign(
        transaction_id=[f"T{i:07d}" for i in range(len(rows))], settle_date=rows["trade_date"], origin="rebalance",
        lot_id=None, acquired_on=pd.NaT,
    )  # fmt: skip


def measure(folder: str, period: Period) -> dict[str, float]:
    """Seconds, peak memory and the largest part of an account that no row explains, of all that the chapter shows."""
    began = time.perf_counter()
    from workbench.attribution import review_sleeves
    from workbench.firm import open_at

    imported = time.perf_counter()
    review = review_sleeves(open_at(folder), period)
    seconds = time.perf_counter() - imported
    accounts = review.accounts
    tied = accounts.firm.linked(accounts.linking).effects[0][: 3 * len(accounts.sleeves)].sum() - review.tree.model
    return {
        "accounts": len(accounts.accounts),
        "left_out": len(accounts.no_data),
        "seconds": round(seconds, 3),
        "imports": round(imported - began, 3),
        "gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 3),
        "unreconciled": float(np.abs(accounts.unreconciled).max()),
        "residual_bp": float(np.abs(accounts.effect("residual")).max() * 1e4),
        "tree": float(abs(tied)),
    }


def compare(accounts: int) -> dict[str, float]:
    """Run every measurement in a child of its own and return the figures."""
    with tempfile.TemporaryDirectory() as place:
        small, large = Path(place) / "small", Path(place) / "large"
        run_child("sleeves", "--build", str(small), "--accounts", "50")
        run_child("sleeves", "--measure", str(small), "quarter")
        run_child("sleeves", "--build", str(large), "--accounts", str(accounts))
        found = {
            "100k": run_child("sleeves", "--measure", str(large), "quarter"),
            "demo": run_child("sleeves", "--measure", "demo", "year"),
        }
    return {f"sleeves_{name}_{key}": value for name, part in found.items() for key, value in part.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--accounts", type=int, default=100_000, help="how many accounts (default 100,000)")
    parser.add_argument("--build", metavar="FOLDER", help=argparse.SUPPRESS)
    parser.add_argument("--measure", nargs=2, metavar=("FIRM", "PERIOD"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.build:
        build(Path(options.build), options.accounts)
        print("{}")
    elif options.measure:
        print(json.dumps(measure(*options.measure)))
    else:
        figures = compare(options.accounts)
        if options.json:
            print(json.dumps(figures))
        else:
            for name, figure in figures.items():
                print(f"{name:28} {figure:>14,.6g}")


if __name__ == "__main__":
    main()

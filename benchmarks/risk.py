"""Risk of 100,000 accounts x 30 holdings: split, stress, watch score, early warnings and habits, from Parquet files.

    python -m benchmarks.risk            # a table
    python -m benchmarks.risk --json     # one object, for a machine

Each part runs in a fresh child process, so that its peak memory is its own. The firm is that of `benchmarks.drift`
with four years of prices that move, profiles, and trades of a year. What every part needs first, reading the firm, is
timed apart.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.child import run_child
from benchmarks.drift import AS_OF, N_HOLDINGS, holdings, small_tables

SESSIONS, N_SECURITIES, TRADES = 1_300, 500, 4
PARTS = ("watch", "split", "stress", "score", "warnings", "habits")


def build(folder: Path, accounts: int, seed: int = 11) -> None:
    """Write a seeded firm of `accounts` accounts with 30 holdings each."""
    from workbench.firm import write_firm

    rng = np.random.default_rng(seed)
    ids = np.sort(np.array([*(f"S{i:04d}" for i in range(N_SECURITIES - 1)), "CASH"]))
    cash = ids == "CASH"
    price = np.where(cash, 1.0, rng.uniform(10, 300, N_SECURITIES).round(2))
    tables = small_tables(rng, ids, cash, price, accounts)
    del tables["factor_exposures"]
    tables["prices"] = _prices(rng, ids, cash, price)
    tables["positions"], tables["lots"] = holdings(rng, tables, ids, cash, price)
    tables["profiles"] = _profiles(rng, tables["households"]["household_id"])
    tables["transactions"] = _trades(rng, tables, ids, cash, price)
    write_firm(folder, tables, AS_OF, check=False)


def _prices(rng: np.random.Generator, ids: np.ndarray, cash: np.ndarray, price: np.ndarray) -> pd.DataFrame:
    """One market and noise of each security's own, ending at `price`."""
    days = pd.bdate_range(end=AS_OF, periods=SESSIONS)
    moves = rng.normal(0, 0.01, (SESSIONS, 1)) * rng.uniform(0.5, 1.5, len(ids)) + rng.normal(
        0, 0.015, (SESSIONS, len(ids))
    )
    path = np.exp(np.cumsum(np.where(cash, 0.0, moves), axis=0))
    close = (path / path[-1] * price).ravel()
    return pd.DataFrame(
        {
            "date": np.repeat(days, len(ids)), "security_id": np.tile(ids, SESSIONS), "close": close,
            "adj_close": close, "dividend": 0.0, "split_ratio": 1.0, "volume": 1e6,
        }
    )  # fmt: skip


def _profiles(rng: np.random.Generator, households: pd.Series) -> pd.DataFrame:
    count = len(households)
    return pd.DataFrame(
        {
            "household_id": households.to_numpy(), "risk_tolerance": rng.integers(1, 6, count),
            "risk_capacity": rng.integers(1, 6, count), "horizon_years": 20.0, "objective": "growth",
            "liquidity_need": "low", "knowledge": "medium", "sustainability": "none",
            "reviewed_on": AS_OF - pd.Timedelta(days=200),
        }
    )  # fmt: skip


def _trades(
    rng: np.random.Generator, tables: dict[str, pd.DataFrame], ids: np.ndarray, cash: np.ndarray, price: np.ndarray
) -> pd.DataFrame:
    """A few trades an account over a year, some of them by hand or by the client."""
    accounts = np.repeat(tables["accounts"]["account_id"].to_numpy(), TRADES)
    count = len(accounts)
    security = rng.choice(np.flatnonzero(~cash), count)
    buys = rng.random(count) < 0.5
    days = pd.bdate_range(end=AS_OF, periods=252)[rng.integers(0, 252, count)]
    shares = rng.uniform(5, 50, count).round(2) * np.where(buys, 1.0, -1.0)
    rows = pd.DataFrame(
        {
            "transaction_id": [f"T{i}" for i in range(count)], "account_id": accounts, "security_id": ids[security],
            "trade_date": days, "settle_date": days + pd.offsets.BDay(2), "kind": np.where(buys, "buy", "sell"),
            "quantity": shares, "price": price[security], "amount": -shares * price[security], "commission": 0.0,
            "origin": rng.choice(["rebalance", "manual", "client"], count, p=[0.8, 0.1, 0.1]), "decided_on": days,
        }
    )  # fmt: skip
    return rows.sort_values(["trade_date", "transaction_id"], ignore_index=True)


def measured(folder: Path, part: str) -> dict[str, float]:
    """Time one part in this process: its seconds, apart from reading the firm, and its peak resident memory in GiB."""
    from workbench import risk
    from workbench.firm import open_firm

    firm = open_firm(folder)
    start = time.perf_counter()
    watched = risk.watch(firm)
    read = time.perf_counter() - start
    trades = risk.load_trades(firm) if part == "habits" else None
    model = risk.estimate_risk(watched) if part in ("split", "stress") else None
    start = time.perf_counter()
    if part == "split":
        assert model is not None
        frame = risk.account_risk(watched, model)
        checked = float(frame["volatility"].sum())
    elif part == "stress":
        assert model is not None
        scenarios = risk.load_scenarios().for_universe(model.factors, sorted(set(watched.securities["asset_class"])))
        moves = risk.scenario_moves(watched, [model], scenarios)
        checked = sum(
            float(np.nansum(risk.stress_test(chunk.weights, moves, value=chunk.value).dollars))
            for chunk in risk.portfolio_chunks(watched)
        )
    elif part == "score":
        checked = float(risk.score_households(watched).table["score"].sum())
    elif part == "warnings":
        checked = float(len(risk.find_warnings(watched).to_frame()))
    elif part == "habits":
        assert trades is not None
        checked = float(sum(risk.find_patterns(watched, trades).tests.values()))
    else:
        checked = float(len(watched.quantity))
    if not np.isfinite(checked) or checked == 0:
        raise RuntimeError(f"nothing was measured in {part}")
    seconds = read if part == "watch" else time.perf_counter() - start
    return {"seconds": seconds, "gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20}


def compare(accounts: int, parts: tuple[str, ...] = PARTS) -> dict[str, float]:
    """Run every part in a child of its own and return the figures."""
    figures: dict[str, float] = {"accounts": accounts, "holdings": accounts * N_HOLDINGS}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "firm"
        run_child(
            "risk", "--build", str(folder), "--accounts", str(accounts)
        )  # a process inherits its parent's peak memory
        for part in parts:
            found = run_child("risk", "--measure", str(folder), "--part", part)
            figures |= {f"risk_{part}_s": round(found["seconds"], 2), f"risk_{part}_gib": round(found["gib"], 2)}
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--accounts", type=int, default=100_000, help="how many accounts (default 100,000)")
    parser.add_argument("--part", choices=PARTS, help="this part alone")
    parser.add_argument("--build", metavar="FOLDER", help=argparse.SUPPRESS)
    parser.add_argument("--measure", metavar="FOLDER", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.build:
        build(Path(options.build), options.accounts)
        print("{}")
    elif options.measure:
        print(json.dumps(measured(Path(options.measure), options.part)))
    else:
        figures = compare(options.accounts, (options.part,) if options.part else PARTS)
        if options.json:
            print(json.dumps(figures))
        else:
            for name, figure in figures.items():
                print(f"{name:28} {figure:>12,}")


if __name__ == "__main__":
    main()

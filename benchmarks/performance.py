"""The ledger of daily holdings and account returns: the demo firm over three years, and 100,000 accounts a quarter.

    python -m benchmarks.performance            # a table
    python -m benchmarks.performance --json     # one object, for a machine

Each measurement runs in a fresh child process, so that its peak memory is its own. The large firm is that of
`benchmarks.drift`, with 30 holdings an account, prices that move and four rows an account in the quarter (a purchase, a
dividend, a deposit and a fee); it is read from Parquet and gone through in chunks.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

from benchmarks.child import run_child

ACCOUNTS = 100_000
#: Closes of the large firm's measurement: a quarter of sessions and the close before.
CLOSES = 64


def build(folder: Path, accounts: int, seed: int = 13) -> None:
    """Write the large firm."""
    import numpy as np

    from benchmarks import drift
    from workbench.firm import open_firm, write_firm

    drift.build(folder, accounts)
    tables = open_firm(folder).tables()
    rng = np.random.default_rng(seed)
    prices = tables["prices"].sort_values(["date", "security_id"], ignore_index=True)
    days, names = prices["date"].drop_duplicates(), prices["security_id"].drop_duplicates()
    moves = np.cumprod(1.0 + rng.normal(0.0003, 0.01, (len(days), len(names))), axis=0)
    moves[:, names.to_numpy() == "CASH"] = 1.0
    prices["close"] = prices["adj_close"] = prices["close"] * moves.ravel()
    tables["prices"] = prices
    tables["transactions"] = _rows(rng, tables, days.to_numpy()[-CLOSES + 1 :])
    write_firm(folder, tables, drift.AS_OF, check=False)


def _rows(rng: np.random.Generator, tables: dict[str, pd.DataFrame], days: np.ndarray) -> pd.DataFrame:
    """A purchase and a dividend of each account's first holding, a deposit and a fee, on days of the quarter."""
    import numpy as np
    import pandas as pd

    positions = tables["positions"]
    held = positions[positions["security_id"] != "CASH"].drop_duplicates("account_id").reset_index(drop=True)
    last = tables["prices"].drop_duplicates("security_id", keep="last").set_index("security_id")["close"]
    price = held["security_id"].map(last).to_numpy(np.float64)
    shares = held["quantity"].to_numpy(np.float64) * 0.1
    kinds = {
        "buy": (held["security_id"], shares, -shares * price, "rebalance"),
        "dividend": (held["security_id"], 0.0, shares * price * 0.02, "custodian"),
        "deposit": ("CASH", 0.0, 5_000.0, "client"),
        "fee": ("CASH", 0.0, -250.0, "fee"),
    }
    parts = [
        pd.DataFrame(
            {
                "account_id": held["account_id"], "security_id": security, "trade_date": rng.choice(days, len(held)),
                "kind": kind, "quantity": quantity, "price": price if kind == "buy" else np.nan, "amount": amount,
                "origin": origin, "lot_id": None,
            }
        )
        for kind, (security, quantity, amount, origin) in kinds.items()
    ]  # fmt: skip
    rows = pd.concat(parts, ignore_index=True)
    rows.insert(0, "transaction_id", [f"T{number}" for number in range(len(rows))])
    return rows.assign(settle_date=rows["trade_date"])


def measure(folder: str, start: str) -> dict[str, float]:
    """Seconds and peak memory of reading the ledger in chunks and making net and gross returns of it."""
    import numpy as np

    from workbench import performance
    from workbench.firm import open_at

    firm = open_at(folder)
    began = time.perf_counter()
    worst, accounts, slots, days = 0.0, 0, 0, 0
    for daily in performance.chunks(firm, start):
        net = performance.account_returns(daily)
        net.before_fees()
        scale = np.maximum(net.value.max(axis=1, keepdims=True), 1.0)
        worst = max(worst, float(np.abs(daily.unexplained / scale).max()))
        accounts, slots, days = accounts + len(daily.accounts), slots + len(daily.slot_security), net.daily.shape[1]
    return {
        "accounts": accounts,
        "sessions": days,
        "holdings": slots / accounts,
        "seconds": time.perf_counter() - began,
        "unexplained": worst,
        "peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2,
    }


def start_of(folder: str) -> str:
    """The close that the quarter starts from."""
    from workbench.firm import open_at

    return str(open_at(folder).table("prices", ["date"])["date"].drop_duplicates().nlargest(CLOSES).min().date())


def main() -> None:
    """Print the measurements."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one object, for a machine")
    parser.add_argument("--accounts", type=int, default=ACCOUNTS, help="how many accounts (default 100,000)")
    parser.add_argument("--measure", nargs=2, metavar=("FOLDER", "START"), help=argparse.SUPPRESS)
    parser.add_argument("--build", metavar="FOLDER", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        folder, start = options.measure
        print(json.dumps(measure(folder, start or start_of(folder))))
        return
    if options.build:
        build(Path(options.build), options.accounts)
        print("{}")
        return
    with tempfile.TemporaryDirectory() as place:
        large = str(Path(place) / "large")
        # In a process of its own, for a child's peak begins at its parent's.
        run_child("performance", "--build", large, "--accounts", str(options.accounts))
        found = {
            "demo_3_years": run_child("performance", "--measure", "demo", "2019-12-31"),
            "100k_quarter": run_child("performance", "--measure", large, ""),
        }
    if options.json:
        print(json.dumps({f"ledger_{name}_{key}": v for name, part in found.items() for key, v in part.items()}))
        return
    for name, part in found.items():
        print(
            f"{name:14} {part['accounts']:8,.0f} accounts x {part['sessions']:,.0f} sessions x "
            f"{part['holdings']:.0f} holdings {part['seconds']:7.2f} s {part['peak_gib']:6.2f} GiB, "
            f"unexplained at most {part['unexplained']:.1e} of an account"
        )


if __name__ == "__main__":
    main()

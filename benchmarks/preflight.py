"""The pre-flight of a large firm: seconds for 100,000 proposals, how they grow, and how much memory they take.

    python -m benchmarks.preflight            # a table
    python -m benchmarks.preflight --json     # one object, for a machine
    python -m benchmarks.preflight --quick    # 10,000 proposals at most

A made-up firm is built by columns: a household has one or two accounts of 25 holdings each out of 500 securities, a
proposal sells five and buys five. Every rule of the house rulebook judges each; what it finds means nothing
here. Each size runs in a process of its own with one thread for linear algebra. `preflight_*_s` is flat orders in,
verdicts of every rule out; reading the firm is `view_*_s`. Proposals as data classes are flattened on a smaller number
and scaled up.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from datetime import date

import numpy as np
import pandas as pd

from workbench.compliance import FirmView, Orders, Rulebook, preflight

SIZES = (10_000, 30_000, 100_000)
KEYS = ("preflight_100k_s", "preflight_100k_cpu_s", "from_dataclasses_s", "preflight_100k_gib")
AS_OF = pd.Timestamp("2022-12-28")
SECURITIES, HOLDINGS, TRADES = 500, 25, 10
_REGISTRATIONS = np.array(["taxable", "traditional_ira", "roth_ira", "trust"])
_ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}


def measure(quick: bool = False) -> dict[str, float]:
    """Run each size in a process of its own and return the figures by name."""
    figures: dict[str, float] = {}
    for size in SIZES[: 1 if quick else None]:
        print(f"{size:,} proposals ...", file=sys.stderr, flush=True)
        code = f"import json; from benchmarks.preflight import measure_one; print(json.dumps(measure_one({size})))"
        answer = subprocess.run(
            [sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True, env=os.environ | _ONE_THREAD
        )
        figures |= json.loads(answer.stdout.splitlines()[-1])
    figures["from_dataclasses_s"] = _flattening(500 if quick else 2_000)
    return figures


def measure_one(n: int) -> dict[str, float]:
    """Judge n proposals once and return seconds and memory under names that carry the size."""
    start = time.perf_counter()
    view = FirmView.of(tables(n), AS_OF)
    built = time.perf_counter()
    orders = made_up_orders(view)
    name = f"{n // 1000}k"
    ready, cpu = time.perf_counter(), time.process_time()
    found = preflight(view, orders, Rulebook.default())
    done, spent_cpu = time.perf_counter(), time.process_time() - cpu
    words = time.perf_counter()
    documents = [found.document(i) for i in range(0, n, max(n // 1000, 1))]
    spent = time.perf_counter() - words
    figures = {
        f"preflight_{name}_s": done - ready,
        f"preflight_{name}_cpu_s": spent_cpu,
        f"view_{name}_s": built - start,
        f"preflight_{name}_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        f"trades_{name}": float(len(orders.shares)),
        f"document_{name}_ms": spent / len(documents) * 1e3,
    }
    return figures | {"rules": float(len(found.rules))}


def _flattening(n: int) -> float:
    """Seconds to flatten 100,000 proposals of the demo firm's shape, scaled up from n of them."""
    from workbench import rebalance
    from workbench.firm import open_at

    book = rebalance.load(open_at("demo"), with_lineage=False)
    few = [p for p in rebalance.propose_firm(book, rebalance.Settings(), households=range(40)) if p.trades]
    many = [few[i % len(few)] for i in range(n)]
    trades = sum(len(p.trades) for p in many) / n
    start = time.perf_counter()
    Orders.from_proposals(many)
    return (time.perf_counter() - start) * 100_000 / n * TRADES / trades


def tables(n: int, seed: int = 7) -> dict[str, pd.DataFrame]:
    """A sound firm of n households, built by columns; the same for a seed."""
    rng = np.random.default_rng(seed)
    securities = _securities(rng)
    ids = securities["security_id"].to_numpy(object)
    price = np.append(np.round(rng.uniform(20, 400, SECURITIES), 2), 1.0)
    household = np.array([f"H{i:06d}" for i in range(n)], object)
    owner = np.sort(np.concatenate([np.arange(n), np.arange(0, n, 2)]))
    account = np.array([f"A{i:06d}" for i in range(len(owner))], object)
    held = np.array([rng.choice(SECURITIES, HOLDINGS, replace=False) for _ in range(256)])[
        rng.integers(0, 256, len(owner))
    ]
    quantity = np.round(rng.uniform(20, 60, held.shape))
    where = pd.Categorical.from_codes(np.repeat(np.arange(len(owner)), HOLDINGS), account)
    what = pd.Categorical.from_codes(held.ravel(), ids)
    cash = pd.DataFrame(
        {"account_id": account, "security_id": "CASH", "quantity": rng.uniform(5_000, 20_000, len(owner))}
    )
    old = rng.integers(30, 3_000, held.size)
    acquired = AS_OF - pd.to_timedelta(old, unit="D")
    lots = pd.DataFrame(
        {
            "lot_id": [f"L{i:08d}" for i in range(held.size)],
            "account_id": where,
            "security_id": what,
            "quantity": quantity.ravel(),
            "cost_per_share": np.round(price[held.ravel()] * rng.uniform(0.5, 1.2, held.size), 2),
            "acquired_on": acquired,
            "holding_start": acquired + pd.Timedelta(days=1),
            "wash_adjustment": 0.0,
            "covered": True,
        }
    )
    return {
        "securities": securities,
        "prices": pd.DataFrame({"security_id": ids, "date": AS_OF, "close": price, "yearly_dividend": price * 0.02}),
        "households": _households(household, rng),
        "profiles": _profiles(household, rng),
        "accounts": _accounts(account, household[owner], rng),
        "positions": pd.concat(
            [
                pd.DataFrame({"account_id": where.astype(object), "security_id": what.astype(object),
                              "quantity": quantity.ravel()}),
                cash,
            ]
        ),
        "lots": lots,
        "transactions": _transactions(lots, price, held, rng),
        "restrictions": _restrictions(household, ids, rng),
        "models": pd.DataFrame(
            {"model_id": ["GRO"], "version": [1], "name": ["Growth"], "effective_date": [pd.Timestamp("2015-01-01")],
             "status": ["active"], "benchmark": ["-"], "approved_by": ["-"], "rationale": ["-"]}
        ),
        "model_targets": pd.DataFrame(
            {"model_id": "GRO", "version": 1, "sleeve_id": "CORE", "security_id": ids, "target": 1 / len(ids),
             "lower": np.nan, "upper": np.nan}
        ),
        "custodians": pd.DataFrame({"custodian_id": ["CUS1"], "name": ["-"], "ticket_fee": [0.0], "fee_rate": [0.0]}),
    }  # fmt: skip


def _securities(rng: np.random.Generator) -> pd.DataFrame:
    ids = [f"S{i:03d}" for i in range(SECURITIES)]
    kind = np.where(np.arange(SECURITIES) % 4 == 0, "etf", "stock")
    frame = pd.DataFrame(
        {
            "security_id": [*ids, "CASH"],
            "name": [*ids, "Cash"],
            "kind": [*kind, "cash"],
            "asset_class": [*rng.choice(["US equity", "International equity", "Treasuries"], SECURITIES), "Cash"],
            "sector": [*(f"Sector {i % 11}" for i in range(SECURITIES)), "Cash"],
            "region": "North America",
            "issuer_id": [*(f"I{i // 2:03d}" for i in range(SECURITIES)), "United States"],
            "currency": "USD",
            "expense_ratio": 0.001,
            "half_spread": 0.0002,
            "adv": [*rng.uniform(1e5, 1e7, SECURITIES), np.nan],
            "screens": [*([["tobacco"] if i % 20 == 0 else [] for i in range(SECURITIES)]), []],
            "identical_group": None,
            "identical_confidence": None,
            "simulated": False,
        }
    )
    return frame.astype({"identical_group": "object", "identical_confidence": "object"})


def _households(household: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    n = len(household)
    return pd.DataFrame(
        {
            "household_id": household,
            "name": household,
            "advisor_id": "ADV1",
            "filing_status": rng.choice(["single", "joint"], n),
            "ordinary_rate": 0.24,
            "long_term_rate": 0.15,
            "state_rate": 0.05,
            "niit": rng.random(n) < 0.3,
            "gain_budget": np.where(rng.random(n) < 0.5, 25_000.0, np.nan),
            "realised_short": 0.0,
            "realised_long": rng.uniform(-5_000, 5_000, n),
            "carryforward_short": 0.0,
            "carryforward_long": 0.0,
        }
    )


def _profiles(household: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    n = len(household)
    return pd.DataFrame(
        {
            "household_id": household,
            "risk_tolerance": rng.integers(1, 6, n),
            "risk_capacity": rng.integers(1, 6, n),
            "horizon_years": rng.uniform(3, 40, n),
            "objective": rng.choice(["growth", "balanced growth", "income"], n),
            "liquidity_need": rng.choice(["low", "medium", "high"], n),
            "knowledge": rng.choice(["low", "medium", "high"], n),
            "sustainability": "none",
            "reviewed_on": AS_OF - pd.to_timedelta(rng.integers(10, 500, n), unit="D"),
        }
    )


def _accounts(account: np.ndarray, household: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    n = len(account)
    return pd.DataFrame(
        {
            "account_id": account,
            "household_id": household,
            "advisor_id": "ADV1",
            "custodian_id": "CUS1",
            "registration": _REGISTRATIONS[rng.integers(0, len(_REGISTRATIONS), n)],
            "owner_birth_date": pd.Timestamp("1970-01-01"),
            "discretionary": rng.random(n) < 0.9,
            "model_id": "GRO",
            "opened_on": pd.Timestamp("2015-01-01"),
            "last_rebalanced_on": pd.NaT,
            "rollout_mode": "release",
            "stated_value": 0.0,
        }
    )


def _transactions(lots: pd.DataFrame, price: np.ndarray, held: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """The purchases of the last year's lots, and as many sales of lots that are gone."""
    recent = (lots["acquired_on"] > AS_OF - pd.Timedelta(days=400)).to_numpy()
    rows = lots[recent].reset_index(drop=True)
    close = price[held.ravel()[recent]]
    buys = pd.DataFrame(
        {
            "account_id": rows["account_id"].astype(object), "security_id": rows["security_id"].astype(object),
            "trade_date": rows["acquired_on"], "settle_date": rows["acquired_on"], "kind": "buy",
            "quantity": rows["quantity"], "price": rows["cost_per_share"],
            "amount": -rows["quantity"] * rows["cost_per_share"],
            "origin": np.where(rng.random(len(rows)) < 0.1, "reinvestment", "rebalance"), "lot_id": rows["lot_id"],
        }
    )  # fmt: skip
    sells = buys.assign(kind="sell", quantity=-buys["quantity"], price=close, amount=buys["quantity"] * close,
                        origin="rebalance", lot_id="Z" + buys["lot_id"])  # fmt: skip
    trades = pd.concat([buys, sells], ignore_index=True)
    return trades.assign(transaction_id=[f"T{i:08d}" for i in range(len(trades))])


def _restrictions(household: np.ndarray, ids: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    n = len(household) // 2
    kind = rng.choice(["never_buy", "never_sell", "never_hold", "screen", "min_cash", "max_weight"], n)
    key = np.where(
        kind == "screen", "tobacco", np.where(kind == "min_cash", "CASH", ids[rng.integers(0, SECURITIES, n)])
    )
    value = np.where(kind == "min_cash", 2_000.0, np.where(kind == "max_weight", 0.10, np.nan))
    return pd.DataFrame(
        {
            "restriction_id": [f"R{i:06d}" for i in range(n)],
            "scope": "household",
            "scope_id": household[rng.choice(len(household), n, replace=False)],
            "kind": kind,
            "key": key.astype(object),
            "value": value,
            "reason": "As instructed",
            "source_document": "Client instruction",
            "expires_on": pd.NaT,
        }
    )


def made_up_orders(view: FirmView, seed: int = 11) -> Orders:
    """One proposal a household: its first account sells five lots whole and buys five of its other holdings."""
    rng = np.random.default_rng(seed)
    n = len(view.household_ids)
    account = view.household_ptr[:-1]
    first = np.searchsorted(view.lot_account, account)
    place = first[:, None] + np.argsort(rng.random((n, HOLDINGS)), axis=1)[:, :TRADES]
    half = TRADES // 2
    sold, bought = place[:, :half], place[:, half:]
    price = view.price[view.lot_security]
    worth = (view.lot_quantity[sold] * price[sold]).sum(axis=1)
    shares = np.concatenate(
        [view.lot_quantity[sold], np.floor(worth[:, None] / half / price[bought] * rng.uniform(0.6, 1.0, (n, half)))],
        axis=1,
    )
    sell = np.tile(np.arange(TRADES) < half, n)
    security = view.lot_security[place].ravel()
    gain = view.lot_quantity[sold] * (price[sold] - view.lot_basis[sold])
    who = np.arange(n)
    flat = shares.ravel()
    keep = flat > 0
    every = np.flatnonzero(keep)
    number = np.cumsum(keep) - 1
    lot_rows = np.flatnonzero(sell & keep)
    held_cash = view.holding_quantity[view.holding_security == view.cash]
    holder = np.repeat(np.arange(len(view.account_ids)), np.diff(view.account_ptr))
    value = np.bincount(holder, weights=view.holding_quantity * view.price[view.holding_security])
    flow = np.bincount(
        np.repeat(account, TRADES)[every],
        weights=np.where(sell, 1.0, -1.0)[every] * np.round(flat * view.price[security], 2)[every],
        minlength=len(held_cash),
    )
    zero = np.zeros(len(every))
    return Orders.from_columns(
        household=view.household_ids, advisor=np.full(n, "ADV1", object), as_of=np.full(n, date(2022, 12, 28)),
        mode=np.full(n, "full", object), benefit=np.full(n, 500.0), tax=np.zeros(n), cost=np.zeros(n),
        proposed_short=np.zeros(n), proposed_long=gain.sum(axis=1), settings=((("whole_shares", "True"),),) * n,
        proposal=np.repeat(who, TRADES)[every], account=np.repeat(view.account_ids[account], TRADES)[every],
        security=view.security_ids[security][every], sell=sell[every], shares=flat[every],
        price=view.price[security][every], amount=np.round(flat * view.price[security], 2)[every], gain_short=zero,
        gain_long=zero, trade_tax=zero, trade_cost=zero, fee=zero,
        lot_trade=number[lot_rows], lot_id=view.lot_id[place.ravel()[lot_rows]], lot_shares=flat[lot_rows],
        lot_gain=gain.ravel(), lot_term=np.full(len(lot_rows), "long", object), lot_disallowed=np.zeros(len(lot_rows)),
        state_proposal=view.account_household, state_account=view.account_ids, state_value=value,
        state_cash_before=held_cash, state_cash_after=held_cash + flow,
        need_proposal=[], need_account=[], need_kind=[], needed=[], need_source=[],
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="10,000 proposals at most")
    arguments = parser.parse_args()
    figures = measure(arguments.quick)
    if arguments.json:
        print(json.dumps(figures))
        return
    for name in (*(k for k in KEYS if k in figures), *(k for k in figures if k not in KEYS)):
        print(f"{name:<36}{figures[name]:>16,.4g}")
    print(f"load of the machine (1, 5, 15 minutes): {' '.join(f'{load:.1f}' for load in os.getloadavg())}")


if __name__ == "__main__":
    main()

"""Drift of 100,000 accounts x 30 holdings at every level, from Parquet files, against the obvious pandas loop.

    python -m benchmarks.drift            # a table
    python -m benchmarks.drift --json     # one object, for a machine

Each measurement runs in a fresh child process, so that its peak memory is its own, with the kernels compiled and
cached by a first run on a small firm. What is timed: opening the firm, reading its tables, measuring all six levels
with tracking error, counting breaches and making the frame of one row an account. With lots, also the tax of
correcting each account.
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
from workbench.market import FactorModel

AS_OF = pd.Timestamp("2022-06-30")
N_SECURITIES, N_HOLDINGS, N_MODELS, N_FACTORS, N_LOTS = 500, 30, 20, 6, 2
SECTORS, REGIONS, CLASSES, SLEEVES = 11, 5, 6, 8
LOOP_SAMPLE = 200


def build(folder: Path, accounts: int, seed: int = 11) -> None:
    """Write a seeded firm of `accounts` accounts, each with 30 holdings, most of them of its model."""
    from workbench.firm import write_firm

    rng = np.random.default_rng(seed)
    ids = np.array([*(f"S{i:04d}" for i in range(N_SECURITIES - 1)), "CASH"])
    order = np.argsort(ids)
    ids = ids[order]
    cash = ids == "CASH"
    price = np.where(cash, 1.0, rng.uniform(10, 300, N_SECURITIES).round(2))
    tables = small_tables(rng, ids, cash, price, accounts)
    tables["positions"], tables["lots"] = holdings(rng, tables, ids, cash, price)
    write_firm(folder, tables, AS_OF, check=False)


def small_tables(
    rng: np.random.Generator, ids: np.ndarray, cash: np.ndarray, price: np.ndarray, accounts: int
) -> dict[str, pd.DataFrame]:
    n = len(ids)
    names = {
        "sector": [f"Sector {i}" for i in range(SECTORS)],
        "asset_class": [f"Class {i}" for i in range(CLASSES)],
        "region": [f"Region {i}" for i in range(REGIONS)],
    }
    securities = pd.DataFrame({"security_id": ids, "name": ids, "kind": np.where(cash, "cash", "stock")})
    for column, labels in names.items():
        securities[column] = rng.choice(labels, n)
    securities = securities.assign(
        issuer_id=ids, currency="USD", expense_ratio=0.0, half_spread=0.0002, simulated=True,
        adv=np.where(cash, np.nan, rng.uniform(1e5, 1e7, n)), screens=[[] for _ in ids],
        identical_group=None, identical_confidence=None,
    )  # fmt: skip
    sessions = pd.bdate_range(end=AS_OF, periods=252)
    prices = pd.DataFrame(
        {
            "date": np.repeat(sessions, n), "security_id": np.tile(ids, len(sessions)),
            "close": np.tile(price, len(sessions)), "adj_close": np.tile(price, len(sessions)),
            "dividend": 0.0, "split_ratio": 1.0, "volume": 1e6,
        }
    )  # fmt: skip
    models = pd.DataFrame(
        {
            "model_id": [f"M{i:02d}" for i in range(N_MODELS)], "version": 1, "name": "model",
            "effective_date": AS_OF - pd.Timedelta(days=400), "status": "active", "benchmark": "-",
            "approved_by": "-", "rationale": "-",
        }
    )  # fmt: skip
    targets = []
    for model in models["model_id"]:
        chosen = np.sort(rng.choice(n, N_HOLDINGS, replace=False))
        targets.append(
            pd.DataFrame(
                {
                    "model_id": model, "version": 1, "security_id": ids[chosen],
                    "sleeve_id": [f"SL{i}" for i in rng.integers(0, SLEEVES, N_HOLDINGS)],
                    "target": rng.dirichlet(np.full(N_HOLDINGS, 5.0)), "lower": np.nan, "upper": np.nan,
                }
            )
        )  # fmt: skip
    levels = ["security", "sector", "asset_class", "region", "sleeve", "factor"]
    tolerances = pd.MultiIndex.from_product([models["model_id"], levels], names=["model_id", "level"]).to_frame(
        index=False
    )
    households = pd.DataFrame({"household_id": [f"H{i:06d}" for i in range(max(accounts // 2, 1))]}).assign(
        name="-", advisor_id="V1", filing_status="joint", ordinary_rate=0.32, long_term_rate=0.15, state_rate=0.05,
        niit=True, gain_budget=np.nan, realised_short=0.0, realised_long=0.0, carryforward_short=0.0,
        carryforward_long=0.0,
    )  # fmt: skip
    account_table = pd.DataFrame(
        {
            "account_id": [f"A{i:06d}" for i in range(accounts)],
            "household_id": rng.choice(households["household_id"].to_numpy(), accounts), "advisor_id": "V1",
            "custodian_id": "C1",
            "registration": rng.choice(["taxable", "roth_ira", "traditional_ira"], accounts, p=[0.5, 0.2, 0.3]),
            "owner_birth_date": pd.Timestamp("1960-01-01"), "discretionary": True,
            "model_id": rng.choice(models["model_id"].to_numpy(), accounts),
            "opened_on": AS_OF - pd.Timedelta(days=900), "last_rebalanced_on": AS_OF - pd.Timedelta(days=100),
            "rollout_mode": "release", "stated_value": 0.0,
        }
    )  # fmt: skip
    exposures = pd.DataFrame(
        {
            "security_id": np.repeat(ids, N_FACTORS), "factor": np.tile([f"F{i}" for i in range(N_FACTORS)], n),
            "exposure": np.where(np.repeat(cash, N_FACTORS), 0.0, rng.normal(0, 1, n * N_FACTORS)),
        }
    )  # fmt: skip
    return {
        "securities": securities, "prices": prices, "models": models,
        "model_targets": pd.concat(targets, ignore_index=True),
        "tolerances": tolerances.assign(key="*", absolute=0.03, relative=0.25),
        "households": households, "accounts": account_table, "factor_exposures": exposures,
        "sleeves": pd.DataFrame({"sleeve_id": [f"SL{i}" for i in range(SLEEVES)], "name": "-", "manager": "-"}),
    }  # fmt: skip


def holdings(
    rng: np.random.Generator, tables: dict[str, pd.DataFrame], ids: np.ndarray, cash: np.ndarray, price: np.ndarray
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Positions near the model's targets (27 of its names, 3 others) and their lots, two each."""
    accounts, targets = tables["accounts"], tables["model_targets"]
    security = {model: np.searchsorted(ids, rows["security_id"]) for model, rows in targets.groupby("model_id")}
    weight = {model: rows["target"].to_numpy() for model, rows in targets.groupby("model_id")}
    models = sorted(security)
    held = np.empty((len(accounts), N_HOLDINGS), np.int32)
    weights = np.empty((len(accounts), N_HOLDINGS))
    for model in models:
        mine = np.flatnonzero(accounts["model_id"] == model)
        others = np.setdiff1d(np.arange(len(ids)), security[model])
        codes = np.tile(security[model], (len(mine), 1))
        codes[:, -3:] = others[(rng.integers(0, len(others), (len(mine), 1)) + np.arange(3) * 101) % len(others)]
        held[mine] = codes
        weights[mine] = weight[model] * rng.lognormal(0, 0.15, codes.shape)
    order = np.argsort(held, axis=1)
    held, weights = np.take_along_axis(held, order, 1), np.take_along_axis(weights, order, 1)
    value = rng.lognormal(12.5, 1.0, len(accounts))[:, None] * weights / weights.sum(axis=1, keepdims=True)
    flat = held.ravel()
    owner = np.repeat(np.arange(len(accounts)), N_HOLDINGS)
    quantity = np.maximum((value.ravel() / price[flat]).round(4), 0.0001)
    names = {"account_id": accounts["account_id"].to_numpy(), "security_id": ids}

    def text(column: str, codes: np.ndarray) -> pd.Series:
        return pd.Series(pd.Categorical.from_codes(codes, categories=names[column])).astype("str")

    positions = pd.DataFrame(
        {"account_id": text("account_id", owner), "security_id": text("security_id", flat), "quantity": quantity}
    )
    lots = np.repeat(np.flatnonzero(~cash[flat]), N_LOTS)
    acquired = AS_OF - pd.to_timedelta(rng.integers(30, 2000, len(lots)), unit="D")
    return positions, pd.DataFrame(
        {
            "lot_id": [f"L{i}" for i in range(len(lots))],
            "account_id": text("account_id", owner[lots]), "security_id": text("security_id", flat[lots]),
            "quantity": quantity[lots] / N_LOTS, "cost_per_share": price[flat[lots]] * rng.uniform(0.4, 1.2, len(lots)),
            "acquired_on": acquired, "holding_start": acquired + pd.Timedelta(days=1), "wash_adjustment": 0.0,
            "covered": True,
        }
    )  # fmt: skip


def risk_model(seed: int = 5) -> FactorModel:
    """A factor model over the benchmark's securities."""
    rng = np.random.default_rng(seed)
    ids = tuple(sorted([*(f"S{i:04d}" for i in range(N_SECURITIES - 1)), "CASH"]))
    root = rng.normal(0, 0.08, (N_FACTORS, N_FACTORS))
    return FactorModel(
        ids, rng.normal(0, 1, (N_SECURITIES, N_FACTORS)), tuple(f"F{i}" for i in range(N_FACTORS)),
        root @ root.T, rng.uniform(0.01, 0.1, N_SECURITIES), 252, "synthetic",
    )  # fmt: skip


def measured(folder: Path, with_lots: bool) -> dict[str, float]:
    """Time one whole measurement in this process; seconds and its peak resident memory in GiB."""
    from workbench import drift
    from workbench.firm import open_firm

    covariance = risk_model()
    start = time.perf_counter()
    inputs = drift.load(open_firm(folder), with_lots=with_lots)
    loaded = time.perf_counter()
    result = drift.measure(inputs, covariance=covariance)
    accounts = result.accounts
    end = time.perf_counter()
    if len(accounts) + len(result.no_data) == 0 or not np.isfinite(accounts["tracking_error"]).all():
        raise RuntimeError("nothing was measured")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {
        "seconds": end - start,
        "load": loaded - start,
        "gib": peak,
        "checksum": float(accounts["active_share"][:LOOP_SAMPLE].sum()),
    }


def pandas_loop(folder: Path, sample: int) -> dict[str, float]:
    """The obvious way, seconds an account: merge one account with its model and group by each level."""
    from workbench.firm import open_firm

    firm = open_firm(folder)
    securities = firm.table("securities")
    prices = firm.table("prices")
    prices = prices[prices["date"] == firm.as_of][["security_id", "close"]]
    targets, tolerances = firm.table("model_targets"), firm.table("tolerances")
    exposures = firm.table("factor_exposures").pivot(index="security_id", columns="factor", values="exposure")
    accounts = firm.table("accounts").head(sample)
    positions = firm.table("positions")
    positions = positions[positions["account_id"].isin(accounts["account_id"])]
    covariance = risk_model().covariance()
    start = time.perf_counter()
    total = 0.0
    for account in accounts.itertuples():
        held = positions[positions["account_id"] == account.account_id].merge(prices, on="security_id")
        held["weight"] = held["quantity"] * held["close"] / (held["quantity"] * held["close"]).sum()
        model = targets[targets["model_id"] == account.model_id]
        rows = held[["security_id", "weight"]].merge(
            model[["security_id", "sleeve_id", "target"]], on="security_id", how="outer"
        )
        rows[["weight", "target"]] = rows[["weight", "target"]].fillna(0.0)
        rows = rows.merge(securities[["security_id", "sector", "asset_class", "region"]], on="security_id")
        rows["sleeve_id"] = rows["sleeve_id"].fillna("Off model")
        rows["deviation"] = rows["weight"] - rows["target"]
        bands = tolerances[tolerances["model_id"] == account.model_id].set_index("level")
        for level in ("security_id", "sector", "asset_class", "region", "sleeve_id"):
            grouped = rows.groupby(level)[["weight", "target", "deviation"]].sum()
            band = bands.loc[level.removesuffix("_id")]
            width = np.fmin(band["absolute"], band["relative"] * grouped["target"])
            grouped["breach"] = grouped["deviation"].abs() > width
        active = rows.set_index("security_id")["deviation"]
        active @ exposures.loc[active.index]
        risk = covariance.loc[active.index, active.index]
        np.sqrt(active @ risk @ active)
        total += 0.5 * active.abs().sum()
    return {"seconds": (time.perf_counter() - start) / sample, "checksum": total}


def compare(accounts: int) -> dict[str, float]:
    """Run every measurement in a child of its own and return the figures."""
    with tempfile.TemporaryDirectory() as name:
        warm, folder = Path(name) / "warm", Path(name) / "firm"
        run_child(
            "drift", "--build", str(warm), "--accounts", "50"
        )  # in a child: a process inherits its parent's peak memory
        run_child("drift", "--measure", str(warm), "--lots")
        run_child("drift", "--build", str(folder), "--accounts", str(accounts))
        plain = run_child("drift", "--measure", str(folder))
        with_tax = run_child("drift", "--measure", str(folder), "--lots")
        loop = run_child("drift", "--loop", str(folder))
    if abs(loop["checksum"] - plain["checksum"]) > 1e-9:
        raise RuntimeError(f"the loop and the kernels disagree: {loop['checksum']} and {plain['checksum']}")
    return {
        "accounts": accounts,
        "drift_100k_s": round(plain["seconds"], 3),
        "drift_100k_gib": round(plain["gib"], 3),
        "drift_100k_load_s": round(plain["load"], 3),
        "drift_100k_with_tax_s": round(with_tax["seconds"], 3),
        "drift_100k_with_tax_gib": round(with_tax["gib"], 3),
        "drift_pandas_loop_scaled_s": round(loop["seconds"] * accounts, 1),
        "drift_ratio_pandas_loop": round(loop["seconds"] * accounts / plain["seconds"], 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--accounts", type=int, default=100_000, help="how many accounts (default 100,000)")
    parser.add_argument("--build", metavar="FOLDER", help=argparse.SUPPRESS)
    parser.add_argument("--measure", metavar="FOLDER", help=argparse.SUPPRESS)
    parser.add_argument("--loop", metavar="FOLDER", help=argparse.SUPPRESS)
    parser.add_argument("--lots", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.build:
        build(Path(options.build), options.accounts)
        print("{}")
    elif options.measure:
        print(json.dumps(measured(Path(options.measure), options.lots)))
    elif options.loop:
        print(json.dumps(pandas_loop(Path(options.loop), LOOP_SAMPLE)))
    else:
        figures = compare(options.accounts)
        if options.json:
            print(json.dumps(figures))
        else:
            for name, figure in figures.items():
                print(f"{name:28} {figure:>12,}")


if __name__ == "__main__":
    main()

"""A seeded firm of households, as large as asked: three accounts a household, thirty positions an account, three lots
each; models, budgets, carryforwards, recent trades (for wash sales), substitutes and restrictions.

    python -m benchmarks.firm_of_households FOLDER --accounts 100000
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from workbench.firm import write_firm

AS_OF = pd.Timestamp("2026-06-30")
SECURITIES, POSITIONS, LOTS, MODELS, FACTORS = 500, 30, 3, 20, 6
REGISTRATIONS = np.array(["taxable", "traditional_ira", "roth_ira"])
SHARE_OF_WEALTH = np.array([0.5, 0.35, 0.15])
CASH_TARGET = 0.02
#: Part of the positions bought within the last 40 days, and part of the accounts that sold something then.
BOUGHT_LATELY, SOLD_LATELY = 0.02, 0.05


def build(folder: Path, accounts: int, seed: int = 11) -> None:
    """Write the firm to `folder`; the same seed gives the same files."""
    rng = np.random.default_rng(seed)
    securities, price = _securities(rng)
    targets = _targets(rng, securities)
    households, account_table = _clients(rng, accounts // 3)
    positions, lots = _holdings(rng, securities, price, targets, account_table)
    tables = {
        "securities": securities,
        "prices": _prices(rng, securities["security_id"].to_numpy(), price),
        "factor_exposures": _exposures(rng, securities["security_id"].to_numpy()),
        "substitutes": _substitutes(securities),
        "models": pd.DataFrame(
            {
                "model_id": [f"M{i:02d}" for i in range(MODELS)], "version": 1, "name": "model",
                "effective_date": AS_OF - pd.Timedelta(days=400), "status": "active", "benchmark": "-",
                "approved_by": "-", "rationale": "-",
            }
        ),
        "model_targets": targets,
        "sleeves": pd.DataFrame({"sleeve_id": ["CORE"], "name": ["Core"], "manager": ["-"]}),
        "tolerances": pd.MultiIndex.from_product(
            [[f"M{i:02d}" for i in range(MODELS)], ["security", "sector", "asset_class"]], names=["model_id", "level"]
        ).to_frame(index=False).assign(key="*", absolute=0.03, relative=np.nan),
        "households": households,
        "accounts": account_table,
        "positions": positions,
        "lots": lots,
        "transactions": _transactions(rng, lots, account_table, price, securities["security_id"].to_numpy()),
        "restrictions": _restrictions(rng, account_table, securities),
        "advisors": pd.DataFrame({"advisor_id": ["V1"], "name": ["-"], "office": ["-"]}),
        "custodians": pd.DataFrame({"custodian_id": ["C1"], "name": ["-"], "ticket_fee": [0.0], "fee_rate": [0.005]}),
    }  # fmt: skip
    write_firm(folder, tables, AS_OF, check=False)


def _securities(rng: np.random.Generator) -> tuple[pd.DataFrame, np.ndarray]:
    ids = np.array(sorted([*(f"S{i:04d}" for i in range(SECURITIES - 1)), "CASH"]))
    cash = ids == "CASH"
    number = np.arange(SECURITIES)
    frame = pd.DataFrame(
        {
            "security_id": ids, "name": ids, "kind": np.where(cash, "cash", "etf"),
            "asset_class": np.where(cash, "Cash", [f"Class {i % 6}" for i in number]),
            "sector": np.where(cash, "Cash", [f"Sector {i % 11}" for i in number]),
            "region": np.where(cash, "Home", [f"Region {i % 5}" for i in number]),
            "issuer_id": ids, "currency": "USD", "expense_ratio": 0.0005,
            "half_spread": np.where(cash, 0.0, rng.uniform(0.0001, 0.0008, SECURITIES)),
            "adv": np.where(cash, np.nan, rng.uniform(1e5, 1e7, SECURITIES)),
            "screens": [["tobacco"] if i % 40 == 7 else [] for i in number],
            "identical_group": [f"G{i // 10}" if i % 10 < 2 and not c else None for i, c in zip(number, cash)],
            "identical_confidence": ["high" if i % 10 < 2 and not c else None for i, c in zip(number, cash)],
            "simulated": True,
        }
    )  # fmt: skip
    return frame, np.where(cash, 1.0, rng.uniform(20, 400, SECURITIES).round(2))


def _prices(rng: np.random.Generator, ids: np.ndarray, last: np.ndarray, sessions: int = 300) -> pd.DataFrame:
    """Prices of `sessions` business days that end at `last`: one market factor and noise."""
    days = pd.bdate_range(end=AS_OF, periods=sessions)
    steps = rng.normal(0, 0.009, (sessions, 1)) + rng.normal(0, 0.012, (sessions, len(ids)))
    close = last * np.exp(np.cumsum(steps, axis=0) - np.sum(steps, axis=0))
    close[:, ids == "CASH"] = 1.0
    return pd.DataFrame(
        {
            "date": np.repeat(days, len(ids)), "security_id": np.tile(ids, sessions), "close": close.ravel(),
            "adj_close": close.ravel(), "dividend": 0.0, "split_ratio": 1.0, "volume": 1e6,
        }
    )  # fmt: skip


def _exposures(rng: np.random.Generator, ids: np.ndarray) -> pd.DataFrame:
    exposure = rng.normal(0, 1, (len(ids), FACTORS)) * (ids != "CASH")[:, None]
    return pd.DataFrame(
        {
            "security_id": np.repeat(ids, FACTORS), "factor": np.tile([f"F{i}" for i in range(FACTORS)], len(ids)),
            "exposure": exposure.ravel(),
        }
    )  # fmt: skip


def _substitutes(securities: pd.DataFrame) -> pd.DataFrame:
    """Each security's substitute is one of the same class and sector."""
    ids = securities.loc[securities["kind"] != "cash", "security_id"].to_numpy()
    rows = pd.DataFrame({"security_id": ids, "substitute_id": np.roll(ids, 66), "rank": 1})
    return rows.assign(registrations=[["taxable", "trust", "traditional_ira", "roth_ira"]] * len(rows))


def _targets(rng: np.random.Generator, securities: pd.DataFrame) -> pd.DataFrame:
    ids = securities.loc[securities["kind"] != "cash", "security_id"].to_numpy()
    parts = []
    for model in range(MODELS):
        chosen = np.sort(rng.choice(ids, POSITIONS - 1, replace=False))
        weight = rng.dirichlet(np.full(POSITIONS - 1, 6.0)) * (1 - CASH_TARGET)
        parts.append(
            pd.DataFrame(
                {
                    "model_id": f"M{model:02d}", "version": 1, "sleeve_id": "CORE",
                    "security_id": [*chosen, "CASH"], "target": [*weight, CASH_TARGET],
                    "lower": np.nan, "upper": np.nan,
                }
            )
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def _clients(rng: np.random.Generator, count: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    number = np.arange(count)
    households = pd.DataFrame(
        {
            "household_id": [f"H{i:06d}" for i in number], "name": "-", "advisor_id": "V1",
            "filing_status": np.where(number % 2, "joint", "single"),
            "ordinary_rate": rng.choice([0.24, 0.32, 0.35, 0.37], count),
            "long_term_rate": rng.choice([0.15, 0.2], count),
            "state_rate": 0.05, "niit": number % 3 > 0,
            "gain_budget": np.where(number % 2, rng.uniform(2_000, 50_000, count).round(), np.nan),
            "realised_short": 0.0, "realised_long": rng.uniform(-3_000, 6_000, count).round(2),
            "carryforward_short": 0.0, "carryforward_long": np.where(number % 5 == 0, 8_000.0, 0.0),
        }
    )  # fmt: skip
    accounts = pd.DataFrame(
        {
            "account_id": [f"A{i:06d}" for i in range(3 * count)],
            "household_id": np.repeat(households["household_id"].to_numpy(), 3), "advisor_id": "V1",
            "custodian_id": "C1", "registration": np.tile(REGISTRATIONS, count),
            "owner_birth_date": pd.Timestamp("1970-01-01"), "discretionary": True,
            "model_id": np.repeat([f"M{i:02d}" for i in rng.integers(0, MODELS, count)], 3),
            "opened_on": AS_OF - pd.Timedelta(days=2500), "last_rebalanced_on": AS_OF - pd.Timedelta(days=100),
            "rollout_mode": "release", "stated_value": 0.0,
        }
    )  # fmt: skip
    return households, accounts


def _holdings(
    rng: np.random.Generator, securities: pd.DataFrame, price: np.ndarray, targets: pd.DataFrame, accounts: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Positions near the model's targets (27 of its names, 3 others, all in whole shares) and their lots."""
    ids = securities["security_id"].to_numpy()
    cash = np.flatnonzero(ids == "CASH")[0]
    wealth = np.repeat(rng.lognormal(14.0, 0.6, len(accounts) // 3), 3) * np.tile(SHARE_OF_WEALTH, len(accounts) // 3)
    held = np.empty((len(accounts), POSITIONS), np.int32)
    weight = np.empty((len(accounts), POSITIONS))
    for model, rows in targets.groupby("model_id"):
        mine = np.flatnonzero(accounts["model_id"] == model)
        codes = np.tile(np.searchsorted(ids, rows["security_id"]), (len(mine), 1))
        others = np.setdiff1d(np.arange(len(ids)), codes[0] if len(mine) else [])
        codes[:, 24:27] = others[(rng.integers(0, len(others), (len(mine), 1)) + np.arange(3) * 101) % len(others)]
        held[mine] = codes
        weight[mine] = rows["target"].to_numpy() * rng.lognormal(0, 0.3, codes.shape)
    order = np.argsort(held, axis=1)
    held, weight = np.take_along_axis(held, order, 1), np.take_along_axis(weight, order, 1)
    value = (wealth[:, None] * weight / weight.sum(axis=1, keepdims=True)).ravel()
    flat, owner = held.ravel(), np.repeat(np.arange(len(accounts)), POSITIONS)
    quantity = np.where(flat == cash, value.round(2), np.maximum(np.round(value / price[flat]), LOTS))
    names = accounts["account_id"].to_numpy()
    positions = pd.DataFrame(
        {"account_id": _text(owner, names), "security_id": _text(flat, ids), "quantity": quantity}
    )  # fmt: skip
    rows = np.repeat(np.flatnonzero(flat != cash), LOTS)
    part = np.tile([0.5, 0.3, 0.2], len(rows) // LOTS)
    shares = np.maximum(np.round(quantity[rows] * part), 1.0)
    first = np.arange(0, len(rows), LOTS)
    shares[first] += quantity[rows][first] - np.add.reduceat(shares, first)
    kept = shares > 0
    rows, shares = rows[kept], shares[kept]
    days = rng.integers(45, 2400, len(rows))
    lately = rng.random(len(rows)) < BOUGHT_LATELY
    days[lately] = rng.integers(2, 40, lately.sum())
    acquired = AS_OF - pd.to_timedelta(days, unit="D")
    growth = np.exp(rng.normal(0.08, 0.2, len(rows)) * np.sqrt(days / 365))
    lots = pd.DataFrame(
        {
            "lot_id": pd.Series(np.char.add("L", np.arange(len(rows)).astype("U8"))).astype("str"),
            "account_id": _text(owner[rows], names), "security_id": _text(flat[rows], ids), "quantity": shares,
            "cost_per_share": (price[flat[rows]] / growth).round(4), "acquired_on": acquired,
            "holding_start": acquired + pd.Timedelta(days=1), "wash_adjustment": 0.0, "covered": True,
        }
    )  # fmt: skip
    return positions, lots


def _transactions(
    rng: np.random.Generator, lots: pd.DataFrame, accounts: pd.DataFrame, price: np.ndarray, ids: np.ndarray
) -> pd.DataFrame:
    """The purchases of the last 60 days that the lots tell of, and some sales, part of them at a loss."""
    bought = lots[lots["acquired_on"] >= AS_OF - pd.Timedelta(days=60)]
    buys = pd.DataFrame(
        {
            "account_id": bought["account_id"], "security_id": bought["security_id"],
            "trade_date": bought["acquired_on"], "kind": "buy", "quantity": bought["quantity"],
            "price": bought["cost_per_share"], "lot_id": bought["lot_id"],
        }
    )  # fmt: skip
    sellers = rng.choice(len(accounts), int(SOLD_LATELY * len(accounts)), replace=False)
    what = rng.integers(1, len(ids), len(sellers))
    names = [f"X{i}" for i in range(len(sellers))]
    day = AS_OF - pd.to_timedelta(rng.integers(1, 45, len(sellers)), unit="D")
    sold = pd.DataFrame(
        {
            "account_id": accounts["account_id"].to_numpy()[sellers], "security_id": ids[what], "trade_date": day,
            "kind": "sell", "quantity": -10.0, "price": price[what], "lot_id": names,
        }
    )  # fmt: skip
    origin = sold.assign(
        kind="buy", quantity=10.0, price=price[what] * rng.uniform(0.8, 1.3, len(what)),
        trade_date=AS_OF - pd.Timedelta(days=500),
    )  # fmt: skip
    rows = pd.concat([origin, buys, sold], ignore_index=True).sort_values(
        "trade_date", kind="stable", ignore_index=True
    )
    return rows.assign(
        transaction_id=np.char.add("T", np.arange(len(rows)).astype("U8")), settle_date=rows["trade_date"],
        amount=-rows["quantity"] * rows["price"], origin="rebalance",
    )  # fmt: skip


def _restrictions(rng: np.random.Generator, accounts: pd.DataFrame, securities: pd.DataFrame) -> pd.DataFrame:
    chosen = np.sort(rng.choice(len(accounts), len(accounts) // 20, replace=False))
    kind = rng.choice(["never_sell", "never_buy", "never_hold"], len(chosen))
    return pd.DataFrame(
        {
            "restriction_id": [f"R{i}" for i in range(len(chosen))], "scope": "account",
            "scope_id": accounts["account_id"].to_numpy()[chosen], "kind": kind,
            "key": securities["security_id"].to_numpy()[rng.integers(1, SECURITIES, len(chosen))], "value": np.nan,
            "reason": "-", "source_document": "-", "expires_on": pd.NaT,
        }
    )  # fmt: skip


def _text(codes: np.ndarray, names: np.ndarray) -> pd.Series:
    return pd.Series(pd.Categorical.from_codes(codes, categories=names)).astype("str")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--accounts", type=int, default=3_000)
    arguments = parser.parse_args()
    build(arguments.folder, arguments.accounts)

"""A firm small enough to check by hand: two households, three accounts, two shares, one bond fund and cash.

Every figure agrees with every other: lots, positions, transactions, stated values, prices with their dividends and a
2-for-1 split of AAA. Tests change what they need and expect to find just that.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

AS_OF = pd.Timestamp("2022-12-28")
SESSIONS = pd.bdate_range("2021-10-01", AS_OF)
SPLIT_ON = pd.Timestamp("2022-06-06")


def tiny_firm() -> dict[str, pd.DataFrame]:
    """The tables of a sound firm as of 28 December 2022; a new copy each time."""
    prices = _prices()
    tables = {"securities": _securities(), "prices": prices, **_people(), **_models(), **_holdings(prices)}
    tables["accounts"]["stated_value"] = tables["accounts"]["account_id"].map(_values(tables)).round(2)
    return tables


def _securities() -> pd.DataFrame:
    rows = [
        ("AAA", "Alpha Inc", "stock", "US equity", "Technology", "Alpha", 0.0002, 2e6),
        ("BBB", "Beta Corp", "stock", "US equity", "Energy", "Beta", 0.0003, 1e6),
        ("FND", "Bond Fund", "etf", "Bonds", "Fixed income", "Fund House", 0.0001, np.nan),
        ("CASH", "Cash", "cash", "Cash", "Cash", "Cash", 0.0, np.nan),
    ]
    columns = ["security_id", "name", "kind", "asset_class", "sector", "issuer_id", "half_spread", "adv"]
    return pd.DataFrame(rows, columns=columns).assign(
        region="US", currency="USD", expense_ratio=0.0, screens=[[] for _ in rows], identical_group=None,
        identical_confidence=None, simulated=False,
    )  # fmt: skip


def _prices() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    n, split_at = len(SESSIONS), SESSIONS.get_loc(SPLIT_ON)
    frames = []
    for security, start, deviation, paid in (
        ("AAA", 100, 0.015, 0.4),
        ("BBB", 40, 0.012, 0.3),
        ("FND", 50, 0.003, 0.1),
    ):
        total = np.concatenate([[0.0], rng.normal(0.0002, deviation, n - 1)])
        dividend, ratio = np.zeros(n), np.ones(n)
        dividend[20::63] = paid
        if security == "AAA":
            ratio[split_at] = 2.0
        close = np.empty(n)
        close[0] = start
        for t in range(1, n):
            close[t] = close[t - 1] * (1 + total[t]) / ratio[t] - dividend[t]
        frames.append(_price_rows(security, close, start * np.cumprod(1 + total), dividend, ratio))
    frames.append(_price_rows("CASH", np.ones(n), np.ones(n), np.zeros(n), np.ones(n)))
    return pd.concat(frames, ignore_index=True)


def _price_rows(
    security: str, close: np.ndarray, adjusted: np.ndarray, dividend: np.ndarray, ratio: np.ndarray
) -> pd.DataFrame:
    return pd.DataFrame(
        {"date": SESSIONS, "security_id": security, "close": close, "adj_close": adjusted, "dividend": dividend,
         "split_ratio": ratio, "volume": np.nan}
    )  # fmt: skip


def _people() -> dict[str, pd.DataFrame]:
    households = pd.DataFrame({"household_id": ["H1", "H2"], "name": ["One", "Two"]}).assign(
        advisor_id="ADV", filing_status="joint", ordinary_rate=0.35, long_term_rate=0.15, state_rate=0.05, niit=True,
        gain_budget=np.nan, realised_short=0.0, realised_long=0.0, carryforward_short=0.0, carryforward_long=0.0,
    )  # fmt: skip
    accounts = pd.DataFrame(
        [
            ("A1", "H1", "taxable", None),
            ("A2", "H1", "traditional_ira", "1948-03-10"),
            ("A3", "H2", "roth_ira", "1980-01-15"),
        ],
        columns=["account_id", "household_id", "registration", "owner_birth_date"],
    ).assign(
        advisor_id="ADV", custodian_id="CUS", discretionary=True, model_id="BAL",
        opened_on=SESSIONS[0], last_rebalanced_on=SESSIONS[0], rollout_mode="draft", stated_value=0.0,
    )  # fmt: skip
    accounts["owner_birth_date"] = pd.to_datetime(accounts["owner_birth_date"])
    profiles = pd.DataFrame({"household_id": ["H1", "H2"]}).assign(
        risk_tolerance=3, risk_capacity=3, horizon_years=15.0, objective="growth and income", liquidity_need="low",
        knowledge="medium", sustainability="none", reviewed_on=pd.Timestamp("2022-05-02"),
    )  # fmt: skip
    restrictions = pd.DataFrame(
        [("R1", "account", "A1", "never_sell", "BBB", None, "founder's shares", "letter", pd.NaT)],
        columns=[
            "restriction_id", "scope", "scope_id", "kind", "key", "value", "reason", "source_document", "expires_on",
        ],
    )  # fmt: skip
    return {
        "households": households,
        "accounts": accounts,
        "profiles": profiles,
        "restrictions": restrictions.astype({"value": "float64", "expires_on": "datetime64[ns]"}),
        "advisors": pd.DataFrame({"advisor_id": ["ADV"], "name": ["Ada"], "office": ["Main"]}),
        "custodians": pd.DataFrame(
            {"custodian_id": ["CUS"], "name": ["Custodian"], "ticket_fee": [0.0], "fee_rate": [0.0]}
        ),
    }


def _models() -> dict[str, pd.DataFrame]:
    models = pd.DataFrame(
        {
            "model_id": "BAL",
            "version": [1, 2],
            "name": "Balanced",
            "effective_date": pd.to_datetime(["2021-10-01", "2023-03-01"]),
            "status": ["active", "draft"],
            "benchmark": "60/40",
            "approved_by": "committee",
            "rationale": "as ever",
        }
    )
    sleeves = [("EQ", "AAA", 0.35), ("EQ", "BBB", 0.25), ("FI", "FND", 0.35), ("FI", "CASH", 0.05)]
    targets = pd.DataFrame(
        [("BAL", version, *row) for version in (1, 2) for row in sleeves],
        columns=["model_id", "version", "sleeve_id", "security_id", "target"],
    ).assign(lower=np.nan, upper=np.nan)
    tolerances = pd.DataFrame(
        [("BAL", "security", "*", 0.03, np.nan), ("BAL", "sector", "*", 0.05, 0.25)],
        columns=["model_id", "level", "key", "absolute", "relative"],
    )
    return {
        "sleeves": pd.DataFrame({"sleeve_id": ["EQ", "FI"], "name": ["Equity", "Bonds"], "manager": "house"}),
        "models": models,
        "model_targets": targets,
        "tolerances": tolerances,
    }


def _holdings(prices: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Each account deposits, buys once (A1 AAA in two lots) and sees AAA split; A2 takes its distribution."""
    first = prices.loc[prices["date"] == SESSIONS[0]].set_index("security_id")["close"]
    rows: list[tuple[object, ...]] = []
    lots: list[tuple[object, ...]] = []
    for account, shares in {"A1": (30, 50, 40), "A2": (60, 90, 80), "A3": (20, 10, 15)}.items():
        rows.append((account, "CASH", SESSIONS[0], "deposit", 0.0, None, 15_000.0, "client", None))
        for security, quantity in zip(("AAA", "BBB", "FND"), shares, strict=True):
            parts = [10, 20] if (account, security) == ("A1", "AAA") else [quantity]
            for number, part in enumerate(parts):
                lot, price = f"{account}-{security}-{number}", float(first[security])
                rows.append((account, security, SESSIONS[0], "buy", part, price, -part * price, "rebalance", lot))
                ratio = 2 if security == "AAA" else 1
                if ratio == 2:
                    rows.append((account, security, SPLIT_ON, "split", part, None, 0.0, "corporate_action", lot))
                lots.append((lot, account, security, part * ratio, price / ratio))
    rows.append(("A2", "CASH", pd.Timestamp("2022-11-15"), "withdrawal", 0.0, None, -800.0, "client", None))
    trades = pd.DataFrame(
        rows,
        columns=["account_id", "security_id", "trade_date", "kind", "quantity", "price", "amount", "origin", "lot_id"],
    )
    trades.insert(0, "transaction_id", [f"T{i:03d}" for i in range(len(trades))])
    trades.insert(4, "settle_date", trades["trade_date"] + pd.Timedelta(days=2))
    lot_frame = pd.DataFrame(
        lots, columns=["lot_id", "account_id", "security_id", "quantity", "cost_per_share"]
    ).assign(
        acquired_on=SESSIONS[0], holding_start=SESSIONS[0] + pd.Timedelta(days=1), wash_adjustment=0.0, covered=True
    )
    shares_held = lot_frame.groupby(["account_id", "security_id"])["quantity"].sum().reset_index()
    cash = trades.groupby("account_id")["amount"].sum().rename("quantity").reset_index().assign(security_id="CASH")
    positions = pd.concat([shares_held, cash], ignore_index=True)[["account_id", "security_id", "quantity"]]
    types = {"quantity": "float64", "price": "float64"}
    return {
        "transactions": trades.astype(types),
        "lots": lot_frame.astype({"quantity": "float64"}),
        "positions": positions.astype({"quantity": "float64"}),
    }


def _values(tables: dict[str, pd.DataFrame]) -> pd.Series:
    prices = tables["prices"]
    last = prices.loc[prices["date"] == AS_OF].set_index("security_id")["close"]
    held = tables["positions"]
    return (held["quantity"] * held["security_id"].map(last)).groupby(held["account_id"]).sum()

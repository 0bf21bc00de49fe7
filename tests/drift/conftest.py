"""A hand-made firm, small enough to work out on paper: four shares, a fund and cash; two models; six accounts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from workbench.firm import write_firm

AS_OF = pd.Timestamp("2022-06-30")
SECURITIES = {
    "AAA": ("stock", "US equity", "Technology", "US", 1e6),
    "BBB": ("stock", "US equity", "Technology", "US", 1e5),
    "CCC": ("stock", "US equity", "Energy", "US", 1e4),
    "CASH": ("cash", "Cash", "Cash", "US", np.nan),
    "FUND": ("fund", "Treasuries", "Fixed income", "US", np.nan),
    "OLD": ("stock", "International equity", "Energy", "Europe", 1e5),
}
SESSIONS = pd.bdate_range("2022-01-03", AS_OF)


def small_tables() -> dict[str, pd.DataFrame]:
    ids = list(SECURITIES)
    securities = pd.DataFrame(
        {
            "security_id": ids,
            "name": [f"{s} Inc" for s in ids],
            "kind": [SECURITIES[s][0] for s in ids],
            "asset_class": [SECURITIES[s][1] for s in ids],
            "sector": [SECURITIES[s][2] for s in ids],
            "region": [SECURITIES[s][3] for s in ids],
            "issuer_id": ids,
            "currency": "USD",
            "expense_ratio": 0.0,
            "half_spread": 0.0002,
            "adv": [SECURITIES[s][4] for s in ids],
            "screens": [[] for _ in ids],
            "identical_group": pd.Series([None] * len(ids), dtype="str"),
            "identical_confidence": pd.Series([None] * len(ids), dtype="str"),
            "simulated": False,
        }
    )
    models = pd.DataFrame(
        {
            "model_id": ["M1", "M1", "M1", "M2"],
            "version": [1, 2, 3, 1],
            "name": ["One", "One", "One", "Two"],
            "effective_date": pd.to_datetime(["2021-01-01", "2022-03-01", "2022-05-01", "2021-01-01"]),
            "status": ["retired", "active", "draft", "active"],
            "benchmark": "60/40",
            "approved_by": "Committee",
            "rationale": "Because.",
        }
    )
    targets = pd.DataFrame(
        [
            ("M1", 1, "CORE", "AAA", 0.5), ("M1", 1, "CORE", "CCC", 0.4), ("M1", 1, "RESERVE", "CASH", 0.1),
            ("M1", 2, "CORE", "AAA", 0.2), ("M1", 2, "TILT", "AAA", 0.1), ("M1", 2, "CORE", "BBB", 0.2),
            ("M1", 2, "CORE", "CCC", 0.2), ("M1", 2, "BONDS", "FUND", 0.25), ("M1", 2, "RESERVE", "CASH", 0.05),
            ("M1", 3, "CORE", "AAA", 1.0),
            ("M2", 1, "BONDS", "FUND", 0.9), ("M2", 1, "RESERVE", "CASH", 0.1),
        ],
        columns=["model_id", "version", "sleeve_id", "security_id", "target"],
    )  # fmt: skip
    targets["lower"] = np.nan
    targets["upper"] = np.nan
    tolerances = pd.DataFrame(
        [
            ("M1", "security", "*", 0.05, 0.25), ("M1", "security", "CASH", 0.02, np.nan),
            ("M1", "sector", "*", 0.06, np.nan), ("M1", "sector", "Technology", np.nan, 0.10),
            ("M1", "asset_class", "*", 0.10, np.nan), ("M1", "sleeve", "*", 0.10, np.nan),
            ("M2", "security", "*", 0.03, np.nan),
        ],
        columns=["model_id", "level", "key", "absolute", "relative"],
    )  # fmt: skip
    households = pd.DataFrame(
        {
            "household_id": ["H1", "H2"],
            "name": ["One", "Two"],
            "advisor_id": "V1",
            "filing_status": "joint",
            "ordinary_rate": [0.35, 0.24],
            "long_term_rate": [0.15, 0.15],
            "state_rate": [0.05, 0.0],
            "niit": [True, False],
            "gain_budget": np.nan,
            "realised_short": 0.0,
            "realised_long": 0.0,
            "carryforward_short": 0.0,
            "carryforward_long": 0.0,
        }
    )
    ids = ["A1", "A2", "A3", "A4", "A5", "A6"]
    accounts = pd.DataFrame(
        {
            "account_id": ids,
            "household_id": ["H1", "H1", "H2", "H2", "H2", "H2"],
            "advisor_id": "V1",
            "custodian_id": "C1",
            "registration": ["taxable", "roth_ira", "taxable", "taxable", "taxable", "taxable"],
            "owner_birth_date": pd.to_datetime(["1970-01-01"] * 6),
            "discretionary": True,
            "model_id": pd.Series(["M1", "M1", "M2", None, "M2", "M1"], dtype="str"),
            "opened_on": pd.to_datetime(["2022-01-03"] * 6),
            "last_rebalanced_on": pd.to_datetime(["2022-02-01", "2022-02-01", None, None, None, None]),
            "rollout_mode": "release",
            "stated_value": 0.0,
        }
    )
    positions = pd.DataFrame(
        [
            ("A1", "AAA", 40.0), ("A1", "BBB", 20.0), ("A1", "CCC", 15.0), ("A1", "FUND", 20.0), ("A1", "CASH", 500.0),
            ("A2", "AAA", 30.0), ("A2", "BBB", 20.0), ("A2", "CCC", 20.0), ("A2", "FUND", 15.0), ("A2", "OLD", 10.0),
            ("A2", "CASH", 500.0),
            ("A3", "FUND", 95.0), ("A3", "CASH", 500.0), ("A4", "AAA", 1.0), ("A6", "CASH", 0.0),
        ],
        columns=["account_id", "security_id", "quantity"],
    )  # fmt: skip
    lots = pd.DataFrame(
        [
            ("L1", "A1", "AAA", 30.0, 50.0, "2019-01-02"), ("L2", "A1", "AAA", 10.0, 95.0, "2022-04-01"),
            ("L3", "A1", "BBB", 20.0, 120.0, "2020-01-02"), ("L4", "A1", "CCC", 15.0, 90.0, "2020-01-02"),
            ("L5", "A1", "FUND", 20.0, 100.0, "2020-01-02"), ("L6", "A2", "AAA", 30.0, 10.0, "2020-01-02"),
            ("L7", "A2", "BBB", 20.0, 10.0, "2020-01-02"), ("L8", "A2", "CCC", 20.0, 10.0, "2020-01-02"),
            ("L9", "A2", "FUND", 15.0, 10.0, "2020-01-02"), ("LA", "A2", "OLD", 10.0, 10.0, "2020-01-02"),
            ("LB", "A3", "FUND", 95.0, 99.0, "2022-01-03"), ("LC", "A4", "AAA", 1.0, 99.0, "2022-01-03"),
        ],
        columns=["lot_id", "account_id", "security_id", "quantity", "cost_per_share", "acquired_on"],
    )  # fmt: skip
    lots["acquired_on"] = pd.to_datetime(lots["acquired_on"])
    lots["holding_start"] = lots["acquired_on"] + pd.Timedelta(days=1)
    lots["wash_adjustment"] = 0.0
    lots["covered"] = True
    rng = np.random.default_rng(3)
    prices = []
    for security in SECURITIES:
        path = np.ones(len(SESSIONS))
        if security != "CASH":
            steps = np.exp(rng.normal(0, 0.01, len(SESSIONS)).cumsum())
            path = 100.0 * steps / steps[-1]
        prices.append(
            pd.DataFrame(
                {
                    "date": SESSIONS, "security_id": security, "close": path, "adj_close": path,
                    "dividend": 0.0, "split_ratio": 1.0, "volume": 1e6,
                }
            )
        )  # fmt: skip
    sleeves = ["BONDS", "CORE", "RESERVE", "TILT"]
    transactions = pd.DataFrame(
        {
            "transaction_id": ["T0"], "account_id": ["A3"], "security_id": ["FUND"],
            "trade_date": [SESSIONS[0]], "settle_date": [SESSIONS[2]], "kind": ["buy"], "quantity": [95.0],
            "price": [99.0], "amount": [-95.0 * 99.0], "origin": ["rebalance"], "lot_id": ["LB"],
        }
    )  # fmt: skip
    return {
        "securities": securities, "prices": pd.concat(prices, ignore_index=True), "models": models,
        "model_targets": targets, "tolerances": tolerances, "households": households, "accounts": accounts,
        "positions": positions, "lots": lots, "transactions": transactions,
        "sleeves": pd.DataFrame({"sleeve_id": sleeves, "name": sleeves, "manager": "House"}),
        "advisors": pd.DataFrame({"advisor_id": ["V1"], "name": ["V"], "office": ["O"]}),
        "custodians": pd.DataFrame(
            {"custodian_id": ["C1"], "name": ["C"], "ticket_fee": [0.0], "fee_rate": [0.0]}
        ),
    }  # fmt: skip


@pytest.fixture(scope="session")
def small_firm():
    return small_tables


@pytest.fixture
def tables():
    return small_tables()


@pytest.fixture
def seal(tmp_path):
    """Write tables as a firm; unchecked, since some tests want what validation would refuse."""

    def write(tables, as_of=AS_OF):
        return write_firm(tmp_path / "firm", tables, as_of, check=False)

    return write


@pytest.fixture
def firm(tables, seal):
    return seal(tables)

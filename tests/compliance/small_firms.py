"""A firm of two households in plain rows, and proposals of plain trades, for judging one rule at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from workbench.compliance import CHECKS, Context, FirmView, Orders, Outcome, Rule, Rulebook, Verdict

AS_OF = pd.Timestamp("2022-12-28")
HOUSE = Rulebook.default()
PRICES = {"AAA": 10.0, "BBB": 20.0, "CCC": 50.0, "FND": 100.0, "CASH": 1.0}
_SECURITIES = {
    "AAA": ("stock", "Energy", "ISS1", ["fossil_fuel"]),
    "BBB": ("stock", "Energy", "ISS1", []),
    "CCC": ("stock", "Health Care", "ISS2", ["tobacco"]),
    "FND": ("etf", "Diversified", "FUNDS", []),
    "CASH": ("cash", "Cash", "CASH", []),
}
_ACCOUNTS = {"A1": ("H1", "taxable"), "A2": ("H1", "roth_ira"), "A3": ("H2", "taxable")}
_TRANSACTIONS = [
    "transaction_id", "account_id", "security_id", "trade_date", "settle_date", "kind", "quantity", "price", "amount",
    "origin", "lot_id",
]  # fmt: skip
_RESTRICTIONS = [
    "restriction_id", "scope", "scope_id", "kind", "key", "value", "reason", "source_document", "expires_on"
]  # fmt: skip


@dataclass(frozen=True)
class Lot:
    """A lot of an account: shares at a cost, bought some days ago."""

    lot_id: str
    account: str
    security: str
    shares: float
    cost: float = 10.0
    days: int = 500
    wash: float = 0.0
    covered: bool = True


@dataclass(frozen=True)
class Trade:
    """A trade of a proposal; lots sold by identifier and shares, with what is declared disallowed."""

    account: str
    security: str
    side: str
    shares: float
    lots: tuple[tuple[str, float], ...] = ()
    disallowed: float = 0.0
    cost: float = 0.0


def firm(
    lots: Sequence[Lot] = (),
    *,
    cash: Mapping[str, float] | None = None,
    restrictions: Sequence[tuple[str, str, str, float | None]] = (),
    expires: pd.Timestamp | None = None,
    bought: Sequence[tuple[str, str, str, float, int, str]] = (),
    sold: Sequence[tuple[str, str, str, float, float, int]] = (),
    profiles: Mapping[str, tuple[int, int]] | None = None,
    households: Mapping[str, Any] | None = None,
    securities: Mapping[str, Mapping[str, Any]] | None = None,
    prices: Mapping[str, float] = PRICES,
    priced: Mapping[str, int] | None = None,
) -> FirmView:
    """Return the view: holdings are the sums of lots.

    `bought` are purchases (account, security, lot, shares, days ago, origin) and `sold` sales (account, security, lot,
    shares, price, days ago); `priced` is how many days ago a security was last priced.
    """
    held: dict[tuple[str, str], float] = {}
    for lot in lots:
        held[lot.account, lot.security] = held.get((lot.account, lot.security), 0.0) + lot.shares
    rows = [(a, s, q) for (a, s), q in held.items()] + [(a, "CASH", q) for a, q in (cash or {}).items()]
    tables = {
        "securities": _securities(securities or {}),
        "prices": pd.DataFrame(
            {"security_id": list(prices), "date": [_ago((priced or {}).get(s, 0)) for s in prices],
             "close": list(prices.values())}
        ),
        "households": pd.DataFrame([_household(name, households or {}) for name in ("H1", "H2")]),
        "profiles": _profiles({"H1": (3, 3), "H2": (3, 3)} if profiles is None else profiles),
        "accounts": pd.DataFrame(
            {
                "account_id": list(_ACCOUNTS), "household_id": [h for h, _ in _ACCOUNTS.values()],
                "advisor_id": "ADV1", "custodian_id": "CUS1", "registration": [r for _, r in _ACCOUNTS.values()],
                "discretionary": True, "model_id": None, "rollout_mode": "release",
            }
        ),
        "positions": pd.DataFrame(rows, columns=["account_id", "security_id", "quantity"]).astype({"quantity": float}),
        "lots": _lots(lots),
        "transactions": _transactions(bought, sold),
        "restrictions": _restrictions(restrictions, expires),
        "models": pd.DataFrame(columns=["model_id", "version", "status", "effective_date"]),
        "model_targets": pd.DataFrame(columns=["model_id", "version", "security_id", "target"]),
        "custodians": pd.DataFrame({"custodian_id": ["CUS1"], "ticket_fee": [0.0]}),
    }  # fmt: skip
    return FirmView.of(tables, AS_OF)


def orders(*proposals: Sequence[Trade], households: Sequence[str] = (), **changed: Any) -> Orders:
    """Return proposals of these trades, of households H1, H1, ... unless named."""
    trades = [(i, trade) for i, listed in enumerate(proposals) for trade in listed]
    lots = [(at, lot, shares, trade) for at, (_, trade) in enumerate(trades) for lot, shares in trade.lots]
    n = len(proposals)
    price = [PRICES.get(trade.security, 1.0) for _, trade in trades]
    size = [trade.shares for _, trade in trades]
    zero = [0.0] * len(trades)
    columns: dict[str, Any] = {
        "household": list(households) or ["H1"] * n, "advisor": ["ADV1"] * n, "as_of": [AS_OF.date()] * n,
        "mode": ["full"] * n, "benefit": [0.0] * n, "tax": [0.0] * n, "cost": [0.0] * n, "proposed_short": [0.0] * n,
        "proposed_long": [0.0] * n, "settings": ((("whole_shares", "True"),),) * n,
        "proposal": [i for i, _ in trades], "account": [t.account for _, t in trades],
        "security": [t.security for _, t in trades], "sell": [t.side == "sell" for _, t in trades], "shares": size,
        "price": price, "amount": [round(s * p, 2) for s, p in zip(size, price, strict=True)],
        "gain_short": zero, "gain_long": zero, "trade_tax": zero, "trade_cost": [t.cost for _, t in trades],
        "fee": zero,
        "lot_trade": [at for at, *_ in lots], "lot_id": [lot for _, lot, _, _ in lots],
        "lot_shares": [shares for _, _, shares, _ in lots], "lot_gain": [0.0] * len(lots),
        "lot_term": ["long"] * len(lots), "lot_disallowed": [trade.disallowed for *_, trade in lots],
        "state_proposal": [], "state_account": [], "state_value": [], "state_cash_before": [], "state_cash_after": [],
        "need_proposal": [], "need_account": [], "need_kind": [], "needed": [], "need_source": [],
    }  # fmt: skip
    return Orders.from_columns(**{**columns, **changed})


def house_rule(rule_id: str, **parameters: Any) -> Rule:
    """A rule of the house rulebook with some parameters replaced."""
    rule = HOUSE[rule_id]
    return replace(rule, parameters={**rule.parameters, **parameters})


def judged(view: FirmView, made: Orders, rule_id: str, **parameters: Any) -> Outcome:
    """What one rule of the house rulebook, with some parameters replaced, says."""
    rule = house_rule(rule_id, **parameters)
    return CHECKS[rule.check].judge(Context(view, made), rule)


def verdict(outcome: Outcome, i: int = 0) -> str:
    """A proposal's verdict as a word; the reason must be one clean sentence or more."""
    reason, subject = outcome.reason(i), outcome.subject(i)
    assert reason == " ".join(reason.split()), reason
    assert reason.endswith("."), reason
    assert "nan" not in f"{reason} {subject}".replace(",", " ").split(), reason
    return Verdict(int(outcome.verdict[i])).name.lower()


def _ago(days: int) -> pd.Timestamp:
    return AS_OF - pd.Timedelta(days=days)


def _securities(changed: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    rows = [
        {
            "security_id": name, "name": name, "kind": kind, "asset_class": "US equity", "sector": sector,
            "region": "North America", "issuer_id": issuer, "half_spread": 0.0, "adv": 1e6, "expense_ratio": 0.0,
            "screens": screens, "identical_group": None, "identical_confidence": None, **changed.get(name, {}),
        }
        for name, (kind, sector, issuer, screens) in _SECURITIES.items()
    ]  # fmt: skip
    return pd.DataFrame(rows).astype({"identical_group": "object", "identical_confidence": "object"})


def _household(name: str, changed: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "household_id": name, "name": name, "advisor_id": "ADV1", "filing_status": "joint", "ordinary_rate": 0.24,
        "long_term_rate": 0.15, "state_rate": 0.05, "niit": False, "gain_budget": np.nan, "realised_short": 0.0,
        "realised_long": 0.0, "carryforward_short": 0.0, "carryforward_long": 0.0, **changed,
    }  # fmt: skip


def _profiles(levels: Mapping[str, tuple[int, int]]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "household_id": name, "risk_tolerance": tolerance, "risk_capacity": capacity, "horizon_years": 20.0,
                "objective": "growth", "liquidity_need": "low", "knowledge": "high", "sustainability": "none",
                "reviewed_on": _ago(10),
            }
            for name, (tolerance, capacity) in levels.items()
        ],
        columns=["household_id", "risk_tolerance", "risk_capacity", "horizon_years", "objective", "liquidity_need",
                 "knowledge", "sustainability", "reviewed_on"],
    )  # fmt: skip


def _lots(lots: Sequence[Lot]) -> pd.DataFrame:
    frame = pd.DataFrame(
        [
            (lot.lot_id, lot.account, lot.security, lot.shares, lot.cost, _ago(lot.days), _ago(lot.days - 1), lot.wash,
             lot.covered)
            for lot in lots
        ],
        columns=["lot_id", "account_id", "security_id", "quantity", "cost_per_share", "acquired_on", "holding_start",
                 "wash_adjustment", "covered"],
    )  # fmt: skip
    return frame.astype({"acquired_on": "datetime64[s]", "holding_start": "datetime64[s]", "quantity": float,
                         "cost_per_share": float, "wash_adjustment": float, "covered": bool})  # fmt: skip


def _transactions(
    bought: Sequence[tuple[str, str, str, float, int, str]], sold: Sequence[tuple[str, str, str, float, float, int]]
) -> pd.DataFrame:
    rows = [
        (account, security, _ago(days), "buy", shares, PRICES[security], -shares * PRICES[security], origin, lot)
        for account, security, lot, shares, days, origin in bought
    ] + [
        (account, security, _ago(days), "sell", -shares, price, shares * price, "manual", lot)
        for account, security, lot, shares, price, days in sold
    ]
    frame = pd.DataFrame(
        [(f"T{i}", account, security, day, day, *rest) for i, (account, security, day, *rest) in enumerate(rows)],
        columns=_TRANSACTIONS,
    )
    return frame.astype({"trade_date": "datetime64[s]", "quantity": float, "amount": float, "price": float})


def _restrictions(rows: Sequence[tuple[str, str, str, float | None]], expires: pd.Timestamp | None) -> pd.DataFrame:
    return pd.DataFrame(
        [
            (f"R{i}", "household" if scope.startswith("H") else "account", scope, kind, key, value, "Told so", "Letter",
             expires)
            for i, (scope, kind, key, value) in enumerate(rows, start=1)
        ],
        columns=_RESTRICTIONS,
    ).astype({"value": float, "expires_on": "datetime64[s]"})  # fmt: skip

"""The smallest firm of the tests as compliance reads it, with orders of any shape, and one rule judged at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from workbench.compliance.checks import CHECKS
from workbench.compliance.context import Context
from workbench.compliance.firm_view import FirmView
from workbench.compliance.orders import Orders
from workbench.compliance.outcome import Outcome, Verdict
from workbench.compliance.rulebook import Rulebook

AS_OF = pd.Timestamp("2022-12-28")
PROFILE = {
    "household_id": "H1", "risk_tolerance": 3, "risk_capacity": 2, "horizon_years": 20.0, "objective": "growth",
    "liquidity_need": "low", "knowledge": "low", "sustainability": "none", "reviewed_on": pd.Timestamp("2022-03-04"),
}  # fmt: skip
RULES = Rulebook.default()
#: Account, security, side, shares.
Trade = tuple[str, str, str, float]


def view(tables: dict[str, pd.DataFrame], *, profile: Mapping[str, Any] | None = PROFILE, **changed: Any) -> FirmView:
    """The firm of `tables`, with a profile, some tables replaced, and last prices with dividends of nothing."""
    made = {**tables, **changed}
    last = made["prices"].sort_values("date", kind="stable").drop_duplicates("security_id", keep="last")
    made["prices"] = last if "yearly_dividend" in last else last.assign(yearly_dividend=0.0)
    columns = list(PROFILE)
    made["profiles"] = pd.DataFrame([profile] if profile else [], columns=columns)
    made.setdefault("restrictions", restrictions())
    return FirmView.of(made, AS_OF)


def restrictions(*rows: tuple[str, str, str, float | None]) -> pd.DataFrame:
    """Directives and screens: scope identifier (A... or H...), kind, key, value."""
    return pd.DataFrame(
        [
            {
                "restriction_id": f"R{place}", "scope": "household" if scope.startswith("H") else "account",
                "scope_id": scope, "kind": kind, "key": key, "value": value, "reason": "Told so",
                "source_document": "Letter", "expires_on": pd.NaT,
            }
            for place, (scope, kind, key, value) in enumerate(rows, start=1)
        ],
        columns=[
            "restriction_id", "scope", "scope_id", "kind", "key", "value", "reason", "source_document", "expires_on"
        ],
    ).astype({"value": "float64", "expires_on": "datetime64[ns]"})  # fmt: skip


def orders(
    trades: Sequence[Trade], prices: Mapping[str, float], *, household: str = "H1", cost: float = 0.0, **changed: Any
) -> Orders:
    """One proposal of these trades at these prices."""
    n = len(trades)
    columns: dict[str, Any] = {
        "household": [household], "advisor": ["ADV1"], "as_of": [AS_OF.date()], "mode": ["full"], "benefit": [0.0],
        "tax": [0.0], "cost": [0.0], "proposed_short": [0.0], "proposed_long": [0.0], "settings": ((),),
        "proposal": [0] * n, "account": [t[0] for t in trades], "security": [t[1] for t in trades],
        "sell": [t[2] == "sell" for t in trades], "shares": [t[3] for t in trades],
        "price": [prices.get(t[1], 1.0) for t in trades], "amount": [t[3] * prices.get(t[1], 1.0) for t in trades],
        "gain_short": [0.0] * n, "gain_long": [0.0] * n, "trade_tax": [0.0] * n, "trade_cost": [cost] * n,
        "fee": [0.0] * n, "lot_trade": [], "lot_id": [], "lot_shares": [], "lot_gain": [], "lot_term": [],
        "lot_disallowed": [], "state_proposal": [], "state_account": [], "state_value": [], "state_cash_before": [],
        "state_cash_after": [], "need_proposal": [], "need_account": [], "need_kind": [], "needed": [],
        "need_source": [],
    }  # fmt: skip
    return Orders.from_columns(**{**columns, **changed})


def judged(
    firm: FirmView, made: Orders, rule_id: str, *, consents: Mapping[str, str] | None = None, **parameters: Any
) -> Outcome:
    """What one rule of the house rulebook, with some parameters replaced, says of the orders."""
    rule = RULES[rule_id]
    rule = replace(rule, parameters={**rule.parameters, **parameters})
    return CHECKS[rule.check].judge(Context(firm, made, consents or {}), rule)


def verdict(outcome: Outcome) -> str:
    """The first proposal's verdict as a word; its sentence must be one."""
    sentence = outcome.reason(0)
    assert sentence.splitlines() == [sentence.strip()], sentence
    assert sentence.endswith((".", '."')), sentence
    assert "nan" not in sentence.split(), sentence
    outcome.subject(0)
    return Verdict(int(outcome.verdict[0])).name.lower()

"""Missing data never passes: whatever cell is blanked, a rule that reads it does not pass in silence."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from workbench import rebalance
from workbench.compliance import FirmView, Orders, Rulebook, preflight
from workbench.errors import FirmDataError
from workbench.firm import open_at
from workbench.firm.schema import TABLES

sys.path.insert(0, str(Path(__file__).parent))

RULES = Rulebook.default()
#: Figures of a household that trades, by table, each read by at least one rule that must notice; the rules that do.
FIGURES: tuple[tuple[str, str, frozenset[str]], ...] = (
    ("positions", "quantity", frozenset({"agrees_with_book", "turnover", "risk_level", "reserve"})),
    ("prices", "close", frozenset({"prices_agree", "price_age", "turnover", "risk_level", "reserve"})),
    ("custodians", "ticket_fee", frozenset({"cash_covers_trades", "agrees_with_book", "switch_cost", "series_cost"})),
    ("households", "ordinary_rate", frozenset({"tax_agrees"})),
    ("households", "long_term_rate", frozenset({"tax_agrees"})),
    ("households", "state_rate", frozenset({"tax_agrees"})),
    ("households", "realised_short", frozenset({"tax_agrees"})),
    ("households", "realised_long", frozenset({"tax_agrees"})),
    ("households", "carryforward_short", frozenset({"tax_agrees"})),
    ("households", "carryforward_long", frozenset({"tax_agrees"})),
    ("securities", "adv", frozenset({"illiquid_share"})),
    ("securities", "expense_ratio", frozenset({"expense_ratio"})),
    ("profiles", "risk_tolerance", frozenset({"risk_level", "single_issuer"})),
    ("profiles", "risk_capacity", frozenset({"risk_level", "single_issuer"})),
    ("profiles", "horizon_years", frozenset({"horizon", "switch_cost"})),
    ("profiles", "objective", frozenset({"objective"})),
    ("profiles", "liquidity_need", frozenset({"illiquid_share", "reserve"})),
    ("profiles", "knowledge", frozenset({"knowledge"})),
    ("profiles", "sustainability", frozenset({"sustainability"})),
    ("profiles", "reviewed_on", frozenset({"profile_age"})),
    ("lots", "cost_per_share", frozenset({"gains_agree", "tax_agrees"})),
)
#: Names, flags and days without which a row would be passed over.
NAMES = (
    ("securities", "kind"), ("securities", "asset_class"), ("securities", "sector"), ("securities", "issuer_id"),
    ("securities", "screens"), ("accounts", "registration"), ("accounts", "household_id"),
    ("households", "filing_status"), ("restrictions", "kind"), ("restrictions", "key"), ("restrictions", "scope_id"),
    ("transactions", "trade_date"), ("transactions", "kind"), ("transactions", "origin"), ("lots", "acquired_on"),
    ("lots", "holding_start"),
)  # fmt: skip


@pytest.fixture(scope="module")
def made() -> tuple[dict[str, pd.DataFrame], Any, Orders, str]:
    """The demo firm's tables, its day, one household's proposal that buys and sells with tax, and the household."""
    firm = open_at("demo")
    proposals = rebalance.propose_firm(
        rebalance.load(firm, settings=rebalance.Settings()), rebalance.Settings(), households=range(40)
    )
    taxed = set(firm.table("accounts").query("registration == 'taxable'")["account_id"])
    for proposal in proposals:
        sides = {(t.side, t.account_id in taxed) for t in proposal.trades}
        if ("sell", True) in sides and ("buy", True) in sides:
            break
    else:
        raise AssertionError("no household of the first forty switches in a taxable account")
    names = (
        "securities", "accounts", "households", "profiles", "positions", "lots", "restrictions", "transactions",
        "models", "model_targets", "custodians", "substitutes",
    )  # fmt: skip
    tables = {name: firm.table(name) for name in names}
    prices = firm.table("prices", ["date", "security_id", "close"])
    last = prices.sort_values("date", kind="stable").drop_duplicates("security_id", keep="last")
    tables["prices"] = last.assign(yearly_dividend=1.0)
    mine = set(tables["accounts"].query("household_id == @proposal.household_id")["account_id"])
    for name in ("transactions", "positions", "lots"):  # a small firm reads fast
        tables[name] = tables[name][tables[name]["account_id"].isin(mine)]
    return tables, firm.as_of, Orders.from_proposals([proposal]), proposal.household_id


def verdicts(tables: Mapping[str, pd.DataFrame], day: Any, orders: Orders) -> dict[str, str]:
    found = preflight(FirmView.of(tables, day), orders, RULES)
    return dict(zip((r.rule_id for r in found.rules), found.verdict[0].tolist(), strict=True))


def blanked(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    if pd.api.types.is_datetime64_dtype(rows[column]):
        return rows.assign(**{column: pd.NaT})
    if pd.api.types.is_numeric_dtype(rows[column]) and not pd.api.types.is_bool_dtype(rows[column]):
        return rows.assign(**{column: np.nan})
    return rows.assign(**{column: pd.Series([None] * len(rows), rows.index, dtype=object)})


@pytest.mark.parametrize(("table", "column", "noticed"), FIGURES)
def test_a_figure_that_is_missing_is_not_assessable(made, table: str, column: str, noticed: frozenset[str]) -> None:
    tables, day, orders, _ = made
    before = verdicts(tables, day, orders)
    after = verdicts({**tables, table: blanked(tables[table], column)}, day, orders)
    assert {name for name in noticed if after[name] < 2} == set(), "passes or warns on what is not there"
    assert {name for name in after if after[name] < before[name]} <= {"never_hold"}, "less data, fewer findings"


@pytest.mark.parametrize(("table", "column"), NAMES)
def test_a_name_that_is_missing_is_refused_with_its_row(made, table: str, column: str) -> None:
    tables, day, _, _ = made
    assert not TABLES[table].columns[column].nullable
    rows = tables[table].copy()
    if rows.empty:
        pytest.skip("the household has no such row")
    gap = rows[column].astype(object) if not pd.api.types.is_datetime64_dtype(rows[column]) else rows[column].copy()
    gap.iloc[0] = None
    with pytest.raises(FirmDataError, match=f"{table}: .* has no {column}"):
        FirmView.of({**tables, table: rows.assign(**{column: gap})}, day)

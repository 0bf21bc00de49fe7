"""Losses that a priced wash sale disallows are declared share for share, as matching the year finds them."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from made_up import AS_OF, IDS, household

from workbench.rebalance import Settings, propose
from workbench.rebalance.household import CashDemand, WashEvent
from workbench.tax import match_wash_sales

BND = IDS.index("BND")
LOTS = [(300.0, 25.0, 800), (300.0, 24.0, 400)]


def _sold_out(bought: float):
    """A taxed account that must sell both its losing lots after `bought` shares came into the IRA ten days ago."""
    accounts = [
        {"registration": "taxable", "cash": 0.0, "holdings": {"BND": LOTS}},
        {"registration": "roth_ira", "cash": 100.0, "holdings": {"BND": [(bought, 20.0, 10)]}},
    ]
    day = AS_OF - timedelta(days=10)
    event = WashEvent("purchase", BND, BND, 1, bought, day, day + timedelta(days=30), "other")
    need = CashDemand(0, "withdrawal", 20_000.0, None, "R1")
    return propose(household(accounts, wash=(event,), needs=(need,)), Settings(wash="priced"))


@pytest.mark.parametrize("bought", [50.0, 300.0, 450.0, 900.0])
def test_each_bought_share_disallows_the_loss_of_one_sold_share_oldest_first(bought):
    proposal = _sold_out(bought)
    day = pd.Timestamp(AS_OF)
    rows = [("IRA", "buy", day - pd.Timedelta(days=10), bought, bought * 20.0, "other", False)]
    for place, (shares, cost, age) in enumerate(LOTS):
        rows.append(("T", "buy", day - pd.Timedelta(days=age), shares, shares * cost, f"L{place}", True))
        rows.append(("T", "sell", day, shares, shares * 20.0, f"L{place}", True))
    columns = ["account_id", "side", "trade_date", "shares", "total", "lot_id", "taxed"]
    trades = pd.DataFrame(rows, columns=columns).assign(security_id="BND")
    expected = match_wash_sales(trades).blocks["disallowed"].sum()
    (sale,) = [trade for trade in proposal.trades if trade.account_id == "A00" and trade.side == "sell"]
    assert sale.shares == 600.0
    assert sum(lot.disallowed for lot in sale.lots) == pytest.approx(expected, abs=0.02)
    assert proposal.tax_table.disallowed == pytest.approx(expected, abs=0.02)

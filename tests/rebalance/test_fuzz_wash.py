"""The wash rule itself, run over a household's lots and its proposal's trades, finds no sale that was not declared."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from made_up import AS_OF, households

from workbench.rebalance import Settings, propose
from workbench.rebalance.household import TAXED, WashEvent
from workbench.tax import match_wash_sales


def _lots(home):
    """(lot, account, security, shares, basis a share, day) of every lot."""
    owner = np.repeat(np.arange(len(home.accounts.ids)), np.diff(home.account_ptr))
    holding = np.repeat(np.arange(len(home.security)), np.diff(home.lots.holding_ptr))
    for k, h in enumerate(holding.tolist()):
        day = home.lots.acquired_on[k].astype("datetime64[D]").astype(object)
        yield (str(home.lots.ids[k]), int(owner[h]), int(home.security[h]), float(home.lots.quantity[k]),
               float(home.lots.basis[k]), day)  # fmt: skip


def _with_its_own_purchases(home):
    """The household with the wash events that its own young lots mean, and no others."""
    events = [
        WashEvent("purchase", security, security, account, shares, day, day + timedelta(days=30), lot)
        for lot, account, security, shares, _, day in _lots(home)
        if (AS_OF - day).days <= 30
    ]
    return replace(home, wash=tuple(events))


def _history(home, proposal):
    """Purchases of all lots and the proposal's own trades, as the rule takes them."""
    ids, market = home.accounts.ids, home.market.ids
    rows = [
        (ids[account], market[security], day, "buy", shares, shares * basis, lot)
        for lot, account, security, shares, basis, day in _lots(home)
    ]
    for i, trade in enumerate(proposal.trades):
        if trade.side == "buy":
            rows.append((trade.account_id, trade.security_id, AS_OF, "buy", trade.shares, trade.amount, f"new {i}"))
        for lot in trade.lots:
            rows.append((trade.account_id, trade.security_id, AS_OF, "sell", lot.shares, lot.proceeds, lot.lot_id))
    columns = ["account_id", "security_id", "trade_date", "side", "shares", "total", "lot_id"]
    frame = pd.DataFrame(rows, columns=columns)
    frame["trade_date"] = pd.to_datetime(frame["trade_date"])
    taxed = dict(zip(ids, (home.accounts.treatment == TAXED).tolist(), strict=True))
    return frame.assign(taxed=frame["account_id"].map(taxed).astype(bool), household_id="H1")


@hypothesis_settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(home=households(), wash=st.sampled_from(["avoid", "avoid", "priced"]))
def test_the_rule_finds_no_undeclared_wash_sale(home, wash):
    home = _with_its_own_purchases(home)
    proposal = propose(home, Settings(wash=wash))
    if not any(trade.lots for trade in proposal.trades):
        return
    found = match_wash_sales(_history(home, proposal)).blocks
    disallowed = float(found["disallowed"].fillna(0.0).sum())
    declared = proposal.tax_table.disallowed
    assert disallowed <= declared + max(0.02, 1e-6 * declared) + 0.01 * len(found)
    if wash == "avoid":
        assert declared == pytest.approx(0.0, abs=0.02)

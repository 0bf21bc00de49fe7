"""What a model change does: worked out by hand on a small firm, invariants on the demo firm."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from workbench import drift
from workbench.errors import FirmDataError, ParameterError
from workbench.firm import open_at, write_firm
from workbench.rebalance import model_change
from workbench.rebalance.version_change.impact import assess, target_change

#: A1 is worth $1,270: 60 AAA at 12 (cost 10), 10 BBB at 49 (cost 50), 60 cash. A2 (Roth) holds $100 of cash.
NEW = {"AAA": 0.30, "BBB": 0.60, "CASH": 0.10}


@pytest.fixture
def change(small, tmp_path):
    """Return a function that adds version 2 of BAL and restrictions, and looks at the change."""

    def run(new=NEW, restrictions=(), **options):
        draft = small["models"].assign(version=2, status="draft", effective_date=pd.Timestamp("2023-02-01"))
        targets = small["model_targets"].drop(columns="target").assign(version=2)
        targets["target"] = targets["security_id"].map(new).astype(float)
        tables = {
            **small,
            "models": pd.concat([small["models"], draft], ignore_index=True),
            "model_targets": pd.concat([small["model_targets"], targets], ignore_index=True)[
                list(small["model_targets"].columns)
            ],
        }
        if restrictions:
            tables["restrictions"] = pd.DataFrame(
                [
                    {"restriction_id": f"R{i}", "scope": scope, "scope_id": of, "kind": kind, "key": key,
                     "value": value, "reason": "asked for", "source_document": "letter",
                     "expires_on": pd.Timestamp(expires) if expires else pd.NaT}
                    for i, (scope, of, kind, key, value, expires) in enumerate(restrictions)
                ]
            ).astype({"value": "float64", "expires_on": "datetime64[s]"})  # fmt: skip
        return model_change(write_firm(tmp_path / "firm", tables, "2022-12-28"), **options)

    return run


def of(frame, **where):
    for column, value in where.items():
        frame = frame[frame[column] == value]
    return frame


def test_what_would_trade_and_what_gain_it_realises(change):
    result = change()
    sale = of(result.trades, account_id="A1", security_id="AAA").iloc[0]
    assert sale["side"] == "sell"
    assert sale["amount"] == pytest.approx(60 * 12 - 0.3 * 1270)
    assert sale["gain"] == pytest.approx((60 * 12 - 0.3 * 1270) / 12 * (12 - 10))
    assert sale["tax"] == pytest.approx(sale["gain"] * (0.32 + 0.05 + 0.038))
    purchase = of(result.trades, account_id="A1", security_id="BBB").iloc[0]
    assert purchase["amount"] == pytest.approx(0.6 * 1270 - 490)
    account = of(result.accounts, account_id="A1").iloc[0]
    assert account["turnover"] == pytest.approx((account["bought"] + account["sold"]) / 2 / 1270)
    assert result.conflicts.empty
    assert result.summary.accounts == 2
    assert of(result.accounts, account_id="A2").iloc[0]["tax"] == 0.0


def test_the_change_alone_leaves_drift_where_it_is(change):
    trades = change(start="target").trades
    assert of(trades, account_id="A1", security_id="AAA").iloc[0]["amount"] == pytest.approx(0.3 * 1270)
    # A2 holds nothing that it could sell, and its cash pays for no more than the change frees.
    assert of(trades, account_id="A2", security_id="AAA").empty


@pytest.mark.parametrize(
    ("restriction", "security", "amount", "new"),
    [
        (("account", "A1", "never_buy", "BBB", None, None), "BBB", 0.6 * 1270 - 490, True),
        (("account", "A1", "never_hold", "BBB", None, None), "BBB", 0.6 * 1270, False),
        (("account", "A1", "never_sell", "AAA", None, None), "AAA", 720 - 0.3 * 1270, True),
        (("account", "A1", "screen", "tobacco", None, None), "AAA", 0.3 * 1270, False),
        (("account", "A1", "hold_lot", "L1", None, None), "AAA", 720 - 0.3 * 1270, True),
        (("account", "A1", "max_weight", "BBB", 0.5, None), "BBB", 0.1 * 1270, True),
        (("account", "A1", "max_weight", "Fixed income", 0.5, None), "BBB", 0.1 * 1270, True),
        (("account", "A1", "never_buy", "Treasuries", None, None), "BBB", 0.6 * 1270 - 490, True),
        (("account", "A1", "min_cash", "CASH", 200.0, None), None, 200 - 127, False),
    ],
)
def test_each_restriction_that_the_new_targets_meet_is_listed(change, restriction, security, amount, new):
    found = change(restrictions=[restriction]).conflicts
    (row,) = of(found[found["kind"] != "sleeve"], account_id="A1").to_dict("records")
    assert row["kind"] == restriction[2]
    assert row["amount"] == pytest.approx(amount)
    assert row["new"] == new
    if security:
        assert row["security_id"] == security


def test_a_restriction_stops_its_trade_and_the_purchases_it_would_have_paid_for(change):
    free = change()
    held = change(restrictions=[("account", "A1", "never_sell", "AAA", None, None)])
    assert of(held.trades, account_id="A1", security_id="AAA").iloc[0]["amount"] == 0.0
    assert of(held.trades, account_id="A1", security_id="BBB").iloc[0]["amount"] == 0.0  # no cash to pay for it
    account = of(held.accounts, account_id="A1").iloc[0]
    assert account["blocked"] == pytest.approx(of(free.accounts, account_id="A1").iloc[0][["bought", "sold"]].sum())
    assert account["gain"] == 0.0


def test_a_households_restriction_reaches_each_of_its_accounts_and_its_cap_looks_at_all_of_them(change):
    never = change(restrictions=[("household", "H1", "never_buy", "BBB", None, None)]).conflicts
    assert sorted(never[never["kind"] == "never_buy"]["account_id"]) == ["A1", "A2"]
    assert len(change(restrictions=[("household", "H1", "max_weight", "BBB", 0.59, None)]).conflicts) == 2
    assert change(restrictions=[("household", "H1", "max_weight", "BBB", 0.61, None)]).conflicts.empty


def test_a_sleeve_that_an_account_may_not_buy_is_a_conflict(change):
    found = change(restrictions=[("account", "A1", "never_hold", "BBB", None, None)]).conflicts
    (row,) = of(found, kind="sleeve").to_dict("records")
    assert (row["account_id"], row["key"]) == ("A1", "FI")
    assert row["amount"] == pytest.approx(0.6 * 1270)


def test_what_is_expired_or_names_nothing_is_no_conflict_and_the_latter_is_said(change):
    result = change(
        restrictions=[
            ("account", "A1", "never_buy", "BBB", None, "2022-12-27"),
            ("account", "A1", "never_buy", "ZZZ", None, None),
            ("account", "A1", "hold_lot", "L9", None, None),
            ("account", "A1", "max_weight", "nothing", 0.1, None),
        ]
    )
    assert result.conflicts.empty
    assert result.summary.unread == ("R1: never_buy ZZZ", "R2: hold_lot L9", "R3: max_weight nothing")


def test_targets_that_do_not_sum_to_one_are_not_used(change):
    short = {**NEW, "BBB": 0.5}
    with pytest.raises(ParameterError, match=r"BAL version 2: its targets sum to 0\.9"):
        change(short)
    with pytest.raises(FirmDataError, match="have the committee correct them"):
        change(short, versions={"BAL": 2})


def test_bad_parameters_are_refused(change):
    with pytest.raises(ParameterError, match="BAL version 7 does not exist"):
        change(versions={"BAL": 7})
    with pytest.raises(ParameterError, match="start"):
        change(start="now")


@pytest.mark.slow
def test_the_demo_firm_adds_up():
    firm = open_at("demo")
    result = model_change(firm)
    accounts, trades, summary = result.accounts, result.trades, result.summary
    assert summary.models == ("BAL", "CON", "EQT", "GRO", "INC")
    assert summary.accounts == len(accounts) == 298
    np.testing.assert_allclose(result.securities["bought"].sum(), summary.bought)
    np.testing.assert_allclose(result.securities["sold"].sum(), summary.sold)
    assert (trades["amount"] <= trades["wanted"] + 1e-6).all()
    np.testing.assert_allclose(trades["gain"].sum(), summary.gain)
    assert summary.accounts_in_conflict == result.conflicts["account_id"].nunique()
    # What is bought is paid for by what is sold and by cash.
    positions = firm.table("positions")
    cash = positions[positions["security_id"] == "CASH"].set_index("account_id")["quantity"]
    left = accounts["sold"] - accounts["bought"] + cash.reindex(accounts["account_id"], fill_value=0.0).to_numpy()
    assert (left > -0.01).all()
    assert set(result.conflicts["kind"]) >= {"screen", "never_sell", "never_buy", "never_hold", "max_weight"}


def naive_account(inputs, change, account):
    """One account moved to its new targets, no restrictions: dollars by security and the gain, in plain loops."""
    holdings, lots, price = inputs.holdings, inputs.lots, inputs.securities.price
    rows = range(holdings.account_ptr[account], holdings.account_ptr[account + 1])
    held = {int(holdings.security[h]): (h, holdings.quantity[h] * price[holdings.security[h]]) for h in rows}
    value = sum(dollars for _, dollars in held.values())
    targets = change.after[inputs.model[account]]
    traded, gain = {}, 0.0
    for security in sorted(set(held) | set(np.flatnonzero(targets))):
        name = inputs.securities.ids[security]
        if name == "CASH":
            continue
        holding, dollars = held.get(security, (None, 0.0))
        traded[name] = targets[security] * value - dollars
        left = max(-traded[name], 0.0) / price[security]
        if holding is None or not inputs.taxed[account]:
            continue
        for lot in range(lots.holding_ptr[holding], lots.holding_ptr[holding + 1]):
            sold = min(left, lots.quantity[lot])
            gain, left = gain + sold * lots.gain[lot], left - sold
    return traded, gain


@pytest.mark.slow
def test_an_account_by_account_loop_agrees():
    firm = open_at("demo")
    inputs = drift.load(firm)
    change = target_change(inputs, firm.table("models"), firm.table("model_targets"))
    lots = firm.table("lots", ["lot_id", "account_id", "security_id", "quantity"]).iloc[:0]
    tables = [firm.table(name) for name in ("restrictions", "securities", "accounts")]
    result = assess(inputs, change, tables[0].iloc[:0], *tables[1:], lots)
    assert result.conflicts.empty
    signed = result.trades["wanted"].where(result.trades["side"] == "buy", -result.trades["wanted"])
    signed.index = pd.MultiIndex.from_frame(result.trades[["account_id", "security_id"]])
    for account in range(0, len(inputs.accounts), 7):
        traded, gain = naive_account(inputs, change, account)
        row = result.accounts.iloc[account]
        assert row["account_id"] == inputs.account_ids[account]
        assert row["gain"] == pytest.approx(gain, abs=0.01)
        assert row["blocked"] == pytest.approx(0.0, abs=0.01)
        for name, dollars in traded.items():
            assert signed.get((row["account_id"], name), 0.0) == pytest.approx(dollars, abs=0.01)

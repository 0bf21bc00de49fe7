"""Causes add up, and agree with a slow replay that keeps one dictionary of shares an account."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import drift
from workbench.errors import ParameterError
from workbench.firm import write_firm

START, SESSIONS = pd.Timestamp("2022-02-01"), pd.bdate_range("2022-01-03", "2022-06-30")
AFTER = SESSIONS[SESSIONS > START]
HELD = ["AAA", "BBB", "CCC", "FUND"]


def transactions(rows):
    columns = ["account_id", "security_id", "trade_date", "kind", "quantity", "price", "amount", "origin"]
    frame = pd.DataFrame(rows, columns=columns)
    frame["trade_date"] = pd.to_datetime(frame["trade_date"]).astype("datetime64[ms]")
    frame["price"] = frame["price"].astype(float)
    frame.insert(0, "transaction_id", [f"T{i}" for i in range(len(frame))])
    frame["settle_date"] = frame["trade_date"]
    frame["lot_id"] = pd.Series([None] * len(frame), dtype="str")
    return frame.astype({"account_id": "str", "security_id": "str", "kind": "str", "origin": "str"})


def explained(tables, folder, rows, accounts=("A1",)):
    tables = {**tables, "transactions": transactions(rows)}
    firm = write_firm(folder, tables, SESSIONS[-1], check=False)
    inputs = drift.load(firm)
    return inputs, drift.explain(inputs, drift.load_history(firm, inputs, list(accounts)))


def with_positions(tables, account, holdings):
    positions = tables["positions"]
    positions = positions[positions["account_id"] != account]
    mine = pd.DataFrame(
        {"account_id": account, "security_id": list(holdings), "quantity": [float(v) for v in holdings.values()]}
    )
    return {**tables, "positions": pd.concat([positions, mine], ignore_index=True)}


def effects(causes, account="A1"):
    frame = causes.level("security", [account]).set_index("key")
    return frame[list(drift.CAUSES)]


def slow_replay(tables, rows, account, target_then, target_now):
    """The definition, read aloud: shares in a dictionary, one pass a day, nothing shared with the kernel."""
    prices = tables["prices"].pivot(index="date", columns="security_id", values="close").to_dict("index")
    securities = list(next(iter(prices.values())))
    held = tables["positions"].query("account_id == @account").set_index("security_id")["quantity"].to_dict()
    held = {security: held.get(security, 0.0) for security in securities}
    mine = [row for row in rows if row[0] == account and pd.Timestamp(row[2]) > START]
    for _, security, _, _, quantity, _, amount, _ in mine:
        if security != "CASH":
            held[security] -= quantity
        held["CASH"] -= amount

    def weights(day, extra=None):
        worth = {s: held[s] * prices[day][s] + (extra or {}).get(s, 0.0) for s in held}
        total = sum(worth.values())
        return {s: worth[s] / total for s in worth}

    def step(row):
        kind, origin = row[3], row[7]
        if kind == "split":
            return "split"
        if kind == "dividend":
            return "dividend"
        if kind in ("deposit", "withdrawal", "transfer", "fee") or (kind != "spin_off" and origin in ("client", "fee")):
            return "flows"
        if kind == "spin_off" or origin in ("reinvestment", "corporate_action"):
            return "corporate_actions"
        return "trades" if origin == "rebalance" else "overrides"

    effect = {cause: dict.fromkeys(held, 0.0) for cause in drift.CAUSES}
    now = weights(START)
    for security in held:
        effect["residual"][security] = now[security] - target_then.get(security, 0.0)
        effect["model_change"][security] = target_then.get(security, 0.0) - target_now.get(security, 0.0)

    def book(cause, after):
        nonlocal now
        for security in held:
            effect[cause][security] += after[security] - now[security]
        now = after

    for day in AFTER:
        today = [row for row in mine if pd.Timestamp(row[2]) == day]
        extra = {}
        for row in today:
            if step(row) == "split":
                held[row[1]] += row[4]
            if step(row) == "dividend":
                extra[row[1]] = extra.get(row[1], 0.0) + row[6]
        book("market", weights(day, extra))
        held["CASH"] += sum(extra.values())
        for cause in ("corporate_actions", "flows", "trades", "overrides"):
            for row in today:
                if step(row) == cause:
                    if row[1] != "CASH":
                        held[row[1]] += row[4]
                    held["CASH"] += row[6]
            book(cause, weights(day))
    return pd.DataFrame(effect)


V1 = {"AAA": 0.5, "CCC": 0.4, "CASH": 0.1}
V2 = {"AAA": 0.3, "BBB": 0.2, "CCC": 0.2, "FUND": 0.25, "CASH": 0.05}

event = st.one_of(
    st.tuples(
        st.sampled_from(HELD), st.sampled_from(range(len(AFTER))), st.sampled_from(["buy", "sell"]),
        st.integers(1, 5), st.floats(90, 110), st.sampled_from(["rebalance", "manual", "reinvestment", "client"]),
    ),
    st.tuples(
        st.sampled_from(HELD), st.sampled_from(range(len(AFTER))),
        st.sampled_from(["dividend", "split", "spin_off", "transfer"]),
        st.integers(1, 5), st.floats(1, 20), st.just("corporate_action"),
    ),
    st.tuples(
        st.just("CASH"), st.sampled_from(range(len(AFTER))), st.sampled_from(["deposit", "withdrawal", "fee"]),
        st.just(0), st.floats(1, 300), st.just("client"),
    ),
)  # fmt: skip


def as_row(drawn):
    security, day, kind, quantity, number, origin = drawn
    when = AFTER[day]
    if kind in ("buy", "sell"):
        signed = quantity if kind == "buy" else -quantity
        return ("A1", security, when, kind, float(signed), number, -signed * number, origin)
    if security == "CASH":
        amount = number if kind == "deposit" else -number
        return ("A1", "CASH", when, kind, 0.0, np.nan, amount, origin)
    if kind == "dividend":
        return ("A1", security, when, kind, 0.0, np.nan, number, origin)
    return ("A1", security, when, kind, float(quantity), np.nan, 0.0, origin)


@pytest.fixture(scope="module")
def large(tmp_path_factory, small_firm):
    """A firm whose account A1 is large enough never to be emptied by the events drawn; its prices as a dictionary."""
    tables = with_positions(small_firm(), "A1", {"AAA": 400, "BBB": 300, "CCC": 200, "FUND": 250, "CASH": 9000})
    firm = write_firm(tmp_path_factory.mktemp("large") / "firm", tables, SESSIONS[-1], check=False)
    inputs = drift.load(firm)
    return tables, firm, inputs, drift.measure(inputs)


@settings(max_examples=40, deadline=None)
@given(st.lists(event, max_size=12))
def test_agrees_with_a_slow_replay_and_adds_up(large, drawn):
    tables, firm, inputs, measured = large
    rows = [as_row(one) for one in drawn]
    eventful = replace(firm, rewound={"transactions": transactions(rows)}, _frames={})
    causes = drift.explain(inputs, drift.load_history(eventful, inputs, ["A1"]))
    got = effects(causes)
    expected = slow_replay(tables, rows, "A1", V1, V2).reindex(index=got.index)[list(drift.CAUSES)]
    np.testing.assert_allclose(got.to_numpy(), expected.to_numpy(), atol=1e-12)
    for name in ("security", "sector", "asset_class", "region", "sleeve"):
        frame = causes.level(name, ["A1"])
        np.testing.assert_allclose(frame[list(drift.CAUSES)].sum(axis=1), frame["deviation"], atol=1e-12)
        level = measured.level(name, ["A1"]).set_index("key")["deviation"]
        np.testing.assert_allclose(frame["deviation"], level.reindex(frame["key"]).fillna(0.0), atol=1e-12)


def test_without_events_everything_since_is_market_or_model(tables, tmp_path):
    _, causes = explained(tables, tmp_path / "firm", [])
    got = effects(causes)
    assert (got[["corporate_actions", "flows", "trades", "overrides"]] == 0).all(axis=None)
    assert got["market"].abs().max() > 0
    assert got.loc["BBB", "model_change"] == pytest.approx(-0.2)
    assert got.sum()[["market", "model_change", "residual"]].abs().max() < 1e-12


def test_with_flat_prices_only_the_model_moves(tables, tmp_path):
    flat = {**tables, "prices": tables["prices"].assign(close=100.0)}
    flat["prices"].loc[flat["prices"]["security_id"] == "CASH", "close"] = 1.0
    _, causes = explained(flat, tmp_path / "firm", [])
    got = effects(causes)
    assert got["market"].abs().max() < 1e-15
    assert got.loc["AAA", "model_change"] == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("kind", "origin", "cause"),
    [("deposit", "client", "flows"), ("fee", "fee", "flows"), ("withdrawal", "client", "flows")],
)
def test_cash_that_comes_or_goes_is_a_flow(tables, tmp_path, kind, origin, cause):
    amount = 400.0 if kind == "deposit" else -400.0
    _, causes = explained(tables, tmp_path / "firm", [("A1", "CASH", AFTER[40], kind, 0.0, np.nan, amount, origin)])
    got = effects(causes)
    assert np.sign(got.loc["CASH", cause]) == np.sign(amount)
    assert got[cause].sum() == pytest.approx(0.0, abs=1e-15)
    assert (got[["corporate_actions", "trades", "overrides"]] == 0).all(axis=None)


@pytest.mark.parametrize(("origin", "cause"), [("rebalance", "trades"), ("manual", "overrides")])
def test_whose_trade_it_was_decides_the_column(tables, tmp_path, origin, cause):
    rows = [("A1", "AAA", AFTER[40], "buy", 5.0, 100.0, -500.0, origin)]
    _, causes = explained(tables, tmp_path / "firm", rows)
    got = effects(causes)
    assert got.loc["AAA", cause] > 0 > got.loc["CASH", cause]
    other = "overrides" if cause == "trades" else "trades"
    assert (got[other] == 0).all()


def test_a_split_moves_nothing(tables, tmp_path):
    day = AFTER[50]
    halved = (tables["prices"]["security_id"] == "AAA") & (tables["prices"]["date"] < day)
    split = {**tables, "prices": tables["prices"].copy()}
    split["prices"].loc[halved, "close"] *= 4.0
    rows = [("A1", "AAA", day, "split", 30.0, np.nan, 0.0, "corporate_action")]
    _, with_split = explained(split, tmp_path / "split", rows)
    _, without = explained(tables, tmp_path / "plain", [])
    np.testing.assert_allclose(effects(with_split).to_numpy(), effects(without).to_numpy(), atol=1e-12)
    assert effects(with_split)["corporate_actions"].abs().max() < 1e-15


def test_a_dividend_leaves_its_security_as_a_corporate_action(tables, tmp_path):
    day = AFTER[50]
    rows = [("A1", "AAA", day, "dividend", 0.0, np.nan, 80.0, "corporate_action")]
    _, causes = explained(tables, tmp_path / "firm", rows)
    got = effects(causes)
    assert got.loc["AAA", "corporate_actions"] == pytest.approx(-got.loc["CASH", "corporate_actions"])
    assert got.loc["CASH", "corporate_actions"] > 0
    assert got.loc["BBB", "corporate_actions"] == 0.0


def test_an_account_that_was_once_empty_is_listed(tables, tmp_path):
    rows = [("A3", "CASH", AFTER[30], "deposit", 0.0, np.nan, 500.0, "client"),
            ("A3", "FUND", AFTER[30], "transfer", 95.0, np.nan, 0.0, "client")]  # fmt: skip
    _, causes = explained(tables, tmp_path / "firm", rows, accounts=("A3",))
    assert causes.no_data.empty  # the walk begins on the day it was funded
    assert causes.start[0] == AFTER[30]
    gone = [*rows, ("A3", "CASH", AFTER[20], "deposit", 0.0, np.nan, 100.0, "client"),
            ("A3", "CASH", AFTER[25], "withdrawal", 0.0, np.nan, -100.0, "client")]  # fmt: skip
    _, causes = explained(tables, tmp_path / "again", gone, accounts=("A3",))
    assert list(causes.no_data["reason"]) == ["value fell to zero or below on the way"]
    with pytest.raises(ParameterError, match="A3"):
        causes.level("sector", ["A3"])


def test_the_driver_in_words(tables, tmp_path):
    prices = tables["prices"].copy()
    prices.loc[prices["security_id"] != "CASH", "close"] = 100.0
    early = (prices["security_id"] == "AAA") & (prices["date"] <= START)
    prices.loc[early, "close"] = 60.0
    tables["models"] = tables["models"][tables["models"]["version"] != 1]
    tables["models"].loc[:, "effective_date"] = pd.Timestamp("2021-01-01")
    quiet = {**tables, "prices": prices}
    inputs, causes = explained(quiet, tmp_path / "firm", [], accounts=("A1", "A2"))
    one = drift.driver(causes, "A1", "sector", "Technology")
    assert (one.cause, one.security_id) == ("market", "AAA")
    assert one.text == "Technology +10.0 pp over target, 7.6 pp from AAA's price."
    assert drift.driver(causes, "A1", "security", "CASH").text == "Cash on target."
    rest = drift.driver(causes, "A2", "sector", "Fixed income")
    assert rest.text == "Fixed income −10.0 pp under target, 8.0 pp from what the last rebalance left."
    result = drift.measure(inputs)
    named = drift.drivers(result, causes)
    assert list(named["account_id"]) == ["A1", "A2"]
    assert (named["deviation"].abs() > 0.05).all()

"""The demo firm: conservation, determinism, the firm's own rules, special cases and planted faults."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from workbench.errors import MarketDataError, ParameterError
from workbench.firm import CASH, demo
from workbench.firm.reconcile import reconcile

AS_OF = pd.Timestamp("2022-12-28")
ACCOUNTS = 90


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    return demo.build(accounts=ACCOUNTS)


@pytest.fixture(scope="module")
def faulty() -> demo.Built:
    return demo.build_with_faults(accounts=ACCOUNTS, faults=["all"])


# --- conservation -----------------------------------------------------------------------------------------------


def test_replay_reproduces_cash_positions_and_lots_exactly(tables):
    booked = tables["transactions"]
    cash = booked.groupby("account_id")["amount"].sum().round(2)
    shares = booked[booked["security_id"] != CASH].groupby(["account_id", "security_id"])["quantity"].sum().round(4)
    lots = booked[booked["lot_id"].notna()].groupby("lot_id")["quantity"].sum().round(4)

    positions = tables["positions"].set_index(["account_id", "security_id"])["quantity"]
    stated_cash = positions.xs(CASH, level="security_id")
    pd.testing.assert_series_equal(cash, stated_cash.sort_index(), check_names=False)
    stated = positions[positions.index.get_level_values("security_id") != CASH].sort_index()
    pd.testing.assert_series_equal(shares[shares != 0], stated, check_names=False)
    pd.testing.assert_series_equal(
        lots[lots != 0], tables["lots"].set_index("lot_id")["quantity"].sort_index(), check_names=False
    )


def test_lots_replayed_one_by_one_keep_their_cost_and_their_day(tables):
    """An independent ledger: a lot's total cost moves only with sales, in proportion; a split leaves it alone."""
    quantity: dict[str, float] = {}
    cost: dict[str, float] = {}
    acquired: dict[str, pd.Timestamp] = {}
    for row in tables["transactions"].dropna(subset=["lot_id"]).itertuples():
        if row.kind in ("buy", "transfer"):
            quantity[row.lot_id], cost[row.lot_id] = row.quantity, row.quantity * row.price
            acquired[row.lot_id] = row.acquired_on
        elif row.kind == "split":
            quantity[row.lot_id] += row.quantity
        else:
            cost[row.lot_id] *= 1 + row.quantity / quantity[row.lot_id]
            quantity[row.lot_id] += row.quantity
    for lot in tables["lots"].itertuples():
        assert quantity[lot.lot_id] == pytest.approx(lot.quantity, abs=1e-6)
        assert cost[lot.lot_id] == pytest.approx(lot.quantity * lot.cost_per_share, rel=1e-6)
        assert acquired[lot.lot_id] == lot.acquired_on


def test_amounts_are_quantity_times_price_to_the_cent(tables):
    trades = tables["transactions"].query("kind in ('buy', 'sell')")
    assert (trades["amount"] + trades["quantity"] * trades["price"]).abs().max() <= 0.0051


def test_nothing_is_held_short_and_cash_is_never_negative(tables):
    assert (tables["positions"]["quantity"] >= 0).all()
    booked = tables["transactions"]
    daily = booked.groupby(["account_id", "trade_date"])["amount"].sum().groupby("account_id").cumsum()
    assert daily.min() >= -0.005


def test_stated_values_are_positions_at_the_close(tables):
    closes = tables["prices"][tables["prices"]["date"] == AS_OF].set_index("security_id")["close"]
    positions = tables["positions"]
    value = (positions["quantity"] * positions["security_id"].map(closes)).groupby(positions["account_id"]).sum()
    stated = tables["accounts"].set_index("account_id")["stated_value"]
    assert (value - stated).abs().max() <= 0.0051


# --- prices -----------------------------------------------------------------------------------------------------


def test_close_dividend_and_split_give_the_total_return_exactly(tables):
    for _, rows in tables["prices"].groupby("security_id"):
        rows = rows.sort_values("date")
        raw = (rows["close"] + rows["dividend"]) * rows["split_ratio"] / rows["close"].shift()
        adjusted = rows["adj_close"] / rows["adj_close"].shift()
        assert (raw / adjusted - 1).abs().max() < 1e-12


def test_a_split_divides_the_close_and_a_trade_day_price_is_plausible(tables):
    apple = tables["prices"][tables["prices"]["security_id"] == "AAPL"].set_index("date")
    assert apple.loc["2020-08-31", "split_ratio"] == 4.0
    # The true closes: 499.23 on the Friday before the split and 129.04 on the Monday.
    assert apple.loc["2020-08-28", "close"] == pytest.approx(499.23, rel=0.02)
    assert apple.loc["2020-08-31", "close"] == pytest.approx(129.04, rel=0.02)


def test_simulated_securities_say_so(tables):
    facts = tables["securities"]
    assert facts.loc[facts["simulated"], "name"].str.endswith("(simulated)").all()
    assert set(facts.loc[facts["simulated"], "security_id"]) == {"INTL", "EMRG", "USTL", "USTS", "TBIL"}


# --- determinism ------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_bits_and_another_seed_others(tmp_path):
    first = demo.build_firm(tmp_path / "a", accounts=24)
    again = demo.build_firm(tmp_path / "b", accounts=24)
    other = demo.build_firm(tmp_path / "c", accounts=24, seed=8)
    assert first.content_hash == again.content_hash != other.content_hash


def test_what_is_done_to_one_firms_tables_does_not_reach_the_next():
    """The market behind them is read once a process."""
    first = demo.build(accounts=24)
    first["securities"]["name"] = "changed"
    first["prices"]["close"] = 0.0
    again = demo.build(accounts=24)
    assert "changed" not in set(again["securities"]["name"])
    assert (again["prices"]["close"] > 0).all()


def test_a_larger_firm_begins_with_the_smaller_one(tables):
    small = demo.build(accounts=40)
    columns = [column for column in small["transactions"] if column != "transaction_id"]
    ids = small["accounts"]["account_id"]
    large = tables["transactions"]
    large = large[large["account_id"].isin(ids)]
    pd.testing.assert_frame_equal(
        small["transactions"][columns].reset_index(drop=True), large[columns].reset_index(drop=True)
    )


# --- the firm's rules -------------------------------------------------------------------------------------------


def test_rebalances_in_taxed_accounts_take_no_short_term_gain(tables):
    taxed = tables["accounts"].query("registration in ('taxable', 'trust')")["account_id"]
    booked = tables["transactions"]
    paid = booked[booked["kind"].isin(["buy"])].set_index("lot_id")["price"]
    split_lots = set(booked.loc[booked["kind"] == "split", "lot_id"])
    sales = booked[(booked["kind"] == "sell") & booked["account_id"].isin(taxed) & (booked["origin"] == "rebalance")]
    sales = sales[sales["lot_id"].isin(paid.index) & ~sales["lot_id"].isin(split_lots)]
    held = (sales["trade_date"] - sales["acquired_on"]).dt.days
    gains = sales["price"] > sales["lot_id"].map(paid)
    assert len(sales) > 100
    assert not (gains & (held <= 365)).any()


def test_the_slow_custodian_is_late_and_the_others_are_not(tables):
    """Quarterly reviews end on the last session of a quarter: orders leave the next session, or two to five later."""
    booked = tables["transactions"].merge(tables["accounts"][["account_id", "custodian_id", "opened_on"]])
    sessions = pd.DatetimeIndex(tables["prices"]["date"].unique())
    first = booked[(booked["origin"] == "rebalance") & (booked["kind"] == "buy")]
    first = first.groupby("account_id").agg(
        trade=("trade_date", "min"), opened=("opened_on", "first"), custodian=("custodian_id", "first")
    )
    delay = sessions.get_indexer(first["trade"]) - sessions.get_indexer(first["opened"])
    slow = (first["custodian"] == "CUS2").to_numpy()
    assert slow.any()
    assert set(delay[slow]) <= {2, 3, 4, 5}
    assert set(delay[~slow]) == {1}


def test_restrictions_bind(tables):
    booked, asked = tables["transactions"], tables["restrictions"]
    household = tables["accounts"].set_index("account_id")["household_id"]
    screens = tables["securities"].set_index("security_id")["screens"]
    assert {
        "never_sell",
        "never_buy",
        "never_hold",
        "screen",
        "hold_lot",
        "min_cash",
        "max_weight",
        "directive",
    } <= set(asked["kind"])
    for row in asked.itertuples():
        mine = booked[booked["account_id"] == row.scope_id]
        if row.kind == "never_sell":
            sold = mine[(mine["kind"] == "sell") & (mine["origin"] != "client")]
            assert row.key not in set(sold["security_id"])
        elif row.kind in ("never_buy", "never_hold"):
            bought = mine[(mine["kind"] == "buy") & (mine["origin"] != "reinvestment")]
            assert row.key not in set(bought["security_id"])
        elif row.kind == "hold_lot":
            assert row.key in set(tables["lots"]["lot_id"])
        elif row.kind == "screen":
            hit = {security for security, tags in screens.items() if row.key in tags}
            theirs = booked[booked["account_id"].map(household) == row.scope_id]
            bought = theirs[(theirs["kind"] == "buy") & (theirs["origin"] != "reinvestment")]
            assert not hit & set(bought["security_id"])


def test_wash_sale_adjustments_follow_a_loss_within_thirty_days(tables):
    adjusted = tables["lots"].query("wash_adjustment > 0")
    assert len(adjusted) > 0
    household = tables["accounts"].set_index("account_id")["household_id"]
    taxed = tables["accounts"].query("registration in ('taxable', 'trust')")["account_id"]
    assert adjusted["account_id"].isin(taxed).all()
    sales = tables["transactions"].query("kind == 'sell'")
    sales = sales[sales["account_id"].isin(taxed)]
    for lot in adjusted.itertuples():
        same = sales[(sales["security_id"] == lot.security_id)]
        same = same[same["account_id"].map(household) == household[lot.account_id]]
        assert ((same["trade_date"] - lot.acquired_on).dt.days.abs() <= 30).any()
        assert lot.holding_start <= lot.acquired_on + pd.Timedelta(days=1)


# --- what each feature finds ------------------------------------------------------------------------------------


def test_special_cases_are_there(tables):
    accounts, positions = tables["accounts"], tables["positions"]
    closes = tables["prices"][tables["prices"]["date"] == AS_OF].set_index("security_id")["close"]
    values = (positions["quantity"] * positions["security_id"].map(closes)).to_frame("value")
    values["weight"] = values["value"] / values["value"].groupby(positions["account_id"]).transform("sum")
    concentrated = values["weight"][(positions["security_id"] != CASH).to_numpy()].dropna()
    assert concentrated.between(0.5, 0.7).any()
    assert (accounts["stated_value"] == 0).any()
    fresh = accounts[accounts["opened_on"] >= AS_OF - pd.Timedelta(days=7)]
    assert len(fresh) == 1
    assert (positions[positions["account_id"].isin(fresh["account_id"])]["security_id"] == CASH).all()
    assert accounts["model_id"].isna().sum() == 1
    assert (accounts["owner_birth_date"].isna() & (accounts["registration"] == "taxable")).any()
    assert set(accounts["rollout_mode"]) == {"monitor", "draft", "release"}
    assert not accounts["discretionary"].all()
    assert (tables["restrictions"]["expires_on"] < AS_OF).any()
    assert (tables["models"]["effective_date"] > AS_OF).any()
    assert (tables["transactions"]["origin"] == "manual").any()
    assert accounts["last_rebalanced_on"].notna().mean() > 0.85


def test_the_clean_firm_has_no_fault(tables):
    found = reconcile(tables, AS_OF).to_frame()
    assert set(found["severity"]) == {"info"}


def test_exactly_the_planted_faults_are_found(faulty):
    assert {planted.fault for planted in faulty.planted} == set(demo.FAULTS)
    found = reconcile(faulty.tables, AS_OF).to_frame()
    checks = set(found.loc[found["severity"] != "info", "check"])
    # A lot with too few shares is also one that its transactions do not explain.
    assert checks == {"stale_price", "rmd", "lots", "lot_replay", "return_gap", "target_sum"}


@pytest.mark.parametrize(
    ("fault", "changed"),
    [("targets", "model_targets"), ("lots", "lots"), ("doubled_dividend", "prices")],
)
def test_a_fault_changes_one_row_of_one_table(tables, fault, changed):
    built = demo.build_with_faults(accounts=ACCOUNTS, faults=[fault])
    (planted,) = built.planted
    assert planted.table == changed
    for name, frame in built.tables.items():
        if name != changed:
            pd.testing.assert_frame_equal(frame, tables[name])
    before, after = tables[changed], built.tables[changed]
    differs = (before != after) & ~(before.isna() & after.isna())
    assert differs.any(axis=1).sum() == 1
    row = after[differs.any(axis=1)].iloc[0]
    assert all(str(row[column]).startswith(value) for column, value in planted.key.items())


def test_a_missed_distribution_leaves_every_other_account_alone(tables, faulty):
    built = demo.build_with_faults(accounts=ACCOUNTS, faults=["rmd"])
    account = built.planted[0].key["account_id"]
    columns = [column for column in tables["transactions"] if column != "transaction_id"]
    clean, missed = (t["transactions"] for t in (tables, built.tables))
    pd.testing.assert_frame_equal(
        clean.loc[clean["account_id"] != account, columns].reset_index(drop=True),
        missed.loc[missed["account_id"] != account, columns].reset_index(drop=True),
    )
    year = missed[(missed["account_id"] == account) & (missed["trade_date"].dt.year == 2022)]
    assert "withdrawal" not in set(year["kind"])


def test_a_faulty_firm_can_still_be_written(tmp_path):
    firm = demo.build_firm(tmp_path / "firm", accounts=40, faults=["lots", "doubled_dividend", "targets"])
    assert firm.rows["accounts"] == 40


# --- arguments --------------------------------------------------------------------------------------------------


def test_bad_arguments_are_refused():
    with pytest.raises(ParameterError, match="24 or more"):
        demo.build(accounts=5)
    with pytest.raises(ParameterError, match=r"'nonsense'.*stale_price"):
        demo.build(accounts=24, faults=["nonsense"])
    with pytest.raises(MarketDataError, match="the last session before it is 2022-12-23"):
        demo.build(accounts=24, as_of="2022-12-25")
    with pytest.raises(ParameterError, match="is not a date"):
        demo.build(accounts=24, as_of="someday")
    with pytest.raises(MarketDataError, match="need a past"):
        demo.build(accounts=24, as_of="2005-06-01")


def test_an_earlier_date_gives_an_earlier_firm():
    tables = demo.build(accounts=24, as_of="2018-06-29")
    assert tables["prices"]["date"].max() == pd.Timestamp("2018-06-29")
    assert tables["transactions"]["trade_date"].max() <= pd.Timestamp("2018-06-29")
    in_force = tables["models"].query("status == 'active'")["effective_date"]
    assert (in_force == pd.Timestamp("2016-07-15")).all()
    assert np.isfinite(tables["accounts"]["stated_value"]).all()

"""Sleeves netted within an account, blocks across accounts, and files a spreadsheet cannot be tricked by."""

from __future__ import annotations

import csv
import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import ParameterError
from workbench.rebalance import blocks, net_sleeves, orders, write_csv, write_parquet
from workbench.rebalance.trading.export import cents, safe_cell

_spec = importlib.util.spec_from_file_location("proposals", Path(__file__).with_name("proposals.py"))
proposals = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(proposals)

#: No deadline: a shared machine is slow now and then.
SOME = settings(deadline=None, max_examples=50)
ORDERS = pd.DataFrame(
    {
        "account_id": ["A1", "A2", "A3", "A1"],
        "security_id": ["VTI", "VTI", "VTI", "BND"],
        "side": ["buy", "sell", "buy", "buy"],
        "shares": [10.0, 10.0, 5.0, 8.0],
        "price": [200.0, 200.0, 200.0, 75.0],
    }
)

wishes = st.lists(
    st.tuples(
        st.sampled_from(["A1", "A2"]),
        st.sampled_from(["CORE", "DIVI", "FACT"]),
        st.sampled_from(["PG", "KO"]),
        st.one_of(st.integers(-500, 500), st.floats(-500, 500).map(lambda x: round(x, 3))),
    ),
    max_size=20,
    unique_by=lambda wish: wish[:3],
)


def test_a_purchase_is_never_set_off_against_another_clients_sale():
    made = blocks(ORDERS)
    assert list(zip(made["security_id"], made["side"], made["shares"], made["accounts"])) == [
        ("BND", "buy", 8.0, 1),
        ("VTI", "buy", 15.0, 2),
        ("VTI", "sell", 10.0, 1),
    ]
    assert made["amount"].tolist() == [600.0, 3000.0, 2000.0]


def test_days_to_trade_follow_the_volume_and_are_missing_without_it():
    made = blocks(ORDERS, adv={"VTI": 30.0}, participation=0.1).set_index(["security_id", "side"])
    assert made.loc[("VTI", "buy"), "adv_share"] == 0.5
    assert made.loc[("VTI", "buy"), "days_to_trade"] == 5.0
    assert np.isnan(made.loc[("BND", "buy"), "days_to_trade"])


@SOME
@given(st.permutations(range(40)))
def test_blocks_are_the_same_to_the_last_bit_in_any_order(order):
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(
        {
            "account_id": [f"A{i:02d}" for i in rng.permutation(40)],
            "security_id": rng.choice(["VTI", "BND"], 40),
            "side": rng.choice(["buy", "sell"], 40),
            "shares": rng.random(40) * 100,
            "price": 33.33,
        }
    )
    first = blocks(frame)
    pd.testing.assert_frame_equal(first, blocks(frame.iloc[list(order)]), check_exact=True)
    sums = frame.groupby(["security_id", "side"])["shares"].sum()
    np.testing.assert_allclose(first["shares"], sums.to_numpy())


def test_blocks_of_proposals_and_of_their_orders_agree():
    made = [proposals.make_proposal("H1"), proposals.make_proposal("H2"), proposals.make_proposal("H3", trades=())]
    pd.testing.assert_frame_equal(blocks(made), blocks(orders(made)))
    assert blocks(made)["accounts"].tolist() == [2, 2]
    assert blocks([]).empty


def test_two_households_may_not_claim_one_account():
    one = proposals.make_proposal("H1")
    with pytest.raises(ParameterError, match="A1 is traded by two households"):
        blocks([one, replace(one, household_id="H2")])


def test_an_account_that_buys_and_sells_one_security_is_sent_back():
    trades = (proposals.make_trade(side="buy"), proposals.make_trade(side="sell"))
    with pytest.raises(ParameterError, match="both buys and sells VTI"):
        orders([proposals.make_proposal("H1", trades)])


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"shares": -1.0}, "above 0"),
        ({"side": "short"}, "not one of"),
        ({"price": np.nan}, "no price"),
        ({"account_id": None}, "no account_id"),
    ],
)
def test_orders_that_make_no_sense_are_refused(change, match):
    with pytest.raises(ParameterError, match=match):
        blocks(ORDERS.assign(**change))


@SOME
@given(wishes)
def test_sleeve_books_sum_exactly(rows):
    desired = pd.DataFrame(rows, columns=["account_id", "sleeve_id", "security_id", "shares"])
    net = net_sleeves(desired)
    units = (net.sleeves[["desired", "crossed", "to_market"]] * 1e6).round().astype(np.int64)
    assert (units["desired"] == units["crossed"] + units["to_market"]).all()
    keys = [net.sleeves["account_id"], net.sleeves["security_id"]]
    assert (units["crossed"].groupby(keys).sum() == 0).all()
    assert (units["crossed"] * units["desired"] >= 0).all()
    assert (units["crossed"].abs() <= units["desired"].abs()).all()
    # Sleeves of one account and security never go to market on both sides.
    one_way = units["to_market"].groupby(keys)
    assert ((one_way.min() >= 0) | (one_way.max() <= 0)).all()
    signed = net.market["shares"].where(net.market["side"] == "buy", -net.market["shares"])
    ordered = (signed * 1e6).round().groupby([net.market["account_id"], net.market["security_id"]]).sum()
    wanted = units["desired"].groupby(keys).sum()
    pd.testing.assert_series_equal(ordered, wanted[wanted != 0].astype(float), check_names=False, check_dtype=False)


def test_whole_wishes_cross_in_whole_shares_and_save_both_half_spreads():
    desired = pd.DataFrame(
        {"account_id": "A1", "sleeve_id": ["CORE", "DIVI", "FACT"], "security_id": "PG", "shares": [10.0, 5.0, -7.0]}
    )
    net = net_sleeves(desired, prices={"PG": 100.0}, half_spreads={"PG": 0.0002})
    assert net.sleeves["crossed"].tolist() == [5.0, 2.0, -7.0]
    assert net.market.to_dict("records") == [{"account_id": "A1", "security_id": "PG", "side": "buy", "shares": 8.0}]
    assert net.saved == pytest.approx(14 * 100.0 * 0.0002)


def test_sleeves_of_different_accounts_never_meet():
    desired = pd.DataFrame(
        {"account_id": ["A1", "A2"], "sleeve_id": "CORE", "security_id": "PG", "amount": [500.0, -500.0]}
    )
    net = net_sleeves(desired)
    assert (net.sleeves["crossed"] == 0).all()
    assert net.market["side"].tolist() == ["buy", "sell"]


def test_what_was_crossed_needs_a_price_to_say_what_it_saved():
    desired = pd.DataFrame({"account_id": "A1", "sleeve_id": ["X", "Y"], "security_id": "PG", "shares": [5.0, -5.0]})
    assert net_sleeves(desired).market.empty
    assert np.isnan(net_sleeves(desired).saved)
    with pytest.raises(ParameterError, match="prices: none for PG"):
        net_sleeves(desired, prices={"KO": 1.0}, half_spreads={"PG": 0.1})


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1"])
def test_a_cell_that_would_compute_is_shown_instead(text):
    assert safe_cell(text) == f"'{text}"


def test_a_csv_keeps_numbers_numbers_and_text_text(tmp_path):
    hostile = '=HYPERLINK("http://x","a,b")'
    frame = pd.DataFrame(
        {"household_name": [hostile, "Smith & Co"], "tax": [-141.015, 0.001], "shares": [15.0, 0.0000001],
         "until": pd.to_datetime(["2023-01-28", None]), "accounts": [2, 3]}
    )  # fmt: skip
    write_csv(frame, tmp_path / "trades.csv")
    with (tmp_path / "trades.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[1] == [f"'{hostile}", "-141.02", "15", "2023-01-28", "2"]
    assert rows[2] == ["Smith & Co", "0.00", "0.0000001", "", "3"]
    write_parquet(frame, tmp_path / "trades.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "trades.parquet"), frame, check_dtype=False)


def test_cents_are_half_even_of_the_number_as_written():
    assert [str(cents(x)) for x in (0.125, 0.135, 2.675, -0.001)] == ["0.12", "0.14", "2.68", "0.00"]
    with pytest.raises(ParameterError, match="finite"):
        cents(float("inf"))


def test_no_orders_are_no_blocks_with_volumes_or_without():
    nothing = pd.DataFrame({"account_id": [], "security_id": [], "side": [], "shares": [], "price": []}).astype(
        {"account_id": "str", "security_id": "str", "side": "str"}
    )
    assert blocks(nothing).empty
    assert blocks(nothing, adv={"AAA": 1e6}).empty


def test_a_cell_shows_what_would_turn_its_text_around():
    assert safe_cell("abc\u202etxt.exe") == "abc\\u202etxt.exe"
    assert safe_cell("\u202e=1+1") == "\\u202e=1+1"

"""Fair allocation: conservation, pro rata within a lot, determinism, and an independent largest-remainder method."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import ParameterError
from workbench.rebalance import allocate
from workbench.rebalance.trading.allocation import allocate_shares

#: No deadline: a shared machine is slow now and then.
SOME = settings(deadline=None, max_examples=50)


def orders_of(*shares, security="VTI", side="buy", **more):
    accounts = [f"A{i + 1}" for i in range(len(shares))]
    return pd.DataFrame({"account_id": accounts, "security_id": security, "side": side, "shares": shares, **more})


def fill_of(shares, price=10.0, security="VTI", side="buy"):
    return pd.DataFrame({"security_id": [security], "side": [side], "shares": [shares], "price": [price]})


def largest_remainder(ordered, filled):
    """Hamilton's method in exact fractions, one block, lot of one."""
    exact = [Fraction(o) * filled / sum(ordered) for o in ordered]
    given_out = [int(e) for e in exact]
    by_remainder = sorted(range(len(ordered)), key=lambda i: (given_out[i] - exact[i], i))
    for i in by_remainder[: filled - sum(given_out)]:
        given_out[i] += 1
    return given_out


@st.composite
def blocks(draw, largest=10_000):
    sizes = draw(st.lists(st.lists(st.integers(1, largest), min_size=1, max_size=12), min_size=1, max_size=5))
    fills = [draw(st.integers(0, sum(block))) for block in sizes]
    return sizes, fills


@SOME
@given(blocks())
def test_agrees_with_an_independent_largest_remainder(case):
    sizes, fills = case
    block = np.repeat(np.arange(len(sizes)), [len(b) for b in sizes])
    allocated, exception = allocate_shares(block, np.concatenate(sizes).astype(float), np.array(fills, float))
    assert allocated.tolist() == [x for b, f in zip(sizes, fills) for x in largest_remainder(b, f)]
    assert not any(exception)


@SOME
@given(blocks(largest=400), st.data())
def test_conserves_shares_under_any_lots_and_minimum(case, data):
    sizes, fills = case
    n = sum(map(len, sizes))
    lots = np.array(data.draw(st.lists(st.sampled_from([0.001, 0.5, 1.0, 10.0, 100.0]), min_size=n, max_size=n)))
    minimum = data.draw(st.sampled_from([0.0, 1.0, 25.0]))
    block = np.repeat(np.arange(len(sizes)), [len(b) for b in sizes])
    ordered = np.concatenate(sizes).astype(float)
    allocated, exception = allocate_shares(block, ordered, np.array(fills, float), lot=lots, minimum=minimum)
    units = np.rint(allocated * 1e6).astype(np.int64)
    np.testing.assert_array_equal(np.bincount(block, units), np.array(fills) * 1_000_000)
    assert (allocated >= 0).all()
    assert (allocated <= ordered).all()
    ruled = exception == ""
    in_lots = np.isclose(allocated / lots, np.rint(allocated / lots), atol=1e-6) | (allocated == ordered)
    assert (in_lots | ~ruled).all()
    assert ((allocated == 0) | (allocated >= np.minimum(minimum, ordered)) | ~ruled).all()


@SOME
@given(blocks(), st.sampled_from([1.0, 5.0, 100.0]))
def test_a_complete_fill_gives_what_was_ordered(case, lot):
    sizes, _ = case
    block = np.repeat(np.arange(len(sizes)), [len(b) for b in sizes])
    ordered = np.concatenate(sizes).astype(float)
    allocated, _ = allocate_shares(block, ordered, np.bincount(block, ordered), lot=lot)
    np.testing.assert_array_equal(allocated, ordered)


@SOME
@given(blocks())
def test_nobody_is_a_share_or_more_from_pro_rata(case):
    sizes, fills = case
    for ordered, filled in zip(sizes, fills):
        values = np.array(ordered, float)
        allocated, _ = allocate_shares(np.zeros(len(values), int), values, np.array([filled], float))
        assert (np.abs(allocated - values * filled / values.sum()) < 1.0).all()


@SOME
@given(st.permutations(range(6)))
def test_rows_in_any_order_give_the_same_allocation(order):
    orders = orders_of(10, 10, 10, 7, 3, 25)
    first = allocate(orders, fill_of(32))
    again = allocate(orders.iloc[list(order)], fill_of(32))
    pd.testing.assert_frame_equal(first, again)


def test_ties_go_to_the_earlier_account():
    assert allocate(orders_of(10, 10, 10), fill_of(16))["allocated"].tolist() == [6.0, 5.0, 5.0]


def test_everybody_gets_the_average_price_of_all_fills():
    fills = pd.concat([fill_of(10, 10.0), fill_of(30, 12.0)])
    result = allocate(orders_of(30, 50), fills)
    assert result["price"].unique().tolist() == [11.5]
    assert result["amount"].sum() == pytest.approx(10 * 10.0 + 30 * 12.0)


def test_an_order_without_fill_gets_nothing_and_has_no_price():
    result = allocate(orders_of(30), fill_of(1).iloc[:0])
    assert result["allocated"].tolist() == [0.0]
    assert result["price"].isna().all()
    assert result["amount"].tolist() == [0.0]


def test_a_sale_is_never_filled_by_a_purchase():
    both = pd.concat([orders_of(10), orders_of(10, side="sell").assign(account_id="B1")])
    result = allocate(both, fill_of(4, side="sell")).set_index("account_id")["allocated"]
    assert result.to_dict() == {"A1": 0.0, "B1": 4.0}


def test_the_minimum_serves_the_largest_orders_whole_rather_than_everybody_a_little():
    result = allocate(orders_of(100, 100, 100, 100), fill_of(90), minimum=40)
    assert result["allocated"].tolist() == [45.0, 45.0, 0.0, 0.0]
    assert (result["exception"] == "").all()


def test_an_order_smaller_than_the_minimum_is_served_whole_or_not_at_all():
    result = allocate(orders_of(100, 5), fill_of(105), minimum=40)
    assert result["allocated"].tolist() == [100.0, 5.0]


def test_a_fill_below_the_minimum_still_goes_somewhere_and_says_so():
    result = allocate(orders_of(100, 100), fill_of(10), minimum=40)
    assert result["allocated"].tolist() == [10.0, 0.0]
    assert result["exception"].tolist() == ["below_minimum", ""]


def test_lots_are_each_accounts_own_and_what_no_lot_takes_is_marked():
    mixed = allocate(orders_of(10.0, 10.0, lot=[1.0, 0.25]), fill_of(9.0))
    assert mixed["allocated"].tolist() == [4.0, 5.0]  # half a share is left, and only one of them takes quarters
    odd = allocate(orders_of(200, 200, lot=100.0), fill_of(150))
    assert sorted(odd["allocated"]) == [50.0, 100.0]
    assert odd.loc[odd["allocated"] == 50.0, "exception"].tolist() == ["odd_lot"]


def test_a_position_closed_whole_ends_in_a_fraction():
    result = allocate(orders_of(10.37, 20.0), fill_of(30.37))
    assert result["allocated"].tolist() == [10.37, 20.0]


def test_numbers_beyond_int64_products_stay_exact():
    ordered = np.array([3e9 + 1, 3e9 + 2, 7.0])
    allocated, _ = allocate_shares(np.zeros(3, int), ordered, np.array([3e9 + 5]))
    assert allocated.tolist() == largest_remainder([int(x) for x in ordered], int(3e9 + 5))


@pytest.mark.parametrize(
    ("orders", "fills", "match"),
    [
        (orders_of(10), fill_of(11), "only 10 were ordered"),
        (orders_of(10), fill_of(1, security="BND"), "nobody ordered it"),
        (orders_of(0), fill_of(0), "above 0"),
        (orders_of(10), fill_of(-1), "0 or more"),
        (orders_of(10), fill_of(1, price=0.0), "price above 0"),
        (orders_of(10), fill_of(1, price=float("nan")), "no price"),
        (pd.concat([orders_of(10), orders_of(5)]), fill_of(1), "two orders"),
        (orders_of(10, side="short"), fill_of(1), "not one of buy, sell"),
        (orders_of(10).drop(columns="side"), fill_of(1), "no column side"),
        (orders_of(10, lot=0.0), fill_of(1), "lot must be"),
    ],
)
def test_bad_input_is_refused_with_a_remedy(orders, fills, match):
    with pytest.raises(ParameterError, match=match):
        allocate(orders, fills)

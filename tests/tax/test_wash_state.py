import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import FirmDataError, ParameterError
from workbench.tax import match_wash_sales, wash_groups, wash_state

AS_OF = pd.Timestamp("2024-06-28")

ACCOUNTS = pd.DataFrame(
    {
        "account_id": ["T", "IRA", "OTHER"],
        "household_id": ["H1", "H1", "H2"],
        "registration": ["taxable", "traditional_ira", "taxable"],
    }
)
SECURITIES = pd.DataFrame(
    {
        "security_id": ["AAA", "BBB", "CCC", "CASH"],
        "identical_group": ["AB", "AB", None, None],
        "identical_confidence": ["medium", "medium", None, None],
    }
)


def row(kind, days_ago, quantity, price, lot=None, account="T", security="AAA", origin="manual", **more):
    signed = {"sell": -quantity}.get(kind, quantity)
    amount = {"buy": -quantity * price, "sell": quantity * price}.get(kind, 0.0)
    return {"account_id": account, "security_id": security, "trade_date": AS_OF - pd.Timedelta(days=days_ago),
            "kind": kind, "quantity": signed, "price": price, "amount": amount, "origin": origin, "lot_id": lot,
            **more}  # fmt: skip


def state(*rows, **options):
    return wash_state(pd.DataFrame(rows), ACCOUNTS, SECURITIES, AS_OF, **options)


def test_recent_purchases_still_held_say_when_their_window_ends():
    found = state(
        row("buy", 31, 10, 5, "L0"), row("buy", 30, 10, 5, "L1"), row("sell", 3, 4, 6, "L1"),
        row("buy", 2, 7, 5, "L2", account="IRA", security="BBB"),
    ).purchases  # fmt: skip
    assert found[["lot_id", "shares", "taxed", "wash_group"]].values.tolist() == [
        ["L1", 6, True, "AB"], ["L2", 7, False, "AB"],
    ]  # fmt: skip
    assert found["last_day"].tolist() == [AS_OF, AS_OF + pd.Timedelta(days=28)]


def test_a_loss_that_nothing_replaced_yet_says_until_when_a_purchase_washes_it():
    (found,) = state(row("buy", 200, 10, 9, "L1"), row("sell", 10, 10, 5, "L1")).losses.to_dict("records")
    assert (found["shares"], found["loss"], found["known"]) == (10, 40, True)
    assert found["last_day"] == AS_OF + pd.Timedelta(days=20)


def test_shares_already_replaced_are_neither_a_loss_nor_a_purchase_any_more():
    found = state(row("buy", 200, 10, 9, "L1"), row("sell", 10, 10, 5, "L1"), row("buy", 5, 6, 5, "L2", security="BBB"))
    assert found.losses[["shares", "loss"]].values.tolist() == [[4, 16]]
    assert found.purchases.empty


def test_gains_old_losses_and_sales_in_an_ira_do_not_matter():
    found = state(
        row("buy", 200, 10, 5, "L1"), row("sell", 10, 10, 9, "L1"),
        row("buy", 200, 10, 9, "L2", security="CCC"), row("sell", 31, 10, 5, "L2", security="CCC"),
        row("buy", 200, 10, 9, "L3", account="IRA"), row("sell", 10, 10, 5, "L3", account="IRA"),
    )  # fmt: skip
    assert found.losses.empty


def test_households_are_apart():
    found = state(
        row("buy", 200, 10, 9, "L1"), row("sell", 10, 10, 5, "L1"), row("buy", 5, 6, 5, "L2", account="OTHER")
    )
    assert found.losses["shares"].tolist() == [10]
    assert found.purchases["household_id"].tolist() == ["H2"]


def test_an_unknown_basis_is_a_potential_loss_that_says_so():
    sale = row("sell", 10, 10, 5, "L1", acquired_on=AS_OF - pd.Timedelta(days=400))
    (found,) = state(sale).losses.to_dict("records")
    assert (found["shares"], found["known"]) == (10, False)
    assert np.isnan(found["loss"])
    lots = pd.DataFrame({"lot_id": ["L1"], "quantity": [5.0], "cost_per_share": [6.0], "wash_adjustment": [5.0]})
    (known,) = state(sale, lots=lots).losses.to_dict("records")
    assert (known["known"], known["loss"]) == (True, pytest.approx(20))
    moved = row("transfer", 100, 10, 8, "L1", acquired_on=AS_OF - pd.Timedelta(days=400))
    (cost,) = state(moved, sale).losses.to_dict("records")
    assert (cost["known"], cost["loss"]) == (True, pytest.approx(30))


def test_a_sale_without_a_lot_takes_the_first_bought_even_from_before_the_history():
    found = state(row("sell", 10, 10, 5), row("buy", 15, 4, 9))
    # ten were sold and four bought: six must have been there before, of unknown basis, and go first
    assert found.losses[["shares", "known"]].values.tolist() == [[6, False], [4, True]]
    assert found.purchases.empty


def test_received_shares_are_no_purchase():
    found = state(
        row("transfer", 5, 10, 8, "L1", acquired_on=AS_OF - pd.Timedelta(days=400)), row("buy", 3, 1, 8, "L2")
    )
    assert found.purchases["lot_id"].tolist() == ["L2"]


def test_splits_count_in_todays_shares():
    found = state(
        row("buy", 20, 10, 9, "L1"), row("split", 15, 10, 0, "L1"), row("sell", 10, 4, 5, "L1"),
        row("buy", 200, 6, 12, "L2"), row("split", 15, 6, 0, "L2"), row("sell", 5, 12, 4, "L2"),
    )  # fmt: skip
    # 12 shares of L2 at 6.00 lose 2.00 each, 16 of L1 are there: 12 are used
    assert found.losses.empty
    assert found.purchases[["lot_id", "shares"]].values.tolist() == [["L1", 4]]


def test_reinvested_dividends_are_expected_again():
    rows = [
        row("buy", days, 0.5, 5, f"R{days}", origin="reinvestment", account=account)
        for days, account in ((121, "T"), (100, "T"), (9, "T"), (119, "IRA"))
    ]
    found = state(*rows).reinvesting
    assert found[["account_id", "times", "taxed"]].values.tolist() == [["IRA", 1, False], ["T", 2, True]]
    assert found["last_on"].max() == AS_OF - pd.Timedelta(days=9)


def test_later_transactions_and_an_empty_table_are_nothing():
    assert state(row("buy", -1, 1, 5, "L1")).purchases.empty
    empty = pd.DataFrame([row("buy", 1, 1, 5, "L1")]).iloc[:0]
    found = wash_state(empty, ACCOUNTS, SECURITIES, AS_OF)
    assert found.purchases.empty
    assert found.losses.empty
    assert found.reinvesting.empty


def test_groups_below_the_confidence_are_not_applied():
    assert wash_groups(SECURITIES).to_dict() == {"AAA": "AB", "BBB": "AB", "CCC": "CCC", "CASH": "CASH"}
    assert wash_groups(SECURITIES, "high")["AAA"] == "AAA"
    with pytest.raises(ParameterError, match="sure"):
        wash_groups(SECURITIES, "sure")


def test_an_unknown_account_is_named():
    with pytest.raises(FirmDataError, match="NOBODY"):
        state(row("buy", 1, 1, 5, "L1", account="NOBODY"))


def test_a_small_firm_runs(small):
    found = wash_state(small["transactions"], small["accounts"], small["securities"], pd.Timestamp("2022-12-28"))
    assert found.purchases["lot_id"].tolist() == ["L1", "L2"]
    assert found.purchases["shares"].tolist() == [60, 10]


@st.composite
def recent_lots(draw):
    rows = []
    for number in range(draw(st.integers(1, 7))):
        account, security = draw(st.sampled_from(["T", "IRA"])), draw(st.sampled_from(["AAA", "BBB"]))
        days_ago, shares = draw(st.integers(0, 80)), draw(st.integers(1, 6))
        rows.append(row("buy", days_ago, shares, draw(st.integers(5, 15)), f"L{number}", account, security))
        sold = draw(st.integers(0, shares))
        if sold:
            after = draw(st.integers(0, days_ago))
            rows.append(row("sell", after, sold, draw(st.integers(5, 15)), f"L{number}", account, security))
    return rows


def as_trades(rows):
    frame = pd.DataFrame(rows).rename(columns={"kind": "side"})
    frame = frame.assign(shares=frame["quantity"].abs(), total=frame["amount"].abs(), wash_group="AB")
    return frame.assign(taxed=frame["account_id"] == "T")


@settings(max_examples=60, deadline=None)
@given(recent_lots())
def test_a_loss_taken_today_is_washed_by_exactly_the_purchases_listed(rows):
    rows.append(row("buy", 900, 1000, 50, "OLD"))
    listed = state(*rows).purchases
    matched = match_wash_sales(as_trades([*rows, row("sell", 0, 1000, 1, "OLD", sequence=1)])).matches
    found = matched[matched["lot_id"] == "OLD"].groupby("replacement_lot_id")["shares"].sum()
    assert found.to_dict() == pytest.approx(listed.groupby("lot_id")["shares"].sum().to_dict())


@settings(max_examples=60, deadline=None)
@given(recent_lots(), st.integers(1, 30))
def test_a_purchase_while_the_window_is_open_washes_exactly_the_losses_listed(rows, later):
    open_losses = state(*rows).losses
    still = open_losses[open_losses["last_day"] >= AS_OF + pd.Timedelta(days=later)]
    before = match_wash_sales(as_trades(rows)).blocks["disallowed"].sum()
    after = match_wash_sales(as_trades([*rows, row("buy", -later, 1000, 5, "NEW")])).matches
    new = after[(after["replacement_lot_id"] == "NEW")]
    assert new["disallowed"].sum() == pytest.approx(still["loss"].sum())
    assert new["shares"].sum() == pytest.approx(still["shares"].sum())
    assert after["disallowed"].sum() == pytest.approx(before + still["loss"].sum())

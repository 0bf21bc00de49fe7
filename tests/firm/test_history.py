"""The firm on an earlier day, worked backwards from the snapshot, against its transactions replayed forwards."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from workbench.errors import FirmDataError
from workbench.firm import CASH, TABLES, Firm, at, demo, lots_at, positions_at, validate, write_firm
from workbench.firm.reconcile import reconcile

AS_OF = pd.Timestamp("2022-12-28")
FIRST, LAST = date(2013, 6, 3), AS_OF.date()
#: Apple's 7-for-1 and 4-for-1 splits took effect on these mornings, General Electric's 1-for-8 on the last.
SPLITS = (date(2014, 6, 9), date(2020, 8, 31), date(2021, 8, 2))
#: Dates that are known before they come: a model's future version, settlement, expiry, the day after a purchase.
MAY_LIE_AHEAD = {
    ("models", "effective_date"),
    ("transactions", "settle_date"),
    ("restrictions", "expires_on"),
    ("lots", "holding_start"),
}

days = st.dates(FIRST, LAST)


@pytest.fixture(scope="module")
def firm(tmp_path_factory) -> Firm:
    return write_firm(tmp_path_factory.mktemp("history") / "firm", demo.build(accounts=30), AS_OF, check=False)


@pytest.fixture(scope="module")
def views(firm):
    """The firm as of a day; each day is worked out once."""
    made: dict[pd.Timestamp, Firm] = {}

    def view(day: date | str) -> Firm:
        when = pd.Timestamp(day)
        return made.setdefault(when, at(firm, when))

    return view


@pytest.fixture(scope="module")
def booked(firm) -> list[tuple]:
    """Every transaction in the order of its day."""
    columns = ["account_id", "security_id", "trade_date", "kind", "quantity", "price", "amount", "lot_id"]
    rows = firm.table("transactions")[columns].sort_values("trade_date", kind="stable")
    return list(rows.itertuples(index=False))


def replayed(booked: list[tuple], day: pd.Timestamp) -> tuple[dict, dict]:
    """Book every row up to `day` one by one: what is held by account and security, and (shares, dollars) by lot."""
    held: dict[tuple[str, str], float] = {}
    lots: dict[str, tuple[float, float]] = {}
    for row in booked:
        if row.trade_date > day:
            break
        purse = (row.account_id, CASH)
        held[purse] = held.get(purse, 0.0) + row.amount
        if row.security_id == CASH:
            continue
        key = (row.account_id, row.security_id)
        held[key] = held.get(key, 0.0) + row.quantity
        if isinstance(row.lot_id, str):
            shares, cost = lots.get(row.lot_id, (0.0, 0.0))
            if row.kind in ("buy", "transfer"):
                cost += row.quantity * row.price
            elif row.kind == "sell":
                cost *= 1.0 + row.quantity / shares
            lots[row.lot_id] = (shares + row.quantity, cost)
    return (
        {key: quantity for key, quantity in held.items() if abs(quantity) > 1e-5},
        {lot: pair for lot, pair in lots.items() if pair[0] > 1e-5},
    )


@settings(max_examples=10, deadline=None)
@given(day=days)
@example(day=LAST)
@example(day=SPLITS[0])
@example(day=SPLITS[1])
@example(day=SPLITS[2])
@example(day=date(2020, 8, 28))
@example(day=date(2021, 7, 30))
def test_taking_back_gives_what_replaying_forward_gives(firm, booked, day):
    when = pd.Timestamp(day)
    held, lots = replayed(booked, when)
    positions = positions_at(firm, when).set_index(["account_id", "security_id"])["quantity"]
    assert positions.to_dict() == pytest.approx(held, abs=1e-5)
    frame = lots_at(firm, when).set_index("lot_id")
    assert frame["quantity"].to_dict() == pytest.approx({lot: shares for lot, (shares, _) in lots.items()}, abs=1e-5)
    # A split rounds a lot to a ten-thousandth of a share: its cost a share is exact to that.
    cost = {lot: dollars / shares for lot, (shares, dollars) in lots.items()}
    assert frame["cost_per_share"].to_dict() == pytest.approx(cost, rel=2e-3)
    assert frame["account_id"].notna().all()
    assert (frame["acquired_on"] <= when).all()


@settings(max_examples=6, deadline=None)
@given(day=days)
@example(day=SPLITS[1])
def test_no_row_of_a_view_is_dated_later(views, day):
    when, view = pd.Timestamp(day), views(day)
    seen = set()
    for name, table in TABLES.items():
        frame = view.table(name)
        for column in table.columns:
            if pd.api.types.is_datetime64_any_dtype(frame[column]) and (name, column) not in MAY_LIE_AHEAD:
                assert not (frame[column] > when).any(), f"{name}.{column}"
                seen.add(f"{name}.{column}")
    assert {
        "prices.date",
        "rates.date",
        "lots.acquired_on",
        "transactions.trade_date",
        "client_notes.written_on",
    } <= seen
    assert {"profiles.reviewed_on", "accounts.opened_on", "accounts.last_rebalanced_on"} <= seen
    assert (view.table("lots")["holding_start"] <= when + pd.Timedelta(days=1)).all()
    assert view.query("select max(date) as day from prices")["day"].iloc[0] <= when


@settings(max_examples=6, deadline=None)
@given(first=days, second=days)
def test_two_steps_back_are_one(views, first, second):
    earlier, later = sorted((first, second))
    step, whole = at(views(later), pd.Timestamp(earlier)), views(earlier)
    assert step.as_of == whole.as_of
    for name, key in (("positions", ["account_id", "security_id"]), ("lots", ["lot_id"]), ("accounts", ["account_id"])):
        one, other = (view.table(name).set_index(key).sort_index() for view in (step, whole))
        pd.testing.assert_frame_equal(one, other, check_dtype=False, atol=1e-5)


@pytest.mark.parametrize("day", ["2014-06-09", "2020-08-31", "2022-06-30"])
def test_a_view_is_a_sound_firm_but_for_what_cannot_be_known(views, day):
    view = views(day)
    unknown = {(row.table, row.column) for row in validate(view.tables(), view.as_of)}
    assert unknown <= {
        ("households", column)
        for column in ("realised_short", "realised_long", "carryforward_short", "carryforward_long")
    }
    findings = reconcile(view)
    for check in ("future_dates", "price_coverage", "lots", "stated_value", "replay", "lot_replay", "negative_cash"):
        assert not findings.of(check)


def test_reconciling_an_earlier_day_reconciles_the_view(firm, views):
    day = "2021-06-30"
    pd.testing.assert_frame_equal(reconcile(firm, day).to_frame(), reconcile(views(day)).to_frame())
    with pytest.raises(FirmDataError, match="outside the data"):
        reconcile(firm, "2023-01-31")


def test_stated_values_are_of_the_day(views):
    view = views("2020-03-23")
    closes = view.query("select security_id, arg_max(close, date) as close from prices group by security_id")
    held = view.table("positions").merge(closes, on="security_id", how="left")
    value = (held["quantity"] * held["close"]).groupby(held["account_id"]).sum()
    stated = view.table("accounts").set_index("account_id")["stated_value"]
    pd.testing.assert_series_equal(stated, value.reindex(stated.index), check_names=False, check_index_type=False)


def test_losses_carried_into_the_year_are_known_within_it_only(firm, views):
    columns = ["carryforward_short", "carryforward_long"]
    same, earlier = (views(day).table("households")[columns] for day in ("2022-03-31", "2021-03-31"))
    pd.testing.assert_frame_equal(same, firm.table("households")[columns])
    assert earlier.isna().all(axis=None)


@pytest.mark.parametrize("day", ["2022-12-29", "1999-12-31", "2005-06-30"])
def test_days_outside_the_data_are_refused(firm, day):
    with pytest.raises(FirmDataError, match=day):
        at(firm, day)


def test_a_firm_without_transactions_stays_as_it_is(small, tmp_path):
    del small["transactions"]
    firm = write_firm(tmp_path / "firm", small, AS_OF)
    view = at(firm, "2022-12-27")
    assert view.table("positions")["quantity"].sum() == pytest.approx(firm.table("positions")["quantity"].sum())
    assert set(view.table("lots")["lot_id"]) == {"L1", "L2"}
    assert view.table("accounts")["stated_value"].tolist() == pytest.approx([60 * 11 + 10 * 50 + 60, 100])


def test_a_sold_lot_without_a_purchase_has_no_cost(small, tmp_path):
    small["transactions"].loc[4, "lot_id"] = "GONE"
    firm = write_firm(tmp_path / "firm", small, AS_OF)
    lot = lots_at(firm, pd.Timestamp("2022-12-27")).set_index("lot_id").loc["GONE"]
    assert (lot["account_id"], lot["security_id"], lot["quantity"]) == ("A1", "AAA", 10.0)
    assert np.isnan(lot["cost_per_share"])
    assert pd.isna(lot["acquired_on"])

"""Wash sales: published fixtures, invariants, and agreement with a slow matcher that knows only single shares."""

import csv
from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import FirmDataError, ParameterError
from workbench.tax import match_wash_sales

DAY = pd.Timestamp("2020-01-01")


def buy(lot, day, shares, total, account="T", security="X", **more):
    return {"side": "buy", "lot_id": lot, "trade_date": DAY + pd.Timedelta(days=day), "shares": shares,
            "total": total, "account_id": account, "security_id": security, **more}  # fmt: skip


def sell(lot, day, shares, total, account="T", security="X", **more):
    return buy(lot, day, shares, total, account, security, **more) | {"side": "sell"}


# --- published fixtures -------------------------------------------------------------------------------------------


def money(text):
    return float(text.replace("$", "").replace(",", "")) if text else None


def day_of(text):
    return datetime.strptime(text, "%m/%d/%Y").date()


def rows_of(path):
    with path.open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    width = max(map(len, rows))
    return [row + [""] * (width - len(row)) for row in rows]


def from_dollars(path):
    """adlr: dollars, the buy date rewritten by tacking, a lot named by its number or `BuyLot` (first of a list)."""
    for number, row in enumerate(rows_of(path), start=1):
        row += [""] * (12 - len(row))
        key = row[10].split(",")[0] or str(number)
        yield key, float(row[0]), day_of(row[3]), money(row[4]), row[5], money(row[6]), money(row[8]) or 0.0, False


def from_cents(path):
    """bbreslauer: cents, adjusted basis and adjusted buy date in columns of their own."""
    for row in rows_of(path):
        key = row[12] if row[12] and not row[12].startswith("_") else row[11]
        basis = float(row[6] or row[5]) / 100
        proceeds = float(row[8]) / 100 if row[8] else None
        lost = float(row[10] or 0) / 100
        yield key, float(row[0]), day_of(row[4] or row[3]), basis, row[7], proceeds, lost, row[14] == "True"


def trades_of(rows):
    trades = []
    for key, shares, bought, basis, sold, proceeds, _, used in rows:
        bought = (pd.Timestamp(bought) - DAY).days
        trades.append(buy(key, bought, shares, basis, used_shares=shares if used else 0.0))
        if sold:
            trades.append(sell(key, (pd.Timestamp(day_of(sold)) - DAY).days, shares, proceeds))
    return pd.DataFrame(trades)


def pieces_of(result):
    """Every piece, cut where the fixtures cut: lot, shares, deemed purchase, basis, proceeds, loss disallowed."""
    pieces = []
    for block in result.blocks.to_dict("records"):
        key = (result.matches["trade"] == block["trade"]) & (result.matches["lot_id"] == block["lot_id"])
        parts = result.matches[key]["shares"].tolist() if block["disallowed"] else []
        rest = block["shares"] - sum(parts)
        cuts = [(s, -s * block["gain"] / block["shares"]) for s in parts] + [(rest, 0.0)] * (rest > 1e-9)
        for shares, lost in cuts:
            share = shares / block["shares"]
            pieces.append((block["lot_id"], shares, block["deemed_acquired_on"].date(), share * block["basis"],
                           share * block["proceeds"], lost))  # fmt: skip
    for lot in result.open_lots.to_dict("records"):
        pieces.append((lot["lot_id"], lot["shares"], lot["deemed_acquired_on"].date(), lot["basis"], -1.0, 0.0))
    return sorted(pieces)


FIXTURES = [
    *(("adlr", name) for name in (
        "fairmark_replace_2", "fairmark_sameday_1", "irs550_example_1", "irs550_example_2", "irs550_example_3",
        "irs550_example_4", "same_day_loss_compute", "two_lots_different_buy_days", "two_lots_same_days",
    )),
    *(("bbreslauer", name) for name in (
        "fairmark_replace_2", "fairmark_sameday_1", "irs_example_1", "irs_example_2", "irs_example_3", "irs_example_4",
        "no_wash_replacement_already_used", "no_wash_replacement_same_lot", "no_wash_replacement_sold_before_loss",
        "no_wash_replacement_too_early", "no_wash_replacement_too_late", "simple_wash_larger_replacement_sold",
        "simple_wash_larger_replacement_unsold", "simple_wash_smaller_replacement_sold",
        "simple_wash_smaller_replacement_unsold", "simple_wash_sold_becomes_loss_replacement_before",
        "simple_wash_sold_gain_replacement_after", "simple_wash_sold_gain_replacement_before",
        "simple_wash_sold_loss_replacement_before", "simple_wash_unsold_replacement_after",
        "simple_wash_unsold_replacement_before", "two_lots_different_buy_days", "two_lots_same_days",
    )),
]  # fmt: skip


@pytest.mark.parametrize(("source", "name"), FIXTURES)
def test_published_fixture(shared, source, name):
    folder = shared / "data" / "fixtures" / "wash_sale" / source
    read = from_dollars if source == "adlr" else from_cents
    result = match_wash_sales(trades_of(read(folder / f"{name}.csv")))
    expected = sorted(
        (key, shares, bought, basis, -1.0 if proceeds is None else proceeds, lost)
        for key, shares, bought, basis, _, proceeds, lost, _ in read(folder / f"{name}_out.csv")
    )
    found = pieces_of(result)
    # rows of one unmatched lot that the fixture keeps apart are one lot here
    assert [p[0] for p in found] == [e[0] for e in expected]
    for piece, wanted in zip(found, expected, strict=True):
        assert piece[1] == wanted[1]
        assert piece[2] == wanted[2]
        assert piece[3:] == pytest.approx(wanted[3:], abs=0.0101)


def test_every_fixture_is_named_here(shared):
    folder = shared / "data" / "fixtures" / "wash_sale"
    found = {(p.parent.name, p.name.removesuffix("_out.csv")) for p in folder.rglob("*_out.csv")}
    assert found == set(FIXTURES)


# --- the rule, one part at a time ---------------------------------------------------------------------------------


def disallowed(*trades):
    return match_wash_sales(pd.DataFrame(trades)).blocks["disallowed"].sum()


@pytest.mark.parametrize(("days", "washed"), [(-31, 0), (-30, 10), (0, 10), (30, 10), (31, 0)])
def test_the_window_has_61_days(days, washed):
    trades = [buy("A", 0, 1, 20), sell("A", 100, 1, 10), buy("B", 100 + days, 1, 15)]
    assert disallowed(*trades) == washed


def test_another_account_of_the_household_counts_another_household_does_not():
    trades = [buy("A", 0, 1, 20), sell("A", 100, 1, 10), buy("B", 100, 1, 15, account="SPOUSE")]
    frame = pd.DataFrame(trades)
    assert match_wash_sales(frame).blocks["disallowed"].sum() == 10
    apart = frame.assign(household_id=["H1", "H1", "H2"])
    assert match_wash_sales(apart).blocks["disallowed"].sum() == 0


@pytest.mark.parametrize("registration", ["traditional_ira", "roth_ira", "inherited_ira", "401k"])
def test_a_purchase_where_gains_are_not_taxed_loses_the_loss_for_good(registration):
    frame = pd.DataFrame([buy("A", 0, 10, 200), sell("A", 100, 10, 100), buy("B", 101, 4, 60, account="R")])
    result = match_wash_sales(frame.assign(registration=["taxable", "taxable", registration]))
    assert result.blocks[["disallowed", "permanent", "deductible"]].sum().tolist() == [40, 40, 60]
    assert result.open_lots["basis"].tolist() == [60]
    assert result.matches["permanent"].tolist() == [True]


def test_identical_securities_share_a_group_and_others_do_not():
    frame = pd.DataFrame([buy("A", 0, 1, 20), sell("A", 100, 1, 10), buy("B", 101, 1, 15, security="Y")])
    assert match_wash_sales(frame).blocks["disallowed"].sum() == 0
    assert match_wash_sales(frame.assign(wash_group="XY")).blocks["disallowed"].sum() == 10
    assert match_wash_sales(frame.assign(wash_group=[None, None, "X"])).blocks["disallowed"].sum() == 10


def test_a_share_replaces_once_and_in_order_of_acquisition():
    frame = pd.DataFrame(
        [buy("A", 0, 3, 60), buy("B", 1, 3, 90), sell("A", 100, 3, 30), sell("B", 101, 3, 30), buy("C", 110, 4, 40)]
    )
    result = match_wash_sales(frame)
    assert result.matches[["lot_id", "shares", "disallowed"]].values.tolist() == [["A", 3, 30], ["B", 1, 20]]
    assert result.blocks["deductible"].tolist() == [0, 40]
    assert sorted(result.open_lots["basis"]) == [30, 60]


def test_a_replacement_sold_at_a_loss_carries_the_first_loss_on():
    frame = pd.DataFrame(
        [buy("A", 0, 1, 100), sell("A", 10, 1, 90), buy("B", 20, 1, 91), sell("B", 40, 1, 80), buy("C", 45, 1, 81)]
    )
    result = match_wash_sales(frame)
    assert result.blocks["disallowed"].tolist() == [10, 21]
    assert result.open_lots["basis"].tolist() == [102]
    # held 10 + 20 days before the replacement of day 45
    assert result.open_lots["deemed_acquired_on"].tolist() == [DAY + pd.Timedelta(days=45 - 30)]


def test_a_tacked_period_makes_a_later_gain_long_term():
    frame = pd.DataFrame([buy("A", 0, 1, 100), sell("A", 360, 1, 90), buy("B", 361, 1, 90), sell("B", 375, 1, 120)])
    assert match_wash_sales(frame).blocks["term"].tolist() == ["short", "long"]


def test_a_loss_block_is_not_netted_with_gains_of_the_same_sale():
    frame = pd.DataFrame([buy("A", 0, 1, 20), buy("B", 1, 1, 5), sell(None, 100, 2, 24), buy("C", 101, 1, 12)])
    blocks = match_wash_sales(frame).blocks
    assert blocks[["lot_id", "gain", "disallowed", "recognised"]].values.tolist() == [["A", -8, 8, 0], ["B", 7, 0, 7]]


def test_a_sale_without_a_lot_takes_the_first_bought_of_its_account():
    frame = pd.DataFrame(
        [buy("A", 5, 2, 20), buy("B", 1, 1, 10), buy("C", 0, 9, 90, account="U"), sell(None, 50, 2, 30)]
    )
    assert match_wash_sales(frame).blocks[["lot_id", "shares"]].values.tolist() == [["B", 1], ["A", 1]]


def test_the_order_within_a_day_rules_where_it_is_known():
    trades = [buy("A", 0, 1, 20), buy("B", 1, 1, 30), sell("A", 10, 1, 10), sell("B", 10, 1, 10)]
    frame = pd.DataFrame(trades)
    assert match_wash_sales(frame).matches["lot_id"].tolist() == ["A"]
    assert match_wash_sales(frame.assign(sequence=[0, 0, 2, 1])).matches["lot_id"].tolist() == ["B"]


def test_fractions_of_shares_split_exactly():
    frame = pd.DataFrame([buy("A", 0, 1, 30), sell("A", 10, 1, 20), buy("B", 11, 1 / 3, 7), buy("C", 12, 2.5, 50)])
    result = match_wash_sales(frame)
    assert result.blocks["disallowed"].sum() == pytest.approx(10)
    assert result.open_lots["shares"].sum() == pytest.approx(1 / 3 + 2.5)
    assert sorted(result.open_lots["shares"]) == pytest.approx([1 / 3, 2 / 3, 2.5 - 2 / 3])


def test_an_unknown_basis_gives_a_missing_gain_and_no_match():
    frame = pd.DataFrame([buy("A", 0, 1, np.nan), sell("A", 10, 1, 20), buy("B", 11, 1, 7)])
    result = match_wash_sales(frame)
    assert result.blocks[["gain", "disallowed", "recognised", "deductible"]].isna().all(axis=None)
    assert result.matches.empty
    assert result.open_lots["basis"].tolist() == [7]


def test_executions_of_one_order_are_one_lot():
    trades = [buy("A", 0, 1, 10), buy("A", 0, 3, 34), sell("A", 5, 2, 10)]
    result = match_wash_sales(pd.DataFrame(trades))
    assert result.blocks[["gain", "disallowed"]].values.tolist() == [[-12, 0]]
    assert result.open_lots[["shares", "basis"]].values.tolist() == [[2, 22]]


@pytest.mark.parametrize(
    ("trades", "column"),
    [
        ([buy("A", 0, 1, 10), sell("A", 1, 2, 10)], "shares"),
        ([buy("A", 5, 1, 10), sell("A", 1, 1, 10)], "shares"),
        ([buy("A", 0, 1, 10), sell(None, 1, 2, 10)], "shares"),
        ([buy("A", 0, 1, 10), sell("B", 1, 1, 10)], "lot_id"),
        ([buy("A", 0, 1, 10), buy("A", 1, 1, 10)], "lot_id"),
        ([buy("A", 0, -1, 10)], "shares"),
        ([buy("A", 0, 1, 10), sell("A", 1, 1, np.nan)], "total"),
        ([buy("A", 0, 1, 10) | {"side": "short"}], "side"),
        ([buy("A", 0, 1, 10) | {"trade_date": None}], "trade_date"),
    ],
)
def test_rows_that_cannot_be_are_refused_by_name(trades, column):
    with pytest.raises(FirmDataError) as error:
        match_wash_sales(pd.DataFrame(trades))
    assert error.value.rows[0].column == column
    assert error.value.rows[0].table == "trades"


def test_a_missing_column_is_named():
    with pytest.raises(ParameterError, match="total"):
        match_wash_sales(pd.DataFrame([buy("A", 0, 1, 10)]).drop(columns="total"))


def test_no_trades_give_empty_frames():
    result = match_wash_sales(pd.DataFrame([buy("A", 0, 1, 10)]).iloc[:0])
    assert result.blocks.empty
    assert result.open_lots.empty


# --- invariants and an independent matcher ------------------------------------------------------------------------


@st.composite
def histories(draw, sell_all=False):
    trades = []
    for number in range(draw(st.integers(1, 8))):
        account = draw(st.sampled_from(["T1", "T2", "IRA"]))
        security = draw(st.sampled_from(["X", "Y"]))
        lot, bought, shares = f"L{number}", draw(st.integers(0, 90)), draw(st.integers(1, 6))
        trades.append(buy(lot, bought, shares, shares * draw(st.integers(5, 15)), account, security))
        left = shares
        for _ in range(draw(st.integers(0, 2))):
            part = draw(st.integers(1, left)) if left else 0
            if part:
                at = bought + draw(st.integers(0, 60))
                trades.append(sell(lot, at, part, part * draw(st.integers(5, 15)), account, security))
                left -= part
        if sell_all and left:
            trades.append(sell(lot, 400, left, left * draw(st.integers(5, 15)), account, security))
    frame = pd.DataFrame(trades).assign(wash_group="XY")
    return frame.assign(taxed=frame["account_id"] != "IRA")


@settings(max_examples=60, deadline=None)
@given(histories())
def test_basis_added_and_lost_for_good_make_up_what_is_disallowed(frame):
    result = match_wash_sales(frame)
    buys = frame[frame["side"] == "buy"]
    added = result.blocks["basis"].sum() + result.open_lots["basis"].sum() - buys["total"].sum()
    assert result.blocks["disallowed"].sum() == pytest.approx(added + result.blocks["permanent"].sum())
    assert result.blocks["shares"].sum() + result.open_lots["shares"].sum() == pytest.approx(buys["shares"].sum())
    assert result.matches["disallowed"].sum() == pytest.approx(result.blocks["disallowed"].sum())
    losses = (-result.blocks["gain"]).clip(lower=0)
    assert (result.blocks["disallowed"] <= losses + 1e-9).all()


@settings(max_examples=40, deadline=None)
@given(histories(), st.integers(0, 1000))
def test_the_order_of_rows_does_not_matter(frame, seed):
    result, again = (match_wash_sales(f) for f in (frame, frame.sample(frac=1, random_state=seed)))
    columns = ["lot_id", "shares", "basis", "holding_start"]
    for name in ("blocks", "open_lots"):
        one, two = getattr(result, name)[columns], getattr(again, name)[columns]
        pd.testing.assert_frame_equal(one, two)


@settings(max_examples=100, deadline=None)
@given(histories(sell_all=True))
def test_once_all_is_sold_only_what_is_lost_for_good_is_missing(frame):
    result = match_wash_sales(frame)
    taxed = frame[frame["taxed"]]
    gain = taxed.loc[taxed["side"] == "sell", "total"].sum() - taxed.loc[taxed["side"] == "buy", "total"].sum()
    assert result.blocks["recognised"].sum() == pytest.approx(gain + result.blocks["permanent"].sum())
    assert result.open_lots.empty


def match_share_by_share(frame):
    """Every share by itself, every purchase looked at for each loss: as slow as it is plain. Whole shares only."""
    shares = []
    buys = frame[frame["side"] == "buy"]
    order = buys.assign(key=buys["account_id"] + buys["security_id"]).sort_values(
        ["trade_date", "taxed", "key", "lot_id"], ascending=[True, False, True, True]
    )
    for row in order.to_dict("records"):
        cost = row["total"] / row["shares"]
        day = row["trade_date"].date()
        shares += [
            {"lot": row["lot_id"], "bought": day, "deemed": day, "cost": cost, "taxed": row["taxed"]}
            | {"used": 0, "sold": False}
            for _ in range(int(row["shares"]))
        ]
    rank = {share["lot"]: place for place, share in reversed(list(enumerate(shares)))}
    sales = frame[frame["side"] == "sell"].to_dict("records")
    sales.sort(key=lambda r: (r["trade_date"], rank[r["lot_id"]], r["total"] / r["shares"], r["shares"]))
    uses, total, permanent = 0, 0.0, 0.0
    for row in sales:
        day, price = row["trade_date"].date(), row["total"] / row["shares"]
        mine = [s for s in shares if s["lot"] == row["lot_id"] and not s["sold"]]
        mine.sort(key=lambda s: s["used"] or 10**9)
        for share in mine[: int(row["shares"])]:
            share["sold"] = True
            loss = share["cost"] - price
            if loss <= 1e-9 or not share["taxed"]:
                continue
            for other in shares:
                near = abs(other["bought"] - day) <= timedelta(days=30)
                if near and other["lot"] != share["lot"] and not other["used"] and not other["sold"]:
                    uses += 1
                    other["used"] = uses
                    total += loss
                    if other["taxed"]:
                        other["cost"] += loss
                        other["deemed"] -= day - share["deemed"]
                    else:
                        permanent += loss
                    break
    held = sorted((s["lot"], s["deemed"], round(s["cost"], 6)) for s in shares if not s["sold"])
    return total, permanent, held


@settings(max_examples=100, deadline=None)
@given(histories())
def test_it_agrees_with_a_matcher_of_single_shares(frame):
    result = match_wash_sales(frame)
    total, permanent, held = match_share_by_share(frame)
    assert result.blocks["disallowed"].sum() == pytest.approx(total)
    assert result.blocks["permanent"].sum() == pytest.approx(permanent)
    found = [
        (row["lot_id"], row["deemed_acquired_on"].date(), round(row["basis"] / row["shares"], 6))
        for row in result.open_lots.to_dict("records")
        for _ in range(round(row["shares"]))
    ]
    assert sorted(found) == held


def test_a_long_chain_of_small_daily_trades_is_worked_through():
    days = np.arange(2000)
    trades = [buy(f"L{d:04d}", int(d), 10, 1000 - d / 10) for d in days]
    trades += [sell(f"L{d:04d}", int(d) + 1, 10, 990 - d / 10) for d in days]
    result = match_wash_sales(pd.DataFrame(trades))
    assert (result.blocks["deductible"] > 0).sum() == 1
    assert isinstance(result.blocks["sold_on"].iloc[0].date(), date)

"""The ledger of daily holdings: the identity for any rows, each kind of row by hand, and a slow second reckoning."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import FirmDataError, MarketDataError, ParameterError
from workbench.firm import Firm, demo, open_at, positions_at
from workbench.performance import DailyHoldings, chunks, load

DAYS = pd.bdate_range("2022-12-26", "2023-01-06")
AS_OF = DAYS[-1]


def firm_of(
    rows: list[tuple[str, str, str, str, float, float | None, float]],
    positions: dict[tuple[str, str], float],
    closes: dict[str, list[float | None]],
    opened: dict[str, str] | None = None,
) -> Firm:
    """A firm in memory; rows are (account, security, day, kind, quantity, price, amount), closes one a session."""
    starts = opened or {}
    securities = sorted({*closes, "CASH", *(row[1] for row in rows), *(security for _, security in positions)})
    accounts = sorted({*(row[0] for row in rows), *(account for account, _ in positions), *starts})
    columns = ["account_id", "security_id", "trade_date", "kind", "quantity", "price", "amount"]
    moved = pd.DataFrame(rows, columns=columns)
    moved = moved.assign(trade_date=pd.to_datetime(moved["trade_date"]))
    given_closes = [
        (DAYS[day], security, close)
        for security, series in closes.items()
        for day, close in enumerate(series)
        if close is not None
    ]
    tables = {
        "securities": pd.DataFrame({"security_id": securities}),
        "accounts": pd.DataFrame(
            {
                "account_id": accounts,
                "opened_on": pd.to_datetime([(opened or {}).get(a, "2020-01-02") for a in accounts]),
            }
        ),
        "positions": pd.DataFrame(
            [(a, s, float(q)) for (a, s), q in positions.items()], columns=["account_id", "security_id", "quantity"]
        ),
        "transactions": moved.astype({"quantity": float, "price": float, "amount": float}),
        "prices": pd.DataFrame(given_closes, columns=["date", "security_id", "close"]),
    }
    return Firm(Path("."), AS_OF, AS_OF, {}, {}, "Test", rewound=tables)


def residual(daily: DailyHoldings) -> np.ndarray:
    """What the identity leaves open, relative to the account's largest value."""
    value = daily.account_value
    gain = daily.by_account(daily.holding) + daily.by_account(daily.trading)
    left = np.diff(value, axis=1) - gain - daily.flow - daily.fee - daily.unexplained
    return left / np.maximum(np.abs(value).max(axis=1, keepdims=True), 1.0)


def flat(price: float = 10.0) -> list[float | None]:
    return [price] * len(DAYS)


def only(daily: DailyHoldings, what: str) -> float:
    return float(getattr(daily, what).sum())


START = DAYS[0]


def test_a_holding_gains_with_its_price_and_a_purchase_by_the_close_against_its_price() -> None:
    closes = flat()
    closes[3:] = [12.0] * len(closes[3:])
    rows = [("A", "XYZ", "2022-12-28", "buy", 100.0, 10.5, -1_051.0)]
    daily = load(firm_of(rows, {("A", "XYZ"): 100.0, ("A", "CASH"): 49.0}, {"XYZ": closes}), START)
    assert only(daily, "trading") == pytest.approx(100 * 10.0 - 1_051.0)
    assert only(daily, "holding") == pytest.approx(100 * 2.0)
    assert daily.trading[:, 1].sum() == pytest.approx(-51.0)
    assert daily.account_value[0, 0] == pytest.approx(1_100.0)
    assert np.abs(daily.unexplained).max() < 1e-9


def test_a_dividend_belongs_to_its_security_even_after_the_shares_are_gone() -> None:
    rows = [
        ("A", "XYZ", "2022-12-28", "sell", -10.0, 10.0, 100.0),
        ("A", "XYZ", "2022-12-30", "dividend", 0.0, 0.5, 5.0),
        ("A", "CASH", "2023-01-03", "dividend", 0.0, None, 1.0),
    ]
    daily = load(firm_of(rows, {("A", "CASH"): 106.0}, {"XYZ": flat()}), START)
    by_security = {daily.securities[s]: h.sum() for s, h in zip(daily.slot_security, daily.holding)}
    assert by_security == pytest.approx({"XYZ": 5.0, "CASH": 1.0})
    assert np.abs(daily.flow).max() == 0.0


def test_a_split_is_no_gain_and_a_spin_off_is_one_and_neither_is_a_flow() -> None:
    closes = flat()
    closes[2:] = [5.0] * len(closes[2:])
    rows = [
        ("A", "XYZ", "2022-12-28", "split", 100.0, None, 0.0),
        ("A", "CHILD", "2023-01-03", "spin_off", 10.0, None, 2.5),
    ]
    positions = {("A", "XYZ"): 200.0, ("A", "CHILD"): 10.0, ("A", "CASH"): 2.5}
    daily = load(firm_of(rows, positions, {"XYZ": closes, "CHILD": flat(3.0)}), START)
    assert only(daily, "holding") == pytest.approx(32.5)
    assert only(daily, "flow") == 0.0
    assert np.diff(daily.account_value)[0] == pytest.approx([0, 0, 0, 0, 0, 32.5, 0, 0, 0], abs=1e-9)


def test_flows_and_fees_are_the_clients_and_the_firms_and_kind_counts_at_the_close() -> None:
    rows = [
        ("A", "XYZ", "2022-12-27", "transfer", 10.0, 4.0, 0.0),
        ("A", "CASH", "2022-12-28", "deposit", 0.0, None, 500.0),
        ("A", "CASH", "2022-12-29", "withdrawal", 0.0, None, -100.0),
        ("A", "CASH", "2022-12-30", "fee", 0.0, None, -7.0),
        ("A", "XYZ", "2023-01-03", "transfer", -10.0, 4.0, 0.0),
    ]
    daily = load(firm_of(rows, {("A", "CASH"): 393.0}, {"XYZ": flat()}, {"A": "2022-12-27"}), START)
    assert daily.flow[0] == pytest.approx([100, 500, -100, 0, 0, -100, 0, 0, 0])
    assert daily.fee[0] == pytest.approx([0, 0, 0, -7, 0, 0, 0, 0, 0])
    assert daily.account_value[0] == pytest.approx([0, 100, 600, 500, 493, 493, 393, 393, 393, 393])
    assert np.abs(daily.unexplained).max() < 1e-9


def test_an_account_that_empties_and_comes_back_is_exactly_zero_between() -> None:
    rows = [
        ("A", "XYZ", "2022-12-28", "sell", -0.1, 10.0, 1.0),
        ("A", "XYZ", "2022-12-28", "sell", -0.2, 10.0, 2.0),
        ("A", "CASH", "2022-12-28", "withdrawal", 0.0, None, -3.0),
        ("A", "CASH", "2023-01-03", "deposit", 0.0, None, 50.0),
    ]
    daily = load(firm_of(rows, {("A", "CASH"): 50.0}, {"XYZ": flat()}), START)
    assert daily.account_value[0] == pytest.approx([3, 3, 0, 0, 0, 0, 50, 50, 50, 50])
    assert (daily.value[:, 2:6] == 0.0).all()


def test_money_nobody_booked_stays_unexplained_on_the_day_the_account_opened() -> None:
    rows = [("A", "CASH", "2022-12-29", "deposit", 0.0, None, 100.0)]
    daily = load(firm_of(rows, {("A", "CASH"): 130.0}, {"XYZ": flat()}, {"A": "2022-12-29"}), START)
    assert daily.account_value[0, :3].max() == 0.0
    assert daily.unexplained[0, 2] == pytest.approx(30.0)
    assert daily.flow[0, 2] == pytest.approx(100.0)


def test_a_purchase_of_cash_is_unexplained_and_never_a_trading_gain() -> None:
    rows = [("A", "CASH", "2022-12-29", "buy", 100.0, 1.0, -100.0)]
    daily = load(firm_of(rows, {("A", "CASH"): 0.0}, {"XYZ": flat()}), START)
    assert only(daily, "trading") == 0.0
    assert only(daily, "unexplained") == pytest.approx(-100.0)


def test_a_missing_close_is_the_last_known_one_with_its_age() -> None:
    closes = flat()
    closes[4:7] = [None, None, None]
    closes[7:] = [11.0] * 3
    daily = load(firm_of([], {("A", "XYZ"): 10.0}, {"XYZ": closes, "OTHER": flat()}), START)
    place = daily.securities.index("XYZ")
    assert list(daily.price_age[place]) == [0, 0, 0, 0, 1, 2, 3, 0, 0, 0]
    assert daily.holding.sum(axis=0) == pytest.approx([0, 0, 0, 0, 0, 0, 10, 0, 0])


def test_a_split_on_a_day_without_a_close_does_not_double_the_holding() -> None:
    closes: list[float | None] = [10.0, 10.0, None, None, *[5.5] * 6]
    rows = [("A", "XYZ", "2022-12-28", "split", 100.0, None, 0.0)]
    daily = load(firm_of(rows, {("A", "XYZ"): 200.0}, {"XYZ": closes, "OTHER": flat()}), START)
    assert daily.account_value[0] == pytest.approx([1_000] * 4 + [1_100] * 6)


def test_what_is_booked_before_a_price_exists_is_worth_what_was_paid_until_there_is_one() -> None:
    closes: list[float | None] = [None] * 6 + [30.0] * 4
    rows = [
        ("A", "NEW", "2022-12-28", "buy", 10.0, 20.0, -200.0),
        ("A", "NEW", "2022-12-30", "split", 10.0, None, 0.0),
    ]
    daily = load(firm_of(rows, {("A", "NEW"): 20.0}, {"NEW": closes, "OTHER": flat()}), START)
    assert daily.account_value[0] == pytest.approx([200] * 6 + [600] * 4)
    assert only(daily, "trading") == pytest.approx(0.0)
    assert daily.price_age[daily.securities.index("NEW")].min() == -1
    before = load(firm_of(rows[:1], {("A", "NEW"): 10.0}, {"NEW": closes, "OTHER": flat()}), "2022-12-29")
    assert before.account_value[0] == pytest.approx([200] * 3 + [300] * 4)


def test_an_account_that_cannot_be_valued_or_holds_nothing_is_left_out_with_the_reason() -> None:
    positions = {("A", "PRIVATE"): 10.0, ("B", "XYZ"): 1.0}
    daily = load(firm_of([], positions, {"XYZ": flat()}, {"C": "2021-01-04"}), START)
    assert list(daily.account_ids) == ["B"]
    assert list(daily.no_data["account_id"]) == ["A", "C"]
    assert "PRIVATE has no price up to 2022-12-26" in daily.no_data["reason"][0]
    assert "held nothing" in daily.no_data["reason"][1]
    none = load(firm_of([], {("A", "PRIVATE"): 10.0}, {"XYZ": flat()}), START)
    assert none.account_value.shape == (0, len(DAYS))


def test_rows_between_sessions_count_at_the_next_close_and_after_the_last_at_the_last() -> None:
    rows = [
        ("A", "CASH", "2022-12-31", "deposit", 0.0, None, 5.0),
        ("A", "CASH", "2023-01-06", "deposit", 0.0, None, 7.0),
    ]
    closes: list[float | None] = [*flat()[:-1], None]
    daily = load(firm_of(rows, {("A", "CASH"): 112.0}, {"XYZ": closes}), START)
    assert len(daily.sessions) == len(DAYS) - 1
    assert daily.flow[0] == pytest.approx([0, 0, 0, 0, 5, 0, 0, 7])


def test_a_start_outside_the_data_and_unknown_accounts_are_typed_errors() -> None:
    firm = firm_of([], {("A", "XYZ"): 1.0}, {"XYZ": flat()})
    with pytest.raises(MarketDataError, match="before the first close, 2022-12-26"):
        load(firm, "2022-12-01")
    with pytest.raises(ParameterError, match="leaves no period"):
        load(firm, AS_OF)
    with pytest.raises(ParameterError, match="no account 'Z'"):
        load(firm, START, ["A", "Z"])
    with pytest.raises(ParameterError, match="twice"):
        load(firm, START, ["A", "A"])
    with pytest.raises(ParameterError, match="size"):
        list(chunks(firm, START, size=0))
    without = firm_of([], {("A", "XYZ"): 1.0}, {"XYZ": flat()})
    without.rewound["securities"] = pd.DataFrame({"security_id": ["XYZ"]})
    with pytest.raises(FirmDataError, match="CASH"):
        load(without, START)


def test_the_default_start_is_the_last_close_of_the_year_before_or_the_first_close() -> None:
    firm = firm_of([], {("A", "XYZ"): 1.0}, {"XYZ": flat()})
    assert load(firm).sessions[0] == pd.Timestamp("2022-12-30")
    late = firm_of([], {("A", "XYZ"): 1.0}, {"XYZ": [*[None] * 6, *[1.0] * 4]})
    assert load(late).sessions[0] == pd.Timestamp("2023-01-03")


KINDS = ["buy", "sell", "dividend", "split", "spin_off", "deposit", "withdrawal", "transfer", "fee"]
prices = st.floats(0.5, 500.0).map(lambda price: round(price, 4))
row = st.tuples(
    st.sampled_from(["A", "B"]),
    st.sampled_from(["XYZ", "OTHER", "CASH"]),
    st.sampled_from([f"{day:%Y-%m-%d}" for day in pd.date_range(DAYS[0], AS_OF)]),
    st.sampled_from(KINDS),
    st.floats(-1_000.0, 1_000.0).map(lambda quantity: round(quantity, 4)),
    st.one_of(st.none(), prices),
    st.floats(-50_000.0, 50_000.0).map(lambda amount: round(amount, 2)),
)
series = st.lists(st.one_of(st.none(), prices), min_size=len(DAYS), max_size=len(DAYS))
held = st.floats(0.0, 10_000.0).map(lambda quantity: round(quantity, 4))


def slowly(firm: Firm, daily: DailyHoldings) -> tuple[np.ndarray, np.ndarray]:
    """Value and flow of each account, day by day from the statements of that day; last closes by `asof`."""
    closes = firm.table("prices").pivot(index="date", columns="security_id", values="close").sort_index().ffill()
    closes["CASH"] = 1.0
    rows = firm.table("transactions")
    value = np.zeros((len(daily.account_ids), len(daily.sessions)))
    flow = np.zeros((len(daily.account_ids), len(daily.sessions) - 1))
    for t, day in enumerate(daily.sessions):
        for account, security, quantity in positions_at(firm, day).itertuples(index=False):
            if account in daily.account_ids:
                value[daily.account_ids.get_loc(account), t] += quantity * closes.loc[day, security]
        if t:
            today = rows[(rows["trade_date"] > daily.sessions[t - 1]) & (rows["trade_date"] <= day)]
            for one in today[today["kind"].isin(["deposit", "withdrawal", "transfer"])].itertuples():
                shares = 0.0 if one.security_id == "CASH" else one.quantity * closes.loc[day, one.security_id]
                if one.account_id in daily.account_ids:
                    flow[daily.account_ids.get_loc(one.account_id), t - 1] += shares + one.amount
    return value, flow


@settings(max_examples=60, deadline=None)
@given(st.lists(row, max_size=12), held, held, series, prices)
def test_the_identity_holds_for_any_rows(
    rows: list[tuple[str, str, str, str, float, float | None, float]],
    shares: float,
    dollars: float,
    closes: list[float | None],
    first: float,
) -> None:
    closes = [first, *closes[1:]]
    positions = {("A", "XYZ"): shares, ("A", "CASH"): dollars, ("B", "OTHER"): shares}
    firm = firm_of(rows, positions, {"XYZ": closes, "OTHER": flat(7.0)})
    daily = load(firm, START)
    assert np.abs(residual(daily)).max(initial=0.0) < 1e-9
    value, flow = slowly(firm, daily)
    scale = 1.0 + np.abs(value).max(initial=0.0) + np.abs(flow).max(initial=0.0)
    if not any(row[3] == "split" for row in rows):
        assert np.allclose(daily.account_value, value, rtol=0, atol=1e-6 * scale)
        assert np.allclose(daily.flow, flow, rtol=0, atol=1e-6 * scale)


@pytest.fixture(scope="module")
def lived() -> DailyHoldings:
    return load(open_at("demo"), "2019-12-31")


def test_every_cent_of_the_demo_firm_is_explained(lived: DailyHoldings) -> None:
    value = lived.account_value
    assert np.abs(residual(lived)).max() < 1e-12
    assert (np.abs(lived.unexplained) <= 1e-12 * np.maximum(value[:, 1:], value[:, :-1]).clip(1.0)).all()
    assert lived.no_data.empty
    assert lived.account_value.shape == (300, 755)


def test_the_demo_firms_closes_are_its_statements(lived: DailyHoldings) -> None:
    firm = open_at("demo")
    stated = firm.table("accounts").set_index("account_id")["stated_value"].reindex(lived.account_ids)
    assert lived.account_value[:, -1] == pytest.approx(stated.to_numpy(), abs=0.01)
    value, flow = slowly_at(firm, lived, "2021-06-30")
    assert lived.account_value[:, lived.sessions.get_loc("2021-06-30")] == pytest.approx(value, abs=1e-4)
    rows = firm.table("transactions")
    rows = rows[rows["trade_date"] > lived.sessions[0]]
    booked = rows[rows["kind"].isin(["deposit", "withdrawal"])]["amount"].sum()
    in_kind = lived.flow.sum() - booked
    assert in_kind == pytest.approx(flow, rel=1e-9)
    assert lived.fee.sum() == pytest.approx(rows.loc[rows["kind"] == "fee", "amount"].sum())


def slowly_at(firm: Firm, daily: DailyHoldings, day: str) -> tuple[np.ndarray, float]:
    """Values from the statements of one day, and the closes of all that came in kind."""
    prices = firm.table("prices").set_index(["date", "security_id"])["close"]
    held = positions_at(firm, pd.Timestamp(day))
    worth = held["quantity"] * prices.loc[day].reindex(held["security_id"]).to_numpy()
    value = worth.groupby(held["account_id"]).sum().reindex(daily.account_ids).fillna(0.0)
    rows = firm.table("transactions")
    kind = rows[(rows["kind"] == "transfer") & (rows["trade_date"] > daily.sessions[0])]
    close = prices.reindex(pd.MultiIndex.from_frame(kind[["trade_date", "security_id"]])).to_numpy()
    return value.to_numpy(), float((kind["quantity"].to_numpy() * close).sum())


def test_chunks_are_the_whole_in_parts(lived: DailyHoldings) -> None:
    firm = open_at("demo")
    parts = list(chunks(firm, "2019-12-31", size=70))
    assert [len(part.accounts) for part in parts] == [70, 70, 70, 70, 20]
    for name in ("value", "holding", "trading", "flow", "fee", "unexplained"):
        assert np.array_equal(np.concatenate([getattr(part, name) for part in parts]), getattr(lived, name))
    few = load(firm, "2019-12-31", ["A00007", "A00003"])
    assert list(few.account_ids) == ["A00003", "A00007"]
    assert np.array_equal(few.account_value, lived.account_value[[2, 6]])


def test_an_earlier_day_is_the_same_ledger_cut_off(lived: DailyHoldings) -> None:
    earlier = load(open_at("demo", "2021-06-30"), "2019-12-31")
    same = lived.account_ids.isin(earlier.account_ids)
    width = len(earlier.sessions)
    assert earlier.account_value == pytest.approx(lived.account_value[same][:, :width], abs=1e-4)


def test_the_real_etf_firm_is_explained_too(shared: Path, tmp_path: Path) -> None:
    market = demo.market_from_file(shared / "data" / "etf" / "etf_daily_2005_2026.csv.gz")
    firm = demo.build_firm(tmp_path / "etf", as_of="2026-04-30", accounts=40, market=market)
    daily = load(firm, "2022-12-30")
    assert np.abs(residual(daily)).max() < 1e-12
    assert np.abs(daily.unexplained).max() < 1e-6

"""Mandate, consent, best interest, switching and series of trades: at, above and below, and missing data."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))
import conftest
from one_household import AS_OF, PROFILE, judged, orders, verdict, view

PRICES = {"AAA": 12.0, "BBB": 49.0, "CCC": 20.0}
BUY = [("A1", "AAA", "buy", 5.0)]
SWITCH = [("A1", "AAA", "sell", 10.0), ("A1", "BBB", "buy", 2.0)]
Tables = dict[str, pd.DataFrame]


def with_stranger(small: Tables, **facts: object) -> Tables:
    """The smallest firm with a third security, CCC, that its model does not name."""
    row = {
        **small["securities"].iloc[1].to_dict(),
        "security_id": "CCC",
        "name": "Gamma",
        "issuer_id": "gamma",
        **facts,
    }
    price = {**small["prices"].iloc[-2].to_dict(), "security_id": "CCC", "close": 20.0}
    small["securities"] = pd.concat([small["securities"], pd.DataFrame([row])], ignore_index=True)
    small["prices"] = pd.concat([small["prices"], pd.DataFrame([price])], ignore_index=True)
    return small


def traded(*rows: tuple[str, str, str, str, float, str]) -> pd.DataFrame:
    """Transactions: account, security, day, kind, dollars, origin."""
    return pd.DataFrame(
        [
            {
                "transaction_id": f"T{at}", "account_id": a, "security_id": s, "trade_date": pd.Timestamp(day),
                "settle_date": pd.Timestamp(day), "kind": kind, "quantity": 0.0, "price": 1.0, "amount": amount,
                "origin": origin, "lot_id": None,
            }
            for at, (a, s, day, kind, amount, origin) in enumerate(rows)
        ],
        columns=["transaction_id", "account_id", "security_id", "trade_date", "settle_date", "kind", "quantity",
                 "price", "amount", "origin", "lot_id"],
    ).astype({"trade_date": "datetime64[ns]", "amount": "float64"})  # fmt: skip


# --- Mandate ---


def test_trades_of_an_account_that_is_not_discretionary_need_its_clients_consent(small: Tables) -> None:
    small["accounts"]["discretionary"] = [False, True]
    firm, made = view(small), orders(BUY, PRICES)
    found = judged(firm, made, "consent")
    assert verdict(found) == "block"
    assert found.value[0] == pytest.approx(60.0)
    for who in ("A1", "H1"):
        agreed = judged(firm, made, "consent", consents={who: "Call of 2022-12-27, note 4711"})
        assert verdict(agreed) == "pass"
        assert "note 4711" in agreed.reason(0)
    for consents in ({"A2": "Letter"}, {"A1": "  "}, {"a1": "Letter"}):
        assert verdict(judged(firm, made, "consent", consents=consents)) == "block"
    other = orders([("A2", "AAA", "buy", 1.0)], PRICES)
    assert verdict(judged(firm, other, "consent")) == "pass"


def test_a_purchase_is_a_target_or_a_permitted_substitute(small: Tables) -> None:
    small = with_stranger(small)
    made = orders([("A1", "CCC", "buy", 1.0)], PRICES)
    found = judged(view(small), made, "in_mandate")
    assert verdict(found) == "block"
    assert "CCC" in found.subject(0)
    for registrations, expected in ((["taxable"], "pass"), (["roth_ira"], "block"), ([], "block")):
        listed = pd.DataFrame(
            {"security_id": ["BBB"], "substitute_id": ["CCC"], "rank": [1], "registrations": [registrations]}
        )
        assert verdict(judged(view(small, substitutes=listed), made, "in_mandate")) == expected
    assert verdict(judged(view(small), orders(BUY, PRICES), "in_mandate")) == "pass"
    sold = orders([("A1", "CCC", "sell", 1.0)], PRICES)
    assert verdict(judged(view(small), sold, "in_mandate")) == "pass"


def test_a_target_of_zero_is_no_target(small: Tables) -> None:
    small["model_targets"]["target"] = [0.0, 0.98, 0.02]
    assert verdict(judged(view(small), orders(BUY, PRICES), "in_mandate")) == "block"


def test_an_account_without_a_model_in_force_cannot_buy(small: Tables) -> None:
    small["accounts"]["model_id"] = [None, "BAL"]
    for rule in ("in_mandate", "model_eligible"):
        assert verdict(judged(view(small), orders(BUY, PRICES), rule)) == "not_assessable"
        assert verdict(judged(view(small), orders([("A1", "AAA", "sell", 1.0)], PRICES), rule)) == "pass"
    small["accounts"]["model_id"] = "BAL"
    small["models"]["status"] = "draft"
    assert verdict(judged(view(small), orders(BUY, PRICES), "model_eligible")) == "not_assessable"


def test_a_model_may_be_barred_from_a_registration(small: Tables) -> None:
    made = orders([("A2", "AAA", "buy", 1.0)], PRICES)
    assert verdict(judged(view(small), made, "model_eligible", not_for={"roth_ira": ["BAL"]})) == "block"
    assert verdict(judged(view(small), made, "model_eligible", not_for={"taxable": ["BAL"]})) == "pass"


def test_a_registration_has_a_menu(small: Tables) -> None:
    made = orders([("A2", "AAA", "buy", 1.0)], PRICES)
    for names, expected in ((["US equity"], "block"), (["stock"], "block"), (["etf", "Collectibles"], "pass")):
        assert verdict(judged(view(small), made, "registration_menu", not_for={"roth_ira": names})) == expected
    assert verdict(judged(view(small), made, "registration_menu", not_for={"taxable": ["stock"]})) == "pass"


@pytest.mark.parametrize(("days", "expected"), [(1, "pass"), (2, "warn")])
def test_rearrangements_of_a_calendar_year_are_counted(small: Tables, days: int, expected: str) -> None:
    small["accounts"]["registration"] = ["529", "roth_ira"]
    past = traded(
        *(
            ("A1", s, f"2022-0{month}-03", "sell", 10.0, "rebalance")
            for month in range(1, days + 1)
            for s in ("AAA", "BBB")
        ),
        ("A1", "AAA", "2021-12-30", "sell", 10.0, "rebalance"),
        ("A1", "AAA", "2022-05-03", "sell", 10.0, "client"),
        ("A1", "AAA", "2022-06-03", "buy", 10.0, "rebalance"),
    )
    firm = view(small, transactions=past)
    found = judged(firm, orders([("A1", "AAA", "sell", 1.0)], PRICES), "investment_changes_529")
    assert verdict(found) == expected
    assert found.value[0] == days + 1
    assert verdict(judged(firm, orders(BUY, PRICES), "investment_changes_529")) == "pass"


# --- Best interest ---


@pytest.mark.parametrize(("cheaper", "expected"), [(0.0025, "pass"), (0.0024, "warn")])
def test_an_identical_security_that_costs_less_is_named(small: Tables, cheaper: float, expected: str) -> None:
    small = with_stranger(small, expense_ratio=cheaper, identical_group="treasuries", identical_confidence="high")
    small["securities"].loc[1, "expense_ratio"] = 0.0030
    made = orders([("A1", "BBB", "buy", 1.0)], PRICES)
    found = judged(view(small), made, "cheaper_alternative", most=0.0005)
    assert verdict(found) == expected
    assert "CCC" in found.reason(0)
    assert verdict(judged(view(small), made, "cheaper_alternative", most=0.0, confidences=["low"])) == "pass"
    unpriced = small["prices"][small["prices"]["security_id"] != "CCC"]
    assert verdict(judged(view(small, prices=unpriced), made, "cheaper_alternative", most=0.0)) == "pass"


@pytest.mark.parametrize(("most", "expected"), [(0.0075, "pass"), (0.0074, "warn")])
def test_a_dear_fund_is_said(small: Tables, most: float, expected: str) -> None:
    small["securities"]["expense_ratio"] = [0.0075, 0.0, 0.0]
    assert verdict(judged(view(small), orders(BUY, PRICES), "expense_ratio", most=most)) == expected


@pytest.mark.parametrize(
    ("day", "expected"), [("2022-12-28", "pass"), ("2022-12-27", "block"), ("2022-12-29", "block")]
)
def test_a_proposal_is_judged_on_the_data_of_its_day(small: Tables, day: str, expected: str) -> None:
    made = orders(BUY, PRICES, as_of=[day])
    assert verdict(judged(view(small), made, "data_age")) == expected
    assert verdict(judged(view(small), orders(BUY, PRICES, as_of=["NaT"]), "data_age")) == "not_assessable"


# --- Switching ---


@pytest.mark.parametrize(
    ("benefit", "expected"), [(10.0, "pass"), (9.99, "warn"), (-5.0, "warn"), (float("nan"), None)]
)
def test_a_switch_brings_more_than_it_costs(small: Tables, benefit: float, expected: str | None) -> None:
    small["custodians"]["ticket_fee"] = 4.0
    # 20 of tax, 1 and 1 of spread, 4 and 4 for tickets: 30, against three years of benefit.
    made = orders(SWITCH, PRICES, cost=1.0, tax=[20.0], benefit=[benefit])
    found = judged(view(small), made, "switch_cost", years=3)
    assert verdict(found) == (expected or "not_assessable")
    if expected:
        assert found.value[0] == pytest.approx(30.0)
    short = view(small, profile={**PROFILE, "horizon_years": 2.0})
    assert judged(short, made, "switch_cost", years=3).limit[0] == pytest.approx(max(2 * benefit, 0.0), nan_ok=True)


def test_only_what_both_sells_and_buys_is_a_switch(small: Tables) -> None:
    made = orders(BUY, PRICES, tax=[20.0])
    assert verdict(judged(view(small), made, "switch_cost")) == "pass"
    saves = orders(SWITCH, PRICES, tax=[-20.0])
    assert verdict(judged(view(small), saves, "switch_cost")) == "pass"


# --- Series of trades. A1 is worth 1,270. ---


@pytest.mark.parametrize(
    ("bought", "expected"), [(1270.0 * 2 - 60.0, "pass"), (1270.0 * 2 - 59.0, "warn"), (1270.0 * 4 - 59.0, "block")]
)
def test_turnover_of_a_year_counts_the_proposal(small: Tables, bought: float, expected: str) -> None:
    past = traded(
        ("A1", "AAA", "2022-01-03", "buy", -bought, "rebalance"),
        ("A1", "AAA", "2021-12-28", "buy", -1e6, "rebalance"),  # more than a year ago
        ("A1", "AAA", "2022-05-03", "buy", -1e6, "reinvestment"),
        ("A1", "AAA", "2022-05-03", "sell", 1e6, "rebalance"),
        ("A2", "AAA", "2022-05-03", "buy", -1e6, "rebalance"),
    )
    found = judged(view(small, transactions=past), orders(BUY, PRICES), "series_turnover", warn=2.0, most=4.0)
    assert verdict(found) == expected
    assert found.value[0] == pytest.approx((bought + 60.0) / 1270.0)


@pytest.mark.parametrize(("fee", "expected"), [(60.0, "pass"), (64.0, "warn"), (260.0, "block")])
def test_cost_of_a_year_counts_fees_spread_and_the_proposal(small: Tables, fee: float, expected: str) -> None:
    small["custodians"]["ticket_fee"] = 1.0
    past = traded(
        ("A1", "CASH", "2022-06-30", "fee", -fee, "fee"),
        ("A1", "AAA", "2022-06-30", "sell", 1000.0, "manual"),  # at a half-spread of 2 basis points: 20 cents
    )
    made = orders(BUY, PRICES, cost=0.5)
    found = judged(view(small, transactions=past), made, "series_cost", warn=0.05, most=0.2)
    assert verdict(found) == expected
    assert found.value[0] == pytest.approx((fee + 0.2 + 1.5) / 1270.0)


@pytest.mark.parametrize(("days", "expected"), [(2, "pass"), (3, "warn")])
def test_days_with_trades_are_counted_once(small: Tables, days: int, expected: str) -> None:
    past = traded(
        *(("A1", s, f"2022-12-0{day}", "buy", -1.0, "rebalance") for day in range(1, days + 1) for s in ("AAA", "BBB")),
        ("A1", "AAA", "2022-09-28", "buy", -1.0, "rebalance"),
    )
    found = judged(view(small, transactions=past), orders(BUY, PRICES), "series_occasions", days=90, most=3)
    assert verdict(found) == expected
    assert found.value[0] == days + 1


def test_what_was_just_sold_is_not_bought_back(small: Tables) -> None:
    past = traded(
        ("A1", "AAA", "2022-11-28", "sell", 50.0, "rebalance"), ("A1", "AAA", "2022-11-27", "sell", 1e6, "rebalance"),
        ("A1", "CASH", "2022-12-01", "sell", 1e6, "rebalance"), ("A2", "AAA", "2022-12-01", "sell", 1e6, "manual"),
        ("A1", "AAA", "2022-12-01", "sell", 1e6, "client"),
    )  # fmt: skip
    firm = view(small, transactions=past)
    for most, expected in ((50.0 / 1270.0, "pass"), (49.0 / 1270.0, "warn")):
        found = judged(firm, orders(BUY, PRICES), "in_and_out", days=30, most=most)
        assert verdict(found) == expected
        assert found.value[0] == pytest.approx(50.0 / 1270.0)
        assert "sold on 2022-11-28" in found.reason(0)
    same_way = orders([("A1", "AAA", "sell", 5.0)], PRICES)
    assert judged(firm, same_way, "in_and_out", days=30).value[0] == 0.0


@pytest.mark.parametrize("rule", ["series_turnover", "series_cost", "in_and_out"])
def test_an_account_of_unknown_value_has_no_ratio(small: Tables, rule: str) -> None:
    prices = small["prices"][small["prices"]["security_id"] != "BBB"]
    assert verdict(judged(view(small, prices=prices), orders(BUY, PRICES), rule)) == "not_assessable"


ROW = st.tuples(
    st.sampled_from(["A1", "A2"]), st.sampled_from(["AAA", "BBB"]), st.integers(0, 420),
    st.sampled_from(["buy", "sell"]), st.integers(1, 2000),
    st.sampled_from(["rebalance", "manual", "reinvestment", "client"]),
)  # fmt: skip
TRADE = st.tuples(
    st.sampled_from(["A1", "A2"]), st.sampled_from(["AAA", "BBB"]), st.sampled_from(["buy", "sell"]), st.integers(1, 30)
)


@effort(max_examples=12)
@given(rows=st.lists(ROW, max_size=12), trades=st.lists(TRADE, min_size=1, max_size=4, unique_by=lambda t: t[:2]))
def test_series_are_those_of_a_slow_recomputation(rows: list[tuple], trades: list[tuple]) -> None:
    dated = [(a, s, AS_OF - pd.Timedelta(days=ago), kind, float(amount), o) for a, s, ago, kind, amount, o in rows]
    firm = view(conftest.small.__wrapped__(), transactions=traded(*dated))
    made = orders(trades, PRICES)
    ours = [row for row in dated if row[5] in ("rebalance", "manual")]
    worth = {"A1": 1270.0, "A2": 100.0}
    turnover, occasions, reversed_ = [], [], []
    for account in {t[0] for t in trades}:
        mine = [row for row in ours if row[0] == account]
        year = [row for row in mine if (AS_OF - row[2]).days < 365]
        bought = sum(row[4] for row in year if row[3] == "buy")
        bought += sum(t[3] * PRICES[t[1]] for t in trades if t[0] == account and t[2] == "buy")
        turnover.append(bought / worth[account])
        occasions.append(1 + len({row[2] for row in year if (AS_OF - row[2]).days <= 90}))
        both = 0.0
        for t in trades:
            if t[0] == account:
                against = sum(r[4] for r in mine if r[1] == t[1] and r[3] != t[2] and (AS_OF - r[2]).days <= 30)
                both += min(against, t[3] * PRICES[t[1]])
        reversed_.append(both / worth[account])
    assert judged(firm, made, "series_turnover", warn=0.0, most=0.0).value[0] == pytest.approx(max(turnover))
    assert judged(firm, made, "series_occasions", days=90, most=0).value[0] == max(occasions)
    assert judged(firm, made, "in_and_out", days=30, most=0.0).value[0] == pytest.approx(max(reversed_))

"""Suitability and profile: at, above and below each limit, missing data, and what a finding says."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from one_household import PROFILE, judged, orders, restrictions, verdict, view

PRICES = {"AAA": 12.0, "BBB": 49.0}
# The household is worth 1,370: 720 of AAA (US equity), 490 of BBB (Treasuries), 160 of cash.
BUY = [("A1", "AAA", "buy", 5.0)]
Tables = dict[str, pd.DataFrame]


def test_risk_is_measured_after_the_trades_against_the_lower_of_tolerance_and_capacity(small: Tables) -> None:
    firm, made = view(small), orders(BUY, PRICES)
    share = 780.0 / 1370.0
    at = [1.0, share, 1.0, 1.0, 1.0]
    assert verdict(judged(firm, made, "risk_level", most_by_level=at)) == "pass"
    at[1] = share + 1e-6
    assert verdict(judged(firm, made, "risk_level", most_by_level=at)) == "pass"
    at[1] = share - 1e-6
    found = judged(firm, made, "risk_level", most_by_level=at)
    assert verdict(found) == "block"
    assert found.value[0] == pytest.approx(share)
    assert found.before[0] == pytest.approx(720.0 / 1370.0)
    sentence = found.reason(0)
    assert "2022-03-04 (risk tolerance 3, risk capacity 2)" in sentence
    assert "H1" in found.subject(0)


def test_two_figures_that_differ_are_never_shown_as_the_same(small: Tables) -> None:
    found = judged(view(small), orders(BUY, PRICES), "risk_level", most_by_level=[0, 780.0 / 1370.0 - 1e-5, 1, 1, 1])
    assert "56.934 %" in found.reason(0)
    assert "56.933 %" in found.reason(0)


def test_a_breach_that_the_trades_bring_down_only_warns(small: Tables) -> None:
    limits = [0.2] * 5
    assert verdict(
        judged(view(small), orders([("A1", "AAA", "sell", 5.0)], PRICES), "risk_level", most_by_level=limits)
    ) == ("warn")
    assert verdict(judged(view(small), orders(BUY, PRICES), "risk_level", most_by_level=limits)) == "block"


def test_a_share_that_only_costs_move_is_no_worse(small: Tables) -> None:
    made = orders([("A1", "BBB", "buy", 1.0)], PRICES, cost=5.0)
    found = judged(view(small), made, "risk_level", most_by_level=[0.2] * 5)
    assert found.value[0] > found.before[0]
    assert verdict(found) == "warn"


@pytest.mark.parametrize(
    "rule",
    ["risk_level", "objective", "horizon", "illiquid_share", "reserve", "profile_age", "knowledge", "sustainability"],
)
def test_without_a_profile_nothing_is_suitable(small: Tables, rule: str) -> None:
    assert verdict(judged(view(small, profile=None), orders(BUY, PRICES), rule)) == "not_assessable"


def test_without_trades_there_is_nothing_to_judge(small: Tables) -> None:
    assert verdict(judged(view(small, profile=None), orders([], PRICES), "risk_level")) == "pass"


def test_an_asset_class_that_the_rule_does_not_know_is_not_assessable_and_named(small: Tables) -> None:
    small["securities"]["asset_class"] = ["Gold <b>bars</b>\n\x07", "Treasuries", "Cash"]
    found = judged(view(small), orders(BUY, PRICES), "risk_level")
    assert verdict(found) == "not_assessable"
    assert "Gold <b>bars</b>" in found.reason(0)
    assert "\x07" not in found.reason(0)


def test_a_holding_without_a_price_is_not_assessable(small: Tables) -> None:
    prices = small["prices"][small["prices"]["security_id"] != "BBB"]
    assert verdict(judged(view(small, prices=prices), orders(BUY, PRICES), "risk_level")) == "not_assessable"


@pytest.mark.parametrize(("tolerance", "capacity"), [(0, 3), (6, 3), (3, float("nan"))])
def test_a_level_off_the_scale_is_not_assessable(small: Tables, tolerance: float, capacity: float) -> None:
    profile = {**PROFILE, "risk_tolerance": tolerance, "risk_capacity": capacity}
    firm = view(small, profile=profile)
    expected = "not_assessable" if min(tolerance, capacity) < 1 or capacity != capacity else "pass"
    found = judged(firm, orders(BUY, PRICES), "risk_level", most_by_level=[1.0] * 5)
    assert verdict(found) == expected


def test_an_objective_that_is_not_listed_is_quoted(small: Tables) -> None:
    hostile = "growth'; DROP TABLE profiles; --<script>"
    found = judged(view(small, profile={**PROFILE, "objective": hostile}), orders(BUY, PRICES), "objective")
    assert verdict(found) == "not_assessable"
    assert "\"growth'; DROP TABLE" in found.reason(0)


@pytest.mark.parametrize(("years", "expected"), [(2.9, "block"), (3.0, "pass"), (25.0, "pass")])
def test_a_short_horizon_leaves_less_room(small: Tables, years: float, expected: str) -> None:
    firm = view(small, profile={**PROFILE, "horizon_years": years})
    made = orders([("A1", "AAA", "buy", 20.0)], PRICES)
    steps = [{"below_years": 3, "most": 0.5}, {"below_years": 1, "most": 0.1}]
    assert verdict(judged(firm, made, "horizon", steps=steps)) == expected


@pytest.mark.parametrize(("adv", "expected"), [(1e6, "pass"), (90.0, "block"), (None, "not_assessable")])
def test_what_cannot_be_sold_in_time_is_illiquid(small: Tables, adv: float | None, expected: str) -> None:
    small["securities"]["adv"] = [adv, 2e6, None]
    made = orders(BUY, PRICES)
    # 65 shares; 10 % of 90 a day for 5 days sells 45: 20 shares, 240 of 1,370, are left.
    found = judged(view(small), made, "illiquid_share", days=5, participation=0.1, most_by_need={"low": 0.17})
    assert verdict(found) == expected
    if expected == "block":
        assert found.value[0] == pytest.approx(240.0 / 1370.0)


@pytest.mark.parametrize(("least", "expected"), [(100.0 / 1370.0, "pass"), (100.1 / 1370.0, "warn")])
def test_cash_covers_the_liquidity_need(small: Tables, least: float, expected: str) -> None:
    found = judged(view(small), orders(BUY, PRICES), "reserve", least_by_need={"low": least})
    assert verdict(found) == expected


@pytest.mark.parametrize(
    ("reviewed", "expected"),
    [("2021-12-28", "pass"), ("2021-12-27", "warn"), ("2020-12-28", "warn"), ("2020-12-27", "block"),
     ("2022-12-29", "not_assessable"), (None, "not_assessable")],
)  # fmt: skip
def test_a_profile_grows_old(small: Tables, reviewed: str | None, expected: str) -> None:
    firm = view(small, profile={**PROFILE, "reviewed_on": pd.Timestamp(reviewed)})
    assert verdict(judged(firm, orders(BUY, PRICES), "profile_age")) == expected


def test_complex_products_need_knowledge(small: Tables) -> None:
    made = orders(BUY, PRICES)
    lists = {"low": ["US equity"], "medium": ["etf"], "high": []}
    assert verdict(judged(view(small), made, "knowledge", not_for=lists)) == "block"
    knows = view(small, profile={**PROFILE, "knowledge": "medium"})
    assert verdict(judged(knows, made, "knowledge", not_for=lists)) == "pass"
    assert verdict(judged(knows, orders([("A1", "BBB", "buy", 1.0)], PRICES), "knowledge", not_for=lists)) == "block"
    other = view(small, profile={**PROFILE, "knowledge": "expert"})
    assert verdict(judged(other, made, "knowledge", not_for=lists)) == "not_assessable"
    selling = orders([("A1", "AAA", "sell", 1.0)], PRICES)
    assert verdict(judged(view(small), selling, "knowledge", not_for=lists)) == "pass"


def test_a_preference_without_screens_warns(small: Tables) -> None:
    prefers = {**PROFILE, "sustainability": "prefers"}
    made = orders(BUY, PRICES)
    assert verdict(judged(view(small, profile=prefers), made, "sustainability")) == "warn"
    screened = view(small, profile=prefers, restrictions=restrictions(("H1", "screen", "tobacco", None)))
    assert verdict(judged(screened, made, "sustainability")) == "pass"
    odd = view(small, profile={**PROFILE, "sustainability": "a bit"})
    assert verdict(judged(odd, made, "sustainability")) == "not_assessable"

"""Directives: read or quoted, never guessed; measured on their account or household; equal to a slow recomputation."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))
import conftest
from one_household import judged, orders, restrictions, verdict, view

from workbench.compliance.checks.directives import read_directive

PRICES = {"AAA": 12.0, "BBB": 49.0}
BUY = [("A1", "AAA", "buy", 5.0)]
Tables = dict[str, pd.DataFrame]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("min:asset_class:Bonds", float("nan")), ("min:asset_class:Bonds", 30.0), ("min:asset_class:Bonds", -0.1),
        ("min:asset_class:", 0.3), ("least:asset_class:Bonds", 0.3), ("min:colour:Blue", 0.3), ("min_income", 4.0),
        ("min_liquidity:0", 0.5), ("min_liquidity:x", 0.5), ("Raise 40,000 in cash by 2023-02-15", 4_000.0),
        ("Raise 40,000 in cash by 2023-02-30", 40_000.0), ("Raise cash soon", 40_000.0), ("", 0.1),
        ("min:asset_class:Bonds' OR '1'='1\x00", float("inf")), ("be careful", 0.0),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_not_guessed(key: str, value: float) -> None:
    assert read_directive(key, value) is None


def test_the_forms_that_are_understood() -> None:
    assert read_directive("max:sector:Energy: oil", 0.1).name == "Energy: oil"  # type: ignore[union-attr]
    assert read_directive("min_liquidity:3", 0.5).days == 3  # type: ignore[union-attr]
    assert read_directive("min_liquidity", 0.5).days is None  # type: ignore[union-attr]
    raised = read_directive("Raise 40,000 in cash by 2023-02-15", 40_000.0, date(2023, 2, 15))
    assert raised is not None
    assert raised.due == date(2023, 2, 15)
    assert read_directive("Raise 40,000 in cash by 2023-02-15", 40_000.0, date(2023, 2, 16)) is None


@given(st.text(max_size=60), st.floats())
def test_any_text_is_read_or_refused(key: str, value: float) -> None:
    found = read_directive(key, value)
    assert found is None or found.value >= 0.0


def test_an_unreadable_directive_blocks_and_is_quoted_in_one_line(small: Tables) -> None:
    hostile = "Keep <script>alert(1)</script>\nmin:asset_class:Bonds " + "x" * 200
    firm = view(small, restrictions=restrictions(("A1", "directive", hostile, 0.2)))
    found = judged(firm, orders(BUY, PRICES), "directive_readable")
    assert verdict(found) == "not_assessable"
    assert "R1" in found.reason(0)
    assert len(found.reason(0)) < 330
    assert verdict(judged(firm, orders([], PRICES), "directive_readable")) == "pass"


def test_a_class_that_the_firm_does_not_have_is_not_assessable_once(small: Tables) -> None:
    firm = view(small, restrictions=restrictions(("H1", "directive", "min:asset_class:Bonds", 0.2)))
    made = orders(BUY, PRICES)
    assert verdict(judged(firm, made, "directive_readable")) == "not_assessable"
    assert verdict(judged(firm, made, "directive_minimum")) == "pass"


# A1 is worth 1,270 with 490 of Treasuries, the household 1,370; buying 5 AAA brings equity to 780.
@pytest.mark.parametrize(
    ("scope", "key", "rule", "at"),
    [
        ("A1", "min:asset_class:Treasuries", "directive_minimum", 490.0 / 1270.0),
        ("H1", "min:asset_class:Treasuries", "directive_minimum", 490.0 / 1370.0),
        ("H1", "max:asset_class:US equity", "directive_maximum", 780.0 / 1370.0),
        ("A1", "max:security:AAA", "directive_maximum", 780.0 / 1270.0),
        ("H1", "max:issuer:alpha", "directive_maximum", 780.0 / 1370.0),
    ],
)
def test_bounds_at_above_and_below(small: Tables, scope: str, key: str, rule: str, at: float) -> None:
    sign = 1.0 if rule == "directive_minimum" else -1.0
    for shift, expected in ((0.0, "pass"), (-sign * 1e-6, "pass"), (sign * 1e-6, ("block", "warn"))):
        firm = view(small, restrictions=restrictions((scope, "directive", key, at + shift)))
        found = judged(firm, orders(BUY, PRICES), rule)
        assert verdict(found) in expected
        assert found.value[0] == pytest.approx(at)
        assert found.subject(0) == scope


def test_income_counts_dividends_of_a_year_on_what_is_held_afterwards(small: Tables) -> None:
    prices = small["prices"].assign(
        yearly_dividend=small["prices"]["security_id"].map({"AAA": 0.6, "BBB": 0.98, "CASH": 0})
    )
    income = (65 * 0.6 + 10 * 0.98) / 1370.0
    for value, expected in ((income - 1e-6, "pass"), (income + 1e-6, "block")):
        asked = restrictions(("H1", "directive", "min_income", value))
        firm = view(small, prices=prices, restrictions=asked)
        sold = orders([*BUY, ("A1", "BBB", "sell", 0.0)], PRICES)
        found = judged(firm, sold, "directive_income")
        assert found.value[0] == pytest.approx(income)
        assert verdict(found) == (expected if expected == "pass" else "warn")
    unknown = small["prices"].assign(yearly_dividend=float("nan"))
    firm = view(small, prices=unknown, restrictions=asked)
    assert verdict(judged(firm, orders(BUY, PRICES), "directive_income")) == "not_assessable"


def test_liquidity_uses_the_directives_own_days(small: Tables) -> None:
    small["securities"]["adv"] = [90.0, 2e6, None]
    # 9 shares a day: in 5 days 45 of 65 can be sold, so 1,130 of 1,370 are liquid; in 3 days 27, so 914.
    for days, liquid in ((5, 1130.0), (3, 914.0)):
        firm = view(small, restrictions=restrictions(("H1", "directive", f"min_liquidity:{days}", liquid / 1370.0)))
        found = judged(firm, orders(BUY, PRICES), "directive_liquidity", participation=0.1)
        assert found.value[0] == pytest.approx(liquid / 1370.0)
        assert verdict(found) == "pass"


@pytest.mark.parametrize(
    ("amount", "due", "expected"),
    [("100", "2023-01-03", "pass"), ("100.01", "2023-01-07", "block"), ("100.01", "2023-01-08", "warn")],
)
def test_cash_for_a_day_warns_first_and_blocks_near_it(small: Tables, amount: str, due: str, expected: str) -> None:
    asked = restrictions(("H1", "directive", f"Raise {amount} in cash by {due}", float(amount)))
    found = judged(view(small, restrictions=asked), orders(BUY, PRICES), "directive_cash", days=10)
    assert found.value[0] == pytest.approx(100.0)
    assert verdict(found) == expected


def test_cash_counts_though_a_holding_has_no_price(small: Tables) -> None:
    asked = restrictions(("A1", "directive", "Raise 60 in cash by 2023-01-03", 60.0))
    prices = small["prices"][small["prices"]["security_id"] != "BBB"]
    found = judged(
        view(small, prices=prices, restrictions=asked), orders([("A1", "AAA", "sell", 1.0)], PRICES), "directive_cash"
    )
    assert verdict(found) == "pass"
    assert found.value[0] == pytest.approx(72.0)


AMOUNTS = st.integers(0, 60)


@effort(max_examples=30)
@given(
    held=st.lists(st.tuples(st.sampled_from(["A1", "A2"]), st.sampled_from(["AAA", "BBB"]), AMOUNTS), max_size=5),
    trades=st.lists(
        st.tuples(
            st.sampled_from(["A1", "A2"]), st.sampled_from(["AAA", "BBB"]), st.sampled_from(["buy", "sell"]), AMOUNTS
        ),
        min_size=1, max_size=5,
    ),
    asked=st.lists(
        st.tuples(
            st.sampled_from(["A1", "A2", "H1"]), st.sampled_from(["US equity", "Treasuries", "Cash"]), st.floats(0, 1)
        ),
        min_size=1, max_size=4,
    ),
)  # fmt: skip
def test_the_largest_breach_is_that_of_a_slow_recomputation(
    small_once: Tables, held: list[tuple], trades: list[tuple], asked: list[tuple]
) -> None:
    holdings = {(a, s): 0.0 for a in ("A1", "A2") for s in ("AAA", "BBB", "CASH")}
    for account, security, quantity in held:
        holdings[account, security] += quantity
    holdings["A1", "CASH"] = holdings["A2", "CASH"] = 10_000.0
    positions = pd.DataFrame(
        [(a, s, q) for (a, s), q in holdings.items()], columns=["account_id", "security_id", "quantity"]
    )
    rows = restrictions(*((who, "directive", f"max:asset_class:{name}", most) for who, name, most in asked))
    found = judged(
        view(small_once, positions=positions, restrictions=rows), orders(trades, PRICES), "directive_maximum"
    )
    for account, security, side, shares in trades:
        sign = 1.0 if side == "buy" else -1.0
        holdings[account, security] += sign * shares
        holdings[account, "CASH"] -= sign * shares * PRICES[security]
    of_class = {"AAA": "US equity", "BBB": "Treasuries", "CASH": "Cash"}
    worth = {key: q * PRICES.get(key[1], 1.0) for key, q in holdings.items()}
    excess = []
    for who, name, most in asked:
        mine = {key: v for key, v in worth.items() if who in ("H1", key[0])}
        excess.append(sum(v for key, v in mine.items() if of_class[key[1]] == name) / sum(mine.values()) - most)
    if max(excess) > 1e-9:
        assert found.verdict[0] in (1, 2)
    else:
        assert found.verdict[0] == 0


@pytest.fixture(scope="module")
def small_once() -> Tables:
    """The smallest firm, made once: nothing in these tests changes it."""
    made: Tables = conftest.small.__wrapped__()
    return made

"""Restrictions, screens and floors: at, above and below each limit, in and out of scope, and what cannot be read."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from small_firms import AS_OF, Lot, Trade, firm, judged, orders, verdict

HELD = (Lot("L1", "A1", "AAA", 100.0), Lot("L2", "A2", "CCC", 10.0), Lot("L3", "A1", "CCC", 10.0))
CASH = {"A1": 1_000.0, "A2": 1_000.0}
BUY = Trade("A1", "AAA", "buy", 5.0)
SELL = Trade("A1", "AAA", "sell", 5.0, (("L1", 5.0),))


@pytest.mark.parametrize(("kind", "trade", "other"), [("never_buy", BUY, SELL), ("never_sell", SELL, BUY)])
def test_what_may_never_be_traded(kind: str, trade: Trade, other: Trade) -> None:
    for scope, stopped in (("A1", "block"), ("H1", "block"), ("A2", "pass"), ("H2", "pass")):
        view = firm(HELD, cash=CASH, restrictions=[(scope, kind, "AAA", None)])
        assert verdict(judged(view, orders([trade]), kind)) == stopped, scope
        assert verdict(judged(view, orders([other]), kind)) == "pass", scope
    one = judged(firm(HELD, cash=CASH, restrictions=[("A1", kind, "AAA", None)]), orders([trade]), kind)
    assert (one.value[0], one.limit[0], one.subject(0)) == (5.0, 0.0, "A1 AAA")
    assert "restriction R1" in one.reason(0)


def test_an_issuer_names_all_its_securities_and_another_is_not_meant() -> None:
    view = firm(HELD, cash=CASH, restrictions=[("A1", "never_buy", "ISS1", None)])
    assert verdict(judged(view, orders([Trade("A1", "BBB", "buy", 1.0)]), "never_buy")) == "block"
    assert verdict(judged(view, orders([Trade("A1", "CCC", "buy", 1.0)]), "never_buy")) == "pass"


@pytest.mark.parametrize("key", ["ZZZ", "' OR 1=1 --", "<script>alert(1)</script>\n\x00", "x" * 5_000])
def test_a_key_that_names_nothing_is_not_assessable(key: str) -> None:
    view = firm(HELD, cash=CASH, restrictions=[("A1", "never_buy", key, None)])
    one = judged(view, orders([BUY]), "never_buy")
    assert verdict(one) == "not_assessable"
    assert len(one.reason(0)) < 400
    assert verdict(judged(view, orders([SELL]), "never_buy")) == "pass"
    assert verdict(judged(view, orders([]), "never_buy")) == "pass"


@pytest.mark.parametrize(("days", "expected"), [(-1, "pass"), (0, "block"), (1, "block")])
def test_a_restriction_counts_up_to_its_last_day(days: int, expected: str) -> None:
    last = AS_OF + pd.Timedelta(days=days)
    view = firm(HELD, cash=CASH, restrictions=[("A1", "never_buy", "AAA", None)], expires=last)
    assert verdict(judged(view, orders([BUY]), "never_buy")) == expected


def test_never_hold_is_cleared_kept_or_added_to() -> None:
    view = firm(HELD, cash=CASH, restrictions=[("A1", "never_hold", "AAA", None)])
    whole = Trade("A1", "AAA", "sell", 100.0, (("L1", 100.0),))
    for trades, expected in (([whole], "pass"), ([SELL], "warn"), ([BUY], "block"), ([], "warn")):
        assert verdict(judged(view, orders(trades), "never_hold")) == expected
    new = firm(HELD, cash=CASH, restrictions=[("A1", "never_hold", "BBB", None)])
    assert verdict(judged(new, orders([Trade("A1", "BBB", "buy", 1.0)]), "never_hold")) == "block"
    lost = firm(HELD, cash=CASH, restrictions=[("A1", "never_hold", "ZZZ", None)])
    assert verdict(judged(lost, orders([BUY]), "never_hold")) == "not_assessable"
    assert verdict(judged(lost, orders([]), "never_hold")) == "pass"


def test_a_lot_to_be_kept() -> None:
    more = (*HELD, Lot("L9", "A1", "AAA", 50.0))
    view = firm(more, cash=CASH, restrictions=[("A1", "hold_lot", "L1", None)])
    assert verdict(judged(view, orders([SELL]), "hold_lot")) == "block"
    other = Trade("A1", "AAA", "sell", 5.0, (("L9", 5.0),))
    assert verdict(judged(view, orders([other]), "hold_lot")) == "pass"
    gone = firm(more, cash=CASH, restrictions=[("A1", "hold_lot", "L7", None)])
    assert verdict(judged(gone, orders([other]), "hold_lot")) == "not_assessable"
    assert verdict(judged(gone, orders([BUY]), "hold_lot")) == "pass"


@pytest.mark.parametrize(("shares", "expected"), [(9.0, "pass"), (10.0, "pass"), (11.0, "block")])
def test_a_cap_at_above_and_below(shares: float, expected: str) -> None:
    # An account of 1,000: ten shares of AAA are 10 % of it.
    view = firm(cash={"A1": 1_000.0, "A2": 9_000.0}, restrictions=[("A1", "max_weight", "AAA", 0.10)])
    one = judged(view, orders([Trade("A1", "AAA", "buy", shares)]), "max_weight")
    assert verdict(one) == expected
    assert one.value[0] == pytest.approx(shares / 100)
    of_household = firm(cash={"A1": 1_000.0, "A2": 9_000.0}, restrictions=[("H1", "max_weight", "AAA", 0.10)])
    assert verdict(judged(of_household, orders([Trade("A1", "AAA", "buy", shares)]), "max_weight")) == "pass"


def test_a_cap_that_is_brought_down_warns_and_one_without_a_figure_is_not_assessable() -> None:
    view = firm(HELD, cash=CASH, restrictions=[("A1", "max_weight", "AAA", 0.10)])
    assert verdict(judged(view, orders([SELL]), "max_weight")) == "warn"
    assert verdict(judged(view, orders([BUY]), "max_weight")) == "block"
    for key, value in (("AAA", None), ("ZZZ", 0.1)):
        view = firm(HELD, cash=CASH, restrictions=[("A1", "max_weight", key, value)])
        assert verdict(judged(view, orders([SELL]), "max_weight")) == "not_assessable"
        assert verdict(judged(view, orders([]), "max_weight")) == "pass"


def test_screens_stop_purchases_and_say_what_is_held() -> None:
    view = firm(HELD, cash=CASH, restrictions=[("H1", "screen", "tobacco", None)])
    assert verdict(judged(view, orders([Trade("A1", "CCC", "buy", 1.0)]), "screens")) == "block"
    assert verdict(judged(view, orders([BUY]), "screens")) == "warn"  # CCC is held and not added to
    clear = [Trade("A1", "CCC", "sell", 10.0, (("L3", 10.0),)), Trade("A2", "CCC", "sell", 10.0, (("L2", 10.0),))]
    assert verdict(judged(view, orders(clear), "screens")) == "pass"
    unknown = firm(HELD, cash=CASH, restrictions=[("H1", "screen", "gambling", None)])
    assert verdict(judged(unknown, orders([BUY]), "screens")) == "not_assessable"
    assert verdict(judged(unknown, orders([SELL]), "screens")) == "pass"


@pytest.mark.parametrize(("shares", "expected"), [(49.0, "pass"), (50.0, "pass"), (51.0, "block")])
def test_a_floor_of_cash(shares: float, expected: str) -> None:
    view = firm(cash=CASH, restrictions=[("A1", "min_cash", "CASH", 500.0)])
    assert verdict(judged(view, orders([Trade("A1", "AAA", "buy", shares)]), "cash_floor")) == expected


def test_a_floor_of_the_household_one_that_is_approached_and_one_without_a_figure() -> None:
    view = firm(HELD, cash=CASH, restrictions=[("H1", "min_cash", "CASH", 1_500.0)])
    assert verdict(judged(view, orders([Trade("A1", "AAA", "buy", 50.0)]), "cash_floor")) == "pass"
    assert verdict(judged(view, orders([Trade("A1", "AAA", "buy", 51.0)]), "cash_floor")) == "block"
    short = firm(HELD, cash=CASH, restrictions=[("A1", "min_cash", "CASH", 5_000.0)])
    assert verdict(judged(short, orders([SELL]), "cash_floor")) == "warn"
    assert verdict(judged(short, orders([BUY]), "cash_floor")) == "block"
    silent = firm(HELD, cash=CASH, restrictions=[("A1", "min_cash", "CASH", None)])
    assert verdict(judged(silent, orders([SELL]), "cash_floor")) == "not_assessable"


@pytest.mark.parametrize(
    ("shares", "cost", "expected"), [(100.0, 0.0, "pass"), (100.0, 0.02, "block"), (101.0, 0.0, "block")]
)
def test_cash_covers_the_trades_and_what_they_cost(shares: float, cost: float, expected: str) -> None:
    trade = Trade("A1", "AAA", "buy", shares, cost=cost)
    assert verdict(judged(firm(cash=CASH), orders([trade]), "cash_covers_trades")) == expected


def test_an_overdraft_that_shrinks_warns() -> None:
    view = firm(HELD, cash={"A1": -100.0, "A2": 0.0})
    assert verdict(judged(view, orders([SELL]), "cash_covers_trades")) == "warn"
    assert verdict(judged(view, orders([BUY]), "cash_covers_trades")) == "block"


@pytest.mark.parametrize(("needed", "expected"), [(949.0, "pass"), (950.0, "pass"), (951.0, "block")])
def test_cash_for_what_is_due(needed: float, expected: str) -> None:
    due = {"need_proposal": [0, 0], "need_account": ["A1", "A1"], "need_kind": ["rmd", "min_cash"],
           "needed": [needed, 9_999.0], "need_source": ["rmd", "R1"]}  # fmt: skip
    assert verdict(judged(firm(HELD, cash=CASH), orders([BUY], **due), "cash_needs")) == expected

"""Is the package what the book says, what does it concentrate, gain, wash and turn over: at, above and below limits."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from small_firms import AS_OF, Lot, Trade, firm, judged, orders, verdict

CASH = {"A1": 1_000.0, "A2": 1_000.0}
HELD = (Lot("L1", "A1", "AAA", 100.0, cost=12.0), Lot("L2", "A2", "AAA", 100.0, cost=12.0))


def sale(shares: float = 10.0, lot: str = "L1", account: str = "A1", disallowed: float = 0.0) -> Trade:
    return Trade(account, "AAA", "sell", shares, ((lot, shares),), disallowed)


BUY = Trade("A1", "AAA", "buy", 5.0)


@pytest.mark.parametrize(
    ("trades", "household", "expected"),
    [
        ([BUY], "H1", "pass"), ([BUY], "H9", "block"), ([Trade("A9", "AAA", "buy", 1.0)], "H1", "block"),
        ([Trade("A1", "ZZZ", "buy", 1.0)], "H1", "block"), ([Trade("A3", "AAA", "buy", 1.0)], "H1", "block"),
        ([], "H1", "pass"),
    ],
)  # fmt: skip
def test_strangers(trades: list[Trade], household: str, expected: str) -> None:
    view = firm(HELD, cash=CASH)
    made = orders(trades, households=[household])
    assert verdict(judged(view, made, "known_entities")) == expected


@pytest.mark.parametrize(
    ("off", "expected"), [(0.0, "pass"), (1.0, "pass"), (1.01, "block"), (-2.0, "block"), (np.nan, "block")]
)
@pytest.mark.parametrize("column", ["state_value", "state_cash_before", "state_cash_after"])
def test_a_package_that_tells_another_story(off: float, expected: str, column: str) -> None:
    states = {
        "state_proposal": [0, 0], "state_account": ["A1", "A2"], "state_value": [2_000.0, 2_000.0],
        "state_cash_before": [1_000.0, 1_000.0], "state_cash_after": [950.0, 1_000.0],
    }  # fmt: skip
    states[column][0] += off  # type: ignore[operator]
    assert verdict(judged(firm(HELD, cash=CASH), orders([BUY], **states), "agrees_with_book")) == expected


@pytest.mark.parametrize("accounts", [["A1"], ["A1", "A2", "A3"], ["A1", "A2", "A9"], []])
def test_an_account_missing_or_too_many(accounts: list[str]) -> None:
    n = len(accounts)
    states = {
        "state_proposal": [0] * n, "state_account": accounts, "state_value": [2_000.0] * n,
        "state_cash_before": [1_000.0] * n, "state_cash_after": [1_000.0] * n,
    }  # fmt: skip
    assert verdict(judged(firm(HELD, cash=CASH), orders([], **states), "agrees_with_book")) == "block"


@pytest.mark.parametrize(
    ("price", "expected"), [(10.0, "pass"), (10.01, "pass"), (10.02, "block"), (np.nan, "not_assessable")]
)
def test_prices_are_the_books(price: float, expected: str) -> None:
    assert verdict(judged(firm(HELD, cash=CASH), orders([BUY], price=[price]), "prices_agree")) == expected


def test_a_security_without_a_price_is_not_assessable_wherever_it_counts() -> None:
    prices = {"AAA": 10.0, "CASH": 1.0}
    view = firm((*HELD, Lot("L3", "A1", "CCC", 5.0)), cash=CASH, prices=prices)
    for rule in ("price_age", "single_issuer", "sector", "turnover"):
        assert verdict(judged(view, orders([BUY]), rule)) == "not_assessable", rule
    assert verdict(judged(view, orders([Trade("A1", "BBB", "buy", 1.0)]), "prices_agree")) == "not_assessable"
    assert verdict(judged(view, orders([]), "price_age")) == "pass"


@pytest.mark.parametrize(("days", "expected"), [(6, "pass"), (7, "pass"), (8, "block")])
def test_old_prices(days: int, expected: str) -> None:
    view = firm(HELD, cash=CASH, priced={"AAA": days})
    assert verdict(judged(view, orders([BUY]), "price_age")) == expected
    other = firm((Lot("L3", "A1", "CCC", 5.0),), cash=CASH, priced={"AAA": days})
    assert verdict(judged(other, orders([Trade("A1", "CCC", "buy", 1.0)]), "price_age")) == "pass"


@pytest.mark.parametrize(("shares", "expected"), [(99.0, "pass"), (100.0, "pass"), (101.0, "block")])
def test_no_more_is_sold_than_held(shares: float, expected: str) -> None:
    view = firm(HELD, cash=CASH)
    assert verdict(judged(view, orders([sale(shares)]), "no_short_sale")) == expected
    assert verdict(judged(view, orders([sale(shares)]), "sold_lots")) == expected
    twice = [sale(shares - 1.0), sale(1.0)]
    assert verdict(judged(view, orders(twice), "no_short_sale")) == expected
    assert verdict(judged(view, orders(twice), "sold_lots")) == expected


def test_lots_that_are_not_there() -> None:
    view = firm(HELD, cash=CASH)
    for lot in ("L2", "L9", "no lot"):
        assert verdict(judged(view, orders([sale(lot=lot)]), "sold_lots")) == "block"
    unnamed = Trade("A1", "AAA", "sell", 10.0)
    assert verdict(judged(view, orders([unnamed]), "sold_lots")) == "block"
    assert verdict(judged(view, orders([Trade("A1", "AAA", "sell", 10.0, (("L1", 9.0),))]), "sold_lots")) == "block"


@pytest.mark.parametrize(
    ("shares", "price", "amount", "expected"),
    [
        (5.0, 10.0, 50.0, "pass"), (5.0, 10.0, 50.01, "pass"), (5.0, 10.0, 50.02, "block"), (-5.0, 10.0, 50.0, "block"),
        (0.0, 10.0, 0.0, "block"), (5.0, 0.0, 0.0, "block"), (np.nan, 10.0, 50.0, "block"),
        (5.0, 10.0, np.nan, "block"), (np.inf, 10.0, np.inf, "block"), (5.5, 10.0, 55.0, "block"),
        (5.0, 10.0, -50.0, "block"),
    ],
)  # fmt: skip
def test_arithmetic_of_a_trade(shares: float, price: float, amount: float, expected: str) -> None:
    made = orders([BUY], shares=[shares], price=[price], amount=[amount])
    assert verdict(judged(firm(HELD, cash=CASH), made, "trade_arithmetic")) == expected


def test_a_fraction_may_go_where_whole_shares_are_left() -> None:
    view = firm((Lot("L1", "A1", "AAA", 10.5),), cash=CASH)
    for shares, expected in ((10.5, "pass"), (0.5, "pass"), (0.25, "block")):
        assert verdict(judged(view, orders([sale(shares)]), "trade_arithmetic")) == expected
    free = orders([sale(0.25)], settings=((("whole_shares", "False"),),))
    assert verdict(judged(view, free, "trade_arithmetic")) == "pass"


@pytest.mark.parametrize(("shares", "expected"), [(999.0, "pass"), (1_000.0, "pass"), (1_001.0, "block")])
def test_one_issuer_over_all_accounts(shares: float, expected: str) -> None:
    # 100,000 in all: AAA and BBB are one issuer, 10 % of it at 1,000 shares of AAA beside nothing of BBB.
    view = firm((), cash={"A1": 50_000.0, "A2": 50_000.0})
    half = shares // 2
    trades = [Trade("A1", "AAA", "buy", shares - 2 * (half // 2)), Trade("A2", "BBB", "buy", half // 2)]
    one = judged(view, orders(trades), "single_issuer")
    assert verdict(one) == expected
    assert one.value[0] == pytest.approx(shares / 10_000)


def test_concentration_brought_down_held_or_added_to() -> None:
    view = firm(HELD, cash=CASH)  # half of the household is one issuer
    costly = Trade("A1", "FND", "buy", 1.0, cost=50.0)
    for trades, expected in (([sale()], "warn"), ([BUY], "block"), ([costly], "warn"), ([], "pass")):
        assert verdict(judged(view, orders(trades), "single_issuer")) == expected
    assert verdict(judged(firm(HELD, cash=CASH, profiles={}), orders([BUY]), "single_issuer")) == "not_assessable"


def test_funds_and_broad_keys_are_left_out_and_the_lower_of_two_levels_counts() -> None:
    view = firm((), cash={"A1": 10_000.0})
    assert verdict(judged(view, orders([Trade("A1", "FND", "buy", 90.0)]), "single_issuer")) == "pass"
    assert verdict(judged(view, orders([Trade("A1", "FND", "buy", 90.0)]), "sector")) == "pass"
    for levels, expected in (((5, 5), 0.15), ((5, 1), 0.05), ((2, 4), 0.075)):
        careful = firm((), cash={"A1": 10_000.0}, profiles={"H1": levels})
        assert judged(careful, orders([BUY]), "single_issuer").limit[0] == expected


def test_single_names_are_of_an_account() -> None:
    view = firm((), cash={"A1": 1_000.0, "A2": 99_000.0})
    for shares, expected in ((20.0, "pass"), (21.0, "warn")):
        assert verdict(judged(view, orders([Trade("A1", "AAA", "buy", shares)]), "single_name")) == expected


@pytest.mark.parametrize(("budget", "expected"), [(181.0, "pass"), (180.0, "pass"), (179.0, "block")])
def test_a_gain_budget(budget: float, expected: str) -> None:
    lots = (Lot("L1", "A1", "AAA", 100.0, cost=2.0), Lot("L2", "A2", "AAA", 100.0, cost=2.0))
    view = firm(lots, cash=CASH, households={"gain_budget": budget, "realised_long": 100.0})
    made = orders([sale(), sale(50.0, "L2", "A2")])  # the Roth's gain is nobody's tax
    one = judged(view, made, "gain_budget")
    assert verdict(one) == expected
    assert (one.value[0], one.before[0]) == (180.0, 100.0)


def test_a_budget_that_is_exceeded_already_and_what_is_missing() -> None:
    losers = firm(HELD, cash=CASH, households={"gain_budget": 50.0, "realised_long": 100.0})
    assert verdict(judged(losers, orders([sale()]), "gain_budget")) == "warn"
    assert verdict(judged(losers, orders([BUY]), "gain_budget")) == "pass"
    free = (Lot("L1", "A1", "AAA", 100.0, cost=0.0, covered=False),)
    for view in (
        firm(free, cash=CASH, households={"gain_budget": 50.0}),
        firm(HELD, cash=CASH, households={"gain_budget": 50.0, "realised_short": np.nan}),
    ):
        assert verdict(judged(view, orders([sale()]), "gain_budget")) == "not_assessable"
    assert verdict(judged(firm(free, cash=CASH), orders([sale()]), "gain_budget")) == "pass"


@pytest.mark.parametrize(
    ("said", "expected"), [(-20.0, "pass"), (-20.05, "pass"), (-20.06, "block"), (np.nan, "block")]
)
def test_gains_by_lot(said: float, expected: str) -> None:
    assert verdict(judged(firm(HELD, cash=CASH), orders([sale()], lot_gain=[said]), "gains_agree")) == expected


@pytest.mark.parametrize(
    ("tax", "expected"), [(20.0, "pass"), (21.0, "pass"), (21.01, "block"), (0.0, "block"), (np.nan, "not_assessable")]
)
def test_the_tax_of_the_year(tax: float, expected: str) -> None:
    # Ten shares at a gain of 10 each, held 500 days: 15 % federal and 5 % state of 100.
    view = firm((Lot("L1", "A1", "AAA", 100.0, cost=0.0),), cash=CASH)
    assert verdict(judged(view, orders([sale()], tax=[tax]), "tax_agrees")) == expected


def bought(lot: str, account: str, days: int, origin: str = "manual", shares: float = 10.0) -> tuple[object, ...]:
    return account, "AAA", lot, shares, days, origin


@pytest.mark.parametrize("account", ["A1", "A2"])
@pytest.mark.parametrize(("days", "expected"), [(0, "block"), (30, "block"), (31, "pass")])
def test_a_purchase_of_the_last_thirty_days_washes_in_any_account(account: str, days: int, expected: str) -> None:
    lots = (HELD[0], Lot("L7", account, "AAA", 10.0, cost=10.0, days=days))
    view = firm(lots, cash=CASH, bought=[bought("L7", account, days)])  # type: ignore[list-item]
    one = judged(view, orders([sale(20.0)]), "wash_sale")
    assert verdict(one) == expected
    assert one.value[0] == (20.0 if expected == "block" else 0.0)  # ten of twenty shares are replaced, at 2 a share
    assert verdict(judged(view, orders([sale(20.0, disallowed=20.0)]), "wash_sale")) == "warn"
    if expected == "block":
        assert verdict(judged(view, orders([sale(20.0, disallowed=18.0)]), "wash_sale")) == "block"


def test_what_replaces_nothing() -> None:
    recent = Lot("L7", "A1", "AAA", 10.0, cost=12.0, days=5)
    view = firm((HELD[0], recent), cash=CASH, bought=[bought("L7", "A1", 5)])  # type: ignore[list-item]
    rest = sale(4.0, "L7")  # the rest of the very lot
    assert verdict(judged(view, orders([rest]), "wash_sale")) == "pass"
    both = [sale(10.0), sale(10.0, "L7")]  # and recent shares that go as well
    assert verdict(judged(view, orders(both), "wash_sale")) == "pass"
    gain = firm((Lot("L1", "A1", "AAA", 100.0, cost=8.0), recent), cash=CASH, bought=[bought("L7", "A1", 5)])  # type: ignore[list-item]
    assert verdict(judged(gain, orders([sale()]), "wash_sale")) == "pass"
    in_roth = orders([sale(10.0, "L2", "A2")])
    assert (
        verdict(judged(firm((*HELD, recent), cash=CASH, bought=[bought("L7", "A1", 5)]), in_roth, "wash_sale"))
        == "pass"
    )  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("confidence", "expected"), [("high", "block"), ("medium", "block"), ("low", "warn"), (None, "warn")]
)
def test_securities_that_count_as_identical(confidence: str | None, expected: str) -> None:
    group = {"identical_group": "G", "identical_confidence": confidence}
    view = firm(HELD, cash=CASH, securities={"AAA": group, "BBB": group})
    made = orders([sale(), Trade("A2", "BBB", "buy", 10.0)])
    assert verdict(judged(view, made, "wash_sale")) == expected
    alone = orders([sale(), Trade("A2", "CCC", "buy", 10.0)])
    assert verdict(judged(view, alone, "wash_sale")) == "pass"


def test_dividends_that_will_be_reinvested_and_a_basis_nobody_knows() -> None:
    again = (Lot("L7", "A2", "AAA", 1.0, days=60), *HELD)
    view = firm(again, cash=CASH, bought=[bought("L7", "A2", 60, "reinvestment", 1.0)])  # type: ignore[list-item]
    assert verdict(judged(view, orders([sale()]), "wash_sale")) == "warn"
    free = (Lot("L1", "A1", "AAA", 100.0, cost=0.0, covered=False),)
    made = orders([sale(), Trade("A2", "AAA", "buy", 10.0)])
    assert verdict(judged(firm(free, cash=CASH), made, "wash_sale")) == "not_assessable"
    assert verdict(judged(firm(free, cash=CASH), orders([sale()]), "wash_sale")) == "pass"


@pytest.mark.parametrize(("days", "expected"), [(0, "block"), (30, "block"), (31, "pass")])
def test_a_purchase_that_washes_a_loss_taken_before(days: int, expected: str) -> None:
    view = firm(
        cash=CASH, bought=[bought("L0", "A1", 300, shares=20.0)],  # type: ignore[list-item]
        sold=[("A1", "AAA", "L0", 20.0, 8.0, days)],
    )  # fmt: skip
    one = judged(view, orders([Trade("A2", "AAA", "buy", 5.0)]), "wash_purchase")
    assert verdict(one) == expected
    assert np.isnan(one.value[0]) if expected == "pass" else one.value[0] == pytest.approx(10.0)
    assert verdict(judged(view, orders([Trade("A3", "AAA", "buy", 5.0)], households=["H2"]), "wash_purchase")) == "pass"


def test_a_loss_of_unknown_size_is_not_assessable() -> None:
    view = firm(cash=CASH, sold=[("A1", "AAA", "L0", 20.0, 8.0, 3)])
    assert verdict(judged(view, orders([BUY]), "wash_purchase")) == "not_assessable"


@pytest.mark.parametrize(("shares", "expected"), [(99.0, "pass"), (100.0, "pass"), (101.0, "warn")])
def test_turnover_is_the_lesser_of_purchases_and_sales(shares: float, expected: str) -> None:
    lots = (Lot("L1", "A1", "AAA", 300.0),)
    view = firm(lots, cash={"A1": 1_000.0})  # 4,000 in all, a quarter is 1,000
    made = orders([sale(shares), Trade("A1", "BBB", "buy", 60.0)])
    assert verdict(judged(view, made, "turnover")) == expected
    assert verdict(judged(view, orders([sale(300.0)]), "turnover")) == "pass"


def test_turnover_of_a_year_counts_what_people_decided() -> None:
    lots = (Lot("L1", "A1", "AAA", 300.0),)
    past = {"sold": [("A1", "AAA", "L0", 250.0, 10.0, 100)]}
    trades = orders([sale(60.0), Trade("A1", "BBB", "buy", 30.0)])
    for origin, expected in (("manual", "warn"), ("reinvestment", "pass")):
        view = firm(lots, cash={"A1": 1_000.0}, bought=[bought("L1", "A1", 100, origin, 300.0)], **past)  # type: ignore[list-item,arg-type]
        assert verdict(judged(view, trades, "turnover_year")) == expected
    assert str(AS_OF.date()) == "2022-12-28"

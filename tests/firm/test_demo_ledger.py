"""The ledger and the trading rules of the demo firm, as properties."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.firm.demo.distributions import start_year
from workbench.firm.demo.ledger import UNITS, Ledger, is_long_term
from workbench.firm.demo.trading import allowed_weights, outside_bands

step = st.one_of(
    st.tuples(st.just("buy"), st.integers(0, 2), st.integers(1, 10**8), st.integers(100, 10**7)),
    st.tuples(st.just("sell"), st.integers(0, 2), st.integers(1, 10**8), st.integers(100, 10**7)),
    st.tuples(st.just("split"), st.integers(0, 2), st.sampled_from([4.0, 2.0, 1.5, 0.125]), st.just(0)),
    st.tuples(st.just("dividend"), st.integers(0, 2), st.just(0), st.integers(1, 50_000)),
)


@given(st.lists(step, max_size=40))
def test_any_history_replays_to_the_books(steps):
    ledger = Ledger("A")
    for day, (kind, security, size, price) in enumerate(steps):
        dollars = price / 10_000
        if kind == "buy":
            ledger.buy(day, security, size, dollars, "rebalance")
        elif kind == "sell" and ledger.lots.get(security):
            lot = ledger.lots[security][0]
            ledger.sell(day, [(lot, min(size, lot.units))], dollars, "manual")
        elif kind == "split" and all(lot.units >= UNITS for lot in ledger.lots.get(security, ())):
            ledger.split(day, security, size)
        elif kind == "dividend":
            ledger.dividend(day, security, dollars)
    assert sum(entry.cents for entry in ledger.entries) == ledger.cents
    for security in range(3):
        booked = sum(entry.units for entry in ledger.entries if entry.security == security)
        assert booked == ledger.units(security)
        for lot in ledger.lots.get(security, ()):
            assert lot.units == sum(e.units for e in ledger.entries if e.lot_id == lot.lot_id) > 0


@given(st.dates(datetime.date(1990, 1, 1), datetime.date(2030, 1, 1)), st.integers(0, 1200))
def test_long_term_starts_after_the_calendar_anniversary(bought, days):
    sold = bought + datetime.timedelta(days=days)
    anniversary = pd.Timestamp(bought) + pd.DateOffset(years=1)
    assert is_long_term(bought.toordinal(), sold.toordinal()) == (pd.Timestamp(sold) > anniversary)


weights = st.lists(st.floats(0.0, 1.0), min_size=6, max_size=6).filter(lambda x: sum(x) > 0.1)
CLASSES = np.array([0, 0, 0, 1, 1, 2])


@given(weights, st.lists(st.booleans(), min_size=6, max_size=6), st.floats(0.01, 1.0))
def test_what_may_not_be_held_moves_inside_its_class(raw, banned, cap):
    target, mask = np.array(raw) / sum(raw), np.array(banned)
    caps = np.array([cap, *[1.0] * 5])
    allowed = allowed_weights(target, mask, caps, CLASSES)
    assert (allowed[mask] == 0).all()
    assert allowed[0] <= cap + 1e-12
    for code in range(3):
        inside = code == CLASSES
        assert allowed[inside].sum() <= target[inside].sum() + 1e-9
        free = inside & ~mask & (caps >= 1.0)
        if target[free].sum() > 1e-9:
            assert allowed[inside].sum() == pytest.approx(target[inside].sum())


def test_bands_are_the_tighter_of_absolute_and_relative():
    target = np.array([0.10, 0.01, 0.0, 0.39, 0.10, 0.40])
    assert not outside_bands(target, target, CLASSES)
    for moved, outside in ((0.041, True), (0.039, False)):  # within a class: 4 points a security
        assert outside_bands(target + moved * np.array([0, 0, 0, -1, 1, 0]), target, CLASSES) is outside
    for moved, outside in ((0.0335, True), (0.0325, False)):  # 30 % of the first class's 11 %
        step = moved * np.array([0.5, 0.5, 0, -0.5, 0, -0.5])
        assert outside_bands(target + step, target, CLASSES) is outside


@pytest.mark.parametrize(
    ("birth", "year"),
    [("1949-06-30", 2019), ("1949-07-01", 2021), ("1950-12-31", 2022), ("1951-01-01", 2024), ("1960-01-01", 2035)],
)
def test_distributions_start_at_the_right_age(birth, year):
    assert start_year(pd.Timestamp(birth)) == year

"""The after-tax study: books that lose no cent, tax that is netting's, and decisions that cannot see ahead."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import MarketDataError, ParameterError
from workbench.rebalance._books import TaxRates
from workbench.rebalance._ledger import Ledger
from workbench.rebalance._relief import first_in_first_out
from workbench.rebalance.after_tax import (
    STRATEGIES,
    Assumptions,
    Fund,
    cohort_starts,
    compare,
    history_of_funds,
    internal_rate,
    read_history,
    simulate,
)
from workbench.rebalance.rounding import Orders
from workbench.rebalance.solve import solve_household
from workbench.tax import match_wash_sales

FUNDS = {
    "EQ": Fund(0.5, "US equity", 0.9, ("EQ2",)),
    "INT": Fund(0.1, "International equity", 0.5),
    "BND": Fund(0.4, "Bonds", 0.0, ("BND2",)),
}
BY_KEY = {strategy.key: strategy for strategy in STRATEGIES}
DAY = int(np.datetime64("2020-01-06", "D").astype(np.int64))


def made_up_prices(seed=0, end="2022-12-30"):
    """Two years and a half of daily prices of five funds: quarterly dividends on two, monthly on the bonds."""
    days = pd.bdate_range("2020-06-01", end)
    rng = np.random.default_rng(seed)
    common = rng.normal(0.0002, 0.010, len(days))
    frames = []
    for name, beta, noise in (("EQ", 1.2, 0.002), ("EQ2", 1.2, 0.002), ("INT", 1.0, 0.006), ("BND", 0.1, 0.002),
                              ("BND2", 0.1, 0.002)):  # fmt: skip
        price = 100 * np.exp(np.cumsum(beta * common + rng.normal(0, noise, len(days))))
        months = 1 if "BND" in name else 3
        pays = (days.month % months == 0) & (pd.Series(days).dt.month.diff().fillna(0) != 0).to_numpy()
        frames.append(
            pd.DataFrame({"date": days, "ticker": name, "close": price.round(4),
                          "dividend": np.where(pays, 0.3, 0.0), "volume": 1e6})
        )  # fmt: skip
    return pd.concat(frames, ignore_index=True)


@pytest.fixture(scope="module")
def history():
    return history_of_funds(made_up_prices(), "made-up prices", FUNDS)


TWO_YEARS = Assumptions(wealth=500_000.0, years=2)


def ledger_of(rates=None, cash=(1e6, 1e6, 1e6)):
    return Ledger(
        registration=("taxable", "traditional_ira", "roth_ira"), treatment=np.array([0, 1, 2], np.int32),
        wash_group=np.array([0, 0, 1], np.int32), qualified=np.array([1.0, 1.0, 0.0]),
        rates=rates or TaxRates(), cash=np.array(cash),
    )  # fmt: skip


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["buy", "sell", "dividend", "deposit"]),
        st.integers(1, 40),  # days on
        st.integers(0, 2),  # account
        st.integers(0, 2),  # security
        st.floats(0.01, 1.0),  # size, or part of a lot
        st.floats(20.0, 180.0),  # price
    ),
    min_size=1,
    max_size=25,
)


def live(steps, ledger):
    """Put steps through the books; sells take the part of one lot of the account and security, where there is one."""
    day = DAY
    for what, days, account, security, size, price in steps:
        day += days
        prices = np.full(3, price)
        if what == "buy":
            ledger.trade(day, [], [(account, security, 100 * size)], prices, np.full(3, 0.0005))
        elif what == "sell":
            lots = [lot for lot in ledger.lots if (lot.account, lot.security) == (account, security)]
            if lots:
                ledger.trade(day, [(lots[0], lots[0].shares * size)], [], prices, np.full(3, 0.0005))
        elif what == "dividend":
            ledger.pay_dividends(day, np.where(np.arange(3) == security, size, 0.0))
        else:
            ledger.deposit(account, round(1000 * size, 2))
    return day


class TestBooks:
    @given(STEPS)
    @settings(max_examples=60, deadline=None)
    def test_money_and_shares_are_conserved_to_the_cent(self, steps):
        ledger = ledger_of()
        live(steps, ledger)
        cents = sum(round(total * 100) * (1 if side == "sell" else -1) for side, *_, total in ledger.trades)
        cents += round(ledger.deposited * 100) + round(ledger.received * 100)
        assert round(ledger.cash.sum() * 100) == 300_000_000 + cents
        held = ledger.holdings(3)
        for account in range(3):
            for security in range(3):
                flow = sum(
                    shares * (1 if side == "buy" else -1)
                    for side, _, a, s, _, shares, _ in ledger.trades
                    if (a, s) == (account, security)
                )
                assert held[account, security] == pytest.approx(flow, abs=1e-4)
                assert held[account, security] >= 0

    @given(STEPS)
    @settings(max_examples=60, deadline=None)
    def test_books_matched_now_and_then_are_those_matched_over_the_whole_history(self, steps):
        ledger = ledger_of()
        live(steps, ledger)
        if not ledger.trades:
            return
        whole = match_wash_sales(ledger.trade_frame())
        blocks = whole.blocks[whole.blocks["taxed"]]
        assert sum(r.recognised for r in ledger.realised) == pytest.approx(blocks["recognised"].sum(), abs=0.02)
        assert sum(r.disallowed for r in ledger.realised) == pytest.approx(blocks["disallowed"].sum(), abs=0.02)
        assert sum(r.recognised for r in ledger.realised if r.long) == pytest.approx(
            blocks.loc[blocks["term"] == "long", "recognised"].sum(), abs=0.02
        )
        basis = sum(lot.shares * lot.basis for lot in ledger.lots if lot.account == 0)
        assert basis == pytest.approx(whole.open_lots.loc[whole.open_lots["taxed"], "basis"].sum(), abs=0.05)

    @given(STEPS, st.floats(0, 50_000))
    @settings(max_examples=60, deadline=None)
    def test_the_years_taxes_are_netting_of_the_blocks_and_dividends(self, steps, other):
        rates = TaxRates(other_gains=other)
        ledger = ledger_of(rates)
        last = live(steps, ledger)
        if not ledger.trades:
            return
        carried_short = carried_long = 0.0
        for year in range(year_of(ledger.trades[0][1]), year_of(last) + 1):
            inside = [
                r
                for r in ledger.realised
                if np.datetime64(r.day, "D").astype("datetime64[Y]").astype(int) == year - 1970
            ]
            short = sum(r.recognised for r in inside if not r.long) - carried_short
            long = sum(r.recognised for r in inside if r.long) - carried_long + other
            ordinary, qualified = ledger.dividend_income(year)
            due = simple_tax(short, long, rates)
            expected = due + rates.short * ordinary + rates.long * (qualified - other)
            year_tax = ledger.tax_of(year)
            assert year_tax.tax == pytest.approx(expected, abs=0.011)
            carried_short, carried_long = year_tax.carryforward_short, year_tax.carryforward_long
            total = short + long
            assert carried_short + carried_long == pytest.approx(max(-total - 3000.0, 0.0), abs=0.01)

    def test_an_ira_purchase_takes_a_loss_for_good(self):
        ledger = ledger_of()
        ledger.trade(DAY, [], [(0, 0, 10.0)], np.full(3, 100.0), np.zeros(3))
        ledger.trade(DAY + 90, [(ledger.lots[0], 10.0)], [], np.full(3, 90.0), np.zeros(3))
        assert ledger.gains(2020) == (-100.0, 0)
        # the other fund of the same group
        ledger.trade(DAY + 110, [], [(2, 1, 4.0)], np.full(3, 91.0), np.zeros(3))
        assert ledger.gains(2020)[0] == pytest.approx(-60.0)
        assert ledger.realised[0].permanent == pytest.approx(40.0)

    def test_a_dividend_is_qualified_only_where_the_shares_were_held_long_enough(self):
        ledger = ledger_of()
        ledger.trade(DAY, [], [(0, 0, 10.0)], np.full(3, 100.0), np.zeros(3))
        ledger.pay_dividends(DAY + 20, np.array([1.0, 0.0, 0.0]))
        assert ledger.dividend_income(2020) == (0.0, 10.0)
        ledger.trade(DAY + 30, [(ledger.lots[0], 4.0)], [], np.full(3, 110.0), np.zeros(3))
        assert ledger.dividend_income(2020) == (pytest.approx(4.0), pytest.approx(6.0))

    def test_first_in_first_out_takes_the_oldest(self):
        ledger = ledger_of()
        for n in range(3):
            ledger.trade(DAY + n, [], [(0, 0, 10.0)], np.full(3, 100.0 + n), np.zeros(3))
        youngest = ledger.lots[-1]
        taken = first_in_first_out(DAY + 5, [(youngest, 10.0), (ledger.lots[1], 5.0)], ledger.lots)
        assert [(lot.basis, shares) for lot, shares in taken] == [(100.0, 10.0), (101.0, 5.0)]

    def test_more_than_a_lot_holds_is_refused(self):
        ledger = ledger_of()
        ledger.trade(DAY, [], [(0, 0, 10.0)], np.full(3, 100.0), np.zeros(3))
        with pytest.raises(ParameterError, match="are held"):
            ledger.trade(DAY + 1, [(ledger.lots[0], 11.0)], [], np.full(3, 100.0), np.zeros(3))


def year_of(day):
    return int(np.datetime64(day, "D").astype("datetime64[Y]").astype(int)) + 1970


def simple_tax(short, long, rates):
    """Schedule D by hand, for one household."""
    if short + long < 0:
        return -rates.ordinary * min(3000.0, -(short + long))
    if short >= 0 and long >= 0:
        return rates.short * short + rates.long * long
    return (rates.short if short > 0 else rates.long) * (short + long)


class TestLives:
    @pytest.mark.parametrize("key", ["plain", "harvest", "household"])
    def test_value_is_what_went_in_and_what_the_market_made_of_it(self, history, key):
        path = simulate(history, BY_KEY[key], TWO_YEARS, "2021-01-01")
        assert np.isfinite(path.value).all()
        assert path.flow.sum() == pytest.approx(0.03 * 500_000 / 4 * 7, abs=0.1)
        assert path.tax_shortfalls == 0
        assert path.years["tax"].iloc[0] == pytest.approx(path.paid.sum(), abs=0.01)
        assert path.tracking_error < 0.02

    @pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: strategy.key)
    def test_the_first_trades_bring_a_household_in_cash_near_its_model(self, history, strategy):
        first = np.zeros(len(history.target))

        def once(household, chosen):
            if household.wash or len(household.security):
                return None
            orders = solve_household(household, chosen).orders
            np.add.at(first, orders.security, orders.shares * household.market.price[orders.security] / 500_000)
            return orders

        simulate(history, strategy, replace(TWO_YEARS, years=1), "2021-01-01", decide=once)
        assert np.abs(first - history.target)[:-1].max() < 0.03

    def test_no_decision_sees_ahead(self, history):
        """Prices after a day do not change what was decided up to it."""
        cut = history.session("2021-10-01")
        price = history.price.copy()
        price[cut:] *= np.exp(np.random.default_rng(5).normal(0, 0.02, price[cut:].shape))
        other = replace(history, price=price, _risk={})
        for key in ("plain", "household"):
            seen = [decisions(market, BY_KEY[key]) for market in (history, other)]
            before = [[row for row in rows if row[0] < history.dates[cut]] for rows in seen]
            assert before[0] == before[1]
            assert len(before[0]) >= 4
            assert seen[0] != seen[1]

    def test_without_harvesting_no_loss_is_sought(self, history):
        harvested = [
            simulate(history, BY_KEY[key], TWO_YEARS, "2021-01-01").years["losses_harvested"].sum()
            for key in ("lots", "harvest")
        ]
        assert harvested[0] < harvested[1]

    def test_a_year_beyond_the_prices_is_refused(self, history):
        with pytest.raises(ParameterError, match="after the prices"):
            simulate(history, BY_KEY["plain"], replace(TWO_YEARS, years=9), "2021-01-01")

    def test_a_start_without_enough_prices_is_refused(self, history):
        with pytest.raises(MarketDataError, match="sessions later"):
            simulate(history, BY_KEY["plain"], TWO_YEARS, "2020-06-10")


def decisions(market, strategy):
    """Every order of a life: day, account, security, shares."""
    rows = []

    def decide(household, chosen):
        solved = solve_household(household, chosen)
        orders = solved.orders
        rows.extend(
            (np.datetime64(household.as_of), a, s, n)
            for a, s, n in zip(orders.account.tolist(), orders.security.tolist(), orders.shares.tolist(), strict=True)
        )
        return orders

    simulate(market, strategy, TWO_YEARS, "2021-01-01", decide=decide)
    return rows


class TestStudy:
    def test_the_yardstick_has_no_alpha_and_tax_alpha_is_what_is_left_of_both(self, history):
        study = compare(history, replace(TWO_YEARS, years=1), strategies=STRATEGIES[:3])
        alphas = study.alphas()
        assert (alphas.loc[alphas["strategy"] == "plain", ["alpha", "before_tax", "tax_alpha"]] == 0).all().all()
        assert np.allclose(alphas["alpha"], alphas["before_tax"] + alphas["tax_alpha"])
        assert [start.year for start in study.starts] == [2021, 2022]
        summary = study.summary().set_index("strategy")
        assert (summary["tax_alpha_low"] <= summary["tax_alpha"]).all()
        assert (summary["tax_alpha"] <= summary["tax_alpha_high"]).all()

    def test_doing_nothing_without_tax_earns_what_the_market_earns(self, history):
        """Buy and hold the first day's orders: the return is that of the shares bought."""

        def once(household, chosen):
            if len(household.security):
                return None
            price = household.market.price[0]
            shares = np.floor(household.accounts.cash[:1] / price / 1.01)
            return Orders(
                np.zeros(1, np.int32), np.zeros(1, np.int32), shares, np.zeros(1, np.int32), np.zeros(0, np.int32),
                np.zeros(0, np.int32), np.zeros(0),
            )  # fmt: skip

        free = TaxRates(short=0.0, long=0.0, ordinary=0.0, withdrawal=0.0)
        one = Assumptions(wealth=100_000.0, accounts=(("taxable", 1.0),), deposits=0.0, years=1, rates=free)
        path = simulate(history, BY_KEY["plain"], one, "2021-01-01", decide=once)
        first, last = history.session("2021-01-01"), history.session("2021-12-31")
        shares = np.floor(100_000 / history.price[first, 0] / 1.01)
        paid = round(shares * history.price[first, 0] * 1.0001, 2)
        cash = 100_000 - paid
        received = sum(round(shares * d, 2) for d in history.dividend[first + 1 : last + 1, 0])
        assert path.value[-1] == pytest.approx(shares * history.price[last, 0] + cash + received, abs=0.02)
        assert path.annual_return() == pytest.approx(path.annual_return_before_tax())

    def test_internal_rate_of_a_known_case(self):
        assert internal_rate(np.array([100.0, 100.0]), np.array([0.0, 1.0]), 231.0, 2.0) == pytest.approx(0.1)

    def test_cohorts_start_each_january_that_has_room(self, history):
        assert [start.year for start in cohort_starts(history, 1)] == [2021, 2022]
        assert [start.year for start in cohort_starts(history, 1, most=1)] == [2021]
        with pytest.raises(ParameterError, match="whole years"):
            cohort_starts(history, 5)


class TestInput:
    @pytest.mark.parametrize(
        ("change", "named"),
        [({"wealth": 0.0}, "wealth"), ({"deposits": -1.0}, "deposits"), ({"years": 0}, "years"),
         ({"accounts": (("taxable", 0.5),)}, "accounts"), ({"accounts": (("roth_ira", 1.0),)}, "accounts"),
         ({"accounts": (("savings", 1.0),)}, "accounts")],
    )  # fmt: skip
    def test_assumptions_out_of_range_are_named(self, change, named):
        with pytest.raises(ParameterError, match=named):
            Assumptions(**change)

    def test_rates_out_of_range_are_named(self):
        with pytest.raises(ParameterError, match="long"):
            TaxRates(long=1.5)

    def test_a_fund_without_prices_or_with_a_gap_is_named(self):
        frame = made_up_prices()
        with pytest.raises(MarketDataError, match="no prices of BND2"):
            history_of_funds(frame[frame["ticker"] != "BND2"], "made-up prices", FUNDS)
        gap = frame.drop(frame.index[(frame["ticker"] == "INT") & (frame["date"] == "2021-05-05")])
        with pytest.raises(MarketDataError, match="INT: sessions without a price"):
            history_of_funds(gap, "made-up prices", FUNDS)

    def test_a_file_that_is_none_is_named(self, tmp_path):
        with pytest.raises(ParameterError, match="no file"):
            read_history(tmp_path / "none.csv")
        (tmp_path / "bad.csv").write_text("a,b\n1,2\n")
        with pytest.raises(MarketDataError, match=r"bad\.csv needs the columns"):
            read_history(tmp_path / "bad.csv")


def test_three_years_of_real_prices(shared):
    """From 2008 on: harvesting finds losses, no purchase elsewhere takes them, and tax falls."""
    history = read_history(shared / "data" / "etf" / "etf_daily_2005_2026.csv.gz")
    study = compare(history, Assumptions(years=3), starts=["2008-01-01"], strategies=STRATEGIES[:3])
    plain, _, harvest = study.paths[0]
    losses = [path.years["losses_harvested"].sum() for path in (plain, harvest)]
    assert losses[1] > 100_000 > losses[0]
    assert harvest.permanently_lost == 0
    assert harvest.years["carryforward"].iloc[-1] > 50_000
    assert history.market.ids[-1] == "CASH"
    assert history.target.sum() == pytest.approx(1.0)

"""Direct indexing: an index that floats with prices, the fund that holds it, and lives that break no rule."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from workbench.errors import MarketDataError, ParameterError
from workbench.rebalance import direct_index
from workbench.rebalance.after_tax import TaxRates, simulate
from workbench.rebalance.solve import solve_household

SECTORS = pd.DataFrame(
    {
        "ticker": [f"S{i:02d}" for i in range(12)],
        "sector": ["Energy"] * 4 + ["Health Care"] * 4 + ["Utilities"] * 4,
        "sub_industry": ["Coal"] + ["Oil"] * 3 + ["Drugs"] * 4 + ["Water"] * 4,
    }
)
START = "2010-01-04"
ONE_YEAR = replace(direct_index.ASSUMPTIONS, years=1, rates=TaxRates(other_gains=50_000.0))
MONTHLY = direct_index.STRATEGIES[-1]


def made_up_stocks(seed=3):
    """Raw prices of twelve stocks of three sectors; S01 splits two for one, and each pays once a quarter."""
    days = pd.bdate_range("2009-06-01", "2010-12-31")
    rng = np.random.default_rng(seed)
    whole = rng.normal(0.0, 0.010, len(days))
    frames = []
    for sector in range(3):
        shared = rng.normal(0.0, 0.008, len(days))
        for number in range(4):
            name = SECTORS["ticker"][4 * sector + number]
            moves = whole + shared + rng.normal(0.0, 0.012, len(days))
            price = 50.0 * np.exp(np.cumsum(moves))
            split = np.ones(len(days))
            if name == "S01":
                split[200] = 2.0
                price[200:] /= 2.0
            pays = (days.month % 3 == sector) & (pd.Series(days).dt.month.diff().fillna(0) != 0).to_numpy()
            frames.append(
                pd.DataFrame({"date": days, "ticker": name, "close": price, "volume": 1e6 * (number + 1),
                              "dividend": np.where(pays, 0.2, 0.0), "split": split})
            )  # fmt: skip
    return pd.concat(frames, ignore_index=True)


@pytest.fixture(scope="module")
def stocks():
    return direct_index.history_of_stocks(made_up_stocks(), SECTORS, "made-up stocks")


@pytest.fixture(scope="module")
def index(stocks):
    return direct_index.index_from(stocks, START)


class TestIndex:
    def test_a_split_is_no_return(self, stocks):
        returns = stocks.price[1:, 1] / stocks.price[:-1, 1] - 1.0
        assert np.abs(returns).max() < 0.2

    def test_it_begins_at_equal_weights_and_then_moves_as_held_shares_do(self, index):
        first = index.session(START)
        assert index.weights_at(first)[:-1] == pytest.approx(np.full(12, 0.99 / 12))
        held = 1.0 / index.price[first, :-1]
        worth = held * index.price[first + 100, :-1]
        assert index.weights_at(first + 100)[:-1] == pytest.approx(0.99 * worth / worth.sum())
        assert index.weights_at(first + 100).sum() == pytest.approx(1.0)

    def test_the_fund_earns_what_the_index_earns(self, index):
        fund = direct_index.as_fund(index)
        first, last = index.session(START), len(index.dates) - 1
        of_fund, of_index = fund.model_returns(first, last), index.model_returns(first, last)
        # the fund holds a quarter's dividends as cash, which earns nothing: a hundredth of a day's return at most
        assert np.abs(of_fund - of_index).max() < 0.01 * np.abs(of_index).max() + 1e-9
        assert of_fund.sum() == pytest.approx(of_index.sum(), abs=2e-3)
        assert fund.dividend[:, 0].sum() == pytest.approx((index.dividend @ index.units).sum() * 100.0)

    def test_tilts_scale_a_sectors_first_weight(self, stocks):
        tilted = direct_index.index_from(stocks, START, {"Utilities": 2.0})
        weight = tilted.weights_at(tilted.session(START))
        assert weight[8] == pytest.approx(2.0 * weight[0])
        assert weight.sum() == pytest.approx(1.0)
        with pytest.raises(ParameterError, match="Banks"):
            direct_index.index_from(stocks, START, {"Banks": 2.0})

    def test_the_most_traded_are_taken_where_a_number_is_asked_for(self):
        few = direct_index.history_of_stocks(made_up_stocks(), SECTORS, "made-up stocks", most=5)
        assert len(few.market.ids) == 6
        assert few.target.sum() == pytest.approx(1.0)

    def test_a_session_without_a_price_is_refused(self):
        rows = made_up_stocks().drop(index=40)
        with pytest.raises(MarketDataError, match="S00"):
            direct_index.history_of_stocks(rows, SECTORS, "made-up stocks")

    def test_a_fund_needs_an_index(self, stocks):
        with pytest.raises(ParameterError, match="index_from"):
            direct_index.as_fund(stocks)


@pytest.fixture(scope="module")
def study(stocks):
    strategies = (*direct_index.STRATEGIES, direct_index.screened("Energy"))
    return direct_index.compare(stocks, ONE_YEAR, starts=[START], strategies=strategies)


class TestLives:
    def test_losses_are_harvested_without_wash_sales_and_the_fund_takes_none(self, study):
        fund, _, monthly, screened = study.paths[0]
        assert monthly.years["losses_harvested"].sum() > 20 * fund.years["losses_harvested"].sum()
        assert monthly.years["losses_harvested"].sum() > 5_000.0
        for path in (fund, monthly, screened):
            assert path.disallowed == pytest.approx(0.0, abs=0.01)

    def test_tax_is_lower_and_tracking_is_near(self, study):
        frame = study.summary().set_index("strategy")
        assert frame.at["monthly", "tax_alpha"] > 0.002
        assert frame.at["monthly", "tax_alpha_liquidated"] < frame.at["monthly", "tax_alpha"]
        assert frame.at["monthly", "tracking_error"] < 0.04
        assert frame.at["fund", "tracking_error"] < 0.005

    def test_by_year_agrees_with_the_paths(self, study):
        frame = study.by_year().set_index("strategy")
        path = study.paths[0][2]
        assert frame.at["monthly", "losses"] == pytest.approx(
            path.years["losses_harvested"].iloc[0] / ONE_YEAR.wealth, rel=1e-3
        )
        assert frame.at["fund", "tax_alpha"] == 0.0

    def test_a_screen_keeps_its_stocks_out_and_costs_tracking(self, stocks, index, study):
        held = []

        def decide(household, chosen):
            held.extend(household.security.tolist())
            solved = solve_household(household, chosen)
            return None if solved is None else solved.orders

        simulate(index, direct_index.screened("Coal"), ONE_YEAR, START, decide=decide)
        assert 0 not in held
        assert 1 in held
        frame = study.summary().set_index("strategy")
        assert frame.at["screened", "tracking_error"] > frame.at["monthly", "tracking_error"]

    def test_decisions_do_not_see_ahead(self, stocks):
        changed = made_up_stocks()
        later = changed["date"] > "2010-06-30"
        changed.loc[later, "close"] *= np.where(changed.loc[later, "ticker"] < "S06", 1.7, 0.6)
        other = direct_index.history_of_stocks(changed, SECTORS, "made-up stocks")
        orders = []
        for history in (stocks, other):
            seen = []

            def decide(household, chosen, seen=seen):
                solved = solve_household(household, chosen)
                seen.append((household.as_of, solved.orders.shares.tolist()))
                return solved.orders

            simulate(direct_index.index_from(history, START), MONTHLY, ONE_YEAR, START, decide=decide)
            orders.append([row for row in seen if str(row[0]) <= "2010-06-30"])
        assert len(orders[0]) == 7
        assert orders[0] == orders[1]

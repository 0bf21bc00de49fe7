"""A taxable account: the engine's wealth without tax, money to the cent with it, and rules that change places."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.backtest import (
    Band,
    BuyAndHold,
    Calendar,
    LotPolicy,
    Observation,
    Policy,
    Quadratic,
    Runs,
    TaxAware,
    TaxLots,
    Universe,
    after_tax,
    compare_after_tax,
    signals,
    simulate,
)  # fmt: skip
from workbench.errors import MarketDataError, ParameterError, PolicyError
from workbench.rebalance.after_tax import TaxRates

NONE = TaxRates(0.0, 0.0, 0.0, 0.0)


def universe(seed=1, sessions=800, cash=0.1, dividends=True, rate=1e-4, growth=3e-4):
    rng = np.random.default_rng(seed)
    returns = rng.normal(growth, 0.01, (1, sessions, 3)) + np.array([4e-4, 0.0, -2e-4])
    returns[:, 0] = 0.0
    price = 50.0 * np.cumprod(1.0 + returns, axis=1)
    dividend = np.zeros_like(price)
    if dividends:
        dividend[:, 30::63, ::2] = 0.4
    return Universe(
        name="made up", sessions=pd.bdate_range("2015-01-01", periods=sessions), assets=("A", "B", "C"), price=price,
        dividend=dividend, cash_return=np.full((1, sessions), rate), target=np.array([0.5, 0.3, 0.2]) * (1.0 - cash),
        half_spread=np.full(3, 1e-3), daily_value=np.full(3, np.inf),
    )  # fmt: skip


@pytest.mark.parametrize("cash", [0.0, 0.1])
@pytest.mark.parametrize("policy", [BuyAndHold(), Calendar(21), Band(0.02), Quadratic(1.0)], ids=lambda p: p.name)
def test_without_tax_it_is_the_engine_to_cents(policy, cash):
    data = universe(cash=cash)
    made = signals(data)
    mine = after_tax(data, made, policy, rates=NONE)
    engine = simulate(data, made, Runs.product([policy]), keep_returns=True)
    wealth = 1e6 * np.cumprod(1.0 + engine.returns[0])
    np.testing.assert_allclose(mine.value, wealth, rtol=2e-6)
    np.testing.assert_allclose(mine.before_tax, wealth, rtol=2e-6)
    expected = engine.statistics.iloc[0]
    for name in ("cost_bp", "tracking_loss_bp", "turnover"):
        assert mine.statistics[name] == pytest.approx(expected[name], rel=1e-3, abs=1e-3)
    assert (mine.years["tax"] == 0.0).all()


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1000), st.sampled_from(["fifo", "lifo", "highest_cost", "min_tax"]), st.floats(0.3, 1.4),
       st.sampled_from([0.0, 0.1]))  # fmt: skip
def test_money_is_conserved(seed, relief, basis, cash):
    """What the prices made of the holdings, less costs and tax, is what is there: nothing else comes or goes."""
    data = universe(seed, sessions=700, cash=cash, dividends=False, rate=0.0)
    life = after_tax(data, signals(data), Calendar(21), relief=relief, start_basis=basis, held_since="2014-01-01")
    assert life.value[-1] > 0.0
    growth = (life.value + life.paid) / np.append(1e6, life.value[:-1])
    np.testing.assert_allclose(life.before_tax, 1e6 * np.cumprod(growth), rtol=1e-12)
    # Each finished year's tax left on one day, and what is still owed is the rest.
    assert life.paid.sum() + life.owed[-1] == pytest.approx(life.years["tax"].sum(), abs=0.01)
    # All gains come out at last: those realised as they count, those disallowed in the basis, those still open.
    last = life.years.iloc[-1]
    assert np.isfinite(life.liquidated)
    assert last["carryforward"] >= 0.0


def test_all_gains_are_counted_once():
    """Wealth is money put in plus gains, realised or open, less tax: the ledger's gains against the prices'."""
    data = universe(3, sessions=700, dividends=False, rate=0.0)
    life = after_tax(data, signals(data), Calendar(21), start_basis=1.0)
    recognised = life.years["short_gain"].sum() + life.years["long_gain"].sum()
    # Selling what is left costs half a spread, which is in the open gain; cash of the target has none.
    exit_cost = 1e-3 * 0.9 * life.value[-1]
    made = life.value[-1] + life.paid.sum() - 1e6
    assert recognised + life.embedded_gain == pytest.approx(made - exit_cost, abs=0.05 * exit_cost + 1.0)


def test_a_worked_year():
    """One asset doubles, the other stands still: a yearly calendar sells a quarter of the account at a known gain."""
    days = pd.bdate_range("2015-01-01", periods=800)
    price = np.full((1, 800, 2), 100.0)
    price[0, 400:, 0] = 200.0
    data = Universe("worked", days, ("A", "B"), price, np.zeros_like(price), np.zeros((1, 800)), np.array([0.5, 0.5]),
                    np.zeros(2), np.full(2, np.inf))  # fmt: skip
    life = after_tax(data, signals(data), Calendar(252), rates=TaxRates(0.4, 0.2, 0.3, 0.0), offset=200)
    # Bought for 500,000 each on 2015-12-21; A is worth 1,000,000 and 250,000 of it is sold on 2016-10-24, after ten
    # months: a short-term gain of 125,000, 50,000 of tax, paid on the last session of March 2017.
    years = life.years.set_index("year")
    assert years.loc[2016, "short_gain"] == pytest.approx(125_000, abs=0.1)
    assert years.loc[2016, "tax"] == pytest.approx(50_000, abs=0.1)
    paid = life.days[np.flatnonzero(life.paid)]
    assert list(paid) == [pd.Timestamp("2017-03-31")]
    assert life.value[list(life.days).index(paid[0]) - 1] == pytest.approx(1_500_000, abs=0.1)
    # The tax is raised by selling in proportion; of A half is gain, long-term now.
    assert years.loc[2017, "long_gain"] == pytest.approx(50_000 / 2 / 2, rel=1e-3)
    assert "tax of 2016" in life.events["what"].iloc[0]
    assert life.after_tax[-1] < life.before_tax[-1]
    assert life.liquidated < life.after_tax[-1]


def test_a_low_basis_costs_more_tax_and_lot_choice_less():
    data = universe(5, sessions=900, growth=6e-4)
    made = signals(data)
    old = after_tax(data, made, Calendar(63), start_basis=0.4, held_since="2010-01-01")
    new = after_tax(data, made, Calendar(63))
    assert old.statistics["tax_bp"] > new.statistics["tax_bp"]
    choice = {relief: after_tax(data, made, Calendar(21), relief=relief) for relief in ("min_tax", "lifo")}
    assert choice["min_tax"].statistics["tax_bp"] <= choice["lifo"].statistics["tax_bp"] + 0.5


def test_tax_changes_which_rule_is_best():
    data = universe(5, sessions=1000, growth=6e-4)
    policies = [Calendar(21), Quadratic(1.0), BuyAndHold(), TaxAware(1.0, 1.0)]
    table = compare_after_tax(
        data, signals(data), policies, start_basis=0.5, held_since="2010-01-01", risk_aversion=5.0
    )
    assert (table["rank_before_tax"] != table["rank_after_tax"]).any()
    by = table.set_index("policy")
    plain, aware = by.loc["quadratic, 1 y"], by.loc["quadratic, 1 y, 100 % of tax counted"]
    assert plain["total_bp"] < aware["total_bp"]
    assert plain["total_after_tax_bp"] > aware["total_after_tax_bp"]
    assert plain["liquidated"] < aware["liquidated"]


def seen(seed, m=4):
    rng = np.random.default_rng(seed)
    loadings = rng.normal(0.0, 0.15, (m, m))
    covariance = loadings @ loadings.T / m + 0.003 * np.eye(m)
    return Observation(0, rng.dirichlet(np.ones(m)), rng.dirichlet(np.full(m, 5.0)), covariance, np.full(m, 1e-3),
                       np.zeros(4), np.zeros((3, m)))  # fmt: skip


def lots_of(day, seed):
    rng = np.random.default_rng(seed)
    position = np.repeat(np.arange(len(day.weight)), 3)
    part = rng.dirichlet(np.ones(3), len(day.weight)).ravel()
    return TaxLots(position, day.weight[position] * part, rng.uniform(-0.05, 0.15, len(position)))


@pytest.mark.parametrize("seed", range(12))
def test_tax_aware_is_optimal_over_lots(seed):
    cp = pytest.importorskip("cvxpy")
    day = seen(seed)
    lots = lots_of(day, seed)
    wanted = TaxAware(1.0, 0.7).decide_taxed(day, lots)
    wanted = day.weight if wanted is None else wanted
    buy, sale = cp.Variable(4, nonneg=True), cp.Variable(12, nonneg=True)
    owns = np.equal.outer(np.arange(4), lots.position).astype(float)
    after = day.weight + buy - owns @ sale
    off = np.linalg.cholesky(day.covariance).T @ (after - day.target)
    price = day.cost[lots.position] + 0.7 * np.maximum(lots.tax, 0.0)
    cp.Problem(
        cp.Minimize(1e3 * (day.cost @ buy + price @ sale + 0.5 * 5.0 * cp.sum_squares(off))),
        [cp.sum(after) == 1.0, sale <= lots.weight],
    ).solve(solver=cp.CLARABEL)
    np.testing.assert_allclose(wanted, after.value, atol=2e-5)


@pytest.mark.parametrize("seed", range(6))
def test_without_tax_it_is_the_quadratic_rule(seed):
    day = seen(seed)
    wanted, plain = TaxAware(1.0, 0.0).decide_taxed(day, lots_of(day, seed)), Quadratic(1.0).decide(day)
    if plain is None:
        assert wanted is None
    else:
        np.testing.assert_allclose(wanted, plain, atol=1e-9)
    assert isinstance(TaxAware(1.0), Policy)
    assert isinstance(TaxAware(1.0), LotPolicy)
    assert not isinstance(Quadratic(1.0), LotPolicy)


def test_a_bankrupt_asset_is_written_off():
    data = universe(sessions=700)
    price = data.price.copy()
    price[:, 500:, 1] = 0.0
    dead = Universe(data.name, data.sessions, data.assets, price, np.zeros_like(price), data.cash_return, data.target,
                    data.half_spread, data.daily_value)  # fmt: skip
    life = after_tax(dead, signals(dead), Calendar(21))
    assert "B bankrupt" in life.events["what"].iloc[0]
    assert life.years["carryforward"].iloc[-1] > 0.0


class Broken:
    name, every = "broken", 21

    def decide(self, seen):
        return np.full(len(seen.weight), 1.0)


def test_what_cannot_be_is_refused():
    data = universe(sessions=400)
    made = signals(data)
    with pytest.raises(PolicyError, match="broken"):
        after_tax(data, made, Broken())
    for settings_, says in (
        ({"relief": "hifo"}, "relief 'hifo' is unknown"), ({"start_basis": 0.0}, "start_basis"),
        ({"qualified": 1.5}, "qualified"), ({"held_since": "2030-01-01"}, "after the start"),
        ({"delay": 0}, "delay"),
        ({"wealth": -1.0}, "wealth"), ({"rates": 0.3}, "TaxRates"),
        ({"cost_multiple": 2000.0}, "100 %"), ({"path": 1}, "path"),
        ({"held_since": "junk"}, "give a date"),
        ({"start_basis": np.ones(2)}, "one an asset"),
    ):  # fmt: skip
        with pytest.raises(ParameterError, match=says):
            after_tax(data, made, Calendar(21), **settings_)
    with pytest.raises(ParameterError, match="at least one policy"):
        compare_after_tax(data, made, [])
    with pytest.raises(ParameterError, match="put it in brackets"):
        compare_after_tax(data, made, Calendar(21))
    with pytest.raises(ParameterError, match="is no policy"):
        after_tax(data, made, object())
    with pytest.raises(ParameterError, match="tax is 2"):
        TaxAware(1.0, 2.0)
    price = data.price.copy()
    price[:, 300:] = 0.0
    gone = Universe(data.name, data.sessions, data.assets, price, np.zeros_like(price), data.cash_return,
                    data.target / data.target.sum(), data.half_spread, data.daily_value)  # fmt: skip
    with pytest.raises(MarketDataError, match="nothing is left"):
        after_tax(gone, signals(gone), Calendar(21))

"""The batch engine: money is conserved, nothing looks ahead, bad input is named, the worst is survived and said."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.backtest import (
    Band,
    BuyAndHold,
    Calendar,
    Costs,
    Quadratic,
    Runs,
    Universe,
    joined,
    rules,
    signals,
    simulate,
)
from workbench.errors import MarketDataError, ParameterError, PolicyError


def universe(seed=1, assets=4, sessions=420, cash=0.0, dividends=True, paths=1, half_spread=1e-3):
    rng = np.random.default_rng(seed)
    returns = rng.normal(3e-4, 0.01, (paths, sessions, assets)) + rng.normal(0, 0.007, (paths, sessions, 1))
    returns[:, 0] = 0.0
    price = 50.0 * np.cumprod(1.0 + returns, axis=1)
    dividend = np.zeros_like(price)
    if dividends:
        dividend[:, 30::63, ::2] = 0.4
    target = rng.dirichlet(np.full(assets, 5.0)) * (1.0 - cash)
    return Universe(
        name="made up",
        sessions=pd.bdate_range("2015-01-01", periods=sessions),
        assets=tuple(f"A{i}" for i in range(assets)),
        price=price,
        dividend=dividend,
        cash_return=np.full((paths, sessions), 1e-4),
        target=target,
        half_spread=np.full(assets, half_spread),
        daily_value=np.full(assets, 2e7),
    )


POLICIES = (
    BuyAndHold(), Calendar(1), Calendar(21), Band(0.01), Band(0.01, 0.005), Band(0.01, 0.01), Band(0.1, 0.05, True),
    Quadratic(0.5),
)  # fmt: skip


@settings(max_examples=15, deadline=None)
@given(
    st.integers(0, 10_000),
    st.sampled_from([0.0, 0.1]),
    st.sampled_from([1, 2]),
    st.sampled_from([Costs(), Costs(1e-3, 0.5, 5.0), Costs(0.02, 2.0, 50.0)]),
)
def test_money_is_conserved(seed, cash, delay, costs):
    data = universe(seed, cash=cash)
    runs = Runs.product(POLICIES, delays=[delay])
    result = simulate(data, signals(data), runs, costs=costs, keep_returns=True, keep_paths=True)
    first = 252
    price, dividend = data.price[0, first + 1 :], data.dividend[0, first + 1 :]
    for r in range(len(runs)):
        wealth = costs.wealth * np.cumprod(1.0 + result.returns[r])
        goal = data.goal(0, first)
        units, kept = goal[:4] * costs.wealth / data.price[0, first], (goal[4] if cash else 0.0) * costs.wealth
        for t in range(len(wealth)):
            kept = kept * (1.0 + data.cash_return[0, first + 1 + t]) + units @ dividend[t]
            before = kept + units @ price[t]
            traded = result.trades[r, t] * before
            units = units + traded / price[t]
            kept -= traded.sum() + result.costs[r, t] * before
            assert abs(kept + units @ price[t] - wealth[t]) < 1e-9 * wealth[t]
            np.testing.assert_allclose(result.weights[r, t], np.append(units * price[t], kept) / wealth[t], atol=1e-9)
        size = np.abs(result.trades[r])
        least = (size * (1e-3 + costs.commission)).sum(axis=1)
        assert (result.costs[r] >= least - 1e-12).all()


def test_costs_are_what_their_formula_says():
    data, costs = universe(cash=0.1), Costs(commission=5e-4, impact=0.7, ticket=9.0, wealth=4e6)
    made = signals(data)
    result = simulate(data, made, Runs.product([Calendar(21)], cost_multiples=[2.0]), costs=costs, keep_returns=True,
                      keep_paths=True)  # fmt: skip
    wealth = 4e6 * np.cumprod(np.append(1.0, 1.0 + result.returns[0]))
    for t in np.flatnonzero(result.costs[0]):
        before = wealth[t + 1] / (1.0 - result.costs[0, t])
        size = np.abs(result.trades[0, t]) * before
        daily = made.asset[0, 253 + t, made.asset_names.index("volatility")] / np.sqrt(252)
        expected = 2.0 * ((1.5e-3 * size).sum() + (0.7 * daily * size * np.sqrt(size / 2e7)).sum() + 9.0 * 4)
        assert result.costs[0, t] * before == pytest.approx(expected, rel=1e-9)


def test_statistics_are_those_of_the_returns():
    data = universe(sessions=700, paths=2)
    runs = Runs.product(POLICIES, paths=[0, 1])
    result = simulate(data, signals(data), runs, keep_returns=True, keep_paths=True, risk_aversion=3.0)
    table, days = result.statistics, len(result.days)
    wealth = np.cumprod(1.0 + result.returns, axis=1)
    over = result.returns - 1e-4
    np.testing.assert_allclose(table["return_"], wealth[:, -1] ** (252 / days) - 1.0)
    np.testing.assert_allclose(table["volatility"], result.returns.std(axis=1, ddof=1) * np.sqrt(252))
    np.testing.assert_allclose(table["sharpe"], over.mean(axis=1) / over.std(axis=1, ddof=1) * np.sqrt(252))
    np.testing.assert_allclose(table["final_wealth"], 1e6 * wealth[:, -1])
    peak = np.maximum.accumulate(np.maximum(wealth, 1.0), axis=1)
    np.testing.assert_allclose(table["max_drawdown"], (wealth / peak - 1.0).min(axis=1), atol=1e-14)
    sides = np.stack([result.trades.clip(min=0).sum(axis=2), -result.trades.clip(max=0).sum(axis=2)])
    np.testing.assert_allclose(table["turnover"], sides.max(axis=0).sum(axis=1) * 252 / days)
    np.testing.assert_allclose(table["cost_bp"], 1e4 * result.costs.sum(axis=1) * 252 / days)
    np.testing.assert_allclose(table["total_bp"], table["cost_bp"] + table["tracking_loss_bp"])


def test_tracking_is_against_the_target_held_daily_without_costs():
    data = universe(dividends=False, half_spread=0.0)
    runs = Runs.product([BuyAndHold(), Calendar(1)])
    result = simulate(data, signals(data), runs, keep_returns=True, risk_aversion=5.0)
    asset = data.price[0, 253:] / data.price[0, 252:-1] - 1.0
    active = result.returns - asset @ data.target
    np.testing.assert_allclose(result.statistics["tracking_loss_bp"], 1e4 * 2.5 * (active**2).mean(axis=1) * 252)
    np.testing.assert_allclose(result.statistics["tracking_error"], active.std(axis=1, ddof=1) * np.sqrt(252))


def test_decided_at_one_close_traded_at_a_later_one():
    data = universe()
    for delay in (1, 2, 5):
        runs = Runs.product([Calendar(63)], offsets=[7], delays=[delay])
        result = simulate(data, signals(data), runs, keep_paths=True)
        traded = 253 + np.flatnonzero(np.abs(result.trades[0]).sum(axis=1))
        assert list(traded) == [s + delay for s in range(252, 420) if s % 63 == 7 and s + delay < 420]
        after = result.weights[0, traded - 253]
        np.testing.assert_allclose(after[:, :4], np.tile(data.target, (len(traded), 1)), atol=1e-12)


def test_a_daily_calendar_holds_its_target_at_every_close():
    data = universe(dividends=False)
    result = simulate(data, signals(data), Runs.product([Calendar(1)]), keep_paths=True)
    np.testing.assert_allclose(result.weights[0, 1:, :4], np.tile(data.target, (len(result.days) - 1, 1)), atol=1e-12)


def test_a_position_the_policy_leaves_alone_keeps_its_units():
    data = universe(seed=5, sessions=600, dividends=False)
    result = simulate(data, signals(data), Runs.product([Band(0.02, 0.02)]), keep_paths=True)
    days = np.flatnonzero(np.abs(result.trades[0]).sum(axis=1))
    assert len(days)
    assert (result.trades[0, days] == 0.0).any()


def test_changing_the_future_changes_no_action_before_it():
    """Signals and engine: whatever happens after t, trades up to t stay the same bits."""
    data = universe(sessions=500, paths=1)
    runs = Runs.product(rules(), delays=[1, 2])
    costs = Costs(impact=0.5, ticket=1.0)
    whole = simulate(data, signals(data), runs, costs=costs, keep_returns=True, keep_paths=True)
    rng = np.random.default_rng(3)
    for t in (300, 388, 451):
        shuffled = data.price.copy()
        steps = shuffled[:, t + 1 :] / shuffled[:, t:-1]
        shuffled[:, t + 1 :] = shuffled[:, t : t + 1] * np.cumprod(rng.permutation(steps, axis=1) ** 2, axis=1)
        other = replace(data, price=shuffled)
        again = simulate(other, signals(other), runs, costs=costs, keep_returns=True, keep_paths=True)
        upto = t - 252
        for name in ("trades", "weights", "returns", "costs"):
            np.testing.assert_array_equal(getattr(again, name)[:, :upto], getattr(whole, name)[:, :upto])
        assert not np.array_equal(again.trades, whole.trades)


def test_a_run_is_the_same_alone_and_among_others():
    data = universe(sessions=500, paths=2)
    made = signals(data)
    runs = Runs.product(POLICIES, offsets=[0], cost_multiples=np.linspace(0, 3, 9), delays=[1, 2], paths=[0, 1])
    result = simulate(data, made, runs)
    rng = np.random.default_rng(0)
    shuffled = rng.permutation(len(runs))
    pd.testing.assert_frame_equal(
        simulate(data, made, runs.subset(shuffled)).statistics,
        result.statistics.iloc[shuffled].reset_index(drop=True),
        rtol=1e-12,
    )


def test_a_bankrupt_asset_is_worth_nothing_and_its_target_goes_to_the_others():
    data = universe(dividends=False, cash=0.1)
    price = data.price.copy()
    price[:, 330:, 1] = 0.0
    data = replace(data, price=price)
    result = simulate(data, signals(data), Runs.product(POLICIES), keep_paths=True, keep_returns=True)
    assert np.isfinite(result.returns).all()
    assert (result.weights[:, 330 - 253 :, 1] == 0.0).all()
    assert (result.trades[:, 330 - 253 :, 1] == 0.0).all()
    left = np.append(data.target, 0.1)
    left[1] = 0.0
    daily = result.weights[1, -1]
    np.testing.assert_allclose(daily, left / left.sum(), atol=1e-12)
    assert result.events["day"].tolist() == [data.sessions[330]]
    assert "A1 is bankrupt" in result.events["what"].iloc[0]


def test_a_portfolio_that_loses_everything_ends_and_says_so():
    data = universe(assets=2, dividends=False)
    price = data.price.copy()
    price[:, 300:, :] = 0.0
    data = replace(data, price=price)
    result = simulate(data, signals(data), Runs.product([BuyAndHold(), Calendar(1)]))
    assert (result.statistics["final_wealth"] < 1e-6).all()
    assert result.statistics["sharpe"].isna().all()
    assert result.events["what"].str.contains("nothing is left").sum() == 2


def test_a_trade_that_costs_more_than_it_moves_ends_the_run():
    data = universe()
    result = simulate(data, signals(data), Runs.product([BuyAndHold(), Calendar(21)]), costs=Costs(ticket=1e6))
    assert result.events["policy"].tolist() == ["every month"]
    assert np.isfinite(result.statistics["sharpe"][0])
    assert np.isnan(result.statistics["sharpe"][1])


def test_tranches_average_every_start_offset():
    data = universe(sessions=500)
    runs = Runs.product([Calendar(21), BuyAndHold(), Band(0.02)], offsets="all")
    assert len(runs) == 23
    result = simulate(data, signals(data), runs, keep_returns=True)
    table = result.tranches().set_index("policy")
    assert table["runs"].tolist() == [21, 1, 1]
    assert table.loc["every month", "timing_luck"] > 0.0
    daily = result.tranche_returns()
    np.testing.assert_allclose(daily.iloc[:, 0], result.returns[:21].mean(axis=0))
    with pytest.raises(ParameterError, match="keep_returns"):
        simulate(data, signals(data), runs).tranche_returns()


def test_backtests_over_the_same_days_are_joined():
    data = universe()
    made = signals(data)
    one = simulate(data, made, Runs.product([Calendar(21)]), keep_returns=True)
    two = simulate(data, made, Runs.product([Band(0.02), BuyAndHold()]), keep_returns=True)
    both = joined([one, two])
    assert both.statistics["policy"].tolist() == ["every month", "2 % band to target", "buy and hold"]
    assert [policy.name for policy in both.runs.policies] == both.statistics["policy"].tolist()
    np.testing.assert_array_equal(both.returns[1:], two.returns)
    with pytest.raises(ParameterError, match="different days"):
        joined([one, simulate(data, made, Runs.product([BuyAndHold()]), last=300)])


def test_nothing_is_written_that_was_not_asked_for():
    data = universe()
    result = simulate(data, signals(data), Runs.product(POLICIES))
    assert result.returns is None
    assert result.weights is None
    assert result.trades is None
    assert result.costs is None


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"offsets": [21]}, "offset 21 of 'every month'"),
        ({"offsets": [-1]}, "offset -1"),
        ({"cost_multiples": [-1.0]}, "cost_multiple -1.0"),
        ({"delays": [0]}, "delay 0"),
        ({"paths": [-1]}, "path -1"),
    ],
)
def test_runs_that_cannot_be_are_refused(arguments, says):
    with pytest.raises(ParameterError, match=says):
        Runs.product([Calendar(21)], **arguments)


def test_policies_of_one_name_are_refused():
    with pytest.raises(ParameterError, match="two policies are called"):
        Runs.product([Calendar(21), Calendar("month")])


def test_a_window_outside_the_signals_is_refused():
    data = universe()
    made = signals(data)
    for first, last in ((251, 300), (300, 300), (300, 420)):
        with pytest.raises(ParameterError, match="runs from session 252"):
            simulate(data, made, Runs.product([BuyAndHold()]), first=first, last=last)
    with pytest.raises(ParameterError, match="paths 0 to 0"):
        simulate(data, made, Runs.product([BuyAndHold()], paths=[1]))
    with pytest.raises(ParameterError, match="another universe"):
        simulate(universe(sessions=500), made, Runs.product([BuyAndHold()]))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [({"commission": -1e-4}, "commission"), ({"impact": -1.0}, "impact"), ({"ticket": -1.0}, "ticket"),
     ({"wealth": 0.0}, "wealth"), ({"commission": float("nan")}, "commission")],
)  # fmt: skip
def test_costs_that_cannot_be_are_refused(wrong, says):
    with pytest.raises(ParameterError, match=says):
        Costs(**wrong)


def test_a_window_starts_from_the_target_and_keeps_the_schedule():
    """Looks are counted from the first session of the universe: a later window makes the same ones."""
    data = universe(sessions=700)
    made = signals(data)
    runs = Runs.product([Calendar(63)])
    whole = simulate(data, made, runs, keep_paths=True)
    part = simulate(data, made, runs, keep_paths=True, first=400, last=650)
    traded = np.flatnonzero(np.abs(whole.trades[0]).sum(axis=1)) + 253
    again = np.flatnonzero(np.abs(part.trades[0]).sum(axis=1)) + 401
    assert list(again) == [t for t in traded if 401 < t <= 650]
    assert part.start == data.sessions[400]
    assert part.days[-1] == data.sessions[650]


def test_too_short_a_history_is_refused():
    with pytest.raises(MarketDataError, match="signals need 252"):
        signals(universe(sessions=253))


def test_off_the_simplex_is_a_policy_error():
    class Leveraged:
        name, every = "twice everything", 21

        def decide(self, seen):
            return 2.0 * seen.target

    data = universe()
    with pytest.raises(PolicyError, match="'twice everything' asks on 2016-"):
        simulate(data, signals(data), Runs.product([Leveraged()]))

"""The plain engine: equal to the kernel for every compiled policy, and strict with everybody else's."""

import numpy as np
import pandas as pd
import pytest

from workbench.backtest import Band, BuyAndHold, Calendar, Costs, Runs, Universe, rules, signals, simulate, walk
from workbench.errors import PolicyError

KEPT = ("returns", "weights", "trades", "costs")


def universe(*, cash=0.0, bankrupt=False, seed=2):
    rng = np.random.default_rng(seed)
    returns = rng.normal(3e-4, 0.01, (2, 420, 4)) + rng.normal(0, 0.007, (2, 420, 1))
    returns[:, 0] = 0.0
    price = 20.0 * np.cumprod(1.0 + returns, axis=1)
    if bankrupt:
        price[:, 340:, 1] = 0.0
    dividend = np.where(price > 0.0, 0.0, 0.0)
    dividend[:, 63::63] = 0.1 * (price[:, 63::63] > 0.0)
    return Universe(
        name="made up",
        sessions=pd.bdate_range("2015-01-01", periods=420),
        assets=("A", "B", "C", "D"),
        price=price,
        dividend=dividend,
        cash_return=np.full((2, 420), 1e-4),
        target=np.array([0.4, 0.3, 0.2, 0.1]) * (1.0 - cash),
        half_spread=np.array([1e-3, 2e-3, 0.0, 5e-4]),
        daily_value=np.array([1e7, 2e7, np.inf, 5e6]),
    )


@pytest.mark.parametrize("cash", [0.0, 0.1])
@pytest.mark.parametrize("bankrupt", [False, True])
@pytest.mark.parametrize(("costs", "delay"), [(Costs(), 1), (Costs(5e-4, 0.8, 7.0), 3)])
def test_the_kernel_and_plain_python_agree(cash, bankrupt, costs, delay):
    """They share no code but the policies: the kernel settles costs by Newton's steps, this one by iteration."""
    data = universe(cash=cash, bankrupt=bankrupt)
    made = signals(data)
    policies = [*rules(), Calendar(1), Calendar(2)]
    runs = Runs.product(policies, cost_multiples=[2.0], delays=[delay], paths=[1])
    batch = simulate(data, made, runs, costs=costs, keep_returns=True, keep_paths=True)
    for row, policy in enumerate(policies):
        plain = walk(data, made, policy, cost_multiple=2.0, delay=delay, path=1, costs=costs)
        for name in KEPT:
            np.testing.assert_allclose(
                getattr(batch, name)[row], getattr(plain, name)[0], rtol=0, atol=1e-12, err_msg=policy.name
            )
        figures = [frame.statistics.drop(columns="policy") for frame in (batch, plain)]
        np.testing.assert_allclose(
            figures[0].iloc[row].to_numpy(float), figures[1].iloc[0].to_numpy(float), rtol=1e-11, atol=1e-13
        )


def test_an_end_is_the_same_in_both():
    data = universe()
    price = data.price.copy()
    price[:, 350:] = 0.0
    gone = Universe(**{**{name: getattr(data, name) for name in data.__dataclass_fields__}, "price": price,
                       "dividend": np.zeros_like(price)})  # fmt: skip
    made = signals(gone)
    for policy in (BuyAndHold(), Calendar(21)):
        batch, plain = simulate(gone, made, Runs.product([policy])), walk(gone, made, policy)
        assert batch.events.values.tolist() == plain.events.values.tolist()
        assert len(batch.events) == 5


class Own:
    """A policy as a user writes it."""

    every = 21

    def __init__(self, answer, name="my own"):
        self.answer, self.name = answer, name

    def decide(self, seen):
        return self.answer(seen)


def test_a_policy_of_ones_own_runs_beside_compiled_ones():
    data = universe()
    made = signals(data)
    runs = Runs.product([Own(lambda seen: seen.target), Calendar(21), Band(0.02)], cost_multiples=[1.0, 2.0])
    result = simulate(data, made, runs, keep_returns=True)
    np.testing.assert_allclose(result.returns[:2], result.returns[2:4], atol=1e-13)


def test_a_policy_sees_the_past_only_and_all_of_it_in_positions():
    seen = []
    data = universe(cash=0.1)
    made = signals(data)
    walk(data, made, Own(seen.append), delay=1)
    assert [s.session % 21 for s in seen] == [0] * len(seen)
    one = seen[3]
    assert one.day == data.sessions[one.session]
    assert one.weight.sum() == pytest.approx(1.0)
    assert one.target[-1] == pytest.approx(0.1)
    assert one.cost.tolist() == [1e-3, 2e-3, 0.0, 5e-4, 0.0]
    assert (one.covariance[-1] == 0.0).all()
    np.testing.assert_array_equal(one.market, made.market[0, one.session])
    np.testing.assert_array_equal(one.asset[:, :4], made.asset[0, one.session])


def raising(seen):
    raise ZeroDivisionError("no plan")


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda seen: seen.target * 1.001, r"off the simplex \(sum 1.001"),
        (lambda seen: seen.target + np.array([0.2, -0.4, 0.1, 0.1]), "off the simplex"),
        (lambda seen: seen.target * np.nan, "off the simplex"),
        (lambda seen: seen.target[:3], "a weight for each of 4 positions"),
        (lambda seen: "sell", "answers on .* with str"),
        (raising, "raised ZeroDivisionError on 2016-.*: no plan"),
    ],
)
def test_what_is_no_portfolio_is_an_error_that_names_policy_and_day(answer, says):
    data = universe()
    with pytest.raises(PolicyError, match=says) as caught:
        walk(data, signals(data), Own(answer, "careless"))
    assert "'careless'" in str(caught.value)
    assert "2016-" in str(caught.value)


def test_rounding_off_the_simplex_is_no_offence():
    data = universe()
    result = walk(data, signals(data), Own(lambda seen: seen.target * (1.0 + 5e-10)))
    assert result.statistics["trades"][0] > 0

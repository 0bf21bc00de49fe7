"""The quadratic rule as a policy."""

import numpy as np
import pytest

from workbench.backtest import CompiledPolicy, Observation, Policy, Quadratic
from workbench.errors import ParameterError


def seen(weight, cost=0.002, risk_aversion=5.0):
    covariance = np.diag([0.03, 0.004, 0.0])
    return Observation(
        0,
        np.array(weight),
        np.array([0.5, 0.4, 0.1]),
        covariance,
        np.array([cost, cost, 0.0]),
        np.zeros(4),
        np.zeros((3, 3)),
        risk_aversion,
    )


def test_it_is_a_policy():
    rule = Quadratic(0.8)
    assert isinstance(rule, Policy)
    assert isinstance(rule, CompiledPolicy)
    assert rule.every == 21
    assert rule.name == "quadratic, 0.8 y"
    assert Quadratic(0.8, band=1e-4, every=63).name != rule.name


def test_small_drift_is_left_alone_and_large_drift_traded_to_an_edge():
    assert Quadratic(0.8).decide(seen([0.51, 0.39, 0.10])) is None
    wanted = Quadratic(0.8).decide(seen([0.65, 0.30, 0.05]))
    assert wanted is not None
    assert 0.5 < wanted[0] < 0.65
    assert wanted.sum() == pytest.approx(1.0, abs=1e-14)
    assert Quadratic(0.8).decide(seen(wanted)) is None


def test_horizon_risk_and_risk_aversion_multiply():
    weight = [0.65, 0.30, 0.05]
    first = Quadratic(0.8).decide(seen(weight))
    assert Quadratic(0.4, risk=2.0).decide(seen(weight)) == pytest.approx(first, abs=1e-13)
    assert Quadratic(0.4).decide(seen(weight, risk_aversion=10.0)) == pytest.approx(first, abs=1e-13)


def test_a_longer_horizon_comes_nearer_the_target():
    off = [abs(Quadratic(h).decide(seen([0.65, 0.30, 0.05]))[0] - 0.5) for h in (0.5, 1.0, 2.0, 8.0)]
    assert off == sorted(off, reverse=True)


def test_band_is_the_least_gain_worth_a_trade():
    # Gain of the trade in the rule's own objective, by hand: objective before less objective after.
    day = seen([0.65, 0.30, 0.05])
    wanted = Quadratic(0.8).decide(day)

    def value(weight):
        off = weight - day.target
        return day.cost @ np.abs(weight - day.weight) + 0.8 * 0.5 * 5.0 * off @ day.covariance @ off

    gain = value(day.weight) - value(wanted)
    assert gain > 0.0
    assert Quadratic(0.8, band=0.99 * gain).decide(day) == pytest.approx(wanted, abs=0)
    assert Quadratic(0.8, band=1.01 * gain).decide(day) is None


@pytest.mark.parametrize(
    ("numbers", "parameter"),
    [
        ({"horizon": -1.0}, "horizon"),
        ({"horizon": float("nan")}, "horizon"),
        ({"horizon": 1.0, "risk": float("inf")}, "risk"),
        ({"horizon": 1.0, "band": -1e-9}, "band"),
        ({"horizon": 1.0, "every": 0}, "every"),
        ({"horizon": 1.0, "every": 21.5}, "every"),
    ],
)
def test_wrong_numbers_are_refused(numbers, parameter):
    with pytest.raises(ParameterError, match=parameter) as caught:
        Quadratic(**numbers)
    assert caught.value.parameter == parameter

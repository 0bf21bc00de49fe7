"""Static rules: what they trade, how they are named, what they refuse."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.backtest import EVERY, Band, BuyAndHold, Calendar, Observation, rules
from workbench.errors import ParameterError


def seen(weight, target):
    m = len(weight)
    return Observation(0, np.array(weight), np.array(target), np.eye(m), np.zeros(m), np.zeros(4), np.zeros((3, m)))


portfolios = (
    st.integers(2, 8)
    .flatmap(lambda m: st.tuples(*[st.lists(st.floats(0.01, 1.0), min_size=m, max_size=m)] * 2))
    .map(lambda pair: [np.array(side) / sum(side) for side in pair])
)


@settings(deadline=None)
@given(portfolios, st.floats(0.001, 0.2), st.floats(0.0, 1.0), st.booleans())
def test_a_band_trades_when_it_must_and_as_little_as_it_can(pair, trigger, part, relative):
    weight, target = pair
    wanted = Band(trigger, part * trigger, relative).decide(seen(weight, target))
    scale = target if relative else 1.0
    if not (np.abs(weight - target) > trigger * scale + 1e-9).any():
        assert wanted is None
        return
    edge = part * trigger * scale
    assert wanted.sum() == pytest.approx(1.0, abs=1e-12)
    assert (np.abs(wanted - target) <= edge + 1e-12).all()
    # Nothing crosses its target and nothing moves away from it.
    assert ((wanted - target) * (weight - target) >= -1e-15).all()
    assert (np.abs(wanted - target) <= np.abs(weight - target) + 1e-12).all()
    # The least turnover that brings every position inside: the larger of what must be sold and what must be bought.
    over = np.maximum(weight - target - edge, 0.0).sum()
    under = np.maximum(target - edge - weight, 0.0).sum()
    assert 0.5 * np.abs(wanted - weight).sum() == pytest.approx(max(over, under), abs=1e-12)


def test_worked_bands():
    weight, target = [0.36, 0.44, 0.20], [0.40, 0.40, 0.20]
    assert Band(0.05).decide(seen(weight, target)) is None
    np.testing.assert_allclose(Band(0.03).decide(seen(weight, target)), target)
    np.testing.assert_allclose(Band(0.03, 0.03).decide(seen(weight, target)), [0.37, 0.43, 0.20])
    np.testing.assert_allclose(Band(0.03, 0.015).decide(seen(weight, target)), [0.385, 0.415, 0.20])
    # 0.33 is 7 points short; what it needs is sold from the two that are over, the furthest first.
    np.testing.assert_allclose(Band(0.05, 0.02).decide(seen([0.33, 0.44, 0.23], target)), [0.38, 0.41, 0.21])
    assert Band(0.25, 0.0, relative=True).decide(seen([0.45, 0.34, 0.21], target)) is None
    assert Band(0.25, 0.0, relative=True).decide(seen([0.42, 0.32, 0.26], target)) is not None


def test_on_the_edge_is_inside():
    target = np.array([0.6, 0.4])
    wanted = Band(0.05, 0.05).decide(seen([0.7, 0.3], target))
    assert Band(0.05, 0.05).decide(seen(wanted, target)) is None


def test_holding_and_calendar():
    assert BuyAndHold().decide(seen([0.9, 0.1], [0.5, 0.5])) is None
    assert Calendar(1).decide(seen([0.9, 0.1], [0.5, 0.5])).tolist() == [0.5, 0.5]
    assert Calendar("quarter").every == EVERY["quarter"]


def test_thirty_one_rules_each_with_its_name():
    named = [policy.name for policy in rules()]
    assert len(named) == len(set(named)) == 31
    assert {"buy and hold", "every month", "200/175 band", "5 % band to edge", "25 % relative band half way"} <= set(
        named
    )
    assert Band(0.05, 0.01, every=21).name == "5 % band to 1 %, looked at every month"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Calendar(0), "at least 1"),
        (lambda: Calendar("fortnight"), "'fortnight' is unknown"),
        (lambda: Calendar(1.5), "whole number"),
        (lambda: Band(0.0), "trigger"),
        (lambda: Band(-0.01), "trigger"),
        (lambda: Band(float("nan")), "trigger"),
        (lambda: Band(0.02, 0.03), "destination"),
        (lambda: Band(0.02, -0.01), "destination"),
        (lambda: Band(0.02, every=0), "at least 1"),
    ],
)
def test_rules_that_cannot_be_are_refused(make, says):
    with pytest.raises(ParameterError, match=says):
        make()

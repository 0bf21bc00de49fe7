"""Rolling validation proposes; it promotes only what is proven, retires what is proven worse, and changes nothing."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from workbench.errors import ParameterError
from workbench.learning.rolling import RollingRules, review


def windows(*gains, start="2024-01-01"):
    first = pd.date_range(start, periods=len(gains), freq="QS")
    return pd.DataFrame(
        {
            "first": first,
            "last": first + pd.Timedelta(80, "D"),
            "policy_bp": 5.0 - np.array(gains, float),
            "rule_bp": 5.0,
        }
    )


def decide(*gains, state="shadow", intervened=0.0, **rules):
    return review(
        windows(*gains),
        policy="lq",
        content_hash="ab" * 32,
        state=state,
        intervened=intervened,
        rules=RollingRules(**rules),
    )


def test_a_proven_gain_in_shadow_is_proposed_for_approval():
    made = decide(0.5, 0.6, 0.4, 0.5)
    assert made.decision == "promote"
    assert made.sentence.endswith("Nothing was changed; a person decides.")
    assert made.to_frame()["passed"].all()


@pytest.mark.parametrize(
    ("gains", "settings", "decision"),
    [
        ((0.5, 0.6, 0.4), {}, "keep"),  # too few windows
        ((0.5, -0.6, 0.4, 0.1), {}, "keep"),  # not proven
        ((0.5, 0.6, 0.4, 0.5), {"state": "live"}, "keep"),
        ((0.5, 0.6, 0.4, 0.5), {"intervened": 0.1}, "keep"),
        ((0.5, 0.6, 0.4, 0.5), {"intervened": 0.3}, "retire"),
        ((-0.5, -0.6, -0.4, -0.5), {}, "retire"),
        ((-0.5, -0.6, -0.4, -0.5), {"state": "live"}, "retire"),
        ((-0.5, -0.6, -0.4), {}, "keep"),
        ((), {}, "keep"),
    ],
)
def test_everything_else(gains, settings, decision):
    assert decide(*gains, **settings).decision == decision


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-3, 3), min_size=4, max_size=12).filter(lambda gains: np.std(gains) > 1e-6))
def test_the_interval_is_students(gains):
    made = decide(*gains)
    low, high = stats.t.interval(0.95, len(gains) - 1, np.mean(gains), stats.sem(gains))
    assert (made.low_bp, made.high_bp) == (pytest.approx(low, abs=1e-9), pytest.approx(high, abs=1e-9))
    if made.decision == "promote":
        assert low > 0
        assert np.mean(np.array(gains) > 0) >= 0.6
    if made.decision == "retire":
        assert high < 0


def test_noise_is_seldom_promoted():
    generator = np.random.default_rng(1)
    promoted = sum(decide(*generator.normal(size=8)).decision == "promote" for _ in range(400))
    assert promoted <= 20  # 2.5 % expected: 10


def test_the_same_windows_in_any_order_are_the_same_evidence():
    frame = windows(0.5, 0.6, 0.4, 0.5)
    made = [
        review(each, policy="lq", content_hash="h", state="shadow", intervened=0.0)
        for each in (frame, frame.iloc[::-1], frame.sample(frac=1))
    ]
    assert made[0] == made[1] == made[2]
    assert made[0].evidence != decide(0.5, 0.6, 0.4, 0.6).evidence


@pytest.mark.parametrize(
    "frame",
    [
        windows(0.5, 0.6).drop(columns="rule_bp"),
        windows(0.5, np.nan),
        windows(0.5, np.inf),
        windows(0.5, 0.6).assign(last=pd.Timestamp("2030-01-01")),
    ],
)
def test_windows_that_are_none_are_refused(frame):
    with pytest.raises(ParameterError):
        review(frame, policy="lq", content_hash="h", state="shadow", intervened=0.0)


def test_rules_and_states_that_are_none_are_refused():
    for wrong in ({"windows": 1}, {"wins": 2.0}, {"confidence": -1.0}):
        with pytest.raises(ParameterError):
            RollingRules(**wrong)
    for wrong in ({"state": "asleep"}, {"intervened": 2.0}):
        with pytest.raises(ParameterError):
            decide(0.1, 0.2, **wrong)

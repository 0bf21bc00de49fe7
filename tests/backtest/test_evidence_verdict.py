"""The verdict: every reason to say no says no, what was not measured is not passed."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from workbench.backtest.evidence import (
    CONTROLS,
    Case,
    Control,
    DeflatedSharpe,
    Evidence,
    Interval,
    Overfitting,
    Seeds,
    Stress,
    Surrogate,
    Thresholds,
    TimingLuck,
    verdict,
)
from workbench.errors import ParameterError

GAIN = Interval(0.5, 0.2, 0.8, 0.15, 0.01, 21, 999, "made up")
DEFLATED = DeflatedSharpe(0.4, 120, 0.0, 3.0, 40, 0.01, 0.2, 0.999, 0.97)
LUCK = TimingLuck("rule", 21, -2.0, -1.8, 0.05, -1.9)
WINDOWS = pd.DataFrame({"won": [True] * 9 + [False]})


def good_case(**changes):
    case = Case(
        candidate="network",
        worth=-1.4,
        opponent_worth=-1.9,
        gain=GAIN,
        second=GAIN,
        sharpe=GAIN,
        cost=GAIN,
        deflated=DEFLATED,
        windows=WINDOWS,
        wins=0.9,
        luck=LUCK,
        opponent_luck=LUCK,
        stresses=(Stress(1.0, 1, 0.5), Stress(2.0, 1, 0.7), Stress(1.0, 2, 0.4)),
        regimes=(),
        seeds=Seeds((0.4, 0.5, 0.6, 0.4, 0.5) * 2, 1.0, 0.48, 0.4, 0.5),
        surrogate=Surrogate("band", -1.7, 0.17),
        portfolios=800,
    )
    return replace(case, **changes)


def evidence(case=None, **changes):
    made = Evidence(
        universe="ETF",
        source="",
        survivorship="",
        measure="total_bp",
        first=pd.Timestamp("2016-01-04"),
        last=pd.Timestamp("2025-12-31"),
        risk_aversion=5.0,
        runs=pd.DataFrame(),
        rules=pd.DataFrame(),
        windows=pd.DataFrame(),
        daily=pd.DataFrame(),
        superiority=None,
        overfitting=Overfitting(0.1, np.zeros(1), 16, 32),
        cases=(case or good_case(),),
        controls=tuple(Control(name, 0.0, 0.0, True, "") for name in CONTROLS),
        trials=40,
        ledger="",
    )
    return replace(made, **changes)


def test_what_passes_everything_is_deployed():
    found = verdict(evidence())
    assert found.decision == "deploy"
    assert found.failed == ()
    assert len(found.criteria) == 11
    assert found.to_frame()["passed"].all()


KILLS = {
    "beats the best rule": {"gain": replace(GAIN, low=0.0)},
    "timing luck": {"opponent_luck": replace(LUCK, best=-1.5)},
    "seeds": {"seeds": Seeds((1.0, -1.0, 1.0, 1.0), 0.75, 0.5, 0.0, 1.0)},
    "twice the cost": {"stresses": (Stress(2.0, 1, 0.0), Stress(1.0, 2, 0.4))},
    "a day later": {"stresses": (Stress(2.0, 1, 0.4), Stress(1.0, 2, -0.1))},
    "surrogate": {"surrogate": Surrogate("band", -1.41, 0.01)},
}


@pytest.mark.parametrize("name", KILLS)
def test_each_reason_to_say_no_says_no(name):
    found = verdict(evidence(good_case(**KILLS[name])))
    assert [criterion.name for criterion in found.failed] == [name]
    assert found.decision == "do not deploy"
    assert name in found.sentence


def test_overfitting_and_a_failed_or_missing_control_say_no():
    assert verdict(evidence(overfitting=Overfitting(0.21, np.zeros(1), 16, 32))).decision == "do not deploy"
    failed = (*evidence().controls[:-1], Control("same bits", 1.0, 0.0, False, "differs"))
    assert "failed: same bits" in verdict(evidence(controls=failed)).failed[0].sentence
    missing = verdict(evidence(controls=evidence().controls[1:]))
    assert "not measured: leak" in missing.failed[0].sentence
    assert missing.decision == "do not deploy"


SMALL = {
    "deflated Sharpe": {"deflated": replace(DEFLATED, deflated=0.8)},
    "windows": {"wins": 0.5},
    "portfolios": {"portfolios": 40},
}


@pytest.mark.parametrize("name", SMALL)
def test_too_small_a_sample_is_shadowed(name):
    found = verdict(evidence(good_case(**SMALL[name])))
    assert [criterion.name for criterion in found.failed] == [name]
    assert found.decision == "shadow"


def test_a_sample_that_points_the_other_way_is_not_shadowed():
    assert verdict(evidence(good_case(wins=0.4))).decision == "do not deploy"
    assert verdict(evidence(good_case(deflated=replace(DEFLATED, deflated=0.3)))).decision == "do not deploy"
    assert verdict(evidence(good_case(portfolios=40, **KILLS["surrogate"]))).decision == "do not deploy"


NOT_MEASURED = {
    "deflated Sharpe": {"deflated": None},
    "seeds": {"seeds": None},
    "twice the cost": {"stresses": (Stress(1.0, 2, 0.4),)},
    "a day later": {"stresses": (Stress(2.0, 1, 0.4),)},
    "surrogate": {"surrogate": None},
    "portfolios": {"portfolios": None},
}


@pytest.mark.parametrize("name", NOT_MEASURED)
def test_what_was_not_measured_is_not_passed(name):
    found = verdict(evidence(good_case(**NOT_MEASURED[name])))
    (failed,) = found.failed
    assert (failed.name, failed.value) == (name, None)
    assert failed.sentence.startswith("Not measured")
    assert found.decision == ("shadow" if name == "portfolios" else "do not deploy")


NOT_NUMBERS = {
    "beats the best rule": {"gain": replace(GAIN, low=float("nan"))},
    "timing luck": {"luck": replace(LUCK, best=float("nan"))},
    "windows": {"wins": float("nan")},
    "surrogate": {"surrogate": Surrogate("band", -1.41, float("nan"))},
    "twice the cost": {"stresses": (Stress(2.0, 1, float("nan")), Stress(1.0, 2, 0.4))},
}


@pytest.mark.parametrize("name", NOT_NUMBERS)
def test_no_number_is_not_measured(name):
    (failed,) = verdict(evidence(good_case(**NOT_NUMBERS[name]))).failed
    assert failed.name == name
    assert failed.value is None
    assert "nan" not in failed.sentence


def test_the_same_for_overfitting():
    (failed,) = verdict(evidence(overfitting=None)).failed
    assert (failed.name, failed.value) == ("overfitting", None)


def test_a_policy_without_chance_needs_no_seeds():
    alone = Seeds((0.5,), 1.0, 0.5, 0.5, 0.5, deterministic=True)
    assert verdict(evidence(good_case(seeds=alone))).decision == "deploy"


def test_fewer_than_ten_trainings_show_nothing():
    nine = good_case(seeds=Seeds((0.5,) * 9, 1.0, 0.5, 0.5, 0.5))
    (failed,) = verdict(evidence(nine)).failed
    assert failed.name == "seeds"
    assert "At least 10 seeds are asked" in failed.sentence
    assert verdict(evidence(nine), thresholds=Thresholds(trainings=9)).decision == "deploy"


def test_looser_thresholds_are_the_callers_to_answer_for():
    assert verdict(evidence(good_case(portfolios=40)), thresholds=Thresholds(portfolios=10)).decision == "deploy"


def test_a_candidate_is_named_where_there_are_several():
    two = evidence(cases=(good_case(), good_case(candidate="other", wins=0.1)))
    with pytest.raises(ParameterError, match="network, other"):
        verdict(two)
    assert verdict(two, "other").decision == "do not deploy"


def test_sentences_are_whole_and_plain():
    for measure in ("total_bp", "sharpe"):
        for criterion in verdict(evidence(measure=measure)).criteria:
            assert criterion.sentence.endswith(".")
            assert criterion.sentence[0].isupper()
            assert not {"bootstrap", "PBO", "DSR", "CSCV"} & set(criterion.sentence.replace(".", " ").split())

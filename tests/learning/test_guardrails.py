"""Guardrails: whatever goes wrong, a portfolio comes out, it is the rule's, and the event says why."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.backtest import Band, Calendar, Observation, Quadratic, Runs, gbm, signals, simulate
from workbench.errors import ParameterError, PolicyError
from workbench.learning import registry
from workbench.learning.card import Familiar, Range
from workbench.learning.event import events_frame
from workbench.learning.familiarity import familiar
from workbench.learning.guardrails import Guarded, Limits, switch_file

DAY = pd.Timestamp("2026-05-04")
RULE = Calendar(21)
WIDE = Limits(turnover=1.0)


class Says:
    """A policy that answers what it is told to."""

    name, every = "told", 21

    def __init__(self, answer):
        self.answer = answer

    def decide(self, seen):
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


def look(**changes):
    seen = Observation(
        session=7,
        weight=np.array([0.5, 0.3, 0.2]),
        target=np.array([0.4, 0.4, 0.2]),
        covariance=np.diag([0.03, 0.01, 0.0]),
        cost=np.array([0.001, 0.001, 0.0]),
        market=np.array([1.0]),
        asset=np.array([[1.0, 1.0, 0.0]]),
        day=DAY,
    )
    return replace(seen, **changes)


GOOD = np.array([0.45, 0.35, 0.2])


def test_a_sound_policy_acts_without_a_word():
    guarded = Guarded(Says(GOOD), RULE)
    np.testing.assert_array_equal(guarded.decide(look()), GOOD)
    assert Guarded(Says(None), RULE).decide(look()) is None
    assert not guarded.events
    assert guarded.judge(look()).acted == "policy"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (ZeroDivisionError("oops"), "failed"),
        (PolicyError("no"), "failed"),
        (np.array([0.5, 0.6, 0.2]), "off simplex"),
        (np.array([1.1, -0.1, 0.0]), "off simplex"),
        (np.array([np.nan, 0.5, 0.5]), "off simplex"),
        (np.array([0.5, 0.5]), "off simplex"),
        ("all in", "off simplex"),
        ([[0.4, 0.4, 0.2]], "off simplex"),
    ],
)
def test_a_policy_that_fails_is_replaced_by_the_rule(answer, kind):
    guarded = Guarded(Says(answer), RULE)
    np.testing.assert_array_equal(guarded.decide(look()), look().target)
    (event,) = guarded.events
    assert (event.kind, event.day) == (kind, "2026-05-04")
    assert "every month acts" in event.sentence


@pytest.mark.parametrize("field", ["market", "asset", "covariance", "cost"])
def test_a_missing_input_is_not_shown_to_the_policy(field):
    values = getattr(look(), field).copy()
    values.flat[0] = np.nan
    guarded = Guarded(Says(AssertionError("asked")), RULE)
    np.testing.assert_array_equal(guarded.decide(look(**{field: values})), look().target)
    assert [event.kind for event in guarded.events] == ["missing"]


@pytest.mark.parametrize("rule", [Calendar(21), Band(0.05), Quadratic(0.4)], ids=lambda rule: rule.name)
@pytest.mark.parametrize("mode", ["live", "shadow"])
def test_where_the_weights_held_are_not_known_nothing_is_traded(rule, mode):
    guarded = Guarded(Says(GOOD), rule, mode=mode)
    seen = look(weight=np.array([np.nan, 0.3, 0.2]))
    assert guarded.decide(seen) is None
    assert [event.kind for event in guarded.events] == ["missing"]
    assert (guarded.judge(seen).acted, guarded.judge(seen).asked) == ("nobody", False)


def test_where_the_rule_fails_too_nothing_is_traded_and_both_are_said():
    guarded = Guarded(Says(ValueError("a")), Says(ValueError("b")))
    assert guarded.decide(look()) is None
    assert [event.kind for event in guarded.events] == ["failed", "failed"]
    assert "nothing is traded" in guarded.events[1].sentence
    assert guarded.judge(look()).acted == "nobody"


@pytest.mark.parametrize(("today", "stale"), [("2026-05-08", False), ("2026-05-09", True), ("2026-05-03", True)])
def test_stale_prices_and_prices_of_tomorrow(today, stale):
    guarded = Guarded(Says(GOOD), RULE, clock=lambda: pd.Timestamp(today))
    np.testing.assert_array_equal(guarded.decide(look()), look().target if stale else GOOD)
    assert [event.kind for event in guarded.events] == ["stale"] * stale


def test_a_clock_with_a_time_zone_tells_the_day():
    guarded = Guarded(Says(GOOD), RULE, clock=lambda: pd.Timestamp("2026-05-05 23:30", tz="America/New_York"))
    np.testing.assert_array_equal(guarded.decide(look()), GOOD)


@pytest.mark.parametrize("clock", [lambda: 1 / 0, lambda: pd.NaT, lambda: None])
def test_a_clock_that_cannot_be_read_stops_the_policy(clock):
    guarded = Guarded(Says(GOOD), RULE, clock=clock)
    np.testing.assert_array_equal(guarded.decide(look()), look().target)
    assert [event.kind for event in guarded.events] == ["stale"]


def test_prices_without_a_day_are_stale():
    guarded = Guarded(Says(GOOD), RULE, clock=lambda: DAY)
    np.testing.assert_array_equal(guarded.decide(look(day=None)), look().target)
    assert guarded.events[0].day == "session 7"


def test_the_kill_switch(tmp_path):
    path = tmp_path / "stop"
    guarded = Guarded(Says(GOOD), RULE, killed=switch_file(path))
    np.testing.assert_array_equal(guarded.decide(look()), GOOD)
    path.touch()
    np.testing.assert_array_equal(guarded.decide(look()), look().target)
    assert [event.kind for event in guarded.events] == ["kill switch"]


def test_a_switch_that_cannot_be_read_is_on(tmp_path):
    (tmp_path / "file").touch()
    assert switch_file(tmp_path / "file" / "stop")()
    assert switch_file(tmp_path / "not mounted" / "stop")()

    def broken():
        raise OSError

    np.testing.assert_array_equal(Guarded(Says(GOOD), RULE, killed=broken).decide(look()), look().target)


def test_a_switch_is_not_lost_where_the_process_moves(tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    switch = switch_file(Path("stop"))
    (tmp_path / "stop").touch()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert switch()


def test_inputs_unlike_training():
    known = Familiar(
        (Range("market volatility_ratio", 0.5, 2.0), Range("asset trend", -1.0, 1.5)), (1.0,), ((4.0,),), 1.5
    )
    guarded = Guarded(Says(GOOD), RULE, familiar=known, market_names=("volatility_ratio",), asset_names=("trend",))
    np.testing.assert_array_equal(guarded.decide(look()), GOOD)
    np.testing.assert_array_equal(guarded.decide(look(market=np.array([2.5]))), look().target)
    range_, distance = guarded.events
    assert (range_.value, range_.limit) == (2.5, 2.0)
    assert (distance.value, distance.limit) == (pytest.approx(3.0), 1.5)  # sqrt(4) x 1.5
    loose = Guarded(
        Says(GOOD), RULE, Limits(distance=2.1, outside=1), familiar=known, market_names=("volatility_ratio",),
        asset_names=("trend",),
    )  # fmt: skip
    np.testing.assert_array_equal(loose.decide(look(market=np.array([2.5]))), GOOD)


def test_cash_has_no_signals_and_counts_for_none():
    known = Familiar((Range("asset trend", 0.5, 1.5),))
    guarded = Guarded(Says(GOOD), RULE, familiar=known, asset_names=("trend",))
    np.testing.assert_array_equal(guarded.decide(look()), GOOD)


def test_a_range_without_its_signal_is_a_mistake():
    with pytest.raises(ParameterError, match="market x"):
        Guarded(Says(GOOD), RULE, familiar=Familiar((Range("market x", 0.0, 1.0),)))


def test_training_days_are_familiar_to_the_stated_part():
    universe = gbm(np.full(3, 0.05), np.eye(3) * 0.02, np.full(3, 1 / 3), paths=2, sessions=1500, seed=4)
    given = signals(universe)
    known = familiar(given, 300, 1400, market=given.market_names, asset=given.asset_names, coverage=0.99)
    days = given.market[:, 300:1400].reshape(-1, len(given.market_names))
    for k, range_ in enumerate(known.ranges[: len(given.market_names)]):
        inside = (days[:, k] >= range_.low) & (days[:, k] <= range_.high)
        assert inside.mean() >= 0.988  # more where many days share the end of the range, as a drawdown of 0
    off = days - np.array(known.mean)
    distance = np.sqrt(np.einsum("ij,jk,ik->i", off, np.array(known.precision), off))
    assert (distance <= known.distance).mean() == pytest.approx(0.99, abs=0.002)
    np.testing.assert_allclose(np.array(known.precision) @ np.cov(days.T), np.eye(4), atol=1e-8)
    with pytest.raises(ParameterError, match="no signals"):
        familiar(given, 10, 20, market=(), asset=())


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.floats(0, 1), min_size=3, max_size=3).filter(lambda parts: sum(parts) > 0.01),
    st.lists(st.floats(0, 1), min_size=3, max_size=3).filter(lambda parts: sum(parts) > 0.01),
    st.floats(0.001, 1.0),
)
def test_turnover_is_capped_towards_what_is_held(held, wanted, cap):
    weight, wanted = (np.array(parts) / sum(parts) for parts in (held, wanted))
    guarded = Guarded(Says(wanted), RULE, Limits(turnover=cap))
    done = guarded.decide(look(weight=weight))
    turnover = 0.5 * np.abs(done - weight).sum()
    assert turnover <= cap + 1e-12
    assert done.sum() == pytest.approx(1.0)
    assert done.min() >= 0
    full = 0.5 * np.abs(wanted - weight).sum()
    np.testing.assert_allclose(done, weight + min(1.0, cap / full if full else 1.0) * (wanted - weight), atol=1e-15)
    assert [event.kind for event in guarded.events] == (["turnover"] if full > cap else [])


def test_the_rule_is_capped_as_well():
    guarded = Guarded(Says(ValueError("x")), RULE, Limits(turnover=0.05))
    np.testing.assert_allclose(guarded.decide(look()), [0.45, 0.35, 0.2])
    assert [event.kind for event in guarded.events] == ["failed", "turnover"]


def test_in_shadow_mode_the_rule_acts_and_the_policy_is_heard():
    heard = []
    guarded = Guarded(Says(GOOD), Band(0.5), mode="shadow", listen=lambda seen, judged: heard.append(judged))
    assert guarded.decide(look()) is None
    (judged,) = heard
    assert judged.acted == "rule"
    np.testing.assert_array_equal(judged.proposed, GOOD)
    assert judged.asked


def test_a_draft_runs_in_shadow_only(folder):
    draft = registry.load(folder)
    with pytest.raises(PolicyError, match="shadow mode only"):
        Guarded.registered(draft)
    guarded = Guarded.registered(draft, mode="shadow")
    assert guarded.every == draft.fallback.every
    assert guarded.familiar == draft.card.familiar


def test_an_expired_policy_brings_its_event_along(folder):
    expired = registry.load(folder, today=date(2030, 1, 1))
    guarded = Guarded.registered(expired)
    assert [event.kind for event in guarded.events] == ["expired"]
    assert list(events_frame(guarded.events).columns) == ["day", "kind", "sentence", "value", "limit"]


def test_a_policy_that_expires_in_use_is_replaced_by_the_rule(folder):
    """Loaded once and asked every day: nobody loads it again on the day it expires."""
    draft = replace(registry.load(folder, today=date(2027, 1, 4)), approved=True)
    today = [pd.Timestamp("2027-01-04")]
    guarded = Guarded.registered(draft, WIDE, clock=lambda: today[0])
    guarded.familiar = None
    assert guarded.judge(look(day=today[0])).acted == "policy"
    today[0] = pd.Timestamp("2027-01-05")
    judged = guarded.judge(look(day=today[0]))
    assert (judged.acted, [event.kind for event in judged.events]) == ("rule", ["expired"])
    np.testing.assert_array_equal(judged.weights, draft.fallback.decide(look()))


def test_guarded_and_never_hindered_is_the_policy_itself():
    universe = gbm(np.full(3, 0.05), np.diag([0.03, 0.01, 0.02]), np.full(3, 1 / 3), paths=1, sessions=900, seed=9)
    given = signals(universe)
    policy = Quadratic(0.4)
    plain = simulate(universe, given, Runs.product([policy]), keep_returns=True)
    guarded = Guarded(policy, RULE, WIDE)
    watched = simulate(universe, given, Runs.product([guarded]), keep_returns=True)
    np.testing.assert_allclose(watched.returns, plain.returns, rtol=0, atol=1e-14)
    assert not guarded.events


def test_killed_all_along_is_the_rule_itself():
    universe = gbm(np.full(3, 0.05), np.diag([0.03, 0.01, 0.02]), np.full(3, 1 / 3), paths=1, sessions=700, seed=9)
    given = signals(universe)
    guarded = Guarded(Quadratic(0.4), RULE, WIDE, killed=lambda: True)
    watched = simulate(universe, given, Runs.product([guarded]), keep_returns=True)
    rule = simulate(universe, given, Runs.product([RULE]), keep_returns=True)
    np.testing.assert_allclose(watched.returns, rule.returns, rtol=0, atol=1e-14)
    assert {event.kind for event in guarded.events} == {"kill switch"}


@pytest.mark.parametrize("changes", [{"turnover": 0}, {"distance": np.nan}, {"stale_days": -1}, {"simplex": np.inf}])
def test_limits_that_are_none_are_refused(changes):
    with pytest.raises(ParameterError) as caught:
        Limits(**changes)
    assert caught.value.parameter == next(iter(changes))

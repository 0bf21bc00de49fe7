"""Random walks: of the decision itself, a hundred thousand steps; of the store, some thousand, with crashes."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule
from sqlalchemy import false

from benchmarks.governance_walk import MAKE, WHO, BrokenLawError, Walk, walk
from workbench.errors import DecisionError
from workbench.governance import Who, control_proposals, controls, inputs, life_cycle, standing
from workbench.governance.controls import Controls
from workbench.governance.life_cycle import Act, Approval, Standing, decide, valid_approvals
from workbench.governance.states import TRANSITIONS, Action, Mode, State

PEOPLE = ("ann", "paula", "peter", "pia", "tom", "cleo")


def test_a_hundred_thousand_steps_of_the_decision_alone_break_no_law():
    dice = random.Random(4)
    controls = Controls()
    released = Counter()
    for _ in range(100):
        now = datetime(2022, 12, 28, 12, tzinfo=UTC)
        one = _fresh(dice, now)
        for _ in range(1_000):
            now += timedelta(minutes=dice.choice((0, 1, 1, 10, 60 * 9)))
            action = dice.choice(_LIKELY[one.state]) if dice.random() < 0.8 else dice.choice(list(TRANSITIONS))
            persons = frozenset(dice.sample(PEOPLE, dice.choice((1, 1, 2))))
            checked_on = one.inputs_now if action is Action.CHECK else None
            act = Act(action, persons, one.version, one.sheet_hash, checked_on, dice.random() < 0.5)
            try:
                state = decide(one, act, controls, now)
            except DecisionError:
                one = _elsewhere(dice, one, now)
                continue
            if action is Action.RELEASE:
                released[len(valid_approvals(one, now))] += 1
                _lawful(one, act, now)
            assert state in TRANSITIONS[action][one.state]
            one = _after(one, act, state, now)
    assert released[1] > 100
    assert released[2] > 20


#: What comes next, so that a walk gets somewhere.
_LIKELY = {
    State.DRAFT: (Action.CHECK,),
    State.CHECKED: (Action.SUBMIT, Action.SUBMIT, Action.OVERRIDE),
    State.SUBMITTED: (Action.APPROVE,),
    State.APPROVED: (Action.RELEASE, Action.RELEASE, Action.RELEASE, Action.WITHDRAW),
    State.RETURNED: (Action.CHECK,),
    **dict.fromkeys((State.RELEASED, State.EXPORTED, State.ACKNOWLEDGED, State.PARTLY_FILLED), (Action.RELEASE,)),
    **dict.fromkeys((State.REJECTED, State.FILLED, State.EXPIRED, State.SUPERSEDED), (Action.RELEASE, Action.SUBMIT)),
}


def _fresh(dice, now):
    return Standing(
        state=State.DRAFT,
        version=1,
        sheet_hash="sheet-1",
        mode=dice.choice((Mode.RELEASE, Mode.RELEASE, Mode.DRAFT)),
        traded=dice.choice((1, Controls().second_approver_above)),
        expires_at=now + timedelta(days=5),
        inputs_hash="inputs",
        inputs_now="inputs",
    )


def _elsewhere(dice, one, now):
    """Something that nobody in front of the signal did: new data, another signal, the next proposal."""
    draw = dice.random()
    if draw < 0.02:
        return replace(one, inputs_now=dice.choice(("inputs", "others")))
    if draw < 0.04:
        return replace(one, in_flight=not one.in_flight)
    if one.state in (State.REJECTED, State.FILLED, State.EXPIRED, State.SUPERSEDED) or draw > 0.97:
        return _fresh(dice, now)
    return one


def _after(one, act, state, now):
    """The signal after an act, written anew from the law rather than from the program."""
    change = {"state": state, "version": one.version + 1}
    if act.action in (Action.CHECK, Action.OVERRIDE, Action.REVISE, Action.CONSENT, Action.VOID):
        change["sheet_hash"] = f"sheet-{one.version + 1}"
    if act.action is Action.CHECK:
        change |= {"inputs_hash": act.inputs_hash, "overriders": frozenset()}
    if act.action is Action.OVERRIDE:
        change["overriders"] = one.overriders | act.persons
    if act.action in (Action.SUBMIT, Action.REVISE, Action.CONSENT):
        change["makers"] = one.makers | act.persons
    if act.action is Action.APPROVE:
        given = Approval(act.persons, one.sheet_hash, now + timedelta(hours=24))
        change["approvals"] = (*one.approvals, given)
    return replace(one, **change)


def _lawful(one, act, now):
    held = [given for given in one.approvals if given.sheet_hash == one.sheet_hash and given.expires_at > now]
    everybody = [person for given in held for person in given.persons]
    assert len(held) >= (2 if one.traded >= Controls().second_approver_above or one.overriders else 1)
    assert len(everybody) == len(set(everybody))
    assert one.makers
    assert not one.makers & (act.persons | set(everybody))
    assert one.inputs_hash == one.inputs_now
    assert one.mode is Mode.RELEASE
    assert one.state is State.APPROVED
    assert not one.in_flight


def test_thousands_of_steps_of_the_store_break_no_law():
    found = walk(3_000, seed=7)
    assert found["laws_broken"] == 0
    assert found["release"] > 20
    assert found["crashed"] > 20


def test_a_walk_on_any_database_breaks_no_law(store_url):
    assert walk(300, seed=11, url=store_url)["laws_broken"] == 0


def without_a_second_approver(monkeypatch):
    monkeypatch.setattr(life_cycle, "approvers_needed", lambda *_: 1)


def without_a_look_at_the_inputs(monkeypatch):
    monkeypatch.setattr(life_cycle, "ON_INPUTS", frozenset())
    monkeypatch.setattr(inputs, "_OUTDATED", inputs._OUTDATED.where(false()))


def without_a_look_at_the_rollout(monkeypatch):
    monkeypatch.setattr(standing, "modes_of", lambda *_: [])


def without_a_second_person_for_looser_controls(monkeypatch):
    monkeypatch.setattr(controls, "loosened", lambda *_: ())


def without_a_look_at_who_proposed(monkeypatch):
    monkeypatch.setattr(control_proposals.ControlProposal, "persons", frozenset())


@pytest.mark.parametrize(
    ("break_it", "law"),
    [
        (without_a_second_approver, "with too few approvals"),
        (without_a_look_at_the_inputs, "on changed inputs"),
        (without_a_look_at_the_rollout, "in another mode"),
        (without_a_second_person_for_looser_controls, "alone loosened a limit"),
        (without_a_look_at_who_proposed, "confirmed a limit of"),
    ],
)
def test_the_model_sees_a_law_that_is_broken(monkeypatch, break_it, law):
    break_it(monkeypatch)
    with pytest.raises(BrokenLawError, match=law):
        walk(10_000, seed=3)


def test_an_episode_can_be_repeated():
    first, second = Walk("sqlite://", 5), Walk("sqlite://", 5)
    for _ in range(200):
        first.step()
        second.step()
    assert first.counts == second.counts


class SignalMachine(RuleBasedStateMachine):
    """One signal at a time, by whichever order of acts hypothesis thinks of; the model judges every release."""

    def __init__(self):
        super().__init__()
        self.walk = Walk("sqlite://", 1, crash_share=0.1)

    @rule()
    def propose(self):
        self.walk.do(Who("nightly"), self.walk.proposal())

    @precondition(lambda self: self.walk.world.signals)
    @rule(who=st.sampled_from(WHO), kind=st.sampled_from(sorted(MAKE)), which=st.integers(-3, -1))
    def act(self, who, kind, which):
        known = list(self.walk.world.signals.values())
        self.walk.do(who, MAKE[kind](self.walk, known[max(which, -len(known))]))

    @precondition(lambda self: self.walk.world.signals)
    @rule(steps=st.integers(1, 30))
    def go_on(self, steps):
        for _ in range(steps):
            self.walk.step()

    @rule(hours=st.sampled_from((1, 8, 24, 130)))
    def wait(self, hours):
        self.walk.now += timedelta(hours=hours)

    def teardown(self):
        self.walk.finish()


TestSignalMachine = SignalMachine.TestCase
TestSignalMachine.settings = settings(max_examples=10, stateful_step_count=20, deadline=None)

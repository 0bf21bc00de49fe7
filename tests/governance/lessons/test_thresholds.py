"""Limits proposed to move: where people overrode beyond chance, within the bound, and never a legal one."""

from __future__ import annotations

import numpy as np
import pytest
import yaml

from tests.governance.lessons.histories import RULEBOOK, block, history, signal
from workbench.errors import ParameterError
from workbench.governance.lessons.rulebook_text import Movable, read_movable
from workbench.governance.lessons.thresholds import propose_limits

WEIGHT = (Movable("weight", "limit", 0.2),)


def overridden(many, of, value=0.12, people=("P1", "P2"), **changed):
    """A history of `of` blocks, `many` of them overridden."""
    blocks = [
        block(n, value, overridden=n < many, person=people[n % len(people)], **changed) for n in range(of)
    ]  # fmt: skip
    return history(signals=[signal(n) for n in range(of)], findings=blocks)


def test_a_limit_that_everybody_overrides_is_proposed_as_a_diff_that_keeps_the_comments():
    review = propose_limits(overridden(28, 30), RULEBOOK, WEIGHT)
    (proposal,) = review.proposals
    assert (proposal.old, proposal.new, proposal.spared, proposal.let_stand, proposal.upheld) == (0.1, 0.12, 30, 28, 2)
    changed = yaml.safe_load(review.text)["rules"][0]
    assert changed["parameters"]["limit"] == 0.12
    assert changed["version"] == 3
    assert "# raised in spring" in review.text
    assert "-    version: 2   # raised in spring\n+    version: 3   # raised in spring" in review.diff
    assert yaml.safe_load(review.text)["rules"][1] == yaml.safe_load(RULEBOOK)["rules"][1]


@pytest.mark.parametrize(
    ("decisions", "why"),
    [
        (overridden(19, 19), "Too few"),
        (overridden(15, 30), "chance"),
        (overridden(30, 30, people=("P1",)), "one person"),
        (overridden(30, 30, value=0.35), "bound"),
    ],
)
def test_nothing_is_proposed_and_it_says_why(decisions, why):
    review = propose_limits(decisions, RULEBOOK, WEIGHT)
    assert review.proposals == ()
    assert review.diff == ""
    assert review.text == RULEBOOK
    assert why in review.tested[0].why


def test_the_limit_never_goes_beyond_its_bound():
    blocks = [block(n, 0.11 + n * 0.004, person=f"P{n % 3}") for n in range(60)]
    review = propose_limits(history(signals=[signal(n) for n in range(60)], findings=blocks), RULEBOOK, WEIGHT)
    assert 0.1 < review.proposals[0].new <= 0.2


def test_a_limit_stops_where_people_begin_to_uphold_it():
    low = [block(n, 0.12, person=f"P{n % 3}") for n in range(40)]
    high = [block(40 + n, 0.18, overridden=False) for n in range(60)]
    one = [block(100, 0.181, person="P1")]
    signals = [signal(n) for n in range(101)]
    alone = propose_limits(history(signals=signals[:40], findings=low), RULEBOOK, WEIGHT)
    mixed = propose_limits(history(signals=signals, findings=low + high + one), RULEBOOK, WEIGHT)
    assert alone.proposals[0].new == 0.12
    assert mixed.proposals == ()  # 41 of 101 is less than half


def test_a_floor_moves_down():
    rulebook = RULEBOOK.replace("limit: 0.1,", "limit: 0.1, floor: 0.05,")
    blocks = [block(n, 0.031, 0.05, person=f"P{n % 2}") for n in range(40)]
    decisions = history(signals=[signal(n) for n in range(40)], findings=blocks)
    review = propose_limits(decisions, rulebook, (Movable("weight", "floor", 0.02),))
    assert review.proposals[0].new == 0.031


def test_a_nested_parameter_is_found():
    blocks = [block(n, 0.33, 0.3, person=f"P{n % 2}") for n in range(40)]
    decisions = history(signals=[signal(n) for n in range(40)], findings=blocks)
    review = propose_limits(decisions, RULEBOOK, (Movable("weight", "per_level.high", 0.4),))
    assert yaml.safe_load(review.text)["rules"][0]["parameters"] == {"limit": 0.1, "per_level": {"high": 0.33}}


def test_one_of_a_list_of_limits_moves_and_the_rule_gets_one_new_version():
    rulebook = RULEBOOK.replace("limit: 0.1,", "limits: [0.1, 0.15, 0.2],")
    blocks = [block(n, 0.11, 0.1, person=f"P{n % 2}") for n in range(40)]
    blocks += [block(40 + n, 0.16, 0.15, person=f"P{n % 2}") for n in range(40)]
    decisions = history(signals=[signal(n) for n in range(80)], findings=blocks)
    movable = (Movable("weight", "limits.1", 0.14), Movable("weight", "limits.2", 0.19))
    review = propose_limits(decisions, rulebook, movable)
    changed = yaml.safe_load(review.text)
    assert changed["rules"][0]["parameters"]["limits"] == [0.11, 0.16, 0.2]
    assert (changed["version"], changed["rules"][0]["version"], changed["rules"][1]["version"]) == (4, 3, 1)
    assert [(row.cases, row.left_out) for row in review.tested] == [(40, 40), (40, 40)]


def test_limits_that_are_the_same_number_cannot_be_told_apart():
    rulebook = RULEBOOK.replace("limit: 0.1,", "limits: [0.1, 0.1],")
    review = propose_limits(overridden(40, 40), rulebook, (Movable("weight", "limits.1", 0.2),))
    assert review.proposals == ()
    assert "told apart" in review.tested[0].why


def test_findings_of_another_version_limit_or_kind_are_left_out_and_counted():
    right = [block(n, person=f"P{n % 2}") for n in range(25)]
    wrong = [
        block(25, version=1), block(26, limit=0.11), block(27, value="n/a"), block(28, value=0.09),
    ]  # fmt: skip
    apart = [block(29, verdict="warn"), block(30, overridable=False)]
    decisions = history(signals=[signal(n) for n in range(31)], findings=right + wrong + apart)
    tested = propose_limits(decisions, RULEBOOK, WEIGHT).tested[0]
    assert (tested.cases, tested.left_out) == (25, 4)


def test_signals_that_nobody_decided_do_not_count():
    decisions = history(signals=[signal(n, "expired") for n in range(40)], findings=[block(n) for n in range(40)])
    assert propose_limits(decisions, RULEBOOK, WEIGHT).tested[0].cases == 0


@pytest.mark.parametrize(
    "movable",
    [
        (Movable("legal", "limit", 0.9),),
        (Movable("unknown", "limit", 0.9),),
        (Movable("weight", "nothing", 0.9),),
        (Movable("weight", "per_level", 0.9),),
        (Movable("weight", "limit", 0.1),),
        (Movable("weight", "limit", 0.2), Movable("weight", "limit", 0.3)),
        (Movable("weight", "per_level.1", 0.4),),
    ],
)
def test_what_may_not_be_moved_is_refused(movable):
    with pytest.raises(ParameterError):
        propose_limits(overridden(30, 30), RULEBOOK, movable)


@pytest.mark.parametrize(
    "text",
    ["", "movable: 3", "movable: {weight: {limit: many}}", "movable: {weight: {limit: .nan}}", "x: [", "a: *b"],
)
def test_a_file_of_movable_limits_that_is_none_is_refused(tmp_path, text):
    (tmp_path / "m.yml").write_text(text)
    with pytest.raises(ParameterError):
        read_movable(tmp_path / "m.yml")
    with pytest.raises(ParameterError):
        read_movable(tmp_path / "missing.yml")


def test_a_file_of_movable_limits_is_read(tmp_path):
    (tmp_path / "m.yml").write_text("movable: {weight: {limit: 0.2}}")
    assert read_movable(tmp_path / "m.yml") == WEIGHT


def test_overrides_at_the_base_rate_lead_to_a_proposal_in_at_most_five_worlds_of_a_hundred():
    rules = [f"rule_{n}" for n in range(6)]
    rulebook = "version: 1\nrules:\n" + "".join(
        f"  - id: {rule}\n    version: 2\n    overridable: true\n    parameters: {{limit: 0.1}}\n" for rule in rules
    )
    movable = tuple(Movable(rule, "limit", 0.2) for rule in rules)
    draw = np.random.default_rng(11)
    worlds, found = 120, 0
    for _ in range(worlds):
        findings = [
            block(n, round(0.11 + 0.08 * draw.random(), 4), rule=rule, overridden=bool(draw.random() < 0.5),
                  person=f"P{draw.integers(4)}")
            for rule in rules for n in range(40)
        ]  # fmt: skip
        decisions = history(signals=[signal(n) for n in range(40)], findings=findings)
        found += bool(propose_limits(decisions, rulebook, movable).proposals)
    # At a true rate of 5 %, more than 12 of 120 come up less than once in a hundred.
    assert found <= 12

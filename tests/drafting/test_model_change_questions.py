"""Each question of a notice is raised by its own rule on facts alone; their order is that of the assets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.drafting.facts import Entity, Fact, FactSheet, Source
from workbench.drafting.reasons.model_change import CLAIMS, QUESTIONS, SHOWN_QUESTIONS, questions
from workbench.errors import DraftError

SOURCE = Source("made_up", ("accounts",), "A-1", "0123456789")
BOOK = Entity("advisor:ADV", "advisor", ("Ana Ruiz",))
METRICS = {
    "book.turnover": ("percent", "change_turnover"),
    "alone.turnover": ("percent", "change_turnover_alone"),
    "book.gain": ("money", "change_gain"),
    "book.tax": ("money", "change_tax"),
    "book.assets": ("money", "change_assets"),
    "model.1.benchmark_before": ("name", "named"),
    "effective": ("date", "change_effective"),
    "model.1.effective": ("date", "change_effective"),
    "budgets.year": ("date", "change_budget_year"),
    "ask": ("name", "named"),
    "pending": ("count", "change_pending"),
    "conflicts.new": ("count", "change_new_conflicts"),
}


def facts(**values):
    """A sheet of these facts; a double underscore stands for the dot of an identifier."""
    made = []
    for name, value in values.items():
        id = name.replace("__", ".")
        kind, metric = METRICS.get(
            id, ("money", "change_reach") if id.endswith(".assets") else ("count", "change_accounts")
        )
        made.append(Fact(id, kind, value, metric, (), SOURCE))
    return FactSheet("notice", "ADV", "2022-12-28", "0123456789", ("advisor:ADV",), (BOOK,), tuple(made))


def raised(sheet):
    return [name for name, _ in questions(sheet)]


#: The facts that raise each question, and a change to them that must not.
RULES = {
    "cut": ({"cut__assets": 5.0}, {}),
    "dropped": ({"dropped__assets": 5.0}, {}),
    "new": ({"new__assets": 5.0}, {}),
    "gains": ({"book__gain": 9.0, "realising__assets": 5.0}, {"book__gain": -9.0, "realising__assets": 5.0}),
    "turnover": ({"book__turnover": 0.10, "book__assets": 5.0}, {"book__turnover": 0.0999, "book__assets": 5.0}),
    "far": ({"far__accounts": 2, "far__assets": 5.0}, {"far__assets": 5.0}),
    "untaxed": (
        {"book__tax": 3.0, "untaxed__accounts": 1, "untaxed__assets": 5.0},
        {"book__tax": 0.0, "untaxed__accounts": 1, "untaxed__assets": 5.0},
    ),
    "barred": ({"barred__accounts": 1, "barred__assets": 5.0}, {"barred__assets": 5.0}),
    "kept": ({"kept__accounts": 1, "kept__assets": 5.0}, {"kept__assets": 5.0}),
    "consent": ({"consent__accounts": 1, "consent__assets": 5.0}, {"consent__assets": 5.0}),
    "refusal": ({"consent__accounts": 1, "consent__assets": 5.0}, {"consent__assets": 5.0}),
    "monitor": ({"monitor__accounts": 1, "monitor__assets": 5.0}, {"monitor__assets": 5.0}),
    "budget": ({"budgets__passed": 1, "budgets__assets": 5.0}, {"budgets__assets": 5.0}),
    "wash": ({"wash__households": 1, "wash__assets": 5.0}, {"wash__assets": 5.0}),
    "basis": ({"unknown__accounts": 1, "unknown__assets": 5.0}, {"unknown__assets": 5.0}),
    "unplaced": ({"unplaced__accounts": 1, "unplaced__assets": 5.0}, {"unplaced__assets": 5.0}),
    "unmeasured": ({"unmeasured__accounts": 1, "unmeasured__assets": 5.0}, {"unmeasured__assets": 5.0}),
    "benchmark": (
        {"model__1__benchmark_before": "an index", "book__assets": 5.0},
        {"model__1__effective": "2023-01-02", "book__assets": 5.0},
    ),
}


def test_every_question_has_its_rule_tried():
    assert set(RULES) == {one.name for one in QUESTIONS}
    assert len(RULES) >= 12


@pytest.mark.parametrize("name", RULES)
def test_a_question_is_raised_by_its_facts_alone(name):
    holds, fails = RULES[name]
    assert name in raised(facts(**holds))
    assert set(raised(facts(**holds))) <= {name, "consent", "refusal"}
    assert name not in raised(facts(**fails))


def test_nothing_is_asked_of_a_sheet_without_facts():
    assert questions(facts()) == ()


@given(st.permutations(range(1, 11)))
def test_questions_stand_by_the_assets_they_are_about(dollars):
    ids = ("cut", "dropped", "new", "barred", "kept", "monitor", "wash", "basis", "unplaced", "unmeasured")
    counts = {"wash": "wash__households", "basis": "unknown__accounts"}
    values = {}
    for id, amount in zip(ids, dollars):
        values[f"{'unknown' if id == 'basis' else id}__assets"] = float(amount)
        values[counts.get(id, f"{id}__accounts")] = 1
    asked = questions(facts(**values))
    assert len(asked) == SHOWN_QUESTIONS
    assert [reach for _, reach in asked] == sorted(map(float, dollars), reverse=True)[:SHOWN_QUESTIONS]


def test_what_the_record_does_not_hold_is_said_with_whom_to_ask():
    assert "ask {f:ask}" in CLAIMS["refusal.next.ask"].skeleton(facts(ask="Ana"), "")
    assert CLAIMS["refusal.next.unknown"].skeleton(facts(), "").endswith("is not in the record.")
    with pytest.raises(DraftError, match="does not hold"):
        CLAIMS["refusal.next.unknown"].skeleton(facts(ask="Ana"), "")


@pytest.mark.parametrize(
    ("values", "claim"),
    [
        ({"pending": 1, "effective": "2023-02-14"}, "effective.pending"),
        ({"effective": "2023-02-14"}, "effective.ahead"),
        ({"effective": "2022-04-18"}, "effective.past"),
        ({"model__1__effective": "2022-04-18"}, "effective.each"),
    ],
)
def test_one_sentence_says_when_versions_take_effect(values, claim):
    names = [name for name in CLAIMS if name.startswith("effective.")]
    assert [name for name in names if CLAIMS[name].holds(facts(**values), "")] == [claim]


def test_a_budget_of_another_year_is_said_to_be_one():
    year = {"budgets__year": "2022-12-31"}
    later, same = facts(**year, model__1__effective="2023-02-14"), facts(**year, model__1__effective="2022-04-18")
    assert CLAIMS["budget.later_year"].holds(later, "")
    assert not CLAIMS["budget.same_year"].holds(later, "")
    assert CLAIMS["budget.same_year"].holds(same, "")
    assert not CLAIMS["budget.later_year"].holds(same, "")


def test_restrictions_are_called_old_only_where_none_is_new():
    assert CLAIMS["conflicts.old"].holds(facts(conflicts__new=0), "")
    assert not CLAIMS["conflicts.old"].holds(facts(conflicts__new=2), "")
    assert not CLAIMS["conflicts.old"].holds(facts(), "")

"""Questions passed on: kept whole, seen in the asker's book and by who answers there, answered or closed once."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from tests.governance import cases
from workbench.errors import AccessError, DecisionError, ParameterError, StaleError
from workbench.governance.access import Who, actor
from workbench.governance.paper_commands import AnswerEscalation, Escalate
from workbench.governance.reading.escalations import questions
from workbench.governance.tables import audit, outbox

HOSTILE = "<script>alert(1)</script> \u202e may the Hartwells, 12 Elm St, hold futures? {f:x}"


@pytest.fixture
def firm(store):
    return cases.staff(store)


def seen(store, who):
    with store.reading() as connection:
        return questions(connection, actor(connection, Who(who), store.clock()))


def test_a_question_is_asked_answered_and_read_back(firm):
    asked = firm.perform(Who("adam"), Escalate(HOSTILE, "ADV1", "H1"), "q-1")
    (one,) = seen(firm, "paula")
    assert (one.question, one.asked_by, one.household_id, one.state) == (HOSTILE, "Adam", "H1", "open")
    firm.perform(Who("paula"), AnswerEscalation(asked.object_id, 1, "Not under the mandate."), "a-1")
    (one,) = seen(firm, "adam")
    assert (one.state, one.answer, one.answered_by) == ("answered", "Not under the mandate.", "Paula")


def test_the_words_of_a_question_stay_out_of_trail_and_outbox(firm):
    asked = firm.perform(Who("adam"), Escalate(HOSTILE, "ADV1"), "q-1")
    firm.perform(Who("cleo"), AnswerEscalation(asked.object_id, 1, "The Hartwells may not."), "a-1")
    with firm.reading() as connection:
        told = [
            *connection.execute(select(audit.c.body)).scalars(),
            *connection.execute(select(outbox.c.body)).scalars(),
        ]
    assert not any("Hartwell" in one for one in told)


def test_a_question_is_of_its_askers_book(firm):
    asked = firm.perform(Who("adam"), Escalate("May they?", "ADV1"), "q-1")
    assert [len(seen(firm, who)) for who in ("adam", "ann", "anton", "pia", "tom", "vera", "ada")] == [
        1, 1, 0, 0, 0, 0, 1,
    ]  # fmt: skip
    with pytest.raises(AccessError):
        firm.perform(Who("adam"), Escalate("Of all?", "*"), "q-2")
    with pytest.raises(AccessError):
        firm.perform(Who("adam"), Escalate("Of another's?", "ADV2"), "q-3")
    for who in ("pia", "adam", "ann", "ada", "nightly"):
        with pytest.raises(AccessError):
            firm.perform(Who(who), AnswerEscalation(asked.object_id, 1, "Yes."), f"a-{who}")
    assert not any(one.may_answer for one in seen(firm, "ann"))
    assert all(one.may_answer for one in seen(firm, "paula"))


def test_a_question_ends_once_and_with_words(firm):
    asked = firm.perform(Who("ann"), Escalate("May they?", "*"), "q-1")
    with pytest.raises(ParameterError, match="empty"):
        firm.perform(Who("cleo"), AnswerEscalation(asked.object_id, 1, "  "), "a-1")
    with pytest.raises(ParameterError, match="no end"):
        firm.perform(Who("cleo"), AnswerEscalation(asked.object_id, 1, "Yes.", "gone"), "a-2")
    firm.perform(Who("cleo"), AnswerEscalation(asked.object_id, 1, "A duplicate.", "closed"), "a-3")
    with pytest.raises(StaleError):
        firm.perform(Who("paula"), AnswerEscalation(asked.object_id, 1, "Yes."), "a-4")
    with pytest.raises(DecisionError, match="closed"):
        firm.perform(Who("paula"), AnswerEscalation(asked.object_id, 2, "Yes."), "a-5")


@pytest.mark.parametrize("question", ["", " \n ", "x" * 4_001, "nul \x00"])
def test_what_is_no_question_is_refused(firm, question):
    with pytest.raises(ParameterError):
        firm.perform(Who("ann"), Escalate(question, "*"), "q-1")
    assert seen(firm, "ann") == ()

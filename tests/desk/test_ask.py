"""The page Ask: from the asker's own book, shown escaped, passed on where it is not answered."""

from dataclasses import replace

import pytest

from workbench.copilot import Answer, Scope


class MadeUp:
    """Answers what is asked with the scope it was asked in; passes on what says so."""

    def ask(self, question, scope, escalations=None):
        if "pass" in question:
            return Answer(question, "passed_on", "I do not forecast.", escalation=escalations.pass_on(question))
        return Answer(question, "answered", f"Book {scope.advisor_id} holds <b>cash</b>.", sources=("a table, a row",))


@pytest.fixture
def settings(settings):
    return replace(settings, copilot=MadeUp())


def test_an_answer_is_of_the_askers_book_and_escaped(house):
    browser = house.browser("adam")
    browser.get("/ask")
    page = browser.send("/ask", question="What is held?", book="adv-1").text
    assert "Book adv-1 holds &lt;b&gt;cash&lt;/b&gt;." in page
    assert "a table, a row" in page


def test_another_book_is_refused(house):
    browser = house.browser("adam")
    browser.get("/ask")
    assert "holds" not in browser.send("/ask", question="What is held?", book="adv-2").text


def test_what_is_not_answered_waits_for_those_who_answer(house):
    browser = house.browser("adam")
    browser.get("/ask")
    assert "Passed on" in browser.send("/ask", question="please pass this on", book="adv-1").text
    assert "please pass this on" in house.browser("pat").get("/escalations").text


def test_a_scope_covers_its_book_alone():
    assert Scope("adv-1").covers("adv-1")
    assert not Scope("adv-1").covers("adv-2")
    assert Scope().covers("adv-2")

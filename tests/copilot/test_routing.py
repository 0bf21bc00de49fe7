"""Routing: every word accounted for, misspellings set right only where one word is near."""

import pytest

from workbench.copilot.intents import FILLER, INTENTS
from workbench.copilot.passages import quoted
from workbench.copilot.reading import Reading
from workbench.copilot.refusals import refused
from workbench.copilot.routing import corrected, distance, without_context


@pytest.mark.parametrize(
    ("one", "other", "far"), [("cash", "cash", 0), ("overwieght", "overweight", 1), ("a", "abc", 2)]
)
def test_distance_counts_letters(one, other, far):
    assert distance(one, other) == distance(other, one) == far


def test_misspelt_words_are_set_right_and_words_of_the_house_left():
    assert corrected("overwieght carryfoward") == "overweight carryforward"
    assert corrected("sharpe learned inflation excluding") == "sharpe learned inflation excluding"


def test_nothing_that_restricts_a_question_is_filler():
    assert not FILLER & {
        "not",
        "no",
        "without",
        "excluding",
        "except",
        "after",
        "before",
        "if",
        "last",
        "next",
        "until",
        "only",
        "or",
    }


def test_every_intent_has_cues_and_a_topic():
    assert all(intent.cues and callable(intent.topic) for intent in INTENTS)


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("what is a wash sale?", "Wash sale"),
        ("how is an rmd calculated", "Required minimum distribution"),
        ("define drift", "Drift"),
    ],
)
def test_a_term_is_quoted(question, title):
    assert quoted(question).title == title


@pytest.mark.parametrize("question", ["what is the weather", "what is a wash sale in germany", "joke about drift", ""])
def test_a_term_with_a_condition_is_not(question):
    assert quoted(question) is None


@pytest.mark.parametrize("text", ["how much cash is there", "why sell aapl", "tax if i sell 10 aapl", "what do we buy"])
def test_questions_are_no_orders(text):
    assert refused(text) == ""


def test_a_sentence_of_context_brings_its_names_alone():
    shorter = without_context(Reading("\u00a7security looks heavy. what percentage of \u00a7account is it?"))
    assert shorter is not None
    assert shorter.text == "\u00a7security what percentage of \u00a7account is it?"


@pytest.mark.parametrize(
    "text",
    [
        "half of \u00a7security is gone. what is the gain?",
        "\u00a7account has too much cash. how far over is it?",
        "suppose prices fall. how far is \u00a7account off target?",
        "what is the cash of \u00a7account?",
    ],
)
def test_a_sentence_that_may_state_a_condition_stays(text):
    assert without_context(Reading(text)) is None

"""Phrases: what goes again and again is found, what belongs to a client never gets out."""

from __future__ import annotations

from workbench.governance.lessons.phrases import Draft, count_phrases

BODY = "We sell the losing lots. Cash for your withdrawal is set aside."


def drafts(many, phrase="needless to say", taken_out=True, name="The Langford household"):
    old = f"{phrase} {BODY}"
    return [Draft(f"H{n}", name, old, BODY if taken_out else old) for n in range(many)]


def test_a_phrase_taken_out_for_many_is_counted_once_a_household():
    twice = drafts(5) + drafts(5)
    assert count_phrases(twice).rows == (("needless to say", 5, 5),)


def test_drafts_that_were_left_alone_count_as_offered():
    left = [Draft(f"X{n}", "The Ray household", f"needless to say {BODY}", f"needless to say {BODY}") for n in range(4)]
    assert count_phrases(drafts(5) + left).rows == (("needless to say", 5, 9),)


def test_what_is_taken_out_for_two_households_only_is_not_kept():
    assert count_phrases(drafts(2)).rows == ()


def test_a_clients_name_is_never_in_a_phrase():
    found = count_phrases(drafts(6, phrase="dear Mr Langford, needless to say"))
    assert found.rows
    assert not any("langford" in phrase for phrase, _, _ in found.rows)


def test_case_and_punctuation_at_the_ends_do_not_count():
    mixed = [
        Draft(f"H{n}", "", f"{said} {BODY}", BODY)
        for n, said in enumerate(["Needless to say,", "needless to say", "NEEDLESS to say:"])
    ]
    assert count_phrases(mixed).rows == (("needless to say", 3, 3),)


def test_no_draft_no_phrase():
    assert count_phrases([]).rows == ()
    assert count_phrases(drafts(8, taken_out=False)).rows == ()

"""Wording: what is taken out beyond chance among all phrases is listed, nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.governance.lessons.histories import history
from workbench.governance.lessons.wording import propose_wording, wording_page


def phrases(*rows, tested=5_000):
    said = [{"phrase": text, "words": 3, "deleted_in": out, "offered_in": of} for text, out, of in rows]
    return replace(history(phrases=said), phrases_tested=tested)


def test_a_phrase_that_goes_again_and_again_is_listed():
    (found,) = propose_wording(phrases(("needless to say", 58, 60), ("for your withdrawal", 20, 60)))
    assert found.phrase == "needless to say"
    assert found.lowest > 0.8


def test_few_cases_are_not_enough_among_thousands_of_phrases():
    assert propose_wording(phrases(("needless to say", 8, 8))) == ()
    assert propose_wording(phrases(("needless to say", 8, 8), tested=1))


def test_a_hostile_phrase_cannot_break_the_page():
    page = wording_page(propose_wording(phrases(("`| <script> |`", 90, 90))), history())
    assert page.count("|") == 3 * 5
    assert "``" not in page


def test_phrases_taken_out_at_the_base_rate_are_listed_in_few_worlds():
    draw = np.random.default_rng(5)
    found = 0
    for _ in range(120):
        rows = [(f"phrase {n}", int(draw.binomial(40, 0.5)), 40) for n in range(50)]
        found += bool(propose_wording(phrases(*rows, tested=50)))
    assert found <= 12

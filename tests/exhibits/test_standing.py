"""A difference too small to be called is level, in the chapters that measure the same accounts in two ways."""

from __future__ import annotations

from dataclasses import replace

import pytest

from workbench.exhibits import Origin, performance, sleeve_attribution, sleeve_facts
from workbench.exhibits.performance_review import PerformanceReview, measure
from workbench.exhibits.standing import LEVEL, is_level, standing
from workbench.firm import open_at
from workbench.report.exhibit import FactRef

ORIGIN = Origin("2022-12-28", "3f9a12c4", "")


@pytest.fixture(scope="module")
def review() -> PerformanceReview:
    return measure(open_at("demo"), "2021-12-31")


@pytest.mark.parametrize(
    ("difference", "words"),
    [
        (0.0012, "12 bp ahead of"), (-0.0012, "12 bp behind"), (LEVEL, "12 bp ahead of"), (-LEVEL, "12 bp behind"),
        (0.00049, "level with"), (-0.00049, "level with"), (0.0, "level with"),
    ],
)  # fmt: skip
def test_what_is_under_five_basis_points_is_level(difference: float, words: str):
    assert standing(difference, "12 bp") == words
    assert is_level(difference) == (words == "level with")


def _shifted(review: PerformanceReview, excess: float) -> PerformanceReview:
    """The review with benchmarks that earned what accounts did, less `excess` on the last day."""
    tracks = []
    for track in review.tracks:
        benchmark = track.net.copy()
        growth = float((1.0 + track.net.iloc[:-1]).prod())
        benchmark.iloc[-1] -= excess / growth
        tracks.append(replace(track, benchmark=benchmark))
    return replace(review, tracks=tuple(tracks))


def _text(exhibit) -> str:
    paragraphs = [[line] if isinstance(line, str) else line for line in exhibit.body.paragraphs]
    return " ".join("".join(run.text if isinstance(run, FactRef) else run for run in line) for line in paragraphs)


@pytest.mark.parametrize("excess", [0.0003, -0.0003])
def test_performance_calls_a_tiny_difference_level(review, excess):
    near = _shifted(review, excess)
    verdict = _text(performance.verdict(near, ORIGIN))
    assert "level with their benchmarks at" in verdict
    assert "No model is behind its benchmark after fees" in verdict
    assert "The difference is" in verdict
    assert "ahead of" not in verdict
    assert "level with their benchmarks" in performance.excess_table(near, ORIGIN).takeaway


@pytest.mark.parametrize(("excess", "words"), [(0.002, "ahead of"), (-0.002, "behind")])
def test_performance_names_the_side_of_a_difference_that_counts(review, excess, words):
    assert f"0.20\u00a0pp {words} their benchmarks" in _text(performance.verdict(_shifted(review, excess), ORIGIN))


@pytest.mark.parametrize(
    ("model", "done", "title"),
    [
        (0.0030, -0.0027, "Accounts and benchmarks are level"),
        (-0.0030, 0.0027, "Accounts and benchmarks are level"),
        (-0.0030, 0.0007, "Accounts are behind: by the models"),
    ],
)
def test_sleeve_attribution_calls_a_tiny_difference_level(model, done, title):
    facts = {
        name: ORIGIN.fact(f"sleeves.firm.{name}", value, "bp", "attribution.sleeves", ["accounts"], digits=1)
        for name, value in (("model", model), ("implementation", done))
    }
    assert sleeve_attribution._title(facts) == title
    assert (sleeve_facts.ahead(model + done) == "level with") == ("level" in title)

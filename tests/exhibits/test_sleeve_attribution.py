"""The sleeve chapter: on the demo firm, on a small one, with benchmarks missing, and with nothing to show."""

from __future__ import annotations

import importlib.util
import math
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from workbench.attribution import review_sleeves
from workbench.errors import ParameterError
from workbench.exhibits import Origin, performance_review, sleeve_attribution, sleeve_details, sleeve_facts, sleeve_tree
from workbench.firm import open_at
from workbench.report.exhibit import FigureBody, TableBody

_spec = importlib.util.spec_from_file_location("exhibit_runs", Path(__file__).with_name("conftest.py"))
runs = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = runs
_spec.loader.exec_module(runs)

POLICY = pd.DataFrame({"model_id": "BAL", "sleeve_id": ["EQ", "FI"], "weight": [0.6, 0.4]})
BENCHMARKS = pd.DataFrame({"sleeve_id": ["EQ", "FI"], "security_id": ["AAA", "BBB"], "weight": 1.0})


@pytest.fixture(scope="module")
def demo_firm():
    return open_at("demo")


@pytest.fixture(scope="module")
def review(demo_firm):
    return review_sleeves(demo_firm)


@pytest.fixture(scope="module")
def demo_origin(demo_firm):
    return Origin.of(demo_firm)


@pytest.fixture(scope="module")
def shown(demo_firm):
    return runs.run_chapter("sleeve_attribution", demo_firm)


def every_exhibit(review, origin):
    yield sleeve_attribution.verdict(review, origin)
    yield sleeve_attribution.summary(review, origin)
    yield sleeve_attribution.firm_bridge(review, origin)
    yield sleeve_attribution.sleeve_part(review, origin)
    yield sleeve_tree.tree_table(review, origin)
    yield sleeve_attribution.cumulative_figure(review, origin)
    yield sleeve_attribution.sleeve_table(review, origin)
    yield from sleeve_details.sleeve_pages(review, origin, 3)
    yield sleeve_details.contributors_figure(review, origin, 12)
    yield sleeve_details.accounts_table(review, origin, 12)
    yield sleeve_details.reconciliation_table(review, origin)
    yield sleeve_attribution.left_out_table(review, origin, 12)


def no_missing_numbers(exhibit):
    body = exhibit.body
    table = body if isinstance(body, TableBody) else body.data if isinstance(body, FigureBody) else None
    for row in table.rows if table else ():
        assert not any(isinstance(cell, float) and not math.isfinite(cell) for cell in row), exhibit.id
    assert not any(isinstance(fact.value, float) and not math.isfinite(fact.value) for fact in exhibit.facts)


def test_the_chapter_runs_and_its_facts_agree(shown):
    assert shown["sleeves-verdict"].title.startswith("Accounts are")
    for exhibit in shown.exhibits:
        no_missing_numbers(exhibit)
        assert "nan" not in runs.words(exhibit).lower().split()
    facts = shown.facts
    parts = [facts[f"sleeves.firm.{name}"].value for name in sleeve_facts.WORDS]
    excess = facts["sleeves.firm.excess"].value
    assert sum(parts) == pytest.approx(excess, abs=1e-10)
    assert facts["sleeves.firm.model"].value + facts["sleeves.firm.implementation"].value == pytest.approx(excess)
    assert facts["sleeves.check.left"].value < 1e-10


def test_the_verdict_names_the_side_and_the_sleeves(shown, review):
    text = shown.text("sleeves-verdict")
    frame = sleeve_facts.by_sleeve(review).set_index("sleeve_id")["model"]
    assert f"{review.names[frame.idxmin()]} cost most" in text
    assert f"{review.names[frame.idxmax()]} brought most" in text
    done = abs(shown.facts["sleeves.firm.implementation"].value) > abs(shown.facts["sleeves.firm.model"].value)
    assert ("by implementation" if done else "by the models") in text


def test_a_residual_of_all_accounts_and_the_largest_of_one_are_two_rows(shown):
    rows = {row[0]: row[1].text for row in shown["sleeves-reconciliation"].body.rows}
    assert rows["Residual"] == "0.0\u00a0bp"
    assert rows["Sum of the rows"] == rows["Accounts less benchmarks"]
    assert "Largest residual of an account" in rows


def test_the_tree_adds_up_to_the_models_part(shown, review):
    facts, table = shown.facts, shown["sleeves-tree"].body
    model = facts["sleeves.firm.model"].value
    assert facts["sleeves.tree.models.total"].value == pytest.approx(model, abs=1e-12)
    assert sum(facts[f"sleeves.level.{level.replace('_', '-')}"].value for level in review.tree.by_level().index) == (
        pytest.approx(model, abs=1e-12)
    )
    rows = [row[1:4] for row in table.rows]
    for place, depth in enumerate(table.depths[:-1]):
        total, own, below = rows[place]
        assert total == pytest.approx(own + below, abs=1e-12)
        after = table.depths[place + 1 : -1]
        inside = next((k for k, other in enumerate(after) if other <= depth), len(after))
        children = [rows[place + 1 + k][0] for k in range(inside) if after[k] == depth + 1]
        if children:
            assert sum(children) == pytest.approx(below, abs=1e-12)
    tops = [row[0] for row, depth in zip(rows[:-1], table.depths, strict=False) if depth == 0]
    assert sum(tops) == pytest.approx(model, abs=1e-12)
    assert "The models cost 139\u00a0bp" in shown["sleeves-tree"].takeaway


def test_a_tree_of_many_groups_folds_the_smaller_ones(review, demo_origin, monkeypatch):
    monkeypatch.setattr(sleeve_tree, "_SHOWN", 3)
    table = sleeve_tree.tree_table(review, demo_origin).body
    names = [row[0].strip() for row in table.rows]
    assert "5 more" in names
    tops = [row[1] for row, depth in zip(table.rows[:-1], table.depths, strict=False) if depth == 0]
    assert sum(tops) == pytest.approx(review.tree.model, abs=1e-12)


def test_a_sleeves_groups_sum_to_its_models_part(review, demo_origin):
    for pool in review.pools.pools:
        table = sleeve_details.group_table(review, pool, demo_origin)
        if isinstance(table.body, TableBody):
            total = table.fact(f"sleeves.group-sum.{demo_origin.slug(pool.sleeve_id)}.total").value
            decided = sum(pool.effect(name) for name in ("allocation", "selection", "interaction"))
            assert total == pytest.approx(decided, abs=1e-12)


def test_every_sleeve_can_be_shown_from_the_inside(review, demo_origin):
    exhibits = list(sleeve_details.sleeve_pages(review, demo_origin, 20))
    assert len({exhibit.id for exhibit in exhibits}) == len(exhibits) == 2 * len(review.pools.pools)


@pytest.mark.parametrize(
    ("period", "words"),
    [("month", "the month to date"), ("12 months", "the last 12 months"), ("60 months", "the last 60 months"),
     ("inception", "the time since 17 February 2012")],
)  # fmt: skip
def test_other_periods_say_what_they_are(demo_firm, demo_origin, said, period, words):
    review = review_sleeves(demo_firm, period, "asset_class", "frongello")
    text = said(sleeve_attribution.verdict(review, demo_origin))
    assert f"Over {words}, after fees" in text
    assert "Frongello's method" in sleeve_attribution.firm_bridge(review, demo_origin).settings.line()
    assert np.abs(review.accounts.unreconciled).max() < 1e-10


def test_settings_that_are_unknown_are_refused(demo_firm):
    for settings, message in (
        ({"period": "week"}, "period 'week' is unknown"),
        ({"level": "mood"}, "level 'mood' is unknown"),
        ({"linking": "luck"}, "linking 'luck' is unknown"),
    ):
        with pytest.raises(ParameterError, match=message):
            review_sleeves(demo_firm, **settings)


def test_a_small_firm_says_since_when_it_is_measured(chapter, small):
    shown = chapter("sleeve_attribution", {**small, "model_benchmarks": POLICY, "sleeve_benchmarks": BENCHMARKS})
    assert "the time since 23 December 2022" in shown.text("sleeves-verdict")
    for exhibit in shown.exhibits:
        no_missing_numbers(exhibit)


def test_missing_benchmarks_are_said(chapter, small):
    text = chapter("sleeve_attribution", small).text("sleeves-verdict")
    assert "Equity and Bonds have no benchmark of their own" in text
    assert "No policy weights are kept for any model" in text
    one = chapter("sleeve_attribution", {**small, "model_benchmarks": POLICY, "sleeve_benchmarks": BENCHMARKS[:1]})
    assert "Bonds has no benchmark of its own and is measured against the model itself" in one.text("sleeves-verdict")


def test_nothing_to_attribute_is_said_in_every_exhibit(chapter, small):
    small["accounts"]["model_id"] = None
    small["accounts"]["model_id"] = small["accounts"]["model_id"].astype("string")
    shown = chapter("sleeve_attribution", small)
    assert shown["sleeves-verdict"].title == "Nothing was measured"
    assert "has no model" in shown.text("sleeves-left-out")
    assert all(not isinstance(exhibit.body, FigureBody) for exhibit in shown.exhibits)


def test_one_account_is_told_as_one(chapter, small):
    small["accounts"]["model_id"] = small["accounts"]["model_id"].where(small["accounts"]["account_id"] == "A1")
    shown = chapter("sleeve_attribution", {**small, "model_benchmarks": POLICY, "sleeve_benchmarks": BENCHMARKS})
    text = shown.text("sleeves-verdict")
    assert "the one account returned" in text
    assert "its benchmark" in text
    assert "1 account together" not in text
    assert shown["sleeves-reconciliation"].takeaway.startswith("The rows of the one account sum to its difference")


def test_a_period_that_begins_before_the_models_is_measured_from_them(demo_firm, demo_origin, said):
    models = demo_firm.table("models")
    models = models[models["status"] != "draft"]
    models = models.sort_values(["model_id", "version"]).groupby("model_id").tail(1).reset_index(drop=True)
    models["effective_date"] = pd.Timestamp("2022-11-15").as_unit("ms")
    models.loc[models["model_id"] == "INC", "effective_date"] = pd.Timestamp("2022-12-01").as_unit("ms")
    later = review_sleeves(replace(demo_firm, rewound={"models": models}, _frames={}))
    text = said(sleeve_attribution.verdict(later, demo_origin))
    assert "Over the time since 15 November 2022" in text
    assert "INC has a version in force only since 1 December 2022; its accounts are measured from then on" in text
    figure = sleeve_attribution.cumulative_figure(later, demo_origin).body.figure
    assert figure["data"][0]["x"][0] == "2022-11-15"
    assert np.abs(later.accounts.unreconciled).max() < 1e-10


def test_models_that_hold_their_benchmarks_have_nothing_to_break_down(chapter, small):
    shown = chapter("sleeve_attribution", small)  # no benchmarks: each model is its own
    assert "nothing to break down" in shown.text("sleeves-tree")


def test_long_names_are_clipped(demo_firm, review, demo_origin):
    long = replace(review, names=review.names.map(lambda name: name + " and many more words" * 9))
    for exhibit in every_exhibit(long, demo_origin):
        assert len(exhibit.title) < 120, exhibit.id
        assert "and many more words and many more words and" not in runs.words(exhibit), exhibit.id


def test_hostile_names_stay_text(chapter, small):
    small["sleeves"]["name"] = ["<script>alert(1)</script>", "=cmd|' /C calc'!A0"]
    small["securities"]["name"] = ["<b>A</b>", "=1+1", "Cash"]
    shown = chapter("sleeve_attribution", {**small, "model_benchmarks": POLICY, "sleeve_benchmarks": BENCHMARKS})
    for exhibit in shown.exhibits:
        if isinstance(exhibit.body, FigureBody):
            assert "<script>" not in str(exhibit.body.figure)


def test_sleeves_of_one_name_are_told_apart(chapter, small):
    small["sleeves"]["name"] = "Twins"
    shown = chapter("sleeve_attribution", small)
    assert {"Twins (EQ)", "Twins (FI)"} >= {row[0] for row in shown["sleeves-table"].body.rows}
    assert len(shown["sleeves-table"].body.rows) == 2


def test_the_performance_chapter_is_as_far_away_as_the_pages_say(demo_firm, review):
    track = performance_review.measure(demo_firm, "2021-12-31").tracks[0]
    net, model, benchmark = (
        float((1 + side.dropna()).prod() - 1) for side in (track.net, track.model, track.benchmark)
    )
    there = [f"{value * 1e4:.0f}" for value in (model - benchmark, net - model, benchmark - net)]
    effects = sleeve_facts.firm_effects(review)
    models = float(effects[:3].sum())
    here = [f"{value * 1e4:.0f}" for value in (models, effects.sum() - models, -effects.sum())]
    docs = Path(__file__).parents[2] / "docs"
    page = " ".join((docs / "sleeves.md").read_text().split())
    assert f"{net * 100:.2f} % after fees, {there[2]} bp behind: {there[0]} bp by the models and {there[1]} bp" in page
    assert f"where this page has {here[0]} and {here[1]} of {here[2]}" in page
    other = " ".join((docs / "performance.md").read_text().split())
    assert f"is {there[2]} bp behind its benchmarks here and {here[2]} bp there" in other


def test_the_pages_table_and_levels_are_the_demo_firms(review):
    page = (Path(__file__).parents[2] / "docs" / "sleeves.md").read_text()
    effects = sleeve_facts.firm_effects(review) * 1e4
    for name in ("allocation", "selection", "interaction", "timing", "cash", "trading", "fees"):
        assert f"| {name} | {effects[name]:.0f} |" in page
    for level, words in zip(review.tree.by_level() * 1e4, ("asset classes", "sleeves", "sectors", "securities")):
        assert re.search(rf"^\| {words}[^|]*\| {level:.0f} \|$", page, re.MULTILINE)


def test_a_large_firm_is_read_run_by_run_with_the_same_figures(demo_firm, review, monkeypatch):
    monkeypatch.setattr(sys.modules["workbench.performance.load"], "_CHUNK_CELLS", 200_000)
    monkeypatch.setattr("workbench.attribution.followed._CELLS", 2_500)
    again = review_sleeves(demo_firm)
    pd.testing.assert_frame_equal(again.accounts.to_frame(), review.accounts.to_frame())
    pd.testing.assert_frame_equal(again.pools.to_frame(), review.pools.to_frame())
    pd.testing.assert_frame_equal(again.securities, review.securities)

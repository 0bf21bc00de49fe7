"""The policy chapters as a committee meets them, and what stands there where a folder or a history is not fit."""

import json
import shutil
from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from workbench.backtest import Band, Calendar, LearnedQuadratic, Quadratic, gbm, signals
from workbench.backtest._learned import OUTPUTS, member_size
from workbench.backtest.evidence import Case, Criterion, Interval, Verdict
from workbench.errors import ParameterError
from workbench.exhibits import (
    policy_backtest,
    policy_card,
    policy_costs,
    policy_explained,
    policy_folder,
    policy_lab,
    policy_learned,
    policy_reference,
    policy_review,
    policy_training,
    policy_verdict,
)
from workbench.exhibits.policy_folder import Shelf
from workbench.exhibits.policy_review import TUNED, NotCompared, Plan
from workbench.learning import registry
from workbench.learning.card import Card, Check, Data, Familiar, Feature, Range, Window
from workbench.learning.event import Event

from .conftest import words

NAME = "learned <b>rule</b>"
HOSTILE = "<script>alert(1)</script>"
RULES = (Calendar("month"), Calendar("year"), Band(0.05), Band(0.02, 0.0175), Quadratic(1.0))
PLAN = Plan(train_years=2.0, replications=199)
TODAY = date(2022, 12, 28)


def made_card(**changes):
    card = Card(
        name=NAME, purpose="Keeps a target.", maker="A. Maker", made_on="2022-01-03", expires="2023-01-03",
        data=(Data("made up", "random numbers", "2000-01-03", "2008-12-31", 2000, f"nothing {HOSTILE}", "0" * 64),),
        features=(
            Feature("volatility_ratio", "market", 1, "month over year"),
            Feature("volatility_ratio", "asset", 1, "month over year"),
        ),
        costs="10 bp", seeds=(0, 1), trials=12,
        windows=(
            Window("made up", "2009-01-01", "2009-12-31", 1.5, "quadratic, 1 y", 1.6),
            Window("made up", "2010-01-01", "2010-12-31", 1.7, "quadratic, 1 y", 1.6),
        ),
        tests=(Check("gain", 0.1, 0.0, True, "It gains."),),
        controls=(Check("noise world", 0.02, 0.05, True, "Rarely."), Check("planted signal", 0.5, 0.8, False, "No.")),
        verdict="do not deploy", known_failures=(f"Crashes. {HOSTILE}",),
        fallback=registry.fallback_of(Quadratic(1.0)), command="none",
    )  # fmt: skip
    return replace(card, **changes)


def written(path):
    """A folder with a draft of a learned policy, its networks small random numbers."""
    rng = np.random.default_rng(5)
    members = tuple(tuple((0.3 * rng.standard_normal(member_size(4, OUTPUTS))).tolist()) for _ in range(2))
    policy = LearnedQuadratic(0.8, members, hidden=4, name=NAME)
    names = {"market": ("volatility_ratio",), "asset": ("volatility_ratio",)}
    registry.save(path / "set" / "learned", policy, made_card(), members=2, **names)
    return path / "set"


@pytest.fixture
def folder(tmp_path):
    return written(tmp_path)


@pytest.fixture(scope="module")
def universe():
    deviation = np.array([0.17, 0.20, 0.06])
    correlation = np.array([[1.0, 0.7, 0.1], [0.7, 1.0, 0.0], [0.1, 0.0, 1.0]])
    made = gbm(
        np.array([0.08, 0.075, 0.035]), np.outer(deviation, deviation) * correlation, np.array([0.4, 0.2, 0.3]),
        paths=1, sessions=1400, seed=4, cash_rate=0.02,
    )  # fmt: skip
    return replace(made, sessions=pd.bdate_range(end="2022-12-28", periods=1400), assets=("AAA", HOSTILE, "CCC"))


@pytest.fixture
def shelf(folder):
    return policy_folder.read(str(folder), TODAY)


@pytest.fixture(scope="module")
def review(universe, tmp_path_factory):
    shelf = policy_folder.read(str(written(tmp_path_factory.mktemp("policies"))), TODAY)
    return policy_review.compare(universe, shelf, PLAN, money=1e7, portfolios=300, rules=RULES)


def sections(review, origin):
    parts = [
        policy_backtest.verdict, policy_backtest.costs, policy_backtest.luck, policy_backtest.candidates,
        policy_backtest.learned, policy_backtest.trust,
    ]  # fmt: skip
    return [exhibit for part in parts for exhibit in part(review, origin)]


def sound(exhibits):
    text = "\n".join(map(words, exhibits))
    assert "nan" not in text.lower().replace("finan", "").replace("dominan", "")
    seen = {}
    for exhibit in exhibits:
        assert "NaN" not in json.dumps(exhibit.to_json(), allow_nan=False)
        assert exhibit.takeaway == "" or exhibit.takeaway.rstrip()[-1] in ".:"
        for fact in exhibit.facts:
            assert seen.setdefault(fact.id, fact.value) == fact.value, fact.id
    ids = [exhibit.id for exhibit in exhibits]
    assert len(set(ids)) == len(ids)
    return text


def test_the_whole_chapter_is_sound_and_the_verdict_stands_on_top(review, origin):
    exhibits = sections(review, origin)
    sound(exhibits)
    assert exhibits[0].id == "policy-verdict"
    assert {verdict.candidate for verdict in review.verdicts} == {NAME, TUNED}
    for exhibit in exhibits:
        assert exhibit.settings is not None or not exhibit.facts or exhibit.id == "policy-verdict"


def test_the_gain_in_dollars_is_that_in_bp_of_the_money(review, origin):
    box = policy_backtest.verdict(review, origin)[0]
    slug = f"policy.{origin.slug(TUNED)}"
    gain = review.evidence.case(TUNED).gain.estimate
    assert box.fact(f"{slug}.gain").value == pytest.approx(1e-4 * gain)
    assert box.fact(f"{slug}.gain.usd").value == pytest.approx(1e-4 * gain * 1e7)


def test_every_criterion_is_in_the_table_with_its_figure(review, origin):
    for found in review.verdicts:
        table = next(
            e for e in policy_backtest.verdict(review, origin) if e.title == f"What {found.candidate} had to show"
        )
        assert [row[0].lower() for row in table.body.rows] == [criterion.name.lower() for criterion in found.criteria]
        assert all((criterion.value is None) or row[1] for row, criterion in zip(table.body.rows, found.criteria))


def case_of(low, estimate, high):
    interval = Interval(estimate, low, high, 0.1, 0.5, 5, 99, "x")
    return replace(CASE, gain=interval)


CASE = Case(
    "new policy", -1.0, -1.0, None, None, None, None, None, pd.DataFrame(), 0.5, None, None, (), (), None, None, 900
)  # fmt: skip


@pytest.mark.parametrize(
    ("low", "estimate", "high", "said", "change"),
    [
        (-3.0, -2.0, -1.0, "It loses", "waiting alone will not do"),
        (-3.0, -1.0, 1.0, "It gains nothing", "waiting alone will not do"),
        (-1.0, 1.0, 3.0, "the sample is too small", "about 16 test years"),
        (1.0, 2.0, 3.0, "does not hold", ""),
    ],
)
def test_the_box_tells_a_loss_from_a_small_sample(low, estimate, high, said, change):
    failed = (Criterion("surrogate", 0.0, 0.01, False, "No."),)
    found = Verdict("new policy", "do not deploy", "", failed)
    case, windows = case_of(low, estimate, high), SimpleNamespace(windows=[1, 2, 3, 4])
    assert said in policy_verdict._why(found, case)
    assert change in policy_verdict._change(found, case, windows)


def test_the_box_says_what_to_do_now(review, origin):
    box = words(policy_backtest.verdict(review, origin)[0])
    assert f"Keep {review.opponent.name}." in box
    assert f"{NAME[0].upper()}{NAME[1:]}: " in box


def test_every_seed_of_an_ensemble_is_run_alone_and_cards_trials_count(review, shelf):
    policy = shelf.named()
    alone = policy_review.members(policy)
    assert list(alone) == list(policy.card.seeds)
    assert len(review.evidence.case(NAME).seeds.gains) == len(alone)
    assert review.told == policy.card.trials
    assert review.evidence.case(NAME).deflated.trials == review.evidence.trials


def test_timing_luck_is_one_figure(review, origin):
    exhibits = policy_backtest.verdict(review, origin)
    slug = origin.slug(review.verdicts[0].candidate)
    found = exhibits[1].fact(f"policy.{slug}.luck")
    assert found.text == exhibits[2].fact(f"policy.{slug}.criterion.timing-luck.threshold").text


def test_made_up_prices_are_no_training_days(shelf):
    policy = shelf.named()
    assert policy_review.trained_until(policy) == pd.Timestamp("2008-12-31")
    made_up = replace(policy.card.data[0], sessions=0, last="2022-01-01")
    judged = replace(policy.card.data[0], name="market (to judge, not to train)", last="2022-01-01")
    other = replace(policy, card=replace(policy.card, data=(made_up, judged)))
    assert policy_review.trained_until(other) is None


@pytest.mark.parametrize(("sessions", "years"), [(1000, 4.0), (3030, 4.0), (3400, 8.0)])
def test_training_is_the_standard_where_the_history_leaves_three_test_years(sessions, years):
    made = gbm(np.array([0.05]), np.array([[0.02]]), np.array([0.5]), paths=1, sessions=sessions, seed=1)
    assert policy_review.fitting_years(made, signals(made)) == years


def test_events_that_differ_in_day_and_figures_share_a_row(origin):
    events = [
        Event("2020-01-02", "outside training", "The signal a is 0.1; at least 0.3.", 0.1, 0.3),
        Event("2020-02-03", "outside training", "The signal a is 0.05; at least 0.3.", 0.05, 0.3),
        Event("2020-02-03", "turnover", "Too much.", 0.5, 0.2),
    ]
    table = policy_folder.events_table(events, ["Refused."], origin.settings("x", ("prices",)))
    assert [row[1] for row in table.body.rows] == [2, 1, 1]
    assert "0.05" in table.body.rows[0][4]


def test_an_unlike_market_is_counted_look_by_look(universe, shelf):
    policy = shelf.named()
    narrow = Familiar((Range("asset volatility_ratio", 0.99, 1.01),))
    strict = replace(policy, card=replace(policy.card, familiar=narrow))
    known = signals(universe)
    cut = policy_review._windows(universe, known, 2.0, 1.0)
    found = policy_review.watched(universe, known, strict, cut)
    assert 0 < found.stopped <= found.looks
    assert str(found.stopped) in found.sentence


def test_the_shares_of_inputs_add_up_to_the_proposed_trade(universe, shelf, origin):
    policy = shelf.named()
    known = signals(universe)
    look = policy_learned.last_look(universe, known, Calendar("year"))
    drifted = replace(look.seen, weight=np.array([0.55, 0.15, 0.25, 0.05]))
    exhibit = policy_learned.shares(policy, replace(look, seen=drifted), origin.settings("x", ("prices",)), origin)
    rows = np.array([[float(cell) for cell in row[1:]] for row in exhibit.body.rows])
    assert rows[:-1].sum(axis=0) == pytest.approx(rows[-1])


def test_problems_measure_every_policy_against_the_best_or_the_tuned_rule(shelf, origin):
    found = policy_reference.measure(shelf.policies, ("n2_10", "n5_20"), paths=40)
    assert [each.base for each in found] == [policy_reference.BEST, policy_reference.TUNED]
    assert all(each.excess["every month"].ratio > 0.5 for each in found)
    assert found[0].excess[policy_reference.TUNED].ratio < 0.2
    table = policy_reference.costs_table(found, (), shelf.policies, 40, origin)
    assert "bp" in words(table)
    sound([table, policy_reference.gaps_figure(found, 40, origin)])


def test_a_policy_tested_on_its_own_training_days_is_never_deployed(universe, folder, origin):
    later = Data("made up", "x", "2000-01-03", "2022-12-28", 2000, "y", "0" * 64)
    shutil.rmtree(folder / "learned")
    members = ((0.0,) * member_size(4, OUTPUTS),)
    policy = LearnedQuadratic(0.8, members, hidden=4, name=NAME)
    registry.save(
        folder / "learned", policy, made_card(data=(later,)), market=("volatility_ratio",), asset=("volatility_ratio",)
    )  # fmt: skip
    found = policy_review.compare(universe, policy_folder.read(str(folder), TODAY), PLAN, rules=RULES, portfolios=900)
    mine = found.verdicts[0]
    assert mine.decision == "do not deploy"
    assert mine.criteria[0].name == "unseen years"
    assert not mine.criteria[0].passed
    assert "prove nothing" in words(policy_backtest.verdict(found, origin)[0])


def test_a_changed_byte_is_refused_and_said(universe, folder, origin):
    weights = folder / "learned" / "weights.safetensors"
    body = bytearray(weights.read_bytes())
    body[-1] ^= 1
    weights.write_bytes(bytes(body))
    shelf = policy_folder.read(str(folder), TODAY)
    assert not shelf.policies
    found = policy_review.compare(universe, shelf, PLAN, rules=RULES)
    text = sound(sections(found, origin))
    assert "refused" in words(policy_backtest.verdict(found, origin)[0])
    assert "weights.safetensors" in text
    assert words(policy_card.exhibits(shelf, None, origin)[0]).count("refused") == 1


def test_a_policy_past_its_expiry_is_its_rule_with_an_event(universe, folder, origin):
    shelf = policy_folder.read(str(folder), date(2024, 1, 1))
    found = policy_review.compare(universe, shelf, PLAN, rules=RULES)
    assert not found.learned
    events = policy_backtest.trust(found, origin)[-1]
    assert "expired on 2023-01-03" in words(events)
    assert "expired" in words(policy_backtest.verdict(found, origin)[0])
    card = policy_card.exhibits(shelf, shelf.named(), origin)
    assert "Expired" in words(card[0])


def test_without_learned_policies_the_rules_are_compared_all_the_same(universe, origin):
    found = policy_review.compare(universe, Shelf("none", (), ()), PLAN, rules=RULES)
    assert [verdict.candidate for verdict in found.verdicts] == [TUNED]
    assert "No learned policy was run" in sound(sections(found, origin))


def test_a_folder_that_is_not_there_and_an_unknown_name_are_errors(tmp_path, shelf):
    with pytest.raises(ParameterError, match="no such folder"):
        policy_folder.read(str(tmp_path / "nowhere"), TODAY)
    with pytest.raises(ParameterError, match="there are"):
        shelf.named("another")


def test_a_chapter_that_compares_nothing_says_why(origin):
    nothing = NotCompared("The policies could not be compared: 40 sessions.")
    exhibits = sections(nothing, origin) + policy_backtest.reference(nothing, origin)
    assert [exhibit.id for exhibit in exhibits] == ["policy-verdict"]
    assert "40 sessions" in words(exhibits[0])


def test_a_card_is_a_chapter_and_hostile_text_stays_text(shelf, origin):
    exhibits = policy_card.exhibits(shelf, shelf.named(), origin)
    text = sound(exhibits)
    assert "1 of 2 years" in text
    assert HOSTILE in text  # escaped when the page is made, never dropped
    assert "Failed: planted signal." in text


def test_a_learned_policy_is_explained_on_the_universe(universe, shelf, origin):
    policy = shelf.named()
    known = signals(universe)
    look = policy_learned.last_look(universe, known, policy.fallback)
    assert look.seen.weight.sum() == pytest.approx(1.0)
    assert look.positions[-1] == "cash"
    settings = origin.settings("x", ("prices",))
    found = policy_explained.fidelities(universe, known, policy)
    exhibits = [
        policy_learned.action_map(policy, known, look, settings, origin),
        policy_learned.rule_instead(policy, policy.fallback, look, 1e6, settings, origin),
        policy_explained.stand_ins(policy.name, found, settings, origin),
    ]
    sound(exhibits)
    assert 0 < len(exhibits[1].body.rows) <= universe.positions


def test_no_trade_means_nothing_is_instead(universe, shelf, origin):
    rule = shelf.named().fallback
    look = policy_learned.last_look(universe, signals(universe), rule)
    exhibit = policy_learned.rule_instead(rule, rule, look, 1e6, origin.settings("x", ("prices",)), origin)
    assert "do the same" in exhibit.takeaway
    assert exhibit.facts[-1].value == pytest.approx(0.0, abs=1e-9)


def bench(universe):
    return policy_lab.Bench(universe, signals(universe), Plan().costs, 5.0, 1.0, 1)


@pytest.mark.parametrize("family", ["band", "quadratic", "calendar"])
def test_a_sweep_rings_the_cheapest_of_what_it_tried(universe, origin, family):
    (exhibit,) = policy_lab.sweep(bench(universe), family, origin)
    sound([exhibit])
    trace, ring = exhibit.body.figure["data"][0], exhibit.body.figure["layout"]["shapes"][0]
    row, column = round(ring["y0"] + 0.5), round(ring["x0"] + 0.5)
    values = np.array(trace["z"], float)
    assert values[row, column] == values.min()
    assert exhibit.fact("policy.sweep.least").value == pytest.approx(values.min())


def test_an_unknown_family_is_named(universe, origin):
    with pytest.raises(ParameterError, match="calendar"):
        policy_lab.sweep(bench(universe), "momentum", origin)


def test_the_bench_compares_any_policy_and_a_name_counts_once(universe, origin):
    frontier, table = policy_lab.compare(bench(universe), [Quadratic(1.0), *RULES], origin, named=["quadratic, 1 y"])
    sound([frontier, table])
    assert len(table.body.rows) == len(RULES)
    totals = [exhibit for exhibit in table.facts if exhibit.id.endswith(".total_bp")]
    assert [fact.value for fact in totals] == sorted(fact.value for fact in totals)


def test_tracking_error_is_the_root_behind_the_loss():
    runs = pd.DataFrame(
        {"policy": ["a", "a"], "cost_multiple": 1.0, "delay": 1, "offset": [0, 1], "tracking_loss_bp": [2.0, 4.0]}
    )
    error = policy_costs.tranches(runs, 5.0)["tracking_error"].iloc[0]
    assert 1e4 * 0.5 * 5.0 * error**2 == pytest.approx(3.0)


def test_training_says_what_is_missing_and_never_overwrites(monkeypatch, tmp_path, origin):
    with pytest.raises(ParameterError, match="is there already"):
        policy_training.train(None, policy_training.Job(out=str(tmp_path)))
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    trained = policy_training.train(None, policy_training.Job())
    (exhibit,) = policy_training.exhibits(trained, origin)
    assert "make lab" in words(exhibit)


def test_a_short_training_leaves_a_draft_that_can_be_read(tmp_path, origin):
    pytest.importorskip("torch", reason="training needs torch: make lab")
    job = policy_training.Job("factors", seeds=1, windows=1, steps=1, out=str(tmp_path / "draft"))
    short = {"_PATHS": 4, "_YEARS": 2}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in short.items():
            patch.setattr(policy_training, name, value)
        trained = policy_training.train(None, job)
    text = sound(policy_training.exhibits(trained, origin))
    if trained.why:  # the history is shorter than the standard windows: said, not raised
        assert "sessions" in text
        return
    shelf = policy_folder.read(job.out, TODAY)
    assert shelf.named().content_hash == trained.content_hash
    assert shelf.named().status == "draft"


@pytest.mark.parametrize(
    ("name", "parameters", "said"),
    [
        ("policy_backtest", {"policies": "none"}, "sessions"),
        ("policy_lab", {}, "sessions"),
        ("policy_card", {"policies": "none"}, "No folder of policies"),
        ("policy_training", {"universe": "firm"}, "sessions"),
    ],
)
def test_a_firm_with_three_sessions_gets_a_sentence(chapter, small, name, parameters, said):
    shown = chapter(name, small, **parameters)
    assert said in sound(shown.exhibits)

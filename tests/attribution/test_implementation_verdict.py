"""Who is blamed, who is not, and what is said where the data cannot tell."""

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.simulated_gaps import Firm, naive_p, simulate
from workbench.attribution.implementation import (
    Inference,
    Panel,
    benjamini_hochberg,
    comparisons,
    fit,
    judge,
    naive,
    overlap,
    permute,
    weigh,
)
from workbench.attribution.implementation.precision import moderated
from workbench.errors import ParameterError


def judged(frame, seed=1, draws=499, **options):
    return judge(Panel.of(frame), np.random.default_rng(seed), draws=draws, **options)


def firm(seed, effect=0.0, **changes):
    return simulate(Firm(**changes), np.random.default_rng(seed), effect)


def test_a_costly_custodian_is_named_with_its_size_and_interval():
    verdict = judged(firm(4, effect=-8.0))
    (guilty,) = [effect for effect in verdict.custodians if effect.blamed]
    assert guilty.key == "CUS3"
    assert guilty.estimate.low < -8.0 < guilty.estimate.high
    assert "custodian" in verdict.kinds
    assert "Custodian CUS3: accounts there earn" in verdict.sentence()
    assert f"{verdict.tests} tests" in verdict.sentence()


def test_a_costly_advisor_is_named_and_the_custodian_it_prefers_is_not():
    frame = firm(5, advisor_sd=0.3)
    frame.loc[frame["advisor_id"] == "ADV1", "gap"] -= 12.0
    verdict = judged(frame)
    assert [effect.key for effect in verdict.blamed] == ["ADV1"]
    (guilty,) = verdict.blamed
    assert guilty.unshrunken.value < guilty.estimate.value < 0.0
    assert naive_p(frame) < 0.05


def test_what_all_share_is_systemic():
    verdict = judged(firm(16, mean=-15.0, advisor_sd=0.5))
    assert verdict.kinds == ("systemic",)
    assert verdict.sentence().startswith("Systemic: whoever advises and holds them, accounts earn")


def test_the_means_interval_holds_the_truth_as_often_as_it_says():
    held, times = 0, 80
    for random in np.random.default_rng(77).spawn(times):
        inference = Inference(fit(Panel.of(simulate(Firm(accounts=60, advisors=4, months=12), random)), tests=False))
        mean = inference.estimate(inference.weights(custodians=np.full(3, 1.0 / 3.0)))
        held += mean.low < -2.0 < mean.high
    assert 0.88 * times <= held <= times


def test_noise_alone_is_not_distinguishable_and_says_what_would_have_been_seen():
    verdict = judged(firm(9, mean=0.0, advisor_sd=0.0, month_sd=1.0))
    assert verdict.kinds == ("not distinguishable",)
    assert verdict.sentence().startswith("Not distinguishable: no shortfall can be laid at")
    assert "four chances in five" in verdict.sentence()


def test_few_innocent_custodians_are_blamed_and_the_guilty_found():
    # The full simulation of 300 firms is benchmarks/implementation.py; this one only sees that nothing broke.
    blamed = naively = found = 0
    for seed in range(40):
        frame = firm(1000 + seed)
        verdict = judged(frame, seed, 199)
        blamed += any(effect.blamed or effect.better for effect in verdict.custodians)
        naively += naive_p(frame) <= 0.05
        guilty = judged(firm(2000 + seed, effect=-4.0), seed, 199)
        found += any(effect.blamed for effect in guilty.custodians if effect.key == "CUS3")
    assert blamed <= 4
    assert naively >= 12
    assert found >= 34


def test_an_advisor_alone_at_a_custodian_is_not_told_from_it():
    frame = firm(7, advisors=3, custodians=3, preferred=1.0, effect=-20.0)
    verdict = judged(frame)
    assert not [effect for effect in verdict.custodians if effect.blamed]
    assert all(effect.permutation_p is None and effect.comparisons == 0.0 for effect in verdict.custodians)
    assert len(verdict.inseparable) == 3
    assert "cannot tell custodian CUS1 and advisor ADV1 apart" in verdict.sentence()
    assert not verdict.permutation.possible


def test_two_advisors_wholly_at_one_custodian_can_shift_blame_to_nobody():
    frame = firm(8, advisors=12, custodians=2, preferred=1.0, advisor_sd=0.0, effect=-20.0)
    verdict = judged(frame)
    assert not [effect for effect in verdict.custodians if effect.blamed]
    assert [effect.key for effect in verdict.custodians if effect.unconfirmed] == ["CUS2"]
    assert "not distinguishable" in verdict.sentence()


@pytest.mark.parametrize("column", ["advisor_id", "custodian_id", "account_id", "month"])
def test_one_of_a_kind_still_gives_a_verdict(column):
    frame = firm(3, accounts=40, months=12)
    verdict = judged(frame[frame[column] == frame[column].iloc[0]])
    assert verdict.kinds
    assert verdict.fit.notes
    assert "nan" not in verdict.sentence().lower()
    assert np.isfinite([verdict.systemic.value, verdict.systemic.low, verdict.systemic.high]).all()


def test_the_sentence_has_no_figure_without_digits_and_no_ascii_minus():
    text = judged(firm(4, effect=-8.0)).sentence()
    assert "-" not in text.replace("Benjamini-Hochberg", "")
    assert "  " not in text


def test_what_is_too_small_is_nobodys_blame():
    tiny = firm(4, effect=-8.0).assign(gap=lambda frame: frame["gap"] / 100.0)
    assert judged(tiny).kinds == ("not distinguishable",)
    assert "custodian" in judged(tiny, least=0.01).kinds


def test_beside_a_named_custodian_the_mean_gap_is_that_of_the_others():
    for seed in range(30, 45):
        verdict = judged(firm(seed, effect=-10.0, mean=-0.5), draws=99)
        text = verdict.sentence()
        if "which could be chance" in text and "custodian" in verdict.kinds:
            assert "The mean gap at the other custodians is" in text
            assert verdict.systemic.low < 0.0 < verdict.systemic.high
            return
    raise AssertionError("no such firm among fifteen")


def test_accounts_ahead_of_their_models_are_nobodys_shortfall():
    verdict = judged(firm(6, mean=15.0, advisor_sd=0.5))
    assert verdict.kinds == ("not distinguishable",)
    assert "ahead of their models by" in verdict.sentence()


def test_alpha_and_draws_are_checked():
    frame = firm(3, accounts=40, months=12)
    with pytest.raises(ParameterError, match="alpha"):
        judged(frame, alpha=0.7)
    with pytest.raises(ParameterError, match="least"):
        judged(frame, least=-1.0)
    with pytest.raises(ParameterError, match="draw"):
        judged(frame, draws=0)


def test_the_exchange_is_the_full_enumeration_where_that_is_possible():
    rows = [("A1", "C1", -9.0), ("A2", "C1", -7.0), ("A3", "C2", 1.0), ("A4", "C2", 2.5), ("A5", "C2", 0.5)]
    frame = pd.DataFrame([
        {"account_id": account, "advisor_id": "V", "custodian_id": custodian, "month": month, "gap": gap + wave}
        for account, custodian, gap in rows for month, wave in ((1, -0.1), (2, 0.1))
    ])  # fmt: skip
    panel = Panel.of(frame)
    result = permute(fit(panel), np.random.default_rng(0), draws=20_000)
    means = np.array([gap for _, _, gap in rows])
    differences = []
    for here in itertools.combinations(range(5), 2):
        inside = np.isin(np.arange(5), here)
        differences.append(abs(means[inside].mean() - means[~inside].mean()))
    exact = np.mean(np.array(differences) >= differences[0] - 1e-9)
    assert result.difference[0] == pytest.approx(means[:2].mean() - means[2:].mean(), rel=1e-6)
    assert result.smallest_p == pytest.approx(exact, abs=0.01)
    assert result.arrangements == pytest.approx(np.log10(10.0))


def test_exchange_p_is_uniform_where_custodians_do_not_matter():
    p = []
    for seed in range(120):
        frame = firm(500 + seed, accounts=60, advisors=4, months=8)
        p.append(permute(fit(Panel.of(frame), tests=False), np.random.default_rng(seed), 99).smallest_p)
    assert 0.0 <= np.mean(np.array(p) <= 0.1) <= 0.19
    assert 0.38 <= np.mean(np.array(p) <= 0.5) <= 0.62


def test_the_exchange_does_not_depend_on_how_custodians_are_called():
    frame = firm(12, accounts=60, months=8)
    other = frame.assign(custodian_id=frame["custodian_id"].map({"CUS1": "Z", "CUS2": "Y", "CUS3": "X"}))
    first, second = (permute(fit(Panel.of(f)), np.random.default_rng(2), 999) for f in (frame, other))
    np.testing.assert_allclose(first.difference, second.difference[::-1], rtol=1e-4)
    np.testing.assert_allclose(first.p, second.p[::-1], atol=0.05)


MODELS = {"models": 4, "model_month_sd": 10.0, "model_sd": 6.0, "tilt": 0.8}


def test_what_a_models_accounts_share_is_no_custodians_fault():
    """Each custodian's accounts follow one model mostly; models that differ make an innocent one look poor."""
    blamed = without = 0
    for seed in range(20):
        frame = firm(3000 + seed, advisor_sd=1.0, **MODELS)
        blamed += any(effect.blamed or effect.better for effect in judged(frame, seed, 199).custodians)
        blind = judged(frame.drop(columns="model_id"), seed, 199)
        without += any(effect.blamed or effect.better for effect in blind.custodians)
    assert blamed <= 3
    assert without >= 10


def test_models_with_few_accounts_are_taken_together():
    frame = firm(3, accounts=60, months=8, models=2)
    rare = frame["account_id"].isin(["A1", "A2"])
    panel = Panel.of(frame.assign(model_id=frame["model_id"].where(~rare, "R" + frame["account_id"])))
    assert list(panel.models) == ["M1", "M2", "small models"]
    assert panel.small_models == ("RA1", "RA2")
    with pytest.raises(ParameterError, match="changed model_id"):
        Panel.of(frame.assign(model_id=[f"M{i % 2}" for i in range(len(frame))]))


def test_a_model_followed_at_one_custodian_alone_is_not_laid_at_it():
    frame = firm(5, advisor_sd=0.5)
    there = frame["custodian_id"] == "CUS3"
    frame = frame.assign(model_id=np.where(there, "OWN", "ALL"), gap=frame["gap"] - 12.0 * there)
    verdict = judged(frame)
    assert not any(effect.blamed for effect in verdict.custodians)
    assert any("one custodian alone" in note for note in verdict.fit.notes)


def test_accounts_alike_count_alike_and_one_that_strays_counts_little():
    frame = firm(3, accounts=80, months=24)
    assert (weigh(Panel.of(frame)).precision == 1.0).all()
    wild = frame["account_id"] == "A7"
    noise = np.random.default_rng(1).normal(0.0, 400.0, len(frame))
    panel = weigh(Panel.of(frame.assign(gap=frame["gap"] + noise * wild)))
    place = list(panel.accounts).index("A7")
    assert panel.precision[place] < 0.01
    assert np.median(np.delete(panel.precision, place)) == pytest.approx(1.0, abs=0.2)


@pytest.mark.parametrize("outlier", [5_000.0, -5_000.0])
def test_one_wild_month_of_one_account_does_not_decide(outlier):
    for frame in (firm(4, effect=-8.0), firm(9, mean=0.0, advisor_sd=0.0, month_sd=1.0)):
        wild = frame.copy()
        row = wild.index[(wild["custodian_id"] == "CUS1") & (wild["advisor_id"] == "ADV1")][5]
        wild.loc[row, "gap"] += outlier
        first, second = judged(frame), judged(wild)
        assert [effect.key for effect in first.blamed] == [effect.key for effect in second.blamed]
        for ours, theirs in zip(first.custodians, second.custodians, strict=True):
            assert ours.estimate.value == pytest.approx(theirs.estimate.value, abs=0.6)


def test_errors_whose_size_differs_are_found_out_and_power_gained():
    ours = plain = 0
    for seed in range(20):
        panel = Panel.of(firm(4000 + seed, effect=-4.0, spread=1.0))
        weighed, flat = weigh(panel), replace(panel, precision=np.full(len(panel.accounts), 1.0 + 1e-9))
        ours += any(e.blamed for e in judge(weighed, np.random.default_rng(seed), draws=199).custodians)
        plain += any(e.blamed for e in judge(flat, np.random.default_rng(seed), draws=199).custodians)
    assert ours >= plain + 3


@given(st.lists(st.floats(0.1, 1e4), min_size=3, max_size=30), st.integers(2, 40))
def test_moderated_variances_lie_between_their_own_and_the_common_one(variances, freedom):
    own = np.array(variances)
    drawn = moderated(own * freedom, np.full(len(own), float(freedom)))
    assert (np.diff(drawn[np.argsort(own)]) >= -1e-9 * drawn.max()).all()
    assert drawn.max() / drawn.min() <= own.max() / own.min() * (1.0 + 1e-9)
    none = moderated(np.append(own * freedom, 0.0), np.append(np.full(len(own), float(freedom)), 0.0))
    assert np.isfinite(none).all()


def test_advisors_nobody_can_compare_have_no_smallest_effect():
    frame = firm(8, advisors=4, custodians=3, preferred=1.0)
    effects = judged(frame).advisors
    assert all(effect.detectable is None and effect.unshrunken is None for effect in effects)
    assert not any(effect.blamed for effect in effects)


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=20))
def test_adjusted_p_are_those_of_benjamini_and_hochberg(p):
    adjusted = benjamini_hochberg(p)
    values = np.array(p)
    for place, value in enumerate(values):
        least = min((q * len(p) / (values <= q).sum() for q in values[values >= value]), default=1.0)
        assert adjusted[place] == pytest.approx(min(1.0, least))


def test_comparisons_are_what_two_means_are_worth():
    table = np.array([[10.0, 10.0], [7.0, 0.0]])
    assert comparisons(table).tolist() == [5.0, 5.0]
    assert comparisons(table.T)[1] == pytest.approx(7 * 10 / 17)
    panel = Panel.of(firm(3, accounts=40, months=12))
    assert overlap(panel).sum() == 40


def test_the_simple_average_blames_the_custodian_of_a_poor_advisor():
    frame = firm(5, advisor_sd=0.3)
    frame.loc[frame["advisor_id"] == "ADV1", "gap"] -= 12.0
    found = naive(Panel.of(frame))
    assert found.lowest == "CUS1"
    assert found.p < 0.05
    assert found.p == pytest.approx(naive_p(frame), rel=1e-9)
    assert naive(Panel.of(frame.assign(custodian_id="C"))) is None

"""The implementation chapter as a committee meets it, and what stands where there is nothing to compare."""

import json

import numpy as np
import pandas as pd
import pytest

from benchmarks.simulated_gaps import Firm, simulate
from workbench.attribution.implementation import Gaps, study
from workbench.exhibits import implementation as verdicts
from workbench.exhibits import implementation_evidence as evidence
from workbench.exhibits import implementation_models as models
from workbench.firm import demo

from .conftest import run_chapter, words

IDS = (
    "verdict", "summary", "variance", "custodians", "explained", "exchange", "naive", "advisors", "overlap", "models",
    "sleeves", "months", "causes", "accounts", "left-out",
)  # fmt: skip


def made(effect=0.0, seed=1, change=None, **firm):
    """A study of simulated gaps with covariates, fees at the last custodian where it costs."""
    random = np.random.default_rng(seed)
    frame = simulate(Firm(**{"accounts": 120, "months": 18, **firm}), random, effect)
    late = random.exponential(0.2, len(frame))
    fees = effect * (frame["custodian_id"] == frame["custodian_id"].max())
    frame = frame.assign(
        month=pd.Timestamp("2021-01-31") + frame["month"].map(lambda n: pd.offsets.MonthEnd(n)), model_id="M",
        net=frame["gap"], gross=frame["gap"] - fees, fees=fees, trade_lag=late,
        cash_drag=random.normal(0, 2, len(frame)),
        restrictions=random.uniform(0, 0.1, len(frame)), tax_locks=random.uniform(0, 0.1, len(frame)),
    ).drop(columns="gap")  # fmt: skip
    frame = frame if change is None else change(frame)
    left_out = pd.DataFrame({"account_id": ["A<script>"], "reason": ["no model"]})
    return study(Gaps(frame, left_out), np.random.default_rng(2), draws=199)


def everything(found, origin):
    return [
        verdicts.verdict(found, origin), verdicts.summary(found, origin), verdicts.variance_figure(found, origin),
        verdicts.custodian_figure(found, origin), verdicts.explained_table(found, origin),
        evidence.permutation_figure(found, origin), evidence.naive_comparison(found, origin),
        verdicts.advisor_figure(found, origin), evidence.overlap_table(found, origin),
        models.model_table(found, origin), evidence.month_figure(found, origin),
        evidence.covariate_table(found, origin),
        evidence.account_table(found, origin, 5), evidence.left_out_table(found, origin),
    ]  # fmt: skip


def sound(exhibits):
    text = "\n".join(map(words, exhibits))
    assert "nan" not in text.lower().replace("finan", "")
    for exhibit in exhibits:
        assert "NaN" not in json.dumps(exhibit.to_json(), allow_nan=False)
        assert exhibit.takeaway == "" or exhibit.takeaway.rstrip()[-1] in ".:"
        assert "  " not in exhibit.takeaway
    return text


@pytest.fixture(scope="module")
def chapter(tmp_path_factory):
    firm = demo.build_firm(tmp_path_factory.mktemp("implementation") / "firm", accounts=60)
    return run_chapter("implementation_variance", firm, months=24, draws=199)


def test_the_chapter_of_the_demo_firm_is_whole(chapter):
    assert [exhibit.id for exhibit in chapter.exhibits] == [f"implementation-{id}" for id in IDS]
    sound(chapter.exhibits)
    assert chapter.facts
    for exhibit in chapter.exhibits:
        assert exhibit.settings is not None or exhibit.id == "implementation-verdict" or not exhibit.facts


def test_a_costly_custodian_heads_the_box_and_its_fees_are_named(origin):
    found = made(-12.0)
    exhibits = everything(found, origin)
    text = sound(exhibits)
    assert exhibits[0].title.startswith("Verdict: custodian CUS3")
    assert exhibits[0].body.tone == "decision"
    assert "What CUS3's shortfall consists of, a month: fees 12.0" in text
    assert "falls short" in text
    assert "A simple average would have blamed it too" in text


def test_nothing_to_blame_is_said_without_alarm(origin):
    found = made(0.0, mean=0.0, advisor_sd=0.0, month_sd=1.0)
    exhibits = everything(found, origin)
    text = sound(exhibits)
    assert exhibits[0].title == "Verdict: not distinguishable"
    assert exhibits[0].body.tone == "neutral"
    assert "Not distinguishable" in text


@pytest.mark.parametrize("column", ["advisor_id", "custodian_id", "account_id", "month"])
def test_one_of_a_kind_leaves_a_whole_chapter(column, origin):
    found = made(change=lambda frame: frame[frame[column] == frame[column].iloc[0]])
    sound(everything(found, origin))


def test_custodians_that_share_all_accounts_with_an_advisor_are_said_not_to_be_told_apart(origin):
    found = made(-20.0, advisors=3, preferred=1.0)
    text = sound(everything(found, origin))
    assert "cannot tell custodian CUS1 and advisor ADV1 apart" in text
    assert "cannot be exchanged" in text
    assert "cannot be told apart" in text


def test_sleeves_are_judged_alone_and_named(origin):
    poor, fine = made(-20.0).total, made(0.0, mean=0.0, advisor_sd=0.0, month_sd=1.0).total
    exhibit = evidence.sleeve_table({"EQ": poor, "FI": fine}, {"EQ": "Shares", "FI": "Bonds"}, origin)
    text = sound([exhibit])
    assert "custodian CUS3" in text
    assert text.splitlines()[1] == "The gap can be laid at custodian CUS3 and what all accounts share in Shares."
    sound([evidence.sleeve_table({}, {}, origin)])


def test_hostile_names_stay_text(origin):
    found = made(-12.0, change=lambda f: f.assign(custodian_id="<b>=1+1</b>" + f["custodian_id"]))
    for exhibit in everything(found, origin):
        figure = json.dumps(exhibit.to_json().get("body", {}).get("figure", {}))
        assert "<b>=1" not in figure

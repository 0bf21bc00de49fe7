"""A commentary says what its record says, whatever the record is, and gives a reason only where its rule holds."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.drafting.reasons.performance import CLAIMS
from workbench.drafting.sheets.performance import EFFECTS, Held, Period, Record, SleeveEffects, Year, sheet
from workbench.drafting.writer import write
from workbench.errors import DraftError

NAMES = ("Balanced", "Cash & Carry 2030", "Quarter to date", "<b>Growth</b>", "60/40 | Income", "Fees")
WORDS = {
    "quarter": "the quarter to date",
    "year": "the year to date",
    "years_3": "3 years",
    "since": "the whole record",
}
RETURNS = st.floats(-0.6, 0.9) | st.sampled_from((0.0, 1e-9, -1e-9, 0.0004, -0.0004))
EFFECT = st.floats(-0.05, 0.05) | st.sampled_from((0.0, 1e-19, -1e-19, 0.00004, -0.000049))


def period(name, net, benchmark, fees=0.001, choice=0.0):
    excess = net - benchmark
    returns = {"net": net, "gross": net + fees, "benchmark": benchmark, "excess": excess, "fees": fees}
    returns |= {"choice": choice, "implementation": excess - choice}
    return Period(name, WORDS[name], "2022-09-30", name == "years_3", returns)


def record(*periods, name="Balanced", flow=120_000.0, year=None):
    return Record("BAL", "bal", name, "2012-05-31", periods, 68e6, 124, flow, 105_800.0, year)


def effects(values, sleeves, held=None):
    parts = {name: (f"Sleeve {name}", {"allocation": a, "selection": b, "total": a + b}) for name, a, b in sleeves}
    return SleeveEffects(
        "sleeves.bal.quarter",
        "quarter",
        WORDS["quarter"],
        "2022-09-30",
        0.06,
        0.05,
        dict(zip(EFFECTS, values, strict=True)),
        parts,
        held or {},
    )


def drafted(record, *effects):
    return write(sheet(record, effects, "2022-12-28", "0123456789", "Harrow Wealth"), "commentary", CLAIMS)


@st.composite
def records(draw):
    periods = [period(name, draw(RETURNS), draw(RETURNS), choice=draw(EFFECT)) for name in WORDS]
    year = Year(
        "composite.bal.2021", "2021", 12, draw(st.floats(0.0, 0.2)), -0.02, 0.31, 0.08, draw(st.floats(0.0, 0.3))
    )
    flow = draw(st.floats(-1e7, 1e7) | st.just(0.0))
    return record(*periods[: draw(st.integers(1, 4))], name=draw(st.sampled_from(NAMES)), flow=flow, year=year)


WEIGHT = st.floats(0.0, 1.0) | st.sampled_from((0.0, 1.0))
HELD = st.builds(Held, WEIGHT, WEIGHT, st.none() | RETURNS, st.none() | RETURNS)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(records(), st.lists(EFFECT, min_size=9, max_size=9), st.lists(st.tuples(EFFECT, EFFECT, HELD), max_size=5))
def test_every_record_makes_a_draft_that_is_wholly_supported(made, values, parts):
    sleeves = sorted(((f"s{n}", a, b) for n, (a, b, _) in enumerate(parts)), key=lambda row: row[1] + row[2])
    held = {f"s{n}": one for n, (_, _, one) in enumerate(parts)}
    assert drafted(made, effects(values, sleeves, held)).report.supported


@pytest.mark.parametrize(
    ("allocation", "weight", "policy", "benchmark", "said"),
    [
        (-0.01, 0.2, 0.4, 0.10, "The model held less of it than the policy, and it did better than"),
        (0.01, 0.2, 0.4, 0.01, "The model held less of it than the policy, and it did worse than"),
        (0.01, 0.4, 0.2, 0.10, "The model held more of it than the policy, and it did better than"),
        (-0.01, 0.4, 0.2, 0.01, "The model held more of it than the policy, and it did worse than"),
        (-0.01, 0.4, 0.2, 0.10, ""),  # the average hides how weights moved
        (-0.01, 0.2, 0.2, 0.01, ""),
    ],
)
def test_a_sleeves_weight_is_a_reason_only_where_effect_and_returns_agree(allocation, weight, policy, benchmark, said):
    held = {"core": Held(weight, policy, 0.05, benchmark)}
    made = effects([0.0] * 9, [("core", allocation, 0.0)], held)
    text = drafted(record(period("quarter", 0.06, 0.05)), made).text
    assert said in text
    assert ("The model held " in text) == bool(said)


def test_a_swapped_sleeve_weight_is_caught():
    made = effects([0.0] * 9, [("core", -0.01, 0.0)], {"core": Held(0.281, 0.393, 0.126, 0.143)})
    draft = drafted(record(period("quarter", 0.06, 0.05)), made)
    assert "the model held 28.1% of it on average, the policy held 39.3%" in draft.text
    for right, wrong in (("28.1%", "39.3%"), ("it gained 12.6%", "it gained 14.3%"), ("it gained", "it lost")):
        assert not draft.edited(draft.text.replace(right, wrong, 1)).report.supported


def test_the_quarter_stands_first_with_its_side():
    text = drafted(record(period("quarter", 0.0622, 0.0512), period("year", -0.0471, -0.0249))).text
    assert text.startswith(
        "Accounts on Balanced gained 6.22% after fees over the quarter to date, 1.10 percentage points ahead of the "
        "benchmark. They lost 4.71% after fees over the year to date, 2.22 percentage points behind the benchmark."
    )


def test_a_slight_difference_is_level():
    text = drafted(record(period("quarter", 0.0622, 0.0624))).text
    assert "over the quarter to date, level with the benchmark." in text


@pytest.mark.parametrize(
    ("choice", "excess", "said"),
    [
        (0.02, 0.01, "it is ahead."),
        (-0.02, -0.01, "it is behind."),
        (-0.001, -0.01, "how the model was carried out"),
        (0.01, 0.0001, "went opposite ways"),
    ],
)
def test_the_reason_follows_the_larger_part(choice, excess, said):
    reasons = {"it is ahead.", "it is behind.", "how the model was carried out", "went opposite ways"}
    text = drafted(record(period("quarter", 0.05 + excess, 0.05, choice=choice))).text
    assert {reason for reason in reasons if reason in text} == {said}


def test_a_reason_that_does_not_hold_is_refused():
    made = sheet(record(period("quarter", 0.06, 0.05, choice=0.02)), (), "2022-12-28", "0123456789", "Harrow Wealth")
    with pytest.raises(DraftError, match="does not hold"):
        CLAIMS["commentary.model_behind"].skeleton(made, "performance.bal")


def test_a_record_without_a_quarter_says_so():
    assert "have no record over the quarter yet" in drafted(record(period("since", 0.01, 0.02))).text


def test_another_persons_figure_is_caught():
    draft = drafted(record(period("quarter", 0.0622, 0.0512), period("year", -0.0471, -0.0249)))
    swapped = draft.text.replace("6.22%", "4.71%", 1)
    assert not draft.edited(swapped).report.supported
    assert not draft.edited(draft.text.replace("ahead of", "behind", 1)).report.supported

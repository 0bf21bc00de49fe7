"""The memo's reasons hold where the facts bear them and nowhere else."""

import pytest

from workbench.drafting import FactSheet
from workbench.drafting.reasons.committee import CLAIMS
from workbench.drafting.sheets.gathering import Gathering, Reading

READING = Reading("made_up", ("accounts",))


def sheet(**values: float) -> FactSheet:
    """A sheet of figures by identifier, `__` for a dot."""
    facts = Gathering("memo", "2022-12-28", "2022-12-28", "0123456789")
    house = facts.entity("firm", "firm", "Harrow Wealth")
    for name, value in values.items():
        facts.fact(name.replace("__", "."), "number", value, "review_score", READING, name, of=(house,))
    return facts.sheet((house,))


def held(made: FactSheet, start: str, prefix: str = "") -> set[str]:
    return {name for name, claim in CLAIMS.items() if name.startswith(start) and claim.holds(made, prefix)}


@pytest.mark.parametrize(
    ("market", "overrides", "expected"),
    [
        (0.6, 0.4, {"drift.mainly_market"}),
        (0.39, 0.35, set()),
        (0.1, 0.9, {"drift.mainly_overrides"}),
    ],
)
def test_a_cause_is_the_main_one_only_where_it_is(market, overrides, expected):
    made = sheet(drift__cause__market=market, drift__cause__overrides=overrides)
    assert held(made, "drift.mainly") == expected


@pytest.mark.parametrize(
    ("low", "gain", "high", "passed", "expected"),
    [
        (-3.0, -2.0, -1.0, 3, "evidence.loses"),
        (-3.0, -1.0, 1.0, 3, "evidence.no_gain"),
        (-1.0, 1.0, 3.0, 9, "evidence.not_enough"),
        (1.0, 2.0, 3.0, 9, "evidence.not_robust"),
        (1.0, 2.0, 3.0, 11, "evidence.passes"),
    ],
)
def test_a_policy_is_judged_no_better_than_its_evidence(low, gain, high, passed, expected):
    figures = {"gain__low": low, "gain": gain, "gain__high": high, "passed": passed, "criteria": 11}
    made = sheet(**{f"policy__x__{name}": value for name, value in figures.items()})
    assert held(made, "evidence", "policy.x") == {expected}


def test_nobody_is_cleared_where_somebody_is_named():
    assert "implementation.nobody" in held(sheet(), "implementation")
    assert "implementation.nobody" not in held(sheet(**{"implementation__blamed__c1__value": -2.0}), "implementation")


@pytest.mark.parametrize(("model", "rest", "expected"), [(-2.0, 1.0, "models"), (1.0, -2.0, "implementation")])
def test_the_larger_part_is_named(model, rest, expected):
    made = sheet(sleeves__firm__model=model, sleeves__firm__implementation=rest)
    assert held(made, "difference") == {f"difference.{expected}"}


@pytest.mark.parametrize(
    ("timing", "fees", "expected"), [(-0.01, -0.002, True), (-0.001, -0.002, False), (-0.0001, 0.0, False)]
)
def test_weights_are_to_be_explained_where_they_cost_most(timing, fees, expected):
    made = sheet(sleeves__firm__timing=timing, sleeves__firm__fees=fees)
    assert ("act.weights" in held(made, "act")) == expected


@pytest.mark.parametrize(("model", "total", "expected"), [(-0.01, -0.02, True), (0.01, -0.02, False)])
def test_only_the_costliest_sleeve_of_costly_decisions_is_gone_over(model, total, expected):
    figures = {"sleeves__firm__sleeve__x__total": total, "sleeves__firm__sleeve__y__total": -0.001}
    made = sheet(sleeves__firm__model=model, **figures)
    assert ("act.sleeve" in held(made, "act", "sleeves.firm.sleeve.x")) == expected
    assert "act.sleeve" not in held(made, "act", "sleeves.firm.sleeve.y")

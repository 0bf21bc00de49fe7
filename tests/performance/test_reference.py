"""Published return calculations and rules, as the shared reference file has them."""

import json

import numpy as np
import pytest

from workbench.performance import annualise, compound, dispersion, modified_dietz, money_weighted, time_weighted


@pytest.fixture(scope="module")
def cases(shared):
    path = shared / "reference" / "attribution_cases.json"
    if not path.is_file():
        pytest.skip(f"no reference cases at {path}")
    return {case["id"]: case for case in json.loads(path.read_text())["cases"]}


def test_every_case_of_returns_and_rules_is_tested(cases):
    kinds = {"return calculation", "rule"}
    ours = {"modified-dietz-wikipedia", "twr-mwr-four-shares", "gips-dispersion-rule"}
    assert {name for name, case in cases.items() if case["kind"] in kinds} == ours


def test_modified_dietz_and_the_rate_of_return(cases):
    case = cases["modified-dietz-wikipedia"]
    given, expected, tolerance = case["input"], case["expected"], case["tolerance"]
    flows = [flow["amount"] for flow in given["flows"]]
    times = [flow["time_fraction"] for flow in given["flows"]]
    dietz = modified_dietz(given["begin_value"], given["end_value"], flows, times)
    assert dietz == pytest.approx(expected["modified_dietz"], abs=tolerance)
    assert expected["gain"] / expected["average_capital"] == pytest.approx(dietz)
    paid = money_weighted([-given["begin_value"], -flows[0], given["end_value"]], years_per_period=given["years"] / 2)
    assert paid.annual == pytest.approx(expected["annual_irr"], abs=tolerance)
    assert paid.holding_period == pytest.approx(expected["holding_period_irr"], abs=tolerance)


def test_time_weighted_against_money_weighted(cases):
    case = cases["twr-mwr-four-shares"]
    given, expected = case["input"], case["expected"]
    assert money_weighted(given["cash_flows"]).annual == pytest.approx(expected["mwr"], abs=1e-12)
    total = compound(given["subperiod_returns"])
    assert annualise(total, len(given["subperiod_returns"])) == pytest.approx(expected["twr"], abs=1e-12)
    # The same shares as an account: 4 at $50, 2 sold at $50, a dividend of $5 a share and the sale at $80.
    earned = time_weighted([200.0, 100.0, 0.0], [-100.0, -170.0])
    np.testing.assert_allclose(earned, given["subperiod_returns"], atol=1e-12)
    assert money_weighted(given["cash_flows"]).annual == pytest.approx(0.2052, abs=case["tolerance"])


def test_dispersion(cases):
    case = cases["gips-dispersion-rule"]
    given, expected, tolerance = case["input"], case["expected"], case["tolerance"]
    first = dispersion(given["full_year_portfolio_returns"])
    assert (first.n, first.required, first.display) == tuple(
        expected["first"][key] for key in ("n", "required", "display")
    )
    for divisor, key in (("n", "equal_weighted_std_divisor_n"), ("n-1", "equal_weighted_std_divisor_n_minus_1")):
        second = dispersion(given["second_set_constructed"], divisor=divisor)
        assert (second.n, second.required) == (expected["second"]["n"], expected["second"]["required"])
        assert second.equal_weighted == pytest.approx(expected["second"][key], abs=tolerance)
        for name in ("high", "low", "range"):
            assert getattr(second, name) == pytest.approx(expected["second"][name], abs=tolerance)

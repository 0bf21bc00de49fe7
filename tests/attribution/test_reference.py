"""Worked examples with expected figures, kept outside the project; one test a case, by kind."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from workbench.attribution import brinson, link

SHARED = Path(os.environ.get("WORKBENCH_SHARED", Path(__file__).parents[3] / "shared"))
FILE = SHARED / "reference" / "attribution_cases.json"
CASES = json.loads(FILE.read_text())["cases"] if FILE.exists() else []
MINE = [case for case in CASES if case["kind"] not in ("return calculation", "rule")]
MODELS = {"BHB": "brinson-hood-beebower"}
SIDES = ("portfolio_weight", "portfolio_return", "benchmark_weight", "benchmark_return")


def near(value):
    return pytest.approx(value, rel=0, abs=1e-12)


def panels(periods):
    return [np.array([[row[name] for row in segments] for segments in periods]) for name in SIDES]


def named(groups, effects, names):
    return {
        group: dict(zip(names, values))
        for group, values in zip(groups, [[float(cell) for cell in row] for row in effects])
    }


def check_brinson(inputs, expected, method, **options):
    periods = [period["segments"] for period in inputs.get("periods", [inputs])]
    result = brinson(*panels(periods), model=MODELS.get(method, "brinson-fachler"), by_period=True, **options)
    two = brinson(*panels(periods), model=MODELS.get(method, "brinson-fachler"), effects=2, **options)
    groups = [row["name"] for row in periods[0]]
    by_group = named(groups, result.effects[0], result.names)
    folded = dict(zip(groups, two.effects[0, :, 1]))
    bhb = brinson(*panels(periods), model="brinson-hood-beebower", **options)
    totals = dict(zip(result.names, result.effects[0].sum(axis=0)))
    found = {
        "portfolio_return": result.portfolio[0],
        "benchmark_return": result.benchmark[0],
        "semi_notional_return": result.benchmark[0] + bhb.effects[0, :, 0].sum(),
        "excess": result.excess[0],
        "geometric_excess": result.excess[0],
        "selection_incl_interaction": two.effects[0, :, 1].sum(),
        "by_segment": by_group,
        "selection_by_segment": folded,
        "bf_allocation_by_segment": {group: row["allocation"] for group, row in by_group.items()},
        "bhb_allocation_by_segment": dict(zip(groups, bhb.effects[0, :, 0])),
        **{f"per_period_{name}": list(result.by_period[0].sum(axis=1)[:, i]) for i, name in enumerate(result.names)},
        **totals,
    }
    for name, value in expected.items():
        if name == "period_factors":
            continue  # of the linking: checked below
        if name == "by_segment":
            assert set(found[name]) == set(value)
            assert all(found[name][group] == near(row) for group, row in value.items())
        else:
            assert found[name] == near(value), name
    assert abs(result.residual[0]) < 1e-14


def check_linking(inputs, expected, method):
    names = [name for name in ("allocation", "selection", "interaction") if name in inputs]
    result = link(
        np.column_stack([inputs[name] for name in names]),
        inputs["portfolio_returns"],
        inputs["benchmark_returns"],
        method,
    )
    found = dict(zip(names, result.effects)) | {"excess": result.excess, "factors": list(result.factors)}
    for name, value in expected.items():
        assert found[name] == near(value), name


@pytest.mark.parametrize("case", MINE or [None], ids=lambda case: case["id"] if case else "none")
def test_case(shared, case):
    if case is None:
        pytest.skip(f"no worked examples at {FILE}")
    inputs, expected, method = case["input"], case["expected"], case["method"].split()[0]
    if "portfolio_returns" in inputs:
        return check_linking(inputs, expected, method)
    if case["kind"] != "multi-period linking":
        method = "Brinson-Fachler" if "bf_allocation_by_segment" in expected else method
        return check_brinson({"segments": inputs["segments"]}, expected, method)
    options = {"excess": "geometric"} if method == "geometric" else {"linking": method}
    check_brinson(inputs, expected, inputs["single_period_method"], **options)
    if "period_factors" in expected:
        weights, returns, neutral, against = panels([period["segments"] for period in inputs["periods"]])
        portfolio, benchmark = (weights * returns).sum(axis=1), (neutral * against).sum(axis=1)
        factors = link((portfolio - benchmark)[:, None], portfolio, benchmark, method).factors
        assert list(factors) == near(expected["period_factors"])

"""The same inputs through other packages: effects by group, linked, must agree."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from workbench.attribution import brinson, contribution

PERIODS, GROUPS = 12, 5
SEEDS = range(4)
pytestmark = pytest.mark.filterwarnings("ignore")


def sides(seed, off_benchmark=False):
    """One account with a short group and a cash group, and one that the benchmark holds at zero weight."""
    rng = np.random.default_rng(seed)
    weights, neutral = (rng.dirichlet(np.ones(GROUPS), PERIODS) for _ in range(2))
    returns, against = (rng.normal(0.01, 0.06, (PERIODS, GROUPS)) for _ in range(2))
    weights[:, 0] -= 0.5
    weights[:, 1] += 0.5
    returns[:, 4] = against[:, 4] = 0.001
    if off_benchmark:
        neutral[:, 3] += neutral[:, 2]
        neutral[:, 2] = 0
    return weights, returns, neutral, against


def performance(weights, returns):
    """One side in perfattr's long form."""
    ends = pd.date_range("2024-01-31", periods=PERIODS, freq="ME")
    return pd.DataFrame(
        {
            "from_date": (ends - pd.offsets.MonthBegin(1)).repeat(GROUPS),
            "thru_date": ends.repeat(GROUPS),
            "identifier": [f"G{i}" for i in range(GROUPS)] * PERIODS,
            "weight": weights.ravel(),
            "return": returns.ravel(),
            "quantity_of_days": ends.days_in_month.repeat(GROUPS),
        }
    )


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("linking", ["carino", "menchero", "frongello"])
@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("BRINSON_FACHLER_THREE_EFFECT", {}),
        ("BRINSON_FACHLER_TWO_EFFECT", {"effects": 2}),
        ("BRINSON_HOOD_BEEBOWER_THREE_EFFECT", {"model": "brinson-hood-beebower"}),
        ("BRINSON_HOOD_BEEBOWER_TWO_EFFECT", {"model": "brinson-hood-beebower", "effects": 2}),
    ],
)
def test_perfattr_agrees_group_by_group(method, options, linking, seed):
    perfattr = pytest.importorskip("perfattr", reason="perfattr is a test extra")
    weights, returns, neutral, against = sides(seed)
    theirs = perfattr.calculate_attribution(
        performance(weights, returns),
        performance(neutral, against),
        method=perfattr.AttributionMethod[method],
        effect_linking_method=perfattr.EffectLinkingMethod[linking.upper()],
    )
    ours = brinson(weights, returns, neutral, against, linking=linking, **options)
    columns = [f"linked_{name}_effect" for name in ours.names]
    detail = theirs.overall_detail.sort_values("identifier")
    np.testing.assert_allclose(ours.effects[0], detail[columns], rtol=0, atol=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_perfattr_agrees_on_the_total_of_a_group_that_the_benchmark_lacks(seed):
    """How it splits differs: perfattr takes the missing benchmark return for zero, we for the portfolio's."""
    perfattr = pytest.importorskip("perfattr", reason="perfattr is a test extra")
    weights, returns, neutral, against = sides(seed, off_benchmark=True)
    theirs = perfattr.calculate_attribution(performance(weights, returns), performance(neutral, against))
    ours = brinson(weights, returns, neutral, np.where(neutral == 0, np.nan, against), effects=2)
    total = theirs.overall_detail.sort_values("identifier")["linked_total_effect"]
    np.testing.assert_allclose(ours.to_frame()["total"], total, rtol=0, atol=1e-12)
    assert ours.effect("selection")[0, 2] == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_perfattr_agrees_on_geometric_effects_and_contributions(seed):
    perfattr = pytest.importorskip("perfattr", reason="perfattr is a test extra")
    weights, returns, neutral, against = sides(seed)
    frames = performance(weights, returns), performance(neutral, against)
    theirs = perfattr.calculate_geometric_attribution(*frames)
    ours = brinson(weights, returns, neutral, against, excess="geometric", by_period=True)
    detail = theirs.period_detail.sort_values(["thru_date", "identifier"])
    np.testing.assert_allclose(
        ours.by_period[0].reshape(-1, 2), detail[["allocation_effect", "selection_effect"]], rtol=0, atol=1e-13
    )
    last = theirs.cumulative.iloc[-1]
    total = [last["allocation_effect"], last["selection_effect"]]
    np.testing.assert_allclose(ours.effects[0].sum(axis=0), total, rtol=0, atol=1e-12)
    linked = perfattr.calculate_attribution(*frames).overall_detail.sort_values("identifier")
    np.testing.assert_allclose(
        contribution(weights * returns).contributions[0],
        linked["linked_portfolio_contribution"],
        rtol=0,
        atol=1e-12,
    )


def test_pybrinson_agrees_on_totals():
    pybrinson = pytest.importorskip("pybrinson", reason="pybrinson asks for Python 3.14; put its wheel on PYTHONPATH")
    models = {"fachler": "brinson-fachler", "bhb": "brinson-hood-beebower"}
    linkings = ["carino", "menchero", "frongello", "grap", "geometric"]
    for seed, (name, model), linking in product(SEEDS, models.items(), linkings):
        arrays = sides(seed, off_benchmark=True)
        periods = [
            getattr(pybrinson, name)([pybrinson.Segment(str(g), *row) for g, row in enumerate(zip(w, v, r, b))])
            for w, r, v, b in zip(*arrays)
        ]
        theirs = getattr(pybrinson, f"link_{linking}")(periods)
        if linking == "geometric":
            ours = brinson(*arrays, excess="geometric")
        else:
            ours = brinson(*arrays, model=model, linking="frongello" if linking == "grap" else linking)
        expected = [getattr(theirs, effect) for effect in ours.names]
        np.testing.assert_allclose(ours.effects[0].sum(axis=0), expected, rtol=0, atol=1e-12)

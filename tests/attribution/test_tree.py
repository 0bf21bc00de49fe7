"""A tree of groups: exact roll-up at every level, one level is Brinson's, and sides that lack a node."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.attribution import brinson, brinson_tree
from workbench.errors import ParameterError

NAN = np.nan
LEVELS = pd.DataFrame(
    [
        ("Equity", "US", "Tech", "AAA"),
        ("Equity", "US", "Tech", "BBB"),
        ("Equity", "US", "Energy", "CCC"),
        ("Equity", "World", "Tech", "DDD"),
        ("Bonds", "Treasuries", "Long", "EEE"),
        ("Bonds", "Treasuries", "Long", "FFF"),
        ("Cash", None, None, None),
    ],
    columns=["asset_class", "sleeve", "sector", "security"],
)


def sides(seed, accounts=3, periods=4, holes=True):
    """Random weights and returns of the seven leaves; with holes, leaves and whole branches missing from a side."""
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet(np.ones(7), (accounts, periods))
    neutral = rng.dirichlet(np.ones(7), periods)
    if holes:
        for side in (weights, neutral):
            side[rng.random(side.shape) < 0.3] = 0
            side[..., 4:6] *= rng.random((*side.shape[:-1], 1)) < 0.5  # the whole of Bonds
            side[..., 6] += 1 - side.sum(axis=-1)
    returns, against = rng.normal(0.01, 0.1, weights.shape), rng.normal(0.01, 0.1, neutral.shape)
    if holes:
        returns[weights == 0], against[neutral == 0] = NAN, NAN
    return weights, returns, neutral, against


def nested(paths, w, r, v, b):
    """One period by recursion on the definition: each node's own effects by path."""
    r, b = np.where(np.isnan(r), b, r), np.where(np.isnan(b), r, b)
    r, b = np.nan_to_num(r), np.nan_to_num(b)
    own = {}

    def benchmark_return(rows, above):
        if v[rows].sum() != 0:
            return (v[rows] * b[rows]).sum() / v[rows].sum()
        if w[rows].sum() != 0:
            return (w[rows] * b[rows]).sum() / w[rows].sum()
        return above

    def visit(prefix, rows, above):
        total_w, total_v = (w[rows].sum(), v[rows].sum()) if prefix else (1.0, 1.0)
        children = {}
        for row in rows:
            children.setdefault(paths[row][: len(prefix) + 1], []).append(row)
        for child, members in children.items():
            weight, bench = w[members].sum(), v[members].sum()
            neutral = total_w * bench / total_v if total_v else (weight if total_w else 0.0)
            ret = benchmark_return(members, above)
            own[child] = [(weight - neutral) * (ret - above), 0.0, 0.0]
            if members == [row for row in members if paths[row] == child]:
                own[child][1:] = [neutral * (r[members[0]] - ret), (weight - neutral) * (r[members[0]] - ret)]
            else:
                visit(child, members, ret)

    visit((), list(range(len(paths))), (v * b).sum())
    return own


@given(st.integers(0, 10_000), st.booleans(), st.sampled_from(["carino", "menchero", "frongello"]))
@settings(max_examples=60, deadline=None)
def test_every_parent_is_its_own_allocation_and_its_children(seed, holes, linking):
    result = brinson_tree(*sides(seed, holes=holes), LEVELS, linking=linking)
    tree = result.tree
    for node in range(len(tree.parent)):
        children = [child for child in range(1, len(tree.parent)) if tree.parent[child] == node]
        if children:
            below = result.effects[:, children].sum(axis=(1, 2))
            np.testing.assert_allclose(
                result.effects[:, node].sum(axis=1), result.own[:, node, 0] + below, rtol=0, atol=1e-14
            )
    assert np.abs(result.residual).max() < 1e-13
    np.testing.assert_allclose(result.effects[:, 0].sum(axis=1), result.excess, rtol=0, atol=1e-13)
    levels = result.by_level().drop(columns=["account", "excess", "residual"]).sum(axis=1)
    np.testing.assert_allclose(levels, result.excess, rtol=0, atol=1e-13)


@given(st.integers(0, 10_000), st.booleans())
@settings(max_examples=60, deadline=None)
def test_one_period_is_the_recursion(seed, holes):
    weights, returns, neutral, against = sides(seed, accounts=1, periods=1, holes=holes)
    result = brinson_tree(weights, returns, neutral, against, LEVELS)
    paths = [tuple(value for value in row if isinstance(value, str)) for row in LEVELS.to_numpy()]
    expected = nested(paths, weights[0, 0], returns[0, 0], neutral[0], against[0])
    for path, effects in expected.items():
        found = result.own[0, result.tree.paths.index(path)]
        np.testing.assert_allclose(found, effects, rtol=0, atol=1e-14, err_msg=str(path))


@given(st.integers(0, 10_000), st.sampled_from([2, 3]))
@settings(max_examples=30, deadline=None)
def test_one_level_is_the_flat_attribution(seed, effects):
    arrays = sides(seed)
    flat = brinson(*arrays, effects=effects)
    tree = brinson_tree(*arrays, pd.DataFrame({"security": list("ABCDEFG")}), effects=effects)
    np.testing.assert_allclose(tree.own[:, 1:], flat.effects, rtol=0, atol=1e-15)


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_the_top_level_is_the_attribution_of_the_classes(seed):
    weights, returns, neutral, against = sides(seed, holes=False)
    classes = [[0, 1, 2, 3], [4, 5], [6]]

    def gathered(side, earned):
        total = np.stack([side[..., members].sum(axis=-1) for members in classes], axis=-1)
        gain = np.stack([(side * earned)[..., members].sum(axis=-1) for members in classes], axis=-1)
        return total, gain / total

    flat = brinson(*gathered(weights, returns), *gathered(neutral, against), effects=2)
    tree = brinson_tree(weights, returns, neutral, against, LEVELS, effects=2)
    top = np.flatnonzero(tree.tree.depth == 1)
    np.testing.assert_allclose(tree.own[:, top, 0], flat.effect("allocation"), rtol=0, atol=1e-14)
    np.testing.assert_allclose(
        tree.effects[:, top].sum(axis=2) - tree.own[:, top, 0], flat.effect("selection"), rtol=0, atol=1e-13
    )


def test_a_branch_that_the_benchmark_lacks_is_one_allocation():
    levels = pd.DataFrame({"class": ["A", "B", "B"], "name": ["a", "b1", "b2"]})
    result = brinson_tree([[0.6, 0.1, 0.3]], [[0.01, 0.04, 0.02]], [[1.0, 0, 0]], [[0.01, NAN, NAN]], levels)
    assert result.node(["B"])["allocation"].item() == pytest.approx(0.4 * (0.025 - 0.01), abs=1e-16)
    below = result.level("name").set_index("path")
    assert (below[["allocation", "selection", "interaction"]].abs() < 1e-17).all(axis=None)
    assert result.residual[0] == pytest.approx(0, abs=1e-16)


def test_a_branch_that_the_account_lacks_has_nothing_below_it():
    levels = pd.DataFrame({"class": ["A", "B", "B"], "name": ["a", "b1", "b2"]})
    result = brinson_tree([[1.0, 0, 0]], [[0.01, NAN, NAN]], [[0.6, 0.1, 0.3]], [[0.01, 0.04, 0.02]], levels)
    assert result.node(["B"])["allocation"].item() == pytest.approx(-0.4 * (0.025 - 0.016), abs=1e-16)
    assert result.node(["B"])["total"].item() == result.node(["B"])["allocation"].item()


def test_shorts_may_cancel_in_the_account_and_not_in_the_benchmark():
    levels = pd.DataFrame({"class": ["A", "B", "B"], "name": ["a", "b1", "b2"]})
    returns = [[0.01, 0.04, 0.02]]
    long_short, plain = [[1.0, 0.3, -0.3]], [[0.6, 0.1, 0.3]]
    assert abs(brinson_tree(long_short, returns, plain, returns, levels).residual[0]) < 1e-16
    with pytest.raises(ParameterError, match="inside B of account 0 cancel to zero"):
        brinson_tree(plain, returns, long_short, returns, levels)


def test_frames_say_level_path_and_what_lies_below():
    result = brinson_tree(*sides(3), LEVELS, accounts=["A1", "A2", "A3"])
    frame = result.to_frame()
    assert list(frame.columns) == [
        "account", "level", "path", "allocation", "allocation_below", "selection", "interaction", "total",
    ]  # fmt: skip
    assert len(frame) == 3 * len(result.tree.parent)
    assert frame.loc[frame["level"] == "total", "total"].to_numpy() == pytest.approx(result.excess, abs=1e-13)
    assert set(result.level("sector")["path"]) == {
        "Equity > US > Tech", "Equity > US > Energy", "Equity > World > Tech", "Bonds > Treasuries > Long",
    }  # fmt: skip
    assert result.node(["Equity", "US"])["account"].tolist() == ["A1", "A2", "A3"]


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        (pd.DataFrame({"a": ["x", "x"]}), "x stands twice"),
        (pd.DataFrame({"a": ["x", "x"], "b": [None, "y"]}), "x is a leaf and also has leaves"),
        (pd.DataFrame({"a": [None, "x"], "b": ["z", "y"]}), "row 0 misses a level above"),
        (pd.DataFrame({"a": ["x", "y", "z"]}), "3 rows for 2 leaves"),
        (pd.DataFrame({"a": []}), "no rows"),
    ],
)
def test_levels_that_do_not_fit_are_refused(levels, message):
    with pytest.raises(ParameterError, match=message):
        brinson_tree([[0.5, 0.5]], [[0.1, 0.1]], [[0.5, 0.5]], [[0.1, 0.1]], levels)


def test_unknown_levels_nodes_and_labels_are_refused():
    result = brinson_tree(*sides(3), LEVELS)
    with pytest.raises(ParameterError, match="no level 'industry'; it has asset_class, sleeve"):
        result.level("industry")
    with pytest.raises(ParameterError, match="no node Equity > Mars"):
        result.node(["Equity", "Mars"])
    frame = pd.DataFrame([[0.5, 0.5]], columns=["p", "q"])
    with pytest.raises(ParameterError, match="not the columns of the weights"):
        brinson_tree(frame, frame, frame, frame, pd.DataFrame({"a": ["x", "y"]}, index=["q", "p"]))

"""The models' part as a tree: it is the part that the flat rows have, level by level, for any accounts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.attribution import column_levels, model_tree, rows_of, sleeves
from workbench.errors import ParameterError

SECURITIES = pd.DataFrame(
    {
        "security_id": ["AAA", "BBB", "CASH", "CCC", "DDD"],
        "asset_class": ["Stocks", "Bonds", "Cash", "Stocks", "Bonds"],
        "sector": ["Energy", "Bonds", "Cash", "Health", "Bonds"],
    }
).set_index("security_id", drop=False)


def model_part(accounts):
    linked = accounts.firm.linked(accounts.linking)
    return float(linked.effects[0][rows_of(accounts.names, "model")].sum())


def at(frame, level):
    frame = frame[frame["level"] == level]
    return frame.set_index(frame["path"].str[0])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 10_000),
    linking=st.sampled_from(["carino", "menchero", "frongello"]),
    names=st.sampled_from([("sleeve",), ("asset_class", "sleeve", "sector"), ("sleeve", "asset_class")]),
)
def test_the_root_is_the_models_part_and_parents_are_their_own_and_their_children(made_up, seed, linking, names):
    paths, daily = made_up(seed, periods=30, accounts=4)
    accounts = sleeves(daily, paths, linking)
    found = model_tree(accounts, paths, column_levels(paths, SECURITIES, *names))
    assert found.model == pytest.approx(model_part(accounts), abs=1e-12)
    assert found.by_level().sum() == pytest.approx(found.model, abs=1e-12)
    assert list(found.by_level().index) == [*names, "security"]
    for node in range(len(found.tree.parent)):
        children = np.flatnonzero((found.tree.parent == node) & (np.arange(len(found.tree.parent)) != 0))
        assert found.total[node] == pytest.approx(found.own[node] + found.total[children].sum(), abs=1e-12)
        if len(children):
            np.testing.assert_allclose(found.weights[node], found.weights[children].sum(axis=0), atol=1e-12)
    np.testing.assert_allclose(found.weights[0], 1, atol=1e-12)


def test_a_tree_of_sleeves_that_the_policy_holds_has_the_flat_rows(made_up):
    policy = pd.DataFrame(
        {"model_id": ["GRO", "GRO", "INC", "INC"], "sleeve_id": ["EQ", "FI"] * 2, "weight": [0.6, 0.4, 0.1, 0.9]}
    )
    paths, daily = made_up(3, model_benchmarks=policy)
    accounts = sleeves(daily, paths)
    frame = model_tree(accounts, paths, column_levels(paths, SECURITIES, "sleeve")).to_frame()
    frame = at(frame, "sleeve")
    linked = accounts.firm.linked("carino").effects[0]
    flat = accounts.names.assign(value=linked).pivot(index="sleeve_id", columns="effect", values="value")
    for sleeve in ("EQ", "FI"):
        assert frame.loc[sleeve, "own"] == pytest.approx(flat.loc[sleeve, "allocation"], abs=1e-14)
        inside = flat.loc[sleeve, "selection"] + flat.loc[sleeve, "interaction"]
        assert frame.loc[sleeve, "below"] == pytest.approx(inside, abs=1e-14)


def test_one_day_by_hand(made_up):
    paths, daily = made_up(5, periods=1, accounts=2)
    accounts = sleeves(daily, paths)
    assert list(accounts.accounts["model_id"]) == ["GRO"]
    found = model_tree(accounts, paths, column_levels(paths, SECURITIES, "asset_class", "sleeve"))
    gro = paths.models.index("GRO")
    mine, neutral, gain, against = {}, {}, {}, {}
    for column, (sleeve, security) in enumerate(zip(paths.column_sleeve, paths.column_security, strict=True)):
        name = SECURITIES["asset_class"][paths.securities[security]]
        weight = paths.weights[gro, 0, column]
        policy = paths.benchmark_weights[gro, 0, sleeve] * paths.sleeve_benchmark_weights[gro, 0, column]
        mine[name], neutral[name] = mine.get(name, 0) + weight, neutral.get(name, 0) + np.nan_to_num(policy)
        r = paths.returns[0, security]
        gain[name], against[name] = gain.get(name, 0) + weight * r, against.get(name, 0) + np.nan_to_num(policy) * r
    frame = found.to_frame()
    frame = at(frame, "asset_class")
    total = sum(against.values())
    for name in ("Stocks", "Bonds"):
        allocation = (mine[name] - neutral[name]) * (against[name] / neutral[name] - total)
        assert frame.loc[name, "own"] == pytest.approx(allocation, abs=1e-14)
        inside = gain[name] - mine[name] * against[name] / neutral[name]
        assert frame.loc[name, "below"] == pytest.approx(inside, abs=1e-14)


def test_without_any_account_nothing_was_decided(made_up):
    paths, daily = made_up(1, accounts=1)  # the last account has no model
    found = model_tree(sleeves(daily, paths), paths, column_levels(paths, SECURITIES, "sleeve"))
    assert found.model == 0
    assert not found.weights.any()


def test_levels_that_do_not_fit_are_refused(made_up):
    paths, daily = made_up(1)
    levels = column_levels(paths, SECURITIES, "sleeve")
    with pytest.raises(ParameterError, match="one a column"):
        model_tree(sleeves(daily, paths), paths, levels.iloc[1:])
    with pytest.raises(ParameterError, match="AAA is not among the securities"):
        column_levels(paths, SECURITIES.drop("AAA"), "sleeve")

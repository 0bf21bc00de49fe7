"""Paper portfolios: set to targets by version and month, drifting between; never a silent zero."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from workbench.attribution import load_models
from workbench.errors import FirmDataError, MarketDataError, ParameterError


def sessions_of(world, start=None):
    days = pd.DatetimeIndex(world["prices"]["date"].unique()).sort_values()
    return days if start is None else days[days >= start]


def by_hand(world, model):
    """The model's beginning weights by (sleeve, security), day by day, from first principles."""
    days = sessions_of(world)
    close = world["prices"].pivot(index="date", columns="security_id", values="close")
    versions = world["models"].query("model_id == @model and status != 'draft'").sort_values("effective_date")
    targets = world["model_targets"].query("model_id == @model").set_index(["version", "sleeve_id", "security_id"])
    weights, in_force, month = {}, None, None
    rows = []
    for day, following in itertools.pairwise(days):
        version = versions[versions["effective_date"] <= day]["version"].iloc[-1]
        if version != in_force or (day.year, day.month) != month:
            weights = targets["target"].loc[version].to_dict()
        in_force, month = version, (day.year, day.month)
        rows.append(weights)
        grown = {key: w * close.loc[following, key[1]] / close.loc[day, key[1]] for key, w in weights.items()}
        total = sum(grown.values())
        weights = {key: value / total for key, value in grown.items()}
    return rows


@pytest.mark.parametrize("model", ["GRO", "INC"])
def test_weights_are_the_targets_drifting_from_each_version_and_month(world, firm_of, model):
    paths = load_models(firm_of(world), sessions_of(world))
    keys = [
        (paths.sleeves[s], paths.securities[c]) for s, c in zip(paths.column_sleeve, paths.column_security, strict=True)
    ]
    row = paths.models.index(model)
    for t, weights in enumerate(by_hand(world, model)):
        np.testing.assert_allclose(paths.weights[row, t], [weights.get(key, 0.0) for key in keys], atol=1e-14)


def test_everything_adds_up(world, firm_of):
    paths = load_models(firm_of(world), sessions_of(world))
    np.testing.assert_allclose(paths.weights.sum(axis=2), 1, atol=1e-14)
    np.testing.assert_allclose(paths.benchmark_weights.sum(axis=2), 1, atol=1e-14)
    returns = (paths.security_weights * np.nan_to_num(paths.returns)).sum(axis=2)
    np.testing.assert_allclose(paths.model_returns, returns, atol=1e-15)
    sleeves = np.where(paths.sleeve_weights > 0, paths.sleeve_weights * paths.sleeve_returns, 0.0).sum(axis=2)
    np.testing.assert_allclose(sleeves, returns, atol=1e-15)
    policy = np.where(paths.benchmark_weights > 0, paths.benchmark_weights * paths.sleeve_benchmark_returns, 0.0)
    np.testing.assert_allclose(policy.sum(axis=2), paths.benchmark_returns, atol=1e-15)
    assert list(paths.to_frame().columns) == ["model_id", "date", "model", "benchmark", "excess"]


@pytest.mark.parametrize("reset", ["month", "quarter", "version"])
def test_where_the_report_starts_changes_nothing(world, firm_of, reset):
    whole = load_models(firm_of(world), sessions_of(world), reset=reset)
    later = load_models(firm_of(world), sessions_of(world, "2022-02-17"), reset=reset)
    count = len(later.sessions) - 1
    np.testing.assert_allclose(later.weights, whole.weights[:, -count:], atol=1e-14)
    np.testing.assert_allclose(later.benchmark_returns, whole.benchmark_returns[:, -count:], atol=1e-14)


def test_a_version_takes_effect_at_the_close_of_its_day_or_of_the_next_session(world, firm_of):
    days = sessions_of(world)
    weekend = days[days.day_of_week == 4][2] + pd.Timedelta(days=1)
    world["models"].loc[1, "effective_date"] = weekend
    paths = load_models(firm_of(world), days)
    place = int(days.searchsorted(weekend))
    ccc = paths.securities.index("CCC")
    held = paths.security_weights[paths.models.index("GRO"), :, ccc]
    assert held[place - 1] == 0
    assert held[place] == pytest.approx(0.4)


def test_a_draft_is_no_path_and_before_its_first_version_a_model_has_none(world, firm_of):
    days = sessions_of(world)
    world["models"].loc[2, "effective_date"] = days[10]
    paths = load_models(firm_of(world), days)
    exists = paths.exists[paths.models.index("INC")]
    assert not exists[:10].any()
    assert exists[10:].all()
    assert np.isnan(paths.weights[paths.models.index("INC"), :10]).all()
    assert list(paths.model_rows(["INC", None, "XXX"])) == [paths.models.index("INC"), -1, -1]


def test_the_securities_given_come_first(world, firm_of):
    paths = load_models(firm_of(world), sessions_of(world), ["DDD", "BBB"])
    assert paths.securities == ("DDD", "BBB", "AAA", "CASH", "CCC")


def test_without_policy_weights_allocation_is_nothing_and_without_benchmark_selection(world, firm_of):
    for name in ("model_benchmarks", "sleeve_benchmarks"):
        del world[name]
    paths = load_models(firm_of(world), sessions_of(world))
    assert not paths.model_has_benchmark.any()
    assert not paths.sleeve_has_benchmark.any()
    np.testing.assert_allclose(paths.model_returns, paths.benchmark_returns, atol=1e-16)
    np.testing.assert_array_equal(paths.sleeve_weights, paths.benchmark_weights)


def test_dividends_and_splits_are_in_the_returns(world, firm_of):
    days = sessions_of(world)
    here = (world["prices"]["security_id"] == "AAA") & (world["prices"]["date"] == days[5])
    before = load_models(firm_of(world), days, ["AAA"]).returns[4, 0]
    world["prices"].loc[here, ["dividend", "split_ratio"]] = [1.0, 2.0]
    close = world["prices"].query("security_id == 'AAA'").set_index("date")["close"]
    after = load_models(firm_of(world), days, ["AAA"]).returns[4, 0]
    assert after == pytest.approx((close[days[5]] + 1) * 2 / close[days[4]] - 1)
    assert before == pytest.approx(close[days[5]] / close[days[4]] - 1)


def without(world, security, days):
    table = world["prices"]
    world["prices"] = table[~((table["security_id"] == security) & table["date"].isin(days))]
    return world


def test_a_close_is_carried_over_a_short_gap_and_said_so(world, firm_of):
    days = sessions_of(world)
    paths = load_models(firm_of(without(world, "AAA", days[7:9])), days, ["AAA"])
    whole = world["prices"].query("security_id == 'AAA'").set_index("date")["close"]
    assert list(paths.returns[6:8, 0]) == [0, 0]
    assert paths.returns[8, 0] == pytest.approx(whole[days[9]] / whole[days[6]] - 1)
    assert list(paths.carried["security_id"]) == ["AAA", "AAA"]
    assert list(paths.carried["price_age"]) == [1, 2]


def test_a_long_gap_in_what_a_model_holds_is_an_error_that_names_it(world, firm_of):
    days = sessions_of(world)
    with pytest.raises(MarketDataError, match=f"model GRO holds AAA on {days[13]:%Y-%m-%d}.*load the missing prices"):
        load_models(firm_of(without(world, "AAA", days[8:20])), days)


def test_a_gap_in_a_benchmark_that_is_needed_names_sleeve_and_security(world, firm_of):
    days = sessions_of(world)
    world["sleeve_benchmarks"].loc[2, "security_id"] = "DDD"
    with pytest.raises(MarketDataError, match=r"benchmark of sleeve FI.*DDD without a price"):
        load_models(firm_of(without(world, "DDD", days[8:20])), days)


def test_a_benchmark_nobody_needs_may_lack_prices(world, firm_of):
    days = sessions_of(world)
    world["sleeves"].loc[2] = ["ALT", "Alternatives", "House"]
    world["sleeve_benchmarks"].loc[3] = ["ALT", "DDD", 1.0]
    paths = load_models(firm_of(without(world, "DDD", days[8:20])), days)
    assert np.isfinite(paths.benchmark_returns).all()


def test_a_policy_sleeve_that_nothing_describes_is_the_firms_to_mend(world, firm_of):
    world["sleeves"].loc[2] = ["ALT", "Alternatives", "House"]
    world["model_benchmarks"] = pd.DataFrame(
        {"model_id": ["GRO", "GRO"], "sleeve_id": ["EQ", "ALT"], "weight": [0.6, 0.4]}
    )
    with pytest.raises(FirmDataError, match=r"holds sleeve ALT.*sleeve_benchmarks does not describe"):
        load_models(firm_of(world), sessions_of(world))


def test_what_cannot_be_asked_is_refused(world, firm_of):
    days = sessions_of(world)
    firm = firm_of(world)
    with pytest.raises(ParameterError, match="reset 'week' is unknown"):
        load_models(firm, days, reset="week")
    with pytest.raises(ParameterError, match="two sessions"):
        load_models(firm, days[:1])
    with pytest.raises(ParameterError, match="sessions leave out"):
        load_models(firm, days.delete(5))
    with pytest.raises(MarketDataError, match="no price on 2021-12-01"):
        load_models(firm, days.insert(0, pd.Timestamp("2021-12-01")))
    world["models"]["status"] = "draft"
    with pytest.raises(FirmDataError, match="no model has a version in force"):
        load_models(firm_of(world), days)

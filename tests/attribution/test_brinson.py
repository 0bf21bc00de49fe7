"""Brinson attribution: effects add up whatever is held, groups may be split or reordered, and bad input is named."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.attribution import brinson, brinson_chunks, cumulative, link
from workbench.errors import ParameterError

METHODS = ["carino", "menchero", "frongello"]
MODELS = ["brinson-fachler", "brinson-hood-beebower"]
NAN = np.nan


def market(seed, accounts=3, periods=5, groups=4, shorts=False):
    """Random weights that sum to 1, with groups missing from either side, and returns missing where they may be."""
    rng = np.random.default_rng(seed)
    weights, neutral = rng.dirichlet(np.ones(groups), (accounts, periods)), rng.dirichlet(np.ones(groups), periods)
    for side in (weights, neutral):
        side[rng.random(side.shape) < 0.25] = 0
        if shorts:
            side += rng.normal(0, 0.5, side.shape)
        side[..., -1] += 1 - side.sum(axis=-1)
    returns, against = rng.normal(0.01, 0.06, weights.shape), rng.normal(0.01, 0.06, neutral.shape)
    returns[(weights == 0) & (rng.random(returns.shape) < 0.7)] = NAN
    against[(neutral == 0) & (rng.random(against.shape) < 0.7)] = NAN
    return weights, returns, neutral, against


def by_hand(weights, returns, neutral, against, model, linking):
    """The formulas, written out in numpy and linked by `link`: effects (N x G x 3)."""
    r, b = np.where(np.isnan(returns), against, returns), np.where(np.isnan(against), returns, against)
    r, b = np.nan_to_num(r), np.nan_to_num(b)
    portfolio, benchmark = (weights * r).sum(axis=2), (neutral * b).sum(axis=2)
    hurdle = benchmark[..., None] if model == "brinson-fachler" else 0
    rows = np.stack([(weights - neutral) * (b - hurdle), neutral * (r - b), (weights - neutral) * (r - b)], axis=-1)
    linked = link(rows.reshape(*portfolio.shape, -1), portfolio, benchmark, linking)
    return linked.effects.reshape(len(weights), -1, 3)


@pytest.mark.parametrize("linking", METHODS)
@pytest.mark.parametrize("model", MODELS)
@given(st.integers(0, 10_000), st.booleans())
@settings(max_examples=25, deadline=None)
def test_effects_add_up_and_are_the_formulas(model, linking, seed, shorts):
    arrays = market(seed, shorts=shorts)
    result = brinson(*arrays, model=model, linking=linking)
    np.testing.assert_allclose(result.effects, by_hand(*arrays, model, linking), rtol=0, atol=1e-13)
    np.testing.assert_allclose(result.effects.sum(axis=(1, 2)) + result.residual, result.excess, rtol=0, atol=1e-14)
    assert np.abs(result.residual).max() < 1e-12


@given(st.integers(0, 10_000), st.sampled_from(METHODS), st.sampled_from(MODELS), st.booleans())
@settings(max_examples=40, deadline=None)
def test_two_effects_fold_interaction_into_selection(seed, linking, model, shorts):
    arrays = market(seed, shorts=shorts)
    three, two = (brinson(*arrays, model=model, linking=linking, effects=count) for count in (3, 2))
    assert two.names == ("allocation", "selection")
    np.testing.assert_allclose(two.effect("allocation"), three.effect("allocation"), rtol=0, atol=1e-15)
    folded = three.effect("selection") + three.effect("interaction")
    np.testing.assert_allclose(two.effect("selection"), folded, rtol=0, atol=1e-13)


@given(st.integers(0, 10_000), st.sampled_from(METHODS), st.sampled_from(MODELS))
@settings(max_examples=60, deadline=None)
def test_geometric_effects_multiply_to_the_ratio_of_wealth(seed, linking, model):
    result = brinson(*market(seed), excess="geometric", linking=linking, model=model, by_period=True)
    total = result.effects.sum(axis=1)
    growth = (1 + result.portfolio) / (1 + result.benchmark)
    np.testing.assert_allclose(np.prod(1 + total, axis=1), growth, rtol=1e-12)
    period = result.by_period.sum(axis=2)
    np.testing.assert_allclose(np.prod(1 + period, axis=1) - 1, total, rtol=0, atol=1e-13)
    ratio = (1 + result.period_portfolio) / (1 + result.period_benchmark)
    np.testing.assert_allclose(np.prod(1 + period, axis=2), ratio, rtol=1e-12)
    assert np.abs(result.residual).max() < 1e-12


def test_geometric_effects_of_one_quarter():
    """Bacon's three countries: geometric allocation -1.13 %, selection 2.95 %, excess 1.79 %."""
    arrays = [[0.4, 0.3, 0.3]], [[0.2, -0.05, 0.06]], [[0.4, 0.2, 0.4]], [[0.1, -0.04, 0.08]]
    result = brinson(*arrays, excess="geometric", groups=["UK", "Japan", "US"])
    assert result.effects[0].sum(axis=0) == pytest.approx([0.052 - 0.064, 0.083 - 0.052] / np.array([1.064, 1.052]))
    assert result.effect("allocation")[0] == pytest.approx(
        [0.0, 0.1 * (0.96 / 1.064 - 1), -0.1 * (1.08 / 1.064 - 1)], abs=1e-16
    )
    assert result.effect("selection")[0] == pytest.approx(np.array([0.04, -0.003, -0.006]) / 1.052, abs=1e-16)
    assert result.excess[0] == pytest.approx(1.083 / 1.064 - 1)
    assert "total" not in result.to_frame()


@given(st.integers(0, 10_000), st.permutations([0, 1, 2, 3]), st.sampled_from(["arithmetic", "geometric"]))
@settings(max_examples=40, deadline=None)
def test_the_order_of_groups_is_irrelevant(seed, order, excess):
    arrays = market(seed)
    mixed = brinson(*(side[..., order] for side in arrays), excess=excess).effects
    np.testing.assert_allclose(mixed, brinson(*arrays, excess=excess).effects[:, order], rtol=0, atol=1e-14)


@given(st.integers(0, 10_000), st.floats(0.01, 0.99), st.sampled_from(METHODS), st.sampled_from(MODELS))
@settings(max_examples=40, deadline=None)
def test_splitting_a_group_leaves_the_totals(seed, share, linking, model):
    weights, returns, neutral, against = market(seed)
    split = [np.concatenate([side, side[..., :1] * (1 - share)], axis=-1) for side in (weights, neutral)]
    for side in split:
        side[..., 0] *= share
    same = [np.concatenate([side, side[..., :1]], axis=-1) for side in (returns, against)]
    whole = brinson(weights, returns, neutral, against, linking=linking, model=model).effects
    parts = brinson(split[0], same[0], split[1], same[1], linking=linking, model=model).effects
    np.testing.assert_allclose(parts.sum(axis=1), whole.sum(axis=1), rtol=0, atol=1e-14)
    np.testing.assert_allclose(parts[:, 0] + parts[:, -1], whole[:, 0], rtol=0, atol=1e-14)


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_an_empty_group_changes_nothing(seed):
    arrays = market(seed)
    empty = [
        np.concatenate([side, np.full((*side.shape[:-1], 1), fill)], axis=-1)
        for side, fill in zip(arrays, (0.0, NAN, 0.0, NAN))
    ]
    result = brinson(*empty).effects
    np.testing.assert_array_equal(result[:, :-1], brinson(*arrays).effects)
    assert (result[:, -1] == 0).all()


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_a_portfolio_like_its_benchmark_has_no_effects(seed):
    _, _, neutral, against = market(seed)
    result = brinson(neutral, against, neutral, against)
    assert (result.effects == 0).all()
    assert (result.excess == 0).all()


def test_a_group_that_one_side_lacks_has_nothing_to_select():
    held, missing = [[0.7, 0.3]], [[1.0, 0.0]]
    off_benchmark = brinson(held, [[0.01, 0.05]], missing, [[0.02, NAN]])
    assert off_benchmark.effects[0, 1] == pytest.approx([0.3 * (0.05 - 0.02), 0, 0], abs=1e-17)
    not_held = brinson(missing, [[0.01, NAN]], held, [[0.02, 0.05]])
    assert not_held.effects[0, 1] == pytest.approx([-0.3 * (0.05 - 0.029), 0, 0], abs=1e-17)
    for result in (off_benchmark, not_held):
        assert result.residual[0] == pytest.approx(0, abs=1e-15)


def test_a_return_that_is_given_counts_though_its_weight_be_zero():
    """An off-benchmark holding judged against its own index, which the benchmark holds at weight zero."""
    result = brinson([[0.7, 0.3]], [[0.01, 0.05]], [[1.0, 0.0]], [[0.02, 0.03]])
    assert result.effects[0, 1] == pytest.approx([0.3 * (0.03 - 0.02), 0, 0.3 * (0.05 - 0.03)], abs=1e-17)


def test_accounts_have_the_benchmark_they_name():
    weights, returns, _, _ = market(1, accounts=4)
    neutral = np.stack([market(seed)[2] for seed in (2, 3)])
    against = np.nan_to_num(np.stack([market(seed)[3] for seed in (2, 3)]))
    shared = brinson(weights, returns, neutral, against, benchmark_of=[1, 0, 1, 1])
    own = brinson(weights, returns, neutral[[1, 0, 1, 1]], against[[1, 0, 1, 1]])
    np.testing.assert_array_equal(shared.effects, own.effects)
    for account, benchmark in enumerate([1, 0, 1, 1]):
        one = brinson(weights[account], returns[account], neutral[benchmark], against[benchmark])
        np.testing.assert_array_equal(one.effects[0], own.effects[account])


def test_periods_without_the_account_are_left_out():
    weights, returns, neutral, against = market(5)
    present = np.ones(weights.shape[:2], dtype=bool)
    present[1, :2] = False
    weights[1, :2], returns[1, :2] = NAN, NAN
    result = brinson(weights, returns, neutral, against, present=present, linking="menchero")
    alone = brinson(weights[1, 2:], returns[1, 2:], neutral[2:], against[2:], linking="menchero")
    np.testing.assert_allclose(result.effects[1], alone.effects[0], rtol=0, atol=1e-15)


def test_kept_periods_link_to_the_same_effects():
    result = brinson(*market(7), by_period=True)
    rows = result.by_period.reshape(3, 5, -1)
    linked = link(rows, result.period_portfolio, result.period_benchmark)
    np.testing.assert_allclose(linked.effects.reshape(result.effects.shape), result.effects, rtol=0, atol=1e-14)
    path = cumulative(rows, result.period_portfolio, result.period_benchmark)
    np.testing.assert_allclose(path.effects[:, -1].reshape(result.effects.shape), result.effects, rtol=0, atol=1e-13)
    assert brinson(*market(7)).by_period is None


def test_frames_carry_their_labels():
    months = pd.to_datetime(["2024-01-31", "2024-02-29"])
    frames = [pd.DataFrame(side[:2], months, list("ABCD")) for side in (s[0] if s.ndim == 3 else s for s in market(9))]
    result = brinson(*frames, accounts=["P1"])
    frame = result.to_frame()
    assert list(frame.columns) == ["account", "group", "allocation", "selection", "interaction", "total"]
    assert frame["group"].tolist() == list("ABCD")
    assert list(result.periods) == list(months)
    assert frame["total"].sum() == pytest.approx(result.excess[0])
    totals = result.totals().loc[0]
    assert totals["excess"] == pytest.approx(totals["allocation"] + totals["selection"] + totals["interaction"])
    later = frames[2].set_axis(months + pd.Timedelta(days=1), axis=0)
    with pytest.raises(ParameterError, match="benchmark_weights and portfolio_weights have different periods"):
        brinson(frames[0], frames[1], later, frames[3])
    with pytest.raises(ParameterError, match="different groups"):
        brinson(frames[0], frames[1], frames[2], frames[3][list("BACD")])


def test_one_period_may_be_lists_or_series_by_group():
    table = pd.DataFrame(
        {"w": [0.4, 0.3, 0.3], "r": [0.2, -0.05, 0.06], "v": [0.4, 0.2, 0.4], "b": [0.1, -0.04, 0.08]},
        ["UK", "Japan", "US"],
    )
    whole = brinson(*([list(table[name])] for name in "wrvb"))
    for sides in ([list(table[name]) for name in "wrvb"], [table[name] for name in "wrvb"]):
        np.testing.assert_array_equal(brinson(*sides).effects, whole.effects)
    assert brinson(*(table[name] for name in "wrvb")).to_frame()["group"].tolist() == ["UK", "Japan", "US"]
    with pytest.raises(ParameterError, match="different groups"):
        brinson(table["w"], table["r"], table["v"], table["b"][::-1])


W, R = [[0.5, 0.5]], [[0.1, 0.2]]


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((W, R, [[0.5, 0.5]] * 2, R * 2), {}, "the benchmark has 2 periods x 2 groups and the portfolio 1 x 2"),
        ((W, R * 2, W, R), {}, "portfolio_returns has shape"),
        ((0.5, 0.1, 0.5, 0.1), {}, "portfolio_weights has 0 axes"),
        (([[0.5, 0.4]], R, W, R), {}, "portfolio weights of account 0 in period 0 sum to 0.9, not 1"),
        ((W, R, [[0.5, 0.6]], R), {}, "benchmark weights of the benchmark in period 0 sum to 1.1"),
        (([[0.5, 0.4]] * 3, R * 3, W * 3, R * 3), {}, r"\(and 2 more\)"),
        (([[NAN, 1.0]], R, W, R), {}, "portfolio weight of group 0 in period 0 of account 0 is nan"),
        ((W, [[0.1, NAN]], W, R), {}, "portfolio return of group 1 in period 0 of account 0 is nan at weight 0.5"),
        ((W, R, W, [[np.inf, 0.1]]), {}, "benchmark return of group 0 in period 0 of the benchmark is inf"),
        ((W, [[-1.0, -1.0]], W, R), {}, r"portfolio return of account 0, period 0 is -1"),
        ((W, R, W, [[-1.0, -1.0]]), {"excess": "geometric"}, "benchmark return of account 0"),
        (
            (W, R, W, [[-1.0, -1.0]]),
            {"excess": "geometric", "linking": "frongello"},
            "benchmark of account 0 return -1 in period 0: geometric",
        ),
        ((W, R, W, R), {"excess": "geometric", "effects": 3}, "geometric attribution has two effects"),
        ((W, R, W, R), {"effects": 4}, "effects is 4; use 2 or 3"),
        ((W, R, W, R), {"model": "brinson"}, "model 'brinson' is unknown"),
        ((W, R, W, R), {"linking": "grap"}, "linking 'grap' is unknown"),
        ((W, R, W, R), {"excess": "log"}, "excess 'log' is unknown"),
        ((W, R, W, R), {"groups": ["a"]}, "groups has 1 labels for 2"),
        ((W, R, W, R), {"groups": ["a", "a"]}, "groups repeats 'a'"),
        ((W, R, W, R), {"benchmark_of": [1]}, "benchmark_of names row 1 of 1"),
        ((W, R, W, R), {"present": [[True, False]]}, "present has shape"),
        ((np.zeros((1, 0, 2)),) * 4, {}, "no period or no group"),
        (([W] * 3, [R] * 3, [W] * 2, [R] * 2), {}, "2 benchmarks for 3 accounts"),
    ],
)
def test_bad_arguments_are_refused(arguments, options, message):
    with pytest.raises(ParameterError, match=message):
        brinson(*arguments, **options)


def test_an_unknown_effect_is_refused():
    with pytest.raises(ParameterError, match="no effect 'timing'; it has allocation, selection, interaction"):
        brinson(W, R, W, R).effect("timing")


@pytest.mark.parametrize("size", [1, 2, 7, 100])
def test_runs_of_accounts_are_the_whole(size):
    weights, returns, neutral, against = market(11, accounts=7)
    asked = []

    def read(run):
        asked.append(len(run))
        return weights[run.start : run.stop], returns[run.start : run.stop]

    names = [f"A{i}" for i in range(7)]
    runs = list(brinson_chunks(read, names, neutral, against, size=size, effects=2))
    whole = brinson(*market(11, accounts=7), effects=2)
    np.testing.assert_array_equal(np.concatenate([run.effects for run in runs]), whole.effects)
    assert [name for run in runs for name in run.accounts] == names
    assert max(asked) == min(size, 7)


def test_runs_take_each_accounts_benchmark_and_refuse_no_accounts():
    weights, returns, neutral, against = market(11, accounts=4)
    benchmarks = np.stack([neutral, neutral[::-1]]), np.nan_to_num(np.stack([against, against[::-1]]))
    owners = [0, 1, 1, 0]
    runs = brinson_chunks(
        lambda run: (weights[run.start : run.stop], returns[run.start : run.stop]),
        range(4), *benchmarks, benchmark_of=owners, size=3,
    )  # fmt: skip
    whole = brinson(weights, returns, *benchmarks, benchmark_of=owners)
    np.testing.assert_array_equal(np.concatenate([run.effects for run in runs]), whole.effects)
    with pytest.raises(ParameterError, match="size is 0"):
        next(brinson_chunks(lambda run: (W, R), [1], W, R, size=0))

"""Intervals, deflated Sharpe ratios, PBO and SPA: published figures, plain re-computation, size under the null."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.backtest.evidence import (
    deflate,
    expected_maximum,
    mean_interval,
    minimum_track_record,
    overfitting,
    probabilistic_sharpe,
    sharpe_difference,
    stationary_interval,
    superiority,
)
from workbench.backtest.evidence.bootstrap import SHARPE_GAP, block_length, hac_error
from workbench.errors import MarketDataError, ParameterError


def pair(seed, sessions=750, gap=0.0, correlation=0.95):
    """Two series of daily excess returns with the same volatility and fat tails."""
    rng = np.random.default_rng(seed)
    common, own = rng.standard_t(6, sessions), rng.standard_t(6, (2, sessions))
    first, second = 0.008 * (np.sqrt(correlation) * common + np.sqrt(1 - correlation) * own)
    return first + 0.0003 + gap, second + 0.0003


# --- Sharpe ratios ------------------------------------------------------------------------------


def test_the_published_example_of_the_deflated_sharpe_ratio():
    # Bailey and Lopez de Prado (2014), numerical example: SR 2.5 a year, 5 years of 250 days, 100 trials, V 1/2
    daily, variance = 2.5 / np.sqrt(250), 0.5 / 250
    threshold = expected_maximum(100, variance)
    assert threshold == pytest.approx(0.1132, abs=5e-5)
    assert probabilistic_sharpe(daily, 1250, -3, 10, threshold) == pytest.approx(0.9004, abs=5e-5)
    # the same with 46 trials is believed at 95 %, and normal returns could bear 88
    assert probabilistic_sharpe(daily, 1250, -3, 10, expected_maximum(46, variance)) == pytest.approx(0.95, abs=1e-3)
    assert probabilistic_sharpe(daily, 1250, 0, 3, expected_maximum(88, variance)) == pytest.approx(0.95, abs=1e-3)


@pytest.mark.parametrize(("periods", "years"), [(250, 2.73), (52, 2.83), (12, 3.24)])
def test_the_published_minimum_track_record(periods, years):
    # Bailey and Lopez de Prado (2012): a yearly ratio of 2 above 1 at 95 %, normal returns by day, week and month
    needed = minimum_track_record(2 / np.sqrt(periods), benchmark=1 / np.sqrt(periods))
    assert needed / periods == pytest.approx(years, abs=0.005)
    assert minimum_track_record(0.1, benchmark=0.1) == np.inf


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_minimum_track_record_is_where_the_probability_reaches_its_confidence(seed):
    rng = np.random.default_rng(seed)
    sharpe, skew, kurtosis = rng.uniform(0.02, 0.3), rng.uniform(-2, 1), rng.uniform(6, 12)
    needed = minimum_track_record(sharpe, skew, kurtosis)
    spread = np.sqrt(1 - skew * sharpe + (kurtosis - 1) / 4 * sharpe**2)
    assert sharpe * np.sqrt(needed - 1) / spread == pytest.approx(1.6448536)


def test_it_agrees_with_skfolio():
    from skfolio.measures import deflated_sharpe_ratio, probabilistic_sharpe_ratio

    rng = np.random.default_rng(3)
    returns, ratios = rng.standard_t(5, 400) * 0.01 + 0.001, rng.normal(0, 0.05, 40)
    ours = deflate(returns, 40, float(ratios.var(ddof=1)))
    assert ours.probabilistic == pytest.approx(probabilistic_sharpe_ratio(returns), abs=2e-3)
    assert ours.deflated == pytest.approx(deflated_sharpe_ratio(returns, ratios), abs=5e-3)


@given(st.integers(1, 10_000), st.floats(1e-6, 1.0))
def test_more_trials_ask_for_more(trials, variance):
    assert expected_maximum(trials, variance) < expected_maximum(trials + 1, variance)
    assert expected_maximum(1, variance) == 0.0


def test_the_expected_maximum_is_that_of_normal_draws():
    best = np.random.default_rng(1).standard_normal((4000, 200)).max(axis=1).mean()
    assert expected_maximum(200, 1.0) == pytest.approx(best, abs=0.03)


def test_series_without_a_sharpe_ratio_are_refused():
    with pytest.raises(MarketDataError):
        deflate(np.full(30, 0.01), 3, 0.1)
    with pytest.raises(MarketDataError):
        deflate(np.array([0.1, np.nan, 0.2, 0.1]), 3, 0.1)
    with pytest.raises(ParameterError):
        expected_maximum(0, 0.1)


# --- bootstrap ----------------------------------------------------------------------------------


def parzen_prewhitened(columns, gradient):
    """Ledoit and Wolf's standard error written out with loops, from their description."""
    sessions, k = columns.shape
    before, after = columns[:-1], columns[1:]
    fit = np.array([np.linalg.lstsq(before, after[:, j], rcond=None)[0] for j in range(k)])
    left, size, right = np.linalg.svd(fit)
    fit = left @ np.diag(np.minimum(size, 0.97)) @ right
    white = np.array([after[t] - fit @ before[t] for t in range(sessions - 1)])
    top = bottom = 0.0
    for j in range(k):
        rho = white[:-1, j] @ white[1:, j] / (white[:-1, j] @ white[:-1, j])
        variance = np.mean((white[1:, j] - rho * white[:-1, j]) ** 2)
        top += 4 * rho**2 * variance**2 / (1 - rho) ** 8
        bottom += variance**2 / (1 - rho) ** 4
    bandwidth = 2.6614 * (top / bottom * len(white)) ** 0.2
    psi, lag = white.T @ white / len(white), 1
    while lag < bandwidth:
        x = lag / bandwidth
        kernel = 1 - 6 * x**2 + 6 * x**3 if x <= 0.5 else 2 * (1 - x) ** 3
        gamma = white[lag:].T @ white[:-lag] / len(white)
        psi += kernel * (gamma + gamma.T)
        lag += 1
    psi *= len(white) / (len(white) - k)
    colour = np.linalg.inv(np.eye(k) - fit)
    return np.sqrt(gradient @ colour @ psi @ colour.T @ gradient / sessions)


def test_the_standard_error_is_that_of_the_paper():
    first, second = pair(4, 300)
    columns = np.column_stack([first, second, first**2, second**2])
    means = columns.mean(axis=0)
    gradient = SHARPE_GAP.gradient(means)
    assert hac_error(columns - means, gradient) == pytest.approx(parzen_prewhitened(columns - means, gradient))


def test_the_gradient_is_the_slope_of_the_value():
    means = np.array([0.0004, 0.0003, 0.0001, 0.00012])
    slope = [(SHARPE_GAP.value(means + step) - SHARPE_GAP.value(means - step)) / 2e-10 for step in 1e-10 * np.eye(4)]
    assert SHARPE_GAP.gradient(means) == pytest.approx(np.array(slope), rel=1e-4)


def naive_p_value(first, second, block, replications, seed):
    """The studentised bootstrap one replication at a time."""
    rng = np.random.default_rng(seed)
    columns = np.column_stack([first, second, first**2, second**2])
    sessions, blocks = len(first), len(first) // block
    gap = SHARPE_GAP.value(columns.mean(axis=0))
    error = parzen_prewhitened(columns - columns.mean(axis=0), SHARPE_GAP.gradient(columns.mean(axis=0)))
    exceeding = 0
    for _ in range(replications):
        starts = rng.integers(sessions, size=blocks)
        drawn = np.concatenate([columns[(start + np.arange(block)) % sessions] for start in starts])
        means = drawn.mean(axis=0)
        psi = np.zeros((4, 4))
        for j in range(blocks):
            zeta = np.sqrt(block) * (drawn[j * block : (j + 1) * block] - means).mean(axis=0)
            psi += np.outer(zeta, zeta) / blocks
        gradient = SHARPE_GAP.gradient(means)
        star = np.sqrt(gradient @ psi @ gradient / (blocks * block))
        exceeding += abs(SHARPE_GAP.value(means) - gap) / star >= abs(gap) / error
    return (exceeding + 1) / (replications + 1)


def test_the_sharpe_test_is_the_plain_one_made_fast():
    first, second = pair(5, 400, gap=0.0002)
    ours = sharpe_difference(first, second, seed=8, block=10, replications=200)
    assert ours.p_value == pytest.approx(naive_p_value(first, second, 10, 200, 8))
    assert ours.estimate == pytest.approx(np.sqrt(252) * (first.mean() / first.std() - second.mean() / second.std()))


@given(st.integers(0, 10_000), st.floats(-0.0006, 0.0006))
@settings(max_examples=25, deadline=None)
def test_interval_and_p_value_agree_and_signs_mirror(seed, gap):
    first, second = pair(seed, 260, gap)
    there = sharpe_difference(first, second, seed=seed, block=10, replications=199)
    back = sharpe_difference(second, first, seed=seed, block=10, replications=199)
    assert (there.low > 0 or there.high < 0) == (there.p_value <= 0.05)
    assert there.estimate == pytest.approx(-back.estimate)
    assert there.p_value == pytest.approx(back.p_value, abs=0.011)
    assert there == sharpe_difference(first, second, seed=seed, block=10, replications=199)


def test_under_the_null_a_difference_is_claimed_as_often_as_promised():
    low = [sharpe_difference(*pair(seed, 500), seed=seed, block=10, replications=199).p_value for seed in range(300)]
    assert 0.02 <= np.mean(np.array(low) <= 0.05) <= 0.085
    assert 0.44 <= np.mean(low) <= 0.56


def test_costs_that_hang_together_are_not_believed_too_soon():
    def gain(seed):
        rng = np.random.default_rng(seed)
        shock = rng.standard_normal(1200)
        for t in range(1, len(shock)):
            shock[t] += 0.95 * shock[t - 1]
        return shock

    claimed = [mean_interval(gain(seed), seed=seed, replications=199).p_value <= 0.05 for seed in range(120)]
    assert np.mean(claimed) <= 0.12


def test_a_real_difference_is_found_by_both_bootstraps():
    first, second = pair(9, 1500, gap=0.0003)
    assert sharpe_difference(first, second, seed=1, replications=499).low > 0
    assert mean_interval(first - second, seed=1, replications=499).low > 0
    assert stationary_interval(first - second, seed=1, replications=499).low > 0


def test_the_same_policy_twice_is_no_difference():
    first, _ = pair(2)
    interval = sharpe_difference(first, first, seed=1)
    assert (interval.estimate, interval.low, interval.high, interval.p_value) == (0.0, 0.0, 0.0, 1.0)


def test_blocks_are_longer_for_what_hangs_together():
    rng = np.random.default_rng(0)
    noise = rng.standard_normal(2000)
    assert block_length(noise) == 13
    assert 40 < block_length(np.convolve(noise, np.ones(60), "valid")) <= 1941 // 8


def test_bad_series_are_refused():
    first, second = pair(1, 200)
    with pytest.raises(MarketDataError, match="199"):
        sharpe_difference(first, second[1:], seed=1)
    with pytest.raises(MarketDataError, match="session 3"):
        mean_interval(np.where(np.arange(200) == 3, np.nan, first), seed=1)
    with pytest.raises(MarketDataError, match="never changes"):
        sharpe_difference(np.zeros(200), second, seed=1)
    with pytest.raises(MarketDataError, match="at least 600 sessions"):
        mean_interval(first, seed=1, block=100)


# --- overfitting --------------------------------------------------------------------------------


def test_pbo_of_noise_is_half_and_of_skill_none():
    rng = np.random.default_rng(6)
    noise = rng.standard_normal((1600, 12))
    found = [overfitting(rng.standard_normal((800, 12)), parts=10).probability for _ in range(40)]
    assert np.mean(found) == pytest.approx(0.5, abs=0.12)
    noise[:, 4] += 0.3
    assert overfitting(noise).probability < 0.01
    assert len(overfitting(noise).logits) == 12_870


def test_pbo_is_the_plain_count():
    from itertools import combinations

    values = np.random.default_rng(7).standard_normal((83, 4))
    cut = values[3:].reshape(8, 10, 4)
    below = []
    for half in combinations(range(8), 4):
        rest = [part for part in range(8) if part not in half]
        inside, outside = (np.concatenate([cut[part] for part in side]) for side in (half, rest))
        best = np.argmax(inside.mean(axis=0) / inside.std(axis=0))
        score = outside.mean(axis=0) / outside.std(axis=0)
        below.append((score <= score[best]).sum() / 5 <= 0.5)
    assert overfitting(values, parts=8).probability == pytest.approx(np.mean(below))


def test_pbo_of_a_choice_that_is_always_wrong_is_one():
    # what was best in one half loses exactly as much in the other
    values = np.zeros((160, 2))
    values[:80, 0], values[80:, 0] = 1.0, -1.0
    values[:80, 1], values[80:, 1] = -1.0, 1.0
    assert overfitting(values, parts=2, sharpe=False).probability == 1.0


def test_pbo_needs_a_choice_and_days():
    with pytest.raises(ParameterError):
        overfitting(np.zeros((100, 1)))
    with pytest.raises(ParameterError):
        overfitting(np.zeros((100, 3)), parts=5)
    with pytest.raises(MarketDataError):
        overfitting(np.zeros((20, 3)))


# --- SPA and StepM ------------------------------------------------------------------------------


def test_superiority_finds_the_better_ones_and_no_others():
    rng = np.random.default_rng(11)
    gains = 0.01 * rng.standard_normal((1000, 10))
    nothing = superiority(gains, [f"p{i}" for i in range(10)], seed=1, block=5, replications=300)
    assert nothing.superior == ()
    assert nothing.consistent > 0.1
    assert nothing.lower <= nothing.consistent <= nothing.upper
    gains[:, [2, 7]] += 0.002
    found = superiority(gains, [f"p{i}" for i in range(10)], seed=1, block=5, replications=300)
    assert found.superior == ("p2", "p7")
    assert found.consistent < 0.01


def test_superiority_where_all_are_better():
    gains = 0.01 * np.random.default_rng(1).standard_normal((500, 3)) + 0.005
    assert superiority(gains, ["a", "b", "c"], seed=1, block=5, replications=200).superior == ("a", "b", "c")


def test_step_down_is_that_of_arch():
    from arch.bootstrap import StepM

    gains = 0.01 * np.random.default_rng(2).standard_normal((600, 6)) + np.linspace(-0.001, 0.0015, 6)
    ours = superiority(gains, list("abcdef"), seed=4, block=7, replications=300)
    scaled = gains / np.array([hac_error(column[:, None] - column.mean(), np.ones(1)) for column in gains.T])
    step = StepM(np.zeros(600), -scaled, block_size=7, reps=300, seed=4)
    step.compute()
    assert ours.superior == tuple("abcdef"[i] for i in step.superior_models)


def test_a_wild_loser_does_not_hide_a_steady_winner():
    # without studentising, the spread of the first column would be everyone's critical value
    rng = np.random.default_rng(3)
    gains = np.column_stack([rng.standard_normal(800), 0.001 * rng.standard_normal(800) + 0.0002])
    assert superiority(gains, ["wild", "steady"], seed=1, block=5, replications=300).superior == ("steady",)


def test_superiority_refuses_what_it_cannot_test():
    with pytest.raises(MarketDataError, match="ever differs"):
        superiority(np.zeros((100, 2)), ["a", "b"], seed=1)
    with pytest.raises(ParameterError):
        superiority(np.zeros((100, 2)), ["a"], seed=1)

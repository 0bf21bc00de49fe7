"""The whole comparison: windows that do not touch, fits that see no future, opponents chosen beforehand."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import backtest
from workbench.backtest import evidence
from workbench.backtest.evidence import case, controls, track
from workbench.errors import MarketDataError, ParameterError, PolicyError

COVARIANCE = np.outer([0.17, 0.20, 0.06], [0.17, 0.20, 0.06]) * [[1, 0.6, 0.1], [0.6, 1, 0], [0.1, 0, 1]]
TARGET = np.array([0.4, 0.2, 0.4])
RULES = (
    backtest.BuyAndHold(),
    backtest.Calendar("month"),
    backtest.Calendar("year"),
    backtest.Band(0.03),
    backtest.Band(0.05),
)


@pytest.fixture(scope="module")
def universe():
    made = backtest.gbm([0.08, 0.075, 0.035], COVARIANCE, TARGET, paths=1, sessions=1700, seed=5, half_spread=0.001)
    return replace(made, cash_return=np.where(np.arange(1700) > 0, 1e-5 * (1 + np.arange(1700) // 300 % 2), 0.0)[None])


@pytest.fixture(scope="module")
def signals(universe):
    return backtest.signals(universe)


def short_windows(universe, **changes):
    years = {"train_years": 2, "validation_years": 0.5, "test_years": 1, "longest_train_years": 3, "first": 253}
    return evidence.windows(universe.sessions, **(years | changes))


def compared(universe, signals, candidates, **changes):
    options = {"seed": 3, "test_windows": short_windows(universe), "replications": 199, "search": False}
    return evidence.pack(universe, signals, RULES, candidates, **(options | changes))


@pytest.fixture(scope="module")
def found(universe, signals):
    quadratic = evidence.Candidate(
        "quadratic", backtest.Quadratic(0.6), deterministic=True, surrogate=backtest.Band(0.04), portfolios=600
    )
    same = evidence.Candidate("yearly again", backtest.Calendar("year"))
    return compared(universe, signals, [quadratic, same], search=True)


# --- windows ------------------------------------------------------------------------------------


@given(
    st.integers(3_200, 6_000),
    st.floats(3, 8),
    st.floats(0.5, 2),
    st.integers(21, 90),
    st.floats(0.5, 2),
    st.integers(0, 300),
)
@settings(max_examples=60, deadline=None)
def test_training_never_touches_test(count, train, validation, embargo, test, first):
    windows = evidence.windows(count, train, validation, embargo, test, longest_train_years=train + 2, first=first)
    assert windows[-1].test[1] == count
    for window in windows:
        assert first <= window.fit[0] < window.fit[1] < window.validation[0] < window.validation[1] < window.test[0]
        assert window.validation[0] - window.fit[1] == window.test[0] - window.validation[1] == embargo
        assert round(252 * train) <= window.train[1] - window.train[0] <= round(252 * (train + 2))
    for earlier, later in pairwise(windows):
        assert earlier.test[1] == later.test[0]
    # one more window would not fit
    assert windows[0].train[1] - first < round(252 * train) + round(252 * test)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (((0, 900), (921, 1100), (1050, 1302)), "-50 sessions after"),
        (((0, 900), (921, 1100), (1120, 1372)), "20 sessions after"),
        (((0, 900), (850, 1100), (1121, 1373)), "out of order"),
        (((-9, 900), (921, 1100), (1121, 1373)), "out of order"),
        (((0, 900), (921, 1100), (1500, 1752)), "outside 1700"),
    ],
)
def test_windows_that_test_on_what_was_learned_are_refused(universe, signals, parts, said):
    one = evidence.Candidate("q", backtest.Quadratic(0.6))
    with pytest.raises(ParameterError, match=said):
        compared(universe, signals, [one], test_windows=[evidence.Window(*parts)])
    with pytest.raises(ParameterError, match=said):
        evidence.walk_forward(universe, signals, lambda _: RULES[3], [evidence.Window(*parts)], name="x")


def test_tests_that_do_not_follow_one_another_are_refused(universe, signals):
    windows, one = short_windows(universe), evidence.Candidate("q", backtest.Quadratic(0.6))
    for broken in (windows[::-1], windows[::2], [windows[0], *windows]):
        with pytest.raises(ParameterError, match="does not follow"):
            compared(universe, signals, [one], test_windows=broken)


def test_too_few_sessions_says_how_many_are_needed():
    need = 8 * 252 + 21 + 252
    assert len(evidence.windows(need)) == 1
    with pytest.raises(MarketDataError, match=str(need)):
        evidence.windows(need - 1)
    with pytest.raises(MarketDataError, match=f"{need - 253} sessions with signals"):
        evidence.windows(need, first=253)


def test_windows_that_make_no_sense_are_refused():
    with pytest.raises(ParameterError, match="embargo"):
        evidence.windows(5000, embargo=20)
    with pytest.raises(ParameterError):
        evidence.windows(5000, train_years=2, validation_years=2)
    with pytest.raises(ParameterError):
        evidence.windows(5000, longest_train_years=5)


def test_a_fit_gets_its_own_years_and_no_more(universe, signals):
    windows, seen = short_windows(universe), []

    def fit(training):
        seen.append(training)
        return backtest.Band(0.04)

    made = evidence.walk_forward(universe, signals, fit, windows, name="fitted", offsets=(0,))
    assert len(seen) == len(windows) == 3
    for window, training in zip(windows, seen):
        start, stop = window.train
        assert len(training.universe.sessions) == stop - start == training.universe.price.shape[1]
        assert training.universe.sessions[-1] == universe.sessions[stop - 1]
        assert len(training.signals.market[0]) == stop - start
        assert training.universe.cash_return[0, 0] == 0.0
        assert training.signals.covariance.shape[1] == training.signals.covariance_at.max() + 1
        assert training.universe.sessions[training.validation_start] == universe.sessions[window.validation[0]]
        assert training.fit_end + 21 == training.validation_start
        # copies: nothing behind them leads to the years after
        for array in (training.universe.price, training.signals.market, training.signals.covariance):
            assert array.base is None
        assert not np.shares_memory(training.universe.target, universe.target)
        assert np.array_equal(
            training.signals.covariance[0, training.signals.covariance_at[-1]],
            signals.covariance[0, signals.covariance_at[stop - 1]],
        )
        # and it can be run
        backtest.simulate(training.universe, training.signals, backtest.Runs.product([backtest.Band(0.05)]))
    assert made.net.shape == (6, 756)


# --- daily figures ------------------------------------------------------------------------------


def test_daily_figures_add_up_to_the_statistics_of_the_engine(universe, signals):
    policies = [backtest.Calendar("quarter"), backtest.Band(0.03)]
    setting = track.Setting(universe, signals, backtest.Costs(commission=0.0005), cost_multiples=(1.0, 2.0))
    first, stop = signals.first, len(universe.sessions)
    made = track.records(setting, policies, first, stop, (first + 1, stop))
    runs = backtest.Runs.product(policies, "all", (1.0, 2.0), (1, 2))
    engine = backtest.simulate(universe, signals, runs, costs=setting.costs).statistics
    ours = pd.concat([record.runs for record in made]).reset_index(drop=True)
    names = ["return_", "volatility", "sharpe", "max_drawdown", "turnover", "cost_bp", "tracking_loss_bp", "total_bp"]
    both = engine.merge(ours, on=["policy", "offset", "cost_multiple", "delay"], suffixes=("", "_ours"))
    assert len(both) == len(runs)
    for name in names:
        assert both[name].to_numpy() == pytest.approx(both[f"{name}_ours"].to_numpy(), rel=1e-8, abs=1e-12), name
    mean = ours[(ours["policy"] == "every quarter") & (ours["cost_multiple"] == 1) & (ours["delay"] == 1)]
    assert made[0].total[setting.base].mean() == pytest.approx(mean["total_bp"].mean())
    assert len(made[0].total_of) == 63


def test_gains_are_differences_of_worth(found):
    for measure, interval in (("total_bp", found.case("quadratic").cost), ("sharpe", found.case("quadratic").sharpe)):
        assert found.case("quadratic").gain == found.case("quadratic").cost
        assert np.isfinite([interval.estimate, interval.low, interval.high, interval.error]).all(), measure
    one = found.case("quadratic")
    assert one.gain.estimate == pytest.approx(one.worth - one.opponent_worth)
    assert one.stress(1.0, 1).gain == pytest.approx(one.gain.estimate)
    assert one.second.estimate == pytest.approx(one.gain.estimate)
    assert one.windows["gain"].mean() == pytest.approx(one.gain.estimate)
    assert one.wins == one.windows["won"].mean()
    assert one.stress(7.0, 1) is None


# --- the opponent -------------------------------------------------------------------------------


def test_the_opponent_is_chosen_before_its_test(universe, signals, found):
    last = short_windows(universe)[-1]
    rng = np.random.default_rng(0)
    other = controls.shuffled_after(universe, last.train[1] - 1, rng)
    again = compared(other, backtest.signals(other), [evidence.Candidate("q", backtest.Quadratic(0.6))])
    assert list(again.windows["opponent"]) == list(found.windows["opponent"])
    assert again.case("q").opponent_worth != found.case("quadratic").opponent_worth


def test_the_opponent_is_the_best_of_its_training_years(universe, signals, found):
    window = short_windows(universe)[0]
    runs = backtest.Runs.product(RULES, "all")
    until = backtest.simulate(universe, signals, runs, keep_returns=True, keep_paths=True, last=window.train[1] - 1)
    worths = {}
    for rule in RULES:
        rows = np.flatnonzero(until.statistics["policy"] == rule.name)
        net, cost = until.returns[rows], until.costs[rows]
        target = track.target_returns(universe, track.total_returns(universe))[0, signals.first + 1 : window.train[1]]
        active = (1 + net) / (1 - cost) - 1 - target
        worths[rule.name] = -(1e4 * 252 * (cost + 2.5 * active**2)).mean()
    assert found.windows["opponent"].iloc[0] == max(worths, key=worths.get)


def test_evidence_has_the_parts_that_chapters_show(found):
    assert list(found.rules.index) == [rule.name for rule in RULES]
    assert found.rules["windows_chosen"].sum() == 3
    assert (found.rules["worst_start"] <= found.rules["best_start"]).all()
    assert found.rules.loc["every month", "starts"] == 21
    assert len(found.daily) == 756
    assert list(found.daily.columns.get_level_values(0).unique())[1:] == ["quadratic", "yearly again"]
    assert set(found.runs["policy"]) == {rule.name for rule in RULES} | {"quadratic", "yearly again"}
    assert (found.first, found.last) == (found.daily.index[0], found.daily.index[-1])
    assert found.superiority is not None
    assert 0 <= found.overfitting.probability <= 1
    assert list(found.to_frame().index) == ["quadratic", "yearly again"]
    regimes = {regime.name: regime.sessions for regime in found.case("quadratic").regimes}
    assert regimes["calm"] + regimes["stress"] == regimes["rising"] + regimes["falling"] == 756
    assert "rates rising" in regimes
    with pytest.raises(KeyError, match="yearly again"):
        found.case("nobody")


def test_a_rule_that_is_its_own_opponent_is_not_deployed(universe, signals):
    rule = backtest.Band(0.03)
    again = evidence.Candidate("again", replace(rule), deterministic=True, surrogate=rule, portfolios=9_999)
    made = evidence.pack(
        universe, signals, [rule], [again], seed=1, test_windows=short_windows(universe), replications=199
    )
    one = made.cases[0]
    assert (one.gain.estimate, one.gain.p_value, one.wins) == (0.0, 1.0, 0.0)
    assert one.surrogate.advantage == 0.0
    assert evidence.verdict(made, "again").decision == "do not deploy"
    assert made.superiority is None


def test_rules_without_a_forecast_differ_by_several_percent_of_sharpe():
    # nothing in them knows the future: what lies between them, and between dates of one of them, is the size of luck
    pytest.importorskip("skfolio")
    from workbench.learning import universes

    real = universes.embedded("sectors")
    static = [rule for rule in backtest.rules() if not isinstance(rule, backtest.BuyAndHold | backtest.Tilted)]
    made = backtest.simulate(real, backtest.signals(real), backtest.Runs.product(static, "all")).statistics
    start = made[made["offset"] == 0]["sharpe"]
    yearly = made[made["policy"] == "every year"]["sharpe"]
    assert 0.02 < start.max() / start.min() - 1 < 0.10
    assert 0.02 < yearly.max() / yearly.min() - 1 < 0.10


def test_same_seed_same_bits(universe, signals):
    candidate = evidence.Candidate("q", backtest.Quadratic(0.6), seeds={1: backtest.Quadratic(0.5)})
    control = evidence.same_bits(lambda: compared(universe, signals, [candidate], offsets=(0,)))
    assert control.passed
    numbers = iter([1.0, 1.0 + 1e-15])
    assert not evidence.same_bits(lambda: {"value": next(numbers)}).passed
    assert evidence.fingerprint(np.zeros(3)) != evidence.fingerprint(np.zeros((3, 1)))
    assert evidence.fingerprint(pd.DataFrame({"a": [1]})) != evidence.fingerprint(pd.DataFrame({"b": [1]}))


# --- candidates ---------------------------------------------------------------------------------


def test_every_trial_is_counted(universe, signals, tmp_path):
    ledger = evidence.TrialLedger(tmp_path / "trials.jsonl")
    seeds = {seed: backtest.Quadratic(0.4 + 0.1 * seed) for seed in range(3)}
    candidate = evidence.Candidate("q", backtest.Quadratic(0.6), seeds=seeds)
    made = compared(universe, signals, [candidate], ledger=ledger, offsets=(0,))
    assert made.trials == ledger.count() == len(RULES) + 1 + 3
    assert ledger.contains(made.ledger)
    again = compared(universe, signals, [candidate], ledger=ledger, offsets=(0,))
    assert again.trials == made.trials
    other = compared(universe, signals, [replace(candidate, name="r")], ledger=ledger, offsets=(0,))
    assert other.trials == made.trials + 4
    assert other.case("r").deflated.threshold > made.case("q").deflated.threshold
    seeds_found = made.case("q").seeds
    assert len(seeds_found.gains) == 3
    assert seeds_found.lower_quartile <= seeds_found.middle <= seeds_found.upper_quartile


def test_windows_that_a_candidate_was_trained_on_are_left_out(universe, signals):
    windows = short_windows(universe)
    late = evidence.Candidate("late", backtest.Quadratic(0.6), trained_until=universe.sessions[windows[0].test[0]])
    assert len(compared(universe, signals, [late]).windows) == 2
    all_of_it = replace(late, trained_until=universe.sessions[-100])
    with pytest.raises(ParameterError, match="trained until"):
        compared(universe, signals, [all_of_it])
    with pytest.raises(ParameterError, match="no date"):
        compared(universe, signals, [late, replace(late, name="never", trained_until=pd.NaT)])


def test_what_was_walked_forward_before_is_taken_as_it_is(universe, signals):
    windows = short_windows(universe)
    fitted = evidence.walk_forward(universe, signals, lambda _: backtest.Quadratic(0.6), windows, name="old")
    made = compared(universe, signals, [evidence.Candidate("fitted", fitted)])
    fixed = compared(universe, signals, [evidence.Candidate("fixed", backtest.Quadratic(0.6))])
    # a year of its own before each test leaves little of where it started
    assert made.case("fitted").worth == pytest.approx(fixed.case("fixed").worth, rel=0.05)
    assert set(made.runs["policy"]) >= {"fitted"}
    with pytest.raises(ParameterError, match="other windows"):
        compared(universe, signals, [evidence.Candidate("fitted", fitted)], test_windows=windows[1:])


@pytest.mark.parametrize(
    "changed",
    [{"costs": backtest.Costs(commission=0.001)}, {"risk_aversion": 2.0}, {"offsets": (0,)}, {"universe": "dearer"}],
)
def test_what_was_walked_forward_on_other_terms_is_refused(universe, signals, changed):
    windows = short_windows(universe)
    fitted = evidence.walk_forward(universe, signals, lambda _: backtest.Quadratic(0.6), windows, name="old")
    asked = {key: value for key, value in changed.items() if key != "universe"}
    other = replace(universe, half_spread=2 * universe.half_spread) if "universe" in changed else universe
    with pytest.raises(ParameterError, match="do it again"):
        compared(other, signals, [evidence.Candidate("fitted", fitted)], **asked)


def test_one_start_date_is_no_measure_of_timing_luck(universe, signals):
    candidate = evidence.Candidate("q", backtest.Quadratic(0.6))
    for offsets, measured in (((0,), False), ("all", True)):
        made = compared(universe, signals, [candidate], offsets=offsets)
        luck = next(c for c in evidence.verdict(made).criteria if c.name == "timing luck")
        assert (luck.value is not None) == measured
    assert made.case("q").luck.schedule == made.case("q").luck.offsets == 21


def test_the_same_name_tried_again_and_again_is_counted(universe, signals, tmp_path):
    ledger = evidence.TrialLedger(tmp_path / "trials.jsonl")
    for horizon in (0.4, 0.6, 0.8):
        candidate = evidence.Candidate("mine", backtest.Quadratic(horizon))
        found = compared(universe, signals, [candidate], ledger=ledger, offsets=(0,))
    assert found.trials == len(RULES) + 3


def test_a_comparison_that_makes_no_sense_is_refused(universe, signals):
    one = evidence.Candidate("q", backtest.Quadratic(0.6))
    with pytest.raises(ParameterError, match="measure"):
        compared(universe, signals, [one], measure="alpha")
    with pytest.raises(ParameterError, match="two policies"):
        compared(universe, signals, [one, one])
    with pytest.raises(ParameterError, match="at least one"):
        compared(universe, signals, [])
    with pytest.raises(ParameterError, match="deterministic"):
        compared(universe, signals, [replace(one, deterministic=True, seeds={1: backtest.Band(0.1)})])
    with pytest.raises(ParameterError, match="must hold 1"):
        compared(universe, signals, [one], delays=(2,))
    with pytest.raises(MarketDataError, match="too few"):
        compared(universe, signals, [one], test_windows=None)


@dataclass(frozen=True)
class Leveraged:
    every: int = 21
    name: str = "leveraged"

    def decide(self, seen):
        return 1.3 * seen.target


def test_a_policy_off_the_simplex_is_named(universe, signals):
    with pytest.raises(PolicyError, match="leveraged"):
        compared(universe, signals, [evidence.Candidate("x", Leveraged())], offsets=(0,))


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=20))
def test_the_interquartile_mean_lies_in_the_middle(values):
    from scipy.stats import trim_mean

    middle = case.interquartile_mean(np.array(values))
    assert min(values) - 1e-9 <= middle <= max(values) + 1e-9
    if len(values) % 4 == 0:
        assert middle == pytest.approx(trim_mean(values, 0.25), abs=1e-9)

"""What no evidence can be made of is refused by name: too few draws, empty series, fits that raise, empty controls."""

from __future__ import annotations

import numpy as np
import pytest

from workbench import backtest
from workbench.backtest import evidence
from workbench.backtest.evidence import Trial, TrialLedger
from workbench.errors import MarketDataError, ParameterError, PolicyError

SERIES = np.random.default_rng(1).normal(size=(400, 3)) * 0.01


@pytest.mark.parametrize(
    ("ask", "error", "said"),
    [
        (lambda: evidence.mean_interval(SERIES[:, 0], seed=1, replications=10), ParameterError, "at least 19"),
        (lambda: evidence.mean_interval(SERIES[:, 0], seed=1, block=0), ParameterError, "block is 0"),
        (lambda: evidence.mean_interval(SERIES[:, 0], seed=1, block=2.5), ParameterError, "block is 2.5"),
        (lambda: evidence.mean_interval(SERIES[:7, 0], seed=1), MarketDataError, "too few to resample"),
        (lambda: evidence.mean_interval(np.full(99, 0.1), seed=1), MarketDataError, "never changes"),
        (lambda: evidence.sharpe_difference([], [], seed=1), MarketDataError, "no session"),
        (lambda: evidence.stationary_interval(SERIES[:, 0], seed=1, replications=0), ParameterError, "at least 19"),
        (lambda: evidence.superiority(SERIES, "abc", seed=1, block=0), ParameterError, "block 0"),
        (lambda: evidence.superiority(SERIES[:3], "abc", seed=1), ParameterError, "3 sessions"),
        (lambda: evidence.superiority(SERIES, "abc", seed=1, size=2.0), ParameterError, "size is 2"),
        (lambda: evidence.superiority(SERIES, "aba", seed=1), ParameterError, "two columns are called 'a'"),
        (lambda: evidence.overfitting(SERIES, parts=40), ParameterError, "parts is 40"),
        (lambda: evidence.expected_maximum(5, np.nan), ParameterError, "variance nan"),
        (lambda: evidence.minimum_track_record(0.1, confidence=2.0), ParameterError, "confidence is 2"),
        (lambda: evidence.windows(4000, np.nan), ParameterError, "finite"),
        (lambda: evidence.windows(4000, embargo=21.5), ParameterError, "whole"),
        (lambda: evidence.windows(4000, longest_train_years=np.inf), ParameterError, "finite"),
        (lambda: evidence.noise_world(bool, worlds=0, seed=1), ParameterError, "check nothing"),
        (lambda: evidence.planted_signal(bool, worlds=-1, seed=1), ParameterError, "check nothing"),
    ],
)
def test_what_is_no_evidence_is_refused(ask, error, said):
    with pytest.raises(error, match=said):
        ask()


@pytest.fixture(scope="module")
def universe():
    return backtest.gbm([0.08, 0.03], [[0.03, 0], [0, 0.01]], [0.6, 0.4], paths=1, sessions=1200, seed=5)


def compared(universe, candidate, **changes):
    windows = evidence.windows(universe.sessions, 1.5, 0.5, test_years=1, longest_train_years=2, first=253)
    options = {"seed": 1, "test_windows": windows, "offsets": (0,), "replications": 99, "search": False}
    rules = [backtest.Calendar(21), backtest.Band(0.05)]
    return evidence.pack(universe, backtest.signals(universe), rules, [candidate], **(options | changes))


def test_a_fit_that_raises_is_named_with_its_window(universe):
    with pytest.raises(PolicyError, match=r"window 1 \(training to .*ZeroDivisionError"):
        compared(universe, evidence.Candidate("x", lambda _: 1 / 0))
    with pytest.raises(ParameterError, match="None is no policy"):
        compared(universe, evidence.Candidate("x", lambda _: None))
    with pytest.raises(ParameterError, match="'y' is no policy, fit or track"):
        compared(universe, evidence.Candidate("x", "y"))


def test_costs_given_twice_and_data_that_do_not_move_are_refused(universe):
    one = evidence.Candidate("x", backtest.Band(0.03))
    with pytest.raises(ParameterError, match="twice"):
        compared(universe, one, cost_multiples=(1.0, 1.0, 2.0))
    still = backtest.gbm([0, 0], np.eye(2) * 1e-12, [0.6, 0.4], paths=1, sessions=1200, seed=5)
    object.__setattr__(still, "price", np.ones_like(still.price))
    with pytest.raises(MarketDataError, match="no rule has a Sharpe ratio"):
        compared(still, one, measure="sharpe")
    with pytest.raises(ParameterError, match="0 cuts"):
        evidence.leak(universe, backtest.Band(0.03), seed=1, cuts=0)


def test_seeds_of_numpy_are_written_as_numbers(tmp_path):
    ledger = TrialLedger(tmp_path / "trials.jsonl")
    ledger.record([Trial("a", "u", "w", np.int64(3), sharpe=np.float32(0.5))])
    assert ledger.trials() == (Trial("a", "u", "w", 3, sharpe=0.5),)


def test_a_rule_in_plain_python_is_not_better_than_itself(universe):
    """Rounding alone lies between the two engines; it must not pass for a gain."""

    class Same:
        name, every = "same", 21

        def decide(self, seen):
            return seen.target

    made = compared(universe, evidence.Candidate("same", Same(), deterministic=True, surrogate=backtest.Calendar(21)))
    found = evidence.verdict(made)
    assert found.decision == "do not deploy"
    assert {"timing luck", "surrogate"} <= {criterion.name for criterion in found.failed}

"""Evidence on rebalancing policies: tests that bear many trials, controls of the procedure, a verdict by rule."""

from workbench.backtest.evidence.bootstrap import mean_interval, sharpe_difference, stationary_interval
from workbench.backtest.evidence.comparison import Candidate, pack
from workbench.backtest.evidence.ledger import Trial, TrialLedger
from workbench.backtest.evidence.overfitting import overfitting
from workbench.backtest.evidence.result import (
    CONTROLS,
    MEASURES,
    Case,
    Control,
    Criterion,
    DeflatedSharpe,
    Evidence,
    Interval,
    Overfitting,
    Regime,
    Seeds,
    Stress,
    Superiority,
    Surrogate,
    TimingLuck,
    Verdict,
)
from workbench.backtest.evidence.sharpe import deflate, expected_maximum, minimum_track_record, probabilistic_sharpe
from workbench.backtest.evidence.superiority import superiority
from workbench.backtest.evidence.verdict import Thresholds, verdict
from workbench.backtest.evidence.windows import Fit, Training, Window, training, windows

__all__ = [
    "CONTROLS",
    "MEASURES",
    "Candidate",
    "Case",
    "Control",
    "Criterion",
    "DeflatedSharpe",
    "Evidence",
    "Fit",
    "Interval",
    "Overfitting",
    "Regime",
    "Seeds",
    "Stress",
    "Superiority",
    "Surrogate",
    "Thresholds",
    "TimingLuck",
    "Training",
    "Trial",
    "TrialLedger",
    "Verdict",
    "Window",
    "deflate",
    "expected_maximum",
    "mean_interval",
    "minimum_track_record",
    "overfitting",
    "pack",
    "probabilistic_sharpe",
    "sharpe_difference",
    "stationary_interval",
    "superiority",
    "training",
    "verdict",
    "windows",
]

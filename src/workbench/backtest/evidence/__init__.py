"""Evidence on rebalancing policies: tests that bear many trials, controls of the procedure, a verdict by rule."""

from workbench.backtest.evidence.bootstrap import mean_interval, sharpe_difference, stationary_interval
from workbench.backtest.evidence.candidate import Candidate, walk_forward
from workbench.backtest.evidence.comparison import pack
from workbench.backtest.evidence.controls import (
    believes,
    dp_gap,
    fingerprint,
    leak,
    noise_world,
    planted_signal,
    same_bits,
)
from workbench.backtest.evidence.ledger import Trial, TrialLedger
from workbench.backtest.evidence.overfitting import overfitting
from workbench.backtest.evidence.result import (
    CONTROLS,
    CRITERIA,
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
from workbench.backtest.evidence.track import Track
from workbench.backtest.evidence.verdict import Thresholds, verdict
from workbench.backtest.evidence.windows import Fit, Training, Window, training, windows

__all__ = [
    "CONTROLS",
    "CRITERIA",
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
    "Track",
    "Training",
    "Trial",
    "TrialLedger",
    "Verdict",
    "Window",
    "believes",
    "deflate",
    "dp_gap",
    "expected_maximum",
    "fingerprint",
    "leak",
    "mean_interval",
    "minimum_track_record",
    "noise_world",
    "overfitting",
    "pack",
    "planted_signal",
    "probabilistic_sharpe",
    "same_bits",
    "sharpe_difference",
    "stationary_interval",
    "superiority",
    "training",
    "verdict",
    "walk_forward",
    "windows",
]

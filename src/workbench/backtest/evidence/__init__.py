"""Evidence on rebalancing policies: tests that bear many trials, controls of the procedure, a verdict by rule."""

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

__all__ = [
    "CONTROLS",
    "MEASURES",
    "Case",
    "Control",
    "Criterion",
    "DeflatedSharpe",
    "Evidence",
    "Interval",
    "Overfitting",
    "Regime",
    "Seeds",
    "Stress",
    "Superiority",
    "Surrogate",
    "TimingLuck",
    "Verdict",
]

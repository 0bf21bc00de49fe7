"""Rebalancing policies side by side: a compiled engine for thousands of runs at once, rules, optima, and evidence."""

from workbench.backtest.policy import EVERY, CompiledPolicy, Policy, Rule
from workbench.backtest.universe import Costs, Observation, Signals, Universe

__all__ = [
    "EVERY",
    "CompiledPolicy",
    "Costs",
    "Observation",
    "Policy",
    "Rule",
    "Signals",
    "Universe",
]

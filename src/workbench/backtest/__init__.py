"""Rebalancing policies side by side: a compiled engine for thousands of runs at once, rules, optima, and evidence."""

from workbench.backtest import (
    compiled,
    dynamic_programming,
    evidence,
    fitted_value,
    fixed_target,
    learned,
    tuning,
)
from workbench.backtest.after_tax import after_tax, compare_after_tax
from workbench.backtest.after_tax_result import AfterTax
from workbench.backtest.chained_file import ChainedFile
from workbench.backtest.engine import Backtests, joined, simulate
from workbench.backtest.learned import BandNetwork, LearnedQuadratic
from workbench.backtest.load import load_universe
from workbench.backtest.multi_period import MultiPeriod
from workbench.backtest.policies import Band, BuyAndHold, Calendar, rules
from workbench.backtest.policy import EVERY, CompiledPolicy, Policy, Rule
from workbench.backtest.quadratic import Quadratic
from workbench.backtest.runs import Runs
from workbench.backtest.signals import signals
from workbench.backtest.tax_aware import LotPolicy, TaxAware, TaxLots
from workbench.backtest.tilts import Tilted
from workbench.backtest.tuning import tune_universe
from workbench.backtest.universe import Costs, Floats, Observation, Signals, Universe
from workbench.backtest.walk import walk
from workbench.backtest.worlds import block_bootstrap, gbm, known_signals, noise, planted
from workbench.rebalance.after_tax import TaxRates

__all__ = [
    "EVERY",
    "AfterTax",
    "Backtests",
    "Band",
    "BandNetwork",
    "BuyAndHold",
    "Calendar",
    "ChainedFile",
    "CompiledPolicy",
    "Costs",
    "Floats",
    "LearnedQuadratic",
    "LotPolicy",
    "MultiPeriod",
    "Observation",
    "Policy",
    "Quadratic",
    "Rule",
    "Runs",
    "Signals",
    "TaxAware",
    "TaxLots",
    "TaxRates",
    "Tilted",
    "Universe",
    "after_tax",
    "block_bootstrap",
    "compare_after_tax",
    "compiled",
    "dynamic_programming",
    "evidence",
    "fitted_value",
    "fixed_target",
    "gbm",
    "joined",
    "known_signals",
    "learned",
    "load_universe",
    "noise",
    "planted",
    "rules",
    "signals",
    "simulate",
    "tune_universe",
    "tuning",
    "walk",
]

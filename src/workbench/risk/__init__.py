"""What could go wrong: risk split by its sources, stress, a score against each client's tolerance, early warnings."""

from workbench.risk.behaviour import Behaviour, find_patterns, load_trades
from workbench.risk.concentration_warnings import issuer_by_sleeve
from workbench.risk.early_warnings import EarlyWarning, EarlyWarnings, find_warnings
from workbench.risk.ex_ante import RiskSplit, split
from workbench.risk.limits import Limit, Limits, load_limits
from workbench.risk.load import watch
from workbench.risk.model import RiskModel, estimate, with_factor_portfolios
from workbench.risk.overview import FIRM, Overview, overview
from workbench.risk.own_assets import drawdown_of_value, load_drawdown
from workbench.risk.own_exposures import with_exposures
from workbench.risk.patterns import Pattern
from workbench.risk.portfolios import (
    Portfolios,
    account_risk,
    covered,
    estimate_risk,
    estimated_weight,
    factor_portfolios,
    factor_returns,
    model_targets,
    portfolio_chunks,
    portfolios,
    scenario_moves,
)
from workbench.risk.score import HouseholdScores, score_households, tolerated_scores
from workbench.risk.shocks import Scenarios, ShockSet, Window, load_scenarios, parse_scenarios
from workbench.risk.stress import Moves, Stress, factor_moves, historical_moves, shock_moves, stress_test
from workbench.risk.tolerated import against_tolerance, tolerated_losses
from workbench.risk.watched import Watched

__all__ = [
    "FIRM",
    "Behaviour",
    "EarlyWarning",
    "EarlyWarnings",
    "HouseholdScores",
    "Limit",
    "Limits",
    "Moves",
    "Overview",
    "Pattern",
    "Portfolios",
    "RiskModel",
    "RiskSplit",
    "Scenarios",
    "ShockSet",
    "Stress",
    "Watched",
    "Window",
    "account_risk",
    "against_tolerance",
    "covered",
    "drawdown_of_value",
    "estimate",
    "estimate_risk",
    "estimated_weight",
    "factor_moves",
    "factor_portfolios",
    "factor_returns",
    "find_patterns",
    "find_warnings",
    "historical_moves",
    "issuer_by_sleeve",
    "load_drawdown",
    "load_limits",
    "load_scenarios",
    "load_trades",
    "model_targets",
    "overview",
    "parse_scenarios",
    "portfolio_chunks",
    "portfolios",
    "scenario_moves",
    "score_households",
    "shock_moves",
    "split",
    "stress_test",
    "tolerated_losses",
    "tolerated_scores",
    "watch",
    "with_exposures",
    "with_factor_portfolios",
]

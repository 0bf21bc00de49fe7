"""What could go wrong: risk split by its sources, stress, a score against each client's tolerance, early warnings."""

from workbench.risk.behaviour import Behaviour, Pattern, find_patterns, load_trades
from workbench.risk.concentration_warnings import issuer_by_sleeve
from workbench.risk.early_warnings import EarlyWarning, EarlyWarnings, find_warnings
from workbench.risk.limits import Limit, Limits, load_limits
from workbench.risk.score import HouseholdScores, drawdown_of_value, score_households, tolerated_scores
from workbench.risk.watched import Watched, watch

__all__ = [
    "Behaviour",
    "EarlyWarning",
    "EarlyWarnings",
    "HouseholdScores",
    "Limit",
    "Limits",
    "Pattern",
    "Watched",
    "drawdown_of_value",
    "find_patterns",
    "find_warnings",
    "issuer_by_sleeve",
    "load_limits",
    "load_trades",
    "score_households",
    "tolerated_scores",
    "watch",
]

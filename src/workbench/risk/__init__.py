"""What could go wrong: risk split by its sources, stress, a score against each client's tolerance, early warnings."""

from workbench.risk.limits import Limit, Limits, load_limits
from workbench.risk.score import HouseholdScores, drawdown_of_value, score_households, tolerated_scores
from workbench.risk.watched import Watched, watch

__all__ = [
    "HouseholdScores",
    "Limit",
    "Limits",
    "Watched",
    "drawdown_of_value",
    "load_limits",
    "score_households",
    "tolerated_scores",
    "watch",
]

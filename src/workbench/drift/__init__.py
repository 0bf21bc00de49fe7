"""How far each account stands from its model, why, and who should be looked at first.

inputs = drift.load(firm)
result = drift.measure(inputs, covariance=model)
causes = drift.explain(inputs, drift.load_history(firm, inputs))
drift.rank(result, drivers=drift.drivers(result, causes))
"""

from workbench.drift.aggregate import Aggregate, aggregate
from workbench.drift.causes import CAUSES, Causes, explain
from workbench.drift.history import History, load_history
from workbench.drift.inputs import OFF_MODEL, DriftInputs
from workbench.drift.load import load
from workbench.drift.measure import measure
from workbench.drift.rank import Scale, rank
from workbench.drift.result import Drift
from workbench.drift.review import Review, cause_shares, review
from workbench.drift.words import Driver, driver, drivers

__all__ = [
    "CAUSES", "OFF_MODEL", "Aggregate", "Causes", "Drift", "DriftInputs", "Driver", "History", "Review", "Scale",
    "aggregate", "cause_shares", "driver", "drivers", "explain", "load", "load_history", "measure", "rank", "review",
]  # fmt: skip

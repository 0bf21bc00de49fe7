"""How far each account stands from its model, why, and who should be looked at first.

    inputs = drift.load(firm)
    result = drift.measure(inputs, covariance=model)
    result.level("sector")
"""

from workbench.drift.inputs import OFF_MODEL, DriftInputs
from workbench.drift.load import load
from workbench.drift.measure import Drift, measure

__all__ = ["OFF_MODEL", "Drift", "DriftInputs", "load", "measure"]

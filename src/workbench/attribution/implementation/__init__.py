"""Why accounts earn less than their models: the model itself, a custodian, an advisor, or what cannot be told apart."""

from workbench.attribution.implementation.inference import Estimate, Inference, benjamini_hochberg
from workbench.attribution.implementation.panel import Panel
from workbench.attribution.implementation.permutation import Permutation, permute
from workbench.attribution.implementation.reml import Component, Fit, fit
from workbench.attribution.implementation.verdict import Effect, Verdict, judge

__all__ = [
    "Component",
    "Effect",
    "Estimate",
    "Fit",
    "Inference",
    "Panel",
    "Permutation",
    "Verdict",
    "benjamini_hochberg",
    "fit",
    "judge",
    "permute",
]

"""Why accounts earn less than their models: the model itself, a custodian, an advisor, or what cannot be told apart."""

from workbench.attribution.implementation.blame import Effect, Kind, against_others
from workbench.attribution.implementation.gaps import CHANNELS, CLIENT, LEAST_MONTHS, Gaps, load
from workbench.attribution.implementation.inference import Estimate, Inference, benjamini_hochberg
from workbench.attribution.implementation.overlap import comparisons, overlap
from workbench.attribution.implementation.panel import Panel
from workbench.attribution.implementation.permutation import Permutation, permute
from workbench.attribution.implementation.precision import weigh
from workbench.attribution.implementation.reml import Component, Fit, fit
from workbench.attribution.implementation.sleeve_gaps import load_with_sleeves
from workbench.attribution.implementation.study import Naive, Study, judge_sleeves, naive, study
from workbench.attribution.implementation.verdict import Verdict, judge
from workbench.attribution.implementation.words import Figure, Sentence, sentences

__all__ = [
    "CHANNELS",
    "CLIENT",
    "LEAST_MONTHS",
    "Component",
    "Effect",
    "Estimate",
    "Figure",
    "Fit",
    "Gaps",
    "Inference",
    "Kind",
    "Naive",
    "Panel",
    "Permutation",
    "Sentence",
    "Study",
    "Verdict",
    "against_others",
    "benjamini_hochberg",
    "comparisons",
    "fit",
    "judge",
    "judge_sleeves",
    "load",
    "load_with_sleeves",
    "naive",
    "overlap",
    "permute",
    "sentences",
    "study",
    "weigh",
]

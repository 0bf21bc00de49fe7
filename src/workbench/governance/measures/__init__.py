"""Outcome measures: defined before, read on set days, compared with a baseline, and said no louder than they are."""

from workbench.governance.measures.commands import DefineMeasure, RecordReading
from workbench.governance.measures.comparison import Comparison, compare
from workbench.governance.measures.definition import Measure, read_measures
from workbench.governance.measures.growth import Growth, client_growth
from workbench.governance.measures.reading import Reading
from workbench.governance.measures.schedule import Due, due, periods
from workbench.governance.measures.stored import load
from workbench.governance.measures.words import CALLED, figure, interval

__all__ = [
    "CALLED",
    "Comparison",
    "DefineMeasure",
    "Due",
    "Growth",
    "Measure",
    "Reading",
    "RecordReading",
    "client_growth",
    "compare",
    "due",
    "figure",
    "interval",
    "load",
    "periods",
    "read_measures",
]

"""What is asked for: define a measure, record a figure of it. Both stay; neither is ever changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from workbench.governance.commands import Command
from workbench.governance.measures.definition import Measure
from workbench.governance.measures.reading import Reading
from workbench.governance.states import Action


@dataclass(frozen=True)
class DefineMeasure(Command):
    """Say what will be measured, on or before the first day of use."""

    action: ClassVar[Action] = Action.DEFINE_MEASURES
    measure: Measure


@dataclass(frozen=True)
class RecordReading(Command):
    """Record a baseline before the first day of use, or the reading of a period that is over."""

    action: ClassVar[Action] = Action.RECORD_MEASURES
    reading: Reading

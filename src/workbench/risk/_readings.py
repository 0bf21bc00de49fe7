"""What a rule of the early warnings gives back: a value over time and whom it touches."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from workbench.risk.watched import Flags, Floats

#: Closes in a row at which a value must be beyond its threshold.
PERSISTENCE = 5


@dataclass(frozen=True, eq=False)
class Reading:
    """`values` by date, the last of them today's, of `subject`; `touched` and `dollars` by account (N).

    `beyond` overrides the comparison with the threshold, `threshold` the one in force today. The value must be beyond
    at the last `persistence` dates. With a `reason` nothing was measured.
    """

    values: pd.Series = field(default_factory=lambda: pd.Series(dtype="float64"))
    subject: str = ""
    touched: Flags = field(default_factory=lambda: np.zeros(0, bool))
    dollars: Floats = field(default_factory=lambda: np.zeros(0))
    persistence: int = PERSISTENCE
    unknown: tuple[str, ...] = ()
    threshold: float | None = None
    beyond: pd.Series | None = None
    reason: str = ""

    @classmethod
    def unmeasured(cls, reason: str, unknown: tuple[str, ...] = ()) -> Reading:
        """A reading that could not be taken."""
        return cls(reason=reason, unknown=unknown)

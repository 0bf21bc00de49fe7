"""Tilts: hold a little more of what is calm, or of what has risen, within limits that compliance has agreed to."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from workbench.backtest import _decide, _tilted
from workbench.backtest.policies import Band, Calendar
from workbench.backtest.policy import CompiledPolicy, Rule
from workbench.errors import ParameterError

_ROWS = {"volatility": _tilted.VOLATILITY_RATIO, "trend": _tilted.TREND}


@dataclass(frozen=True)
class Tilted(CompiledPolicy):
    """A rule that keeps a moved target: at each look every position's target moves by at most `limit`.

    - `volatility`: less of what moves more than it used to; the score is minus the binary logarithm of the asset's
      21-session volatility over its 252-session one (after Moreira and Muir 2017, "Volatility-managed portfolios").
    - `trend`: more of what has risen; the score is the log return from 252 to 21 sessions ago in units of its standard
      deviation (after Moskowitz, Ooi and Pedersen 2012, "Time series momentum").

    Scores are divided by `full` and cut to -1 and 1; the target moves by `limit` / 2 x (score - mean score), which sums
    to zero, and comes to the nearest weights that are not below 0 or the target less `limit`. That is what a learned
    tilt may do with `tilt_limit` = `limit`. Cash scores 0; a position without a target gets none. `base` says when
    trades are made to the moved target, and how far. Tracking error against the unmoved target is what a tilt costs.
    Raises `ParameterError` for an unknown signal, a limit outside (0, 1] or `full` that is not above 0.
    """

    signal: Literal["volatility", "trend"]
    limit: float = 0.05
    base: Calendar | Band = field(default_factory=Calendar)
    full: float = 1.0

    def __post_init__(self) -> None:
        if self.signal not in _ROWS:
            raise ParameterError(f"a tilt's signal is one of {', '.join(_ROWS)}, is {self.signal!r}", "signal")
        if not 0.0 < self.limit <= 1.0:
            raise ParameterError(f"a tilt's limit must be above 0 and at most 1, is {self.limit}", "limit")
        if not (math.isfinite(self.full) and self.full > 0.0):
            raise ParameterError(f"the score that makes a full tilt must be above 0, is {self.full}", "full")
        if not isinstance(self.base, Calendar | Band):
            raise ParameterError(f"a tilt acts by a Calendar or a Band, not {type(self.base).__name__}", "base")

    @property
    def name(self) -> str:
        """How exhibits call it."""
        strength = "" if self.full == 1.0 else f" (full at {self.full:g})"
        return f"{self.signal} tilt of {100 * self.limit:.4g} %{strength}, {self.base.name}"

    def rule(self) -> Rule:
        """Signal, limit, full score, and kind and numbers of the rule that acts on the moved target."""
        base = self.base.rule()
        moving = (float(_ROWS[self.signal]), float(self.limit), float(self.full))
        return Rule(_decide.TILTED, base.every, (*moving, float(base.kind), *base.numbers))

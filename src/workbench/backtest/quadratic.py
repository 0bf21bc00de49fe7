"""The cost-aware quadratic rule: at each look, the trades whose risk saved over a horizon pays for their cost."""

from __future__ import annotations

import math
from dataclasses import dataclass

from workbench.backtest import _decide
from workbench.backtest.policies import schedule, whole_sessions
from workbench.backtest.policy import CompiledPolicy, Rule
from workbench.errors import ParameterError


@dataclass(frozen=True)
class Quadratic(CompiledPolicy):
    """min_y cost'|y - w| + horizon x 1/2 x risk x risk_aversion x (y - w*)' S (y - w*), sum y = 1, y >= 0.

    One step of model predictive control: whatever is not traded now is held for `horizon` years (S is yearly), so a
    long horizon trades more. Inside a region around the target nothing is traded; outside of it just enough to come
    back to its edge, in the directions that are cheapest and riskiest to leave. `risk` multiplies the client's risk
    aversion. `band` is the least gain (fraction of wealth, in the objective above) worth acting on: 0 for costs in
    proportion, more where every trade also costs a ticket or somebody's time. Raises `ParameterError`.
    """

    horizon: float
    risk: float = 1.0
    band: float = 0.0
    every: int = 21

    def __post_init__(self) -> None:
        for name in ("horizon", "risk", "band"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0.0):
                raise ParameterError(f"Quadratic: {name} is {value}; give a finite number of at least 0.", name)
        object.__setattr__(self, "every", whole_sessions(self.every))

    @property
    def name(self) -> str:
        """How exhibits call it."""
        extra = f", risk x{self.risk:g}" if self.risk != 1.0 else ""
        extra += f", gain over {1e4 * self.band:g} bp" if self.band else ""
        looks = "" if self.every == 21 else f", every {schedule(self.every)}"
        return f"quadratic, {self.horizon:.3g} y{extra}{looks}"

    def rule(self) -> Rule:
        """Kind and numbers of the compiled rule."""
        return Rule(_decide.QUADRATIC, self.every, (float(self.horizon), float(self.risk), float(self.band)))

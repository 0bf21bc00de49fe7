"""What a rebalancing policy is: something that looks at weights now and then, and says which weights it wants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from workbench.backtest import _decide
from workbench.backtest.universe import Floats, Observation

#: Sessions between looks, by name.
EVERY = {"day": 1, "week": 5, "month": 21, "quarter": 63, "half year": 126, "year": 252}


@runtime_checkable
class Policy(Protocol):
    """Any policy: it looks every `every` sessions and answers with weights of all positions, or None to leave alone."""

    @property
    def name(self) -> str:
        """How exhibits call it; unique in a comparison."""

    @property
    def every(self) -> int:
        """Sessions between two looks."""

    def decide(self, seen: Observation) -> Floats | None:
        """Weights wanted after trading (m, on the simplex), or None."""


@dataclass(frozen=True)
class Rule:
    """A policy as the batch engine reads it: its kind (`_decide`), sessions between looks, and its numbers."""

    kind: int
    every: int
    numbers: tuple[float, ...] = ()


class CompiledPolicy:
    """A policy that the batch engine runs too; subclasses are frozen dataclasses that give `rule()`."""

    def rule(self) -> Rule:
        """Kind, sessions between looks and numbers."""
        raise NotImplementedError

    @property
    def every(self) -> int:
        """Sessions between two looks."""
        return self.rule().every

    def decide(self, seen: Observation) -> Floats | None:
        """Weights wanted after trading, by the same compiled code that the batch engine runs."""
        rule = self.rule()
        wanted = np.empty_like(seen.weight)
        trades = _decide.decide(
            rule.kind,
            np.asarray(rule.numbers, float),
            seen.weight,
            seen.target,
            seen.covariance,
            seen.cost,
            seen.market,
            seen.asset,
            seen.risk_aversion,
            wanted,
            np.empty(_decide.scratch_size(len(seen.weight))),
        )
        return wanted if trades else None

"""Policies that were learned: the one-step rule steered by a network, and a network with a no-trade band of its own.

They hold plain numbers and run in the compiled engines; `workbench.learning` trains them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.backtest import _decide
from workbench.backtest._decide import scratch_size
from workbench.backtest._learned import (
    AIM_LIMIT,
    BAND_AIM_LIMIT,
    BAND_OUTPUTS,
    HORIZON_LIMIT,
    INPUTS,
    OUTPUTS,
    SCALE_LIMIT,
    SMALL_COST,
    SMALL_VARIANCE,
    SMALL_WEIGHT,
    member_size,
)
from workbench.backtest._one_step import quadratic as one_step
from workbench.backtest.policy import CompiledPolicy, Rule
from workbench.errors import PolicyError

#: What training shares with the compiled policies, so that both compute the same.
__all__ = [
    "AIM_LIMIT",
    "BAND_AIM_LIMIT",
    "BAND_OUTPUTS",
    "HORIZON_LIMIT",
    "INPUTS",
    "OUTPUTS",
    "SCALE_LIMIT",
    "SMALL_COST",
    "SMALL_VARIANCE",
    "SMALL_WEIGHT",
    "BandNetwork",
    "LearnedQuadratic",
    "member_size",
    "one_step",
    "scratch_size",
]


@dataclass(frozen=True)
class LearnedQuadratic(CompiledPolicy):
    """The one-step quadratic rule whose horizon, risk, band and aim a small network sets at each look (learned MPC).

    `horizon` (years) is that of the rule it starts from: a network that answers zero *is* that rule. `members` are the
    packed networks of an ensemble (`backtest._learned`); the logs of their multiples are averaged, so the ensemble is a
    one-step rule again. `hidden` units each; `every` sessions between looks.

    Raises `PolicyError` for a horizon that is not positive, no members, numbers that are not finite or of a wrong
    count.
    """

    horizon: float
    members: tuple[tuple[float, ...], ...]
    hidden: int = 8
    every: int = 21
    name: str = "learned quadratic"

    def __post_init__(self) -> None:
        """Refuse what no engine could run."""
        if not (np.isfinite(self.horizon) and self.horizon > 0):
            raise PolicyError(f"{self.name}: the horizon is {self.horizon}; give years above 0")
        _check_members(self.name, self.members, member_size(self.hidden, OUTPUTS))

    def rule(self) -> Rule:
        """Horizon, how many members, hidden units, and the numbers of every member."""
        numbers = (self.horizon, float(len(self.members)), float(self.hidden))
        return Rule(_decide.LEARNED_QUADRATIC, self.every, sum(self.members, numbers))


@dataclass(frozen=True)
class BandNetwork(CompiledPolicy):
    """A no-trade band around each asset whose width and middle a small network sets; trades end at the edge.

    A network that answers zero gives each asset the band that would be best if it were the only one, around its target.
    `members`, `hidden`, `every` and errors as for `LearnedQuadratic`.
    """

    members: tuple[tuple[float, ...], ...]
    hidden: int = 8
    every: int = 21
    name: str = "band network"

    def __post_init__(self) -> None:
        """Refuse what no engine could run."""
        _check_members(self.name, self.members, member_size(self.hidden, BAND_OUTPUTS))

    def rule(self) -> Rule:
        """How many members, hidden units, and the numbers of every member."""
        return Rule(_decide.BAND_NETWORK, self.every, sum(self.members, (float(len(self.members)), float(self.hidden))))


def _check_members(name: str, members: tuple[tuple[float, ...], ...], size: int) -> None:
    """Members of the right size, all finite."""
    if not members:
        raise PolicyError(f"{name}: an ensemble needs at least one member")
    for number, member in enumerate(members):
        if len(member) != size:
            raise PolicyError(f"{name}: member {number} has {len(member)} numbers, its network needs {size}")
        if not np.isfinite(member).all():
            raise PolicyError(f"{name}: member {number} holds numbers that are not finite")

"""What a check says about many proposals at once: a verdict, the figure it judged, the limit, and about what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Verdict(IntEnum):
    """From good to bad: the worst of several is the greatest. `NOT_ASSESSABLE` blocks: missing is not good."""

    PASS = 0
    WARN = 1
    BLOCK = 2
    NOT_ASSESSABLE = 3


@dataclass(frozen=True)
class Outcome:
    """One rule's answer for n proposals, worst subject of each.

    `verdict` (n,) int8 of `Verdict`; `value` and `limit` (n,) float64 in the rule's unit, NaN where there is none;
    `before` (n,) the same figure without the trades, NaN where the rule has no before; `subject` says which account,
    security, issuer, class ... is meant ("" for none) and `reason` puts it into one sentence; both take a proposal's
    position and are called only for findings that are shown.
    """

    verdict: NDArray[np.int8]
    value: NDArray[np.float64]
    limit: NDArray[np.float64]
    before: NDArray[np.float64]
    subject: Callable[[int], str]
    reason: Callable[[int], str]

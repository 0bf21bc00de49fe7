"""Shares out of few cases: their intervals, exact tests, and what many tests at once cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from workbench.errors import ParameterError

#: Below so many cases a share is shown with its count and no reading is made of it.
FEW = 20


@dataclass(frozen=True)
class Share:
    """`hits` of `cases`, with Wilson's interval (95 %); no figure (NaN) where there is no case."""

    hits: int
    cases: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The share itself, a fraction."""
        return self.hits / self.cases if self.cases else float("nan")

    @property
    def few(self) -> bool:
        """Whether the cases are too few to say anything about."""
        return self.cases < FEW


def share(hits: int, cases: int, level: float = 0.95) -> Share:
    """Return a share with its score interval. Raises `ParameterError` where hits are not within the cases.

    Source: Wilson 1927; it stays within 0 and 1 and holds for small counts (Brown, Cai and DasGupta 2001).
    """
    if not 0 <= hits <= cases:
        raise ParameterError(f"{hits} of {cases} is no share; count again", "hits")
    if cases == 0:
        return Share(0, 0, float("nan"), float("nan"))
    z = float(stats.norm.ppf(0.5 + level / 2))
    p, q = hits / cases, z * z / cases
    middle, half = (p + q / 2) / (1 + q), z * np.sqrt(p * (1 - p) / cases + q / (4 * cases)) / (1 + q)
    low = 0.0 if hits == 0 else float(middle - half)
    return Share(hits, cases, low, 1.0 if hits == cases else float(middle + half))


def above(hits: int, cases: int, base: float) -> float:
    """Return how likely so many hits or more are where the true share is `base` or less: the exact binomial tail.

    It is below alpha exactly where the lower end of Clopper and Pearson's one-sided interval is above `base`.
    """
    return float(stats.binom.sf(hits - 1, cases, base))


def lowest(hits: int, cases: int, level: float = 0.95) -> float:
    """Return the lower end of the exact one-sided interval of a share. Source: Clopper and Pearson 1934."""
    return 0.0 if hits == 0 else float(stats.beta.ppf(1 - level, hits, cases - hits + 1))


def holm(p_values: Sequence[float], tested: int | None = None) -> list[float]:
    """Adjust p-values for all that were tested, so that one false find in the whole list is as rare as each says.

    `tested` counts tests whose p-values are not given because they are larger than every given one. Source: Holm 1979.
    """
    many = len(p_values) if tested is None else tested
    if many < len(p_values):
        raise ParameterError(f"{many} tests cannot have {len(p_values)} p-values; count all that were made", "tested")
    adjusted, worst = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda position: p_values[position])):
        worst = max(worst, min(1.0, (many - rank) * p_values[place]))
        adjusted[place] = worst
    return adjusted


def alike(hits: Sequence[int], cases: Sequence[int]) -> float | None:
    """Return how likely shares as different as these are where all are one: Pearson's chi-square, None for one group.

    Groups without a case do not count. Where all shares are 0 or all are 1 there is no difference to explain: 1.
    """
    table = np.array([(hit, case - hit) for hit, case in zip(hits, cases, strict=True) if case], dtype=float)
    if len(table) < 2:
        return None
    if (table.sum(axis=0) == 0).any():
        return 1.0
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    return float(stats.chi2.sf(((table - expected) ** 2 / expected).sum(), len(table) - 1))

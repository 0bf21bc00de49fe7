"""Days, counts and pairs of percentages as a finding says them."""

from __future__ import annotations

import math

import numpy as np

from workbench.compliance.words import percent


def percents(value: float, limit: float) -> tuple[str, str]:
    """Two fractions with as many decimals as it takes to tell them apart: never "80.0 % of at most 80.0 %"."""
    one, other = percent(value), percent(limit)
    if math.isfinite(value) and math.isfinite(limit) and abs(value - limit) > 1e-9:
        for digits in (2, 3, 4):
            if one != other:
                break
            one, other = f"{100 * value:.{digits}f} %", f"{100 * limit:.{digits}f} %"
    return one, other


def day(value: object) -> str:
    """A day as 2022-12-28; "an unknown day" where it is missing."""
    stamp = np.datetime64(value, "D")  # type: ignore[call-overload]
    return "an unknown day" if np.isnat(stamp) else str(stamp)


def counted(number: float, one: str, many: str) -> str:
    """A whole number with its noun: "1 day", "3 days"."""
    return f"{number:,.0f} {one if number == 1 else many}"

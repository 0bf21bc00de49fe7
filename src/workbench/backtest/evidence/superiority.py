"""Does any of many policies beat the opponent, and which: Hansen's SPA and Romano and Wolf's StepM."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from workbench.backtest.evidence.bootstrap import LEAST_REPLICATIONS, LEAST_SESSIONS, block_length, hac_error
from workbench.backtest.evidence.result import Superiority
from workbench.backtest.universe import Floats
from workbench.errors import MarketDataError, ParameterError

if TYPE_CHECKING:
    from arch.bootstrap import SPA


def superiority(
    gains: Floats,
    names: Sequence[str],
    *,
    seed: int,
    block: int | None = None,
    replications: int = 1_000,
    size: float = 0.05,
) -> Superiority:
    """Test daily gains over the opponent (T x V) together, the search over all V accounted for.

    Columns are divided by their standard errors first: Hansen's statistic is studentised, that of arch 8.0 is not.
    Policies that never differ from the opponent are left out, for they cannot beat it. Without `block` it is the
    longest of the columns' `block_length`. `superior` names what StepM finds at the family-wise `size`.
    Raises `ParameterError` for names that do not match or are given twice and a size outside (0, 1), `MarketDataError`
    for gaps or where nothing differs.
    Source: Hansen, J. Business & Economic Statistics 23 (2005); Romano and Wolf, Econometrica 73 (2005).
    """
    from arch.bootstrap import SPA

    gains = np.asarray(gains, float)
    if gains.ndim != 2 or gains.shape[1] != len(names):
        raise ParameterError(f"{len(names)} names need as many columns of gains", "names")
    if len(set(names)) < len(names):
        raise ParameterError(f"two columns are called {max(names, key=list(names).count)!r}; name them apart", "names")
    if not 0.0 < size < 1.0:
        raise ParameterError(f"size is {size}; give the family-wise error, between 0 and 1", "size")
    if not np.isfinite(gains).all():
        raise MarketDataError("a policy has a session without a gain: leave no gaps.")
    if len(gains) < LEAST_SESSIONS or replications < LEAST_REPLICATIONS or (block is not None and block < 1):
        raise ParameterError(
            f"{len(gains)} sessions, {replications} replications, block {block}: at least {LEAST_SESSIONS}, "
            f"{LEAST_REPLICATIONS} and 1 are needed",
            "replications",
        )
    differs = np.ptp(gains, axis=0) > 0
    if not differs.any():
        raise MarketDataError("no policy ever differs from the opponent: there is nothing to test.")
    kept = gains[:, differs]
    kept_names = [name for name, differ in zip(names, differs, strict=True) if differ]
    if block is None:
        block = max(block_length(column, "stationary") for column in kept.T)
    errors = np.array([hac_error(column[:, None] - column.mean(), np.ones(1)) for column in kept.T])
    losses = -kept / (errors * np.sqrt(len(kept)))
    test = SPA(np.zeros(len(losses)), losses, block_size=block, reps=replications, seed=seed)
    test.compute()
    values = test.pvalues
    return Superiority(
        lower=float(values["lower"]),
        consistent=float(values["consistent"]),
        upper=float(values["upper"]),
        superior=tuple(kept_names[i] for i in _step_down(test, losses.shape[1], size)),
        block=block,
        replications=replications,
    )


def _step_down(test: SPA, policies: int, size: float) -> list[int]:
    """Columns that win, then those that win among the rest, and so on: arch's StepM fails where all of them win."""
    left = np.ones(policies, dtype=bool)
    while left.any():
        test.subset(left.copy())
        test.compute()
        better = test.better_models(size)
        if len(better) == 0:
            break
        left[better] = False
    return [int(i) for i in np.flatnonzero(~left)]

"""Brinson attribution of more accounts than fit in memory at once, one run of them after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from workbench.attribution.brinson import brinson
from workbench.attribution.effects import Attribution
from workbench.errors import ParameterError
from workbench.parallel import chunks

#: Gives the weights and returns (n x T x G) of a run of accounts.
Reader = Callable[[range], tuple[ArrayLike, ArrayLike]]


def brinson_chunks(
    read: Reader,
    accounts: ArrayLike,
    benchmark_weights: ArrayLike,
    benchmark_returns: ArrayLike,
    *,
    benchmark_of: ArrayLike | None = None,
    size: int = 4096,
    **options: Any,
) -> Iterator[Attribution]:
    """Give `brinson` of `size` accounts after another, so that memory is that of one run whatever the firm's size.

    `read` is asked for the weights and returns of a run of rows when their turn comes; `accounts` labels all rows.
    Benchmarks are shared: (T, G), or (M, T, G) with `benchmark_of` (N). `options` are `brinson`'s others that do not
    differ by account. Each account's effects are the same for any `size`. Raises as `brinson` does, and
    `ParameterError` for a size below 1.
    """
    if size < 1:
        raise ParameterError(f"size is {size}; give 1 or more accounts a run", "size")
    labels = pd.Index(np.asarray(accounts))
    owners = None if benchmark_of is None else np.asarray(benchmark_of)
    for run in chunks(len(labels), size):
        weights, returns = read(run)
        rows = slice(run.start, run.stop)
        yield brinson(
            weights, returns, benchmark_weights, benchmark_returns,
            accounts=labels[rows], benchmark_of=None if owners is None else owners[rows], **options,
        )  # fmt: skip

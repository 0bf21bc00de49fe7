"""Compiles the kernels once, as part of the set-up, so that the first attribution does not wait for it.

    python -m workbench.attribution.compile

numba keeps what it compiled beside the source.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.attribution.brinson import brinson
from workbench.attribution.tree import brinson_tree


def compile_kernels() -> None:
    """Use every kernel once, on one account of two groups and one period."""
    weights, returns = np.array([[0.6, 0.4]]), np.array([[0.01, 0.02]])
    brinson(weights, returns, weights[:, ::-1], returns, excess="geometric", by_period=True)
    brinson_tree(weights, returns, weights[:, ::-1], returns, pd.DataFrame({"group": ["a", "b"]}))


if __name__ == "__main__":
    compile_kernels()

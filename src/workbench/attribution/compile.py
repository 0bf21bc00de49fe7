"""Compiles the kernels once, as part of the set-up, so that the first attribution does not wait for it.

    python -m workbench.attribution.compile

numba keeps what it compiled beside the source.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.attribution._carve import by_security, carve
from workbench.attribution.brinson import brinson
from workbench.attribution.tree import brinson_tree


def compile_kernels() -> None:
    """Use every kernel once, on one account of two groups and one period."""
    weights, returns = np.array([[0.6, 0.4]]), np.array([[0.01, 0.02]])
    brinson(weights, returns, weights[:, ::-1], returns, excess="geometric", by_period=True)
    brinson_tree(weights, returns, weights[:, ::-1], returns, pd.DataFrame({"group": ["a", "b"]}))
    ptr, one, zero = np.array([0, 1]), np.ones((1, 1)), np.zeros(1, dtype=np.int64)
    security = np.zeros(1, dtype=np.int32)
    carve(ptr, security, zero, np.ones((1, 2)), one, one, one, ptr, zero, zero, np.ones((1, 1, 1)), 1)
    by_security(ptr, security, one > 0, np.ones((1, 2)), one, one, 1)


if __name__ == "__main__":
    compile_kernels()

"""The rates a household pays on gains, from its own row of the book of record."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

#: Net investment income tax, IRC 1411(a)(1).
NIIT_RATE = 0.038


def gain_rates(households: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the short- and long-term rate on a gain: federal + state, + 3.8 % where the NIIT applies."""
    extra = households["state_rate"].to_numpy(np.float64) + NIIT_RATE * households["niit"].to_numpy(np.float64)
    short = households["ordinary_rate"].to_numpy(np.float64) + extra
    return short, households["long_term_rate"].to_numpy(np.float64) + extra

"""Falls from a high and the way back: when each began, how deep it went, how long it lasted."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.errors import ParameterError
from workbench.performance.returns import drawdown


def drawdowns(returns: pd.Series, start: pd.Timestamp | None = None, most: int | None = None) -> pd.DataFrame:
    """Every fall of a series of simple returns from its highest value, deepest first (of equals the earlier).

    One row a fall: `peak` the day of the high before it (`start` where it began at once, missing if that is not
    given), `trough` the day of the lowest value, `recovered` the first day at or above the high again (missing where
    that has not come), `depth` a negative fraction, `periods_down` from peak to trough, `periods_to_recover` from
    trough to recovery, `periods` under the high so far. `most` keeps the deepest.

    Raises `ParameterError` for a missing return or one below -100 %.
    """
    depth = drawdown(returns.to_numpy(dtype=np.float64))
    if np.isnan(depth).any():
        first = returns.index[int(np.isnan(depth).argmax())]
        raise ParameterError(f"the return of {first} is missing: a drawdown cannot be followed past it", "returns")
    # What rounding leaves below a high that was reached again is no fall.
    under = np.concatenate([[False], depth < -1e-12, [False]]).astype(np.int8)
    begins, ends = np.flatnonzero(np.diff(under) == 1), np.flatnonzero(np.diff(under) == -1)
    troughs = [begin + int(depth[begin:end].argmin()) for begin, end in zip(begins, ends)]
    days = [pd.NaT if start is None else pd.Timestamp(start), *returns.index]
    back = [end < len(depth) for end in ends]
    table = pd.DataFrame(
        {
            "peak": [days[begin] for begin in begins],
            "trough": [days[trough + 1] for trough in troughs],
            "recovered": [days[end + 1] if there else pd.NaT for end, there in zip(ends, back)],
            "depth": depth[troughs] if troughs else np.zeros(0),
            "periods_down": [trough + 1 - begin for trough, begin in zip(troughs, begins)],
            "periods_to_recover": [float(end - t) if there else np.nan for end, t, there in zip(ends, troughs, back)],
            "periods": [int(end - begin) for begin, end in zip(begins, ends)],
        }
    )
    return table.sort_values("depth", kind="stable", ignore_index=True).head(most)

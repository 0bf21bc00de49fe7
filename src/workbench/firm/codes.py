"""Text columns as whole numbers, before they ever become Python objects."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


def codes(column: Any, known: pd.Index) -> NDArray[np.int32]:
    """Positions of an Arrow text column's values in `known` (-1: not there, or missing).

    Compares each distinct value once.
    """
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    values = pa.array(known.astype(str), pa.string())
    parts = []
    for chunk in column.chunks:
        lookup = pc.index_in(chunk.dictionary.cast(pa.string()), value_set=values)
        code = np.append(lookup.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32), np.int32(-1))
        parts.append(code[chunk.indices.fill_null(len(lookup)).to_numpy(zero_copy_only=False)])
    return np.concatenate(parts) if parts else np.zeros(0, np.int32)

"""Compiles the kernels once, as part of the set-up, so that the first proposal does not wait for it.

    python -m workbench.tax.compile

numba keeps what it compiled beside the source.
"""

from __future__ import annotations

import pandas as pd

from workbench.tax.wash import match_wash_sales


def compile_kernels() -> None:
    """Use every kernel once, on a wash sale of three trades."""
    trades = pd.DataFrame(
        {
            "account_id": "A",
            "security_id": "S",
            "trade_date": pd.to_datetime(["2024-01-02", "2024-03-01", "2024-03-15"]),
            "side": ["buy", "sell", "buy"],
            "shares": [10.0, 10.0, 5.0],
            "total": [1000.0, 900.0, 450.0],
        }
    )
    match_wash_sales(trades)


if __name__ == "__main__":
    compile_kernels()

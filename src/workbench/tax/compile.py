"""Compiles the kernels once, as part of the set-up, so that the first proposal does not wait for it.

    python -m workbench.tax.compile

numba keeps what it compiled beside the source.
"""

from __future__ import annotations

import pandas as pd

from workbench.tax.wash import match_wash_sales
from workbench.tax.wash_window import WashWindow


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
    window = WashWindow()
    window.buy(0, "A", "S", "L", 10.0, 1000.0, True)
    window.sell(60, "L", 10.0, 900.0)
    window.match(60)


if __name__ == "__main__":
    compile_kernels()

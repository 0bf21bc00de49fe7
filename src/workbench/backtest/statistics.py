"""From sums over days to the statistics of each run, one convention for all of them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.backtest import _arrays
from workbench.backtest.universe import Floats

SESSIONS_PER_YEAR = 252
#: Columns of `Backtests.statistics` after those that name the run.
STATISTICS = (
    "return_", "volatility", "sharpe", "max_drawdown", "turnover", "cost_bp", "tracking_error", "tracking_loss_bp",
    "total_bp", "trades", "final_wealth",
)  # fmt: skip


def statistics(figures: Floats, days: int, wealth: float, risk_aversion: float) -> pd.DataFrame:
    """Statistics (R rows) of `figures` (R x `_arrays.FIGURES`) over `days` daily returns from `wealth`.

    Net of costs, yearly at 252 sessions: `return_` compound; `volatility` of daily net returns; `sharpe` of daily net
    returns above cash; `turnover` one-way, the larger of purchases and sales over wealth; `cost_bp` costs over wealth;
    `tracking_error` and `tracking_loss_bp` of the day's return before its costs against the target held daily without
    costs, the loss being 1/2 x risk aversion x mean squared active return; `total_bp` cost and loss together.
    A run that ended early has lost everything that was not paid out: its figures are NaN but for its wealth.
    """
    column = {name: figures[:, i] for i, name in enumerate(_arrays.FIGURES)}
    years = days / SESSIONS_PER_YEAR
    ran = column["ending"] == _arrays.RAN
    with np.errstate(invalid="ignore", divide="ignore"):
        deviation = _deviation(column["excess"], column["excess_squared"], days)
        cost = 1e4 * column["cost"] / years
        loss = 1e4 * 0.5 * risk_aversion * column["active_squared"] / days * SESSIONS_PER_YEAR
        table = pd.DataFrame(
            {
                "return_": (column["wealth"] / wealth) ** (1.0 / years) - 1.0,
                "volatility": _deviation(column["net"], column["net_squared"], days) * np.sqrt(SESSIONS_PER_YEAR),
                "sharpe": np.where(
                    deviation > 1e-9, column["excess"] / days / deviation * np.sqrt(SESSIONS_PER_YEAR), np.nan
                ),
                "max_drawdown": column["drawdown"],
                "turnover": column["turnover"] / years,
                "cost_bp": cost,
                "tracking_error": _deviation(column["active"], column["active_squared"], days)
                * np.sqrt(SESSIONS_PER_YEAR),
                "tracking_loss_bp": loss,
                "total_bp": cost + loss,
                "trades": column["trades"].astype(np.int64),
                "final_wealth": column["wealth"],
            }
        )
    table.loc[~ran, [name for name in STATISTICS if name not in ("trades", "final_wealth")]] = np.nan
    return table


def _deviation(total: Floats, squares: Floats, days: int) -> Floats:
    variance = (squares - total**2 / days) / max(days - 1, 1)
    return np.asarray(np.sqrt(np.where(variance < 0.0, 0.0, variance)))

"""What the environments of `learning` share with the engine, so that both trade, pay and look with the same code."""

from workbench.backtest._decide import band
from workbench.backtest._settlement import UNTRADED, settle, write_order
from workbench.backtest._settlement import Terms as Settlement
from workbench.backtest.signals import daily_volatility, target_returns, total_returns

__all__ = [
    "UNTRADED",
    "Settlement",
    "band",
    "daily_volatility",
    "settle",
    "target_returns",
    "total_returns",
    "write_order",
]

"""Real universes to judge policies on: two that come with skfolio, and core sleeves of exchange-traded funds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from workbench.backtest import Universe
from workbench.errors import MarketDataError, MissingToolError, ParameterError

#: Half spread that figures are quoted at: 10 bp of the traded value.
HALF_SPREAD = 0.0010
#: Yearly rate of cash where a data set brings none; only levels hang on it, not costs.
CASH_RATE = 0.02

SECTORS = {
    "technology": ("AAPL", "AMD", "MSFT"),
    "financials": ("BAC", "JPM"),
    "cyclicals": ("BBY", "GE", "HD"),
    "energy": ("CVX", "RRC", "XOM"),
    "health": ("JNJ", "LLY", "MRK", "PFE", "UNH"),
    "staples": ("KO", "PEP", "PG", "WMT"),
}
SECTOR_TARGET = 0.15
ETF_TARGET = {"SPY": 0.30, "EFA": 0.15, "VWO": 0.08, "AGG": 0.27, "VNQ": 0.06, "GLD": 0.05, "DBC": 0.04}
ETF_CASH = "BIL"
EMBEDDED = ("sectors", "factors")


def embedded(name: str, half_spread: float = HALF_SPREAD) -> Universe:
    """A universe of data that comes inside skfolio's package; no network is used.

    - `sectors`: six sector sleeves of 20 large American stocks, 1990 to 2022, 15 % each and 10 % cash; a sleeve holds
      its stocks in equal parts every day.
    - `factors`: five American factor funds (momentum, quality, size, minimum volatility, value), 2014 to 2022, a fifth
      each.

    Raises `ParameterError` for another name, `MissingToolError` without skfolio.
    """
    if name not in EMBEDDED:
        raise ParameterError(f"there is no embedded universe {name!r}: take one of {', '.join(EMBEDDED)}", "name")
    try:
        from skfolio.datasets import load_factors_dataset, load_sp500_dataset
    except ImportError as error:
        raise MissingToolError("embedded universes need skfolio: pip install 'workbench[demo]'") from error
    if name == "factors":
        prices = load_factors_dataset()
        return _universe(
            name,
            prices,
            np.full(prices.shape[1], 1.0 / prices.shape[1]),
            half_spread,
            "skfolio, factors dataset: adjusted closes of MTUM, QUAL, SIZE, USMV and VLUE",
            "Five funds that were alive in 2022, chosen afterwards: costs of rebalancing compare, levels do not.",
        )
    closes = load_sp500_dataset()
    stocks = closes.pct_change().iloc[1:]
    sleeves = pd.DataFrame({sector: stocks[list(held)].mean(axis=1) for sector, held in SECTORS.items()})
    first = pd.DataFrame(1.0, index=closes.index[:1], columns=sleeves.columns)
    prices = pd.concat([first, (1.0 + sleeves).cumprod()])
    return _universe(
        name,
        prices,
        np.full(len(SECTORS), SECTOR_TARGET),
        half_spread,
        "skfolio, S&P 500 dataset: adjusted closes of 20 stocks in six sleeves of equal parts",
        "Twenty companies that were large in 2022, chosen afterwards: levels flatter every policy alike; read only the "
        "differences.",
    )


def etf_core(path: Path | str, half_spread: float = HALF_SPREAD) -> Universe:
    """Core sleeves of a balanced portfolio, from a file of adjusted closes: seven funds, and Treasury bills as cash.

    `path` is a CSV with a `date` column and one of closes for each fund of `ETF_TARGET` and for `ETF_CASH`. Raises
    `MarketDataError` for a column that is missing or a file without rows.
    """
    prices = pd.read_csv(path, parse_dates=["date"]).set_index("date")
    missing = [fund for fund in (*ETF_TARGET, ETF_CASH) if fund not in prices]
    if missing or prices.empty:
        raise MarketDataError(
            f"{path} has no column {', '.join(missing) or 'with rows'}; give adjusted closes of each fund"
        )
    return _universe(
        "etf core",
        prices[list(ETF_TARGET)],
        np.array(list(ETF_TARGET.values())),
        half_spread,
        f"adjusted closes of {', '.join(ETF_TARGET)}; cash is {ETF_CASH}",
        "Funds that were alive at the end of the file; each tracks a broad index, so few were chosen by their luck.",
        prices[ETF_CASH].pct_change().fillna(0.0).to_numpy(),
    )


def until(universe: Universe, sessions: int, first: int = 0) -> Universe:
    """The same universe from session `first` up to, and without, `sessions`: what is known when a window is trained."""
    part = slice(first, sessions)
    return Universe(
        universe.name,
        universe.sessions[part],
        universe.assets,
        universe.price[:, part],
        universe.dividend[:, part],
        np.concatenate([np.zeros((universe.paths, 1)), universe.cash_return[:, part][:, 1:]], axis=1),
        universe.target,
        universe.half_spread,
        universe.daily_value,
        universe.source,
        universe.survivorship,
    )


def _universe(
    name: str,
    prices: pd.DataFrame,
    target: np.ndarray,
    half_spread: float,
    source: str,
    survivorship: str,
    cash: np.ndarray | None = None,
) -> Universe:
    sessions, assets = prices.shape
    if cash is None:
        cash = np.full(sessions, (1 + CASH_RATE) ** (1 / 252) - 1)
        cash[0] = 0.0
    return Universe(
        name,
        pd.DatetimeIndex(prices.index),
        tuple(str(asset) for asset in prices.columns),
        np.array(prices, float)[None],  # a copy: pandas hands out read-only arrays, which kernels are compiled anew for
        np.zeros((1, sessions, assets)),
        cash[None],
        target,
        np.full(assets, half_spread),
        np.full(assets, np.inf),
        source,
        survivorship,
    )

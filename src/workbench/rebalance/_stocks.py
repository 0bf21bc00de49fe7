"""Single stocks as a study's market, an index made of them, and the same index held as one fund.

An index here begins with equal weights and is then left to prices, as one by capitalisation is between its changes of
members: it has no turnover of its own, so that what is traded is the investor's doing. Nothing in it is known before
its first day but which stocks are still listed at the end of the file: **it is an index of survivors**.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from workbench.errors import MarketDataError, ParameterError
from workbench.firm import CASH
from workbench.rebalance._history import History
from workbench.rebalance.household import Floats, Market

#: Half-spread of a large stock, and of a fund of them, so that neither side gains by it.
STOCK_HALF_SPREAD = 0.0003
#: Cash of the index's investors.
CASH_WEIGHT = 0.01
#: Risk factors of stocks: the market and what sectors share.
STOCK_FACTORS = 12
#: Part of a share's dividend that is qualified; real estate trusts pay ordinary income.
QUALIFIED = {"Real Estate": 0.0}
_MOST_QUALIFIED = 0.95
FUND = "INDEX FUND"


def read_stocks(prices: Path | str, sectors: Path | str, *, most: int | None = None) -> History:
    """Read a market of single stocks: a CSV file of raw daily prices with their splits, and one of sectors.

    Columns: date, ticker, close, volume, dividend, split (new shares for one); ticker, sector, sub_industry. With
    `most`, that many stocks, those most traded by dollars in the first year of the file. Raises `ParameterError` or
    `MarketDataError` where a file cannot serve.
    """
    frame = _read(Path(prices), ["date", "ticker", "close", "volume", "dividend", "split"], dates=["date"])
    of_sector = _read(Path(sectors), ["ticker", "sector", "sub_industry"])
    return history_of_stocks(frame, of_sector, f"daily prices of {Path(prices).name}", most=most)


def _read(path: Path, columns: list[str], dates: list[str] | None = None) -> pd.DataFrame:
    if not path.is_file():
        raise ParameterError(f"{path} is no file; give the stocks' daily prices and their sectors", "stocks")
    try:
        return pd.read_csv(path, usecols=columns, parse_dates=dates)
    except ValueError as error:
        raise MarketDataError(f"{path.name} needs the columns {', '.join(columns)}: {error}") from error


def history_of_stocks(frame: pd.DataFrame, sectors: pd.DataFrame, source: str, *, most: int | None = None) -> History:
    """Build a market from raw daily prices, volumes, dividends and splits; shares are counted as after the last split.

    Each stock's sector and sub-industry are also its screens. Raises `MarketDataError` for a session without a price.
    """

    def wide(column: str) -> pd.DataFrame:
        return frame.pivot(index="date", columns="ticker", values=column).sort_index()

    close = wide("close")
    if close.isna().any(axis=None) or not (close > 0).all(axis=None):
        missing = close.columns[(close.isna() | (close <= 0)).any()]
        raise MarketDataError(f"{', '.join(missing)}: sessions without a price; fill them at the source or leave them")
    # the split of a day is in its price already: shares of the day before are the ones to multiply
    later = wide("split").fillna(1.0)[::-1].cumprod()[::-1].shift(-1).fillna(1.0)
    price, volume = close / later, wide("volume").fillna(0.0) * later
    names = list(price.columns)
    if most is not None:
        traded = (price * volume).iloc[:252].mean()
        names = sorted(traded.sort_values(ascending=False, kind="stable").index[:most])
    known = sectors.set_index("ticker").reindex(names)
    sector = [*known["sector"].fillna("Unknown"), "Cash"]
    screens = tuple(
        frozenset(str(value) for value in row if isinstance(value, str))
        for row in known[["sector", "sub_industry"]].itertuples(index=False)
    )
    cash = np.zeros((len(price), 1))
    weight = (1.0 - CASH_WEIGHT) / len(names)
    return History(
        dates=price.index.to_numpy().astype("datetime64[D]"),
        price=np.hstack([price[names].to_numpy(np.float64), cash + 1.0]),
        dividend=np.hstack([(wide("dividend").fillna(0.0) / later)[names].to_numpy(np.float64), cash]),
        volume=np.hstack([volume[names].to_numpy(np.float64), cash]),
        qualified=np.array([*(QUALIFIED.get(name, _MOST_QUALIFIED) for name in sector[:-1]), 0.0]),
        market=_market(names, "stock", tuple(sector), (*screens, frozenset())),
        target=np.array([weight] * len(names) + [CASH_WEIGHT]),
        source=source,
        factors=STOCK_FACTORS,
    )


def index_from(history: History, start: object, tilts: Mapping[str, float] | None = None) -> History:
    """The same market with an index that begins at equal weights on a day and then floats with prices.

    `tilts` multiply the first weight of a sector (1.2: a fifth more). Raises `ParameterError` for a sector without
    stocks or a factor that is not above 0.
    """
    session = history.session(start)
    stocks = ~history.market.is_cash
    weight = stocks.astype(np.float64)
    sector = np.array(history.market.sector)
    for name, factor in (tilts or {}).items():
        if not (sector[stocks] == name).any() or not factor > 0:
            raise ParameterError(f"tilts: {name!r} must be a sector of the stocks, {factor!r} above 0", "tilts")
        weight[sector == name] *= factor
    invested = float(history.target[stocks].sum())
    weight *= invested / weight.sum()
    target = np.where(stocks, weight, history.target)
    return replace(history, target=target, units=np.where(stocks, weight / history.price[session], 0.0))


def as_fund(history: History) -> History:
    """The index of a history as one fund: the same prices and dividends, no fee, and nothing to choose from.

    Dividends of a quarter stay in its price until its last session and are paid then, as funds do. Raises
    `ParameterError` where the history has no index.
    """
    if history.units is None:
        raise ParameterError("the history has no index; make one with index_from", "history")
    units: Floats = history.units * 100.0
    one = np.ones((len(history.dates), 1))
    earned = pd.Series(np.nan_to_num(history.dividend) @ units)
    quarter = history.dates.astype("datetime64[M]").astype(np.int64) // 3
    accrued = earned.groupby(quarter).cumsum().to_numpy()
    pays = np.append(quarter[1:] != quarter[:-1], True)
    paid = np.where(pays, accrued, 0.0)
    qualified = np.nan_to_num(history.dividend).sum(axis=0) @ (units * history.qualified)
    part = float(qualified / max(accrued[pays].sum(), 1e-9))
    return History(
        dates=history.dates,
        price=np.column_stack([np.nan_to_num(history.price) @ units + accrued - paid, one]),
        dividend=np.column_stack([paid, 0.0 * one]),
        volume=np.column_stack([np.nan * one, 0.0 * one]),
        qualified=np.array([part, 0.0]),
        market=_market([FUND], "etf", ("Diversified", "Cash"), (frozenset(), frozenset())),
        target=np.array([1.0 - CASH_WEIGHT, CASH_WEIGHT]),
        source=history.source,
        simulated=(FUND,),
        factors=1,
    )


def _market(names: list[str], kind: str, sector: tuple[str, ...], screens: tuple[frozenset[str], ...]) -> Market:
    ids = (*names, CASH)
    size = len(ids)
    last = np.arange(size) == size - 1
    nothing = np.full(size, np.nan)
    return Market(
        ids=ids, names=ids, kinds=(kind,) * (size - 1) + ("cash",), is_cash=last, price=nothing, adv=nothing,
        half_spread=np.where(last, 0.0, STOCK_HALF_SPREAD), asset_class=("US equity",) * (size - 1) + ("Cash",),
        sector=sector, issuer=ids, exposure=np.zeros((size, 0)), specific=np.zeros(size),
        proxied=np.zeros(size, bool), wash_group=np.arange(size, dtype=np.int32), wash_group_names=ids,
        screens=screens, substitutes={}, cash=size - 1, code={name: place for place, name in enumerate(ids)},
    )  # fmt: skip

"""From the firm's tables to a universe: the one place of this room that reads the book of record."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.backtest.universe import Floats, Universe
from workbench.errors import FirmDataError, MarketDataError, ParameterError
from workbench.firm import CASH, Firm, models_in_force
from workbench.market import price_history

#: Fewer sessions than this are no backtest: a year for the signals, and one to run.
LEAST = 505


def load_universe(firm: Firm, model_id: str, *, least: int = LEAST) -> Universe:
    """The model in force on the firm's day, over all sessions for which each of its securities has a price.

    Prices are closes multiplied by the splits so far; dividends are paid into cash. A target in cash is a position of
    its own; cash earns the yearly Treasury bill rate of the session before, over 252. A security whose average volume
    is not known trades without impact, and `source` says so. Targets of a security in several sleeves add up.

    The period begins with the shortest history, which `survivorship` names. Raises `ParameterError` for a model that is
    not in force, `FirmDataError` for one without securities, `MarketDataError` for a gap inside a history, naming
    security and day, or for fewer than `least` sessions in common.
    """
    target = _target(firm, model_id)
    assets = tuple(str(name) for name in target.index if name != CASH)
    if not assets:
        raise FirmDataError(f"model {model_id} in force on {firm.as_of:%Y-%m-%d} holds nothing but cash")
    history = price_history(firm.table("prices"), securities=assets, as_of=firm.as_of)
    begins = history.close.notna().idxmax()
    start = begins.max()
    close = history.close.loc[start:]
    gaps = close.isna()
    if gaps.to_numpy().any():
        day, name = gaps.stack().loc[lambda missing: missing].index[0]
        raise MarketDataError(
            f"{name} has no close on {day:%Y-%m-%d} (from {start:%Y-%m-%d} on); load it, or drop the security"
        )
    if len(close) < least:
        late = ", ".join(map(str, begins.index[begins == start]))
        raise MarketDataError(
            f"model {model_id}: only {len(close)} sessions are common to its securities, {least} are needed; the "
            f"history of {late} begins on {start:%Y-%m-%d}: load more of it"
        )
    sessions = pd.DatetimeIndex(close.index)
    splits = history.split_ratio.loc[start:].fillna(1.0).cumprod().to_numpy(np.float64)
    securities = firm.table("securities").set_index("security_id").loc[list(assets)]
    cash_return, earns = _cash_return(firm, sessions)
    volume = securities["adv"].astype("float64")
    return Universe(
        name=f"{firm.name}: {model_id}",
        sessions=sessions,
        assets=assets,
        price=(close.to_numpy(np.float64) * splits)[None],
        dividend=(history.dividend.loc[start:].fillna(0.0).to_numpy(np.float64) * splits)[None],
        cash_return=cash_return[None],
        target=target.loc[list(assets)].to_numpy(np.float64),
        half_spread=securities["half_spread"].to_numpy(np.float64),
        daily_value=np.where(volume.notna(), volume * close.iloc[-1], np.inf),
        source=_source(firm, earns, [name for name, missing in zip(assets, volume.isna()) if missing]),
        survivorship=_survivorship(firm, begins, securities),
    )


def _target(firm: Firm, model_id: str) -> pd.Series:
    versions = models_in_force(firm.table("models"), firm.as_of)
    versions = versions.loc[versions["model_id"] == model_id]
    if versions.empty:
        known = ", ".join(sorted(set(firm.table("models")["model_id"].astype(str))))
        raise ParameterError(
            f"model {model_id!r} has no version in force on {firm.as_of:%Y-%m-%d}; the firm's models are {known}",
            "model_id",
        )
    rows = firm.table("model_targets").merge(versions[["model_id", "version"]])
    target = rows.groupby("security_id", sort=False, observed=True)["target"].sum()
    return target[target > 0.0]


def _cash_return(firm: Firm, sessions: pd.DatetimeIndex) -> tuple[Floats, bool]:
    """Daily return of cash by session, and whether the firm has rates at all."""
    rates = firm.table("rates")
    if rates.empty:
        return np.zeros(len(sessions)), False
    yearly = rates.set_index("date")["t_bill"].astype("float64").sort_index()
    known = yearly.reindex(yearly.index.union(sessions)).ffill().reindex(sessions)
    lost = known.isna()
    if lost.any():
        raise MarketDataError(f"rates begin after {sessions[0]:%Y-%m-%d}; load the Treasury bill rates from there on")
    return np.append(0.0, known.to_numpy()[:-1] / 252.0), True


def _source(firm: Firm, earns: bool, no_volume: list[str]) -> str:
    said = [f"Closes, dividends and splits of {firm.name}'s record as of {firm.as_of:%Y-%m-%d}."]
    if not earns:
        said.append("The record has no rates: cash earns nothing.")
    if no_volume:
        said.append(f"No volume is known of {', '.join(no_volume)}: trades in them move no price.")
    return " ".join(said)


def _survivorship(firm: Firm, begins: pd.Series, securities: pd.DataFrame) -> str:
    start = begins.max()
    said = [
        f"The securities that the model holds on {firm.as_of:%Y-%m-%d}, looked at backwards: what was sold or failed "
        "before is not among them, so returns are too good; differences between policies suffer less."
    ]
    if begins.min() < start:
        late = ", ".join(map(str, begins.index[begins == start]))
        said.append(f"The period begins on {start:%Y-%m-%d}, with the history of {late}.")
    simulated = securities.index[securities["simulated"].astype(bool)]
    if len(simulated):
        said.append(f"Simulated histories: {', '.join(map(str, simulated))}.")
    return " ".join(said)

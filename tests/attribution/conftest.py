"""A made-up market, models and ledger that fit together, small enough to follow by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import pytest

from workbench.attribution import ModelPaths, load_models
from workbench.performance import DailyHoldings

SECURITIES = ("AAA", "BBB", "CASH", "CCC", "DDD")


class Tables:
    """Tables in memory where a firm is asked for."""

    def __init__(self, tables: Mapping[str, pd.DataFrame]) -> None:
        self.tables = dict(tables)

    def table(self, name: str, columns: list[str] | None = None) -> pd.DataFrame:
        empty = {
            "sleeve_benchmarks": ["sleeve_id", "security_id", "weight"],
            "model_benchmarks": ["model_id", "sleeve_id", "weight"],
        }
        frame = self.tables.get(name, pd.DataFrame(columns=empty.get(name, [])))
        return frame.copy() if columns is None else frame[columns].copy()


def prices(days: pd.DatetimeIndex, rng: np.random.Generator, scale: float = 0.02) -> pd.DataFrame:
    """Random walks of the four securities, and cash at 1."""
    frames = []
    for security in SECURITIES:
        steps = np.zeros(len(days)) if security == "CASH" else rng.normal(0, scale, len(days))
        close = np.ones(len(days)) if security == "CASH" else 50 * np.exp(np.cumsum(steps))
        frames.append(
            pd.DataFrame(
                {"date": days, "security_id": security, "close": close, "adj_close": close, "dividend": 0.0,
                 "split_ratio": 1.0}
            )
        )  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def tables(days: pd.DatetimeIndex, rng: np.random.Generator, scale: float = 0.02) -> dict[str, pd.DataFrame]:
    """Two models of two sleeves; BBB is in both sleeves of GRO, which holds cash and has a second version midway."""
    middle = days[len(days) // 2]
    targets = [
        ("GRO", 1, "EQ", "AAA", 0.5), ("GRO", 1, "EQ", "BBB", 0.1), ("GRO", 1, "FI", "BBB", 0.2),
        ("GRO", 1, "FI", "CASH", 0.2),
        ("GRO", 2, "EQ", "AAA", 0.3), ("GRO", 2, "EQ", "CCC", 0.4), ("GRO", 2, "FI", "BBB", 0.3),
        ("INC", 1, "FI", "BBB", 0.6), ("INC", 1, "FI", "CCC", 0.4),
    ]  # fmt: skip
    return {
        "prices": prices(days, rng, scale),
        "sleeves": pd.DataFrame({"sleeve_id": ["EQ", "FI"], "name": ["Equity", "Bonds"], "manager": "House"}),
        "models": pd.DataFrame(
            {
                "model_id": ["GRO", "GRO", "INC", "GRO"],
                "version": [1, 2, 1, 3],
                "effective_date": [days[0] - pd.Timedelta(days=400), middle, days[0], days[0]],
                "status": ["retired", "active", "active", "draft"],
            }
        ),
        "model_targets": pd.DataFrame(targets, columns=["model_id", "version", "sleeve_id", "security_id", "target"]),
        "sleeve_benchmarks": pd.DataFrame(
            {"sleeve_id": ["EQ", "EQ", "FI"], "security_id": ["AAA", "CCC", "BBB"], "weight": [0.5, 0.5, 1.0]}
        ),
        "model_benchmarks": pd.DataFrame(
            {"model_id": ["GRO", "GRO", "INC"], "sleeve_id": ["EQ", "FI", "FI"], "weight": [0.6, 0.4, 1.0]}
        ),
    }


def ledger(paths: ModelPaths, rng: np.random.Generator, accounts: int = 3) -> DailyHoldings:
    """Random holdings, trades, fees and flows that balance; the first account opens late, the last has no model."""
    periods, count = len(paths.sessions) - 1, len(SECURITIES)
    value = rng.uniform(0, 100, (accounts * count, periods + 1)) * (rng.random((accounts * count, 1)) > 0.2)
    value[:count, : periods // 3] = 0.0
    value[rng.random(value.shape) < 0.1] = 0.0
    security = np.tile(np.arange(count), accounts)
    gain = value[:, :-1] * np.nan_to_num(paths.returns.T[security]) * rng.choice([1.0, 1.001], (len(value), 1))
    trading = rng.normal(0, 0.1, gain.shape)
    starts = np.arange(accounts) * count
    fee, unexplained = -rng.uniform(0, 0.05, (accounts, periods)), rng.normal(0, 0.01, (accounts, periods))
    total = np.add.reduceat(value, starts, axis=0)
    flow = np.diff(total, axis=1) - np.add.reduceat(gain + trading, starts, axis=0) - fee - unexplained
    frame = pd.DataFrame(
        {
            "account_id": [f"A{i}" for i in range(accounts)], "household_id": "H1", "advisor_id": "ADV1",
            "custodian_id": "CUS1", "model_id": [*(("GRO", "INC") * accounts)[: accounts - 1], None],
        }
    )  # fmt: skip
    return DailyHoldings(
        frame, paths.sessions, SECURITIES, np.append(starts, len(value)).astype(np.int64), security.astype(np.int32),
        value, gain, trading, flow, fee, unexplained, np.zeros((count, periods + 1), dtype=np.int32),
        pd.DataFrame(columns=["account_id", "reason"]),
    )  # fmt: skip


@pytest.fixture(scope="session")
def firm_of() -> type[Tables]:
    """Tables in memory where a firm is asked for."""
    return Tables


@pytest.fixture(scope="session")
def made_up() -> Callable[..., tuple[ModelPaths, DailyHoldings]]:
    """Paths and a ledger over `periods` sessions from a seed."""

    def make(seed: int = 0, periods: int = 50, accounts: int = 3, **changed: pd.DataFrame):
        rng = np.random.default_rng(seed)
        days = pd.bdate_range("2022-01-12", periods=periods + 1).astype("datetime64[ms]")
        paths = load_models(Tables({**tables(days, rng), **changed}), days, SECURITIES)
        return paths, ledger(paths, rng, accounts)

    return make


@pytest.fixture
def world() -> dict[str, pd.DataFrame]:
    """The tables of the made-up firm over 60 sessions."""
    days = pd.bdate_range("2022-01-12", periods=61).astype("datetime64[ms]")
    return tables(days, np.random.default_rng(1))

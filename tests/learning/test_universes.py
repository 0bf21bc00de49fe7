"""Real universes: what is in them, what they say of themselves, and that a cut keeps nothing of what comes after."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from workbench.errors import MarketDataError, ParameterError
from workbench.learning.universes import EMBEDDED, ETF_CASH, ETF_TARGET, embedded, etf_core, until


@pytest.mark.parametrize("name", EMBEDDED)
def test_embedded_universes_are_whole_and_say_what_they_leave_out(name: str) -> None:
    universe = embedded(name)
    assert np.isfinite(universe.price).all()
    assert (universe.price > 0).all()
    assert universe.target_positions.sum() == pytest.approx(1.0)
    assert universe.source.startswith("skfolio")
    assert "2022" in universe.survivorship


def test_a_sector_sleeve_is_the_mean_of_its_stocks() -> None:
    from skfolio.datasets import load_sp500_dataset

    universe = embedded("sectors")
    stocks = load_sp500_dataset()
    day = 1234
    moved = stocks.iloc[day] / stocks.iloc[day - 1] - 1
    mine = universe.price[0, day] / universe.price[0, day - 1] - 1
    assert mine[universe.assets.index("financials")] == pytest.approx(moved[["BAC", "JPM"]].mean())
    assert universe.with_cash


def test_no_stock_is_in_two_sleeves_or_in_none() -> None:
    from skfolio.datasets import load_sp500_dataset

    from workbench.learning.universes import SECTORS

    held = [stock for sleeve in SECTORS.values() for stock in sleeve]
    assert sorted(held) == sorted(load_sp500_dataset().columns)


def test_another_name_is_refused() -> None:
    with pytest.raises(ParameterError, match="sectors, factors"):
        embedded("bonds")


def test_etf_sleeves_from_a_file(tmp_path: Path) -> None:
    days = pd.bdate_range("2020-01-01", periods=5)
    frame = pd.DataFrame({fund: np.linspace(100, 101, 5) for fund in (*ETF_TARGET, ETF_CASH)}, index=days)
    frame.rename_axis("date").to_csv(tmp_path / "etf.csv")
    universe = etf_core(tmp_path / "etf.csv")
    assert universe.assets == tuple(ETF_TARGET)
    assert universe.cash_return[0, 0] == 0
    assert universe.cash_return[0, 1] == pytest.approx(100.25 / 100 - 1)
    frame.drop(columns=["GLD"]).rename_axis("date").to_csv(tmp_path / "short.csv")
    with pytest.raises(MarketDataError, match="GLD"):
        etf_core(tmp_path / "short.csv")


def test_the_shared_file_is_read(shared: Path) -> None:
    universe = etf_core(shared / "data" / "etf" / "etf_core18_adj_close_2007_2026.csv")
    assert universe.price.shape == (1, 4722, 7)


def test_a_cut_ends_where_it_says() -> None:
    universe = embedded("factors")
    part = until(universe, 500, first=100)
    assert part.sessions[0] == universe.sessions[100]
    assert len(part.sessions) == 400
    assert part.cash_return[0, 0] == 0
    np.testing.assert_array_equal(part.price[0], universe.price[0, 100:500])

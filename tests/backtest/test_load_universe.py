"""From a firm's record to a universe: splits, dividends, targets over sleeves, cash, and what is missing."""

import numpy as np
import pandas as pd
import pytest

from workbench.backtest import Runs, load_universe, rules, signals, simulate
from workbench.errors import MarketDataError, ParameterError
from workbench.firm import open_at, write_firm


def a_firm(small, folder, change=None):
    tables = {name: frame.copy() for name, frame in small.items()}
    if change:
        change(tables)
    return write_firm(folder, tables, "2022-12-28")


def test_small_firm_by_hand(small, tmp_path):
    def change(tables):
        prices = tables["prices"]
        of = prices["security_id"] == "BBB"
        prices.loc[of & (prices["date"] == "2022-12-27"), "dividend"] = 0.5

    data = load_universe(a_firm(small, tmp_path / "firm", change), "BAL", least=2)
    assert data.assets == ("AAA", "BBB")
    np.testing.assert_allclose(data.target, [0.6, 0.38])
    assert data.with_cash
    np.testing.assert_allclose(data.price[0], [[10, 50], [11, 50], [12, 49]])
    np.testing.assert_allclose(data.dividend[0], [[0, 0], [0, 0.5], [0, 0]])
    np.testing.assert_allclose(data.daily_value, [12e6, 98e6])
    assert "cash earns nothing" in data.source
    assert "backwards" in data.survivorship


def test_a_short_history_is_named(small, tmp_path):
    with pytest.raises(MarketDataError, match="only 3 sessions are common"):
        load_universe(a_firm(small, tmp_path / "firm"), "BAL")


def test_a_gap_is_named(small, tmp_path):
    def change(tables):
        prices = tables["prices"]
        tables["prices"] = prices[~((prices["security_id"] == "BBB") & (prices["date"] == "2022-12-27"))]

    with pytest.raises(MarketDataError, match="BBB has no close on 2022-12-27"):
        load_universe(a_firm(small, tmp_path / "firm", change), "BAL", least=2)


def test_an_unknown_model_is_refused(small, tmp_path):
    with pytest.raises(ParameterError, match="'GRO' has no version in force"):
        load_universe(a_firm(small, tmp_path / "firm"), "GRO")


def test_the_demo_firm_runs_every_rule():
    data = load_universe(open_at("demo"), "BAL")
    assert data.sessions[-1] == pd.Timestamp("2022-12-28")
    assert "MTUM" in data.survivorship
    result = simulate(data, signals(data), Runs.product(rules()))
    assert np.isfinite(result.statistics.drop(columns="policy").to_numpy(float)).all()
    assert result.events.empty

"""The queue of households: what a dollar buys, who pays for itself, and urgency beside the rank."""

from __future__ import annotations

import importlib.util
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import ParameterError
from workbench.rebalance import queue
from workbench.rebalance.proposal import CashNeed, LevelRow

_spec = importlib.util.spec_from_file_location("proposals", Path(__file__).with_name("proposals.py"))
proposals = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(proposals)


def household(name, benefit=100.0, tax=10.0, cost=0.0, **changes):
    return proposals.make_proposal(name, benefit=benefit, tax=tax, cost=cost, **changes)


def test_households_are_ranked_by_benefit_a_dollar_of_tax_and_cost():
    made = queue([household("H1", 100, 50), household("H2", 30, 8, 2), household("H3", 500, 400, 100)])
    assert made["household_id"].tolist() == ["H2", "H1", "H3"]
    assert made["benefit_per_dollar"].tolist() == [3.0, 2.0, 1.0]
    assert made["rank"].tolist() == [1, 2, 3]


def test_who_pays_for_itself_comes_first_and_has_no_ratio():
    made = queue([household("H1", 1e6, 1.0), household("H2", 5, -50, 10), household("H3", 5, -500, 10)])
    assert made["household_id"].tolist() == ["H3", "H2", "H1"]
    assert made["benefit_per_dollar"].isna().tolist() == [True, True, False]


def test_a_tax_saved_that_does_not_cover_the_cost_is_a_spend_like_any_other():
    made = queue([household("H1", 100, -5, 105), household("H2", 100, 50)])
    assert made["household_id"].tolist() == ["H2", "H1"]


def test_who_has_nothing_to_trade_is_last_and_still_there():
    made = queue([household("H1", 0, 0, trades=()), household("H2", 1, 1000)])
    assert made["household_id"].tolist() == ["H2", "H1"]
    assert made["trades"].tolist() == [2, 0]


@settings(deadline=None, max_examples=30)
@given(st.permutations(range(5)))
def test_ties_are_broken_by_benefit_then_name_whatever_the_order(order):
    made = [household("H1", 100, 50), household("H2", 100, 50), household("H3", 200, 100), household("H4", 7, -7),
            household("H5", 7, -7)]  # fmt: skip
    ranked = queue([made[i] for i in order])
    assert ranked["household_id"].tolist() == ["H4", "H5", "H3", "H1", "H2"]


def test_urgency_stands_beside_the_rank_and_does_not_move_it():
    needs = (
        CashNeed("A1", "withdrawal", 40_000.0, date(2023, 1, 15), 10_000.0, 40_000.0, "R9"),
        CashNeed("A2", "rmd", 5_000.0, date(2022, 12, 31), 5_000.0, 5_000.0, "RMD"),
        CashNeed("A2", "min_cash", 2_000.0, None, 500.0, 2_000.0, "R3"),
    )
    levels = (
        LevelRow("H1", "sector", "Energy", 0.1, 0.05, 0.15, 0.22, 0.1),
        LevelRow("H1", "sector", "Health", 0.1, 0.05, 0.15, 0.02, 0.1),
        LevelRow("H1", "sector", "Tech", 0.1, 0.05, 0.15, 0.15, 0.1),
        LevelRow("H1", "security", "X", 0.1, None, None, 0.9, 0.1),
    )
    made = queue([household("H1", 1, 100, cash_needs=needs, levels=levels), household("H2", 100, 1)])
    row = made.set_index("household_id").loc["H1"]
    assert row["rank"] == 2
    assert row["cash_short"] == 31_500.0
    assert row["cash_due"] == pd.Timestamp("2023-01-15")
    assert row["days_to_cash_due"] == 18
    assert row["out_of_band"] == 2
    assert row["worst_excess"] == pytest.approx(0.07)


def test_an_empty_queue_has_the_types_of_a_full_one():
    full, empty = queue([household("H1")]), queue([])
    assert list(full.columns) == list(empty.columns)
    assert full.dtypes.tolist() == empty.dtypes.tolist()


def test_bad_proposals_are_refused():
    with pytest.raises(ParameterError, match="H1 comes twice"):
        queue([household("H1"), household("H1")])
    with pytest.raises(ParameterError, match="H1 has a benefit, tax or cost that is not finite"):
        queue([household("H1", np.nan)])

"""The made-up history: the same from the same seed, and a review finds what was planted, no more."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from workbench.governance.lessons import rehearsal
from workbench.governance.lessons.acceptance import turnaround
from workbench.governance.lessons.computed import from_decisions
from workbench.governance.lessons.thresholds import propose_limits
from workbench.governance.lessons.wording import propose_wording
from workbench.governance.measures import read_measures

UNTIL = date(2022, 12, 28)


@pytest.fixture(scope="module")
def prices():
    days = pd.bdate_range("2022-01-03", "2022-12-28")
    draw = np.random.default_rng(2)
    wide = pd.DataFrame(
        {f"S{n}": 50 * np.exp(np.cumsum(draw.normal(0, 0.01, len(days)))) for n in range(8)}, index=days
    )
    return wide.rename_axis("date").reset_index().melt("date", var_name="security_id", value_name="close")


def test_the_same_seed_gives_the_same_history(prices):
    assert rehearsal.rehearse(prices, UNTIL, 4, 60).hash == rehearsal.rehearse(prices, UNTIL, 4, 60).hash
    assert rehearsal.rehearse(prices, UNTIL, 4, 60).hash != rehearsal.rehearse(prices, UNTIL, 5, 60).hash


@pytest.mark.parametrize("seed", range(6))
def test_what_was_planted_is_found_and_nothing_else(prices, seed):
    made = rehearsal.rehearse(prices, UNTIL, seed)
    limits = propose_limits(made, rehearsal.RULEBOOK, rehearsal.MOVABLE)
    assert [row.rule_id for row in limits.proposals] == [rehearsal.PLANTED_RULE]
    assert [row.phrase for row in propose_wording(made)] == [rehearsal.PLANTED_PHRASE]


def test_nothing_goes_back_in_time(prices):
    hours = turnaround(rehearsal.rehearse(prices, UNTIL)).drop(columns="signal_id")
    assert (hours >= 0).all().all()


def test_what_the_decisions_tell_is_computed_and_the_rest_is_not(prices):
    made = rehearsal.rehearse(prices, UNTIL)
    start, end = date(2022, 9, 1), date(2022, 12, 1)
    found = {m.measure_id: from_decisions(made, m, start, end) for m in read_measures(start)}
    assert [name for name, reading in found.items() if reading] == ["turnaround", "errors_caught"]
    assert 5 < float(found["turnaround"].value) < 12
    assert from_decisions(made, read_measures(start)[1], start, date(2023, 1, 2)) is None

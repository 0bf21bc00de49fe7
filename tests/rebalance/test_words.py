"""A trade's sentence says what its data say, and nothing else."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings

sys.path.insert(0, str(Path(__file__).parent))
from made_up import households
from proposals import make_lot_sale, make_reason, make_trade

from workbench.rebalance import propose, words
from workbench.rebalance.proposal import Cause


def test_a_harvest_in_full():
    reason = make_reason(replaced_by="SCHB", until=date(2023, 1, 14))
    trade = make_trade(lots=(make_lot_sale(),), reason=reason, gain_long=-2150.0)
    assert words.sentence(trade, "4567") == (
        "Sell 15 VTI in account ending 4567: brings US equity to 40.1% (target 40.0%), "
        "harvests $2,150 of long-term losses; replaced by SCHB until 14 January."
    )


@pytest.mark.parametrize("cause", get_args(Cause))
@pytest.mark.parametrize("side", ["buy", "sell"])
def test_every_cause_has_its_words(cause, side):
    text = words.sentence(make_trade(side=side, reason=make_reason(cause, replaces=None)), "4567")
    assert text.startswith(f"{side.capitalize()} 15 VTI in account ending 4567: ")
    assert text.endswith(".")
    assert not re.search(r"None|nan|  |\.\.", text)


def test_gains_name_their_tax_and_what_waiting_saves():
    reason = make_reason("overweight", turns_long=date(2023, 1, 9), waiting_saves=412.4)
    text = words.sentence(make_trade(reason=reason, gain_short=2000.0, gain_long=300.0, tax=890.0), "4567")
    assert "realises $2,000 of short-term and $300 of long-term gains (tax $890)" in text
    assert text.endswith("; waiting until 9 January 2023, when it turns long-term, would save $412 of tax.")


def test_a_wash_sale_and_an_unknown_cost_are_said():
    unknown = replace(make_lot_sale("L2"), gain=None, basis=None)
    lots = (make_lot_sale(), unknown, replace(make_lot_sale(), disallowed=90.0))
    text = words.sentence(make_trade(lots=lots), "4567")
    assert "a wash sale disallows $90" in text
    assert "what was paid is not known" in text


def test_a_weight_that_stays_is_left_and_fractions_are_told():
    reason = make_reason("overweight", weight_before=0.4011)
    assert "leaves US equity at 40.1%" in words.sentence(make_trade(reason=reason, shares=1.25), "4567")
    assert "Sell 1.25 VTI" in words.sentence(make_trade(shares=1.25), "4567")
    assert "Sell 1,200 VTI" in words.sentence(make_trade(shares=1200.0), "4567")


def test_a_hostile_name_stays_one_short_line():
    text = words.sentence(make_trade(reason=make_reason(key="x\n# <b>" + "y" * 900)), "4567")
    assert "\n" not in text
    assert len(text) < 200


def test_accounts_are_named_by_as_many_characters_as_tell_them_apart():
    assert words.endings(["A00011", "A00012"]) == {"A00011": "0011", "A00012": "0012"}
    assert words.endings(["X10001", "Y20001"]) == {"X10001": "10001", "Y20001": "20001"}
    assert words.endings(["1", "1"]) == {"1": "1"}
    assert words.endings([]) == {}


@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(home=households())
def test_no_figure_that_is_not_in_the_trade(home):
    proposal = propose(home)
    for trade, text in zip(proposal.trades, words.sentences(proposal), strict=True):
        reason = trade.reason
        taken = sum(lot.disallowed for lot in trade.lots)
        gains = (trade.gain_short, trade.gain_long, trade.tax, reason.waiting_saves, taken)
        known = {f"{abs(v):,.0f}" for v in gains}
        assert set(re.findall(r"\$([\d,]+)", text)) <= known
        assert {float(v) for v in re.findall(r"([\d.]+)%", text)} <= {
            round(abs(v) * 100, 1) for v in (reason.weight_after, reason.target)
        }

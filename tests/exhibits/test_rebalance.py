"""The rebalance chapter and the household's notebook: on made proposals, on a small firm, and with nothing to show."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from workbench.exhibits import rebalance_facts, rebalance_firm, rebalance_household, rebalance_limits
from workbench.rebalance import load
from workbench.rebalance.proposal import Limit

_spec = importlib.util.spec_from_file_location("proposals", Path(__file__).parents[1] / "rebalance" / "proposals.py")
proposals = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(proposals)
make_proposal = proposals.make_proposal


@pytest.fixture
def given_proposals():
    quiet = make_proposal("H3", trades=(), limits=(), refused=(), wash=(), conflicts=(), benefit=0.0)
    return [make_proposal("H1"), make_proposal("H2", benefit=900.0), quiet]


@pytest.fixture
def adv():
    return pd.Series({"VTI": 1e6, "SCHB": 100.0})


def test_sums_are_those_of_the_proposals(given_proposals, origin):
    facts = rebalance_facts.firm_facts(given_proposals, origin)
    assert facts["proposals"].value == 2
    assert facts["households"].value == 3
    assert facts["traded"].value == pytest.approx(sum(t.amount for p in given_proposals for t in p.trades))
    assert facts["tax"].value == pytest.approx(sum(p.tax_table.tax for p in given_proposals))
    assert facts["tracking_before"].value == pytest.approx(0.0123)


def test_the_verdict_asks_for_release_and_says_what_it_brings(given_proposals, origin, said):
    text = said(rebalance_firm.verdict(given_proposals, origin))
    assert "2 of 3 households have a proposal" in text
    assert "save $282 of tax" in text
    assert "from 1.23% to 0.41%" in text
    assert "2 demands contradict" in text or "3 demands" in text


def test_the_queue_leads_with_the_better_and_leaves_out_what_trades_nothing(given_proposals, origin, said):
    table = rebalance_firm.queue_table(given_proposals, origin, 10)
    assert [row[0] for row in table.body.rows] == ["H2", "H1"]
    assert "First comes H2" in table.takeaway
    assert len(rebalance_firm.queue_table(given_proposals, origin, 1).body.rows) == 1


def test_budgets_over_and_full_are_counted(origin):
    def with_budget(household, budget, before, after):
        table = replace(proposals.make_tax_table(), budget=budget, budget_used_before=before, budget_used_after=after)
        return make_proposal(household, tax_table=table)

    given = [with_budget("A", 100.0, 0.0, 100.0), with_budget("B", 100.0, 150.0, 150.0), with_budget("C", None, 0, 0)]
    table = rebalance_firm.budget_table(given, origin, 10)
    assert (
        table.takeaway
        == "Of 2 households with a gain budget 1 would use all of it and 1 would be over it; 1 already are."
    )
    assert [row[0] for row in table.body.rows] == ["B", "A"]


def test_blocks_never_cross_and_say_how_long_they_take(given_proposals, adv, origin):
    table = rebalance_limits.blocks_table(given_proposals, adv, origin, 10)
    assert [(row[0], row[1]) for row in table.body.rows] == [("VTI", "sell"), ("SCHB", "buy")]
    assert "1 block would take more than a day" in table.takeaway


def test_obstacles_are_counted_by_household(given_proposals, origin):
    table = rebalance_limits.undone_table(given_proposals, origin)
    assert table.body.rows[0][1:3] == (2, 2)
    assert table.takeaway == "Most is left undone because of a never-sell restriction: $5,000 in 2 households."


def test_limits_lead_with_the_dearest(given_proposals, origin):
    dear = replace(
        given_proposals[1],
        limits=(Limit("cash_floor", "A1", 5.0, 0.1, None), Limit("gain_budget", "H2", 9.0, 0.3, 7.0)),
    )
    table = rebalance_limits.limits_table([given_proposals[0], dear], origin, 10)
    assert [row[1] for row in table.body.rows] == ["gain budget", "gain budget", "cash floor"]
    assert "dearest is that of H2, which costs 7.0\u00a0bp of tracking" in table.takeaway


def test_windows_are_joined_over_households(given_proposals, origin):
    table = rebalance_limits.wash_table(given_proposals, origin, 10)
    assert table.body.rows[0][2:] == (2, "2022-12-29", "2023-01-27", 2)


def test_with_nothing_to_show_each_exhibit_says_so(origin, adv, said):
    for given in ([], [make_proposal(trades=(), limits=(), refused=(), wash=(), conflicts=())]):
        shown = [
            rebalance_firm.verdict(given, origin),
            rebalance_firm.summary(given, origin),
            rebalance_firm.queue_table(given, origin, 5),
            rebalance_firm.tracking_figure(given, origin, 5),
            rebalance_limits.blocks_table(given, adv, origin, 5),
            rebalance_limits.undone_table(given, origin),
            rebalance_limits.limits_table(given, origin, 5),
            rebalance_limits.wash_table(given, origin, 5),
            rebalance_limits.impact_table(None, origin),
        ]
        assert all(said(exhibit) for exhibit in shown)


def test_hostile_names_reach_no_exhibit_as_markup(origin, adv, said):
    name = "<img src=x onerror=alert(1)> household"
    bad = make_proposal("H<b>1", household_name=name)
    rebalance_firm.tracking_figure([bad], origin, 5)
    table = rebalance_firm.queue_table([bad], origin, 5)
    assert name[:20] in said(table)


class TestHousehold:
    def test_every_trade_and_lot_has_its_row_and_reason(self, given_proposals, origin, said):
        trades = rebalance_household.trades_table(given_proposals[0], origin)
        assert len(trades.body.rows) == len(given_proposals[0].trades)
        assert "Harvests a loss" in said(trades)
        lots = rebalance_household.lots_table(given_proposals[0], origin)
        assert len(lots.body.rows) == 1
        assert lots.body.rows[0][3] == "2021-03-15"

    def test_the_tax_year_is_told(self, given_proposals, origin):
        table = rebalance_household.tax_table(given_proposals[0], origin)
        assert table.takeaway == "Tax of the year: $141 saved; $608 of the gain budget of $10,000 would be used."

    def test_limits_are_priced_in_words(self, given_proposals, origin, said):
        assert "Gain budget of $10,000 costs 4 bp of tracking" in said(
            rebalance_household.undone(given_proposals[0], origin)
        )

    def test_a_lot_of_unknown_day_and_cost_is_shown_as_missing(self, origin, said):
        lot = replace(proposals.make_lot_sale(), acquired_on=None, basis=None, gain=None, term="unknown")
        trade = proposals.make_trade(lots=(lot,))
        assert "not known" in said(rebalance_household.lots_table(make_proposal(trades=(trade,)), origin))

    def test_an_unknown_household_is_named(self, made_firm):
        from workbench.errors import ParameterError

        with pytest.raises(ParameterError, match="'H9' is not in this firm, which has H1"):
            rebalance_household.chosen(load(made_firm), "H9")


@pytest.fixture
def made_firm(tmp_path, with_history):
    from workbench.firm import write_firm

    return write_firm(tmp_path / "firm", with_history, "2022-12-28", name="Small firm")


@pytest.mark.parametrize("name", ["rebalance", "household_brief"])
def test_the_notebooks_run_on_a_small_firm(chapter, with_history, name):
    shown = chapter(name, with_history)
    assert len(shown.exhibits) >= 9
    assert shown.facts


@pytest.mark.parametrize("name", ["rebalance", "household_brief"])
def test_on_a_day_whose_gains_are_not_known_one_box_says_so(chapter, with_history, said, name):
    shown = chapter(name, with_history, as_of="2022-12-27")
    box = shown["rebalance-verdict"]
    assert "The gains that 1 of 1 households, H1 first, had realised by 2022-12-27 are not known" in said(box)
    assert "seal a snapshot of that day." in said(box)
    assert {exhibit.id for exhibit in shown.exhibits} <= {"rebalance-verdict", "rebalance-impact"}

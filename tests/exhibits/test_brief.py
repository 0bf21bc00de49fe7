"""A household's brief: what of its proposal and its file stands on the page, in which words and order."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from datetime import date
from pathlib import Path

from workbench.drafting.on_file import Extras, Flow, Note, Restriction
from workbench.exhibits import brief_words as words
from workbench.exhibits.brief import brief
from workbench.exhibits.household_file import household_files
from workbench.rebalance.proposal import Conflict, Limit
from workbench.rebalance.proposal import Note as ProposalNote
from workbench.report.brief import render_html

_spec = importlib.util.spec_from_file_location("proposals", Path(__file__).parents[1] / "rebalance" / "proposals.py")
proposals = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(proposals)
make_proposal = proposals.make_proposal

EXTRAS = Extras(
    "Ann Adviser, Boston",
    notes=(
        Note(date(2022, 11, 1), "Ann", "meeting", "Annual review."),
        Note(date(2022, 5, 1), "Ann", "preference", "<script>alert(1)</script> no tobacco"),
    ),
    flows=(Flow("A1", date(2022, 12, 6), 1_500.0), Flow("A2", date(2022, 12, 1), -200.0)),
    restrictions=(Restriction("R1", None, "screen", "fossil_fuel", None, "Values", None),),
    snapshot="ab" * 32,
    proposal_hash="cd" * 32,
    rank=3,
)


def texts(section):
    return [" ".join(part for part in (item.lead, item.text, item.quote) if part) for item in section.items]


def test_the_head_names_household_accounts_and_state():
    made = brief(make_proposal(), EXTRAS)
    assert made.state == "Proposal, not released"
    assert made.about == "$500,000 in 2 accounts: taxable ··A1 $250,000; traditional IRA ··A2 $250,000."
    assert [figure.value for figure in made.figures][:2] == ["2", "1.23% → 0.41%"]
    assert made.line.rank == 3


def test_a_sale_shows_its_lot_term_gain_tax_and_replacement():
    row = brief(make_proposal(), EXTRAS).table.rows[0]
    assert row.group == "Taxable ··A1"
    assert row.short == "sell 15 VTI $2,858 (gain −$592)"
    assert row.cells[:7] == ("Sell", "VTI", "15", "$2,858", "–", "−$592", "−$141")
    assert row.cells[7] == (
        "Harvests a loss; US equity from 43.7% to 40.1% (target 40.0%); replaced by SCHB until 28 Jan 2023. "
        "Lot: 15 bought 15 Mar 2021, long-term −$592."
    )


def test_accounts_follow_each_other_and_sell_before_they_buy():
    sale = make_proposal().trades[0]
    trades = [
        replace(sale, account_id=account, security_id=f"{account}{n}", side=side, amount=amount)
        for n, (account, side, amount) in enumerate(
            [
                ("A1", "buy", 900.0),
                ("A2", "sell", 5000.0),
                ("A1", "sell", 10.0),
                ("A2", "buy", 80.0),
                ("A1", "sell", 70.0),
            ]
        )
    ]
    table = brief(make_proposal(trades=tuple(trades)), EXTRAS).table
    assert [row.cells[1] for row in table.rows] == ["A21", "A23", "A14", "A12", "A10"]
    assert [row.place for row in table.rows] == [0, 2, 3, 4, 1]
    assert table.notes["IRA ··A2"].startswith("2 trades · sells $5,000 · buys $80 · cash $")


def test_a_gain_taken_days_before_it_turns_long_term_says_what_waiting_saves():
    reason = replace(make_proposal().trades[0].reason, turns_long=date(2023, 1, 4), waiting_saves=120.4)
    assert words.why(reason, "sell").endswith(
        "; waiting until 4 Jan 2023, when it turns long-term, would save $120 of tax."
    )


def test_a_purchase_in_a_class_that_shrinks_is_not_said_to_shrink_it():
    reason = replace(make_proposal().trades[0].reason, cause="underweight", replaced_by=None, until=None)
    assert words.why(reason, "sell") == "Brings US equity from 43.7% to 40.1% (target 40.0%)."
    assert words.why(reason, "buy") == "Restores the mix within US equity from 43.7% to 40.1% (target 40.0%)."


def test_the_benefit_that_ranks_the_queue_is_no_figure_of_the_page():
    labels = [figure.label for figure in brief(make_proposal(), EXTRAS).figures]
    assert labels[-1] == "Furthest off target"
    assert "Benefit" not in labels


def test_the_tax_section_has_budget_rates_harvest_and_calendar():
    told = texts(brief(make_proposal(), EXTRAS).beside)
    assert told[0] == "Gain budget: $10,000 for 2022; $1,200 used before, $608 after this proposal; $9,392 left."
    assert told[1].startswith("Rates: 40.8% short-term, 23.8% long-term.")
    assert told[2] == "Harvest: $592 of losses: VTI $592 into SCHB."
    assert told[3] == "Do not buy VTI and ITOT: 29 Dec 2022 to 27 Jan 2023, after this proposal (A1-L1)."


def test_windows_of_equal_days_are_one_line():
    row = make_proposal().wash[0]
    calendar = (row, replace(row, wash_group="x", securities=("QQQ",)))
    told = texts(brief(make_proposal(wash=calendar), EXTRAS).beside)
    assert told[-1] == "Do not buy VTI, ITOT and QQQ: 29 Dec 2022 to 27 Jan 2023, after this proposal."


def test_the_file_leads_with_what_is_due_and_quotes_the_client():
    told = texts(brief(make_proposal(), EXTRAS).below[0])
    assert told[0] == "Required distribution: $4,000 by 31 Dec 2022 in ··A2: covered."
    assert told[1] == "Recent deposits: $1,500 on 6 Dec 2022 in ··A1."
    assert told[2] == "Recent withdrawals: $200 on 1 Dec 2022 in ··A2."
    assert told[3].startswith("Preference: Ann, 1 May 2022:")
    assert "<script" not in render_html(brief(make_proposal(), EXTRAS))


def test_what_was_not_done_leads_with_conflicts_and_prices_limits():
    told = texts(brief(make_proposal(), EXTRAS).below[1])
    assert told[0] == (
        "Conflict: restriction R3 and max_weight R9 cannot all hold: max_weight R9 missed by $2,750; "
        "allow 6.1 % of XOM."
    )
    assert told[1] == "Gain budget of $10,000 costs 4 bp of tracking error."
    assert told[2] == "Sell $2,500 of XOM in ··A2: a never-sell restriction (R3)."


def test_a_limit_that_costs_nothing_takes_no_line():
    free = make_proposal(limits=(Limit("cash_ceiling", "A1", 10.0, 0.0),), conflicts=(), refused=())
    assert not brief(free, EXTRAS).below[1].items


def test_the_source_names_tables_and_hashes():
    source = brief(make_proposal(), EXTRAS).source
    assert "accounts and lots; book of record abababababababab; proposal cdcdcdcdcdcdcdcd" in source


def test_nothing_to_trade_is_said():
    made = brief(make_proposal(trades=()), EXTRAS)
    assert made.table.empty == "No trade: nothing would bring more than its tax and cost."


def test_a_lot_without_day_or_cost_is_told_as_not_known():
    lot = replace(proposals.make_lot_sale(), acquired_on=None, gain=None, basis=None, term="unknown")
    assert words.lots([lot]) == "Lot: 15 bought on a day not known, cost not known."


def test_a_household_whose_name_is_no_file_name_has_one():
    keys = {brief(replace(make_proposal(), household_id=id), EXTRAS).key for id in ("../x", "..-x", "index", "H 1")}
    assert len(keys) == 4


def test_files_of_a_firm_without_notes_are_empty(made, small):
    files = household_files(made(small), ranks={"H1": 1})
    assert files["H1"].advisor == "Ann Advisor, Boston"
    assert files["H1"].rank == 1


def test_a_record_to_correct_is_no_demand_against_another():
    wrong = Conflict(("max_weight R1",), "correct the value 7.0", "max_weight R1", 0.0)
    told = texts(brief(make_proposal(conflicts=(wrong,)), EXTRAS).below[1])
    assert told[0] == "Conflict: max_weight R1: correct the value 7.0."


def test_notes_name_consent_to_obtain_and_accounts_without_model():
    notes = (
        ProposalNote("consent", "A2", 1_234.0),
        ProposalNote("unmanaged", "A1", 250_000.0, "no model in force <b>"),
    )
    made = brief(make_proposal(notes=notes), EXTRAS)
    assert "Consent needed: the client must agree to what is traded in ··A2 ($1,234)." in texts(made.below[0])
    assert "Not managed: ··A1 ($250,000), no model in force <b>." in texts(made.below[1])
    assert "<b>." not in render_html(made)


def test_sleeves_are_called_by_name():
    trade = make_proposal().trades[0]
    trade = replace(trade, reason=replace(trade.reason, level="sleeve", key="CORE"))
    row = replace(make_proposal().levels[0], level="sleeve", key="CORE")
    extras = replace(EXTRAS, sleeves={"CORE": "US Large Core", "VTI": "not a sleeve here"})
    made = brief(make_proposal(trades=(trade,), levels=(row,)), extras)
    assert "US Large Core from 43.7% to 40.1%" in made.table.rows[0].cells[7]
    assert made.deviations[0].label == "US Large Core"
    assert made.table.rows[0].cells[1] == "VTI"

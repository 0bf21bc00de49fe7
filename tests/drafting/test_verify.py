"""A text is supported when each figure is bound as its fact is; anything else is named with what to do."""

from dataclasses import replace

import pytest

from tests.drafting import trade_list
from workbench.drafting import Entity, Verdict, verify

SHEET = trade_list.sheet()


def verdicts(text):
    return {span.text: span.verdict for span in verify(text, SHEET).faults}


def test_a_draft_that_says_its_facts_is_supported():
    assert trade_list.draft().report.faults == ()


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("VTI is sold for $9,358 in account A-101.", None),
        ("VTI is sold for $9,858 in account A-101.", Verdict.UNSUPPORTED),
        ("VTI is sold for $9.4 k in account A-101.", None),
        ("VTI is sold for about $9,400 in account A-101.", None),
        ("VTI is sold for $9,400 in account A-101.", Verdict.UNSUPPORTED),
        ("VTI is sold for $9.4 m in account A-101.", Verdict.UNSUPPORTED),
        ("VTI is bought for $9,358 in account A-101.", Verdict.WRONG_DIRECTION),
        ("VTI is not sold for $9,358 in account A-101.", Verdict.WRONG_DIRECTION),
        ("VTI is sold for \u2212$9,358 in account A-101.", Verdict.WRONG_DIRECTION),
        ("BND is sold for $9,358 in account A-101.", Verdict.MISBOUND),
        ("VTI is sold for $9,358 in account A-202.", Verdict.MISBOUND),
        ("The gain is $9,358 on VTI in account A-101.", Verdict.WRONG_METRIC),
        ("The tax rises by $133.", None),
        ("The tax falls by $133.", Verdict.WRONG_DIRECTION),
        ("The tax rises by $133 for VTI.", None),
        ("US equity is 3.2% overweight.", None),
        ("US equity is 320 basis points overweight.", None),
        ("US equity is 3.2 basis points overweight.", Verdict.UNSUPPORTED),
        ("US equity is 3% overweight.", None),
        ("US equity is 3.2% underweight.", Verdict.WRONG_DIRECTION),
        ("Your weight in US equity goes from 53.2% to 48.1%.", None),
        ("Your weight in US equity goes from 48.1% to 53.2%.", Verdict.WRONG_DIRECTION),
        ("There are four trades in two accounts.", None),
        ("There are two trades in four accounts.", Verdict.WRONG_METRIC),
        ("There are 4 trades.", None),
        ("There are trades, four times the usual.", Verdict.WRONG_METRIC),
        ("As of December 28, 2022, all is well.", None),
        ("As of 27 December 2022, all is well.", Verdict.UNSUPPORTED),
        ("As of Tuesday, 28 December 2022, all is well.", Verdict.UNSUPPORTED),
        ("Do not buy BND through 27 January 2023.", None),
        ("Do not buy VTI through 27 January 2023.", Verdict.MISBOUND),
        ("As of 27 January 2023, all is well.", Verdict.MISBOUND),
    ],
)
def test_a_sentence_is_held_to_its_fact(text, verdict):
    faults = verify(text, SHEET).faults
    assert [span.verdict for span in faults[:1]] == ([verdict] if verdict else []), faults


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("We buy VTI.", "VTI"),
        ("We do not sell VTI.", "VTI"),
        ("We sell TSLA.", "TSLA"),
        ("We thank Edward Larkin for it.", "Edward Larkin"),
        ("Your tax has doubled.", "doubled"),
        ("Most of the trades are sales.", "Most of"),
        ("We act next month.", "next month"),
        ("We propose no trades.", "no trades"),
        ("Your tax falls.", "tax"),
        ("There are 4 weeks of trades.", "4"),
        ("Your tax rises by \u20ac133.", "\u20ac133"),
        ("We are underweight in US equity.", "US equity"),
        ("Your tax is &#36;1.", "&#36;"),
        ("We s\u0435ll it all.", "s\u0435ll"),
    ],
)
def test_what_is_said_without_a_fact_is_a_fault(text, fault):
    assert fault in verdicts(text)


@pytest.mark.parametrize(
    "text",
    [
        "We sell VTI.",
        "We do not buy VTI.",
        "Your tax rises.",
        "vxus is bought.",
        "We do not wait; we sell VTI.",
        "We sell VTI, and we do not wait.",
        "Hello and thank you.",
    ],
)
def test_what_the_facts_say_without_a_figure_passes(text):
    assert verdicts(text) == {}


def test_a_quotation_is_word_for_word_whatever_its_typography():
    said = trade_list.NOTE
    assert verdicts(f"> {said}") == {}
    assert verdicts("> " + said.replace("'", "\u2019")) == {}
    assert verdicts(f'You wrote: "{said}"') == {}
    assert verdicts("> " + said.replace("before", "after"))
    assert verdicts('You wrote: "Sell it all."')


def test_the_figures_within_a_quotation_are_its_own():
    assert verdicts(f"> {trade_list.NOTE}") == {}
    assert "May 3" in verdicts("I'm away until May 3.")


def test_a_cell_is_bound_by_its_row_and_column():
    table = "| Class | Weight before | Weight after |\n|---|---|---|\n| US equity | {} | {} |\n"
    assert verdicts(table.format("53.2%", "48.1%")) == {}
    assert verdicts(table.format("48.1%", "53.2%"))
    assert verdicts(table.format("21.4%", "26.3%"))


@pytest.mark.parametrize("label", ["Not sold {}", "{} never sold", "{} no longer sold"])
def test_a_row_whose_label_denies_it_is_a_fault(label):
    table = "| Trade | Sold |\n|---|---|\n| {} in account A-101 | $9,358 |\n"
    assert verdicts(table.format("VTI")) == {}
    assert "$9,358" in verdicts(table.format(label.format("VTI")))


def test_a_count_is_of_nothing_that_only_stands_behind_it():
    assert verdicts("There are four trades.") == {}
    assert verdicts("There are trades, four of VTI.") == {"four": Verdict.MISBOUND}
    assert verdicts("There are four trades of VTI.") == {"four": Verdict.MISBOUND}
    followed = replace(
        SHEET,
        about=(*SHEET.about, "model:growth"),
        entities=(*SHEET.entities, Entity("model:growth", "model", ("Growth",))),
    )
    assert [span.text for span in verify("There are two accounts of the Growth model.", followed).faults] == ["two"]


def test_a_trade_that_no_fact_is_of_is_a_fault_where_the_sheet_has_none():
    untraded = replace(SHEET, facts=tuple(fact for fact in SHEET.facts if not {"buy", "sell"} & set(fact.direction)))
    assert [span.text for span in verify("We also sell VTI.", untraded).faults] == ["VTI"]
    assert verify("We do not sell VTI.", untraded).supported


def test_a_heading_binds_what_stands_below_it():
    assert verdicts("## US equity\n\nIt is 3.2% overweight.") == {}
    assert verdicts("## International equity\n\nIt is 3.2% overweight.") == {"3.2%": Verdict.MISBOUND}
    assert verdicts("Nothing above.\n\nIt is 3.2% overweight.") == {"3.2%": Verdict.MISBOUND}


def test_the_reason_names_the_fact_and_what_the_words_say():
    (fault,) = verify("VTI is bought for $9,358 in account A-101.", SHEET).faults
    assert fault.facts == ("trade.1.amount",)
    assert "$9,358 is traded dollars (sell) of A-101 and VTI" in fault.reason
    assert "bought" in fault.reason


def test_spans_stand_where_the_text_says():
    draft = trade_list.draft()
    for span in draft.report.spans:
        assert draft.text[span.start : span.end] == span.text


def test_verifying_again_says_the_same():
    draft = trade_list.draft()
    assert verify(draft.text, draft.sheet) == draft.report == verify(draft.text, trade_list.sheet())

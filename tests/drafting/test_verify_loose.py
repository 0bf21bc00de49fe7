"""What is said without a figure, of two things at once or both ways round: held to the facts and the draft's own."""

import pytest

from tests.drafting import trade_list
from workbench.drafting.verifying import verify

SHEET = trade_list.sheet()
SAID = "VTI is sold for $9,358 in account A-101."


def test_the_sentence_that_is_attacked_is_supported():
    assert verify(SAID, SHEET).supported


@pytest.mark.parametrize(
    "text",
    [
        "VTI is sold for less than $9,358 in account A-101.",
        "VTI is sold for $9,358 in account A-101, more than the target.",
        "VTI is sold for $9,358 a month in account A-101.",
        "VTI is sold for $9,358 each in account A-101.",
        "VTI is sold for -$9,358 in account A-101.",
        "VTI is sold for minus $9,358 in account A-101.",
        "VTI is sold for C$9,358 in account A-101.",
        "VTI is sold for $9,358 in account A-101, which is not so.",
        "VTI is sold for $9,358 in account A-101 (cancelled).",
        "It is not true that VTI is sold for $9,358 in account A-101.",
        "We refuse to let VTI be sold for $9,358 in account A-101.",
        "VTI and SCHF is sold for $9,358 in account A-101.",
        "VTI (SCHF) is sold for $9,358 in account A-101.",
        "VTI is sold or bought for $9,358 in account A-101.",
        "VTI is sold for $9,358 in account A-101. The same holds for SCHF.",
        "VTI is sold for $9,358 in account A-101. Nothing else is sold.",
        "VTI is sold for $9,358 in account A-101. All accounts are within their bands.",
        "VTI is sold for $9,358 in account A-101 [3].",
        "VTI is sold for $9,358 in account A-101, like the S&P 500.",
        "VTI is sold for $9,358 in account A-101 this spring.",
        "VTI is sold for ~~$9,358~~ in account A-101.",
        "VTI is sold for $9,358 of T S L A in account A-101.",
    ],
)
def test_words_around_a_true_figure_can_make_it_false(text):
    assert not verify(text, SHEET).supported


@pytest.mark.parametrize(
    "text",
    [
        "VTI is sold for $9,358 in account A-101. I am more than happy.",
        "VTI is sold for about $9,400 in account A-101.",
        "VTI is unloaded: a sale of $9,358 in account A-101.",
        "* VTI is sold for $9,358 in account A-101.\n\u2022 VTI is sold for $9,358 in account A-101.",
    ],
)
def test_an_honest_edit_passes(text):
    assert verify(text, SHEET, skeleton="I am more than happy.").supported


def test_a_wording_without_a_figure_is_the_drafts_own_or_a_fault():
    text = SAID + " Its cost is more than it would bring."
    assert verify(text, SHEET).supported, "a claim of the papers"
    assert verify(text, SHEET, skeleton="Its cost is more than it would bring.").supported
    (fault,) = verify(text, SHEET, skeleton="Its cost is low.").faults
    assert fault.text == "more than"
    assert "without a figure" in fault.reason


def test_a_sentence_may_leave_its_name_to_the_one_before_but_not_to_another():
    assert verify("In account A-101 we look at VTI. A sale of $9,358 is proposed.", SHEET).supported
    assert not verify("In account A-101 we look at SCHF. A sale of $9,358 is proposed.", SHEET).supported

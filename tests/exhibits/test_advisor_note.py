"""The advisor's note: a package in sentences, its figures and no others."""

from __future__ import annotations

import re
from dataclasses import replace

from tests.desk.packages import proposal
from workbench.exhibits.advisor_note import advisor_note


def test_a_proposal_in_sentences():
    assert advisor_note(proposal()) == (
        "We looked at your accounts as of 28 Dec 2022. We propose 4 trades in 2 accounts: $9,358 sold and $8,671 "
        "bought.\n\n"
        "They bring your accounts closer to the model you are invested in: the expected difference from it falls from "
        "1.23% to 0.41% a year.\n\n"
        "The largest are selling $6,500 of EFA, buying $5,820 of AGG and selling $2,858 of VTI.\n\n"
        "By our estimate they save $141 of tax for 2022. Trading is expected to cost $5.\n\n"
        "Nothing is traded before the firm has approved it. Please tell us of anything that has changed.\n"
    )


def test_consent_is_asked_for_by_the_accounts_ending():
    made = proposal()
    asked = replace(made, accounts=(replace(made.accounts[0], discretionary=False), made.accounts[1]))
    assert re.search(r"\nFor ··\S+ we need your consent first\.\n", advisor_note(asked))


def test_tax_that_is_owed_or_none_is_said_so():
    assert "they add $900 of tax for 2022" in advisor_note(replace(proposal(), tax=900.0))
    assert "They leave your tax for 2022 as it is." in advisor_note(replace(proposal(), tax=0.0))


def test_what_does_not_come_closer_is_not_said_to():
    made = proposal()
    group = replace(made.groups[0], tracking_error_after=made.groups[0].tracking_error_before)
    assert "closer" not in advisor_note(replace(made, groups=(group,)))

"""Files for a person to review: the diff applies, nothing is applied, hostile names break no page."""

from __future__ import annotations

import pandas as pd

from tests.governance.lessons.histories import RULEBOOK
from tests.governance.lessons.test_thresholds import WEIGHT, overridden
from tests.governance.lessons.test_wording import phrases
from workbench.governance.lessons.proposed_files import write_proposals
from workbench.governance.lessons.thresholds import propose_limits
from workbench.governance.lessons.wording import propose_wording

HOSTILE = "H1 | <script>\n`x`"


def written(folder, decisions, rejudge=None):
    rules = propose_limits(decisions, RULEBOOK, WEIGHT)
    wording = propose_wording(phrases(("needless to say", 58, 60)))
    diff, page, words = write_proposals(folder, decisions, rules, wording, RULEBOOK, rejudge)
    return diff.read_text(), page.read_text(), words.read_text()


def test_the_files_hold_the_diff_the_counts_and_the_wording(tmp_path):
    diff, page, words = written(tmp_path, overridden(28, 30))
    assert diff in page
    assert "spared 30 recorded blocks, of which 2 had been upheld" in page
    assert "were not judged anew" in page
    assert "needless to say" in words


def test_past_proposals_are_judged_anew_by_both_texts(tmp_path):
    asked = []

    def rejudge(old, new):
        asked.append((old, new))
        return pd.DataFrame({"household": [HOSTILE] * 60, "old": "block", "new": "pass"})

    _, page, _ = written(tmp_path, overridden(28, 30), rejudge)
    ((old, new),) = asked
    assert old == RULEBOOK != new
    assert "60 past findings would be judged differently" in page
    assert "10 more are not shown" in page
    assert "<script>" not in page


def test_without_a_proposal_nothing_is_judged_anew(tmp_path):
    diff, page, _ = written(tmp_path, overridden(3, 30), rejudge=None)
    assert diff == ""
    assert "chance" in page

"""Texts written to break the verifier: long runs, endless numbers, names that look like anything else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.drafting.household_samples import sheet_of
from workbench.drafting import Verdict, verify
from workbench.papers.marked import marked_html

SHEET = sheet_of()
#: Twenty thousand signs each; none may take the verifier long, nor end in anything but a verdict.
RUNS = (
    "1-", "[1] ", "2022 ", "1.", "1,", "12/", "one ", "two hundred and ", "hundred hundred ", "5 ", "no tax, ",
    "VTI ", "\u200b", "a.", "..", "a@", "$9,358 of VTI and ", "| 5 ", "5 %\n\n", '"a" ', "{{", "<a ", "rose tax ", "\\",
)  # fmt: skip
PIECES = (
    "$9,358", "VTI", "sell", "buy", "tax", "5 %", "28 December 2022", "one", "thousand", "no", "not", "\n", "\n\n",
    "# ", "- ", "> ", "| ", "|---|", "**", "\\", '"', "<i>", "{f:as_of}", "&amp;", "\u202e", "\u200b", "\u0130",
    "\ufb01",
    "\uff15", "\u0410", "a@b.co", "[1]", "1" * 400, "9" * 40 + "e9", "; ", ", ", ". ", " and ", "\x00", "\x1c",
    "\u2028",
)  # fmt: skip


@pytest.mark.parametrize("run", RUNS)
def test_a_long_run_of_anything_is_read_through(run):
    text = (run * (20_000 // len(run)))[:20_000]
    report = verify(text, SHEET)
    assert all(text[span.start : span.end] == span.text for span in report.spans[:50])


def test_a_number_without_end_is_a_number_that_no_fact_has():
    for text in ("a hundred" + " hundred" * 400 + " dollars", "$" + "9" * 400, "9" * 400 + " %"):
        (span, *_) = verify(text, SHEET).spans
        assert span.verdict is Verdict.UNSUPPORTED


@given(st.lists(st.sampled_from(PIECES), max_size=30))
def test_any_words_end_in_verdicts_that_can_be_shown(words):
    text = " ".join(words)
    report = verify(text, SHEET)
    page = marked_html(text, report, SHEET)
    assert "<i>" not in page
    assert "\u202e" not in page
    assert "\u200b" not in page

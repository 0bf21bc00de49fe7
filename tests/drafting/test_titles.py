"""A paper's title is held to the facts like its text: what it states is supported, or it states nothing."""

import pytest

from tests.papers.paper_samples import sample
from workbench.errors import DraftError
from workbench.papers.pages import heading
from workbench.papers.record import read_record, record


@pytest.mark.parametrize("title", ["", "Review", "Review of the Smith household", "Review as of 28 December 2022"])
def test_a_title_that_states_nothing_or_what_the_facts_say_heads_a_paper(title):
    assert heading(sample("Nothing to say.", title=title)) == (title or "review H-1")


@pytest.mark.parametrize(
    ("title", "says"),
    [
        ("Review as of 29 December 2022", "29 December 2022"),
        ("Your tax falls by $9,358", r"\$9,358"),
        ("Review of the Jones household", "Jones"),
        ("Three sales", "Three"),
        ("A <b>loss</b> avoided", "<b>"),
        ("Review\nand AAPL doubled", "doubled"),
    ],
)
def test_a_title_that_states_anything_else_is_refused(title, says):
    with pytest.raises(DraftError, match=f"the title of review H-1 says .*{says}"):
        sample(title=title)


def test_a_kept_record_cannot_be_given_another_title():
    kept = record(sample(title="Review")).replace(b'"title":"Review"', b'"title":"Review of the $5 m loss"')
    assert b"$5 m loss" in kept
    with pytest.raises(DraftError, match="the title"):
        read_record(kept)

"""Distance of edits: the bit-parallel computation is the textbook's table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.governance.lessons.edits import Edit, edit

TEXTS = st.lists(st.sampled_from(["we", "sell", "buy", "shares", "now"]), max_size=14).map(" ".join)


def table(old, new):
    """Levenshtein's distance, row by row."""
    row = list(range(len(new) + 1))
    for i, left in enumerate(old, 1):
        diagonal, row[0] = row[0], i
        for j, right in enumerate(new, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (left != right))
    return row[-1]


@given(TEXTS, TEXTS)
def test_it_is_the_textbooks_distance(old, new):
    assert edit(old, new).distance == table(old.split(), new.split())


@given(TEXTS, TEXTS)
def test_it_is_the_same_both_ways_and_within_its_bounds(old, new):
    measured = edit(old, new)
    assert measured == edit(new, old)
    assert 0.0 <= measured.share <= 1.0
    assert (measured.distance == 0) == (old.split() == new.split())


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("", "", Edit(0, 0)),
        ("", "two words", Edit(2, 2)),
        ("we sell now", "we sell", Edit(1, 3)),
        ("We sell now", "we sell now", Edit(1, 3)),  # case counts
        ("we  sell\nnow", "we sell now", Edit(0, 3)),  # white space does not
    ],
)
def test_examples(old, new, expected):
    assert edit(old, new) == expected


def test_a_long_text_takes_no_time_that_anybody_notices():
    assert edit("a b c " * 3_000, "b a c " * 3_000).length == 9_000

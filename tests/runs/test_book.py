"""Params files: read strictly, hostile ones refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import ParameterError
from workbench.runs import load_book
from workbench.runs.book import parse_book

GOOD = """\
book: quarterly
title: The quarterly book
subtitle: Fourth quarter
firm: demo
as_of: 2022-12-28
time_limit: 90
pdf: false
chapters:
  - chapter: memo
    parameters: {top: 5, since_date: 2022-01-03}
  - chapter: drift
"""


def test_a_params_file_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "quarterly.yaml"
    path.write_text(GOOD)
    book = load_book(path)
    assert (book.book, book.as_of, book.time_limit, book.pdf) == ("quarterly", "2022-12-28", 90.0, False)
    assert [request.chapter for request in book.chapters] == ["memo", "drift"]
    assert book.chapters[0].parameters == {"top": 5, "since_date": "2022-01-03"}


def test_latest_is_a_day_too() -> None:
    assert parse_book(GOOD.replace("2022-12-28", "latest")).as_of == "latest"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("book: quarterly", "book: ../../etc", "it names a folder"),
        ("book: quarterly", "book: /etc", "it names a folder"),
        ("book: quarterly", "book: a/b", "it names a folder"),
        ("book: quarterly", "book: {a: 1}", "it names a folder"),
        ("book: quarterly", "book: quarterly\nbook: other", "line 2: key 'book' is given twice"),
        ("top: 5", "top: 5, top: 6", "key 'top' is given twice"),
        ("title:", "titel:", "unknown key 'titel'; did you mean 'title'"),
        ("title: The quarterly book\n", "", "key 'title' is missing"),
        ("title: The quarterly book", 'title: "a\\nb"', "one line of text"),
        ("title: The quarterly book", "title: 2022", "one line of text"),
        ("chapter: memo", "chapter: mema", "unknown chapter 'mema'; did you mean 'memo'"),
        ("chapter: memo", "chapter: ../memo", "unknown chapter"),
        ("chapter: drift", "chapter: memo", "listed twice"),
        ("as_of: 2022-12-28", "as_of: 2022-12-28T10:00:00", "write a date as"),
        ("as_of: 2022-12-28", "as_of: yesterday", "write a date as"),
        ("time_limit: 90", "time_limit: 0", "give seconds"),
        ("time_limit: 90", "time_limit: true", "give seconds"),
        ("time_limit: 90", "time_limit: .nan", "give seconds"),
        ("pdf: false", "pdf: 'no'", "true or false"),
        ("firm: demo", "firm: !!python/object/apply:os.system ['true']", "could not determine a constructor"),
        ("firm: demo", "firm: &a demo\nsubtitle2: *a", "aliases"),
        ("firm: demo", "firm: [", "correct the line"),
        ("{top: 5, since_date: 2022-01-03}", "[1]", "must be a mapping"),
    ],
)
def test_a_slip_is_named(old: str, new: str, words: str) -> None:
    assert old in GOOD
    with pytest.raises(ParameterError, match=words):
        parse_book(GOOD.replace(old, new, 1))


def test_a_large_a_missing_and_a_binary_file_are_refused(tmp_path: Path) -> None:
    large, binary = tmp_path / "large.yaml", tmp_path / "binary.yaml"
    large.write_text("# " + "x" * 70_000)
    binary.write_bytes(b"\xff\xfe\x00")
    for path, words in ((large, "65,536 bytes"), (binary, "UTF-8"), (tmp_path / "none.yaml", "no params file")):
        with pytest.raises(ParameterError, match=words):
            load_book(path)


@given(st.text(max_size=200))
def test_any_text_is_refused_with_a_typed_error(text: str) -> None:
    with pytest.raises(ParameterError):
        parse_book(text)


def test_deep_nesting_is_refused_not_fatal() -> None:
    with pytest.raises(ParameterError):
        parse_book("a: " + "[" * 5000)

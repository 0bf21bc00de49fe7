"""Model cards: nothing needed may be missing, what is written reads back, and hostile text stays text."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from workbench.errors import ParameterError
from workbench.learning import card as cards
from workbench.learning.card import Card, Check, Data, Familiar, Range, Window
from workbench.learning.page import plain


def test_what_is_written_reads_back(card):
    cards.check(card)
    assert cards.loads(Card, cards.dumps(card)) == card


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("purpose", " "),
        ("maker", ""),
        ("costs", ""),
        ("command", ""),
        ("data", ()),
        ("seeds", ()),
        ("known_failures", ()),
        ("trials", 0),
        ("verdict", "yes"),
        ("made_on", "5 January"),
        ("expires", "2026-01-05"),
    ],
)
def test_a_card_without_what_a_judge_needs_is_refused(card, field, value):
    with pytest.raises(ParameterError) as caught:
        cards.check(replace(card, **{field: value}))
    assert caught.value.parameter == field


@pytest.mark.parametrize(
    "changes",
    [
        {"data": (Data("x", "y", "2020-01-01", "2019-01-01", 10, "none", "a" * 64),)},
        {"data": (Data("x", "y", "2020-01-01", "2021-01-01", 10, " ", "a" * 64),)},
        {"data": (Data("x", "y", "2020-01-01", "2021-01-01", 10, "none", ""),)},
        {"windows": (Window("x", "2020-01-01", "2021-01-01", float("nan"), "rule", 1.0),)},
        {"tests": (Check("x", float("inf"), 0.0, True, "s"),)},
        {"familiar": Familiar((Range("market x", 2.0, 1.0),))},
        {"familiar": Familiar((), (1.0, 2.0), ((1.0,),), 3.0)},
    ],
)
def test_a_card_that_contradicts_itself_is_refused(card, changes):
    with pytest.raises(ParameterError):
        cards.check(replace(card, **changes))


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"name": 1}', b"\xff", b"NaN"])
def test_what_is_no_card_is_refused(body):
    with pytest.raises(ParameterError):
        cards.loads(Card, body)


def test_an_unknown_field_is_named(card):
    body = cards.dumps(card).replace(b'"command"', b'"comand"')
    with pytest.raises(ParameterError, match=r"command|comand"):
        cards.loads(Card, body)


def test_the_page_says_what_a_committee_asks(card):
    page = card.to_markdown()
    for words in (
        "draft",
        "37 variants",
        "only sectors that still exist",
        "Loses to the rule",
        "better in 1 of 1",
        "0.40",
    ):
        assert words in page
    assert "2026-02-01 by Ben" in card.to_markdown("2026-02-01 by Ben")


def text_and_tags(page):
    """What a Markdown reader shows of a page, and whether it found markup in it beyond tables, headings and lists."""
    seen, tags = [], set()
    for token in MarkdownIt("commonmark", {"html": True}).enable("table").parse(page):
        for part in (token, *(token.children or ())):
            tags.add(part.type.removesuffix("_open").removesuffix("_close"))
            if part.type == "text":
                seen.append(part.content)
    return "".join(seen), tags


HOSTILE = (
    "<script>alert(1)</script>",
    "[click](javascript:alert(1))",
    "![x](http://evil)",
    "a | b | c",
    "line\n\n# heading",
    "`code` *bold* _under_",
    "&lt;b&gt;",
    "\x00\x1b[31m",
    "<http://evil>",
)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_stays_text(card, hostile):
    page = replace(
        card, name=hostile, purpose=hostile, known_failures=(hostile,), costs=hostile, notes=(hostile,)
    ).to_markdown()
    plain, tags = text_and_tags(page)
    allowed = {"heading", "paragraph", "inline", "text", "table", "thead", "tbody", "tr", "th", "td"}
    assert tags <= allowed | {"bullet_list", "list_item", "text_special", "softbreak"}
    assert "\x1b" not in plain


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60))
def test_any_text_shows_as_itself(text):
    shown = "".join(
        token.content for block in MarkdownIt("commonmark").parse("x " + plain(text)) for token in block.children or ()
    )
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    assert shown == f"x {line}".strip()

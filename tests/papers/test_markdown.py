"""Markdown of a draft reads the same in any reader of Markdown, and carries its sources as footnotes."""

import re

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tests.papers.paper_samples import as_edited, sample
from workbench.drafting import Verdict
from workbench.drafting.blocks import parse, unescaped
from workbench.papers.markdown import literal, render_markdown
from workbench.papers.pages import own_title
from workbench.papers.pieces import shown


def read(markdown):
    """Each block of Markdown as its reader shows it: the words of its inline tokens, markup apart."""
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown)
    return ["".join(_words(child) for child in token.children) for token in tokens if token.type == "inline"]


def _words(token):
    return {"softbreak": " ", "hardbreak": " "}.get(token.type, token.content)


def test_a_draft_reads_as_it_was_written():
    draft = sample()
    blocks = [re.sub(r"\[\^\d+\]", "", block) for block in read(render_markdown(draft))]
    assert "Please keep the *shares* of <Acme> | for now." in blocks
    assert blocks[0].startswith("Draft, not released. As of 28 December 2022")
    assert "Keep AAPL until the review." in blocks


def test_every_footnote_is_there_once():
    markdown = render_markdown(sample())
    used = set(re.findall(r"\[\^(\d+)\](?!:)", markdown))
    told = re.findall(r"^\[\^(\d+)\]:", markdown, re.MULTILINE)
    assert sorted(told) == sorted(used)


@given(st.lists(st.sampled_from([*"ab <>&*_`[]()#+-=.!|~$1:/\\\"'", "www.", "http://"]), max_size=30))
def test_no_text_becomes_markup(words):
    text = "".join(words)
    block = "x " + literal(text)
    assert read(block) == [" ".join(f"x {shown(text)}".split())]


@given(st.text(st.sampled_from([*"ab <>&_`[]()#+-=.!~$1:\\\n"]), max_size=40))
def test_a_hostile_text_keeps_its_words(text):
    draft = as_edited(sample(), text)
    lines = []
    for block in parse(text):
        places = block.cells if block.kind == "row" else [(block.start, block.end)]
        lines += [" ".join(shown(unescaped(text[start:end])).split()) for start, end in places]
    shown_lines = [" ".join(line.split()) for line in read(render_markdown(draft))]
    kept = shown_lines[2 if own_title(text) is None else 1 : -1]
    assert [line for line in kept if line] == [line for line in lines if line]


def test_a_fault_is_said_in_words():
    edited = as_edited(sample(), "We keep MSFT.", ("MSFT", Verdict.MISBOUND, "it is of *another*"))
    assert r"MSFT \[misbound: it is of \*another\*\]" in render_markdown(edited)


def test_a_row_wider_than_its_head_loses_nothing():
    rows = read(render_markdown(as_edited(sample(), "| a |\n|---|\n| b | c \\| d |")))
    assert "c | d" in rows

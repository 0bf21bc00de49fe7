"""A page shows exactly the text that was verified, with its state, its sources and its faults."""

import hashlib
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from tests.papers.paper_samples import FACTS, as_edited, sample, sheet
from workbench.drafting import Draft, Fact, Span, Verdict, Verification
from workbench.drafting.blocks import parse, unescaped
from workbench.errors import DraftError
from workbench.papers.marked import marked_html
from workbench.papers.pages import press, render_html, render_pdf
from workbench.papers.pieces import shown
from workbench.papers.release import Release
from workbench.papers.sources import MOST, endnotes

UNSEEN = ["\u202e", "\u200b", "\u00ad", "\u2028", "\x00", "\x0b"]
HOSTILE = st.text(st.sampled_from([*"ab <>&\"'*\\|#->`[](){}:_~$\n\t0%.é🙂א", *UNSEEN]), max_size=60)
ADDED = {"ref", "tip", "verdict", "why"}
BLOCKS = {"h1", "h2", "h3", "h4", "p", "li", "th", "td"}


class Reader(HTMLParser):
    """The words of a page's blocks as a reader sees them, without what the page adds to the text."""

    def __init__(self, page):
        super().__init__()
        self.blocks, self.tags, self._open, self._hidden = [], set(), [], 0
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self._open.append(tag)
        if self._hidden or ADDED & set((dict(attrs).get("class") or "").split()):
            self._hidden += 1
        if tag in BLOCKS:
            self.blocks.append("")

    def handle_endtag(self, tag):
        assert self._open.pop() == tag
        self._hidden = max(0, self._hidden - 1)

    def handle_data(self, data):
        if not self._hidden and any(tag in BLOCKS for tag in self._open):
            self.blocks[-1] += data


def squeezed(texts):
    return [" ".join(text.split()) for text in texts if text.strip()]


def expected(text):
    places = []
    for block in parse(text):
        places += block.cells if block.kind == "row" else [(block.start, block.end)]
    return squeezed(shown(unescaped(text[start:end])) for start, end in places)


@given(HOSTILE, st.lists(st.tuples(st.integers(0, 60), st.integers(1, 9), st.sampled_from(Verdict)), max_size=4))
@effort(max_examples=300)
def test_what_is_shown_is_what_was_verified(text, found):
    spans, free = [], 0
    for start, length, verdict in sorted(found, key=lambda one: one[0]):
        if free <= start and start + length <= len(text):
            spans.append(Span(start, start + length, "", "figure", verdict, ("day",), "<b>because</b>"))
            free = start + length
    page = str(marked_html(text, Verification("", "", tuple(spans)), sheet()))
    read = Reader(page)
    assert squeezed(read.blocks) == expected(text)
    assert read.tags <= BLOCKS | {"b", "a", "span", "mark", "ul", "blockquote", "div", "table", "thead", "tbody", "tr"}


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script> & &lt;b&gt; {f:name}",
        "a \u202egfedcba and\u200b b \x07 \ufffe",
        "| a \\| b | c |\n|---|---|\n| <td>x</td> | **y** |\n| only |",
        "# " + "x" * 3000,
        "> quoted <img src=x>\n- \\- not a bullet",
    ],
)
def test_hostile_texts_are_printed_as_they_read(text):
    draft = as_edited(sample(), text)
    page = render_html(draft)
    article = page[page.index("<article>") : page.index("</article>")]
    assert squeezed(Reader(article).blocks) == expected(text)
    assert "<script" not in page
    assert render_pdf(draft).startswith(b"%PDF")


def test_every_figure_leads_to_its_source():
    draft = sample()
    page = render_html(draft)
    notes = endnotes(draft.report, draft.sheet)
    assert len(notes.sources) == 5
    for number in range(1, len(notes.sources) + 1):
        assert page.count(f'id="source-{number}"') == 1
        assert f'href="#source-{number}"' in page
        assert notes.line(number) in page.replace("&#39;", "'")
    for span in draft.report.spans:
        assert notes.sources[notes.number(span) - 1] == draft.sheet.fact(span.facts[0]).source


def test_a_source_is_told_once_and_a_name_numbered_once():
    skeleton = "The {f:name} and the {f:name}, on {f:day} and {f:day}."
    draft = sample(skeleton)
    spans = tuple(
        Span(s.start, s.end, s.text, "name" if s.facts == ("name",) else "figure", s.verdict, s.facts)
        for s in draft.report.spans
    )
    notes = endnotes(Verification("", "", spans), draft.sheet)
    assert [span in notes.marked for span in spans] == [True, False, True, True]
    assert [notes.number(span) for span in spans] == [1, 1, 2, 2]


def test_above_forty_sources_those_of_one_function_share_a_number_and_the_cell_stands_beside_the_figure():
    rows = tuple(
        Fact(f"row.{n}", "name", f"Row{'x' * n}", "named", (), FACTS[3].source.__class__("f", ("t",), f"c{n}", "s" * 8))
        for n in range(1, MOST + 2)
    )
    spans = tuple(Span(n, n + 1, "x", "figure", Verdict.SUPPORTED, (row.id,)) for n, row in enumerate(rows))
    notes = endnotes(Verification("", "", spans), replace(sheet(), facts=rows))
    assert {notes.number(span) for span in spans} == {1}
    assert len(notes.sources) == 1
    assert [notes.beside(span) for span in spans] == [row.source.line() for row in rows]
    assert all(row.source.cell in notes.line(1) for row in rows)


def test_print_numbers_the_last_of_neighbours_with_one_source_and_the_screen_each():
    draft = sample("Held: {f:held} and {f:held}, not {f:other}.\n\nAgain {f:held}.")
    screen, printed = (
        marked_html(draft.text, draft.report, draft.sheet, hover=hover).count('href="#source-1"')
        for hover in (True, False)
    )
    assert (screen, printed) == (3, 2)


def test_a_fault_is_said_in_words_and_stops_a_release():
    draft = sample()
    edited = as_edited(draft, "We keep MSFT.", ("MSFT", Verdict.UNSUPPORTED, "no fact names MSFT"))
    page = render_html(edited)
    assert 'unsupported</span><span class="why">: no fact names MSFT' in page
    assert "1 statement is not borne out by the facts" in page
    with pytest.raises(DraftError, match="MSFT"):
        render_html(edited, release=Release(edited.hash, ("R. Cole",), "M. Osei", "2022-12-29"))


def test_a_paper_says_whether_it_is_released_and_by_whom():
    draft = sample()
    assert "Draft, not released" in render_html(draft)
    released = render_html(draft, release=Release(draft.hash, ("Ruth Cole",), "M. <Osei>", "2022-12-29"))
    assert "Released by M. &lt;Osei&gt; on 29 December 2022" in released
    assert "Approved by Ruth Cole" in released
    assert "not released" not in released.lower()


def test_a_release_holds_for_exactly_its_text():
    draft = sample()
    release = Release(hashlib.sha256(b"another text").hexdigest(), ("Ruth Cole",), "M. Osei", "2022-12-29")
    with pytest.raises(DraftError, match="is not of the text"):
        render_html(draft, release=release)


def test_the_page_fetches_nothing_and_names_its_making():
    draft = sample()
    page = render_html(draft)
    assert "default-src &#39;none&#39;" in page
    assert "<script" not in page
    assert "http://" not in page
    assert "https://" not in page
    assert draft.hash[:16] in page
    assert draft.sheet.hash[:16] in page
    assert "template review" in page


def test_the_print_says_the_same_and_is_always_alike():
    from pypdf import PdfReader

    draft = sample()
    content = render_pdf(draft)
    assert content == render_pdf(draft)
    reader = PdfReader(BytesIO(content))
    words = " ".join(" ".join(page.extract_text() for page in reader.pages).split())
    assert "Draft, not released" in words
    assert "Please keep the *shares* of <Acme> | for now." in words
    assert "account A-1, BRK.B" in words
    assert reader.metadata.title == "Review of the Smith household, draft, not released"
    press.cache_clear()


def test_a_table_of_figures_is_set_as_figures():
    page = str(
        marked_html(
            "| a | b | c |\n|---|---|---|\n| x | $1 | 2 y |\n| z | \N{MINUS SIGN}3 | n |",
            Verification("", "", ()),
            sheet(),
        )
    )
    assert page.count('class="num"') == 3  # the head and two cells of the second column


def test_a_text_without_heading_has_the_title():
    draft = sample("Nothing to say.", title="Review & what to do")
    assert "<h1>Review &amp; what to do</h1>" in render_html(draft)
    assert "The text states no figure" in render_html(draft)


def test_sections_of_one_level_stand_below_the_title():
    draft = sample("# What happened\n\nNothing.\n\n# What to do\n\nNothing.", title="Committee memo")
    page = render_html(draft)
    assert "<h1>Committee memo</h1>" in page
    assert "<h2>What happened</h2>" in page
    assert "<h2>What to do</h2>" in page


def test_a_report_of_another_sheet_is_refused():
    draft = sample()
    facts = sheet(tuple(fact for fact in FACTS if fact.id != "held"))
    with pytest.raises(DraftError, match="held"):
        render_html(Draft(draft.kind, draft.key, "", "", draft.text, facts, draft.made, draft.report))


def test_a_fact_with_markup_in_its_source_shows_it():
    marked = Fact(
        "held", "symbol", "AAPL", "named", (), FACTS[3].source.__class__("f", ("<t>",), "<c> \u202e", "s" * 8)
    )
    draft = sample("Keep {f:held}.", facts=sheet((marked,)))
    page = render_html(draft)
    assert "&lt;c&gt; \\u202e" in page
    assert "<c>" not in page

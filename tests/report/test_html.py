import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from workbench.report import Column, Exhibit, TableBody, render_html
from workbench.report.blocks import ExhibitBlock
from workbench.report.view import script_json


class Page(HTMLParser):
    """Collects every element with its attributes, and the text of each script block."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.scripts, self._in = [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._in = tag == "script"
        if self._in:
            self.scripts.append("")

    def handle_endtag(self, tag):
        self._in = False

    def handle_data(self, data):
        if self._in:
            self.scripts[-1] += data

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]


@pytest.fixture(scope="module")
def rendered(sample, tmp_path_factory):
    folder = tmp_path_factory.mktemp("book")
    return render_html(sample.book(), folder)


@pytest.fixture(scope="module")
def pages(rendered):
    return {path.name: Page(path.read_text()) for path in rendered.pages}


def test_writes_an_index_and_a_page_a_chapter(rendered):
    assert [path.name for path in rendered.pages] == ["index.html", "memo.html", "drift.html", "quality.html"]
    assert all(path.exists() for path in rendered.assets)


def test_nothing_hostile_gets_through(pages):
    for page in pages.values():
        assert not [a for _, attrs in page.elements for a in attrs if a.startswith("on")]
        assert {attrs.get("type") for attrs in page.all("script") if "src" not in attrs} == {"application/json"}
        assert page.all("img") == []
        for link in page.all("a"):
            assert re.match(r"https://|#|[a-z0-9_-]+\.html|$", link.get("href", ""))


def test_hostile_text_is_shown_as_text(rendered):
    text = (rendered.index.parent / "quality.html").read_text()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "evil\\u202egnp.exe" in text
    assert "{{ 7 * 7 }}" in text
    assert "\u202e" not in text


def test_script_blocks_are_json(pages):
    for page in pages.values():
        for text in filter(None, (script.strip() for script in page.scripts)):
            json.loads(text)


def test_script_json_cannot_leave_its_block():
    text = str(script_json({"a": "</script><!--\u2028&"}))
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == {"a": "</script><!--\u2028&"}


def test_no_page_asks_another_host(rendered):
    for path in (*rendered.pages, *(asset for asset in rendered.assets if asset.suffix in {".css"})):
        text = path.read_text()
        assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//(?!example\.org|evil\.example)""", text)
        assert "url(http" not in text
        assert "@import" not in text


def test_every_page_has_its_landmarks(pages):
    for page in pages.values():
        for tag in ("header", "main", "nav", "footer", "h1"):
            assert page.all(tag), tag
        assert len(page.all("h1")) == 1
        assert page.all("html")[0]["lang"] == "en"
        assert any("Content-Security-Policy" in attrs.values() for attrs in page.all("meta"))


def test_ids_are_unique_and_every_local_link_arrives(pages):
    ids = {name: [a["id"] for _, a in page.elements if "id" in a] for name, page in pages.items()}
    for name, page in pages.items():
        assert len(set(ids[name])) == len(ids[name])
        for link in page.all("a"):
            target, _, anchor = link.get("href", "https://").partition("#")
            if not target.startswith("https://"):
                assert (target or name) in pages
                assert not anchor or anchor in ids[target or name]


def test_tables_have_captions_and_scopes(pages):
    page = pages["drift.html"]
    assert len(page.all("caption")) == len(page.all("table"))
    assert all(head.get("scope") in {"col", "row"} for head in page.all("th"))


def test_rows_of_a_tree_are_set_in_and_stay_in_order(sample, tmp_path):
    body = TableBody((Column("a", "A"),), (("Equity",), ("Energy",), ("Oil",)), depths=(0, 1, 2))
    book = sample.book()
    chapter = replace(book.chapters[0], blocks=(ExhibitBlock(Exhibit("tree", "Tree", body), 1),))
    rendered = render_html(replace(book, chapters=(chapter,)), tmp_path)
    text = (rendered.index.parent / "memo.html").read_text()
    assert re.search(r'<th scope="row" class="[^"]* inset-2"[^>]*>Oil', text)
    assert "data-sortable" not in text


def test_charts_have_words(pages):
    charts = [attrs for attrs in pages["drift.html"].all("div") if attrs.get("role") == "img"]
    assert len(charts) == 8
    assert all(chart["aria-label"].strip() for chart in charts)


def test_exhibits_are_numbered_by_kind(rendered):
    text = (rendered.index.parent / "drift.html").read_text()
    numbers = re.findall(r'caption-number">(\w+ \d+)\.', text)
    assert [n for n in numbers if n.startswith("Figure")] == [f"Figure {n}" for n in range(1, 9)]
    assert [n for n in numbers if n.startswith("Table")] == ["Table 1", "Table 2"]


def test_facts_carry_value_and_source(pages):
    facts = [a for a in pages["index.html"].all("data") if a["class"] == "fact"]
    assert {"37", "412350.0"} <= {fact["value"] for fact in facts}
    assert all("drift.measure" in fact["title"] for fact in facts)


def test_a_failed_chapter_is_shown_as_failed(rendered):
    index = rendered.index.read_text()
    assert "1 of 3 chapters failed; this book is incomplete" in index
    assert "cell 6" in index


def test_rendering_twice_gives_the_same_bytes(sample, rendered, tmp_path):
    again = render_html(sample.book(), tmp_path / "again")
    for first, second in zip((*rendered.pages, *rendered.assets), (*again.pages, *again.assets), strict=True):
        assert first.name == second.name
        assert first.read_bytes() == second.read_bytes()


def test_a_link_to_a_missing_place_becomes_text(sample, tmp_path):
    book = sample.book(with_hostile=False)
    alone = type(book)(book.title, book.firm_name, book.as_of, book.chapters[:1])
    text = render_html(alone, tmp_path).index.read_text()
    assert "the sector table" in text
    assert "drift.html" not in text

import importlib.util
import io
import os
import shutil
import sys

import pytest

from workbench.errors import MissingToolError
from workbench.report import Book, Chapter, Column, Exhibit, TableBody, pdf, render_pdf
from workbench.report.blocks import ExhibitBlock, MarkdownBlock

CHROME = os.environ.get("BROWSER_PATH") or shutil.which("chromium") or shutil.which("google-chrome")
needs_tools = pytest.mark.skipif(
    CHROME is None or importlib.util.find_spec("weasyprint") is None,
    reason="the PDF needs WeasyPrint and a Chrome or Chromium",
)


@pytest.fixture(scope="module")
def rendered(sample, tmp_path_factory):
    return render_pdf(sample.book(), tmp_path_factory.mktemp("pdf") / "book.pdf")


@needs_tools
@pytest.mark.slow
def test_two_renders_are_the_same_bytes(sample, rendered, tmp_path):
    assert render_pdf(sample.book(), tmp_path / "again.pdf").read_bytes() == rendered.read_bytes()


@needs_tools
@pytest.mark.slow
def test_the_document_is_tagged_titled_and_paged(rendered):
    from pypdf import PdfReader

    reader = PdfReader(io.BytesIO(rendered.read_bytes()))
    catalog = reader.trailer["/Root"]
    assert catalog["/MarkInfo"]["/Marked"]
    assert catalog["/Lang"] == "en"
    assert reader.metadata.title == "The quarterly book, 28 December 2022"
    texts = [page.extract_text() for page in reader.pages]
    for number, text in enumerate(texts, start=1):
        assert f"Page {number} of {len(texts)}" in text
    assert any("Contents" in text for text in texts[:2])
    assert any("<script>alert(1)</script>" in text for text in texts)


@needs_tools
@pytest.mark.slow
def test_wide_tables_lie_flat_within_the_page_and_repeat_their_head(rendered):
    from pypdf import PdfReader

    reader = PdfReader(io.BytesIO(rendered.read_bytes()))
    flat = [page for page in reader.pages if page.mediabox.width > page.mediabox.height]
    assert len(flat) >= 2
    for page in flat:
        assert "Last rebalanced" in page.extract_text()
        places = []
        page.extract_text(visitor_text=lambda text, cm, tm, *_, p=places: p.append((text, cm[4] + cm[0] * tm[4])))
        assert max(x for text, x in places if text.strip()) < float(page.mediabox.width) - 40


@needs_tools
@pytest.mark.slow
def test_the_cover_points_to_what_the_chapters_hold_once(rendered):
    from pypdf import PdfReader

    texts = [page.extract_text() for page in PdfReader(io.BytesIO(rendered.read_bytes())).pages]
    assert all(words in texts[0] for words in ("Needs a decision", "Accounts out of band", "Contents"))
    assert sum("Never hold: tobacco" in text for text in texts) == 1
    assert sum("What could be wrong. Half of the cost" in text.replace("\n", " ") for text in texts) == 1


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("weasyprint") is None, reason="needs WeasyPrint")
@pytest.mark.parametrize("lines_before", [20, 24, 26, 28, 30])
def test_a_table_begins_with_caption_head_and_rows_on_one_page(lines_before, tmp_path):
    from pypdf import PdfReader

    columns = tuple(
        Column(name, name, kind)
        for name, kind in (("Account", "text"), ("Model", "text"), ("Value", "usd"), ("Score", "count"),
                           ("Breaches", "count"), ("Tracking error", "percent"), ("Reason", "text"))
    )  # fmt: skip
    reason = "Fixed income 30.8 pp under target, 28.6 pp from deposits, withdrawals and fees, and what was left."
    rows = tuple((f"A{n:05d}", "BAL", 104_189.0 * n, 90, 26, 0.126, reason) for n in range(25))
    table = Exhibit("review", "Accounts for review", TableBody(columns, rows), "These come first.")
    before = MarkdownBlock("\n\n".join(["A line of words."] * lines_before), 1)
    book = Book("Book", "Firm", "2022-12-28", (Chapter("review", "Review", (before, ExhibitBlock(table, 2))),))
    pages = PdfReader(render_pdf(book, tmp_path / "book.pdf")).pages
    texts = [page.extract_text() for page in pages]
    start = next(text for text in texts if "Table 1." in text)
    assert all(f"A0000{n}" in start for n in range(3))
    split = [text for text in texts if "A000" in text]
    assert all("Account Model" in text.replace("\n", " ") for text in split)
    assert split[-1].count("A000") >= 2


@needs_tools
@pytest.mark.slow
def test_a_heading_goes_to_the_flat_page_of_its_table(tmp_path):
    from pypdf import PdfReader

    columns = tuple(Column(f"column_{n}", f"A heading of column {n}") for n in range(9))
    table = Exhibit("wide", "Wide", TableBody(columns, (tuple("words that take some room" for _ in columns),)))
    blocks = (MarkdownBlock("Words.", 1), MarkdownBlock("## The wide one", 2), ExhibitBlock(table, 3))
    book = Book("Book", "Firm", "2022-12-28", (Chapter("wide", "Wide", blocks),))
    pages = PdfReader(render_pdf(book, tmp_path / "book.pdf")).pages
    (flat,) = [page for page in pages if page.mediabox.width > page.mediabox.height]
    assert "The wide one" in flat.extract_text()
    assert "Table 1." in flat.extract_text()


def test_without_weasyprint_the_command_is_named(sample, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(MissingToolError, match="pip install weasyprint"):
        render_pdf(sample.book(), tmp_path / "book.pdf")


def test_without_pango_the_command_is_named(monkeypatch):
    def broken(name, *args, **options):
        if name == "weasyprint":
            raise OSError("cannot load library 'libpango-1.0-0'")
        return original(name, *args, **options)

    original = __import__
    monkeypatch.delitem(sys.modules, "weasyprint", raising=False)
    monkeypatch.setattr("builtins.__import__", broken)
    with pytest.raises(MissingToolError, match=r"apt-get install libpango.*brew install pango"):
        pdf._weasyprint()


@pytest.mark.skipif(importlib.util.find_spec("kaleido") is None, reason="needs kaleido")
def test_without_a_browser_the_command_is_named(sample, monkeypatch):
    from choreographer.errors import ChromeNotFoundError

    def nowhere(*args, **options):
        raise ChromeNotFoundError("none")

    monkeypatch.setattr("kaleido.Kaleido.__init__", nowhere)
    body = sample.book().chapters[1].exhibits[2].body
    with pytest.raises(MissingToolError, match=r"apt-get install chromium.*brew install"):
        pdf.draw_svgs([body])


@pytest.mark.skipif(importlib.util.find_spec("weasyprint") is None, reason="needs WeasyPrint")
def test_a_book_without_charts_needs_no_browser(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "kaleido", None)
    book = Book("Empty", "Firm", "2022-12-28", ())
    assert render_pdf(book, tmp_path / "book.pdf", paper="a4").read_bytes().startswith(b"%PDF")

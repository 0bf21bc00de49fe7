"""The one-page brief: always one page, escaped, the same bytes, cut with a word; the chart and the batch."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from html import unescape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from workbench.report.brief import (
    BriefRow,
    BriefTable,
    BriefView,
    Deviation,
    Figure,
    Item,
    RankedBrief,
    Section,
    chart,
    fitted,
    render_html,
    render_pdf,
    write_briefs,
)
from workbench.report.exhibit import ExhibitError

COLUMNS = (
    ("Side", False), ("Security", False), ("Shares", True), ("Dollars", True),
    ("Short-term", True), ("Long-term", True), ("Tax", True), ("Why", False),
)  # fmt: skip
HOSTILE = '<script>alert(1)</script> =cmd() \u202e {{ 7*7 }} & "quoted" \ufffe'


def view(key="H1", rows=3, items=3, text="A reason of ordinary length, that is soon told.", **changes) -> BriefView:
    item = Item("Lead:", text, text)
    made = BriefView(
        key=key,
        title="The Smith household",
        state="Proposal, not released",
        as_of="2022-12-28",
        subtitle="Full rebalance · H1 · Ann Adviser, Boston",
        about="$500,000 in 2 accounts.",
        figures=tuple(Figure(f"Figure {n}", "$1,234", "a note") for n in range(6)),
        chart_title="Drift by asset class",
        deviations=tuple(Deviation(f"Class {n}", 0.1 + n / 100, 0.11, 0.1, 0.08, 0.12) for n in range(items)),
        chart_note="Ring: now. Disc: after.",
        beside=Section("Tax", (item,) * items, "Nothing."),
        table_title="Recommendation",
        table=BriefTable(
            COLUMNS,
            tuple(row(n, text) for n in range(rows)),
            {"IRA ··0001": "all it does", "Roth ··0002": text},
            "trade",
            "No trade.",
        ),
        below=(Section("On file", (item,) * items, "Nothing on file."), Section("Not done", (item,) * items, "None.")),
        source="Tables: lots; book of record 0123; proposal 4567.",
        line=RankedBrief(1, ("$500,000",)),
    )
    return replace(made, **changes)


def row(n: int, text: str, group: str = "IRA ··0001") -> BriefRow:
    return BriefRow(group, ("Sell", f"S{n}", "15", "$2,858", "–", "−$592", "−$141", text), n, f"sell 15 S{n} $2,858")


def pages(pdf: bytes) -> int:
    return len(PdfReader(io.BytesIO(pdf)).pages)


def words(pdf: bytes) -> str:
    return " ".join(PdfReader(io.BytesIO(pdf)).pages[0].extract_text().split())


@pytest.mark.parametrize("count", [0, 1, 12, 60])
def test_one_page_whatever_the_lists(count):
    assert pages(render_pdf(view(rows=count, items=count, text="word " * 30))) == 1


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    text=st.text(st.characters(codec="utf-8"), max_size=220),
    rows=st.integers(0, 40),
    items=st.integers(0, 15),
)
def test_one_page_whatever_the_text(text, rows, items):
    made = view(rows=rows, items=items, text=text)
    assert pages(render_pdf(made)) == 1
    assert render_html(made)


def test_a_text_that_no_page_holds_is_an_error():
    with pytest.raises(ExhibitError, match="does not fit one page"):
        render_pdf(view(rows=1, text="word " * 3000))


def test_what_is_cut_is_counted_on_page_and_paper():
    made = view(rows=90)
    table = fitted(made).table
    assert 4 <= len(table.visible) < 90
    assert len(table.visible) + table.told + table.cut == 90
    sentence = f"and {table.cut} more trades, in the package"
    assert sentence in render_html(made)
    assert sentence in words(render_pdf(made))
    assert "more trades" not in render_html(view(rows=2))


def test_rows_without_room_are_told_in_few_words_group_by_group():
    rows = [*(row(n, "word " * 30) for n in range(0, 60, 2)), *(row(n, "", "Roth ··0002") for n in range(1, 60, 2))]
    made = fitted(view(table=replace(view().table, rows=tuple(rows))))
    shown = len(made.table.visible)
    assert {one.place for one in made.table.visible} == set(range(shown))
    assert made.table.also.startswith("IRA ··0001 sell 15 S")
    assert made.table.also.count("Roth ··0002 ") == 1
    assert f"Also, smaller: {made.table.also}." in render_html(made)


def test_empty_cells_side_by_side_are_one():
    one = BriefRow("IRA", ("Buy", "S", "1", "$1", "", "", "", "why"), 0, "buy 1 S")
    assert one.spans[3:] == (("$1", 3, 1), ("", 4, 3), ("why", 7, 1))
    assert sum(wide for _, _, wide in one.spans) == len(COLUMNS)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ((BriefRow("IRA ··0001", ("a",), 0, "a"),), "does not have 8 cells"),
        ((row(1, ""),), "each once"),
        ((row(0, "", "Unknown"),), "has no note"),
        ((row(0, ""), row(1, "", "Roth ··0002"), row(2, "")), "stands in two parts"),
    ],
)
def test_a_table_that_cannot_be_set_is_refused(rows, message):
    with pytest.raises(ExhibitError, match=message):
        replace(view().table, rows=rows)


@given(room=st.floats(0, 2000), rows=st.integers(0, 30), items=st.integers(0, 12))
@settings(max_examples=60, deadline=None)
def test_more_room_never_shows_less(room, rows, items):
    def shown(cut):
        lists = (cut.charted, cut.table.visible, cut.beside.visible, *(one.visible for one in cut.below))
        return sum(map(len, lists))

    made = view(rows=rows, items=items)
    assert shown(fitted(made, room)) <= shown(fitted(made, room + 50))
    assert fitted(made, room) == fitted(made, room)
    assert fitted(fitted(made, room), room) == fitted(made, room)


def test_a_text_is_never_markup_and_never_turns_the_line():
    made = view(title=HOSTILE, about=HOSTILE, text=HOSTILE, source=HOSTILE, subtitle=HOSTILE)
    html = render_html(made)
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "\u202e" not in html
    assert "{{ 7*7 }}" in html
    assert pages(render_pdf(made)) == 1


def test_nothing_is_fetched_but_typefaces_beside_the_page():
    html = render_html(view(), fonts='@font-face{src:url("assets/a.otf")}')
    assert "default-src 'none'" in unescape(html)
    assert re.findall(r"url\(([^)]+)\)", html) == ['"assets/a.otf"']
    assert not re.findall(r"(?:src|href)=\"(?!data:)", html)


def test_the_same_brief_gives_the_same_bytes():
    assert render_pdf(view()) == render_pdf(view())
    assert render_html(view()) == render_html(view())
    assert render_pdf(view()) != render_pdf(view(title="Another"))


def test_the_pdf_is_tagged_titled_and_letter():
    reader = PdfReader(io.BytesIO(render_pdf(view())))
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert reader.trailer["/Root"]["/Lang"] == "en"
    assert reader.metadata.title == "The Smith household, proposal, not released"
    assert [float(size) for size in reader.pages[0].mediabox[2:]] == [612.0, 792.0]


def test_tables_have_headings_and_the_drawing_is_told_in_figures():
    html = render_html(view())
    assert html.count('scope="col"') == 5 + len(COLUMNS)
    assert html.count('scope="rowgroup"') == 1
    assert html.count("<svg") == html.count('aria-hidden="true"') == 3
    assert "12.0%" in html


def test_a_weight_outside_its_band_says_so_in_a_word():
    made = view(
        deviations=(Deviation("Bonds", 0.05, 0.1, 0.1, 0.08, 0.12), Deviation("Stocks", 0.13, 0.1, 0.1, 0, 0.12))
    )
    html = render_html(made)
    assert html.count(">under<") == html.count(">over<") == 1


@given(st.lists(st.tuples(*[st.floats(0, 1)] * 3), min_size=1, max_size=5))
def test_the_drawing_stays_inside_its_frame(weights):
    rows = [
        Deviation("x", before, after, target, max(target - 0.02, 0), target + 0.02) for before, after, target in weights
    ]
    edge = chart.reach(rows)
    for row in rows:
        places = [float(x) for x in re.findall(r' (?:cx|x1|x2)="([^"]+)"', str(chart.draw(row, edge)))]
        assert all(0 <= place <= chart.WIDTH for place in places)


def test_a_figure_that_is_not_finite_is_refused():
    with pytest.raises(ExhibitError, match="not all finite"):
        Deviation("Bonds", float("nan"), 0.1, 0.1)


@pytest.mark.parametrize("key", ["../x", "", "a/b", "index", "é"])
def test_a_key_that_cannot_name_a_file_is_refused(key):
    with pytest.raises(ExhibitError, match="cannot name a file"):
        view(key)


def test_a_batch_is_ordered_by_rank_and_its_links_lead_somewhere(tmp_path):
    ranks = {"A": None, "B": 2, "C": 1}
    briefs = [view(key, line=RankedBrief(rank, ("$1",))) for key, rank in ranks.items()]
    written = write_briefs(tmp_path, briefs, columns=[("Assets", True)])
    assert [page.stem for page in written.pages] == ["C", "B", "A"]
    index = written.index.read_text()
    links = re.findall(r'href="([^"]+\.(?:html|pdf))"', index)
    assert links == ["C.html", "C.pdf", "B.html", "B.pdf", "A.html", "A.pdf"]
    assert all((tmp_path / link).is_file() for link in links)
    fonts = re.findall(r'url\("([^"]+)"\)', written.pages[0].read_text())
    assert fonts
    assert all((tmp_path / font).is_file() for font in fonts)


def test_two_workers_write_the_same_bytes_as_one(tmp_path):
    briefs = [view(f"H{n}", rows=n % 4) for n in range(10)]
    for workers in (1, 2):
        write_briefs(tmp_path / str(workers), briefs, columns=[("Assets", True)], workers=workers)
    names = sorted(path.name for path in (tmp_path / "1").glob("*.*"))
    assert len(names) == 21
    assert all((tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes() for name in names)


def test_two_briefs_of_one_name_are_refused(tmp_path):
    with pytest.raises(ExhibitError, match="one file: h1"):
        write_briefs(tmp_path, [view("H1"), view("h1")])

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.report import (
    Badge,
    CalloutBody,
    Column,
    Exhibit,
    ExhibitError,
    Fact,
    FigureBody,
    Kpi,
    KpiBody,
    Link,
    Missing,
    ProseBody,
    Settings,
    TableBody,
    figures,
)
from workbench.report.exhibit import MIME

FACT = Fact.of("drift.firm.score", 0.031, "pp", source="drift.measure", as_of="2022-12-28")


def test_every_kind_survives_json(sample):
    for chapter in sample.book().chapters:
        for exhibit in chapter.exhibits:
            assert Exhibit.from_json(json.loads(json.dumps(exhibit.to_json(), allow_nan=False))) == exhibit


cells = st.one_of(
    st.text(), st.none(), st.integers(-(10**9), 10**9), st.floats(allow_nan=False, allow_infinity=False),
    st.builds(Missing, st.text()), st.builds(Badge, st.text(), st.sampled_from(["good", "bad"])),
)  # fmt: skip


@given(st.lists(st.tuples(cells, cells), max_size=8), st.text(), st.text())
def test_any_table_survives_json(rows, title, note):
    body = TableBody((Column("a", note), Column("b", title, "number")), tuple(rows), note=note)
    exhibit = Exhibit("t", title, body, takeaway=note)
    assert Exhibit.from_json(json.loads(json.dumps(exhibit.to_json(), allow_nan=False))) == exhibit


def test_rows_set_in_survive_json_and_are_shown_so():
    columns = (Column("group", "Group"), Column("value", "Value", "number"))
    body = TableBody(columns, (("Equity", 3.0), ("Energy", 1.0), ("Health", 2.0)), depths=(0, 1, 1))
    exhibit = Exhibit("t", "Tree", body)
    assert Exhibit.from_json(json.loads(json.dumps(exhibit.to_json()))) == exhibit
    assert 'padding-left: 2em">Energy' in exhibit._repr_mimebundle_()["text/html"]
    older = exhibit.to_json()
    del older["body"]["depths"]
    assert Exhibit.from_json(older).body.depths == ()


@pytest.mark.parametrize("depths", [(0,), (0, 9, 0), (0, -1, 0)])
def test_depths_are_one_a_row_and_few(depths):
    with pytest.raises(ExhibitError, match="depths are one a row"):
        TableBody((Column("a", "A"),), ((1,), (2,), (3,)), depths=depths)


def test_pandas_and_numpy_values_become_plain():
    body = TableBody(
        tuple(Column(name, name) for name in "abcdef"),
        ((np.float64(0.5), np.int64(3), pd.Timestamp("2022-12-28"), pd.NaT, pd.NA, float("nan")),),
    )
    assert body.rows == ((0.5, 3, "2022-12-28", None, None, None),)


@pytest.mark.parametrize("value", [float("inf"), [1], {"a": 1}, object()])
def test_what_cannot_be_shown_is_refused(value):
    with pytest.raises(ExhibitError, match="cannot be shown"):
        TableBody((Column("a", "A"),), ((value,),))


@pytest.mark.parametrize(
    "href",
    ["javascript:alert(1)", "https://evil.example", "//evil.example", "/etc/passwd", "../x.html", "", "a.html#x y",
     "data:text/html,x", "file:///x", "JAVASCRIPT:x", "a.html?x"],
)  # fmt: skip
def test_links_stay_within_the_book(href):
    with pytest.raises(ExhibitError, match="leaves the book"):
        Link("here", href)


@pytest.mark.parametrize("href", ["#drift.table", "drift.html", "drift.html#cell-3"])
def test_links_within_the_book_pass(href):
    assert Link("here", href).href == href


def test_a_mention_needs_its_fact():
    with pytest.raises(ExhibitError, match=r"drift\.firm\.score"):
        Exhibit("k", "K", KpiBody((Kpi("Score", FACT.ref()),)))


def test_a_fact_needs_a_value():
    with pytest.raises(ExhibitError, match="no value"):
        Fact.of("a", float("nan"), "pp", source="s", as_of="2022-12-28")


def test_rows_fit_their_columns():
    with pytest.raises(ExhibitError, match="row 1 has 1 cells for 2 columns"):
        TableBody((Column("a", "A"), Column("b", "B")), ((1, 2), (3,)))


@pytest.mark.parametrize(
    "figure",
    [
        {"data": [{"type": "scattergeo"}], "layout": {}},
        {"data": [], "layout": {"images": [{"source": "https://evil.example/x.png"}]}},
        {"data": [{"type": "bar", "y": ["<a href='https://evil.example'>x</a>"]}], "layout": {}},
        {"data": [{"type": "bar", "text": ["<img src=x>"]}], "layout": {}},
        {"layout": {}},
    ],
)
def test_figures_that_fetch_or_carry_markup_are_refused(figure):
    with pytest.raises(ExhibitError):
        FigureBody(figure, "alt")


def test_a_figure_needs_words():
    with pytest.raises(ExhibitError, match="alt text"):
        figures.diverging_bars(["a"], [0.1], alt=" ")


def test_tampered_json_is_refused():
    good = Exhibit("k", "K", ProseBody((("Score ", FACT.ref()),)), facts=(FACT,)).to_json()
    for change in (
        {"version": 2}, {"kind": "html"}, {"title": ["x"]}, {"body": {}}, {"facts": [{"id": "x"}]}, {"id": "<b>"},
        {"body": {"paragraphs": [[{"html": "<b>"}]], "bullets": False}},
    ):  # fmt: skip
        with pytest.raises(ExhibitError):
            Exhibit.from_json(good | change)


def test_the_notebook_preview_escapes(sample):
    text = sample.HOSTILE[0]
    exhibit = Exhibit("a", text, TableBody((Column("a", text),), ((text,),)), text, Settings("2022-12-28", text, text))
    bundle = exhibit._repr_mimebundle_()
    assert "<script" not in bundle["text/html"]
    assert bundle[MIME]["title"] == text


def test_a_figure_is_interactive_in_the_notebook():
    exhibit = Exhibit("a", "A", figures.diverging_bars(["a"], [0.1], alt="One bar."))
    assert "application/vnd.plotly.v1+json" in exhibit._repr_mimebundle_()


def test_settings_line_names_what_is_simulated():
    line = Settings("2022-12-28", "net", "positions", "three price paths").line()
    assert line == "As of 28 December 2022. Basis: net. Source: positions. Simulated: three price paths."


def test_tones_and_kinds_are_known():
    with pytest.raises(ExhibitError, match="tone"):
        CalloutBody("red", ())
    with pytest.raises(ExhibitError, match="column kind"):
        Column("a", "A", "money")

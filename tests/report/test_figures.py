import math

import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.report import ExhibitError, FigureBody, figures, theme


def charts(sample):
    return [e.body for c in sample.book().chapters for e in c.exhibits if isinstance(e.body, FigureBody)]


def strings(node):
    if isinstance(node, dict):
        for value in node.values():
            yield from strings(value)
    elif isinstance(node, list | tuple):
        for value in node:
            yield from strings(value)
    elif isinstance(node, str):
        yield node


def test_every_chart_is_a_valid_plotly_figure(sample):
    for body in charts(sample):
        go.Figure(body.figure)


def test_every_colour_has_a_dark_one(sample):
    known = set(theme.dark_by_light()) | {"rgba(0,0,0,0)"}
    for body in charts(sample):
        used = {text for text in strings(body.figure) if text.startswith(("#", "rgb"))}
        assert used <= known


def test_bars_carry_the_numbers_in_axis_units():
    body = figures.bars_against_target(["a", "b"], [0.2, None], [0.3, 0.1], alt="Two bars.")
    actual, target = (next(t for t in body.figure["data"] if t["name"] == name) for name in ("Actual", "Target"))
    assert actual["x"] == [20.0, None]
    assert target["x"] == [30.0, 10.0]


def words(body):
    return [trace["text"] for trace in body.figure["data"] if trace.get("mode") == "text"]


def test_bars_outside_the_band_say_so():
    body = figures.bars_against_target(
        ["a", "b", "c"], [0.2, 0.5, 0.3], [0.3] * 3, lower=[0.25] * 3, upper=[0.35] * 3, alt="Three bars."
    )
    assert words(body)[0][:3] == ["<b>under 20.0%</b>", "<b>over 50.0%</b>", "30.0%"]


def test_actual_and_target_stand_in_columns_clear_of_the_bars():
    body = figures.bars_against_target(["a", "b"], [0.2, None], [0.21, 0.1], alt="Two bars.")
    column = next(trace for trace in body.figure["data"] if trace.get("xaxis") == "x2")
    assert column["text"] == ["20.0%", "", "21.0%", "10.0%"]
    assert column["y"] == ["a", "b", "a", "b"]
    layout = body.figure["layout"]
    assert layout["xaxis"]["domain"][1] == layout["xaxis2"]["domain"][0] < 1
    assert [note["text"] for note in layout["annotations"]] == ["Actual", "Target"]


def test_a_cause_keeps_its_colour_when_another_has_nothing_to_show():
    causes = {"Market": [0.0, 0.0], "Flows": [0.1, -0.2], "Trades": [0.05, 0.0]}
    body = figures.stacked_causes(["a", "b"], causes, alt="Two accounts.", totals=[0.15, -0.2])
    bars = {trace["name"]: trace["marker"]["color"] for trace in body.figure["data"] if trace["type"] == "bar"}
    assert bars == {"Flows": theme.CATEGORIES[1].light, "Trades": theme.CATEGORIES[2].light}
    assert words(body) == [["+15.0\u00a0pp", "−20.0\u00a0pp"]]


def test_a_waterfall_ends_at_the_sum():
    body = figures.waterfall(["a", "b"], [0.3, -0.1], alt="Two steps.")
    assert body.figure["data"][0]["x"] == pytest.approx([30.0, -10.0, 20.0])
    assert body.figure["data"][0]["base"] == pytest.approx([0.0, 30.0, 0.0])


def test_a_histogram_counts_every_value_once():
    values = [math.sin(step) for step in range(500)] + [None, math.nan]
    body = figures.histogram(values, alt="Counts.", unit="number", bins=13)
    assert sum(body.figure["data"][0]["y"]) == 500


@given(st.lists(st.floats(-5, 5), min_size=1), st.floats(-4, 4))
def test_a_limit_is_the_edge_of_a_bin(values, limit):
    trace = figures.histogram(values, alt="Counts.", unit="number", limit=limit).figure["data"][0]
    orange = [count for count, colour in zip(trace["y"], trace["marker"]["color"]) if colour == theme.OVER.light]
    assert sum(trace["y"]) == len(values)
    if min(values) + 1e-3 < limit < max(values) - 1e-3 and all(abs(value - limit) > 1e-6 for value in values):
        assert sum(orange) == sum(value > limit for value in values)


@pytest.mark.parametrize("values", [[0.05], [0.05, 0.05], [-1.0, -1.0], [0.0]])
def test_a_histogram_of_equal_values_has_one_bin_filled(values):
    assert max(figures.histogram(values, alt="Counts.").figure["data"][0]["y"]) == len(values)


def test_names_are_escaped_and_wrapped():
    assert figures.label("<a href=x>A & B</a>") == "&lt;a href=x&gt;A &amp; B&lt;/a&gt;"
    assert figures.label("one two three four", 8) == "one two<br>three<br>four"


def test_lengths_and_units_are_checked():
    with pytest.raises(ExhibitError, match="lengths differ"):
        figures.diverging_bars(["a"], [0.1, 0.2], alt="x")
    with pytest.raises(ExhibitError, match="unit 'dollars'"):
        figures.diverging_bars(["a"], [0.1], alt="x", unit="dollars")
    with pytest.raises(ExhibitError, match="at least one value"):
        figures.histogram([None], alt="x")


def test_intervals_carry_each_series_and_its_reach():
    series = {
        "In all": figures.Interval([-0.0005, None], [-0.0009, None], [-0.0001, None]),
        "Before fees": figures.Interval([0.0001, 0.0002], [-0.0003, -0.0001], [0.0005, 0.0005]),
    }
    body = figures.intervals(["CUS1", "CUS2"], series, alt="Two custodians.")
    go.Figure(body.figure)
    first, second, column = body.figure["data"]
    assert first["x"] == [-5.0, None]
    assert first["error_x"]["array"] == [pytest.approx(4.0), None]
    assert second["error_x"]["arrayminus"] == [pytest.approx(4.0), pytest.approx(3.0)]
    assert first["marker"]["symbol"] != second["marker"]["symbol"]
    assert column["text"] == ["−5\u00a0bp", "", "1\u00a0bp", "2\u00a0bp"]
    low, high = body.figure["layout"]["xaxis"]["range"]
    assert low < -9.0 < 5.0 < high


def test_intervals_want_series_that_can_be_told_apart():
    one = figures.Interval([0.1], [0.0], [0.2])
    with pytest.raises(ExhibitError):
        figures.intervals(["a"], {str(n): one for n in range(4)}, alt="x")
    with pytest.raises(ExhibitError):
        figures.intervals(["a", "b"], {"a": one}, alt="x")


def test_shares_are_bars_from_zero():
    body = figures.shares(["Month", "Error"], [0.25, 0.75], alt="Two shares.")
    go.Figure(body.figure)
    assert body.figure["data"][0]["x"] == [25.0, 75.0]
    assert body.figure["layout"]["xaxis"]["range"][0] == 0


def test_a_strip_has_a_mark_for_each_value_and_names_those_far_off():
    groups = {"Growth": [0.01, None, -0.03, 0.01, 0.01], "<b>Income</b>": [0.0]}
    body = figures.strip(
        groups, alt="Two rows.", labels={"Growth": ["A", "B", "C", "D", "E"], "<b>Income</b>": ["F"]}, named=["C"]
    )
    go.Figure(body.figure)
    marks, medians, rings = body.figure["data"]
    assert sorted(marks["x"]) == [0.0, 1.0, 1.0, 1.0]
    assert len(set(zip(marks["x"], marks["y"]))) == 4
    assert rings["x"] == [-3.0]
    assert "C" in rings["text"][0]
    assert medians["x"] == [1.0, 0.0]
    assert "<b>" not in str(body.figure["layout"]["yaxis"]["ticktext"])


@given(st.lists(st.one_of(st.none(), st.floats(-0.5, 0.5)), min_size=1, max_size=60))
def test_marks_of_a_strip_stay_on_their_row(values):
    if all(value is None for value in values):
        with pytest.raises(ExhibitError):
            figures.strip({"a": values}, alt="x")
        return
    marks = figures.strip({"a": values}, alt="x").figure["data"][0]
    assert len(marks["x"]) == sum(value is not None for value in values)
    assert all(abs(y) < 0.5 for y in marks["y"])


def test_a_bridge_leads_from_start_to_end():
    body = figures.bridge(["a", "<i>b</i>"], 0.10, [0.01, -0.03], alt="From 10 to 8.", ends=("Benchmark", "Account"))
    go.Figure(body.figure)
    path, down, up, ends, column = body.figure["data"]
    assert (up["base"], up["x"], up["y"], up["name"]) == ([10.0], [1.0], ["a"], "raises")
    assert (down["base"], down["x"], down["name"]) == ([pytest.approx(11.0)], [-3.0], "lowers")
    assert body.figure["layout"]["showlegend"]
    assert ends["x"] == pytest.approx([10.0, 8.0])
    assert path["x"][:3] == [pytest.approx(10.0), pytest.approx(10.0), None]
    assert None not in path["y"]  # the page's script wraps every name on a phone
    assert column["text"] == ["<b>10.0%</b>", "100\u00a0bp", "−300\u00a0bp", "<b>8.0%</b>"]
    low, high = body.figure["layout"]["xaxis"]["range"]
    assert 0 < low < 8.0 < 11.0 < high
    assert "<i>" not in str(body.figure)
    one_way = figures.bridge(["a"], 0.10, [0.01], alt="Up.").figure["data"]
    assert [trace["name"] for trace in one_way if trace["type"] == "bar"] == ["raises"]

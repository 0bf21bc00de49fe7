"""Frontiers, heat maps and fans: what they carry, labels that never meet, and input that cannot be drawn."""

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.report import ExhibitError, figures, theme
from workbench.report.figures import frontiers

SPOTS = st.lists(st.tuples(st.floats(0, 0.003), st.floats(0, 0.05)), min_size=1, max_size=30)


def coloured(node):
    if isinstance(node, dict | list | tuple):
        for value in node.values() if isinstance(node, dict) else node:
            yield from coloured(value)
    elif isinstance(node, str) and node.startswith(("#", "rgb")):
        yield node


def test_the_new_forms_are_plotly_figures_in_house_colours():
    known = set(theme.dark_by_light()) | {"rgba(0,0,0,0)"}
    for body in (
        figures.frontier([0.001, 0.002], [0.01, 0.005], ["A", "B"], alt="x", x_title="Cost", y_title="Risk"),
        figures.heat_map(["a"], ["b", "c"], [[0.1, None]], alt="x", marked=(0, 1)),
        figures.fan(["2020-01-01", "2020-01-02"], np.zeros((3, 2)), alt="x", named={"One": [0.0, 0.1]}),
    ):
        go.Figure(body.figure)
        assert set(coloured(body.figure)) <= known


@settings(max_examples=60, deadline=None)
@given(SPOTS, st.data())
def test_labels_of_a_frontier_never_cover_each_other_or_a_mark(spots, data):
    labels = [f"Policy {n} {'x' * data.draw(st.integers(0, 18))}" for n in range(len(spots))]
    points = {n: (1e4 * a, 1e2 * b) for n, (a, b) in enumerate(spots)}
    ranges = tuple(frontiers._range([point[axis] for point in points.values()]) for axis in (0, 1))
    named = labels[: data.draw(st.integers(0, 4))]
    placed = frontiers.placed_labels(points, labels, named, ranges)
    for screen, rows in ((frontiers._PAGE, placed), (frontiers._PHONE, [n for n in placed if labels[n] in named])):
        boxes = [frontiers._label_box(frontiers._pixels(points[n], ranges, screen), labels[n], placed[n]) for n in rows]
        assert not any(a.meets(b) for n, a in enumerate(boxes) for b in boxes[:n])
        marks = [frontiers._pixels(point, ranges, screen) for point in points.values()]
        assert not any(box.left < a < box.right and box.top < b < box.bottom for box in boxes for a, b in marks)
        assert all(frontiers._inside(box, screen) for box in boxes)


def test_the_line_joins_only_what_nothing_beats_on_both():
    body = figures.frontier(
        [0.001, 0.002, 0.003, None], [0.03, 0.01, 0.02, 0.0], list("ABCD"), alt="x", x_title="Cost", y_title="Risk"
    )
    edge = body.figure["data"][0]
    assert edge["x"] == pytest.approx([10.0, 20.0])
    assert edge["y"] == pytest.approx([3.0, 1.0])
    marks = next(trace for trace in body.figure["data"] if trace["mode"] == "markers")
    assert len(marks["x"]) == 3


def test_a_frontier_wants_a_choice_with_both_figures():
    with pytest.raises(ExhibitError, match="at least one choice"):
        figures.frontier([None], [0.1], ["A"], alt="x", x_title="Cost", y_title="Risk")


def test_a_logarithmic_frontier_has_plain_ticks_and_leaves_out_what_costs_nothing():
    body = figures.frontier(
        [0.0, 0.00001, 0.0004], [0.08, 0.003, 0.06], list("ABC"), alt="x", x_title="Cost", y_title="Risk", named=["B"],
        log=True,
    )  # fmt: skip
    layout = body.figure["layout"]
    assert layout["xaxis"]["type"] == layout["yaxis"]["type"] == "log"
    assert layout["xaxis"]["tickvals"] == pytest.approx([0.1, 0.2, 0.5, 1.0, 2.0, 5.0])
    marks = next(trace for trace in body.figure["data"] if trace["mode"] == "markers")
    assert marks["x"] == pytest.approx([0.1, 4.0])
    assert layout["xaxis"]["range"][0] < -1.0 < np.log10(4.0) < layout["xaxis"]["range"][1]


def test_a_heat_map_writes_each_figure_in_its_cell_and_rings_the_marked_one():
    body = figures.heat_map(["1%", "2%"], ["low", "high"], [[0.001, None], [0.0, 0.002]], alt="x", marked=(1, 0))
    trace = body.figure["data"][0]
    assert trace["text"] == [["10\u00a0bp", ""], ["0\u00a0bp", "20\u00a0bp"]]
    assert trace["z"][0][1] is None
    ring = body.figure["layout"]["shapes"][0]
    assert (ring["x0"], ring["y0"]) == (-0.5, 0.5)


@pytest.mark.parametrize(
    ("rows", "columns", "values"),
    [([], ["a"], []), (["a"], ["b"], [[0.1, 0.2]]), (["a", "a"], ["b"], [[0.1], [0.2]]), (["a"], [], [[]])],
)
def test_a_heat_map_wants_a_grid_with_names(rows, columns, values):
    with pytest.raises(ExhibitError):
        figures.heat_map(rows, columns, values, alt="x")


def test_a_fan_spans_every_path():
    paths = np.array([[0.0, 0.1], [0.0, -0.2], [0.0, 0.05]])
    low, high, *_ = figures.fan(["2020-01-01", "2020-01-02"], paths, alt="x").figure["data"]
    assert low["y"] == pytest.approx([0.0, -20.0])
    assert high["y"] == pytest.approx([0.0, 10.0])


@pytest.mark.parametrize("paths", [np.empty((0, 2)), np.array([[0.0, np.nan]]), np.zeros(2)])
def test_a_fan_wants_paths_without_holes(paths):
    with pytest.raises(ExhibitError):
        figures.fan(["2020-01-01", "2020-01-02"], paths, alt="x")


def test_names_from_data_are_escaped():
    hostile = "<script>alert(1)</script>"
    figures.frontier([0.1], [0.1], [hostile], alt="x", x_title=hostile, y_title="y", groups=[hostile])
    figures.heat_map([hostile], ["a"], [[0.1]], alt="x", row_title=hostile)
    figures.fan(["2020-01-01"], np.zeros((1, 1)), alt="x", named={hostile: [0.0]})

"""Small panels under each other: each with its own scale, limit and words."""

from itertools import pairwise

import plotly.graph_objects as go
import pytest

from workbench.report import ExhibitError, figures
from workbench.report.figures import Panel

DAYS = ["2022-10-31", "2022-11-30", "2022-12-28"]


def drawn(*series):
    return figures.panels(DAYS, series, alt="Two panels.")


def test_each_panel_has_its_own_scale_and_limit():
    body = drawn(Panel("Share", [0.1, None, 0.3], "percent", limit=0.2), Panel("Names", [5, 4, 3], limit=4))
    go.Figure(body.figure)
    first, second = body.figure["data"]
    assert (first["y"], second["y"]) == ([10.0, None, 30.0], [5.0, 4.0, 3.0])
    assert [(shape["yref"], shape["y0"]) for shape in body.figure["layout"]["shapes"]] == [("y", 20.0), ("y2", 4.0)]


def test_panels_do_not_overlap_and_fill_the_figure():
    layout = drawn(*(Panel(name, [1, 2, 3]) for name in "abcd")).figure["layout"]
    domains = [layout[name]["domain"] for name in ("yaxis", "yaxis2", "yaxis3", "yaxis4")]
    assert all(low < high for low, high in domains)
    assert all(above[0] > below[1] for above, below in pairwise(domains))
    assert domains[-1][0] == 0.0
    assert layout["xaxis"]["anchor"] == "y4"


def test_the_limit_and_every_value_are_in_sight():
    layout = drawn(
        Panel("Above", [0.1, None, 0.3], "percent", limit=0.5),
        Panel("Below", [-2, 1, None], limit=1),
        Panel("", [0, 0, 0]),
    ).figure["layout"]
    assert layout["yaxis"]["range"][0] == 0.0
    assert layout["yaxis"]["range"][1] > 50.0
    assert layout["yaxis2"]["range"][0] < -2.0
    assert layout["yaxis3"]["range"] == [0.0, 1.0]


def test_names_of_the_firm_are_escaped():
    layout = drawn(Panel("<b>H1</b>", [1, 2, 3], words="<script>")).figure["layout"]
    (words,) = [annotation["text"] for annotation in layout["annotations"]]
    assert words == "<b>&lt;b&gt;H1&lt;/b&gt;</b>  &lt;script&gt;"


@pytest.mark.parametrize("series", [[], [Panel("a", [1, 2, 3])] * 9, [Panel("a", [1, 2])]])
def test_what_cannot_be_drawn_is_refused(series):
    with pytest.raises(ExhibitError):
        drawn(*series)

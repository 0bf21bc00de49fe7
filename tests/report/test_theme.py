import pytest

from workbench.report import theme


@pytest.mark.parametrize("side", ["light", "dark"])
@pytest.mark.parametrize("name", ["INK", "MUTED", "LINK", "GOOD", "WARNING", "BAD"])
@pytest.mark.parametrize("paper", ["PAPER", "PANEL"])
def test_text_meets_wcag_aa(name, paper, side):
    ratio = theme.contrast(getattr(getattr(theme, name), side), getattr(getattr(theme, paper), side))
    assert ratio >= 4.5


@pytest.mark.parametrize("side", ["light", "dark"])
@pytest.mark.parametrize("name", ["CHART_INK", "CHART_MUTED", "LIMIT"])
def test_chart_text_meets_wcag_aa(name, side):
    assert theme.contrast(getattr(getattr(theme, name), side), getattr(theme.PAPER, side)) >= 4.5


@pytest.mark.parametrize("side", ["light", "dark"])
@pytest.mark.parametrize("name", ["ACTUAL", "OVER", "UNDER", "BAND", "LIMIT"])
def test_marks_stand_out_from_the_paper(name, side):
    assert theme.contrast(getattr(getattr(theme, name), side), getattr(theme.PAPER, side)) >= 3.0


def test_each_light_colour_has_one_purpose():
    lights = [colour.light for colour in theme.FIGURE_COLOURS]
    assert len(set(lights)) == len(lights)


def test_contrast_of_black_on_white_is_21():
    assert theme.contrast("#000000", "#ffffff") == pytest.approx(21.0)


def test_neighbouring_categories_differ_in_print():
    for (first, shape), (second, other) in zip(
        zip(theme.CATEGORIES, theme.PATTERNS), zip(theme.CATEGORIES[1:], theme.PATTERNS[1:]), strict=False
    ):
        assert shape != other or theme.contrast(first.light, second.light) > 1.5

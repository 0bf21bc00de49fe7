"""Bands: the tighter one rules, and a target of zero has no relative width."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.drift.bands import half_width

width = st.one_of(st.just(np.nan), st.floats(0.0, 1.0))


@pytest.mark.parametrize(
    ("absolute", "relative", "target", "expected"),
    [
        (0.05, 0.25, 0.4, 0.05), (0.05, 0.25, 0.1, 0.025), (0.05, np.nan, 0.1, 0.05), (np.nan, 0.25, 0.1, 0.025),
        (np.nan, np.nan, 0.1, np.inf), (0.05, 0.25, 0.0, 0.05), (np.nan, 0.25, 0.0, 0.0),
    ],
)  # fmt: skip
def test_half_width(absolute, relative, target, expected):
    got = half_width(np.array([absolute]), np.array([relative]), np.array([target]))
    assert got[0] == pytest.approx(expected)


@given(width, width, st.floats(0.001, 1.0))
def test_a_band_is_never_wider_than_either_of_its_two_widths(absolute, relative, target):
    got = half_width(np.array([absolute]), np.array([relative]), np.array([target]))[0]
    assert got >= 0
    assert np.isnan(absolute) or got <= absolute
    assert np.isnan(relative) or got <= relative * target

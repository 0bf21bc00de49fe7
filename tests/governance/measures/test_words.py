"""Figures of measures as they are written."""

from datetime import date

import pytest

from workbench.governance.measures import figure, read_measures

KNOWN = {measure.measure_id: measure for measure in read_measures(date(2023, 1, 16))}


@pytest.mark.parametrize(
    ("name", "value", "signed", "text"),
    [
        ("hours_of_preparation", 3.456, False, "3.46"),
        ("turnaround", -1.5, True, "\u22121.50"),
        ("errors_caught", 0.3219, False, "32.2%"),
        ("errors_caught", 0.137, True, "+13.7 pp"),
        ("aum_growth", 0.0124, False, "0.012"),
        ("clients_leaving", -0.004, True, "\u22120.004"),
    ],
)
def test_each_in_its_unit(name, value, signed, text):
    assert figure(KNOWN[name], value, signed=signed) == text

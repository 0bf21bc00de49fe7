"""What may be defined and recorded: nothing that could have been chosen after the outcome was seen."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from workbench.errors import DecisionError, ParameterError
from workbench.governance.measures import Reading, read_measures
from workbench.governance.measures.admission import admit_definition, admit_reading

START = date(2026, 1, 5)
HOURS, TURNAROUND, ERRORS, GROWTH, LEAVING = read_measures(START)
BEFORE, LATER = date(2025, 12, 20), date(2026, 5, 1)
BASELINE = Reading("hours_of_preparation", 1, "baseline", "2025-10-06", "2026-01-05", "3.4", "1.2", 40, "time sheets")
FIRST = replace(BASELINE, kind="reading", period_start="2026-01-05", period_end="2026-02-04", value="2.9")


def test_a_baseline_before_and_a_reading_after_are_let_in():
    assert admit_reading(BASELINE, [HOURS], [], START) == HOURS
    assert admit_reading(FIRST, [HOURS], [BASELINE], date(2026, 2, 4)) == HOURS


@pytest.mark.parametrize(
    ("reading", "known", "today"),
    [
        (BASELINE, [], date(2026, 1, 6)),  # made after the first day of use
        (BASELINE, [BASELINE], BEFORE),  # a second one
        (replace(BASELINE, period_start="2025-07-01"), [], BEFORE),  # of other days than were defined
        (replace(BASELINE, period_end="2026-01-20"), [], BEFORE),
        (FIRST, [], LATER),  # nothing to be compared with
        (FIRST, [BASELINE], date(2026, 2, 3)),  # not over
        (FIRST, [BASELINE, FIRST], LATER),  # read already
        (replace(FIRST, period_end="2026-02-10"), [BASELINE], LATER),  # a period of one's choice
        (replace(FIRST, version=2), [BASELINE], LATER),
        (replace(FIRST, measure_id="profit"), [BASELINE], LATER),
        (replace(FIRST, kind="guess"), [BASELINE], LATER),
    ],
)
def test_what_could_have_been_chosen_afterwards_is_refused(reading, known, today):
    with pytest.raises(DecisionError):
        admit_reading(reading, [HOURS], known, today)


@pytest.mark.parametrize(
    "changed",
    [
        {"value": "many"}, {"value": "NaN"}, {"value": "1e999"}, {"spread": None}, {"spread": "-1"},
        {"observations": 0}, {"observations": True}, {"source": " "}, {"source": "a\0b"}, {"period_start": "soon"},
        {"period_end": "2025-01-01"},
    ],
)  # fmt: skip
def test_a_figure_that_is_none_is_refused(changed):
    with pytest.raises(ParameterError):
        admit_reading(replace(BASELINE, **changed), [HOURS], [], BEFORE)


@pytest.mark.parametrize(
    ("measure", "changed"),
    [(ERRORS, {"value": "1.2"}), (ERRORS, {"spread": "0.1"}), (LEAVING, {"value": "-0.1"}), (LEAVING, {"spread": "1"})],
)
def test_a_share_is_within_its_bounds_and_a_rate_not_below_zero(measure, changed):
    given = replace(BASELINE, measure_id=measure.measure_id, value="0.5", spread=None)
    with pytest.raises(ParameterError):
        admit_reading(replace(given, **changed), [measure], [], BEFORE)


def test_a_definition_comes_before_the_first_day_of_use_and_is_only_followed_before_a_reading():
    admit_definition(HOURS, [], [], START)
    second = replace(HOURS, version=2, minimum_effect="0.5")
    admit_definition(second, [HOURS], [BASELINE], BEFORE)
    for measure, known, readings, today in (
        (HOURS, [], [], date(2026, 1, 6)),
        (HOURS, [HOURS], [], BEFORE),
        (replace(HOURS, version=3), [HOURS], [], BEFORE),
        (second, [HOURS], [BASELINE, FIRST], BEFORE),
        (replace(second, start="2026-03-05"), [HOURS], [], BEFORE),
    ):
        with pytest.raises(DecisionError):
            admit_definition(measure, known, readings, today)


def test_a_version_that_was_followed_is_not_read_any_more():
    second = replace(HOURS, version=2)
    with pytest.raises(DecisionError):
        admit_reading(BASELINE, [HOURS, second], [], BEFORE)


@pytest.mark.parametrize(
    "changed",
    [
        {"measure_id": "Hours; DROP TABLE"}, {"title": ""}, {"definition": "x" * 3_000}, {"formula": "a\0"},
        {"statistic": "median"}, {"direction": "left"}, {"minimum_effect": "0"}, {"minimum_effect": "-1"},
        {"minimum_effect": 0.5}, {"start": "tomorrow"}, {"baseline_start": "2026-02-01"}, {"version": 0},
        {"first_check_days": 2}, {"computed": 1},
    ],
)  # fmt: skip
def test_a_definition_that_is_none_is_refused(changed):
    with pytest.raises(ParameterError):
        replace(HOURS, **changed)


@pytest.mark.parametrize(
    "text",
    ["", "- 1", "baseline_days: 91", "baseline_days: 91\nmeasures: {a: 3}", "baseline_days: 5\nmeasures: {a: {}}",
     "baseline_days: 91\nmeasures: {a: {title: x}}", "a: &b [*b]", "x: [", "baseline_days: 91\nmeasures: {}\nmore: 1"],
)  # fmt: skip
def test_a_file_of_measures_that_is_none_is_refused(tmp_path, text):
    (tmp_path / "m.yml").write_text(text)
    with pytest.raises(ParameterError):
        read_measures(START, tmp_path / "m.yml")
    with pytest.raises(ParameterError):
        read_measures(START, tmp_path / "missing.yml")


def test_the_measures_that_come_along_are_the_five_that_were_asked_for():
    names = [measure.measure_id for measure in read_measures(START)]
    assert names == ["hours_of_preparation", "turnaround", "errors_caught", "aum_growth", "clients_leaving"]
    assert {measure.baseline_start for measure in read_measures(START)} == {"2025-10-06"}

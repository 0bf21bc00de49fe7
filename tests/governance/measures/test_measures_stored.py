"""Measures in the database: who may, what is kept, and that nothing kept is ever changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import text

from tests.governance import cases
from workbench.errors import AccessError, DecisionError, StoreError
from workbench.governance.access import Who
from workbench.governance.measures import DefineMeasure, Reading, RecordReading, load, read_measures

START = date(2023, 1, 16)  # the clock of the store stands on 2022-12-28
HOURS, TURNAROUND, *_ = read_measures(START)
BASELINE = Reading("hours_of_preparation", 1, "baseline", "2022-10-17", "2023-01-16", "3.4", "1.2", 40, "time sheets")
FIRST = replace(BASELINE, kind="reading", period_start="2023-01-16", period_end="2023-02-15", value="2.9")


@pytest.fixture
def defined(store):
    cases.staff(store)
    for measure in (HOURS, TURNAROUND):
        store.perform(Who("cleo"), DefineMeasure(measure), f"define-{measure.measure_id}")
    return store


def test_a_measure_from_definition_to_reading(defined):
    defined.perform(Who("paula"), RecordReading(BASELINE), "baseline")
    defined.clock.advance(days=60)
    receipt = defined.perform(Who("paula"), RecordReading(FIRST), "first")
    assert (receipt.object_kind, receipt.object_id, receipt.state) == ("measure", "hours_of_preparation", "reading")
    with defined.reading() as connection:
        assert load(connection) == ((HOURS, TURNAROUND), (BASELINE, FIRST))


def test_the_same_key_records_once(defined):
    first = defined.perform(Who("paula"), RecordReading(BASELINE), "baseline")
    again = defined.perform(Who("paula"), RecordReading(BASELINE), "baseline")
    assert (first.first, again.first) == (True, False)
    assert again.sequence == first.sequence


def test_a_baseline_after_the_first_day_of_use_is_refused_and_leaves_a_line(defined):
    defined.clock.advance(days=60)
    with pytest.raises(DecisionError, match="chosen"):
        defined.perform(Who("paula"), RecordReading(BASELINE), "late")
    with defined.reading() as connection:
        assert load(connection)[1] == ()
        last = connection.execute(text("SELECT outcome FROM audit ORDER BY sequence DESC LIMIT 1")).scalar()
    assert last == "refused"


@pytest.mark.parametrize("name", ["ann", "adam", "tom", "vera", "ada", "otto", "nightly", "paula"])
def test_only_compliance_defines(store, name):
    cases.staff(store)
    with pytest.raises(AccessError):
        store.perform(Who(name), DefineMeasure(HOURS), "define")


def test_a_service_brings_what_is_computed_and_declares_nothing(defined):
    computed = replace(BASELINE, measure_id="turnaround")
    defined.perform(Who("nightly"), RecordReading(computed), "computed")
    with pytest.raises(AccessError):
        defined.perform(Who("nightly"), RecordReading(BASELINE), "declared")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE measure SET definition = 'x'",
        "DELETE FROM measure",
        "UPDATE reading SET value = '1'",
        "DELETE FROM reading",
    ],
)
def test_what_is_kept_cannot_be_changed_in_the_database(defined, statement):
    defined.perform(Who("paula"), RecordReading(BASELINE), "baseline")
    with pytest.raises(StoreError), defined.writing() as unit:
        unit.connection.execute(text(statement))
    with defined.reading() as connection:
        assert load(connection) == ((HOURS, TURNAROUND), (BASELINE,))

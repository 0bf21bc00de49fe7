"""Measures by command: defined before, read on set days, computed where the data give it, refused if chosen after."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from importlib import import_module

import pandas as pd
import pytest
from click.testing import CliRunner

from tests.governance import cases
from tests.governance.lessons.histories import history, signal
from workbench import governance
from workbench.cli import main
from workbench.decisions import measures
from workbench.exhibits.client_growth import firm_growth
from workbench.firm import open_at
from workbench.governance import Who
from workbench.governance.lessons import frames
from workbench.governance.measures import Due, load, read_measures

COMMANDS = import_module("workbench.decisions.measures")  # the package lists the group by the same name
PASSWORD = "a fairly long password"
START = "2023-01-16"


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A database whose clock the test moves (`place.now`), people of each role, and the commands on it."""
    return Place(f"sqlite:///{tmp_path}/decisions.db", monkeypatch)


class Place:
    def __init__(self, url, monkeypatch):
        self.now = datetime(2022, 12, 28, 15, tzinfo=UTC)
        self.store = cases.staff(governance.open_store(url, clock=self.clock))
        monkeypatch.setattr(COMMANDS, "open_decisions", lambda database: self.store)
        monkeypatch.setattr(COMMANDS, "signed_in", lambda store, person, password: Who(person))

    def clock(self):
        return self.now

    def run(self, *words, expect=0):
        answer = CliRunner().invoke(main, ["measures", *map(str, words)], env={"WORKBENCH_PASSWORD": PASSWORD})
        assert answer.exit_code == expect, answer.output
        return answer.output

    def define(self):
        return self.run("define", "--start", START, "--as", "cleo")

    def record(self, measure="hours_of_preparation", value="3.4", person="paula", expect=0):
        return self.run("record", measure, "--value", value, "--spread", "1.2", "--observations", "40", "--source",
                        "time sheets", "--as", person, expect=expect)  # fmt: skip

    def figures(self):
        with self.store.reading() as connection:
            return load(connection)[1]


def test_the_group_is_the_one_of_the_command_line():
    assert main.commands["measures"] is measures


def test_before_anything_is_defined_the_remedy_is_named(place):
    assert "workbench measures define" in place.run("due")


def test_from_the_definition_to_the_first_reading(place):
    assert place.define().count("baseline 2022-10-17 to 2023-01-16") == 5
    assert place.define().count("defined already") == 5
    assert "due      Hours of preparation: The baseline of 2022-10-17 to 2023-01-16" in place.run("due")
    assert "baseline of 2022-10-17 to 2023-01-16 recorded" in place.record()
    place.now += timedelta(days=50)
    assert "due      Hours of preparation: The reading of 2023-01-16 to 2023-02-15 is due." in place.run("due")
    assert "reading of 2023-01-16 to 2023-02-15 recorded" in place.record(value="2.9")
    assert [(one.kind, one.value) for one in place.figures()] == [("baseline", "3.4"), ("reading", "2.9")]
    assert "no such figure is due" in place.record(value="2.8", expect=2)


def test_what_is_defined_after_the_first_day_of_use_is_refused(place):
    place.now += timedelta(days=40)
    assert "fitted to the outcome" in place.run("define", "--start", START, "--as", "cleo", expect=2)


def test_a_baseline_that_was_not_recorded_in_time_is_lost(place):
    place.define()
    place.now += timedelta(days=40)
    assert "No baseline was recorded before the first day of use" in place.run("due")
    assert "no such figure is due" in place.run(
        "record", "hours_of_preparation", "--value", "3", "--observations", "40", "--source", "memory", "--until",
        START, "--as", "paula", expect=2,
    )  # fmt: skip


@pytest.mark.parametrize(("person", "told"), [("vera", "may"), ("nobody", "")])
def test_who_may_not_record_is_refused(place, person, told):
    place.define()
    assert told in place.record(person=person, expect=2)
    assert place.figures() == ()


def test_a_password_is_asked_for(place, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setattr(COMMANDS, "open_decisions", lambda database: place.store)
    assert "name or password is not right" in place.run("define", "--start", START, "--as", "cleo", expect=2)
    with place.store.reading() as connection:
        assert load(connection) == ((), ())


def test_a_person_does_not_record_as_a_service(place, tmp_path):
    place.define()
    place.run("compute", "--decisions", exported(tmp_path / "export"), "--record", "--as", "paula", expect=2)
    assert place.figures() == ()


def test_an_unknown_measure_is_named_with_those_there_are(place):
    place.define()
    assert "no measure 'hours' is defined; defined: aum_growth" in place.record("hours", expect=2)


def test_turnaround_and_errors_are_computed_from_an_export(place, tmp_path):
    place.define()
    folder = exported(tmp_path / "export")
    said = place.run("compute", "--decisions", folder)
    assert "Turnaround, baseline of 2022-10-17 to 2023-01-16: 2.500000 working hours, 4 cases" in said
    assert place.figures() == ()
    place.run("compute", "--decisions", folder, "--record", "--as", "nightly")
    assert {(one.measure_id, one.kind, one.value) for one in place.figures()} == {
        ("turnaround", "baseline", "2.500000"), ("errors_caught", "baseline", "0.000000"),
    }  # fmt: skip
    assert "none of the figures that are missing" in place.run(
        "compute", "--decisions", folder, "--record", "--as", "nightly"
    )


def test_growth_is_computed_from_the_snapshots_of_both_days_only(place, tmp_path):
    place.define()
    said = place.run("compute", "--firm", "demo", "--firm", "demo", expect=2)
    assert "periods of growth that are missing: 2022-10-17 to 2023-01-16" in said
    assert "--firm twice" in place.run("compute", "--firm", "demo", expect=2)


def test_growth_of_a_period_is_what_the_two_books_of_record_say(monkeypatch):
    known = {one.measure_id: one for one in read_measures(date(2022, 9, 30))}
    missing = [Due(name, "reading", "2022-09-30", "2022-12-28", "due") for name in ("aum_growth", "clients_leaving")]
    opening, closing = open_at("demo", "2022-09-30"), open_at("demo")
    monkeypatch.setattr("workbench.firm.open_at", lambda name: {"opening": opening, "closing": closing}[name])
    growth, leaving = COMMANDS._of_snapshots(("opening", "closing"), known, missing)
    expected = firm_growth(opening, closing)
    assert float(growth.value) == pytest.approx(expected.growth, abs=1e-6)
    assert float(leaving.value) == pytest.approx(expected.leaving, abs=1e-6)
    assert growth.source.startswith("books of record ")


def exported(folder):
    """Four released signals of 2, 2, 3 and 3 working hours, in the baseline's days, up to its last."""
    rows = []
    for number, hours in enumerate((2, 2, 3, 3)):
        start = pd.Timestamp("2022-11-01T14:00Z") + pd.Timedelta(days=7 * number)
        rows.append(
            signal(number, created_at=start, submitted_at=start, approved_at=start,
                   released_at=start + pd.Timedelta(hours=hours), closed_at=start + pd.Timedelta(hours=hours))
        )  # fmt: skip
    made = replace(history(signals=rows), until="2023-01-15T23:59:59.999999Z")
    made = replace(made, hash=frames.content_hash(made))
    frames.write(made, folder)
    return folder

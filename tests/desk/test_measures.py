"""Measures: shown with their baseline and comparison, recorded by who may, never changed."""

from dataclasses import replace
from datetime import date

import pytest

from workbench.governance.measures import DefineMeasure, Reading, RecordReading, read_measures

FIRST_DAY = date(2023, 1, 1)


@pytest.fixture
def measured(house):
    """Two measures, the first with a baseline and one reading."""
    hours, _, share, *_ = read_measures(FIRST_DAY)
    for one in (hours, share):
        house.do("cora", DefineMeasure(one))
    baseline = Reading(
        hours.measure_id, 1, "baseline", hours.baseline_start, hours.start, "3.5", "0.5", 40, "time sheets"
    )
    house.do("pat", RecordReading(baseline))
    house.clock.advance(days=40)
    reading = replace(baseline, kind="reading", period_start="2023-01-01", period_end="2023-01-31", value="1.25")
    house.do("pat", RecordReading(reading))
    return house


def test_a_reading_stands_beside_its_baseline(measured):
    page = measured.browser("otto").get("/measures").text
    assert "3.50" in page
    assert "1.25" in page
    assert "\u22122.25 (95 %" in page
    assert "Better than before by more than chance explains." in page
    assert "No baseline was recorded before the first day of use" in page
    assert "Record a figure" not in page


def test_a_figure_is_recorded_once(house):
    hours = read_measures(FIRST_DAY)[0]
    house.do("cora", DefineMeasure(hours))
    browser = house.browser("pat")
    page = browser.get("/measures").text
    period = f"baseline {hours.baseline_start} {hours.start}"
    said = {"period": period, "value": "3.5", "spread": "0.5", "observations": "40", "source": "<b>time sheets</b>"}
    action = f"/measures/{hours.measure_id}/readings"
    wrong = browser.send(action, page=page, **{**said, "value": "lots"})
    assert wrong.status_code == 422
    assert "is no number" in wrong.text
    assert browser.send(action, page=page, **said).status_code == 303
    page = browser.get("/measures").text
    assert "&lt;b&gt;time sheets&lt;/b&gt;" in page


@pytest.mark.parametrize("who", ["vera", "adam", "tom", "ada"])
def test_measures_are_for_who_answers_for_them(measured, who):
    assert measured.browser(who).get("/measures").status_code == 403


def test_analysts_read_and_record_nothing(measured):
    browser = measured.browser("ana")
    browser.get("/measures")
    hidden = browser.fields("/sign-out")
    said = {"period": "reading 2023-01-01 2023-04-01", "measure_version": "1", "value": "1", "spread": "1"}
    answer = browser.client.post(
        "/measures/hours_of_preparation/readings",
        data={**hidden, **said, "observations": "20", "source": "none"},
        headers={"origin": "http://localhost"},
    )
    assert answer.status_code == 403


def test_the_desk_and_the_monthly_chapter_show_the_same_figures(measured):
    from workbench.exhibits.decisions_measures import measures_table
    from workbench.exhibits.decisions_origin import Source
    from workbench.exhibits.origin import Origin
    from workbench.governance.lessons.export import collect

    with measured.store.reading() as connection:
        made = collect(connection, measured.store.clock())
    source = Source(made, None, "", (), Origin("2023-02-10", "3f9a12c4", ""))
    row = next(row for row in measures_table(source).body.rows if row[0] == "Hours of preparation")
    page = measured.browser("otto").get("/measures").text
    shown = [cell.text for cell in row if hasattr(cell, "fact")]
    assert shown == ["3.50", "1.25", "\u22122.25"]
    for text in (*shown, row[6], row[7].badge, row[8]):
        assert text in page

"""The demo's notes and measures: each change of words changes some, and each figure is one that is let in."""

from __future__ import annotations

from datetime import UTC, datetime

from workbench.decisions.demo_words import _CHANGES, SOURCE, keep_measures
from workbench.firm import open_at
from workbench.governance.measures import DefineMeasure, RecordReading, due
from workbench.governance.measures.admission import admit_definition, admit_reading
from workbench.papers import client


def test_every_change_of_words_changes_a_letter_and_is_supported():
    (letter,) = (
        one for one in client.drafts(open_at("demo", None), households=["H00003"]) if one.kind == "client_email"
    )
    changed = [change(letter.text) for change in _CHANGES]
    assert len({letter.text, *changed}) == len(_CHANGES) + 1
    assert all(letter.edited(text).report.supported for text in changed)


def test_measures_are_defined_before_and_read_after_thirty_days():
    acts = []
    today = datetime(2026, 11, 21, 20, 30, tzinfo=UTC)
    keep_measures(lambda moment, person, command: acts.append((moment, person, command)), today)
    assert [moment for moment, _, _ in acts] == sorted(moment for moment, _, _ in acts)
    assert acts[-1][0] < today
    measures, readings = [], []
    for moment, _, command in acts:
        if isinstance(command, DefineMeasure):
            admit_definition(command.measure, measures, readings, moment.date())
            measures.append(command.measure)
        else:
            assert isinstance(command, RecordReading)
            admit_reading(command.reading, measures, readings, moment.date())
            readings.append(command.reading)
    assert (len(measures), len(readings)) == (5, 10)
    assert {reading.source for reading in readings} == {SOURCE}
    assert {item.standing for item in due(measures, readings, today.date())} == {"coming"}

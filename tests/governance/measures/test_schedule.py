"""When what is due: thirty days, then each quarter; nothing comes twice, nothing is forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import islice, pairwise

from hypothesis import given
from hypothesis import strategies as st

from workbench.governance.measures import Reading, due, periods, read_measures
from workbench.governance.measures.schedule import is_set

START = date(2026, 1, 5)
HOURS = read_measures(START)[0]


def read(kind, start, end):
    return Reading(HOURS.measure_id, 1, kind, start.isoformat(), end.isoformat(), "1", "1", 20, "x")


def standings(today, readings=()):
    return [(row.kind, row.standing) for row in due([HOURS], readings, today)]


BASELINE = read("baseline", date(2025, 10, 6), START)


def test_the_first_periods_by_hand():
    assert list(islice(periods(HOURS), 3)) == [
        (date(2026, 1, 5), date(2026, 2, 4)),
        (date(2026, 1, 5), date(2026, 4, 5)),
        (date(2026, 4, 5), date(2026, 7, 5)),
    ]


def test_a_measure_from_its_definition_on():
    assert standings(date(2025, 12, 1)) == [("baseline", "due"), ("reading", "coming")]
    assert standings(date(2026, 1, 6)) == [("baseline", "lost"), ("reading", "coming")]
    assert standings(date(2026, 1, 6), [BASELINE]) == [("reading", "coming")]
    assert standings(date(2026, 2, 4), [BASELINE]) == [("reading", "due"), ("reading", "coming")]
    assert standings(date(2026, 2, 19), [BASELINE]) == [("reading", "overdue"), ("reading", "coming")]
    done = [BASELINE, read("reading", START, date(2026, 2, 4))]
    assert standings(date(2026, 2, 19), done) == [("reading", "coming")]


def test_every_standing_has_a_sentence():
    for today in (date(2025, 12, 1), date(2026, 1, 6), date(2026, 2, 10), date(2026, 9, 1)):
        assert all(row.words.endswith(".") for row in due([HOURS], [], today))


@given(st.dates(date(2020, 1, 1), date(2030, 12, 31)))
def test_quarters_follow_each_other_without_a_gap_and_are_set(start):
    measure = replace(HOURS, start=start.isoformat(), baseline_start=(start - timedelta(days=91)).isoformat())
    first, *quarters = islice(periods(measure), 9)
    assert first == (start, start + timedelta(days=30))
    assert quarters[0][0] == start
    assert all(before[1] == after[0] for before, after in pairwise(quarters))
    assert all(89 <= (end - begin).days <= 92 for begin, end in quarters)
    assert all(is_set(measure, period) for period in (first, *quarters))
    assert not is_set(measure, (start, start + timedelta(days=31)))

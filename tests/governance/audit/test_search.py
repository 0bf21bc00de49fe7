"""Searching the trail: what is found, in whose books, page by page."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import event

from tests.governance import cases
from workbench.errors import AccessError, DecisionError, ParameterError
from workbench.governance import access
from workbench.governance.access import Who
from workbench.governance.audit.record import Entry
from workbench.governance.audit.search import Question, record, search
from workbench.governance.roles import Role

HOSTILE = "100%_\\ '; DROP TABLE audit; -- <script>"


def entry(number):
    return Entry(
        action="approve" if number % 2 else "return",
        outcome="refused" if number % 10 == 0 else "done",
        object_kind="signal",
        object_id=f"signal-{number % 5}",
        object_version=1,
        actor=f"person-{number % 3}",
        actor_kind="person",
        roles=("portfolio_manager",),
        book=f"ADV{number % 3}" if number else "*",
        on_behalf_of="paula" if number == 7 else None,
        reason={3: "Tax first", 4: HOSTILE, 5: 'says "no"'}.get(number),
    )


@pytest.fixture
def full(store):
    """Ninety records over three days, in three books, with reasons."""
    cases.staff(store, {**cases.STAFF, "abel": (Role.AUDITOR, "ADV1")})
    for day in range(3):
        store.clock.advance(days=min(day, 1))
        with store.writing() as unit:
            for number in range(30 * day, 30 * day + 30):
                unit.append(entry(number))
    return store


def asked(store, who="ada", before=None, limit=500, **question):
    with store.reading() as connection:
        actor = access.actor(connection, Who(who), store.clock())
        return search(connection, actor, Question(**question), before=before, limit=limit)


def numbers(page):
    return [line.sequence for line in page.lines]


def test_newest_first_page_by_page_without_gap_or_repeat(full):
    seen, before = [], None
    while True:
        page = asked(full, limit=20, before=before)
        seen += numbers(page)
        before = page.before
        if before is None:
            break
    assert seen == list(range(90, 0, -1))


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ({"actor": "person-1"}, [n for n in range(1, 91) if (n - 1) % 3 == 1]),
        ({"action": "return", "outcome": "refused"}, [n for n in range(1, 91) if (n - 1) % 10 == 0]),
        ({"object_kind": "signal", "object_id": "signal-4"}, [n for n in range(1, 91) if (n - 1) % 5 == 4]),
        ({"book": "ADV2"}, [n for n in range(1, 91) if (n - 1) % 3 == 2]),
        ({"first_day": date(2022, 12, 29), "last_day": date(2022, 12, 29)}, list(range(31, 61))),
        ({"first_day": date(2022, 12, 30)}, list(range(61, 91))),
        ({"last_day": date(2022, 12, 28)}, list(range(1, 31))),
        ({"first_day": date(2030, 1, 1)}, []),
        ({"text": "tax F"}, [4]),
        ({"text": HOSTILE}, [5]),
        ({"text": "%_"}, [5]),
        ({"text": 'says "no"'}, [6]),
        ({"text": "approve"}, []),
        ({"actor": "' OR 1=1 --"}, []),
        ({"object_id": HOSTILE}, []),
    ],
)
def test_each_filter_finds_what_it_says(full, question, expected):
    assert sorted(numbers(asked(full, **question))) == expected


def test_an_auditor_of_one_book_sees_that_book_alone(full):
    page = asked(full, who="abel")
    assert {line.book for line in page.lines} == {"ADV1"}
    assert numbers(asked(full, who="abel", book="ADV2")) == []
    with full.reading() as connection:
        actor = access.actor(connection, Who("abel"), full.clock())
        assert record(connection, actor, 2).book == "ADV1"
        for other in (1, 3, 1000):
            with pytest.raises(DecisionError, match="no record"):
                record(connection, actor, other)


@pytest.mark.parametrize("who", ["vera", "adam", "ann", "paula", "tom", "otto", "nightly"])
def test_who_may_not_read_the_trail_reads_none_of_it(full, who):
    with pytest.raises(AccessError):
        asked(full, who=who)
    with full.reading() as connection, pytest.raises(AccessError):
        record(connection, access.actor(connection, Who(who), full.clock()), 1)


def test_a_line_says_everything(full):
    with full.reading() as connection:
        line = record(connection, access.actor(connection, Who("ada"), full.clock()), 8)
    assert line.on_behalf_of == "paula"
    assert line.roles == ("portfolio_manager",)
    assert line.said["sequence"] == 8


@pytest.mark.parametrize("limit", [0, -1, 501])
def test_a_page_has_a_size(full, limit):
    with pytest.raises(ParameterError, match="limit"):
        asked(full, limit=limit)


def test_a_page_takes_few_queries(full):
    seen = []

    def note(*words):
        seen.append(words[2])

    event.listen(full.engine, "before_cursor_execute", note)
    asked(full, first_day=date(2022, 12, 29), last_day=date(2022, 12, 30))
    event.remove(full.engine, "before_cursor_execute", note)
    assert len([said for said in seen if said.startswith("SELECT audit.sequence")]) == 1

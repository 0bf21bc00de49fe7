"""What is in another's book is not read, not counted, not told apart from what does not exist, and not changed."""

from __future__ import annotations

import inspect
import itertools

import pytest
from sqlalchemy import select

from tests.governance import cases, paper_cases
from workbench.errors import AccessError, DecisionError, WorkbenchError
from workbench.governance import reading
from workbench.governance.access import Who, actor
from workbench.governance.audit.search import Question, record, search
from workbench.governance.commands import Approve, Document, Return, Submit
from workbench.governance.paper_commands import Escalate
from workbench.governance.roles import Role
from workbench.governance.tables import audit, paper, role_grant, signal

MARK = "XYZZY"
READERS = [role for role in Role if role is not Role.ADMINISTRATOR]
_keys = itertools.count()
on_sqlite = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


@pytest.fixture
def firm(store):
    """One signal in book ADV1, marked in every text; one in ADV2; a person of each role in ADV2 only."""
    cases.staff(store, cases.STAFF | {f"reader-{role}": (role, "ADV2") for role in Role})
    marked = {
        "household_name": f"House {MARK}", "policy": f"policy-{MARK}", "models": (f"M-{MARK}",),
        "accounts": (f"A-{MARK}",), "package": cases.package(f'{{"text": "{MARK}"}}'),
        "brief": Document("brief", "text/html", MARK.encode()),
    }  # fmt: skip
    found = cases.finding(f"rule-{MARK}", "block", overridable=True)
    cases.checked(store, 1, [found], book="ADV1", **marked)
    cases.submitted(store, 2, book="ADV2")
    third = cases.submitted(store, 3, book="ADV1", **{**marked, "package": cases.package(f'{{"other": "{MARK}"}}')})
    store.perform(Who("peter"), Return(third.object_id, third.version, "tax", f"because {MARK}"), "return")
    paper_cases.bring(store, title=MARK, words=f"We sell {MARK}.", book="ADV1")
    store.perform(Who("adam"), Escalate(f"May {MARK} hold futures?", "ADV1"), "asked")
    return store


def ids(store, book):
    with store.reading() as connection:
        return list(connection.execute(select(signal.c.signal_id).where(signal.c.book == book)).scalars())


def documents(store):
    with store.reading() as connection:
        rows = connection.execute(select(signal).where(signal.c.book == "ADV1")).all()
        texts = connection.execute(select(paper.c.current_hash)).scalars().all()
    return [one for row in rows for one in (row.package_hash, row.brief_hash, row.preflight_hash) if one] + list(texts)


def sequences(store):
    with store.reading() as connection:
        return list(connection.execute(select(audit.c.sequence)).scalars())


#: Each function that reads decisions: how a reader tries to see book ADV1 with it.
TRIED = {
    "queue_page": lambda c, who, store: [
        reading.queue_page(c, who, now=store.clock()),
        *(reading.queue_page(c, who, filters, now=store.clock()) for filters in sought()),
        *(reading.queue_page(c, who, after=one, now=store.clock()) for one in ids(store, "ADV1")),
    ],
    "choices": lambda c, who, store: reading.choices(c, who),
    "signal_view": lambda c, who, store: [
        reading.signal_view(c, who, one, now=store.clock()) for one in ids(store, "ADV1")
    ],
    "document": lambda c, who, store: [
        reading.document(c, who, one, content)
        for one in ids(store, "ADV1") + ids(store, "ADV2")
        for content in documents(store)
    ],
    "exceptions_page": lambda c, who, store: [
        reading.exceptions_page(c, who),
        reading.exceptions_page(c, who, after=f"rule-{MARK} signal"),
    ],
    "history": lambda c, who, store: [
        reading.history(c, who, "signal", one) for one in ids(store, "ADV1")
    ],
    "papers_page": lambda c, who, store: [
        reading.papers_page(c, who, reading.PaperFilters()),
        reading.papers_page(c, who, reading.PaperFilters(text=MARK)),
    ],
    "paper_view": lambda c, who, store: [reading.paper_view(c, who, one) for one in papers(store)],
    "paper_document": lambda c, who, store: [
        reading.paper_document(c, who, one, content) for one in papers(store) for content in documents(store)
    ],
    "questions": lambda c, who, store: reading.questions(c, who),
    "search": lambda c, who, store: search(c, who, Question()),
    "record": lambda c, who, store: [quietly(record, c, who, one) for one in sequences(store)],
}  # fmt: skip


def papers(store):
    """The papers of the other book."""
    with store.reading() as connection:
        return connection.execute(select(paper.c.paper_id).where(paper.c.book == "ADV1")).scalars().all()


def sought():
    """Every filter of the queue, set to what only the other book holds."""
    fields = inspect.signature(reading.Filters).parameters
    values = {"book": "ADV1", "policy": f"policy-{MARK}", "model": f"M-{MARK}", "text": MARK, "household": MARK}
    return [reading.Filters(**{name: value}) for name, value in values.items() if name in fields]


def quietly(function, *given):
    try:
        return function(*given)
    except WorkbenchError:
        return None


def test_every_function_that_reads_is_tried():
    functions = {name for name in reading.__all__ if inspect.isfunction(getattr(reading, name))}
    assert functions <= set(TRIED), f"say in TRIED how a reader of another book would use {functions - set(TRIED)}"
    assert len(sought()) >= 3


@pytest.mark.parametrize("name", sorted(TRIED))
def test_nothing_of_another_book_is_read(firm, name):
    others = ids(firm, "ADV1")
    with firm.reading() as connection:
        for role in READERS:
            who = actor(connection, Who(f"reader-{role}"), firm.clock())
            try:
                seen = repr(TRIED[name](connection, who, firm))
            except AccessError:
                continue
            assert MARK not in seen, role
            # The page after a signal of another book is asked for by its identifier, so that may come back, no more.
            assert not [one for one in others if one in seen], role
            assert "ADV1" not in seen, role


@on_sqlite
@pytest.mark.parametrize(
    "name",
    [
        "queue_page",
        "signal_view",
        "document",
        "exceptions_page",
        "history",
        "papers_page",
        "paper_view",
        "paper_document",
        "questions",
    ],
)
def test_the_same_questions_are_answered_to_who_holds_the_book(firm, name):
    with firm.reading() as connection:
        assert MARK in repr(TRIED[name](connection, actor(connection, Who("paula"), firm.clock()), firm))


@on_sqlite
def test_an_administrator_reads_no_signal(firm):
    with firm.reading() as connection:
        who = actor(connection, Who("otto"), firm.clock())
        for name in ("queue_page", "choices", "signal_view", "document", "exceptions_page", "history"):
            seen = repr(TRIED[name](connection, who, firm))
            assert MARK not in seen
            assert "H2" not in seen


@on_sqlite
@pytest.mark.parametrize("role", READERS)
def test_a_signal_of_another_book_is_refused_as_one_that_does_not_exist(firm, role):
    told = []
    for name in (ids(firm, "ADV1")[0], "signal-000000000000000000000000"):
        for command in (Submit(name, 1, "a" * 64), Approve(name, 1, "a" * 64), Return(name, 1, "tax", "no")):
            with pytest.raises((AccessError, DecisionError)) as refused:
                firm.perform(Who(f"reader-{role}"), command, f"books-{next(_keys)}")
            told.append(
                (type(refused.value), getattr(refused.value, "rule", ""), str(refused.value).replace(name, "?"))
            )
    assert told[:3] == told[3:]


def test_a_new_proposal_in_ones_own_book_touches_no_signal_in_another(firm):
    before = ids(firm, "ADV1")
    with pytest.raises((AccessError, DecisionError)):
        # Household 3 has a signal open in ADV1; an analyst of ADV2 says it is hers.
        firm.perform(Who("anton"), cases.proposal(3, book="ADV2", package=cases.package('{"mine": 1}')), "mine")
    with firm.reading() as connection:
        states = set(connection.execute(select(signal.c.state).where(signal.c.signal_id.in_(before))).scalars())
    assert "superseded" not in states
    assert states == {"checked", "returned"}


@on_sqlite
def test_a_book_taken_away_is_not_read_any_more(firm):
    with firm.writing() as unit:
        gone = role_grant.update().where(role_grant.c.person_id == "reader-viewer").values(revoked_at=unit.now)
        unit.connection.execute(gone)
    with firm.reading() as connection:
        who = actor(connection, Who("reader-viewer"), firm.clock())
        assert reading.queue_page(connection, who, now=firm.clock()).total == 0

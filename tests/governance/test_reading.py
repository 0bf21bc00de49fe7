"""What the desk reads: filters that agree with plain Python, pages that neither repeat nor hide, nobody else's book."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from tests.governance.cases import approved, check, checked, created, finding, proposal, released, staff, submitted
from workbench.errors import ParameterError
from workbench.governance import reading
from workbench.governance.access import Who, actor
from workbench.governance.commands import Summary
from workbench.governance.controls import in_force
from workbench.governance.life_cycle import approvers_needed
from workbench.governance.reading.history import WORDS
from workbench.governance.standing import effective_mode, load
from workbench.governance.states import TRANSITIONS, Action, Mode, State
from workbench.governance.tables import rollout, signal

EVERYBODY = ("vera", "adam", "ann", "anton", "paula", "pia", "tom", "cleo", "ada", "otto")


def summary(number, **changed):
    figures = {"trades": 3, "traded": 100_000_00, "tax": 1_000, "cost": 500, "benefit": 9_000, "rank": number}
    return Summary("2022-12-28", **{**figures, **changed})


@pytest.fixture
def house(store):
    """Eight signals in two books and six states."""
    staff(store)
    created(store, 1)
    checked(store, 2, (finding(verdict="block"),))
    checked(store, 3, summary=summary(3, cash_due="2022-12-30"))
    submitted(store, 4, summary=summary(4, traded=2_000_000_00))
    submitted(store, 5, by="paula", book="ADV2")
    approved(store, 6, mode=Mode.DRAFT)
    approved(store, 7, book="ADV2")
    released(store, 8)
    return store


OPEN_ONES = reading.Filters()


def seen(store, who, filters=OPEN_ONES, sort="rank", **more):
    with store.reading() as connection:
        reader = actor(connection, Who(who), store.clock())
        return reading.queue_page(connection, reader, filters, sort, now=store.clock(), **more)


def numbers(page):
    return [row.household_id for row in page.rows]


def test_pages_follow_each_other_without_a_gap_or_a_repeat(house):
    for sort in ("rank", "urgency", "size", "age"):
        follow_each_other(house, sort)


def follow_each_other(house, sort):
    whole = seen(house, "vera", reading.Filters(states=frozenset()), sort)
    assert whole.total == 8
    walked, after = [], None
    while True:
        page = seen(house, "vera", reading.Filters(states=frozenset()), sort, after=after, limit=3)
        walked += numbers(page)
        assert len(walked) <= 8
        after = page.next_after
        if after is None:
            break
    assert walked == numbers(whole)
    assert len(set(walked)) == 8


def test_orders_agree_with_plain_sorting(house):
    every = reading.Filters(states=frozenset())
    rows = seen(house, "vera", every).rows
    assert numbers(seen(house, "vera", every, "size"))[0] == "H4"
    assert numbers(seen(house, "vera", every, "urgency"))[0] == "H3"
    assert [row.rank for row in rows] == sorted(row.rank for row in rows)


FILTERS = [
    (reading.Filters(), ["H1", "H2", "H3", "H4", "H5", "H6", "H7"]),
    (reading.Filters(states=frozenset({State.RELEASED})), ["H8"]),
    (reading.Filters(verdict="block"), ["H2"]),
    (reading.Filters(verdict="none"), ["H1"]),
    (reading.Filters(mode=Mode.DRAFT), ["H6"]),
    (reading.Filters(book="ADV2"), ["H5", "H7"]),
    (reading.Filters(text="household 4"), ["H4"]),
    (reading.Filters(text="H_"), []),
    (reading.Filters(model="BAL", policy="tax_aware", verdict="block"), ["H2"]),
    (reading.Filters(model="bal"), []),
    (reading.Filters(cash_due=True), ["H3"]),
    (reading.Filters(overdue=True), []),
]


def test_filters(house):
    for filters, found in FILTERS:
        assert numbers(seen(house, "vera", filters)) == found, filters


def test_overdue_is_past_the_own_day_or_that_of_the_cash(house):
    house.clock.advance(days=3)
    assert numbers(seen(house, "vera", reading.Filters(overdue=True))) == ["H3"]
    house.clock.advance(days=3)
    assert len(seen(house, "vera", reading.Filters(overdue=True)).rows) == 7


def test_what_waits_for_somebody_is_what_the_deciding_function_lets_them_do(house):
    """The query of `mine` against the page's own list of acts, for every signal and person."""
    consent = finding("consent", "block", overridable=False)
    checked(house, 9, (consent,))
    checked(house, 10, (consent, finding("never_sell", "block")))
    checked(house, 11, mode=Mode.MONITOR)
    for who in EVERYBODY:
        assert numbers(seen(house, who, reading.Filters(mine=True))) == what_waits_for(house, who), who


def what_waits_for(house, who):
    """Return the households whose signals this person can usefully act on, by the acts that their pages offer."""
    prepares = {"ann", "anton"}
    waits = {
        State.DRAFT: {Action.CHECK} if who in prepares else set(),
        State.CHECKED: {Action.SUBMIT, Action.OVERRIDE},
        State.SUBMITTED: {Action.APPROVE},
        State.APPROVED: {Action.RELEASE},
    }
    expected = []
    with house.reading() as connection:
        reader = actor(connection, Who(who), house.clock())
        for row in connection.execute(select(signal).order_by(signal.c.rank)):
            view = reading.signal_view(connection, reader, row.signal_id, now=house.clock())
            if view is None:
                continue
            can = {act for act in view.allowed if act not in view.obstacles}
            useful = waits.get(view.state, set()) & can
            if view.state is State.CHECKED and not any(one.overridable for one in view.unresolved):
                useful -= {Action.OVERRIDE}
            if view.state is State.CHECKED and "consent" in {one.rule_id for one in view.unresolved}:
                useful |= {Action.CONSENT} & can
            if view.state is State.CHECKED and view.unresolved and Action.REVISE in can:
                useful |= {Action.REVISE}
            if view.mode.mode is Mode.MONITOR and view.state is not State.SUBMITTED:
                useful = set()  # an alert to read waits for nobody
            if useful:
                expected.append(row.household_id)
    return expected


def by_household(connection, household):
    return connection.execute(select(signal.c.signal_id).where(signal.c.household_id == household)).scalar_one()


def test_a_row_says_what_answers_the_findings_in_its_way(house):
    consent = finding("consent", "block", overridable=False)
    checked(house, 9, (consent,))
    checked(house, 10, (consent, finding("never_sell", "block", overridable=False)))
    rows = {row.household_id: row.waiting_for for row in seen(house, "vera").rows}
    assert (rows["H2"], rows["H9"], rows["H10"]) == ("Compliance, or a revision", "The client's consent", "A revision")
    with house.reading() as connection:
        reader = actor(connection, Who("ann"), house.clock())
        view = reading.signal_view(connection, reader, by_household(connection, "H10"), now=house.clock())
    assert view.missing[:2] == (
        "The client's consent to the trades, or a revision without them.",
        "1 finding to be removed by a revision: never sell.",
    )


def test_effective_modes_of_the_page_are_those_of_the_deciding_function(house):
    with house.writing() as unit:
        said = {"mode": "monitor", "reason": "pilot", "set_by": "cleo", "set_at": unit.now}
        unit.connection.execute(insert(rollout), {"kind": "account", "key": "A4", **said})
        unit.connection.execute(insert(rollout), {"kind": "model", "key": "BAL", **said, "mode": "draft"})
    page = seen(house, "vera", reading.Filters(states=frozenset()))
    with house.reading() as connection:
        for row in page.rows:
            stored = connection.execute(select(signal).where(signal.c.signal_id == row.signal_id)).one()
            assert row.mode.mode == effective_mode(connection, stored)
    for mode in Mode:
        filtered = seen(house, "vera", reading.Filters(states=frozenset(), mode=mode))
        assert numbers(filtered) == [row.household_id for row in page.rows if row.mode.mode is mode]


def test_the_number_of_approvers_is_that_of_the_deciding_function(house):
    page = seen(house, "vera", reading.Filters(states=frozenset()))
    with house.reading() as connection:
        limits = in_force(connection)
        for row in page.rows:
            standing = load(connection, row.signal_id).standing
            assert row.needed == approvers_needed(standing, standing.approvals, limits)


def test_nothing_of_another_book_is_shown_counted_or_found(house):
    """Every function of the room, by people of one book, of all books and of none."""
    for who in EVERYBODY:
        shows_nothing_else(house, who)


def shows_nothing_else(house, who):
    with house.reading() as connection:
        reader = actor(connection, Who(who), house.clock())
        books = {grant.book for grant in reader.grants}
        rows = connection.execute(select(signal)).all()
        allowed_rows = [row for row in rows if who != "otto" and ("*" in books or row.book in books)]
        every = reading.Filters(states=frozenset())
        page = reading.queue_page(connection, reader, every, now=house.clock())
        assert page.total == len(page.rows) == len(allowed_rows)
        assert set(reading.choices(connection, reader)["book"]) == {row.book for row in allowed_rows}
        found = reading.exceptions_page(connection, reader)
        assert {row.signal_id for row in found.rows} <= {row.signal_id for row in allowed_rows}
        assert sum(rule.total for rule in found.rules) == found.total
        for row in rows:
            may = row in allowed_rows
            view = reading.signal_view(connection, reader, row.signal_id, now=house.clock())
            assert (view is not None) is may
            assert bool(reading.history(connection, reader, "signal", row.signal_id)) is may
            assert (reading.document(connection, reader, row.signal_id, row.package_hash) is not None) is may


def test_every_public_function_is_among_those_tried_across_books():
    functions = {name for name in reading.__all__ if name[0].islower()}
    of_papers = {"paper_document", "paper_view", "papers_page", "questions"}  # tried in test_books
    signals = {"choices", "document", "exceptions_page", "history", "queue_page", "signal_view"}
    assert functions == signals | of_papers


def test_a_document_opens_by_its_own_signal_only(house):
    with house.reading() as connection:
        reader = actor(connection, Who("vera"), house.clock())
        one, two = connection.execute(select(signal).order_by(signal.c.rank).limit(2)).all()
        assert reading.document(connection, reader, one.signal_id, two.package_hash) is None
        kind, media_type, body = reading.document(connection, reader, one.signal_id, one.package_hash)
        assert (kind, media_type, json.loads(body)) == ("package", "application/json", {"household": "H1"})


def test_a_signal_says_in_words_what_is_missing(house):
    with house.reading() as connection:
        reader = actor(connection, Who("peter"), house.clock())
        ids = {row.household_id: row.signal_id for row in connection.execute(select(signal))}

        def missing(number):
            return reading.signal_view(connection, reader, ids[number], now=house.clock()).missing

        assert missing("H1")[0] == "A pre-flight on what is shown here."
        assert missing("H2")[0].startswith("1 finding to be removed by a revision")
        assert missing("H4") == ("Two approvers: the signal trades $2,000,000, and $1,000,000 or more needs two.",)
        assert missing("H6") == ("Mode release: the book of record allows drafts only.",)
        assert missing("H7") == ("A person who releases it and had no hand in making it.",)
        assert missing("H8") == ()


def test_an_approval_past_its_hour_counts_no_more(house):
    house.clock.now += timedelta(hours=25)
    with house.reading() as connection:
        reader = actor(connection, Who("peter"), house.clock())
        row = connection.execute(select(signal).where(signal.c.household_id == "H7")).one()
        view = reading.signal_view(connection, reader, row.signal_id, now=house.clock())
        assert view.valid_approvals == ()
        assert view.approvals[0].standing == "expired"
        assert "approvals hold" in view.obstacles[Action.RELEASE]


def test_what_cannot_be_asked_is_refused(house):
    for sort, limit in (("nonsense", 10), ("rank", 0), ("rank", 201)):
        with pytest.raises(ParameterError):
            seen(house, "vera", sort=sort, limit=limit)


def test_a_page_of_findings_goes_on_where_the_last_one_ended(store):
    staff(store)
    for number in range(5):
        receipt = store.perform(Who("nightly"), proposal(number), f"c{number}")
        store.perform(
            Who("nightly"), check(receipt, finding("a", "block"), finding("b", "not_assessable")), f"k{number}"
        )
    with store.reading() as connection:
        reader = actor(connection, Who("cleo"), store.clock())
        walked, after = [], None
        while True:
            page = reading.exceptions_page(connection, reader, after=after, limit=3)
            walked += [(row.rule_id, row.signal_id) for row in page.rows]
            after = page.next_after
            if after is None:
                break
    assert len(walked) == len(set(walked)) == page.total == 10
    assert walked == sorted(walked)


def test_every_act_that_a_signals_history_may_hold_has_words():
    of_papers = {Action.BRING_PAPER, Action.EDIT_PAPER, Action.RELEASE_PAPER, Action.WITHDRAW_PAPER}
    of_questions = {Action.ESCALATE, Action.ANSWER_ESCALATION}
    assert WORDS.keys() == {*TRANSITIONS, Action.CREATE, Action.SET_MODE} | of_papers | of_questions

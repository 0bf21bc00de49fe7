"""Messages are written with the act, leased to whoever delivers them, and never lost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.governance import cases
from workbench.errors import DecisionError, ParameterError
from workbench.governance import outbox


def claimed(store, **more):
    with store.writing() as unit:
        return outbox.claim(unit, **more)


def reported(store, what, *given):
    with store.writing() as unit:
        what(unit, *given)


def test_each_act_says_what_became_of_the_signal_without_a_name(store):
    cases.staff(store)
    receipt = cases.approved(store)
    messages = claimed(store)
    assert [m.topic for m in messages] == ["signal.draft", "signal.checked", "signal.submitted", "signal.approved"]
    assert {m.body["signal_id"] for m in messages} == {receipt.object_id}
    assert "Household" not in repr(messages)
    assert len({m.message_id for m in messages}) == 4


def test_a_claimed_message_is_nobody_elses_until_its_lease_runs_out(store):
    cases.staff(store)
    cases.created(store)
    (message,) = claimed(store, lease=timedelta(minutes=5))
    assert claimed(store) == ()
    store.clock.advance(minutes=5)
    (again,) = claimed(store)
    assert (again.message_id, again.attempts) == (message.message_id, 2)
    reported(store, outbox.sent, message.message_id)
    store.clock.advance(days=1)
    assert claimed(store) == ()
    with pytest.raises(DecisionError, match="is sent"):
        reported(store, outbox.sent, message.message_id)


def test_a_failed_delivery_waits_longer_each_time_and_gives_up(store):
    cases.staff(store)
    cases.created(store)
    waits = []
    for _ in range(outbox.ATTEMPTS):
        start = store.clock.now
        while not (messages := claimed(store)):
            store.clock.advance(minutes=1)
        waits.append((store.clock.now - start) // timedelta(minutes=1))
        reported(store, outbox.failed, messages[0].message_id, "no answer" * 100)
    assert waits == [0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60]
    store.clock.advance(days=1)
    assert claimed(store) == ()
    with store.reading() as connection:
        assert outbox.counts(connection) == {"failed": 1}


def test_a_delivery_that_may_have_arrived_waits_for_a_person(store):
    cases.staff(store)
    cases.created(store)
    (message,) = claimed(store)
    reported(store, outbox.unknown, message.message_id, "the line was cut")
    store.clock.advance(days=30)
    assert claimed(store) == ()


def test_reports_on_what_nobody_took_and_claims_of_nothing_are_refused(store):
    cases.staff(store)
    with pytest.raises(DecisionError, match="not there"):
        reported(store, outbox.sent, "'; DROP TABLE outbox; --")
    with pytest.raises(ParameterError):
        claimed(store, limit=0)

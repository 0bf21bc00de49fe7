"""One transaction an act: what is asked, what is answered, what is left when it is refused."""

from __future__ import annotations

from sqlalchemy import select

from tests.governance import cases
from workbench.governance.states import State
from workbench.governance.tables import audit


def test_a_signal_goes_from_proposal_to_release_through_people(store):
    cases.staff(store)
    receipt = cases.released(store)
    assert receipt.state == State.RELEASED
    assert receipt.sequence == 5
    with store.reading() as connection:
        acts = connection.execute(select(audit.c.action, audit.c.actor).order_by(audit.c.sequence)).all()
    expected = [
        ("create", "nightly"),
        ("check", "nightly"),
        ("submit", "ann"),
        ("approve", "paula"),
        ("release", "tom"),
    ]
    assert [tuple(act) for act in acts] == expected

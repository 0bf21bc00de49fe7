"""A signal whose draft is not wholly supported goes nowhere until the draft is corrected or discarded."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from sqlalchemy import select

from tests.governance import cases, paper_cases
from tests.governance.paper_cases import FACTS, TEMPLATE, WORDS, report
from workbench.errors import AccessError, DecisionError, ParameterError
from workbench.governance.access import Who, actor
from workbench.governance.commands import AddDraft, Approve, DiscardDraft, Document, EditDraft, Release, Revise, Submit
from workbench.governance.reading import signal_view
from workbench.governance.states import Action
from workbench.governance.tables import draft


@pytest.fixture
def firm(store):
    return cases.staff(store)


KEYS = itertools.count()


def do(store, who, command):
    return store.perform(Who(who), command, f"gate-{next(KEYS)}")


def view(store, signal_id, who="ann"):
    with store.reading() as connection:
        return signal_view(connection, actor(connection, Who(who), store.clock()), signal_id, now=store.clock())


def drafted(store, verdict="supported", **changed):
    """A checked signal with a letter: its receipt and the letter's number."""
    receipt = cases.created(store)
    kept = {"facts": FACTS, "report": report(verdict=verdict), **changed}
    letter = AddDraft(receipt.object_id, receipt.version, "client_email", paper_cases.text(), TEMPLATE, **kept)
    receipt = do(store, "nightly", cases.check(do(store, "nightly", letter)))
    with store.reading() as connection:
        return receipt, connection.execute(select(draft.c.draft_id)).scalar_one()


def edit(receipt, name, words, verdict="supported", **changed):
    given = {"report": report(words, verdict=verdict), **changed}
    return EditDraft(receipt.object_id, receipt.version, name, words, "wording", **given)


def submit(receipt):
    return Submit(receipt.object_id, receipt.version, receipt.sheet_hash)


def test_a_supported_letter_is_in_nobodys_way(firm):
    receipt, _ = drafted(firm)
    receipt = do(firm, "ann", submit(receipt))
    receipt = do(firm, "paula", Approve(receipt.object_id, receipt.version, receipt.sheet_hash))
    assert do(firm, "tom", Release(receipt.object_id, receipt.version, receipt.sheet_hash)).state == "released"


def test_a_letter_with_a_forged_report_does_not_leave_with_its_signal(firm):
    receipt, _ = drafted(firm)
    receipt = do(firm, "ann", submit(receipt))
    receipt = do(firm, "paula", Approve(receipt.object_id, receipt.version, receipt.sheet_hash))
    leave = Release(receipt.object_id, receipt.version, receipt.sheet_hash)
    firm.verifier = lambda text, facts, title: "no fact says so"
    with pytest.raises(DecisionError, match="whatever its report says: no fact says so"):
        do(firm, "tom", leave)
    firm.verifier = lambda text, facts, title: ""
    assert do(firm, "tom", leave).state == "released"


@pytest.mark.parametrize(
    "changed",
    [
        {"report": report(verdict="unsupported")},
        {"report": report(verdict="misbound")},
        {"report": report(verdict="wrong direction")},
        {"facts": None, "report": None},
    ],
)
def test_anything_else_is_not_submitted(firm, changed):
    receipt, name = drafted(firm, **changed)
    with pytest.raises(DecisionError, match="client email is supported"):
        do(firm, "ann", submit(receipt))
    seen = view(firm, receipt.object_id)
    assert "correct the text" in seen.obstacles[Action.SUBMIT]
    assert any("client email" in line for line in seen.missing)
    receipt = do(firm, "ann", DiscardDraft(receipt.object_id, receipt.version, name, "no letter this time"))
    assert do(firm, "ann", submit(receipt)).state == "submitted"


def test_an_edit_after_submission_stops_approval_and_one_after_approval_stops_release(firm):
    receipt, name = drafted(firm)
    receipt = do(firm, "ann", submit(receipt))
    receipt = do(firm, "adam", edit(receipt, name, "We sell $1.", "unsupported"))
    with pytest.raises(DecisionError, match="client email"):
        do(firm, "paula", Approve(receipt.object_id, receipt.version, receipt.sheet_hash))
    receipt = do(firm, "adam", edit(receipt, name, "We sell VTI."))
    receipt = do(firm, "paula", Approve(receipt.object_id, receipt.version, receipt.sheet_hash))
    receipt = do(firm, "adam", edit(receipt, name, "We sell $2.", "misbound"))
    with pytest.raises(DecisionError, match="client email"):
        do(firm, "tom", Release(receipt.object_id, receipt.version, receipt.sheet_hash))
    receipt = do(firm, "adam", edit(receipt, name, WORDS))
    assert do(firm, "tom", Release(receipt.object_id, receipt.version, receipt.sheet_hash)).state == "released"


def test_who_put_a_letter_into_other_words_neither_approves_nor_releases_it(firm):
    receipt, name = drafted(firm)
    receipt = do(firm, "ann", submit(receipt))
    receipt = do(firm, "paula", edit(receipt, name, "We sell VTI."))
    with pytest.raises(AccessError, match="made"):
        do(firm, "paula", Approve(receipt.object_id, receipt.version, receipt.sheet_hash))
    receipt = do(firm, "peter", Approve(receipt.object_id, receipt.version, receipt.sheet_hash))
    receipt = do(firm, "peter", edit(receipt, name, "We sell some VTI."))
    with pytest.raises(AccessError, match="made"):
        do(firm, "peter", Release(receipt.object_id, receipt.version, receipt.sheet_hash))
    assert do(firm, "tom", Release(receipt.object_id, receipt.version, receipt.sheet_hash)).state == "released"


def test_an_edit_that_nobody_verified_is_not_supported(firm):
    receipt, name = drafted(firm)
    receipt = do(firm, "ann", edit(receipt, name, "We sell.", report=None))
    with pytest.raises(DecisionError, match="client email"):
        do(firm, "ann", submit(receipt))


def test_a_report_of_another_text_or_of_other_facts_is_refused(firm):
    receipt, name = drafted(firm)
    with pytest.raises(ParameterError, match="another text"):
        do(firm, "ann", edit(receipt, name, "We sell.", report=report("We buy.")))
    other = Document("fact_sheet", "application/json", b"{}")
    with pytest.raises(ParameterError, match="other facts"):
        do(firm, "ann", edit(receipt, name, "We sell.", report=report("We sell.", facts=other)))
    letter = AddDraft(receipt.object_id, receipt.version, "letter", paper_cases.text(), TEMPLATE, facts=FACTS)
    with pytest.raises(ParameterError, match="go together"):
        do(firm, "nightly", letter)


def test_a_letter_of_other_trades_is_taken_off_with_them(firm):
    receipt, name = drafted(firm)
    summary = cases.proposal().summary
    revised = Revise(
        receipt.object_id, receipt.version, cases.package('{"other":1}'), None, summary, "tax", "less of it"
    )
    do(firm, "ann", revised)
    (letter,) = view(firm, receipt.object_id).drafts
    assert letter.discarded_at is not None
    receipt = replace(receipt, version=view(firm, receipt.object_id).version)
    with pytest.raises(DecisionError, match="no such draft"):
        do(firm, "ann", edit(receipt, name, "We sell."))


def test_who_may_not_edit_may_not_discard(firm):
    receipt, name = drafted(firm)
    for who in ("vera", "tom", "cleo", "nightly", "anton"):
        with pytest.raises(AccessError):
            do(firm, who, DiscardDraft(receipt.object_id, receipt.version, name, "gone"))
    with pytest.raises(ParameterError, match="reason"):
        do(firm, "ann", DiscardDraft(receipt.object_id, receipt.version, name, " "))

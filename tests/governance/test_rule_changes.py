"""A rulebook comes into force by two people of compliance, and what was checked by another starts anew."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from tests.governance.cases import RULES, approved, check, created, released, staff, submitted
from workbench.errors import AccessError, DecisionError, ParameterError, StaleError
from workbench.governance import rulebooks
from workbench.governance.access import Who
from workbench.governance.audit import verify_store
from workbench.governance.commands import Document
from workbench.governance.documents import hash_of
from workbench.governance.rule_changes import AdoptRules, ProposeRules
from workbench.governance.tables import approval, outbox, signal

PAGE = Document("rulebook", "text/markdown", b"# Change of rules")
FIRST, SECOND = "a" * 64, "b" * 64


def proposal(rules=FIRST, version=1, replaces=RULES, page=PAGE, **changed):
    text = Document("rulebook", "application/yaml", f"version: {version}".encode())
    return ProposeRules(text, page, rules, version, replaces, **{"reason": "Single names: 8 %", **changed})


def adopted(store, rules=FIRST, version=1, replaces=RULES, by=("cleo", "carl")):
    store.perform(Who(by[0]), proposal(rules, version, replaces), f"propose-{rules[:3]}")
    return store.perform(Who(by[1]), AdoptRules(rules, hash_of(PAGE)), f"adopt-{rules[:3]}")


def in_force(store):
    with store.reading() as connection:
        return rulebooks.in_force(connection)


def row(store, signal_id):
    with store.reading() as connection:
        return connection.execute(select(signal).where(signal.c.signal_id == signal_id)).one()


def test_two_people_put_a_rulebook_in_force_and_both_are_on_record(store) -> None:
    staff(store)
    assert in_force(store) is None
    store.perform(Who("cleo"), proposal(), "propose")
    with store.reading() as connection:
        (one,) = rulebooks.waiting(connection)
    assert (one.state, one.version, one.persons, one.reason) == ("proposed", 1, {"cleo"}, "Single names: 8 %")
    assert in_force(store) is None
    receipt = store.perform(Who("carl"), AdoptRules(FIRST, hash_of(PAGE), "Read with the committee."), "adopt")
    assert (receipt.state, receipt.object_id, receipt.also) == ("adopted", FIRST, ())
    now = in_force(store)
    assert (now.rules_hash, now.persons, now.replaces) == (FIRST, {"carl"}, RULES)
    with store.reading() as connection:
        assert rulebooks.waiting(connection) == ()
        assert [one.state for one in rulebooks.history(connection)] == ["proposed", "adopted"]
        assert {"rules.proposed", "alert.rules"} <= set(connection.execute(select(outbox.c.topic)).scalars())


def test_who_proposed_a_rulebook_never_adopts_it(store) -> None:
    staff(store)
    store.perform(Who("cleo"), proposal(), "one")
    with pytest.raises(AccessError) as refused:
        store.perform(Who("cleo"), AdoptRules(FIRST, hash_of(PAGE)), "two")
    assert refused.value.rule == "maker"
    store.perform(Who("carl"), proposal(), "three")  # the same rulebook again: now both have proposed it
    for name in ("cleo", "carl"):
        with pytest.raises(AccessError):
            store.perform(Who(name), AdoptRules(FIRST, hash_of(PAGE)), f"again-{name}")
    assert in_force(store) is None


@pytest.mark.parametrize("name", ["ann", "paula", "tom", "adam", "vera", "ada", "otto", "nightly"])
def test_only_compliance_proposes_and_adopts(store, name: str) -> None:
    staff(store)
    with pytest.raises(AccessError):
        store.perform(Who(name), proposal(), "propose")
    store.perform(Who("cleo"), proposal(), "propose-too")
    with pytest.raises(AccessError):
        store.perform(Who(name), AdoptRules(FIRST, hash_of(PAGE)), "adopt")
    assert in_force(store) is None


def test_signals_checked_by_another_rulebook_start_anew_and_those_that_left_do_not(store) -> None:
    staff(store)
    waits, passed, gone = submitted(store, 1), approved(store, 2), released(store, 3)
    receipt = adopted(store)
    assert set(receipt.also) == {waits.object_id, passed.object_id}
    for signal_id in receipt.also:
        now = row(store, signal_id)
        assert (now.state, now.rules_hash, now.preflight_hash, now.verdict) == ("draft", None, None, None)
    assert row(store, gone.object_id).state == "released"
    with store.reading() as connection:
        ended = connection.execute(select(approval).where(approval.c.signal_id == passed.object_id)).all()
    assert all(one.voided_at is not None and "rulebook" in one.void_reason for one in ended)


def test_a_preflight_by_another_rulebook_is_refused_from_then_on(store) -> None:
    staff(store)
    adopted(store)
    receipt = created(store)
    with pytest.raises(StaleError, match="is in force"):
        store.perform(Who("nightly"), check(receipt), "old")
    assert store.perform(Who("nightly"), check(receipt, rules=FIRST), "new").state == "checked"


def test_a_change_is_against_what_is_in_force_and_goes_forward(store) -> None:
    staff(store)
    adopted(store)
    with pytest.raises(StaleError, match="make the page anew"):
        store.perform(Who("cleo"), proposal(SECOND, 2, replaces=RULES), "other base")
    with pytest.raises(DecisionError, match="raise it"):
        store.perform(Who("cleo"), proposal(SECOND, 1, replaces=FIRST), "no new version")
    with pytest.raises(DecisionError, match="in force already"):
        store.perform(Who("cleo"), proposal(FIRST, 2, replaces=FIRST), "the same")
    adopted(store, SECOND, 2, FIRST, by=("carl", "cleo"))
    assert in_force(store).rules_hash == SECOND


def test_a_proposal_overtaken_by_another_adoption_waits_no_more(store) -> None:
    staff(store)
    store.perform(Who("cleo"), proposal(SECOND, 2), "slow")
    adopted(store)
    with pytest.raises(DecisionError, match="adopted since"):
        store.perform(Who("carl"), AdoptRules(SECOND, hash_of(PAGE)), "late")


def test_another_page_than_the_one_shown_is_stale(store) -> None:
    staff(store)
    store.perform(Who("cleo"), proposal(), "one")
    store.perform(Who("cleo"), proposal(page=replace(PAGE, body=b"# Another page")), "two")
    with pytest.raises(StaleError, match="another page"):
        store.perform(Who("carl"), AdoptRules(FIRST, hash_of(PAGE)), "three")


@pytest.mark.parametrize("changed", [{"reason": " "}, {"rules": "A" * 64}, {"rules": "a" * 63}, {"replaces": ""}])
def test_bad_proposals_name_what_is_wrong(store, changed: dict[str, str]) -> None:
    staff(store)
    with pytest.raises(ParameterError):
        store.perform(Who("cleo"), proposal(**changed), "bad")


def test_the_trail_stays_whole(store) -> None:
    staff(store, recorded=True)
    submitted(store, 1)
    adopted(store)
    assert verify_store(store.reading, (), ()).found == 0

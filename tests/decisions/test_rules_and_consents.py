"""The nightly run, after a client consented and after another rulebook was adopted."""

from __future__ import annotations

import shutil

import pytest
from sqlalchemy import select

from tests.governance import cases
from workbench.compliance import Rulebook
from workbench.errors import StaleError
from workbench.firm import open_at
from workbench.governance import AdoptRules, Consent, Document, ProposeRules, Who, open_store
from workbench.governance.documents import hash_of
from workbench.governance.tables import finding, signal
from workbench.signals import Checker, bring, check_again

#: One account that is not discretionary trades in this household, in the book of the staff's advisor.
HOUSEHOLD, ACCOUNT = "H00064", "A00142"


@pytest.fixture(scope="module")
def checker():
    return Checker(open_at("demo"))


@pytest.fixture
def brought(sqlite_template, tmp_path, checker):
    shutil.copy(sqlite_template, tmp_path / "decisions.db")
    store = cases.staff(open_store(f"sqlite:///{tmp_path / 'decisions.db'}"))
    bring(store, checker, Who("nightly"), households=[HOUSEHOLD])
    yield store
    store.engine.dispose()


def the_signal(store):
    with store.reading() as connection:
        return connection.execute(select(signal).where(signal.c.household_id == HOUSEHOLD)).one()


def blocked(store):
    with store.reading() as connection:
        rows = connection.execute(select(finding.c.rule_id, finding.c.verdict)).all()
    return {row.rule_id for row in rows if row.verdict in ("block", "not_assessable")}


def adopt(store, book, replaces):
    text, page = (
        Document("rulebook", "application/yaml", book.text.encode()),
        Document("rulebook", "text/markdown", b"#"),
    )
    store.perform(Who("cleo"), ProposeRules(text, page, book.hash, book.version, replaces.hash, "Why."), "propose")
    return store.perform(Who("carl"), AdoptRules(book.hash, hash_of(page)), "adopt")


def changed():
    return Rulebook.parse(Rulebook.default().text.replace("\nversion: 1\n", "\nversion: 2\n", 1))


def test_a_consent_counts_when_the_same_proposal_is_brought_again(brought, checker) -> None:
    assert "consent" in blocked(brought)
    now = the_signal(brought)
    brought.perform(Who("adam"), Consent(now.signal_id, now.version, ACCOUNT, "Mail of 28 December"), "consent")
    bring(brought, checker, Who("nightly"), households=[HOUSEHOLD])
    assert the_signal(brought).state == "checked"
    assert "consent" not in blocked(brought)


def test_after_an_adoption_signals_are_checked_by_the_rulebook_in_force(brought, checker) -> None:
    old, new = Rulebook.default(), changed()
    assert the_signal(brought).rules_hash == old.hash
    assert adopt(brought, new, old).also == (the_signal(brought).signal_id,)
    assert the_signal(brought).state == "draft"
    assert len(check_again(brought, checker, Who("nightly"))) == 1
    assert (the_signal(brought).state, the_signal(brought).rules_hash) == ("checked", new.hash)
    assert check_again(brought, checker, Who("nightly")) == ()


def test_a_checker_with_a_rulebook_of_its_own_is_refused_after_another_was_adopted(brought, checker) -> None:
    adopt(brought, changed(), Rulebook.default())
    own = Checker.__new__(Checker)
    own.firm, own.view, own.rulebook = checker.firm, checker.view, Rulebook.default()
    with pytest.raises(StaleError, match="is in force"):
        check_again(brought, own, Who("nightly"))

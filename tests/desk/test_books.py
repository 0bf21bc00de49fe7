"""Nothing of another's book gets out: by no page, filter, search, file, form, or difference between refusals."""

from __future__ import annotations

import itertools
import re

import pytest

from tests.desk.conftest import BLOCKED, PASSED
from tests.governance.cases import HOW
from workbench.governance.commands import AddDraft, Document, Export, Reject

#: In every text of the other book, so that one look at an answer is enough.
MARK = "zyzzyva"
#: What a query lets through is Python's to say; `tests/governance/test_books.py` asks both databases.
pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
#: One of each role that sees signals, in the first advisor's book only.
LIMITED = ("viewer", "advisor", "analyst", "portfolio_manager", "trader", "compliance", "auditor")
ACTS = ("submit", "approve", "return", "reject", "release", "withdraw", "override", "consent", "check", "revise")


@pytest.fixture
def two_books(house):
    """One signal here and, in each of some states, one elsewhere, whose every name holds the mark."""
    mine = house.signal("submitted", "H-0001", findings=(PASSED,))
    theirs = []
    for number, state in enumerate(("draft", "checked", "submitted", "approved", "released"), 2):
        findings = (BLOCKED,) if state == "checked" else (PASSED,)
        more = {"book": f"adv-{MARK}", "name": f"Household {MARK}", "findings": findings}
        theirs.append(house.signal(state, f"H-{MARK}-{number}", **more))
    text = Document("draft", "text/plain", f"Dear {MARK}".encode())
    house.do("nightly", AddDraft(theirs[0], house.row(theirs[0]).version, "note", text, HOW))
    house.do("nightly", Export(theirs[4], house.row(theirs[4]).version, "7" * 64))
    row = house.row(theirs[3])
    house.do("pat", Reject(theirs[3], row.version, "other", f"{MARK} wants something else"))
    with house.store.engine.begin() as connection:  # each role, held by somebody in the first book only
        for role in LIMITED:
            house._add(connection, f"one.{role}", f"One {role.title()}", "person", ((role, "adv-1"),))
    return mine, theirs


def addresses(house, mine, theirs):
    """Pages and files that lead to a signal, and every way to look for one."""
    own, other = (
        {one for one in (row.package_hash, row.preflight_hash, row.brief_hash, row.ticket_hash) if one}
        for row in (house.row(mine), house.row(theirs))
    )
    hashes = sorted(other - own)  # two signals may have one and the same document
    at = f"/signals/{theirs}"
    yield from (at, f"{at}/revise", *(f"{at}/confirm/{act}" for act in ACTS))
    yield from (f"{place}/{kind}/{one}" for place in (at, f"/signals/{mine}") for kind in ("documents", "pages")
                for one in hashes)  # fmt: skip


def searches(house, theirs):
    household = house.row(theirs).household_id
    words = (theirs, household, f"Household {MARK}", f"adv-{MARK}", MARK)
    names = ("text", "book", "household", "account", "model", "policy", "object_id", "actor", "q", "after", "rule")
    for place, name, word in itertools.product(("/queue", "/exceptions", "/audit"), names, words):
        yield f"{place}?{name}={word}", word


@pytest.mark.parametrize("role", LIMITED)
def test_who_holds_one_book_finds_nothing_of_another(house, two_books, role):
    mine, theirs = two_books
    browser = house.browser(f"one.{role}")
    hidden = [*theirs, *(house.row(one).sheet_hash for one in theirs), *(house.row(one).package_hash for one in theirs)]
    assert browser.get(f"/signals/{mine}").status_code == 200
    pages = ("/queue", "/queue?state=all", "/exceptions", "/exceptions?closed=1", "/audit", "/audit?outcome=done",
             "/audit?action=reject", "/measures", "/library", "/controls", "/me", "/people", f"/signals/{mine}",
             "/delegations")  # fmt: skip
    for address in pages:
        text = browser.get(address).text
        assert MARK not in text, address
        assert not [one for one in hidden if one in text], address
    for address, word in searches(house, theirs[2]):
        text = re.sub(re.escape(word), "", browser.get(address).text, flags=re.IGNORECASE)  # what was typed is shown
        assert MARK not in text, address
        assert not [one for one in hidden if one in text], address


@pytest.mark.parametrize("role", LIMITED)
def test_another_books_signal_and_none_are_refused_alike(house, two_books, role):
    mine, theirs = two_books
    browser = house.browser(f"one.{role}")
    for name in theirs:
        nobody = "signal-" + "0" * (len(name) - len("signal-"))
        for address in addresses(house, mine, name):
            there, nowhere = browser.get(address), browser.get(address.replace(name, nobody))
            assert there.status_code == nowhere.status_code != 200, address
            assert plain(there.text, name) == plain(nowhere.text, nobody), address


@pytest.mark.parametrize("role", LIMITED)
def test_another_books_signal_and_none_refuse_forms_alike(house, two_books, role):
    _, theirs = two_books
    browser = house.browser(f"one.{role}")
    page = browser.get("/me").text
    for name, act in itertools.product((theirs[1], theirs[2]), ACTS):
        nobody = "signal-" + "0" * (len(name) - len("signal-"))
        row, answers = house.row(name), []
        for target in (name, nobody):
            said = {**browser.fields("/sign-out", page), "version": row.version, "sheet_hash": row.sheet_hash}
            said |= {"reason": "because it is so", "reason_code": "other", "rule_id": "never_sell", "rule_version": "2"}
            answer = browser.client.post(
                f"/signals/{target}/{act}", data=said, headers={"origin": "http://localhost"}, follow_redirects=False
            )
            answers.append((answer.status_code, plain(answer.text, target)))
        assert answers[0] == answers[1], act
        assert MARK not in answers[0][1]
        assert house.row(name).version == row.version


def plain(text, name):
    """A page without what differs in every answer: the address asked for, and the forms' tokens and keys."""
    text = text.replace(name, "SIGNAL")
    return re.sub(r'value="[A-Za-z0-9_.-]{16,}"', "", re.sub(r"[0-9a-f]{8,}", "", text))

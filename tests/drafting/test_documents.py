"""The oracle that judges generated documents: sound drafts pass, and each kind of lie or hole is found."""

import random
from collections import Counter
from dataclasses import replace

import pytest

from benchmarks import drafting_documents as documents
from benchmarks import drafting_worlds as worlds
from benchmarks.drafting_oracle import faults_of_form
from benchmarks.drafting_recomputed import compared
from workbench.drafting.placeholders import Filled, fill
from workbench.drafting.verifying.verify import verify
from workbench.drafting.writer import written

#: Documents of each kind that are judged.
MOST = 4


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A few documents of each kind that one disturbed firm has, with their orders."""
    firm, found, blocked = worlds.world(1, tmp_path_factory.mktemp("documents") / "firm"), [], Counter()
    for make in (documents.household_orders, documents.alert_orders, documents.notice_orders):
        kinds = Counter()
        for order in make(1, firm, random.Random(1), blocked):
            kinds[order.kind] += 1
            if kinds[order.kind] <= MOST:
                found.append((order, fill(written(order.sheet, order.template, order.claims), order.sheet)))
            if len(kinds) == 3 and min(kinds.values()) >= MOST:
                break
            if make is documents.notice_orders and kinds.total() >= MOST:
                break
    assert not blocked
    return found


def second(order, filled):
    return list(compared(order, filled, Counter(), Counter()))


def changed(filled, old, new):
    """The text with words of the template's own put otherwise, its facts' places moved along."""
    at = filled.text.index(old)
    assert not any(start < at + len(old) and at < end for start, end, _ in filled.places)
    shift = len(new) - len(old)
    places = [(s + shift, e + shift, id) if s > at else (s, e, id) for s, e, id in filled.places]
    return Filled(filled.text[:at] + new + filled.text[at + len(old) :], tuple(places))


def test_every_document_is_sound_to_oracle_and_verifier(made):
    assert {order.kind for order, _ in made} >= {"client_email", "talking_points", "alert_firm", "notice"}
    for order, filled in made:
        assert not list(faults_of_form(filled, order.sheet)), order.sheet.key
        assert not second(order, filled), order.sheet.key
        assert not verify(filled.text, order.sheet).faults, order.sheet.key


def test_most_figures_are_worked_out_a_second_time(made):
    checked, said = Counter(), Counter()
    for order, filled in made:
        list(compared(order, filled, checked, said))
    assert checked.total() > 0.9 * said.total()


def test_a_fact_of_another_value_is_found(made):
    for order, filled in made:
        counted = next((f for f in order.sheet.facts if f.id in ("trades.count", "all.out", "book.accounts")), None)
        if counted is None or counted.id not in {id for _, _, id in filled.places}:
            continue
        facts = tuple(replace(f, value=f.value + 1) if f is counted else f for f in order.sheet.facts)
        lying = replace(order, sheet=replace(order.sheet, facts=facts))
        assert any(counted.id in fault for fault in second(lying, filled))


def test_a_figure_shown_otherwise_is_found(made):
    order, filled = next((o, f) for o, f in made if o.kind == "notice")
    start, end, id = next(place for place in filled.places if filled.text[place[0]] == "$")
    text = filled.text[:start] + filled.text[start:end].replace("$", "$1") + filled.text[end:]
    places = tuple((s + (s > start), e + (s >= start), i) for s, e, i in filled.places)
    assert any(id in fault for fault in faults_of_form(Filled(text, places), order.sheet))


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ("We reviewed 3 of your accounts", "outside a fact"),
        ("We reviewed three of your accounts", "outside a fact"),
        ("We reviewed with Peter your accounts", "the name 'Peter'"),
        ("We reviewed  your accounts", "two blanks"),
        ("We reviewed None your accounts", "a value that is none"),
        ("We reviewed your your accounts", "a word twice"),
        ("We reviewed the. Your accounts", "breaks off"),
        ("We reviewed your accounts ,", "a blank before a stop"),
    ],
)
def test_what_no_fact_says_and_holes_are_found(made, new, said):
    order, filled = next((o, f) for o, f in made if o.kind == "client_email")
    faults = list(faults_of_form(changed(filled, "We reviewed your accounts", new), order.sheet))
    assert any(said in fault for fault in faults), faults


def test_a_sale_told_as_a_purchase_is_found(made):
    for order, filled in made:
        if order.kind == "client_brief" and "- Sell " in filled.text:
            faults = list(faults_of_form(changed(filled, "- Sell ", "- Buy "), order.sheet))
            assert any("is sell" in fault for fault in faults)
            return
    pytest.fail("no brief sells anything")

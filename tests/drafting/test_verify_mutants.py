"""Nothing that is altered in a draft, in whichever way, passes the verifier; what people edit innocently does."""

import pytest

from benchmarks.drafting_mutants import edited
from benchmarks.drafting_mutations import KINDS, borne, mutants, reads_as
from tests.drafting import trade_list
from workbench.drafting.verifying import verify

DRAFT = trade_list.draft()
MUTANTS = [one for seed in range(2) for one in mutants(DRAFT, most=10, seed=seed)]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "moved_under_another_heading"])
def test_every_altered_draft_is_caught(kind):
    altered = [one for one in MUTANTS if one.kind == kind and not one.equivalent]
    assert altered
    missed = [one.text for one in altered if verify(one.text, DRAFT.sheet).supported]
    assert missed == []


def test_a_sentence_under_the_heading_of_another_entity_is_caught():
    skeleton = "# {f:us.name}\n\nIt is {f:us.over} overweight.\n\n# {f:intl.name}\n\nIt is {f:intl.over} underweight.\n"
    draft = trade_list.draft(skeleton)
    assert draft.report.supported
    moved = [one for one in mutants(draft) if one.kind == "moved_under_another_heading"]
    assert moved
    assert not any(one.equivalent or verify(one.text, draft.sheet).supported for one in moved)


@pytest.mark.parametrize(("kind", "text"), list(edited(DRAFT)), ids=lambda value: value.partition("\n")[0][:30])
def test_an_ordinary_edit_passes(kind, text):
    assert verify(text, DRAFT.sheet).faults == ()


def test_the_oracle_knows_rounding_units_and_other_facts():
    fact = DRAFT.sheet.fact("trade.1.amount")
    assert reads_as(fact, "$9.4 k")
    assert not reads_as(fact, "$9.4 m")
    assert not reads_as(fact, "9,358%")
    assert reads_as(DRAFT.sheet.fact("us.over"), "320 bp")
    assert borne(DRAFT.sheet, "48.1%", DRAFT.sheet.fact("us.before"), direction=("after",))
    assert not borne(DRAFT.sheet, "48.1%", DRAFT.sheet.fact("us.before"))

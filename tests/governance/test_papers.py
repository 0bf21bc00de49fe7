"""Papers on their way out: only what the verifier supports leaves, as it was shown, by another person's hand."""

from __future__ import annotations

import itertools
import json

import pytest
from sqlalchemy import insert, select, update

from tests.conftest import Clock
from tests.governance import cases, grid, paper_cases
from tests.governance.paper_cases import WORDS, bring, brought, edited, report, sha
from workbench.errors import AccessError, AuditError, DecisionError, ParameterError, StaleError
from workbench.governance.access import Who
from workbench.governance.audit import retention
from workbench.governance.audit.record import Entry
from workbench.governance.audit.verify import verify_store
from workbench.governance.commands import Document
from workbench.governance.drafts import HOW_IT_WAS_MADE
from workbench.governance.paper_commands import ReleasePaper, WithdrawPaper
from workbench.governance.paper_kinds import KINDS
from workbench.governance.store import open_store
from workbench.governance.tables import audit, outbox, paper, paper_edit, person, role_grant

MARKS, KINDS_BY_HAND = grid.on_papers(), grid.kinds_of_papers()


@pytest.fixture
def firm(store):
    return cases.staff(store)


def do(store, who, command, key=None):
    do.count = getattr(do, "count", 0) + 1
    return store.perform(Who(who), command, key or f"do-{do.count}")


def row_of(store, receipt):
    with store.reading() as connection:
        return connection.execute(select(paper).where(paper.c.paper_id == receipt.object_id)).one()


def last_record(store):
    with store.reading() as connection:
        return json.loads(connection.execute(select(audit.c.body).order_by(audit.c.sequence.desc())).scalars().first())


def test_a_paper_is_brought_released_and_every_hash_is_in_the_trail(firm):
    came = bring(firm)
    assert (came.state, came.version) == ("drafted", 1)
    receipt = do(firm, "cleo", ReleasePaper(came.object_id, 1, came.sheet_hash, "read in full"))
    row, said = row_of(firm, came), last_record(firm)
    assert (receipt.state, row.released_by) == ("released", "cleo")
    assert said["documents"]["text"] == sha(WORDS.encode())
    assert said["documents"]["fact_sheet"] == sha(paper_cases.FACTS.body)
    assert said["documents"]["verifier_report"] == sha(report().body)
    assert said["details"]["shown"] == came.sheet_hash
    assert said["details"]["record"] == {"writer": "template", "template": "client_email"}
    assert said["reason"] == "read in full"


def test_no_title_or_text_is_in_trail_or_outbox(firm):
    came = bring(firm, title="The Hartwell Family")
    do(firm, "ann", edited(came, "The Hartwells sell."))
    with firm.reading() as connection:
        told = [
            *connection.execute(select(audit.c.body)).scalars(),
            *connection.execute(select(outbox.c.body)).scalars(),
        ]
    assert not any("Hartwell" in one for one in told)


def test_a_model_says_how_it_wrote(firm):
    with pytest.raises(ParameterError, match="prompt, model"):
        bring(firm, record=(("writer", "model"),))
    made = tuple((name, Document(name, "text/plain", name.encode())) for name in HOW_IT_WAS_MADE)
    bring(firm, record=(("writer", "model"),), made=made)
    said = last_record(firm)
    assert {said["details"]["record"][name] for name in HOW_IT_WAS_MADE} == {sha(n.encode()) for n in HOW_IT_WAS_MADE}
    assert said["documents"]["prompt"] == sha(b"prompt")


def test_the_same_content_is_one_paper_and_another_takes_its_place(firm):
    first = bring(firm)
    again = do(firm, "nightly", brought())
    assert again.object_id == first.object_id
    newer = bring(firm, words="We propose nothing.")
    assert newer.also == (first.object_id,)
    assert row_of(firm, first).state == "superseded"
    back = do(firm, "nightly", brought())
    assert back.object_id not in (first.object_id, newer.object_id)
    assert bring(firm, key="H2", words=WORDS).also == ()


def test_what_people_withdrew_or_released_is_not_brought_again(firm):
    withdrawn, released = bring(firm, key="H1"), bring(firm, key="H2")
    do(firm, "ann", WithdrawPaper(withdrawn.object_id, 1, "the client asked for none"))
    do(firm, "cleo", ReleasePaper(released.object_id, 1, released.sheet_hash))
    assert do(firm, "nightly", brought(key="H1")).state == "withdrawn"
    assert do(firm, "nightly", brought(key="H2")).state == "released"
    newer = bring(firm, key="H2", words="Another text.")
    assert newer.also == ()
    assert row_of(firm, released).state == "released"


def test_an_edit_is_kept_with_its_distance_and_its_verdict(firm):
    came = bring(firm)
    other = "We suggest to sell $9,358 of VTI."
    changed = do(firm, "adam", edited(came, other))
    with firm.reading() as connection:
        kept = connection.execute(select(paper_edit)).one()
    assert (kept.edit_distance, kept.person_id, kept.supported, kept.version) == (1, "adam", 1, 2)
    assert (kept.before_hash, kept.after_hash) == (sha(WORDS.encode()), sha(other.encode()))
    assert changed.sheet_hash != came.sheet_hash
    released = do(firm, "cleo", ReleasePaper(came.object_id, 2, changed.sheet_hash))
    assert released.state == "released"
    with pytest.raises(ParameterError, match="change something"):
        do(firm, "ann", edited(bring(firm, key="H9"), WORDS))


@pytest.mark.parametrize("verdict", ["unsupported", "misbound", "wrong metric", "wrong direction", "fine"])
def test_anything_but_supported_blocks(firm, verdict):
    faulty = do(firm, "ann", edited(bring(firm), "We sell $9,999 of VTI.", verdict=verdict))
    with pytest.raises(DecisionError, match="does not support"):
        do(firm, "cleo", ReleasePaper(faulty.object_id, faulty.version, faulty.sheet_hash))
    came = bring(firm, key="H2", report=report(verdict=verdict))
    with pytest.raises(DecisionError, match="does not support"):
        do(firm, "cleo", ReleasePaper(came.object_id, 1, came.sheet_hash))
    mended = do(firm, "ann", edited(faulty, "We sell VTI."))
    assert do(firm, "cleo", ReleasePaper(mended.object_id, mended.version, mended.sheet_hash)).state == "released"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"report": report("Another text.")}, "of another text"),
        ({"report": report(facts=Document("fact_sheet", "application/json", b"{}"))}, "other facts"),
        ({"report": report(supported=False)}, "its spans do not"),
        ({"report": report(verdict="misbound", supported=True)}, "its spans do not"),
        ({"report": report(supported="yes")}, "its spans do not"),
        ({"report": report(spans="none")}, "lists no spans"),
        ({"report": report(spans=["supported"])}, "lists no spans"),
        ({"report": Document("verifier_report", "application/json", b"[]")}, "cannot be read"),
        ({"report": Document("verifier_report", "application/json", b"\xff")}, "cannot be read"),
        ({"report": Document("verifier_report", "application/json", b"[" * 100_000)}, "cannot be read"),
        ({"kind": "poem"}, "no kind of paper"),
        ({"facts": Document("brief", "text/html", paper_cases.FACTS.body)}, "of kind 'brief'"),
        ({"title": "x" * 501}, "the most"),
    ],
)
def test_a_report_is_believed_as_far_as_its_hashes_go(firm, changed, why):
    with pytest.raises(ParameterError, match=why):
        do(firm, "nightly", brought(**changed))
    with firm.reading() as connection:
        assert connection.execute(select(paper)).all() == []


def test_a_report_without_spans_is_of_a_text_that_states_nothing(firm):
    came = bring(firm, words="Nothing to do.", report=report("Nothing to do.", spans=[]))
    assert do(firm, "cleo", ReleasePaper(came.object_id, 1, came.sheet_hash)).state == "released"


def test_what_was_shown_is_what_is_released(firm):
    came = bring(firm)
    with pytest.raises(StaleError):
        do(firm, "cleo", ReleasePaper(came.object_id, 1, "0" * 64))
    changed = do(firm, "ann", edited(came, "We sell VTI."))
    with pytest.raises(StaleError):
        do(firm, "cleo", ReleasePaper(came.object_id, 1, came.sheet_hash))
    with pytest.raises(StaleError):
        do(firm, "ann", edited(came, "We keep VTI."))
    do(firm, "cleo", ReleasePaper(came.object_id, 2, changed.sheet_hash))
    with pytest.raises(StaleError):
        do(firm, "carl", ReleasePaper(came.object_id, 2, changed.sheet_hash))
    with pytest.raises(AccessError) as refused:
        do(firm, "carl", ReleasePaper(came.object_id, 3, changed.sheet_hash))
    assert refused.value.rule == "state"


def test_whoever_wrote_it_does_not_release_it(firm):
    came = do(firm, "paula", edited(bring(firm, "memo", key="2022Q4", book="*"), "We sold VTI."))
    with pytest.raises(AccessError) as refused:
        do(firm, "paula", ReleasePaper(came.object_id, came.version, came.sheet_hash))
    assert refused.value.rule == "maker"
    assert do(firm, "peter", ReleasePaper(came.object_id, came.version, came.sheet_hash)).state == "released"


def test_a_paper_of_another_book_is_not_told_from_none(firm):
    came = bring(firm, book="ADV2")
    said = set()
    for paper_id in (came.object_id, "paper-0"):
        with pytest.raises(AccessError) as refused:
            do(firm, "adam", WithdrawPaper(paper_id, 1, "not mine"))
        said.add((refused.value.rule, str(refused.value).replace(paper_id, "X")))
    assert len(said) == 1


def test_a_paper_changed_by_hand_is_found_and_not_released(firm):
    came = do(firm, "ann", edited(bring(firm), "We sell $1.", verdict="unsupported"))
    with firm.engine.begin() as connection:
        connection.execute(update(paper).values(supported=1))
    with pytest.raises(AuditError):
        do(firm, "cleo", ReleasePaper(came.object_id, came.version, came.sheet_hash))
    found = verify_store(firm.reading, (), ()).findings
    assert any("paper" in finding.problem for finding in found)
    assert do(firm, "ann", WithdrawPaper(came.object_id, came.version, "changed by hand")).state == "withdrawn"


def test_a_lie_in_table_and_trail_does_not_pass_the_kept_report(firm):
    """Who writes both still meets the verifier's report, which is kept by its hash."""
    came = do(firm, "ann", edited(bring(firm), "We sell $1.", verdict="unsupported"))
    with firm.writing() as unit:
        unit.examine("paper", came.object_id)
        unit.connection.execute(update(paper).values(supported=1))
        unit.append(Entry("edit_paper", "done", "paper", came.object_id, 2, "ann", "person", ("analyst",)))
    with pytest.raises(DecisionError, match="kept report"):
        do(firm, "cleo", ReleasePaper(came.object_id, came.version, came.sheet_hash))


def test_a_forged_report_does_not_pass_the_verifier_of_the_store(firm):
    """Whoever calls the store itself, with a report that lies, meets the verifier at the release."""
    asked = []
    firm.verifier = lambda *read: asked.append(read) or "it says '$1': no fact says so"
    came = bring(firm, words="We sell $1.", report=report("We sell $1."))
    with pytest.raises(DecisionError, match="whatever its report says: it says '\\$1'"):
        do(firm, "cleo", ReleasePaper(came.object_id, came.version, came.sheet_hash))
    assert asked == [(b"We sell $1.", paper_cases.FACTS.body, "client_email of H1")]
    assert row_of(firm, came).state == "drafted"
    firm.verifier = lambda *_: ""
    assert do(firm, "cleo", ReleasePaper(came.object_id, came.version, came.sheet_hash)).state == "released"


def test_a_superseded_paper_is_not_released(firm):
    first = bring(firm)
    second = bring(firm, words="We propose to sell $9,358 of VTI now.")
    row = row_of(firm, first)
    assert row.state == "superseded"
    with pytest.raises(AccessError):
        do(firm, "cleo", ReleasePaper(first.object_id, row.version, row.sheet_hash))
    with pytest.raises(StaleError):
        do(firm, "cleo", ReleasePaper(first.object_id, first.version, first.sheet_hash))
    assert do(firm, "cleo", ReleasePaper(second.object_id, 1, second.sheet_hash)).state == "released"


def test_an_open_paper_keeps_its_documents(firm):
    came = bring(firm)
    far = firm.clock().replace(year=2050)
    with firm.reading() as connection:
        kept = {one.kept_by for one in retention.due(connection, far)}
    assert kept == {f"paper {came.object_id}, which is not closed"}
    do(firm, "ann", WithdrawPaper(came.object_id, 1, "no longer needed"))
    with firm.reading() as connection:
        assert {one.kept_by for one in retention.due(connection, far)} == {None}


def test_the_kinds_are_those_on_the_page():
    assert {name: (set(kind.edited_by), set(kind.released_by)) for name, kind in KINDS.items()} == KINDS_BY_HAND


def command_of(act, kind, paper_id, version, sheet):
    return {
        "bring_paper": lambda: brought(kind, paper_id, words=f"New words for {paper_id}."),
        "edit_paper": lambda: paper_cases.EditPaper(
            paper_id, version, "Other words.", report("Other words."), "wording"
        ),
        "release_paper": lambda: ReleasePaper(paper_id, version, sheet),
        "withdraw_paper": lambda: WithdrawPaper(paper_id, version, "no longer needed"),
    }[act]()


def expected(role, act, state, kind, reached, own):
    mark = MARKS.get((role, act, state)) if reached else None
    if mark is None or (mark == "a" and own):
        return False
    edits, releases = KINDS_BY_HAND[kind]
    return mark == "y" or role in {"k": edits, "a": releases}[mark]


@pytest.mark.parametrize("role", grid.ROLES)
def test_every_cell_of_the_page_on_papers(role):
    """Role x act x state x kind x book x whether one wrote it: what is refused changes nothing, the rest is done."""
    quick = open_store("sqlite://", code_version="tested", clock=Clock())
    cases.staff(quick)
    people(quick, role)
    acts = sorted({act for _, act, _ in MARKS} - {"read_papers"})
    books = (("ADV1", True), ("ADV2", False), ("*", True))
    cells = [
        cell
        for cell in itertools.product(acts, grid.PAPER_STATES, KINDS, books, (False, True))
        if cell[0] in ("edit_paper", "release_paper") or cell[2] == "client_email"
    ]
    wrong, placed = [], {}  # a paper stands until an act on it is done
    for count, (act, state, kind, (held, reached), own) in enumerate(cells):
        who = f"{role}-{held}"
        place = (kind, state, who if own else None)
        if place not in placed:
            placed[place] = put(quick, f"P{count}", *place)
        try:
            do(quick, who, command_of(act, kind, *placed[place]))
            outcome = True
            del placed[place]
        except AccessError:
            outcome = False
        if outcome is not expected(role, act, state, kind, reached, own):
            wrong.append((role, act, state, kind, held, own, outcome))
    assert not wrong


def people(store, role):
    with store.writing() as unit:
        for book in ("ADV1", "ADV2", "*"):
            name, kind = f"{role}-{book}", "service" if role == "service" else "person"
            row = {"person_id": name, "name": name, "kind": kind, "active": 1, "created_at": unit.now}
            unit.connection.execute(insert(person), row)
            grant = {"grant_id": f"grant-{name}", "person_id": name, "role": role, "book": book}
            unit.connection.execute(insert(role_grant), {**grant, "granted_by": "otto", "granted_at": unit.now})


def put(store, key, kind, state, own):
    """Place a paper of book ADV1 in any state, by rows and with a record, edited by `own` if somebody."""
    came = do(store, "nightly", brought(kind, key, words=f"Words for {key}."))
    with store.writing() as unit:
        unit.examine("paper", came.object_id)
        unit.connection.execute(update(paper).where(paper.c.paper_id == came.object_id).values(state=state))
        if own:
            row = {"paper_id": came.object_id, "version": 0, "person_id": own, "reason_code": "wording"}
            row |= {name: "0" * 64 for name in ("before_hash", "after_hash", "report_hash")}
            row |= {"supported": 1, "edit_distance": 1, "length": 1, "at": unit.now}
            unit.connection.execute(insert(paper_edit), row)
        unit.append(Entry("edit_paper", "done", "paper", came.object_id, 1, "ann", "person", ("analyst",)))
    return came.object_id, 1, came.sheet_hash

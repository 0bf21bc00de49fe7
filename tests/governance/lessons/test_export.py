"""Decisions out of a real database: what is in the export, what never is, and that a changed file is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pandas as pd
import pytest
from sqlalchemy import select

from tests.governance import cases, paper_cases
from workbench.errors import AccessError, AuditError, PackageError, ParameterError
from workbench.governance.access import Actor, Grant, Who
from workbench.governance.commands import AddDraft, Document, EditDraft, Override, Reject, Return, Revise, Submit
from workbench.governance.lessons import frames
from workbench.governance.lessons.acceptance import acceptance, overrides
from workbench.governance.lessons.export import collect, export_decisions
from workbench.governance.lessons.frames import read_decisions
from workbench.governance.paper_commands import ReleasePaper
from workbench.governance.roles import Role
from workbench.governance.tables import draft

READER = Actor("ada", "Ada", "person", (Grant(Role.AUDITOR, "*", "own"),))
NAME = "Aurelia Quatermain"
UNTIL = datetime(2023, 6, 1, tzinfo=UTC)
HOSTILE = "'; DROP TABLE signal; -- <script>alert(1)</script>"


@pytest.fixture
def lived(store):
    """Five signals: released, rejected, overridden and released, revised, and one with an edited draft."""
    cases.staff(store)
    cases.released(store, 1, household_name=NAME)
    receipt = cases.submitted(store, 2, household_name=NAME)
    store.clock.advance(hours=2)
    store.perform(Who("paula"), Reject(receipt.object_id, receipt.version, "tax", HOSTILE), "reject-2")
    receipt = cases.checked(store, 3, findings=(cases.finding("weight", "block"),), household_name=NAME)
    reason = "Client's wish, on file."
    receipt = store.perform(
        Who("cleo"), Override(receipt.object_id, receipt.version, "weight", 1, reason), "override-3"
    )
    store.perform(Who("ann"), Submit(receipt.object_id, receipt.version, receipt.sheet_hash), "submit-3")
    receipt = cases.checked(store, 4, findings=(cases.finding("cash", "block"),), household_name=NAME)
    summary = cases.proposal(4).summary
    package = cases.package('{"household":"H4","revised":1}')
    changed = Revise(receipt.object_id, receipt.version, package, None, summary, "cost", "Less.")
    receipt = store.perform(Who("ann"), changed, "revise-4")
    store.perform(Who("nightly"), cases.check(receipt), "check-4b")
    receipt = cases.submitted(store, 5, household_name=NAME)
    store.perform(Who("paula"), Return(receipt.object_id, receipt.version, "wording", "Shorter."), "return-5")
    return store


def collected(store, until=UNTIL, **readers):
    with store.reading() as connection:
        return collect(connection, until, **readers)


def test_what_people_decided_is_there(lived):
    made = collected(lived)
    signals = made["signals"].set_index("signal_id")
    assert sorted(signals["outcome"]) == ["open", "open", "open", "rejected", "released"]
    (everything,) = acceptance(made).groups
    assert (everything.released.hits, everything.released.cases, everything.undecided) == (1, 2, 3)
    (row,) = overrides(made).to_dict("records")
    assert (row["rule_id"], row["role"], row["overridden"], row["people"]) == ("weight", "compliance", 1, 1)
    acts = made["decisions"]
    assert acts.loc[acts["action"] == "reject", "reason"].tolist() == [HOSTILE]
    assert acts.loc[acts["action"] == "reject", "role"].tolist() == ["portfolio_manager"]
    assert made["approvals"]["role"].tolist() == ["portfolio_manager"]


def test_times_are_those_of_the_trail(lived):
    signals = collected(lived)["signals"]
    rejected = signals[signals["outcome"] == "rejected"].iloc[0]
    assert rejected["closed_at"] - rejected["submitted_at"] == pd.Timedelta(hours=2)
    assert pd.isna(rejected["released_at"])


def test_what_came_later_is_not_in_it(lived):
    made = collected(lived, datetime(2022, 12, 28, 16, tzinfo=UTC))
    assert "rejected" not in set(made["signals"]["outcome"])
    assert collected(lived, datetime(2022, 12, 1, tzinfo=UTC))["signals"].empty


def test_findings_of_earlier_checks_are_counted_where_they_can_be_read(lived):
    without = collected(lived)
    assert "cash" not in set(without["findings"]["rule_id"])
    assert any("too high" in note for note in without.notes)

    def read_findings(body):
        for rule, verdict in eval(body.decode()):  # the tests' own pre-flights are a list written out
            yield {
                "rule_id": rule,
                "rule_version": 1,
                "verdict": verdict,
                "value": "1",
                "limit": "2",
                "overridable": True,
            }

    made = collected(lived, read_findings=read_findings)
    found = made["findings"].set_index("rule_id")
    assert found.loc["cash", "verdict"] == "block"
    assert not found.loc["cash", "overridden"]
    assert bool(found.loc["weight", "overridden"])


def test_a_document_that_cannot_be_read_is_counted_and_said(lived):
    def broken(body):
        raise PackageError("of another version")

    made = collected(lived, read_trades=broken, read_findings=broken)
    assert made["trades"].empty
    assert any("Trades of 6" in note for note in made.notes)
    assert set(made["findings"]["rule_id"]) == set(collected(lived)["findings"]["rule_id"])


def test_trades_are_those_first_proposed_and_those_revised(lived):
    def read_trades(body):
        yield {"security_id": body.decode(), "shares": 1.0, "price": 2.0, "cost": 0.0, "tax": 0.0}

    trades = collected(lived, read_trades=read_trades)["trades"]
    assert trades["made"].value_counts().to_dict() == {"proposed": 5, "final": 1}
    assert "revised" in trades.loc[trades["made"] == "final", "security_id"].iloc[0]


def test_neither_clients_names_nor_drafts_get_out(lived, tmp_path):
    receipt = cases.submitted(lived, 6, household_name=NAME)
    text = f"Dear {NAME}, we propose to sell what you hold too much of."
    command = AddDraft(
        receipt.object_id, receipt.version, "client note", Document("draft", "text/plain", text.encode()), cases.HOW
    )
    receipt = lived.perform(Who("nightly"), command, "draft-6")
    with lived.reading() as connection:
        name = connection.execute(select(draft.c.draft_id)).scalar_one()
    edited = EditDraft(receipt.object_id, receipt.version, name, text.replace("we propose to ", "we "), "wording")
    lived.perform(Who("ann"), edited, "edit-6")
    with lived.reading() as connection:
        made = export_decisions(connection, READER, tmp_path / "out", UNTIL)
    assert made["drafts"].to_dict("records")[0]["distance"] == 2
    everything = " ".join(table.to_csv() for table in made.frames.values())
    for word in (*NAME.split(), "H1", "Paula", "paula", "cleo", "too much of"):
        assert word not in everything, word


def edited_papers(store):
    """E-mails to four households of which three lose the same words, an edited memo, and one that nobody met."""
    for number in range(1, 5):
        words = f"Dear {NAME}, please do not hesitate to call. We propose to sell $9,358 of VTI."
        one = paper_cases.bring(store, key=f"H{number}", words=words)
        if number < 4:
            shorter = words.replace("please do not hesitate to call", "call")
            store.perform(Who("ann"), paper_cases.edited(one, shorter), f"edit-{number}")
        else:
            store.perform(Who("cleo"), ReleasePaper(one.object_id, one.version, one.sheet_hash), "release-4")
    memo = paper_cases.bring(store, "memo", "firm", "The firm has changed.", book="*", household_id=None)
    store.perform(Who("ann"), paper_cases.edited(memo, "The firm changed."), "edit-memo")
    paper_cases.bring(store, key="H9", words="Nobody read this.")


def test_papers_that_people_met_count_as_drafts_do(lived):
    before = collected(lived)
    edited_papers(lived)
    lived.clock.advance(hours=1)
    made = collected(lived, read_names=lambda body: [NAME])
    drafts = made["drafts"].iloc[len(before["drafts"]) :]
    assert sorted(drafts["kind"]) == ["client_email"] * 4 + ["memo"]
    assert int(drafts["edited"].sum()) == 4
    assert drafts["signal_id"].isna().all()
    acts = made["decisions"][made["decisions"]["action"] == "edit_paper"]
    assert (len(acts), set(acts["role"]), set(acts["reason_code"])) == (4, {"analyst"}, {"wording"})
    (phrase,) = made["phrases"].to_dict("records")
    assert phrase == {"phrase": "please do not hesitate to", "words": 5, "deleted_in": 3, "offered_in": 4}
    everything = " ".join(table.to_csv() for table in made.frames.values()).casefold()
    assert not [word for word in NAME.casefold().split() if word in everything]
    assert acceptance(made).groups[0] == acceptance(before).groups[0], "papers are no signals"


def test_papers_edited_later_and_names_that_nobody_reads(lived):
    until = lived.clock()
    lived.clock.advance(hours=1)
    edited_papers(lived)
    assert collected(lived, until=until)["drafts"].empty
    made = collected(lived)
    assert made["phrases"].empty, "no phrase gets out where names cannot be told"
    assert any("4 papers" in note for note in made.notes)


def test_an_export_reads_back_and_a_changed_file_is_refused(lived, tmp_path):
    with lived.reading() as connection:
        made = export_decisions(connection, READER, tmp_path / "out", UNTIL)
    back = read_decisions(tmp_path / "out")
    assert (back.hash, back.until, back.audit_hash, back.notes) == (made.hash, made.until, made.audit_hash, made.notes)
    for name in made.frames:
        pd.testing.assert_frame_equal(back[name], made[name])
    path = tmp_path / "out" / "signals.parquet"
    path.write_bytes(path.read_bytes()[:-9] + b"123456789")
    with pytest.raises(AuditError):
        read_decisions(tmp_path / "out")


def test_a_manifest_rewritten_to_fit_another_file_is_refused(lived, tmp_path):
    with lived.reading() as connection:
        export_decisions(connection, READER, tmp_path / "out", UNTIL)
    place = tmp_path / "out" / frames.MANIFEST
    said = json.loads(place.read_text())
    place.write_text(json.dumps({**said, "until": "2030-01-01T00:00:00.000000Z"}))
    with pytest.raises(AuditError):
        read_decisions(tmp_path / "out")


@pytest.mark.parametrize(
    "content", [None, "", "[]", '{"format": "other"}', '{"format": "workbench decisions", "version": 1}']
)
def test_a_folder_that_is_no_export_is_refused_with_what_to_do(tmp_path, content):
    if content is not None:
        (tmp_path / frames.MANIFEST).write_text(content)
    with pytest.raises(ParameterError, match="workbench signals decisions"):
        read_decisions(tmp_path)


def test_an_export_is_never_written_over(store, tmp_path):
    (tmp_path / "file").write_text("x")
    with store.reading() as connection, pytest.raises(ParameterError, match="not empty"):
        export_decisions(connection, READER, tmp_path, UNTIL)


@pytest.mark.parametrize(
    ("role", "book"), [(Role.VIEWER, "*"), (Role.ADVISOR, "ADV1"), (Role.ANALYST, "ADV1"), (Role.ADMINISTRATOR, "*")]
)
def test_an_export_takes_the_right_to_read_measures_in_all_books(store, tmp_path, role, book):
    reader = Actor("vera", "Vera", "person", (Grant(role, book, "own"),))
    with store.reading() as connection, pytest.raises(AccessError):
        export_decisions(connection, reader, tmp_path / "out", UNTIL)
    assert not (tmp_path / "out").exists()


def test_an_empty_database_is_an_empty_export(store, tmp_path):
    with store.reading() as connection:
        export_decisions(connection, READER, tmp_path / "out", UNTIL)
    assert all(frame.empty for frame in read_decisions(tmp_path / "out").frames.values())

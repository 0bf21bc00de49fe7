"""When checkpoints are taken, and what happens where none can be."""

from __future__ import annotations

import json
import logging

import pytest
from sqlalchemy import select, update

from benchmarks.governance_attacks import drop_triggers, fill
from tests.governance import cases, paper_cases
from workbench.errors import AccessError
from workbench.governance.access import Who
from workbench.governance.audit import Checkpoints, checkpoint, keys, verify_trail
from workbench.governance.audit.keeper import TakeCheckpoint, keep
from workbench.governance.database import transaction
from workbench.governance.paper_commands import ReleasePaper
from workbench.governance.tables import audit, outbox


@pytest.fixture
def kept(sqlite_store, tmp_path, key):
    """A staffed store whose trail is signed into a folder, every 20 records at the latest."""
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    store = sqlite_store
    cases.staff(store)
    keeper = keep(store, Checkpoints(folder, key.read_bytes(), every=20))
    return store, folder, keeper


def sizes(folder):
    return [checkpoint.read(folder / name).size for name in checkpoint.names(folder)]


def last(store):
    with store.reading() as connection:
        return connection.execute(select(audit).order_by(audit.c.sequence.desc()).limit(1)).one()


def test_a_release_is_signed_at_once(kept):
    store, folder, _ = kept
    cases.approved(store)
    assert sizes(folder) == []
    cases.released(store)
    assert sizes(folder) == [last(store).sequence]
    with store.reading() as connection:
        assert verify_trail(connection, folder, [keys.public_of(kept[2].checkpoints.key)]).whole


def test_the_release_of_a_paper_is_signed_at_once_and_its_edit_is_not(kept):
    store, folder, _ = kept
    paper = paper_cases.bring(store)
    paper = store.perform(Who("ann"), paper_cases.edited(paper, "We sell VTI."), "edit")
    assert sizes(folder) == []
    store.perform(Who("cleo"), ReleasePaper(paper.object_id, paper.version, paper.sheet_hash), "release")
    assert sizes(folder) == [last(store).sequence]


def test_at_the_latest_every_so_many_records_even_where_an_act_writes_several(kept):
    store, folder, _ = kept
    fill(store, 19)
    cases.created(store, 1)
    assert sizes(folder) == [20]
    fill(store, 25)
    cases.created(store, 2)
    assert sizes(folder) == [20, 46]


def test_on_command_by_who_may(kept):
    store, folder, _ = kept
    receipt = store.perform(Who("cleo"), TakeCheckpoint("End of the month."), "checkpoint-1")
    assert sizes(folder) == [receipt.sequence]
    store.perform(Who("nightly"), TakeCheckpoint("Every night."), "checkpoint-2")
    with pytest.raises(AccessError):
        store.perform(Who("tom"), TakeCheckpoint("I would like one."), "checkpoint-3")
    assert len(sizes(folder)) == 2


def broken_folder(store, folder):
    folder.rmdir()


def broken_trail(store, folder):
    with transaction(store.engine, "write") as connection:
        drop_triggers(connection)
        connection.execute(update(audit).where(audit.c.sequence == 2).values(actor="mallory"))


@pytest.mark.parametrize(("broken", "error"), [(broken_folder, "StoreError"), (broken_trail, "AuditError")])
def test_a_checkpoint_that_fails_undoes_no_release_and_raises_the_alarm(kept, caplog, broken, error):
    store, folder, _ = kept
    cases.approved(store)
    broken(store, folder)
    with caplog.at_level(logging.ERROR):
        receipt = cases.released(store)
    assert receipt.state == "released"
    said = json.loads(last(store).body)
    assert (said["action"], said["outcome"], said["details"]) == ("checkpoint", "refused", {"error": error})
    with store.reading() as connection:
        (message,) = connection.execute(select(outbox).where(outbox.c.topic == "audit.checkpoint_failed")).all()
    assert json.loads(message.body) == {"error": error}
    assert "no checkpoint was taken" in caplog.text


def test_the_next_release_tries_again_and_signs_the_failure_too(kept):
    store, folder, _ = kept
    cases.approved(store)
    folder.rmdir()
    cases.released(store)
    folder.mkdir()
    cases.released(store, 2)
    assert sizes(folder) == [last(store).sequence]


def test_where_not_even_the_alarm_can_be_written_the_release_stands_and_the_log_says_so(kept, caplog, monkeypatch):
    from workbench.errors import StoreError

    store, folder, keeper = kept
    cases.approved(store)
    folder.rmdir()
    after, writing = keeper.after, store.writing

    def gone():
        raise StoreError("the disk is full; free some space")

    def then_full(record):
        monkeypatch.setattr(store, "writing", gone)
        after(record)
        monkeypatch.setattr(store, "writing", writing)

    monkeypatch.setattr(keeper, "after", then_full)
    assert cases.released(store).state == "released"
    assert "was not recorded either" in caplog.text

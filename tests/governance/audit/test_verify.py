"""Verification against checkpoints: the five attacks and more, by the product and by the stand-alone verifier alike."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import delete, select, text, update

from benchmarks.governance_attacks import ATTACKS, attacked, attacks, drop_triggers, fill
from tests.governance.audit.conftest import AT, signed_trail
from workbench.canonical import canonical
from workbench.errors import AuditError, ParameterError, StoreError
from workbench.governance.audit import Checkpoints, checkpoint, keys, verify_trail
from workbench.governance.audit import verifier as alone
from workbench.governance.audit.record import START
from workbench.governance.database import transaction
from workbench.governance.store import open_store
from workbench.governance.tables import audit


def report(trail, *folders, keys=None):
    with trail.store.reading() as connection:
        return verify_trail(connection, folders or (trail.folder,), keys or [trail.public])


def kinds(found):
    return [one.attack for one in found.findings]


@pytest.fixture(scope="module")
def verifier(tmp_path_factory):
    """The stand-alone verifier in an empty folder, run without any installed package."""
    folder = tmp_path_factory.mktemp("alone")
    shutil.copy(alone.__file__, folder / "verifier.py")

    def run(*words):
        done = subprocess.run(
            [sys.executable, "-I", "-S", "verifier.py", *map(str, words)], cwd=folder, capture_output=True, text=True
        )
        return done.returncode, done.stdout + done.stderr

    return run


def both(trail, verifier, *folders, public=None):
    """The findings of both verifiers, which have to agree."""
    folders = folders or (trail.folder,)
    ours = report(trail, *folders, keys=[public or trail.public])
    words = [word for folder in folders for word in ("--checkpoints", folder)]
    code, said = verifier("--database", trail.database, *words, "--key", public or trail.public, "--json")
    theirs = json.loads(said)
    assert [(one.sequence, one.attack) for one in ours.findings] == [
        (one["sequence"], one["attack"]) for one in theirs["findings"]
    ]
    assert (ours.records, ours.covered, ours.head, ours.root) == tuple(
        theirs[name] for name in ("records", "covered", "head", "root")
    )
    assert code == (0 if ours.whole else 1)
    return ours


def change(trail, attack):
    """Attack for good, as somebody with every right on the database."""
    with transaction(trail.store.engine, "write") as connection:
        drop_triggers(connection)
        attack(connection)


# --- whole ---


def test_a_whole_trail_is_whole_and_what_is_not_covered_is_said(trail):
    fill(trail.store, 7)
    found = report(trail)
    assert found.whole
    assert (found.records, found.covered, found.checkpoints) == (207, 200, 4)
    assert any("Records 201 to 207 are not covered" in line for line in found.sentences)
    assert any("Records 1 to 200 are those that were signed" in line for line in found.sentences)
    found.check()


def test_an_empty_trail_is_whole_and_says_that_nothing_vouches_for_it(store, tmp_path, key):
    folder = tmp_path / "none"
    folder.mkdir()
    with store.reading() as connection:
        found = verify_trail(connection, folder, [keys.public_of(key.read_bytes())])
    assert found.whole
    assert found.records == 0
    assert "No checkpoint" in found.sentences[1]


def test_the_stand_alone_verifier_agrees_on_a_whole_trail(on_sqlite, verifier):
    fill(on_sqlite.store, 3)
    found = both(on_sqlite, verifier)
    assert found.whole
    code, said = verifier("--database", on_sqlite.database)
    assert code == 0
    assert "only their chain was checked" in said


# --- the five attacks ---


@pytest.mark.parametrize("name", ATTACKS)
def test_every_attack_is_caught_with_checkpoints(trail, name):
    found = attacked(trail.store, ATTACKS[name], lambda c: verify_trail(c, trail.folder, [trail.public]))
    assert kinds(found)[0] == name
    with pytest.raises(AuditError):
        found.check()


@pytest.mark.parametrize("name", ATTACKS)
def test_both_verifiers_say_the_same_of_every_attack(on_sqlite, verifier, name):
    change(on_sqlite, ATTACKS[name])
    assert kinds(both(on_sqlite, verifier))[0] == name


def test_a_chain_alone_misses_the_cut_tail_and_the_rewritten_hashes(on_sqlite):
    missed = [
        name
        for name, attack in ATTACKS.items()
        if attacked(on_sqlite.store, attack, lambda c: verify_trail(c, (), [])).whole
    ]
    assert missed == ["cut", "rewrite"]


def test_the_benchmark_names_them(postgres_url):
    said = attacks({"postgresql": postgres_url})
    assert (said["caught"], said["of"], said["chain_alone_misses"]) == (5, 5, ["cut", "rewrite"])
    assert set(said["databases"]) == {"sqlite", "postgresql"}


# --- further attacks on the records ---


def test_a_rewrite_from_the_first_record_is_another_trail(on_sqlite, verifier):
    def rewrite_all(connection):
        previous = START
        for row in connection.execute(select(audit).order_by(audit.c.sequence)).all():
            said = {**json.loads(row.body), "previous": previous, "reason": "nothing to see"}
            body = canonical(said)
            previous = keys.sha256(body)
            values = {"body": body.decode(), "hash": previous}
            connection.execute(update(audit).where(audit.c.sequence == row.sequence).values(values))

    change(on_sqlite, rewrite_all)
    found = both(on_sqlite, verifier)
    assert kinds(found) == ["another_trail", "rewrite"]
    assert found.covered == 0


def test_a_column_that_misleads_searches_is_found(on_sqlite, verifier):
    change(on_sqlite, lambda c: c.execute(update(audit).where(audit.c.sequence == 9).values(book="ADV9")))
    assert kinds(both(on_sqlite, verifier)) == ["copy"]


def test_insert_or_replace_is_refused_and_found_where_the_triggers_are_gone(on_sqlite, verifier):
    def replaced(connection):
        row = connection.execute(select(audit).where(audit.c.sequence == 50)).one()._asdict()
        said = {**json.loads(row["body"]), "actor": "mallory"}
        row.update(body=canonical(said).decode(), actor="mallory")
        names = ", ".join(f'"{name}"' for name in row)
        marks = ", ".join(f":{name}" for name in row)
        connection.execute(text(f"INSERT OR REPLACE INTO audit ({names}) VALUES ({marks})"), row)

    with pytest.raises(StoreError, match="append-only"), transaction(on_sqlite.store.engine, "write") as connection:
        replaced(connection)
    assert report(on_sqlite).whole
    change(on_sqlite, replaced)
    assert kinds(both(on_sqlite, verifier))[0] == "edit"


def test_a_table_built_anew_with_two_records_of_one_number_is_found(on_sqlite, monkeypatch):
    def doubled(connection):
        connection.execute(text("CREATE TABLE other AS SELECT * FROM audit"))
        connection.execute(text("DROP TABLE audit"))
        connection.execute(text("ALTER TABLE other RENAME TO audit"))
        connection.execute(text("INSERT INTO audit SELECT * FROM audit WHERE sequence = 50"))

    change(on_sqlite, doubled)
    assert "insert" in kinds(report(on_sqlite))
    monkeypatch.setattr("workbench.governance.audit.chain.PAGE", 50)  # the second of the two falls between two pages
    assert kinds(report(on_sqlite)) == ["insert"]


def test_the_trail_of_another_firm_is_not_taken_for_this_one(on_sqlite, tmp_path, key):
    other = open_store(f"sqlite:///{tmp_path / 'other.db'}", code_version="another firm")
    theirs = signed_trail(other, tmp_path / "theirs", key)
    with other.reading() as connection:
        found = verify_trail(connection, on_sqlite.folder, [on_sqlite.public])
    assert kinds(found) == ["another_trail", "rewrite"]
    assert kinds(report(on_sqlite, on_sqlite.folder, theirs.folder)).count("checkpoint_forged") == 4
    other.engine.dispose()


# --- attacks on the checkpoints ---


def resigned(trail, number, key=None, **changed):
    """Put a changed checkpoint in a checkpoint's place, signed with a key (None: the old signature stays)."""
    path = trail.folder / f"checkpoint-{number:08d}.json"
    one = replace(checkpoint.read(path), **changed)
    if key is not None:
        one = replace(one, signature=keys.sign(one.statement, key))
    path.unlink()
    path.write_bytes(one.file)


def test_a_changed_checkpoint_is_forged(on_sqlite, verifier):
    resigned(on_sqlite, 2, root="ab" * 32)
    assert kinds(both(on_sqlite, verifier)) == ["checkpoint_forged", "checkpoint_missing"]


def test_a_checkpoint_by_another_key_is_forged_even_under_the_name_of_the_right_one(on_sqlite, verifier, tmp_path):
    keys.new_key(tmp_path / "other.pem")
    resigned(on_sqlite, 4, key=(tmp_path / "other.pem").read_bytes())
    assert kinds(both(on_sqlite, verifier)) == ["checkpoint_forged"]
    public = keys.public_of((tmp_path / "other.pem").read_bytes())
    assert set(kinds(both(on_sqlite, verifier, public=public))) == {"checkpoint_forged", "checkpoint_missing"}


def test_an_attacker_who_rewrites_the_trail_and_signs_anew_with_their_own_key_is_found(on_sqlite, verifier, tmp_path):
    change(on_sqlite, ATTACKS["rewrite"])
    shutil.rmtree(on_sqlite.folder)
    on_sqlite.folder.mkdir()
    keys.new_key(tmp_path / "mallory.pem")
    Checkpoints(on_sqlite.folder, (tmp_path / "mallory.pem").read_bytes()).take(on_sqlite.store.reading, AT)
    assert kinds(both(on_sqlite, verifier)) == ["checkpoint_forged", "checkpoint_missing"]


def test_an_old_checkpoint_in_the_place_of_a_newer_one_is_replayed(on_sqlite, verifier):
    newest = on_sqlite.folder / "checkpoint-00000004.json"
    newest.unlink()
    shutil.copy(on_sqlite.folder / "checkpoint-00000003.json", newest)
    change(on_sqlite, lambda c: c.execute(delete(audit).where(audit.c.sequence > 150)))
    assert kinds(both(on_sqlite, verifier)) == ["checkpoint_replayed"]


def test_a_checkpoint_taken_away_in_the_middle_is_missed(on_sqlite, verifier):
    (on_sqlite.folder / "checkpoint-00000002.json").unlink()
    assert kinds(both(on_sqlite, verifier)) == ["checkpoint_missing"]


def test_all_checkpoints_taken_away_is_not_a_whole_trail(on_sqlite, verifier):
    for name in checkpoint.names(on_sqlite.folder):
        (on_sqlite.folder / name).unlink()
    assert kinds(both(on_sqlite, verifier)) == ["checkpoint_missing"]


def test_the_newest_checkpoint_and_the_tail_taken_together_are_missed_only_where_a_copy_lies_elsewhere(
    on_sqlite, verifier, tmp_path
):
    mailed = tmp_path / "mailed"
    shutil.copytree(on_sqlite.folder, mailed)
    (on_sqlite.folder / "checkpoint-00000004.json").unlink()
    change(on_sqlite, lambda c: c.execute(delete(audit).where(audit.c.sequence > 150)))
    assert both(on_sqlite, verifier).whole  # the limit: both places were in one hand
    assert kinds(both(on_sqlite, verifier, on_sqlite.folder, mailed)) == ["cut"]


def test_a_second_series_signed_by_the_same_key_is_found(on_sqlite, verifier, tmp_path):
    forked = tmp_path / "forked"
    forked.mkdir()
    fill(on_sqlite.store, 1)
    Checkpoints(forked, on_sqlite.checkpoints.key).take(on_sqlite.store.reading, AT)
    assert kinds(both(on_sqlite, verifier, on_sqlite.folder, forked)) == ["checkpoint_forged"]


def test_a_checkpoint_signed_by_the_key_that_does_not_follow_is_found(on_sqlite, verifier):
    resigned(on_sqlite, 4, key=on_sqlite.checkpoints.key, previous="cd" * 32)
    assert kinds(both(on_sqlite, verifier)) == ["checkpoint_forged"]
    resigned(on_sqlite, 3, key=on_sqlite.checkpoints.key, size=49, frontier=("ab" * 32,) * 3)
    assert kinds(both(on_sqlite, verifier))[0] == "checkpoint_forged"


@pytest.mark.parametrize("content", [b"", b"{}", b"[" * 90_000, b"\xff\xfe", b'{"signature":"","statement":{}}'])
def test_a_file_that_is_no_checkpoint_is_a_finding(on_sqlite, verifier, content):
    path = on_sqlite.folder / "checkpoint-00000004.json"
    path.unlink()
    path.write_bytes(content)
    assert kinds(both(on_sqlite, verifier)) == ["checkpoint_unreadable"]


# --- what is asked ---


def test_what_cannot_be_read_is_said(on_sqlite, verifier, tmp_path):
    with pytest.raises(ParameterError, match="64 hex digits"):
        report(on_sqlite, keys=["xyz"])
    with pytest.raises(StoreError, match="mount it"):
        report(on_sqlite, tmp_path / "nowhere")
    with pytest.raises(AuditError, match="cannot be read"):
        verify_trail(tmp_path / "nowhere.jsonl", (), [])
    assert verifier("--database", tmp_path / "nowhere.db")[0] == 2
    (tmp_path / "text.db").write_text("no database")
    assert verifier("--database", tmp_path / "text.db")[0] == 2
    assert verifier("--database", on_sqlite.database, "--checkpoints", on_sqlite.folder)[0] == 2
    assert verifier("--database", on_sqlite.database, "--key", "xyz")[0] == 2
    assert verifier()[0] == 2


def test_the_verifier_imports_nothing_of_the_house():
    source = Path(alone.__file__).read_text("utf-8")
    imported = {
        line.split()[1].partition(".")[0] for line in source.splitlines() if line.startswith(("import", "from"))
    }
    assert imported <= set(sys.stdlib_module_names)

"""Checkpoints: what is signed, where it goes, what is refused."""

from __future__ import annotations

import email
import json
import os
import shutil
import subprocess
from email.policy import default

import pytest
from sqlalchemy import delete, update

from benchmarks.governance_attacks import attacked, cut, drop_triggers, edit, fill, rewrite
from tests.governance.audit.conftest import AT
from workbench.canonical import canonical
from workbench.errors import AuditError, MissingToolError, ParameterError, StoreError
from workbench.governance.audit import Checkpoints, checkpoint, copies, keys, merkle
from workbench.governance.database import transaction
from workbench.governance.tables import audit


def test_a_checkpoint_says_what_the_trail_was_and_is_signed(trail):
    last = trail.checkpoints.last()
    with trail.store.reading() as connection:
        hashes = [bytes.fromhex(row.hash) for row in connection.execute(audit.select().order_by(audit.c.sequence))]
    assert (last.number, last.size, last.head) == (4, 200, hashes[-1].hex())
    assert last.root == merkle.root(hashes).hex()
    assert last.trail == hashes[0].hex()
    assert keys.signed_by(last.statement, last.signature, trail.public)
    before = checkpoint.read(trail.folder / "checkpoint-00000003.json")
    assert last.previous == before.hash


def test_nothing_new_needs_no_checkpoint_and_an_empty_trail_has_none(store, trail, tmp_path):
    assert trail.checkpoints.take(trail.store.reading, AT) is None
    assert len(checkpoint.names(trail.folder)) == 4
    with transaction(store.engine, "write") as connection:
        drop_triggers(connection)
        connection.execute(delete(audit))
    empty = tmp_path / "empty"
    empty.mkdir()
    assert Checkpoints(empty, trail.checkpoints.key).take(store.reading, AT) is None


def test_a_checkpoint_reads_only_what_is_new(on_sqlite, monkeypatch):
    read = []
    rows = checkpoint.chain.rows
    monkeypatch.setattr(
        checkpoint.chain, "rows", lambda c, after, upto: read.append((after, upto)) or rows(c, after, upto)
    )
    fill(on_sqlite.store, 3)
    assert on_sqlite.checkpoints.take(on_sqlite.store.reading, AT).size == 203
    assert read == [(200, 203)]


@pytest.mark.parametrize("attack", [cut, rewrite])
def test_a_trail_that_is_not_what_was_signed_is_not_signed_again(trail, attack):
    with transaction(trail.store.engine, "write") as connection:
        drop_triggers(connection)
        attack(connection)
    with pytest.raises(AuditError, match=r"cut|rewritten"):
        trail.checkpoints.take(trail.store.reading, AT)
    assert len(checkpoint.names(trail.folder)) == 4


def test_a_broken_record_since_the_last_checkpoint_is_not_signed(trail):
    fill(trail.store, 5)
    with transaction(trail.store.engine, "write") as connection:
        drop_triggers(connection)
        connection.execute(update(audit).where(audit.c.sequence == 203).values(actor="mallory"))
    with pytest.raises(AuditError, match="record 203 says actor"):
        trail.checkpoints.take(trail.store.reading, AT)


def test_two_processes_at_once_sign_one_series(on_sqlite, monkeypatch):
    fill(on_sqlite.store, 5)
    ours, theirs = on_sqlite.checkpoints, Checkpoints(on_sqlite.folder, on_sqlite.checkpoints.key)
    write, first = checkpoint.write_whole, []

    def raced(folder, name, content):
        if not first:
            first.append(name)
            theirs.take(on_sqlite.store.reading, AT)
            fill(on_sqlite.store, 2)
        return write(folder, name, content)

    monkeypatch.setattr(checkpoint, "write_whole", raced)
    assert ours.take(on_sqlite.store.reading, AT).number == 6
    assert [checkpoint.read(on_sqlite.folder / name).size for name in checkpoint.names(on_sqlite.folder)][-2:] == [
        205,
        207,
    ]


def test_a_checkpoint_is_never_written_over_and_leaves_nothing_half(tmp_path):
    checkpoint.write_whole(tmp_path, "a.json", b"first")
    with pytest.raises(FileExistsError):
        checkpoint.write_whole(tmp_path, "a.json", b"second")
    assert os.listdir(tmp_path) == ["a.json"]
    assert (tmp_path / "a.json").read_bytes() == b"first"


def test_a_folder_that_is_not_there_is_said_not_made(on_sqlite, tmp_path):
    fill(on_sqlite.store, 1)
    with pytest.raises(StoreError, match="mount it"):
        Checkpoints(tmp_path / "unmounted", on_sqlite.checkpoints.key).take(on_sqlite.store.reading, AT)
    with pytest.raises(StoreError, match="nothing of it was kept"):
        checkpoint.write_whole(tmp_path / "unmounted", "a.json", b"x")


def test_another_key_does_not_go_on_where_this_one_stopped(on_sqlite, tmp_path):
    other = tmp_path / "other.pem"
    keys.new_key(other)
    fill(on_sqlite.store, 1)
    changed = Checkpoints(on_sqlite.folder, other.read_bytes())
    with pytest.raises(AuditError, match="not signed by this key"):
        changed.take(on_sqlite.store.reading, AT)
    named = Checkpoints(on_sqlite.folder, other.read_bytes(), former=(on_sqlite.public,))
    assert named.take(on_sqlite.store.reading, AT).number == 5


def whole(trail):
    return json.loads((trail.folder / "checkpoint-00000001.json").read_bytes())


BROKEN = {
    "no JSON": lambda said: b"{",
    "a part missing": lambda said: canonical({"statement": said["statement"]}),
    "another format": lambda said: canonical({**said, "statement": {**said["statement"], "format": "x"}}),
    "a field more": lambda said: canonical({**said, "statement": {**said["statement"], "note": "x"}}),
    "a size of text": lambda said: canonical({**said, "statement": {**said["statement"], "size": "50"}}),
    "a size of nothing": lambda said: canonical({**said, "statement": {**said["statement"], "size": 0}}),
    "a root that is none": lambda said: canonical({**said, "statement": {**said["statement"], "root": "zz"}}),
    "a frontier of another size": lambda said: canonical({**said, "statement": {**said["statement"], "frontier": []}}),
    "not canonical": lambda said: json.dumps(said).encode(),
    "a list": lambda said: b"[]",
    "nested without end": lambda said: b"[" * 90_000,
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN)
def test_a_file_that_is_no_checkpoint_is_named(on_sqlite, tmp_path, change):
    path = tmp_path / "checkpoint-00000001.json"
    path.write_bytes(change(whole(on_sqlite)))
    with pytest.raises(AuditError, match=r"checkpoint-00000001\.json is not a checkpoint"):
        checkpoint.read(path)


def test_a_key_is_written_once_and_only_for_its_owner(tmp_path):
    path = tmp_path / "audit.pem"
    public = keys.new_key(path)
    assert keys.public_of(path.read_bytes()) == public
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(ParameterError, match="never written over"):
        keys.new_key(path)
    with pytest.raises(ParameterError, match="cannot be written"):
        keys.new_key(tmp_path / "missing" / "audit.pem")
    for text in (b"", b"-----BEGIN PRIVATE KEY-----"):
        with pytest.raises(ParameterError, match="private key in PEM"):
            keys.public_of(text)
    for text in ("", "zz" * 32, "ab" * 31):
        with pytest.raises(ParameterError, match="64 hex digits"):
            keys.checked(text)


def test_a_signature_for_something_else_is_no_checkpoint(on_sqlite):
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    last = on_sqlite.checkpoints.last()
    bare = load_pem_private_key(on_sqlite.checkpoints.key, None).sign(last.statement).hex()
    assert not keys.signed_by(last.statement, bare, on_sqlite.public)
    assert not keys.signed_by(last.statement, "no hex", on_sqlite.public)


def test_copies_go_to_a_repository_and_into_mails(on_sqlite, tmp_path):
    repository, outgoing = tmp_path / "repository", tmp_path / "outgoing"
    outgoing.mkdir()
    subprocess.run(["git", "init", "--quiet", str(repository)], check=True)
    both = (copies.to_git(repository), copies.to_mail(outgoing, "desk@example.com", ["audit@example.com"]))
    fill(on_sqlite.store, 2)
    made = Checkpoints(on_sqlite.folder, on_sqlite.checkpoints.key, copies=both).take(on_sqlite.store.reading, AT)
    shown = subprocess.run(
        ["git", "-C", str(repository), "show", f"HEAD:{made.name}"], check=True, capture_output=True
    ).stdout
    assert shown == made.file == (on_sqlite.folder / made.name).read_bytes()
    mail = email.message_from_bytes((outgoing / "checkpoint-00000005.eml").read_bytes(), policy=default)
    (attached,) = mail.iter_attachments()
    assert attached.get_content() == made.file
    assert made.root in mail.get_body().get_content()


def test_a_copy_that_fails_is_said_and_the_checkpoint_stands(on_sqlite, tmp_path, monkeypatch):
    fill(on_sqlite.store, 2)
    no_repository = copies.to_git(tmp_path)
    with pytest.raises(StoreError, match="was not committed"):
        Checkpoints(on_sqlite.folder, on_sqlite.checkpoints.key, copies=(no_repository,)).take(
            on_sqlite.store.reading, AT
        )
    assert on_sqlite.checkpoints.last().number == 5
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / on_sqlite.checkpoints.last().name).unlink()
    with pytest.raises(MissingToolError, match="git is not installed"):
        no_repository(on_sqlite.checkpoints.last())


def test_a_time_stamp_is_asked_for_and_judged_by_openssl(on_sqlite, tmp_path):
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    authority = tmp_path / "authority"
    authority.mkdir()

    def openssl(*words):
        return subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=authority).stdout

    (authority / "tsa.cnf").write_text(
        "[req]\ndistinguished_name=dn\n[dn]\n[tsa]\nextendedKeyUsage=critical,timeStamping\n[conf]\ndefault_tsa=one\n"
        "[one]\nserial=serial\nsigner_digest=sha256\ndefault_policy=1.2.3.4.1\ndigests=sha256\n"
        "ess_cert_id_alg=sha256\ncrypto_device=builtin\n[tsa_default]\n"
    )
    (authority / "serial").write_text("01")
    openssl(
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-days", "2",
        "-subj", "/CN=authority", "-config", "tsa.cnf", "-extensions", "tsa",
    )  # fmt: skip

    def ask(query):
        (authority / "q.tsq").write_bytes(query)
        openssl(
            "ts", "-reply", "-config", "tsa.cnf", "-section", "one", "-queryfile", "q.tsq", "-signer", "cert.pem",
            "-inkey", "key.pem", "-out", "r.tsr",
        )  # fmt: skip
        return (authority / "r.tsr").read_bytes()

    fill(on_sqlite.store, 1)
    stamped = Checkpoints(on_sqlite.folder, on_sqlite.checkpoints.key, copies=(copies.to_stamp(on_sqlite.folder, ask),))
    made = on_sqlite.folder / stamped.take(on_sqlite.store.reading, AT).name
    said = openssl(
        "ts", "-verify", "-data", str(made), "-in", str(made.with_suffix(".tsr")), "-CAfile", "cert.pem", "-untrusted",
        "cert.pem",
    )  # fmt: skip
    assert b"OK" in said
    assert len(checkpoint.names(on_sqlite.folder)) == 5  # what lies beside is not taken for a checkpoint


def test_the_attacks_are_undone_after_they_were_judged(trail):
    changed = attacked(trail.store, edit, lambda c: c.execute(audit.select().where(audit.c.actor == "mallory")).all())
    assert len(changed) == 1
    with trail.store.reading() as connection:
        assert not connection.execute(audit.select().where(audit.c.actor == "mallory")).all()


@pytest.mark.parametrize("wrong", [{"every": 0}, {"key": b"no key"}])
def test_checkpoints_without_a_key_or_a_number_are_refused_before_they_are_needed(tmp_path, key, wrong):
    with pytest.raises(ParameterError):
        Checkpoints(**{"folder": tmp_path, "key": key.read_bytes(), **wrong})

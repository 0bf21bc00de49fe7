"""The audit trail from the command line: signed, verified, exported, proved, held, disposed of; all exit codes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from tests.governance import cases
from workbench.cli import main
from workbench.governance import open_store
from workbench.governance.access import Who
from workbench.governance.audit import keys
from workbench.governance.audit import retention as rules
from workbench.governance.commands import Reject
from workbench.governance.passwords import hash_password
from workbench.governance.store import now

PASSWORD = "a fairly long password"
WHY = "Counsel asked for everything about it."


def run(*words, expect=0):
    answer = CliRunner().invoke(main, ["audit", *map(str, words)], env={"WORKBENCH_PASSWORD": PASSWORD})
    assert answer.exit_code == expect, (answer.exit_code, answer.output)
    return answer.output


@pytest.fixture
def place(sqlite_template, tmp_path):
    """A database of seven years ago with a rejected signal, a key and an empty folder of checkpoints."""
    shutil.copy(sqlite_template, tmp_path / "decisions.db")
    (tmp_path / "checkpoints").mkdir()
    store = open_store(f"sqlite:///{tmp_path / 'decisions.db'}", clock=lambda: now() - timedelta(days=366 * 7))
    cases.staff(store, recorded=True, password_hash=hash_password(PASSWORD))
    receipt = cases.submitted(store)
    store.perform(Who("peter"), Reject(receipt.object_id, receipt.version, "client_wish", "Not now."), "reject")
    store.engine.dispose()
    return tmp_path


@pytest.fixture
def url(place):
    return f"sqlite:///{place / 'decisions.db'}"


@pytest.fixture
def signed(place, url):
    """The public key, after a checkpoint was taken."""
    public = run("key", place / "audit.pem").strip()
    run("checkpoint", "--database", url, *where(place), "--key", place / "audit.pem", "--as", "nightly")
    return public


def where(place):
    return "--checkpoints", place / "checkpoints"


def by_hand(place, *statements):
    store = open_store(f"sqlite:///{place / 'decisions.db'}")
    with store.engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    store.engine.dispose()


def test_a_key_is_made_once_and_said_again(tmp_path):
    first = run("key", tmp_path / "audit.pem").strip()
    assert len(bytes.fromhex(first)) == 32
    assert run("key", tmp_path / "audit.pem").strip() == first
    (tmp_path / "other.pem").write_text("no key")
    assert "not a private key" in run("key", tmp_path / "other.pem", expect=2)


def test_a_checkpoint_needs_folder_and_key(place, url):
    assert "--key" in run("checkpoint", "--database", url, *where(place), expect=2)
    keys.new_key(place / "audit.pem")
    nowhere = ("--checkpoints", place / "nowhere", "--key", place / "audit.pem")
    assert "mount it" in run("checkpoint", "--database", url, *nowhere, expect=2)


def test_only_a_service_takes_checkpoints_without_a_password(place, url):
    keys.new_key(place / "audit.pem")
    answer = run("checkpoint", "--database", url, *where(place), "--key", place / "audit.pem", "--as", "vera", expect=2)
    assert "service account" in answer
    assert not list((place / "checkpoints").iterdir())


def test_a_sound_database_verifies(place, url, signed):
    answer = run("verify", "--database", url, *where(place), "--public-key", signed)
    assert "Records 1 to" in answer
    assert "signals, people and settings were compared" in answer
    assert "Nothing was found" in answer


def test_a_signal_changed_by_hand_exits_with_6_and_is_named(place, url, signed):
    by_hand(place, "UPDATE signal SET state = 'released'")
    answer = run("verify", "--database", url, *where(place), "--public-key", signed, expect=6)
    assert "state is 'released', the record says 'rejected'" in answer


def test_a_forged_checkpoint_and_another_key_exit_with_6(place, url, signed):
    other = keys.new_key(place / "other.pem")
    answer = run("verify", "--database", url, *where(place), "--public-key", other, expect=6)
    assert "not among those given" in answer


def test_verify_says_what_is_missing_among_the_options(place, url):
    assert "--public-key" in run("verify", "--database", url, *where(place), expect=2)
    assert "public key" in run("verify", "--database", url, *where(place), "--public-key", "xyz", expect=2)
    assert "--export" in run("verify", "--database", url, "--through", 3, expect=2)


def test_an_export_is_verified_here_and_by_the_verifier_alone(place, url, signed):
    out = place / "trail"
    run("export", "--database", url, "--out", out, "--as", "ada", "--reason", "Examination.", *where(place))
    answer = run("verify", "--export", out / "records.jsonl", *where(place), "--public-key", signed)
    assert "Nothing was found" in answer
    run("verifier", place / "check.py")
    words = ["--export", out / "records.jsonl", "--checkpoints", out / "checkpoints", "--key", signed]
    assert alone(place, *words)[0] == 0
    assert "exists" in run("verifier", place / "check.py", expect=2)
    again = ("export", "--database", url, "--out", out, "--as", "ada", "--reason", "Examination.")
    assert "exists" in run(*again, expect=2)


def alone(place, *words):
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(place / "check.py"), *map(str, words)], capture_output=True, text=True
    )
    return done.returncode, done.stdout + done.stderr


def test_one_record_is_proved_without_the_others(place, url, signed):
    proof = place / "proof.json"
    options = ("--database", url, *where(place), "--public-key", signed)
    run("prove", 3, *options, "--out", proof)
    run("verifier", place / "check.py")
    code, said = alone(place, "--proof", proof, "--key", signed)
    assert code == 0
    assert "Record 3 is one of the" in said
    assert '"sequence":3' in said
    assert "exists" in run("prove", 3, *options, "--out", proof, expect=2)
    assert "covers records 1 to" in run("prove", 99, *options, "--out", place / "p.json", expect=2)
    made = json.loads(proof.read_text())
    for name, value in (
        ("record", made["record"].replace("manage_people", "release")),
        ("path", made["path"][:-1]),
        ("path", ["0" * 64, *made["path"][1:]]),
        ("sequence", 2),
        ("checkpoint", made["checkpoint"].replace('"size":', '"size":1')),
    ):
        (place / "forged.json").write_text(json.dumps({**made, name: value}, sort_keys=True, separators=(",", ":")))
        assert alone(place, "--proof", place / "forged.json", "--key", signed)[0] == 1, name
    other = keys.new_key(place / "other.pem")
    assert alone(place, "--proof", proof, "--key", other)[0] == 1
    assert alone(place, "--proof", proof)[0] == 2
    assert alone(place, "--proof", place / "none.json", "--key", signed)[0] == 2


def test_no_proof_is_made_of_records_that_were_changed(place, url, signed):
    by_hand(place, "DROP TRIGGER audit_no_update", "UPDATE audit SET body = replace(body, 'Not now.', 'Sell all')")
    options = ("--database", url, *where(place), "--public-key", signed)
    run("prove", 3, *options, "--out", place / "proof.json", expect=6)
    assert not (place / "proof.json").exists()


def test_holds_are_placed_and_lifted_by_different_people(place, url):
    by = ("--database", url, "--reason", WHY)
    name = run("hold", "household", "H1", *by, "--as", "cleo").split(":")[0]
    assert "somebody else" in run("lift", name, *by, "--as", "cleo", expect=2)
    run("lift", name, *by, "--as", "carl")
    assert "20 characters" in run(
        "hold", "household", "H1", "--database", url, "--reason", "x", "--as", "cleo", expect=2
    )
    assert "roles" in run("hold", "household", "H1", *by, "--as", "vera", expect=2)


def test_what_is_due_is_listed_and_disposed_of(place, url):
    held = run("hold", "everything", "*", "--database", url, "--reason", WHY, "--as", "cleo").split(":")[0]
    assert "hold on everything" in run("due", "--database", url)
    run("lift", held, "--database", url, "--reason", WHY, "--as", "carl")
    listed = run("due", "--database", url)
    assert "may go" in listed
    name = listed.split()[0]
    long = place / "long.yml"
    shipped = Path(rules.__file__).with_name("retention.yml").read_text()
    long.write_text(shipped.replace("years: 5", "years: 50").replace("years: 7", "years: 50"))
    assert "not due" in run("dispose", name, "--database", url, "--retention", long, "--as", "nightly", expect=2)
    assert "--all-due" in run("dispose", "--database", url, "--as", "nightly", expect=2)
    run("dispose", name, "--database", url, "--as", "nightly")
    answer = run("dispose", "--all-due", "--database", url, "--as", "nightly")
    assert "disposed of" in answer
    assert "may go" not in run("due", "--database", url).split("documents are")[0]


def test_a_wrong_password_is_refused(place, url):
    answer = CliRunner().invoke(
        main,
        ["audit", "export", "--database", url, "--out", str(place / "t"), "--as", "ada", "--reason", "x"],
        env={"WORKBENCH_PASSWORD": "not it"},
    )
    assert answer.exit_code == 2
    assert not (place / "t").exists()

"""Exports: the exact bytes, a table that runs nothing, and a folder that verifies by itself."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import subprocess
import sys
import tracemalloc

import pytest
from sqlalchemy import select, text

from benchmarks.governance_attacks import drop_triggers, fill
from tests.governance import cases
from workbench.errors import AccessError, ParameterError, StoreError
from workbench.governance.access import Who
from workbench.governance.audit import chain, verify_trail
from workbench.governance.audit.export import export
from workbench.governance.audit.keeper import keep
from workbench.governance.audit.record import Entry
from workbench.governance.database import transaction
from workbench.governance.tables import audit


def with_people(trail):
    cases.staff(trail.store)
    keep(trail.store, trail.checkpoints)
    return trail


@pytest.fixture
def staffed(on_sqlite):
    return with_people(on_sqlite)


@pytest.fixture
def on_each(trail):
    return with_people(trail)


def taken(trail, folder, who="ada", **given):
    words = {
        "reason": "The yearly examination.",
        "key": f"export-{folder.name}",
        "checkpoints": (trail.folder,),
        **given,
    }
    return export(trail.store, Who(who), folder, **words)


def bodies(store):
    with store.reading() as connection:
        return list(connection.execute(select(audit.c.body).order_by(audit.c.sequence)).scalars())


def test_an_export_is_the_exact_bytes_up_to_its_own_record_and_verifies(on_each, tmp_path):
    made = taken(on_each, tmp_path / "out")
    assert (made.first, made.last, made.records) == (1, 201, 201)
    lines = (made.folder / "records.jsonl").read_text("utf-8").splitlines()
    assert lines == bodies(on_each.store)
    assert json.loads(lines[-1])["action"] == "export_audit"
    found = verify_trail(made.folder / "records.jsonl", made.folder / "checkpoints", [on_each.public])
    assert found.whole
    assert (found.records, found.covered) == (201, 201)  # its own record was signed at once


def test_the_folder_verifies_with_what_lies_in_it_alone(staffed, tmp_path):
    made = taken(staffed, tmp_path / "out")
    command = [sys.executable, "-I", "-S", "verifier.py", "--export", "records.jsonl", "--checkpoints", "checkpoints"]
    done = subprocess.run([*command, "--key", staffed.public], cwd=made.folder, capture_output=True, text=True)
    assert (done.returncode, "Records 1 to 201 are those that were signed" in done.stdout) == (0, True)
    records = made.folder / "records.jsonl"
    records.chmod(0o644)
    records.write_bytes(records.read_bytes().replace(b'"person-3"', b'"person-4"', 1))
    done = subprocess.run([*command, "--key", staffed.public], cwd=made.folder, capture_output=True, text=True)
    assert (done.returncode, "FOUND (edit)" in done.stdout) == (1, True)


def test_the_manifest_names_every_file_by_hash(staffed, tmp_path):
    made = taken(staffed, tmp_path / "out")
    body = (made.folder / "manifest.json").read_bytes()
    assert hashlib.sha256(body).hexdigest() == made.sha256
    said = json.loads(body)
    found = {str(p.relative_to(made.folder)) for p in made.folder.rglob("*") if p.is_file()} - {"manifest.json"}
    assert set(said["files"]) == found
    for name, measured in said["files"].items():
        content = (made.folder / name).read_bytes()
        assert measured == {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    assert said["recorded_as"] == 201


def test_an_excerpt_verifies_as_far_as_it_goes(staffed, tmp_path):
    made = taken(staffed, tmp_path / "out", first=61, last=160)
    records, checkpoints = made.folder / "records.jsonl", made.folder / "checkpoints"
    found = verify_trail(records, checkpoints, [staffed.public], through=160)
    assert found.whole
    assert (found.first, found.records, found.covered) == (61, 100, 150)
    assert verify_trail(records, staffed.folder, [staffed.public], through=160).whole
    assert [one.attack for one in verify_trail(records, staffed.folder, [staffed.public]).findings] == ["cut"]
    assert not verify_trail(records, checkpoints, [staffed.public], through=161).whole


def test_a_cell_that_would_run_in_a_spreadsheet_does_not(staffed, tmp_path):
    hostile = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", 'a,"b"\nc', "<script>"]
    with staffed.store.writing() as unit:
        for number, reason in enumerate(hostile):
            unit.append(Entry("note", "done", "=cmd", f"x{number}", 1, "@ann", "person", ("trader",), reason=reason))
    made = taken(staffed, tmp_path / "out")
    with (made.folder / "records.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == made.records
    got = [row["reason"] for row in rows[200:208]]
    assert got == ["'" + text if text[0] in "=+-@\t\r" else text for text in hostile]
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert rows[200]["object_kind"] == "'=cmd"


def test_who_may_not_export_gets_nothing_and_leaves_a_record(staffed, tmp_path):
    for who in ("paula", "otto", "vera", "nightly"):
        with pytest.raises(AccessError):
            taken(staffed, tmp_path / who, who=who)
    assert not [name for name in os.listdir(tmp_path) if name in ("paula", "otto", "vera", "nightly")]
    assert [json.loads(body)["outcome"] for body in bodies(staffed.store)[-4:]] == ["refused"] * 4


@pytest.mark.parametrize("wrong", [{"first": 0}, {"first": 5, "last": 4}, {"last": 500}, {"reason": " "}])
def test_a_range_that_is_none_or_no_reason_is_refused(staffed, tmp_path, wrong):
    with pytest.raises(ParameterError):
        taken(staffed, tmp_path / "out", **wrong)
    assert not (tmp_path / "out").exists()


def test_an_export_is_never_written_over_and_a_failure_leaves_nothing(staffed, tmp_path):
    taken(staffed, tmp_path / "out")
    with pytest.raises(ParameterError, match="never written over"):
        taken(staffed, tmp_path / "out", key="again")
    with pytest.raises(StoreError, match="nothing of the export was kept"):
        taken(staffed, tmp_path / "nowhere" / "out")
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".writing")]


def test_a_broken_trail_can_still_be_taken_out_as_it_is(staffed, tmp_path):
    with transaction(staffed.store.engine, "write") as connection:
        drop_triggers(connection)
        connection.execute(text("UPDATE audit SET body = 'no record' WHERE sequence = 77"))
    (staffed.folder / "checkpoint-00000002.json").unlink()
    (staffed.folder / "checkpoint-00000002.json").write_bytes(b"broken")
    made = taken(staffed, tmp_path / "out")
    assert (made.folder / "records.jsonl").read_text().splitlines()[76] == "no record"
    assert (made.folder / "checkpoints" / "checkpoint-00000002.json").read_bytes() == b"broken"


def test_memory_does_not_grow_with_the_trail(staffed, tmp_path, monkeypatch):
    monkeypatch.setattr(chain, "PAGE", 50)
    taken(staffed, tmp_path / "first")
    fill(staffed.store, 3_000)
    tracemalloc.start()
    made = taken(staffed, tmp_path / "out")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < (made.folder / "records.jsonl").stat().st_size / 2

"""The stand-alone verifier before hostile files: an answer and an exit code, never a trace, never a hang."""

import json
import os
import sqlite3

import pytest

from workbench.governance.audit import verifier

KEY = "a" * 64
CHECKPOINT = "checkpoint-00000001.json"
CONTENTS = {
    "nothing": b"",
    "NUL": b"\x00" * 100,
    "deep": b"[" * 300_000,
    "deep objects": b'{"a":' * 50_000,
    "a huge number": b"9" * 300_000,
    "a negative one": b"-" + b"1" * 5_000,
    "no finite number": b"1e999999999",
    "another encoding": '{"a":1}'.encode("utf-16"),
    "not UTF-8": b'{"a":"\xff"}',
    "half a letter": b'{"a":"\\ud800"}',
    "half a letter as a key": b'{"\\ud800":1}',
    "a key twice": b'{"a":1,"a":2}',
    "a list": b"[]",
    "null": b"null",
    "text": b'"x"',
    "windows lines": b'{"sequence":1}\r\n{"sequence":2}\r\n',
}


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_any_bytes_get_an_answer(tmp_path, capsys, content):
    export, folder = tmp_path / "records.jsonl", tmp_path / "checkpoints"
    export.write_bytes(content)
    folder.mkdir()
    assert verifier.main(["--export", str(export)]) == (1 if content else 0)
    (folder / CHECKPOINT).write_bytes(content)
    export.write_bytes(b"")
    assert verifier.main(["--export", str(export), "--checkpoints", str(folder), "--key", KEY]) == 1
    assert "is not a checkpoint" in capsys.readouterr().out


def test_a_checkpoint_is_a_file_of_its_size(tmp_path, capsys):
    export = tmp_path / "records.jsonl"
    export.write_bytes(b"")
    for name, make in {
        "pipe": os.mkfifo,  # reading one would wait for ever
        "folder": os.mkdir,
        "endless": lambda path: os.symlink("/dev/zero", path),
        "nowhere": lambda path: os.symlink(path / "nowhere", path),
        "large": lambda path: path.write_bytes(b"1" * 200_000),
    }.items():
        folder = tmp_path / name
        folder.mkdir()
        make(folder / CHECKPOINT)
        assert verifier.main(["--export", str(export), "--checkpoints", str(folder), "--key", KEY]) == 1
        assert "no file of a checkpoint's size" in capsys.readouterr().out


@pytest.mark.parametrize("number", ["NULL", "'zz'", "1.5", "x'00'", "9e999", "-1"])
def test_a_table_made_anew_holds_anything_and_is_found_out(tmp_path, capsys, number):
    database = tmp_path / "decisions.db"
    with sqlite3.connect(database) as connection:
        connection.execute(f"CREATE TABLE audit (sequence, body, hash, {', '.join(verifier.COLUMNS)})")
        connection.execute(f"INSERT INTO audit VALUES ({number}, x'ff', NULL, 1, 2.5, NULL, 'a', 'b', 'c', 'd')")
    connection.close()
    assert verifier.main(["--database", str(database)]) == 1
    assert "FOUND" in capsys.readouterr().out


def test_what_a_forged_file_says_cannot_play_with_the_terminal(tmp_path, capsys):
    export = tmp_path / "records.jsonl"
    export.write_bytes(b"")
    statement = {name: "x" for name in ("at", "head", "previous", "root", "trail")}
    statement |= {"format": verifier.FORMAT, "key": "\x1b[2Jall is well\u202e", "number": 1, "size": 1}
    (tmp_path / CHECKPOINT).write_text(verifier.spelled({"signature": "00", "statement": statement}), "utf-8")
    words = ["--export", str(export), "--checkpoints", str(tmp_path), "--key", KEY]
    assert verifier.main(words) == 1
    said = capsys.readouterr().out
    assert said.replace("\n", "").isascii()
    assert "\x1b" not in said
    assert verifier.main([*words, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["found"] == 1


@pytest.mark.parametrize("name", ["nowhere", ".", "a\udcff"])
def test_what_cannot_be_read_is_said_so(tmp_path, capsys, name):
    assert verifier.main(["--export", str(tmp_path / name)]) == 2
    assert verifier.main(["--database", str(tmp_path / name)]) == 2
    assert "cannot be read" in capsys.readouterr().err

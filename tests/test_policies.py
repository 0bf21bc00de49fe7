"""The commands on policy folders: what they print, what they refuse, and the exit code of each."""

import sys
from datetime import date

import numpy as np
import pytest
from click.testing import CliRunner

from workbench.backtest import LearnedQuadratic, Quadratic
from workbench.backtest.evidence import CONTROLS, CRITERIA
from workbench.cli import main
from workbench.learning import registry
from workbench.learning.card import Card, Check, Data, Window
from workbench.policies import policy


def call(*arguments, code=0):
    result = CliRunner().invoke(main, ["policy", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture
def folder(tmp_path):
    numbers = tuple((0.05 * np.random.default_rng(5).normal(size=8 * 16 + 8 + 4 * 8 + 4 * 16 + 4)).tolist())
    card = Card(
        name="learned \x1b[31m horizon",
        purpose="Keeps models near their target.",
        maker="Ana Ruiz",
        made_on="2026-01-05",
        expires="2027-01-05",
        data=(Data("sectors", "made up", "2004-01-02", "2024-12-31", 5283, "only what still exists", "ab" * 32),),
        features=(),
        costs="5 bp",
        seeds=(1,),
        trials=3,
        windows=(Window("sectors", "2014-01-02", "2014-12-31", 4.9, "quadratic, 0.45 y", 5.3),),
        tests=tuple(Check(name, 0.4, 0.0, True, "Passed.") for name in CRITERIA),
        controls=tuple(Check(name, 0.0, 0.0, True, "Passed.") for name in CONTROLS),
        verdict="deploy",
        known_failures=("Loses when costs triple.",),
        fallback=registry.fallback_of(Quadratic(0.45)),
        command="workbench policy train",
    )
    path = tmp_path / "policies" / "learned"
    registry.save(path, LearnedQuadratic(0.5, (numbers,), hidden=8), card)
    return path


@pytest.fixture
def ben(tmp_path):
    key, keys = tmp_path / "ben.pem", tmp_path / "approvers.yml"
    public = call("key", key).strip()
    keys.write_text(f"Ben Okafor: '{public}'\n")
    return key, keys


def test_from_draft_to_approved(folder, ben):
    key, keys = ben
    today = ("--today", "2026-06-01")
    assert "draft" in call("verify", folder, *today)
    assert "draft runs in shadow mode only" in call("verify", folder, "--live", "--keys", keys, *today, code=6)
    call("approve", folder, "--key", key, "--name", "Ben Okafor", "--keys", keys, "--today", "2026-02-01")
    assert "approved" in call("verify", folder, "--live", "--keys", keys, *today)
    assert "unchecked" in call("list", folder.parent, *today)
    assert "2026-02-01 by Ben Okafor, signature checked" in call("show", folder, "--keys", keys, *today)
    assert "NOT checked" in call("show", folder, *today)


def test_the_public_key_is_printed_again(ben):
    assert call("key", ben[0]).strip() in ben[1].read_text()


def test_the_maker_and_the_wrong_key_do_not_approve(folder, ben, tmp_path):
    key, keys = ben
    assert "cannot approve" in call(
        "approve", folder, "--key", key, "--name", "Ana Ruiz", "--today", "2026-02-01", code=6
    )
    call("key", tmp_path / "other.pem")
    wrong = call("approve", folder, "--key", tmp_path / "other.pem", "--name", "Ben Okafor", "--keys", keys, code=6)
    assert "not that of" in wrong


def test_an_expired_policy_fails_verification_and_says_what_acts(folder):
    assert "quadratic, 0.45 y acts" in call("verify", folder, "--today", "2027-02-01", code=6)
    assert "expired" in call("list", folder.parent, "--today", "2027-02-01")
    assert "acts in its place" in call("show", folder, "--today", "2027-02-01")


def test_a_changed_byte_is_named(folder):
    body = bytearray((folder / "weights.safetensors").read_bytes())
    body[-1] ^= 1
    (folder / "weights.safetensors").write_bytes(body)
    for command in ("verify", "show"):
        assert "weights.safetensors" in call(command, folder, "--today", "2026-06-01", code=6)
    listed = call("list", folder.parent, "--today", "2026-06-01", code=6)
    assert "REFUSED: weights.safetensors" in listed
    assert "1 of 1 folders are refused" in listed


def test_a_folder_that_lost_its_manifest_is_still_listed(folder):
    (folder / "manifest.json").unlink()
    assert "REFUSED: manifest.json: missing" in call("list", folder.parent, "--today", "2026-06-01", code=6)


def test_no_control_character_of_a_folder_reaches_the_terminal(folder):
    for command in (("list", folder.parent), ("verify", folder), ("show", folder)):
        assert "\x1b" not in call(*command, "--today", "2026-06-01")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("verify", "nowhere"), 6, "no such policy folder"),
        (("list", "nowhere"), 6, "no such folder"),
        (("verify", "nowhere", "--today", "soon"), 2, "not a date"),
        (("verify", "nowhere", "--keys", "nowhere.yml"), 2, "cannot be read"),
        (("approve", "nowhere", "--key", "nowhere.pem", "--name", "Ben"), 2, "cannot be read"),
    ],
)
def test_what_is_not_there(tmp_path, monkeypatch, arguments, code, words):
    monkeypatch.chdir(tmp_path)
    assert words in call(*arguments, code=code)


def test_training_is_handed_the_names_seeds_maker_and_day(tmp_path, monkeypatch):
    asked = []

    class Training:
        MADE_ON, MAKER = date(2026, 11, 21), "the project"
        courses = staticmethod(lambda: {"one": "course one", "two": "course two"})

        @staticmethod
        def make(course, out, **given):
            asked.append((course, out, given))
            return "ab" * 32

    monkeypatch.setattr("workbench.policies._training", lambda: Training)
    out = call("train", "one", "--seeds", 2, "--out", tmp_path, "--maker", "Ana Ruiz", "--today", "2026-12-01")
    assert f"one: a draft in {tmp_path / 'one'}, content abab" in out
    assert asked[0] == ("course one", tmp_path, {"seeds": 2, "maker": "Ana Ruiz", "made_on": date(2026, 12, 1)})
    assert call("train", "--out", tmp_path).count("a draft") == 2
    assert asked[1][2] == {"seeds": None, "maker": "the project", "made_on": date(2026, 11, 21)}
    assert "there are one, two" in call("train", "three", code=2)


def test_a_folder_that_is_there_is_not_trained_over(tmp_path):
    pytest.importorskip("torch", reason="training needs torch")
    (tmp_path / "reference_n3_20").mkdir()
    assert "never overwritten" in call("train", "reference_n3_20", "--out", tmp_path, code=2)
    assert list(tmp_path.iterdir()) == [tmp_path / "reference_n3_20"]


def test_another_version_than_the_one_that_was_read_is_refused(folder, ben):
    key, keys = ben
    said = call("show", folder, "--today", "2026-06-01")
    digest = registry.load(folder).content_hash
    assert f"content hash: {digest}" in said
    by_ben = ("--key", key, "--name", "Ben Okafor", "--keys", keys, "--today", "2026-02-01")
    assert "as expected" in call("approve", folder, *by_ben, "--hash", "ab" * 32, code=6)
    call("approve", folder, *by_ben, "--hash", digest)
    call("verify", folder, "--keys", keys, "--live", "--hash", digest, "--today", "2026-06-01")
    assert "as expected" in call("verify", folder, "--hash", "ab" * 32, "--today", "2026-06-01", code=6)


def test_training_without_torch_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "workbench.learning.train", raising=False)
    assert "make lab" in call("train", code=7)


def test_an_empty_shelf(tmp_path):
    assert "no policies" in call("list", tmp_path)


def test_every_command_says_what_it_does():
    for name, command in policy.commands.items():
        assert command.help, name
        assert name in call("--help")

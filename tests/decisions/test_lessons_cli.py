"""What decisions suggest to change, by command: from the database to a diff, tried on the past proposals."""

from dataclasses import replace

import pytest
from click.testing import CliRunner

from tests.governance.lessons.histories import block, history, signal
from workbench.cli import main
from workbench.compliance import Rulebook
from workbench.errors import ParameterError
from workbench.firm import open_at
from workbench.governance import AddPerson, GrantRole, Role, Who, open_store, set_password
from workbench.governance.lessons import frames
from workbench.governance.lessons.frames import read_decisions
from workbench.governance.people import change_password

MOVABLE = "movable:\n  single_issuer:\n    limits.1: 0.075\n"
PASSWORD = "a fairly long password"
HOUSEHOLDS = ("H00043", "H00006")


def run(*words, expect=0):
    answer = CliRunner().invoke(main, [str(word) for word in words], env={"WORKBENCH_PASSWORD": PASSWORD})
    assert answer.exit_code == expect, answer.output
    return answer.output


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """Two real signals of the demo firm."""
    url = f"sqlite:///{tmp_path_factory.mktemp('lessons')}/decisions.db"
    run("people", "first", "ada", "Ada Lindqvist", "ada@firm.example", "--database", url)
    run("people", "service", "scheduler", "The nightly run", "--as", "ada", "--database", url)
    store = open_store(url)
    store.perform(Who("ada"), AddPerson("otto", "Otto Brandt", "person"), "otto")
    store.perform(Who("ada"), GrantRole("otto", Role.AUDITOR, "*", "joins the firm"), "otto-role")
    set_password(store, Who("ada"), "otto", "handed over in person", "otto-first")
    change_password(store, Who("otto"), "handed over in person", PASSWORD, "otto-own")
    run("signals", "bring", "--firm", "demo", "--database", url, *[w for h in HOUSEHOLDS for w in ("--household", h)])
    return url


@pytest.fixture
def movable(tmp_path):
    path = tmp_path / "movable.yml"
    path.write_text(MOVABLE)
    return path


@pytest.fixture
def planted(tmp_path):
    """An export in which two people overrode nearly every block of one limit."""
    version = Rulebook.default()["single_issuer"].version
    rows = [
        block(n, 0.06, 0.05, overridden=n > 2, person=f"P{n % 2}", rule="single_issuer", version=version)
        for n in range(40)
    ]
    made = history(signals=[signal(n) for n in range(40)], findings=rows)
    made = replace(made, hash=frames.content_hash(made))
    frames.write(made, tmp_path / "planted")
    return tmp_path / "planted"


def test_a_change_is_drafted_and_tried_on_the_past_proposals_themselves(database, planted, movable, tmp_path):
    said = run("signals", "lessons", "--database", database, "--decisions", planted, "--movable", movable, "--out",
               tmp_path / "out", "--firm", "demo")  # fmt: skip
    assert said.startswith("1 of 1 limits and 0 phrases are proposed to change; a person decides")
    diff = (tmp_path / "out" / "proposed_rules.diff").read_text()
    assert "-      limits: [0.05, 0.075" in diff
    page = (tmp_path / "out" / "proposed_rules.md").read_text()
    assert "2 of 2 past proposals were judged anew, those of 2022-12-28." in page
    assert "would be judged differently" in page
    assert "No phrase was taken out often enough" in (tmp_path / "out" / "proposed_wording.md").read_text()


def test_the_drafted_diff_makes_a_rulebook_that_can_be_adopted(planted, movable, tmp_path):
    from workbench.decisions.lessons import write_lessons

    made = write_lessons(planted, tmp_path / "out", movable)
    old, new = Rulebook.default(), Rulebook.parse(made.rules.text)
    assert (new.version, new["single_issuer"].version) == (old.version + 1, old["single_issuer"].version + 1)
    assert new["single_issuer"].parameters["limits"][0] == pytest.approx(0.06)


def test_without_snapshots_the_page_says_that_nothing_was_judged_anew(planted, movable, tmp_path):
    run("signals", "lessons", "--decisions", planted, "--movable", movable, "--out", tmp_path / "out")
    assert "were not judged anew" in (tmp_path / "out" / "proposed_rules.md").read_text()


def test_without_movable_limits_none_is_tested_and_the_page_says_so(planted, tmp_path):
    said = run("signals", "lessons", "--decisions", planted, "--out", tmp_path / "out")
    assert said.startswith("0 of 0 limits")
    assert "No limit was declared as one that may be moved" in (tmp_path / "out" / "proposed_rules.md").read_text()


def test_a_snapshot_that_no_signal_was_made_of_is_refused(database):
    from workbench.decisions.lessons import past_proposals
    from workbench.governance import open_store

    with open_store(database).reading() as connection, pytest.raises(ParameterError, match="no signal was made of"):
        past_proposals(connection, [open_at("demo", "2022-11-30")])


def test_decisions_are_exported_up_to_and_including_a_day(database, tmp_path):
    run(
        "signals",
        "decisions",
        "--as",
        "otto",
        "--database",
        database,
        "--until",
        "2022-12-28",
        "--out",
        tmp_path / "early",
    )
    assert read_decisions(tmp_path / "early").until == "2022-12-28T23:59:59.999999Z"
    assert len(read_decisions(tmp_path / "early")["signals"]) == 0
    run("signals", "decisions", "--as", "otto", "--database", database, "--out", tmp_path / "now")
    made = read_decisions(tmp_path / "now")
    assert len(made["signals"]) == 2
    run(
        "signals",
        "decisions",
        "--as",
        "otto",
        "--database",
        database,
        "--until",
        made.until[:10],
        "--out",
        tmp_path / "today",
    )
    assert len(read_decisions(tmp_path / "today")["signals"]) == 2


@pytest.mark.parametrize(("day", "told"), [("2999-01-01", "still to come"), ("28.12.2022", "is not a day")])
def test_a_day_to_come_or_none_is_refused(database, tmp_path, day, told):
    assert told in run(
        "signals",
        "decisions",
        "--as",
        "otto",
        "--database",
        database,
        "--until",
        day,
        "--out",
        tmp_path / "x",
        expect=2,
    )
    assert not (tmp_path / "x").exists()


def test_decisions_are_exported_by_who_may_read_measures_and_signs_in(database, tmp_path):
    asked = ("signals", "decisions", "--database", database, "--out", tmp_path / "x")
    assert "--as PERSON" in run(*asked, expect=2)
    assert "read measures" in run(*asked, "--as", "ada", expect=2)
    assert not (tmp_path / "x").exists()


def test_decisions_without_a_folder_are_refused(database):
    assert "--out FOLDER" in run("signals", "decisions", "--database", database, expect=2)

"""From a folder of drafts to papers that wait for a person, by the commands of the guide."""

import json

import pytest
from click.testing import CliRunner

from tests.desk.letters import FLIPPED, letter
from workbench.cli import main
from workbench.papers.folder import write_papers

PASSWORD = "a fairly long password"


def run(*words, expect=0):
    answer = CliRunner().invoke(main, list(words), env={"WORKBENCH_PASSWORD": PASSWORD})
    assert answer.exit_code == expect, answer.output
    return answer.output


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    url = f"sqlite:///{tmp_path_factory.mktemp('decisions')}/decisions.db"
    run("people", "first", "ada", "Ada Lindqvist", "ada@firm.example", "--database", url)
    run("people", "service", "scheduler", "The nightly run", "--as", "ada", "--database", url)
    return url


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    drafts = [letter(key="H00003"), letter(FLIPPED, key="H00006", kind="client_brief")]
    return write_papers(tmp_path_factory.mktemp("papers"), drafts, pdf=False).folder


@pytest.fixture(scope="module")
def brought(database, folder):
    return run("papers", "bring", str(folder), "--firm", "demo", "--database", database)


def test_a_folder_is_brought_once(database, folder, brought):
    assert "2 papers (1 client brief, 1 client email), 0 were there already" in brought
    assert "1 are not wholly supported" in brought
    again = run("papers", "bring", str(folder), "--firm", "demo", "--database", database)
    assert "2 were there already" in again


def test_papers_are_listed_in_their_books_with_their_verdict(database, brought):
    listed = run("papers", "list", "--database", database)
    rows = {line.split()[2]: line for line in listed.splitlines() if line.startswith("paper-")}
    assert "ADV4" in rows["H00003"]
    assert rows["H00003"].endswith(" supported")
    assert rows["H00006"].endswith("NOT SUPPORTED")
    assert "0 papers" in run("papers", "list", "--state", "released", "--database", database)
    assert "take one of" in run("papers", "list", "--state", "gone", "--database", database, expect=2)
    assert "no kind of paper" in run("papers", "list", "--kind", "poem", "--database", database, expect=2)


def test_a_paper_is_shown_with_its_faults_and_history(database, brought):
    listed = run("papers", "list", "--kind", "client_brief", "--database", database)
    name = listed.split()[0]
    shown = run("papers", "show", name, "--database", database)
    assert "We propose to buy $9,358 of VTI." in shown
    assert "wrong direction" in shown
    assert "The nightly run brought it in" in shown
    assert "there is no paper" in run("papers", "show", "paper-0", "--database", database, expect=2)


def test_a_folder_that_is_none_or_was_changed_is_refused(database, folder, tmp_path):
    assert "holds no records" in run(
        "papers", "bring", str(tmp_path), "--firm", "demo", "--database", database, expect=2
    )
    (tmp_path / "records").mkdir()
    path = next((folder / "records").glob("*H00003*"))
    kept = json.loads(path.read_text())
    (tmp_path / "records" / "a.json").write_text(json.dumps(kept | {"text": "We sell nothing."}))
    said = run("papers", "bring", str(tmp_path), "--firm", "demo", "--database", database, expect=6)
    assert "is not what its record was written of" in said


def test_a_household_that_the_firm_has_not_is_refused(database, tmp_path):
    strange = write_papers(tmp_path, [letter(key="H-9999")], pdf=False).folder
    said = run("papers", "bring", str(strange), "--firm", "demo", "--database", database, expect=6)
    assert "which the firm has not" in said

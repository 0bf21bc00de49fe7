"""A folder of papers: named by content, whole or written again, every draft in it readable without the firm."""

import json
from dataclasses import replace

import pytest

from tests.papers.paper_samples import sample
from workbench.errors import DraftError
from workbench.papers.folder import RECORD, write_papers
from workbench.papers.record import read_record, record
from workbench.papers.release import Release


def drafts():
    return [sample(key="H-1", kind="client_brief"), sample("Nothing.", key="H-1", kind="client_email", title="Yours")]


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_each_kind_takes_its_forms(tmp_path):
    written = write_papers(tmp_path, drafts(), title="Client papers")
    names = {path.name for path in written.folder.iterdir() if path.is_file()}
    assert names == {
        "H-1-client_brief.html", "H-1-client_brief.pdf", "H-1-client_brief.md", "H-1-client_email.html",
        "H-1-client_email.eml", "index.html", RECORD,
    }  # fmt: skip
    index = written.index.read_text()
    assert "Draft, not released" in index
    assert all(f'href="{name}"' in index for name in names if name.startswith("H-1"))


def test_the_same_drafts_are_the_same_folder_and_are_not_written_twice(tmp_path):
    first = write_papers(tmp_path / "a", drafts(), pdf=False)
    again = write_papers(tmp_path / "a", drafts(), pdf=False)
    other = write_papers(tmp_path / "b", drafts(), pdf=False)
    assert (first.reused, again.reused, other.reused) == (False, True, False)
    assert first.folder == again.folder
    assert first.folder.name == other.folder.name
    assert files(first.folder) == files(other.folder)


def test_another_text_title_or_form_is_another_folder(tmp_path):
    one = drafts()[1]
    names = {
        write_papers(tmp_path, [one], pdf=False).folder.name,
        write_papers(tmp_path, [replace(one, title="Other")], pdf=False).folder.name,
        write_papers(tmp_path, [sample("Nothing!", key="H-1", kind="client_email")], pdf=False).folder.name,
        write_papers(tmp_path, [one], pdf=False, title="Else").folder.name,
    }
    assert len(names) == 4


@pytest.mark.parametrize("spoil", [lambda path: path.write_text("Sell all."), lambda path: path.unlink()])
def test_a_folder_that_was_changed_is_written_again(tmp_path, spoil):
    first = write_papers(tmp_path, drafts(), pdf=False)
    before = files(first.folder)
    spoil(first.folder / "H-1-client_email.html")
    again = write_papers(tmp_path, drafts(), pdf=False)
    assert not again.reused
    assert files(again.folder) == before


@pytest.mark.parametrize("key", ["../../etc/passwd", "index", "CON:", "a/b", "x" * 300, "\u202e", "<b>", ""])
def test_no_key_leaves_the_folder(tmp_path, key):
    written = write_papers(tmp_path, [sample("Nothing.", key=key, title="T")], pdf=False)
    assert len(list(written.folder.glob("*.html"))) == 2
    assert [path.name for path in tmp_path.iterdir()] == [written.folder.name]


def test_keys_that_differ_in_case_alone_are_two_papers(tmp_path):
    written = write_papers(tmp_path, [sample("Nothing.", key=key) for key in ("h1", "H1")], pdf=False)
    assert len({path.name.lower() for path in written.folder.glob("*.html")}) == 3


def test_one_paper_twice_is_refused(tmp_path):
    with pytest.raises(DraftError, match="two drafts of review 'H-1'"):
        write_papers(tmp_path, [sample(), sample()], pdf=False)


def test_nothing_to_draft_is_said(tmp_path):
    with pytest.raises(DraftError, match="nothing to draft"):
        write_papers(tmp_path, [])
    assert not list(tmp_path.iterdir())


def test_a_release_is_shown_and_must_hold(tmp_path):
    one = drafts()[1]
    release = Release(one.hash, ("Ruth Cole",), "M. Osei", "2022-12-29")
    written = write_papers(tmp_path, [one], releases={one.hash: release}, pdf=False)
    assert "Released by M. Osei on 29 December 2022" in written.index.read_text()
    assert "[Draft" not in (written.folder / "H-1-client_email.eml").read_text()


def test_workers_do_not_change_a_byte(tmp_path):
    many = [sample(key=f"H{number}") for number in range(20)]
    alone = write_papers(tmp_path / "a", many, workers=1, pdf=False)
    together = write_papers(tmp_path / "b", many, workers=2, pdf=False)
    assert files(alone.folder) == files(together.folder)


def test_the_record_gives_the_draft_back(tmp_path):
    written = write_papers(tmp_path, [sample("Please read this.", title="T")], pdf=False)
    kept = json.loads((written.folder / RECORD).read_text())
    assert kept["papers"][0]["state"] == "Draft, not released"
    draft = read_record((written.folder / "records" / "H-1-review.json").read_bytes())
    assert draft.text == "Please read this."
    assert draft.sheet == sample().sheet
    assert record(draft) == record(sample("Please read this.", title="T"))


def test_a_record_that_was_changed_is_refused():
    kept = json.loads(record(sample()))
    for name, value in (("text", "Sell all."), ("version", 2), ("sheet_hash", "0" * 64)):
        with pytest.raises(DraftError):
            read_record(json.dumps({**kept, name: value}).encode())
    with pytest.raises(DraftError, match="no record of a draft"):
        read_record(b"[]")

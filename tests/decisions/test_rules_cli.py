"""Rulebooks from the command line: listed, checked, compared, and refused with the place that is wrong."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

import workbench.compliance
from tests.governance import cases
from workbench.cli import main
from workbench.compliance import Rulebook
from workbench.errors import DecisionError
from workbench.governance import AdoptRules, Document, ProposeRules, Who, open_store
from workbench.governance.documents import hash_of
from workbench.governance.passwords import hash_password
from workbench.signals import rulebook_in_force

PASSWORD = "a fairly long password"

SHIPPED = Path(workbench.compliance.__file__).parent / "rules" / "rulebook.yml"


def run(*words, expect=0):
    answer = CliRunner().invoke(main, ["rules", *map(str, words)])
    assert answer.exit_code == expect, answer.output
    return answer.output


@pytest.fixture
def changed(tmp_path):
    """The shipped rulebook with the limit of one security an account at half, as version 2."""
    text = SHIPPED.read_text(encoding="utf-8")
    place = text.index("- id: single_name")
    before, rule = text[:place], text[place:]
    rule = rule.replace("version: 1", "version: 2", 1).replace("[0.10, 0.15, 0.20, 0.25, 0.30]", str([0.05] * 5), 1)
    before = before.replace("\nversion: 1\n", "\nversion: 2\n", 1)
    path = tmp_path / "rulebook.yml"
    path.write_text(before + rule, encoding="utf-8")
    return path


def test_every_rule_is_listed_with_its_source():
    listed = run("show")
    assert "wash_sale v1  block" in listed
    assert "IRC 1091" in listed


def test_a_sound_rulebook_passes(changed):
    assert "rules" in run("check", changed)


def test_a_broken_one_names_rule_and_field(changed):
    changed.write_text(changed.read_text().replace("check: concentration", "check: concentratoin", 1))
    said = run("check", changed, expect=2)
    assert "concentratoin" in said


def test_a_change_says_what_it_would_have_judged_otherwise(changed, tmp_path):
    out = tmp_path / "change.md"
    run("change", changed, "--firm", "demo", "--reason", "A narrower limit for single names", "--out", out)
    page = out.read_text(encoding="utf-8")
    assert "single_name" in page
    assert "A narrower limit for single names" in page


def test_a_change_without_a_new_version_is_refused(changed):
    text = changed.read_text()
    last = text.rindex("version: 2")
    changed.write_text(text[:last] + text[last:].replace("version: 2", "version: 1", 1))
    said = run("change", changed, "--firm", "demo", "--reason", "quietly", expect=2)
    assert "single_name" in said


@pytest.fixture
def database(sqlite_template, tmp_path):
    """A database of decisions with people, who know their passwords, and a signal that waits for approval."""
    shutil.copy(sqlite_template, tmp_path / "decisions.db")
    url = f"sqlite:///{tmp_path / 'decisions.db'}"
    store = open_store(url)
    cases.staff(store, recorded=True, password_hash=hash_password(PASSWORD))
    cases.submitted(store)
    store.engine.dispose()
    return url


def test_a_change_is_proposed_by_one_person_and_adopted_by_another(database, changed):
    new = Rulebook.read(changed)
    to, one, other = ("--database", database), ("--as", "cleo"), ("--as", "carl")
    words = ("propose", changed, "--firm", "demo", "--reason", "A narrower limit for single names", *to)
    assert "password is not right" in run(*words, *one, "--password", "not my password", expect=2)
    assert f"{new.hash[:12]} waits" in run(*words, *one, "--password", PASSWORD)
    listed = run("waiting", "--page", *to)
    assert "none was adopted" in listed
    assert "by cleo: A narrower limit" in listed
    assert "Rules that differ: 1 of" in listed
    assert "is not one proposed rulebook" in run("adopt", new.hash[:5], *to, *other, "--password", PASSWORD, expect=2)
    assert "does not adopt it" in run("adopt", new.hash[:12], *to, *one, "--password", PASSWORD, expect=2)
    assert "signals that start anew: 1" in run("adopt", new.hash[:12], *to, *other, "--password", PASSWORD)
    assert f"in force: {new.hash[:12]} v2" in run("waiting", *to)
    store = open_store(database)
    assert rulebook_in_force(store) == new
    store.engine.dispose()


def test_without_an_adoption_the_shipped_rules_are_used_and_may_be_adopted_first(database):
    store = open_store(database)
    assert rulebook_in_force(store) == Rulebook.default()
    store.engine.dispose()
    run("propose", SHIPPED, "--firm", "demo", "--reason", "Our first", "--database", database, "--as", "carl",
        "--password", PASSWORD)  # fmt: skip
    page = run("waiting", "--page", "--database", database)
    assert "# Rules to be adopted first" in page
    assert "### wash_sale" in page


def test_a_rulebook_that_reads_otherwise_than_it_was_adopted_is_not_used(database):
    store, page = open_store(database), Document("rulebook", "text/markdown", b"# Page")
    text = Document("rulebook", "application/yaml", SHIPPED.read_bytes())
    store.perform(Who("cleo"), ProposeRules(text, page, "a" * 64, 1, "b" * 64, "Another hash"), "one")
    store.perform(Who("carl"), AdoptRules("a" * 64, hash_of(page)), "two")
    with pytest.raises(DecisionError, match="propose and adopt it again"):
        rulebook_in_force(store)
    store.engine.dispose()

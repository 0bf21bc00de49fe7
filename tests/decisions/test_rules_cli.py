"""Rulebooks from the command line: listed, checked, compared, and refused with the place that is wrong."""

from pathlib import Path

import pytest
from click.testing import CliRunner

import workbench.compliance
from workbench.cli import main

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

"""The rulebook: the house's own is sound, its hash is of what it says, and whatever is wrong is named."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.compliance import CHECKS, Rulebook
from workbench.errors import ParameterError

RULE = """
rulebook: Test
version: 1
rules:
  - id: turnover
    version: 1
    title: Turnover
    citation: House policy
    check: turnover
    parameters: {months: 0, limit: 0.25}
    failing: warn
    overridable: true
    unit: fraction
    since: 2020-01-01
"""


def test_the_house_rulebook_is_sound_and_uses_every_check() -> None:
    book = Rulebook.default()
    assert len(book.hash) == 64
    assert len(book) >= 25
    assert {rule.check for rule in book} == set(CHECKS)
    assert all(rule.citation and rule.title for rule in book)


def test_the_hash_is_of_what_the_rules_say() -> None:
    plain = Rulebook.parse(RULE)
    assert Rulebook.parse(f"# a comment\n{RULE}").hash == plain.hash
    assert Rulebook.parse(RULE.replace("{months: 0, limit: 0.25}", "{limit: 0.25, months: 0}")).hash == plain.hash
    for old, new in (("0.25", "0.26"), ("warn", "block"), ("version: 1", "version: 2"), ("2020-01-01", "2020-01-02")):
        assert Rulebook.parse(RULE.replace(old, new)).hash != plain.hash


def test_rules_count_from_their_day_on() -> None:
    import datetime

    book = Rulebook.parse(RULE)
    assert book.in_force(datetime.date(2019, 12, 31)) == ()
    assert book.in_force(datetime.date(2020, 1, 1)) == book.rules
    assert book["turnover"] is book.rules[0]
    with pytest.raises(ParameterError, match="no rule 'other'"):
        book["other"]


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("limit: 0.25", "limit: .nan", "limit"),
        ("limit: 0.25", "limit: .inf", "limit"),
        ("limit: 0.25", "limit: 1.5", "rule turnover, parameters.limit"),
        ("limit: 0.25", "limit: '0.25'", "rule turnover, parameters.limit"),
        (", limit: 0.25", "", "rule turnover, parameters: limit is missing"),
        ("limit: 0.25", "limit: 0.25, colour: 1", "rule turnover, parameters: 'colour'"),
        ("check: turnover", "check: os.system", "no check is called 'os.system'"),
        ("failing: warn", "failing: pass", "rule turnover, failing"),
        ("unit: fraction", "unit: furlongs", "rule turnover, unit"),
        ("since: 2020-01-01", "since: yesterday", "rule turnover, since"),
        ("since: 2020-01-01", "since: '2020-02-31'", "rule turnover, since"),
        ("overridable: true", "overridable: perhaps", "rule turnover, overridable"),
        ("id: turnover", "id: ../../etc", "id"),
        ("    title: Turnover\n", "", "rule turnover, rule"),
        ("    title: Turnover\n", "    title: Turnover\n    title: Another\n", "given twice"),
        ("    title: Turnover\n", "    title: Turnover\n    colour: red\n", "colour"),
        ("title: Turnover", "title: !!python/object/apply:os.system [ls]", "not a rulebook in YAML"),
        ("title: Turnover", "title: &a Turnover", "anchors"),
        ("rules:\n", "rules: [[[[[[[[[[[[[1]]]]]]]]]]]]]\nmore:\n", "nested too deeply"),
        ("version: 1\nrules", "version: 0\nrules", "version"),
    ],
)
def test_what_is_wrong_is_named(old: str, new: str, named: str) -> None:
    assert old in RULE
    with pytest.raises(ParameterError, match=r".") as error:
        Rulebook.parse(RULE.replace(old, new, 1), "book.yml")
    assert named in str(error.value)
    assert "book.yml" in str(error.value)


def test_a_rule_given_twice_is_refused() -> None:
    twice = RULE + RULE.split("rules:\n")[1]
    with pytest.raises(ParameterError, match="turnover is there twice"):
        Rulebook.parse(twice)


def test_a_bomb_of_aliases_is_refused_at_once() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 9)}]" for i in range(9)]
    with pytest.raises(ParameterError, match="anchors"):
        Rulebook.parse("\n".join(lines))


@pytest.mark.parametrize(
    "text", ["", "1", "[]", "- a\n- b", "{", "rulebook: 1", "\x00", "a: b: c", "? [1]\n: 2", "1: 2"]
)
def test_what_is_no_rulebook(text: str) -> None:
    with pytest.raises(ParameterError):
        Rulebook.parse(text)


@given(st.text(max_size=200))
def test_any_text_is_a_rulebook_or_a_parameter_error(text: str) -> None:
    with contextlib.suppress(ParameterError):
        Rulebook.parse(text)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for name, content in (("binary", b"\xff\xfe\x00"), ("huge", b"#" * 2_000_000)):
        path = tmp_path / f"{name}.yml"
        path.write_bytes(content)
        with pytest.raises(ParameterError, match=name):
            Rulebook.read(path)
    with pytest.raises(ParameterError, match="absent"):
        Rulebook.read(tmp_path / "absent.yml")
    good = tmp_path / "good.yml"
    good.write_text(RULE, encoding="utf-8")
    assert Rulebook.read(good) == Rulebook.parse(RULE)

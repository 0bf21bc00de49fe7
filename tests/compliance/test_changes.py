"""A change of rules: what differs is said, a change without a version is refused, the past is judged by both."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from one_household import RULES, orders, view

from workbench.compliance.changes import Past, change_report, rejudged, rule_diff
from workbench.compliance.rulebook import Rulebook
from workbench.errors import ParameterError

Tables = dict[str, pd.DataFrame]
PRICES = {"AAA": 12.0, "BBB": 49.0}
LEVELS = "most_by_level: [0.35, 0.60, 0.80, 0.95, 1.0]"


def book(*edits: tuple[str, str]) -> Rulebook:
    """The house rulebook with its text edited, each edit exactly once."""
    text = RULES.text
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return Rulebook.parse(text)


def raised(rule_id: str, version: int = 2) -> tuple[str, str]:
    """The edit that raises a rule's version."""
    return f"  - id: {rule_id}\n    version: 1\n", f"  - id: {rule_id}\n    version: {version}\n"


BOOK = (f"\nversion: {RULES.version}\n", f"\nversion: {RULES.version + 1}\n")
STRICTER = book(BOOK, raised("risk_level"), (LEVELS, LEVELS.replace("0.60", "0.55")))


def past(small: Tables) -> Past:
    """One proposal, which takes the household's growth share from 52.6 % to 56.9 %."""
    return Past(view(small), orders([("A1", "AAA", "buy", 5.0)], PRICES))


def test_the_same_rules_do_not_differ_whatever_the_comments_say() -> None:
    commented = Rulebook.parse(RULES.text + "\n# A remark.\n")
    assert rule_diff(RULES, RULES) == rule_diff(RULES, commented) == ()


def test_a_changed_parameter_is_named_with_both_values() -> None:
    (change,) = rule_diff(RULES, STRICTER)
    assert (change.rule_id, change.kind, change.old_version, change.new_version) == ("risk_level", "changed", 1, 2)
    assert ("parameters.most_by_level[2]", "0.6", "0.55") in change.fields


def test_a_change_without_a_new_version_is_refused() -> None:
    edit = (LEVELS, LEVELS.replace("0.60", "0.55"))
    with pytest.raises(ParameterError, match=r"rule risk_level changed \(parameters.most_by_level.*make it 2"):
        rule_diff(RULES, book(BOOK, edit))
    with pytest.raises(ParameterError, match="the rulebook changed"):
        rule_diff(RULES, book(raised("risk_level"), edit))
    with pytest.raises(ParameterError, match="version went from 2 to 1"):
        rule_diff(STRICTER, RULES)


def test_the_past_is_judged_by_both(small: Tables) -> None:
    frame = rejudged(RULES, STRICTER, [past(small)])
    assert len(frame) == 1
    row = frame.iloc[0]
    assert (row["household_id"], row["rule_id"]) == ("H1", "risk_level")
    assert (row["old_verdict"], row["new_verdict"]) == ("pass", "block")
    assert row["value"] == pytest.approx(780.0 / 1370.0)
    assert (row["old_limit"], row["new_limit"]) == (0.60, 0.55)


def test_a_rule_that_changes_no_verdict_leaves_no_row(small: Tables) -> None:
    same = book(BOOK, raised("risk_level"), (LEVELS, LEVELS.replace("0.60", "0.59")))
    assert rejudged(RULES, same, [past(small)]).empty
    assert rejudged(RULES, STRICTER, []).empty


def test_an_added_and_a_removed_rule_count_where_they_find_something(small: Tables) -> None:
    start = RULES.text.index("  - id: risk_level\n")
    end = RULES.text.index("  - id: objective\n")
    third_version = f"\nversion: {RULES.version + 2}\n"
    without = Rulebook.parse(RULES.text[:start].replace(*BOOK) + RULES.text[end:])
    added = rejudged(without, Rulebook.parse(STRICTER.text.replace(BOOK[1], third_version)), [past(small)])
    assert added[["rule_id", "old_verdict", "new_verdict"]].to_numpy().tolist() == [["risk_level", "", "block"]]
    third = Rulebook.parse(without.text.replace(BOOK[1], third_version))
    removed = rejudged(STRICTER, third, [past(small)])
    assert removed[["old_verdict", "new_verdict"]].to_numpy().tolist() == [["block", ""]]
    assert rejudged(RULES, without, [past(small)]).empty


def test_a_rule_that_binds_later_is_judged_on_past_days_all_the_same(small: Tables) -> None:
    start = STRICTER.text.index("  - id: risk_level\n")
    head, tail = STRICTER.text[:start], STRICTER.text[start:]
    later = Rulebook.parse(head + tail.replace("since: 2020-01-01", "since: 2030-01-01", 1))
    assert rejudged(RULES, later, [past(small)])["new_verdict"].tolist() == ["block"]


def test_the_page_says_what_and_how_many_and_shows_the_text(small: Tables) -> None:
    page = change_report(RULES, STRICTER, [past(small)], reason="Losses of 2022 were beyond what was said").markdown()
    assert "1 of " in page
    assert "Of 1 past proposals, 1 would have been judged differently" in page
    assert "| risk\\_level | pass | block | 1 |" in page
    assert "-      " + LEVELS in page
    assert RULES.hash in page
    assert STRICTER.hash in page
    none = change_report(RULES, STRICTER, [], reason="Because").markdown()
    assert "the effect is not known" in none


def test_hostile_text_stays_text_on_the_page(small: Tables) -> None:
    hostile = "Bad | cell <script>alert(1)</script> ```` `x` [a](javascript:b)\n# Heading"
    title = "No more growth assets than the lower of risk tolerance and risk capacity allows"
    edited = book(BOOK, raised("risk_level"), (LEVELS, LEVELS.replace("0.60", "0.55")), (title, "Says ```` | <b>"))
    page = change_report(RULES, edited, [past(small)], reason=hostile).markdown()
    outside = re.sub(r"(?ms)^(`{3,})diff$.*?^\1$", "", page)
    assert "<" not in outside
    assert "\n# Heading" not in outside
    assert "`````diff" in page
    tables = [line for line in outside.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in tables} <= {5, 7}


def test_a_change_needs_a_reason(small: Tables) -> None:
    with pytest.raises(ParameterError, match="needs a reason"):
        change_report(RULES, STRICTER, [past(small)], reason="  ")

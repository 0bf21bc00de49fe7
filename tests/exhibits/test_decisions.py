"""The monthly review as a committee meets it: full, empty, hostile, and what it says where there is little to say."""

import json
from dataclasses import replace

import pandas as pd
import pytest

from tests.desk.packages import proposal
from tests.governance.lessons.histories import RULEBOOK, block, history, signal
from workbench.compliance import Finding, Verdict
from workbench.compliance.document import write_document
from workbench.errors import FirmDataError, PackageError, ParameterError
from workbench.exhibits import (
    decisions,
    decisions_accepted,
    decisions_measures,
    decisions_origin,
    decisions_outcomes,
    decisions_proposed,
    decisions_readers,
)
from workbench.exhibits.client_growth import firm_growth
from workbench.exhibits.decisions_origin import Source
from workbench.exhibits.origin import Origin
from workbench.firm import at, demo
from workbench.governance.lessons import frames
from workbench.governance.lessons.rulebook_text import Movable
from workbench.rebalance import package

from .conftest import run_chapter, words

HOSTILE = "<script>alert(1)</script> \u202eevil | `x`"
IDS = (
    "review", "summary", "notes", "by-policy", "by-advisor", "by-rule", "turnaround", "overrides", "reasons",
    "turned-out-30", "turned-out-90", "edits", "limits", "diff", "wording", "measures", "due", "definitions",
)  # fmt: skip


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    return demo.build_firm(tmp_path_factory.mktemp("decisions") / "firm", accounts=60)


@pytest.fixture(scope="module")
def source(book):
    return decisions_origin.read(book, "demo")


def everything(source):
    limits, wording = decisions_origin.limits(source), decisions_origin.wording(source)
    return [
        decisions.review_box(source, limits, wording, decisions_measures.standing_of(source)),
        decisions.summary(source),
        decisions.notes(source),
        *(decisions_accepted.followed_figure(source, by) for by in ("policy", "advisor", "rule")),
        decisions_accepted.turnaround_table(source),
        decisions_accepted.overrides_table(source),
        decisions_accepted.reasons_table(source),
        *(decisions_outcomes.turned_out_figure(source, days) for days in (30, 90)),
        decisions_proposed.edits_figure(source),
        decisions_proposed.tested_table(source, limits),
        decisions_proposed.diff_table(source, limits),
        decisions_proposed.wording_table(source, wording),
        decisions_measures.measures_table(source),
        decisions_measures.due_table(source),
        decisions_measures.definitions_table(source),
    ]


def of(book, made, movable=()):
    return Source(made, book.table("prices"), RULEBOOK, movable, Origin.of(book))


def sound(exhibits):
    text = "\n".join(map(words, exhibits))
    assert "nan" not in text.lower().replace("finan", "")
    for exhibit in exhibits:
        assert "NaN" not in json.dumps(exhibit.to_json(), allow_nan=False)
        assert exhibit.takeaway == "" or exhibit.takeaway.rstrip()[-1] in ".:"
        assert "  " not in exhibit.takeaway
    return text


def test_the_chapter_shows_everything_once_and_says_that_it_is_made_up(book):
    shown = run_chapter("decisions_monthly", book)
    assert [exhibit.id for exhibit in shown.exhibits] == [f"decisions-{id}" for id in IDS]
    sound(shown.exhibits)
    assert all("made up" in e.settings.line() for e in shown.exhibits if e.settings is not None)
    assert all("decisions" in fact.source for fact in shown.facts.values())


def test_what_was_planted_is_asked(source):
    text = sound(everything(source))
    assert "2 changes to decide on" in text
    assert "single_name_weight: move limit from 0.1 to " in text
    assert "as you are no doubt aware" in text
    assert "Nothing changes by this page" in text


def test_an_empty_history_says_so_everywhere(book):
    text = sound(everything(of(book, history())))
    assert "No change is proposed" in text
    assert "No signal was released or rejected" in text
    assert "No measure was defined" in text


def test_advisors_are_in_the_order_of_name_and_three_cases_are_no_percentage(book):
    signals = [signal(n, book="B") for n in range(30)] + [signal(40 + n, "rejected", book="A") for n in range(3)]
    exhibit = decisions_accepted.followed_figure(of(book, history(signals=signals)), "advisor")
    rows = exhibit.body.data.rows
    assert [row[0] for row in rows] == ["A", "B"]
    assert rows[0][-1] == "Too few to tell"
    assert "0%" not in " ".join(map(str, rows[0]))


def test_hostile_text_stays_text_and_is_clipped(book):
    acts = [{"signal_id": "s0", "action": "reject", "reason_code": HOSTILE, "reason": HOSTILE}]
    findings = [block(0, rule=HOSTILE, override_reason=HOSTILE + "x" * 500)]
    signals = [signal(n, book=HOSTILE, policy=HOSTILE) for n in range(30)]
    made = history(signals=signals, findings=findings, decisions=acts)
    exhibits = everything(of(book, made))
    sound(exhibits)
    everywhere = json.dumps([exhibit.to_json() for exhibit in exhibits], ensure_ascii=False)
    assert "\u202e" not in everywhere
    assert "x" * 200 not in everywhere


def test_a_limit_that_may_not_move_is_tested_nowhere(book):
    made = history(signals=[signal(n) for n in range(40)], findings=[block(n, person=f"P{n % 2}") for n in range(40)])
    assert "none was tested" in sound(everything(of(book, made)))
    assert "A change is proposed for 1 of 1 limit" in sound(
        everything(of(book, made, (Movable("weight", "limit", 0.2),)))
    )


def test_a_folder_that_is_absent_is_named_with_what_to_do(book, tmp_path):
    with pytest.raises(ParameterError, match="workbench signals decisions"):
        decisions_origin.read(book, str(tmp_path / "nothing"))


def test_an_export_is_read_with_the_house_rulebook(book, source, tmp_path):
    made = replace(source.decisions, simulated=False)
    frames.write(replace(made, hash=frames.content_hash(made)), tmp_path / "out")
    found = decisions_origin.read(book, str(tmp_path / "out"))
    assert found.movable == ()
    assert found.rulebook
    assert not found.decisions.simulated
    sound(everything(found))


def test_growth_from_clients_reads_two_days_of_the_firm(book):
    before = at(book, book.as_of - pd.Timedelta(days=61))
    found = firm_growth(before, book)
    assert found.households >= 20
    assert found.left == 0
    with pytest.raises(FirmDataError):
        firm_growth(book, before)


def test_a_package_is_read_to_signed_trades_without_accounts():
    rows = list(decisions_readers.read_trades(package(proposal()).body))
    assert [(row["security_id"], row["shares"]) for row in rows][:2] == [("VTI", -15.0), ("SCHB", 63.0)]
    assert set(rows[0]) == {"security_id", "shares", "price", "cost", "tax"}
    with pytest.raises(PackageError):
        list(decisions_readers.read_trades(b"{}"))


def test_a_preflight_is_read_to_unrounded_figures():
    found = Finding(
        "weight", 2, "t", "c", Verdict.BLOCK, "fraction", 0.1234567, 0.1, None, "AAPL", "r", True, (), ""
    )  # fmt: skip
    (row,) = decisions_readers.read_findings(write_document("H1", "2022-12-28", "0" * 64, [found]))
    assert (row["verdict"], float(row["value"]), float(row["limit"])) == ("block", 0.1234567, 0.1)
    with pytest.raises(PackageError):
        list(decisions_readers.read_findings(b"[]"))

"""The shadow log: every look priced by hand, and no line changed, removed or added unseen."""

import json
import multiprocessing
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.backtest import Band, Observation, Quadratic, Runs, gbm, signals, simulate
from workbench.backtest.chained_file import _line
from workbench.errors import ParameterError, PolicyError
from workbench.learning import shadow
from workbench.learning.guardrails import Guarded, Limits
from workbench.learning.rolling import review

HASH = "ab" * 32


def look():
    return Observation(
        session=7,
        weight=np.array([0.5, 0.5]),
        target=np.array([0.4, 0.6]),
        covariance=np.array([[0.04, 0.0], [0.0, 0.01]]),
        cost=np.array([0.001, 0.002]),
        market=np.empty(0),
        asset=np.empty((0, 2)),
        risk_aversion=5.0,
        day=pd.Timestamp("2026-05-04"),
    )


class Says:
    name, every = "told", 63

    def __init__(self, answer):
        self.answer = answer

    def decide(self, seen):
        if isinstance(self.answer, str):
            raise ValueError("x")
        return self.answer


def entry(answer, portfolio="A", wealth=2e6, rule=None):
    guarded = Guarded(Says(answer), rule or Band(0.5, every=63), Limits(turnover=1.0), mode="shadow")
    return shadow.entry(look(), guarded.judge(look()), portfolio=portfolio, wealth=wealth, every=63)


def test_a_look_is_priced_as_by_hand():
    made = entry(np.array([0.4, 0.6]))  # the rule leaves alone, the policy would go to target
    assert (made.done, made.would) == ((0.5, 0.5), (0.4, 0.6))
    assert made.would_cost_bp == pytest.approx(1e4 * (0.1 * 0.001 + 0.1 * 0.002))  # 3 bp
    assert made.done_cost_bp == 0
    assert made.done_loss_bp == pytest.approx(1e4 * 0.5 * 5 * (0.01 * 0.04 + 0.01 * 0.01))  # 12.5 bp a year
    assert made.would_loss_bp == 0
    assert made.gain_bp == pytest.approx(-3 + 12.5 / 4)


def test_the_summary_in_bp_and_money():
    found = shadow.summary([entry(np.array([0.4, 0.6])), entry(None, "B", 1e6), entry("raise", "C", 5e6)])
    assert (found.looks, found.answered, found.differing) == (3, 2, 1)
    assert found.intervened == pytest.approx(1 / 3)
    assert found.gain_money == pytest.approx(0.125e-4 * 2e6)  # 0.125 bp of two million
    assert found.gain_bp == pytest.approx(0.125 * 2 / (3 / 4))
    assert found.rule_bp == pytest.approx(12.5)
    assert found.policy_bp == pytest.approx(found.rule_bp - found.gain_bp)
    assert found.events == (("failed", 1),)
    assert "saved 0.33 bp a year, 25 in all" in found.sentence
    with pytest.raises(ParameterError, match="empty"):
        shadow.summary([])
    assert "never fit" in shadow.summary([entry("raise")]).sentence


def test_the_lines_add_up_to_the_summary():
    entries = [entry(np.array([0.4, 0.6])), entry(np.array([0.45, 0.55]), "B", 1e6), entry("raise", "C", 5e6)]
    lines, found = shadow.to_frame(entries), shadow.summary(entries)
    assert lines["gain_money"].sum() == pytest.approx(found.gain_money)
    assert found.gain_bp * 1e-4 * 3e6 / 4 == pytest.approx(found.gain_money)  # a quarter of three million answered for
    (window,) = shadow.windows(entries).itertuples()
    assert (window.policy_bp, window.rule_bp) == (pytest.approx(found.policy_bp), pytest.approx(found.rule_bp))


def test_a_look_without_a_day_belongs_to_no_window():
    with pytest.raises(ParameterError, match="no day"):
        shadow.windows([entry(None), replace(entry(None), day="")])


def test_the_log_reads_back(tmp_path):
    log = shadow.ShadowLog(tmp_path / "log.jsonl", HASH)
    entries = [entry(np.array([0.4, 0.6])), entry(None), entry("raise")]
    heads = [log.append(each) for each in entries]
    assert log.entries() == tuple(entries)
    assert shadow.ShadowLog(tmp_path / "log.jsonl", HASH).head == heads[-1]
    assert len(shadow.to_frame(entries)) == 3
    with pytest.raises(PolicyError, match="name a new file"):
        shadow.ShadowLog(tmp_path / "log.jsonl", "cd" * 32)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("shadow") / "log.jsonl"
    log = shadow.ShadowLog(path, HASH)
    for portfolio in "ABCDE":
        log.append(entry(np.array([0.4, 0.6]), portfolio))
    return path, log.head


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_changed_line_is_found(written, tmp_path_factory, data):
    path, head = written
    body = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(body) - 1))
    body[place] ^= data.draw(st.integers(1, 255))
    changed = tmp_path_factory.mktemp("changed") / "log.jsonl"
    changed.write_bytes(body)
    with pytest.raises(PolicyError):
        shadow.read(changed, head=head)


@pytest.mark.parametrize("drop", range(6))
def test_a_removed_line_is_found(written, tmp_path, drop):
    path, head = written
    lines = path.read_bytes().splitlines(keepends=True)
    (tmp_path / "log").write_bytes(b"".join(line for i, line in enumerate(lines) if i != drop))
    with pytest.raises(PolicyError, match="line"):
        shadow.read(tmp_path / "log", head=head)


def test_a_line_made_up_with_a_hash_of_its_own_breaks_the_chain(written, tmp_path):
    path, head = written
    lines = path.read_text().splitlines(keepends=True)
    forged = json.loads(lines[2])["record"] | {"wealth": 1.0}
    lines[2] = _line(3, json.loads(lines[1])["hash"], forged)[0].decode()
    (tmp_path / "log").write_text("".join(lines))
    with pytest.raises(PolicyError, match="line 4"):
        shadow.read(tmp_path / "log", head=head)


def test_a_log_written_anew_is_found_by_the_head_that_was_kept(written, tmp_path):
    other = shadow.ShadowLog(tmp_path / "log", HASH)
    other.append(*(entry(None, portfolio) for portfolio in "ABCDE"))
    assert len(shadow.read(tmp_path / "log")) == 5
    with pytest.raises(PolicyError, match="was in it"):
        shadow.read(tmp_path / "log", head=written[1])


def test_a_copy_without_its_head_needs_one_that_was_kept(written, tmp_path):
    path, head = written
    (tmp_path / "log").write_bytes(path.read_bytes())
    assert len(shadow.read(tmp_path / "log", head=head)) == 5
    with pytest.raises(PolicyError, match="head is missing"):
        shadow.read(tmp_path / "log")


def _watch(path, portfolio):
    log = shadow.ShadowLog(path, HASH)
    for _ in range(10):
        log.append(entry(None, portfolio), entry(np.array([0.4, 0.6]), portfolio))


def test_many_processes_watch_at_once(tmp_path):
    fork = multiprocessing.get_context("fork")
    running = [fork.Process(target=_watch, args=(tmp_path / "log", portfolio)) for portfolio in "ABC"]
    for process in running:
        process.start()
    for process in running:
        process.join()
    assert [process.exitcode for process in running] == [0, 0, 0]
    found = [each.portfolio for each in shadow.read(tmp_path / "log")]
    assert sorted(found) == sorted("ABC" * 20)
    assert all(found[i] == found[i + 1] for i in range(0, 60, 2))  # what was handed over at once stays together


def test_two_who_watch_by_turns_in_one_process(tmp_path):
    one, two = (shadow.ShadowLog(tmp_path / "log", HASH) for _ in range(2))
    one.append(entry(None, "A"))
    two.append(entry(None, "B"))
    one.append(entry(None, "C"))
    assert [each.portfolio for each in two.entries()] == ["A", "B", "C"]
    path = tmp_path / "log"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:2]))
    with pytest.raises(PolicyError, match="shorter"):
        one.append(entry(None, "D"))
    with pytest.raises(PolicyError, match="missing"):
        two.entries()


@pytest.mark.parametrize("body", [b"", b"{}\n", b"x", b"\xff\n", b"a b\n"])
def test_what_is_no_log_is_refused(tmp_path, body):
    (tmp_path / "log").write_bytes(body)
    with pytest.raises(PolicyError):
        shadow.read(tmp_path / "log")


def test_figures_that_are_none_are_not_written(tmp_path):
    log = shadow.ShadowLog(tmp_path / "log", HASH)
    with pytest.raises(ParameterError, match="figure"):
        log.append(replace(entry(None), wealth=float("nan")))
    assert log.entries() == ()
    with pytest.raises(ParameterError, match="worth"):
        entry(None, wealth=0.0)


def test_a_year_in_shadow_goes_to_the_rolling_review(tmp_path):
    universe = gbm(np.full(3, 0.05), np.diag([0.03, 0.01, 0.02]), np.full(3, 1 / 3), paths=1, sessions=1400, seed=9)
    log = shadow.ShadowLog(tmp_path / "log", HASH)
    rule = Band(0.02, every=21)
    guarded = Guarded(
        Quadratic(0.4),
        rule,
        mode="shadow",
        listen=lambda seen, judged: log.append(
            shadow.entry(seen, judged, portfolio="A", wealth=1e6, every=guarded.every)
        ),
    )
    watched = simulate(universe, signals(universe), Runs.product([guarded]))
    alone = simulate(universe, signals(universe), Runs.product([rule]))
    assert watched.statistics["total_bp"].iloc[0] == pytest.approx(alone.statistics["total_bp"].iloc[0])
    windows = shadow.windows(log.entries())
    total = shadow.summary(log.entries())
    assert len(windows) >= 16
    assert windows["rule_bp"].mean() == pytest.approx(total.rule_bp, rel=0.2)
    decision = review(windows, policy="quadratic", content_hash=HASH, state="shadow", intervened=total.intervened)
    assert decision.windows == len(windows)
    assert decision.decision in ("promote", "keep")

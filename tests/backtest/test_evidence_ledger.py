"""The ledger of trials: nothing is lost, a line taken out shows, many processes may append."""

import json
import multiprocessing

import pytest

from workbench.backtest.evidence import Trial, TrialLedger
from workbench.errors import ParameterError, PolicyError


def trial(policy="a", seed=None, sharpe=0.1, **more):
    return Trial(policy, "ETF", "2016-01-04/2020-12-31", seed, sharpe=sharpe, **more)


@pytest.fixture
def ledger(tmp_path):
    return TrialLedger(tmp_path / "trials.jsonl")


def test_an_empty_ledger_counts_nothing(ledger):
    assert ledger.count() == 0
    assert ledger.sharpe_variance() is None
    assert ledger.contains(ledger.head())
    assert not ledger.path.exists()


def test_distinct_trials_are_counted_and_repeats_are_kept(ledger):
    ledger.record([trial("a"), trial("b", sharpe=0.3)])
    ledger.record([trial("a"), trial("a", seed=1, sharpe=0.5)])
    assert ledger.count() == 3
    assert len(ledger.trials()) == 4
    assert ledger.sharpe_variance() == pytest.approx(0.04)


def test_another_policy_under_the_same_name_is_another_trial(ledger):
    ledger.record([trial("a", sharpe=0.1 * k) for k in range(20)])
    assert ledger.count() == 20
    ledger.record([trial("a", sharpe=0.1 * k + 1e-12) for k in range(20)])
    assert ledger.count() == 20


def test_variance_is_over_what_compares(ledger):
    ledger.record([trial("a", sharpe=0.1), trial("b", sharpe=0.2), trial("c", sharpe=5.0, measure="sharpe")])
    ledger.record([trial("d", sharpe=None)])
    assert ledger.sharpe_variance(measure="total_bp") == pytest.approx(0.005)
    assert ledger.sharpe_variance(measure="sharpe") is None
    assert ledger.sharpe_variance(window="1990") is None


def test_the_head_proves_what_was_there(ledger):
    head = ledger.record([trial("a")])
    ledger.record([trial("b")])
    assert ledger.contains(head)
    assert not ledger.contains("f" * 64)


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_line_taken_out_shows(ledger, at):
    ledger.record([trial("a"), trial("b"), trial("c")])
    lines = ledger.path.read_text().splitlines(keepends=True)
    ledger.path.write_text("".join(lines[:at] + lines[at + 1 :]))
    with pytest.raises(PolicyError, match=f"line {at + 1}"):
        ledger.count()
    with pytest.raises(PolicyError):
        ledger.record([trial("d")])


def test_a_changed_figure_shows(ledger):
    ledger.record([trial("a", sharpe=0.1), trial("b", sharpe=0.2)])
    ledger.path.write_text(ledger.path.read_text().replace("0.2", "0.1"))
    with pytest.raises(PolicyError, match="line 2 does not follow"):
        ledger.count()


def test_a_ledger_written_anew_shows(ledger, tmp_path):
    ledger.record([trial("a"), trial("b")])
    other = TrialLedger(tmp_path / "other.jsonl")
    other.record([trial("a"), trial("c")])
    other.path.replace(ledger.path)
    with pytest.raises(PolicyError, match="line 2 is not the one"):
        ledger.count()


def test_a_ledger_deleted_or_without_its_head_shows(ledger):
    ledger.record([trial("a")])
    text = ledger.path.read_bytes()
    ledger.path.unlink()
    with pytest.raises(PolicyError, match="line 1 is missing"):
        ledger.count()
    ledger.path.write_bytes(text)
    (ledger.path.parent / "trials.jsonl.head").unlink()
    with pytest.raises(PolicyError, match="head is missing"):
        ledger.count()


@pytest.mark.parametrize(
    "broken", ["nonsense\n", "{}\n", '{"trial": {"policy": 1}, "hash": "x"}\n', "[1]\n", "\n", '{"nu']
)
def test_a_corrupted_line_is_named(ledger, broken):
    ledger.record([trial("a")])
    with ledger.path.open("a") as file:
        file.write(broken)
    with pytest.raises(PolicyError, match=r"line 2 .*restore"):
        ledger.count()


def test_an_append_whose_head_was_not_written_is_taken_up(ledger):
    ledger.record([trial("a")])
    head = ledger.path.with_name("trials.jsonl.head")
    old = head.read_text()
    ledger.record([trial("b")])
    head.write_text(old)
    assert ledger.count() == 2
    ledger.record([trial("c")])
    assert json.loads(head.read_text())["count"] == 3


def append(path, name):
    for seed in range(15):
        TrialLedger(path).record([Trial(name, "u", "w", seed, sharpe=0.1)])


def test_many_processes_append_at_once(ledger):
    fork = multiprocessing.get_context("fork")
    running = [fork.Process(target=append, args=(ledger.path, name)) for name in "abc"]
    for process in running:
        process.start()
    for process in running:
        process.join()
    assert [process.exitcode for process in running] == [0, 0, 0]
    assert ledger.count() == 45
    assert len(ledger.trials()) == 45


def test_a_ratio_that_is_no_number_is_refused(ledger):
    with pytest.raises(ParameterError, match="a number"):
        ledger.record([trial(sharpe=float("nan"))])

"""Processes killed at any moment leave nothing half done and nothing done twice."""

from __future__ import annotations

from benchmarks.governance_crash import crash


def test_killed_processes_leave_one_of_everything_a_key(store_url):
    found = crash(store_url, keys=40, processes=4, kills=8, pause=0.02)
    assert found.pop("seconds") > 0
    assert found.pop("kills") >= 1
    assert found == {
        "submissions": 160,
        "processes": 4,
        "signals": 40,
        "receipts": 40,
        "creations_recorded": 40,
        "messages": 40,
        "records": 40,
        "chain_whole": True,
    }

"""Acceptance, turnaround, overrides and errors caught: by hand on a few rows."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.governance.lessons.histories import block, history, signal
from workbench.errors import ParameterError
from workbench.governance.lessons.acceptance import acceptance, errors_caught, overrides, reasons, turnaround

SIGNALS = [
    signal(0),
    signal(1, returned=1),
    signal(2, "rejected", book="ADV2"),
    signal(3, "expired", book="ADV2"),
    signal(4, "open", book="ADV2"),
]


def test_released_of_decided():
    (everything,) = acceptance(history(signals=SIGNALS)).groups
    assert (everything.released.hits, everything.released.cases) == (2, 3)
    assert everything.unchanged.hits == 1
    assert everything.undecided == 2


def test_groups_are_in_the_order_of_name_and_add_up():
    found = acceptance(history(signals=SIGNALS), "advisor")
    assert [group.key for group in found.groups] == ["ADV1", "ADV2"]
    assert sum(group.released.cases for group in found.groups) == 3
    assert found.chance is not None


def test_a_signal_counts_under_each_of_its_rules_and_not_under_those_it_passed():
    findings = [block(0, rule="a"), block(0, rule="b"), block(2, rule="a", verdict="pass")]
    found = acceptance(history(signals=SIGNALS, findings=findings), "rule")
    assert {group.key: group.released.cases for group in found.groups} == {"a": 1, "b": 1}
    assert found.chance is None


def test_another_grouping_is_refused():
    with pytest.raises(ParameterError):
        acceptance(history(), "household")


def test_nothing_decided_is_no_share():
    (everything,) = acceptance(history()).groups
    assert everything.released.cases == 0


def test_turnaround_by_hand():
    moments = dict(
        zip(("created_at", "submitted_at", "approved_at", "released_at"),
            pd.to_datetime(["2022-12-28T15:00Z", "2022-12-28T16:00Z", "2022-12-28T18:00Z", "2022-12-29T15:00Z"]),
            strict=True)
    )  # fmt: skip
    found = turnaround(history(signals=[signal(0, **moments), signal(1, "rejected", **moments)]))
    (row,) = found.to_dict("records")
    assert [row[step] for step in ("To submission", "To the last approval", "To release", "In all")] == [1, 2, 5, 8]


def test_overrides_count_blocks_only():
    findings = [block(0), block(1, overridden=False), block(2, person="P2"), block(3, verdict="warn", overridden=False)]
    (row,) = overrides(history(signals=SIGNALS, findings=findings)).to_dict("records")
    assert (row["findings"], row["overridden"], row["people"], row["rejected"]) == (3, 2, 2, 1)


def test_errors_caught_are_blocks_and_acts_because_of_wrong_data_of_decided_signals():
    acts = [
        {"signal_id": "s1", "action": "return", "reason_code": "data_wrong"},
        {"signal_id": "s2", "action": "reject", "reason_code": "client_wish"},
        {"signal_id": "s3", "action": "return", "reason_code": "tax"},  # never decided
    ]
    found = errors_caught(history(signals=SIGNALS, findings=[block(0)], decisions=acts))
    assert (found.hits, found.cases) == (2, 3)


def test_reasons_are_counted_by_act():
    acts = [{"signal_id": "s1", "action": "return", "reason_code": code} for code in ("tax", "tax", "risk", None)]
    found = reasons(history(signals=SIGNALS, decisions=acts))
    assert list(found["times"]) == [2, 1]

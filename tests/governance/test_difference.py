"""What two documents do not have in common, without knowing what they mean."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from workbench.governance.difference import difference

LEAVES = st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab/~", max_size=3)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab/~"), inner), max_leaves=8
)


def changes(before, after):
    kept = difference(("1" * 64, json.dumps(before).encode()), ("2" * 64, json.dumps(after).encode()))
    assert kept.kind == "difference"
    return json.loads(kept.body)["changes"]


def test_a_trade_taken_out_is_one_entry():
    trades = [{"security": name, "shares": 5} for name in ("AMD", "JPM", "KO")]
    found = changes(
        {"trades": trades, "cost": 12.5, "day": 1}, {"trades": [trades[0], trades[2]], "cost": 9.5, "day": 1}
    )
    assert found == [
        {"path": "/cost", "before": 12.5, "after": 9.5},
        {"path": "/trades", "removed": [trades[1]], "added": []},
    ]


def test_names_are_escaped_and_what_is_new_has_no_before():
    assert changes({"a/b": 1}, {"a/b": 1, "c~d": 2}) == [{"path": "/c~0d", "after": 2}]


def test_what_is_no_json_differs_as_a_whole():
    kept = difference(("1" * 64, b"\xff"), ("2" * 64, b"[1]"))
    assert json.loads(kept.body)["changes"] == [{"path": "", "before": None, "after": [1]}]


@given(VALUES, VALUES)
def test_nothing_is_said_exactly_where_nothing_differs(before, after):
    same = json.dumps(before, sort_keys=True) == json.dumps(after, sort_keys=True)
    assert (changes(before, after) == []) is same

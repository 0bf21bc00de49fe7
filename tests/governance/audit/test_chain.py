"""Following the chain: what counts as a record, and what each kind of damage is called."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from benchmarks.governance_attacks import drop_triggers, fill
from workbench.canonical import canonical
from workbench.governance.audit import chain, verifier
from workbench.governance.audit.chain import Findings, Row, follow
from workbench.governance.audit.record import START, Entry, seal
from workbench.governance.database import transaction

AT = "2026-11-21T20:00:00.000000Z"


def records(number=5, **changed):
    previous, made = START, []
    for sequence in range(1, number + 1):
        given = {
            "action": "approve", "outcome": "done", "object_kind": "signal", "object_id": "s1", "object_version": 1,
            "actor": "ann", "actor_kind": "person", "roles": ("trader",),
        }  # fmt: skip
        one = seal(Entry(**{**given, **changed}), sequence=sequence, previous=previous, at=AT, code_version="1")
        previous = one.hash
        said = json.loads(one.body)
        made.append(Row(sequence, one.body.decode(), one.hash, tuple(said[name] for name in chain.COPIES)))
    return made


def found(rows, **start):
    findings = Findings([])
    assert len(list(follow(rows, findings, **start))) == len(rows)
    return [(one.sequence, one.attack) for one in findings.kept]


def test_whole_records_give_no_finding_and_their_hashes():
    rows = records()
    assert found(rows) == []
    assert [digest.hex() for _, digest, _ in follow(rows, Findings([]))] == [row.hash for row in rows]


def respelt(row, body, **columns):
    """A record of other bytes that gives its hash, with the columns of the original."""
    import hashlib

    return Row(row.sequence, body, columns.get("hash", hashlib.sha256(body.encode()).hexdigest()), row.copies)


SPELLINGS = {
    "a space": lambda body: body.replace(",", ", ", 1),
    "another order of keys": lambda body: json.dumps(dict(reversed(json.loads(body).items())), separators=(",", ":")),
    "a key twice": lambda body: body[:-1] + ',"sequence":5}',
    "1.0 for 1": lambda body: body.replace('"object_version":1', '"object_version":1.0'),
    "an exponent": lambda body: body.replace('"object_version":1', '"object_version":1e0'),
    "-0": lambda body: body.replace('"object_version":1', '"object_version":-0'),
    "a whole number that is not exact": lambda body: body.replace(
        '"object_version":1', '"object_version":9007199254740993'
    ),
    "an escape that is not needed": lambda body: body.replace("ann", "\\u0061nn"),
    "NaN": lambda body: body.replace('"object_version":1', '"object_version":NaN'),
    "no JSON": lambda body: body[:-1],
    "a list": lambda body: "[]",
    "nested without end": lambda body: "[" * 200_000,
    "a field missing": lambda body: canonical({k: v for k, v in json.loads(body).items() if k != "roles"}).decode(),
    "a moment that is none": lambda body: body.replace(AT, "yesterday"),
    "a number as text": lambda body: body.replace('"sequence":5', '"sequence":"5"'),
    "a person who is a number": lambda body: body.replace('"actor":"ann"', '"actor":7'),
}


@pytest.mark.parametrize("change", SPELLINGS.values(), ids=SPELLINGS)
def test_what_is_not_spelt_canonically_or_is_no_record_is_found(change):
    *before, last = records()
    assert change(last.body) != last.body
    assert found([*before, respelt(last, change(last.body))])[0] == (5, "spelling")


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=8,
)  # fmt: skip


@given(plain)
def test_the_fast_road_knows_what_is_canonical(value):
    assert chain.is_canonical(canonical(value).decode())
    spelt = json.dumps(value, ensure_ascii=False)
    assert chain.is_canonical(spelt) == (spelt.encode() == canonical(value))
    assert verifier.spelled(verifier.strictly(canonical(value))).encode() == canonical(value)
    try:
        verifier.strictly(spelt.encode())
    except ValueError:
        assert spelt.encode() != canonical(value)
    else:
        assert spelt.encode() == canonical(value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_both_verifiers_spell_every_double_as_ecmascript_does(value):
    assert verifier.spelled(value).encode() == canonical(value)
    assert chain.is_canonical(verifier.spelled(value))


def test_keys_beyond_the_basic_plane_are_in_the_order_of_utf16():
    # U+1F600 comes before U+FFFD in UTF-16, after it by code point.
    rows = records(details={"\U0001f600": 1, "�": 2})
    assert found(rows) == []
    *before, last = rows
    swapped = last.body.replace('"\U0001f600":1,"�":2', '"�":2,"\U0001f600":1')
    assert swapped != last.body
    assert found([*before, respelt(last, swapped)]) == [(5, "spelling")]


def test_each_damage_is_found_where_it_is_and_does_not_spread():
    rows = records(6)
    edited = rows[2]._replace(body=rows[2].body.replace('"ann"', '"bob"'), copies=("x",) * 7)
    assert found([*rows[:2], edited, *rows[3:]])[0] == (3, "edit")
    copied = rows[2]._replace(copies=(AT, "bob", "approve", "done", "signal", "s1", "*"))
    assert found([*rows[:2], copied, *rows[3:]]) == [(3, "copy")]
    rehashed = respelt(rows[2], rows[2].body.replace('"ann"', '"bob"'))._replace(copies=None)
    assert found([*rows[:2], rehashed, *rows[3:]]) == [(4, "edit")]
    assert found([*rows[:2], *rows[3:]]) == [(3, "delete"), (4, "edit")]
    assert found([*rows[:1], *rows[4:]])[0] == (2, "delete")
    assert found([*rows[:3], rows[2], *rows[3:]])[0] == (3, "insert")
    swapped = [rows[0], rows[2]._replace(sequence=2), rows[1]._replace(sequence=3), *rows[3:]]
    assert found(swapped)[0] == (2, "swap")


def test_a_clock_that_went_back_is_found():
    rows = records(1)
    later = seal(
        Entry("a", "done", "k", "i", 1, "p", "person", ()), sequence=2, previous=rows[0].hash,
        at="2026-11-21T19:59:59.999999Z", code_version="1",
    )  # fmt: skip
    assert found([*rows, Row(2, later.body.decode(), later.hash, None)]) == [(2, "clock")]


def test_an_excerpt_begins_with_any_link_but_only_with_its_own_number():
    rows = records(6)
    assert found(rows[3:], sequence=3, previous=None) == []
    assert found(rows[3:], sequence=3, previous=START) == [(4, "edit")]


def test_only_the_first_hundred_findings_are_kept_in_words_and_all_are_counted():
    findings = Findings([])
    rows = [row._replace(hash="0" * 64) for row in records(150)]
    list(follow(rows, findings))
    assert len(findings.kept) == chain.KEPT
    assert findings.total == 150 + 149


def test_pages_of_the_database_are_read_without_a_gap(store, monkeypatch):
    monkeypatch.setattr(chain, "PAGE", 7)
    fill(store, 30)
    with store.reading() as connection:
        assert [row.sequence for row in chain.rows(connection)] == list(range(1, 31))
        assert [row.sequence for row in chain.rows(connection, 5, 21)] == list(range(6, 22))


def test_bytes_that_are_no_text_are_a_finding_and_stop_nothing(sqlite_url):
    from workbench.governance.store import open_store

    store = open_store(sqlite_url)
    fill(store, 10)
    with transaction(store.engine, "write") as connection:
        drop_triggers(connection)
        connection.execute(text("UPDATE audit SET body = CAST(x'ff00fe' AS TEXT) WHERE sequence = 4"))
    with store.reading() as connection:
        assert found(list(chain.rows(connection))) == [(4, "spelling")]
    store.engine.dispose()

"""The signal package: RFC 8785 vectors, exact round trips, an identity that any change changes, hostile content."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.util
import json
import os
import struct
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.canonical import canonical, number, plain
from workbench.errors import PackageError, ParameterError
from workbench.rebalance import content_hash, dumps, loads, package, read_index, read_package, write_packages
from workbench.rebalance import proposal as proposal_records
from workbench.rebalance.signal.records import MONEY

_spec = importlib.util.spec_from_file_location("proposals", Path(__file__).with_name("proposals.py"))
proposals = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(proposals)
make_proposal = proposals.make_proposal

SOME = settings(deadline=None, max_examples=100)
finite = st.floats(allow_nan=False, allow_infinity=False)
hostile = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)

#: RFC 8785, appendix B: the bits of a double and how it is written.
RFC_NUMBERS = [
    ("0000000000000000", "0"), ("8000000000000000", "0"), ("0000000000000001", "5e-324"),
    ("8000000000000001", "-5e-324"), ("7fefffffffffffff", "1.7976931348623157e+308"),
    ("ffefffffffffffff", "-1.7976931348623157e+308"), ("4340000000000000", "9007199254740992"),
    ("c340000000000000", "-9007199254740992"), ("4430000000000000", "295147905179352830000"),
    ("44b52d02c7e14af5", "9.999999999999997e+22"), ("44b52d02c7e14af6", "1e+23"),
    ("44b52d02c7e14af7", "1.0000000000000001e+23"), ("444b1ae4d6e2ef4e", "999999999999999700000"),
    ("444b1ae4d6e2ef4f", "999999999999999900000"), ("444b1ae4d6e2ef50", "1e+21"),
    ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"), ("3eb0c6f7a0b5ed8d", "0.000001"),
    ("41b3de4355555553", "333333333.3333332"), ("41b3de4355555554", "333333333.33333325"),
    ("41b3de4355555555", "333333333.3333333"), ("41b3de4355555556", "333333333.3333334"),
    ("41b3de4355555557", "333333333.33333343"), ("becbf647612f3696", "-0.0000033333333333333333"),
    ("43143ff3c1cb0959", "1424953923781206.2"),
]  # fmt: skip


@pytest.mark.parametrize(("bits", "written"), RFC_NUMBERS)
def test_numbers_are_written_as_the_standard_says(bits, written):
    value = struct.unpack(">d", bytes.fromhex(bits))[0]
    assert number(value) == written


@SOME
@given(finite)
def test_numbers_read_back_as_the_same_double(value):
    assert float(number(value)) == value
    assert float(plain(value)) == value
    assert "e" not in plain(value)


def test_keys_are_sorted_by_utf16_code_units_and_text_is_escaped_as_little_as_may_be():
    # RFC 8785, 3.2.3: U+1F600 is two surrogates (D83D DE00) and sorts before U+FB33.
    keys = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\u0080": 6, "\u00f6": 7}
    assert list(json.loads(canonical(keys))) == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    assert canonical({"s": "\u20ac$\u000f\nA'B\"\\/"}) == '{"s":"\u20ac$\\u000f\\nA\'B\\"\\\\/"}'.encode()
    assert canonical([None, True, False, 10**15]) == b"[null,true,false,1000000000000000]"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53, "\ud800", {1: 2}, {"a": object()}, b"x"])
def test_what_json_cannot_say_is_refused(value):
    with pytest.raises(ParameterError):
        canonical(value)


def test_a_package_reads_back_to_the_same_dataclasses():
    proposal = make_proposal()
    assert loads(dumps(proposal)) == proposal
    assert loads(dumps(make_proposal(trades=()))) == make_proposal(trades=())


@SOME
@given(hostile, finite, finite.map(abs), hostile)
def test_any_text_and_any_finite_number_survive(name, gain, shares, source):
    lot = replace(proposals.make_lot_sale(), gain=gain, shares=shares, basis=None)
    need = proposals.CashNeed("A2", "rmd", gain, None, 0.0, 0.0, source)
    trade = proposals.make_trade(lots=(lot,), gain_long=gain, tax=gain)
    proposal = make_proposal(trades=(trade,), household_name=name, cash_needs=(need,), tax=gain, cost=0.0)
    body = dumps(proposal)
    assert loads(body) == proposal
    assert dumps(loads(body)) == body


def test_equal_proposals_have_one_hash_():
    assert content_hash(make_proposal()) == content_hash(make_proposal())
    minus_zero = make_proposal(benefit=-0.0)
    assert minus_zero == make_proposal(benefit=0.0)
    assert content_hash(minus_zero) == content_hash(make_proposal(benefit=0.0))


def test_another_run_of_python_finds_the_same_hash():
    code = (
        "import runpy, sys; from workbench.rebalance import content_hash; "
        "print(content_hash(runpy.run_path(sys.argv[1])['make_proposal']()))"
    )
    command = [sys.executable, "-c", code, str(Path(__file__).with_name("proposals.py"))]
    said = subprocess.check_output(command, text=True, env={**os.environ, "PYTHONHASHSEED": "7"})
    assert said.strip() == content_hash(make_proposal())


def changes(value):
    """Every proposal that differs from `value` in one leaf."""
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from (replace(value, **{field.name: new}) for new in changes(getattr(value, field.name)))
    elif isinstance(value, tuple):
        for i, item in enumerate(value):
            yield from ((*value[:i], new, *value[i + 1 :]) for new in changes(item))
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, float):
        yield value + 1e-9 * max(abs(value), 1.0)
    elif isinstance(value, int):
        yield value + 1
    elif isinstance(value, date):
        yield value.replace(year=value.year + 1)


def test_a_change_of_any_number_day_or_flag_changes_the_hash():
    proposal = make_proposal()
    others = list(changes(proposal))
    assert len(others) > 80
    assert len({content_hash(other) for other in [proposal, *others]}) == len(others) + 1


def test_money_leaves_as_decimal_text_and_shares_as_numbers():
    trade = json.loads(dumps(make_proposal()))["proposal"]["trades"][0]
    assert trade["amount"] == "2857.5"
    assert trade["shares"] == 15


def test_the_harvest_list_holds_the_losses():
    assert [(security, lot.lot_id) for security, lot in package(make_proposal()).harvests] == [("VTI", "A1-L1")]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"benefit": float("nan")}, "proposal.benefit"),
        ({"benefit": "310"}, "proposal.benefit"),
        ({"mode": 7}, "proposal.mode"),
        ({"trades": [1]}, "proposal.trades"),
        ({"trades": (1,)}, r"proposal.trades\[0\]"),
        ({"settings": (("a",),)}, r"proposal.settings\[0\]"),
        ({"as_of": "2022-12-28"}, "proposal.as_of"),
    ],
)
def test_a_proposal_with_wrong_types_is_refused_by_name(change, place):
    with pytest.raises(ParameterError, match=place):
        dumps(replace(make_proposal(), **change))


def test_packages_are_written_once_and_verified(tmp_path):
    made = [make_proposal("H1"), make_proposal("../../H2", household_name="</script>=cmd|' /C calc'!A0")]
    hashes = write_packages(tmp_path / "out", made)
    assert write_packages(tmp_path / "out", made) == hashes == read_index(tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        ["index.json", *(f"{name}.json" for name in hashes.values())]
    )
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    for proposal in made:
        name = hashes[proposal.household_id]
        read = read_package(tmp_path / "out" / f"{name}.json")
        assert read.proposal == proposal
        assert read.content_hash == name == hashlib.sha256(read.body).hexdigest()


@SOME
@given(st.data())
def test_a_changed_byte_is_found(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("packages")
    (name,) = write_packages(folder, [make_proposal()]).values()
    path = folder / f"{name}.json"
    body = bytearray(path.read_bytes())
    body[data.draw(st.integers(0, len(body) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(bytes(body))
    with pytest.raises(PackageError, match="changed after it was written"):
        read_package(path)


def test_another_hash_than_the_one_approved_is_refused(tmp_path):
    (name,) = write_packages(tmp_path, [make_proposal()]).values()
    with pytest.raises(PackageError, match="hashes to"):
        read_package(tmp_path / f"{name}.json", expected="0" * 64)
    with pytest.raises(PackageError, match="cannot be read"):
        read_package(tmp_path / "gone.json")
    with pytest.raises(PackageError, match="not an index"):
        read_index(tmp_path / "gone")


BODY = dumps(make_proposal())


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"{", b"\xff", b"[" * 100_000, b'{"format":"other","version":1}',
        BODY + b"\n",
        BODY.replace(b'"version":1', b'"version":2'),
        BODY.replace(b'"shares":15', b'"shares":15.0'),
        BODY.replace(b'"shares":15', b'"shares":"15"'),
        BODY.replace(b'"shares":15', b'"shares":NaN'),
        BODY.replace(b'"benefit":"310"', b'"benefit":"310.00"'),
        BODY.replace(b'"benefit":"310"', b'"benefit":310'),
        BODY.replace(b'"benefit":"310"', b'"benefit":"310","benefit":"310"'),
        BODY.replace(b'"side":"sell"', b'"side":"short"'),
        BODY.replace(b'"mode":"full",', b''),
        BODY.replace(b'"mode":"full"', b'"mode":"full","more":1'),
        BODY.replace(b'"2021-03-15"', b'"2021-02-30"'),
    ],
)  # fmt: skip
def test_what_is_not_a_package_is_refused(body):
    with pytest.raises(PackageError):
        loads(body)


def test_two_proposals_of_one_household_are_refused(tmp_path):
    with pytest.raises(ParameterError, match="two proposals"):
        write_packages(tmp_path, [make_proposal(), make_proposal(mode="harvest")])


def test_the_money_fields_are_fields_of_the_records():
    for record, names in MONEY.items():
        kind = getattr(proposal_records, record)
        assert names <= {field.name for field in dataclasses.fields(kind)}

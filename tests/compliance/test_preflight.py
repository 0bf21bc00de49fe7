"""The engine: a proposal judged alone is judged as among many, in any order; documents read back."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from small_firms import AS_OF, HOUSE, Lot, Trade, firm, orders

from benchmarks.preflight import made_up_orders, tables
from workbench import rebalance
from workbench.canonical import canonical
from workbench.compliance import FirmView, Orders, Preflight, Verdict, preflight, read_document
from workbench.errors import FirmDataError, PackageError, ParameterError
from workbench.firm import open_at

N = 24
COLUMNS = ("verdict", "value", "limit", "before")


@pytest.fixture(scope="module")
def many() -> tuple[FirmView, Orders]:
    view = FirmView.of(tables(N), AS_OF, lineage={"accounts": "a" * 64})
    return view, made_up_orders(view)


def same(one: Preflight, other: Preflight, rows: Any = slice(None), others: Any = slice(None)) -> None:
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(one, name)[rows], getattr(other, name)[others], err_msg=name)


def test_alone_as_among_many(many: tuple[FirmView, Orders]) -> None:
    view, made = many
    whole = preflight(view, made, HOUSE)
    assert {int(v) for v in whole.verdict.ravel()} >= {Verdict.PASS, Verdict.WARN, Verdict.BLOCK}
    for chunk in (1, 7):
        small = preflight(view, made, HOUSE, chunk=chunk)
        same(whole, small)
        assert [whole.document(i) for i in range(0, N, 9)] == [small.document(i) for i in range(0, N, 9)]
    alone = preflight(view, made.part(17, 18), HOUSE)
    same(alone, whole, 0, 17)
    assert alone.document(0) == whole.document(17)


def columns_of(made: Orders) -> dict[str, Any]:
    columns: dict[str, Any] = {
        name: getattr(made, name) for name in made.__dataclass_fields__ if not name.endswith("_names")
    }
    for name in ("account", "state_account", "need_account"):
        columns[name] = made.account_names[getattr(made, name)]
    return columns | {
        "household": made.household_names[made.household], "security": made.security_names[made.security]
    }  # fmt: skip


def test_the_order_of_trades_and_lots_changes_nothing(many: tuple[FirmView, Orders]) -> None:
    view, made = many
    rng = np.random.default_rng(3)
    shuffled = columns_of(made)
    order, lots = rng.permutation(len(made.shares)), rng.permutation(len(made.lot_id))
    n_trades, n_lots = len(order), len(lots)
    for name, values in list(shuffled.items()):
        if name.startswith("lot_"):
            shuffled[name] = values[lots]
        elif not name.startswith(("state_", "need_")) and len(values) == n_trades:
            shuffled[name] = values[order]
    assert n_lots != n_trades
    shuffled["lot_trade"] = np.argsort(order)[shuffled["lot_trade"]]
    whole, other = preflight(view, made, HOUSE), preflight(view, Orders.from_columns(**shuffled), HOUSE)
    same(whole, other)
    assert [whole.document(i) for i in range(0, N, 9)] == [other.document(i) for i in range(0, N, 9)]


@pytest.fixture(scope="module")
def proposed() -> tuple[FirmView, tuple[rebalance.Proposal, ...]]:
    demo = open_at("demo")
    book = rebalance.load(demo)
    return FirmView.load(demo), rebalance.propose_firm(book, rebalance.Settings(), households=range(0, 40, 2))


def test_proposals_in_any_order(proposed: tuple[FirmView, tuple[rebalance.Proposal, ...]]) -> None:
    view, proposals = proposed
    whole = preflight(view, Orders.from_proposals(proposals), HOUSE)
    turned = [
        replace(p, trades=tuple(reversed(p.trades)), accounts=tuple(reversed(p.accounts))) for p in reversed(proposals)
    ]
    other = preflight(view, Orders.from_proposals(turned), HOUSE)
    same(whole, other, slice(None), slice(None, None, -1))
    documents = [other.document(i) for i in range(len(other))]
    assert [whole.document(i) for i in range(len(whole))] == documents[::-1]


def test_what_the_rebalancer_proposes_agrees_with_the_book(
    proposed: tuple[FirmView, tuple[rebalance.Proposal, ...]],
) -> None:
    view, proposals = proposed
    found = preflight(view, Orders.from_proposals(proposals), HOUSE)
    own = ("known_entities", "agrees_with_book", "prices_agree", "no_short_sale", "sold_lots", "trade_arithmetic",
           "gains_agree", "tax_agrees", "wash_sale", "cash_covers_trades")  # fmt: skip
    for rule_id in own:
        column = [rule.rule_id for rule in found.rules].index(rule_id)
        stopped = np.flatnonzero(found.verdict[:, column] >= Verdict.BLOCK)
        assert not len(stopped), found.finding(int(stopped[0]), column)


def test_a_tampered_package_is_caught(proposed: tuple[FirmView, tuple[rebalance.Proposal, ...]]) -> None:
    view, proposals = proposed
    sound = next(p for p in proposals if any(t.lots for t in p.trades))
    sold = next(t for t in sound.trades if t.lots)
    others = tuple(t for t in sound.trades if t is not sold)
    forged = {
        "trade_arithmetic": replace(sound, trades=(*others, replace(sold, amount=sold.amount + 1.0))),
        "prices_agree": replace(sound, trades=(*others, replace(sold, price=sold.price * 1.1))),
        "agrees_with_book": replace(
            sound, accounts=(replace(sound.accounts[0], cash_before=1e6), *sound.accounts[1:])
        ),
        "sold_lots": replace(
            sound, trades=(*others, replace(sold, lots=(replace(sold.lots[0], lot_id="made up"), *sold.lots[1:])))
        ),
        "tax_agrees": replace(sound, tax=sound.tax + 500.0),
        "known_entities": replace(sound, household_id="H99999"),
    }  # fmt: skip
    for rule_id, proposal in forged.items():
        found = preflight(view, Orders.from_proposals([proposal]), HOUSE)
        assert rule_id in {f.rule_id for f in found.findings(0) if f.verdict >= Verdict.BLOCK}, rule_id


def test_documents_say_every_rule_and_read_back(many: tuple[FirmView, Orders]) -> None:
    view, made = many
    found = preflight(view, made, HOUSE)
    content = found.document(0)
    document = read_document(content)
    assert [f.rule_id for f in document.findings] == [rule.rule_id for rule in HOUSE]
    assert (document.rules_hash, document.as_of) == (HOUSE.hash, "2022-12-28")
    assert document.worst == found.worst(0)
    assert canonical(json.loads(content)) == content
    assert dict(document.findings[0].inputs)["accounts"] == "a" * 64
    assert document.with_override("turnover", "Agreed").findings != document.findings
    worst = [f.verdict for f in found.findings(0)]
    assert worst == sorted(worst, reverse=True)
    assert set(found.frame()["verdict"]) <= {"warn", "block", "not_assessable"}
    assert len(found.frame(passed=True)) == N * len(HOUSE)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b'{"format":"workbench-preflight-1"}', b"null"])
def test_what_is_no_document(content: bytes) -> None:
    with pytest.raises(PackageError):
        read_document(content)


def test_no_proposals_and_no_trades() -> None:
    view = firm(cash={"A1": 1.0})
    nothing = preflight(view, orders(), HOUSE)
    assert len(nothing) == 0
    assert nothing.verdict.shape == (0, len(HOUSE))
    empty = firm(cash={})
    states = {"state_proposal": [0, 0], "state_account": ["A1", "A2"], "state_value": [0.0, 0.0],
              "state_cash_before": [0.0, 0.0], "state_cash_after": [0.0, 0.0]}  # fmt: skip
    assert preflight(empty, orders([], **states), HOUSE).worst(0) == Verdict.PASS


def test_a_stranger_is_blocked_and_nothing_else_fails() -> None:
    view = firm((Lot("L1", "A1", "AAA", 10.0),), cash={"A1": 100.0})
    hostile = "<script>'; drop table audit; --\n\ud800"
    made = orders([Trade(hostile, hostile, "sell", np.inf, ((hostile, np.nan),))], households=[hostile])
    found = preflight(view, made, HOUSE)
    assert found.worst(0) >= Verdict.BLOCK
    for finding in found.findings(0, passed=True):
        assert "\n" not in finding.reason + finding.subject
        assert len(finding.reason) <= 1_000
    read_document(found.document(0))


def test_a_firm_or_orders_that_contradict_themselves() -> None:
    rows = tables(3)
    rows["positions"].loc[0, "account_id"] = "A999999"
    with pytest.raises(FirmDataError, match="A999999"):
        FirmView.of(rows, AS_OF)
    no_cash = tables(3)
    no_cash["securities"] = no_cash["securities"][no_cash["securities"]["security_id"] != "CASH"]
    with pytest.raises(FirmDataError, match="CASH"):
        FirmView.of(no_cash, AS_OF)
    columns = columns_of(orders([]))
    del columns["benefit"]
    with pytest.raises(ParameterError, match="benefit"):
        Orders.from_columns(**columns)

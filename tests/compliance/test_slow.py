"""Every figure again in plain Python loops, on random small firms: the engine and the loops agree."""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from small_firms import PRICES, Lot, Trade, firm, judged, orders, verdict

SECURITIES = ("AAA", "BBB", "CCC", "FND")
ISSUERS = {"AAA": "ISS1", "BBB": "ISS1", "CCC": "ISS2"}
SECTORS = {"AAA": "Energy", "BBB": "Energy", "CCC": "Health Care"}
ACCOUNTS = {"A1": "taxable", "A2": "roth_ira"}
LIMITS = [0.05, 0.075, 0.10, 0.10, 0.15]
SECTOR_LIMITS = [0.15, 0.20, 0.25, 0.30, 0.35]


@dataclass(frozen=True)
class Case:
    """One household: what it holds, what it is told, what is proposed."""

    lots: tuple[Lot, ...]
    cash: dict[str, float]
    trades: tuple[Trade, ...]
    restrictions: tuple[tuple[str, str, str, float | None], ...]
    levels: tuple[int, int] | None
    budget: float | None
    realised: float


@st.composite
def cases(draw: st.DrawFn) -> Case:
    whole = st.integers(1, 60).map(float)
    lots = tuple(
        Lot(f"L{i}", draw(st.sampled_from(sorted(ACCOUNTS))), draw(st.sampled_from(SECURITIES)), draw(whole),
            cost=draw(st.sampled_from([0.0, 5.0, 12.0, 30.0, 120.0])), days=draw(st.sampled_from([3, 30, 31, 400])),
            covered=draw(st.booleans()))
        for i in range(draw(st.integers(0, 6)))
    )  # fmt: skip
    trades = []
    for lot in lots:
        if draw(st.booleans()):
            shares = float(draw(st.integers(1, int(lot.shares) + 2)))
            trades.append(Trade(lot.account, lot.security, "sell", shares, ((lot.lot_id, shares),)))
    for _ in range(draw(st.integers(0, 3))):
        trades.append(
            Trade(draw(st.sampled_from(sorted(ACCOUNTS))), draw(st.sampled_from(SECURITIES)), "buy", draw(whole),
                  cost=draw(st.sampled_from([0.0, 1.5])))
        )  # fmt: skip
    scopes, kinds = (
        st.sampled_from(["A1", "A2", "H1", "H2"]),
        st.sampled_from(["never_buy", "never_sell", "never_hold"]),
    )
    told: list[tuple[str, str, str, float | None]] = [
        (draw(scopes), draw(kinds), draw(st.sampled_from([*SECURITIES, "ISS1"])), None)
        for _ in range(draw(st.integers(0, 3)))
    ]
    if draw(st.booleans()):
        told.append((draw(scopes), "max_weight", draw(st.sampled_from(SECURITIES)), draw(st.sampled_from([0.1, 0.4]))))
    if draw(st.booleans()):
        told.append((draw(scopes), "min_cash", "CASH", draw(st.sampled_from([100.0, 900.0]))))
    return Case(
        lots, {name: float(draw(st.integers(-100, 2_000))) for name in ACCOUNTS}, tuple(trades), tuple(told),
        draw(st.none() | st.tuples(st.integers(1, 5), st.integers(1, 5))),
        draw(st.none() | st.sampled_from([0.0, 200.0])), float(draw(st.integers(-300, 300))),
    )  # fmt: skip


class Slow:
    """The same household by loops over rows: no arrays, no codes, no sharing with the engine."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.before: dict[tuple[str, str], float] = defaultdict(float)
        for lot in case.lots:
            self.before[lot.account, lot.security] += lot.shares
        for account, cash in case.cash.items():
            self.before[account, "CASH"] += cash
        self.after = defaultdict(float, self.before)
        for trade in case.trades:
            sign = -1.0 if trade.side == "sell" else 1.0
            self.after[trade.account, trade.security] += sign * trade.shares
            self.after[trade.account, "CASH"] -= sign * trade.shares * PRICES[trade.security] + trade.cost

    def told(self, kind: str) -> list[tuple[str, str, float | None]]:
        return [(scope, key, value) for scope, k, key, value in self.case.restrictions if k == kind and scope != "H2"]

    @staticmethod
    def within(scope: str, account: str) -> bool:
        return scope in ("H1", account)

    @staticmethod
    def names(key: str, security: str) -> bool:
        return key in (security, ISSUERS.get(security, "") if key.startswith("ISS") else "")

    def worst(self, rows: list[str]) -> str:
        order = ["pass", "warn", "block", "not_assessable"]
        return max(rows, key=order.index, default="pass")

    def never_traded(self, kind: str, side: str) -> str:
        hits = [
            "block"
            for scope, key, _ in self.told(kind)
            for trade in self.case.trades
            if trade.side == side and self.within(scope, trade.account) and self.names(key, trade.security)
        ]
        return self.worst(hits)

    def never_hold(self) -> str:
        rows = []
        for scope, key, _ in self.told("never_hold"):
            for (account, security), shares in self.after.items():
                if self.within(scope, account) and self.names(key, security) and shares > 1e-9:
                    rows.append("warn" if shares <= self.before[account, security] else "block")
        return self.worst(rows)

    def weight(self, held: dict[tuple[str, str], float], scope: str, wanted: set[str]) -> float:
        mine = {k: v * PRICES[k[1]] for k, v in held.items() if self.within(scope, k[0])}
        whole = sum(mine.values())
        return sum(v for (_, security), v in mine.items() if security in wanted) / whole if whole > 1e-9 else 0.0

    def max_weight(self) -> str:
        rows = []
        for scope, key, limit in self.told("max_weight"):
            after, before = (self.weight(held, scope, {key}) for held in (self.after, self.before))
            assert limit is not None
            if after > limit + 1e-9:
                rows.append("warn" if before > limit + 1e-9 and after <= before + 1e-9 else "block")
        return self.worst(rows)

    def concentration(self, names: dict[str, str], limits: list[float], failing: str) -> str:
        if not self.case.trades:
            return "pass"
        rows = []
        for name in set(names.values()):
            members = {security for security, its in names.items() if its == name}
            dollars = [
                sum(v * PRICES[s] for (_, s), v in held.items() if s in members) for held in (self.before, self.after)
            ]
            whole = [sum(v * PRICES[s] for (_, s), v in held.items()) for held in (self.before, self.after)]
            if abs(dollars[1]) < 1e-9:
                continue
            if self.case.levels is None or whole[1] <= 0:
                rows.append("not_assessable")
                continue
            limit = limits[min(self.case.levels) - 1]
            after = dollars[1] / whole[1]
            before = dollars[0] / whole[0] if whole[0] > 0 else float("nan")
            if after > limit + 1e-9:
                kept = before > limit + 1e-9 and (after <= before + 1e-9 or dollars[1] <= dollars[0])
                rows.append("warn" if kept else failing)
        return self.worst(rows)

    def cash(self) -> str:
        rows = []
        for account in ACCOUNTS:
            after, before = round(self.after[account, "CASH"], 2), self.before[account, "CASH"]
            if self.case.trades and after < 0:
                rows.append("warn" if before < 0 and after >= before else "block")
        return self.worst(rows)

    def floor(self) -> str:
        rows = []
        for scope, _, floor in self.told("min_cash"):
            after, before = (
                sum(v for (account, s), v in held.items() if s == "CASH" and self.within(scope, account))
                for held in (self.after, self.before)
            )
            assert floor is not None
            if after < floor - 0.01:
                rows.append("warn" if before < floor and after >= before - 1e-6 else "block")
        return self.worst(rows)

    def gains(self) -> list[tuple[Lot, Trade, float | None]]:
        """Lots sold in the taxable account, with the gain of each (None: nobody knows)."""
        lots = {lot.lot_id: lot for lot in self.case.lots}
        rows = []
        for trade in self.case.trades:
            if trade.side == "sell" and ACCOUNTS[trade.account] == "taxable":
                lot = lots[trade.lots[0][0]]
                known = lot.covered or lot.cost > 0
                rows.append((lot, trade, trade.shares * (PRICES[lot.security] - lot.cost) if known else None))
        return rows

    def gain_budget(self) -> str:
        if self.case.budget is None or not self.gains():
            return "pass"
        gains = [gain for *_, gain in self.gains()]
        if None in gains:
            return "not_assessable"
        year = self.case.realised + sum(gain for gain in gains if gain is not None)
        if year <= self.case.budget + 0.005:
            return "pass"
        return "warn" if self.case.realised > self.case.budget and year <= self.case.realised else "block"

    def short(self) -> str:
        rows = [
            "block"
            for (account, security), shares in self.after.items()
            if security != "CASH" and shares < min(self.before[account, security], -1e-6)
        ]
        return self.worst(rows)

    def wash(self) -> str:
        """Share for share: losses by day of purchase, each replaced by recent shares kept and shares bought here."""
        rows = []
        sold = {trade.lots[0][0]: trade.shares for trade in self.case.trades if trade.side == "sell"}
        losses = sorted(
            (row for row in self.gains() if row[2] is None or row[2] < 0), key=lambda row: (-row[0].days, row[0].lot_id)
        )
        done: dict[str, float] = defaultdict(float)
        for lot, trade, gain in losses:
            recent = {
                other.lot_id: max(other.shares - sold.get(other.lot_id, 0.0), 0.0)
                for other in self.case.lots
                if other.security == lot.security and other.days <= 30 and other.lot_id != lot.lot_id
            }
            new = sum(t.shares for t in self.case.trades if t.side == "buy" and t.security == lot.security)
            replacing = sum(recent.values()) + new
            washed = min(max(replacing - done[lot.security], 0.0), trade.shares)
            done[lot.security] += trade.shares
            if gain is None and replacing > 0:
                rows.append("not_assessable")
            elif gain is not None and -gain * washed / trade.shares > 1.0:
                rows.append("block")
        return self.worst(rows)

    def turnover(self) -> str:
        if not self.case.trades:
            return "pass"
        value = sum(v * PRICES[s] for (_, s), v in self.before.items())
        if value <= 0:
            return "not_assessable"
        sides = [sum(t.shares * PRICES[t.security] for t in self.case.trades if t.side == s) for s in ("buy", "sell")]
        return "warn" if min(sides) / value > 0.25 + 1e-9 else "pass"


@given(cases())
@effort(max_examples=30)
def test_the_engine_is_the_loops(case: Case) -> None:
    recent = [(lot.account, lot.security, lot.lot_id, lot.shares, lot.days, "manual") for lot in case.lots]
    view = firm(
        case.lots, cash=case.cash, restrictions=case.restrictions, bought=recent,
        profiles={} if case.levels is None else {"H1": case.levels},
        households={
            "gain_budget": float("nan") if case.budget is None else case.budget, "realised_long": case.realised
        },
    )  # fmt: skip
    made = orders(case.trades)
    slow = Slow(case)
    expected = {
        "never_buy": slow.never_traded("never_buy", "buy"),
        "never_sell": slow.never_traded("never_sell", "sell"),
        "never_hold": slow.never_hold(),
        "max_weight": slow.max_weight(),
        "single_issuer": slow.concentration(ISSUERS, LIMITS, "block"),
        "sector": slow.concentration(SECTORS, SECTOR_LIMITS, "warn"),
        "cash_covers_trades": slow.cash(),
        "cash_floor": slow.floor(),
        "gain_budget": slow.gain_budget(),
        "no_short_sale": slow.short(),
        "wash_sale": slow.wash(),
        "turnover": slow.turnover(),
    }
    assert {rule: verdict(judged(view, made, rule)) for rule in expected} == expected


def test_the_loops_know_a_case_of_each_kind() -> None:
    case = Case(
        (Lot("L0", "A1", "AAA", 60.0, cost=12.0, days=400), Lot("L1", "A2", "AAA", 10.0, days=3)),
        {"A1": 0.0, "A2": 0.0},
        (Trade("A1", "AAA", "sell", 20.0, (("L0", 20.0),)),), (("A1", "never_sell", "ISS1", None),), (1, 3), None, 0.0,
    )  # fmt: skip
    slow = Slow(case)
    assert slow.wash() == "block"
    assert slow.never_traded("never_sell", "sell") == "block"
    assert slow.concentration(ISSUERS, LIMITS, "block") == "warn"
    assert slow.after["A1", "CASH"] == pytest.approx(200.0)

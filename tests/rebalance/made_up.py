"""Made-up households, as odd as they come: no lots, dust, no price, no model, negative cash, locked lots."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
from hypothesis import strategies as st

from workbench.rebalance.household import (
    TREATMENT,
    Accounts,
    Banded,
    CashDemand,
    Household,
    Lots,
    Market,
    Models,
    Restriction,
    TaxPosition,
    WashEvent,
)

AS_OF = date(2025, 6, 30)
IDS = ("AAA", "AAB", "BND", "BNE", "CASH", "EMK", "INT", "OLD", "TEC", "XXX")
CLASSES = ("Equity", "Equity", "Bonds", "Bonds", "Cash", "Equity", "Equity", "Equity", "Equity", "Equity")
SECTORS = ("Broad", "Broad", "Fixed", "Fixed", "Cash", "Broad", "Broad", "Tech", "Tech", "Oil")
PRICES = (100.0, 50.0, 20.0, 25.0, 1.0, 40.0, 60.0, 400.0, 250.0, 10.0)
TARGET = (0.30, 0.0, 0.35, 0.0, 0.02, 0.08, 0.15, 0.0, 0.06, 0.04)


def market(prices: tuple[float, ...] = PRICES) -> Market:
    """Ten securities: AAA and AAB are substitutes, BND and BNE too; OLD is in no model; XXX is screened by some."""
    rng = np.random.default_rng(5)
    n = len(IDS)
    equity = np.array([c == "Equity" for c in CLASSES])
    exposure = np.where(equity, 0.15, 0.03)[:, None] * np.array([1.0, 0.3]) + rng.normal(0, 0.01, (n, 2))
    exposure[4] = 0.0
    specific = np.where(equity, 0.02, 0.001)
    specific[4] = 0.0
    everywhere = frozenset(TREATMENT)
    return Market(
        ids=IDS, names=IDS, kinds=tuple("cash" if i == "CASH" else "etf" for i in IDS),
        is_cash=np.array([i == "CASH" for i in IDS]), price=np.array(prices), adv=np.full(n, 1e6),
        half_spread=np.full(n, 0.0003), asset_class=CLASSES, sector=SECTORS, issuer=IDS, exposure=exposure,
        specific=specific, proxied=np.zeros(n, bool), wash_group=np.arange(n, dtype=np.int32), wash_group_names=IDS,
        screens=tuple(frozenset({"oil"}) if i == "XXX" else frozenset() for i in IDS),
        substitutes={0: ((1, 1, everywhere),), 2: ((3, 1, everywhere),)}, cash=4,
        code={name: place for place, name in enumerate(IDS)},
    )  # fmt: skip


def models() -> Models:
    """One model with bands of four points a security and five a class."""
    target = np.array([TARGET])
    keys = tuple(sorted(set(CLASSES)))
    loading = np.array([[float(c == key) for key in keys] for c in CLASSES])[None]
    of_class = target @ loading[0]
    stands_for = np.arange(len(IDS), dtype=np.int32)[None].copy()
    stands_for[0, 1], stands_for[0, 3] = 0, 2
    level = Banded("asset_class", keys, loading, of_class, of_class - 0.05, of_class + 0.05)
    return Models(("MOD",), (1,), target, target - 0.04, target + 0.04, stands_for, (level,))


def household(
    accounts: list[dict],
    *,
    prices: tuple[float, ...] = PRICES,
    restrictions: tuple[Restriction, ...] = (),
    needs: tuple[CashDemand, ...] = (),
    wash: tuple[WashEvent, ...] = (),
    **tax,
) -> Household:
    """Build a household from plain accounts: registration, cash, holdings {security: [(shares, basis, days held)]}."""
    security, quantity, ptr, lot_ptr = [], [], [0], [0]
    lots: list[tuple[str, float, float, int]] = []
    for a, account in enumerate(accounts):
        for name in sorted(account["holdings"]):
            listed = account["holdings"][name]
            security.append(IDS.index(name))
            quantity.append(sum(lot[0] for lot in listed))
            lots += [(f"L{a}-{name}-{k}", *lot) for k, lot in enumerate(listed)]
            lot_ptr.append(len(lots))
        ptr.append(len(security))
    acquired = np.array([np.datetime64(AS_OF - timedelta(days=lot[3]), "D") for lot in lots], "datetime64[D]")
    n = len(accounts)
    position = {
        "filing_status": "joint", "short_rate": 0.408, "long_rate": 0.238, "ordinary_rate": 0.37,
        "realised_short": 0.0, "realised_long": 0.0, "carryforward_short": 0.0, "carryforward_long": 0.0,
        "gain_budget": None, **tax,
    }  # fmt: skip
    return Household(
        "H1", "The Test household", "V1", AS_OF, market(prices), models(), TaxPosition(**position),
        Accounts(
            tuple(f"A{a:02d}" for a in range(n)), tuple(account["registration"] for account in accounts),
            np.array([TREATMENT[account["registration"]] for account in accounts], np.int32),
            np.array([account.get("model", 0) for account in accounts], np.int32), np.ones(n, bool),
            np.array([account.get("fee", 0.0) for account in accounts]),
            np.array([account["cash"] for account in accounts], float), np.zeros(n, bool), (None,) * n,
        ),
        np.array(ptr), np.array(security, np.int32), np.array(quantity, float),
        Lots(
            np.array(lot_ptr), [lot[0] for lot in lots], np.array([lot[1] for lot in lots], float),
            np.array([lot[2] for lot in lots], float), acquired, acquired + np.timedelta64(1, "D"),
        ),
        restrictions, needs, wash,
    )  # fmt: skip


_SHARES = st.one_of(st.integers(1, 2000).map(float), st.floats(0.001, 300.0).map(lambda v: round(v, 4)), st.just(1e-6))
_BASIS = st.one_of(st.floats(0.0, 3.0), st.just(float("nan")))


@st.composite
def _account(draw, registrations=tuple(TREATMENT)):
    holdings = {}
    for name in draw(st.lists(st.sampled_from([i for i in IDS if i != "CASH"]), unique=True, max_size=7)):
        price = PRICES[IDS.index(name)]
        listed = draw(st.lists(st.tuples(_SHARES, _BASIS, st.integers(0, 2000)), min_size=1, max_size=4))
        holdings[name] = [(shares, part * price, days) for shares, part, days in listed]
    return {
        "registration": draw(st.sampled_from(registrations)),
        "cash": draw(st.one_of(st.floats(-2e4, 3e5).map(lambda v: round(v, 2)), st.just(0.0))),
        "holdings": holdings,
        "model": draw(st.sampled_from([0, 0, 0, 0, -1])),
        "fee": draw(st.sampled_from([0.0, 4.95])),
    }


@st.composite
def households(draw, most: int = 4):
    """Households with obstacles of every kind."""
    accounts = draw(st.lists(_account(), min_size=1, max_size=most))
    n = len(accounts)
    names = [i for i in IDS if i != "CASH"]
    restrictions = []
    for k in range(draw(st.integers(0, 4))):
        kind = draw(st.sampled_from(["never_buy", "never_sell", "never_hold", "screen", "max_weight", "hold_lot"]))
        account = draw(st.integers(-1, n - 1))
        key = "oil" if kind == "screen" else draw(st.sampled_from(names))
        if kind == "hold_lot":
            listed = [
                f"L{a}-{name}-{i}" for a, made in enumerate(accounts)
                for name in made["holdings"] for i in range(len(made["holdings"][name]))
            ]  # fmt: skip
            key = draw(st.sampled_from(listed)) if listed else "none"
        value = draw(st.floats(0.0, 0.5)) if kind == "max_weight" else None
        restrictions.append(Restriction(f"R{k}", account, kind, key, value, "", None))
    needs = [
        CashDemand(draw(st.integers(0, n - 1)), draw(st.sampled_from(["rmd", "withdrawal", "min_cash"])),
                   draw(st.floats(0.0, 2e5)), None, f"N{k}")
        for k in range(draw(st.integers(0, 2)))
    ]  # fmt: skip
    wash = []
    for k in range(draw(st.integers(0, 3))):
        code = IDS.index(draw(st.sampled_from(names)))
        day = AS_OF - timedelta(days=draw(st.integers(0, 30)))
        kind = draw(st.sampled_from(["purchase", "loss_sale", "reinvestment"]))
        wash.append(
            WashEvent(kind, code, code, draw(st.integers(0, n - 1)), draw(st.floats(0.1, 500.0)), day,
                      day + timedelta(days=30), f"W{k}", 1.0)
        )  # fmt: skip
    prices = list(PRICES)
    if draw(st.booleans()):
        prices[IDS.index(draw(st.sampled_from(names)))] = draw(st.sampled_from([0.0, float("nan")]))
    return household(
        accounts,
        prices=tuple(prices),
        restrictions=tuple(restrictions),
        needs=tuple(needs),
        wash=tuple(wash),
        gain_budget=draw(st.sampled_from([None, 0.0, 5_000.0, 50_000.0])),
        realised_short=draw(st.sampled_from([0.0, -20_000.0, 8_000.0])),
        realised_long=draw(st.sampled_from([0.0, -5_000.0, 30_000.0])),
        carryforward_short=draw(st.sampled_from([0.0, 4_000.0])),
        carryforward_long=draw(st.sampled_from([0.0, 25_000.0])),
    )

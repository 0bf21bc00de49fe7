"""Rules from their words, case by case on planted violations: what a head of compliance would try first."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from workbench.compliance import CHECKS, Context, Rulebook, preflight
from workbench.errors import FirmDataError, ParameterError

sys.path.insert(0, str(Path(__file__).parent))
from small_firms import AS_OF, Lot, Trade, firm, judged, orders, verdict

RULES = Rulebook.default()
OLD = Lot("L1", "A1", "AAA", 100.0, cost=12.0, days=400)
ENOUGH = {"A1": 50_000.0, "A2": 50_000.0}


def sell(shares: float = 100.0, **changed: Any) -> Trade:
    return Trade("A1", "AAA", "sell", shares, (("L1", shares),), **changed)


# --- Restrictions: what a key names, until when, where.
@pytest.mark.parametrize(("key", "says"), [
    ("AAA", "block"), ("ISS1", "block"), ("Energy", "block"), ("US equity", "block"), ("BBB", "pass"), ("ISS2", "pass"),
    ("Health Care", "pass"), ("Enrgy", "not_assessable"),
])  # fmt: skip
def test_a_key_names_a_security_an_issuer_a_sector_or_a_class(key: str, says: str) -> None:
    told = firm(cash=ENOUGH, restrictions=[("H1", "never_buy", key, None)])
    assert verdict(judged(told, orders([Trade("A1", "AAA", "buy", 1.0)]), "never_buy")) == says


@pytest.mark.parametrize(("days", "says"), [(-1, "pass"), (0, "block"), (1, "block")])
def test_a_restriction_counts_on_its_last_day_and_not_on_the_next(days: int, says: str) -> None:
    expires = AS_OF + pd.Timedelta(days=days)
    told = firm(cash=ENOUGH, restrictions=[("H1", "never_buy", "AAA", None)], expires=expires)
    assert verdict(judged(told, orders([Trade("A2", "AAA", "buy", 1.0)]), "never_buy")) == says


@pytest.mark.parametrize(("scope", "account", "says"), [
    ("A1", "A1", "block"), ("A1", "A2", "pass"), ("H1", "A2", "block"), ("H2", "A1", "pass"), ("A9", "A1", "pass"),
])  # fmt: skip
def test_an_accounts_restriction_is_not_the_households(scope: str, account: str, says: str) -> None:
    told = firm(cash=ENOUGH, restrictions=[(scope, "never_buy", "AAA", None)])
    assert verdict(judged(told, orders([Trade(account, "AAA", "buy", 1.0)]), "never_buy")) == says


@pytest.mark.parametrize(("value", "says"), [(0.30, "pass"), (0.05, "block"), (30.0, "not_assessable"),
                                             (-0.1, "not_assessable"), (None, "not_assessable")])  # fmt: skip
def test_a_cap_is_a_fraction(value: float | None, says: str) -> None:
    told = firm(cash={"A1": 10_000.0}, restrictions=[("A1", "max_weight", "AAA", value)])
    assert verdict(judged(told, orders([Trade("A1", "AAA", "buy", 100.0)]), "max_weight")) == says


def test_a_cap_on_an_issuer_adds_its_share_classes_up() -> None:
    told = firm(cash={"A1": 10_000.0}, restrictions=[("H1", "max_weight", "ISS1", 0.25)])
    one = [Trade("A1", "AAA", "buy", 200.0)]
    both = [*one, Trade("A1", "BBB", "buy", 75.0)]  # 20 % and 15 %
    assert verdict(judged(told, orders(one), "max_weight")) == "pass"
    assert verdict(judged(told, orders(both), "max_weight")) == "block"


def test_an_issuer_is_summed_over_classes_and_accounts() -> None:
    told = firm(cash={"A1": 5_000.0, "A2": 5_000.0})
    one = [Trade("A1", "AAA", "buy", 60.0)]
    both = [*one, Trade("A2", "BBB", "buy", 30.0)]  # 6 % and 6 % of one issuer, 10 % allowed at risk level 3
    assert verdict(judged(told, orders(one), "single_issuer")) == "pass"
    assert verdict(judged(told, orders(both), "single_issuer")) == "block"


def test_what_may_not_be_held_and_is_left_in_place_warns_and_one_share_more_blocks() -> None:
    told = firm([OLD], cash=ENOUGH, restrictions=[("A1", "never_hold", "AAA", None)])
    assert verdict(judged(told, orders([Trade("A2", "CCC", "buy", 1.0)]), "never_hold")) == "warn"
    assert verdict(judged(told, orders([sell(99.0)]), "never_hold")) == "warn"
    assert verdict(judged(told, orders([sell(100.0)]), "never_hold")) == "pass"
    assert verdict(judged(told, orders([Trade("A1", "AAA", "buy", 1.0)]), "never_hold")) == "block"


def test_a_kept_lot_is_not_sold_though_another_of_the_security_is() -> None:
    other = Lot("L2", "A1", "AAA", 100.0, cost=8.0)
    told = firm([OLD, other], restrictions=[("A1", "hold_lot", "L1", None)])
    assert verdict(judged(told, orders([Trade("A1", "AAA", "sell", 5.0, (("L2", 5.0),))]), "hold_lot")) == "pass"
    assert verdict(judged(told, orders([sell(5.0)]), "hold_lot")) == "block"


# --- Cash: fees, floors, needs.
def test_a_negative_cost_makes_no_cash() -> None:
    told = firm(cash={"A1": 10.0})
    made = orders([Trade("A1", "AAA", "buy", 2.0, cost=-1_000.0)])
    assert verdict(judged(told, made, "trade_arithmetic")) == "block"
    gap = orders([Trade("A1", "AAA", "buy", 1.0, cost=float("nan"))])
    assert verdict(judged(told, gap, "trade_arithmetic")) == "block"
    assert verdict(judged(told, gap, "cash_covers_trades")) == "not_assessable"
    held = firm(cash={"A1": 10.0}, restrictions=[("A1", "min_cash", "CASH", 5.0)])
    assert verdict(judged(held, gap, "cash_floor")) == "not_assessable"


@pytest.mark.parametrize(("needed", "account", "says"), [
    (100.0, "A1", "pass"), (100.01, "A1", "pass"), (100.02, "A1", "warn"), (float("nan"), "A1", "not_assessable"),
    (-5.0, "A1", "not_assessable"), (5.0, "A3", "not_assessable"), (5.0, "A9", "not_assessable"),
])  # fmt: skip
def test_what_has_to_be_paid_out_is_there_and_known(needed: float, account: str, says: str) -> None:
    told = firm([OLD], cash={"A1": 0.0})
    made = orders([sell(10.0)], need_proposal=[0], need_account=[account], need_kind=["rmd"], needed=[needed],
                  need_source=["2022"])  # fmt: skip
    assert verdict(judged(told, made, "cash_needs")) == says


@pytest.mark.parametrize(("floor", "says"), [(100.0, "pass"), (101.0, "warn"), (-1.0, "not_assessable"),
                                             (None, "not_assessable")])  # fmt: skip
def test_a_floor_is_an_amount_from_zero_on(floor: float | None, says: str) -> None:
    told = firm([OLD], cash={"A1": 0.0}, restrictions=[("A1", "min_cash", "CASH", floor)])
    assert verdict(judged(told, orders([sell(10.0)]), "cash_floor")) == says


# --- Lots, gains, tax: the package cannot talk them away.
@pytest.mark.parametrize("shares", [0.0, -50.0, float("nan")])
def test_a_lot_is_sold_by_a_number_above_zero(shares: float) -> None:
    told = firm([Lot("L1", "A1", "AAA", 200.0), Lot("L2", "A1", "AAA", 200.0)])
    rest = 100.0 if np.isnan(shares) else 100.0 - shares
    made = orders([Trade("A1", "AAA", "sell", 100.0, (("L1", rest), ("L2", shares)))])
    assert verdict(judged(told, made, "sold_lots")) == "block"


def test_no_gain_is_declared_disallowed() -> None:
    """A lot bought at 2 and sold at 10: 800 dollars of gain, whatever the package says is disallowed."""
    cheap = Lot("L1", "A1", "AAA", 100.0, cost=2.0)
    told = firm([cheap], households={"gain_budget": 500.0})
    for declared in (0.0, -700.0, 700.0):
        assert verdict(judged(told, orders([sell(disallowed=declared)]), "gain_budget")) == "block"
    loss = firm([OLD, cheap.__class__("L2", "A1", "BBB", 50.0, cost=10.0)], households={"gain_budget": 400.0})
    both = [sell(disallowed=200.0), Trade("A1", "BBB", "sell", 50.0, (("L2", 50.0),))]
    assert verdict(judged(loss, orders(both), "gain_budget")) == "block"  # 500 of gain, and the loss does not count
    assert verdict(judged(loss, orders([sell(), both[1]]), "gain_budget")) == "pass"  # 300


def test_the_budget_names_its_household() -> None:
    told = firm([Lot("L1", "A1", "AAA", 100.0, cost=2.0)], households={"gain_budget": 500.0})
    assert judged(told, orders([sell()]), "gain_budget").subject(0) == "H1"


# --- Wash sales: both ways, 30 days, IRAs.
@pytest.mark.parametrize("account", ["A1", "A2"])
@pytest.mark.parametrize(("days", "says"), [(0, "block"), (1, "block"), (30, "block"), (31, "pass")])
def test_a_purchase_of_the_last_30_days_washes_a_loss_in_an_ira_too(account: str, days: int, says: str) -> None:
    told = firm([OLD, Lot("L2", account, "AAA", 100.0, cost=10.0, days=days)],
                bought=[(account, "AAA", "L2", 100.0, days, "manual")])  # fmt: skip
    assert verdict(judged(told, orders([sell()]), "wash_sale")) == says


@pytest.mark.parametrize("account", ["A1", "A2"])
def test_a_purchase_of_the_same_proposal_washes_and_one_of_another_household_does_not(account: str) -> None:
    told = firm([OLD], cash=ENOUGH)
    assert verdict(judged(told, orders([sell(), Trade(account, "AAA", "buy", 100.0)]), "wash_sale")) == "block"
    two = orders([sell()], [Trade("A3", "AAA", "buy", 100.0)], households=["H1", "H2"])
    assert verdict(judged(told, two, "wash_sale")) == "pass"


@pytest.mark.parametrize("declared", [float("nan"), -1_000.0, 0.0])
def test_a_washed_loss_that_is_not_declared_blocks(declared: float) -> None:
    told = firm([OLD], cash=ENOUGH)
    made = orders([sell(disallowed=declared), Trade("A2", "AAA", "buy", 100.0)])
    assert verdict(judged(told, made, "wash_sale")) == "block"


def test_a_basis_nobody_knows_beside_what_may_be_identical_warns() -> None:
    group = {"AAA": {"identical_group": "G", "identical_confidence": "low"},
             "BBB": {"identical_group": "G", "identical_confidence": "low"}}  # fmt: skip
    unknown = Lot("L1", "A1", "AAA", 100.0, cost=0.0, days=400, covered=False)
    told = firm([unknown], cash=ENOUGH, securities=group)
    assert verdict(judged(told, orders([sell()]), "wash_sale")) == "pass"
    assert verdict(judged(told, orders([sell(), Trade("A1", "BBB", "buy", 50.0)]), "wash_sale")) == "warn"
    assert verdict(judged(told, orders([sell(), Trade("A1", "AAA", "buy", 50.0)]), "wash_sale")) == "not_assessable"


@pytest.mark.parametrize("account", ["A1", "A2"])
@pytest.mark.parametrize(("days", "says"), [(1, "block"), (30, "block"), (31, "pass")])
def test_a_purchase_after_a_loss_of_the_last_30_days_blocks_in_every_account(
    account: str, days: int, says: str
) -> None:
    """100 shares bought at 12 were sold at 10 some days ago: 200 dollars of loss."""
    told = firm(cash=ENOUGH, bought=[("A1", "AAA", "L0", 100.0, 200, "manual")],
                sold=[("A1", "AAA", "L0", 100.0, 8.0, days)])  # fmt: skip
    assert verdict(judged(told, orders([Trade(account, "AAA", "buy", 100.0)]), "wash_purchase")) == says


# --- Who may let what stand.
NEVER = {
    "known_entities", "agrees_with_book", "prices_agree", "no_short_sale", "sold_lots", "trade_arithmetic", "never_buy",
    "never_sell", "never_hold", "hold_lot", "cash_covers_trades", "gains_agree", "tax_agrees", "model_eligible",
    "registration_menu", "consent", "data_age",
}  # fmt: skip
#: Where the data that are missing are the duty itself.
THE_DATA_ARE_THE_DUTY = {
    "max_weight", "cash_floor", "cash_needs", "risk_level", "objective", "horizon", "profile_age", "knowledge",
    "sustainability", "switch_cost", "in_mandate",
}  # fmt: skip


def test_a_prohibition_is_not_overridden_and_a_missing_profile_is_not_either() -> None:
    assert {rule.rule_id for rule in RULES if not rule.overridable} == NEVER
    assert not {rule.rule_id for rule in RULES if rule.overridable_missing} & (NEVER | THE_DATA_ARE_THE_DUTY)
    told = firm([OLD], cash=ENOUGH, profiles={})
    found = {f.rule_id: f for f in preflight(told, orders([Trade("A1", "CCC", "buy", 1.0)]), RULES).findings(0)}
    assert found["risk_level"].verdict.name == "NOT_ASSESSABLE"
    assert not found["risk_level"].overridable
    assert found["single_issuer"].verdict.name == "NOT_ASSESSABLE"
    assert found["single_issuer"].overridable


def test_a_rule_nobody_overrides_is_not_let_stand_for_want_of_data() -> None:
    text = RULES.text.replace("    overridable: false\n", "    overridable: false\n    overridable_missing: true\n", 1)
    with pytest.raises(ParameterError, match="overridable_missing"):
        Rulebook.parse(text)


def test_a_collectible_in_an_ira_is_the_laws_and_a_municipal_bond_the_houses() -> None:
    for name, rule_id, overridable in (("Collectibles", "registration_menu", False),
                                       ("Municipal bonds", "tax_exempt_wasted", True)):  # fmt: skip
        told = firm(cash=ENOUGH, securities={"CCC": {"asset_class": name}})
        made = orders([Trade("A2", "CCC", "buy", 1.0)])
        assert verdict(judged(told, made, rule_id)) == "block"
        assert RULES[rule_id].overridable is overridable
        assert verdict(judged(told, orders([Trade("A1", "CCC", "buy", 1.0)]), rule_id)) == "pass"


def test_every_citation_says_whose_duty_it_is() -> None:
    for rule in RULES:
        assert rule.citation.strip(), rule.rule_id
        assert not rule.citation.endswith((".", ";")), rule.rule_id


def test_a_security_without_a_sector_is_refused_and_not_left_out() -> None:
    with pytest.raises(FirmDataError, match="securities: AAA has no sector"):
        firm([OLD], securities={"AAA": {"sector": None}})


def test_costs_of_an_account_whose_custodian_is_unknown_are_unknown() -> None:
    told = replace(firm([OLD], cash=ENOUGH), account_fee=np.full(3, np.nan))
    made = orders([sell(), Trade("A1", "CCC", "buy", 1.0)])
    for rule_id in ("cash_covers_trades", "switch_cost", "series_cost"):
        rule = RULES[rule_id]
        assert verdict(CHECKS[rule.check].judge(Context(told, made), rule)) == "not_assessable"

"""Every check by the name that a rule calls it, one line each: the function, the tables it reads, its parameters."""

from __future__ import annotations

from workbench.compliance.check import AMOUNT, COUNT, FRACTION, TEXTS, Check, by_level, one_of
from workbench.compliance.checks import (
    book,
    cash,
    concentration,
    gain_budget,
    restrictions,
    screens,
    turnover,
    wash_sale,
)
from workbench.compliance.checks.conduct import CONDUCT
from workbench.compliance.firm_view import LEVELS

_HELD = ("accounts", "positions", "prices", "securities")
_SOLD = ("accounts", "lots")
_WASH = ("accounts", "lots", "securities", "transactions")

CHECKS: dict[str, Check] = {
    "known_entities": Check(book.known_entities, ("accounts", "households", "securities")),
    "agrees_with_book": Check(book.agrees_with_book, (*_HELD, "custodians"), {"tolerance": AMOUNT}),
    "prices_agree": Check(book.prices_agree, ("prices",), {"tolerance": FRACTION}),
    "price_age": Check(book.price_age, ("positions", "prices"), {"days": COUNT}),
    "no_short_sale": Check(book.no_short_sale, ("accounts", "positions")),
    "sold_lots": Check(book.sold_lots, _SOLD),
    "trade_arithmetic": Check(book.trade_arithmetic, (), {"tolerance": AMOUNT}),
    "never_buy": Check(restrictions.never_buy, ("restrictions", "securities")),
    "never_sell": Check(restrictions.never_sell, ("restrictions", "securities")),
    "never_hold": Check(restrictions.never_hold, ("positions", "restrictions", "securities")),
    "hold_lot": Check(restrictions.hold_lot, ("lots", "restrictions")),
    "max_weight": Check(restrictions.max_weight, (*_HELD, "restrictions")),
    "screens": Check(screens.screens, ("positions", "restrictions", "securities"), {"known_screens": TEXTS}),
    "concentration": Check(
        concentration.concentration,
        (*_HELD, "profiles"),
        {
            "level": one_of(LEVELS),
            "scope": one_of(("household", "account")),
            "limits": by_level(FRACTION),
            "without_kinds": TEXTS,
            "without_keys": TEXTS,
        },
    ),
    "cash_covers_trades": Check(cash.cash_covers_trades, ("accounts", "custodians", "positions")),
    "cash_floor": Check(cash.cash_floor, ("custodians", "positions", "restrictions")),
    "cash_needs": Check(cash.cash_needs, ("custodians", "positions")),
    "gain_budget": Check(gain_budget.gain_budget, (*_SOLD, "households")),
    "gains_agree": Check(gain_budget.gains_agree, _SOLD, {"tolerance": AMOUNT}),
    "tax_agrees": Check(gain_budget.tax_agrees, (*_SOLD, "households"), {"tolerance": AMOUNT}),
    "wash_sale": Check(wash_sale.wash_sale, _WASH, {"tolerance": AMOUNT}),
    "wash_purchase": Check(wash_sale.wash_purchase, _WASH, {"tolerance": AMOUNT}),
    "turnover": Check(turnover.turnover, (*_HELD, "transactions"), {"months": COUNT, "limit": FRACTION}),
    **CONDUCT,
}

__all__ = ["CHECKS"]
